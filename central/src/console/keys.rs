//! The keys of the console: one page that lists them, shown in a dialog where there is script, and the choice to do without
//! single keys (WCAG 2.1.4).

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use super::failure::Failure;
use super::signed::AnyRole;
use super::ui::Ui;

/// Keys and the names of what they do, by where they work. The script knows the same ones.
const KEYS: [(&str, &[(&str, &str)]); 3] = [
    ("keys-everywhere", &[("/", "keys-find"), ("?", "keys-help"), ("Esc", "keys-close"), ("g", "keys-go")]),
    (
        "keys-go",
        &[
            ("g h", "nav-home"),
            ("g i", "nav-cases"),
            ("g a", "nav-requests"),
            ("g s", "nav-days"),
            ("g c", "nav-cash"),
            ("g m", "nav-members"),
            ("g e", "nav-activities"),
            ("g p", "nav-points"),
            ("g d", "nav-devices"),
            ("g j", "nav-jobs"),
        ],
    ),
    (
        "keys-lists",
        &[
            ("j", "keys-next"),
            ("k", "keys-before"),
            ("x", "keys-tick"),
            ("Enter", "keys-open"),
            ("1 2 3", "keys-verdict"),
            ("a", "inbox-hand"),
            ("s", "verdict-later"),
            ("u", "done-again"),
        ],
    ),
];

struct Part {
    title: String,
    keys: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    ui: Ui,
    parts: Vec<Part>,
}

/// All keys.
pub async fn page(AnyRole(by): AnyRole) -> Result<Response, Failure> {
    let ui = by.ui.at("keys");
    let part = |(title, keys): (&'static str, &'static [(&'static str, &'static str)])| Part {
        title: ui.t(title),
        keys: keys.iter().map(|(key, does)| (*key, ui.t(does))).collect(),
    };
    let parts = KEYS.map(part).into_iter().collect();
    Ok(Html(KeysPage { parts, ui }.render()?).into_response())
}
