//! Redemption by plans, on pages and through the API.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn rule_k24_a_redemption_is_planned_approved_carried_out_asked_for_and_counted() {
    each(|site| async move {
        newcomers(&site).await;
        let policy = Policy { plans_need_approval: true, ..Policy::default() };
        let actor = Actor::Job("test".to_owned());
        site.app.act(actor, Act::PolicySet(Box::new(policy))).await.expect("taken");
        let mut planner = Browser::signed_in(&site).await;
        let mut other = other(&site).await;
        planner.post("/api/v1/points", &fields("r1", "800")).await;
        let gift = [("class", "gift"), ("code", "umbrella"), ("zh", "雨伞"), ("en", "umbrella")];
        assert_eq!(planner.post("/api/v1/stock/items", &gift).await.status, StatusCode::OK);
        let came = [
            ("key", "delivery"),
            ("class", "gift"),
            ("code", "umbrella"),
            ("from", "supplier"),
            ("to", "A"),
            ("pieces", "5"),
            ("reason", "采购入库"),
        ];
        assert_eq!(planner.post("/api/v1/stock/moves", &came).await.status, StatusCode::CREATED);
        let path = "/api/v1/redemptions";
        let plan = [
            ("key", "year-end"),
            ("zh", "年终兑礼"),
            ("en", "Year-end gifts"),
            ("from", "2026-11-01"),
            ("until", "2026-12-31"),
            ("office", "A"),
            ("kind", "gift"),
            ("gift", "umbrella"),
            ("points", "500"),
            ("levels", "金卡"),
        ];
        for (field, value, code) in [
            ("key", "", "points-key"),
            ("zh", "", "redemption-name"),
            ("until", "2026-10-31", "redemption-days"),
            ("from", "soon", "redemption-days"),
            ("office", "moon", "points-office"),
            ("kind", "car", "redemption-kind"),
            ("gift", "car", "stock-no-item"),
            ("points", "", "redemption-worth"),
            ("at_most", "-1", "redemption-whom"),
            ("members", "X9", "points-member"),
        ] {
            let mut fields = plan.to_vec();
            fields.retain(|of| of.0 != field);
            fields.push((field, value));
            assert_eq!(problem(&planner.post(path, &fields).await), code, "{field}");
        }
        let made = planner.post(path, &plan).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text);
        let one = format!("{path}/{}", text(&json(&made), "plan"));
        let early = planner.post(&format!("{one}/run"), &[]).await;
        assert_eq!(problem(&early), "redemption-not-approved");
        let step = format!("{one}/step");
        let own = planner.post(&step, &[("step", "approve"), ("reason", "同意")]).await;
        assert_eq!((own.status, problem(&own).as_str()), (StatusCode::CONFLICT, "points-own"));
        let page = other.get(&format!("/redemptions/{}", text(&json(&made), "plan"))).await;
        assert!(page.text.contains("审批通过并入账") && page.text.contains("等级：金卡"), "{}", page.text);
        let approved = json(&other.post(&step, &[("step", "approve"), ("reason", "预算内")]).await);
        assert_eq!(text(&approved, "state"), "approved");
        let changed = planner.post(path, &[&plan[..9], &[("levels", "")]].concat()).await;
        assert_eq!(
            (changed.status, problem(&changed).as_str()),
            (StatusCode::CONFLICT, "redemption-changed")
        );
        let ran = json(&planner.post(&format!("{one}/run"), &[]).await);
        assert_eq!((ran["redeemed_now"].as_i64(), ran["gifts"].as_i64()), (Some(1), Some(1)), "{ran}");
        let again = json(&planner.post(&format!("{one}/run"), &[]).await);
        assert_eq!((again["redeemed_now"].as_i64(), again["points"].as_i64()), (Some(0), Some(500)));
        assert_eq!(has(&planner, 1, "PTS").await, 300);
        let lines = json(&planner.get(&format!("{one}/lines")).await);
        assert_eq!(text(&lines["lines"][0], "number"), "X1");
        let mine = json(&planner.get(&format!("/api/v1/members/{}/redemptions", id(1))).await);
        assert_eq!(mine["redemptions"][0]["pieces"].as_i64(), Some(1));
        let shelf = json(&planner.get("/api/v1/stock?office=A").await);
        assert_eq!(shelf["shelves"][0]["pieces"].as_i64(), Some(4), "{shelf}");
        let listed = planner.get("/redemptions").await;
        assert!(listed.text.contains("年终兑礼") && listed.text.contains(">500<"), "{}", listed.text);
        let ended = planner.post(&step, &[("step", "end"), ("reason", "活动结束")]).await;
        assert_eq!(text(&json(&ended), "state"), "ended");
        assert_eq!(json(&planner.get(path).await)["redemptions"].as_array().map(Vec::len), Some(1));
    })
    .await;
}
