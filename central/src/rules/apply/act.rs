//! Acts: what the centre did, given effect.

use hufu_shared::act::{Act, CaseDecided, DeviceEnrolled, DeviceInvited, JobRan, PinOutcome, Verdict};
use hufu_shared::chain;
use hufu_shared::ids::{DeviceId, Hash};
use hufu_shared::policy::Policy;
use hufu_shared::time::{Instant, OfficeClock};

use super::Work;
use super::coupons::COUPONS_JOB;
use super::expiry::EXPIRY_JOB;
use super::forms::{KIND_LOOK_ALIKE, KIND_PROFILE};
use super::held::KIND_UNKNOWN_CARD;
use super::member_day::{RANKING_JOB, ROUND_UP_JOB};
use crate::rules::entry::TakenAct;
use crate::rules::need::Need;
use crate::rules::world::{CaseState, DeviceStatus, KnownDevice, KnownEpoch};

impl Work {
    /// Gives effect to an act.
    pub(super) fn act(&mut self, taken: &TakenAct) {
        self.by = Some(taken.actor.clone());
        match &taken.act {
            Act::ClubFounded(founded) => self.outcome.club = Some(founded.clone()),
            Act::EpochBegun(epoch) => self.epoch_begun(*epoch),
            Act::OfficeSet(row) => self.outcome.offices.push(row.clone()),
            Act::OccurrenceSet(row) => self.occurrence_set(row),
            Act::SchemeSet(terms) => self.outcome.schemes.push(terms.clone()),
            Act::MembersSet(rows) => self.outcome.members.extend(rows.iter().cloned()),
            Act::CardsSet(rows) => rows.iter().for_each(|row| self.card_set(row)),
            Act::CardStatusSet(set) => self.card_status_set(set),
            Act::DeviceInvited(invited) => self.device_invited(invited),
            Act::DeviceEnrolled(enrolled) => self.device_enrolled(enrolled),
            Act::DeviceRenewed(key) => self.outcome.keys.push((key.device, key.epoch, key.key.clone())),
            Act::DeviceRevoked(ended) => self.set_status(ended.device, DeviceStatus::Revoked),
            Act::CaseDecided(decided) => self.case_decided(decided),
            Act::FactsReleased(released) => self.facts_released(released),
            Act::CasesEnded(ended) => ended.cases.iter().for_each(|case| self.case_ended(*case)),
            #[rustfmt::skip]
            Act::StockMoved(_) | Act::StockItemsSet(_) | Act::StockCounted(_) | Act::StockExplained(_) => self.act_of_stock(&taken.act),
            Act::CasesHanded(_) | Act::CasesPutOff(_) => self.act_of_inbox(&taken.act),
            Act::PointsExpired(run) => self.points_expired(run),
            #[rustfmt::skip]
            Act::LeaseSet(_) | Act::LeaseWrittenOff(_) | Act::LeasesReported(_) => self.act_of_lease(&taken.act),
            Act::RecoveryEnded(ended) => self.recovery_ended(ended),
            Act::ValueMoved(_) | Act::ValueFrozen(_) | Act::ValueCarried(_) => self.act_of_value(&taken.act),
            Act::MembersMerged(merged) => self.members_merged(merged),
            Act::MembersUnmerged(merged) => self.members_unmerged(merged),
            Act::MemberErased(erased) => self.member_erased(erased),
            Act::LookAlikesFound(found) => self.look_alikes_found(found),
            Act::ProfileSet(set) => self.profile_set(set),
            Act::DictionarySet(terms) => self.outcome.terms.extend(terms.iter().cloned()),
            Act::ApplicationFiled(filed) => self.application_filed(filed),
            Act::ApplicationDecided(decided) => self.application_decided(decided),
            Act::LeaveFiled(filed) => self.leave_filed(&taken.actor, filed),
            Act::LeaveDecided(decided) => self.leave_decided(decided),
            Act::MemberRestored(restored) => self.member_restored(restored),
            Act::MessagesTold(told) => self.messages_told(told),
            Act::MemberDetailSet(set) => self.member_detail_set(set),
            Act::FieldGroupSet(group) => self.field_group_set(group),
            Act::CustomSet(set) => self.custom_set(set),
            Act::AssociationDone(done) => self.association_done(done),
            Act::CarerSet(set) => self.carer_set(set),
            Act::DataOpened(opened) => self.data_opened(opened),
            Act::CardsIssued(issues) => self.cards_issued(issues),
            Act::CardExchanged(exchanged) => self.card_exchanged(exchanged),
            Act::CardsEnded(ended) => self.cards_ended(ended),
            Act::CardChangesDue(due) => self.card_changes_due(due),
            #[rustfmt::skip]
            Act::ActivityPlanned(_) | Act::ActivityDecided(_) | Act::OccurrenceEnded(_) | Act::SignedUp(_)
            | Act::ActivityCostSet(_) | Act::RemindersDue(_) => self.act_of_activity(&taken.act),
            Act::BalancesOpened(opened) => self.balances_opened(opened),
            Act::HistoryBrought(brought) => self.history_brought(brought),
            Act::DataExported(exported) => self.data_exported(exported),
            #[rustfmt::skip]
            Act::PointsChanged(_) | Act::PointsDecided(_) | Act::PointsTriggerSet(_) | Act::PurchasesDue(_)
            | Act::RedemptionPlanned(_) | Act::RedemptionStepped(_) | Act::RedemptionRun(_)
            | Act::ItemRedeemed(_) | Act::ItemDecided(_) | Act::ItemTakenBack(_) | Act::PointsTransferred(_)
            | Act::EventTold(_) | Act::EventTakenBack(_) => self.act_of_points(&taken.act),
            #[rustfmt::skip]
            Act::LevelsMoved(_) | Act::CouponsGiven(_) | Act::CouponUsed(_) | Act::BirthdayUsed(_) | Act::BirthdayTakenBack(_)
            | Act::PointsFilledUp(_) | Act::MembersRanked(_) | Act::RankingAwarded(_) => self.act_of_rights(&taken.act),
            Act::StandInNamed(_) | Act::StandInEnded(_) => self.act_of_stand_in(&taken.act, &taken.actor),
            Act::DaySettled(day) => self.day_settled(*day),
            Act::DayExplained(_) | Act::DaySigned(_) | Act::DayReopened(_) => self.act_of_day(&taken.act),
            Act::PolicySet(policy) => self.policy_set(policy),
            Act::JobRan(run) => self.job_ran(run),
            Act::ApplyVersionSet(set) => self.apply_version_set(set.version),
        }
    }

