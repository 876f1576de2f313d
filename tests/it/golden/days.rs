//! One act of each kind about the close of an office's day, with every optional field filled.

use hufu_shared::act::{Act, DayExplained, DayFigures, DayMatter, DayReopened, DaySigned};
use hufu_shared::ids::{DeviceId, Hash, OfficeId};
use hufu_shared::money::Amount;
use hufu_shared::time::Day;

const OFFICE: OfficeId = OfficeId([0x22; 16]);
const TODAY: Day = Day(20_779);

/// An act of every kind about the close of an office's day.
pub fn acts() -> Vec<Act> {
    let figures = DayFigures {
        expected: 4,
        reported: 2,
        missing: 1,
        facts: 1_280,
        open_cases: 3,
        promised: Amount(960),
        posted: Amount(950),
        unexplained: Amount(10),
        cash_net: Amount(-12_345),
    };
    vec![
        Act::DayExplained(DayExplained {
            office: OFFICE,
            day: TODAY,
            difference: Hash([0x21; 32]),
            matter: DayMatter::Drawer,
            device: Some(DeviceId([0x11; 16])),
            reason: Hash([0x22; 32]),
        }),
        Act::DaySigned(DaySigned { office: OFFICE, day: TODAY, seen: Hash([0x23; 32]), figures }),
        Act::DayReopened(DayReopened { office: OFFICE, day: TODAY, reason: Hash([0x24; 32]) }),
    ]
}
