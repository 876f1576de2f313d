//! The declarations are whole and agree with what stands elsewhere; what the routes do is tried in the console's tests.

use std::collections::BTreeSet;

use hufu_shared::form::FIELDS;
use serde_json::Value;

use super::document::{components, document, statuses};
use super::shape::fields;
use super::shapes::SHAPES;
use super::{Contract, contracts};

fn lines(contract: &Contract) -> [&'static str; 3] {
    [contract.asks, contract.takes, contract.tells]
}

/// Names of shapes in a type.
fn names(kind: &str) -> impl Iterator<Item = &str> {
    let words = kind.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| {
        word.starts_with(|first: char| first.is_ascii_uppercase()) && !word.ends_with(char::is_uppercase)
    })
}

#[test]
fn every_operation_is_declared_once_and_says_what_it_does() {
    let all = contracts();
    let ids: BTreeSet<String> = all.iter().map(Contract::id).collect();
    assert_eq!(ids.len(), all.len(), "two operations of one name");
    for contract in &all {
        assert!(contract.path.starts_with("/api/v1/"), "{}", contract.path);
        assert!(contract.about.ends_with('.') && !contract.tells.is_empty(), "{}", contract.path);
        for line in lines(contract) {
            let written: Vec<&str> = fields(line).map(|field| field.name).collect();
            let distinct: BTreeSet<&str> = written.iter().copied().collect();
            assert_eq!(distinct.len(), written.len(), "{}: {line}", contract.path);
        }
    }
}

#[test]
fn no_route_of_the_api_stands_beside_the_declarations() {
    for (file, text) in
        [("console/mod.rs", include_str!("../mod.rs")), ("router.rs", include_str!("../../router.rs"))]
    {
        assert!(!text.contains("\"/api/v1/"), "{file}: declare the operation in console/contract instead");
    }
}

#[test]
fn every_shape_that_is_named_is_there_and_every_one_is_used() {
    let known: BTreeSet<&str> = SHAPES.iter().map(|shape| shape.0).collect();
    let mut used = BTreeSet::new();
    let all = contracts();
    let lines = all.iter().flat_map(lines).chain(SHAPES.iter().map(|shape| shape.1));
    for line in lines {
        let whole = known.contains(line).then_some(line);
        used.extend(whole);
        let fields = fields(line).filter(|_| whole.is_none());
        used.extend(fields.flat_map(|field| names(field.kind).collect::<Vec<_>>()));
    }
    assert_eq!(used, known);
}

#[test]
fn personal_fields_are_those_of_the_forms() {
    for path in ["/api/v1/applications", "/api/v1/applications/look", "/api/v1/members/{id}/profile"] {
        let contract = contracts().into_iter().find(|known| known.path == path && !known.takes.is_empty());
        let contract = contract.expect("declared");
        for field in FIELDS {
            assert!(contract.field(field).is_some(), "{path} takes {field}");
        }
    }
}

#[test]
fn the_document_has_every_operation_with_every_status() {
    let told = document();
    assert_eq!(told["openapi"], "3.1.0");
    let mut count = 0;
    for contract in contracts() {
        let verb = contract.method.as_str().to_lowercase();
        let operation = &told["paths"][contract.path][&verb];
        assert_eq!(operation["operationId"], Value::String(contract.id()), "{verb} {}", contract.path);
        for status in statuses(&contract) {
            let response = &operation["responses"][status.as_u16().to_string()];
            assert!(response.is_object(), "{verb} {} {status}", contract.path);
        }
        count += 1;
    }
    let paths = told["paths"].as_object().expect("paths");
    let operations: usize = paths.values().map(|path| path.as_object().map_or(0, |verbs| verbs.len())).sum();
    assert_eq!(operations, count, "nothing else");
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let told = document();
    let mut waiting = vec![&told];
    let mut met = 0;
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(place)) = fields.get("$ref") {
                    let place = place.strip_prefix('#').expect("within the document");
                    assert!(told.pointer(place).is_some(), "{place}");
                    met += 1;
                }
                waiting.extend(fields.values());
            }
            Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
    assert!(met > components().as_object().map_or(0, |shapes| shapes.len()));
}

#[test]
fn what_stands_in_the_address_beside_a_table_is_in_the_document() {
    let told = document();
    let all = contracts();
    let tables: Vec<&Contract> = all.iter().filter(|contract| contract.is_table).collect();
    assert!(!tables.is_empty());
    for contract in tables {
        let parameters = told["paths"][contract.path]["post"]["parameters"].as_array().expect("a list");
        for field in fields(contract.takes) {
            let is_told = parameters.iter().any(|one| one["name"] == field.name && one["in"] == "query");
            assert_eq!(is_told, field.name != "rows", "{} {}", contract.path, field.name);
            assert_eq!(is_told, contract.asked(field.name).is_some(), "{} {}", contract.path, field.name);
        }
    }
}
