//! Spends and their returns on real files: what is recorded, what moves, what people are told.

use std::sync::Arc;

use hufu_shared::cbor;
use hufu_shared::fact::{Fact, Funding, RefusalReason, Refused, Reversed, Shown, Spent};
use hufu_shared::money::Amount;
use hufu_shared::scheme::redemption::{Returns, Shortfall};
use hufu_shared::time::{Day, SECOND_US};
use hufu_shared::wire::lease::AskBecame;

use super::*;
use crate::rules::decide::Outcome;
use crate::rules::decide::value::{Asked, Why};
use crate::rules::lease::Holding;
use crate::run::core::{Mode, Swiped};
use crate::store::testing::*;

struct Place {
    _folder: tempfile::TempDir,
    core: Core,
}

fn place(states: &[hufu_shared::wire::lease::LeaseState]) -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let core = Core::new(booted(folder.path()), directory(folder.path(), 3), Arc::new(terminal()));
    grant(core.store(), states, &at(0));
    Place { _folder: folder, core }
}

fn spending(legs: &[Leg]) -> Purpose {
    Purpose::Spend(Spending { legs: legs.to_vec(), slip: None, item: None, paid_out: None })
}

fn slip(number: &str) -> SlipKey {
    SlipKey { shop: "A".into(), number: number.into(), date: Day(20_000) }
}

impl Place {
    fn swipe(&mut self, n: u8, purpose: Purpose, seconds: u64) -> Swiped {
        self.asked(n, purpose, None, seconds)
    }

    fn asked(&mut self, n: u8, purpose: Purpose, asked: Option<Asked>, seconds: u64) -> Swiped {
        let presented = Presented { card: card_number(n), reader: 0 };
        let mode = Mode { purpose, operator: None };
        self.core.swipe_asked(&presented, &mode, asked, &at(seconds)).expect("recorded")
    }

    fn facts(&self) -> Vec<Event> {
        let stored = self.core.store().with(|journal| journal.pending(1, usize::MAX, usize::MAX));
        let event = |body: &[u8]| cbor::decode::<Fact>(body).expect("our own").event;
        stored.expect("read").iter().map(|stored| event(&stored.body)).collect()
    }

    fn leases(&self, n: u8) -> Vec<Holding> {
        self.core.store().with(|journal| journal.open_leases(member_row(n).member)).expect("read")
    }

    fn left(&self, n: u8) -> Vec<i64> {
        self.leases(n).iter().map(|held| held.left().0).collect()
    }

    fn reverse(&mut self, of: Which, part: Option<Leg>, seconds: u64) -> Result<TakenBack, NotReversed> {
        let taking = TakingBack { of, part, reason: "return".into(), slip: None };
        self.core.reverse(&taking, None, &at(seconds)).expect("the journal works")
    }
}

#[test]
fn a_spend_from_a_lease_is_one_fact_and_moves_the_counter_with_it() {
    let mut place = place(&[lease(1, Unit::Pts, 320, 7)]);
    let swiped = place.swipe(1, spending(&[pts(100)]), 1);
    assert_eq!((swiped.decision.outcome, swiped.seq), (Outcome::Redeemed, Some(2)));
    assert_eq!((swiped.decision.value.legs, swiped.decision.value.left), (vec![pts(100)], vec![pts(1_180)]));
    let Some(Event::Spent(Spent { legs, funding, .. })) = place.facts().pop() else { panic!("a spend") };
    let Funding::Lease(used) = &funding[0] else { panic!("from a lease") };
    assert_eq!((legs, used.spent_total, used.generation, used.state.n), (vec![pts(100)], Amount(100), 1, 7));
    assert_eq!(place.left(1), [220]);
    let second = place.swipe(1, spending(&[pts(220)]), 2);
    assert_eq!(second.decision.outcome, Outcome::Redeemed);
    assert_eq!(second.decision.value.left, [pts(960)], "one figure, less both spends");
    assert_eq!(place.left(1), [0]);
}

