//! Who may import whom: between crates (`shared` and `hardware` know no other crate, `edge` and `central` never each
//! other) and inside a crate (`rules` <- `store` <- `sync`, `routes`, `jobs` <- `run`, `router` <- `main`).
//!
//! Reads `use` lines and paths in code. Tests of a crate may import what they like. Not seen: what a macro makes.

use super::lexer::{lex, tests_start};
use super::{Finding, SourceFile};

/// What each crate may never name.
const CRATES: [(&str, &[&str]); 4] = [
    ("shared", &["hufu_hardware", "hufu_edge", "hufu_central", "hufu_tests"]),
    ("hardware", &["hufu_shared", "hufu_edge", "hufu_central", "hufu_tests"]),
    ("edge", &["hufu_central", "hufu_tests"]),
    ("central", &["hufu_hardware", "hufu_edge", "hufu_tests"]),
];
/// What pure code may name of other crates: values and their arithmetic, no I/O, no clock, no async.
const PURE_CRATES: [&str; 10] = [
    "hufu_shared",
    "minicbor",
    "uuid",
    "chrono",
    "chrono_tz",
    "serde",
    "serde_json",
    "thiserror",
    "data_encoding",
    "unicode_normalization",
];
/// `shared` also computes hashes, signatures and seals: pure functions of their input.
const SHARED_CRATES: [&str; 2] = ["ring", "hpke"];
/// Parts of the standard library that touch the world.
const IMPURE_STD: [&str; 7] = ["fs", "net", "thread", "process", "env", "io", "os"];
/// The layers of a crate, lowest first; a module may use its own layer and lower ones.
const LAYERS: [(&str, u8); 8] = [
    ("rules", 0),
    ("store", 1),
    ("sync", 2),
    ("routes", 2),
    ("jobs", 2),
    ("counter", 2),
    ("run", 3),
    ("router", 3),
];

/// A path in code: its first two names and its line from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reference {
    line: usize,
    root: String,
    second: String,
}

/// Judges one Rust file; `dependencies` are the names of all external crates as code writes them.
#[must_use]
pub fn check(file: &SourceFile, dependencies: &[String]) -> Vec<Finding> {
    let inside = file.path.split_once("/src/").map(|(_, inside)| inside);
    let (Some(inside), false) = (inside, file.is_test_code()) else { return Vec::new() };
    let module: Vec<&str> = inside.trim_end_matches(".rs").split('/').filter(|name| *name != "mod").collect();
    let lexed = lex(&file.text);
    let code = &lexed.code[..tests_start(&lexed).min(lexed.code.len())];
    let own = file.crate_folder();
    let pure = own == "shared" || (matches!(own, "edge" | "central") && module.first() == Some(&"rules"));
    let mut findings = Vec::new();
    for reference in references(code, &module) {
        let breach = between_crates(own, &reference)
            .or_else(|| if pure { impure(own, &reference, dependencies) } else { None })
            .or_else(|| between_layers(&module, &reference));
        if let Some(what) = breach {
            findings.push(Finding::new(&file.path, reference.line, what));
        }
    }
    findings.dedup();
    findings
}

fn between_crates(own: &str, reference: &Reference) -> Option<String> {
    let (_, forbidden) = CRATES.iter().find(|(name, _)| *name == own)?;
    forbidden
        .contains(&reference.root.as_str())
        .then(|| format!("crate {own} may not import {}", reference.root))
}

fn impure(own: &str, reference: &Reference, dependencies: &[String]) -> Option<String> {
    let Reference { root, second, .. } = reference;
    let pure =
        PURE_CRATES.contains(&root.as_str()) || (own == "shared" && SHARED_CRATES.contains(&root.as_str()));
    if dependencies.contains(root) && !pure {
        return Some(format!("pure code may not use {root}: fetch before, pass in"));
    }
    if root == "std" && IMPURE_STD.contains(&second.as_str()) {
        return Some(format!("pure code may not use std::{second}: fetch before, pass in"));
    }
    // Inside its own crate the core knows only itself.
    (own != "shared" && root == "crate" && second != "rules")
        .then(|| format!("rules may not use crate::{second}, only crate::rules"))
}

fn between_layers(module: &[&str], reference: &Reference) -> Option<String> {
    let layer = |name: &str| LAYERS.iter().find(|(layer, _)| *layer == name).map(|(_, height)| *height);
    let own_name = module.first()?;
    let own = layer(own_name)?;
    let other = if reference.root == "crate" { layer(&reference.second)? } else { return None };
    (other > own).then(|| format!("{own_name} may not use {}: imports go down only", reference.second))
}