    /// Gives effect to an act about leases; one about something else has none here.
    fn act_of_lease(&mut self, act: &Act) {
        match act {
            Act::LeaseSet(set) => self.lease_set(set),
            Act::LeaseWrittenOff(ended) => self.lease_written_off(ended),
            Act::LeasesReported(reported) => self.leases_reported(reported),
            _ => {}
        }
    }

    /// Gives effect to an act about stored value; one about something else has none here.
    fn act_of_value(&mut self, act: &Act) {
        match act {
            Act::ValueMoved(moved) => self.value_moved(moved),
            Act::ValueFrozen(set) => self.value_frozen(set),
            Act::ValueCarried(carried) => self.value_carried(carried),
            _ => {}
        }
    }

    /// Gives effect to an act about stock; one about something else has none here.
    fn act_of_stock(&mut self, act: &Act) {
        match act {
            Act::StockMoved(moved) => self.stock_moved(moved),
            Act::StockItemsSet(items) => self.outcome.stock_items.extend(items.iter().cloned()),
            Act::StockCounted(counted) => self.stock_counted(counted),
            Act::StockExplained(explained) => self.stock_explained(explained),
            _ => {}
        }
    }

    /// Gives effect to an act about what a scheme gives by itself: levels, coupons, birthdays and what comes round; one
    /// about something else has none here.
    fn act_of_rights(&mut self, act: &Act) {
        match act {
            Act::LevelsMoved(moved) => self.levels_moved(moved),
            Act::CouponsGiven(given) => self.coupons_given(given),
            Act::CouponUsed(used) => self.coupon_used(used),
            Act::BirthdayUsed(used) => self.birthday_used(used),
            Act::BirthdayTakenBack(back) => self.birthday_taken_back(back),
            Act::PointsFilledUp(filled) => self.points_filled_up(filled),
            Act::MembersRanked(ranked) => self.members_ranked(ranked),
            Act::RankingAwarded(awarded) => self.ranking_awarded(awarded),
            _ => {}
        }
    }

