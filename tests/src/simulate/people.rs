//! What admins do about people and goods: one person under two members, an erasure, a card that changes hands, goods that
//! come in, value moved at the centre, points that run out, facts let out of review, and verdicts on what counts.
//!
//! They choose by chance among what there is. The books keep what each of it may mean for a member's figure.

use hufu_central::jobs;
use hufu_central::rules::jobs::Job;
use hufu_shared::act::{
    Act, CaseDecided, FactsReleased, MemberErased, MembersMerged, Pin, PinOutcome, PointsExpired, StockEnd,
    StockMoved, ValueEnd, ValueMoved, Verdict,
};
use hufu_shared::ids::{FactId, Hash, MemberId, OperatorId};
use hufu_shared::member::CardStatus;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::{EarnCap, ExpiryMode, FixedCutoff, MonthDay, Period, Policy, UseLimit, UseOf};
use hufu_shared::time::Day;

use super::block_on;
use super::club::{self, OFFICES};
use super::reckon::Rate;
use super::run::{Run, What};
use super::time::{DAY, FIRST_DAY, HOUR};
use super::value::{ITEMS, item};

/// Times that an admin looks after people and goods on one day.
const CLERK_PER_DAY: usize = 8;
/// Members among whom most of it happens, as most swipes do.
const HOT: usize = 12;
/// Points for each step by the scheme that the club was founded with.
const FIRST_RATE: i64 = 2;
/// Erasures of one run at most: an erased member says nothing any more.
const ERASED_MAX: usize = 2;
/// Kinds whose verdict is a pin on each fact, or none (console: let stand, take back).
const PINNED_KINDS: [i64; 9] = [4, 14, 16, 17, 23, 31, 32, 34, 40];

