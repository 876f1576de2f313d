//! Acts: what the centre did, given effect.

use hufu_shared::act::{
    Act, CardSet, CardStatusSet, CaseDecided, DeviceEnrolled, DeviceInvited, PinOutcome, Verdict,
};
use hufu_shared::chain;
use hufu_shared::ids::{DeviceId, Hash, MemberId};
use hufu_shared::time::Instant;

use super::{Standing, Told, Work};
use crate::rules::entry::TakenAct;
use crate::rules::outcome::FactChange;
use crate::rules::world::{CaseState, DeviceStatus, KnownCard, KnownCase, KnownDevice, KnownEpoch};

impl Work {
    /// Gives effect to an act.
    pub(super) fn act(&mut self, taken: &TakenAct) {
        match &taken.act {
            Act::ClubFounded(founded) => self.outcome.club = Some(founded.clone()),
            Act::EpochBegun(epoch) => self.outcome.central_epoch = Some(*epoch),
            Act::OfficeSet(row) => self.outcome.offices.push(row.clone()),
            Act::OccurrenceSet(row) => self.outcome.occurrences.push(row.clone()),
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
            // Nothing rests on these alone yet: they mark a place in the journal.
            _ => {}
        }
    }

    /// A card was registered: what was held for it takes effect.
    fn card_set(&mut self, row: &CardSet) {
        let known = KnownCard { card: row.card, member: row.member, status: row.status };
        for token in &row.tokens {
            self.world.cards.insert(*token, known.clone());
        }
        self.outcome.cards.push(row.clone());
        if let Some(member) = row.member {
            for token in &row.tokens {
                self.release(*token, member);
            }
        }
    }

    fn card_status_set(&mut self, set: &CardStatusSet) {
        if let Some(card) = self.world.cards_by_id.get(&set.card)
            && card.status != set.status
        {
            self.outcome.card_statuses.push((set.card, set.status));
        }
    }

    fn device_invited(&mut self, invited: &DeviceInvited) {
        let known = self.world.devices.entry(invited.device).or_insert(KnownDevice {
            office: invited.office,
            name: invited.name.clone(),
            status: DeviceStatus::Invited,
            epoch: 0,
        });
        known.office = invited.office;
        known.name.clone_from(&invited.name);
        self.outcome.devices.insert(invited.device, known.clone());
    }

    /// A person stood behind the code that was used: a new epoch begins, with a chain of its own.
    fn device_enrolled(&mut self, enrolled: &DeviceEnrolled) {
        let (device, epoch) = (enrolled.key.device, enrolled.key.epoch);
        let Some(known) = self.world.devices.get_mut(&device) else { return };
        known.status = DeviceStatus::Active;
        known.epoch = epoch;
        self.outcome.devices.insert(device, known.clone());
        self.outcome.keys.push((device, epoch, enrolled.key.key.clone()));
        self.outcome.epochs.insert((device, epoch), fresh_epoch(device, enrolled, self.received));
    }

    fn case_decided(&mut self, decided: &CaseDecided) {
        let Some(case) = self.world.cases.get(&decided.case).cloned() else { return };
        let mut changed = case.clone();
        changed.state = CaseState::Decided;
        changed.verdict = Some(verdict_code(decided.verdict).to_owned());
        changed.changed = self.received;
        self.world.cases.insert(decided.case, changed);
        self.touched.insert(decided.case);
        self.pin(decided, &case);
        if let (Verdict::Discard, Some(token)) = (decided.verdict, case.token) {
            self.discard(token, decided.case);
        }
    }

    /// Fixes what a person decided for single facts, then judges their group again.
    fn pin(&mut self, decided: &CaseDecided, case: &KnownCase) {
        let (Some(member), Some(occurrence)) = (case.member, case.occurrence) else { return };
        let Some(row) = self.world.occurrences.get(&occurrence).cloned() else { return };
        let Some(group) = self.world.groups.get_mut(&(member, occurrence)) else { return };
        for pin in &decided.pins {
            let counts = match pin.outcome {
                PinOutcome::Counts => true,
                PinOutcome::DoesNotCount => false,
                PinOutcome::BelongsTo(_) => continue,
            };
            if let Some(fact) = group.facts.iter_mut().find(|fact| fact.id == pin.fact) {
                fact.pin = Some(counts);
                let change =
                    FactChange { became: fact.became, kind: None, member: Some(member), pin: Some(counts) };
                self.outcome.fact_changes.insert(pin.fact, change);
            }
        }
        self.judge_decided(member, &row, decided.case);
    }

    /// Judges a group whose case was just decided: a person has seen it, so it does not come back as changed.
    fn judge_decided(&mut self, member: MemberId, row: &hufu_shared::member::OccurrenceRow, case: Hash) {
        let scheme = self.world.schemes.keys().next_back().copied().unwrap_or(0);
        self.judge(member, row, scheme);
        // Facts that a pin touched but whose standing stayed keep their kind.
        let group = self.world.groups.get(&(member, row.occurrence)).cloned().unwrap_or_default();
        for fact in &group.facts {
            if let Some(change) = self.outcome.fact_changes.get_mut(&fact.id)
                && change.kind.is_none()
                && fact.kind.is_some()
            {
                let standing = Standing {
                    became: fact.became,
                    kind: Some(super::attendance::KIND_TWO_TERMINALS),
                    case: Some(case),
                };
                self.stand(fact.id, standing, Some(member), Told::default());
            }
        }
    }
}

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

/// The verdict of a code.
#[must_use]
pub fn verdict_from_code(code: &str) -> Option<Verdict> {
    VERDICT_CODES.iter().find(|row| row.1 == code).map(|row| row.0)
}
