//! Configuration: one TOML file, read once at start, checked whole, passed on as plain values.
//!
//! Unknown keys are errors that name the key and the line. Environment variables `HUFU_CENTRAL__SECTION__KEY` override
//! single keys. `deploy/central.example.toml` documents every key.

mod load;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use load::{ConfigError, load, parse};

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where keys, certificates and the embedded database lie.
    pub data: DataConfig,
    /// Which database.
    pub database: DatabaseConfig,
    /// The port that terminals speak to.
    pub device: DeviceConfig,
    /// The port that people speak to.
    pub console: ConsoleConfig,
    /// The club, as `init` founds it.
    pub club: ClubConfig,
    /// What strangers and storms may take.
    pub limits: LimitsConfig,
    /// How people are told what became of their matters.
    pub messages: MessagesConfig,
}

/// Where keys, certificates and the embedded database lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The folder; only its owner may enter it.
    pub dir: PathBuf,
    /// A folder on another disk, in which the journal is written a second time before anybody is answered; empty for
    /// none. Each process over one database needs a folder of its own.
    pub second_path: PathBuf,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { dir: PathBuf::from("/var/lib/hufu-central"), second_path: PathBuf::new() }
    }
}

/// Which database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// `postgres://…`, or a path; empty for `central.db` in the data folder.
    pub url: String,
}

/// The port that terminals speak to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Host names and addresses in the server's certificate; empty for those that `init` was given.
    pub names: Vec<String>,
}

impl Default for DeviceConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([0, 0, 0, 0], 7443)), names: Vec::new() }
    }
}

/// The port that people speak to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsoleConfig {
    /// Where it listens: plain HTTP on a loopback address, TLS on any other.
    pub listen: SocketAddr,
    /// Origins that may show the console inside theirs.
    pub embed_origins: Vec<String>,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 7080)), embed_origins: Vec::new() }
    }
}

/// The club, as `init` founds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClubConfig {
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
}

impl Default for ClubConfig {
    fn default() -> Self {
        Self { name_zh: "客户会".to_owned(), name_en: "Customer club".to_owned() }
    }
}

/// What strangers and storms may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Open connections per port.
    pub connections_max: usize,
    /// Open connections of one address; more behind a load balancer.
    pub connections_per_address_max: usize,
    /// Uploads that may wait for the database; a terminal beyond them is asked to come again.
    pub uploads_waiting_max: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { connections_max: 4096, connections_per_address_max: 256, uploads_waiting_max: 256 }
    }
}

/// How people are told what became of their matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessagesConfig {
    /// Channels in the order in which they are tried.
    pub order: Vec<String>,
    /// File to which letters are added, one line each; empty for none.
    pub file: PathBuf,
    /// Address of the club's own gateway, `http://` on a loopback address; empty for none.
    pub webhook: String,
}

impl Default for MessagesConfig {
    fn default() -> Self {
        let order = ["sms", "email", "letter", "phone"].map(str::to_owned).to_vec();
        Self { order, file: PathBuf::new(), webhook: String::new() }
    }
}

impl MessagesConfig {
    /// Whether a person sends everything.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.file.as_os_str().is_empty() && self.webhook.is_empty()
    }

    /// Whether the gateway's address can be used: names and numbers of members leave in clear, so it must be this
    /// machine's own.
    #[must_use]
    pub fn is_webhook_local(&self) -> bool {
        let Some(rest) = self.webhook.strip_prefix("http://") else { return self.webhook.is_empty() };
        let authority = rest.split('/').next().unwrap_or_default();
        let address: Result<SocketAddr, _> = authority.parse();
        address.is_ok_and(|address| address.ip().is_loopback())
    }
}

impl Config {
    /// Address of the database.
    #[must_use]
    pub fn database_url(&self) -> String {
        match self.database.url.as_str() {
            "" => self.data.dir.join("central.db").display().to_string(),
            url => url.to_owned(),
        }
    }

    /// Folder of the CA.
    #[must_use]
    pub fn ca_dir(&self) -> PathBuf {
        self.data.dir.join("ca")
    }

    /// Folder of the centre's own keys.
    #[must_use]
    pub fn keys_dir(&self) -> PathBuf {
        self.data.dir.join("keys")
    }

    /// The vault's key file.
    #[must_use]
    pub fn vault_key(&self) -> PathBuf {
        self.keys_dir().join("vault.key")
    }

    /// The file in which `init` keeps the names it was given.
    #[must_use]
    pub fn names_file(&self) -> PathBuf {
        self.data.dir.join("names")
    }
}

#[cfg(test)]
mod tests;
