//! Giving effect: a journal entry and the rows that it needs become the rows that it gives.
//!
//! One entry at a time, its facts in order of seq. A fact that arrives, a pin and an act only say which **matters** are
//! to be judged ([`matter`]); each is then judged from the whole set of its facts, and what its judgement changes is
//! posted as a difference ([`ledger`]). So verdicts follow the set of facts and never their arrival.
//!
//! Each part below owns one concern; all work on the same [`Work`], which carries the world along. What the world was
//! not given is named as a [`Need`], and the entry is applied again with it: nothing that a run with missing rows
//! gave is ever used.

mod act;
mod activity;
mod attendance;
mod batch;
mod birthdays;
mod blocked;
mod brought;
mod card;
mod cases;
mod catalogue;
mod clock;
mod coupons;
mod day;
mod details;
mod earn;
mod edge;
mod expiry;
mod fault;
mod forms;
mod goods;
mod held;
mod inbox;
mod issue;
mod joining;
mod lease;
mod leaving;
mod ledger;
mod levels;
mod limits;
mod matter;
mod member_day;
mod money;
mod office_day;
mod people;
mod points;
mod recovery;
mod redemption;
mod replace;
mod reversal;
mod review;
mod spend;
mod stand_in;
mod stays;
mod stock;
mod time;
mod told;
mod transfer;
mod value;

pub use act::verdict_code;
pub use batch::KIND_UNREADABLE;
pub use card::OwnerCase;
pub use coupons::COUPONS_JOB;
pub use day::{DayDifference, is_possible};
pub use earn::{KIND_APPROVAL, approval_case};
pub use edge::doubtful_case;
pub use expiry::{EXPIRY_JOB, Ends, lots, run_out};
pub use forms::{look_alike_case, profile_case};
pub use held::unknown_card_case;
pub use issue::CARD_CHANGE_JOB;
pub use lease::{LeaseCase, lease_case};
pub use leaving::message_id;
pub use levels::LEVELS_JOB;
pub use member_day::{RANKING_JOB, ROUND_UP_JOB};
pub use people::orphan_case;
pub use reversal::{ReversalCase, reversal_case};
pub use review::review_case;
pub use stays::{StayEnd, StaysCase, path_case};
pub use stock::explains;
pub use time::late_case;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::Actor;
use hufu_shared::ids::{CardId, DeviceId, FactId, Hash, MemberId, OfficeId};
use hufu_shared::time::{Day, Instant, OfficeClock};
use hufu_shared::wire::upload::{Became, Disposition};

use self::matter::Matter;
use super::entry::{Entry, EntryBody};
use super::need::Need;
use super::outcome::{FactRow, NoticeRow, Outcome};
use super::world::{KnownFact, Standing, World};

/// Newest version of the rules of applying that this program has: the journal goes on by the version that its newest
/// [`hufu_shared::act::ApplyVersionSet`] names.
pub const APPLY_VERSION: u32 = 1;
/// Oldest version that it still has: as long as a replay base of it may be the newest one of some club.
pub const OLDEST_APPLY_VERSION: u32 = 1;

/// Applies an entry to the world that it was given. Never fails: what cannot have an effect is held, set aside or
/// turned into a case.
///
/// # Errors
/// What the world must hold besides; nothing else may be concluded from that run. Nothing at all if the rules came to no
/// end ([`matter::JUDGED_MAX`]).
pub fn apply(world: &World, entry: &Entry) -> Result<Outcome, BTreeSet<Need>> {
    let mut work = Work::new(world.clone(), entry.received);
    match &entry.body {
        EntryBody::Batch(batch) => work.batch(batch),
        EntryBody::Act(taken) if work.may_act(&taken.actor) => work.act(taken),
        EntryBody::Act(_) => {}
        EntryBody::Fork(fork) => work.fork(fork),
        EntryBody::Lost(loss) => work.loss(loss),
        EntryBody::Sample(taken) => work.sample(taken),
    }
    work.judge_all();
    work.withdraw_leavings();
    work.finish()
}

/// An entry being applied.
struct Work {
    world: World,
    outcome: Outcome,
    received: Instant,
    /// What the world was not given.
    missing: RefCell<BTreeSet<Need>>,
    /// Matters to be judged.
    dirty: BTreeSet<Matter>,
    /// Facts that the entry brought.
    fresh: BTreeMap<FactId, FreshFact>,
    /// How facts stood before the entry, of those that it changed.
    before: BTreeMap<FactId, KnownFact>,
    /// The other side that a terminal is told of.
    others: BTreeMap<FactId, (OfficeId, Instant)>,
    /// Cases that changed.
    touched: BTreeSet<Hash>,
    /// The kind that was due for cards which ended with this entry: the card in their place is of it (K17).
    was_due: BTreeMap<CardId, String>,
    /// How many judgements there were.
    judged: u32,
    /// Whose act it is, if it is one.
    by: Option<Actor>,
}

/// What only the entry knows of a fact that it brought.
struct FreshFact {
    hash: Hash,
    body: Vec<u8>,
}

