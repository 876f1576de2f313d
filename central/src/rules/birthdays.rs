//! Uses of the birthday's discount (S9): what stands in the books of each, and which of them count.
//!
//! A use is one time of a year's few, so it is judged and kept at the centre alone. The books hold no day of birth: that is
//! asked of the vault when a use is judged ([`hufu_shared::rules::birthday`]). One that was taken back counts no more, and
//! stays to be seen. Out of scope: what the discount takes off ([`hufu_shared::rules::till`]).

use hufu_shared::ids::{Hash, MemberId, OfficeId};
use hufu_shared::rules::calendar;
use hufu_shared::time::{Day, Instant};

/// A use in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBirthday {
    /// Its name.
    pub id: Hash,
    /// Whose it was when it was used.
    pub member: MemberId,
    /// Where.
    pub office: OfficeId,
    /// The business day there.
    pub day: Day,
    /// When it was taken.
    pub at: Instant,
    /// Number of the sales slip.
    pub slip: String,
    /// Version of the scheme that gave it.
    pub scheme: u32,
    /// Who entered it, as the journal names people.
    pub by: String,
    /// Since when it counts no more, and who took it back.
    pub taken_back: Option<(Instant, String)>,
}

/// The days of the uses that count.
#[must_use]
pub fn used_on(uses: &[KnownBirthday]) -> Vec<Day> {
    uses.iter().filter(|known| known.taken_back.is_none()).map(|known| known.day).collect()
}

/// How many uses count in the year of a day.
#[must_use]
pub fn used_in_year(uses: &[KnownBirthday], day: Day) -> usize {
    let year = calendar::year_of(day);
    used_on(uses).iter().filter(|used| calendar::year_of(**used) == year).count()
}

/// First and last day of a month such as `2026-12`; none if it is no month.
#[must_use]
pub fn month(text: &str) -> Option<(Day, Day)> {
    let first: Day = Some(format!("{text}-01")).filter(|_| text.len() == "2026-12".len())?.parse().ok()?;
    Some((first, calendar::months_after(first, 1)?.plus(-1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(on: &str, taken_back: bool) -> KnownBirthday {
        KnownBirthday {
            id: Hash([1; 32]),
            member: MemberId([1; 16]),
            office: OfficeId([1; 16]),
            day: on.parse().expect("test day"),
            at: Instant(0),
            slip: "17".to_owned(),
            scheme: 1,
            by: "admin/1".to_owned(),
            taken_back: taken_back.then(|| (Instant(1), "admin/2".to_owned())),
        }
    }

    #[test]
    fn rule_s09_a_use_counts_in_its_calendar_year_until_it_is_taken_back() {
        let uses = [used("2025-12-31", false), used("2026-01-01", false), used("2026-12-31", true)];
        let day = |text: &str| text.parse().expect("test day");
        assert_eq!(used_in_year(&uses, day("2026-06-01")), 1);
        assert_eq!(used_in_year(&uses, day("2025-01-01")), 1);
        assert_eq!(used_in_year(&uses, day("2027-01-01")), 0);
        assert_eq!(used_on(&uses), [day("2025-12-31"), day("2026-01-01")]);
    }

    #[test]
    fn a_month_is_written_with_its_year() {
        let told = |text| month(text).map(|(first, last)| format!("{first} {last}"));
        assert_eq!(told("2026-12").as_deref(), Some("2026-12-01 2026-12-31"));
        assert_eq!(told("2024-02").as_deref(), Some("2024-02-01 2024-02-29"));
        for wrong in ["", "2026", "2026-13", "2026-1", "2026-12-01", "moon-01"] {
            assert_eq!(month(wrong), None, "{wrong}");
        }
    }
}
