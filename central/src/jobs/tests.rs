//! Jobs that come late do what they would have done in time, and what was done is not done again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hufu_shared::act::{Act, BalancesOpened, CardIssue, CardSet, Opening, PointsTrigger, TriggerOn};
use hufu_shared::cards::{CardLevel, CardTerms, PointsMeasure};
use hufu_shared::fact::{Event, Shown, Visited};
use hufu_shared::ids::{ActivityId, CardId, ClubId, EntryId, Hash, OccurrenceId};
use hufu_shared::joining::AutoLeave;
use hufu_shared::member::OccurrenceRow;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::{ExpiryMode, Period, Policy};
use hufu_shared::scheme::bonus::{Birthday, Bracket, CouponTerms, RankBy, Ranking, RoundUp};
use hufu_shared::scheme::level::{Ladder, Level, Measure, OnExpiry, Reassess, Validity, Window};
use hufu_shared::time::{DAY_US, Instant, MINUTE_US};
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, RngAlgorithm, TestRng, TestRunner};

use super::{dry_run, perform, rising};
use crate::app::{App, Opened};
use crate::ca::{Authority, OwnKeys};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, Tx, Value};
use crate::rules::entry::EntryBody;
use crate::rules::jobs::Job;
use crate::store::journal;
use crate::store::tests::kit::{
    NOON, OFFICE_A, TERMINAL_A, Terminal, act, card, entry, found, member, occurrence, probe, subject, words,
};
use crate::store::verify::verify;
use crate::vault::{Personal, Vault, VaultError};

/// Days of a story.
const DAYS: i64 = 60;
/// From noon to half an hour after midnight in Shanghai, when jobs of the day before run.
const NIGHT_US: i64 = 750 * MINUTE_US;
/// Stories that are told.
const STORIES: u32 = 10;

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Instant {
        Instant(self.0.load(Ordering::SeqCst))
    }
}

/// What happens on a day.
#[derive(Debug, Clone, Copy)]
enum Happens {
    /// A member buys for so many yuan.
    Buys(u8, i64),
    /// A member's growth grows.
    Grows(u8, i64),
    /// A member comes by.
    Comes(u8),
    /// A card comes that nobody knows.
    Stranger(u8),
    /// A member gets a sub card for so many days.
    Sub(u8, i64),
    /// An activity is held; nobody ends it.
    Held,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (1..=3_u8, 100..700_i64).prop_map(|(who, yuan)| Happens::Buys(who, yuan)),
        1 => (1..=3_u8, 100..700_i64).prop_map(|(who, growth)| Happens::Grows(who, growth)),
        1 => (1..=3_u8).prop_map(Happens::Comes),
        1 => (0..8_u8).prop_map(Happens::Stranger),
        1 => (1..=3_u8, 1..40_i64).prop_map(|(who, days)| Happens::Sub(who, days)),
        1 => Just(Happens::Held),
    ]
}

/// What happens on which days, and from which day on the centre is down for how long.
type Story = (Vec<(i64, Happens)>, (i64, i64));

fn stories() -> impl Strategy<Value = Story> {
    (proptest::collection::vec((0..DAYS - 2, happens()), 1..40), (1..DAYS / 2, 2..35_i64))
}

/// When jobs run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// Every night.
    Nightly,
    /// Every night, and levels rise at once.
    AtOnce,
    /// Every night but while the centre is down.
    ButWhileDown,
    /// Once, after everything.
    Once,
}

/// Levels by points of a month, by what there is, by what was paid, and by growth, of which the end takes a part.
fn ladder() -> Ladder {
    let rung = |rank: u8, measure, threshold| Level {
        rank,
        card_kind: format!("rung{rank}"),
        name: words(&format!("{rank} 级"), &format!("level {rank}")),
        measure,
        window: Window::RollingMonths(1),
        threshold,
        from_rank: None,
        validity: if rank == 0 { Validity::Forever } else { Validity::Months(1) },
        on_expiry: if measure == Measure::Growth { OnExpiry::Deduct(400) } else { OnExpiry::Keep },
        reassess: Reassess::NewWindow,
        grace_days: u16::from(rank) * 5,
        discount_bp: 0,
        rights: Vec::new(),
        auto_replace_card: false,
    };
    Ladder {
        levels: vec![
            rung(0, Measure::None, 0),
            rung(1, Measure::PeriodPoints, 8),
            rung(2, Measure::Balance, 16),
            rung(3, Measure::PeriodSpend, 200_000),
            rung(4, Measure::Growth, 600),
        ],
    }
}

