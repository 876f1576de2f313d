//! What the cases of all rules are written with.

pub use hufu_shared::money::{Amount, AmountOverflow};
pub use hufu_shared::policy::{ExpiryMode, Period, Policy};
pub use hufu_shared::scheme::bill::*;
pub use hufu_shared::scheme::bonus::*;
pub use hufu_shared::scheme::earning::*;
pub use hufu_shared::scheme::level::*;
pub use hufu_shared::scheme::redemption::*;
pub use hufu_shared::scheme::start::*;
pub use hufu_shared::scheme::{EarnRate, Scheme, Words};
pub use hufu_shared::time::Day;

/// The day of a text such as `2026-11-23`.
pub fn day(text: &str) -> Day {
    text.parse().expect("test day")
}
