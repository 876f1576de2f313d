//! Stored value moved by an admin: what will be posted is shown before it is, on both databases.

use axum::http::StatusCode;
use hufu_shared::fact::{Event, Reversed, ToppedUp};
use hufu_shared::ids::FactId;
use hufu_shared::money::{Amount, Leg, Unit};

use super::kit::{Browser, Page, Site, each};
use super::taking::{card_in_use, record, revealed};
use crate::db::{DbError, SqlFile};

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

fn told(page: &Page) -> &str {
    page.between("role=\"alert\" tabindex=\"-1\">", "<").unwrap_or_default()
}

async fn pays_in(site: &Site, fen: i64) -> FactId {
    let (subject, _) = card_in_use(site).await;
    let (amount, method) = (Amount(fen), "cash".to_owned());
    record(site, Event::ToppedUp(ToppedUp { subject, amount, method, slip: None }), None).await
}

async fn entries(site: &Site) -> i64 {
    let read = |tx: &mut crate::db::Tx<'_>| -> Result<i64, DbError> {
        let uneven = tx.query_one(PROBE.get("sums_not_zero"), &[])?.int(0)?;
        assert_eq!(uneven, 0, "inv_01");
        tx.query_one(PROBE.get("entries"), &[])?.int(0)
    };
    site.app.db.read(read).await.expect("read")
}

/// Goes on from the page that says what will be posted.
async fn sure(browser: &mut Browser, path: &str, first: &Page, reason: &str) -> Page {
    let hidden = first.all_between("<input type=\"hidden\" name=\"", ">");
    let pairs: Vec<(String, String)> = hidden
        .iter()
        .filter_map(|field| {
            let (name, value) = field.split_once("\" value=\"")?;
            (name != "csrf").then(|| (name.to_owned(), value.trim_end_matches('"').to_owned()))
        })
        .collect();
    let mut fields: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("reason", reason));
    browser.post(path, &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_a_top_up_is_undone_in_two_steps_and_once() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (_, member) = card_in_use(&site).await;
        let path = format!("/members/{member}/money");
        let page = browser.get(&path).await;
        assert!(page.text.contains("没有可撤销的充值") && page.text.contains("没有用储值支付的购物"));
        assert!(browser.get(&format!("/members/{member}")).await.text.contains(&path), "a way there");
        let paid = super::super::cases::fact_text(pays_in(&site, 30_000).await);
        let page = browser.get(&path).await;
        assert!(page.text.contains("¥300.00") && page.text.contains(&paid));
        let name = revealed(&site, member).await.name;
        assert!(!page.text.contains(&name), "ui_f06: masked");
        let none = browser.post(&path, &[("do", "undo")]).await;
        assert_eq!((none.status, told(&none)), (StatusCode::UNPROCESSABLE_ENTITY, "请先选择一笔。"));
        let before = entries(&site).await;
        let first = browser.post(&path, &[("do", "undo"), ("fact", &paid)]).await;
        assert_eq!(first.status, StatusCode::OK, "{}", told(&first));
        for words in ["将要记的账", "会员可用储值", "¥300.00", "¥0.00"] {
            assert!(first.text.contains(words), "{words}");
        }
        assert_eq!(entries(&site).await, before, "looking posts nothing");
        assert_eq!(told(&sure(&mut browser, &path, &first, "").await), "请填写原因。");
        // More comes in meanwhile: what was seen is not what would be.
        pays_in(&site, 10_000).await;
        let changed = sure(&mut browser, &path, &first, "充错会员").await;
        assert_eq!(told(&changed), "账目已有变化，请重新核对。");
        assert_eq!(entries(&site).await, before + 1, "only the top-up");
        let done = sure(&mut browser, &path, &changed, "充错会员").await;
        assert_eq!(done.to(), format!("{path}?done"), "{}", told(&done));
        let page = browser.get(done.to()).await;
        assert!(page.text.contains("已办理") && page.text.contains("¥100.00") && !page.text.contains(&paid));
        let again = browser.post(&path, &[("do", "undo"), ("fact", &paid)]).await;
        assert_eq!(told(&again), "已经办理过，不能重复。");
        assert_eq!(entries(&site).await, before + 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_31_what_the_desk_and_a_terminal_took_back_is_shown_beside_the_original() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (_, member) = card_in_use(&site).await;
        let path = format!("/members/{member}/money");
        let paid = pays_in(&site, 30_000).await;
        let chosen = super::super::cases::fact_text(paid);
        let first = browser.post(&path, &[("do", "undo"), ("fact", &chosen)]).await;
        let done = sure(&mut browser, &path, &first, "充错会员").await;
        assert_eq!(done.to(), format!("{path}?done"), "{}", told(&done));
        let legs = vec![Leg { unit: Unit::Cny, amount: Amount(20_000) }];
        let reversed = Reversed { original: paid, legs, reason: "mistake".to_owned(), slip: None };
        record(&site, Event::Reversed(reversed), None).await;
        let page = browser.get("/cases?kind=31").await;
        for words in ["原单（", "中心柜台", "终端退回（", "¥300.00", "¥200.00", "只计到限额为止"]
        {
            assert!(page.text.contains(words), "{words}");
        }
        let counts = page.between(">计入<", "</tr>").unwrap_or_default();
        assert_eq!(counts.matches("¥300.00").count(), 2, "the original and the desk: {counts}");
        assert!(
            counts.contains('—') && !counts.contains("¥200.00"),
            "nothing was left to take back: {counts}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_value_is_paid_out_in_two_steps_and_never_more_than_there_is() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (_, member) = card_in_use(&site).await;
        let path = format!("/members/{member}/money");
        pays_in(&site, 10_000).await;
        let page = browser.get(&path).await;
        let once = page.between("name=\"once\" value=\"", "\"").expect("a form").to_owned();
        let office = page.first_option().expect("an office").to_owned();
        let wish = |amount| [("do", "cash_out"), ("amount", amount), ("office", &*office), ("once", &*once)];
        for (amount, words) in [
            ("100.01", "金额超出可办理的范围，请核对。"),
            ("-1", "金额不正确：请输入大于 0、最多两位小数的金额。"),
            ("0", "金额不正确：请输入大于 0、最多两位小数的金额。"),
        ] {
            let refused = browser.post(&path, &wish(amount)).await;
            assert_eq!((refused.status, told(&refused)), (StatusCode::UNPROCESSABLE_ENTITY, words));
        }
        let first = browser.post(&path, &wish("60")).await;
        assert!(first.text.contains("¥60.00") && first.text.contains("¥40.00"), "{}", told(&first));
        let done = sure(&mut browser, &path, &first, "会员退卡").await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", told(&done));
        let twice = sure(&mut browser, &path, &first, "会员退卡").await;
        assert_eq!(told(&twice), "已经办理过，不能重复。", "the same form moves once");
        assert!(browser.get(&path).await.text.contains("¥40.00"));
        entries(&site).await;
    })
    .await;
}
