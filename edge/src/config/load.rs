//! Reading the file and the environment, and checking what was read.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::display::OneOrMany;
use super::operator::{self, RawOperator};
use super::printer::RawPrinter;
use super::reader::{self, RawReader};
use super::signal::RawSignal;
use super::{CentralConfig, Config, ConfigError, CounterConfig, TerminalConfig};
use crate::locale::Language;
use crate::rules::gate::{Gate, Gates};

/// Where the configuration is if nobody says otherwise.
pub const CONFIG_PATH: &str = "/etc/hufu/edge.toml";
/// How loud the counter page sounds where nothing is said, in percent.
const VOLUME_DEFAULT: u8 = 70;
/// How environment variables that override a key begin.
const ENV_PREFIX: &str = "HUFU_EDGE__";
/// Numbers that a gate can have.
const GATE_RANGE: std::ops::RangeInclusive<u16> = 1..=99;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    terminal: RawTerminal,
    central: RawCentral,
    #[serde(default)]
    counter: RawCounter,
    #[serde(default)]
    reader: Vec<RawReader>,
    #[serde(default)]
    display: OneOrMany,
    #[serde(default)]
    operator: Vec<RawOperator>,
    signal: Option<RawSignal>,
    printer: Option<RawPrinter>,
    #[serde(default)]
    simulator: RawSimulator,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerminal {
    data_dir: PathBuf,
    #[serde(default)]
    language: Language,
    #[serde(default)]
    way: Gate,
    gate: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCentral {
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawCounter {
    listen: String,
    listen_unpaired: bool,
    tablets: String,
    embed_origins: Vec<String>,
    volume: u8,
    voice_dir: PathBuf,
}

impl Default for RawCounter {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7090".to_owned(),
            listen_unpaired: false,
            tablets: String::new(),
            embed_origins: Vec::new(),
            volume: VOLUME_DEFAULT,
            voice_dir: PathBuf::new(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawSimulator {
    url: String,
}

/// Makes errors that name the file.
pub(super) struct Checker<'a> {
    path: &'a Path,
}

impl Checker<'_> {
    pub(super) fn wrong(&self, key: String, expected: &'static str, met: String) -> ConfigError {
        ConfigError::Value { path: self.path.to_owned(), key, expected, met }
    }
}

/// Reads the file at `path` and applies `environment`, usually that of the process.
///
/// # Errors
/// [`ConfigError`] that names file, line or key, and what was expected.
pub fn load(
    path: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    parse(path, &text, environment)
}

/// As [`load`], of a text; `path` is only named in errors.
///
/// # Errors
/// As [`load`].
pub fn parse(
    path: &Path,
    text: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let overrides: Vec<(String, String)> =
        environment.into_iter().filter(|(name, _)| name.starts_with(ENV_PREFIX)).collect();
    let file_error = |error: &toml::de::Error| {
        let line =
            error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        ConfigError::File { path: path.to_owned(), line, detail: error.message().to_owned() }
    };
    let raw = if overrides.is_empty() {
        toml::from_str(text).map_err(|error| file_error(&error))?
    } else {
        let mut table: toml::Table = toml::from_str(text).map_err(|error| file_error(&error))?;
        let unchanged: Result<RawConfig, _> = toml::from_str(text);
        for (name, value) in &overrides {
            set(&mut table, name, value)?;
        }
        let changed: Result<RawConfig, toml::de::Error> = table.try_into();
        match (changed, unchanged) {
            (Ok(changed), _) => changed,
            // The file alone is at fault: its error has a line.
            (Err(_), Err(error)) => return Err(file_error(&error)),
            (Err(error), Ok(_)) => {
                let names: Vec<&str> = overrides.iter().map(|(name, _)| name.as_str()).collect();
                let detail = error.message().to_owned();
                return Err(ConfigError::Environment { name: names.join(", "), detail });
            }
        }
    };
    check(path, raw)
}

/// Sets one key of one section from an environment variable.
fn set(table: &mut toml::Table, name: &str, value: &str) -> Result<(), ConfigError> {
    let wrong = |detail: &str| ConfigError::Environment { name: name.to_owned(), detail: detail.to_owned() };
    let rest = name.strip_prefix(ENV_PREFIX).unwrap_or_default().to_lowercase();
    let (section, key) =
        rest.split_once("__").ok_or_else(|| wrong("expected HUFU_EDGE__SECTION__KEY, met no section"))?;
    let entry = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let Some(section) = entry.as_table_mut() else {
        return Err(wrong("lists are set in the file only"));
    };
    // A word is text, unless it reads as a number, a truth value or a list.
    let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"));
    let parsed = parsed.ok().and_then(|mut table| table.remove("value"));
    section.insert(key.to_owned(), parsed.unwrap_or_else(|| toml::Value::String(value.to_owned())));
    Ok(())
}

/// Where the readers stand.
fn gates(own: Option<u16>, readers: &[RawReader], checker: &Checker<'_>) -> Result<Gates, ConfigError> {
    let numbered = |key: String, gate: Option<u16>| match gate {
        Some(met) if !GATE_RANGE.contains(&met) => Err(checker.wrong(key, "1 to 99", met.to_string())),
        other => Ok(other),
    };
    let own = numbered("terminal.gate".into(), own)?;
    let readers = readers.iter().enumerate();
    let readers = readers.map(|(at, reader)| numbered(format!("reader[{at}].gate"), reader.gate));
    Ok(Gates { own, readers: readers.collect::<Result<_, _>>()? })
}

/// Where tablets are served, if anywhere.
fn tablets(met: &str, checker: &Checker<'_>) -> Result<Option<SocketAddr>, ConfigError> {
    if met.is_empty() {
        return Ok(None);
    }
    let expected = "address:port, such as 0.0.0.0:7091";
    met.parse().map(Some).map_err(|_| checker.wrong("counter.tablets".into(), expected, met.to_owned()))
}

fn check(path: &Path, raw: RawConfig) -> Result<Config, ConfigError> {
    let checker = Checker { path };
    if raw.terminal.data_dir.as_os_str().is_empty() {
        return Err(checker.wrong("terminal.data_dir".into(), "the path of a folder", String::new()));
    }
    let url = raw.central.url.trim_end_matches('/').to_owned();
    if url.strip_prefix("https://").is_none_or(|host| host.is_empty() || host.contains('/')) {
        return Err(checker.wrong("central.url".into(), "https://host:port", raw.central.url));
    }
    let listen: SocketAddr = raw.counter.listen.parse().map_err(|_| {
        checker.wrong("counter.listen".into(), "address:port, such as 127.0.0.1:7090", raw.counter.listen)
    })?;
    if !listen.ip().is_loopback() && !raw.counter.listen_unpaired {
        return Err(checker.wrong(
            "counter.listen".into(),
            "a loopback address (tablets have counter.tablets), or counter.listen_unpaired = true",
            listen.to_string(),
        ));
    }
    let tablets = tablets(&raw.counter.tablets, &checker)?;
    for origin in &raw.counter.embed_origins {
        let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if host.is_none_or(|host| host.is_empty() || host.contains(['/', ' ', ';', ','])) {
            let expected = "origins such as http://127.0.0.1:7080";
            return Err(checker.wrong("counter.embed_origins".into(), expected, origin.clone()));
        }
    }
    if raw.counter.volume > 100 {
        let met = raw.counter.volume.to_string();
        return Err(checker.wrong("counter.volume".into(), "0 to 100 percent", met));
    }
    let gates = gates(raw.terminal.gate, &raw.reader, &checker)?;
    let readers = raw.reader.into_iter().enumerate();
    let readers: Vec<_> = readers.map(|(at, raw)| raw.check(at, &checker)).collect::<Result<_, _>>()?;
    reader::check_all(&readers, &checker)?;
    let displays = raw.display.0.into_iter().enumerate();
    Ok(Config {
        terminal: TerminalConfig {
            data_dir: raw.terminal.data_dir,
            language: raw.terminal.language,
            way: raw.terminal.way,
        },
        central: CentralConfig { url },
        counter: CounterConfig {
            listen,
            listen_unpaired: raw.counter.listen_unpaired,
            tablets,
            embed_origins: raw.counter.embed_origins,
            volume: raw.counter.volume,
            voice_dir: Some(raw.counter.voice_dir).filter(|dir| !dir.as_os_str().is_empty()),
        },
        readers,
        gates,
        displays: displays.map(|(at, raw)| raw.check(at, &checker)).collect::<Result<_, _>>()?,
        operators: operator::check_all(raw.operator, &checker)?,
        signal: raw.signal.map(|signal| signal.check(&checker)).transpose()?,
        printer: raw.printer.map(|printer| printer.check(&checker)).transpose()?,
        simulator_url: Some(raw.simulator.url).filter(|url| !url.is_empty()),
    })
}