#[test]
fn inv_10_beyond_the_lease_nothing_is_spent_and_staff_hear_what_would_be_possible() {
    let mut place = place(&[lease(1, Unit::Pts, 80, 7)]);
    let over = place.swipe(1, spending(&[pts(200)]), 1);
    assert_eq!(over.decision.outcome, Outcome::OverOfflineLimit);
    let short = over.decision.value.short.expect("something is missing");
    assert_eq!(
        (short.possible, short.wanted, short.missing, short.why),
        (Amount(80), Amount(200), None, Why::TooSmall)
    );
    let too_much = place.swipe(1, spending(&[pts(1_400)]), 2);
    assert_eq!(too_much.decision.outcome, Outcome::Refused(RefusalReason::R05));
    assert_eq!(too_much.decision.value.short.and_then(|short| short.missing), Some(Amount(120)));
    let none = place.swipe(2, spending(&[pts(10)]), 3);
    assert_eq!(none.decision.value.short.map(|short| short.why), Some(Why::NoLease));
    assert_eq!(place.left(1), [80]);
    let shown = |event: &Event| matches!(event, Event::Refused(Refused { reason: RefusalReason::R12, .. }));
    assert_eq!(place.facts().iter().filter(|event| shown(event)).count(), 1, "the newest is still counted");
    assert!(!place.facts().iter().any(|event| matches!(event, Event::Spent(_))));
}

#[test]
fn all_legs_are_paid_or_none() {
    let mut place = place(&[lease(1, Unit::Pts, 300, 7), lease(1, Unit::Cny, 1_000, 8)]);
    let over = place.swipe(1, spending(&[pts(100), cny(2_000)]), 1);
    assert_eq!(over.decision.outcome, Outcome::OverOfflineLimit);
    assert_eq!(over.decision.value.short.map(|short| short.unit), Some(Unit::Cny));
    assert_eq!(place.left(1), [300, 1_000]);
    let both = place.swipe(1, spending(&[pts(100), cny(1_000)]), 2);
    assert_eq!(both.decision.outcome, Outcome::Redeemed);
    assert_eq!(both.decision.value.left, [pts(1_180), cny(49_000)]);
    assert_eq!(place.left(1), [200, 0]);
}

#[test]
fn an_expired_lease_is_closed_before_more_is_asked_for() {
    let mut place = place(&[lease(1, Unit::Pts, 320, 7)]);
    let week = 604_800;
    let expired = place.swipe(1, spending(&[pts(10)]), week);
    assert_eq!(expired.decision.value.short.map(|short| short.why), Some(Why::Expired));
    let presented = Presented { card: card_number(1), reader: 0 };
    let asks = place.core.asks(&presented, &spending(&[pts(10)]), &at(week + 1)).expect("asked");
    assert_eq!((asks.len(), asks[0].lease, asks[0].wanted_total), (1, None, Amount(10)));
    assert!(place.left(1).is_empty());
    assert!(
        matches!(place.facts().last(), Some(Event::LeaseClosed(closed)) if closed.spent_total == Amount(0))
    );
}

#[test]
fn an_ask_names_what_the_counter_must_reach_and_charges_nothing() {
    let mut place = place(&[lease(1, Unit::Pts, 80, 7)]);
    place.swipe(1, spending(&[pts(30)]), 1);
    let presented = Presented { card: card_number(1), reader: 0 };
    let before = place.facts().len();
    let ask = |place: &mut Place, amount| {
        place.core.asks(&presented, &spending(&[pts(amount)]), &at(2)).expect("asked")
    };
    assert_eq!(ask(&mut place, 50), [], "the lease pays");
    let asks = ask(&mut place, 200);
    assert_eq!((asks[0].generation, asks[0].wanted_total), (1, Amount(230)));
    assert_eq!((place.facts().len(), place.left(1)), (before, vec![50]));
    // The raise came: the same swipe is now paid.
    grant(place.core.store(), &[lease(1, Unit::Pts, 230, 9)], &at(3));
    let granted = Asked { became: Some(AskBecame::Granted), figure: Some(pts(1_250)) };
    let swiped = place.asked(1, spending(&[pts(200)]), Some(granted), 4);
    assert_eq!((swiped.decision.outcome, place.left(1)), (Outcome::Redeemed, vec![0]));
}

