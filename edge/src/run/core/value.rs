//! The part of a swipe that moves value: what to ask the centre for, what was done before, and taking back.

use hufu_shared::fact::{
    Event, Fact, Purchase, Purpose, REASON_MISTAKE, SlipKey, Spending, Subject, ToppingUp,
};
use hufu_shared::ids::{MemberId, OperatorId};
use hufu_shared::member::MemberRow;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::choose::At;
use hufu_shared::scheme::redemption::{Returns, Shortfall};
use hufu_shared::wire::lease::LeaseAsk;

use super::{Core, Presented};
use crate::rules::decide::Earlier;
use crate::rules::decide::value::{NotReversed, Original, Undo, ask, reverse};
use crate::rules::timekeeping::Now;
use crate::store::{Attended, Journal, NewFact, StoreError, ValueFact, ValueKind};

/// What staff want to take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakingBack {
    /// The value fact.
    pub of: Which,
    /// A part of it; none for all that is left.
    pub part: Option<Leg>,
    /// Dictionary code of the reason.
    pub reason: String,
    /// The slip of the return.
    pub slip: Option<SlipKey>,
}

/// How a value fact is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// By its seq.
    Fact(u64),
    /// By its slip.
    Slip(SlipKey),
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// Seq of the reversal.
    pub seq: u64,
    /// What the original was.
    pub kind: ValueKind,
    /// Whose.
    pub member: Option<MemberId>,
    /// How much.
    pub legs: Vec<Leg>,
    /// Points of a purchase that its member has no more, as far as is known here.
    pub missing: Option<Leg>,
    /// Where goods came back: what the club does then.
    pub goods: Option<Returns>,
}

impl TakenBack {
    /// What goes with it; nothing of goods whose points stay with the member.
    #[must_use]
    pub fn moved(&self) -> Vec<Leg> {
        let stay = self.goods.as_ref().is_some_and(|returns| !returns.reverse_points);
        if stay { Vec::new() } else { self.legs.clone() }
    }

    /// Whether a gift or cash must come back for points that are gone: not where the club lets its members owe them.
    #[must_use]
    pub fn asks_gift(&self) -> bool {
        let asks = |returns: &Returns| returns.reverse_points && returns.shortfall != Shortfall::Negative;
        self.kind == ValueKind::Earned && self.goods.as_ref().is_none_or(asks)
    }
}

/// A purchase that is taken back.
struct Bought {
    /// What the club does with goods that come back, by the version of the purchase; none where nothing was bought.
    returns: Option<Returns>,
    /// Points that the member has, as far as is known here; none where nobody here knows whose they are.
    has: Option<Amount>,
}

impl Core {
    /// What to ask the centre for before a spend is decided on: a raise for each leg that the leases held here do not
    /// pay for. Empty if the spend can be decided as it is. An allowance that is too old is closed first: a new one is
    /// asked for.
    ///
    /// # Errors
    /// [`StoreError`] if journal or directory cannot be read, or the close not be recorded.
    pub fn asks(
        &mut self,
        presented: &Presented,
        purpose: &Purpose,
        now: &Now,
    ) -> Result<Vec<LeaseAsk>, StoreError> {
        let Purpose::Spend(spending) = purpose else { return Ok(Vec::new()) };
        let fetched = self.fetch(&presented.card, now)?;
        let directory = self.directory.version();
        self.store.with(|journal| {
            let decision = self.judge(journal, &fetched, presented, (purpose, None), now)?;
            let member = fetched.card.as_ref().and_then(|card| card.member);
            let (Some(member), Some(_)) = (member, decision.value.short) else { return Ok(Vec::new()) };
            let open = journal.open_leases(member)?;
            let open = if open.iter().any(|held| held.expired(now.mono_ns)) {
                journal.close_expired(now, directory)?;
                journal.open_leases(member)?
            } else {
                open
            };
            Ok(spending.legs.iter().filter_map(|leg| ask(&open, member, *leg)).collect())
        })
    }

