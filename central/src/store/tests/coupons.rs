//! Coupons in the books, on both databases; each story is replayed from its journal at the end.

use hufu_shared::act::{Act, Actor, CouponUsed, CouponWhy, CouponsGiven, MemberSet, MembersMerged};
use hufu_shared::ids::{EntryId, Hash, MemberId, OperatorId};
use hufu_shared::member::MemberStatus;
use hufu_shared::policy::Policy;
use hufu_shared::rules::birthday::{NoBirthday, Shown};
use hufu_shared::scheme::bonus::{Birthday, CouponTerms};
use hufu_shared::time::{DAY_US, Instant};

use super::kit::*;
use super::stock::replays;
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Tx};
use crate::rules::coupons::State;
use crate::store::acts::Note;
use crate::store::coupons::{self, NotUsed};
use crate::store::people;
use crate::vault::{Personal, Vault, VaultError};

const ALL_SHOWN: Shown = Shown { card: true, id_card: true, own_use: true };

/// A club that welcomes with 200 yuan and gives 50 for a birthday, in which member 1 was born on 5 December. Member 5 joined
/// the day before it did, the others on the day.
async fn club(db: &Db, vault: &Vault) {
    found(db).await;
    let birthday = Birthday { coupon_fen: 5_000, ..Birthday::default() };
    let terms = CouponTerms { welcome_fen: 20_000, birthday: Some(birthday) };
    let policy = Policy { coupons: Some(terms), ..Policy::default() };
    act(db, 40, NOON.offset(-DAY_US / 2), Act::PolicySet(Box::new(policy))).await;
    let joins = |n: u8| MemberSet {
        member: member(n),
        number: format!("M{n}"),
        level: None,
        status: MemberStatus::Active,
        office: None,
        personal: Hash([n; 32]),
        joined: Some("2026-11-22".parse().expect("a day")),
    };
    act(db, 41, NOON.offset(-DAY_US / 3), Act::MembersSet((1..=4).map(joins).collect())).await;
    let born = Some("1990-12-05".parse().expect("a day"));
    let person = Personal { name: "欧阳静".to_owned(), birthday: born, ..Personal::default() };
    let vault = vault.clone();
    let put = move |tx: &mut Tx<'_>| -> Result<(), VaultError> { vault.put(tx, member(1), &person) };
    db.write(put).await.expect("sealed");
}

/// What the job does at a moment, as one act; how many coupons it gave.
async fn look(db: &Db, vault: &Vault, n: u8, now: Instant) -> usize {
    let Some(look) = db.read(move |tx| coupons::look_due(tx, now)).await.expect("readable") else { return 0 };
    let (until, scheme, vault) = (look.days.1, look.version, vault.clone());
    let first = (MemberId([0; 16]), coupons::MEMBERS_STEP_MAX);
    let due = db.read(move |tx| coupons::due(tx, &vault, &look, first)).await.expect("readable").0;
    let given = due.len();
    act(db, n, now, Act::CouponsGiven(CouponsGiven { until, scheme, coupons: due })).await;
    given
}

