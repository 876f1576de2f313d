//! What can be wrong with a configuration, said so that a person can repair it.

use std::path::PathBuf;

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("read configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}, line {line}: {detail}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Line from 1; 0 if the fault has no place.
        line: usize,
        /// What was met and what was expected.
        detail: String,
    },
    /// A value is of the right type but not possible.
    #[error("{}, key {key}: expected {expected}, met {met:?}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key, as `section.key`.
        key: String,
        /// What would do.
        expected: &'static str,
        /// What is there.
        met: String,
    },
    /// An environment variable names no key, or gives it a wrong value.
    #[error("environment variable {name}: {detail}")]
    Environment {
        /// The variable.
        name: String,
        /// What was met and what was expected.
        detail: String,
    },
}