    fn job_ran(&mut self, run: &JobRan) {
        self.outcome.jobs.insert(run.job.clone(), Some(run.day));
    }

    /// Limits and allowances change. Where points run out by another rule, all of them are reckoned anew.
    fn policy_set(&mut self, policy: &Policy) {
        let before = &self.world.policy;
        if (before.expiry, &before.zone) != (policy.expiry, &policy.zone) {
            self.outcome.jobs.insert(EXPIRY_JOB.to_owned(), None);
        }
        // Nobody was promised anything before the club gave it, nor for a day or a period that had passed without it.
        let clock = OfficeClock { zone: policy.zone.clone(), cutoff_minutes: 0 };
        let yesterday = clock.business_day(self.received).plus(-1);
        let member_day = |of: &Policy| of.round_up.as_ref().map(|rule| rule.day);
        let ranked = |of: &Policy| of.ranking.as_ref().map(|rule| rule.period);
        for (job, begins) in [
            (COUPONS_JOB, before.coupons.is_none() && policy.coupons.is_some()),
            (ROUND_UP_JOB, policy.round_up.is_some() && member_day(before) != member_day(policy)),
            (RANKING_JOB, policy.ranking.is_some() && ranked(before) != ranked(policy)),
        ] {
            if begins {
                self.outcome.jobs.insert(job.to_owned(), Some(yesterday));
            }
        }
        self.outcome.policy = Some(policy.clone());
    }

    fn device_invited(&mut self, invited: &DeviceInvited) {
        self.has(Need::Device(invited.device));
        let known = self.world.devices.entry(invited.device).or_insert(KnownDevice {
            office: invited.office,
            name: invited.name.clone(),
            status: DeviceStatus::Invited,
            epoch: 0,
            leases_frozen: false,
            reported_epoch: 0,
        });
        known.office = invited.office;
        known.name.clone_from(&invited.name);
        self.outcome.devices.insert(invited.device, known.clone());
    }

    /// From here on other rules may hold: whatever still waits for a person is judged by them, once. What is over
    /// stays as it was judged.
    fn apply_version_set(&mut self, version: u32) {
        self.outcome.apply_version = Some(version);
        self.has(Need::OpenCases);
        for id in self.world.open_cases.clone() {
            self.has(Need::Case(id));
            let facts = self.world.cases.get(&id).map(|case| case.facts.clone());
            facts.into_iter().flatten().for_each(|fact| self.rejudge(fact));
        }
    }

    /// A person stood behind the code that was used: a new epoch begins, with a chain of its own.
    fn device_enrolled(&mut self, enrolled: &DeviceEnrolled) {
        let (device, epoch) = (enrolled.key.device, enrolled.key.epoch);
        self.has(Need::Device(device));
        let Some(known) = self.world.devices.get_mut(&device) else { return };
        known.status = DeviceStatus::Active;
        known.epoch = epoch;
        known.leases_frozen = false;
        self.outcome.devices.insert(device, known.clone());
        self.outcome.keys.push((device, epoch, enrolled.key.key.clone()));
        self.outcome.epochs.insert((device, epoch), fresh_epoch(device, enrolled, self.received));
    }

