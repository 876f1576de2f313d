//! The counter page's snapshot, put together from the loop's state, the journal and the directory.
//!
//! It holds what staff may see and nothing else: names as the scheme gives them, last characters of a card.

use hufu_hardware::card::SourceKind;
use hufu_shared::fact::{Attended, Event, Fact, Handing, Party, Purpose as FactPurpose, Way};
use hufu_shared::ids::{ItemId, OccurrenceId};
use hufu_shared::member::{GiftRow, MemberRow, OccurrenceRow};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::time::DAY_US;

use super::core::{Swiped, TakenBack};
use super::dispatch::{Desk, Dispatch};
use super::panels::DisplayState;
use crate::counter::view::{
    ActivityView, AllowanceView, ClockView, CounterView, DisplayView, GateView, GiftView, LinkView, ModeView,
    NoticeView, Outcome, PersonView, Purpose, ReaderView, ResultView, ShortView, Source, StaffView, Stopped,
    SwipeView, Taken, UnshownView,
};
use crate::rules::decide;
use crate::rules::decide::value::Short;
use crate::rules::quota::is_tight;
use crate::rules::readiness::{Held, Readiness, readiness};
use crate::rules::timekeeping::Now;
use crate::rules::upload_plan::Stop;
use crate::store::{Allowance, Directory, OpenNotice, StoreError, ValueKind};

/// How a medium came, in the page's words.
#[must_use]
pub fn source(kind: SourceKind) -> Source {
    match kind {
        SourceKind::Swipe => Source::Stripe,
        SourceKind::Scan => Source::Code,
        _ => Source::Tap,
    }
}

/// A member as staff see them.
#[must_use]
pub fn person(member: &MemberRow) -> PersonView {
    PersonView {
        name: member.full_name.clone().or_else(|| member.masked_name.clone()),
        level: member.level.clone(),
        points: member.points,
        value: member.value,
        points_at: member.points_at,
    }
}

/// A purpose with the name of its activity.
#[must_use]
pub fn purpose(directory: &Directory, purpose: &FactPurpose) -> Purpose {
    match purpose {
        FactPurpose::Visit => Purpose::Visit,
        FactPurpose::LookUp => Purpose::LookUp,
        FactPurpose::Earn(purchase) => Purpose::Earn { purchase: *purchase },
        FactPurpose::EarnSlip(purchase) => Purpose::Earn { purchase: purchase.amount },
        FactPurpose::Spend(spending) => spent(&spending.legs, spending.paid_out.as_deref()),
        FactPurpose::TopUp(paid) => Purpose::TopUp { amount: paid.amount },
        FactPurpose::HandOut(handing) => {
            handed(directory, handing.occurrence, handing.item, handing.quantity)
        }
        FactPurpose::ReportLost => Purpose::ReportLost,
        FactPurpose::Replace(_) => Purpose::Replace,
        FactPurpose::CheckIn(occurrence) => {
            Purpose::CheckIn { name: name_of_activity(directory, *occurrence) }
        }
        FactPurpose::CheckInParty(party) => {
            let name = name_of_activity(directory, party.occurrence);
            Purpose::CheckInParty { name, companions: party.companions }
        }
        FactPurpose::CheckOut(occurrence) => {
            Purpose::CheckOut { name: name_of_activity(directory, *occurrence) }
        }
    }
}

fn name_of_activity(directory: &Directory, occurrence: OccurrenceId) -> Words {
    let small = directory.small();
    small.occurrence(occurrence).map_or_else(no_words, |row| row.name.clone())
}

fn handed(directory: &Directory, occurrence: OccurrenceId, item: ItemId, quantity: u32) -> Purpose {
    let small = directory.small();
    let gift = small.occurrence(occurrence).and_then(|row| row.gift(item));
    Purpose::HandOut { name: gift.map_or_else(no_words, |gift| gift.name.clone()), quantity }
}

fn spent(legs: &[Leg], paid_out: Option<&str>) -> Purpose {
    match (legs, paid_out) {
        ([leg], Some(_)) => Purpose::CashOut { amount: leg.amount },
        _ => Purpose::Spend { legs: legs.to_vec() },
    }
}