async fn uses(
    db: &Db,
    vault: &Vault,
    (n, coupon): (u8, Hash),
    shown: Shown,
    now: Instant,
) -> Result<(), NotUsed> {
    let wish = CouponUsed { coupon, office: OFFICE_A, reason: Hash([n; 32]) };
    let note = Note { commitment: wish.reason, sealed: vec![n] };
    let (vault, actor, id) = (vault.clone(), Actor::Admin(OperatorId([9; 16])), EntryId([n; 16]));
    let work =
        move |tx: &mut Tx<'_>| coupons::use_one(tx, &vault, (&wish, shown), (&note, &actor), (id, now));
    db.write(work).await.expect("taken")
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s09_s10_coupons_are_given_once_used_once_and_a_birthday_asks_for_what_the_scheme_says() {
    each(|db| async move {
        let keys = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&keys.path().join("vault.key")).expect("keys");
        club(&db, &vault).await;
        let at = |days: i64| NOON.offset(days * DAY_US);
        assert_eq!(look(&db, &vault, 60, at(1)).await, 4, "whoever joined since it gives any is welcomed");
        assert_eq!(look(&db, &vault, 61, at(1)).await, 0, "looked at");
        assert_eq!(look(&db, &vault, 62, at(10)).await, 1, "sent at the end of the month before");
        let own = db.read(move |tx| coupons::of_member(tx, member(1))).await.expect("readable");
        let told: Vec<_> = own.iter().map(|of| (of.given.why, of.given.fen, of.scheme)).collect();
        assert_eq!(told, [(CouponWhy::Welcome, 20_000, 1), (CouponWhy::Birthday, 5_000, 1)]);
        let (welcome, birthday) = (own[0].given, own[1].given);
        assert_eq!(
            (birthday.from.to_string(), birthday.until.map(|day| day.to_string())),
            ("2026-12-01".to_owned(), Some("2026-12-31".to_owned()))
        );
        // The same act again gives nothing again.
        let again = CouponsGiven { until: birthday.from, scheme: 1, coupons: vec![welcome, birthday] };
        act(&db, 63, at(10), Act::CouponsGiven(again)).await;
        let day = at(11);
        let bare = Shown { id_card: false, ..ALL_SHOWN };
        let evidence = Err(NotUsed::Birthday(NoBirthday::Evidence));
        assert_eq!(uses(&db, &vault, (70, birthday.id), bare, day).await, evidence);
        let others = Shown { own_use: false, ..ALL_SHOWN };
        let own_use = Err(NotUsed::Birthday(NoBirthday::NotOwnUse));
        assert_eq!(uses(&db, &vault, (71, birthday.id), others, day).await, own_use);
        assert_eq!(uses(&db, &vault, (72, birthday.id), ALL_SHOWN, day).await, Ok(()));
        let used = Err(NotUsed::Stands(State::Used));
        assert_eq!(uses(&db, &vault, (73, birthday.id), ALL_SHOWN, day).await, used);
        assert_eq!(uses(&db, &vault, (74, welcome.id), Shown::default(), day).await, Ok(()), "no evidence");
        assert_eq!(uses(&db, &vault, (75, Hash([7; 32])), ALL_SHOWN, day).await, Err(NotUsed::Unknown));
        // Whatever a shell overlooked: a coupon that was used is not used again.
        let twice = CouponUsed { coupon: welcome.id, office: OFFICE_B, reason: Hash([8; 32]) };
        act(&db, 76, at(12), Act::CouponUsed(twice)).await;
        let own = db.read(move |tx| coupons::of_member(tx, member(1))).await.expect("readable");
        let days: Vec<_> = own.iter().map(|of| of.used.map(|day| day.to_string())).collect();
        assert_eq!(days, [Some("2026-12-03".to_owned()), Some("2026-12-03".to_owned())]);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s10_who_comes_by_an_import_that_says_no_day_of_joining_is_not_welcomed() {
    each(|db| async move {
        let keys = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&keys.path().join("vault.key")).expect("keys");
        club(&db, &vault).await;
        let comes = |n: u8, joined: Option<&str>| MemberSet {
            member: member(n),
            number: format!("M{n}"),
            level: None,
            status: MemberStatus::Active,
            office: None,
            personal: Hash([n; 32]),
            joined: joined.map(|day| day.parse().expect("a day")),
        };
        let imported = vec![comes(6, None), comes(7, Some("2026-11-22"))];
        act(&db, 42, NOON.offset(-DAY_US / 4), Act::MembersSet(imported)).await;
        // An edit on the same day, as people make it: the row as it stands, with other data.
        let row = db.read(move |tx| people::member(tx, member(6))).await.expect("readable").expect("there");
        assert_eq!(row.joined, None, "nobody said it");
        let edited = MemberSet { personal: Hash([66; 32]), ..row };
        act(&db, 43, NOON.offset(-DAY_US / 5), Act::MembersSet(vec![edited])).await;
        assert_eq!(look(&db, &vault, 60, NOON.offset(DAY_US)).await, 5, "the four, and who joined on a day");
        let own = |n: u8| db.read(move |tx| coupons::of_member(tx, member(n)));
        assert!(own(6).await.expect("readable").is_empty(), "an import is no joining");
        assert_eq!(own(7).await.expect("readable").len(), 1);
        // Once somebody says the day it stands, and what was not looked at yet is given then.
        act(&db, 61, NOON.offset(DAY_US), Act::MembersSet(vec![comes(6, Some("2026-11-23"))])).await;
        act(&db, 62, NOON.offset(DAY_US), Act::MembersSet(vec![comes(6, None)])).await;
        assert_eq!(look(&db, &vault, 63, NOON.offset(2 * DAY_US)).await, 1);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_11_coupons_of_who_turns_out_to_be_another_go_with_them() {
    each(|db| async move {
        let keys = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&keys.path().join("vault.key")).expect("keys");
        club(&db, &vault).await;
        let day = NOON.offset(DAY_US);
        assert_eq!(look(&db, &vault, 60, day).await, 4);
        let merged = MembersMerged { survivor: member(1), merged: member(2), reason: Hash([0; 32]) };
        act(&db, 61, day, Act::MembersMerged(merged)).await;
        let own = db.read(move |tx| coupons::of_member(tx, member(1))).await.expect("readable");
        let brought = own.iter().find(|of| of.given.member == member(2)).expect("the other's, too").given;
        assert_eq!(own.len(), 2);
        assert_eq!(uses(&db, &vault, (70, brought.id), Shown::default(), day).await, Ok(()));
        let used = Err(NotUsed::Stands(State::Used));
        assert_eq!(uses(&db, &vault, (71, brought.id), Shown::default(), day).await, used);
        replays(&db).await;
    })
    .await;
}

#[tokio::test]
async fn every_statement_about_coupons_is_one_that_both_databases_take() {
    prepare_all(&[&coupons::SQL]).await;
}
