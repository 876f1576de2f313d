//! Figures, differences and signatures of an office's day, by tables.

use hufu_shared::ids::FactId;
use hufu_shared::wire::upload::Became;

use super::*;
use crate::rules::reconcile::{Booked, Line, terminal_day};

const OFFICE: OfficeId = OfficeId([1; 16]);
const DAY: Day = Day(20_779);
const AT: (OfficeId, Day) = (OFFICE, DAY);
const SEEN: Hash = Hash([7; 32]);
const OTHER: Hash = Hash([8; 32]);

fn line(seq: u64, promised: i64, posted: i64) -> Line {
    Line {
        fact: FactId { device: DeviceId([2; 16]), epoch: 1, seq },
        event: "earned",
        at: Instant(0),
        wall: Instant(0),
        promised: Amount(promised),
        posted: Amount(posted),
        became: Became::Applied,
        kind: None,
        case: None,
        explained: promised == posted,
    }
}

/// A terminal's day with these lines; closed if `closed`.
fn part(device: u8, lines: Vec<Line>, closed: bool, may_lack: bool) -> TerminalPart {
    let mut day = terminal_day(&[] as &[Booked], None, &[] as &[Option<hufu_shared::fact::Fact>]);
    day.promised = Amount(lines.iter().map(|line| line.promised.0).sum());
    day.posted = Amount(lines.iter().map(|line| line.posted.0).sum());
    day.closed = closed.then(DayTotals::default);
    day.state = match (lines.iter().all(|line| line.explained), closed) {
        (false, _) => DayState::Differs,
        (true, true) => DayState::Agrees,
        (true, false) => DayState::Open,
    };
    day.lines = lines;
    TerminalPart { device: DeviceId([device; 16]), is_expected: true, may_lack, day, counted: None }
}

fn counted(cash: i64, expected: i64, reason: Option<&str>) -> Option<Counted> {
    let (cash, cash_expected) = (Amount(cash), Some(Amount(expected)));
    Some(Counted { cash, cash_expected, reason: reason.map(str::to_owned), ..Counted::default() })
}

fn step(what: Stepped, by: &str, at: i64) -> DayStep {
    DayStep { what, by: by.to_owned(), at: Instant(at) }
}

fn signed(seen: Hash, by: &str, at: i64) -> DayStep {
    step(Stepped::Signed { seen, figures: DayFigures::default() }, by, at)
}

fn reopened(by: &str, at: i64) -> DayStep {
    step(Stepped::Reopened { reason: Hash([9; 32]) }, by, at)
}

#[test]
fn kind_30_two_people_who_saw_the_same_close_a_day_and_one_never_does() {
    use OfficeDayState::{Open, Reopened, Running, Signed, SignedOnce};
    let (a, b) = ("admin/a", "admin/b");
    for (steps, is_over, state, closed_at) in [
        (vec![], false, Running, None),
        (vec![], true, Open, None),
        (vec![signed(SEEN, a, 1)], true, SignedOnce, None),
        (vec![signed(SEEN, a, 1), signed(SEEN, a, 2)], true, SignedOnce, None),
        (vec![signed(SEEN, a, 1), signed(SEEN, b, 2)], true, Signed, Some(2)),
        // Figures changed between them: whoever saw the new ones is the first again, and the second may be who was first.
        (vec![signed(SEEN, a, 1), signed(OTHER, b, 2)], true, SignedOnce, None),
        (vec![signed(SEEN, a, 1), signed(OTHER, b, 2), signed(OTHER, a, 3)], true, Signed, Some(3)),
        (vec![signed(SEEN, a, 1), signed(SEEN, b, 2), reopened(a, 3)], true, Reopened, None),
        (
            vec![signed(SEEN, a, 1), signed(SEEN, b, 2), reopened(a, 3), signed(SEEN, b, 4)],
            true,
            SignedOnce,
            None,
        ),
        // One signature taken away leaves a day that was never closed.
        (vec![signed(SEEN, a, 1), reopened(b, 2)], true, Open, None),
    ] {
        let standing = Standing::of(&steps);
        assert_eq!(standing.state(is_over), state, "{steps:?}");
        assert_eq!(standing.closed_at(), closed_at.map(Instant), "{steps:?}");
        assert_eq!(OfficeDayState::from_code(state.code()), Some(state));
    }
}

#[test]
fn what_stands_against_a_signature_is_told() {
    let open = Standing::default();
    let once = Standing::of(&[signed(SEEN, "admin/a", 1)]);
    let closed = Standing::of(&[signed(SEEN, "admin/a", 1), signed(SEEN, "admin/b", 2)]);
    let missing = differences(AT, &[part(2, vec![], false, true)], &[]);
    let told = step(
        Stepped::Explained {
            difference: missing[0].id,
            matter: DayMatter::Missing,
            device: missing[0].device,
            reason: Hash([3; 32]),
        },
        "admin/a",
        1,
    );
    let explained = Standing::of(std::slice::from_ref(&told));
    let none: &[Difference] = &[];
    for (standing, by, asked, is_over, differ, expected) in [
        (&open, "admin/a", SEEN, true, none, Ok(())),
        (&open, "admin/a", SEEN, false, none, Err(NotDone::Running)),
        (&open, "admin/a", OTHER, true, none, Err(NotDone::Changed)),
        (&open, "admin/a", SEEN, true, &missing[..], Err(NotDone::NoReason)),
        (&explained, "admin/a", SEEN, true, &missing[..], Ok(())),
        (&once, "admin/a", SEEN, true, none, Err(NotDone::SamePerson)),
        (&once, "admin/b", SEEN, true, none, Ok(())),
        (&closed, "admin/c", SEEN, true, none, Err(NotDone::Signed)),
    ] {
        let met = may_sign(standing, (by, asked), (is_over, differ, SEEN));
        assert_eq!(met, expected, "{by} {asked} {is_over}");
    }
}