pub(super) fn outcome(outcome: decide::Outcome) -> Outcome {
    match outcome {
        decide::Outcome::Accepted => Outcome::Accepted,
        decide::Outcome::Recorded => Outcome::Recorded,
        decide::Outcome::Refused(reason) => Outcome::Refused(reason),
        decide::Outcome::AlreadyIn => Outcome::AlreadyIn,
        decide::Outcome::UnknownCard => Outcome::UnknownCard,
        decide::Outcome::Redeemed => Outcome::Redeemed,
        decide::Outcome::OverOfflineLimit => Outcome::OverOfflineLimit,
    }
}

/// The large panel after a swipe.
pub(super) fn result(
    dispatch: &Dispatch,
    swiped: &Swiped,
    what: &FactPurpose,
    source: Source,
    now: &Now,
) -> ResultView {
    let came = match &swiped.decision.event {
        Event::Attended(attended) => Some(came_as(attended)),
        _ => None,
    };
    ResultView {
        purpose: purpose(dispatch.core.directory(), came.as_ref().unwrap_or(what)),
        person: swiped.member.as_ref().map(person),
        card_tail: swiped.card.as_ref().map(|card| card.tail.clone()).filter(|tail| !tail.is_empty()),
        promised: swiped.decision.promised.or(swiped.decision.waiting),
        promised_pending: swiped.decision.promised.is_none() && swiped.decision.waiting.is_some(),
        first_at: swiped.decision.first_at,
        valid_from: swiped.decision.valid_from,
        short: swiped.decision.value.short.map(short),
        moved: swiped.decision.value.legs.clone(),
        left: swiped.decision.value.left.clone(),
        seq: swiped.seq,
        ..plain_result(dispatch, outcome(swiped.decision.outcome), source, now)
    }
}

/// The large panel after something was taken back at the counter.
pub(super) fn taken_back(dispatch: &Dispatch, taken: &TakenBack, now: &Now) -> ResultView {
    let of = match taken.kind {
        ValueKind::Earned => Taken::Earned,
        ValueKind::Spent => Taken::Spent,
        ValueKind::ToppedUp => Taken::ToppedUp,
    };
    let member = taken.member.and_then(|member| dispatch.core.member(member));
    ResultView {
        owes: taken.missing.filter(|_| taken.asks_gift()),
        purpose: Purpose::TakeBack { of },
        person: member.as_ref().map(person),
        moved: taken.moved(),
        seq: Some(taken.seq),
        ..plain_result(dispatch, Outcome::Accepted, Source::Typed, now)
    }
}

/// The large panel when nothing is known of a card.
pub(super) fn plain_result(dispatch: &Dispatch, outcome: Outcome, source: Source, now: &Now) -> ResultView {
    ResultView {
        n: dispatch.desk.n,
        outcome,
        purpose: purpose(dispatch.core.directory(), &dispatch.mode.purpose),
        source,
        at: now.trusted,
        person: None,
        card_tail: None,
        promised: None,
        promised_pending: false,
        first_at: None,
        first_office: None,
        valid_from: None,
        short: None,
        not_undone: None,
        moved: Vec::new(),
        left: Vec::new(),
        owes: None,
        listed: None,
        batch: None,
        offline: !dispatch.link.online,
        seq: None,
    }
}

/// Adds a result to the list of last swipes; a refusal that is only counted replaces its line.
pub(super) fn remember(desk: &mut Desk, result: &ResultView, count: u32) {
    let line = SwipeView {
        seq: result.seq,
        outcome: result.outcome,
        purpose: result.purpose.clone(),
        at: result.at,
        name: result.person.as_ref().and_then(|person| person.name.clone()),
        card_tail: result.card_tail.clone(),
        promised: result.promised,
        moved: result.moved.clone(),
        count,
    };
    if count > 1 {
        desk.last.pop_front();
    }
    desk.push(line);
}

fn short(short: Short) -> ShortView {
    let Short { unit, wanted, possible, missing, why } = short;
    ShortView { unit, wanted, possible, missing, why }
}

