//! Who gets in, for how long, and which requests may change something.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{StatusCode, Uri, header};
use hufu_shared::time::{MINUTE_US, SECOND_US};

use super::kit::{Browser, ONE_TIME, PASSWORD, each, empty, encoded, form};
use crate::console::guard::is_own_origin;
use crate::console::password::{self, TRIES_FREE, Weak};
use crate::console::session::{clear_cookie, set_cookie};
use crate::db::testing::prepare_all;
use crate::store::{cases, overview, people, staff, watch};

#[tokio::test]
async fn every_statement_of_the_console_is_understood_by_both_engines() {
    prepare_all(&[&staff::SQL, &cases::SQL, &overview::SQL, &people::SQL, &watch::SQL]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_67_wrong_tries_are_told_alike_and_lock_known_and_unknown_logins_alike() {
    each(|site| async move {
        let mut browser = Browser::stranger(&site);
        for login in ["admin", "nobody"] {
            let mut told = Vec::new();
            for _ in 0..TRIES_FREE + 1 {
                let page = browser.sign_in(login, "wrong-password").await;
                assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
                told.push(page.between("role=\"alert\" tabindex=\"-1\">", "<").expect("an error").to_owned());
            }
            assert_eq!(told[0], "账号或密码不正确，请重新输入。");
            assert!(told[TRIES_FREE as usize].contains("2026-11-22 18:0"), "says until when: {told:?}");
        }
        let page = browser.sign_in("admin", PASSWORD).await;
        assert!(page.text.contains("尝试次数过多"), "also for the right password");
        site.clock.advance(61 * SECOND_US);
        assert_eq!(browser.sign_in("admin", PASSWORD).await.to(), "/", "the real person still gets in");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_67_guesses_made_at_once_get_no_further_than_one_after_another() {
    each(|site| async move {
        for login in ["admin", "nobody"] {
            let guess = |password: &'static str| {
                let mut browser = Browser::stranger(&site);
                tokio::spawn(async move { browser.sign_in(login, password).await })
            };
            let wrong: Vec<_> = (0..40).map(|_| guess("wrong-password")).collect();
            let mut free = 0;
            for page in wrong {
                let page = page.await.expect("an answer");
                assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
                free += u32::from(page.text.contains("账号或密码不正确"));
            }
            assert_eq!(free, TRIES_FREE - 1, "{login}: from the {TRIES_FREE}th on it waits");
            let page = guess(PASSWORD).await.expect("an answer");
            assert!(page.text.contains("尝试次数过多"), "{login}: no session once the lock is reached");
        }
        // When the wait is over one try is free, not forty; the right one gets in and ends the count.
        site.clock.advance(31 * SECOND_US);
        let mut browser = Browser::stranger(&site);
        assert_eq!(browser.sign_in("admin", PASSWORD).await.to(), "/");
        let page = browser.sign_in("admin", "wrong-password").await;
        assert!(page.text.contains("账号或密码不正确"), "counted from the start again");
    })
    .await;
}

#[test]
fn locks_grow_from_half_a_minute_to_a_quarter_of_an_hour() {
    let now = hufu_shared::time::Instant(0);
    let seconds = |tries| password::locked_until(tries, now).map(|until| until.0 / SECOND_US);
    assert_eq!([4, 5, 6, 7].map(seconds), [None, Some(30), Some(60), Some(120)]);
    assert_eq!([10, 40, u32::MAX].map(seconds), [Some(900), Some(900), Some(900)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_password_must_be_changed_before_anything_else() {
    let site = Arc::new(empty().await);
    site.set_password(ONE_TIME, true).await;
    let mut browser = Browser::stranger(&site);
    assert_eq!(browser.sign_in("admin", ONE_TIME).await.to(), "/password");
    for path in ["/", "/cases", "/members"] {
        assert_eq!(browser.get(path).await.to(), "/password", "{path}");
    }
    assert_eq!(browser.get("/api/v1/overview").await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.post("/devices/invite", &[("name", "x"), ("office", "A")]).await.to(), "/password");
    let refused = [
        ([("old", ONE_TIME), ("new", "short"), ("repeat", "short")], "太短"),
        ([("old", ONE_TIME), ("new", "long enough"), ("repeat", "other")], "不一致"),
        ([("old", "not it"), ("new", "long enough"), ("repeat", "long enough")], "当前密码不正确"),
    ];
    for (fields, told) in refused {
        let page = browser.post("/password", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains(told), "{told}");
    }
    let fields = [("old", ONE_TIME), ("new", PASSWORD), ("repeat", PASSWORD)];
    assert_eq!(browser.post("/password", &fields).await.to(), "/");
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
}

#[test]
fn passwords_are_judged_by_length_and_by_what_others_try_first() {
    let accept = |new: &str| password::accept(new, "old-password", "admin-of-club");
    assert_eq!(accept("1234567"), Err(Weak::Short));
    assert_eq!(accept(&"好".repeat(64)), Err(Weak::Common), "one character over and over");
    assert_eq!(accept(&"abc好".repeat(16)), Ok(()), "64 characters of any script");
    assert_eq!(accept(&"abcd好".repeat(13)), Err(Weak::Long));
    assert_eq!(accept("Admin-Of-Club"), Err(Weak::Known));
    assert_eq!(accept("5201314520"), Err(Weak::Common));
}

#[tokio::test(flavor = "multi_thread")]
async fn case_64_changes_from_other_origins_are_refused() {
    let site = Arc::new(empty().await);
    let mut browser = Browser::signed_in(&site).await;
    let csrf = browser.csrf().await;
    let fields = [("csrf", csrf.as_str()), ("theme", "dark")];
    let origins = [
        (header::ORIGIN.as_str(), "https://evil.example"),
        (header::ORIGIN.as_str(), "http://sub.127.0.0.1:7080"),
        (header::ORIGIN.as_str(), "https://127.0.0.1:7080"),
        (header::ORIGIN.as_str(), "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
    ];
    for path in ["/logout", "/look", "/login", "/devices/invite"] {
        for (name, value) in origins {
            let request = form(path, &browser.cookies).header(name, value).body(Body::from(encoded(&fields)));
            let page = site.send(request.expect("a request")).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} {name}: {value}");
        }
    }
    let own = form("/look", &browser.cookies)
        .header(header::ORIGIN, "http://127.0.0.1:7080")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(encoded(&fields)));
    assert_eq!(site.send(own.expect("a request")).await.status, StatusCode::SEE_OTHER);
    // A form without its session's token changes nothing either.
    for token in ["", "AAAA"] {
        let page = browser.post_bare("/logout", &[("csrf", token)]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(browser.get("/").await.status, StatusCode::OK, "still signed in");
}

#[test]
fn an_origin_is_compared_whole() {
    let headers = |origin: &'static str| {
        let mut headers = axum::http::HeaderMap::new();
        headers.insert(header::HOST, "hufu.example".parse().expect("a host"));
        headers.insert(header::ORIGIN, origin.parse().expect("an origin"));
        headers
    };
    let path = Uri::from_static("/logout");
    assert!(is_own_origin(&headers("https://hufu.example"), &path, true));
    for origin in
        ["https://hufu.example.evil", "http://hufu.example", "https://hufu.example:8443", "hufu.example"]
    {
        assert!(!is_own_origin(&headers(origin), &path, true), "{origin}");
    }
}

#[test]
fn case_64_over_http_2_the_host_is_the_authority() {
    let mut headers = axum::http::HeaderMap::new();
    headers.insert(header::ORIGIN, "https://hufu.example:8443".parse().expect("an origin"));
    let own = |uri: &'static str| is_own_origin(&headers, &Uri::from_static(uri), true);
    assert!(own("https://hufu.example:8443/logout"));
    for uri in ["https://hufu.example/logout", "https://evil.example:8443/logout", "/logout"] {
        assert!(!own(uri), "{uri}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_65_a_session_ends_at_sign_out_at_a_new_password_by_time_and_is_never_adopted() {
    each(|site| async move {
        let signed_in = StatusCode::OK;
        let mut browser = Browser::signed_in(&site).await;
        let old = browser.cookies.clone();
        assert_eq!(browser.get("/").await.status, signed_in);
        browser.post("/logout", &[]).await;
        browser.cookies = old.clone();
        assert_eq!(browser.get("/").await.to(), "/login", "after sign-out");

        // A cookie set by somebody else is not taken over: signing in makes a new one.
        let mut fixed = Browser::stranger(&site);
        fixed.cookies = "hufu=chosen-by-somebody-else".to_owned();
        fixed.sign_in("admin", PASSWORD).await;
        assert!(!fixed.cookies.contains("chosen"), "{}", fixed.cookies);

        let other = Browser::signed_in(&site).await;
        let new = "Another-Password-1";
        let fields = [("old", PASSWORD), ("new", new), ("repeat", new)];
        assert_eq!(fixed.post("/password", &fields).await.to(), "/");
        assert_eq!(other.get("/").await.to(), "/login", "a new password ends every other session");
        assert_eq!(fixed.get("/").await.status, signed_in);

        site.clock.advance(14 * MINUTE_US);
        assert_eq!(fixed.get("/").await.status, signed_in);
        site.clock.advance(14 * MINUTE_US);
        assert_eq!(fixed.get("/").await.status, signed_in, "use keeps it");
        site.clock.advance(15 * MINUTE_US);
        assert_eq!(fixed.get("/").await.to(), "/login", "idle");

        let mut long = Browser::stranger(&site);
        long.sign_in("admin", new).await;
        for _ in 0..72 {
            assert_eq!(long.get("/api/v1/devices").await.status, signed_in);
            site.clock.advance(10 * MINUTE_US);
        }
        assert_eq!(long.get("/").await.to(), "/login", "twelve hours");
    })
    .await;
}

#[test]
fn the_cookie_is_bound_to_its_host_over_tls() {
    assert_eq!(set_cookie(true, "t"), "__Host-hufu=t; Path=/; HttpOnly; SameSite=Strict; Secure");
    assert_eq!(set_cookie(false, "t"), "hufu=t; Path=/; HttpOnly; SameSite=Strict");
    assert_eq!(clear_cookie(true), "__Host-hufu=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0");
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_back_after_a_choice_never_leads_to_another_host() {
    let site = Arc::new(empty().await);
    let mut browser = Browser::stranger(&site);
    for back in ["https://evil.example/", "//evil.example", "/\\evil.example", ""] {
        assert_eq!(
            browser.post_bare("/look", &[("language", "en"), ("back", back)]).await.to(),
            "/",
            "{back}"
        );
    }
    assert_eq!(
        browser.post_bare("/look", &[("language", "en"), ("back", "/cases?kind=27")]).await.to(),
        "/cases?kind=27"
    );
    assert!(browser.get("/login").await.text.contains("<html lang=\"en\""));
}
