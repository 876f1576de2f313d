//! A version of the scheme as a text that people edit: what is wrong with it and on which line, and what it changes
//! against another, key by key. Pure.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::scheme::Scheme;
use serde::Serialize;
use serde_json::Value;

/// Something that is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slip {
    /// On which line, the first being 1; none where a key is missing altogether.
    pub(super) line: Option<usize>,
    /// What, as the library says it.
    pub(super) what: String,
}

/// Reads and checks a text.
pub(super) fn read(text: &str) -> Result<Scheme, Vec<Slip>> {
    let scheme: Scheme = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        vec![Slip { line, what: error.message().to_owned() }]
    })?;
    scheme.validate().map_err(|faults| {
        faults
            .iter()
            .map(|fault| Slip { line: line_of(text, &fault.at), what: fault.to_string() })
            .collect::<Vec<_>>()
    })?;
    Ok(scheme)
}

/// The line on which a key stands, such as `level[2].threshold`; that of its group where the key itself is left out.
pub(super) fn line_of(text: &str, at: &str) -> Option<usize> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut group, mut best) = (String::new(), None);
    for (n, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(name) = line.strip_prefix("[[").and_then(|rest| rest.split("]]").next()) {
            let count = counts.entry(name).or_default();
            *count += 1;
            group = format!("{name}[{count}]");
        } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            name.clone_into(&mut group);
        } else if let Some((key, _)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            let key = key.trim();
            let whole = if group.is_empty() { key.to_owned() } else { format!("{group}.{key}") };
            // `redemption.items[3]` within one line stands at the line of `redemption.items`.
            if at == whole || at.strip_prefix(&whole).is_some_and(|rest| rest.starts_with(['.', '['])) {
                return Some(n);
            }
            continue;
        } else {
            continue;
        }
        let within =
            |group: &str| at.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        if within(&group) {
            best = Some(n);
        } else if within(group.split('[').next().unwrap_or_default()) {
            // What is wrong with all of a list together.
            best = best.or(Some(n));
        }
    }
    best
}

/// A key whose value is another: the key, the value before, the value after; empty where the key is not there.
pub(super) type Changed = (String, String, String);

/// What one changes against the other, key by key; lists count from 1.
pub(super) fn changes(before: &impl Serialize, after: &impl Serialize) -> Vec<Changed> {
    let flat = |of: Result<Value, serde_json::Error>| {
        let mut keys = BTreeMap::new();
        flatten(&of.unwrap_or(Value::Null), String::new(), &mut keys);
        keys
    };
    let (before, after) = (flat(serde_json::to_value(before)), flat(serde_json::to_value(after)));
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |of: &BTreeMap<String, String>, key: &String| of.get(key).cloned().unwrap_or_default();
    all.into_iter()
        .map(|key| (key.clone(), value(&before, key), value(&after, key)))
        .filter(|(_, before, after)| before != after)
        .collect()
}

fn flatten(value: &Value, at: String, keys: &mut BTreeMap<String, String>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, field) in fields {
                let inner = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                flatten(field, inner, keys);
            }
        }
        Value::Array(items) => {
            for (n, item) in (1..).zip(items) {
                flatten(item, format!("{at}[{n}]"), keys);
            }
        }
        Value::String(text) => {
            keys.insert(at, text.clone());
        }
        other => {
            keys.insert(at, other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::scheme::ready::READY;

    #[test]
    fn a_fault_is_told_at_its_line() {
        let text = "id = \"x\"\n# comment = 1\n[redemption]\nitems = []\n\n[[level]]\nrank = 0\n[[level]]\nrank = 1\n";
        for (at, line) in [
            ("id", Some(1)),
            ("comment", None),
            ("redemption.items[3].code", Some(4)),
            ("redemption.par", Some(3)),
            ("level[1].rank", Some(7)),
            ("level[2].rank", Some(9)),
            ("level[2].threshold", Some(8)),
            ("level[3].rank", None),
            ("level.rank", Some(6)),
            ("name", None),
        ] {
            assert_eq!(line_of(text, at), line, "{at}");
        }
    }

    #[test]
    fn shipped_schemes_are_read_and_a_slip_is_found_where_it_is() {
        for ready in READY {
            assert!(read(ready.text).is_ok(), "{}", ready.id);
        }
        let text = READY[3].text.replace("points_per = 2", "points_per = -2");
        let line = text.lines().position(|line| line.starts_with("points_per = -2")).expect("there") + 1;
        let slips = read(&text).expect_err("a fault");
        assert_eq!(slips[0].line, Some(line));
        assert!(slips[0].what.contains("earning[1].points_per"), "{slips:?}");
        let text = READY[3].text.replace("rounding", "runding");
        let slips = read(&text).expect_err("a slip");
        assert!(slips[0].line.is_some() && slips[0].what.contains("runding"), "{slips:?}");
    }

    #[test]
    fn what_a_version_changes_is_told_key_by_key() {
        let before = read(READY[3].text).expect("shipped");
        let mut after = before.clone();
        after.levels[1].threshold += 1;
        after.scope_member_kinds.push("guest".to_owned());
        let told = changes(&before, &after);
        let threshold = before.levels[1].threshold;
        assert_eq!(
            told,
            [
                ("level[2].threshold".to_owned(), threshold.to_string(), (threshold + 1).to_string()),
                ("scope_member_kinds[1]".to_owned(), String::new(), "guest".to_owned()),
            ]
        );
        assert!(changes(&before, &before).is_empty());
    }
}
