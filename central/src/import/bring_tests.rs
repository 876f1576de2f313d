//! Tests of what comes from another system: opening balances and history, on both databases.

use hufu_shared::ids::MemberId;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::DAY_US;

use super::run::{ImportError, Report, Request};
use super::tests::{Centre, MEMBERS, Noon, OFFICES, asked, counts};
use super::*;
use crate::clock::Clock as _;
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Tx};
use crate::store::people::PeopleError;
use crate::store::verify::verify;
use crate::store::{StoreError, acts, brought, lists, statement};

const BALANCES: &str =
    "会员编号,积分,储值,取得日期,案场代码\nM1,\"1,280\",￥500.5,2026-06-30,A01\nM2,20,,,A02\nM3,0,,,A01\n";
const HISTORY: &str = "会员编号,时间,事项,积分变动,储值变动,消费金额,地点,单号\n\
    M1,2025-05-01 10:30,购房积分,500,,1200000,滨江案场,JF1\n\
    M1,2025-06-01,兑换,−120,,,滨江案场,JF2\n\
    M2,2025-06-01,充值,,300.00,,,\n\
    M2,2025-06-01,充值,,300.00,,,\n";

fn batch(kind: Kind, text: &str) -> Request {
    let (batch, cause) = (Some("2026-11 迁移".to_owned()), Some("旧系统余额转入".to_owned()));
    Request { batch, cause, ..asked(kind, text) }
}

async fn with_members(db: Db, folder: &Path) -> Centre {
    let centre = Centre::new(db, folder).await;
    centre.take(Kind::Offices, OFFICES).await;
    centre.take(Kind::Members, MEMBERS).await;
    centre
}

async fn take(centre: &Centre, request: Request) -> Report {
    centre.try_take(request).await.expect("the file can be read")
}

async fn has(centre: &Centre, number: &'static str) -> Vec<(Unit, i64, i64)> {
    let member = centre.member(number).await.member;
    let load = move |tx: &mut Tx<'_>| lists::balances(tx, member);
    let balances = centre.db.read(load).await.expect("read");
    balances.into_iter().map(|(unit, has)| (unit, has.available.0, has.owed.0)).collect()
}

async fn assert_proved(centre: &Centre) {
    assert_eq!(verify(&centre.db).await.expect("readable").findings, Vec::<String>::new());
}

#[tokio::test]
async fn every_statement_of_what_is_brought_and_listed_is_understood_by_both_engines() {
    prepare_all(&[&brought::SQL, &lists::SQL]).await;
}

#[tokio::test]
async fn inv_01_openings_are_posted_once_with_batch_and_cause_and_the_books_hold() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = with_members(db, folder.path()).await;
        let dry = take(&centre, Request { dry_run: true, ..batch(Kind::Balances, BALANCES) }).await;
        assert_eq!(counts(&dry), (2, 0, 1, 0, false), "nothing is opened for M3");
        let sums = |report: &Report| report.sums.clone().into_iter().collect::<Vec<_>>();
        assert_eq!(sums(&dry), [("CNY", "500.50".to_owned()), ("PTS", "1,300".to_owned())]);
        assert_eq!(has(&centre, "M1").await, []);
        let report = take(&centre, batch(Kind::Balances, BALANCES)).await;
        assert_eq!((counts(&report), sums(&report)), ((2, 0, 1, 0, true), sums(&dry)));
        assert_eq!(has(&centre, "M1").await, [(Unit::Pts, 1_280, 0), (Unit::Cny, 50_050, 0)]);
        assert_eq!(has(&centre, "M2").await, [(Unit::Pts, 20, 0)]);
        let entries = centre.entries().await;
        let forced = take(&centre, Request { force: true, ..batch(Kind::Balances, BALANCES) }).await;
        assert_eq!((counts(&forced), sums(&forced)), ((0, 0, 3, 0, true), Vec::new()));
        assert_eq!(centre.entries().await, entries, "the same file again posts nothing");
        let member = centre.member("M1").await.member;
        let of = (member, Unit::Pts);
        let load = move |tx: &mut Tx<'_>| statement::lines(tx, of, statement::Place::FIRST, 10);
        let lines = centre.db.read(load).await.expect("read");
        let told: Vec<_> =
            lines.iter().map(|line| (line.code.as_str(), line.change, line.batch.as_deref())).collect();
        assert_eq!(told, [("opening", 1_280, Some("2026-11 迁移"))]);
        assert!(lines.iter().all(|line| line.at < Noon.now().offset(-100 * DAY_US)), "earned in June");
        assert_proved(&centre).await;
    })
    .await;
}

