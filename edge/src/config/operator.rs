//! The entries `[[operator]]`.

use std::path::PathBuf;

use hufu_shared::ids::OperatorId;
use serde::Deserialize;

use super::ConfigError;
use super::load::Checker;
use crate::rules::operator::Role;

/// Characters of an operator's name at most.
const NAME_CHARS_MAX: usize = 20;
/// Operators of one terminal at most.
const OPERATORS_MAX: usize = 64;

/// Somebody who signs in at the counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorConfig {
    /// Who, the same at every terminal.
    pub id: OperatorId,
    /// What colleagues call them.
    pub name: String,
    /// What they are at the counter.
    pub role: Role,
    /// File with the hash of their PIN, as `hufu-edge pin` makes it.
    pub pin_file: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOperator {
    id: String,
    name: String,
    role: Role,
    pin_file: PathBuf,
}

pub(super) fn check_all(
    raw: Vec<RawOperator>,
    checker: &Checker<'_>,
) -> Result<Vec<OperatorConfig>, ConfigError> {
    if raw.len() > OPERATORS_MAX {
        return Err(checker.wrong("operator".into(), "at most 64 operators", raw.len().to_string()));
    }
    let mut all: Vec<OperatorConfig> = Vec::with_capacity(raw.len());
    for (at, raw) in raw.into_iter().enumerate() {
        let wrong = |key: &str, expected, met: String| {
            Err(checker.wrong(format!("operator[{at}].{key}"), expected, met))
        };
        let Ok(id) = raw.id.parse() else { return wrong("id", "a UUID", raw.id) };
        if all.iter().any(|other| other.id == id) {
            return wrong("id", "an id of one operator only", raw.id);
        }
        let name = raw.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return wrong("name", "1 to 20 characters", raw.name);
        }
        if raw.pin_file.as_os_str().is_empty() {
            return wrong("pin_file", "the path of a file that hufu-edge pin made", String::new());
        }
        all.push(OperatorConfig { id, name, role: raw.role, pin_file: raw.pin_file });
    }
    Ok(all)
}