/// Points are filled up on the tenth, from 8 to 10 and then to the next eight; the first two of a month get a gift.
fn member_day() -> (RoundUp, Ranking) {
    let round_up = RoundUp {
        day: 10,
        min_rank: 1,
        brackets: vec![Bracket { from: 8, to: 10 }],
        whole_bracket: true,
        step_from: 10,
        step: 8,
        ceiling: 64,
    };
    let ranking = Ranking {
        period: Period::Month,
        top_n: 2,
        min_rank: 1,
        award: "gift".to_owned(),
        by: RankBy::Balance,
    };
    (round_up, ranking)
}

struct Place {
    app: App,
    clock: Arc<Hands>,
}

impl Place {
    async fn found(folder: &Path) -> Self {
        let db = Db::memory().expect("memory");
        found(&db).await;
        let level = |rank, kind: &str, measure, threshold| CardLevel {
            rank,
            kind: kind.to_owned(),
            measure,
            threshold,
            from_rank: None,
        };
        let levels = vec![
            level(0, "main", None, 0),
            level(1, "vip", Some(PointsMeasure::Balance), 12),
            level(2, "gold", Some(PointsMeasure::Balance), 30),
        ];
        let birthday = Birthday { coupon_fen: 5_000, ..Birthday::default() };
        let (round_up, ranking) = member_day();
        let mut policy = Policy {
            levels: Some(ladder()),
            round_up: Some(round_up),
            ranking: Some(ranking),
            coupons: Some(CouponTerms { welcome_fen: 20_000, birthday: Some(birthday) }),
            expiry: ExpiryMode::RollingMonths(1),
            cards: CardTerms { levels, ..CardTerms::default() },
            ..Policy::default()
        };
        let kind = "unreachable".to_owned();
        policy.joining.auto_leave = Some(AutoLeave { kind, idle_days: 20, spares_value: false });
        act(&db, 40, NOON.offset(-DAY_US / 2), Act::PolicySet(Box::new(policy))).await;
        let trigger = PointsTrigger {
            id: Hash([0x77; 32]),
            on: TriggerOn::Visited,
            office: None,
            cause: "care".to_owned(),
            points: 3,
            per_fen: 0,
            retired: false,
        };
        act(&db, 41, NOON.offset(-DAY_US / 2), Act::PointsTriggerSet(trigger)).await;
        let authority = Authority::create(&folder.join("ca"), ClubId([1; 16]), NOON).expect("a root");
        let keys = OwnKeys::create(&folder.join("keys")).expect("keys");
        let vault = Vault::create(&folder.join("vault.key")).expect("a key file");
        let born = Some("1990-12-05".parse().expect("a day"));
        let person = Personal { name: "欧阳静".to_owned(), birthday: born, ..Personal::default() };
        let sealing = vault.clone();
        let put = move |tx: &mut Tx<'_>| -> Result<(), VaultError> { sealing.put(tx, member(1), &person) };
        db.write(put).await.expect("sealed");
        let opened = Opened { db, authority: Arc::new(authority), keys: Arc::new(keys), vault };
        let clock = Arc::new(Hands(AtomicI64::new(NOON.0)));
        let shared = Arc::clone(&clock) as Arc<dyn Clock>;
        Self { app: App::over(opened, Vec::new(), Config::default(), shared), clock }
    }

