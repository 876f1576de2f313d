//! Reading the file and the environment.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Config;

/// Environment variables that override keys begin like this.
const ENV_PREFIX: &str = "HUFU_CENTRAL__";

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("read the configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A key or value in the file is wrong; the text names line, key and what is expected.
    #[error("configuration {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Line, key and expectation.
        source: Box<toml::de::Error>,
    },
    /// An environment variable is wrong.
    #[error("environment variable {name}: {reason}")]
    Env {
        /// Its name.
        name: String,
        /// What was met and what is expected.
        reason: String,
    },
    /// A value cannot be used.
    #[error("configuration key {key}: {reason}")]
    Value {
        /// `section.key`.
        key: &'static str,
        /// What was met and what is expected.
        reason: String,
    },
}

/// Reads the file and the environment.
///
/// # Errors
/// [`ConfigError`] naming file, line and key.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let overrides = std::env::vars().filter(|(name, _)| name.starts_with(ENV_PREFIX)).collect();
    parse(path, &text, overrides)
}

/// The configuration of a text and of environment variables, checked.
///
/// # Errors
/// [`ConfigError`] naming line and key, or the variable.
pub fn parse(path: &Path, text: &str, overrides: Vec<(String, String)>) -> Result<Config, ConfigError> {
    let wrong =
        |source: toml::de::Error| ConfigError::File { path: path.to_owned(), source: Box::new(source) };
    // Read once alone, so that an error of the file is told with its line.
    let mut config: Config = toml::from_str(text).map_err(wrong)?;
    let mut table: Table = toml::from_str(text).map_err(wrong)?;
    for (name, value) in overrides {
        config = override_key(&mut table, &name, &value)?;
    }
    validate(&config)?;
    Ok(config)
}

/// Sets one key; the text is taken as TOML (`true`, `7`, `["a"]`) where that fits the key, else as a string.
fn override_key(table: &mut Table, name: &str, text: &str) -> Result<Config, ConfigError> {
    let wrong = |reason: String| ConfigError::Env { name: name.to_owned(), reason };
    let path = name.strip_prefix(ENV_PREFIX).unwrap_or(name).to_lowercase();
    let Some((section, key)) = path.split_once("__") else {
        return Err(wrong("expected HUFU_CENTRAL__SECTION__KEY".to_owned()));
    };
    let as_toml = toml::from_str::<Table>(&format!("v = {text}")).ok().and_then(|mut read| read.remove("v"));
    let as_text = Value::String(text.to_owned());
    let mut failure = String::new();
    for value in as_toml.into_iter().chain([as_text]) {
        let mut changed = table.clone();
        let entry = changed.entry(section).or_insert_with(|| Value::Table(Table::new()));
        let Some(inner) = entry.as_table_mut() else {
            return Err(wrong(format!("{section} is not a section")));
        };
        inner.insert(key.to_owned(), value);
        match Config::deserialize_table(changed.clone()) {
            Ok(config) => {
                *table = changed;
                return Ok(config);
            }
            Err(error) => failure = error.message().to_owned(),
        }
    }
    Err(wrong(failure))
}

impl Config {
    fn deserialize_table(table: Table) -> Result<Self, toml::de::Error> {
        table.try_into()
    }
}

fn validate(config: &Config) -> Result<(), ConfigError> {
    let wrong = |key, reason: &str| Err(ConfigError::Value { key, reason: reason.to_owned() });
    if config.data.dir.as_os_str().is_empty() {
        return wrong("data.dir", "expected a folder, met nothing");
    }
    if config.club.name_zh.trim().is_empty() || config.club.name_en.trim().is_empty() {
        return wrong("club.name_zh", "expected the club's name in both languages, met nothing");
    }
    let limits = &config.limits;
    if limits.connections_max == 0
        || limits.connections_per_address_max == 0
        || limits.uploads_waiting_max == 0
    {
        return wrong("limits", "expected numbers above 0");
    }
    for origin in &config.console.embed_origins {
        if !origin.starts_with("https://") && !origin.starts_with("http://") {
            return Err(ConfigError::Value {
                key: "console.embed_origins",
                reason: format!("expected origins such as https://intranet.example.com, met {origin:?}"),
            });
        }
    }
    if !config.messages.is_webhook_local() {
        let reason =
            "expected http:// and a loopback address with its port, such as http://127.0.0.1:9080/messages";
        return wrong("messages.webhook", reason);
    }
    Ok(())
}
