//! Who pays a leg: conflict kinds 5 to 10, what stays in escrow until explained, and where returns go.

use super::super::spend::{Bearer, Block, Effect, explain};
use super::*;

const MEMBER_PAYS: Effect = Effect::Settle(Bearer::Member);

fn blocked(reported_lost: bool) -> Known {
    Known { block: Block::After { reported_lost }, ..Known::default() }
}

fn effect(row: &LeaseRow, leg: &SpentLeg, known: Known) -> (Effect, Option<u8>, Vec<u8>) {
    let judged = judge(Some(row), leg, known);
    (judged.effect, judged.kind, judged.flags)
}

#[test]
fn kind_05_a_spend_over_its_lease_goes_to_suspense_and_freezes_the_device() {
    let row = after(granted(100), &[(40, 40)]);
    let cases = [
        ("one too many", leg(2, 61, 101)),
        ("a counter that jumps", leg(2, 10, 60)),
        ("a counter that stands still", leg(2, 10, 40)),
        ("a counter that goes back", leg(2, 10, 30)),
        ("nothing", leg(2, 0, 40)),
        ("less than nothing", leg(2, -10, 30)),
        ("as much as 64 bits hold", leg(2, i64::MAX, i64::MAX)),
        ("another unit", SpentLeg { unit: Unit::Cny, ..leg(2, 10, 50) }),
        ("another member's card", SpentLeg { member: Some(MemberId([9; 16])), ..leg(2, 10, 50) }),
    ];
    for (name, leg) in cases {
        let judged = judge(Some(&row), &leg, Known::default());
        assert_eq!((judged.effect, judged.kind, judged.freeze), (Effect::Suspense, Some(5), true), "{name}");
        let after = judged.row.expect("it has a row");
        assert_eq!(
            (after.escrow(), after.settled),
            (row.escrow(), row.settled),
            "{name}: the member loses nothing"
        );
    }
    assert_eq!(
        effect(&row, &leg(2, 60, 100), Known::default()),
        (MEMBER_PAYS, None, vec![]),
        "to the last point"
    );
}

#[test]
fn kind_05_one_wrong_spend_does_not_accuse_those_after_it() {
    let row = after(granted(100), &[(40, 40)]);
    let jumped = judge(Some(&row), &leg(2, 10, 60), Known::default()).row.expect("it has a row");
    assert_eq!(effect(&jumped, &leg(3, 5, 65), Known::default()), (MEMBER_PAYS, None, vec![]));
}

#[test]
fn kind_05_what_was_suspended_stays_in_escrow_until_a_person_explains_it() {
    let jumped = judge(Some(&after(granted(100), &[(40, 40)])), &leg(2, 10, 60), Known::default());
    let closed = close(&jumped.row.expect("it has a row"), Amount(60), 3, false);
    assert_eq!(
        (closed.release, closed.kind),
        (Amount(40), None),
        "granted 100, spent 60 by the device's word"
    );
    assert_eq!((closed.row.escrow(), closed.row.unexplained()), (Amount(20), Amount(20)));
    let counts = explain(&closed.row, Amount(10), true);
    assert_eq!((counts.settled, counts.uncovered, counts.release), (Amount(10), Amount(0), Amount(0)));
    let not = explain(&closed.row, Amount(10), false);
    assert_eq!((not.settled, not.uncovered, not.release), (Amount(0), Amount(0), Amount(10)));
    let (row, rest) = write_off(&not.row).expect("the ten that no fact ever named");
    assert_eq!((rest, row.escrow()), (Amount(10), Amount::ZERO));
}

#[test]
fn kind_05_of_a_spend_above_the_grant_a_verdict_takes_what_escrow_has() {
    let over = judge(Some(&after(granted(100), &[(95, 95)])), &leg(2, 20, 115), Known::default());
    let row = over.row.expect("it has a row");
    let counts = explain(&row, Amount(20), true);
    assert_eq!((counts.settled, counts.uncovered), (Amount(5), Amount(15)), "the rest is the club's");
    assert_eq!(counts.row.escrow(), Amount::ZERO);
    let closed = close(&counts.row, Amount(115), 3, false);
    assert_eq!((closed.release, closed.kind), (Amount::ZERO, None));
    let dismissed = close(&explain(&row, Amount(20), false).row, Amount(115), 3, false);
    assert_eq!(dismissed.release, Amount(5), "nothing claims the rest any more");
}

#[test]
fn kind_06_a_late_spend_settles_and_is_flagged() {
    let late = Known { late: true, ..Known::default() };
    assert_eq!(effect(&granted(100), &leg(1, 10, 10), late), (MEMBER_PAYS, Some(6), vec![]));
}

