//! `/api/v1` against its own document, on both databases: every answer that a test of the console gets from it is held
//! against the document ([`check`]); here every operation is also walked with bodies that fit and that do not.

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use hufu_shared::ids::MemberId;
use hufu_shared::time::DAY_US;
use serde_json::{Map, Value, json};

use super::cards::problem;
use super::joining::{json as read, somebody, text};
use super::kit::{Browser, ONE_TIME, Page, each, empty, form};
use super::members::acts_as;
use crate::console::contract::document::{answer, components, document, statuses};
use crate::console::contract::{Contract, contracts, shape};
use crate::console::problem::MEDIA;
use crate::rules::joining::roles::Role;
use crate::store::api_requests::KEPT_US;

static CONTRACTS: LazyLock<Vec<Contract>> = LazyLock::new(contracts);

/// The operation that a request asks for; paths without a part in braces go first, as routes do.
pub fn of(method: &Method, path: &str) -> Option<&'static Contract> {
    let path = path.split('?').next().unwrap_or_default();
    let fits = |known: &&Contract| {
        let (declared, met) = (known.path.split('/'), path.split('/'));
        let is_like = |(declared, met): (&str, &str)| declared.starts_with('{') || declared == met;
        known.method == *method
            && declared.clone().count() == met.clone().count()
            && declared.zip(met).all(is_like)
    };
    CONTRACTS.iter().filter(fits).min_by_key(|known| known.path.matches('{').count())
}

