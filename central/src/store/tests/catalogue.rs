//! Redemption from the catalogue, on both databases; each story is replayed from its journal at the end.

use hufu_shared::act::{
    Act, Actor, CouponUsed, CouponWhy, ItemDecided, ItemRedeemed, ItemTakenBack, LevelMove, LevelWhy,
    LevelsMoved, PointsChange, PointsChanged, Redeems, StockClass, StockEnd, StockItem, StockMoved,
};
use hufu_shared::fact::{Earned, Event, Reversed, Shown, SlipKey};
use hufu_shared::ids::{EntryId, FactId, Hash, ItemId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::Policy;
use hufu_shared::rules::level::Standing;
use hufu_shared::rules::redeem::NotRedeemed;
use hufu_shared::scheme::level::Ladder;
use hufu_shared::scheme::redemption::{Item, RedeemKind, Redemption};
use hufu_shared::scheme::{Scheme, ready};
use hufu_shared::time::{DAY_US, Day, OfficeClock};

use super::clocks::late;
use super::kit::*;
use super::redeemed::{OTHER, PLANNER, act_of};
use super::stock::replays;
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Tx};
use crate::rules::catalogue::{NotHad, NotOpened, State, Terms};
use crate::rules::coupons::{self as rights, State as CouponState};
use crate::store::acts::Note;
use crate::store::catalogue::desk::{self, NotGot, NotStepped};
use crate::store::catalogue::{self as store, List};
use crate::store::statement::{self, Place};
use crate::store::{coupons, stock};

const GIFT: ItemId = ItemId([7; 16]);

/// A club with the pharmacy's catalogue and levels, changed by the test; members 1 and 3 are gold. Members 1 and 2 have 6,000
/// points, member 3 has 300.
async fn club(db: &Db, change: impl FnOnce(&mut Redemption)) {
    found(db).await;
    let pharmacy: Scheme = toml::from_str(ready::find("P").expect("shipped").text).expect("a scheme");
    let mut rules = Redemption::of(&pharmacy).expect("a catalogue");
    change(&mut rules);
    let policy = Policy { catalogue: Some(rules), levels: Ladder::of(&pharmacy), ..Policy::default() };
    act(db, 40, NOON.offset(-DAY_US / 2), Act::PolicySet(Box::new(policy))).await;
    let change = |(n, points): (u8, i64)| PointsChange {
        id: Hash([n; 32]),
        member: member(n),
        points,
        cause: "purchase".to_owned(),
        office: OFFICE_A,
        occurrence: None,
        fact: None,
        reason: Hash([0; 32]),
    };
    let changes = [(1, 6_000), (2, 6_000), (3, 300)].map(change).to_vec();
    act(db, 41, NOON, Act::PointsChanged(PointsChanged { changes, waits: false, trigger: None })).await;
    let today = OfficeClock::default().business_day(NOON);
    let to = Standing { rank: 1, since: today, until: None, in_grace: false };
    let gold = |n| LevelMove {
        member: member(n),
        day: today,
        why: LevelWhy::Rose,
        from: 0,
        to,
        measured: 1_200,
        threshold: 1_200,
        taken: None,
        place: None,
    };
    let moved = LevelsMoved { until: today, scheme: 1, moves: vec![gold(1), gold(3)] };
    act(db, 42, NOON, Act::LevelsMoved(moved)).await;
}

fn wish(name: u8, n: u8, what: Redeems) -> ItemRedeemed {
    ItemRedeemed { id: Hash([name; 32]), member: member(n), office: OFFICE_A, what, reason: Hash([5; 32]) }
}

fn gift(purchase: Option<FactId>) -> Redeems {
    Redeems::Item { code: "gift".to_owned(), stock: None, purchase }
}

/// The `n`th second after the uploads: one member redeems, by the planner's hand.
async fn redeems(db: &Db, n: u8, wish: &ItemRedeemed) {
    act_of(db, PLANNER, n, late(i64::from(n)), Act::ItemRedeemed(wish.clone())).await;
}

async fn takes_back(db: &Db, n: u8, name: u8) {
    let back = ItemTakenBack { redemption: Hash([name; 32]), reason: Hash([6; 32]) };
    act_of(db, PLANNER, n, late(i64::from(n)), Act::ItemTakenBack(back)).await;
}

