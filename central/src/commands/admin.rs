//! `hufu-central admin`: people who administer the club, with one-time passwords.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use data_encoding::BASE32_NOPAD;
use hufu_shared::ids::{ID_RANDOM_BYTES, OperatorId};
use hufu_shared::time::Instant;

use super::EXIT_OK;
use crate::app::App;
use crate::password;
use crate::random;
use crate::store::{StoreError, staff};

/// Bytes of randomness in a one-time password: 80 bits.
const PASSWORD_BYTES: usize = 10;
/// Longest login.
const LOGIN_CHARS_MAX: usize = 64;

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum AdminCommand {
    /// Add an admin; prints a one-time password
    Add(AdminArgs),
    /// Give an admin a new one-time password and end their sessions
    Reset(AdminArgs),
}

/// Whom.
#[derive(Debug, Clone, clap::Args)]
pub struct AdminArgs {
    /// What they type to sign in
    pub login: String,
    /// What others call them; the login if left out
    #[arg(long)]
    pub name: Option<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// A new admin, before they are stored.
pub struct NewAdmin {
    id: OperatorId,
    login: String,
    name: String,
    /// The one-time password, to be shown once.
    pub password: String,
    hash: String,
}

impl NewAdmin {
    /// An admin with a random one-time password.
    ///
    /// # Errors
    /// For a login that cannot be typed, or without randomness.
    pub fn new(login: &str, name: Option<&str>, now: Instant) -> anyhow::Result<Self> {
        let fits = !login.is_empty()
            && login.chars().count() <= LOGIN_CHARS_MAX
            && !login.chars().any(|c| c.is_control() || c.is_whitespace());
        if !fits {
            bail!("login expected as 1 to {LOGIN_CHARS_MAX} characters without spaces, met {login:?}");
        }
        let password = one_time_password()?;
        let hash = password::hash(&password).context("failed to hash the password")?;
        Ok(Self {
            id: OperatorId::new(now, random::bytes::<ID_RANDOM_BYTES>()?),
            login: login.to_owned(),
            name: name.unwrap_or(login).to_owned(),
            password,
            hash,
        })
    }

    /// Stores them; the password must be changed at the first sign-in.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails or the login is taken.
    pub fn put(&self, tx: &mut crate::db::Tx<'_>, now: Instant) -> Result<(), StoreError> {
        staff::add(tx, self.id, &self.login, &self.name, &self.hash, now)
    }
}

/// Four groups of four letters and digits.
fn one_time_password() -> anyhow::Result<String> {
    let text = BASE32_NOPAD.encode(&random::bytes::<PASSWORD_BYTES>()?).to_lowercase();
    let groups: Vec<&str> = (0..4).map(|group| &text[group * 4..group * 4 + 4]).collect();
    Ok(groups.join("-"))
}

/// Runs the command.
///
/// # Errors
/// For a login that is taken or unknown, or if the database fails.
pub async fn run(command: &AdminCommand, app: &App) -> anyhow::Result<u8> {
    let now = app.now();
    let (args, password) = match command {
        AdminCommand::Add(args) => {
            let login = args.login.clone();
            let known = app.db.read(move |tx| staff::by_login(tx, &login)).await?;
            if known.is_some() {
                bail!("{:?} is an admin already; `admin reset` gives a new password", args.login);
            }
            let admin = std::sync::Arc::new(NewAdmin::new(&args.login, args.name.as_deref(), now)?);
            let putting = std::sync::Arc::clone(&admin);
            app.write(move |tx| putting.put(tx, now)).await.context("failed to add the admin")?;
            (args, admin.password.clone())
        }
        AdminCommand::Reset(args) => {
            let login = args.login.clone();
            let known = app.db.read(move |tx| staff::by_login(tx, &login)).await?;
            let Some(known) = known else { bail!("{:?} is not an admin here", args.login) };
            let password = one_time_password()?;
            let hash = password::hash(&password).context("failed to hash the password")?;
            app.write(move |tx| staff::set_password(tx, known.id, &hash, true)).await?;
            (args, password)
        }
    };
    if args.json {
        println!("{}", serde_json::json!({ "login": args.login, "password": password }));
    } else {
        println!("{}", password_line(&args.login, &password));
    }
    Ok(EXIT_OK)
}

/// How a one-time password is told.
#[must_use]
pub fn password_line(login: &str, password: &str) -> String {
    format!("admin {login}, one-time password {password} (shown once; to be changed at the first sign-in)")
}
