//! Tests of the what-if: words for every sentence, both forms of a history, and a whole answer.

use super::*;
use hufu_shared::rules::whatif::line::{KEYS, WORDS};

fn args(path: PathBuf, scheme: &str) -> WhatIfArgs {
    WhatIfArgs {
        schemes: vec![scheme.to_owned()],
        history: path,
        until: None,
        born: "1988-02-29".parse().ok(),
        kind: String::new(),
        lang: Lang::Zh,
        json: false,
    }
}

fn written(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(name);
    std::fs::write(&path, text).expect("written");
    (dir, path)
}

const TABLE: &str = "day,what,fen,slip,points
2025-03-10,card,,,
2025-03-10,purchase,10000,A1,
2025-12-05,purchase,9900,A2,
2025-12-06,purchase,1000000,A3,
2026-06-01,redeem,,,100
";

const DOCUMENT: &str = r#"
[member]
joined = "2025-03-10"
born = "1988-02-29"

[[event]]
day = "2025-03-10"
what = "card"

[[event]]
day = "2025-03-10"
what = "purchase"
fen = 10000
slip = "A1"

[[event]]
day = "2025-12-05"
what = "purchase"
fen = 9900
slip = "A2"

[[event]]
day = "2025-12-06"
what = "purchase"
fen = 1000000
slip = "A3"

[[event]]
day = "2026-06-01"
what = "redeem"
points = 100
"#;

#[test]
fn there_are_words_for_every_sentence_in_both_languages() {
    for language in [Language::Zh, Language::En] {
        let keys = KEYS.iter().map(|key| format!("whatif-{key}"));
        for key in keys.chain(WORDS.iter().map(|word| format!("whatif-word-{word}"))) {
            assert_ne!(text(language, &key), key, "{}", language.tag());
        }
    }
}

#[test]
fn a_table_and_a_document_hold_the_same_history() {
    let (_dir, csv) = written("history.csv", TABLE);
    let (_dir2, toml) = written("history.toml", DOCUMENT);
    assert_eq!(read(&args(csv, "S")).expect("a table"), read(&args(toml, "S")).expect("a document"));
    let (_dir3, wrong) = written("history.csv", "day,what,yuan\n2025-03-10,card,1\n");
    let fault = format!("{:#}", read(&args(wrong, "S")).expect_err("no such column"));
    assert!(fault.contains("yuan"), "{fault}");
}

#[test]
fn the_answer_names_each_rule_and_what_is_left() {
    let (_dir, path) = written("history.csv", TABLE);
    let history = read(&args(path, "S")).expect("a table");
    let (scheme, _) = schemes::load("S").expect("it is shipped");
    let until = "2027-01-01".parse().expect("a day");
    let outcome = whatif::reckon(std::slice::from_ref(&scheme), &history, until).expect("whole");
    let schemes = [scheme];
    let zh = told(Language::Zh, &schemes, &outcome);
    assert!(zh.contains("2025-03-10  S2         +2         2  "), "{zh}");
    assert!(zh.contains("2027-01-01  S3"), "{zh}");
    assert!(zh.contains("积分卡"), "{zh}");
    let en = told(Language::En, &schemes, &outcome);
    assert!(en.contains("Points card") && !en.contains("whatif-"), "{en}");
    let json = as_json(Language::En, &schemes, &outcome);
    assert_eq!((json["points"].as_i64(), json["rank"].as_i64()), (Some(0), Some(0)), "{json}");
}
