//! Cards issued, replaced and ended at the centre, and what stands under them, on both databases; each story is replayed
//! from its journal at the end.

use hufu_shared::act::{Act, CardChangesDue, CardExchanged, CardIssue, CardSet, CardStatusSet, CardsEnded};
use hufu_shared::cards::{BasePoints, CardLevel, CardTerms, PointsMeasure};
use hufu_shared::fact::{CardReplaced, Event, Shown, Subject, Visited};
use hufu_shared::ids::{CardId, EntryId, Hash};
use hufu_shared::member::CardStatus;
use hufu_shared::policy::Policy;
use hufu_shared::rules::cards::{CardEnd, Rank};
use hufu_shared::scheme::card::{LostMode, SubCards};
use hufu_shared::time::{DAY_US, Day, Instant, SECOND_US};
use hufu_shared::token::MediumKind;

use super::kit::*;
use super::stock::replays;
use crate::db::Db;
use crate::db::testing::{each, prepare_all};
use crate::rules::entry::EntryBody;
use crate::rules::world::CardLife;
use crate::store::cards::{self, Asked};
use crate::store::{StoreError, people};

const BEGUN: Instant = Instant(NOON.0 - 12 * 3600 * SECOND_US);

fn id(n: u8) -> CardId {
    CardId([n; 16])
}

fn at(n: i64) -> Instant {
    BEGUN.offset(n * SECOND_US)
}

/// Card `n` for member `of`, of a kind.
fn issue(n: u8, of: u8, kind: &str) -> CardIssue {
    let card = CardSet { kind: kind.to_owned(), ..card(n, Some(member(of))) };
    CardIssue { card, under: None, office: None, medium: false }
}

fn under(main: u8, issue: CardIssue) -> CardIssue {
    CardIssue { under: Some(id(main)), ..issue }
}

fn medium(main: u8, issue: CardIssue) -> CardIssue {
    CardIssue { medium: true, ..under(main, issue) }
}

fn to(n: u8, status: CardStatus) -> Act {
    Act::CardStatusSet(CardStatusSet { card: id(n), status, reason: Hash([0; 32]) })
}

fn exchange(old: u8, new: CardIssue) -> Act {
    Act::CardExchanged(Box::new(CardExchanged { old: id(old), new, reason: Hash([0; 32]) }))
}

async fn terms(db: &Db, terms: CardTerms) {
    let policy = Policy { cards: terms, ..Policy::default() };
    act(db, 40, at(-60), Act::PolicySet(Box::new(policy))).await;
}

async fn life(db: &Db, n: u8) -> CardLife {
    db.read(move |tx| cards::one(tx, id(n))).await.expect("readable").expect("a card").life
}

async fn status(db: &Db, n: u8) -> Option<CardStatus> {
    let card = db.read(move |tx| people::card_by_token(tx, token(n))).await.expect("readable");
    card.map(|card| card.status)
}

async fn statuses(db: &Db, cards: &[u8]) -> Vec<Option<CardStatus>> {
    let mut all = Vec::new();
    for n in cards {
        all.push(status(db, *n).await);
    }
    all
}

