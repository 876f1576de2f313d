//! Tests of lists that are taken out: who may see what of whom, what the record says, and that no cell is a formula.

use std::path::Path;
use std::sync::Arc;

use hufu_shared::act::{Act, Actor, CaredFor, CarerSet};
use hufu_shared::ids::{EntryId, Hash, MemberId, OperatorId};

use super::kit::{Browser, Site, each};
use super::lists::goes_on;
use crate::console::words::Language;
use crate::db::Tx;
use crate::export::{ExportError, What, Wish, export};
use crate::import::grid;
use crate::import::run::{Means, Request, import};
use crate::import::{Kind, sheet};
use crate::rules::joining::roles::{Account, Role};
use crate::store::verify::verify;
use crate::store::{StoreError, acts, brought, devices, people, staff};

fn wish(what: What, by: Option<Account>, reason: Option<&str>) -> Wish {
    let (clear, reason) = (reason.is_some(), reason.map(str::to_owned));
    Wish { what, by, clear, reason, at_console: false, language: Language::Zh }
}

/// Takes a list out and reads it back as rows of cells.
async fn taken(site: &Site, wish: &Wish, path: &Path) -> Vec<Vec<String>> {
    let rows = export(&site.app, wish, path).await.expect("taken out");
    let bytes = std::fs::read(path).expect("a file");
    let grid = grid::read(&bytes, grid::Encoding::Auto, None).expect("a list");
    assert_eq!(grid.rows.len() as u64, rows + 1, "as many rows as were told, and the header");
    grid.rows.into_iter().map(|row| row.cells).collect()
}

/// Somebody with an account of this role.
async fn account(site: &Site, n: u8, role: Role, superior: Option<OperatorId>) -> Account {
    let offices = site.app.db.read(people::offices).await.expect("read");
    let office = (!role.is_of_centre()).then(|| offices[0].office);
    let account = Account { id: OperatorId([n; 16]), role, superior, office };
    let now = site.app.now();
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        staff::add_as(tx, &account, (&format!("p{n}"), "name"), "hash", now)
    };
    site.app.db.write(work).await.expect("written");
    account
}

async fn import_text(site: &Site, request: Request) {
    let keys = Arc::clone(&site.app.keys);
    let tokens = site.app.db.read(move |tx| devices::token_keys(tx, keys.open_key())).await.expect("keys");
    let means = Means {
        db: &site.app.db,
        vault: &site.app.vault,
        token_keys: &tokens,
        seal: site.app.keys.seal_public(),
        clock: &*site.app.clock,
    };
    let report = import(&means, request).await.expect("read");
    assert_eq!((report.rejected, report.imported), (0, true), "{:?}", report.bad);
}

const PERSON: &str = "number,name,sex,mobile,document_number,level_zh,level_en,office\n\
    A-1,欧阳静雯,女,13800138000,11010519491231002X,=2+3,Gold,A\n";

#[tokio::test]
async fn a_list_is_masked_unless_the_role_may_read_it_and_says_why() {
    each(|site| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("members.csv");
        let text = PERSON.as_bytes().to_vec();
        import_text(&site, Request::new(Kind::Members, "m.csv".into(), text)).await;
        let row =
            |rows: &[Vec<String>]| rows.iter().find(|row| row[0] == "A-1").cloned().expect("the member");
        let masked = taken(&site, &wish(What::Members, None, None), &path).await;
        assert_eq!(masked.len(), 62, "all of them");
        assert_eq!(masked[0][..4], ["会员编号", "姓名", "性别", "手机"]);
        let met = row(&masked);
        assert_eq!(met[1..7], ["欧阳*雯", "女", "138****8000", "身份证", "110105********002X", "1949-**-**"]);
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.contains("\"'=2+3\"") && !text.contains("13800138000"), "{met:?}");
        let clerk = account(&site, 21, Role::Clerk, None).await;
        let met = row(&taken(&site, &wish(What::Members, Some(clerk), Some("邮寄会刊")), &path).await);
        assert_eq!(met[1], "欧阳静雯");
        assert_eq!(met[5], "110105********002X", "a clerk never reads document numbers");
        let admin = account(&site, 22, Role::Admin, None).await;
        let clear = wish(What::Members, Some(admin), Some("核对证件"));
        let met = row(&taken(&site, &clear, &path).await);
        assert_eq!(
            met[1..7],
            ["欧阳静雯", "女", "13800138000", "身份证", "11010519491231002X", "1949-12-31"]
        );
        // What was taken out as it is can be read back, and changes nothing.
        let bytes = std::fs::read(&path).expect("a file");
        let sheet = sheet::read(Kind::Members, &bytes).expect("the headers of an import");
        assert_eq!(sheet.lines.len(), 61);
        let unsaid = wish(What::Members, Some(admin), None);
        assert_eq!(row(&taken(&site, &unsaid, &path).await)[1], "欧阳*雯", "no reason, no name");
        let nobody = export(&site.app, &wish(What::Members, None, Some("x")), &path).await;
        assert!(matches!(nobody, Err(ExportError::NotAllowed)));
    })
    .await;
}

