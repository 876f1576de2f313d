//! What is to pay and the birthday's discount through pages and `/api/v1`, on both databases.

use std::sync::Arc;

use axum::http::StatusCode;
use hufu_shared::act::{Act, Actor, MemberSet};
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::member::MemberStatus;
use hufu_shared::scheme::bonus::Birthday;
use hufu_shared::scheme::{Scheme, Words, ready};
use hufu_shared::time::{DAY_US, Day};

use super::cards::problem;
use super::joining::{json, text};
use super::kit::{Browser, Site, each};
use crate::db::Tx;
use crate::vault::{Personal, VaultError};

pub(super) const WHO: MemberId = MemberId([0xe1; 16]);
const BILLS: &str = "/api/v1/bills";
const BIRTHDAYS: &str = "/api/v1/birthdays";

/// 思凡 with 5 % for its diamond card and 10 % for a birthday, whose tables are lost; X1 has a diamond card and was born in
/// this month.
pub(super) async fn club(site: &Arc<Site>) {
    let mut scheme: Scheme = toml::from_str(ready::find("S").expect("shipped").text).expect("a scheme");
    (scheme.version, scheme.valid_from) = (9, Day(0));
    scheme.levels[1].discount_bp = 500;
    scheme.birthday = scheme.birthday.map(|rule| Birthday { discount_bp: 1_000, ..rule });
    let row = MemberSet {
        member: WHO,
        number: "X1".to_owned(),
        level: Some(Words { zh: "钻卡".to_owned(), en: "Diamond card".to_owned() }),
        status: MemberStatus::Active,
        office: None,
        personal: Hash([1; 32]),
        joined: None,
    };
    for act in [Act::SchemeSet(scheme.terms()), Act::MembersSet(vec![row])] {
        site.app.act(Actor::Job("test".to_owned()), act).await.expect("taken");
    }
    let birthday = Some("1990-11-30".parse().expect("a day"));
    let person = Personal { name: "欧阳静".to_owned(), birthday, ..Personal::default() };
    let vault = site.app.vault.clone();
    let put = move |tx: &mut Tx<'_>| -> Result<(), VaultError> { vault.put(tx, WHO, &person) };
    site.app.db.write(put).await.expect("sealed");
    site.clock.advance(2 * DAY_US);
}