/// A member 1 with main card 1, sub cards 21 and 22 and another medium 31 of the main card.
async fn family(db: &Db) {
    found(db).await;
    let issues = vec![
        under(1, issue(21, 1, "discount")),
        under(1, issue(22, 1, "co_brand")),
        medium(1, issue(31, 1, "ordinary")),
    ];
    act(db, 60, at(0), Act::CardsIssued(issues)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k14_k16_one_main_card_then_sub_cards_and_media_under_it() {
    each(|db| async move {
        found(&db).await;
        let issues = vec![
            // Member 1 has card 1: no second main card; a sub card under a card of somebody else is none.
            issue(20, 1, "vip"),
            under(2, issue(21, 1, "discount")),
            issue(22, 1, "discount"),
            under(1, issue(23, 1, "discount")),
            medium(1, issue(24, 1, "ordinary")),
            // Card 2 is somebody's.
            under(1, issue(2, 1, "co_brand")),
        ];
        act(&db, 60, at(0), Act::CardsIssued(issues)).await;
        let met = statuses(&db, &[20, 21, 22, 23, 24]).await;
        let active = Some(CardStatus::Active);
        assert_eq!(met, [None, None, None, active, active]);
        let (sub, medium) = (life(&db, 23).await, life(&db, 24).await);
        assert_eq!((sub.rank, sub.under, sub.issued), (Rank::Sub, Some(id(1)), Some(at(0))));
        assert_eq!((medium.rank, medium.under), (Rank::Medium, Some(id(1))));
        assert_eq!(people_of(&db, 2).await, Some(member(2)), "still whose it was");
        // Whatever the member does with any of them is the member's (K15).
        let mut a = Terminal::start(TERMINAL_A);
        for n in [1, 23, 24] {
            a.purchase(i64::from(n) * 60, n, 32_000, 6);
        }
        a.upload(&db).await;
        assert_eq!(points(&db, 1).await, 18);
        replays(&db).await;
    })
    .await;
}

async fn people_of(db: &Db, n: u8) -> Option<hufu_shared::ids::MemberId> {
    db.read(move |tx| people::card_by_token(tx, token(n))).await.expect("readable")?.member
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k16_a_card_that_lay_in_stock_is_issued_and_one_that_is_somebodys_is_not() {
    each(|db| async move {
        found(&db).await;
        act(&db, 59, at(-10), Act::CardsSet(vec![card(40, None)])).await;
        act(&db, 60, at(0), Act::CardsIssued(vec![under(1, issue(40, 1, "co_brand"))])).await;
        assert_eq!(people_of(&db, 40).await, Some(member(1)));
        act(&db, 61, at(10), Act::CardsIssued(vec![under(2, issue(40, 2, "co_brand"))])).await;
        assert_eq!(people_of(&db, 40).await, Some(member(1)), "issued once");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k17_h05_a_card_replaced_at_the_centre_dies_with_its_media_and_its_sub_cards() {
    each(|db| async move {
        family(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.purchase(-900, 1, 32_000, 6);
        a.upload(&db).await;
        // A sub card cannot be replaced, nor a main card by a sub card.
        act(&db, 61, ARRIVAL.offset(10), exchange(21, issue(50, 1, "discount"))).await;
        act(&db, 62, ARRIVAL.offset(20), exchange(1, issue(50, 1, "co_brand"))).await;
        assert_eq!(status(&db, 50).await, None);
        let when = ARRIVAL.offset(SECOND_US);
        act(&db, 63, when, exchange(1, issue(50, 1, "vip"))).await;
        use CardStatus::{Active, Void};
        let met = statuses(&db, &[1, 21, 22, 31, 50]).await;
        assert_eq!(met, [Void, Void, Void, Void, Active].map(Some));
        assert_eq!(life(&db, 1).await.replaced, Some((id(50), when)));
        assert_eq!(life(&db, 50).await.replaces, Some(id(1)));
        let ended = [life(&db, 1).await.ended, life(&db, 21).await.ended];
        assert_eq!(ended, [Some((when, CardEnd::Replaced)), Some((when, CardEnd::MainEnded))]);
        assert_eq!((points(&db, 1).await, people_of(&db, 50).await), (6, Some(member(1))), "the member's");
        act(&db, 64, when.offset(SECOND_US), exchange(1, issue(51, 1, "vip"))).await;
        assert_eq!(status(&db, 51).await, None, "void is for good");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_x10_k17_where_the_club_says_so_sub_cards_follow_to_the_new_main_card() {
    each(|db| async move {
        family(&db).await;
        let follow = CardTerms { sub_on_main_replace: SubCards::Follow, ..CardTerms::default() };
        terms(&db, follow).await;
        act(&db, 63, at(60), exchange(1, issue(50, 1, "vip"))).await;
        use CardStatus::{Active, Void};
        assert_eq!(statuses(&db, &[1, 21, 22, 31, 50]).await, [Void, Active, Active, Void, Active].map(Some));
        assert_eq!(life(&db, 22).await.under, Some(id(50)));
        // Voided, there is nothing to follow to.
        act(&db, 64, at(120), to(50, Void)).await;
        assert_eq!(statuses(&db, &[21, 22]).await, [Void, Void].map(Some));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k17_sub_cards_end_when_a_terminal_replaces_the_main_card_by_either_medium() {
    each(|db| async move {
        family(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        // The stripe of the card is read, not its chip.
        let old = Subject { member: Some(member(1)), ..subject(31) };
        let replaced = CardReplaced { subject: old, card: token(77), medium: MediumKind::Uid };
        a.record(0, Shown::Accepted, Event::CardReplaced(replaced));
        a.upload(&db).await;
        use CardStatus::{Active, Void};
        assert_eq!(statuses(&db, &[1, 21, 22, 31, 77]).await, [Void, Void, Void, Void, Active].map(Some));
        let new = db.read(|tx| cards::one(tx, token(77).card_id())).await.expect("readable").expect("a card");
        let near = |at: Instant| NOON.since(at).abs() < 1_000;
        assert_eq!((new.life.rank, new.life.replaces), (Rank::Main, Some(id(1))));
        assert_eq!(new.life.office, Some(OFFICE_A));
        assert!(new.life.issued.is_some_and(near), "{:?}", new.life);
        let replaced = life(&db, 1).await.replaced.expect("by the new one");
        assert!(replaced.0 == token(77).card_id() && near(replaced.1), "{replaced:?}");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_x09_k18_h06_h07_lost_main_cards_are_frozen_with_their_media_and_lost_sub_cards_cancelled() {
    each(|db| async move {
        family(&db).await;
        use CardStatus::{Active, Lost, Void};
        let mut a = Terminal::start(TERMINAL_A);
        a.record(0, Shown::Accepted, Event::CardReportedLost(Visited { subject: subject(31) }));
        a.record(60, Shown::Accepted, Event::CardReportedLost(Visited { subject: subject(21) }));
        a.upload(&db).await;
        assert_eq!(statuses(&db, &[1, 31, 21, 22]).await, [Lost, Lost, Void, Active].map(Some));
        assert_eq!(life(&db, 21).await.ended.map(|(_, why)| why), Some(CardEnd::Lost));
        act(&db, 61, ARRIVAL.offset(SECOND_US), to(1, Active)).await;
        act(&db, 62, ARRIVAL.offset(2 * SECOND_US), to(21, Active)).await;
        assert_eq!(statuses(&db, &[1, 31, 21, 22]).await, [Active, Active, Void, Active].map(Some), "found");
        // At the centre it is the same; where the club replaces what was lost, the report asks for another card.
        assert_eq!(life(&db, 1).await.due, None);
        let new = CardTerms { lost_mode: LostMode::Replace, ..CardTerms::default() };
        let policy = Policy { cards: new, ..Policy::default() };
        act(&db, 63, ARRIVAL.offset(3 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
        act(&db, 64, ARRIVAL.offset(4 * SECOND_US), to(1, Lost)).await;
        assert_eq!(statuses(&db, &[1, 31]).await, [Lost, Lost].map(Some));
        assert_eq!(life(&db, 1).await.due.map(|(kind, _)| kind), Some("main".to_owned()));
        act(&db, 65, ARRIVAL.offset(5 * SECOND_US), to(31, Active)).await;
        assert_eq!((statuses(&db, &[1, 31]).await, life(&db, 1).await.due), (vec![Some(Active); 2], None));
        act(&db, 66, ARRIVAL.offset(6 * SECOND_US), to(22, Lost)).await;
        assert_eq!(status(&db, 22).await, Some(Void));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h08_a_voided_card_ends_for_good_and_its_sub_cards_with_it() {
    each(|db| async move {
        family(&db).await;
        use CardStatus::{Active, Void};
        act(&db, 61, at(60), to(1, Void)).await;
        act(&db, 62, at(61), to(1, Active)).await;
        assert_eq!(statuses(&db, &[1, 21, 22, 31]).await, [Void; 4].map(Some));
        let ended = [life(&db, 1).await.ended, life(&db, 22).await.ended];
        assert_eq!(ended, [Some((at(60), CardEnd::Voided)), Some((at(60), CardEnd::MainEnded))]);
        replays(&db).await;
    })
    .await;
}

/// Ends the sub cards that are due, as a job does.
async fn end_subs(db: &Db, n: u8, now: Instant) -> usize {
    let due = db.read(move |tx| cards::subs_due(tx, now, CardId([0; 16]), 100)).await.expect("readable");
    let count = due.len();
    if count > 0 {
        act(db, n, now, Act::CardsEnded(CardsEnded { cards: due })).await;
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k18_sub_cards_end_by_their_days_and_with_an_expired_main_card_whenever_the_job_runs() {
    let mut ends = Vec::new();
    for late in [false, true] {
        for db in [Db::memory().expect("memory")] {
            found(&db).await;
            terms(&db, CardTerms { sub_valid_days: Some(3), ..CardTerms::default() }).await;
            let main = CardSet { valid_until: Some(at(2 * 86_400)), ..card(2, Some(member(2))) };
            act(&db, 59, at(-5), Act::CardsSet(vec![main])).await;
            let issues = vec![under(1, issue(21, 1, "discount")), under(2, issue(22, 2, "discount"))];
            act(&db, 60, at(0), Act::CardsIssued(issues)).await;
            let mut count = 0;
            for day in 1..=5 {
                if !late || day == 5 {
                    let now = at(86_400 * i64::from(day) + 30);
                    count += end_subs(&db, 70 + day, now).await;
                    assert_eq!(end_subs(&db, 80 + day, now.offset(SECOND_US)).await, 0, "once");
                }
            }
            assert_eq!(count, 2);
            assert_eq!(statuses(&db, &[21, 22]).await, [CardStatus::Void; 2].map(Some));
            ends.push([life(&db, 21).await.ended, life(&db, 22).await.ended]);
            replays(&db).await;
        }
    }
    assert_eq!(ends[0], ends[1], "late as on time");
    let expected = [(at(3 * 86_400), CardEnd::Expired), (at(2 * 86_400), CardEnd::MainEnded)];
    assert_eq!(ends[0], expected.map(Some));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k15_base_points_come_with_a_card_of_their_kind_and_once() {
    each(|db| async move {
        found(&db).await;
        let base = |kind: Option<&str>, points, rule: &str| BasePoints {
            kind: kind.map(str::to_owned),
            points,
            rule: rule.to_owned(),
            once: rule == "K15b",
        };
        let base_points =
            vec![base(Some("co_brand"), 50, "K15"), base(None, 5, "K15b"), base(Some("vip"), 90, "K15c")];
        terms(&db, CardTerms { base_points, ..CardTerms::default() }).await;
        let issues = || Act::CardsIssued(vec![under(1, issue(21, 1, "co_brand"))]);
        act(&db, 60, at(0), issues()).await;
        assert_eq!(points(&db, 1).await, 55, "a sub card's are its member's");
        act(&db, 61, at(10), issues()).await;
        assert_eq!(points(&db, 1).await, 55);
        act(&db, 62, at(20), Act::CardsIssued(vec![under(1, issue(22, 1, "co_brand"))])).await;
        assert_eq!(points(&db, 1).await, 105, "what comes once came with the first");
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        replays(&db).await;
    })
    .await;
}

fn by_points() -> CardTerms {
    let level = |rank, kind: &str, measure, threshold, from_rank| CardLevel {
        rank,
        kind: kind.to_owned(),
        measure,
        threshold,
        from_rank,
    };
    let levels = vec![
        level(0, "main", None, 0, None),
        level(1, "vip", Some(PointsMeasure::Balance), 12, None),
        level(2, "gold", Some(PointsMeasure::Balance), 18, Some(1)),
    ];
    CardTerms { levels, ..CardTerms::default() }
}

/// Looks which cards points change, up to a day, as a job does.
async fn changes(db: &Db, n: u8, now: Instant, until: Day) -> usize {
    let load = move |tx: &mut crate::db::Tx<'_>| -> Result<_, StoreError> {
        let terms = crate::store::world::policy(tx)?.cards;
        let after = cards::changes_until(tx)?.unwrap_or(Day(20_770));
        let (mut all, mut from) = (Vec::new(), Some(CardId([0; 16])));
        while let Some(card) = from {
            // Two at a time, so that the pages meet.
            let (changes, next) = cards::changes_due(tx, &terms, (after, until), card, 2)?;
            all.extend(changes);
            from = next;
        }
        Ok(all)
    };
    let changes = db.read(load).await.expect("readable");
    let count = changes.len();
    act(db, n, now, Act::CardChangesDue(CardChangesDue { until, changes })).await;
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k17_points_ask_for_another_card_and_the_next_one_is_of_that_kind() {
    let mut lives = Vec::new();
    for late in [false, true] {
        let db = Db::memory().expect("memory");
        found(&db).await;
        terms(&db, by_points()).await;
        let mut a = Terminal::start(TERMINAL_A);
        for n in 0..2 {
            a.purchase(n * 1_800, 1, 32_000, 6);
        }
        a.purchase(200, 2, 32_000, 6);
        a.purchase(86_400, 1, 32_000, 6);
        let now = NOON.offset(2 * DAY_US);
        let body = EntryBody::Batch(a.batch_at(now));
        entry(&db, EntryId([65; 16]), now, body).await;
        let mut found = 0;
        if !late {
            found += changes(&db, 70, now, Day(20_779)).await;
        }
        found += changes(&db, 71, now.offset(SECOND_US), Day(20_780)).await;
        assert_eq!(found, 2, "vip on the first day, gold on the second");
        assert_eq!(changes(&db, 72, now.offset(2 * SECOND_US), Day(20_790)).await, 0, "once");
        lives.push((life(&db, 1).await.due, life(&db, 2).await.due));
        let waiting =
            db.read(|tx| cards::waiting(tx, (Day(0), CardId([0; 16])), 10)).await.expect("readable");
        assert_eq!(
            waiting.iter().map(|line| (line.card, line.to.as_str())).collect::<Vec<_>>(),
            [(id(1), "gold")]
        );
        // A terminal gives the next card: it is of the kind that the points asked for, and nothing waits any more.
        let old = Subject { member: Some(member(1)), ..subject(1) };
        let replaced = CardReplaced { subject: old, card: token(77), medium: MediumKind::Uid };
        a.record(172_900, Shown::Accepted, Event::CardReplaced(replaced));
        let later = now.offset(3_600 * SECOND_US);
        let body = EntryBody::Batch(a.batch_at(later));
        entry(&db, EntryId([66; 16]), later, body).await;
        let new =
            db.read(|tx| people::card_by_token(tx, token(77))).await.expect("readable").expect("a card");
        assert_eq!((new.kind.as_str(), life(&db, 1).await.due), ("gold", None));
        replays(&db).await;
    }
    assert_eq!(lives[0], lives[1], "late as on time");
    assert_eq!(lives[0], (Some(("gold".to_owned(), Day(20_780))), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k19_cards_are_found_by_time_of_issue_and_replacement_holder_and_kind() {
    each(|db| async move {
        family(&db).await;
        act(&db, 63, at(60), exchange(1, issue(50, 1, "vip"))).await;
        let find = |asked: Asked| {
            let db = db.clone();
            async move {
                let found =
                    db.read(move |tx| cards::find(tx, &asked, (Instant(i64::MIN), CardId([0; 16])), 100));
                found.await.expect("readable").iter().map(|line| line.card.card.0[0]).collect::<Vec<u8>>()
            }
        };
        let of = |holder: &str, kind: &str| Asked {
            holder: holder.to_owned(),
            kind: kind.to_owned(),
            ..Asked::default()
        };
        assert_eq!(find(of("M1", "")).await, [1, 21, 22, 31, 50]);
        assert_eq!(find(of("M2", "")).await, [2]);
        assert_eq!(find(of("", "co_brand")).await, [22]);
        let since = Asked { from: Some(at(0)), until: Some(at(60)), ..Asked::default() };
        assert_eq!(find(since).await, [21, 22, 31]);
        assert_eq!(find(Asked { by_replaced: true, ..Asked::default() }).await, [1]);
        assert_eq!(
            find(Asked { rank: "sub".to_owned(), status: "void".to_owned(), ..of("M1", "") }).await,
            [21, 22]
        );
    })
    .await;
    prepare_all(&[&cards::SQL, &crate::store::stock::SQL]).await;
}