    /// Who or what a card is, as facts name it.
    ///
    /// # Errors
    /// [`StoreError`] if journal or directory cannot be read.
    pub fn subject_of(&self, presented: &Presented, now: &Now) -> Result<Subject, StoreError> {
        let fetched = self.fetch(&presented.card, now)?;
        Ok(Subject {
            token: fetched.token,
            member: fetched.card.and_then(|card| card.member),
            reader: presented.reader,
            medium: presented.card.kind,
            code: presented.card.coded().map(|(_, nonce)| nonce),
        })
    }

    /// The member whose card it is, as far as the directory tells.
    #[must_use]
    pub fn member_of(&self, presented: &Presented, now: &Now) -> Option<MemberRow> {
        self.fetch(&presented.card, now).ok().and_then(|fetched| fetched.member)
    }

    /// Whose a value fact is, with the figures that people are shown.
    #[must_use]
    pub fn member_of_value(&self, seq: u64) -> Option<MemberRow> {
        let fact = self.store.with(|journal| journal.value_fact(seq)).ok().flatten();
        fact.and_then(|fact| fact.member).and_then(|member| self.member(member))
    }

    /// A member's row with the figures that people are shown. A directory that cannot be read knows nobody.
    #[must_use]
    pub fn member(&self, member: MemberId) -> Option<MemberRow> {
        let row = self.directory.member(member).inspect_err(|error| {
            tracing::error!(%error, "the directory cannot be read");
        });
        row.ok().flatten().and_then(|row| self.with_own_spends(row).ok())
    }

    /// Takes back a value fact of this terminal, or a part of it.
    ///
    /// # Errors
    /// [`StoreError`] if the journal refuses; then nothing was recorded.
    pub fn reverse(
        &mut self,
        taking: &TakingBack,
        operator: Option<OperatorId>,
        now: &Now,
    ) -> Result<Result<TakenBack, NotReversed>, StoreError> {
        self.reverse_covered(taking, None, operator, now)
    }

    /// As [`Core::reverse`]; `covered` is the top-up of which the centre just said that what its member has covers it.
    ///
    /// # Errors
    /// As [`Core::reverse`].
    pub fn reverse_covered(
        &mut self,
        taking: &TakingBack,
        covered: Option<u64>,
        operator: Option<OperatorId>,
        now: &Now,
    ) -> Result<Result<TakenBack, NotReversed>, StoreError> {
        let directory = self.directory.version();
        let bought = self.bought(taking, now)?;
        self.store.with(|journal| {
            let Some(fact) = named(journal, &taking.of)? else { return Ok(Err(NotReversed::Nothing)) };
            let original = Original {
                fact: journal.fact_id(fact.seq),
                left: &fact.left,
                top_up: fact.kind == ValueKind::ToppedUp,
                undo: match journal.undo_of(fact.seq)? {
                    Undo::AskFirst if covered == Some(fact.seq) => Undo::Here,
                    undo => undo,
                },
                slip_used: taking
                    .slip
                    .as_ref()
                    .map(|slip| journal.slip(slip))
                    .transpose()?
                    .flatten()
                    .is_some(),
                goods: bought.as_ref().and_then(|bought| Some((bought.returns.as_ref()?, bought.has?))),
            };
            let reversed = reverse(&original, taking.part, &taking.reason, taking.slip.clone());
            let reversed = match reversed {
                Ok(reversed) => reversed,
                Err(why) => return Ok(Err(why)),
            };
            let legs = reversed.legs.clone();
            let mut new = NewFact::of_terminal(Event::Reversed(reversed), directory, now);
            new.operator = operator;
            let appended = journal.append(vec![new])?;
            let seq = appended.first().and_then(|fact| fact.id).map_or(0, |id| id.seq);
            let missing = bought.as_ref().and_then(|bought| missing(&legs, bought.has?));
            let goods = bought.and_then(|bought| bought.returns);
            Ok(Ok(TakenBack { seq, kind: fact.kind, member: fact.member, legs, missing, goods }))
        })
    }