#[test]
fn what_the_centre_said_chooses_the_words_of_a_refusal_and_nothing_else() {
    let mut place = place(&[lease(1, Unit::Pts, 80, 7)]);
    let figure = Some(pts(90));
    let cases = [
        (None, Outcome::OverOfflineLimit, Why::NoAnswer, None),
        (Some(AskBecame::TooLittle), Outcome::Refused(RefusalReason::R05), Why::TooLittle, Some(Amount(110))),
        (Some(AskBecame::Unreachable), Outcome::OverOfflineLimit, Why::Unreachable, None),
        (Some(AskBecame::Owing), Outcome::Refused(RefusalReason::R05), Why::Owing, None),
        (Some(AskBecame::Limit), Outcome::Refused(RefusalReason::R15), Why::Limit, None),
        (Some(AskBecame::Frozen), Outcome::Refused(RefusalReason::R15), Why::Frozen, None),
        (Some(AskBecame::Recovering), Outcome::OverOfflineLimit, Why::Recovering, None),
        (Some(AskBecame::Recalling), Outcome::OverOfflineLimit, Why::OnItsWay, None),
    ];
    for (at, (became, outcome, why, missing)) in cases.into_iter().enumerate() {
        let asked = Some(Asked { became, figure });
        let swiped = place.asked(1, spending(&[pts(200)]), asked, 1 + at as u64);
        let short = swiped.decision.value.short.expect("short");
        assert_eq!(
            (swiped.decision.outcome, short.why, short.missing),
            (outcome, why, missing),
            "{became:?}"
        );
        assert_eq!(short.possible, Amount(80));
    }
    // A word of the centre that comes too late does not stop what the lease pays for.
    let asked = Some(Asked { became: Some(AskBecame::TooLittle), figure });
    let swiped = place.asked(1, spending(&[pts(80)]), asked, 20);
    assert_eq!(swiped.decision.outcome, Outcome::Redeemed);
}

#[test]
fn kind_02_the_same_spend_at_once_or_the_same_slip_ever_is_refused_as_done() {
    let mut place = place(&[lease(1, Unit::Pts, 1_000, 7)]);
    let with_slip = |number: &str| {
        Purpose::Spend(Spending { legs: vec![pts(10)], slip: Some(slip(number)), item: None, paid_out: None })
    };
    place.swipe(1, spending(&[pts(10)]), 1);
    let again = place.swipe(1, spending(&[pts(10)]), 20);
    assert_eq!(again.decision.outcome, Outcome::Refused(RefusalReason::R06));
    assert_eq!(again.decision.first_at, Some(at(1).wall));
    assert_eq!(
        place.swipe(1, spending(&[pts(11)]), 21).decision.outcome,
        Outcome::Redeemed,
        "another amount"
    );
    assert_eq!(
        place.swipe(1, spending(&[pts(10)]), 62).decision.outcome,
        Outcome::Redeemed,
        "a minute later"
    );
    assert_eq!(
        place.swipe(1, with_slip("1"), 63).decision.outcome,
        Outcome::Redeemed,
        "a slip tells it apart"
    );
    let slip_again = place.swipe(1, with_slip("1"), 9_000);
    assert_eq!(slip_again.decision.outcome, Outcome::Refused(RefusalReason::R06));
}

#[test]
fn nothing_of_value_is_done_with_a_card_that_is_not_registered() {
    let mut place = place(&[]);
    for purpose in [spending(&[pts(10)]), Purpose::ReportLost] {
        let swiped = place.swipe(99, purpose, 1);
        assert_eq!(swiped.decision.outcome, Outcome::UnknownCard);
        assert!(matches!(swiped.decision.event, Event::Refused(Refused { reason: RefusalReason::R14, .. })));
    }
}

#[test]
fn a_card_reported_lost_is_refused_here_at_once() {
    let mut place = place(&[lease(1, Unit::Pts, 100, 7)]);
    let lost = place.swipe(1, Purpose::ReportLost, 1);
    assert_eq!((lost.decision.outcome, lost.seq), (Outcome::Accepted, Some(2)));
    let refused = Outcome::Refused(RefusalReason::R07);
    assert_eq!(place.swipe(1, spending(&[pts(10)]), 2).decision.outcome, refused);
    let folder = place.core.store().with(|journal| Ok(journal.path().to_owned())).expect("a path");
    drop(place.core);
    let again = crate::store::Store::open(&folder, &terminal()).expect("opens");
    let blocked = again.with(|journal| Ok(journal.blocked(&card_row(1).token))).expect("read");
    assert_eq!(blocked, Some(hufu_shared::member::CardStatus::Lost), "also after a start");
}

