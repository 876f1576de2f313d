//! Bills, and the birthday's discount in the books, on both databases; each story is replayed from its journal at the end.

use hufu_shared::act::{
    Act, Actor, BirthdayUsed, CouponGiven, CouponWhy, CouponsGiven, MemberSet, MembersMerged, PointsChange,
    PointsChanged,
};
use hufu_shared::ids::{EntryId, Hash, MemberId, OperatorId};
use hufu_shared::member::{MemberStatus, OfficeRow};
use hufu_shared::money::Amount;
use hufu_shared::rules::bill::NoDiscount;
use hufu_shared::rules::birthday::{NoBirthday, Shown};
use hufu_shared::rules::redeem::NotRedeemed;
use hufu_shared::rules::till::WhyNot;
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::bill::Step;
use hufu_shared::scheme::bonus::Birthday;
use hufu_shared::scheme::ready;
use hufu_shared::scheme::start::PointsStart;
use hufu_shared::time::{DAY_US, Day, Instant, OfficeClock};

use super::kit::*;
use super::stock::replays;
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Tx};
use crate::rules::birthdays::month;
use crate::store::acts::Note;
use crate::store::bills::{self, Asked, NotReckoned, Told};
use crate::store::birthdays::{self, NotUsed, Used};
use crate::store::coupons;
use crate::vault::{Personal, Vault, VaultError};

const ALL_SHOWN: Shown = Shown { card: true, id_card: true, own_use: true };
const COUPON: Hash = Hash([0xc0; 32]);
const HOUR_US: i64 = DAY_US / 24;

fn at(days: i64) -> Instant {
    NOON.offset(days * DAY_US)
}

/// 思凡 with 5 % for its diamond card and 10 % for a birthday, whose tables are lost.
fn fashion() -> Scheme {
    let mut scheme: Scheme = toml::from_str(ready::find("S").expect("shipped").text).expect("a scheme");
    (scheme.version, scheme.valid_from) = (1, Day(0));
    scheme.levels[1].discount_bp = 500;
    scheme.birthday = scheme.birthday.map(|rule| Birthday { discount_bp: 1_000, ..rule });
    scheme
}

/// A club in which members 1 and 2 were born in December and are of diamond level; the first has 300 points and a coupon of
/// 200 yuan.
async fn club(db: &Db, vault: &Vault) {
    found_with(db, fashion().terms()).await;
    let before = NOON.offset(-HOUR_US);
    let row = |n: u8| MemberSet {
        member: member(n),
        number: format!("M{n}"),
        level: Some(words("钻卡", "Diamond card")),
        status: MemberStatus::Active,
        office: None,
        personal: Hash([n; 32]),
        joined: None,
    };
    act(db, 40, before, Act::MembersSet(vec![row(1), row(2)])).await;
    let points = PointsChange {
        id: Hash([0xf0; 32]),
        member: member(1),
        points: 300,
        cause: "care".to_owned(),
        office: OFFICE_A,
        occurrence: None,
        fact: None,
        reason: Hash([0; 32]),
    };
    act(
        db,
        41,
        before,
        Act::PointsChanged(PointsChanged { changes: vec![points], waits: false, trigger: None }),
    )
    .await;
    let from = OfficeClock::default().business_day(before);
    let (why, fen) = (CouponWhy::Welcome, 20_000);
    let coupon = CouponGiven { id: COUPON, member: member(1), why, fen, from, until: None };
    act(db, 42, before, Act::CouponsGiven(CouponsGiven { until: from, scheme: 1, coupons: vec![coupon] }))
        .await;
    for (n, born) in [(1, "1990-12-05"), (2, "1990-12-31")] {
        let birthday = Some(born.parse().expect("a day"));
        let person = Personal { name: "欧阳静".to_owned(), birthday, ..Personal::default() };
        let vault = vault.clone();
        let put = move |tx: &mut Tx<'_>| -> Result<(), VaultError> { vault.put(tx, member(n), &person) };
        db.write(put).await.expect("sealed");
    }
}

fn asked(n: u8, fen: i64) -> Asked {
    let clock = OfficeClock::default();
    Asked {
        member: member(n),
        office: OfficeRow {
            office: OFFICE_A,
            code: "A".to_owned(),
            name: words("A", "A"),
            clock,
            group: None,
        },
        price: Amount(fen),
        coupon: None,
        points: 0,
        goods: String::new(),
        birthday: false,
        shown: ALL_SHOWN,
    }
}

async fn bill(db: &Db, vault: &Vault, asked: Asked, now: Instant) -> Result<Told, NotReckoned> {
    let vault = vault.clone();
    db.read(move |tx| bills::reckon(tx, &vault, &asked, now)).await.expect("readable")
}

async fn uses(
    db: &Db,
    vault: &Vault,
    (n, who): (u8, u8),
    shown: Shown,
    now: Instant,
) -> Result<Used, NotUsed> {
    let wish = wish(n, who);
    let note = Note { commitment: wish.reason, sealed: vec![n] };
    let (vault, actor, id) = (vault.clone(), Actor::Admin(OperatorId([9; 16])), EntryId([n; 16]));
    let work =
        move |tx: &mut Tx<'_>| birthdays::use_one(tx, &vault, (&wish, shown), (&note, &actor), (id, now));
    db.write(work).await.expect("taken")
}

