//! One swipe after another on real files.

use hufu_shared::cbor;
use hufu_shared::fact::{Event, Fact, Shown, Way};
use hufu_shared::ids::OfficeId;
use hufu_shared::member::{CardStatus, DirectoryRow};
use hufu_shared::money::Amount;
use hufu_shared::scheme::ready::figures::{SCOPED, SCOPED_FEN, ScopedFigure, scoped};
use hufu_shared::time::SECOND_US;
use hufu_shared::wire::updates::BlockChange;

use super::*;
use crate::rules::decide::Outcome;
use crate::store::testing::*;

struct Place {
    _folder: tempfile::TempDir,
    core: Core,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let core = Core::new(booted(folder.path()), directory(folder.path(), 3), Arc::new(terminal()));
    Place { _folder: folder, core }
}

/// Where the activity counts who leaves.
fn counting_place() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let core = Core::new(booted(folder.path()), counting_directory(folder.path(), 3), Arc::new(terminal()));
    Place { _folder: folder, core }
}

fn mode(purpose: Purpose) -> Mode {
    Mode { purpose, operator: None }
}

fn swipe(place: &mut Place, n: u8, purpose: Purpose, seconds: u64) -> Swiped {
    let presented = Presented { card: card_number(n), reader: 0 };
    place.core.swipe(&presented, &mode(purpose), &at(seconds)).expect("recorded")
}

fn facts(place: &Place) -> Vec<Fact> {
    let stored = place.core.store().with(|journal| journal.pending(1, usize::MAX, usize::MAX));
    stored.expect("read").iter().map(|stored| cbor::decode(&stored.body).expect("our own")).collect()
}

#[test]
fn a_check_in_is_recorded_with_what_it_was_judged_by() {
    let mut place = place();
    let swiped = swipe(&mut place, 1, Purpose::CheckIn(OCCASION), 1);
    assert_eq!((swiped.decision.outcome, swiped.seq, swiped.count), (Outcome::Accepted, Some(2), 1));
    assert_eq!(swiped.member, Some(member_row(1)));
    let fact = facts(&place).pop().expect("one");
    assert_eq!(
        (fact.scheme, fact.directory, fact.shown),
        (1, place.core.directory().version(), Shown::Accepted)
    );
    assert_eq!(fact.event.subject().and_then(|subject| subject.member), Some(MemberId([1; 16])));
}

#[test]
fn kind_02_the_same_member_again_is_in_already_also_after_a_start_and_an_hour() {
    let mut place = place();
    swipe(&mut place, 1, Purpose::CheckIn(OCCASION), 1);
    for seconds in [20, 3_000] {
        let again = swipe(&mut place, 1, Purpose::CheckIn(OCCASION), seconds);
        assert_eq!(again.decision.outcome, Outcome::AlreadyIn);
        assert_eq!(again.decision.first_at, Some(at(1).wall));
        let Event::Attended(attended) = again.decision.event else { panic!("an attendance") };
        assert_eq!((attended.repeats, attended.promised), (Some(2), vec![]));
    }
    place.core.store().with(|journal| journal.boot(boot_info(2), &at(0))).expect("boots");
    assert_eq!(swipe(&mut place, 1, Purpose::CheckIn(OCCASION), 5).decision.outcome, Outcome::AlreadyIn);
    assert_eq!(place.core.store().with(|journal| journal.attendance(OCCASION)).expect("counted"), 1);
}