#[test]
fn rule_h05_a_new_card_spends_what_the_member_has_here_also_after_a_start() {
    let mut place = place(&[lease(1, Unit::Pts, 100, 7)]);
    let old = Purpose::Replace(subject(1));
    let replaced = place.swipe(99, old.clone(), 1);
    assert_eq!((replaced.decision.outcome, replaced.seq), (Outcome::Accepted, Some(2)));
    assert_eq!(replaced.member.map(|member| member.member), card_row(1).member);
    assert_eq!(place.swipe(99, spending(&[pts(10)]), 2).decision.outcome, Outcome::Redeemed);
    let stopped = Outcome::Refused(RefusalReason::R01);
    assert_eq!(place.swipe(1, spending(&[pts(10)]), 3).decision.outcome, stopped, "the old one is void");
    assert_eq!(
        place.swipe(98, old, 4).decision.outcome,
        Outcome::Refused(RefusalReason::R06),
        "it was replaced already"
    );
    let folder = place.core.store().with(|journal| Ok(journal.path().to_owned())).expect("a path");
    drop(place.core);
    let again = crate::store::Store::open(&folder, &terminal()).expect("opens");
    let new = terminal().token_keys[0].token(&card_number(99));
    let given = again.with(|journal| Ok(journal.given_here(&[new]))).expect("read");
    assert_eq!(given.map(|(_, member)| Some(member)), Some(card_row(1).member));
}

#[test]
fn a_top_up_is_recorded_with_its_slip_and_undone_in_its_shift_only() {
    let mut place = place(&[]);
    let paid = |number: &str| {
        Purpose::TopUp(ToppingUp { amount: Amount(10_000), method: "cash".into(), slip: slip(number) })
    };
    let swiped = place.swipe(1, paid("7"), 1);
    assert_eq!((swiped.decision.outcome, swiped.decision.value.legs), (Outcome::Accepted, vec![cny(10_000)]));
    assert_eq!(place.swipe(1, paid("7"), 2).decision.outcome, Outcome::Refused(RefusalReason::R06));
    let undone = place.reverse(Which::Slip(slip("7")), Some(cny(1)), 3).expect("in its shift");
    assert_eq!((undone.kind, undone.legs), (ValueKind::ToppedUp, vec![cny(10_000)]), "whole or not at all");
    assert_eq!(place.reverse(Which::Slip(slip("7")), None, 4), Err(NotReversed::Nothing));
    let next = place.swipe(1, paid("8"), 5).seq.expect("recorded");
    place
        .core
        .store()
        .with(|journal| journal.close_day(Day(20_001), &at(6), Default::default()))
        .expect("closed");
    assert_eq!(place.reverse(Which::Fact(next), None, 7), Err(NotReversed::TooLate));
}

#[test]
fn kind_31_a_return_takes_back_no_more_than_is_left_and_never_a_return() {
    let mut place = place(&[lease(1, Unit::Pts, 500, 7)]);
    let spent = place.swipe(1, spending(&[pts(100)]), 1).seq.expect("recorded");
    let part = place.reverse(Which::Fact(spent), Some(pts(40)), 2).expect("a part");
    assert_eq!((part.kind, part.legs), (ValueKind::Spent, vec![pts(40)]));
    let too_much = place.reverse(Which::Fact(spent), Some(pts(61)), 3);
    assert_eq!(too_much, Err(NotReversed::TooMuch { left: Amount(60), unit: Unit::Pts }));
    assert_eq!(place.reverse(Which::Fact(part.seq), None, 4), Err(NotReversed::Nothing), "never a return");
    let rest = place.reverse(Which::Fact(spent), None, 5).expect("the rest");
    assert_eq!(rest.legs, [pts(60)]);
    assert_eq!(place.reverse(Which::Fact(spent), None, 6), Err(NotReversed::Nothing));
    assert_eq!(place.left(1), [400], "a return goes to the member, never into the lease");
    let reversed =
        |event: &Event| matches!(event, Event::Reversed(Reversed { original, .. }) if original.seq == spent);
    assert_eq!(place.facts().iter().filter(|event| reversed(event)).count(), 2);
}

