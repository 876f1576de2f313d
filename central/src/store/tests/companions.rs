//! Companions of members at activities, and what members are told of them, on both databases; each story is replayed from
//! its journal at the end.

use hufu_shared::act::{
    Act, ActivityDecided, ActivityPlan, ActivityPlanned, Actor, Admission, LeaveDecided, LeaveFiled,
    OccurrenceEnded, SignUpStep, SignedUp,
};
use hufu_shared::fact::{Attended, Event, Shown, Way};
use hufu_shared::ids::{ActivityId, EntryId, FactId, Hash, MemberId, OccurrenceId, OperatorId};
use hufu_shared::member::{Audience, OccurrenceRow};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::rules::activity::Coming;
use hufu_shared::time::{DAY_US, Instant, SECOND_US};

use super::kit::*;
use super::stock::replays;
use crate::db::testing::each;
use crate::db::{Db, Tx};
use crate::rules::entry::{EntryBody, TakenAct};
use crate::rules::joining::notice::About;
use crate::store::activities::{self, ComingLine, GateHeads};
use crate::store::{joining, people};

const TEA: ActivityId = ActivityId([0x7e; 16]);
const HOLDING: OccurrenceId = OccurrenceId([0x31; 16]);
const REASON: Hash = Hash([5; 32]);
/// After the founding, and long before the holding begins.
const MORNING: Instant = Instant(NOON.0 - 20 * 3_600 * SECOND_US);

async fn by(db: &Db, n: u8, person: u8, at: Instant, act: Act) {
    let actor = Actor::Admin(OperatorId([person; 16]));
    let body = EntryBody::Act(TakenAct { actor, act, seen: Vec::new() });
    entry(db, EntryId([n; 16]), at, body).await;
}

/// A plan of one holding with so many places, where each member may bring two.
fn planned(places: u32, starts: Instant) -> Act {
    let audience = Audience { companions: Some(2), ..Audience::default() };
    let row = OccurrenceRow {
        occurrence: HOLDING,
        activity: TEA,
        places: Some(places),
        starts,
        audience,
        ..occurrence()
    };
    let plan = ActivityPlan {
        activity: TEA,
        name: words("茶会", "Tea"),
        kind: "salon".to_owned(),
        place: "湖心亭".to_owned(),
        programme: "品茶".to_owned(),
        heads: 30,
        cost: Amount(100_000),
        admission: Some(Admission::Once),
    };
    Act::ActivityPlanned(Box::new(ActivityPlanned { plan, occurrences: vec![row] }))
}

fn approved() -> Act {
    Act::ActivityDecided(ActivityDecided { activity: TEA, approved: true, reason: REASON })
}

fn step(n: u8, step: SignUpStep, companions: Option<u32>) -> Act {
    Act::SignedUp(SignedUp { occurrence: HOLDING, member: member(n), step, companions })
}

/// A club with the plan, approved.
async fn tea(db: &Db, places: u32) {
    found(db).await;
    by(db, 60, 1, MORNING, planned(places, occurrence().starts)).await;
    by(db, 61, 2, MORNING, approved()).await;
}

async fn line(db: &Db, n: u8) -> Option<ComingLine> {
    let read = move |tx: &mut Tx<'_>| activities::one(tx, HOLDING, member(n));
    db.read(read).await.expect("readable")
}

async fn stands(db: &Db, n: u8) -> Option<(Coming, u32)> {
    line(db, n).await.map(|line| (line.sign_up.coming, line.sign_up.companions))
}

/// Everything that is due about activities: what, and to whom.
async fn due(db: &Db) -> Vec<(About, Option<MemberId>)> {
    let from = (Instant(0), Hash([0; 32]));
    let all = db.read(move |tx| joining::messages(tx, false, from, 200)).await.expect("readable");
    let of_holding = all.into_iter().filter(|(_, known)| known.occurrence == Some(HOLDING));
    let mut told: Vec<_> = of_holding.map(|(_, known)| (known.about, known.member)).collect();
    told.sort_unstable();
    told
}

