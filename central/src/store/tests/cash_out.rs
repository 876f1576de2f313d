//! Stored value paid out in money: a spend of its lease that the drawer pays, on both databases.

use hufu_shared::act::{Act, LeaseCause, LeaseSet};
use hufu_shared::fact::{Event, Funding, LeaseUse, Reversed, Shown, Spent, ToppedUp};
use hufu_shared::ids::LeaseId;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::wire::lease::LeaseTerms;
use hufu_shared::wire::version::Version;

use super::kit::*;
use super::value::sums_hold;
use crate::db::testing::each;

const LEASE: LeaseId = LeaseId([0xe1; 16]);

fn granted(fen: i64) -> Act {
    Act::LeaseSet(LeaseSet {
        lease: LEASE,
        generation: 1,
        device: TERMINAL_A,
        member: member(1),
        unit: Unit::Cny,
        granted_total: Amount(fen),
        terms: LeaseTerms { ttl_s: 7 * 86_400, reboot_cost_s: 7_200, reboots_max: 3 },
        version: Version { epoch: 1, n: 1 },
        cause: LeaseCause::Granted,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_what_is_paid_out_leaves_the_lease_and_the_drawer_once() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let paid = Event::ToppedUp(ToppedUp {
            subject: subject(1),
            amount: Amount(30_000),
            method: "cash".to_owned(),
            slip: None,
        });
        a.record(0, Shown::Accepted, paid);
        a.upload(&db).await;
        act(&db, 60, NOON, granted(12_000)).await;
        let drawer = || count(&db, "points", vec![format!("cash/{OFFICE_A}/cash").into()]);
        assert_eq!((fen(&db, 1).await, -drawer().await), (18_000, 30_000));
        let used = LeaseUse {
            lease: LEASE,
            generation: 1,
            spent_total: Amount(10_000),
            state: Version { epoch: 1, n: 1 },
        };
        let leg = |fen| vec![Leg { unit: Unit::Cny, amount: Amount(fen) }];
        let out = Event::Spent(Spent {
            subject: subject(1),
            legs: leg(10_000),
            funding: vec![Funding::Lease(used)],
            slip: None,
            item: None,
            paid_out: Some("cash".to_owned()),
        });
        let out = a.record(600, Shown::Redeemed, out);
        a.upload(&db).await;
        assert_eq!(standing(&db, out).await, ("applied".to_owned(), None));
        let escrow = count(&db, "points", vec![format!("escrow/{LEASE}").into()]).await;
        assert_eq!((fen(&db, 1).await, escrow, -drawer().await), (18_000, 2_000, 20_000));
        sums_hold(&db).await;
        // Part of the money comes back over the counter: to the member, and into the drawer.
        let back = Reversed { original: out, legs: leg(4_000), reason: "mistake".to_owned(), slip: None };
        a.record(1_200, Shown::Accepted, Event::Reversed(back));
        a.close_day(1_300);
        a.upload(&db).await;
        assert_eq!((fen(&db, 1).await, -drawer().await), (22_000, 24_000));
        assert_eq!(count(&db, "cases_of_kind", vec![30.into()]).await, 0, "the count agrees");
        sums_hold(&db).await;
    })
    .await;
}
