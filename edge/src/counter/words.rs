//! The reader's language on a page: texts by key, and amounts, times and ages as people write them.
//!
//! Times are shown in the office's zone. An age is rounded down, so that nothing looks fresher than it is by more than
//! one unit.

use std::fmt::Display;

use chrono_tz::Tz;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::time::{Instant, SECOND_US};

use crate::locale::{Args, Language, text, text_with};

/// A balance older than this says its age, in microseconds.
pub const BALANCE_FRESH_US: i64 = 3_600 * SECOND_US;
/// Younger than this reads "just now", in seconds.
const AGE_NOW_S: i64 = 5;

/// One page's language, zone and time.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    /// The reader's language.
    pub language: Language,
    /// The office's zone.
    pub zone: Tz,
    /// When the page is made.
    pub now: Instant,
}

impl Ui {
    /// The text of a key.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        text(self.language, key)
    }

    /// The text of a key with one variable.
    #[must_use]
    pub fn t1(&self, key: &str, name: &'static str, value: impl Display) -> String {
        text_with(self.language, key, &Args::from([(name, value.to_string())]))
    }

    /// The text of a key with two variables.
    #[must_use]
    pub fn t2(&self, key: &str, one: (&'static str, String), two: (&'static str, String)) -> String {
        text_with(self.language, key, &Args::from([one, two]))
    }

    /// A name that exists in both languages; the other one where this one is empty.
    #[must_use]
    pub fn words<'a>(&self, words: &'a Words) -> &'a str {
        let own = self.language.pick(words);
        [own, &words.zh, &words.en].into_iter().find(|word| !word.is_empty()).unwrap_or_default()
    }

    /// Points, with thousands commas.
    #[must_use]
    pub fn points(&self, amount: Amount) -> String {
        amount.display(Unit::Pts)
    }

    /// Yuan, with thousands commas and two decimals, without a sign of currency.
    #[must_use]
    pub fn yuan(&self, amount: Amount) -> String {
        amount.display(Unit::Cny)
    }

    /// `15:02` today, `2026-11-21 15:02` on other days.
    #[must_use]
    pub fn time(&self, at: Instant) -> String {
        let whole = at.display(self.zone);
        let today = self.now.display(self.zone);
        if whole.get(..10) == today.get(..10) { at.display_time(self.zone) } else { self.minute(at) }
    }

    /// `15:02:11`.
    #[must_use]
    pub fn second(&self, at: Instant) -> String {
        at.display(self.zone).split_once(' ').map_or_else(|| "—".to_owned(), |(_, time)| time.to_owned())
    }

    /// `2026-11-22 15:02`.
    #[must_use]
    pub fn minute(&self, at: Instant) -> String {
        let whole = at.display(self.zone);
        whole.get(..16).unwrap_or("—").to_owned()
    }

    /// `2026-11-22`.
    #[must_use]
    pub fn day(&self, at: Instant) -> String {
        at.display(self.zone).get(..10).unwrap_or("—").to_owned()
    }

    /// How long ago, in the largest unit that fits. What lies ahead counts as now.
    #[must_use]
    pub fn age(&self, at: Instant) -> String {
        let seconds = self.now.since(at) / SECOND_US;
        let (key, n) = match seconds {
            s if s < AGE_NOW_S => return self.t("counter-age-now"),
            s if s < 60 => ("counter-age-seconds", s),
            s if s < 3_600 => ("counter-age-minutes", s / 60),
            s if s < 86_400 => ("counter-age-hours", s / 3_600),
            s => ("counter-age-days", s / 86_400),
        };
        self.t1(key, "n", n.to_string())
    }

    /// The `lang` attribute of a page.
    #[must_use]
    pub fn lang(&self) -> &'static str {
        self.language.tag()
    }

    /// Whether the page is Chinese.
    #[must_use]
    pub fn is_zh(&self) -> bool {
        self.language == Language::Zh
    }
}