#[test]
fn kind_04_who_leaves_and_comes_back_at_once_has_passed_three_times_and_repeated_nothing() {
    let mut place = counting_place();
    let (way_in, way_out) = (Purpose::CheckIn(OCCASION), Purpose::CheckOut(OCCASION));
    let mut pass = |purpose: &Purpose, seconds| {
        let swiped = swipe(&mut place, 1, purpose.clone(), seconds);
        let Event::Attended(attended) = swiped.decision.event else { panic!("a passing") };
        (swiped.decision.outcome, attended.way, attended.repeats)
    };
    assert_eq!(pass(&way_in, 1), (Outcome::Accepted, Way::In, None));
    assert_eq!(pass(&way_out, 11), (Outcome::Accepted, Way::Out, None));
    assert_eq!(pass(&way_out, 16), (Outcome::AlreadyIn, Way::Out, Some(3)));
    assert_eq!(pass(&way_in, 21), (Outcome::Accepted, Way::In, None), "back for an umbrella");
    assert_eq!(pass(&way_out, 31), (Outcome::Accepted, Way::Out, None));
    let (attended, totals) = place
        .core
        .store()
        .with(|journal| Ok((journal.attendance(OCCASION)?, journal.totals_since_close()?.1)))
        .expect("counted");
    assert_eq!((attended, totals.attended, totals.left, totals.repeats), (1, 2, 2, 1));
}

#[test]
fn rule_s02_a_purchase_earns_once_within_the_window_and_again_after_it() {
    let mut place = place();
    let purchase = Purpose::Earn(Amount(32_000));
    let promised = |swiped: &Swiped| swiped.decision.promised.map(|points| points.0);
    assert_eq!(promised(&swipe(&mut place, 1, purchase.clone(), 1)), Some(6));
    assert_eq!(promised(&swipe(&mut place, 1, purchase.clone(), 30)), None, "a double tap");
    assert_eq!(promised(&swipe(&mut place, 1, Purpose::Earn(Amount(10_000)), 31)), Some(2), "another amount");
    assert_eq!(promised(&swipe(&mut place, 1, purchase, 62)), Some(6), "61 seconds after the first");
}

#[test]
fn a_terminal_promises_by_the_version_for_its_office_and_for_the_members_kind() {
    for at_own_office in [false, true] {
        let mut place = place();
        let own = if at_own_office { OFFICE } else { OfficeId([0x77; 16]) };
        let figures = SCOPED.into_iter().filter(|figure| figure.at_own_office == at_own_office);
        let figures: Vec<(u8, ScopedFigure)> = (1..).zip(figures).collect();
        let mut rows: Vec<DirectoryRow> = scoped(own).into_iter().map(DirectoryRow::Scheme).collect();
        for (n, figure) in &figures {
            let kind = Some(figure.kind.to_owned()).filter(|kind| !kind.is_empty());
            rows.push(DirectoryRow::Member(MemberRow { kind, ..member_row(*n) }));
        }
        let held = place.core.directory().version();
        let to = Version { n: held.n + 1, ..held };
        place.core.directory().apply_delta(&rows, held, to).expect("taken");
        let mut buy = |n: u8| {
            let swiped = swipe(&mut place, n, Purpose::Earn(Amount(SCOPED_FEN)), u64::from(n) * 5);
            // A fact says the version only where it is another one than that of the fact before.
            let decided = facts(&place).iter().rev().map(|fact| fact.scheme).find(|scheme| *scheme != 0);
            (swiped.decision.promised, decided, swiped.decision.outcome)
        };
        for (n, figure) in figures {
            let expected = (Some(Amount(figure.gives)), Some(figure.version), Outcome::Accepted);
            assert_eq!(buy(n), expected, "{figure:?}");
        }
        // Whose card it is nobody here knows, and so not which version decides.
        let general = if at_own_office { 2 } else { 1 };
        assert_eq!(buy(99), (None, Some(general), Outcome::UnknownCard));
    }
}

