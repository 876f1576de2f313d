//! Bringing files and taking lists out at the console, step by step and without script, on both databases.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use hufu_shared::ids::OperatorId;
use hufu_shared::time::DAY_US;

use super::kit::{Browser, PASSWORD, Page, Site, each};
use crate::console::password;
use crate::db::Tx;
use crate::import::grid;
use crate::rules::joining::roles::{Account, Role};
use crate::store::{StoreError, members, staff};

/// Two good members and one without a name, under headers of another system.
const OLD: &str = "客户号,姓名,手机,备注\nZ-1,欧阳静雯,13800138000,老客户\nZ-2,禤墨白,,\nZ-3,,,\n";

/// Somebody else with an account, signed in.
async fn another(site: &Arc<Site>, n: u8, role: Role) -> Browser {
    let hashed = password::hash(PASSWORD).expect("hash");
    let (now, login) = (site.app.now(), format!("p{n}"));
    let account = Account { id: OperatorId([n; 16]), role, superior: None, office: None };
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        staff::add_as(tx, &account, (&format!("p{n}"), "另一位"), &hashed, now)?;
        staff::set_password(tx, account.id, &hashed, false)
    };
    site.app.db.write(work).await.expect("written");
    let mut browser = Browser::stranger(site);
    assert_eq!(browser.sign_in(&login, PASSWORD).await.to(), "/");
    browser
}

