//! What moves value: spends, stored value paid in, goods handed out, cards reported lost or replaced, and taking back.
//!
//! A spend is paid from leases and from nothing else, all of its legs or none ([`crate::rules::lease`]). What the centre
//! said to an ask only chooses the words of a refusal: whether something is spent is decided by the lease as it stands.
//! Invariants: nothing of value is done with a card that is not registered here; nothing is spent, and at last nothing
//! recorded, when the terminal's storage runs out; a slip is taken once; a reversal never names a reversal and never
//! takes back more than is left.

use hufu_shared::fact::{
    CardReplaced, Event, Funding, HandedOut, Handing, Purpose, RefusalReason, Refused, Reversed, SlipKey,
    Spending, Spent, Subject, ToppedUp, ToppingUp, Visited,
};
use hufu_shared::ids::{FactId, MemberId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::rules::giveback::{NotTakenBack, take_back};
use hufu_shared::scheme::redemption::Returns;
use hufu_shared::wire::lease::{AskBecame, LeaseAsk};

use super::{Decision, Earlier, Known, Outcome, plain, refuse, welcome};
use crate::rules::lease::{self, CannotSpend, Holding, Shortage, SpendingNow};
use crate::rules::replace::{self, OldCard};
use crate::rules::timekeeping::Now;

/// Percent of the journal's room from which nothing is spent any more.
pub const SPEND_STOPS_PERCENT: u8 = 90;
/// Percent of the journal's room from which nothing is recorded any more but that it was refused.
pub const SWIPE_STOPS_PERCENT: u8 = 97;
/// Dictionary code of the reversal of a top-up within its shift.
pub const REASON_TOP_UP_UNDONE: &str = "top_up_undone";

/// What is known of value at the moment of a swipe.
#[derive(Debug, Clone, Copy, Default)]
pub struct Means<'a> {
    /// Open leases of the member.
    pub leases: &'a [Holding],
    /// The terminal's enrolment.
    pub enrolment: u32,
    /// How full the journal's room is.
    pub used_percent: u8,
    /// The member's one figure per unit, less what was spent here since the centre reckoned it.
    pub figures: &'a [Leg],
    /// The same thing done before: the slip was used, the item was handed out, the same was just spent.
    pub earlier: Option<Earlier>,
    /// What came of asking the centre for more.
    pub asked: Option<Asked>,
    /// The card that is to be replaced.
    pub old: Option<OldCard>,
}

/// What came of asking the centre for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// Its word; none if it did not come in time.
    pub became: Option<AskBecame>,
    /// The member's figure in the unit asked for.
    pub figure: Option<Leg>,
}

/// What value was moved, or why it was not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moved {
    /// What was spent or paid in.
    pub legs: Vec<Leg>,
    /// The member's figures after it, where they are known.
    pub left: Vec<Leg>,
    /// What was missing.
    pub short: Option<Short>,
}

/// Why a spend was not possible, and what would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    /// In which unit.
    pub unit: Unit,
    /// What was wanted.
    pub wanted: Amount,
    /// What could be spent here now.
    pub possible: Amount,
    /// How much the member lacks over all; none if it is only out of reach.
    pub missing: Option<Amount>,
    /// Why.
    pub why: Why,
}

/// Why a spend was not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The member has too little over all.
    TooLittle,
    /// No allowance is held here.
    NoLease,
    /// The allowance held here is too old.
    Expired,
    /// The allowance is of an earlier enrolment of this terminal.
    EarlierEnrolment,
    /// The allowance held here is too small.
    TooSmall,
    /// The centre was asked and did not answer in time.
    NoAnswer,
    /// Other terminals hold it and are offline.
    Unreachable,
    /// Other terminals hold it, and did not give it back in time.
    OnItsWay,
    /// The centre recovers and gives nothing out.
    Recovering,
    /// The member owes something first.
    Owing,
    /// A limit of this terminal.
    Limit,
    /// This terminal's allowances are frozen.
    Frozen,
}