    /// All jobs; how much they did.
    async fn night(&self, day: i64, jobs: &[Job]) -> u64 {
        self.clock.0.store(NOON.0 + day * DAY_US + NIGHT_US, Ordering::SeqCst);
        let mut done = 0;
        for job in jobs {
            let would = dry_run(&self.app, *job).await.expect("counted");
            let did = perform(&self.app, *job).await.expect("done");
            // What is told of days is only told, and points that a card rises by twice may be one rise by then.
            assert!(*job == Job::UnclosedDays || would == did, "{job:?}: counted {would}, did {did}");
            done += did;
        }
        done
    }

    /// Levels that rise by what is known at a moment; how many steps that were.
    async fn at_once(&self, at: Instant, since: &mut Option<Instant>) -> u64 {
        self.clock.0.store(at.0, Ordering::SeqCst);
        rising::round(&self.app, since).await.expect("looked")
    }

    /// What there is in the end, whenever it came to be.
    async fn state(&self) -> Vec<String> {
        let mut state = Vec::new();
        let tables = [
            "all_balances",
            "all_cards",
            "all_cases",
            "all_activities",
            "all_leavings",
            "all_changes",
            "all_weeks_told",
            "all_level_steps",
            "all_coupons",
            "all_filled_up",
            "all_awards",
            "settled_day",
        ];
        for name in tables {
            for row in probe(&self.app.db, name, vec![]).await {
                // Texts as they are: a value hides them from logs.
                let cells = (0..row.columns()).map(|column| match row.value(column).expect("a cell") {
                    Value::Text(text) => format!("{text:?}"),
                    other => format!("{other:?}"),
                });
                state.push(format!("{name}: {}", cells.collect::<Vec<_>>().join(" ")));
            }
        }
        state
    }
}

/// Plays a story; what there is in the end.
async fn play((happens, (down_from, down_for)): &Story, runs: Runs, jobs: &[Job]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::found(folder.path()).await;
    let db = &place.app.db;
    let mut terminal = Terminal::start(TERMINAL_A);
    let is_down = |day: i64| (*down_from..down_from + down_for).contains(&day);
    let (mut since, mut risen) = (None, 0);
    for day in 0..DAYS {
        let at = NOON.offset(day * DAY_US);
        for (n, (_, what)) in (0_u8..).zip(happens).filter(|(_, (of, _))| *of == day && !is_down(day)) {
            one(db, &mut terminal, (day, n), *what).await;
        }
        if runs == Runs::AtOnce {
            risen += place.at_once(at.offset(MINUTE_US * 30), &mut since).await;
        }
        if terminal.sent_to < terminal.seq {
            let batch = terminal.batch_at(at.offset(MINUTE_US * 60));
            entry(db, id(0xb0, day, 0), at.offset(MINUTE_US * 60), EntryBody::Batch(batch)).await;
        }
        if runs == Runs::AtOnce {
            risen += place.at_once(at.offset(MINUTE_US * 90), &mut since).await;
            let again = place.at_once(at.offset(MINUTE_US * 91), &mut since).await;
            assert_eq!(again, 0, "who rose stands where they stand");
        }
        let last = day == DAYS - 1;
        if last
            || matches!(runs, Runs::Nightly | Runs::AtOnce)
            || (runs == Runs::ButWhileDown && !is_down(day))
        {
            place.night(day, jobs).await;
        }
    }
    assert_eq!(place.night(DAYS - 1, jobs).await, 0, "what was done is done");
    while db.write(journal::publish).await.expect("published") > 0 {}
    assert_eq!(verify(db).await.expect("readable").findings, Vec::<String>::new());
    let mut state = place.state().await;
    if runs == Runs::AtOnce {
        state.push(format!("risen: {risen}"));
    }
    state
}

fn id(kind: u8, day: i64, n: u8) -> EntryId {
    let mut id = [kind; 16];
    (id[1], id[2]) = (u8::try_from(day).expect("few days"), n);
    EntryId(id)
}

