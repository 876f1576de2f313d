//! The generated club against the same checks that any club has to pass.

use hufu_shared::act::{Act, Actor, ClubFounded};
use hufu_shared::ids::{ClubId, EntryId};
use hufu_shared::scheme::{SchemeTerms, Words};
use hufu_shared::seal::OpenKey;
use hufu_shared::time::{DAY_US, Instant, OfficeClock};
use hufu_shared::token::TokenKey;
use hufu_shared::wire::version::CentralEpoch;

use super::run::generate_in_parts;
use super::{GenerateError, Plan, generate};
use crate::db::{Db, SqlFile};
use crate::rules::reconcile::DayState;
use crate::store::{acts, reconcile, verify};
use crate::vault::Vault;

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));
/// 2026-11-22 18:00 in Shanghai.
const NOW: Instant = Instant(1_795_341_600_000_000);
const PLAN: Plan = Plan { members: 120, days: 30, transfers: 0, seed: 7, now: NOW };

async fn founded(days_ago: i64) -> (Db, Vault, tempfile::TempDir) {
    let db = Db::memory().expect("memory");
    let at = NOW.offset(-days_ago * DAY_US);
    let name = Words { zh: "澜庭会".to_owned(), en: "Lanting Club".to_owned() };
    let epoch = CentralEpoch { n: 1, bits: 7 };
    let acts = [
        Act::ClubFounded(ClubFounded { club: ClubId([1; 16]), name, epoch }),
        Act::SchemeSet(SchemeTerms::property_club(1, OfficeClock::default().business_day(at))),
    ];
    for (n, act) in (1..).zip(acts) {
        let actor = Actor::Command("test".to_owned());
        db.write(move |tx| acts::take(tx, EntryId([n; 16]), at, &actor, &act)).await.expect("taken");
    }
    let folder = tempfile::tempdir().expect("folder");
    let vault = Vault::create(&folder.path().join("keys")).expect("vault");
    (db, vault, folder)
}

async fn numbers(db: &Db, name: &'static str) -> Vec<(i64, i64)> {
    let rows = db.read(move |tx| tx.query(PROBE.get(name), &[])).await.expect("probe");
    rows.iter().map(|row| (row.int(0).expect("number"), row.int(1).expect("number"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_club_verifies_reconciles_and_has_something_to_decide() {
    let (db, vault, _folder) = founded(40).await;
    let keys = [TokenKey::new(1, [5; 32])];
    let seal_key = OpenKey::from_seed(&[6; 32]).seal_key();
    let report = generate(&db, &vault, &keys, seal_key, PLAN).await.expect("generated");
    assert_eq!(report.members, 120);
    assert!(report.facts > 800, "{report:?}");

    let found = verify::verify(&db).await.expect("readable");
    assert_eq!(found.findings, Vec::<String>::new());
    assert_eq!(found.facts, report.facts);

    let kinds: Vec<i64> = numbers(&db, "kinds").await.iter().map(|row| row.0).collect();
    assert!(!kinds.contains(&17), "its terminals decided by the version in force");
    for kind in [13, 19, 27, 30] {
        assert!(kinds.contains(&kind), "kind {kind} in {kinds:?}");
    }
    assert!(numbers(&db, "open_and_decided").await.iter().all(|row| row.0 > 0 && row.1 > 0));

    // Every day of every terminal agrees, but the one with wrong totals and the ones that were not closed.
    let today = OfficeClock::default().business_day(NOW);
    let mut odd = Vec::new();
    for terminal in db.read(reconcile::terminals).await.expect("terminals") {
        for before in 1..30 {
            let (device, day) = (terminal.device, today.plus(-before));
            let state = db.read(move |tx| reconcile::day(tx, device, day)).await.expect("day").state;
            if state != DayState::Agrees {
                odd.push((terminal.name.clone(), before, state));
            }
        }
    }
    odd.sort_by_key(|day| day.1);
    let expected = [("B-1".to_owned(), 1, DayState::Open), ("C-1".to_owned(), 4, DayState::Differs)];
    assert_eq!(odd, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_beyond_a_file_and_opening_balances_verify_like_all_others() {
    let (db, vault, _folder) = founded(40).await;
    let keys = [TokenKey::new(1, [5; 32])];
    let seal_key = OpenKey::from_seed(&[6; 32]).seal_key();
    let plan = (Plan { days: 2, transfers: 365, ..PLAN }, 50);
    let report = generate_in_parts(&db, &vault, &keys, seal_key, plan).await.expect("generated");
    assert_eq!(report.members, 120);
    assert_eq!(numbers(&db, "openings").await, [(365, 120)], "shared out among all");
    assert_eq!(numbers(&db, "names_found").await, [(120, 120)], "each is found by name");
    assert_eq!(numbers(&db, "with_cards").await[0].0, 120, "each has a card");
    assert_eq!(verify::verify(&db).await.expect("readable").findings, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_gives_the_same_facts() {
    let mut heads = Vec::new();
    for _ in 0..2 {
        let (db, vault, _folder) = founded(40).await;
        let keys = [TokenKey::new(1, [5; 32])];
        let seal_key = OpenKey::from_seed(&[6; 32]).seal_key();
        let plan = Plan { days: 4, ..PLAN };
        generate(&db, &vault, &keys, seal_key, plan).await.expect("generated");
        let rows = db.read(|tx| tx.query(PROBE.get("heads"), &[])).await.expect("probe");
        heads.push(rows.iter().map(|row| row.array::<32>(0).expect("hash")).collect::<Vec<_>>());
    }
    assert_eq!(heads[0], heads[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_club_that_is_too_young_or_in_use_is_refused() {
    let (db, vault, _folder) = founded(3).await;
    let keys = [TokenKey::new(1, [5; 32])];
    let seal_key = OpenKey::from_seed(&[6; 32]).seal_key();
    let young = generate(&db, &vault, &keys, seal_key, PLAN).await.expect_err("too young");
    assert!(matches!(young, GenerateError::Founded { .. }), "{young}");
    let short = Plan { days: 1, ..PLAN };
    generate(&db, &vault, &keys, seal_key, short).await.expect("two days of history");
    let again = generate(&db, &vault, &keys, seal_key, short).await.expect_err("in use");
    assert!(matches!(again, GenerateError::InUse { members: 120, devices: 3 }), "{again}");
}
