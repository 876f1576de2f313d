//! Who may speak to the page: where it listens, which host names it answers to, which pages may send forms, and the
//! policy that the browser enforces.
//!
//! Threats met here: a web page elsewhere that posts forms to the counter (cross-site request forgery), a foreign name
//! that is made to point at this terminal (DNS rebinding), markup in names, framing by strangers. Not met here: a
//! person at this machine's keyboard, and until tablets are paired anyone on a network that it is opened to, which
//! each page then says.

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, header};

/// The counter cannot be served as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// Beyond this machine, without the admission that nothing is paired.
    #[error(
        "serve the counter page on {listen}: no tablet is paired, so everyone on that network could operate this \
         terminal. Set counter.listen to a loopback address such as 127.0.0.1:7090, or accept this with \
         counter.listen_unpaired = true"
    )]
    Unpaired {
        /// The address configured.
        listen: SocketAddr,
    },
    /// Not an address of a page.
    #[error("use {what} of the configuration: an http or https address is expected, met {met:?}")]
    Origin {
        /// Which key.
        what: &'static str,
        /// What was met.
        met: String,
    },
}

/// The rules of one counter page.
#[derive(Debug, Clone)]
pub struct Guard {
    unpaired: bool,
    policy: HeaderValue,
}

impl Guard {
    /// The rules for an address, the pages that may frame it, and the tray that it frames.
    ///
    /// # Errors
    /// [`GuardError`] naming the key and what was met.
    pub fn new(
        listen: SocketAddr,
        listen_unpaired: bool,
        embed_origins: &[String],
        simulator: Option<&str>,
    ) -> Result<Self, GuardError> {
        let beyond = !listen.ip().is_loopback();
        if beyond && !listen_unpaired {
            return Err(GuardError::Unpaired { listen });
        }
        let embed: Vec<String> = embed_origins
            .iter()
            .map(|met| origin(met).ok_or_else(|| wrong("counter.embed_origins", met)))
            .collect::<Result<_, _>>()?;
        let ancestors = if embed.is_empty() { "'none'".to_owned() } else { embed.join(" ") };
        let frames = match simulator {
            None => "'none'".to_owned(),
            Some(met) => origin(met).ok_or_else(|| wrong("simulator.url", met))?,
        };
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; media-src 'self'; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}; \
             frame-src {frames}"
        );
        let policy =
            HeaderValue::from_str(&policy).map_err(|_| wrong("counter.embed_origins", &ancestors))?;
        Ok(Self { unpaired: beyond, policy })
    }

    /// Whether each page must say that anyone on the network can operate it.
    #[must_use]
    pub fn is_unpaired(&self) -> bool {
        self.unpaired
    }

    /// Puts the browser's orders on an answer.
    pub fn seal(&self, headers: &mut HeaderMap) {
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        let fixed = [(header::X_CONTENT_TYPE_OPTIONS, "nosniff"), (header::REFERRER_POLICY, "same-origin")];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        // A member's name must not stay in the browser's store; files with their hash in the address say otherwise.
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
}

fn wrong(what: &'static str, met: &str) -> GuardError {
    GuardError::Origin { what, met: met.to_owned() }
}

/// Scheme, host and port of an address; none for anything that could smuggle more into the policy.
fn origin(address: &str) -> Option<String> {
    let uri: axum::http::Uri = address.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains(['@', ';', ',']))?;
    Some(format!("{scheme}://{authority}"))
}

/// Whether a host header names this machine by address or as `localhost`. A name that an attacker's name server could
/// point here is not answered.
#[must_use]
pub fn is_own_host(host: Option<&HeaderValue>) -> bool {
    let Some(authority) =
        host.and_then(|host| host.to_str().ok()).and_then(|host| host.parse::<Authority>().ok())
    else {
        return false;
    };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    !authority.as_str().contains('@')
        && (name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok())
}

/// Whether a request that changes something comes from a page of ours, or from no page at all (a program, which no
/// browser's cookies or address make dangerous).
#[must_use]
pub fn is_own_page(headers: &HeaderMap) -> bool {
    let fetch_site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if !matches!(fetch_site, None | Some(b"same-origin" | b"none")) {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let page = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")));
    page.is_some_and(|page| !host.is_empty() && page.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn threat_an_open_address_needs_the_admission_that_nothing_is_paired() {
        let error = Guard::new(listen("0.0.0.0:7090"), false, &[], None).unwrap_err();
        assert!(error.to_string().contains("counter.listen_unpaired = true"), "{error}");
        assert!(Guard::new(listen("192.168.1.5:7090"), true, &[], None).unwrap().is_unpaired());
        for own in ["127.0.0.1:7090", "[::1]:7090", "127.0.0.9:0"] {
            assert!(!Guard::new(listen(own), true, &[], None).unwrap().is_unpaired());
        }
    }

    #[test]
    fn the_policy_names_frames_exactly_and_nothing_can_be_smuggled_in() {
        let own = listen("127.0.0.1:7090");
        let policy = |embed: &[String], simulator| {
            Guard::new(own, false, embed, simulator).map(|guard| guard.policy.to_str().unwrap().to_owned())
        };
        let none = policy(&[], None).unwrap();
        assert!(none.ends_with("frame-ancestors 'none'; frame-src 'none'"), "{none}");
        let both = policy(&["http://127.0.0.1:9000".into()], Some("http://127.0.0.1:7099/tray?a=1")).unwrap();
        let end = "frame-ancestors http://127.0.0.1:9000; frame-src http://127.0.0.1:7099";
        assert!(both.ends_with(end), "{both}");
        for wrong in ["*", "javascript:alert(1)", "http://a; script-src *", "file:///x", "http://u@h/", ""] {
            assert!(policy(&[wrong.to_owned()], None).is_err(), "{wrong}");
            assert!(policy(&[], Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn threat_a_foreign_name_that_points_here_is_not_answered() {
        let own = |host: &str| is_own_host(Some(&HeaderValue::from_str(host).unwrap()));
        for host in ["127.0.0.1:7090", "localhost", "LOCALHOST:7090", "[::1]:7090", "192.168.1.5:7090"] {
            assert!(own(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:7090",
            "127.0.0.1.evil.example",
            "",
            "a@127.0.0.1",
            "localhost.evil",
        ] {
            assert!(!own(host), "{host}");
        }
        assert!(!is_own_host(None));
    }

    #[test]
    fn case_64_forms_of_other_pages_are_refused() {
        let from = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:7090"));
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_str(value).unwrap());
            }
            is_own_page(&headers)
        };
        assert!(from(&[]));
        assert!(from(&[("origin", "http://127.0.0.1:7090")]));
        assert!(from(&[("origin", "http://127.0.0.1:7090"), ("sec-fetch-site", "same-origin")]));
        assert!(!from(&[("origin", "null")]));
        assert!(!from(&[("origin", "http://127.0.0.1:8080")]));
        assert!(!from(&[("origin", "http://evil.example")]));
        assert!(!from(&[("sec-fetch-site", "cross-site")]));
        assert!(!from(&[("sec-fetch-site", "same-site")]));
        assert!(!from(&[("origin", "http://127.0.0.1:7090"), ("sec-fetch-site", "cross-site")]));
    }
}
