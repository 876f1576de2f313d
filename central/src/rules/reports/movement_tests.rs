//! What postings of each kind come to, by a case table.

use hufu_shared::ids::MemberId;

use super::*;
use crate::rules::posting::MethodCode;

const A: OfficeId = OfficeId([0xa; 16]);
const B: OfficeId = OfficeId([0xb; 16]);

fn movement(code: &str, from: Side, to: Side, amount: i64) -> Movement {
    Movement { day: Day(20_000), code: code.to_owned(), from, to, office: None, event: String::new(), amount }
}

fn issuer(office: OfficeId) -> Side {
    Side::House(Account::Issuer(office))
}

fn redeemed(office: OfficeId) -> Side {
    Side::House(Account::Redeemed(office))
}

fn drawer(office: OfficeId) -> Side {
    Side::House(Account::Cash(office, MethodCode::new("cash")))
}

#[test]
fn each_movement_is_what_its_house_account_says() {
    let none = Sums::default();
    let expired = || Side::House(Account::Expired);
    let cases = [
        ("earn_purchase", issuer(A), Side::Members, Sums { earned: 10, change: 10, ..none }),
        ("reversal", Side::Members, issuer(A), Sums { taken: 10, change: -10, ..none }),
        ("spend", Side::Members, redeemed(A), Sums { spent: 10, change: -10, ..none }),
        ("reversal", redeemed(A), Side::Members, Sums { spent: -10, change: 10, ..none }),
        ("expiry", Side::Members, expired(), Sums { expired: 10, change: -10, ..none }),
        ("top_up", drawer(A), Side::Members, Sums { paid_in: 10, change: 10, ..none }),
        ("reversal", Side::Members, drawer(A), Sums { paid_in: -10, change: -10, ..none }),
        ("spend", Side::Members, drawer(A), Sums { paid_out: 10, change: -10, ..none }),
        ("reversal", drawer(A), Side::Members, Sums { paid_out: -10, change: 10, ..none }),
        // What only goes from one pocket into another, what still waits, and what another office gave.
        ("lease_grant", Side::Members, Side::Members, none),
        ("earn_purchase", issuer(A), Side::Held, none),
        // The drawer has it, the member does not yet.
        ("top_up", drawer(A), Side::Held, Sums { paid_in: 10, ..none }),
        ("issuer_moved", issuer(B), issuer(A), none),
        // Members have more or less, and nothing above says why: it is told as other.
        ("opening", issuer(A), Side::Members, Sums { change: 10, ..none }),
        ("spend", Side::Members, Side::Other, Sums { change: -10, ..none }),
        ("merge", Side::Held, Side::Members, Sums { change: 10, ..none }),
    ];
    for (code, from, to, wanted) in cases {
        let movement = movement(code, from, to, 10);
        assert_eq!(sums(&movement, None), wanted, "{movement:?}");
    }
    assert_eq!(Sums { change: -10, ..none }.other(), -10);
    assert_eq!(Sums { earned: 10, taken: 3, spent: 2, expired: 1, change: 4, ..none }.other(), 0);
}

#[test]
fn what_was_set_free_counts_by_what_gave_it_and_at_its_office() {
    let free = |event: &str| Movement {
        office: Some(A),
        event: event.to_owned(),
        ..movement("reversal", Side::Held, Side::Members, 10)
    };
    assert_eq!(sums(&free("earned"), Some(A)), Sums { earned: 10, ..Sums::default() });
    assert_eq!(sums(&free("topped_up"), Some(A)), Sums::default(), "it was paid in before");
    assert_eq!(sums(&free("earned"), Some(B)), Sums::default(), "another office");
}

#[test]
fn offices_have_what_their_accounts_gave_and_took() {
    let movements = [
        movement("earn_purchase", issuer(A), Side::Members, 10),
        movement("issuer_moved", issuer(B), issuer(A), 4),
        movement("spend", Side::Members, redeemed(B), 3),
        movement("expiry", Side::Members, Side::House(Account::Expired), 2),
    ];
    let offices = by_office(&movements);
    assert_eq!(offices[&A], Sums { earned: 6, ..Sums::default() }, "what B gave was no gift of A");
    assert_eq!(offices[&B], Sums { earned: 4, spent: 3, ..Sums::default() });
    let all = movements.iter().fold(Sums::default(), |sum, of| plus(sum, sums(of, None)));
    assert_eq!(all, Sums { earned: 10, spent: 3, expired: 2, change: 5, ..Sums::default() });
    assert_eq!(all.other(), 0);
}

#[test]
fn sides_are_read_from_the_names_that_the_database_groups_by() {
    assert_eq!(Side::of("members"), Side::Members);
    assert_eq!(Side::of("held"), Side::Held);
    assert_eq!(Side::of("other"), Side::Other);
    assert_eq!(Side::of("sink/erased"), Side::House(Account::Erased));
    for account in [Account::Issuer(A), Account::Redeemed(B), Account::Expired] {
        assert_eq!(Side::of(&account.to_string()), Side::House(account));
    }
    assert_ne!(Side::of(&Account::Available(MemberId([1; 16])).to_string()), Side::Members, "it is grouped");
}
