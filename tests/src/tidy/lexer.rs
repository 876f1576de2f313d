//! Rust text with strings and comments blanked out, so that braces and words can be counted safely.
//!
//! Lines keep their numbers and lengths in characters. Not a parser: macros are seen as the text they are.

/// A file's code and comments, apart.
#[derive(Clone, Debug)]
pub struct Lexed {
    /// The code: comments, and what stands inside string and character literals, are blanks.
    pub code: Vec<String>,
    /// The comments: everything else is blanks.
    pub comments: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Code,
    LineComment,
    BlockComment(u32),
    Text,
    RawText(usize),
}

/// Splits a file.
#[must_use]
pub fn lex(text: &str) -> Lexed {
    let source: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut comments = String::with_capacity(text.len());
    let mut mode = Mode::Code;
    let mut at = 0;
    while at < source.len() {
        let (next, taken) = step(mode, &source, at);
        for (offset, &c) in source[at..at + taken].iter().enumerate() {
            let (is_code, is_comment) = shown(mode, next, offset, taken);
            let or_blank = |wanted: bool| if wanted || c == '\n' { c } else { ' ' };
            code.push(or_blank(is_code));
            comments.push(or_blank(is_comment));
        }
        at += taken;
        mode = next;
    }
    let lines = |text: &str| text.split('\n').map(str::to_owned).collect();
    Lexed { code: lines(&code), comments: lines(&comments) }
}

/// The mode after the next token, and how many characters it takes.
fn step(mode: Mode, source: &[char], at: usize) -> (Mode, usize) {
    let next = source.get(at + 1).copied();
    match (mode, source[at]) {
        (Mode::Code, '/') if next == Some('/') => (Mode::LineComment, 2),
        (Mode::Code, '/') if next == Some('*') => (Mode::BlockComment(1), 2),
        (Mode::Code, '"') => (Mode::Text, 1),
        (Mode::Code, 'r') if !follows_word(source, at) => match raw_start(source, at) {
            Some((hashes, taken)) => (Mode::RawText(hashes), taken),
            None => (Mode::Code, 1),
        },
        (Mode::Code, '\'') => (Mode::Code, character_length(source, at)),
        (Mode::LineComment, '\n') => (Mode::Code, 1),
        (Mode::BlockComment(depth), '/') if next == Some('*') => (Mode::BlockComment(depth + 1), 2),
        (Mode::BlockComment(1), '*') if next == Some('/') => (Mode::Code, 2),
        (Mode::BlockComment(depth), '*') if next == Some('/') => (Mode::BlockComment(depth - 1), 2),
        (Mode::Text, '\\') if next.is_some() => (Mode::Text, 2),
        (Mode::Text, '"') => (Mode::Code, 1),
        (Mode::RawText(hashes), '"')
            if source[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes =>
        {
            (Mode::Code, 1 + hashes)
        }
        (mode, _) => (mode, 1),
    }
}

/// Whether a character of a token is shown as code, and whether as comment.
fn shown(before: Mode, after: Mode, offset: usize, taken: usize) -> (bool, bool) {
    match (before, after) {
        // A literal character is one token of at least three: only its quotes are code.
        (Mode::Code, Mode::Code) => (taken < 3 || offset == 0 || offset + 1 == taken, false),
        (Mode::Code, Mode::Text | Mode::RawText(_)) | (Mode::Text | Mode::RawText(_), Mode::Code) => {
            (true, false)
        }
        (Mode::LineComment | Mode::BlockComment(_), _) | (_, Mode::LineComment | Mode::BlockComment(_)) => {
            (false, true)
        }
        _ => (false, false),
    }
}

fn follows_word(source: &[char], at: usize) -> bool {
    // `br"…"` and `cr"…"` are raw strings too; any other letter before the `r` makes it part of a name.
    let word = |c: &char| c.is_alphanumeric() || *c == '_';
    match at.checked_sub(1).map(|before| source[before]) {
        Some('b' | 'c') => at >= 2 && word(&source[at - 2]),
        Some(before) => word(&before),
        None => false,
    }
}

fn raw_start(source: &[char], at: usize) -> Option<(usize, usize)> {
    let hashes = source[at + 1..].iter().take_while(|c| **c == '#').count();
    (source.get(at + 1 + hashes) == Some(&'"')).then_some((hashes, hashes + 2))
}

/// How many characters a character literal takes; 1 for a lifetime.
fn character_length(source: &[char], at: usize) -> usize {
    match (source.get(at + 1), source.get(at + 2)) {
        (Some('\\'), _) => source[at + 3..].iter().position(|c| *c == '\'').map_or(1, |end| end + 4),
        (Some(_), Some('\'')) => 3,
        _ => 1,
    }
}

/// The line (from 0) at which the file's own tests begin: a `#[cfg(test)]` that a `mod … {` follows.
#[must_use]
pub fn tests_start(lexed: &Lexed) -> usize {
    let code = &lexed.code;
    let is_test_module = |line: usize| {
        code[line].trim_start().starts_with("#[cfg(test)]")
            && code[line..]
                .iter()
                .take(6)
                .any(|next| next.split_whitespace().any(|word| word == "mod") && next.contains('{'))
    };
    (0..code.len()).find(|line| is_test_module(*line)).unwrap_or(code.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_leave_no_braces_and_no_words() {
        let text = "let a = \"{ // not \\\" a comment\"; // but { this is\nlet b = r#\"}\"}\"#; /* { /* nested } */ */ let c = '{';\nfn f<'a>(x: &'a str) {}";
        let lexed = lex(text);
        assert_eq!(lexed.code.len(), 3);
        assert!(!lexed.code[0].contains('{') && lexed.code[0].contains("let a"), "{:?}", lexed.code);
        assert!(lexed.comments[0].contains("but { this is") && !lexed.comments[0].contains("not"));
        assert!(!lexed.code[1].contains(['{', '}']) && lexed.code[1].contains("let c"), "{:?}", lexed.code);
        assert_eq!(lexed.code[2], "fn f<'a>(x: &'a str) {}");
    }

    #[test]
    fn escaped_characters_and_byte_strings_end_where_they_end() {
        let lexed = lex("m('\\'', '\\u{7d}', b'{', br\"}\", for_r, \"\\\\\"); x{");
        assert_eq!(lexed.code[0].matches(['{', '}']).count(), 1, "{:?}", lexed.code);
        assert!(lexed.code[0].ends_with("x{") && lexed.code[0].contains("for_r"));
    }

    #[test]
    fn a_files_own_tests_begin_at_their_module() {
        let lexed = lex("fn a() {}\n#[cfg(test)]\nuse x;\nfn b() {}\n\n\n\n\n#[cfg(test)]\nmod tests {\n}\n");
        assert_eq!(tests_start(&lexed), 8);
        assert_eq!(tests_start(&lex("#[cfg(test)]\nmod tests;\nfn a() {}")), 3);
    }
}