impl Work {
    fn new(world: World, received: Instant) -> Self {
        Self {
            world,
            outcome: Outcome::default(),
            received,
            missing: RefCell::default(),
            was_due: BTreeMap::new(),
            dirty: BTreeSet::new(),
            fresh: BTreeMap::new(),
            before: BTreeMap::new(),
            others: BTreeMap::new(),
            touched: BTreeSet::new(),
            judged: 0,
            by: None,
        }
    }

    /// Whether something was fetched; if not, it will be.
    fn has(&self, need: Need) -> bool {
        let has = self.world.fetched.contains(&need);
        if !has {
            self.missing.borrow_mut().insert(need);
        }
        has
    }

    /// A fact of this entry or of an earlier one.
    fn fact(&self, id: FactId) -> Option<&KnownFact> {
        let known = self.world.facts.get(&id);
        if known.is_none() {
            self.has(Need::Fact(id));
        }
        known
    }

    /// Changes a fact; the first state of one from an earlier entry is kept, to see in the end what changed.
    fn change(&mut self, id: FactId, change: impl FnOnce(&mut KnownFact)) {
        if self.fact(id).is_none() {
            return;
        }
        if let Some(known) = self.world.facts.get_mut(&id) {
            if !self.fresh.contains_key(&id) {
                self.before.entry(id).or_insert_with(|| known.clone());
            }
            change(known);
        }
    }

    /// Says how a fact stands, and whose it is if that is known.
    fn stand(&mut self, id: FactId, standing: Standing, member: Option<MemberId>) {
        let by_card = if standing.is_same(&Standing::PLAIN) { self.card_standing(id) } else { None };
        let standing = by_card.unwrap_or(standing);
        let is_owners = |standing: Standing| standing.kind == Some(card::KIND_OWNER);
        if !is_owners(standing) && self.fact(id).is_some_and(|known| is_owners(known.standing)) {
            self.leave_owner_case(id);
        }
        self.change(id, |known| {
            known.standing = standing;
            known.member = member.or(known.member);
        });
    }

    /// All facts with a link.
    fn linked(&self, link: Hash) -> BTreeSet<FactId> {
        self.has(Need::Linked(link));
        self.world.linked.get(&link).cloned().unwrap_or_default()
    }

    /// Stores that a fact is found again by a link.
    fn link(&mut self, link: Hash, id: FactId) {
        self.world.linked.entry(link).or_default().insert(id);
        self.outcome.links.insert((link, id));
    }

    /// The business day of an instant at an office.
    fn day(&self, office: OfficeId, at: Instant) -> Day {
        let default = OfficeClock::default();
        self.world.offices.get(&office).map_or(&default, |row| &row.clock).business_day(at)
    }

    fn next_notice(&mut self, device: DeviceId) -> u64 {
        self.has(Need::Device(device));
        let n = self.world.notices.entry(device).or_insert(0);
        *n += 1;
        *n
    }

    /// Gathers what the entry gave.
    fn finish(mut self) -> Result<Outcome, BTreeSet<Need>> {
        for (id, mut before) in std::mem::take(&mut self.before) {
            let Some(known) = self.world.facts.get(&id).cloned() else { continue };
            // Which case it is stands with the case, not with the fact.
            before.standing.case = known.standing.case;
            if known == before {
                continue;
            }
            if !known.standing.is_same(&before.standing) {
                self.notice(id, known.standing);
            }
            self.outcome.fact_changes.insert(id, known);
        }
        for id in std::mem::take(&mut self.touched) {
            if let Some(case) = self.world.cases.get(&id) {
                self.outcome.cases.insert(id, case.clone());
            }
        }
        for (id, fresh) in std::mem::take(&mut self.fresh) {
            if let Some(known) = self.world.facts.get(&id).cloned() {
                let told = told(known.standing, id.seq);
                self.outcome.facts.push(FactRow { id, hash: fresh.hash, body: fresh.body, known, told });
            }
        }
        let missing = self.missing.into_inner();
        let is_done = missing.is_empty() && self.judged <= matter::JUDGED_MAX;
        if is_done { Ok(self.outcome) } else { Err(missing) }
    }

    /// Tells the terminal of a fact that it stands differently now.
    fn notice(&mut self, fact: FactId, standing: Standing) {
        let other = self.others.get(&fact).copied();
        let other_office = other.and_then(|(office, _)| self.world.offices.get(&office));
        let other_office = other_office.map(|office| office.code.clone());
        let n = self.next_notice(fact.device);
        self.outcome.notices.push(NoticeRow {
            n,
            fact,
            became: standing.became,
            kind: standing.kind,
            case: standing.case,
            other_office,
            other_at: other.map(|(_, at)| at),
        });
    }
}

/// What the receipt says of a fact.
fn told(standing: Standing, seq: u64) -> Option<Disposition> {
    let is_plain = standing.became == Became::Applied && standing.kind.is_none();
    (!is_plain).then_some(Disposition {
        seq,
        became: standing.became,
        kind: standing.kind,
        case: standing.case,
    })
}
