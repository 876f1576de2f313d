//! The house rules as pure functions over the text of the tree: layering, lengths, headers, words, packages, locales.
//!
//! Each check takes paths and texts and gives findings with file and line; only [`tree`] touches the disk. A check
//! that cannot fail is worth nothing, so each has tests on planted bad text. Out of scope: what the compiler and
//! clippy already deny.

pub mod comments;
pub mod dependencies;
pub mod layers;
pub mod lexer;
pub mod locale;
pub mod size;
pub mod tree;
pub mod words;

use std::fmt;

/// One file of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path from the root, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// One breach of a house rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path from the root.
    pub path: String,
    /// Counted from 1; 0 where the whole file is meant.
    pub line: usize,
    /// What is wrong and what is expected.
    pub what: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path, self.line, self.what)
    }
}

impl SourceFile {
    /// A file from literals, for tests and generated texts.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether it is Rust.
    #[must_use]
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The top-level folder that it lies in, which is its crate.
    #[must_use]
    pub fn crate_folder(&self) -> &str {
        self.path.split_once('/').map_or("", |(folder, _)| folder)
    }

    /// Whether the whole file is a test (a sibling `tests.rs` or `x_tests.rs`, or under a `tests` or `benches` folder).
    #[must_use]
    pub fn is_test_code(&self) -> bool {
        let in_crate = self.path.split_once('/').map_or("", |(_, rest)| rest);
        self.path.starts_with("tests/it/")
            || in_crate.ends_with("/tests.rs")
            || in_crate.ends_with("_tests.rs")
            || ["tests/", "benches/"]
                .iter()
                .any(|folder| in_crate.starts_with(folder) || in_crate.contains(&format!("/{folder}")))
    }
}