#[test]
fn kind_07_spends_of_a_written_off_lease_are_the_clubs_up_to_the_rest() {
    let (row, rest) = write_off(&after(granted(100), &[(40, 40)])).expect("it was not");
    assert_eq!((rest, row.contingent_loss()), (Amount(60), Amount(60)));
    let first = judge(Some(&row), &leg(2, 50, 90), Known::default());
    assert_eq!((first.effect, first.kind), (Effect::LossDevice, Some(7)));
    let row = first.row.expect("it has a row");
    assert_eq!((row.escrow(), row.contingent_loss()), (Amount::ZERO, Amount(10)));
    let over = judge(Some(&row), &leg(3, 11, 101), Known::default());
    assert_eq!((over.effect, over.kind, over.freeze), (Effect::Suspense, Some(5), true), "above the rest");
    let closed = close(&row, Amount(90), 3, false);
    assert_eq!((closed.release, closed.kind), (Amount::ZERO, None), "nothing for the member");
    assert_eq!(closed.row.contingent_loss(), Amount::ZERO, "and the ten are certain not to be lost");
    assert_eq!(write_off(&row), None, "once");
}

#[test]
fn kind_07_comes_before_5_and_both_before_blocks() {
    let (row, _) = write_off(&granted(100)).expect("it was not");
    let known = Known { late: true, block: Block::Before, ..Known::default() };
    let (effect, kind, flags) = effect(&row, &leg(1, 10, 35), known);
    assert_eq!((effect, kind, flags), (Effect::LossDevice, Some(7), vec![5, 10, 6]));
}

#[test]
fn kind_08_what_goes_on_after_a_close_is_a_second_copy() {
    let closed = close(&after(granted(100), &[(40, 40)]), Amount(40), 2, false);
    assert_eq!((closed.release, closed.kind), (Amount(60), None));
    let judged = judge(Some(&closed.row), &leg(3, 10, 50), Known::default());
    assert_eq!((judged.effect, judged.kind, judged.freeze), (Effect::Suspense, Some(8), false));
    assert_eq!(judged.row.as_ref(), Some(&closed.row), "nothing of the member's moves");
    let again = close(&closed.row, Amount(10), 4, false);
    assert_eq!(
        (again.release, again.kind, again.row),
        (Amount::ZERO, Some(8), closed.row),
        "a close is once"
    );
}

#[test]
fn kind_08_another_device_or_enrolment_is_no_part_of_the_counter() {
    let row = after(granted(100), &[(40, 40)]);
    let clone = SpentLeg { device: DeviceId([9; 16]), ..leg(7, 10, 50) };
    let before = SpentLeg { enrolment: 2, ..leg(7, 10, 50) };
    for foreign in [clone, before, SpentLeg { amount: Amount(500), ..clone }] {
        let judged = judge(Some(&row), &foreign, Known::default());
        assert_eq!((judged.effect, judged.kind, judged.freeze), (Effect::Suspense, Some(8), false));
        assert_eq!(judged.row.as_ref(), Some(&row));
    }
}

#[test]
fn kind_08_an_unknown_generation_waits_and_freezes_nothing() {
    let unknown = judge(None, &leg(1, 10, 10), Known::default());
    assert_eq!(
        (unknown.effect, unknown.kind, unknown.freeze, unknown.row),
        (Effect::Held, Some(8), false, None)
    );
    // A raise that this centre does not remember: the fact rests on a state above the one known.
    let row = granted(100);
    let newer = SpentLeg { state: version(6), ..leg(1, 120, 120) };
    let held = judge(Some(&row), &newer, Known::default());
    assert_eq!((held.effect, held.freeze, held.row.as_ref()), (Effect::Held, false, Some(&row)));
    let behind = judge(Some(&row), &leg(2, 5, 125), Known { held_before: true, ..Known::default() });
    assert_eq!(behind.effect, Effect::Held, "what comes after it waits behind it");
}

#[test]
fn kind_09_a_spend_before_the_block_was_known_is_honoured() {
    let row = granted(100);
    assert_eq!(effect(&row, &leg(1, 10, 10), blocked(false)), (MEMBER_PAYS, Some(9), vec![]));
    let lost = effect(&row, &leg(1, 10, 10), blocked(true));
    assert_eq!(
        lost,
        (Effect::Settle(Bearer::LossBlocked), Some(9), vec![]),
        "from the report on, the club pays"
    );
    let late = Known { late: true, ..blocked(true) };
    assert_eq!(effect(&row, &leg(1, 10, 10), late).2, [6]);
}

#[test]
fn kind_09_costs_at_most_the_lease() {
    let mut row = granted(100);
    let mut borne = 0;
    for (seq, total) in (1..).zip((30..300).step_by(30)) {
        let judged = judge(Some(&row), &leg(seq, 30, total), blocked(true));
        borne += if judged.effect == Effect::Settle(Bearer::LossBlocked) { 30 } else { 0 };
        row = judged.row.expect("it has a row");
    }
    assert_eq!(borne, 90);
}