/// Why nothing of value may be done for a purpose, before any amount is looked at.
pub(super) fn refusal_of_means(known: &Known<'_>, purpose: &Purpose) -> Option<RefusalReason> {
    let means = &known.value;
    if means.used_percent >= SWIPE_STOPS_PERCENT {
        return Some(RefusalReason::R13);
    }
    let registered = known.card.is_some_and(|card| card.member.is_some());
    match purpose {
        Purpose::Spend(_) | Purpose::TopUp(_) if !registered => Some(RefusalReason::R14),
        Purpose::ReportLost if known.card.is_none() => Some(RefusalReason::R14),
        Purpose::Replace(_) => match means.old {
            Some(old) => replace::refusal(old, registered),
            None => Some(RefusalReason::R14),
        },
        Purpose::Spend(_) if means.used_percent >= SPEND_STOPS_PERCENT => Some(RefusalReason::R13),
        Purpose::Spend(_) | Purpose::TopUp(_) | Purpose::EarnSlip(_) | Purpose::HandOut(_) => {
            means.earlier.map(|_| RefusalReason::R06)
        }
        _ => None,
    }
}

/// Whether no card whatever could be used for such a spend.
#[must_use]
pub fn is_impossible(spending: &Spending) -> bool {
    let legs = &spending.legs;
    let twice = |at: usize| legs[..at].iter().any(|leg| leg.unit == legs[at].unit);
    let wrong = |at: usize| !legs[at].amount.is_positive() || legs[at].unit == Unit::Growth || twice(at);
    // Money is paid out for stored value alone, and without its slip nobody can find it again.
    let other = |leg: &Leg| leg.unit != Unit::Cny;
    let wrong_pay = spending.paid_out.is_some() && (legs.iter().any(other) || spending.slip.is_none());
    legs.is_empty() || (0..legs.len()).any(wrong) || wrong_pay
}

pub(super) fn spend(known: &Known<'_>, subject: Subject, spending: &Spending, now: &Now) -> Decision {
    let means = &known.value;
    // Without a member the purpose was refused before.
    let Some(member) = subject.member else {
        return refuse(Some(subject), &Purpose::Spend(spending.clone()), RefusalReason::R14);
    };
    let at = SpendingNow {
        member,
        enrolment: means.enrolment,
        now_ns: now.mono_ns,
        blocked: false,
        frozen: false,
    };
    let uses = match lease::may_spend(means.leases, &spending.legs, at) {
        Ok(uses) => uses,
        Err(why) => return cannot(known, subject, spending, (why, at)),
    };
    let left = spending.legs.iter().filter_map(|leg| {
        let figure = means.figures.iter().find(|figure| figure.unit == leg.unit)?;
        let left = figure.amount.minus(leg.amount).ok().filter(|left| *left >= Amount::ZERO)?;
        Some(Leg { unit: leg.unit, amount: left })
    });
    let value = Moved { legs: spending.legs.clone(), left: left.collect(), short: None };
    let spent = Spent {
        subject,
        legs: spending.legs.clone(),
        funding: uses.into_iter().map(Funding::Lease).collect(),
        slip: spending.slip.clone(),
        item: spending.item,
        paid_out: spending.paid_out.clone(),
    };
    Decision { value, ..plain(Event::Spent(spent), Outcome::Redeemed) }
}

fn cannot(
    known: &Known<'_>,
    subject: Subject,
    spending: &Spending,
    (why, at): (CannotSpend, SpendingNow),
) -> Decision {
    let purpose = Purpose::Spend(spending.clone());
    let CannotSpend::Leg { at: place, unit, why } = why else {
        return refuse(Some(subject), &purpose, RefusalReason::R11);
    };
    let wanted = spending.legs.get(place).map_or(Amount::ZERO, |leg| leg.amount);
    let possible = lease::spendable(known.value.leases, unit, at);
    let asked = known.value.asked.filter(|asked| asked.figure.is_none_or(|figure| figure.unit == unit));
    let figure = asked
        .and_then(|asked| asked.figure)
        .or_else(|| known.value.figures.iter().find(|figure| figure.unit == unit).copied());
    let missing =
        figure.and_then(|figure| wanted.minus(figure.amount).ok()).filter(|missing| missing.is_positive());
    let (reason, outcome, why) = words_for(asked, missing.is_some(), why);
    let refused = Refused { subject: Some(subject), purpose, reason, count: 1 };
    let short = Short { unit, wanted, possible, missing: missing.filter(|_| why == Why::TooLittle), why };
    let value = Moved { short: Some(short), ..Moved::default() };
    Decision { value, ..plain(Event::Refused(refused), outcome) }
}

