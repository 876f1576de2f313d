//! SQL text in files: named statements, placeholders, and a small reader that knows quotes and comments.
//!
//! A file under `sql/both/` holds statements in the dialect that both engines speak, each after a line
//! `-- name: load_device`. Files of the same name under `sql/sqlite/` and `sql/postgres/` override single statements.
//! Placeholders, replaced for each engine:
//!
//! | placeholder | SQLite | PostgreSQL |
//! | --- | --- | --- |
//! | `{for_update}` | nothing: there is one writer | `FOR UPDATE` |
//! | `{skip_locked}` | nothing | `FOR UPDATE SKIP LOCKED` |
//! | `{without_rowid}` (after `)` of a table) | `WITHOUT ROWID` | nothing |
//! | `$1` | `?1` | `$1` |
//!
//! Out of scope: understanding SQL beyond quotes, comments and semicolons.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::Engine;

/// A statement, ready for both engines.
#[derive(Debug)]
pub struct Sql {
    /// `file.statement`, for messages.
    pub name: String,
    pub(super) sqlite: String,
    pub(super) postgres: String,
    /// Highest `$n` in the shared text.
    pub(super) parameters: usize,
}

impl Sql {
    /// The text for one engine.
    #[must_use]
    pub fn text(&self, engine: Engine) -> &str {
        match engine {
            Engine::Sqlite => &self.sqlite,
            Engine::Postgres => &self.postgres,
        }
    }

    /// The same question for a whole list of parameters, on PostgreSQL: each parameter is an array of its type, the
    /// first column says which of the list a row answers, counted from 1. `OFFSET 0` keeps the planner from turning
    /// hundreds of look-ups by key into one walk through a table whose size it guesses wrongly; and so the rows of a
    /// question stay in its own order, which a sort by their number would mix.
    pub(super) fn postgres_many(&self, types: &[&str]) -> String {
        let asked = |piece: Piece<'_>| match piece {
            Piece::Word(word) if word.starts_with('$') => format!("asked.p{}", &word[1..]),
            Piece::Word(text) | Piece::Fixed(text) | Piece::Sign(text) => text.to_owned(),
        };
        let question: String = pieces(&self.postgres).into_iter().map(asked).collect();
        let number = 1..=types.len();
        let arrays: Vec<String> =
            number.clone().zip(types).map(|(n, kind)| format!("${n}::{kind}[]")).collect();
        let names: Vec<String> = number.map(|n| format!("p{n}")).collect();
        format!(
            "SELECT asked.n, answer.* FROM unnest({}) WITH ORDINALITY AS asked ({}, n) \
             CROSS JOIN LATERAL ({question} OFFSET 0) AS answer",
            arrays.join(", "),
            names.join(", ")
        )
    }
}

/// The statements of one file and its overrides. Make it a `static`:
/// `static SQL: SqlFile = SqlFile::new("devices", include_str!("../../sql/both/devices.sql"));`
#[derive(Debug)]
pub struct SqlFile {
    name: &'static str,
    both: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
    parsed: OnceLock<BTreeMap<&'static str, Sql>>,
}

impl SqlFile {
    /// A file without overrides.
    #[must_use]
    pub const fn new(name: &'static str, both: &'static str) -> Self {
        Self { name, both, sqlite: "", postgres: "", parsed: OnceLock::new() }
    }

    /// A file whose statements are partly overridden for one or both engines (empty text: none).
    #[must_use]
    pub const fn with_overrides(
        name: &'static str,
        both: &'static str,
        sqlite: &'static str,
        postgres: &'static str,
    ) -> Self {
        Self { name, both, sqlite, postgres, parsed: OnceLock::new() }
    }

