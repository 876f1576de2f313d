//! Where a tablet is paired, and the list of paired tablets.
//!
//! The pairing page is all that a stranger of the network sees, so it is one answer: its style stands in it, allowed by its
//! hash, and it names neither club nor terminal. It does not show the certificate's fingerprint: who stands between
//! tablet and board would show the right one as well. Staff compare what their browser says with what the board says.

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use data_encoding::BASE64;
use hufu_shared::ids::Hash;

use super::super::desk::forms::{Input, folded, given};
use super::super::desk::routes::style;
use super::super::pages::Frame;
use super::super::routes::{Choice, Counter, choose, html};
use super::super::words::Ui;
use super::gate::FromTablet;
use super::{CODE_DIGITS, NAME_CHARS_MAX, PairingError, Tablets, grouped};

/// The pairing page's style.
pub const STYLE: &str = include_str!("../../../templates/parts/pair.css");

static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let hash = BASE64.encode(&Hash::of(&[STYLE.as_bytes()]).0);
    let text = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&text).ok()
});

/// What a browser may do with the pairing page.
pub(super) fn policy() -> HeaderValue {
    POLICY.clone().unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Digits as they are typed or spoken: full-width ones and gaps are no mistakes.
pub(super) fn folded_digits(text: &str) -> String {
    folded(text).chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect()
}

/// Key of the sentence for a tablet that was not paired or a code that was not offered.
pub(super) fn why(error: &PairingError) -> &'static str {
    match error {
        PairingError::NoCode => "tablet-not-no-code",
        PairingError::Wrong(_) => "tablet-not-wrong",
        PairingError::Burnt => "tablet-not-burnt",
        PairingError::Locked(_) => "tablet-not-locked",
        PairingError::Full => "tablet-not-full",
        PairingError::Store(_) => "tablet-not-kept",
    }
}

/// The pairing page.
#[derive(Debug, Template)]
#[template(path = "pair.html")]
pub struct PairPage {
    /// Language.
    pub ui: Ui,
    /// The style, whole.
    pub style: &'static str,
    /// What was typed as the name.
    pub name: String,
    /// What was typed as the code, unless it was tried.
    pub code: String,
    /// What is wrong.
    pub error: Option<String>,
}

impl PairPage {
    fn other_lang(&self) -> &'static str {
        if self.ui.is_zh() { "en" } else { "zh-CN" }
    }

    fn digits(&self) -> usize {
        // With the gap in which it is read out.
        CODE_DIGITS + 2
    }

    fn name_max(&self) -> usize {
        NAME_CHARS_MAX
    }
}

/// A tablet in the list.
#[derive(Debug)]
pub struct TabletLine {
    /// What the form sends.
    pub n: u64,
    /// Its name.
    pub name: String,
    /// Since when, and when it was last seen.
    pub marks: Vec<String>,
    /// Whether it shows the page now.
    pub online: bool,
    /// Whether it is the one that looks.
    pub own: bool,
}

/// The list of paired tablets.
#[derive(Debug, Template)]
#[template(path = "desk/tablets.html")]
pub struct TabletsPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Address of the desk pages' style sheet.
    pub style: &'a str,
    /// Whether tablets are served at all.
    pub served: bool,
    /// Where a tablet goes.
    pub address: Option<String>,
    /// SHA-256 of the board's certificate.
    pub fingerprint: String,
    /// What was just done.
    pub said: Option<String>,
    /// Why nothing was done, or what happened that somebody should look at.
    pub declined: Option<String>,
    /// The code, at the board's own page only.
    pub code: Option<String>,
    /// That a code is offered, and until when.
    pub offered: Option<String>,
    /// The tablets.
    pub tablets: Vec<TabletLine>,
}

/// What was just done, as keys.
#[derive(Default)]
struct Just {
    said: Option<&'static str>,
    declined: Option<String>,
    status: StatusCode,
}

type Shared = State<Arc<Counter>>;
type Own = Option<Extension<FromTablet>>;

