//! Cards and stock, lost cards, the wall of a holding and dictionaries as pages, on both databases.

use std::sync::Arc;

use axum::http::StatusCode;
use hufu_shared::act::{Act, Actor, MemberSet};
use hufu_shared::ids::{Hash, MemberId, OccurrenceId};
use hufu_shared::member::MemberStatus;

use super::joining::{json, text};
use super::kit::{Browser, Site, each};
use crate::db::{SqlFile, Tx};
use crate::store::activities;
use crate::store::people::{self, PeopleError};

/// Statements of the tests.
static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

/// A member without a card.
async fn newcomer(site: &Arc<Site>) {
    let row = MemberSet {
        member: MemberId([0xe7; 16]),
        number: "X7".to_owned(),
        level: None,
        status: MemberStatus::Active,
        office: None,
        personal: Hash([7; 32]),
        joined: None,
    };
    site.app.act(Actor::Job("test".to_owned()), Act::MembersSet(vec![row])).await.expect("taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_are_moved_and_counted_on_the_page_with_a_reason_and_once() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let gift = [("class", "gift"), ("code", "umbrella"), ("zh", "雨伞"), ("en", "umbrella")];
        assert_eq!(browser.post("/api/v1/stock/items", &gift).await.status, StatusCode::OK);
        let page = browser.get("/stock").await;
        for words in ["卡片与库存", "在库", "注销", "雨伞", "登记出入库"] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        let came = [
            ("do", "move"),
            ("key", "page-1"),
            ("item", "gift.umbrella"),
            ("from", "supplier"),
            ("to", "A"),
            ("pieces", "7"),
        ];
        let silent = browser.post("/stock", &came).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(silent.text.contains("请填写原因") && silent.text.contains("value=\"7\""), "{}", silent.text);
        let came = [&came[..], &[("reason", "采购入库")]].concat();
        for _ in 0..2 {
            assert_eq!(browser.post("/stock", &came).await.to(), "/stock", "sent twice, moved once");
        }
        let counted = [
            ("do", "count"),
            ("key", "page-2"),
            ("item", "gift.umbrella"),
            ("office", "A"),
            ("pieces", "6"),
            ("reason", "月末盘点"),
        ];
        assert_eq!(browser.post("/stock", &counted).await.to(), "/stock");
        let shelf = json(&browser.get("/api/v1/stock?office=A").await);
        assert_eq!(shelf["shelves"][0]["pieces"].as_i64(), Some(6), "{shelf}");
        let page = browser.get("/stock?office=A&class=gift&code=umbrella").await;
        for words in ["库存流水", "供应商", "入库", "盘点差异", "−1"] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        let none =
            [("do", "move"), ("key", "page-3"), ("item", "gift.moon"), ("from", "supplier"), ("to", "A")];
        let none = [&none[..], &[("pieces", "1"), ("reason", "x")]].concat();
        assert!(browser.post("/stock", &none).await.text.contains("没有该物品"));
        let stranger = Browser::stranger(&site);
        for path in ["/stock", "/stock/lost"] {
            assert_ne!(stranger.get(path).await.status, StatusCode::OK, "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_cards_are_listed_with_the_terminals_that_do_not_know_it_yet() {
    each(|site| async move {
        newcomer(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        let asked = [("card", "6699000100010077"), ("member", "X7"), ("kind", "ordinary")];
        let card = text(&json(&browser.post("/api/v1/cards", &asked).await), "card").to_owned();
        let before = browser.get("/stock/lost").await;
        assert!(!before.text.contains("0077"), "{}", before.text);
        let lost = [("status", "lost"), ("reason", "本人挂失")];
        let told = browser.post(&format!("/api/v1/cards/{card}/status"), &lost).await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.text);
        let seen = json(&browser.get(&format!("/api/v1/cards/{card}")).await);
        let lacking = seen["terminals_lack"][0].as_str().expect("a terminal").to_owned();
        let page = browser.get("/stock/lost").await;
        for words in ["0077", "已传到 0/", lacking.as_str()] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        assert!(!page.text.contains("6699000100010077"), "the tail alone");
        assert_eq!(browser.get("/stock/lost?cursor=moon").await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wall_of_a_holding_shows_heads_and_greetings_and_nothing_else_of_anybody() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let met = |tx: &mut Tx<'_>| -> Result<Vec<OccurrenceId>, PeopleError> {
            let rows = tx.query(PROBE.get("attended"), &[])?;
            Ok(rows.iter().map(|row| row.array(0).map(OccurrenceId)).collect::<Result<_, _>>()?)
        };
        let met = site.app.db.read(met).await.expect("read");
        assert!(!met.is_empty(), "somebody came somewhere");
        for id in met {
            let load = move |tx: &mut Tx<'_>| -> Result<u32, PeopleError> {
                let row = people::occurrence(tx, id)?.expect("it is there");
                let heads = activities::heads(tx, row.activity)?.remove(&id).unwrap_or_default();
                Ok(heads.attended + heads.companions)
            };
            let heads = site.app.db.read(load).await.expect("read");
            let wall = browser.get(&format!("/occurrences/{id}/wall")).await;
            assert_eq!(wall.status, StatusCode::OK, "{}", wall.text);
            assert_eq!(wall.between("<strong>", "</strong>"), Some(heads.to_string().as_str()));
            let greets = ["女士", "先生", "欢迎光临"].iter().any(|words| wall.text.contains(words));
            assert_eq!(greets, heads > 0, "{}", wall.text);
            for hidden in ["/members/", "****", "M0000"] {
                assert!(!wall.text.contains(hidden), "{hidden}: {}", wall.text);
            }
        }
        let none = "/occurrences/00000000-0000-0000-0000-000000000000/wall";
        assert_eq!(browser.get(none).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_a_dictionary_are_added_and_retired_and_never_deleted() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let path = "/dictionaries/activity_kind";
        assert!(browser.get(path).await.text.contains("沙龙"));
        let word = [("code", "tea_party"), ("zh", "茶会"), ("en", "tea party"), ("order", "50")];
        let wrong = [&word[1..], &[("code", "Tea")]].concat();
        let refused = browser.post(path, &wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            refused.text.contains("小写字母") && refused.text.contains("value=\"茶会\""),
            "{}",
            refused.text
        );
        assert_eq!(browser.post(path, &word).await.to(), path);
        let terms = json(&browser.get("/api/v1/dictionaries/activity_kind").await);
        let is_retired = |terms: &serde_json::Value| {
            let all = terms["terms"].as_array().expect("words").clone();
            all.into_iter().find(|term| term["code"] == "tea_party").map(|term| term["retired"] == true)
        };
        assert_eq!(is_retired(&terms), Some(false), "{terms}");
        let retired = [&word[..], &[("retired", "1")]].concat();
        assert_eq!(browser.post(path, &retired).await.to(), path);
        let terms = json(&browser.get("/api/v1/dictionaries/activity_kind").await);
        assert_eq!(is_retired(&terms), Some(true), "{terms}");
        assert!(browser.get(path).await.text.contains("已停用"));
        assert_eq!(browser.get("/dictionaries/moon").await.status, StatusCode::NOT_FOUND);
    })
    .await;
}