#[test]
fn kind_10_a_block_that_the_device_knew_is_its_fault_not_the_members() {
    let row = granted(100);
    let before = Known { block: Block::Before, ..Known::default() };
    let judged = judge(Some(&row), &leg(1, 10, 10), before);
    assert_eq!((judged.effect, judged.kind), (Effect::Settle(Bearer::Suspense), Some(10)));
    let row = judged.row.expect("it has a row");
    assert_eq!((row.settled, row.escrow()), (Amount(10), Amount(90)), "it uses up its lease all the same");
    assert_eq!(close(&row, Amount(10), 2, false).release, Amount(90));
}

#[test]
fn kind_25_spends_around_a_fact_that_cannot_be_read_settle_by_their_own_amounts() {
    // 1: 10 spent. 2: unreadable. 3: 5 spent, counter at 35. So 20 are to be explained by fact 2.
    let row = after(granted(100), &[(10, 10)]);
    let unread = Known { unread: true, ..Known::default() };
    let third = judge(Some(&row), &leg(3, 5, 35), unread);
    assert_eq!((third.effect, third.kind), (MEMBER_PAYS, None));
    let row = third.row.expect("it has a row");
    assert_eq!(row.holes, [Hole { from: Amount(10), to: Amount(30) }]);
    assert_eq!((row.settled, row.unexplained(), row.remaining()), (Amount(15), Amount(20), Amount(65)));
    let closed = close(&row, Amount(35), 4, false);
    assert_eq!((closed.release, closed.row.escrow()), (Amount(65), Amount(20)), "20 wait for fact 2");
    // Released after an upgrade, it was two legs of 12 and 8.
    let legs = [leg(2, 12, 22), leg(2, 8, 30)];
    let filled = legs.iter().fold(closed.row, |row, leg| {
        let judged = judge(Some(&row), leg, Known::default());
        assert_eq!((judged.effect, judged.kind), (MEMBER_PAYS, None));
        judged.row.expect("it has a row")
    });
    assert_eq!((filled.holes.len(), filled.escrow(), filled.settled), (0, Amount::ZERO, Amount(35)));
    let twice = judge(Some(&filled), &legs[0], Known::default());
    assert_eq!((twice.effect, twice.kind), (Effect::Suspense, Some(5)), "a hole is filled once");
}

#[test]
fn kind_25_before_a_close_may_explain_what_the_close_claims() {
    let row = after(granted(100), &[(10, 10)]);
    let closed = close(&row, Amount(30), 3, true);
    assert_eq!((closed.release, closed.kind, closed.row.escrow()), (Amount(70), None, Amount(20)));
    let released = judge(Some(&closed.row), &leg(2, 20, 30), Known::default());
    assert_eq!((released.effect, released.kind), (MEMBER_PAYS, None));
    let plain = close(&row, Amount(30), 3, false);
    assert_eq!((plain.release, plain.kind), (Amount(70), Some(5)), "with all facts read, 20 are missing");
    assert_eq!(plain.row.escrow(), Amount(20), "and stay in escrow until explained");
    let less = close(&row, Amount(4), 3, false);
    assert_eq!(
        (less.release, less.kind),
        (Amount(90), Some(5)),
        "settled is settled, whatever the close says"
    );
    let absurd = close(&row, Amount(i64::MAX), 3, true);
    assert_eq!((absurd.release, absurd.kind, absurd.row.unexplained()), (Amount::ZERO, Some(5), Amount(90)));
    assert_eq!(close(&row, Amount(i64::MIN), 3, true).release, Amount(90));
}

#[test]
fn inv_11_time_alone_moves_nothing_and_a_write_off_in_time_needs_two() {
    let row = granted(100);
    let end = NOON.offset(7 * DAY_US);
    assert!(row.write_off_needs_second(end.offset(DAY_US - 1)));
    assert!(!row.write_off_needs_second(end.offset(DAY_US)));
    assert_eq!(row.escrow(), Amount(100), "a row knows no clock");
}

#[test]
fn what_returns_pays_the_recoverys_loss_then_what_is_owed_then_the_member() {
    let debts = |loss, owed| Debts { recovery_loss: Amount(loss), recovery_epoch: 3, owed: Amount(owed) };
    let cases = [
        (10, 2, debts(0, 0), (0, 0, 10)),
        (10, 2, debts(4, 3), (4, 3, 3)),
        (10, 2, debts(40, 3), (10, 0, 0)),
        (10, 2, debts(4, 30), (4, 6, 0)),
        // Granted in the life after the loss: the loss is not this lease's.
        (10, 3, debts(4, 3), (0, 3, 7)),
        (0, 2, debts(4, 3), (0, 0, 0)),
    ];
    for (amount, first_epoch, debts, expected) in cases {
        let to = repay(Amount(amount), first_epoch, debts);
        assert_eq!((to.to_recovery.0, to.to_owed.0, to.to_available.0), expected, "{amount} of {debts:?}");
    }
}