#[test]
fn the_block_list_is_asked_first_and_refusals_are_counted() {
    let mut place = place();
    let block = |status| BlockChange { card: card_row(1).card, token: card_row(1).token, status };
    let version = Version { epoch: 1, n: 1 };
    let take = |place: &Place, change| {
        place.core.store().with(|journal| journal.take_blocks(&[change], version)).expect("taken");
    };
    take(&place, block(CardStatus::Lost));
    let refused = swipe(&mut place, 1, Purpose::Visit, 1);
    assert_eq!(refused.decision.outcome, Outcome::Refused(hufu_shared::fact::RefusalReason::R07));
    assert_eq!((refused.seq, refused.count), (None, 1));
    assert_eq!(swipe(&mut place, 1, Purpose::Visit, 2).count, 2);
    take(&place, block(CardStatus::Active));
    assert_eq!(swipe(&mut place, 1, Purpose::Visit, 3).decision.outcome, Outcome::Accepted);
    let Event::Refused(counted) = &facts(&place)[1].event else { panic!("the refusal came first") };
    assert_eq!(counted.count, 2);
}

#[test]
fn kind_13_an_unknown_card_is_recorded_under_its_token() {
    let mut place = place();
    let swiped = swipe(&mut place, 99, Purpose::CheckIn(OCCASION), 1);
    assert_eq!(swiped.decision.outcome, Outcome::UnknownCard);
    let subject = swiped.decision.event.subject().cloned().expect("the card");
    assert_eq!((subject.member, subject.token), (None, terminal().token_keys[0].token(&card_number(99))));
}

#[test]
fn case_27_a_wall_clock_that_steps_back_neither_doubles_nor_loses_a_tap() {
    let mut place = place();
    let presented = Presented { card: card_number(1), reader: 0 };
    let mut first = at(7_200);
    place.core.swipe(&presented, &mode(Purpose::Visit), &first).expect("recorded");
    first.mono_ns += 5_000_000_000;
    first.wall = first.wall.offset(-3_600 * SECOND_US);
    let again = place.core.swipe(&presented, &mode(Purpose::Visit), &first).expect("recorded");
    assert_eq!(again.decision.outcome, Outcome::AlreadyIn);
}

#[test]
fn looking_at_a_typed_number_records_nothing() {
    let place = place();
    let presented = Presented { card: card_number(2), reader: 255 };
    let candidate = place.core.look(&presented, &Purpose::CheckIn(OCCASION), &at(1)).expect("looked");
    assert_eq!(candidate.member, Some(member_row(2)));
    assert_eq!(facts(&place).len(), 1, "only the start");
}

#[test]
fn rule_k26_staff_may_only_choose_what_runs_here_now() {
    let place = place();
    assert!(place.core.may_check_in(OCCASION, &at(1)));
    assert!(!place.core.may_check_in(OCCASION, &at(9 * 3_600)), "after its end");
    assert!(!place.core.may_check_in(OccurrenceId([99; 16]), &at(1)));
}

#[test]
fn an_old_key_still_finds_its_cards() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut keys = terminal();
    keys.token_keys.insert(0, hufu_shared::token::TokenKey::new(2, [8; 32]));
    let mut core = Core::new(booted(folder.path()), directory(folder.path(), 1), Arc::new(keys));
    let presented = Presented { card: card_number(1), reader: 0 };
    let swiped = core.swipe(&presented, &mode(Purpose::Visit), &at(1)).expect("recorded");
    assert_eq!(swiped.decision.outcome, Outcome::Accepted);
    let unknown = Presented { card: card_number(9), reader: 0 };
    let swiped = core.swipe(&unknown, &mode(Purpose::Visit), &at(2)).expect("recorded");
    let subject = swiped.decision.event.subject().cloned().expect("the card");
    assert_eq!(subject.token.key_version, 2, "an unknown card is named by the current key");
}

#[test]
fn a_directory_that_cannot_be_read_makes_cards_unknown_and_loses_no_swipe() {
    let mut place = place();
    let path = place.core.directory().path().to_owned();
    std::fs::File::options().write(true).open(&path).and_then(|file| file.set_len(4_096)).expect("cut");
    let swiped = swipe(&mut place, 1, Purpose::Visit, 1);
    assert_eq!((swiped.decision.outcome, swiped.seq), (Outcome::UnknownCard, Some(2)));
    assert_eq!(place.core.name_of(MemberId([1; 16])), None);
}