fn asked<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![("member", "X1"), ("office", "A"), ("price", "100000")];
    all.retain(|of| more.iter().all(|other| other.0 != of.0));
    all.extend(more);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s06_s09_the_desk_is_told_each_step_and_why_something_takes_nothing_off() {
    each(|site| async move {
        club(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        for (more, code) in [
            (("member", "X9"), "points-member"),
            (("office", "moon"), "points-office"),
            (("price", "-1"), "bill-price"),
            (("price", "dear"), "bill-price"),
            (("points", "many"), "points-number"),
            (
                ("coupon", "0000000000000000000000000000000000000000000000000000000000000000"),
                "coupon-unknown",
            ),
        ] {
            assert_eq!(problem(&browser.post(BILLS, &asked(&[more])).await), code, "{more:?}");
        }
        let whole = [("card", "1"), ("birthday", "1"), ("id_card", "1"), ("own_use", "1")];
        let told = json(&browser.post(BILLS, &asked(&whole)).await);
        // 1,000 元 less 5 % = 950, less 10 % = 855, which earn 16 points at 2 for each 100.
        let figures = ["to_pay", "earns", "scheme"].map(|name| told[name].as_i64().expect("a number"));
        assert_eq!(figures, [85_500, 16, 9], "{told}");
        let step = &told["steps"][1];
        assert_eq!((text(step, "step"), step["by"].as_i64()), ("birthday_discount", Some(9_500)), "{told}");
        assert_eq!(text(step, "sentence"), "生日优惠 ¥95.00");
        let bare = json(&browser.post(BILLS, &asked(&[("birthday", "1"), ("points", "5")])).await);
        let why: Vec<&str> =
            bare["left"].as_array().expect("a list").iter().map(|left| text(left, "why")).collect();
        assert_eq!(why, ["bill-points-closed", "bill-no-card", "birthday-evidence"], "{bare}");
        assert_eq!(bare["to_pay"].as_i64(), Some(100_000));
        let page = browser.get("/bills").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let typed =
            [("do", "reckon"), ("member", "X1"), ("office", "A"), ("price", "1000.00"), ("card", "1")];
        let page = browser.post("/bills", &typed).await;
        assert!(page.text.contains("“钻卡”等级优惠 ¥50.00"), "{}", page.text);
        assert!(page.text.contains("¥950.00"), "{}", page.text);
        let refused = browser.post("/bills", &[("do", "reckon"), ("member", "X9"), ("price", "1")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s09_a_birthday_s_discount_is_used_once_a_year_listed_by_month_and_taken_back() {
    each(|site| async move {
        club(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        let whole: [(&str, &str); 8] = [
            ("member", "X1"),
            ("office", "A"),
            ("slip", "B17"),
            ("reason", "本人到店"),
            ("key", "till-17"),
            ("card", "1"),
            ("id_card", "1"),
            ("own_use", "1"),
        ];
        for (name, value, code) in [
            ("key", "", "points-key"),
            ("slip", "", "birthday-slip"),
            ("reason", "", "reason-missing"),
            ("member", "X9", "points-member"),
            ("office", "moon", "points-office"),
            ("id_card", "0", "birthday-evidence"),
            ("own_use", "0", "birthday-own-use"),
        ] {
            let wrong = whole.map(|of| if of.0 == name { (name, value) } else { of });
            assert_eq!(problem(&browser.post(BIRTHDAYS, &wrong).await), code);
        }
        let made = browser.post(BIRTHDAYS, &whole).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let again = browser.post(BIRTHDAYS, &whole).await;
        assert_eq!((again.status, json(&again)["new"].as_bool()), (StatusCode::OK, Some(false)));
        let moved = whole.map(|of| if of.0 == "slip" { ("slip", "B18") } else { of });
        let moved = browser.post(BIRTHDAYS, &moved).await;
        assert_eq!((moved.status, problem(&moved).as_str()), (StatusCode::CONFLICT, "birthday-other"));
        let other = whole.map(|of| if of.0 == "key" { ("key", "till-18") } else { of });
        assert_eq!(problem(&browser.post(BIRTHDAYS, &other).await), "birthday-used");
        let count = |list: serde_json::Value| list["uses"].as_array().map_or(0, Vec::len);
        let none = "?office=&month=";
        for (query, expected) in
            [("", 1), (none, 1), ("?office=A", 1), ("?office=B", 0), ("?month=2026-10", 0)]
        {
            let list = json(&browser.get(&format!("{BIRTHDAYS}{query}")).await);
            assert_eq!(count(list), expected, "{query}");
        }
        assert_eq!(browser.get(&format!("{BIRTHDAYS}?month=moon")).await.status, StatusCode::BAD_REQUEST);
        let own = json(&browser.get(&format!("/api/v1/members/{WHO}/birthdays")).await);
        let sentence = text(&own["uses"][0], "sentence").to_owned();
        assert!(sentence.starts_with("2026-11-24 在") && sentence.contains("小票 B17"), "{sentence}");
        let page = browser.get(&format!("/members/{WHO}?tab=points")).await;
        assert!(page.text.contains(&sentence), "{}", page.text);
        let path = format!("{BIRTHDAYS}/{}/undo", text(&json(&made), "use"));
        assert_eq!(problem(&browser.post(&path, &[("reason", "")]).await), "reason-missing");
        let undone = json(&browser.post(&path, &[("reason", "退货")]).await);
        assert!(undone["taken_back"].is_i64() && text(&undone, "sentence").contains("撤销"), "{undone}");
        let twice = browser.post(&path, &[("reason", "退货")]).await;
        assert_eq!(
            (twice.status, problem(&twice)),
            (StatusCode::CONFLICT, "birthday-was-taken-back".to_owned())
        );
        let mut form = vec![("do", "use"), ("price", "1000")];
        form.extend(other);
        let used = browser.post("/bills", &form).await;
        assert_eq!((used.status, used.to()), (StatusCode::SEE_OTHER, "/bills?done=used"), "{}", used.text);
        let name = Hash::of(&[b"hufu-birthday-use", b"till-18"]).to_string();
        let back = [("do", "undo"), ("use", name.as_str()), ("reason", "登记错误")];
        let undone = browser.post("/bills", &back).await;
        assert_eq!((undone.status, undone.to()), (StatusCode::SEE_OTHER, "/bills?done=undone"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_x16_a_club_whose_scheme_names_no_step_takes_the_whole_price() {
    each(|site| async move {
        club(&site).await;
        let club: Scheme = toml::from_str(ready::find("K").expect("shipped").text).expect("a scheme");
        let plain = Scheme { version: 10, valid_from: Day(0), ..club };
        let act = Act::SchemeSet(plain.terms());
        site.app.act(Actor::Job("test".to_owned()), act).await.expect("taken");
        site.clock.advance(DAY_US);
        let mut browser = Browser::signed_in(&site).await;
        let told = json(&browser.post(BILLS, &asked(&[("card", "1"), ("birthday", "1")])).await);
        assert_eq!(told["to_pay"].as_i64(), Some(100_000), "{told}");
        assert_eq!(text(&told["left"][0], "why"), "bill-not-offered", "{told}");
        let shop: Scheme = toml::from_str(ready::find("S").expect("shipped").text).expect("a scheme");
        let lost = Scheme { version: 11, valid_from: Day(0), ..shop };
        let act = Act::SchemeSet(lost.terms());
        site.app.act(Actor::Job("test".to_owned()), act).await.expect("taken");
        site.clock.advance(DAY_US);
        let mut browser = Browser::signed_in(&site).await;
        let whole = [("card", "1"), ("birthday", "1"), ("id_card", "1"), ("own_use", "1")];
        let told = json(&browser.post(BILLS, &asked(&whole)).await);
        let no_birthday = (told["celebrates"].as_bool(), told["to_pay"].as_i64());
        assert_eq!(no_birthday, (Some(false), Some(100_000)), "there is no discount to be used: {told}");
    })
    .await;
}
