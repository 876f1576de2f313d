//! The OpenAPI 3.1 document of `/api/v1`, made of the declared operations and nothing else.
//!
//! It is put together here and not by a library: those read annotations beside the handlers, which would be a second
//! declaration of what routes and checks already take from the first.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::super::problem;
use super::super::session::cookie_name;
use super::super::signed::TOKEN_HEADER;
use super::shape::{self, Way};
use super::shapes::{PROBLEM, SHAPES};
use super::{Contract, contracts};

/// What every operation may answer instead of what was asked for.
static REFUSALS: [(StatusCode, &str); 7] = [
    (StatusCode::BAD_REQUEST, "The address or the body cannot be read"),
    (StatusCode::UNAUTHORIZED, "Nobody is signed in"),
    (StatusCode::FORBIDDEN, "The role does not go so far, or the token is missing"),
    (StatusCode::NOT_FOUND, "There is no such thing"),
    (StatusCode::METHOD_NOT_ALLOWED, "The address does not take that method"),
    (StatusCode::UNPROCESSABLE_ENTITY, "What was sent cannot be taken"),
    (StatusCode::INTERNAL_SERVER_ERROR, "A fault of the centre"),
];
/// The same of a change.
static REFUSALS_OF_CHANGES: [(StatusCode, &str); 3] = [
    (StatusCode::CONFLICT, "Somebody was faster, or the same request goes on"),
    (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is of another kind"),
];

const ABOUT: &str = "What people do at the console, for programs; cases and requests are decided there only, sales undone, \
    and terminals invited and revoked. Amounts are whole numbers of the smallest part (fen, points), \
    instants are microseconds since 1970-01-01 00:00 UTC, days are those of the office. Lists that have a `next` come in \
    pages of at most 100, or of `limit`: `next` of one is the `cursor` of the next, and nothing when it was the last. Where \
    a list has a `sort`, that is the column by which it is told, with `-` in front the largest first; a `cursor` is of one \
    order alone. Lists without a `next` tell all, or the few that belong to something else. A change bears the \
    session's token (see `/api/v1/session`) and may bear an `Idempotency-Key`: the same key with the same request is \
    answered the same, and done once.";

/// With which statuses an operation answers, those of refusals among them.
#[must_use]
pub fn statuses(contract: &Contract) -> Vec<StatusCode> {
    let is_change = contract.method == Method::POST;
    let refused = REFUSALS.iter().chain(REFUSALS_OF_CHANGES.iter().filter(|_| is_change)).map(|row| row.0);
    contract.done.iter().copied().chain(refused).collect()
}

/// The schema of what an operation answers.
#[must_use]
pub fn answer(contract: &Contract) -> Value {
    if SHAPES.iter().any(|shape| shape.0 == contract.tells) {
        return shape::of_type(contract.tells);
    }
    shape::object(contract.tells, Way::Answer)
}

/// The schemas that others name.
#[must_use]
pub fn components() -> Value {
    let named = SHAPES.iter().map(|(name, line)| ((*name).to_owned(), shape::object(line, Way::Answer)));
    let mut schemas: Map<String, Value> = named.collect();
    schemas.insert("Problem".to_owned(), shape::object(PROBLEM, Way::Answer));
    Value::Object(schemas)
}

fn refusal_name(status: StatusCode) -> String {
    format!("Refused{}", status.as_u16())
}

fn responses(contract: &Contract) -> Value {
    let mut all = Map::new();
    for status in statuses(contract) {
        let is_done = contract.done.contains(&status);
        let response = if is_done {
            json!({ "description": "Done", "content": { "application/json": { "schema": answer(contract) } } })
        } else {
            json!({ "$ref": format!("#/components/responses/{}", refusal_name(status)) })
        };
        all.insert(status.as_u16().to_string(), response);
    }
    Value::Object(all)
}

/// Names in braces, names in the address, and the key of a change.
fn parameters(contract: &Contract) -> Value {
    let parts = contract.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = parts.map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } })
    });
    let in_query = shape::fields(contract.asks).map(|field| {
        let schema = shape::of_type(field.kind);
        json!({ "name": field.name, "in": "query", "required": field.mark == '!', "schema": schema })
    });
    let beside = contract.fields_beside_table().map(|field| {
        let about = "With a table as the body: what the object would say beside it";
        json!({ "name": field.name, "in": "query", "description": about, "schema": shape::of_type(field.kind) })
    });
    let key = (contract.method == Method::POST).then(|| {
        json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$" },
        })
    });
    in_path.chain(in_query).chain(beside).chain(key).collect()
}

fn body(contract: &Contract) -> Value {
    let schema = shape::object(contract.takes, Way::Request);
    let mut content = json!({ "application/json": { "schema": schema } });
    if contract.is_table {
        content["text/csv"] = json!({ "schema": { "type": "string" } });
    }
    let is_needed = shape::fields(contract.takes).any(|field| field.mark == '!');
    json!({ "required": is_needed, "content": content })
}

fn operation(contract: &Contract) -> Value {
    let mut operation = json!({
        "operationId": contract.id(), "summary": contract.about, "parameters": parameters(contract),
        "responses": responses(contract),
    });
    operation["security"] = match (contract.is_open, contract.method == Method::POST) {
        (true, _) => json!([]),
        (false, false) => json!([{ "session": [] }]),
        (false, true) => json!([{ "session": [], "token": [] }]),
    };
    if contract.method == Method::POST && !contract.takes.is_empty() {
        operation["requestBody"] = body(contract);
    }
    operation
}

fn refusals() -> Value {
    let all = REFUSALS.iter().chain(&REFUSALS_OF_CHANGES);
    let one = |(status, about): &(StatusCode, &str)| {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let content = json!({ (problem::MEDIA): { "schema": schema } });
        (refusal_name(*status), json!({ "description": about, "content": content }))
    };
    Value::Object(all.map(one).collect())
}

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for contract in contracts() {
        let verb = contract.method.as_str().to_lowercase();
        let path = paths.entry(contract.path).or_insert_with(|| json!({}));
        path[verb] = operation(&contract);
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Hufu 虎符", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" } },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": components(),
            "responses": refusals(),
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": cookie_name(true) },
                "token": { "type": "apiKey", "in": "header", "name": TOKEN_HEADER },
            },
        },
    })
}
