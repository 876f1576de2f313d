//! Events that earn and are no purchases, on the page and through the API.

use super::*;

fn told<'a>(serial: &'a str, kind: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("member", "X1"), ("kind", kind), ("serial", serial), ("office", "A"), ("reason", "回访新业主")]
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k20_k21_an_event_is_told_once_approved_by_another_person_and_taken_back() {
    each(|site| async move {
        newcomers(&site).await;
        let mut teller = Browser::signed_in(&site).await;
        let mut other = other(&site).await;
        let path = "/api/v1/events";
        let made = teller.post(path, &told("C-1", "care")).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let event = json(&made);
        let part = event["gave"][0].clone();
        let known = (text(&part, "rule"), part["amount"].as_i64(), text(&part, "state"));
        assert_eq!(known, ("K20", Some(5), "waiting"), "{event}");
        assert_eq!(text(&event, "day"), "2026-11-22", "today");
        assert_eq!(teller.post(path, &told("C-1", "care")).await.status, StatusCode::OK, "told twice");
        let mut another = told("C-1", "care");
        another.push(("fen", "5"));
        let refused = teller.post(path, &another).await;
        assert_eq!((refused.status, problem(&refused).as_str()), (StatusCode::CONFLICT, "event-other"));
        for (field, value, code) in [
            ("member", "X9", "points-member"),
            ("serial", "", "event-serial"),
            ("day", "2999-01-01", "event-day"),
            ("fen", "-1", "event-amount"),
            ("paid_percent", "101", "event-amount"),
            ("office", "moon", "points-office"),
            ("kind", "activity", "points-activity"),
        ] {
            let mut fields = told("C-2", "care");
            fields.retain(|of| of.0 != field);
            fields.push((field, value));
            let refused = teller.post(path, &fields).await;
            assert!(!refused.status.is_success(), "{field}");
            if !value.is_empty() {
                assert_eq!(problem(&refused), code, "{field}");
            }
        }
        assert_eq!(has(&teller, 1, "PTS").await, 0, "it waits");
        let waiting = json(&other.get("/api/v1/points").await);
        assert_eq!(waiting["changes"][0]["event"], event["event"], "{waiting}");
        let decide = [("changes", text(&part, "change")), ("approved", "1"), ("reason", "已核实")];
        let own = teller.post("/api/v1/points/decide", &decide).await;
        assert_eq!(problem(&own), "points-own");
        assert_eq!(other.post("/api/v1/points/decide", &decide).await.status, StatusCode::OK);
        assert_eq!(has(&teller, 1, "PTS").await, 5);
        let statement = teller.get(&format!("/members/{}/statement", id(1))).await;
        assert!(statement.text.contains("因“关怀”，依据规则 K20"), "{}", statement.text);

        let back = format!("{path}/{}/take-back", text(&event, "event"));
        let reason = [("reason", "登记有误")];
        let gone = teller.post(&back, &reason).await;
        assert_eq!(gone.status, StatusCode::OK, "{}", gone.text);
        assert_eq!(text(&json(&gone)["gave"][0], "state"), "returned");
        assert_eq!(has(&teller, 1, "PTS").await, 0);
        let twice = teller.post(&back, &reason).await;
        assert_eq!((twice.status, problem(&twice).as_str()), (StatusCode::CONFLICT, "event-taken-back"));
        let none = format!("{path}/{}/take-back", "0".repeat(64));
        assert_eq!(teller.post(&none, &reason).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k20_the_events_of_a_member_come_in_pages_in_the_order_of_telling() {
    each(|site| async move {
        newcomers(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        for serial in ["C-1", "C-2", "C-3"] {
            let made = browser.post("/api/v1/events", &told(serial, "care")).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        }
        let path = format!("/api/v1/members/{}/events", id(1));
        let serials = |page: &Value| {
            let rows = page["events"].as_array().expect("a list");
            rows.iter().map(|event| text(event, "serial").to_owned()).collect::<Vec<_>>()
        };
        let first = json(&browser.get(&format!("{path}?limit=2")).await);
        assert_eq!(serials(&first), ["C-1", "C-2"]);
        let rest = json(&browser.get(&format!("{path}?limit=2&cursor={}", text(&first, "next"))).await);
        assert_eq!((serials(&rest), &rest["next"]), (vec!["C-3".to_owned()], &Value::Null));
        let none = "/api/v1/members/00000000-0000-0000-0000-000000000000/events";
        assert_eq!(browser.get(none).await.status, StatusCode::NOT_FOUND);
        assert_eq!(browser.get(&format!("{path}?cursor=x")).await.status, StatusCode::NOT_FOUND);
        let mut stranger = Browser::stranger(&site);
        assert!(!stranger.get(&path).await.status.is_success());
        assert!(!stranger.post_bare("/api/v1/events", &told("C-9", "care")).await.status.is_success());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k26_the_form_of_a_plan_begins_with_what_the_scheme_gives_for_taking_part() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let page = browser.get("/activities").await;
        let field = page.between("name=\"points\"", ">").expect("a field");
        assert!(field.contains("value=\"6\""), "{field}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k20_the_page_tells_of_an_event_lists_it_and_takes_it_back() {
    each(|site| async move {
        newcomers(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        let page = browser.get("/points").await;
        assert!(page.text.contains("登记事件") && page.text.contains("关怀"), "{}", page.text);
        let mut form = told("C-1", "care");
        form.push(("do", "tell"));
        let done = browser.post("/points", &form).await;
        assert_eq!((done.status, done.to()), (StatusCode::SEE_OTHER, "/points?done=told"), "{}", done.text);
        let page = browser.get("/points?done=told").await;
        assert!(page.text.contains("事件已登记") && page.text.contains("+5（待审）"), "{}", page.text);
        let mut wrong = told("C-2", "activity");
        wrong.push(("do", "tell"));
        let refused = browser.post("/points", &wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            refused.text.contains("请选择已审批的活动") && refused.text.contains("C-2"),
            "{}",
            refused.text
        );
        let mut wrong = told("C-2", "care");
        wrong.extend([("do", "tell"), ("yuan", "十元")]);
        let refused = browser.post("/points", &wrong).await;
        let says = "金额不得小于零，且最多精确到分";
        assert!(refused.text.contains(says), "people write yuan: {}", refused.text);
        let event = page.between("name=\"event\" value=\"", "\"").expect("a form").to_owned();
        let back = [("do", "take-back"), ("event", event.as_str()), ("reason", "登记有误")];
        let done = browser.post("/points", &back).await;
        assert_eq!((done.status, done.to()), (StatusCode::SEE_OTHER, "/points?done=taken-back"));
        assert!(browser.get("/points").await.text.contains("已撤销，所给或所扣积分已冲回"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b03_a_refused_order_is_told_through_the_api_where_it_costs_nothing_as_well() {
    each(|site| async move {
        newcomers(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        let made = browser.post("/api/v1/events", &told("O-1", "refusal")).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let event = json(&made);
        assert_eq!((text(&event, "kind"), event["gave"].as_array().map(Vec::len)), ("refusal", Some(0)));
        let page = browser.get("/points").await;
        assert!(!page.text.contains("value=\"refusal\""), "the club takes nothing for it: not offered");
        assert!(page.text.contains("O-1"), "listed: {}", page.text);
    })
    .await;
}
