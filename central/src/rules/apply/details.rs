//! What the club keeps of members beside the base data, and the record of every edit (K13).
//!
//! Details are set whole and checked by the rule before they have an effect; the record says what was edited, by whom
//! and for which reason, and never what stood there. Out of scope: the values, which are sealed.

use hufu_shared::act::{Actor, CustomSet, MemberDetailSet};
use hufu_shared::ids::{Hash, MemberId};

use super::Work;
use crate::rules::joining::details::{self, Details};
use crate::rules::need::Need;
use crate::rules::outcome::Edit;
use crate::rules::world::KnownFiled;

/// An actor as the record of edits names them.
fn name_of(actor: &Actor) -> String {
    match actor {
        Actor::Job(name) => format!("job/{name}"),
        Actor::Admin(person) => format!("admin/{person}"),
        Actor::Command(name) => format!("command/{name}"),
        Actor::Device(device) => format!("device/{device}"),
    }
}

impl Work {
    /// Records that somebody edited something of a member.
    pub(super) fn edited(&mut self, member: MemberId, what: &str, reason: Option<Hash>) {
        let by = self.by.as_ref().map_or_else(String::new, name_of);
        self.outcome.edits.insert((member, what.to_owned()), Edit { by, reason });
    }

    fn keep_details(&mut self, member: MemberId, details: Details) {
        self.world.details.insert(member, details.clone());
        self.outcome.details.insert(member, details);
    }

    /// The details of a member were set.
    pub(super) fn member_detail_set(&mut self, set: &MemberDetailSet) {
        self.has(Need::Details(set.member));
        let before = self.world.details.get(&set.member).and_then(|known| known.representative);
        let is_known = self.member(set.member).is_some_and(|known| !known.erased);
        if !is_known || details::check(set, before).is_err() {
            return;
        }
        let details = Details {
            kind: set.kind.clone(),
            referrer: set.referrer,
            representative: set.representative,
            tags: set.tags.iter().cloned().collect(),
        };
        self.keep_details(set.member, details);
        self.edited(set.member, "details", Some(set.reason));
    }

    /// A member who joined by an application that was filed here is of the kind that it named, by whom it named.
    pub(super) fn details_of_filed(&mut self, member: MemberId, filed: &KnownFiled) {
        self.has(Need::Details(member));
        if self.world.details.contains_key(&member) {
            return;
        }
        let referrer = filed.referrer.filter(|referrer| *referrer != member);
        self.keep_details(member, Details { kind: filed.kind.clone(), referrer, ..Details::default() });
    }

    /// A member's fields of one of the club's own groups were filled in.
    pub(super) fn custom_set(&mut self, set: &CustomSet) {
        if self.member(set.member).is_none_or(|known| known.erased) {
            return;
        }
        self.outcome.customs.insert((set.member, set.group.clone()), set.values);
        self.edited(set.member, &format!("group/{}", set.group), Some(set.reason));
    }
}