async fn one(db: &Db, terminal: &mut Terminal, (day, n): (i64, u8), what: Happens) {
    let seconds = day * 86_400 + i64::from(n);
    let at = NOON.offset(day * DAY_US + i64::from(n));
    let take = async |act: Act| {
        let taken = crate::rules::entry::TakenAct {
            actor: hufu_shared::act::Actor::Job("test".to_owned()),
            act,
            seen: Vec::new(),
        };
        entry(db, id(0xa0, day, n), at, EntryBody::Act(taken)).await;
    };
    match what {
        Happens::Buys(who, yuan) => drop(terminal.purchase(seconds, who, yuan * 100, yuan / 100 * 2)),
        Happens::Grows(who, growth) => {
            let leg = Leg { unit: Unit::Growth, amount: Amount(growth) };
            let row = Opening { member: member(who), leg, office: OFFICE_A, at: None };
            let (batch, reason) = (format!("{day}-{n}"), Hash([0x61; 32]));
            take(Act::BalancesOpened(BalancesOpened { batch, rows: vec![row], reason })).await;
        }
        Happens::Comes(who) => {
            terminal.record(seconds, Shown::Accepted, Event::Visited(Visited { subject: subject(who) }));
        }
        Happens::Stranger(of) => {
            terminal.record(
                seconds,
                Shown::UnknownCard,
                Event::Visited(Visited { subject: subject(200 + of) }),
            );
        }
        Happens::Sub(who, days) => {
            let token = 100 + n;
            let row = CardSet {
                kind: "discount".to_owned(),
                valid_until: Some(at.offset(days * DAY_US)),
                ..card(token, Some(member(who)))
            };
            let under = Some(CardId([who; 16]));
            take(Act::CardsIssued(vec![CardIssue { card: row, under, office: None, medium: false }])).await;
        }
        Happens::Held => {
            let row = OccurrenceRow {
                occurrence: OccurrenceId(id(0xc0, day, n).0),
                activity: ActivityId([0x5b; 16]),
                starts: at,
                ends: at.offset(3 * 60 * MINUTE_US),
                ..occurrence()
            };
            take(Act::OccurrenceSet(row)).await;
        }
    }
}

#[test]
fn rule_b02_b04_k11_k17_k18_k26_p03_p04_s09_s10_jobs_that_come_late_do_what_they_would_have_done_in_time() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let played = TestRunner::new_with_rng(Cases::with_cases(STORIES), random).run(&stories(), |story| {
        runtime.block_on(async {
            let in_time = play(&story, Runs::Nightly, &Job::ALL).await;
            let after = play(&story, Runs::ButWhileDown, &Job::ALL).await;
            prop_assert_eq!(&in_time, &after, "after a time without the centre");
            prop_assert_eq!(&in_time, &play(&story, Runs::Once, &Job::ALL).await, "once, after everything");
            let mut at_once = play(&story, Runs::AtOnce, &Job::ALL).await;
            at_once.pop();
            prop_assert_eq!(&in_time, &at_once, "rising at once");
            Ok(())
        })
    });
    played.unwrap_or_else(|error| panic!("{error}"));
}

/// What the stories above must come to at least, or they prove nothing.
#[tokio::test(flavor = "multi_thread")]
async fn every_job_of_a_story_has_something_to_do() {
    let happens = vec![
        (0, Happens::Buys(1, 600)),
        (0, Happens::Buys(2, 400)),
        (0, Happens::Stranger(1)),
        (1, Happens::Sub(1, 5)),
        (1, Happens::Grows(3, 700)),
        (2, Happens::Buys(2, 500)),
        (2, Happens::Held),
        (50, Happens::Comes(2)),
    ];
    let state = play(&(happens, (10, 2)), Runs::AtOnce, &Job::ALL).await.join("\n");
    for part in [
        // One by growth and one by points, as soon as they were known; the first day had a day to be looked at before it.
        "risen: 2",
        "\"sink/expired\" \"GROWTH\" Int(400)",
        "sink/expired",
        "\"expired\"",
        "\"vip\"",
        "\"closed\"",
        "\"ended\"",
        "unreachable",
        "\"waiting\"",
        "all_weeks_told",
        "\"fell\"",
        "\"birthday\"",
        "all_filled_up: ",
        "\"gift\"",
    ] {
        assert!(state.contains(part), "{part} in\n{state}");
    }
}