#[tokio::test]
async fn an_opening_that_stands_with_another_amount_is_refused_and_another_batch_adds_to_it() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = with_members(db, folder.path()).await;
        take(&centre, batch(Kind::Balances, BALANCES)).await;
        let other = take(&centre, batch(Kind::Balances, "member,points,office\nM2,25,A02\nM3,7,A01\n")).await;
        assert_eq!(counts(&other), (1, 0, 0, 1, false));
        assert_eq!(
            other.bad[0].to_string(),
            "row 2, column member: met \"25\", expected the balance of 20 that this batch opened; to change it, move points with a cause at the console"
        );
        let later = Request { batch: Some("later".to_owned()), ..batch(Kind::Balances, "member,points,office\nM2,25,A02\n") };
        assert_eq!(counts(&take(&centre, later).await), (1, 0, 0, 0, true));
        assert_eq!(has(&centre, "M2").await, [(Unit::Pts, 45, 0)]);
        assert_proved(&centre).await;
    })
    .await;
}

#[tokio::test]
async fn openings_name_what_is_missing_row_by_row() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = with_members(db, folder.path()).await;
        let text = "member,points,money,day,office\nM9,1,,,A01\nM1,1.5,,,A01\nM1,,1.234,,A01\nM1,-1,,,A01\nM1,1,,2026-11-23,A01\nM1,1,,,\n";
        let bare = Request { cause: None, ..batch(Kind::Balances, text) };
        let report = take(&centre, bare).await;
        let told: Vec<_> = report.bad.iter().map(|cell| (cell.row, cell.column)).collect();
        let all_lack_a_cause = (2..=7).all(|row| told.contains(&(row, "cause")));
        assert!(all_lack_a_cause, "{told:?}");
        for cell in [(2, "member"), (3, "points"), (4, "money"), (5, "points"), (6, "day"), (7, "office")] {
            assert!(told.contains(&cell), "{cell:?}: {told:?}");
        }
        let nameless = Request { batch: None, ..batch(Kind::Balances, text) };
        assert!(matches!(centre.try_take(nameless).await, Err(ImportError::NoBatch)));
        let twice = take(&centre, batch(Kind::Balances, "member,points,office\nM1,1,A01\nM1,2,A01\n")).await;
        assert_eq!((twice.rejected, twice.bad[0].row), (1, 3), "two openings of one day say two things");
    })
    .await;
}

#[tokio::test]
async fn history_is_shown_and_in_no_balance_and_the_same_file_brings_it_once() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = with_members(db, folder.path()).await;
        let report = take(&centre, batch(Kind::History, HISTORY)).await;
        assert_eq!(counts(&report), (4, 0, 0, 0, true), "two rows that say the same are two transactions");
        assert_eq!(has(&centre, "M1").await, [], "no balance");
        let entries = centre.entries().await;
        let forced = take(&centre, Request { force: true, ..batch(Kind::History, HISTORY) }).await;
        assert_eq!((counts(&forced), centre.entries().await), ((0, 0, 4, 0, true), entries));
        let differs = HISTORY.replace("500,,", "501,,");
        let differs = take(&centre, batch(Kind::History, &differs)).await;
        assert_eq!((differs.rejected, differs.bad[0].column), (1, "reference"));
        let (vault, member) = (centre.vault.clone(), centre.member("M1").await.member);
        let load = move |tx: &mut Tx<'_>| brought::past_of(tx, &vault, member, brought::FIRST_PAST, 10);
        let lines = centre.db.read(load).await.expect("read");
        let leg = |amount| vec![Leg { unit: Unit::Pts, amount: Amount(amount) }];
        assert_eq!(lines.iter().map(|line| line.legs.clone()).collect::<Vec<_>>(), [leg(-120), leg(500)]);
        let words = lines[1].words.clone().expect("readable");
        assert_eq!(
            (words.what.as_str(), words.place.as_str(), words.sale),
            ("购房积分", "滨江案场", Some(120_000_000))
        );
        assert_proved(&centre).await;
    })
    .await;
}