async fn checked(db: &Db, wish: ItemRedeemed, days: i64) -> Result<(Terms, bool), NotGot> {
    let now = late(250).offset(days * DAY_US);
    db.read(move |tx| desk::check(tx, &wish, now)).await.expect("readable")
}

async fn state(db: &Db, name: u8) -> Option<State> {
    let known = db.read(move |tx| store::redemption(tx, Hash([name; 32]))).await.expect("readable");
    known.map(|known| known.state)
}

async fn last_line(db: &Db, n: u8, unit: Unit) -> statement::Line {
    let of = (member(n), unit);
    let lines = db.read(move |tx| statement::lines(tx, of, Place::FIRST, 20)).await.expect("lines");
    lines.last().expect("a line").clone()
}

fn not_opened(why: NotOpened) -> Result<(Terms, bool), NotGot> {
    Err(NotGot::Rule(NotHad::Purchase(why)))
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p02_a_purchase_of_480_yuan_opens_one_offer_for_its_own_member_and_another_when_that_is_taken_back()
 {
    each(|db| async move {
        club(&db, |_| {}).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let small = terminal.purchase(0, 1, 47_999, 8);
        let large = terminal.purchase(200, 1, 48_000, 8);
        let others = terminal.purchase(400, 2, 48_000, 8);
        terminal.upload(&db).await;
        assert_eq!(points(&db, 1).await, 6_016);
        let asked = async |purchase| checked(&db, wish(9, 1, gift(Some(purchase))), 0).await;
        assert_eq!(asked(small).await, not_opened(NotOpened::Small { needs: 48_000, met: 47_999 }));
        assert_eq!(asked(others).await, not_opened(NotOpened::Others));
        assert_eq!(asked(FactId { seq: 99, ..large }).await, not_opened(NotOpened::Unknown));
        let tomorrow = checked(&db, wish(9, 1, gift(Some(large))), 1).await;
        assert!(
            matches!(tomorrow, Err(NotGot::Rule(NotHad::Purchase(NotOpened::Day { .. })))),
            "{tomorrow:?}"
        );
        for (n, purchase) in (50..).zip([small, others]) {
            redeems(&db, n, &wish(9, 1, gift(Some(purchase)))).await;
        }
        assert_eq!((state(&db, 9).await, points(&db, 1).await), (None, 6_016), "whatever a shell overlooked");

        for n in [60, 61] {
            redeems(&db, n, &wish(7, 1, gift(Some(large)))).await;
        }
        assert_eq!(points(&db, 1).await, 5_016, "1,000 instead of 5,000, the same name once");
        let line = last_line(&db, 1, Unit::Pts).await;
        assert_eq!((line.change, line.rule.as_str(), line.scheme), (-1_000, "P2", 1));
        assert_eq!(line.office, Some(words("A", "A")), "where it was");
        assert_eq!(line.plan.map(|name| name.zh).as_deref(), Some("会员礼品"));
        assert_eq!(asked(large).await, not_opened(NotOpened::Used));
        redeems(&db, 62, &wish(8, 1, gift(Some(large)))).await;
        assert_eq!((state(&db, 8).await, points(&db, 1).await), (None, 5_016), "one purchase, one offer");

        takes_back(&db, 63, 7).await;
        takes_back(&db, 64, 7).await;
        assert_eq!((state(&db, 7).await, points(&db, 1).await), (Some(State::TakenBack), 6_016));
        redeems(&db, 65, &wish(8, 1, gift(Some(large)))).await;
        redeems(&db, 66, &wish(10, 2, gift(None))).await;
        assert_eq!(
            (points(&db, 1).await, points(&db, 2).await),
            (5_016, 1_008),
            "the normal cost for others"
        );
        let own = (late(i64::from(u8::MAX)), Hash([0xff; 32]));
        let listed = db.read(move |tx| store::redemptions(tx, List::Of(member(1), None), own, 10)).await;
        let listed: Vec<u8> = listed.expect("readable").iter().map(|known| known.asked.id.0[0]).collect();
        assert_eq!(listed, [8, 7], "the newest first");
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p02_who_brings_the_goods_back_owes_what_the_offer_had_spared_until_it_is_taken_back() {
    each(|db| async move {
        club(&db, |_| {}).await;
        let more = PointsChange {
            id: Hash([4; 32]),
            member: member(3),
            points: 900,
            cause: "purchase".to_owned(),
            office: OFFICE_A,
            occurrence: None,
            fact: None,
            reason: Hash([0; 32]),
        };
        let more = PointsChanged { changes: vec![more], waits: false, trigger: None };
        act(&db, 43, NOON, Act::PointsChanged(more)).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let large = terminal.purchase(0, 3, 48_000, 8);
        terminal.upload(&db).await;
        redeems(&db, 60, &wish(7, 3, gift(Some(large)))).await;
        assert_eq!((points(&db, 3).await, owed(&db, 3).await), (208, 0));
        let legs = vec![Leg { unit: Unit::Pts, amount: Amount(8) }];
        let back = Reversed { original: large, legs, reason: "return".to_owned(), slip: None };
        terminal.record(600, Shown::Accepted, Event::Reversed(back));
        terminal.upload(&db).await;
        assert_eq!(
            (points(&db, 3).await, owed(&db, 3).await),
            (0, 3_800),
            "4,000 were spared, 200 were there"
        );
        let of = (member(3), Unit::Pts);
        let lines = db.read(move |tx| statement::lines(tx, of, Place::FIRST, 20)).await.expect("lines");
        let lost =
            lines.iter().filter(|line| (line.code.as_str(), line.rule.as_str()) == ("offer_lost", "P2"));
        assert_eq!(lost.map(|line| line.change).sum::<i64>(), -4_000, "on the statement, with the rule");
        let asked = checked(&db, wish(9, 3, gift(Some(large))), 0).await;
        assert_eq!(asked, not_opened(NotOpened::Returned));
        takes_back(&db, 61, 7).await;
        assert_eq!((points(&db, 3).await, owed(&db, 3).await), (1_200, 0), "as if it had never been");
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s05_gifts_and_cash_are_had_in_their_months_alone_and_cash_is_stored_value() {
    each(|db| async move {
        club(&db, |rules| {
            rules.kinds = Vec::new();
            (rules.months_open, rules.cash_per_point_fen) = (vec![6, 12], 100);
        })
        .await;
        let cash = |points| Redeems::Cash { points };
        let closed = Err(NotGot::Closed { month: 11, open: vec![6, 12] });
        assert_eq!(checked(&db, wish(7, 1, gift(None)), 0).await, closed);
        assert_eq!(checked(&db, wish(7, 3, cash(200)), 0).await, closed);
        redeems(&db, 60, &wish(7, 3, cash(200))).await;
        assert_eq!(has(&db, 3, Unit::Pts).await, 300, "November");
        let short = NotGot::Short { member: member(3), needs: 301, has: 300, escrow: 0 };
        assert_eq!(checked(&db, wish(7, 3, cash(301)), 10).await, Err(short));
        let december = late(61).offset(10 * DAY_US);
        act_of(&db, PLANNER, 61, december, Act::ItemRedeemed(wish(7, 3, cash(200)))).await;
        assert_eq!(has(&db, 3, Unit::Pts).await, 100);
        let (line, money) = (last_line(&db, 3, Unit::Pts).await, last_line(&db, 3, Unit::Cny).await);
        assert_eq!((line.change, line.rule.as_str()), (-200, "S5"), "at once");
        assert_eq!((money.change, money.after), (20_000, 20_000), "one to one");
        assert!(!line.corrects && !money.corrects, "both are the first of their unit");
        let back = ItemTakenBack { redemption: Hash([7; 32]), reason: Hash([6; 32]) };
        act_of(&db, PLANNER, 62, december, Act::ItemTakenBack(back)).await;
        let (line, money) = (last_line(&db, 3, Unit::Pts).await, last_line(&db, 3, Unit::Cny).await);
        assert_eq!((line.after, line.corrects, money.after), (300, true, 0));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k24_a_gift_comes_off_the_shelf_of_the_office_and_goes_back_and_none_is_given_that_is_not_there()
{
    each(|db| async move {
        club(&db, |_| {}).await;
        let item = StockItem {
            item: GIFT,
            class: StockClass::Gift,
            code: "gift".to_owned(),
            words: words("会员礼品", "Member's gift"),
            retired: false,
        };
        act(&db, 50, late(1), Act::StockItemsSet(vec![item])).await;
        let (from, to, id) = (StockEnd::Supplier, StockEnd::Shelf(OFFICE_A), Hash([8; 32]));
        let moved = StockMoved { id, item: GIFT, from, to, pieces: 1, reason: Hash([0; 32]) };
        act(&db, 51, late(2), Act::StockMoved(moved)).await;
        let what = db.read(|tx| desk::wanted(tx, "gift", None)).await.expect("readable");
        assert_eq!(what, Redeems::Item { code: "gift".to_owned(), stock: Some(GIFT), purchase: None });
        let pieces = async || {
            let shelf = db.read(|tx| stock::shelf(tx, GIFT, OFFICE_A)).await.expect("readable");
            shelf.map(|shelf| shelf.on_shelf())
        };
        redeems(&db, 60, &wish(7, 1, what.clone())).await;
        assert_eq!((points(&db, 1).await, pieces().await), (1_000, Some(0)));
        assert_eq!(last_line(&db, 1, Unit::Pts).await.rule, "K24");
        assert_eq!(checked(&db, wish(8, 2, what.clone()), 0).await, Err(NotGot::Shelf));
        redeems(&db, 61, &wish(8, 2, what.clone())).await;
        assert_eq!((state(&db, 8).await, points(&db, 2).await), (None, 6_000), "none is left");
        let offers = db.read(|tx| desk::offers(tx, (member(2), OFFICE_A), None, late(70))).await;
        let offers = offers.expect("readable").items;
        let gift = offers.iter().find(|offer| offer.item.code == "gift").expect("an item");
        assert_eq!((gift.cost, gift.pieces, &gift.may), (5_000, Some(0), &Err(NotGot::Shelf)));
        let award = offers.iter().find(|offer| offer.item.code == "quarter-gift").expect("an item");
        let rank = NotRedeemed::Rank { needs: 1, has: 0 };
        assert_eq!((award.pieces, &award.may), (None, &Err(NotGot::Rule(NotHad::Rule(rank)))), "for gold");
        takes_back(&db, 62, 7).await;
        assert_eq!((points(&db, 1).await, pieces().await), (6_000, Some(1)));
        redeems(&db, 63, &wish(8, 2, what)).await;
        assert_eq!((points(&db, 2).await, pieces().await), (1_000, Some(0)));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k24_where_the_scheme_asks_for_it_a_redemption_waits_for_another_person() {
    each(|db| async move {
        club(&db, |rules| rules.plan_needs_approval = true).await;
        let decide = |name: u8, approved| {
            Act::ItemDecided(ItemDecided { redemption: Hash([name; 32]), approved, reason: Hash([6; 32]) })
        };
        for name in [7, 8, 9] {
            redeems(&db, 50 + name, &wish(name, 1, gift(None))).await;
        }
        assert_eq!(
            (state(&db, 7).await, points(&db, 1).await),
            (Some(State::Waiting), 6_000),
            "nothing is taken"
        );
        act_of(&db, PLANNER, 70, late(70), decide(7, true)).await;
        assert_eq!(state(&db, 7).await, Some(State::Waiting), "nobody approves what they asked for");
        act_of(&db, OTHER, 71, late(71), decide(7, true)).await;
        assert_eq!((state(&db, 7).await, points(&db, 1).await), (Some(State::Done), 1_000));
        act_of(&db, OTHER, 72, late(72), decide(8, true)).await;
        assert_eq!(state(&db, 8).await, Some(State::Waiting), "there are not so many points any more");
        act_of(&db, OTHER, 73, late(73), decide(8, false)).await;
        takes_back(&db, 74, 9).await;
        assert_eq!(
            (state(&db, 8).await, state(&db, 9).await),
            (Some(State::Returned), Some(State::TakenBack))
        );
        takes_back(&db, 75, 8).await;
        act_of(&db, OTHER, 76, late(76), decide(9, true)).await;
        assert_eq!((state(&db, 8).await, points(&db, 1).await), (Some(State::Returned), 1_000));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p02_who_approves_is_told_that_the_purchase_of_an_offer_has_no_effect_any_more() {
    each(|db| async move {
        club(&db, |rules| rules.plan_needs_approval = true).await;
        let slip =
            |number: &str| SlipKey { shop: "A".to_owned(), number: number.to_owned(), date: Day(20_779) };
        let bought = |own: &str, before: Option<&str>| {
            let promised = vec![Leg { unit: Unit::Pts, amount: Amount(8) }];
            let (slip, replaces) = (Some(slip(own)), before.map(slip));
            let (subject, purchase, repeats, paid) = (subject(1), Amount(48_000), None, None);
            Event::Earned(Earned { subject, purchase, promised, slip, replaces, repeats, paid })
        };
        let mut terminal = Terminal::start(TERMINAL_A);
        let first = terminal.record(0, Shown::Accepted, bought("17", None));
        terminal.upload(&db).await;
        redeems(&db, 60, &wish(7, 1, gift(Some(first)))).await;
        terminal.record(600, Shown::Accepted, bought("18", Some("17")));
        terminal.upload(&db).await;
        let decided = ItemDecided { redemption: Hash([7; 32]), approved: true, reason: Hash([6; 32]) };
        let note = Note { commitment: Hash([6; 32]), sealed: vec![6] };
        let (actor, by) = (Actor::Admin(OTHER), (EntryId([61; 16]), late(61)));
        let work = move |tx: &mut Tx<'_>| desk::decide(tx, &decided, (&note, &actor), by);
        let done = db.write(work).await.expect("readable");
        assert_eq!(done, Some(Err(NotStepped::Not(NotGot::Rule(NotOpened::Void.into())))));
        assert_eq!(state(&db, 7).await, Some(State::Waiting));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k24_a_coupon_goes_to_the_books_of_coupons_and_one_that_was_used_is_not_taken_back() {
    each(|db| async move {
        club(&db, |rules| {
            rules.kinds = Vec::new();
            rules.items.push(Item {
                code: "voucher".to_owned(),
                name: words("满减券", "Voucher"),
                kind: RedeemKind::Coupon,
                cost: 50,
                value_fen: 500,
                min_rank: 0,
                months_open: Vec::new(),
            });
        })
        .await;
        let voucher = || Redeems::Item { code: "voucher".to_owned(), stock: None, purchase: None };
        for name in [7, 8] {
            redeems(&db, 50 + name, &wish(name, 3, voucher())).await;
        }
        assert_eq!(points(&db, 3).await, 200);
        let own = async || db.read(|tx| coupons::of_member(tx, member(3))).await.expect("readable");
        let given = own().await;
        let told: Vec<_> = given.iter().map(|of| (of.given.why, of.given.fen, of.scheme)).collect();
        assert_eq!(told, [(CouponWhy::Redeemed, 500, 1); 2]);
        let first = crate::rules::catalogue::coupon_id(Hash([7; 32]));
        let used = CouponUsed { coupon: first, office: OFFICE_A, reason: Hash([4; 32]) };
        act(&db, 70, late(70), Act::CouponUsed(used)).await;
        takes_back(&db, 71, 7).await;
        takes_back(&db, 72, 8).await;
        assert_eq!((state(&db, 7).await, state(&db, 8).await), (Some(State::Done), Some(State::TakenBack)));
        assert_eq!(points(&db, 3).await, 250);
        let today = OfficeClock::default().business_day(late(72));
        let states: Vec<_> =
            own().await.iter().map(|of| (of.given.id == first, rights::state(of, today))).collect();
        assert!(states.contains(&(true, CouponState::Used)), "{states:?}");
        assert!(states.contains(&(false, CouponState::Lapsed)), "{states:?}");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p06_points_buy_health_from_the_list_of_the_scheme_as_any_other_item() {
    each(|db| async move {
        club(&db, |_| {}).await;
        let health = Redeems::Item { code: "health-check".to_owned(), stock: None, purchase: None };
        redeems(&db, 60, &wish(7, 2, health.clone())).await;
        assert_eq!(points(&db, 2).await, 3_000);
        let line = last_line(&db, 2, Unit::Pts).await;
        assert_eq!((line.change, line.rule.as_str()), (-3_000, "K24"));
        assert_eq!(line.plan.map(|name| name.zh).as_deref(), Some("健康体检"));
        let short = NotGot::Short { member: member(3), needs: 3_000, has: 300, escrow: 0 };
        assert_eq!(checked(&db, wish(8, 3, health), 0).await, Err(short));
        replays(&db).await;
    })
    .await;
}

#[tokio::test]
async fn every_statement_about_the_catalogue_is_one_that_both_databases_take() {
    prepare_all(&[&store::SQL]).await;
}