/// What staff and guest are told of a spend that no lease pays for.
fn words_for(asked: Option<Asked>, lacks: bool, why: Shortage) -> (RefusalReason, Outcome, Why) {
    let over = |why| (RefusalReason::R12, Outcome::OverOfflineLimit, why);
    let refused = |reason, why| (reason, Outcome::Refused(reason), why);
    match asked {
        Some(Asked { became: None, .. }) => over(Why::NoAnswer),
        Some(Asked { became: Some(became), .. }) => match became {
            AskBecame::TooLittle => refused(RefusalReason::R05, Why::TooLittle),
            AskBecame::Owing => refused(RefusalReason::R05, Why::Owing),
            AskBecame::Limit => refused(RefusalReason::R15, Why::Limit),
            AskBecame::Frozen => refused(RefusalReason::R15, Why::Frozen),
            AskBecame::Member => refused(RefusalReason::R01, Why::TooLittle),
            AskBecame::Recovering => over(Why::Recovering),
            AskBecame::Unreachable => over(Why::Unreachable),
            AskBecame::Recalling => over(Why::OnItsWay),
            // Granted, and the state did not come or was not taken.
            AskBecame::Granted | AskBecame::Generation => over(Why::NoAnswer),
        },
        None if lacks => refused(RefusalReason::R05, Why::TooLittle),
        None => over(match why {
            Shortage::NoLease => Why::NoLease,
            Shortage::Expired => Why::Expired,
            Shortage::EarlierEnrolment => Why::EarlierEnrolment,
            Shortage::TooSmall { .. } => Why::TooSmall,
        }),
    }
}

/// What to ask the centre for, so that the leases held pay for a leg; none if they do.
#[must_use]
pub fn ask(leases: &[Holding], member: MemberId, leg: Leg) -> Option<LeaseAsk> {
    let open =
        leases.iter().find(|held| !held.closed && held.state.member == member && held.state.unit == leg.unit);
    let spent_total = open.map_or(Amount::ZERO, |held| held.spent_total);
    let wanted_total = spent_total.plus(leg.amount).ok()?;
    if open.is_some_and(|held| held.state.granted_total >= wanted_total) {
        return None;
    }
    Some(LeaseAsk {
        lease: open.map(|held| held.state.lease),
        generation: open.map_or(0, |held| held.state.generation),
        member,
        unit: leg.unit,
        wanted_total,
    })
}

pub(super) fn top_up(known: &Known<'_>, subject: Subject, paid: &ToppingUp, now: &Now) -> Decision {
    let topped =
        ToppedUp { subject, amount: paid.amount, method: paid.method.clone(), slip: Some(paid.slip.clone()) };
    let leg = Leg { unit: Unit::Cny, amount: paid.amount };
    let value = Moved { legs: vec![leg], ..Moved::default() };
    Decision { value, ..plain(Event::ToppedUp(topped), welcome(known, now)) }
}

pub(super) fn hand_out(known: &Known<'_>, subject: Subject, handing: Handing, now: &Now) -> Decision {
    if handing.quantity == 0 {
        return refuse(Some(subject), &Purpose::HandOut(handing), RefusalReason::R11);
    }
    let Handing { occurrence, item, quantity } = handing;
    plain(Event::HandedOut(HandedOut { subject, occurrence, item, quantity }), welcome(known, now))
}

/// Staff and guest are believed at once: a card that was reported by mistake is found again in a minute.
pub(super) fn report_lost(_known: &Known<'_>, subject: Subject) -> Decision {
    plain(Event::CardReportedLost(Visited { subject }), Outcome::Accepted)
}

/// The card that was presented takes the place of the old one.
pub(super) fn replace(new: &Subject, old: &Subject) -> Decision {
    let replaced = CardReplaced { subject: old.clone(), card: new.token, medium: new.medium };
    plain(Event::CardReplaced(replaced), Outcome::Accepted)
}

