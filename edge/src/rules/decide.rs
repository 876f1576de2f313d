//! What a presented card comes to: one fact and one outcome.
//!
//! Everything that is known about the card is fetched before and passed in as [`Known`]; this is a plain function of it.
//! Order of judgement: may the card be used at all; is the purpose possible now; is it a repeat; is it known.
//!
//! Invariants: a swipe always comes to a fact, also when it is refused; a repeat promises nothing; whatever the clock
//! says, no card expires and no activity closes by a time that is not trusted.
//! What moves value is in [`value`]. Out of scope: capacity of an activity, asking the centre for more.

use hufu_shared::fact::{
    Attended, Earned, Event, Paid, Purchase, Purpose, RefusalReason, Refused, Shown, Subject, Visited, Way,
};
use hufu_shared::ids::{OccurrenceId, OfficeId};
use hufu_shared::member::{
    CardRow, CardStatus, MemberRow, MemberStatus, OccurrenceRow, OccurrenceState, OfficeRow,
};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::rules::purchase::{self, Bought, Earns};
use hufu_shared::rules::start::Begun;
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::time::{ClockQuality, Day, Instant, OfficeClock, SECOND_US};

use super::timekeeping::Now;

pub mod value;

/// What an outcome looks like to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Green.
    Accepted,
    /// Amber: recorded, its effect may change.
    Recorded,
    /// Red.
    Refused(RefusalReason),
    /// In already; nothing more happened.
    AlreadyIn,
    /// No such card is known here.
    UnknownCard,
    /// Points or value were redeemed.
    Redeemed,
    /// The offline allowance did not suffice.
    OverOfflineLimit,
}

impl Outcome {
    /// As facts name it.
    #[must_use]
    pub fn shown(self) -> Shown {
        match self {
            Self::Accepted => Shown::Accepted,
            Self::Recorded => Shown::Recorded,
            Self::Refused(_) => Shown::Refused,
            Self::AlreadyIn => Shown::AlreadyIn,
            Self::UnknownCard => Shown::UnknownCard,
            Self::Redeemed => Shown::Redeemed,
            Self::OverOfflineLimit => Shown::OverOfflineLimit,
        }
    }
}

/// An earlier fact that this one may repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// Its seq.
    pub seq: u64,
    /// When it was.
    pub at: Instant,
}

/// Everything known about a presented card at this moment.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The state that the block list gives the card, if it must be refused.
    pub blocked: Option<CardStatus>,
    /// The card in the directory.
    pub card: Option<&'a CardRow>,
    /// Its member in the directory.
    pub member: Option<&'a MemberRow>,
    /// The occurrence of a check-in in the directory.
    pub occurrence: Option<&'a OccurrenceRow>,
    /// The first check-in of the same member to the same occurrence at this terminal.
    pub already: Option<Earlier>,
    /// The same card at the same reader for the same purpose, within the window of a double tap.
    pub tap: Option<Earlier>,
    /// The scheme in force; none before the first directory.
    pub terms: Option<&'a SchemeTerms>,
    /// When the directory was last known to be current; none before the first.
    pub directory_at: Option<Instant>,
    /// Whether there is a directory at all; without one nothing can be told of an activity.
    pub has_directory: bool,
    /// The office of this terminal.
    pub here: OfficeId,
    /// That office in the directory.
    pub office: Option<&'a OfficeRow>,
    /// What value can be moved.
    pub value: value::Means<'a>,
}

/// What a presented card comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The fact's event.
    pub event: Event,
    /// What people are shown once it is on the disk.
    pub outcome: Outcome,
    /// The rule that computed a value.
    pub rule: Option<String>,
    /// Points promised on the display.
    pub promised: Option<Amount>,
    /// Points that wait for approval: told, and no promise (rule K21).
    pub waiting: Option<Amount>,
    /// When the member first got in, for a repeat.
    pub first_at: Option<Instant>,
    /// First moment of a card that is not valid yet.
    pub valid_from: Option<Instant>,
    /// What value was moved, or why it was not.
    pub value: value::Moved,
}

