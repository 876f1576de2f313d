//! How much is set aside, how a lease grows, and which are recalled.

use hufu_shared::policy::LeasePolicy;
use proptest::prelude::*;

use super::super::caps::{Ask, Book, NotGranted, propose, recall};
use super::*;

/// A member with so much available and nothing else, at a device without anything.
fn book(available: i64) -> Book {
    Book {
        unit: Unit::Pts,
        available: Amount(available),
        owed: Amount::ZERO,
        member_escrow: Amount::ZERO,
        open: None,
        device_escrow: Amount::ZERO,
        device_raised: Amount::ZERO,
        recovering: false,
        frozen: false,
        member_active: true,
        known_here: true,
    }
}

#[test]
fn ahead_of_need_the_smallest_of_all_caps_decides() {
    // Defaults: 25 % of available, 500 points an office, half of available + escrow, 20,000 points a device.
    let policy = LeasePolicy::default();
    let open = |granted_total: i64, available: i64| Book {
        open: Some(granted(granted_total)),
        member_escrow: Amount(granted_total),
        ..book(available)
    };
    let full = Err(NotGranted::Full);
    let cases = [
        ("a quarter", book(1_000), Ok(250)),
        ("a quarter, rounded down", book(1_003), Ok(250)),
        ("the office's cap", book(10_000), Ok(500)),
        ("nothing to give", book(0), full),
        ("too little for a quarter", book(3), full),
        ("filled up already", open(250, 750), full),
        ("a raise up to a quarter of what is within reach", open(100, 900), Ok(150)),
        ("half over all devices", Book { member_escrow: Amount(900), ..book(1_000) }, Ok(50)),
        ("more than half is out", Book { member_escrow: Amount(1_500), ..book(1_000) }, full),
        ("the device's room", Book { device_escrow: Amount(19_900), ..book(1_000) }, Ok(100)),
        (
            "no room at the device",
            Book { device_escrow: Amount(20_000), ..book(1_000) },
            Err(NotGranted::Limit { room: Amount(0) }),
        ),
        ("not seen here", Book { known_here: false, ..book(1_000) }, Err(NotGranted::NotSeenHere)),
        ("growth is never leased", Book { unit: Unit::Growth, ..book(1_000) }, full),
        ("the largest balance", book(i64::MAX), Ok(500)),
    ];
    for (name, book, expected) in cases {
        assert_eq!(propose(&book, Ask::Ahead, &policy), expected.map(Amount), "{name}");
    }
}

#[test]
fn asked_for_a_lease_reaches_what_is_wanted_or_nothing_moves() {
    let policy = LeasePolicy::default();
    let lease = Book { open: Some(granted(100)), member_escrow: Amount(100), ..book(900) };
    let ask = |wanted| Ask::Authorize { wanted_total: Amount(wanted) };
    let too_little =
        |missing| Err(NotGranted::TooLittle { available: Amount(900), missing: Amount(missing) });
    let limit = |room| Err(NotGranted::Limit { room: Amount(room) });
    let cases = [
        ("all that there is, above every share", lease.clone(), 1_000, Ok(900)),
        ("it has it already", lease.clone(), 60, Ok(0)),
        ("one too many", lease.clone(), 1_001, too_little(901)),
        ("far too many", lease.clone(), i64::MAX, too_little(i64::MAX - 100)),
        ("a first lease", book(900), 900, Ok(900)),
        ("not seen here before: the card is here now", Book { known_here: false, ..book(900) }, 10, Ok(10)),
        ("the day's limit", Book { device_raised: Amount(19_500), ..lease.clone() }, 700, limit(500)),
        ("the device's room", Book { device_escrow: Amount(19_990), ..lease }, 111, limit(10)),
    ];
    for (name, book, wanted, expected) in cases {
        assert_eq!(propose(&book, ask(wanted), &policy), expected.map(Amount), "{name}");
    }
}

#[test]
fn nothing_is_set_aside_while_something_stands_against_it() {
    let owed = Amount(1);
    for (book, why) in [
        (Book { recovering: true, ..book(1_000) }, NotGranted::Recovering),
        (Book { frozen: true, ..book(1_000) }, NotGranted::Frozen),
        (Book { member_active: false, ..book(1_000) }, NotGranted::Member),
        (Book { owed, ..book(1_000) }, NotGranted::Owing { owed }),
    ] {
        for ask in [Ask::Ahead, Ask::Authorize { wanted_total: Amount(1) }] {
            assert_eq!(propose(&book, ask, &LeasePolicy::default()), Err(why));
        }
    }
}