/// The whole snapshot.
pub(super) fn build(dispatch: &Dispatch, now: &Now) -> Result<CounterView, StoreError> {
    let core = &dispatch.core;
    let small = core.directory().small();
    let office = small.office(core.terminal().office);
    let place_word = core.terms(now).map(|terms| terms.place_word);
    let (open, unshown, held) = core.store().with(|journal| {
        Ok((journal.open_notices()?, journal.unshown()?, journal.allowances(now.mono_ns)?))
    })?;
    // What goes to the centre and what the centre may know is that of the books, also in practice.
    let state = dispatch
        .books()
        .store()
        .with(|journal| Ok((journal.queue_len(), journal.directory_at(), journal.used_percent()?)))?;
    let readiness = if dispatch.practice.is_some() {
        let real = dispatch.books().store().with(|journal| journal.allowances(now.mono_ns))?;
        ready(dispatch, (&real, state.2), now)
    } else {
        ready(dispatch, (&held, state.2), now)
    };
    let allowances = held.into_iter().map(|held| AllowanceView {
        unit: held.unit,
        members: held.members,
        left: held.left,
        expired: held.expired,
    });
    Ok(dispatch.as_staff_see(CounterView {
        zone: dispatch.zone(),
        office: office.map_or_else(no_words, |office| office.name.clone()),
        place_word: place_word
            .unwrap_or_else(|| Words { zh: "案场".to_owned(), en: "sales office".to_owned() }),
        terminal: core.terminal().name.clone(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        link: LinkView {
            online: dispatch.link.online,
            since: dispatch.link.since,
            queue_len: state.0,
            last_sync: dispatch.link.last_sync,
            directory_at: state.1.or(small.about.map(|about| about.made_at)),
            stopped: dispatch.link.stopped.as_ref().map(stopped),
            refused: dispatch.link.refused.clone(),
            tight_percent: Some(state.2).filter(|used| is_tight(*used)),
        },
        mode: mode(dispatch),
        activities: activities(dispatch, now)?,
        readers: readers(dispatch, now),
        result: dispatch.desk.result.clone(),
        last: dispatch.desk.last.iter().cloned().collect(),
        notices: open.iter().map(|notice| notice_view(dispatch, notice)).collect(),
        unshown: unshown.iter().map(|fact| unshown_view(dispatch, fact)).collect(),
        batch: dispatch.batch_view(),
        candidate: dispatch.desk.candidate.as_ref().map(|candidate| candidate.view.clone()),
        guest: dispatch.pages.guest.as_ref().map(|guest| guest.view.clone()),
        asking: dispatch
            .desk
            .asking
            .as_ref()
            .map(|asking| asking.view.clone())
            .or_else(|| dispatch.desk.undoing.as_ref().map(|undoing| undoing.view.clone())),
        allowances: allowances.collect(),
        clock: ClockView { quality: now.quality, offset_us: dispatch.clock.offset_us() },
        display: display(dispatch),
        printer: dispatch.printer_view(),
        readiness: readiness.into(),
        setup: dispatch.setup_view(now),
        practice: dispatch.practice.is_some(),
        staff: StaffView::default(),
    }))
}

fn display(dispatch: &Dispatch) -> DisplayView {
    let DisplayState { kind, fault, each, .. } = &dispatch.display;
    DisplayView { kind: kind.clone(), fault: fault.clone(), each: each.clone() }
}

/// Whether the terminal is ready to go offline.
fn ready(dispatch: &Dispatch, (held, used_percent): (&[Allowance], u8), now: &Now) -> Readiness {
    let core = &dispatch.core;
    let small = core.directory().small();
    let terms = core.terms(now);
    let seen_at = dispatch.books().store().with(|journal| Ok(journal.directory_at())).ok().flatten();
    let held = Held {
        directory_at: seen_at.max(small.about.map(|about| about.made_at)),
        terms: terms.as_ref(),
        occurrences: &small.occurrences,
        here: core.terminal().office,
        leased: held.iter().map(|held| held.members).max().unwrap_or(0),
        leases_end_s: held.iter().filter_map(|held| held.ends_s).min(),
        offset_us: dispatch.clock.offset_us(),
        used_percent,
        free_bytes: dispatch.free_bytes(),
    };
    readiness(&held, now)
}

pub(super) fn no_words() -> Words {
    Words { zh: String::new(), en: String::new() }
}

fn stopped(stop: &Stop) -> Stopped {
    match stop {
        Stop::Fork { .. } => Stopped::Fork,
        Stop::Lost { .. } => Stopped::Lost,
        Stop::Revoked { .. } => Stopped::Revoked,
        Stop::Epoch { .. } => Stopped::Epoch,
        _ => Stopped::Receipt,
    }
}

fn mode(dispatch: &Dispatch) -> ModeView {
    match &dispatch.mode.purpose {
        FactPurpose::Visit => ModeView::Visit,
        FactPurpose::LookUp => ModeView::LookUp,
        FactPurpose::Earn(purchase) => ModeView::Earn { purchase: *purchase },
        FactPurpose::CheckIn(occurrence) => {
            let name = name_of_activity(dispatch.core.directory(), *occurrence);
            ModeView::CheckIn { occurrence: *occurrence, name }
        }
        FactPurpose::CheckOut(occurrence) => {
            let name = name_of_activity(dispatch.core.directory(), *occurrence);
            ModeView::CheckOut { occurrence: *occurrence, name }
        }
        FactPurpose::HandOut(Handing { occurrence, item, quantity }) => {
            let (occurrence, item, quantity) = (*occurrence, *item, *quantity);
            let Purpose::HandOut { name, .. } = handed(dispatch.core.directory(), occurrence, item, quantity)
            else {
                return ModeView::Visit;
            };
            ModeView::HandOut { occurrence, item, name, quantity }
        }
        FactPurpose::EarnSlip(purchase) => ModeView::Earn { purchase: purchase.amount },
        once => ModeView::Once { purpose: purpose(dispatch.core.directory(), once) },
    }
}

/// Occurrences of today at this office, and the one that is chosen.
fn activities(dispatch: &Dispatch, now: &Now) -> Result<Vec<ActivityView>, StoreError> {
    let core = &dispatch.core;
    let clock = core.office_clock();
    let today = clock.business_day(now.trusted);
    let chosen = dispatch.occurrence();
    let small = core.directory().small();
    let here = small.occurrences.iter().filter(|row| row.is_held_at(core.terminal().office));
    let of_today = here.filter(|row| {
        // An end at the very start of a day belongs to the day before.
        let days = clock.business_day(row.starts)..=clock.business_day(row.ends.offset(-1));
        let long = row.ends.since(row.starts) > 366 * DAY_US;
        Some(row.occurrence) == chosen
            || (days.contains(&today) && !long)
            || row.lets_out_at(now.trusted)
            || (long && row.runs_at(now.trusted))
    });
    of_today
        .map(|row| {
            let attended_here = core.store().with(|journal| journal.attendance(row.occurrence))?;
            let ways = dispatch.gate.ways(row);
            Ok(ActivityView {
                occurrence: row.occurrence,
                name: row.name.clone(),
                starts: row.starts,
                ends: row.ends,
                points: row.points,
                running: decide::runs(row, now),
                enters: ways.enters,
                leaves: ways.leaves.then(|| decide::lets_out(row, now)),
                attended_here,
                gates: gates(dispatch, row.occurrence)?,
                gifts: gifts(dispatch, row)?,
                companions: row.companions_most(),
            })
        })
        .collect()
}

/// What the gates count; one gate without a number only repeats what stands beside it.
fn gates(dispatch: &Dispatch, occurrence: OccurrenceId) -> Result<Vec<GateView>, StoreError> {
    let passed = dispatch.core.store().with(|journal| journal.passages(occurrence))?;
    let plain = |(gate, _, gone): &(u16, u64, u64)| *gate == 0 && *gone == 0;
    if passed.iter().all(plain) {
        return Ok(Vec::new());
    }
    Ok(passed.into_iter().map(|(gate, entered, left)| GateView { gate, entered, left }).collect())
}

fn gifts(dispatch: &Dispatch, row: &OccurrenceRow) -> Result<Vec<GiftView>, StoreError> {
    let view = |gift: &GiftRow| {
        let store = dispatch.core.store();
        let handed_here = store.with(|journal| journal.handed_total(row.occurrence, gift.item))?;
        Ok(GiftView { item: gift.item, name: gift.name.clone(), each: gift.each, handed_here })
    };
    row.gifts.iter().map(view).collect()
}

pub(super) fn readers(dispatch: &Dispatch, now: &Now) -> Vec<ReaderView> {
    let book = &dispatch.readers;
    let since = |since_ns: u64| {
        let age_us = i64::try_from(now.mono_ns.saturating_sub(since_ns) / 1_000).unwrap_or(i64::MAX);
        now.trusted.offset(age_us.saturating_neg())
    };
    let entries = book.entries.iter().enumerate();
    entries
        .flat_map(|(index, (name, kind))| {
            let source = source(*kind);
            let known: Vec<ReaderView> = book
                .health
                .of(index)
                .map(|health| ReaderView {
                    name: if health.name.is_empty() { name.clone() } else { health.name.clone() },
                    source,
                    up: health.up,
                    since: Some(since(health.since_ns)),
                    reason: health.reason.clone(),
                })
                .collect();
            if known.is_empty() {
                let name = name.clone();
                return vec![ReaderView { name, source, up: false, since: None, reason: String::new() }];
            }
            known
        })
        .collect()
}

/// What a check-in was, with the companions that came.
fn came_as(attended: &Attended) -> FactPurpose {
    let occurrence = attended.occurrence;
    match (attended.way, attended.companions) {
        (Way::In, Some(companions)) => FactPurpose::CheckInParty(Party { occurrence, companions }),
        (Way::In, None) => FactPurpose::CheckIn(occurrence),
        (Way::Out, _) => FactPurpose::CheckOut(occurrence),
    }
}

fn purpose_of(dispatch: &Dispatch, fact: &Fact) -> Option<Purpose> {
    let directory = dispatch.core.directory();
    match &fact.event {
        Event::Visited(_) => Some(Purpose::Visit),
        Event::Attended(attended) => Some(purpose(directory, &came_as(attended))),
        Event::Earned(earned) => Some(Purpose::Earn { purchase: earned.purchase }),
        Event::Refused(refused) => Some(purpose(directory, &refused.purpose)),
        Event::Spent(fact) => Some(spent(&fact.legs, fact.paid_out.as_deref())),
        Event::ToppedUp(topped) => Some(Purpose::TopUp { amount: topped.amount }),
        Event::HandedOut(fact) => Some(handed(directory, fact.occurrence, fact.item, fact.quantity)),
        Event::CardReportedLost(_) => Some(Purpose::ReportLost),
        Event::CardReplaced(_) => Some(Purpose::Replace),
        _ => None,
    }
}

fn name_of(dispatch: &Dispatch, fact: &Fact) -> Option<String> {
    fact.event.subject().and_then(|subject| subject.member).and_then(|member| dispatch.core.name_of(member))
}

fn promised(fact: &Fact) -> Option<Amount> {
    let legs = match &fact.event {
        Event::Attended(attended) => &attended.promised,
        Event::Earned(earned) => &earned.promised,
        _ => return None,
    };
    legs.iter().find(|leg| leg.unit == Unit::Pts).map(|leg| leg.amount)
}

fn notice_view(dispatch: &Dispatch, notice: &OpenNotice) -> NoticeView {
    let fact = notice.fact.as_ref();
    NoticeView {
        n: notice.id,
        seq: notice.disposition.seq,
        at: fact.map(|fact| fact.wall),
        name: fact.and_then(|fact| name_of(dispatch, fact)),
        purpose: fact.and_then(|fact| purpose_of(dispatch, fact)),
        became: notice.disposition.became,
        kind: notice.disposition.kind,
        other_office: notice.other_office.clone(),
        other_at: notice.other_at,
    }
}

fn unshown_view(dispatch: &Dispatch, fact: &Fact) -> UnshownView {
    UnshownView {
        seq: fact.seq,
        at: fact.wall,
        purpose: purpose_of(dispatch, fact).unwrap_or(Purpose::Visit),
        name: name_of(dispatch, fact),
        promised: promised(fact),
    }
}