#[test]
fn kind_30_every_difference_has_a_name_of_its_own_that_changes_with_it() {
    use DayMatter::{Cases, Differs, Drawer, Missing, NotClosed};
    let agrees = part(2, vec![line(1, 5, 5)], true, false);
    assert!(differences(AT, std::slice::from_ref(&agrees), &[]).is_empty());
    let drawer = |counted| TerminalPart { counted, ..agrees.clone() };
    let case = Hash([5; 32]);
    let found = |parts: &[TerminalPart], cases: &[Hash]| {
        let told = differences(AT, parts, cases);
        told.iter().map(|of| (of.matter, of.size, of.own_reason.clone())).collect::<Vec<_>>()
    };
    assert_eq!(found(&[part(2, vec![], false, true)], &[]), [(Missing, 0, None)]);
    assert_eq!(found(&[part(2, vec![line(1, 5, 5)], false, false)], &[]), [(NotClosed, 1, None)]);
    assert_eq!(
        found(&[part(2, vec![], false, false)], &[]),
        [],
        "nothing was recorded, nothing was to close"
    );
    assert_eq!(found(&[part(2, vec![line(1, 5, 0), line(2, 1, 3)], true, false)], &[]), [(Differs, 7, None)]);
    assert_eq!(found(&[drawer(counted(900, 1_000, None))], &[]), [(Drawer, -100, None)]);
    assert_eq!(
        found(&[drawer(counted(900, 1_000, Some("change")))], &[]),
        [(Drawer, -100, Some("change".to_owned()))]
    );
    assert!(found(&[drawer(counted(1_000, 1_000, None))], &[]).is_empty());
    assert_eq!(found(std::slice::from_ref(&agrees), &[case]), [(Cases, 1, None)]);

    // The same kind at another terminal, of another size, from other lines: each needs a reason of its own.
    let name = |part: TerminalPart| differences(AT, &[part], &[])[0].id;
    let names = [
        name(part(2, vec![], false, true)),
        name(part(3, vec![], false, true)),
        name(part(2, vec![line(1, 5, 0)], true, false)),
        name(part(2, vec![line(2, 5, 0)], true, false)),
        name(part(2, vec![line(1, 4, 0)], true, false)),
        differences((OFFICE, Day(20_780)), &[part(2, vec![], false, true)], &[])[0].id,
        differences(AT, &[], &[case])[0].id,
        differences(AT, &[], &[Hash([6; 32])])[0].id,
    ];
    let distinct: std::collections::BTreeSet<Hash> = names.into_iter().collect();
    assert_eq!(distinct.len(), names.len());
}

#[test]
fn figures_sum_what_was_to_come_and_nothing_else() {
    let stray = TerminalPart { is_expected: false, ..part(9, vec![], false, true) };
    let parts = [
        part(2, vec![line(1, 5, 5), line(2, 10, 4)], true, false),
        part(3, vec![line(1, 1, 1)], false, false),
        part(4, vec![], false, true),
        stray,
    ];
    let cash = |net| MethodSum { net: Amount(net), ..MethodSum::default() };
    let told = figures(&parts, &[cash(30_000), cash(-5_000)], 2).expect("in range");
    let expected = DayFigures {
        expected: 3,
        reported: 1,
        missing: 1,
        facts: 3,
        open_cases: 2,
        promised: Amount(16),
        posted: Amount(10),
        unexplained: Amount(6),
        cash_net: Amount(25_000),
    };
    assert_eq!(told, expected);
    let differ = differences(AT, &parts, &[]);
    assert_ne!(seen(&told, &differ), seen(&told, &differ[1..]), "a difference more is another thing to sign");
    assert_ne!(seen(&told, &differ), seen(&DayFigures { facts: 4, ..told }, &differ));
    assert!(figures(&[], &[cash(i64::MAX), cash(1)], 0).is_err(), "sums are checked");
}

#[test]
fn a_day_can_be_signed_when_it_ended_or_when_all_have_closed_it() {
    let (closed, open) = (part(2, vec![], true, false), part(3, vec![], false, false));
    let lacking = part(4, vec![], true, true);
    for (has_ended, parts, expected) in [
        (true, vec![open.clone()], true),
        (false, vec![], false),
        (false, vec![closed.clone()], true),
        (false, vec![closed.clone(), open], false),
        (false, vec![closed, lacking], false),
    ] {
        assert_eq!(is_over(has_ended, &parts), expected, "{}", parts.len());
    }
}

#[test]
fn a_step_reads_back_as_it_was_stored() {
    for what in [
        Stepped::Explained {
            difference: SEEN,
            matter: DayMatter::Drawer,
            device: Some(DeviceId([4; 16])),
            reason: OTHER,
        },
        Stepped::Signed { seen: SEEN, figures: DayFigures { facts: 3, ..DayFigures::default() } },
        Stepped::Reopened { reason: OTHER },
    ] {
        assert_eq!(cbor::decode::<Stepped>(&cbor::encode(&what)).expect("reads back"), what);
        assert_eq!(what.reason().is_none(), what.code() == "signed");
    }
}
