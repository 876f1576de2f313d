//! The inbox beside its cases, on both databases: what a verdict would do is what it does, and who has a case survives a
//! replay.

use std::collections::BTreeMap;

use hufu_shared::act::{Act, Actor, CaseDecided, CasesHanded, CasesPutOff, Pin, PinOutcome, Verdict};
use hufu_shared::ids::{FactId, Hash, OperatorId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{Instant, SECOND_US};

use super::kit::*;
use super::stock::replays;
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Tx};
use crate::rules::foreseen::{Foreseen, Party, Sum};
use crate::rules::posting::case_id;
use crate::store::{cases, foreseen, inbox, staff};

const LATER: Instant = Instant(NOON.0 + 9 * 3600 * SECOND_US);
const CLERK: OperatorId = OperatorId([0xc1; 16]);

/// Member 1 checked in at A at noon and at B ten minutes later; the case of it and its facts.
async fn twice(db: &Db) -> (Hash, Vec<FactId>) {
    found(db).await;
    let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
    let facts = vec![a.check_in(0, 1), b.check_in(600, 1)];
    a.upload(db).await;
    b.upload(db).await;
    (case_id(27, &[&member(1).0, &SALON.0]), facts)
}

fn decided(case: Hash, pins: &[(FactId, bool)]) -> CaseDecided {
    let outcome = |counts| if counts { PinOutcome::Counts } else { PinOutcome::DoesNotCount };
    let pins = pins.iter().map(|(fact, counts)| Pin { fact: *fact, outcome: outcome(*counts) }).collect();
    CaseDecided { case, verdict: Verdict::Reverse, pins, reason: Hash([0; 32]) }
}

async fn foresee(db: &Db, decided: &CaseDecided) -> (Foreseen, bool) {
    let decided = decided.clone();
    let work = move |tx: &mut Tx<'_>| {
        let (actor, pins) = (Actor::Job("test".to_owned()), decided.pins.clone());
        let act = Act::CaseDecided(decided.clone());
        foreseen::of_case(tx, (LATER, &actor), decided.case, (&act, &pins))
    };
    db.read(work).await.expect("foreseen")
}

fn sum(amount: i64) -> Sum {
    Sum { party: Party::Member(member(1)), unit: Unit::Pts, code: "reversal", amount }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_27_what_a_verdict_would_post_is_what_it_posts() {
    each(|db| async move {
        let (case, facts) = twice(&db).await;
        let reversed = decided(case, &[(facts[0], false), (facts[1], false)]);
        let (told, holds) = foresee(&db, &reversed).await;
        assert!(holds);
        assert_eq!(told.sums, [sum(-SALON_POINTS)]);
        assert_eq!(points(&db, 1).await, SALON_POINTS, "nothing was done");
        let confirmed = CaseDecided { verdict: Verdict::Confirm, ..decided(case, &[]) };
        assert!(foresee(&db, &confirmed).await.0.is_nothing(), "to confirm changes nothing");
        let other = decided(case, &[(facts[0], false), (facts[1], true)]);
        let (told, _) = foresee(&db, &other).await;
        let own = told.sums.iter().filter(|sum| sum.party == Party::Member(member(1)));
        assert_eq!(own.map(|sum| sum.amount).sum::<i64>(), 0, "the member keeps the points: {told:?}");
        assert_eq!(told.facts.values().sum::<u64>(), 2, "the two change places: {told:?}");

        let done = act(&db, 60, LATER, Act::CaseDecided(reversed)).await;
        assert_eq!(crate::rules::foreseen::sums(&done.postings), [sum(-SALON_POINTS)]);
        assert_eq!(points(&db, 1).await, 0);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_27_two_that_may_not_both_count_are_told_before() {
    each(|db| async move {
        let (case, facts) = twice(&db).await;
        let both = decided(case, &[(facts[0], true), (facts[1], true)]);
        let (_, holds) = foresee(&db, &both).await;
        assert!(!holds, "one of them leaves no room for the other");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_handed_over_and_put_off_and_both_survive_a_replay() {
    each(|db| async move {
        let (case, _) = twice(&db).await;
        let add = |tx: &mut Tx<'_>| staff::add(tx, CLERK, "li", "李客服", "-", NOON);
        db.write(add).await.expect("a clerk");
        let unknown = Hash([0xee; 32]);
        let handed = CasesHanded { cases: vec![case, unknown], to: Some(CLERK) };
        act(&db, 60, LATER, Act::CasesHanded(handed)).await;
        let until = LATER.offset(3600 * SECOND_US);
        let put_off = CasesPutOff { cases: vec![case, unknown], until: Some(until) };
        act(&db, 61, LATER.offset(1), Act::CasesPutOff(put_off)).await;

        let read = move |tx: &mut Tx<'_>| {
            let known = cases::one(tx, case)?.expect("the case");
            let mine = inbox::mine(tx, CLERK, None)?;
            let all = (inbox::care(tx, case)?, inbox::care(tx, unknown)?, inbox::cares(tx, 27)?);
            Ok::<_, crate::store::StoreError>((known, mine, all))
        };
        let (known, mine, (care, none, cares)) = db.read(read).await.expect("read");
        assert_eq!((care.staff, care.name.as_str()), (Some(CLERK), "李客服"));
        assert_eq!(care.until(known.known.changed, LATER.offset(2)), Some(until));
        assert_eq!(none, crate::rules::inbox::Care::default(), "what there is not is nobody's");
        assert_eq!(cares, BTreeMap::from([(case, care)]));
        assert_eq!(mine.cases.iter().map(|case| case.id).collect::<Vec<_>>(), [case]);
        assert_eq!((mine.counts[0].kind, mine.counts[0].count), (27, 1));

        act(&db, 62, LATER.offset(2), Act::CasesHanded(CasesHanded { cases: vec![case], to: None })).await;
        let mine = db.read(|tx| inbox::mine(tx, CLERK, None)).await.expect("read");
        assert!(mine.cases.is_empty(), "taken back");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_stake_is_what_both_terminals_promised() {
    each(|db| async move {
        let (case, _) = twice(&db).await;
        let stakes = db.read(|tx| inbox::stakes(tx, 27, 50)).await.expect("read");
        let points = Leg { unit: Unit::Pts, amount: Amount(2 * SALON_POINTS) };
        assert_eq!(stakes, BTreeMap::from([(case, vec![points])]));
    })
    .await;
}

#[tokio::test]
async fn every_statement_of_the_inbox_is_one_that_both_databases_take() {
    prepare_all(&[&inbox::SQL]).await;
}