pub(in super::super) async fn list(
    State(counter): Shared,
    own: Own,
    headers: HeaderMap,
    Query(choice): Query<Choice>,
) -> Response {
    choose(&choice, "/tablets").unwrap_or_else(|| show(&counter, own, &headers, Just::default()))
}

/// Offers a code, takes it back, or unpairs a tablet.
pub(in super::super) async fn act(
    State(counter): Shared,
    own: Own,
    headers: HeaderMap,
    Form(input): Form<Input>,
) -> Response {
    let Some(tablets) = counter.tablets.clone() else {
        return show(&counter, own, &headers, Just { status: StatusCode::CONFLICT, ..Just::default() });
    };
    let ui = counter.frame(&headers, &counter.port.snapshot()).ui;
    let act = given(&input, "act").unwrap_or_default().to_owned();
    let n = given(&input, "n").and_then(|n| n.parse().ok());
    let done = tokio::task::spawn_blocking(move || match (act.as_str(), n) {
        ("offer", _) => tablets.offer().map(|_| None),
        ("withdraw", _) => {
            tablets.withdraw();
            Ok(Some("tablet-withdrawn"))
        }
        ("revoke", Some(n)) => Ok(tablets.revoke(n)?.then_some("tablet-revoked")),
        _ => Ok(None),
    });
    let just = match done.await {
        Ok(Ok(said)) => Just { said, ..Just::default() },
        Ok(Err(error)) => {
            let sentence = match &error {
                PairingError::Locked(until) => ui.t1(why(&error), "time", ui.time(*until)),
                other => ui.t(why(other)),
            };
            Just { declined: Some(sentence), status: StatusCode::CONFLICT, ..Just::default() }
        }
        Err(_) => Just { status: StatusCode::INTERNAL_SERVER_ERROR, ..Just::default() },
    };
    show(&counter, own, &headers, just)
}

fn show(counter: &Counter, own: Own, headers: &HeaderMap, just: Just) -> Response {
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(headers, &snapshot);
    let own = own.map(|Extension(FromTablet(n))| n);
    let tablets = counter.tablets.as_deref();
    let mut page = TabletsPage {
        frame: &frame,
        style: style(),
        served: tablets.is_some(),
        address: tablets.and_then(Tablets::address),
        fingerprint: tablets.map(|tablets| tablets.fingerprint().to_owned()).unwrap_or_default(),
        said: just.said.map(|key| frame.ui.t(key)),
        declined: just.declined,
        code: None,
        offered: None,
        tablets: tablets.map(|tablets| lines(tablets, own, &frame.ui)).unwrap_or_default(),
    };
    if let Some(tablets) = tablets {
        fill(&mut page, tablets, own, &frame.ui);
    }
    html(just.status, &page)
}

fn fill(page: &mut TabletsPage<'_>, tablets: &Tablets, own: Option<u64>, ui: &Ui) {
    if let Some(offered) = tablets.offered() {
        page.offered = Some(ui.t1("tablet-code-until", "time", ui.time(offered.until)));
        // A tablet that was carried off must not be able to let in another one: there the code is seen only by who
        // stands before the member display.
        page.code = own.is_none().then(|| grouped(&offered.code));
    }
    if let (None, Some((name, at))) = (&page.declined, tablets.copied()) {
        page.declined = Some(ui.t2("tablet-copied", ("name", name), ("time", ui.time(at))));
    }
}

fn lines(tablets: &Tablets, own: Option<u64>, ui: &Ui) -> Vec<TabletLine> {
    let line = |tablet: super::TabletView| TabletLine {
        n: tablet.n,
        name: tablet.name,
        marks: vec![
            ui.t1("tablet-since", "time", ui.minute(tablet.paired_at)),
            ui.t1("tablet-seen", "time", ui.minute(tablet.seen_at)),
        ],
        online: tablet.online,
        own: own == Some(tablet.n),
    };
    tablets.list().into_iter().map(line).collect()
}
