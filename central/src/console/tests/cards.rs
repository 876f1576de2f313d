//! Cards and goods through `/api/v1`, on both databases.

use std::sync::Arc;

use axum::http::StatusCode;
use hufu_shared::act::{Act, Actor, MemberSet};
use hufu_shared::fact::{Counted, DayClosed, DayTotals, Event};
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::member::MemberStatus;
use hufu_shared::time::OfficeClock;
use serde_json::Value;

use super::joining::{json, text};
use super::kit::{Browser, Page, Site, each};
use super::taking::record;

/// What is wrong, for programs.
pub fn problem(page: &Page) -> String {
    assert_eq!(page.headers["content-type"], "application/problem+json", "{}", page.text);
    let told = json(page);
    assert!(!text(&told, "detail").is_empty());
    text(&told, "type").trim_start_matches("urn:hufu:problem:").to_owned()
}

/// Two members without a card, of the numbers X1 and X2.
async fn newcomers(site: &Arc<Site>) {
    let row = |n: u8| MemberSet {
        member: MemberId([0xe0 + n; 16]),
        number: format!("X{n}"),
        level: None,
        status: MemberStatus::Active,
        office: None,
        personal: Hash([n; 32]),
        joined: None,
    };
    let actor = Actor::Job("test".to_owned());
    site.app.act(actor, Act::MembersSet(vec![row(1), row(2)])).await.expect("taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k16_cards_are_issued_singly_and_in_batch_and_once() {
    each(|site| async move {
        newcomers(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        let path = "/api/v1/cards";
        let asked = [("card", "6699000100010001"), ("member", "X1"), ("kind", "ordinary")];
        for (field, value, code) in [
            ("card", "??", "card-number"),
            ("member", "X9", "card-no-member"),
            ("kind", "moon", "card-kind"),
            ("kind", "co_brand", "card-no-main"),
            ("office", "no-such", "card-no-office"),
            ("valid_until", "soon", "card-day"),
        ] {
            let mut fields = asked.to_vec();
            fields.retain(|of| of.0 != field);
            fields.push((field, value));
            let refused = browser.post(path, &fields).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            assert_eq!(problem(&refused), code);
        }
        let made = browser.post(path, &asked).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let main = text(&json(&made), "card").to_owned();
        let seen = json(&made);
        assert_eq!((text(&seen, "number"), text(&seen, "rank"), text(&seen, "tail")), ("X1", "main", "0001"));
        let again = browser.post(path, &asked).await;
        assert_eq!((again.status, json(&again)), (StatusCode::OK, json(&made)), "the same card, once");
        let second = browser.post(path, &[("card", "6699000100010002"), ("member", "X1"), ("kind", "vip")]).await;
        assert_eq!(problem(&second), "card-has-main");
        let taken = browser.post(path, &[("card", "6699000100010001"), ("member", "X2"), ("kind", "vip")]).await;
        assert_eq!(problem(&taken), "card-taken");
        // One member, several media: a chip beside the stripe.
        let chip = [("uid", "04A1B2C3D4E5F6"), ("member", "X1"), ("medium", "1")];
        let chip = json(&browser.post(path, &chip).await);
        assert_eq!((text(&chip, "rank"), text(&chip, "under"), text(&chip, "kind")), ("medium", main.as_str(), "ordinary"));

        // A batch is issued whole or not at all, and says which lines cannot be.
        let rows = "6699000100010010,X1,discount\n6699000100010011,X2,vip,2027-12-31\nnobody,X2,vip\n6699000100010012,X7,vip";
        let refused = browser.post("/api/v1/cards/batch", &[("rows", rows)]).await;
        assert_eq!(problem(&refused), "card-batch-lines");
        let told = text(&json(&refused), "detail").to_owned();
        assert!(told.contains("3: ") && told.contains("4: ") && !told.contains("2: "), "{told}");
        let none = json(&browser.get("/api/v1/cards?holder=X2").await);
        assert_eq!(none["cards"], Value::Array(vec![]));
        let rows = "6699000100010011,X2,vip,2027-12-31\n6699000100010013,X2,discount\n";
        let done = json(&browser.post("/api/v1/cards/batch", &[("rows", rows)]).await);
        let fresh: Vec<bool> = done["cards"].as_array().expect("a list").iter().map(|card| card["new"] == true).collect();
        assert_eq!(fresh, [true, true], "the sub card after the main card of the same batch");
        let again = json(&browser.post("/api/v1/cards/batch", &[("rows", rows)]).await);
        assert_eq!((&again["cards"][0]["card"], again["cards"][0]["new"] == true), (&done["cards"][0]["card"], false));
        // Found by holder and kind, and by the day of issue (K19).
        let found = json(&browser.get("/api/v1/cards?holder=X2&kind=discount&from=2026-11-22&until=2026-11-22").await);
        assert_eq!(found["cards"].as_array().map(Vec::len), Some(1), "{found}");
        let before = json(&browser.get("/api/v1/cards?holder=X2&until=2026-11-21").await);
        assert_eq!(before["cards"], Value::Array(vec![]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h05_h06_h07_h08_k17_a_card_is_frozen_found_replaced_and_voided() {
    each(|site| async move {
        newcomers(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        let rows = "6699000100010001,X1,ordinary\n6699000100010002,X1,discount";
        let done = json(&browser.post("/api/v1/cards/batch", &[("rows", rows)]).await);
        let card = |n: usize| text(&done["cards"][n], "card").to_owned();
        let (main, sub) = (format!("/api/v1/cards/{}", card(0)), format!("/api/v1/cards/{}", card(1)));
        let status = |path: &str| format!("{path}/status");
        let silent = browser.post(&status(&main), &[("status", "lost")]).await;
        assert_eq!(problem(&silent), "reason-missing");
        let unknown = browser.post(&status(&main), &[("status", "eaten"), ("reason", "误操作")]).await;
        assert_eq!(problem(&unknown), "card-status");
        let lost = browser.post(&status(&main), &[("status", "lost"), ("reason", "本人挂失")]).await;
        assert_eq!(text(&json(&lost), "status"), "lost");
        // Nobody has it as it stands before it is published, and the terminals that lack it have names.
        let seen = json(&browser.get(&main).await);
        assert_eq!(seen["terminals_have"], 0);
        assert!(seen["terminals_lack"].as_array().is_some_and(|names| !names.is_empty()), "{seen}");
        let found = browser.post(&status(&main), &[("status", "active"), ("reason", "已找到")]).await;
        assert_eq!(text(&json(&found), "status"), "active");

        // A sub card is cancelled when it is lost, and not replaced.
        let new = [("card", "6699000100010003"), ("reason", "磁条磨损")];
        let refused = browser.post(&format!("{sub}/replace"), &new).await;
        assert_eq!(problem(&refused), "card-sub-replaced");
        let replaced = browser.post(&format!("{main}/replace"), &new).await;
        assert_eq!(replaced.status, StatusCode::OK, "{}", replaced.text);
        let next = json(&replaced);
        assert_eq!((text(&next, "number"), text(&next, "kind")), ("X1", "ordinary"));
        assert_eq!(text(&next, "replaces"), card(0));
        let again = json(&browser.post(&format!("{main}/replace"), &new).await);
        assert_eq!(text(&again, "card"), text(&next, "card"), "the same, once");
        let old = json(&browser.get(&main).await);
        assert_eq!((text(&old, "status"), text(&old, "ended_by")), ("void", "replaced"));
        let gone = json(&browser.get(&sub).await);
        assert_eq!((text(&gone, "status"), text(&gone, "ended_by")), ("void", "main_ended"));
        let back = browser.post(&status(&main), &[("status", "active"), ("reason", "误操作")]).await;
        assert_eq!((back.status, problem(&back).as_str()), (StatusCode::CONFLICT, "card-step"));
        let by_replacement = json(&browser.get("/api/v1/cards?by=replaced&holder=X1").await);
        assert_eq!(by_replacement["cards"].as_array().map(Vec::len), Some(1));
        let by_nothing = browser.get("/api/v1/cards?by=moon").await;
        assert_eq!(by_nothing.status, StatusCode::NOT_FOUND, "never another list than the one asked for");
        let void = format!("/api/v1/cards/{}", text(&next, "card"));
        let ended = browser.post(&status(&void), &[("status", "void"), ("reason", "会员注销")]).await;
        assert_eq!(text(&json(&ended), "ended_by"), "voided");
        let nothing = "/api/v1/cards/00000000-0000-0000-0000-000000000000";
        assert_eq!(browser.get(nothing).await.status, StatusCode::NOT_FOUND);
        assert_eq!(json(&browser.get("/api/v1/cards/due").await)["cards"], Value::Array(vec![]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k16_goods_and_blank_cards_are_kept_in_books_and_nothing_goes_below_zero() {
    each(|site| async move {
        newcomers(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        let items = "/api/v1/stock/items";
        let blank = [("class", "blank_card"), ("code", "vip"), ("zh", "VIP空白卡"), ("en", "blank VIP card")];
        assert_eq!(browser.post(items, &blank).await.status, StatusCode::OK);
        let gift = [("class", "gift"), ("code", "umbrella"), ("zh", "雨伞"), ("en", "umbrella")];
        let made = json(&browser.post(items, &gift).await);
        assert_eq!(json(&browser.post(items, &gift).await), made, "the same item");
        let odd = browser
            .post(items, &[("class", "blank_card"), ("code", "moon"), ("zh", "月"), ("en", "moon")])
            .await;
        assert_eq!(problem(&odd), "card-kind");
        assert_eq!(json(&browser.get(items).await)["items"].as_array().map(Vec::len), Some(2));

        let moves = "/api/v1/stock/moves";
        let came = [
            ("key", "delivery-1"),
            ("class", "blank_card"),
            ("code", "vip"),
            ("from", "supplier"),
            ("to", "A"),
            ("pieces", "1"),
            ("reason", "采购入库"),
        ];
        for (field, value, code) in [
            ("key", "", "stock-key"),
            ("reason", "", "reason-missing"),
            ("pieces", "0", "stock-pieces"),
            ("class", "car", "stock-class"),
            ("code", "gold", "stock-no-item"),
            ("to", "moon", "stock-ends"),
            ("to", "spoiled", "stock-ends"),
            ("from", "A", "stock-ends"),
            ("from", "B", "stock-short"),
        ] {
            let mut fields = came.to_vec();
            fields.retain(|of| of.0 != field);
            fields.push((field, value));
            assert_eq!(problem(&browser.post(moves, &fields).await), code, "{field} {value}");
        }
        assert_eq!(browser.post(moves, &came).await.status, StatusCode::CREATED);
        assert_eq!(browser.post(moves, &came).await.status, StatusCode::OK, "the same key, once");
        let shelf = |page: &Page| json(page)["shelves"][0]["pieces"].as_i64();
        assert_eq!(shelf(&browser.get("/api/v1/stock?office=A").await), Some(1));

        // The one blank card is issued; for the next there is none by the books.
        let issue = |card, member| [("card", card), ("member", member), ("kind", "vip"), ("office", "A")];
        let first = browser.post("/api/v1/cards", &issue("6699000100010001", "X1")).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
        assert_eq!(shelf(&browser.get("/api/v1/stock?office=A").await), Some(0));
        let second = browser.post("/api/v1/cards", &issue("6699000100010002", "X2")).await;
        assert_eq!(problem(&second), "card-no-blank");
        let count = [
            ("key", "count-1"),
            ("class", "blank_card"),
            ("code", "vip"),
            ("office", "A"),
            ("pieces", "2"),
            ("reason", "盘点"),
        ];
        assert_eq!(browser.post("/api/v1/stock/counts", &count).await.status, StatusCode::CREATED);
        assert_eq!(browser.post("/api/v1/stock/counts", &count).await.status, StatusCode::OK);
        let issued = browser.post("/api/v1/cards", &issue("6699000100010002", "X2")).await;
        assert_eq!(issued.status, StatusCode::CREATED, "{}", issued.text);
        let lines = json(&browser.get("/api/v1/stock/lines?office=A&class=blank_card&code=vip").await);
        let what: Vec<&str> =
            lines["lines"].as_array().expect("a list").iter().map(|line| text(line, "what")).collect();
        assert_eq!(what, ["in", "issued", "counted", "issued"]);
        let seen = json(&browser.get("/api/v1/stock?office=A").await);
        assert_eq!(
            (seen["shelves"][0]["pieces"].as_i64(), seen["shelves"][0]["found"].as_i64()),
            (Some(1), Some(2))
        );
        assert_eq!(json(&browser.get("/api/v1/stock/findings").await)["findings"], Value::Array(vec![]));
        let nothing = "/api/v1/stock/findings/00000000-0000-0000-0000-000000000000.1.9/gift/explain";
        let none = browser.post(nothing, &[("reason", "损坏"), ("lines", "umbrella:-2:spoiled")]).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_30_what_a_close_of_day_found_is_explained_by_a_person_or_stays_open() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        for (code, zh, en) in [("umbrella", "雨伞", "umbrella"), ("cup", "水杯", "cup")] {
            let gift = [("class", "gift"), ("code", code), ("zh", zh), ("en", en)];
            assert_eq!(browser.post("/api/v1/stock/items", &gift).await.status, StatusCode::OK);
        }
        let counted = Counted {
            gifts: 12,
            gifts_expected: Some(10),
            reason: Some("more than written".to_owned()),
            ..Counted::default()
        };
        let today = OfficeClock::default().business_day(site.app.now());
        let closed = DayClosed {
            day: today,
            from_seq: 1,
            to_seq: 1,
            totals: DayTotals::default(),
            unattended: false,
            counted: Some(counted),
        };
        let fact = record(&site, Event::DayClosed(closed), None).await;
        let findings = "/api/v1/stock/findings";
        let found = json(&browser.get(findings).await);
        assert_eq!(found["findings"][0]["difference"].as_i64(), Some(2), "{found}");
        let explain = format!("{findings}/{}/gift/explain", text(&found["findings"][0], "finding"));
        assert!(explain.contains(&fact.device.to_string()), "{explain}");
        for (lines, reason, code) in [
            ("umbrella:2:supplier", "", "reason-missing"),
            ("umbrella:1:supplier", "多送", "finding-sum"),
            ("umbrella:1:supplier,umbrella:1:supplier", "多送", "finding-lines"),
            ("umbrella:3:supplier,cup:-1:spoiled", "多送", "stock-short"),
            ("moon:2:supplier", "多送", "finding-lines"),
        ] {
            let refused = browser.post(&explain, &[("lines", lines), ("reason", reason)]).await;
            assert_eq!(problem(&refused), code, "{lines}");
            let open = json(&browser.get(findings).await);
            assert_eq!(open["findings"].as_array().map(Vec::len), Some(1), "{lines}: still to be explained");
        }
        let fields = [("lines", "umbrella:1:supplier,cup:1:supplier"), ("reason", "多送")];
        let done = json(&browser.post(&explain, &fields).await);
        assert_eq!(text(&done, "state"), "explained");
        assert_eq!(json(&browser.get(findings).await)["findings"], Value::Array(vec![]));
        let again = browser.post(&explain, &fields).await;
        assert_eq!((again.status, problem(&again).as_str()), (StatusCode::CONFLICT, "finding-changed"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_cards_and_stock_are_for_people_who_are_signed_in() {
    each(|site| async move {
        let mut stranger = Browser::stranger(&site);
        for path in ["/api/v1/cards", "/api/v1/cards/due", "/api/v1/stock", "/api/v1/stock/findings"] {
            assert_ne!(stranger.get(path).await.status, StatusCode::OK, "{path}");
        }
        for path in ["/api/v1/cards", "/api/v1/cards/batch", "/api/v1/stock/moves", "/api/v1/stock/counts"] {
            let page = stranger.post_bare(path, &[("card", "6699000100010001")]).await;
            assert!(!page.status.is_success(), "{path}");
        }
    })
    .await;
}
