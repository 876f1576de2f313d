//! What every request of `/api/v1` passes before its handler: names in the address and fields of the body must be those
//! that the operation declares, and a change that bears an `Idempotency-Key` is made once ([`super::once`]).
//!
//! The body is an object of JSON, a form with the same names, as pages send it, or where that is declared a table, with
//! the other fields in the address; all come to the same [`Fields`]. What a field says is the handler's to judge, which
//! knows the better words.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::super::failure::Failure;
use super::super::problem::Refused;
use super::super::signed::{Fields, TOKEN_HEADER, read_fields};
use super::super::ui::Ui;
use super::super::{Console, FORM_BYTES_MAX};
use super::once::{self, Asked, KEY_FIELD, KEY_HEADER};
use super::{Contract, TABLE_FIELD, contracts};
use crate::vault::Vault;

/// Longest `Idempotency-Key`.
const KEY_CHARS_MAX: usize = 100;
/// The field of a form that bears the session's token.
pub(super) const TOKEN_FIELD: &str = "csrf";

/// The contracts, and the console that they are of.
#[derive(Clone)]
pub struct Gate {
    console: Console,
    contracts: Arc<[Contract]>,
}

impl Gate {
    /// Before the routes of a console.
    #[must_use]
    pub fn new(console: Console) -> Self {
        Self { console, contracts: contracts().into() }
    }

    fn of(&self, request: &Request) -> Option<Contract> {
        let path = request.extensions().get::<MatchedPath>()?.as_str();
        let asked = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        self.contracts.iter().find(|known| known.method == *asked && known.path == path).cloned()
    }
}

/// Lets through what its operation declares; pages, and paths of nothing, go on as they are.
pub async fn gate(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let Some(contract) = gate.of(&request) else { return next.run(request).await };
    let ui = Ui::of(request.headers(), gate.console.app.now());
    let is_table = contract.is_table && media(request.headers()) == "text/csv";
    if let Err(refused) = check_address(&contract, request.uri(), is_table, &ui) {
        return refused.into_response();
    }
    if contract.method == Method::GET {
        return next.run(request).await;
    }
    let taken = admitted(&gate.console.app.vault, &contract, request, (is_table, &ui)).await;
    match taken {
        Ok((request, None)) => next.run(request).await,
        Ok((request, Some(asked))) => once::answer(gate.console, ui.language, asked, request, next).await,
        Err(refused) => refused.into_response(),
    }
}

/// Names in the address: only declared ones, and of declared words no others. A character of number zero is none that a
/// database takes.
fn check_address(contract: &Contract, uri: &Uri, is_table: bool, ui: &Ui) -> Result<(), Refused> {
    if uri.path().contains("%00") {
        return Err(Refused::said(ui.language, StatusCode::BAD_REQUEST, "unreadable", ""));
    }
    let read = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let Ok(Query(pairs)) = read else {
        return Err(Refused::said(ui.language, StatusCode::BAD_REQUEST, "unreadable", ""));
    };
    for (name, value) in &pairs {
        let stands_here = is_table || contract.method == Method::GET;
        let Some(field) = contract.asked(name).filter(|_| stands_here) else {
            return Err(unfit(ui, "name_unknown", name));
        };
        if !field.may_say(value) {
            // There is no such list.
            return Err(Failure::NotFound.into());
        }
        if value.contains('\0') {
            return Err(unfit(ui, "field_type", name));
        }
    }
    Ok(())
}

fn unfit(ui: &Ui, code: &str, name: &str) -> Refused {
    Refused::said(ui.language, StatusCode::UNPROCESSABLE_ENTITY, code, name)
}

