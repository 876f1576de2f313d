//! Both languages complete: the same keys with the same variables, every key used, every key asked for present, and
//! no Chinese in a template that should ask for it.
//!
//! A key counts as used when code or a template holds it as a quoted word, or a quoted beginning of it that ends in
//! `-` or runs into `{` (names put together at run time). Out of scope: whether the words are good.

use super::lexer::{lex, tests_start};
use super::{Finding, SourceFile};
use fluent_bundle::FluentResource;
use std::collections::{BTreeMap, BTreeSet};

/// Folder of a crate that holds its languages.
const FOLDER: &str = "locale";
const LANGUAGES: [&str; 2] = ["zh-CN", "en"];
/// What a template may say in Chinese: the name and its mark, and the switch to Chinese in its own tongue.
const HAN_IN_TEMPLATES: [&str; 5] = ["虎符", "符", "中文", "简体中文", "中"];
/// How code and templates ask for a text.
const CALLS: [&str; 4] = ["t(\"", "tr(\"", "t_with(\"", "text(\""];

/// One language of one crate: key to its line and its variables.
type Keys = BTreeMap<String, (usize, BTreeSet<String>)>;

/// Judges every crate that has a locale folder.
#[must_use]
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut crates: BTreeSet<&str> = files
        .iter()
        .filter(|file| file.path.split('/').nth(1) == Some(FOLDER))
        .map(SourceFile::crate_folder)
        .collect();
    crates.remove("");
    let mut findings: Vec<Finding> =
        crates.into_iter().flat_map(|folder| check_crate(folder, files)).collect();
    findings.extend(files.iter().filter(|file| is_template(file)).flat_map(han));
    findings
}

fn check_crate(folder: &str, files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut languages = Vec::new();
    for language in LANGUAGES {
        let path = format!("{folder}/{FOLDER}/{language}.ftl");
        match files.iter().find(|file| file.path == path) {
            Some(file) => {
                findings.extend(parse_errors(file));
                languages.push((path, keys(&file.text)));
            }
            None => findings.push(Finding::new(&path, 0, "missing: every text exists in both languages")),
        }
    }
    if let [(zh_path, zh), (en_path, en)] = languages.as_slice() {
        findings.extend(differences(zh_path, zh, en_path, en));
        findings.extend(differences(en_path, en, zh_path, zh));
        findings.extend(usage(folder, zh_path, zh, files));
    }
    findings.sort();
    findings.dedup();
    findings
}

fn parse_errors(file: &SourceFile) -> Vec<Finding> {
    let Err((_, errors)) = FluentResource::try_new(file.text.clone()) else { return Vec::new() };
    errors
        .iter()
        .map(|error| {
            let line = file.text.get(..error.pos.start).map_or(0, |before| before.matches('\n').count() + 1);
            Finding::new(&file.path, line, format!("not Fluent: {error}"))
        })
        .collect()
}

/// Keys with the variables of their value; continuation lines are indented.
fn keys(text: &str) -> Keys {
    let mut keys = Keys::new();
    let mut current: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        let starts_key = line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-');
        if starts_key && let Some((key, _)) = line.split_once('=') {
            let key = key.trim().to_owned();
            keys.insert(key.clone(), (index + 1, BTreeSet::new()));
            current = Some(key);
        } else if !line.starts_with([' ', '\t', '}', '#']) && !line.is_empty() {
            current = None;
        }
        if line.starts_with('#') {
            continue;
        }
        if let Some((_, variables)) = current.as_ref().and_then(|key| keys.get_mut(key)) {
            variables.extend(line.match_indices('$').map(|(at, _)| {
                line[at + 1..]
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || ['_', '-'].contains(c))
                    .collect()
            }));
        }
    }
    keys
}

fn differences(path: &str, ours: &Keys, other_path: &str, theirs: &Keys) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (key, (line, variables)) in ours {
        match theirs.get(key) {
            None => findings.push(Finding::new(path, *line, format!("`{key}` is missing in {other_path}"))),
            Some((_, others)) if others != variables => findings.push(Finding::new(
                path,
                *line,
                format!("`{key}` has the variables {variables:?}, but {others:?} in {other_path}"),
            )),
            Some(_) => {}
        }
    }
    findings
}