/// Decides on a card that identifies itself.
#[must_use]
pub fn decide(known: &Known<'_>, subject: Subject, purpose: &Purpose, now: &Now) -> Decision {
    if let Some(reason) = refusal_of_card(known, now).or_else(|| refusal_of_purpose(known, purpose, now)) {
        let mut decision = refuse(Some(subject), purpose, reason);
        match reason {
            RefusalReason::R03 => decision.valid_from = known.card.and_then(|card| card.valid_from),
            RefusalReason::R06 => decision.first_at = known.value.earlier.map(|earlier| earlier.at),
            // Nothing of value can be done with it: that is a card to be registered, not one to be sent away.
            RefusalReason::R14 => decision.outcome = Outcome::UnknownCard,
            _ => {}
        }
        return decision;
    }
    match purpose {
        Purpose::Spend(spending) => value::spend(known, subject, spending, now),
        Purpose::TopUp(paid) => value::top_up(known, subject, paid, now),
        Purpose::HandOut(handing) => value::hand_out(known, subject, *handing, now),
        Purpose::ReportLost => value::report_lost(known, subject),
        Purpose::Replace(old) => value::replace(&subject, old),
        Purpose::EarnSlip(purchase) => earn(known, subject, (purchase.amount, Some(purchase)), now),
        Purpose::LookUp => visit(known, subject, now, None),
        Purpose::Visit => visit(known, subject, now, known.tap),
        Purpose::CheckIn(occurrence) => check_in(known, subject, (*occurrence, None), now),
        Purpose::CheckInParty(party) => {
            check_in(known, subject, (party.occurrence, Some(party.companions)), now)
        }
        Purpose::CheckOut(occurrence) => check_out(known, subject, *occurrence, now),
        Purpose::Earn(purchase) => earn(known, subject, (*purchase, None), now),
    }
}

/// Decides on a medium that identifies nobody: random serial number, payment card, damaged stripe.
#[must_use]
pub fn decide_unusable(purpose: &Purpose) -> Decision {
    refuse(None, purpose, RefusalReason::R08)
}

/// Decides on a member code that does not hold, or on none: whose it was meant to be is kept where that is proved.
#[must_use]
pub fn decide_code_refused(subject: Option<Subject>, purpose: &Purpose, reason: RefusalReason) -> Decision {
    refuse(subject, purpose, reason)
}

/// Why the card or its member may not be used at all.
#[must_use]
pub fn refusal_of_card(known: &Known<'_>, now: &Now) -> Option<RefusalReason> {
    // The block list is newer than any directory, so it is asked first; either may refuse.
    let status = known.blocked.or(known.card.map(|card| card.status));
    match status {
        Some(CardStatus::Lost) => return Some(RefusalReason::R07),
        Some(CardStatus::Stopped | CardStatus::Void) => return Some(RefusalReason::R01),
        Some(CardStatus::Active) | None => {}
    }
    if known.member.is_some_and(|member| member.status != MemberStatus::Active) {
        return Some(RefusalReason::R01);
    }
    let card = known.card?;
    if now.quality == ClockQuality::Floor {
        return None;
    }
    if card.valid_until.is_some_and(|until| until <= now.trusted) {
        return Some(RefusalReason::R02);
    }
    card.valid_from.is_some_and(|from| now.trusted < from).then_some(RefusalReason::R03)
}

fn refusal_of_purpose(known: &Known<'_>, purpose: &Purpose, now: &Now) -> Option<RefusalReason> {
    if let Some(reason) = value::refusal_of_means(known, purpose) {
        return Some(reason);
    }
    let above = |amount: Amount| known.terms.is_some_and(|terms| amount > terms.purchase_max);
    match purpose {
        Purpose::LookUp | Purpose::Visit | Purpose::ReportLost | Purpose::Replace(_) => None,
        Purpose::CheckIn(_) | Purpose::CheckInParty(_) | Purpose::HandOut(_) => match known.occurrence {
            Some(occurrence) if !occurrence.is_held_at(known.here) => Some(RefusalReason::R04),
            Some(occurrence) if known.member.is_some_and(|member| !occurrence.is_for(member)) => {
                Some(RefusalReason::R04)
            }
            Some(occurrence) if runs(occurrence, now) => None,
            // Staff chose it while it could be told; members are not sent away because a file was lost.
            None if !known.has_directory => None,
            _ => Some(RefusalReason::R10),
        },
        Purpose::CheckOut(_) => match known.occurrence {
            Some(occurrence) if !occurrence.is_held_at(known.here) => Some(RefusalReason::R04),
            Some(occurrence) if lets_out(occurrence, now) => None,
            None if !known.has_directory => None,
            _ => Some(RefusalReason::R10),
        },
        Purpose::Earn(amount) => (!amount.is_positive() || above(*amount)).then_some(RefusalReason::R11),
        Purpose::EarnSlip(purchase) => {
            let twice = purchase.replaces.as_ref() == Some(&purchase.slip);
            let out = |amount: Amount| amount < Amount::ZERO || above(amount);
            let beside = |paid: &Paid| out(paid.coupon) || out(paid.by_points);
            let wrong = !purchase.amount.is_positive() || out(purchase.amount) || twice;
            (wrong || purchase.paid.as_ref().is_some_and(beside)).then_some(RefusalReason::R11)
        }
        Purpose::TopUp(paid) => {
            (!paid.amount.is_positive() || above(paid.amount)).then_some(RefusalReason::R11)
        }
        Purpose::Spend(spending) => value::is_impossible(spending).then_some(RefusalReason::R11),
    }
}