    /// The purchase that is taken back, if it is one: recorded by mistake it brings no goods.
    fn bought(&self, taking: &TakingBack, now: &Now) -> Result<Option<Bought>, StoreError> {
        let fact = self.store.with(|journal| {
            let fact = named(journal, &taking.of)?.filter(|fact| fact.kind == ValueKind::Earned);
            let sold = fact.as_ref().map(|fact| journal.fact(fact.seq)).transpose()?.flatten();
            Ok(fact.map(|fact| (fact.member, sold)))
        })?;
        let Some((member, sold)) = fact else { return Ok(None) };
        let of_today = || self.terms(now).map(|terms| terms.returned()).unwrap_or_default();
        let brings_goods = taking.reason != REASON_MISTAKE;
        let returns = brings_goods.then(|| sold.map_or_else(of_today, |sold| self.returns_of(&sold)));
        let has = member.map(|member| self.points_now(member)).transpose()?.flatten();
        Ok(Some(Bought { returns, has }))
    }

    /// Points of a member: the centre's figure, with what was earned and spent here since. None where the directory does
    /// not hold the member.
    fn points_now(&self, member: MemberId) -> Result<Option<Amount>, StoreError> {
        let Some(row) = self.directory.member(member).ok().flatten() else { return Ok(None) };
        let (earned, spent) = self.store.with(|journal| {
            let of = |kind| journal.moved_since(kind, (row.member, Unit::Pts), row.points_at);
            Ok((of(ValueKind::Earned)?, of(ValueKind::Spent)?))
        })?;
        let sum = row.points.plus(earned).and_then(|sum| sum.minus(spent));
        Ok(Some(sum.unwrap_or(row.points).max(Amount::ZERO)))
    }

    /// What the club does with goods of a purchase that come back: by the version that decided it, as in the ledger,
    /// since a later one may hold for the same day. The default where no version is known.
    #[must_use]
    pub fn returns_of(&self, sold: &Fact) -> Returns {
        let small = self.directory.small();
        let at = At { day: self.office_clock().business_day(sold.wall), office: self.terminal.office };
        let terms = small.decided_by(sold.scheme).or_else(|| small.scheme(at, ""));
        terms.map(SchemeTerms::returned).unwrap_or_default()
    }
}

/// Points of what goes back beyond those that the member has.
fn missing(legs: &[Leg], has: Amount) -> Option<Leg> {
    let points = legs.iter().find(|leg| leg.unit == Unit::Pts)?;
    let amount = points.amount.minus(has).ok()?;
    amount.is_positive().then_some(Leg { unit: Unit::Pts, amount })
}

/// The value fact that staff named.
fn named(journal: &Journal, which: &Which) -> Result<Option<ValueFact>, StoreError> {
    let seq = match which {
        Which::Fact(seq) => Some(*seq),
        Which::Slip(slip) => journal.slip(slip)?.map(|used| used.seq),
    };
    Ok(seq.map(|seq| journal.value_fact(seq)).transpose()?.flatten())
}

/// What staff would do a second time: the same slip, the same item, or the same spend within the window of a double
/// tap, where no slip tells two spends apart.
pub(super) fn done_before(
    journal: &Journal,
    subject: &Subject,
    purpose: &Purpose,
    (now, window_s): (&Now, u32),
) -> Result<Option<Earlier>, StoreError> {
    let same = |done: Attended| Earlier { seq: done.seq, at: done.at };
    Ok(match purpose {
        Purpose::Spend(Spending { slip: Some(slip), .. })
        | Purpose::TopUp(ToppingUp { slip, .. })
        | Purpose::EarnSlip(Purchase { slip, .. }) => journal.slip(slip)?.map(same),
        Purpose::Spend(spending) => journal
            .recent_spend(&subject.token, &spending.legs, now.mono_ns, window_s)
            .map(|tap| Earlier { seq: tap.seq, at: tap.at }),
        Purpose::HandOut(handing) => {
            let token = subject.token.to_bytes();
            let who: &[u8] = subject.member.as_ref().map_or(&token, |member| &member.0);
            journal.handed_out(handing.occurrence, handing.item, who)?.map(same)
        }
        _ => None,
    })
}

/// The figures that a directory row tells.
pub(super) fn figures(member: &MemberRow) -> Vec<Leg> {
    let value = member.value.map(|amount| Leg { unit: Unit::Cny, amount });
    [Leg { unit: Unit::Pts, amount: member.points }].into_iter().chain(value).collect()
}

#[cfg(test)]
mod tests;