/// Fields of a form as an object of JSON: each in its declared type, where it reads as one.
pub fn written(contract: &Contract, fields: &[(&str, &str)]) -> Value {
    let mut body = Map::new();
    for (name, text) in fields {
        let kind = contract.field(name).map_or("text", |field| field.kind);
        let number = text.parse::<i64>().ok().filter(|number| number.to_string() == *text);
        let value = match (kind, *text) {
            ("bool", "1") => json!(true),
            ("bool", "0") => json!(false),
            ("int", _) if number.is_some() => json!(number),
            ("any", text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
            (kind, "") if kind.starts_with('[') => json!([]),
            (kind, text) if kind.starts_with('[') => {
                json!(text.split([',', '，']).map(str::trim).collect::<Vec<_>>())
            }
            (_, text) => json!(text),
        };
        body.insert((*name).to_owned(), value);
    }
    Value::Object(body)
}

/// A schema that takes nothing but what it names. Answers may grow with a later release; what this one tells, its document
/// says.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(all) => {
            all.values_mut().for_each(close);
            if all.get("type") == Some(&json!("object")) && all.contains_key("properties") {
                all.entry("additionalProperties").or_insert(json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Holds an answer against the document.
pub fn check(method: &Method, path: &str, page: &Page) {
    let kind = page.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let Some(contract) = of(method, path) else {
        assert_eq!(kind, Some(MEDIA), "{method} {path}: {}", page.text);
        return;
    };
    let place = format!("{method} {path} answered {}: {}", page.status, page.text);
    assert!(statuses(contract).contains(&page.status), "not declared: {place}");
    let is_done = contract.done.contains(&page.status);
    assert_eq!(kind, Some(if is_done { "application/json" } else { MEDIA }), "{place}");
    let mut schema =
        if is_done { answer(contract) } else { json!({ "$ref": "#/components/schemas/Problem" }) };
    schema["components"] = json!({ "schemas": components() });
    close(&mut schema);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let told = read(page);
    let wrong: Vec<String> = validator.iter_errors(&told).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}: {place}");
}

/// A value of a type.
fn some(kind: &str) -> Value {
    match kind {
        "int" => json!(3),
        "bool" => json!(true),
        "day" => json!("2026-11-22"),
        "id" => json!("00000000-0000-0000-0000-000000000000"),
        "hash" => json!("0".repeat(64)),
        "any" => json!({}),
        "text" => json!("甲1"),
        list if list.starts_with('[') => json!([some(list.trim_matches(['[', ']']))]),
        words => json!(words.split('|').next()),
    }
}

/// Paths of an operation with its parts filled in: with what is there, with what is not, and with what cannot be.
fn paths(contract: &Contract, member: MemberId) -> Vec<String> {
    let member = member.to_string();
    let zero = "0".repeat(64);
    let parts = [
        member.as_str(),
        "00000000-0000-0000-0000-000000000000",
        zero.as_str(),
        "no-such",
        "%E7%A2%8D",
        "%FF",
    ];
    if !contract.path.contains('{') {
        return vec![contract.path.to_owned()];
    }
    let fill = |with: &str| {
        let filled = contract.path.split('/').map(|part| if part.starts_with('{') { with } else { part });
        filled.collect::<Vec<_>>().join("/")
    };
    parts.into_iter().map(fill).collect()
}

/// All bodies that are sent where something is, few where nothing can be.
fn bodies(whole: &Map<String, Value>, is_first: bool) -> Vec<Value> {
    let mut bodies = vec![Value::Object(whole.clone())];
    if is_first {
        bodies.push(json!({}));
        for name in whole.keys() {
            let mut lacking = whole.clone();
            lacking.remove(name);
            bodies.push(Value::Object(lacking));
        }
    }
    bodies
}

async fn walk_change(contract: &'static Contract, browser: &Browser, member: MemberId) {
    let token = browser.csrf().await;
    let head = [("x-hufu-token", token.as_str())];
    let whole: Map<String, Value> =
        shape::fields(contract.takes).map(|field| (field.name.replace('*', "x"), some(field.kind))).collect();
    for (at, path) in paths(contract, member).iter().enumerate() {
        for body in bodies(&whole, at == 0) {
            let page = browser.post_json(path, &body, &head).await;
            assert!(!page.status.is_server_error(), "POST {path} {body}: {}", page.text);
        }
        if at > 0 {
            continue;
        }
        for (body, code) in [(json!({ "no_such_field": "1" }), "field_unknown"), (json!([1]), "body")] {
            assert_eq!(problem(&browser.post_json(path, &body, &head).await), code, "{path}");
        }
        for name in whole.keys().filter(|name| contract.field(name).is_some_and(|field| field.kind != "any"))
        {
            let body = json!({ name: { "not": "that" } });
            assert_eq!(problem(&browser.post_json(path, &body, &head).await), "field_type", "{path} {name}");
        }
    }
}

async fn walk_read(contract: &'static Contract, browser: &Browser, member: MemberId) {
    let filters = shape::fields(contract.asks).map(|field| {
        let value = some(field.kind);
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{}={}", field.name, text.replace('甲', "%E7%94%B2"))
    });
    let all = filters.collect::<Vec<_>>().join("&");
    for path in paths(contract, member) {
        for query in [String::new(), format!("?{all}"), "?no_such_name=1".to_owned()] {
            let page = browser.get(&format!("{path}{query}")).await;
            assert!(!page.status.is_server_error(), "GET {path}{query}: {}", page.text);
            let is_unknown = query.contains("no_such_name");
            assert!(!is_unknown || problem(&page) == "name_unknown", "{path}: {}", page.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_as_its_document_says() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let (row, ..) = somebody(&site, 0).await;
        for contract in CONTRACTS.iter() {
            if contract.method == Method::GET {
                walk_read(contract, &browser, row.member).await;
            } else {
                walk_change(contract, &browser, row.member).await;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem_document() {
    let site = Arc::new(empty().await);
    let mut browser = Browser::signed_in(&site).await;
    let mut stranger = Browser::stranger(&site);
    let nobody = stranger.get("/api/v1/overview").await;
    assert_eq!((nobody.status, problem(&nobody).as_str()), (StatusCode::UNAUTHORIZED, "signed_out"));
    assert!(nobody.headers.contains_key(header::WWW_AUTHENTICATE));
    let nobody = stranger.post_bare("/api/v1/jobs/lapse/run", &[]).await;
    assert_eq!(problem(&nobody), "signed_out");
    let path = "/api/v1/stock/items";
    let without = browser.post_bare(path, &[("code", "x")]).await;
    assert_eq!((without.status, problem(&without).as_str()), (StatusCode::FORBIDDEN, "form"));
    let nothing = browser.get("/api/v1/no-such-thing").await;
    assert_eq!((nothing.status, problem(&nothing).as_str()), (StatusCode::NOT_FOUND, "not_found"));
    let put = Request::put(path).header(header::COOKIE, &browser.cookies).body(Body::empty());
    let put = site.send(put.expect("a request")).await;
    assert_eq!((put.status, problem(&put).as_str()), (StatusCode::METHOD_NOT_ALLOWED, "method"));
    assert!(put.headers.contains_key(header::ALLOW));
    let send = |kind: &'static str, body: String| {
        let request = Request::post(path).header(header::COOKIE, &browser.cookies);
        request.header(header::CONTENT_TYPE, kind).body(Body::from(body)).expect("a request")
    };
    for (kind, body, status, code) in [
        ("text/plain", "x".to_owned(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type"),
        ("text/csv", "x".to_owned(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type"),
        ("application/json", "{".to_owned(), StatusCode::BAD_REQUEST, "body"),
        ("application/json", "x".repeat(70_000), StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        (
            "application/json",
            "{\"code\":\"a\\u0000b\"}".to_owned(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "field_type",
        ),
    ] {
        let page = site.send(send(kind, body)).await;
        assert_eq!((page.status, problem(&page).as_str()), (status, code), "{kind}");
    }
    let strange = form(path, &browser.cookies).header(header::ORIGIN, "https://elsewhere.example");
    let strange = site.send(strange.body(Body::empty()).expect("a request")).await;
    assert_eq!((strange.status, problem(&strange).as_str()), (StatusCode::FORBIDDEN, "origin"));
    site.set_password(ONE_TIME, true).await;
    let mut new = Browser::stranger(&site);
    new.sign_in("admin", ONE_TIME).await;
    assert_eq!(problem(&new.get("/api/v1/session").await), "must_change");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_signs_in_and_changes_something_without_a_page() {
    let site = Arc::new(empty().await);
    let browser = Browser::signed_in(&site).await;
    let told = read(&browser.get("/api/v1/session").await);
    assert_eq!((text(&told, "login"), text(&told, "role")), ("admin", "admin"));
    let body =
        json!({ "class": "gift", "code": "umbrella", "zh": "雨伞", "en": "Umbrella", "retired": false });
    let made =
        browser.post_json("/api/v1/stock/items", &body, &[("x-hufu-token", text(&told, "token"))]).await;
    assert_eq!((made.status, text(&read(&made), "code")), (StatusCode::OK, "umbrella"));
    let served = read(&Browser::stranger(&site).get("/api/v1/openapi.json").await);
    assert_eq!(served, document());
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_as_long_as_is_asked_for() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let path = "/api/v1/applications";
        for name in ["禤墨白", "盖聂云", "闻人雪"] {
            let filed = browser.post(path, &[("route", "website"), ("name", name)]).await;
            assert_eq!(filed.status, StatusCode::CREATED, "{}", filed.text);
        }
        let rows = |told: &Value| told["applications"].as_array().expect("a list").clone();
        let whole = read(&browser.get(path).await);
        assert_eq!((rows(&whole).len(), &whole["next"]), (3, &Value::Null));
        let first = read(&browser.get(&format!("{path}?limit=2")).await);
        assert_eq!(rows(&first), rows(&whole)[..2]);
        let rest = read(&browser.get(&format!("{path}?limit=2&cursor={}", text(&first, "next"))).await);
        assert_eq!((&rows(&rest)[..], &rest["next"]), (&rows(&whole)[2..], &Value::Null));
        let least = read(&browser.get(&format!("{path}?limit=0")).await);
        assert_eq!(rows(&least).len(), 1, "a page is never empty while there is something");
        for wrong in ["limit=-1", "limit=many"] {
            let page = browser.get(&format!("{path}?{wrong}")).await;
            assert_eq!((page.status, problem(&page).as_str()), (StatusCode::BAD_REQUEST, "unreadable"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_has_a_key_and_characters_as_an_object_has() {
    each(|site| async move {
        let (row, ..) = somebody(&site, 0).await;
        let browser = Browser::signed_in(&site).await;
        let token = browser.csrf().await;
        let send = async |key: &'static str, rows: &[u8]| {
            let request = Request::post("/api/v1/points/batch?cause=care&reason=x")
                .header(header::HOST, "127.0.0.1:7080")
                .header(header::COOKIE, &browser.cookies)
                .header(header::CONTENT_TYPE, "text/csv")
                .header("x-hufu-token", &token)
                .header("idempotency-key", key);
            site.send(request.body(Body::from(rows.to_vec())).expect("a request")).await
        };
        let made = send("t-1", format!("{},6\n", row.number).as_bytes()).await;
        assert_eq!(made.status, StatusCode::CREATED, "its key is the batch's own: {}", made.text);
        let nought = send("t-2", b"X\0,6\n").await;
        let refused = (nought.status, problem(&nought));
        assert_eq!(refused, (StatusCode::UNPROCESSABLE_ENTITY, "field_type".to_owned()));
        let strange = send("t-3", b"\xff,6\n").await;
        assert_eq!((strange.status, problem(&strange).as_str()), (StatusCode::BAD_REQUEST, "unreadable"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_under_a_key_is_made_once_and_answered_the_same_for_a_day_at_least() {
    each(|site| async move {
        let (row, ..) = somebody(&site, 0).await;
        let browser = Browser::signed_in(&site).await;
        let token = browser.csrf().await;
        let path = "/api/v1/points";
        let body = json!({ "member": row.number, "points": 6, "cause": "care", "reason": "等候补偿" });
        let head = |key: &'static str| [("x-hufu-token", token.clone()), ("idempotency-key", key.to_owned())];
        let send = async |browser: &Browser, key: &'static str, body: &Value| {
            let head = head(key);
            let head = head.each_ref().map(|(name, value)| (*name, value.as_str()));
            browser.post_json(path, body, &head).await
        };
        let made = send(&browser, "k-1", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "its key is the change's own: {}", made.text);
        let again = send(&browser, "k-1", &body).await;
        assert_eq!((again.status, &again.text), (made.status, &made.text));
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert!(!made.headers.contains_key("idempotency-replayed"));
        let tokenless = browser.post_json(path, &body, &[("idempotency-key", "k-1")]).await;
        assert_eq!(problem(&tokenless), "form", "nothing is told to who has no token of the session");
        acts_as(&site, Role::Clerk).await;
        let less = send(&browser, "k-1", &body).await;
        assert_eq!(problem(&less), "key_other", "nor to a role that was not asked then: {}", less.text);
        acts_as(&site, Role::Admin).await;
        assert_eq!(send(&browser, "k-1", &body).await.text, made.text);
        let other = json!({ "member": row.number, "points": 7, "cause": "care", "reason": "等候补偿" });
        let other = send(&browser, "k-1", &other).await;
        assert_eq!((other.status, problem(&other).as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "key_other"));
        for key in ["k 1", ""] {
            let none = send(&browser, key, &body).await;
            assert_eq!((none.status, problem(&none).as_str()), (StatusCode::BAD_REQUEST, "key_form"));
        }

        // What was refused is refused again; what only needed signing in is not kept.
        let wrong = json!({ "member": "NOBODY", "points": 6, "cause": "care", "reason": "等候补偿" });
        let first = send(&browser, "k-2", &wrong).await;
        assert_eq!(send(&browser, "k-2", &wrong).await.text, first.text);
        let tokenless = browser.post_json(path, &body, &[("idempotency-key", "k-3")]).await;
        assert_eq!(problem(&tokenless), "form");
        assert_eq!(send(&browser, "k-3", &body).await.status, StatusCode::CREATED);

        // Two at once: one is made, the other is told so or gets the same answer.
        let (one, two) = tokio::join!(send(&browser, "k-4", &body), send(&browser, "k-4", &body));
        let mut statuses = [one.status, two.status];
        statuses.sort();
        let fits = [[StatusCode::CREATED, StatusCode::CREATED], [StatusCode::CREATED, StatusCode::CONFLICT]];
        assert!(fits.contains(&statuses), "{statuses:?}");
        let made = |page: &Page| (page.status == StatusCode::CREATED).then(|| page.text.clone());
        let all: Vec<String> = [&one, &two].into_iter().filter_map(made).collect();
        assert!(all.iter().all(|text| *text == all[0]));

        // After a day it is known still; the record itself remembers its key for longer.
        site.clock.advance(DAY_US + 1);
        let later = Browser::signed_in(&site).await;
        let token = later.csrf().await;
        let head = [("x-hufu-token", token.as_str()), ("idempotency-key", "k-1")];
        let known = later.post_json(path, &body, &head).await;
        assert_eq!((known.status, &known.text), (StatusCode::CREATED, &again.text));
        site.clock.advance(KEPT_US);
        let last = Browser::signed_in(&site).await;
        let token = last.csrf().await;
        let head = [("x-hufu-token", token.as_str()), ("idempotency-key", "k-1")];
        let known = last.post_json(path, &body, &head).await;
        assert_eq!((known.status, &read(&known)["changes"][0]["new"]), (StatusCode::OK, &json!(false)));
    })
    .await;
}