#[test]
fn rule_s08_goods_whose_points_are_gone_are_refused_where_the_club_takes_none_such() {
    for (shortfall, refused) in
        [(Shortfall::Block, true), (Shortfall::Negative, false), (Shortfall::ReturnGiftOrCash, false)]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let terms = Returns { shortfall, ..Returns::default() };
        let directory = returning_directory(folder.path(), 3, terms);
        let core = Core::new(booted(folder.path()), directory, Arc::new(terminal()));
        grant(core.store(), &[lease(1, Unit::Pts, 1_283, 7)], &at(0));
        let mut place = Place { _folder: folder, core };
        let bought = place.swipe(1, Purpose::Earn(Amount(32_000)), 1).seq.expect("recorded");
        let whole = place.reverse(Which::Fact(bought), Some(pts(1)), 2).expect("1,280 and 6 are there");
        assert_eq!(whole.legs, [pts(1)]);
        assert_eq!(place.swipe(1, spending(&[pts(1_283)]), 3).decision.outcome, Outcome::Redeemed);
        // 1,280 of the directory and 5 of the purchase, of which 1,283 are spent.
        let short = place.reverse(Which::Fact(bought), Some(pts(3)), 4);
        if !refused {
            assert_eq!(short.map(|back| back.legs), Ok(vec![pts(3)]), "{shortfall:?}: the rest is owed");
            continue;
        }
        assert_eq!(short, Err(NotReversed::Short { needs: Amount(3), has: Amount(2) }));
        let taking =
            TakingBack { of: Which::Fact(bought), part: None, reason: REASON_MISTAKE.to_owned(), slip: None };
        let undone = place.core.reverse(&taking, None, &at(5)).expect("the journal works");
        assert_eq!(undone.map(|back| back.legs), Ok(vec![pts(5)]), "nobody bought anything");
    }
}

#[test]
fn rule_s08_what_the_club_does_with_goods_is_told_with_them_and_not_with_a_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    let stay = Returns { reverse_points: false, ..Returns::default() };
    let directory = returning_directory(folder.path(), 3, stay.clone());
    let core = Core::new(booted(folder.path()), directory, Arc::new(terminal()));
    let mut place = Place { _folder: folder, core };
    let bought = place.swipe(1, Purpose::Earn(Amount(32_000)), 1).seq.expect("recorded");
    let back = place.reverse(Which::Fact(bought), Some(pts(2)), 2).expect("goods");
    assert_eq!((back.moved(), back.asks_gift()), (vec![], false), "staff are told that nothing goes");
    assert_eq!((back.legs, back.goods), (vec![pts(2)], Some(stay)), "the share is recorded all the same");
    let reason = REASON_MISTAKE.to_owned();
    let taking = TakingBack { of: Which::Fact(bought), part: None, reason, slip: None };
    let undone = place.core.reverse(&taking, None, &at(3)).expect("the journal works").expect("the rest");
    assert_eq!((undone.moved(), undone.asks_gift(), undone.goods), (vec![pts(4)], true, None));
}

#[test]
fn rule_s08_goods_come_back_by_the_version_that_decided_their_purchase() {
    let folder = tempfile::tempdir().expect("a folder");
    let stay = Returns { reverse_points: false, ..Returns::default() };
    let directory = republished_directory(folder.path(), 3, stay.clone());
    let core = Core::new(booted(folder.path()), directory, Arc::new(terminal()));
    let mut place = Place { _folder: folder, core };
    let bought = place.swipe(1, Purpose::Earn(Amount(32_000)), 1).seq.expect("recorded");
    let sold = place.core.store().with(|journal| journal.fact(bought)).expect("read").expect("held");
    for (scheme, returns, why) in [
        (1, stay, "the second version came later that day"),
        (2, Returns::default(), "decided by the second"),
        (3, Returns::default(), "the newest before one that is not held"),
        (0, Returns::default(), "before the first directory: by its day"),
    ] {
        assert_eq!(place.core.returns_of(&Fact { scheme, ..sold.clone() }), returns, "{why}");
    }
}

#[test]
fn rule_g06_a_slip_counts_once_and_its_re_creation_names_it() {
    let mut place = place(&[]);
    let purchase = |number: &str, replaces: Option<&str>| {
        let (slip, replaces) = (slip(number), replaces.map(slip));
        Purpose::EarnSlip(Purchase { amount: Amount(32_000), slip, replaces, paid: None })
    };
    assert_eq!(place.swipe(1, purchase("1", None), 1).decision.promised, Some(Amount(6)));
    let again = place.swipe(2, purchase("1", None), 9_000);
    assert_eq!(again.decision.outcome, Outcome::Refused(RefusalReason::R06), "whoever brings it");
    let itself = place.swipe(1, purchase("2", Some("2")), 9_001);
    assert_eq!(itself.decision.outcome, Outcome::Refused(RefusalReason::R11));
    place.swipe(1, purchase("2", Some("1")), 9_002);
    let Some(Event::Earned(earned)) = place.facts().pop() else { panic!("earned") };
    assert_eq!((earned.slip, earned.replaces), (Some(slip("2")), Some(slip("1"))));
    let returned = place.reverse(Which::Slip(slip("2")), Some(pts(2)), 9_003).expect("rule S8");
    assert_eq!((returned.kind, returned.legs), (ValueKind::Earned, vec![pts(2)]));
}

