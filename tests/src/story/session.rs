//! Somebody signed in at a centre's console, by the forms that people fill in.

use super::centre::Centre;
use crate::kit::http::{block_on, plain_client};
use anyhow::{Context as _, Result, ensure};

/// What a form's body is.
const FORM: &str = "application/x-www-form-urlencoded";

/// Signs in with the one-time password and sets one that stays, as a person would.
///
/// # Errors
/// When `init` printed no password, or there is no randomness.
pub fn new_password(centre: &Centre) -> Result<String> {
    let one_time = centre.founding.split_once("one-time password ").map(|(_, rest)| rest);
    let one_time = one_time.and_then(|rest| rest.split_whitespace().next());
    let one_time = one_time.context("`init` printed no password")?;
    let random = ring::rand::SystemRandom::new();
    let bytes: [u8; 10] =
        ring::rand::generate(&random).map_err(|_| anyhow::anyhow!("failed to get random bytes"))?.expose();
    let new = format!("hufu-{}", data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase());
    let changed = block_on(async {
        let session = Session::enter(centre, one_time).await?;
        let answer = session.post("/password", &[("old", one_time), ("new", &new), ("repeat", &new)]).await?;
        ensure!(answer.status().is_redirection(), "the new password was answered with {}", answer.status());
        Ok(())
    });
    match changed {
        Ok(()) => Ok(new),
        // The one-time password works as well: its owner is only asked for a new one at the first sign-in.
        Err(error) => {
            tracing::warn!("failed to set a password that stays: {error:#}");
            Ok(one_time.to_owned())
        }
    }
}

/// Somebody signed in at the console.
#[derive(Debug)]
pub struct Session {
    base: String,
    cookie: String,
    token: String,
}

impl Session {
    /// Signs the first admin in.
    ///
    /// # Errors
    /// When the console does not let them in.
    pub async fn enter(centre: &Centre, password: &str) -> Result<Self> {
        let base = format!("http://{}", centre.console);
        let client = plain_client()?;
        let form = client.post(format!("{base}/login"));
        let form =
            form.header("content-type", FORM).body(urlencoded(&[("login", "admin"), ("password", password)]));
        let answer = form.send().await?;
        let cookie = answer.headers().get("set-cookie").context("no session")?.to_str()?.to_owned();
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let page =
            client.get(format!("{base}/password")).header("cookie", &cookie).send().await?.text().await?;
        let token = page.split_once("name=\"csrf\" value=\"").map(|(_, rest)| rest);
        let token = token.and_then(|rest| rest.split('"').next()).context("the page has no form token")?;
        Ok(Self { base, cookie, token: token.to_owned() })
    }

    /// The cookie of the session, as a browser sends it.
    #[must_use]
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// The token that every change of the session bears.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a form with the session's token.
    ///
    /// # Errors
    /// When there is no answer; not when it is a refusal.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Result<reqwest::Response> {
        let fields = [&[("csrf", self.token.as_str())], fields].concat();
        let request = plain_client()?.post(format!("{}{path}", self.base)).header("content-type", FORM);
        Ok(request.header("cookie", &self.cookie).body(urlencoded(&fields)).send().await?)
    }
}

/// A form's body; every value here is ASCII without reserved characters but `=`, `&`, `+` and `%`.
fn urlencoded(pairs: &[(&str, &str)]) -> String {
    let escape =
        |text: &str| text.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace('=', "%3D");
    pairs.iter().map(|(key, value)| format!("{key}={}", escape(value))).collect::<Vec<_>>().join("&")
}