/// The page of a run once it no longer goes on by itself.
async fn rests(browser: &Browser, link: &str) -> Page {
    for _ in 0..300 {
        let page = browser.get(link).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        if !page.text.contains("hx-get=\"/data/runs/") {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the run did not end");
}

async fn brought(browser: &Browser, kind: &str, name: &str, text: &str) -> String {
    let page = browser.upload("/data/imports", &[("kind", kind)], (name, text.as_bytes())).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    page.to().to_owned()
}

const MAPPED: [(&str, &str); 4] =
    [("column-0", "number"), ("column-1", "name"), ("column-2", "mobile"), ("column-3", "")];

async fn step(browser: &mut Browser, link: &str, step: &str, fields: &[(&str, &str)]) -> Page {
    browser.post(link, &[&[("step", step)][..], &MAPPED[..], fields].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn ui_f07_a_file_is_mapped_tried_confirmed_and_reported_row_by_row() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let template = browser.get("/data/templates/members?as=csv").await;
        assert!(template.text.contains("会员编号,姓名"), "{}", template.text);
        let book = browser.get("/data/templates/members?as=xlsx").await;
        let read = grid::read(&book.bytes, grid::Encoding::Auto, None).expect("a workbook");
        assert_eq!(read.rows[0].cells[..2], ["会员编号", "姓名"]);

        let link = brought(&browser, "members", "C:\\list\\旧系统.csv", OLD).await;
        let page = browser.get(&link).await;
        for words in ["待核对表头", "旧系统.csv", "客户号", "会员编号（必填）", "不导入"]
        {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        assert!(!page.text.contains("C:\\list"), "the name alone");
        let unsaid = [("step", "check"), ("column-1", "name")];
        let refused = browser.post(&link, &unsaid).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("缺少必填字段“会员编号”的表头"), "{}", refused.text);
        let twice = [("step", "check"), ("column-0", "number"), ("column-1", "name"), ("column-2", "name")];
        let refused = browser.post(&link, &twice).await;
        assert!(refused.text.contains("被选择了两次"), "{}", refused.text);

        assert_eq!(step(&mut browser, &link, "check", &[("partial", "0")]).await.to(), link);
        let page = rests(&browser, &link).await;
        for words in ["待确认", "试算结果", "Z-1", "欧阳*雯", "138****8000", "有 1 行被拒绝"] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        assert!(!page.text.contains("欧阳静雯") && !page.text.contains("确认导入"), "masked; all or none");
        let count =
            async || site.app.db.read(|tx: &mut Tx<'_>| members::count(tx, "")).await.expect("counted");
        let before = count().await;

        step(&mut browser, &link, "check", &[("partial", "1")]).await;
        let page = rests(&browser, &link).await;
        assert!(page.text.contains("确认导入 2 行"), "{}", page.text);
        assert_eq!(count().await, before, "a dry run writes nothing");
        step(&mut browser, &link, "run", &[]).await;
        let page = rests(&browser, &link).await;
        assert!(page.text.contains("完成"), "{}", page.text);
        assert_eq!(count().await, before + 2);
        step(&mut browser, &link, "run", &[]).await;
        assert_eq!(count().await, before + 2, "the same form, sent twice");

        let report = browser.get(&format!("{link}/file")).await;
        let rows = grid::read(&report.bytes, grid::Encoding::Auto, None).expect("a workbook").rows;
        let told: Vec<(&str, &str)> = rows
            .iter()
            .map(|row| (row.cells[1].as_str(), row.cells.get(6).map_or("", String::as_str)))
            .collect();
        assert_eq!((told[0], told[1], told[2]), (("客户号", "错误"), ("Z-1", ""), ("Z-2", "")));
        assert!(told[3].0 == "Z-3" && told[3].1.contains("姓名"), "{told:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ui_f07_the_same_file_twice_and_one_that_is_too_large_are_refused_with_words() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let good = OLD.replace("Z-3,,,\n", "");
        for (fields, state) in [
            (&[][..], "确认导入 2 行"),
            (&[][..], "同一文件已于"),
            (&[("force", "1")][..], "没有需要写入的行"),
        ] {
            let link = brought(&browser, "members", "m.csv", &good).await;
            step(&mut browser, &link, "check", fields).await;
            let page = rests(&browser, &link).await;
            assert!(page.text.contains(state), "{state}: {}", page.text);
            step(&mut browser, &link, "run", &[]).await;
            rests(&browser, &link).await;
        }
        let large = vec![b'x'; 20 * 1024 * 1024 + 1];
        let page = browser.upload("/data/imports", &[("kind", "members")], ("m.csv", &large)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains("文件超过 20 MB"), "{}", page.text);
        for (bytes, words) in [
            (&b""[..], "空文件不能导入"),
            (&b"\xd0\xcf\x11\xe0old"[..], ".xls"),
            (&b"\xff\xfex"[..], "UTF-16"),
        ] {
            let page = browser.upload("/data/imports", &[("kind", "members")], ("m.csv", bytes)).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{words}");
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_a_list_is_for_who_asked_with_a_reason_and_for_seven_days() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let fields = [("what", "members"), ("ending", "csv"), ("clear", "1")];
        let unsaid = browser.post("/data/exports", &fields).await;
        assert_eq!(unsaid.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(unsaid.text.contains("请填写原因"), "{}", unsaid.text);
        let asked = [&fields[..], &[("reason", "邮寄会刊")]].concat();
        let begun = browser.post("/data/exports", &asked).await;
        let link = begun.to().to_owned();
        assert!(link.starts_with("/data/runs/"), "{}", begun.text);
        let page = rests(&browser, &link).await;
        assert!(page.text.contains("完成") && page.text.contains("邮寄会刊"), "{}", page.text);
        let list = browser.get(&format!("{link}/file")).await;
        let rows = grid::read(&list.bytes, grid::Encoding::Auto, None).expect("a list").rows;
        assert_eq!(rows.len(), 61, "the header and all members");
        assert!(!rows[1].cells[1].contains('*'), "as it is");
        let overview = browser.get("/data").await;
        for words in ["导出 · 会员", "邮寄会刊", "60", "保留至"] {
            assert!(overview.text.contains(words), "{words}: {}", overview.text);
        }

        let mut clerk = another(&site, 41, Role::Clerk).await;
        assert_eq!(clerk.get(&format!("{link}/file")).await.status, StatusCode::FORBIDDEN);
        let page = clerk.get("/data").await;
        assert!(page.text.contains("导出 · 会员") && !page.text.contains("/data/imports"), "{}", page.text);
        let file = ("m.csv", OLD.as_bytes());
        let refused = clerk.upload("/data/imports", &[("kind", "members")], file).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(clerk.post(&link, &[("step", "run")]).await.status, StatusCode::FORBIDDEN);
        let stranger = Browser::stranger(&site);
        for path in ["/data", link.as_str(), "/data/templates/members"] {
            assert_ne!(stranger.get(path).await.status, StatusCode::OK, "{path}");
        }

        site.clock.advance(7 * DAY_US + 1);
        let browser = Browser::signed_in(&site).await;
        assert_eq!(browser.get(&format!("{link}/file")).await.status, StatusCode::NOT_FOUND);
        let page = browser.get("/data").await;
        assert!(page.text.contains("导出 · 会员") && !page.text.contains("保留至 20"), "{}", page.text);
    })
    .await;
}