/// Every path in the code, with `super` resolved and groups after `crate::` opened.
fn references(code: &[String], module: &[&str]) -> Vec<Reference> {
    let mut found = Vec::new();
    let text = code.join("\n");
    let mut line = 1;
    let mut last = 0;
    for (at, _) in text.match_indices("::") {
        let start =
            text[..at].rfind(|c: char| !is_word(c)).map_or(0, |before| before + char_len(&text, before));
        let root = &text[start..at];
        // Only the first name of a path, and not the type in `<T as Trait>::x`.
        if root.is_empty() || text[..start].ends_with("::") {
            continue;
        }
        line += text[last..start].matches('\n').count();
        last = start;
        let (root, rest) = resolve(root, &text[at + 2..], module);
        for second in first_names(rest) {
            found.push(Reference { line, root: root.to_owned(), second });
        }
    }
    found
}

/// `self` and `super` chains that reach the crate's root become `crate`.
fn resolve<'a>(root: &'a str, rest: &'a str, module: &[&str]) -> (&'a str, &'a str) {
    if root != "super" {
        return (root, rest);
    }
    let mut ups = 1;
    let mut rest = rest;
    while let Some(next) = rest.strip_prefix("super::") {
        ups += 1;
        rest = next;
    }
    if ups >= module.len() { ("crate", rest) } else { ("super", rest) }
}

/// The name that follows, or all first names of a group.
fn first_names(rest: &str) -> Vec<String> {
    let word = |text: &str| text.trim_start().chars().take_while(|c| is_word(*c)).collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let mut names = Vec::new();
    let mut depth = 0;
    let mut piece_start = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(word(&group[piece_start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(word(&group[piece_start..at]));
                piece_start = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn char_len(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [usize; 0] = [];

    fn breaches(path: &str, text: &str) -> Vec<usize> {
        let dependencies: Vec<String> =
            ["tokio", "rusqlite", "ring", "uuid", "tracing"].map(str::to_owned).to_vec();
        check(&SourceFile::new(path, text), &dependencies).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn crates_import_downwards_only() {
        assert_eq!(breaches("shared/src/a.rs", "use hufu_edge::x;\n"), [1]);
        assert_eq!(breaches("hardware/src/a.rs", "\nuse hufu_shared::x;\n"), [2]);
        assert_eq!(breaches("edge/src/sync/a.rs", "fn f() { hufu_central::g() }"), [1]);
        assert_eq!(breaches("central/src/routes/a.rs", "use hufu_edge::{a, b};"), [1]);
        assert_eq!(breaches("edge/src/run/a.rs", "use hufu_shared::a; use hufu_hardware::b;"), NONE);
    }

    #[test]
    fn pure_code_uses_nothing_that_touches_the_world() {
        for line in [
            "use tokio::x;",
            "use std::fs;",
            "use std::{fs, fmt};",
            "let a = rusqlite::open();",
            "use ring::hmac;",
        ] {
            assert_eq!(breaches("edge/src/rules/a.rs", line), [1], "{line}");
        }
        for line in ["use std::collections::BTreeMap;", "use hufu_shared::fact::Fact;", "use uuid::Uuid;"] {
            assert_eq!(breaches("central/src/rules/deep/a.rs", line), NONE, "{line}");
        }
        assert_eq!(breaches("shared/src/a.rs", "use ring::hmac;"), NONE, "hashes are pure");
        assert_eq!(breaches("shared/src/a.rs", "use tokio::x;"), [1]);
    }

    #[test]
    fn the_core_knows_only_itself_however_it_is_written() {
        for line in
            ["use crate::store::X;", "use crate::{rules::a, store::b};", "use super::super::store::X;"]
        {
            assert_eq!(breaches("edge/src/rules/a.rs", line), [1], "{line}");
        }
        for line in ["use crate::rules::b;", "use super::b::{C, d::E};", "use self::x;"] {
            assert_eq!(breaches("edge/src/rules/a.rs", line), NONE, "{line}");
        }
    }

    #[test]
    fn layers_import_downwards_only() {
        assert_eq!(breaches("central/src/store/a.rs", "use crate::rules::b;\nuse crate::routes::c;"), [2]);
        assert_eq!(breaches("edge/src/sync/a.rs", "use crate::store::b;\nuse crate::run::c;"), [2]);
        assert_eq!(breaches("edge/src/run/a.rs", "use crate::sync::b;\nuse crate::config::c;"), NONE);
    }

    #[test]
    fn tests_and_comments_import_what_they_like() {
        let text = "// use tokio::x;\n#[cfg(test)]\nmod tests {\n use tokio::x;\n}\n";
        assert_eq!(breaches("edge/src/rules/a.rs", text), NONE);
        assert_eq!(breaches("edge/src/rules/tests.rs", "use tokio::x;"), NONE);
    }
}
