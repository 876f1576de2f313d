//! What every page has: language, theme, the person, and how numbers and times are written.

use axum::http::HeaderMap;
use chrono::DateTime;
use chrono_tz::Tz;
use hufu_shared::ids::OfficeId;
use hufu_shared::scheme::Words;
use hufu_shared::time::{DAY_US, Instant, MINUTE_US};

use super::assets;
use super::office::Chosen;
use super::session::cookie;
use super::words::{self, Language};

/// Cookie that keeps the language.
pub const LANGUAGE_COOKIE: &str = "hufu_lang";
/// Cookie that keeps the theme.
pub const THEME_COOKIE: &str = "hufu_theme";

/// The language that somebody chose.
pub fn language_of(headers: &HeaderMap) -> Language {
    cookie(headers, LANGUAGE_COOKIE).and_then(Language::from_tag).unwrap_or_default()
}

/// Cookie that keeps whether single keys do something.
pub const KEYS_COOKIE: &str = "hufu_keys";

/// What a page is drawn with.
#[derive(Debug, Clone)]
pub struct Ui {
    /// The language.
    pub language: Language,
    /// `light` or `dark`.
    pub theme: &'static str,
    /// What the person is called; empty before sign-in.
    pub person: String,
    /// The form token; empty before sign-in.
    pub csrf: String,
    /// The part of the console that the page belongs to.
    pub section: &'static str,
    /// Whether single keys do something (WCAG 2.1.4).
    pub keys: bool,
    /// Whether the page listens for news of cases.
    pub live: bool,
    /// Open cases, for the badge.
    pub open_cases: u64,
    /// What waits and the person may decide, for the badge.
    pub approvals: u64,
    /// Whether the person is one of the centre's own: a dealer's people have few pages.
    pub of_centre: bool,
    /// Whether the centre recovers from a rollback.
    pub recovering: bool,
    /// The club's zone.
    pub zone: Tz,
    /// Name of the club.
    pub club: Words,
    /// The time of the page.
    pub now: Instant,
    /// Path and query of the page, to come back to.
    pub path: String,
    /// Offices that the person may see: id, and code with name.
    pub offices: Vec<(String, String)>,
    /// The one that the console is narrowed to; none for all.
    pub office: Option<Chosen>,
}

impl Ui {
    /// For somebody not signed in.
    pub fn of(headers: &HeaderMap, now: Instant) -> Self {
        let language = language_of(headers);
        let theme = if cookie(headers, THEME_COOKIE) == Some("dark") { "dark" } else { "light" };
        Self {
            language,
            theme,
            person: String::new(),
            csrf: String::new(),
            section: "",
            keys: cookie(headers, KEYS_COOKIE) != Some("off"),
            live: false,
            open_cases: 0,
            approvals: 0,
            of_centre: true,
            recovering: false,
            zone: chrono_tz::Asia::Shanghai,
            club: Words { zh: String::new(), en: String::new() },
            now,
            path: "/login".to_owned(),
            offices: Vec::new(),
            office: None,
        }
    }

    /// The same in a part of the console.
    pub fn at(mut self, section: &'static str) -> Self {
        self.section = section;
        self
    }

    /// Whether the page belongs to this part.
    pub fn is(&self, section: &str) -> bool {
        self.section == section
    }

    /// Code of the office that the console is narrowed to; empty for all.
    pub fn office_code(&self) -> &str {
        self.office.as_ref().map_or("", |office| &office.code)
    }

    /// Whether the console is narrowed to another office than this one.
    pub fn leaves_out(&self, office: OfficeId) -> bool {
        self.office.as_ref().is_some_and(|chosen| chosen.id != office)
    }

    /// Whether the switch stands at an office; the id of none stands for all.
    pub fn stands_at(&self, office: &str) -> bool {
        self.office.as_ref().is_some_and(|chosen| chosen.id.to_string() == office)
    }

    /// The language's tag.
    pub fn lang(&self) -> &'static str {
        self.language.tag()
    }

    /// Address of a file of `assets/`, such as `console.css` or `vendor/htmx/htmx.min.js`.
    pub fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    /// A text.
    pub fn t(&self, key: &str) -> String {
        words::text(self.language, key)
    }

    /// A text with its variables.
    pub fn t_with(&self, key: &str, args: &[(&str, &str)]) -> String {
        words::text_with(self.language, key, args)
    }

    /// A text with variables that were made for it.
    pub fn t_of(&self, key: &str, args: &[(&str, String)]) -> String {
        let args: Vec<(&str, &str)> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.t_with(key, &args)
    }

    /// What an actor is called by the names of whom it names: a stand-in with the person in whose place they decided.
    pub fn called(&self, names: &[String]) -> Option<String> {
        match names {
            [] => None,
            [name] => Some(name.clone()),
            [by, person, ..] => Some(self.t_with("record-stand-in", &[("by", by), ("name", person)])),
        }
    }

    /// A word of the club.
    pub fn pick(&self, words: &Words) -> String {
        self.language.pick(words).to_owned()
    }

    /// `2026-11-22 15:02`.
    pub fn time(&self, at: Instant) -> String {
        self.time_in(at, self.zone)
    }

    /// The same in an office's zone, to the second.
    pub fn seconds_in(&self, at: Instant, zone: Tz) -> String {
        at.display(zone)
    }

    /// `2026-11-22 15:02` in an office's zone.
    pub fn time_in(&self, at: Instant, zone: Tz) -> String {
        DateTime::from_timestamp_micros(at.0)
            .map_or_else(String::new, |utc| utc.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string())
    }

    /// `15:02:11`, the time of the page.
    pub fn clock(&self) -> String {
        self.now.display(self.zone).split(' ').nth(1).unwrap_or_default().to_owned()
    }

    /// How long ago, in words.
    pub fn ago(&self, at: Instant) -> String {
        self.lasting(self.now.since(at).max(0))
    }

    /// A length of time in words.
    pub fn lasting(&self, us: i64) -> String {
        let (key, count) = match us {
            us if us < MINUTE_US => ("ago-now", 0),
            us if us < 60 * MINUTE_US => ("ago-minutes", us / MINUTE_US),
            us if us < DAY_US => ("ago-hours", us / (60 * MINUTE_US)),
            us => ("ago-days", us / DAY_US),
        };
        self.t_with(key, &[("n", &count.to_string())])
    }
}

/// `1,234,567`, with a true minus.
pub fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0 { format!("−{text}") } else { text }
}

/// `+6` or `−6`; a change of zero is `0`.
pub fn change(value: i64) -> String {
    if value > 0 { format!("+{}", number(value)) } else { number(value) }
}