/// The media type without its parameters; empty if none is said.
fn media(headers: &HeaderMap) -> String {
    let said = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The request with its fields read, and under which key it is to be done once.
async fn admitted(
    vault: &Vault,
    contract: &Contract,
    request: Request,
    (is_table, ui): (bool, &Ui),
) -> Result<(Request, Option<Asked>), Refused> {
    let (mut parts, body) = request.into_parts();
    let read = to_bytes(body, FORM_BYTES_MAX).await;
    let body =
        read.map_err(|_| Refused::said(ui.language, StatusCode::PAYLOAD_TOO_LARGE, "too_large", ""))?;
    let key = key_of(&parts.headers, ui)?;
    let mut asked = key.map(|key| {
        let place = parts.uri.path_and_query().map_or("", |place| place.as_str());
        let kind = media(&parts.headers);
        let print = vault.print(&[b"api\n", place.as_bytes(), b"\n", kind.as_bytes(), b"\n", &body]);
        Asked { key, print, names_record: false }
    });
    let mut fields = if is_table {
        table(&parts.uri, &body, ui)?
    } else {
        sent(contract, &parts.headers, &body, ui).await?
    };
    if let Some((name, _)) = fields.iter().find(|field| field.1.contains('\0')) {
        return Err(unfit(ui, "field_type", name));
    }
    let token = parts.headers.get(TOKEN_HEADER).and_then(|token| token.to_str().ok());
    if let Some(token) = token {
        fields.insert(TOKEN_FIELD.to_owned(), token.to_owned());
    }
    if let Some(asked) = &mut asked {
        asked.names_record = contract.field(KEY_FIELD).is_some() && !fields.contains_key(KEY_FIELD);
    }
    parts.extensions.insert(Fields::of(fields));
    Ok((Request::from_parts(parts, Body::from(body)), asked))
}

/// The key under which a change is to be made once, if one is sent.
fn key_of(headers: &HeaderMap, ui: &Ui) -> Result<Option<String>, Refused> {
    let Some(key) = headers.get(KEY_HEADER) else { return Ok(None) };
    let written = key.to_str().ok().filter(|key| {
        (1..=KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let written = written.map(str::to_owned);
    written.map(Some).ok_or_else(|| Refused::said(ui.language, StatusCode::BAD_REQUEST, "key_form", ""))
}

/// The fields of a body, each one that the operation declares.
async fn sent(
    contract: &Contract,
    headers: &HeaderMap,
    body: &Bytes,
    ui: &Ui,
) -> Result<HashMap<String, String>, Refused> {
    let fields = match media(headers).as_str() {
        _ if body.is_empty() => HashMap::new(),
        "application/json" => of_json(contract, body, ui)?,
        kind @ "application/x-www-form-urlencoded" => {
            let mut form = Request::new(Body::from(body.clone()));
            *form.method_mut() = Method::POST;
            let kind = header::HeaderValue::from_str(kind);
            form.headers_mut().extend(kind.ok().map(|kind| (header::CONTENT_TYPE, kind)));
            let read = read_fields(form).await;
            let unread = |_| Refused::said(ui.language, StatusCode::BAD_REQUEST, "body", "");
            read.map_err(unread)?.into_inner()
        }
        _ => return Err(Refused::said(ui.language, StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", "")),
    };
    let unknown = fields.keys().find(|name| *name != TOKEN_FIELD && contract.field(name).is_none());
    match unknown {
        Some(name) => Err(unfit(ui, "field_unknown", name)),
        None => Ok(fields),
    }
}

/// The fields of a table that is sent as it is: the body is one of them, the others stand in the address.
fn table(uri: &Uri, body: &Bytes, ui: &Ui) -> Result<HashMap<String, String>, Refused> {
    let unread = || Refused::said(ui.language, StatusCode::BAD_REQUEST, "unreadable", "");
    let rows = String::from_utf8(body.to_vec()).map_err(|_| unread())?;
    let Query(mut fields) = Query::<HashMap<String, String>>::try_from_uri(uri).map_err(|_| unread())?;
    fields.insert(TABLE_FIELD.to_owned(), rows);
    Ok(fields)
}

fn of_json(contract: &Contract, body: &Bytes, ui: &Ui) -> Result<HashMap<String, String>, Refused> {
    let Ok(Value::Object(sent)) = serde_json::from_slice(body) else {
        return Err(Refused::said(ui.language, StatusCode::BAD_REQUEST, "body", ""));
    };
    let mut fields = HashMap::with_capacity(sent.len());
    for (name, value) in sent {
        let Some(field) = contract.field(&name) else { return Err(unfit(ui, "field_unknown", &name)) };
        match text_of(field.kind, &value) {
            Ok(Some(text)) => fields.insert(name, text),
            Ok(None) => continue,
            Err(()) => return Err(unfit(ui, "field_type", &name)),
        };
    }
    Ok(fields)
}

/// A value as a form would say it; none for one that is left out. Text is taken for every type but a list: whether it
/// reads as one is the handler's to say.
fn text_of(kind: &str, value: &Value) -> Result<Option<String>, ()> {
    let is_list = kind.starts_with('[');
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::String(text) if is_list && text.contains(',') => return Err(()),
        Value::String(text) => text.clone(),
        Value::Bool(is) if kind == "bool" => u8::from(*is).to_string(),
        Value::Number(number) if kind == "int" && !number.is_f64() => number.to_string(),
        Value::Array(items) if is_list => {
            let item =
                |item: &Value| text_of("item", item)?.filter(|item| !item.contains([',', '，'])).ok_or(());
            items.iter().map(item).collect::<Result<Vec<String>, ()>>()?.join(",")
        }
        Value::Object(_) if kind == "any" => value.to_string(),
        _ => return Err(()),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::text_of;

    #[test]
    fn values_come_to_what_a_form_would_say() {
        let read = |kind, value| text_of(kind, &value).map(Option::unwrap_or_default);
        for (kind, value, text) in [
            ("bool", json!(true), "1"),
            ("bool", json!(false), "0"),
            ("bool", json!("1"), "1"),
            ("int", json!(-6), "-6"),
            ("int", json!("six"), "six"),
            ("text", json!("虎符"), "虎符"),
            ("[text]", json!(["a", "b"]), "a,b"),
            ("[text]", json!([]), ""),
            ("any", json!({"a": 1}), "{\"a\":1}"),
            ("text", json!(null), ""),
        ] {
            assert_eq!(read(kind, value.clone()).as_deref(), Ok(text), "{kind} {value}");
        }
        for (kind, value) in [
            ("text", json!(6)),
            ("text", json!(["a"])),
            ("int", json!(1.5)),
            ("int", json!(true)),
            ("bool", json!(1)),
            ("[text]", json!("a,b")),
            ("[text]", json!(["a,b"])),
            ("[text]", json!([["a"]])),
            ("text", json!({"a": 1})),
        ] {
            assert_eq!(text_of(kind, &value), Err(()), "{kind} {value}");
        }
    }
}
