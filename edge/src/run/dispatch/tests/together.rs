//! Swipes that share a commit come to what they would have come to one after another.

use super::*;
use proptest::prelude::*;

/// What a reader says: card or something else, and at which reader.
#[derive(Debug, Clone, Copy)]
enum Said {
    Card(u8, usize),
    Unread(usize),
    Tick,
}

/// Cards 1 to 3 are members', 4 is a second card of nobody known, 5 cannot be a card's number.
fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        8 => (1_u8..=5, 0_usize..2).prop_map(|(card, reader)| Said::Card(card, reader)),
        1 => (0_usize..2).prop_map(Said::Unread),
        1 => Just(Said::Tick),
    ]
}

fn purposes() -> [Purpose; 5] {
    let earn = Purpose::Earn(Amount(32_000));
    let (check_in, check_out) = (Purpose::CheckIn(OCCASION), Purpose::CheckOut(OCCASION));
    // Nobody leaves an activity that counts no exits: every card is refused.
    [Purpose::Visit, check_in, check_out, Purpose::LookUp, earn]
}

fn event(said: Said, at_ns: u64) -> Event {
    let source = |reader| SourceId::new(reader, "reader");
    match said {
        Said::Card(n, reader) => {
            let number = if n == 5 { String::new() } else { format!("88000000{n:04}") };
            let medium = Medium::Stripe { track1: None, track2: None, number };
            let evidence = Evidence::Swipe { lrc_checked: false };
            Event::Card(CardEvent::Presented(Read { source: source(reader), medium, evidence, at_ns }))
        }
        Said::Unread(reader) => {
            let (kind, offered) = (ErrorKind::Checksum, SourceKind::Swipe);
            Event::Card(CardEvent::ReadFailed { source: source(reader), offered, kind, at_ns })
        }
        Said::Tick => Event::Tick,
    }
}

fn lines(desk: &Desktop) -> String {
    let view = desk.view();
    format!("{:?} {:?}", view.view.result, view.view.last)
}

/// Has both meet the same rushes, with pauses between them; one takes each rush at once, the other in single steps.
fn meet(rushes: &[(Vec<Said>, u8)], purpose: &Purpose) -> [(Vec<Fact>, Vec<(Face, Option<u64>)>, String); 2] {
    [true, false].map(|together| {
        let mut desk = desktop();
        desk.dispatch.mode.purpose = purpose.clone();
        for (rush, pause_s) in rushes {
            let events = rush.iter().map(|said| event(*said, desk.hands.mono_ns()));
            if together {
                assert!(desk.dispatch.handle_all(events.collect()));
            } else {
                events.for_each(|event| assert!(desk.dispatch.handle(event)));
            }
            desk.wait(u64::from(*pause_s));
        }
        (desk.facts(), desk.shown(), lines(&desk))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_rush_comes_to_the_same_as_one_after_another(
        rushes in prop::collection::vec((prop::collection::vec(said(), 1..9), 0_u8..15), 1..5),
        purpose in 0_usize..5,
    ) {
        let [together, singly] = meet(&rushes, &purposes()[purpose]);
        prop_assert_eq!(together, singly);
    }
}

#[test]
fn a_rush_is_one_commit_and_shown_after_it() {
    let mut desk = desktop();
    let rush =
        |cards: &[(u8, usize)]| cards.iter().map(|(n, reader)| event(Said::Card(*n, *reader), 0)).collect();
    let commits = count_commits(desk.dispatch.core.store());
    assert!(desk.dispatch.handle_all(rush(&[(1, 0), (2, 1), (3, 0)])));
    assert_eq!(commits.load(Ordering::SeqCst), 1);
    assert_eq!(desk.shown(), [green(2), green(3), green(4)]);
    assert_eq!(desk.facts().len(), 4);
}

#[test]
fn case_13_a_rush_at_a_full_disk_is_refused_card_by_card() {
    let mut desk = desktop();
    fill_disk(desk.dispatch.core.store());
    let before = desk.facts().len();
    desk.wait(10_000_000);
    let events = [1, 2].map(|n| event(Said::Card(n, 0), desk.hands.mono_ns()));
    assert!(desk.dispatch.handle_all(events.into_iter().collect()));
    let refused = (Face::Outcome(Outcome::Refused(RefusalReason::R13)), None);
    assert_eq!(desk.shown(), [refused, refused]);
    assert_eq!(desk.facts().len(), before);
}
