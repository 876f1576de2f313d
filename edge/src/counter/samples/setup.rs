//! The set-up check as a page shows it.

use hufu_shared::time::MINUTE_US;

use super::NOW;
use crate::counter::setup::{SetupPart, SetupView};
use crate::rules::setup::{Part, Tried, standing};

/// The set-up check half-way: two parts work, one does not, one is untried, and there is no printer.
pub(super) fn half_tried() -> SetupView {
    let part = |part: Part, there: Option<&str>, tried: Option<(bool, &str, &str)>| {
        let there = there.map(str::to_owned);
        let tried = tried.map(|(worked, met, detail)| Tried {
            part,
            at: NOW.offset(-30 * MINUTE_US),
            worked,
            there: there.clone().unwrap_or_default(),
            met: met.to_owned(),
            detail: detail.to_owned(),
        });
        SetupPart { part, standing: standing(there.as_deref(), tried.as_ref(), NOW), there, tried }
    };
    let parts = vec![
        part(Part::Central, Some("https://centre.example:7443"), Some((true, "answered", "12"))),
        part(Part::Reader, Some("ACS ACR122U"), Some((true, "read", "ACS ACR122U\tuid\t2B91"))),
        part(Part::Display, Some("ssd1306"), None),
        part(Part::Sound, Some("70"), Some((false, "unheard", ""))),
        part(Part::Printer, None, None),
    ];
    SetupView { parts, doing: None }
}
