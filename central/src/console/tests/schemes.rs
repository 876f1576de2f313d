//! Versions of the scheme at the console: what each changes, a new one as a text, and a made-up history, on both databases.

use axum::http::StatusCode;
use hufu_shared::scheme::ready;

use super::kit::{Browser, each};
use crate::store::{people, world};

fn today() -> &'static str {
    "2026-11-22"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_written_as_a_text_checked_by_line_tried_and_published() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let page = browser.get("/schemes").await;
        // The generated club has a second version without a text.
        for words in ["方案版本", "第 1 版", "第 2 版", "生效中", "/schemes/new?from=1", "<code>counter_name"]
        {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        let draft = browser.get("/schemes/new?from=1").await;
        assert!(draft.text.contains("property-club"), "{}", draft.text);
        assert_eq!(browser.get("/schemes/new?from=9").await.status, StatusCode::NOT_FOUND);

        let text = ready::find("S").expect("shipped").text;
        let wrong = text.replace("points_per = 2", "points_per = -2");
        let line = wrong.lines().position(|line| line.starts_with("points_per = -2")).expect("there") + 1;
        let fields = |text| [("text", text), ("from", today()), ("policy", "1")];
        let refused = browser.post("/schemes/new", &fields(&wrong)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        for words in [format!("第 {line} 行"), "points_per = -2".to_owned()] {
            assert!(refused.text.contains(&words), "{words}: {}", refused.text);
        }
        assert!(!refused.text.contains("value=\"publish\""), "nothing to publish");
        for (from, policy, words) in [
            ("2026-11-21", "0", "不能早于今天"),
            ("2026-11-30", "1", "生效日期须为今天"),
            ("soon", "0", "请填写生效日期"),
        ] {
            let fields = [("text", text), ("from", from), ("policy", policy), ("step", "publish")];
            let refused = browser.post("/schemes/new", &fields).await;
            assert!(refused.text.contains(words), "{words}: {}", refused.text);
        }

        let tried = browser.post("/schemes/new", &fields(text)).await;
        assert_eq!(tried.status, StatusCode::OK, "{}", tried.text);
        for words in ["检查通过", "位会员的等级会变动", "<code>earn", "value=\"publish\""] {
            assert!(tried.text.contains(words), "{words}: {}", tried.text);
        }
        let before = site.app.db.read(world::policy).await.expect("a policy");
        let publish = [&fields(text)[..], &[("step", "publish")]].concat();
        assert_eq!(browser.post("/schemes/new", &publish).await.to(), "/schemes");
        assert_ne!(site.app.db.read(world::policy).await.expect("a policy"), before);
        let page = browser.get("/schemes").await;
        for words in ["第 3 版", "时装柜位会员", "已被取代", "<code>earn"] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        let draft = browser.get("/schemes/new?from=3").await;
        assert!(draft.text.contains("# S10: a coupon"), "the text as it was written: {}", draft.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_history_is_told_line_by_line_with_its_rules() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        assert!(browser.get("/schemes/try").await.text.contains("day,what,fen"));
        let history = "day,what,fen\n2026-01-10,card,\n2026-01-10,purchase,10000\n";
        let told = browser.post("/schemes/try", &[("scheme", "fashion"), ("history", history)]).await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.text);
        for words in ["试算结果", "2026-01-10", "S2", "+2"] {
            assert!(told.text.contains(words), "{words}: {}", told.text);
        }
        for (history, words) in
            [("day,wat\n2026-01-10,card\n", "经历无法计算"), ("day,what\n", "at least one event")]
        {
            let refused = browser.post("/schemes/try", &[("scheme", "fashion"), ("history", history)]).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(refused.text.contains(words), "{words}: {}", refused.text);
        }
        let member =
            site.app.db.read(|tx| people::member_page(tx, "", 1)).await.expect("read")[0].number.clone();
        let load = browser.post("/schemes/try", &[("step", "load"), ("number", &member)]).await;
        assert_eq!(load.status, StatusCode::OK, "{}", load.text);
        assert!(load.text.contains(",card,") && load.text.contains(&member), "{}", load.text);
        let nobody = browser.post("/schemes/try", &[("step", "load"), ("number", "moon")]).await;
        assert!(nobody.text.contains("没有这个会员编号"), "{}", nobody.text);
        let none = browser.post("/schemes/try", &[("scheme", "moon"), ("history", history)]).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
    })
    .await;
}