/// Whether an occurrence receives attendance now (rule K26). With a clock that cannot be trusted the plan's times
/// cannot be judged here; the approval can, and the centre judges the rest.
#[must_use]
pub fn runs(occurrence: &OccurrenceRow, now: &Now) -> bool {
    match now.quality {
        ClockQuality::Floor => occurrence.state == OccurrenceState::Approved,
        ClockQuality::Synced | ClockQuality::Kept => occurrence.runs_at(now.trusted),
    }
}

/// Whether people may be seen leaving an occurrence now. As [`runs`] where the clock cannot be trusted.
#[must_use]
pub fn lets_out(occurrence: &OccurrenceRow, now: &Now) -> bool {
    match now.quality {
        ClockQuality::Floor => occurrence.exits && occurrence.state != OccurrenceState::Planned,
        ClockQuality::Synced | ClockQuality::Kept => occurrence.lets_out_at(now.trusted),
    }
}

fn refuse(subject: Option<Subject>, purpose: &Purpose, reason: RefusalReason) -> Decision {
    let refused = Refused { subject, purpose: purpose.clone(), reason, count: 1 };
    plain(Event::Refused(refused), Outcome::Refused(reason))
}

fn plain(event: Event, outcome: Outcome) -> Decision {
    let value = value::Moved::default();
    let (promised, waiting, first_at) = (None, None, None);
    Decision { event, outcome, rule: None, promised, waiting, first_at, valid_from: None, value }
}

/// Green, or amber where the effect may still change, or the word for a card that nobody knows.
fn welcome(known: &Known<'_>, now: &Now) -> Outcome {
    if known.card.and_then(|card| card.member).is_none() {
        return Outcome::UnknownCard;
    }
    let age_us = known.directory_at.map_or(i64::MAX, |at| now.trusted.since(at));
    let age_max_us = known.terms.map_or(0, |terms| i64::from(terms.directory_age_max_s) * SECOND_US);
    if known.member.is_none() || age_us > age_max_us { Outcome::Recorded } else { Outcome::Accepted }
}

fn visit(known: &Known<'_>, subject: Subject, now: &Now, repeats: Option<Earlier>) -> Decision {
    let outcome = match (welcome(known, now), repeats) {
        (Outcome::UnknownCard, _) => Outcome::UnknownCard,
        (_, Some(_)) => Outcome::AlreadyIn,
        (outcome, None) => outcome,
    };
    let first_at = repeats.map(|first| first.at);
    Decision { first_at, ..plain(Event::Visited(Visited { subject }), outcome) }
}

/// Companions are those whom staff counted, or else those who were announced. With a repeat comes nobody anew.
fn check_in(
    known: &Known<'_>,
    subject: Subject,
    (occurrence, counted): (OccurrenceId, Option<u32>),
    now: &Now,
) -> Decision {
    // Who may leave in between may come back.
    let once = known.occurrence.is_some_and(|occurrence| occurrence.admits_once && !occurrence.exits);
    let repeats = known.already.filter(|_| once).or(known.tap);
    let points = known.occurrence.map_or(Amount::ZERO, |occurrence| occurrence.points);
    let promised = if repeats.is_none() && points.is_positive() { Some(points) } else { None };
    let outcome = match (welcome(known, now), repeats) {
        (Outcome::UnknownCard, _) => Outcome::UnknownCard,
        (_, Some(_)) => Outcome::AlreadyIn,
        // The plan's times could not be judged, so the centre may see it otherwise.
        (_, None) if now.quality == ClockQuality::Floor => Outcome::Recorded,
        (outcome, None) => outcome,
    };
    let announced = || known.occurrence.zip(subject.member).map(|(row, member)| row.announced(member));
    let companions = counted.or_else(announced).filter(|companions| *companions > 0 && repeats.is_none());
    let attended = Attended {
        subject,
        occurrence,
        promised: legs(promised),
        repeats: repeats.map(|first| first.seq),
        gate: None,
        way: Way::In,
        companions,
    };
    let first_at = repeats.map(|first| first.at);
    Decision { promised, first_at, ..plain(Event::Attended(attended), outcome) }
}

