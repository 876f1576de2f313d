//! What the club keeps of members beside the base data, and the record of every edit (K13).
//!
//! Details are set whole and checked by the rule before they have an effect; the record says what was edited, by whom
//! and for which reason, and names what stood there before and after by a code or by the commitment under which it is
//! sealed. A group of fields that cannot be set up so, and fields of a group that is not there, have no effect.
//! Out of scope: the values, which are sealed.

use hufu_shared::act::{CarerSet, CustomSet, DataOpened, FieldGroup, MemberDetailSet};
use hufu_shared::ids::{Hash, MemberId, OfficeId};

use super::Work;
use crate::rules::joining::details::{self, Details};
use crate::rules::need::Need;
use crate::rules::outcome::Edit;
use crate::rules::world::{KnownFiled, Whose};

impl Work {
    /// Records that somebody edited something of a member.
    pub(super) fn edited(&mut self, member: MemberId, what: &str, reason: Option<Hash>) {
        self.edited_from(member, what, reason, (None, None));
    }

    /// As [`Work::edited`], with what stood there before and after.
    pub(super) fn edited_from(
        &mut self,
        member: MemberId,
        what: &str,
        reason: Option<Hash>,
        (before, after): (Option<String>, Option<String>),
    ) {
        let by = self.by_name();
        self.outcome.edits.insert((member, what.to_owned()), Edit { by, reason, before, after });
    }

    /// Whose act it is, as the record of edits names them.
    pub(super) fn by_name(&self) -> String {
        self.by.as_ref().map_or_else(String::new, ToString::to_string)
    }

    /// Whether whose act it is did what stands under this name, or acts in the place of who did.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.by.as_ref().is_some_and(|by| by.owns(name))
    }

    fn keep_details(&mut self, member: MemberId, details: Details) {
        self.world.details.insert(member, details.clone());
        self.outcome.details.insert(member, details);
    }

    /// The details of a member were set.
    pub(super) fn member_detail_set(&mut self, set: &MemberDetailSet) {
        self.has(Need::Details(set.member));
        let before = self.world.details.get(&set.member).cloned().unwrap_or_default();
        let is_known = self.member(set.member).is_some_and(|known| !known.erased);
        if !is_known || details::check(set, before.representative).is_err() {
            return;
        }
        let details = Details {
            kind: set.kind.clone(),
            referrer: set.referrer,
            representative: set.representative,
            tags: set.tags,
            carer: before.carer,
        };
        for ((what, was), (_, is)) in said(&before).into_iter().zip(said(&details)) {
            if was != is {
                self.edited_from(set.member, what, Some(set.reason), (was, is));
            }
        }
        if before.kind != details.kind {
            self.turn_kind(set.member, &details.kind);
        }
        self.keep_details(set.member, details);
    }

    /// From now on a member is of another kind. What was done before stays with the versions for the kind of that time.
    pub(super) fn turn_kind(&mut self, member: MemberId, kind: &str) {
        if self.world.asks_kinds() {
            self.has(Need::Kinds(member));
            let kinds = self.world.kinds.entry(member).or_default();
            kinds.turns.push((self.received, kind.to_owned()));
        }
    }

    /// Of an office and a member, as a version of the scheme is asked for.
    pub(super) fn whose(&self, office: OfficeId, member: MemberId) -> Whose<'_> {
        if self.world.asks_kinds() {
            self.has(Need::Kinds(member));
        }
        self.world.whose(office, member)
    }

    /// A member who joined by an application that was filed here is of the kind that it named, by whom it named.
    pub(super) fn details_of_filed(&mut self, member: MemberId, filed: &KnownFiled) {
        self.has(Need::Details(member));
        if self.world.details.contains_key(&member) {
            return;
        }
        if self.world.asks_kinds() {
            // Joined as one of this kind, so it counts for what is waiting for its member, too.
            self.has(Need::Kinds(member));
            self.world.kinds.entry(member).or_default().first.clone_from(&filed.kind);
        }
        let referrer = filed.referrer.filter(|referrer| *referrer != member);
        self.keep_details(
            member,
            Details { kind: filed.kind.clone(), referrer, carer: filed.carer, ..Details::default() },
        );
    }

    /// Somebody else cares for a member.
    pub(super) fn member_carer_set(&mut self, member: MemberId, set: &CarerSet) {
        self.has(Need::Details(member));
        if self.member(member).is_none_or(|known| known.erased) {
            return;
        }
        let mut details = self.world.details.get(&member).cloned().unwrap_or_default();
        let before = details.carer.replace(set.carer).map(|carer| carer.to_string());
        self.keep_details(member, details);
        let after = Some(set.carer.to_string());
        self.edited_from(member, "carer", Some(set.reason), (before, after));
    }

    /// A group of the club's own fields was set up, or set up anew.
    pub(super) fn field_group_set(&mut self, group: &FieldGroup) {
        self.has(Need::FieldGroups);
        let before = self.world.field_groups.get(&group.code);
        let Ok(group) = details::succeed(before, group) else { return };
        self.world.field_groups.insert(group.code.clone(), group.clone());
        self.outcome.field_groups.push(group);
    }

    /// A member's fields of one of the club's own groups were filled in.
    pub(super) fn custom_set(&mut self, set: &CustomSet) {
        self.has(Need::FieldGroups);
        let can_fill = self.world.field_groups.get(&set.group).is_some_and(|group| !group.retired);
        if !can_fill || self.member(set.member).is_none_or(|known| known.erased) {
            return;
        }
        self.has(Need::Customs(set.member));
        let key = (set.member, set.group.clone());
        let before = self.world.customs.insert(key.clone(), set.values).map(|values| values.to_string());
        self.outcome.customs.insert(key, set.values);
        let after = Some(set.values.to_string());
        self.edited_from(set.member, &format!("group/{}", set.group), Some(set.reason), (before, after));
    }

    /// A person read what is protected: that stands in the record as an edit does.
    pub(super) fn data_opened(&mut self, opened: &DataOpened) {
        if self.member(opened.member).is_some_and(|known| !known.erased) {
            self.edited(opened.member, &format!("opened/{}", opened.what), Some(opened.reason));
        }
    }
}

/// What details say, line by line, as the record of edits names it.
fn said(details: &Details) -> [(&'static str, Option<String>); 4] {
    let kind = Some(details.kind.clone()).filter(|kind| !kind.is_empty());
    [
        ("kind", kind),
        ("referrer", details.referrer.map(|member| member.to_string())),
        ("representative", details.representative.map(|hash| hash.to_string())),
        ("tags", details.tags.map(|hash| hash.to_string())),
    ]
}
