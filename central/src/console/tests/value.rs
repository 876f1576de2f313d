//! Stored value frozen 冻结 and carried over 结转 at the console and in the API (H4), on both databases.

use axum::http::StatusCode;
use hufu_shared::fact::{Event, ToppedUp};
use hufu_shared::ids::MemberId;
use hufu_shared::money::Amount;
use serde_json::Value;

use super::joining::{json, text};
use super::kit::{Browser, Page, Site, each};
use super::taking::{card_in_use, record};
use crate::store::people;

fn told(page: &Page) -> &str {
    page.between("role=\"alert\" tabindex=\"-1\">", "<").unwrap_or_default()
}

/// The member with the card in use has stored value; and the number of theirs, and of another member.
async fn with_value(site: &Site, fen: i64) -> (MemberId, String, String) {
    let (subject, member) = card_in_use(site).await;
    let (amount, method) = (Amount(fen), "cash".to_owned());
    record(site, Event::ToppedUp(ToppedUp { subject, amount, method, slip: None }), None).await;
    let all = site.app.db.read(|tx| people::member_page(tx, "", 60)).await.expect("members");
    let own = all.iter().find(|row| row.member == member).expect("a member").number.clone();
    let active = hufu_shared::member::MemberStatus::Active;
    let other = all.iter().find(|row| row.member != member && row.status == active).expect("another");
    (member, own, other.number.clone())
}

async fn value_of(browser: &Browser, member: MemberId) -> Value {
    json(&browser.get(&format!("/api/v1/members/{member}/value")).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_a_person_freezes_stored_value_with_a_reason_and_sets_it_free() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (member, ..) = with_value(&site, 10_000).await;
        let (money, value) = (format!("/members/{member}/money"), format!("/members/{member}/value"));
        assert!(browser.get(&money).await.text.contains("冻结储值"));
        let none = browser.post(&value, &[("frozen", "1"), ("reason", "")]).await;
        assert_eq!((none.status, told(&none)), (StatusCode::UNPROCESSABLE_ENTITY, "请填写原因。"));
        let done = browser.post(&value, &[("frozen", "1"), ("reason", "会员来电，怀疑被盗用")]).await;
        assert_eq!(done.to(), format!("{money}?done"));
        let page = browser.get(&money).await;
        assert!(page.text.contains("储值已冻结（自 ") && page.text.contains("解冻储值"));
        assert_eq!(value_of(&browser, member).await["frozen"], true);
        assert!(browser.get(&format!("/members/{member}")).await.text.contains("已冻结"));
        let once = page.between("name=\"once\" value=\"", "\"").expect("a form").to_owned();
        let office = page.first_option().expect("an office").to_owned();
        let wish = [("do", "cash_out"), ("amount", "1"), ("office", &*office), ("once", &*once)];
        assert_eq!(told(&browser.post(&money, &wish).await), "储值已冻结，解冻后方可支取或结转。");
        let api = format!("/api/v1/members/{member}/value/freeze");
        for (fields, code) in [
            (vec![("frozen", "x"), ("reason", "核实")], "value-frozen-missing"),
            (vec![("frozen", "0")], "reason-missing"),
        ] {
            let page = browser.post(&api, &fields).await;
            assert_eq!(text(&json(&page), "type"), format!("urn:hufu:problem:{code}"));
        }
        for _ in 0..2 {
            let free = browser.post(&api, &[("frozen", "0"), ("reason", "本人核实无误")]).await;
            assert_eq!(json(&free)["frozen"], false, "twice is the same");
        }
        let turns = value_of(&browser, member).await["turns"].as_array().expect("turns").len();
        assert_eq!(turns, 2);
        let edits = json(&browser.get(&format!("/api/v1/members/{member}/edits")).await).to_string();
        assert!(edits.contains("stored_value") && edits.contains("\"after\":\"free\""), "{edits}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_stored_value_is_carried_over_in_two_steps_and_once_by_its_key() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (member, own, other) = with_value(&site, 10_000).await;
        let to = site.app.db.read({
            let other = other.clone();
            move |tx| people::member_by_number(tx, &other)
        });
        let to = to.await.expect("readable").expect("another");
        let path = format!("/members/{member}/money");
        let page = browser.get(&path).await;
        let once = page.between("name=\"once\" value=\"", "\"").expect("a form").to_owned();
        let office = page.first_option().expect("an office").to_owned();
        let wish = |to: &str, amount: &str, card: &str| -> Vec<(String, String)> {
            [
                ("do", "carry_over"),
                ("amount", amount),
                ("office", &office),
                ("once", &once),
                ("to", to),
                ("card", card),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
        };
        for (fields, words) in [
            (wish("无此人", "1", ""), "找不到收款会员：请输入会员编号或卡号。"),
            (wish(&own, "1", ""), "储值属于会员本人，其名下各卡共用，无需结转。"),
            (wish(&other, "100.01", ""), "金额超出可办理的范围，请核对。"),
            (wish(&other, "0", ""), "金额不正确：请输入大于 0、最多两位小数的金额。"),
            (wish(&other, "1", &other), "该卡不是这位会员的有效卡，请核对。"),
        ] {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(told(&browser.post(&path, &fields).await), words);
        }
        let fields = wish(&other, "25.00", "");
        let mut fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let sure = browser.post(&path, &fields).await;
        assert!(sure.text.contains("将要记的账") && sure.text.contains("的可用储值"), "{}", told(&sure));
        let seen = sure.between("name=\"seen\" value=\"", "\"").expect("a plan").to_owned();
        fields.extend([("sure", "yes"), ("seen", &*seen), ("reason", "家人共用")]);
        assert_eq!(browser.post(&path, &fields).await.to(), format!("{path}?done"));
        assert!(browser.get(&path).await.text.contains(&format!("结转至会员 {other}")));
        let page = browser.get(&format!("/members/{to}/money")).await;
        assert!(page.text.contains(&format!("由会员 {own} 结转")) && page.text.contains("+¥25.00"));
        let api = format!("/api/v1/members/{member}/value/carry");
        let mut asked = vec![
            ("to", &*other),
            ("amount", "5"),
            ("office", &*office),
            ("reason", "家人共用"),
            ("key", "k-1"),
        ];
        for _ in 0..2 {
            let done = browser.post(&api, &asked).await;
            assert_eq!((done.status, json(&done)["available"].as_i64()), (StatusCode::OK, Some(7_000)));
        }
        assert_eq!(value_of(&browser, to).await["available"], 3_000, "all of it, and once by its key");
        asked.pop();
        let none = browser.post(&api, &asked).await;
        assert_eq!(text(&json(&none), "type"), "urn:hufu:problem:stock-key");
        asked.push(("key", "k-2"));
        asked[1] = ("amount", "70.01");
        let refused = browser.post(&api, &asked).await;
        assert_eq!(text(&json(&refused), "type"), "urn:hufu:problem:money-too-much");
    })
    .await;
}