/// Leaving gives and takes nothing. Whether there was a way in is for the centre to say: it may have been elsewhere.
fn check_out(known: &Known<'_>, subject: Subject, occurrence: OccurrenceId, now: &Now) -> Decision {
    let outcome = match (welcome(known, now), known.tap) {
        (Outcome::UnknownCard, _) => Outcome::UnknownCard,
        (_, Some(_)) => Outcome::AlreadyIn,
        (_, None) if now.quality == ClockQuality::Floor => Outcome::Recorded,
        (outcome, None) => outcome,
    };
    let repeats = known.tap.map(|first| first.seq);
    let attended = Attended {
        subject,
        occurrence,
        promised: Vec::new(),
        repeats,
        gate: None,
        way: Way::Out,
        companions: None,
    };
    let first_at = known.tap.map(|first| first.at);
    Decision { first_at, ..plain(Event::Attended(attended), outcome) }
}

fn earn(
    known: &Known<'_>,
    subject: Subject,
    (purchase, slip): (Amount, Option<&Purchase>),
    now: &Now,
) -> Decision {
    let paid = slip.and_then(|purchase| purchase.paid.as_ref());
    let earns = earns(known, (purchase, paid), now);
    // What waits for approval is told, but it is no promise. Growth is recorded, so that a return can name it; it is shown
    // to nobody as points.
    let told = |points: Amount| (known.tap.is_none() && points.is_positive()).then_some(points);
    let (promised, waiting) = (told(earns.at_once), told(earns.waiting));
    let outcome = match (welcome(known, now), known.tap) {
        (Outcome::UnknownCard, _) => Outcome::UnknownCard,
        (_, Some(_)) => Outcome::AlreadyIn,
        (outcome, None) => outcome,
    };
    let earned = Earned {
        subject,
        purchase,
        promised: if known.tap.is_none() { earns.promised() } else { Vec::new() },
        slip: slip.map(|purchase| purchase.slip.clone()),
        replaces: slip.and_then(|purchase| purchase.replaces.clone()),
        repeats: known.tap.map(|first| first.seq),
        paid: paid.cloned(),
    };
    let first_at = known.tap.map(|first| first.at);
    let rule = earns.rule();
    Decision { rule, promised, waiting, first_at, ..plain(Event::Earned(earned), outcome) }
}

/// What a purchase earns by the version held here, as the ledger will reckon it. Nothing where that cannot be told here,
/// or passes what can be counted: then nothing is promised, and the centre reckons.
fn earns(known: &Known<'_>, bought: (Amount, Option<&Paid>), now: &Now) -> Earns {
    let Some(terms) = known.terms else { return Earns::default() };
    let default = OfficeClock::default();
    let clock = known.office.map_or(&default, |office| &office.clock);
    let shop = Shop {
        office: known.office.map_or("", |office| office.code.as_str()),
        day: clock.business_day(now.trusted),
        knows_day: now.quality != ClockQuality::Floor,
    };
    earns_at(terms, bought, shop, known.member.is_some())
}

/// Where and on which day something is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shop<'a> {
    /// Code of the office, as sheets name it.
    pub office: &'a str,
    /// Its business day.
    pub day: Day,
    /// Whether the clock can be trusted for the day.
    pub knows_day: bool,
}

/// What a purchase earns by a version, of money that is paid and what the slip says beside it; nothing where that cannot be
/// told here.
#[must_use]
pub fn earns_at(
    terms: &SchemeTerms,
    (money, paid): (Amount, Option<&Paid>),
    shop: Shop<'_>,
    is_member: bool,
) -> Earns {
    let has_sheets = terms.earning.as_ref().is_some_and(|earning| !earning.sheets.is_empty());
    if has_sheets && !shop.knows_day {
        return Earns::default();
    }
    let (office, day) = (shop.office, shop.day);
    // Whoever shows a card has one, and sub cards stand under a main card; who is in the directory was verified.
    let begun = Begun { card_issued: Some(day), main_card: Some(day), verified: is_member.then_some(day) };
    purchase::earns(terms, &Bought { money, paid, office, day, begun }).unwrap_or_default()
}

fn legs(points: Option<Amount>) -> Vec<Leg> {
    points.map(|amount| Leg { unit: Unit::Pts, amount }).into_iter().collect()
}

#[cfg(test)]
mod tests;
