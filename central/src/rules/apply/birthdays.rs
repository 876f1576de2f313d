//! The birthday's discount used and taken back (S9), each use once by its name.
//!
//! Out of scope: the day of birth and what must be shown, which the shell asks before ([`crate::store::birthdays`]).

use hufu_shared::act::{BirthdayTakenBack, BirthdayUsed};
use hufu_shared::ids::MemberId;

use super::Work;
use crate::rules::birthdays::{KnownBirthday, used_in_year};
use crate::rules::need::Need;

impl Work {
    fn keep_birthday(&mut self, known: KnownBirthday) {
        self.world.birthdays.insert(known.id, known.clone());
        self.outcome.birthdays.insert(known.id, known);
    }

    /// Uses of a member, and of those who turned out to be the same.
    fn birthdays_of(&self, member: MemberId) -> Vec<KnownBirthday> {
        self.has(Need::BirthdaysOf(member));
        let own = self.world.birthdays_of.get(&member).into_iter().flatten();
        own.filter_map(|id| self.world.birthdays.get(id)).cloned().collect()
    }

    /// A birthday's discount was used. Beyond what the scheme gives in a year it has no effect, whatever a shell overlooked.
    pub(super) fn birthday_used(&mut self, used: &BirthdayUsed) {
        self.has(Need::Birthday(used.id));
        let member = self.survivor(used.member);
        if self.world.birthdays.contains_key(&used.id) || !self.stands_alone(member) {
            return;
        }
        let terms = self.world.scheme_at(self.whose(used.office, member), self.received);
        let bills = terms.map(|terms| (terms.version, terms.bills()));
        let Some((scheme, bills)) = bills else { return };
        let most = bills.birthday_discount().map_or(0, |rule| usize::from(rule.max_per_year));
        let day = self.day(used.office, self.received);
        if used_in_year(&self.birthdays_of(member), day) >= most {
            return;
        }
        let (at, by) = (self.received, self.by_name());
        let (id, office, slip) = (used.id, used.office, used.slip.clone());
        self.keep_birthday(KnownBirthday { id, member, office, day, at, slip, scheme, by, taken_back: None });
        self.edited_from(member, "birthday_used", Some(used.reason), (None, None));
    }

    /// A use was taken back, once.
    pub(super) fn birthday_taken_back(&mut self, back: &BirthdayTakenBack) {
        self.has(Need::Birthday(back.id));
        let known = self.world.birthdays.get(&back.id).filter(|known| known.taken_back.is_none());
        let Some(known) = known.cloned() else { return };
        let (member, taken_back) = (known.member, Some((self.received, self.by_name())));
        self.keep_birthday(KnownBirthday { taken_back, ..known });
        self.edited_from(member, "birthday_taken_back", Some(back.reason), (None, None));
    }
}
