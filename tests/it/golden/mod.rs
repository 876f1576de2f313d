//! Golden files: the bytes of every message that is sent or stored, pinned for ever.
//!
//! Beside each `wire/v1/<name>.cbor` stands its printed form. A change of either is a change of the wire: it may only
//! add, and old files must still be read. To add a message, run the test once with `HUFU_GOLDEN_WRITE=1` and look at
//! what was written; an existing file is never overwritten.

mod activities;
mod days;
mod points;
mod purchases;
mod samples;

use std::path::{Path, PathBuf};

use hufu_shared::act::Act;
use hufu_shared::cbor;

fn acts() -> Vec<Act> {
    [samples::acts(), activities::acts(), days::acts(), points::acts()].concat()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("wire/v1")
}

/// Compares one message with its golden file, after checking that it reads back as itself.
fn check<T>(name: &str, value: &T)
where
    T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()> + PartialEq + std::fmt::Debug,
{
    let bytes = cbor::encode(value);
    let read: T = cbor::decode(&bytes).unwrap_or_else(|error| panic!("{name} reads back: {error}"));
    assert_eq!(&read, value, "{name} reads back as itself");
    let printed = format!("{}\n", minicbor::display(&bytes));
    let (file, print) = (folder().join(format!("{name}.cbor")), folder().join(format!("{name}.txt")));
    if std::env::var_os("HUFU_GOLDEN_WRITE").is_some() && !file.exists() {
        std::fs::write(&file, &bytes).expect("write the golden file");
        std::fs::write(&print, &printed).expect("write its printed form");
    }
    let golden = std::fs::read(&file).unwrap_or_else(|error| panic!("golden file of {name}: {error}"));
    assert_eq!(minicbor::display(&golden).to_string(), minicbor::display(&bytes).to_string(), "{name}");
    assert_eq!(golden, bytes, "{name}: same meaning, other bytes");
    assert_eq!(std::fs::read_to_string(&print).expect("printed form"), printed, "{name}: printed form");
}

#[test]
fn facts_are_pinned() {
    for fact in samples::facts() {
        check(&format!("fact_{}", fact.event.name()), &fact);
    }
}

#[test]
fn acts_and_entries_are_pinned() {
    for act in acts() {
        check(&format!("act_{}", act.name()), &act);
    }
    for entry in samples::entries() {
        check(&format!("entry_{}", entry.kind()), &entry);
    }
}

#[test]
fn messages_are_pinned() {
    check("upload", &samples::upload());
    check("receipt", &samples::receipt());
    check("lease_state", &samples::lease());
    check("lease_ask", &samples::lease_ask());
    check("lease_answer", &samples::lease_answer());
    check("updates", &samples::updates());
    check("delta", &samples::delta());
    check("manifest", &samples::manifest());
    check("enrol_request", &samples::enrol_request());
    check("enrol_answer", &samples::enrol_answer());
    check("token_keys", &samples::token_keys());
    check("renew_request", &samples::renew_request());
    check("renew_answer", &samples::renew_answer());
    check("purchase_paid", &purchases::paid());
    check("scheme_earning", &purchases::earning());
    check("scheme_told", &purchases::told());
    check("levels_placed", &points::levels_placed());
    check("scheme_bill", &purchases::bill());
    check("scheme_returns", &purchases::returns());
    check("actor_stand_in", &points::stand_in());
}

/// Every golden file has a sample: none can be forgotten when a message is renamed.
#[test]
fn no_golden_file_is_left_without_its_sample() {
    let mut expected: Vec<String> =
        samples::facts().iter().map(|fact| format!("fact_{}", fact.event.name())).collect();
    expected.extend(acts().iter().map(|act| format!("act_{}", act.name())));
    expected.extend(samples::entries().iter().map(|entry| format!("entry_{}", entry.kind())));
    expected.extend(
        [
            "upload",
            "receipt",
            "lease_state",
            "lease_ask",
            "lease_answer",
            "updates",
            "delta",
            "manifest",
            "enrol_request",
            "enrol_answer",
            "token_keys",
            "renew_request",
            "renew_answer",
            "purchase_paid",
            "scheme_earning",
            "scheme_told",
            "levels_placed",
            "scheme_bill",
            "scheme_returns",
            "actor_stand_in",
        ]
        .map(str::to_owned),
    );
    expected.sort();
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .expect("golden folder")
        .filter_map(|entry| entry.expect("entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".cbor").map(str::to_owned))
        .collect();
    found.sort();
    assert_eq!(found, expected);
}