fn wish(n: u8, who: u8) -> BirthdayUsed {
    let (id, reason) = (Hash([n; 32]), Hash([n; 32]));
    BirthdayUsed { id, member: member(who), office: OFFICE_A, slip: format!("B{n}"), reason }
}

async fn takes_back(db: &Db, (n, of): (u8, u8), now: Instant) -> Result<(), NotUsed> {
    let note = Note { commitment: Hash([n; 32]), sealed: vec![n] };
    let (actor, id) = (Actor::Admin(OperatorId([9; 16])), EntryId([n; 16]));
    let work = move |tx: &mut Tx<'_>| birthdays::take_back(tx, Hash([of; 32]), (&note, &actor), (id, now));
    db.write(work).await.expect("taken")
}

/// Slips of a member's uses, and whether each counts.
async fn told(db: &Db, who: MemberId) -> Vec<(String, bool)> {
    let own = db.read(move |tx| birthdays::of_member(tx, who)).await.expect("readable");
    own.into_iter().map(|known| (known.slip, known.taken_back.is_none())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s06_s07_a_bill_takes_coupon_points_level_and_birthday_in_order_and_uses_nothing_up() {
    each(|db| async move {
        let keys = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&keys.path().join("vault.key")).expect("keys");
        club(&db, &vault).await;
        let all = Asked { coupon: Some(COUPON), points: 200, birthday: true, ..asked(1, 100_000) };
        for _ in 0..2 {
            // 1,000 元 - 200 - 200 = 600; less 5 % = 570; less 10 % = 513, which earn 10 points at 2 for each 100.
            let told = bill(&db, &vault, all.clone(), at(11)).await.expect("reckoned");
            let steps: Vec<_> = told.reckoned.bill.steps.iter().map(|of| (of.step, of.by.0)).collect();
            let expected = [
                (Step::Coupon, 20_000),
                (Step::Points, 20_000),
                (Step::LevelDiscount, 3_000),
                (Step::BirthdayDiscount, 5_700),
            ];
            assert_eq!(steps, expected);
            assert_eq!((told.reckoned.bill.to_pay, told.earns.at_once), (Amount(51_300), Amount(10)));
            assert_eq!((told.reckoned.left.len(), told.scheme), (0, 1));
        }
        let closed = bill(&db, &vault, all.clone(), at(1)).await.expect("reckoned");
        let why = [
            (Step::Points, WhyNot::Points(NotRedeemed::Closed { month: 11 })),
            (Step::BirthdayDiscount, WhyNot::Birthday(NoBirthday::NotNow)),
        ];
        assert_eq!((closed.reckoned.bill.to_pay, closed.reckoned.left), (Amount(76_000), why.to_vec()));
        let others = Asked { coupon: Some(COUPON), ..asked(2, 100_000) };
        let unknown = Err(NotReckoned::Coupon(coupons::NotUsed::Unknown));
        assert_eq!(bill(&db, &vault, others, at(11)).await, unknown, "another's coupon");
        let beyond = Asked { price: Amount(-1), ..asked(1, 0) };
        assert_eq!(bill(&db, &vault, beyond, at(11)).await, Err(NotReckoned::Beyond));
        assert_eq!(bill(&db, &vault, asked(9, 1), at(11)).await, Err(NotReckoned::Member));
        assert_eq!(points(&db, 1).await, 300, "nothing was taken");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s04_s09_no_level_discount_on_the_day_of_issue_nor_without_the_card() {
    each(|db| async move {
        let keys = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&keys.path().join("vault.key")).expect("keys");
        club(&db, &vault).await;
        let bare = Asked { shown: Shown::default(), ..asked(1, 100_000) };
        let issued = NOON.offset(-20 * HOUR_US);
        for (of, now, to_pay, why) in [
            (asked(1, 100_000), issued, 100_000, Some(NoDiscount::IssueDay)),
            (asked(1, 100_000), at(0), 95_000, None),
            (bare, at(0), 100_000, Some(NoDiscount::NoCard)),
            (asked(3, 100_000), at(0), 100_000, None),
        ] {
            let told = bill(&db, &vault, of, now).await.expect("reckoned");
            let left: Vec<_> =
                why.map(|why| (Step::LevelDiscount, WhyNot::Discount(why))).into_iter().collect();
            assert_eq!((told.reckoned.bill.to_pay.0, told.reckoned.left), (to_pay, left));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_g01_a_bill_earns_as_the_ledger_does_for_whom_no_file_said_a_day_of_joining() {
    each(|db| async move {
        let keys = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&keys.path().join("vault.key")).expect("keys");
        let scheme = Scheme { points_start: PointsStart::Verified, ..fashion() };
        found_with(&db, scheme.terms()).await;
        let told = bill(&db, &vault, asked(3, 100_000), at(0)).await.expect("reckoned");
        assert_eq!(told.earns.at_once, Amount(20), "2 for each 100, since the day of the import");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s09_a_birthday_s_discount_is_used_once_a_year_and_taken_back() {
    each(|db| async move {
        let keys = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&keys.path().join("vault.key")).expect("keys");
        club(&db, &vault).await;
        let day = at(11);
        let refused = |why| Err(NotUsed::Birthday(why));
        assert_eq!(uses(&db, &vault, (60, 1), ALL_SHOWN, at(1)).await, refused(NoBirthday::NotNow));
        let bare = Shown { id_card: false, ..ALL_SHOWN };
        assert_eq!(uses(&db, &vault, (61, 1), bare, day).await, refused(NoBirthday::Evidence));
        let others = Shown { own_use: false, ..ALL_SHOWN };
        assert_eq!(uses(&db, &vault, (62, 1), others, day).await, refused(NoBirthday::NotOwnUse));
        assert_eq!(uses(&db, &vault, (63, 3), ALL_SHOWN, day).await, refused(NoBirthday::Unknown));
        assert_eq!(uses(&db, &vault, (64, 9), ALL_SHOWN, day).await, Err(NotUsed::Member));
        assert_eq!(uses(&db, &vault, (65, 1), ALL_SHOWN, day).await, Ok(Used::Now));
        assert_eq!(uses(&db, &vault, (65, 1), ALL_SHOWN, day).await, Ok(Used::Before), "the same name");
        let spent = NoBirthday::Used { used: 1, most: 1 };
        assert_eq!(uses(&db, &vault, (66, 1), ALL_SHOWN, day).await, refused(spent));
        // Whatever a shell overlooked: beyond what the year has it is not used.
        act(&db, 67, day, Act::BirthdayUsed(wish(67, 1))).await;
        assert_eq!(told(&db, member(1)).await, [("B65".to_owned(), true)]);
        assert_eq!(takes_back(&db, (68, 65), day).await, Ok(()));
        assert_eq!(takes_back(&db, (69, 65), day).await, Err(NotUsed::TakenBack));
        assert_eq!(takes_back(&db, (70, 1), day).await, Err(NotUsed::Unknown));
        assert_eq!(uses(&db, &vault, (71, 1), ALL_SHOWN, at(12)).await, Ok(Used::Now), "free again");
        assert_eq!(told(&db, member(1)).await, [("B65".to_owned(), false), ("B71".to_owned(), true)]);
        let days = month("2026-12").expect("a month");
        let first = (Instant(i64::MIN), Hash([0; 32]));
        let listed = |office, from, most| {
            let db = db.clone();
            async move {
                let page = db.read(move |tx| birthdays::page(tx, days, office, from, most)).await;
                page.expect("readable").into_iter().map(|known| (known.at, known.id)).collect::<Vec<_>>()
            }
        };
        let whole = listed(None, first, 10).await;
        assert_eq!(whole.len(), 2);
        assert_eq!(listed(Some(OFFICE_A), first, 1).await, whole[..1]);
        assert_eq!(listed(Some(OFFICE_A), whole[0], 10).await, whole[1..]);
        assert!(listed(Some(OFFICE_B), first, 10).await.is_empty());
        let newest = db.read(move |tx| birthdays::newest(tx, days, 1)).await.expect("readable");
        assert_eq!(newest.iter().map(|known| known.slip.as_str()).collect::<Vec<_>>(), ["B71"]);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_11_uses_of_who_turns_out_to_be_another_go_with_them_until_they_are_two_again() {
    each(|db| async move {
        let keys = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&keys.path().join("vault.key")).expect("keys");
        club(&db, &vault).await;
        let day = at(11);
        assert_eq!(uses(&db, &vault, (60, 2), ALL_SHOWN, day).await, Ok(Used::Now));
        let merged = MembersMerged { survivor: member(1), merged: member(2), reason: Hash([0; 32]) };
        act(&db, 61, day, Act::MembersMerged(merged.clone())).await;
        let spent = Err(NotUsed::Birthday(NoBirthday::Used { used: 1, most: 1 }));
        for (n, who) in [(62, 1), (63, 2)] {
            assert_eq!(uses(&db, &vault, (n, who), ALL_SHOWN, day).await, spent, "one person, one year");
        }
        act(&db, 64, day, Act::BirthdayUsed(wish(64, 1))).await;
        assert_eq!(told(&db, member(1)).await, [("B60".to_owned(), true)], "nor past the shell");
        act(&db, 65, day, Act::MembersUnmerged(merged)).await;
        assert_eq!(uses(&db, &vault, (66, 1), ALL_SHOWN, day).await, Ok(Used::Now));
        assert_eq!(told(&db, member(1)).await, [("B66".to_owned(), true)]);
        assert_eq!(told(&db, member(2)).await, [("B60".to_owned(), true)]);
        replays(&db).await;
    })
    .await;
}

#[tokio::test]
async fn every_statement_about_birthdays_is_one_that_both_databases_take() {
    prepare_all(&[&birthdays::SQL]).await;
}
