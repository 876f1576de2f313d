//! Orders refused at the door (B3): what they cost, once, by the version of their day and in any order of telling.

use super::*;

fn refused(serial: &str, n: u8) -> EventTold {
    event(serial, n, (EarnKind::Refusal, ""))
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b03_a_refused_order_costs_points_once_owes_what_is_missing_and_is_taken_back() {
    each(|db| async move {
        found_with(&db, shipped("B").terms()).await;
        tell(&db, 60, task("b1", "bind-account")).await;
        tell(&db, 61, refused("o1", 1)).await;
        tell(&db, 62, refused("o1", 1)).await;
        assert_eq!((points(&db, 1).await, owed(&db, 1).await), (50, 0), "50 of 100, once for its serial");
        assert_eq!(gave(&db, &refused("o1", 1)).await, [("B3".to_owned(), -50, State::Posted)]);
        tell(&db, 63, refused("o2", 1)).await;
        tell(&db, 64, refused("o3", 1)).await;
        assert_eq!((points(&db, 1).await, owed(&db, 1).await), (0, 50), "what is missing is owed");
        assert_eq!(count(&db, "cases_of_kind", vec![24.into()]).await, 1, "and a person sees it");
        tell(&db, 65, task("s1", "sign-in")).await;
        assert_eq!((points(&db, 1).await, owed(&db, 1).await), (0, 45), "what comes next pays it");
        for n in [66, 67] {
            take_back(&db, n, &refused("o2", 1)).await;
        }
        assert_eq!((points(&db, 1).await, owed(&db, 1).await), (5, 0), "50 back, of which 45 were owed");
        let lines = db.read(move |tx| statement::lines(tx, (member(1), Unit::Pts), Place::FIRST, 99)).await;
        let lines = lines.expect("lines");
        let costs = lines.iter().find(|line| line.cause.as_deref() == Some("refusal")).expect("a line");
        assert_eq!((costs.code.as_str(), costs.rule.as_str(), costs.scheme), ("points", "B3", 1));
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b03_what_refused_orders_cost_fills_no_cap_and_follows_the_version_of_their_day() {
    each(|db| async move {
        let mut club = shipped("B");
        found_with(&db, club.terms()).await;
        for (n, serial) in (60..).zip(["r1", "r2", "r3", "r4", "r5"]) {
            tell(&db, n, task(serial, "review")).await;
        }
        // A code that a rule of the same number is for.
        let order = EventTold { of: "review".to_owned(), ..refused("o1", 1) };
        tell(&db, 66, order.clone()).await;
        tell(&db, 67, task("r6", "review")).await;
        assert_eq!(points(&db, 1).await, 50, "the cap of the day stays full");
        (club.version, club.returns.refusal_penalty) = (2, 7);
        act(&db, 68, late(68), Act::SchemeSet(club.terms())).await;
        tell(&db, 69, EventTold { day: TODAY.plus(-1), ..refused("o2", 1) }).await;
        assert_eq!(points(&db, 1).await, 0, "50 by the version of that day");
        tell(&db, 70, refused("o3", 2)).await;
        assert_eq!(owed(&db, 2).await, 7, "by that of today");
        (club.version, club.returns.refusal_penalty) = (3, 0);
        act(&db, 71, late(71), Act::SchemeSet(club.terms())).await;
        tell(&db, 72, refused("o4", 2)).await;
        assert!(gave(&db, &refused("o4", 2)).await.is_empty(), "the club takes nothing any more");
        assert_eq!((owed(&db, 1).await, owed(&db, 2).await), (0, 7));
        replays(&db).await;
    })
    .await;
}

/// Tells of two tasks and a refused order in some order; what the member has and owes in the end.
async fn told_in(order: [usize; 3], db: &Db) -> (i64, i64) {
    found_with(db, shipped("B").terms()).await;
    let events = [task("s1", "sign-in"), task("r1", "review"), refused("o1", 1)];
    for (n, at) in (60..).zip(order) {
        tell(db, n, events[at].clone()).await;
    }
    replays(db).await;
    (points(db, 1).await, owed(db, 1).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b03_a_refused_order_costs_the_same_whichever_is_told_first() {
    for order in [[0, 1, 2], [2, 0, 1], [0, 2, 1]] {
        each(move |db| async move {
            assert_eq!(told_in(order, &db).await, (0, 25), "{order:?}: 25 earned, 50 due");
        })
        .await;
    }
}