    /// A person decided: what was fixed for single facts stands from here on, and their matters are judged again.
    fn case_decided(&mut self, decided: &CaseDecided) {
        self.has(Need::Case(decided.case));
        let received = self.received;
        let Some(case) = self.world.cases.get_mut(&decided.case) else { return };
        case.state = CaseState::Decided;
        case.verdict = Some(verdict_code(decided.verdict).to_owned());
        case.decided_on = Some(case.evidence());
        case.changed = received;
        let (kind, token, facts) = (case.kind, case.token, case.facts.clone());
        let field = case.member.zip(std::str::from_utf8(&case.detail).ok().map(str::to_owned));
        let unfreezes = case.device.filter(|_| FREEZING.contains(&case.kind));
        self.touched.insert(decided.case);
        if let Some(device) = unfreezes {
            self.freeze_leases(device, false);
        }
        if let (KIND_PROFILE, Some((member, field))) = (kind, field) {
            self.requests_dealt_with(member, &field, &decided.pins);
            return;
        }
        for pin in decided.pins.iter().filter(|pin| !pin.fact.is_filed()) {
            self.change(pin.fact, |known| match pin.outcome {
                PinOutcome::Counts => known.pin = Some(true),
                PinOutcome::DoesNotCount => known.pin = Some(false),
                PinOutcome::BelongsTo(member) => known.belongs_to = Some(member),
            });
            self.owner_changed(pin.fact);
            self.rejudge(pin.fact);
        }
        if kind == KIND_LOOK_ALIKE {
            facts.into_iter().for_each(|fact| self.rejudge(fact));
            self.alike_decided(decided);
        }
        if let (Verdict::Discard, KIND_UNKNOWN_CARD, Some(token)) = (decided.verdict, kind, token) {
            self.discard(token, decided.case);
        }
    }

    /// Ends a case whose time was up before this entry, whether or not the job has come by: what arrives after that meets
    /// what it would have met, had the job run in time.
    pub(super) fn end_if_over(&mut self, id: Hash) {
        self.has(Need::Case(id));
        let deadline = self.world.cases.get(&id).and_then(|case| case.deadline);
        if deadline.is_some_and(|deadline| deadline <= self.received) {
            self.case_ended(id);
        }
    }

    /// Nobody decided in time: what the automatic outcome left open ends without effect.
    fn case_ended(&mut self, id: Hash) {
        self.has(Need::Case(id));
        let Some(case) = self.world.cases.get(&id) else { return };
        let held = case.token.filter(|_| case.kind == KIND_UNKNOWN_CARD);
        if let (CaseState::Open | CaseState::EvidenceChanged, Some(token)) = (case.state, held) {
            self.discard(token, id);
        }
        self.close_case(id, "time_was_up");
    }
}

/// Kinds that freeze the leases of a device until a person decides.
const FREEZING: [u8; 3] = [5, 21, 22];

/// The first state of an enrolment.
fn fresh_epoch(device: DeviceId, enrolled: &DeviceEnrolled, received: Instant) -> KnownEpoch {
    KnownEpoch {
        first_key: enrolled.key.key.clone(),
        seal_key: enrolled.seal_key,
        board: enrolled.board,
        enrolled_at: received,
        acked_seq: 0,
        head: chain::start(device, enrolled.key.epoch, &enrolled.key.key),
        last_at: received,
    }
}

/// Codes of verdicts, in database and API.
const VERDICT_CODES: [(Verdict, &str); 6] = [
    (Verdict::Confirm, "confirm"),
    (Verdict::Reverse, "reverse"),
    (Verdict::Merge, "merge"),
    (Verdict::Bind, "bind"),
    (Verdict::Discard, "discard"),
    (Verdict::Acknowledge, "acknowledge"),
];

/// The code of a verdict.
#[must_use]
pub fn verdict_code(verdict: Verdict) -> &'static str {
    VERDICT_CODES.iter().find(|row| row.0 == verdict).map_or("acknowledge", |row| row.1)
}
