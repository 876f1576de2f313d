//! Words that may not stand in the tree: unfinished work, switched-off lints and tests, one machine's paths,
//! registries' host names, and names at the top level that nobody agreed on.

use super::lexer::lex;
use super::size::find_word;
use super::{Finding, SourceFile};

/// Macros that mark unfinished or left-over work.
const MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];
/// Notes that mark unfinished work.
const NOTES: [&str; 2] = [concat!("FIX", "ME"), concat!("X", "XX")];
/// Attributes that hide instead of explaining.
const ATTRIBUTES: [(&str, &str); 4] = [
    ("#[allow(", "use #[expect(.., reason = \"..\")]"),
    ("#![allow(", "use #![expect(.., reason = \"..\")]"),
    ("#[ignore", "delete the test or make it run"),
    ("#![ignore", "delete the test or make it run"),
];
/// Paths of one machine; written in two pieces, since this file is read too.
const MACHINE_PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/fa", "rm/")];
/// Registries and mirrors are the business of whoever builds.
const HOSTS: [&str; 8] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("deb.debian", ".org"),
    concat!("docker", ".io"),
    concat!("ghcr", ".io"),
    concat!("rsproxy", ".cn"),
];
/// Files that a tool writes, with addresses of its own.
const WRITTEN_BY_TOOLS: [&str; 3] = ["Cargo.lock", "package-lock.json", "deny.toml"];
/// Everything that may stand at the top level, besides dot-files.
const TOP_LEVEL: [&str; 10] = [
    "shared",
    "hardware",
    "edge",
    "central",
    "tests",
    "deploy",
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "LICENSE",
];

/// Judges one file of any kind.
#[must_use]
pub fn check(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    if file.is_rust() {
        findings.extend(rust_words(file));
    }
    let by_tool = WRITTEN_BY_TOOLS.iter().any(|name| file.path.ends_with(name));
    for (index, line) in file.text.lines().enumerate() {
        let mut found = |what: String| findings.push(Finding::new(&file.path, index + 1, what));
        for note in NOTES {
            if find_word(line, note).is_some() {
                found(format!("`{note}`: finish it, or write down why not"));
            }
        }
        for path in MACHINE_PATHS {
            if line.match_indices(path).any(|(at, _)| starts_a_path(line, at)) {
                found(format!("`{path}` is a path of one machine"));
            }
        }
        for host in HOSTS {
            if !by_tool && line.contains(host) {
                found(format!("`{host}` is a registry's host name: it is configured where Hufu is built"));
            }
        }
    }
    findings
}

/// The same words deeper in a path are nobody's machine.
fn starts_a_path(line: &str, at: usize) -> bool {
    !line[..at].ends_with(|c: char| c.is_alphanumeric() || ['_', '-', '.', '}'].contains(&c))
}

fn rust_words(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in lex(&file.text).code.iter().enumerate() {
        for name in MACROS {
            if find_word(line, name).is_some_and(|at| line[at + name.len()..].starts_with('!')) {
                findings.push(Finding::new(&file.path, index + 1, format!("`{name}!` in the tree")));
            }
        }
        for (attribute, instead) in ATTRIBUTES {
            if line.contains(attribute) {
                findings.push(Finding::new(&file.path, index + 1, format!("`{attribute}`: {instead}")));
            }
        }
    }
    findings
}

/// Judges the names at the top level.
#[must_use]
pub fn check_top_level(names: &[String]) -> Vec<Finding> {
    let known = |name: &str| name.starts_with('.') || TOP_LEVEL.contains(&name);
    names
        .iter()
        .filter(|name| !known(name))
        .map(|name| {
            Finding::new(name, 0, format!("unexpected at the top level, which holds {TOP_LEVEL:?} only"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [usize; 0] = [];

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&SourceFile::new(path, text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn unfinished_work_is_named_but_not_when_a_string_speaks_of_it() {
        let text = format!("fn a() {{\n    {}!(\"later\");\n    say(\"{}!\");\n}}\n", MACROS[0], MACROS[0]);
        assert_eq!(lines("edge/src/a.rs", &text), [2]);
        assert_eq!(lines("edge/src/a.rs", &format!("let x = {}!(y);", MACROS[2])), [1]);
        assert_eq!(lines("README.md", &format!("a\n{}: b", NOTES[0])), [2]);
        assert_eq!(lines("deploy/x.sh", &format!("mktemp {}{}", NOTES[1], NOTES[1])), NONE);
    }

    #[test]
    fn switched_off_lints_and_tests_are_named() {
        for (attribute, _) in ATTRIBUTES {
            assert_eq!(lines("edge/src/a.rs", &format!("\n{attribute}x)]\nfn a() {{}}")), [2], "{attribute}");
        }
        assert_eq!(lines("edge/src/a.rs", "#[expect(dead_code, reason = \"wire\")]\nfn a() {}"), NONE);
    }

    #[test]
    fn one_machines_paths_and_registries_are_named_in_any_file() {
        for path in MACHINE_PATHS {
            assert_eq!(lines("deploy/demo.sh", &format!("cd {path}x")), [1], "{path}");
            assert_eq!(lines("deploy/demo.sh", &format!("cd $HOME/a{path}x")), NONE);
        }
        for host in HOSTS {
            assert_eq!(lines("README.md", &format!("https://{host}/")), [1], "{host}");
            assert_eq!(lines("Cargo.lock", &format!("https://{host}/")), NONE);
        }
    }

    #[test]
    fn strangers_at_the_top_level_are_named() {
        let names: Vec<String> = [".ci", "shared", "README.md", "notes.txt"].map(str::to_owned).to_vec();
        assert_eq!(
            check_top_level(&names).iter().map(|f| f.path.as_str()).collect::<Vec<_>>(),
            ["notes.txt"]
        );
    }
}