#[tokio::test]
async fn rule_x17_of_who_is_erased_no_history_stays_and_none_comes_back() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = with_members(db, folder.path()).await;
        take(&centre, batch(Kind::Balances, BALANCES)).await;
        take(&centre, batch(Kind::History, HISTORY)).await;
        let member: MemberId = centre.member("M1").await.member;
        let vault = centre.vault.clone();
        let erase = move |tx: &mut Tx<'_>| -> Result<bool, PeopleError> {
            let at = (hufu_shared::ids::EntryId([8; 16]), Noon.now());
            let by = hufu_shared::act::Actor::Command("test".into());
            crate::store::erasure::erase(tx, &vault, at, &by, (member, hufu_shared::ids::Hash([1; 32])))
        };
        assert!(centre.db.write(erase).await.expect("erased"));
        let vault = centre.vault.clone();
        let left = centre
            .db
            .read(move |tx| brought::past_of(tx, &vault, member, brought::FIRST_PAST, 10))
            .await
            .expect("read");
        assert_eq!(left, []);
        let again = take(&centre, Request { force: true, ..batch(Kind::History, HISTORY) }).await;
        assert_eq!(
            (again.new, again.unchanged, again.rejected),
            (0, 2, 2),
            "the number is nobody's any more"
        );
        assert_proved(&centre).await;
    })
    .await;
}

#[tokio::test]
async fn an_opening_of_who_was_merged_meanwhile_goes_to_who_stays() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = with_members(db, folder.path()).await;
        let (survivor, merged) = (centre.member("M1").await.member, centre.member("M2").await.member);
        let act = hufu_shared::act::Act::MembersMerged(hufu_shared::act::MembersMerged {
            survivor,
            merged,
            reason: hufu_shared::ids::Hash([0; 32]),
        });
        centre.take_late_as(batch(Kind::Balances, "member,points,office\nM2,20,A02\n"), act).await;
        assert_eq!(has(&centre, "M1").await, [(Unit::Pts, 20, 0)]);
        assert_proved(&centre).await;
    })
    .await;
}

/// What a list would say of acts taken elsewhere is not the concern of this file.
#[tokio::test]
async fn exports_are_read_back_newest_first() {
    each(|db| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let centre = with_members(db, folder.path()).await;
        for rows in [3_u64, 5] {
            let exported = hufu_shared::act::DataExported {
                what: "members".to_owned(),
                rows,
                clear: rows == 5,
                staff: None,
                reason: None,
            };
            let n = u8::try_from(rows).expect("small");
            let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
                let by = hufu_shared::act::Actor::Command("export members".into());
                let act = hufu_shared::act::Act::DataExported(exported.clone());
                acts::take(tx, hufu_shared::ids::EntryId([n; 16]), Noon.now(), &by, &act).map(|_| ())
            };
            centre.db.write(work).await.expect("taken");
        }
        let found = centre.db.read(|tx| brought::exports(tx, brought::FIRST_EXPORT, 10)).await.expect("read");
        let told: Vec<_> = found.iter().map(|it| (it.rows, it.clear, it.by.as_str())).collect();
        assert_eq!(told, [(5, true, "command/export members"), (3, false, "command/export members")]);
        assert_proved(&centre).await;
    })
    .await;
}
