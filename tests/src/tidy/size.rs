//! Lengths: a file without its tests, a function outside tests, and the header that every module has.

use super::lexer::{Lexed, lex, tests_start};
use super::{Finding, SourceFile};

/// The most lines of a file before its own tests.
pub const FILE_LINES_MAX: usize = 500;
/// The most lines of a function outside tests, from `fn` to its closing brace.
pub const FUNCTION_LINES_MAX: usize = 70;

/// Judges one Rust file.
#[must_use]
pub fn check(file: &SourceFile) -> Vec<Finding> {
    let lexed = lex(&file.text);
    let mut findings = header(file);
    if file.is_test_code() {
        return findings;
    }
    let end = tests_start(&lexed);
    // The text's last newline makes an empty line that nobody counts.
    let lines = end.min(file.text.lines().count());
    if lines > FILE_LINES_MAX {
        findings.push(Finding::new(
            &file.path,
            FILE_LINES_MAX + 1,
            format!("{lines} lines before the tests, at most {FILE_LINES_MAX}: split it by concern"),
        ));
    }
    findings
        .extend(functions(&lexed, end).into_iter().filter(|(_, length, _)| *length > FUNCTION_LINES_MAX).map(
        |(line, length, name)| {
            Finding::new(
                &file.path,
                line,
                format!(
                    "function {name} has {length} lines, at most {FUNCTION_LINES_MAX}: cut it at the decision"
                ),
            )
        },
    ));
    findings
}

/// Every module says what it is for before anything else.
fn header(file: &SourceFile) -> Vec<Finding> {
    let first = file.text.lines().find(|line| {
        let line = line.trim();
        !line.is_empty() && (line.starts_with("//!") || !line.starts_with("//"))
    });
    match first {
        Some(line) if line.trim_start().starts_with("//!") => Vec::new(),
        _ => vec![Finding::new(
            &file.path,
            1,
            "no `//!` header: say purpose, invariants and what is out of scope",
        )],
    }
}

/// Each function with a body: line (from 1), length in lines, name.
fn functions(lexed: &Lexed, end: usize) -> Vec<(usize, usize, String)> {
    let mut found = Vec::new();
    for start in 0..end.min(lexed.code.len()) {
        let line = &lexed.code[start];
        let mut from = 0;
        while let Some(at) = find_word(&line[from..], "fn").map(|at| at + from) {
            from = at + 2;
            let name: String =
                line[from..].trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            // `fn(` is a type; a name is needed for a function.
            if name.is_empty() {
                continue;
            }
            if let Some(last) = body_end(lexed, start, from) {
                found.push((start + 1, last - start + 1, name));
            }
        }
    }
    found
}

/// The line of the brace that closes the body; `None` for a declaration without one.
fn body_end(lexed: &Lexed, start: usize, column: usize) -> Option<usize> {
    let mut depth = 0_i32;
    let mut brackets = 0_i32;
    let mut opened = false;
    for (line, text) in lexed.code.iter().enumerate().skip(start) {
        let text = if line == start { &text[column..] } else { text.as_str() };
        for c in text.chars() {
            match c {
                '{' => {
                    depth += 1;
                    opened = true;
                }
                '}' => depth -= 1,
                '(' | '[' if !opened => brackets += 1,
                ')' | ']' if !opened => brackets -= 1,
                ';' if !opened && brackets == 0 => return None,
                _ => {}
            }
            if opened && depth <= 0 {
                return Some(line);
            }
        }
    }
    None
}

/// Where `word` stands alone in a line.
pub(crate) fn find_word(line: &str, word: &str) -> Option<usize> {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word)
        .map(|(at, _)| at)
        .find(|at| !part(line[..*at].chars().next_back()) && !part(line[*at + word.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile::new("edge/src/store/x.rs", text)
    }

    fn long_function(lines: usize) -> String {
        format!("//! Header.\nfn long() {{\n{}}}\n", "    let s = \"}\";\n".repeat(lines - 2))
    }

    #[test]
    fn a_long_file_is_named_unless_its_tests_make_it_long() {
        let body = "// x\n".repeat(600);
        assert_eq!(check(&file(&format!("//! H.\n{body}"))).len(), 1);
        let tested = format!("//! H.\nfn a() {{}}\n#[cfg(test)]\nmod tests {{\n{body}}}\n");
        assert_eq!(check(&file(&tested)), []);
    }

    #[test]
    fn a_long_function_is_named_with_its_line_whatever_its_strings_hold() {
        assert_eq!(check(&file(&long_function(70))), []);
        let findings = check(&file(&long_function(71)));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
        assert!(findings[0].what.contains("function long has 71 lines"), "{}", findings[0]);
        assert_eq!(check(&SourceFile::new("edge/src/store/tests.rs", &long_function(90))), []);
    }

    #[test]
    fn declarations_and_function_types_have_no_length() {
        let text = format!(
            "//! H.\ntrait T {{ fn a(&self, x: [u8; 3]); }}\ntype F = fn(u8);\nconst X: [u8; 99] = [\n{}];\n",
            "    0,\n".repeat(99)
        );
        assert_eq!(check(&file(&text)), []);
    }

    #[test]
    fn a_module_without_a_header_is_named() {
        assert_eq!(check(&file("use x;\n//! Too late.\n")).len(), 1);
        assert_eq!(check(&file("")).len(), 1);
        assert_eq!(check(&file("// licence\n\n//! Header.\n")), []);
    }
}