impl Run<'_> {
    /// The rules of this run's club, each of them on in some runs, and its first goods.
    ///
    /// # Errors
    /// If the centre refuses.
    pub fn found_policy(&mut self) -> anyhow::Result<()> {
        let mut policy = Policy::default();
        if self.random.chance(400) {
            let most = Amount(self.random.between(20, 120));
            let (events, offices) = (Vec::new(), Vec::new());
            policy.earn_caps.push(EarnCap { unit: Unit::Pts, period: Period::Month, most, events, offices });
        }
        if self.random.chance(350) {
            policy.issue.points_per_day = Amount(self.random.between(60, 300));
            policy.issue.points_per_fact = Amount(self.random.between(20, 120));
            policy.issue.top_up_per_day = Amount(self.random.between(30, 90) * 1_000);
            policy.issue.top_up_per_fact = Amount(self.random.between(15, 40) * 1_000);
        }
        if self.random.chance(600) {
            let of_item = UseOf::Item(item(self.random.index(ITEMS)));
            policy.use_limits.push(UseLimit { of: of_item, period: Period::Month, most: Amount(1) });
            let most = Amount(self.random.between(3, 40));
            policy.use_limits.push(UseLimit { of: UseOf::Unit(Unit::Pts), period: Period::Day, most });
        }
        if self.random.chance(250) {
            // What was earned on the first day runs out at the end of it, or of the second.
            let clear_at = MonthDay { month: 11, day: 22 + u8::from(self.random.chance(500)) };
            let earned_until = MonthDay { month: 11, day: 22 };
            let cutoff = FixedCutoff { earned_until, clear_at, first_year_grace: false };
            policy.expiry = ExpiryMode::FixedCutoff(cutoff);
        }
        if self.random.chance(300) {
            policy.lease.ttl_s = self.random.between(4, 30).unsigned_abs() * 3_600;
        }
        self.books.rates.push(Rate { version: 1, from: 0, points: FIRST_RATE });
        self.books.policy = policy.clone();
        self.centre.act(Act::PolicySet(Box::new(policy)))?;
        for n in 0..ITEMS * OFFICES {
            if self.random.chance(600) {
                let pieces = self.random.between(0, 3);
                self.move_stock(n / OFFICES, n % OFFICES, pieces)?;
            }
        }
        Ok(())
    }

    /// Plans what admins do about people and goods on a day that begins `at`.
    pub fn plan_people(&mut self, at: i64) {
        for _ in 0..CLERK_PER_DAY {
            let when = self.random.between(9 * HOUR, 23 * HOUR);
            self.after(at + when, What::Clerk);
        }
    }

    /// An admin does something about people or goods.
    ///
    /// # Errors
    /// If the centre refuses.
    pub fn clerk(&mut self) -> anyhow::Result<()> {
        if self.is_centre_down {
            return Ok(());
        }
        match self.random.below(100) {
            0..=37 => self.decide_pinned()?,
            38..=47 => self.merge()?,
            48..=53 => self.unmerge()?,
            54..=57 => self.erase()?,
            58..=67 => self.hand_card_on()?,
            68..=74 => {
                let (item, office) = (self.random.index(ITEMS), self.random.index(OFFICES));
                let pieces = self.random.between(-2, 4);
                self.move_stock(item, office, pieces)?;
            }
            75..=80 => self.move_value()?,
            81..=86 => self.take_back_at_desk()?,
            87..=91 => self.expire()?,
            92..=97 => self.release()?,
            _ => drop(block_on(jobs::perform(&self.centre.app, Job::Deadlines))?),
        }
        block_on(jobs::lookalikes::round(&self.centre.app))?;
        self.check_sums()?;
        self.ring();
        Ok(())
    }

    fn someone(&mut self) -> usize {
        let members = self.size.members;
        if self.random.chance(700) { self.random.index(HOT.min(members)) } else { self.random.index(members) }
    }

    fn move_stock(&mut self, gift: usize, office: usize, pieces: i64) -> anyhow::Result<()> {
        let shelf = StockEnd::Shelf(club::office(office));
        let (from, to) = if pieces < 0 { (shelf, StockEnd::Spoiled) } else { (StockEnd::Supplier, shelf) };
        let mut name = [0; 32];
        name.fill_with(|| u8::try_from(self.random.below(256)).unwrap_or(0));
        self.centre.act(Act::StockMoved(StockMoved {
            id: Hash(name),
            item: item(gift),
            from,
            to,
            pieces: u32::try_from(pieces.unsigned_abs()).unwrap_or(0),
            reason: Hash([0; 32]),
        }))
    }

    /// Two members are one person. Whoever decided that had both before them, so neither was merged away already.
    fn merge(&mut self) -> anyhow::Result<()> {
        let (survivor, merged) = (self.someone(), self.someone());
        if survivor == merged || !self.is_there(survivor)? || !self.is_there(merged)? {
            return Ok(());
        }
        self.books.tied.push((survivor, merged));
        self.counters.path("member merged");
        self.centre.act(Act::MembersMerged(MembersMerged {
            survivor: club::member(survivor),
            merged: club::member(merged),
            reason: Hash([0; 32]),
        }))
    }

    fn is_there(&self, member: usize) -> anyhow::Result<bool> {
        let sql = "SELECT count(*) FROM member WHERE id = ?1 AND merged_into IS NULL AND erased = 0";
        let there: i64 = self.centre.look().query_row(sql, [club::member(member).0], |row| row.get(0))?;
        Ok(there > 0)
    }

    /// A merge was wrong.
    fn unmerge(&mut self) -> anyhow::Result<()> {
        let sql = "SELECT id, merged_into FROM member WHERE merged_into IS NOT NULL ORDER BY id";
        let ties: Vec<([u8; 16], [u8; 16])> = self
            .centre
            .look()
            .prepare_cached(sql)?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if ties.is_empty() {
            return Ok(());
        }
        let (merged, survivor) = ties[self.random.index(ties.len())];
        self.counters.path("member unmerged");
        self.centre.act(Act::MembersUnmerged(MembersMerged {
            survivor: MemberId(survivor),
            merged: MemberId(merged),
            reason: Hash([0; 32]),
        }))
    }

    fn erase(&mut self) -> anyhow::Result<()> {
        let member = self.someone();
        if self.books.erased.len() >= ERASED_MAX || !self.is_there(member)? {
            return Ok(());
        }
        self.books.erased.insert(member);
        self.counters.path("member erased");
        let reason = Hash([0; 32]);
        self.centre.act(Act::MemberErased(MemberErased { member: club::member(member), reason }))
    }

    /// A card is given to somebody else, while terminals may still hold facts of its last owner.
    fn hand_card_on(&mut self) -> anyhow::Result<()> {
        let (card, to) = (self.someone(), self.someone());
        if !self.is_there(to)? {
            return Ok(());
        }
        self.books.handed_on.push((card, to));
        self.counters.path("card handed on");
        let set = club::card_set(&self.club.token_key, card, Some(club::member(to)), CardStatus::Active);
        self.centre.act(Act::CardsSet(vec![set]))
    }

    /// Value is moved at the centre's own desk, never more than the admin sees.
    fn move_value(&mut self) -> anyhow::Result<()> {
        let (from, to) = (self.someone(), self.someone());
        let unit = [Unit::Pts, Unit::Cny][self.random.index(2)];
        let sql = "SELECT coalesce(sum(amount), 0) FROM balance WHERE member = ?1 AND unit = ?2 AND class = 'available'";
        let key = (club::member(from).0, unit.code());
        let seen: i64 = self.centre.look().query_row(sql, key, |row| row.get(0))?;
        let recovering = "SELECT recovering_since IS NOT NULL FROM policy";
        let recovering: bool = self.centre.look().query_row(recovering, [], |row| row.get(0))?;
        if from == to || recovering || !self.is_there(from)? || !self.is_there(to)? {
            return Ok(());
        }
        let (office, most) = (club::office(self.random.index(OFFICES)), seen.min(20_000));
        let own = ValueEnd::Member(club::member(from));
        let (ends, amount) = match self.random.below(4) {
            0 => ((ValueEnd::Adjust(OperatorId([3; 16])), own), self.random.between(1, 60)),
            _ if most <= 0 => return Ok(()),
            1 if unit == Unit::Cny => ((own, ValueEnd::Cash(office)), self.random.between(1, most)),
            2 => ((own, ValueEnd::Redeemed(office)), self.random.between(1, most)),
            _ => ((own, ValueEnd::Member(club::member(to))), self.random.between(1, most)),
        };
        let mut moved = |member: usize, by: i64| {
            *self.books.centre.moved.entry((member, unit)).or_default() += by;
        };
        moved(from, if ends.1 == own { amount } else { -amount });
        if ends.1 == ValueEnd::Member(club::member(to)) {
            moved(to, amount);
        }
        self.counters.path("value moved at the centre");
        self.centre.act(Act::ValueMoved(ValueMoved {
            id: Hash(self.random.bytes()),
            from: ends.0,
            to: ends.1,
            leg: Leg { unit, amount: Amount(amount) },
            office,
            reason: Hash([0; 32]),
            of: None,
        }))
    }

    /// The run of the expiry of points for what ran out by yesterday.
    fn expire(&mut self) -> anyhow::Result<()> {
        if self.books.policy.expiry == ExpiryMode::Never {
            return Ok(());
        }
        let cutoff = Day(i32::try_from((self.time.now() + 8 * HOUR) / DAY)? - 1);
        if self.time.now() < FIRST_DAY + DAY {
            return Ok(());
        }
        self.books.has_expired = true;
        self.counters.path("points expired");
        let members = (0..self.size.members.min(2 * HOT)).map(club::member).collect();
        self.centre.act(Act::PointsExpired(PointsExpired { cutoff, members }))
    }

    /// All facts of an enrolment that are under review are let out, or of several.
    fn release(&mut self) -> anyhow::Result<()> {
        let sql = "SELECT device, epoch, seq FROM fact WHERE became = 'quarantined' AND kind IN (21, 22, 26) \
                   ORDER BY device, epoch, seq";
        let waiting: Vec<FactId> = self
            .centre
            .look()
            .prepare_cached(sql)?
            .query_map([], |row| {
                let seq = row.get::<_, i64>(2)?.unsigned_abs();
                Ok(FactId { device: hufu_shared::ids::DeviceId(row.get(0)?), epoch: row.get(1)?, seq })
            })?
            .collect::<Result<_, _>>()?;
        let mut enrolments: Vec<_> = waiting.iter().map(|fact| (fact.device, fact.epoch)).collect();
        enrolments.dedup();
        enrolments.retain(|_| self.random.chance(600));
        let facts: Vec<FactId> =
            waiting.into_iter().filter(|fact| enrolments.contains(&(fact.device, fact.epoch))).collect();
        if facts.is_empty() {
            return Ok(());
        }
        self.counters.path("let out of review");
        self.centre.act(Act::FactsReleased(FactsReleased {
            facts,
            reason: Hash([0; 32]),
            others_wait: false,
        }))
    }

    /// A verdict as the console offers it: let stand, take back, or one of the facts of a slip counts.
    fn decide_pinned(&mut self) -> anyhow::Result<()> {
        let list = PINNED_KINDS.map(|kind| kind.to_string()).join(", ");
        let open = format!(
            "SELECT id, kind FROM conflict WHERE kind IN ({list}) AND state IN ('open', 'evidence_changed') ORDER BY id"
        );
        let cases: Vec<([u8; 32], i64)> = self
            .centre
            .look()
            .prepare_cached(&open)?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if cases.is_empty() {
            return Ok(());
        }
        let (case, kind) = cases[self.random.index(cases.len())];
        let facts = self.evidence(case)?;
        let all = |counts: bool| {
            let outcome = if counts { PinOutcome::Counts } else { PinOutcome::DoesNotCount };
            facts.iter().map(|fact| Pin { fact: *fact, outcome }).collect::<Vec<Pin>>()
        };
        let (verdict, pins) = match (self.random.below(4), kind) {
            (0, _) => (Verdict::Reverse, all(false)),
            (1, 32) if !facts.is_empty() => {
                let chosen = facts[self.random.index(facts.len())];
                let mut pins = all(false);
                for pin in pins.iter_mut().filter(|pin| pin.fact == chosen) {
                    pin.outcome = PinOutcome::Counts;
                }
                (Verdict::Merge, pins)
            }
            (_, 40) => (Verdict::Confirm, all(true)),
            _ => (Verdict::Confirm, Vec::new()),
        };
        self.books.pinned.extend(pins.iter().map(|pin| pin.fact));
        self.counters.path("verdict on what counts");
        let decided = CaseDecided { case: Hash(case), verdict, pins, reason: Hash([0; 32]) };
        self.centre.act(Act::CaseDecided(decided))
    }
}