fn comes(terminal: &mut Terminal, seconds: i64, n: u8, companions: u32, gate: u16) -> FactId {
    let attended = Attended {
        subject: subject(n),
        occurrence: HOLDING,
        promised: vec![Leg { unit: Unit::Pts, amount: Amount(SALON_POINTS) }],
        repeats: None,
        gate: Some(gate),
        way: Way::In,
        companions: (companions > 0).then_some(companions),
    };
    terminal.record(seconds, Shown::Accepted, Event::Attended(attended))
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k25_companions_take_places_and_terminals_are_told_of_them() {
    each(|db| async move {
        tea(&db, 3).await;
        by(&db, 62, 1, MORNING.offset(1), step(1, SignUpStep::SignUp, Some(3))).await;
        assert_eq!(stands(&db, 1).await, None, "more than the plan allows is taken from nobody");
        by(&db, 63, 1, MORNING.offset(2), step(1, SignUpStep::SignUp, Some(2))).await;
        by(&db, 64, 1, MORNING.offset(3), step(2, SignUpStep::SignUp, Some(1))).await;
        by(&db, 65, 1, MORNING.offset(4), step(3, SignUpStep::SignUp, None)).await;
        assert_eq!(stands(&db, 1).await, Some((Coming::Placed, 2)));
        assert_eq!(stands(&db, 2).await, Some((Coming::Waiting, 1)));
        assert_eq!(stands(&db, 3).await, Some((Coming::Waiting, 0)));
        // One companion stays at home: there is room for one, and not for two.
        by(&db, 66, 1, MORNING.offset(5), step(1, SignUpStep::SignUp, Some(1))).await;
        assert_eq!(stands(&db, 2).await, Some((Coming::Waiting, 1)));
        assert_eq!(stands(&db, 3).await, Some((Coming::Placed, 0)));
        by(&db, 67, 1, MORNING.offset(6), step(1, SignUpStep::SignUp, Some(2))).await;
        assert_eq!(stands(&db, 1).await, Some((Coming::Placed, 1)), "not without cancelling");
        by(&db, 68, 1, MORNING.offset(7), step(1, SignUpStep::Cancel, None)).await;
        assert_eq!(stands(&db, 2).await, Some((Coming::Placed, 1)));
        let row = holding(&db).await;
        let announced: Vec<u32> = (1..=3).map(|n| row.announced(member(n))).collect();
        assert_eq!(announced, [0, 1, 0]);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_28_a_party_takes_a_place_for_each_head_and_totals_tell_them_apart() {
    each(|db| async move {
        tea(&db, 4).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let pair = comes(&mut a, 1_200, 3, 1, 1);
        let alone = comes(&mut b, 900, 2, 0, 2);
        a.upload(&db).await;
        b.upload(&db).await;
        assert_eq!(standing(&db, pair).await, ("applied".to_owned(), None), "three of four places");
        let party = comes(&mut a, 1_300, 1, 2, 1);
        a.upload(&db).await;
        assert_eq!(standing(&db, party).await, ("no_effect".to_owned(), Some(28)), "three heads, one place");
        assert_eq!(points(&db, 1).await, 0);
        assert_eq!(standing(&db, alone).await, ("applied".to_owned(), None));
        let heads = db.read(|tx| activities::heads(tx, TEA)).await.expect("readable");
        let heads = heads.get(&HOLDING).expect("counted");
        assert_eq!((heads.attended, heads.companions, heads.came()), (3, 3, 6), "whoever came, came");
        let gates = db.read(|tx| activities::gates(tx, HOLDING)).await.expect("readable");
        let expected = [
            (Some(1), GateHeads { members: 2, companions: 3 }),
            (Some(2), GateHeads { members: 1, companions: 0 }),
        ];
        assert_eq!(gates.into_iter().collect::<Vec<_>>(), expected);
        let roomy = OccurrenceRow { places: Some(6), ..holding(&db).await };
        by(&db, 70, 1, ARRIVAL.offset(1), Act::OccurrenceSet(roomy)).await;
        assert_eq!(standing(&db, party).await, ("applied".to_owned(), None), "two places more");
        assert_eq!(points(&db, 1).await, SALON_POINTS, "points are the member's alone");
        replays(&db).await;
    })
    .await;
}

async fn holding(db: &Db) -> OccurrenceRow {
    db.read(|tx| people::occurrence(tx, HOLDING)).await.expect("readable").expect("there")
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_27_the_companions_of_the_check_in_that_admits_count_and_no_others() {
    each(|db| async move {
        tea(&db, 10).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        comes(&mut a, 600, 1, 2, 1);
        a.upload(&db).await;
        assert_eq!(companions_in(&db).await, 2);
        comes(&mut b, 0, 1, 1, 2);
        b.upload(&db).await;
        assert_eq!(companions_in(&db).await, 1, "the earlier one admits, with those who came with it");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k26_who_comes_in_again_and_again_is_one_head_and_has_the_points_each_time() {
    each(|db| async move {
        found(&db).await;
        let Act::ActivityPlanned(mut plan) = planned(1, occurrence().starts) else { panic!("a plan") };
        let row = &mut plan.occurrences[0];
        (row.admits_once, row.places, row.audience.counted) = (false, None, Some(true));
        by(&db, 60, 1, MORNING, Act::ActivityPlanned(plan)).await;
        by(&db, 61, 2, MORNING, approved()).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        comes(&mut terminal, 0, 1, 1, 1);
        comes(&mut terminal, 3_600, 1, 0, 1);
        terminal.upload(&db).await;
        assert_eq!(points(&db, 1).await, 2 * SALON_POINTS);
        let heads = db.read(|tx| activities::heads(tx, TEA)).await.expect("readable");
        let heads = heads.get(&HOLDING).expect("counted");
        assert_eq!((heads.attended, heads.companions), (1, 1), "with whom they came first");
        replays(&db).await;
    })
    .await;
}

/// Companions who came in, over all gates.
async fn companions_in(db: &Db) -> u64 {
    let gates = db.read(|tx| activities::gates(tx, HOLDING)).await.expect("readable");
    gates.values().map(|heads| heads.companions).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k25_each_change_is_told_once_and_a_plan_that_changed_to_all_who_come() {
    each(|db| async move {
        tea(&db, 1).await;
        assert_eq!(due(&db).await, [], "nobody comes yet");
        by(&db, 62, 1, MORNING.offset(1), step(1, SignUpStep::Invite, None)).await;
        by(&db, 63, 1, MORNING.offset(2), step(1, SignUpStep::SignUp, None)).await;
        by(&db, 64, 1, MORNING.offset(3), step(2, SignUpStep::SignUp, None)).await;
        by(&db, 65, 1, MORNING.offset(4), step(2, SignUpStep::SignUp, Some(1))).await;
        let mut told = vec![
            (About::ActivityInvited, Some(member(1))),
            (About::ActivityPlaced, Some(member(1))),
            (About::ActivityWaiting, Some(member(2))),
        ];
        assert_eq!(due(&db).await, told, "who announces a companion waits as before");
        by(&db, 66, 1, MORNING.offset(5), step(2, SignUpStep::SignUp, None)).await;
        by(&db, 67, 1, MORNING.offset(6), step(1, SignUpStep::Cancel, None)).await;
        told.push((About::ActivitySeated, Some(member(2))));
        assert_eq!(due(&db).await, told);
        // Nobody hears of a new plan before it is approved; then whoever still comes does.
        let later = occurrence().starts.offset(3_600 * SECOND_US);
        by(&db, 68, 1, MORNING.offset(7), planned(1, later)).await;
        assert_eq!(due(&db).await, told);
        by(&db, 69, 2, MORNING.offset(8), approved()).await;
        told.push((About::ActivityChanged, Some(member(2))));
        assert_eq!(due(&db).await, told);
        // Called off before it begins.
        let ended = OccurrenceEnded { occurrence: HOLDING, reason: REASON };
        by(&db, 70, 1, MORNING.offset(9), Act::OccurrenceEnded(ended)).await;
        told.push((About::ActivityCalledOff, Some(member(2))));
        assert_eq!(due(&db).await, told);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k25_members_with_a_place_are_reminded_once_within_the_day_before() {
    each(|db| async move {
        found(&db).await;
        let starts = NOON.offset(3 * DAY_US);
        let Act::ActivityPlanned(mut plan) = planned(1, starts) else { panic!("a plan") };
        plan.occurrences[0].ends = starts.offset(3_600 * SECOND_US);
        by(&db, 60, 1, MORNING, Act::ActivityPlanned(plan)).await;
        by(&db, 61, 2, MORNING, approved()).await;
        by(&db, 62, 1, MORNING.offset(1), step(1, SignUpStep::SignUp, None)).await;
        by(&db, 63, 1, MORNING.offset(2), step(2, SignUpStep::SignUp, None)).await;
        let to_remind = |now: Instant| {
            let db = db.clone();
            async move { db.read(move |tx| activities::to_remind(tx, now, 10)).await.expect("readable") }
        };
        assert_eq!(to_remind(starts.offset(-DAY_US - 1)).await, [], "not yet");
        let soon = starts.offset(-DAY_US);
        assert_eq!(to_remind(soon).await, [HOLDING]);
        for (n, reminded) in [(70, 1), (71, 0)] {
            let remind = move |tx: &mut Tx<'_>| {
                let actor = Actor::Job("reminders".to_owned());
                activities::remind(tx, HOLDING, (EntryId([n; 16]), &actor), soon)
            };
            assert_eq!(db.write(remind).await.expect("taken"), reminded, "once");
        }
        assert_eq!(to_remind(soon.offset(SECOND_US)).await, []);
        let reminders = due(&db).await.into_iter().filter(|told| told.0 == About::ActivityReminder);
        assert_eq!(reminders.map(|told| told.1).collect::<Vec<_>>(), [Some(member(1))], "not who waits");
        assert_eq!(to_remind(starts).await, [], "it has begun");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k11_k25_who_has_left_is_told_of_no_activity_any_more() {
    each(|db| async move {
        tea(&db, 3).await;
        by(&db, 62, 1, MORNING.offset(1), step(1, SignUpStep::SignUp, None)).await;
        by(&db, 63, 1, MORNING.offset(2), step(2, SignUpStep::SignUp, None)).await;
        let kind = "normal".to_owned();
        let filed = LeaveFiled { member: member(1), kind, reason: REASON };
        by(&db, 64, 1, MORNING.offset(3), Act::LeaveFiled(filed)).await;
        let decided = LeaveDecided { member: member(1), archived: true, reason: REASON };
        by(&db, 65, 1, MORNING.offset(4), Act::LeaveDecided(decided)).await;
        let soon = MORNING.offset(5);
        let remind = |n: u8| {
            move |tx: &mut Tx<'_>| {
                let actor = Actor::Job("reminders".to_owned());
                activities::remind(tx, HOLDING, (EntryId([n; 16]), &actor), soon)
            }
        };
        assert_eq!(db.write(remind(66)).await.expect("taken"), 1, "not of what they are not let in to");
        let left = db.read(move |tx| activities::to_remind(tx, soon, 10)).await.expect("readable");
        assert_eq!(left, [], "nobody is looked for again and again");
        let ended = OccurrenceEnded { occurrence: HOLDING, reason: REASON };
        by(&db, 67, 1, MORNING.offset(6), Act::OccurrenceEnded(ended)).await;
        let told = due(&db).await;
        let expected = [
            (About::ActivityPlaced, Some(member(1))),
            (About::ActivityPlaced, Some(member(2))),
            (About::ActivityCalledOff, Some(member(2))),
            (About::ActivityReminder, Some(member(2))),
        ];
        assert_eq!(told, expected);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k28_more_companions_than_any_plan_allows_are_not_counted() {
    each(|db| async move {
        tea(&db, 100).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let crowd = comes(&mut a, 600, 1, u32::MAX, 1);
        let alone = comes(&mut b, 900, 2, 0, 1);
        a.upload(&db).await;
        b.upload(&db).await;
        for fact in [crowd, alone] {
            assert_eq!(standing(&db, fact).await, ("applied".to_owned(), None), "there is room for both");
        }
        let heads = db.read(|tx| activities::heads(tx, TEA)).await.expect("readable");
        assert_eq!(heads.get(&HOLDING).map(|heads| (heads.attended, heads.companions)), Some((2, 20)));
        assert_eq!(companions_in(&db).await, 20, "the gates tell the same");
        replays(&db).await;
    })
    .await;
}