/// What a reversal is about, as the journal remembers it.
#[derive(Debug, Clone, Copy)]
pub struct Original<'a> {
    /// Its name.
    pub fact: FactId,
    /// What of each of its legs was not taken back yet.
    pub left: &'a [Leg],
    /// Whether it is stored value paid in.
    pub top_up: bool,
    /// Who may undo it, where it is stored value paid in.
    pub undo: Undo,
    /// Whether the slip of the return was used before: a return is paid back once for its slip.
    pub slip_used: bool,
    /// Where it is goods that come back: what the club does then, and points that the member has as far as is known here.
    pub goods: Option<(&'a Returns, Amount)>,
}

/// Who may undo stored value paid in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// This terminal: it lies in the present shift, and the centre does not have it or said that it is covered.
    Here,
    /// This terminal, if the centre says that it is covered: it lies in the present shift, but the centre has it.
    AskFirst,
    /// The centre: its shift is over.
    Centre,
}

/// Why nothing is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReversed {
    /// Nothing is left of it, or there was nothing of value in it.
    #[error("nothing is left to be taken back")]
    Nothing,
    /// More than is left.
    #[error("at most {left} can be taken back")]
    TooMuch {
        /// What is left, in the unit.
        left: Amount,
        /// The unit.
        unit: Unit,
    },
    /// Stored value that was paid in before this shift.
    #[error("a top-up is undone in its own shift, or at the centre")]
    TooLate,
    /// Stored value of this shift that the centre has already: it must say first that it is covered.
    #[error("the centre has this top-up and must say first whether what the member has covers it")]
    AskFirst {
        /// Seq of the top-up.
        seq: u64,
    },
    /// The slip of the return stands for something else already.
    #[error("this slip was used before")]
    SlipUsed,
    /// The club takes no goods back for which points are missing (rule S8).
    #[error("{needs} points are to be given back, the member has {has}")]
    Short {
        /// Points to give back.
        needs: Amount,
        /// The member's, as far as is known here.
        has: Amount,
    },
}

/// The fact that takes back `part` of an original, or all that is left of it.
///
/// # Errors
/// [`NotReversed`].
pub fn reverse(
    original: &Original<'_>,
    part: Option<Leg>,
    reason: &str,
    slip: Option<SlipKey>,
) -> Result<Reversed, NotReversed> {
    let left: Vec<Leg> = original.left.iter().filter(|leg| leg.amount.is_positive()).copied().collect();
    if left.is_empty() {
        return Err(NotReversed::Nothing);
    }
    match original.undo {
        Undo::Centre if original.top_up => return Err(NotReversed::TooLate),
        Undo::AskFirst if original.top_up => {
            return Err(NotReversed::AskFirst { seq: original.fact.seq });
        }
        _ => {}
    }
    if original.slip_used {
        return Err(NotReversed::SlipUsed);
    }
    let legs = match part {
        // A top-up goes back whole: half of one is another amount of cash in the drawer.
        Some(part) if !original.top_up => {
            let of_unit = left.iter().find(|leg| leg.unit == part.unit).ok_or(NotReversed::Nothing)?;
            if part.amount > of_unit.amount || !part.amount.is_positive() {
                return Err(NotReversed::TooMuch { left: of_unit.amount, unit: part.unit });
            }
            vec![part]
        }
        _ => left,
    };
    goods_covered(original, &legs)?;
    let reason = if original.top_up { REASON_TOP_UP_UNDONE } else { reason };
    Ok(Reversed { original: original.fact, legs, reason: reason.to_owned(), slip })
}

/// Whether points cover the goods that come back, where the club asks for that. Whether they do when the ledger hears of it
/// is another matter: what is missing then is owed.
fn goods_covered(original: &Original<'_>, legs: &[Leg]) -> Result<(), NotReversed> {
    let Some((returns, has)) = original.goods else { return Ok(()) };
    let points = legs.iter().filter(|leg| leg.unit == Unit::Pts).map(|leg| leg.amount.0);
    match take_back(returns, points.fold(0, i64::saturating_add), has.0, 0) {
        Err(NotTakenBack::Short { needs, has }) => {
            Err(NotReversed::Short { needs: Amount(needs), has: Amount(has) })
        }
        Ok(_) | Err(NotTakenBack::Overflow(_)) => Ok(()),
    }
}