#[tokio::test]
async fn rule_l01_a_dealers_people_take_out_their_own_members_masked() {
    each(|site| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("members.xlsx");
        let supervisor = account(&site, 31, Role::Supervisor, None).await;
        let promoter = account(&site, 32, Role::Promoter, Some(supervisor.id)).await;
        let stranger = account(&site, 33, Role::Promoter, None).await;
        let all: Vec<MemberId> = {
            let page = site.app.db.read(|tx| people::member_page(tx, "", 3)).await.expect("read");
            page.iter().map(|member| member.member).collect()
        };
        for (n, (member, carer)) in
            (1_u8..).zip([(all[0], promoter.id), (all[1], promoter.id), (all[2], stranger.id)])
        {
            let now = site.app.now();
            let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
                let set = CarerSet { of: CaredFor::Member(member), carer, reason: Hash([0; 32]) };
                let by = Actor::Command("test".into());
                acts::take(tx, EntryId([n; 16]), now, &by, &Act::CarerSet(set)).map(|_| ())
            };
            site.app.db.write(work).await.expect("taken");
        }
        for (who, expected) in [(promoter, 2), (supervisor, 2), (stranger, 1)] {
            let rows = taken(&site, &wish(What::Members, Some(who), None), &path).await;
            assert_eq!(rows.len() - 1, expected, "{:?}", who.role);
            assert!(rows[1..].iter().all(|row| row[1].contains('*')), "masked");
        }
        let clear = export(&site.app, &wish(What::Members, Some(promoter), Some("x")), &path).await;
        assert!(matches!(clear, Err(ExportError::NotAllowed)));
        let cards = taken(&site, &wish(What::Cards, Some(stranger), None), &path).await;
        assert!(cards.len() <= 3, "no cards in stock and nobody else's: {}", cards.len());
    })
    .await;
}

