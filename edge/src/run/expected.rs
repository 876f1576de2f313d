//! Who is expected at today's activities: the centre's list, as far as this terminal's directory knows its members.
//!
//! It is read when somebody looks at it and at no other time. Out of scope: who was seen at other terminals.

use hufu_shared::ids::OccurrenceId;
use hufu_shared::member::OccurrenceRow;

use super::dispatch::Dispatch;
use crate::counter::desk::{EXPECTED_SHOWN_MAX, ExpectedGuest, ExpectedView};
use crate::counter::port::Declined;
use crate::store::StoreError;

impl Dispatch {
    /// Who is expected at each of some activities.
    pub(super) fn read_expected(&self, of: &[OccurrenceId]) -> Result<Vec<ExpectedView>, Declined> {
        let small = self.core.directory().small();
        let each = of.iter().map(|id| {
            small.occurrence(*id).map_or_else(|| Ok(ExpectedView::default()), |row| self.expected(row))
        });
        each.collect::<Result<_, _>>().map_err(|error: StoreError| {
            tracing::error!(%error, "who is expected cannot be told");
            Declined::Unable
        })
    }

    fn expected(&self, row: &OccurrenceRow) -> Result<ExpectedView, StoreError> {
        let mut guests = Vec::with_capacity(row.guests.len());
        for guest in &row.guests {
            let attended =
                |who: &[u8]| self.core.store().with(|journal| journal.attended(row.occurrence, who));
            let arrived = attended(&guest.member.0)?.is_some();
            // Joined after this terminal's directory came: counted, and named once it knows them.
            let member = self.core.directory().member(guest.member)?;
            let (name, level) =
                member.map_or((None, None), |member| (member.full_name.or(member.masked_name), member.level));
            let companions = row.announced(guest.member);
            guests.push(ExpectedGuest { name, level, birthday: guest.birthday, arrived, companions });
        }
        let count = |is: fn(&ExpectedGuest) -> bool| guests.iter().filter(|guest| is(guest)).count();
        let (listed, arrived) = (guests.len(), count(|guest| guest.arrived));
        let birthdays = count(|guest| guest.birthday);
        guests.sort_by(|a, b| {
            (!a.birthday, a.arrived, a.name.is_none(), &a.name).cmp(&(
                !b.birthday,
                b.arrived,
                b.name.is_none(),
                &b.name,
            ))
        });
        guests.truncate(EXPECTED_SHOWN_MAX);
        Ok(ExpectedView { listed, arrived, birthdays, guests })
    }
}