#[test]
fn kind_34_an_item_is_handed_to_a_member_once_at_an_occurrence() {
    let mut place = place(&[]);
    let handing = |quantity| {
        let item = hufu_shared::ids::ItemId([9; 16]);
        Purpose::HandOut(hufu_shared::fact::Handing { occurrence: OCCASION, item, quantity })
    };
    assert_eq!(place.swipe(1, handing(0), 1).decision.outcome, Outcome::Refused(RefusalReason::R11));
    assert_eq!(place.swipe(1, handing(2), 2).decision.outcome, Outcome::Accepted);
    let again = place.swipe(1, handing(1), 3_000);
    assert_eq!(
        (again.decision.outcome, again.decision.first_at),
        (Outcome::Refused(RefusalReason::R06), Some(at(2).wall))
    );
    assert_eq!(place.swipe(2, handing(1), 3_001).decision.outcome, Outcome::Accepted);
    let after = place.swipe(3, handing(1), 9 * 3_600);
    assert_eq!(after.decision.outcome, Outcome::Refused(RefusalReason::R10), "after the end");
}

#[test]
fn the_day_counts_what_was_spent_paid_in_and_taken_back() {
    let mut place = place(&[lease(1, Unit::Pts, 500, 7), lease(1, Unit::Cny, 5_000, 8)]);
    let spent = place.swipe(1, spending(&[pts(100), cny(2_000)]), 1).seq.expect("recorded");
    let paid = ToppingUp { amount: Amount(10_000), method: "cash".into(), slip: slip("7") };
    place.swipe(1, Purpose::TopUp(paid), 2);
    place.reverse(Which::Fact(spent), Some(cny(500)), 3).expect("a part");
    let (closed, _) = place
        .core
        .store()
        .with(|journal| journal.close_day(Day(20_001), &at(6), Default::default()))
        .expect("closed");
    let totals = closed.totals;
    assert_eq!((totals.spent, totals.spent_legs), (1, vec![pts(100), cny(2_000)]));
    assert_eq!((totals.topped_up, totals.reversed), (Amount(10_000), 1));
}

#[test]
fn a_figure_of_the_centre_that_knows_a_spend_is_not_lessened_by_it_again() {
    let mut place = place(&[lease(1, Unit::Pts, 500, 7)]);
    place.swipe(1, spending(&[pts(100)]), 1);
    let points = |place: &mut Place, seconds| {
        place.swipe(1, Purpose::LookUp, seconds).member.map(|member| member.points)
    };
    assert_eq!(points(&mut place, 2), Some(Amount(1_180)));
    place
        .core
        .store()
        .with(|journal| {
            // As after a receipt for everything, which the centre made before it reckoned the figure held here.
            journal.acked_as_if_receipted(3);
            journal.note_settled(NOON.offset(-SECOND_US))
        })
        .expect("noted");
    assert_eq!(points(&mut place, 3), Some(Amount(1_280)));
}

#[test]
fn nothing_is_spent_when_the_room_runs_out_and_at_last_nothing_recorded() {
    let mut place = place(&[lease(1, Unit::Pts, 500, 7)]);
    let room = |place: &Place, percent: i64| {
        place.core.store().with(|journal| journal.leave_room(percent)).expect("measured");
    };
    room(&place, 89);
    assert_eq!(place.swipe(1, spending(&[pts(1)]), 1).decision.outcome, Outcome::Redeemed);
    room(&place, 90);
    assert_eq!(place.swipe(1, spending(&[pts(2)]), 2).decision.outcome, Outcome::Refused(RefusalReason::R13));
    assert_eq!(place.swipe(1, Purpose::Visit, 3).decision.outcome, Outcome::Accepted);
    room(&place, 97);
    let full = place.swipe(2, Purpose::Visit, 4);
    assert_eq!(
        (full.decision.outcome, full.decision.outcome.shown()),
        (Outcome::Refused(RefusalReason::R13), Shown::Refused)
    );
}