    /// The statement of this name.
    ///
    /// # Panics
    /// If the files do not hold it: a mistake in the program, which the test that prepares all statements finds.
    #[must_use]
    pub fn get(&'static self, name: &str) -> &'static Sql {
        let found = self.statements().get(name);
        found.unwrap_or_else(|| panic!("sql/both/{}.sql has no statement named {name:?}", self.name))
    }

    /// All statements, by name: what a test prepares on both engines.
    pub fn all(&'static self) -> impl Iterator<Item = &'static Sql> {
        self.statements().values()
    }

    fn statements(&'static self) -> &'static BTreeMap<&'static str, Sql> {
        self.parsed.get_or_init(|| {
            let both = split_named(self.both);
            let sqlite = split_named(self.sqlite);
            let postgres = split_named(self.postgres);
            let mut names: Vec<&'static str> =
                both.keys().chain(sqlite.keys()).chain(postgres.keys()).copied().collect();
            names.sort_unstable();
            names.dedup();
            let statement = |name: &'static str| {
                let text = |own: &BTreeMap<&'static str, &'static str>, engine| {
                    let text = own.get(name).or_else(|| both.get(name)).copied().unwrap_or_default();
                    fill_placeholders(text, engine)
                };
                let (sqlite, postgres) = (text(&sqlite, Engine::Sqlite), text(&postgres, Engine::Postgres));
                let parameters = highest_parameter(&sqlite).max(highest_parameter(&postgres));
                Sql { name: format!("{}.{name}", self.name), sqlite, postgres, parameters }
            };
            names.into_iter().map(|name| (name, statement(name))).collect()
        })
    }
}

/// Cuts a file at its `-- name: x` lines. Text before the first is the file's own comment.
fn split_named(file: &'static str) -> BTreeMap<&'static str, &'static str> {
    const MARK: &str = "-- name:";
    let mut starts = Vec::new();
    let mut at = 0;
    for line in file.split_inclusive('\n') {
        if let Some(name) = line.trim_end().strip_prefix(MARK) {
            starts.push((name.trim(), at, at + line.len()));
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).map(|(_, line, _)| *line).chain([file.len()]);
    starts.iter().zip(ends).map(|((name, _, from), to)| (*name, file[*from..to].trim())).collect()
}

fn fill_placeholders(text: &str, engine: Engine) -> String {
    let (lock, skip, rowid) = match engine {
        Engine::Sqlite => ("", "", "WITHOUT ROWID"),
        Engine::Postgres => ("FOR UPDATE", "FOR UPDATE SKIP LOCKED", ""),
    };
    let text =
        text.replace("{for_update}", lock).replace("{skip_locked}", skip).replace("{without_rowid}", rowid);
    if engine == Engine::Postgres {
        return text;
    }
    // SQLite takes `$1` for a name and would have to be asked for its number at each binding.
    let numbered = |piece: Piece<'_>| match piece {
        Piece::Word(word) if word.starts_with('$') => format!("?{}", &word[1..]),
        Piece::Word(text) | Piece::Fixed(text) | Piece::Sign(text) => text.to_owned(),
    };
    pieces(&text).into_iter().map(numbered).collect()
}

/// A piece of SQL text as the reader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A keyword, name, or number.
    Word(&'a str),
    /// A quoted text or name, or a comment: never changed.
    Fixed(&'a str),
    /// Anything else, one character.
    Sign(&'a str),
}

/// Cuts SQL text into pieces; joined again they give the same text.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, fixed) = match first {
            '\'' | '"' => (1 + rest[1..].find(first).map_or(rest.len() - 1, |end| end + 1), true),
            '-' if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), true),
            '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), true),
            c if is_word(c) => (rest.find(|c| !is_word(c)).unwrap_or(rest.len()), false),
            c => (c.len_utf8(), false),
        };
        let (piece, after) = rest.split_at(length);
        found.push(match (fixed, is_word(first)) {
            (true, _) => Piece::Fixed(piece),
            (false, true) => Piece::Word(piece),
            (false, false) => Piece::Sign(piece),
        });
        rest = after;
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn highest_parameter(text: &str) -> usize {
    let (mut highest, mut before) = (0, "");
    for piece in pieces(text) {
        let number: Option<usize> = match piece {
            Piece::Word(word) if before == "?" => word.parse().ok(),
            Piece::Word(word) => word.strip_prefix('$').and_then(|digits| digits.parse().ok()),
            _ => None,
        };
        highest = highest.max(number.unwrap_or(0));
        before = if let Piece::Sign(sign) = piece { sign } else { "" };
    }
    highest
}

