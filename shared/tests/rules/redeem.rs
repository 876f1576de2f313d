//! What points buy: worked figures, edges, properties.

use hufu_shared::rules::redeem::*;
use proptest::prelude::*;

use crate::kit::*;

fn rules() -> Redemption {
    let gift = Item {
        code: "gift".into(),
        name: Words { zh: "礼品".into(), en: "Gift".into() },
        kind: RedeemKind::Gift,
        cost: 5_000,
        value_fen: 0,
        min_rank: 0,
        months_open: Vec::new(),
    };
    Redemption {
        cash_per_point_fen: 100,
        items: vec![gift],
        special_offers: vec![SpecialOffer {
            item: "gift".into(),
            min_purchase_fen: 48_000,
            cost: 1_000,
            min_rank: 1,
        }],
        ..Redemption::default()
    }
}

fn ask(on: &str) -> Ask {
    Ask { day: day(on), rank: 1, balance: 6_000, purchase_fen: 0 }
}

#[test]
fn rule_s05_in_june_and_december_gifts_or_cash_one_to_one() {
    let twice = Redemption { months_open: vec![6, 12], ..rules() };
    for (on, closed) in [
        ("2025-05-31", Some(5)),
        ("2025-06-01", None),
        ("2025-06-30", None),
        ("2025-07-01", Some(7)),
        ("2025-11-30", Some(11)),
        ("2025-12-31", None),
    ] {
        let cash = cash(&twice, 200, ask(on));
        let gift = item(&twice, "gift", ask(on));
        match closed {
            Some(month) => {
                assert_eq!(cash, Err(NotRedeemed::Closed { month }), "{on}");
                assert_eq!(gift, Err(NotRedeemed::Closed { month }), "{on}");
            }
            None => {
                let cash = cash.expect("open");
                assert_eq!((cash.points, cash.worth_fen, cash.pending), (200, 20_000, false), "{on}");
                let gift = gift.expect("open");
                assert_eq!((gift.points, gift.rule), (5_000, "S5"), "{on}");
            }
        }
    }
}

#[test]
fn rule_p02_a_purchase_of_480_yuan_opens_the_gift_for_1000_points() {
    let with = |purchase_fen, rank| item(&rules(), "gift", Ask { purchase_fen, rank, ..ask("2025-03-03") });
    for (fen, rank, points) in [(48_000, 1, 1_000), (47_999, 1, 5_000), (0, 1, 5_000), (48_000, 0, 5_000)] {
        let redeemed = with(fen, rank).expect("enough points");
        assert_eq!((redeemed.points, redeemed.normal), (points, 5_000), "{fen} fen, rank {rank}");
        assert_eq!(redeemed.rule, if points < 5_000 { "P2" } else { "K24" });
    }
    let poor = Ask { balance: 1_000, purchase_fen: 48_000, ..ask("2025-03-03") };
    assert!(item(&rules(), "gift", poor).is_ok());
    let short = item(&rules(), "gift", Ask { purchase_fen: 47_999, ..poor });
    assert_eq!(short, Err(NotRedeemed::Short { needs: 5_000, has: 1_000 }));
}

#[test]
fn what_is_not_offered_or_not_for_the_rank_is_refused_with_its_reason() {
    let mut high = rules();
    high.items[0].min_rank = 2;
    assert_eq!(item(&high, "gift", ask("2025-03-03")), Err(NotRedeemed::Rank { needs: 2, has: 1 }));
    let other = item(&high, "car", ask("2025-03-03")).expect_err("no such thing");
    assert_eq!(other.to_string(), "the scheme does not offer car");
    let no_cash = Redemption { cash_per_point_fen: 0, ..rules() };
    assert!(cash(&no_cash, 1, ask("2025-03-03")).is_err());
    let gifts_only = Redemption { kinds: vec![RedeemKind::Gift], ..rules() };
    assert!(cash(&gifts_only, 1, ask("2025-03-03")).is_err());
    assert!(cash(&rules(), 6_001, ask("2025-03-03")).is_err());
    assert!(cash(&rules(), -1, ask("2025-03-03")).is_err(), "nobody redeems less than nothing");
    let own = Redemption { months_open: vec![6], ..rules() };
    let mut march = own.clone();
    march.items[0].months_open = vec![3];
    assert!(item(&march, "gift", ask("2025-03-03")).is_ok(), "an item may have months of its own");
}

#[test]
fn rule_x02_what_a_point_is_worth_is_a_parameter() {
    for (fen, worth_fen) in [(100, 500_000), (1, 5_000), (0, 0)] {
        let rules = Redemption { cash_per_point_fen: fen, ..rules() };
        assert_eq!(item(&rules, "gift", ask("2025-03-03")).expect("enough").worth_fen, worth_fen);
    }
    let mut own = rules();
    own.items[0].value_fen = 12_300;
    assert_eq!(item(&own, "gift", ask("2025-03-03")).expect("enough").worth_fen, 12_300);
}

#[test]
fn rule_k24_the_policy_is_told_the_catalogue_and_reads_it_back_as_it_is() {
    for code in ["S", "P", "B"] {
        let scheme = ready(code);
        let mut policy = Policy::default();
        scheme.write_into(&mut policy);
        assert_eq!(policy.catalogue.as_ref(), Some(&scheme.redemption), "{code}");
        let bytes = hufu_shared::cbor::encode(&policy);
        assert_eq!(hufu_shared::cbor::decode::<Policy>(&bytes).expect("its own bytes"), policy, "{code}");
        assert!(!scheme.not_done_yet().contains(&"redemption"), "{code}: the ledger does it");
    }
    let mut policy = Policy { catalogue: Some(rules()), ..Policy::default() };
    ready("K").write_into(&mut policy);
    assert_eq!(policy.catalogue, None, "a club whose points buy nothing");
    for (kind, code) in RedeemKind::CODES {
        assert_eq!((kind.code(), RedeemKind::from_code(code)), (code, Some(kind)));
    }
}

proptest! {
    #[test]
    fn nothing_costs_more_than_the_member_has_or_than_it_normally_costs(
        balance in 0i64..10_000, purchase_fen in 0i64..100_000, rank in 0u8..3,
    ) {
        let ask = Ask { day: day("2025-03-03"), rank, balance, purchase_fen };
        if let Ok(redeemed) = item(&rules(), "gift", ask) {
            prop_assert!(redeemed.points <= balance && redeemed.points <= redeemed.normal);
        }
    }
}
