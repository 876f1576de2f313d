//! Finds the numbers that tests are named by: `fn rule_k26_k27_…` shows K26 and K27 of the page `rule`.

use crate::tidy::SourceFile;
use crate::tidy::lexer::lex;

/// The pages; a test's name begins with one of them.
pub const PAGES: [&str; 10] =
    ["rule", "kind", "inv", "case", "goal", "threat", "perf", "ui", "want", "story"];

/// A number that a test is named by, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// One of [`PAGES`].
    pub page: String,
    /// `k27`, `05`.
    pub code: String,
    /// File of the test.
    pub path: String,
    /// Its line from 1.
    pub line: usize,
}

/// All numbers in the names of functions.
#[must_use]
pub fn numbers(files: &[SourceFile]) -> Vec<Number> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for (index, line) in lex(&file.text).code.iter().enumerate() {
            for (at, _) in line.match_indices("fn ") {
                if at > 0 && !line[..at].ends_with(' ') {
                    continue;
                }
                let name: String =
                    line[at + 3..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                found.extend(in_name(&name).into_iter().map(|(page, code)| Number {
                    page,
                    code,
                    path: file.path.clone(),
                    line: index + 1,
                }));
            }
        }
    }
    found
}

/// The page and all codes that follow it; something must follow them that says what the test does.
fn in_name(name: &str) -> Vec<(String, String)> {
    let mut words = name.split('_');
    let Some(page) = words.next().filter(|page| PAGES.contains(page)) else { return Vec::new() };
    let rest: Vec<&str> = words.collect();
    let codes = rest.iter().take_while(|word| is_code(word)).count();
    if codes == rest.len() {
        return Vec::new();
    }
    rest[..codes].iter().map(|code| (page.to_owned(), (*code).to_owned())).collect()
}

/// Two digits, on most pages with a letter before them.
fn is_code(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_lowercase());
    word.len() - digits.len() <= 1 && digits.len() == 2 && digits.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<String> {
        let files = [SourceFile::new("edge/src/a.rs", text)];
        numbers(&files)
            .into_iter()
            .map(|number| format!("{}_{}:{}", number.page, number.code, number.line))
            .collect()
    }

    #[test]
    fn names_of_functions_give_their_numbers() {
        assert_eq!(codes("\nasync fn rule_k26_k27_batch_entry() {}"), ["rule_k26:2", "rule_k27:2"]);
        assert_eq!(codes("pub fn kind_05_13_x() {}"), ["kind_05:1", "kind_13:1"]);
        assert_eq!(codes("fn goal_g20_codes() {}"), ["goal_g20:1"]);
    }

    #[test]
    fn other_names_comments_and_strings_give_none() {
        for text in [
            "fn rule_engine() {}",
            "fn case_insensitive_x() {}",
            "fn rule_k27() {}",
            "fn kind_5_x() {}",
            "// fn rule_k27_x() {}",
            "let x = \"fn rule_k27_x()\";",
            "fn other_k27_x() {}",
        ] {
            assert_eq!(codes(text), [""; 0], "{text}");
        }
    }
}