/// A migration as one engine wants it. `BIGINT` becomes `INTEGER` and tables become STRICT on SQLite; `BLOB` becomes
/// `BYTEA` on PostgreSQL. Words inside quotes and comments stay.
pub(super) fn migration_text(text: &str, engine: Engine) -> String {
    let text = fill_placeholders(text, engine);
    if engine == Engine::Postgres {
        return replace_word(&text, "BLOB", "BYTEA");
    }
    let text = replace_word(&text, "BIGINT", "INTEGER");
    let mut strict = String::with_capacity(text.len() + 64);
    let mut words: Vec<String> = Vec::new();
    let mut is_without_rowid = false;
    for piece in pieces(&text) {
        match piece {
            Piece::Word(word) => {
                if words.len() < 2 {
                    words.push(word.to_uppercase());
                }
                is_without_rowid |= word.eq_ignore_ascii_case("ROWID");
            }
            Piece::Sign(";") => {
                if words == ["CREATE", "TABLE"] {
                    strict.push_str(if is_without_rowid { ", STRICT" } else { " STRICT" });
                }
                words.clear();
                is_without_rowid = false;
            }
            _ => {}
        }
        strict.push_str(piece.text());
    }
    strict
}

impl<'a> Piece<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Word(text) | Self::Fixed(text) | Self::Sign(text) => text,
        }
    }
}

fn replace_word(text: &str, from: &str, to: &str) -> String {
    let pieces = pieces(text);
    let swap = |piece: &Piece<'_>| match *piece {
        Piece::Word(word) if word.eq_ignore_ascii_case(from) => to.to_owned(),
        other => other.text().to_owned(),
    };
    pieces.iter().map(swap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    static FILE: SqlFile = SqlFile::with_overrides(
        "sample",
        "-- What this file is for.\n-- name: load\nSELECT a FROM t WHERE b = $1 {for_update}\n\n\
         -- name: save\nINSERT INTO t (a, b) VALUES ($1, $2) -- $9 is no parameter, nor is '$8'\n",
        "",
        "-- name: save\nINSERT INTO t (a, b) SELECT * FROM unnest($1::bigint[], $2::bytea[])\n",
    );

    #[test]
    fn named_statements_are_found_filled_and_overridden() {
        let load = FILE.get("load");
        assert_eq!(load.name, "sample.load");
        assert_eq!(load.text(Engine::Sqlite), "SELECT a FROM t WHERE b = ?1 ");
        assert_eq!(load.text(Engine::Postgres), "SELECT a FROM t WHERE b = $1 FOR UPDATE");
        let save = FILE.get("save");
        assert!(save.text(Engine::Sqlite).starts_with("INSERT INTO t (a, b) VALUES"));
        assert!(save.text(Engine::Postgres).contains("unnest"));
        assert_eq!((load.parameters, save.parameters), (1, 2));
        assert_eq!(FILE.all().count(), 2);
    }

    #[test]
    #[should_panic(expected = "has no statement named \"lod\"")]
    fn a_misspelt_name_says_which_file() {
        let _ = FILE.get("lod");
    }

    #[test]
    fn pieces_join_to_the_same_text() {
        for text in ["", "a", "'it''s' \"q;q\" -- c; BLOB\n/* ; */x=$12;", "'open", "-- end", "汉字 · 𠮷"]
        {
            let joined: String = pieces(text).into_iter().map(Piece::text).collect();
            assert_eq!(joined, text);
        }
    }

    #[test]
    fn a_migration_is_mapped_outside_quotes_and_comments() {
        let text = "-- BLOB and BIGINT here stay;\nCREATE TABLE t (a BIGINT NOT NULL, b BLOB, c TEXT DEFAULT 'BLOB;');\n\
                    create table u (k BLOB PRIMARY KEY) {without_rowid};\nCREATE INDEX i ON t (a);\n";
        let sqlite = migration_text(text, Engine::Sqlite);
        assert_eq!(
            sqlite,
            "-- BLOB and BIGINT here stay;\nCREATE TABLE t (a INTEGER NOT NULL, b BLOB, c TEXT DEFAULT 'BLOB;') STRICT;\n\
             create table u (k BLOB PRIMARY KEY) WITHOUT ROWID, STRICT;\nCREATE INDEX i ON t (a);\n"
        );
        let postgres = migration_text(text, Engine::Postgres);
        assert!(postgres.contains("b BYTEA, c TEXT DEFAULT 'BLOB;'"));
        assert!(postgres.contains("a BIGINT") && postgres.starts_with("-- BLOB and BIGINT here stay;"));
    }
}