fn usage(folder: &str, path: &str, keys: &Keys, files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut quoted = BTreeSet::new();
    for file in files.iter().filter(|file| file.crate_folder() == folder && !file.path.contains("/locale/")) {
        if !(file.is_rust() || is_template(file)) || file.is_test_code() {
            continue;
        }
        let end = if file.is_rust() { tests_start(&lex(&file.text)) } else { usize::MAX };
        let lines = file.text.lines().take(end).enumerate();
        // Comments of code may speak of keys.
        for (index, line) in
            lines.filter(|(_, line)| !(file.is_rust() && line.trim_start().starts_with("//")))
        {
            quoted.extend(line.split(['"', '\'']).map(str::to_owned));
            for key in asked(line) {
                if !keys.contains_key(&key) && !key.ends_with('-') && !key.contains('{') {
                    findings.push(Finding::new(&file.path, index + 1, format!("`{key}` is not in {path}")));
                }
            }
        }
    }
    let beginnings: Vec<&str> = quoted
        .iter()
        .filter_map(|word| match word.split_once('{') {
            Some((start, _)) => Some(start),
            None => word.ends_with('-').then_some(word.as_str()),
        })
        .filter(|start| start.len() > 2 && start.ends_with('-'))
        .collect();
    for (key, (line, _)) in keys {
        // A term (`-name`) is used by other texts, not by code.
        let used = key.starts_with('-')
            || quoted.contains(key)
            || beginnings.iter().any(|start| key.starts_with(start));
        if !used {
            findings.push(Finding::new(path, *line, format!("`{key}` is used nowhere in {folder}")));
        }
    }
    findings
}

/// Keys in calls like `t("key")`.
fn asked(line: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for call in CALLS {
        for (at, _) in line.match_indices(call) {
            let before = line[..at].chars().next_back();
            if before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
                && let Some((key, _)) = line[at + call.len()..].split_once('"')
            {
                keys.push(key.to_owned());
            }
        }
    }
    // An English sentence or a file name is no key: keys are lower-case words joined by `-`.
    keys.retain(|key| {
        !key.is_empty()
            && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_{}".contains(c))
    });
    keys
}

fn is_template(file: &SourceFile) -> bool {
    [".html", ".js", ".svg"].iter().any(|end| file.path.ends_with(end))
        && !file.path.contains("/assets/vendor/")
        && (file.path.contains("/templates/")
            || file.path.contains("/static/")
            || file.path.contains("/assets/"))
}

fn han(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for run in line.split(|c: char| !is_han(c)).filter(|run| !run.is_empty()) {
            if !HAN_IN_TEMPLATES.contains(&run) {
                findings.push(Finding::new(
                    &file.path,
                    index + 1,
                    format!("`{run}` belongs into the locale files"),
                ));
            }
        }
    }
    findings
}

fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(zh: &str, en: &str, code: &str) -> Vec<String> {
        let files = [
            SourceFile::new("edge/locale/zh-CN.ftl", zh),
            SourceFile::new("edge/locale/en.ftl", en),
            SourceFile::new("edge/templates/page.html", code),
        ];
        check(&files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn complete_languages_pass() {
        let zh = "# 注释 $x\na-b = 你好\nc = { $n ->\n    [one] 一 { $n }\n   *[other] 多\n}\n    .title = 题\nkind-7 = 七\n";
        let en = "a-b = Hello\nc = { $n } of them\n    .title = Title\nkind-7 = Seven\n";
        assert_eq!(findings(zh, en, "{{ t(\"a-b\") }} {{ t(\"c\") }} format!(\"kind-{n}\") 虎符"), [""; 0]);
    }

    #[test]
    fn a_missing_language_key_or_variable_is_named() {
        assert_eq!(check(&[SourceFile::new("edge/locale/en.ftl", "")]).len(), 1);
        assert_eq!(findings("a = 甲\n", "", "\"a\"").len(), 1);
        assert_eq!(findings("", "a = A\n", "").len(), 1);
        assert_eq!(findings("a = { $n }\n", "a = A\n", "\"a\"").len(), 2, "named on both sides");
    }

    #[test]
    fn broken_fluent_is_named_with_its_line() {
        let found = findings("a = 甲\nb = { $\n", "a = A\nb = B\n", "\"a\" \"b\"");
        assert!(
            found.iter().any(|text| text.starts_with("edge/locale/zh-CN.ftl:2: not Fluent")),
            "{found:?}"
        );
    }

    #[test]
    fn unused_and_unknown_keys_are_named() {
        assert_eq!(findings("a = 甲\n", "a = A\n", "nothing").len(), 1);
        let found = findings("a = 甲\n", "a = A\n", "\n{{ t(\"a\") }}{{ t(\"b\") }}");
        assert_eq!(found, ["edge/templates/page.html:2: `b` is not in edge/locale/zh-CN.ftl"]);
    }

    #[test]
    fn chinese_in_a_template_is_named() {
        assert_eq!(findings("a = 甲\n", "a = A\n", "t(\"a\")\n<b>签到成功</b>").len(), 1);
    }
}
