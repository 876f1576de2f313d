//! What the cases of all rules are written with.

pub use hufu_shared::money::{Amount, AmountOverflow};
pub use hufu_shared::policy::{ExpiryMode, Period, Policy};
pub use hufu_shared::rules::whatif::{self, Event, History, Member, Outcome, What};
pub use hufu_shared::scheme::bill::*;
pub use hufu_shared::scheme::bonus::*;
pub use hufu_shared::scheme::earning::*;
pub use hufu_shared::scheme::level::*;
pub use hufu_shared::scheme::redemption::*;
pub use hufu_shared::scheme::start::*;
pub use hufu_shared::scheme::{EarnRate, Scheme, SchemeTerms, Words};
pub use hufu_shared::time::Day;

/// The day of a text such as `2026-11-23`.
pub fn day(text: &str) -> Day {
    text.parse().expect("test day")
}

/// A scheme as it is shipped, by its letter.
pub fn ready(letter: &str) -> Scheme {
    let ready = hufu_shared::scheme::ready::find(letter).expect("it is shipped");
    toml::from_str(ready.text).unwrap_or_else(|error| panic!("{}: {error}", ready.id))
}

/// A member who joined on a day and got the first card then.
pub fn joined(on: &str) -> History {
    let member = Member {
        joined: day(on),
        born: Some(day("1988-02-29")),
        kind: String::new(),
        office_group: String::new(),
        is_organisation: false,
        is_staff: false,
    };
    History { member, events: vec![Event::new(day(on), What::Card)] }
}

/// A purchase with a slip of the same name as its day and price.
pub fn purchase(on: &str, fen: i64) -> Event {
    Event { fen, slip: format!("{on}/{fen}"), ..Event::new(day(on), What::Purchase) }
}

/// What a member has at the end of a day.
pub fn at(scheme: &Scheme, history: &History, on: &str) -> Outcome {
    whatif::reckon(std::slice::from_ref(scheme), history, day(on)).expect("a whole history")
}

/// The keys of a day's lines, in order.
pub fn keys(outcome: &Outcome, on: &str) -> Vec<&'static str> {
    outcome.lines.iter().filter(|line| line.day == day(on)).map(|line| line.key).collect()
}