#[test]
fn a_lease_only_grows_and_one_generation_is_open_at_a_time() {
    let row = granted(100);
    let raised = set(std::slice::from_ref(&row), &act(1, 130, 6), 1, Amount(30), NOON).expect("a raise");
    assert_eq!(
        (raised.moved, raised.row.granted_total, raised.row.version),
        (Amount(30), Amount(130), version(6))
    );
    let closed = close(&after(row.clone(), &[(40, 40)]), Amount(40), 2, false).row;
    let renewed =
        set(std::slice::from_ref(&closed), &act(2, 50, 7), 2, Amount(60), NOON).expect("a new generation");
    assert_eq!((renewed.moved, renewed.row.enrolment, renewed.row.settled), (Amount(50), 2, Amount::ZERO));
    let written_off = write_off(&row).expect("it was not").0;
    let other = |change: fn(&mut LeaseSet)| {
        let mut act = act(1, 130, 6);
        change(&mut act);
        act
    };
    let cases: [(&str, &LeaseRow, LeaseSet, SetRefused); 9] = [
        ("less than before", &row, act(1, 99, 6), SetRefused::Shrinks),
        ("an old version", &row, act(1, 130, 5), SetRefused::Shrinks),
        ("a second open generation", &row, act(2, 10, 6), SetRefused::OtherOpen),
        ("a closed one", &closed, act(1, 130, 6), SetRefused::Ended),
        ("a written-off one", &written_off, act(1, 130, 6), SetRefused::Ended),
        (
            "a generation below",
            &LeaseRow { generation: 2, ..closed.clone() },
            act(1, 1, 6),
            SetRefused::Shrinks,
        ),
        ("another member", &row, other(|a| a.member = MemberId([9; 16])), SetRefused::OtherPurse),
        ("another unit", &row, other(|a| a.unit = Unit::Cny), SetRefused::OtherPurse),
        ("more than available", &row, act(1, 131, 6), SetRefused::NotAvailable),
    ];
    for (name, row, act, why) in cases {
        assert_eq!(set(std::slice::from_ref(row), &act, 1, Amount(30), NOON), Err(why), "{name}");
    }
    let below = act(1, -1, 6);
    assert_eq!(set(&[], &below, 1, Amount(30), NOON), Err(SetRefused::Shrinks), "never below zero");
}

#[test]
fn generations_never_come_twice_not_even_after_a_rollback() {
    let epoch = |n| CentralEpoch { n, bits: 0 };
    assert_eq!(next_generation(None, epoch(1)), 1);
    assert_eq!(next_generation(Some(1), epoch(1)), 2);
    assert_eq!(next_generation(Some(2), epoch(2)), GENERATIONS_PER_EPOCH + 1);
    assert_eq!(next_generation(None, epoch(2)), GENERATIONS_PER_EPOCH + 1, "a centre that forgot them all");
    assert_eq!(next_generation(Some(GENERATIONS_PER_EPOCH + 5), epoch(2)), GENERATIONS_PER_EPOCH + 6);
    assert_eq!(next_generation(Some(u32::MAX), epoch(u32::MAX)), u32::MAX, "at the end, no overflow");
}

#[test]
fn a_recall_asks_the_fewest_holders_and_nobody_in_vain() {
    let at = |device: u8, amount: i64| LeaseRow {
        device: DeviceId([device; 16]),
        lease: LeaseId([device; 16]),
        ..granted(amount)
    };
    let closed = close(&at(6, 900), Amount(0), 1, false).row;
    let rows =
        [at(1, 500), at(2, 80), at(3, 120), at(4, 50), closed, LeaseRow { unit: Unit::Cny, ..at(7, 999) }];
    let asked = |missing| {
        let holders = recall(&rows, Unit::Pts, DEVICE, Amount(missing));
        holders.iter().map(|holder| holder.device.0[0]).collect::<Vec<_>>()
    };
    assert_eq!(asked(100), [3]);
    assert_eq!(asked(121), [3, 2]);
    assert_eq!(asked(250), [3, 2, 4]);
    assert_eq!(asked(251), Vec::<u8>::new(), "all together have too little");
}

proptest! {
    #[test]
    fn filling_up_is_idempotent_and_within_every_cap(
        available in 0i64..1_000_000, remaining in 0i64..2_000, elsewhere in 0i64..5_000,
    ) {
        let policy = LeasePolicy::default();
        let before = Book {
            open: Some(granted(remaining)),
            member_escrow: Amount(remaining + elsewhere),
            ..book(available)
        };
        if let Ok(more) = propose(&before, Ask::Ahead, &policy) {
            let total = remaining + more.0;
            prop_assert!(more.0 > 0 && more.0 <= available && total <= 500);
            prop_assert!((total + elsewhere) * 2 <= available + remaining + elsewhere);
            let filled = Book {
                open: Some(granted(total)),
                member_escrow: Amount(total + elsewhere),
                available: Amount(available - more.0),
                ..before
            };
            prop_assert_eq!(propose(&filled, Ask::Ahead, &policy), Err(NotGranted::Full));
        }
    }
}