#[tokio::test]
async fn balances_and_statements_say_what_the_ledger_says_and_history_stands_apart() {
    each(|site| async move {
        let folder = tempfile::tempdir().expect("a folder");
        import_text(&site, Request::new(Kind::Members, "m.csv".into(), PERSON.as_bytes().to_vec())).await;
        let brought = |kind, text: &str| Request {
            batch: Some("迁移".to_owned()),
            cause: Some("转入".to_owned()),
            ..Request::new(kind, "f.csv".into(), text.as_bytes().to_vec())
        };
        import_text(&site, brought(Kind::Balances, "member,points,money\nA-1,1280,50.5\n")).await;
        import_text(&site, brought(Kind::History, "member,at,what,points\nA-1,2025-05-01,购房积分,500\n"))
            .await;
        let of = |rows: Vec<Vec<String>>| rows.into_iter().filter(|row| row[0] == "A-1").collect::<Vec<_>>();
        for ending in ["csv", "xlsx"] {
            let path = folder.path().join(format!("list.{ending}"));
            let balances = of(taken(&site, &wish(What::Balances, None, None), &path).await);
            let met: Vec<_> = balances.iter().map(|row| row[1..].join(" ")).collect();
            let money = if ending == "csv" { "储值 50.50 0.00 0.00" } else { "储值 50.5 0 0" };
            assert_eq!(met, ["积分 1280 0 0", money]);
            let lines = of(taken(&site, &wish(What::Statements, None, None), &path).await);
            let met: Vec<_> = lines
                .iter()
                .map(|row| (row[2].as_str(), row[3].as_str(), row[5].as_str(), row[7].as_str()))
                .collect();
            assert_eq!(met[0], ("原系统", "购房积分", "500", "迁移"));
            assert!(met[1..].contains(&("账目", "期初余额（批次“迁移”）", "1280", "迁移")), "{met:?}");
        }
        let mut browser = Browser::signed_in(&site).await;
        let page = browser.post("/members", &[("find", "A-1")]).await;
        let links = page.all_between("href=\"/members/", "\"");
        let id =
            links.into_iter().find(|id| !id.is_empty() && !id.contains('/')).expect("the member").to_owned();
        let page = browser.get(&format!("/members/{id}?tab=points")).await;
        assert!(page.text.contains("原系统记录") && page.text.contains("不计入现有余额"), "{}", page.text);
        assert!(page.text.contains("购房积分") && page.text.contains("期初余额"));
        let page = browser.get(&format!("/members/{id}/statement")).await;
        assert!(
            page.text.contains("期初余额（批次“迁移”）") && page.text.contains("购房积分"),
            "{}",
            page.text
        );
        let page = browser.get(&format!("/api/v1/members/{id}/past")).await;
        let told: serde_json::Value = serde_json::from_str(&page.text).expect("JSON");
        assert_eq!(told["lines"][0]["changes"][0]["amount"], 500, "{}", page.text);
        // Two at one moment are two, and none of them is lost between pages.
        let more = "member,at,what,points\nA-1,2025-06-01,回访,5\nA-1,2025-06-01,问卷,7\n";
        let more = Request { batch: Some("二批".to_owned()), ..brought(Kind::History, more) };
        import_text(&site, more).await;
        let lines = goes_on(&browser, &format!("/api/v1/members/{id}/past"), "lines").await;
        assert_eq!(lines.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn rule_x07_growth_is_a_balance_of_its_own_on_the_pages_of_a_member() {
    each(|site| async move {
        import_text(&site, Request::new(Kind::Members, "m.csv".into(), PERSON.as_bytes().to_vec())).await;
        let mut browser = Browser::signed_in(&site).await;
        let page = browser.post("/members", &[("find", "A-1")]).await;
        let links = page.all_between("href=\"/members/", "\"");
        let id =
            links.into_iter().find(|id| !id.is_empty() && !id.contains('/')).expect("the member").to_owned();
        let statement = format!("/members/{id}/statement");
        let page = browser.get(&statement).await;
        assert!(!page.text.contains("unit=GROWTH"), "clubs without growth read nothing of it: {}", page.text);
        let rows = "member,points,growth\nA-1,1280,660\n".as_bytes().to_vec();
        let brought = Request {
            batch: Some("迁移".to_owned()),
            cause: Some("转入".to_owned()),
            ..Request::new(Kind::Balances, "f.csv".into(), rows)
        };
        import_text(&site, brought).await;
        let page = browser.get(&format!("/members/{id}")).await;
        assert!(page.text.contains("成长值") && page.text.contains(">660<"), "{}", page.text);
        let page = browser.get(&statement).await;
        assert!(page.text.contains("unit=GROWTH") && !page.text.contains("660 成长值"), "{}", page.text);
        let page = browser.get(&format!("{statement}?unit=GROWTH")).await;
        assert!(page.text.contains("660 成长值") && !page.text.contains("1,280 分"), "{}", page.text);
        let page = browser.get(&format!("/api/v1{statement}?unit=GROWTH")).await;
        let told: serde_json::Value = serde_json::from_str(&page.text).expect("JSON");
        assert_eq!(told["unit"], "GROWTH", "{}", page.text);
        assert_eq!(told["lines"][0]["after"], 660, "{}", page.text);
    })
    .await;
}

#[tokio::test]
async fn every_list_is_on_record_with_its_rows_before_the_file_is_there() {
    each(|site| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cards.csv");
        let rows = taken(&site, &wish(What::Cards, None, None), &path).await.len() - 1;
        let admin = account(&site, 41, Role::Admin, None).await;
        taken(&site, &wish(What::Members, Some(admin), Some("核对")), &folder.path().join("m.csv")).await;
        let found =
            site.app.db.read(|tx| brought::exports(tx, brought::FIRST_EXPORT, 10)).await.expect("read");
        let told: Vec<_> = found.iter().map(|it| (it.what.as_str(), it.rows, it.clear)).collect();
        assert_eq!(told, [("members", 60, true), ("cards", rows as u64, false)]);
        assert!(rows >= 60, "each member has a card");
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).expect("a file"));
        assert_eq!(mode & 0o777, 0o600);
        let nowhere = folder.path().join("no folder").join("m.csv");
        assert!(export(&site.app, &wish(What::Cards, None, None), &nowhere).await.is_err());
        let odd = export(&site.app, &wish(What::Cards, None, None), &folder.path().join("m.pdf")).await;
        assert!(matches!(odd, Err(ExportError::File(_))));
        let again =
            site.app.db.read(|tx| brought::exports(tx, brought::FIRST_EXPORT, 10)).await.expect("read");
        assert_eq!(again.len(), 2, "what could not be written is no list");
        let page = Browser::signed_in(&site).await.get("/api/v1/exports").await;
        let told: serde_json::Value = serde_json::from_str(&page.text).expect("JSON");
        assert_eq!(
            (told["exports"][0]["what"].as_str(), told["exports"][0]["rows"].as_u64()),
            (Some("members"), Some(60))
        );
        assert_eq!(told["exports"][1]["by"], "command/export cards");
        goes_on(&Browser::signed_in(&site).await, "/api/v1/exports", "exports").await;
        assert_eq!(verify(&site.app.db).await.expect("readable").findings, Vec::<String>::new());
    })
    .await;
}
