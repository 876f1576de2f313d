//! A centre of its own: founded, filled, served, killed and served again on the same ports over the same data.

use super::books::Engine;
use super::cli;
use crate::kit::clock;
use crate::kit::process::{Program, free_port, program};
use anyhow::{Context as _, Result, ensure};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long `serve` may take until both ports answer.
const SERVE_LIMIT_MS: u64 = 60_000;

/// The centre's files and process.
#[derive(Debug)]
pub struct Centre {
    /// Its folder: configuration, data, logs.
    pub folder: PathBuf,
    /// Where the kit reads its database.
    pub engine: Engine,
    /// The port for terminals.
    pub device: SocketAddr,
    /// The port for people.
    pub console: SocketAddr,
    /// What `init` said: it names the first password.
    pub founding: String,
    program: Option<Program>,
}

impl Centre {
    /// Founds a centre in `folder` on the embedded database, or on `postgres`. `embed` may show its console in frames.
    ///
    /// # Errors
    /// When a command fails.
    pub fn found(folder: &Path, postgres: Option<&str>, embed: &[String]) -> Result<Self> {
        Self::found_with(folder, postgres, embed, &[])
    }

    /// As [`Centre::found`] on the embedded database, founded so many days ago, so that there is room for history.
    ///
    /// # Errors
    /// As [`Centre::found`].
    pub fn found_ago(folder: &Path, embed: &[String], days: u32) -> Result<Self> {
        let began =
            chrono::DateTime::<chrono::Utc>::from(clock::wall()) - chrono::Duration::days(days.into());
        let began = began.format("%Y-%m-%d").to_string();
        Self::found_with(folder, None, embed, &["--founded", &began])
    }

    /// As [`Centre::found`], with further arguments for `init`.
    ///
    /// # Errors
    /// As [`Centre::found`].
    pub fn found_with(
        folder: &Path,
        postgres: Option<&str>,
        embed: &[String],
        arguments: &[&str],
    ) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let engine = match postgres {
            None => Engine::Sqlite(folder.join("data/central.db")),
            Some(url) => Engine::Postgres(url.to_owned()),
        };
        let mut centre = Self {
            folder: folder.to_owned(),
            engine,
            device: local(free_port()?),
            console: local(free_port()?),
            founding: String::new(),
            program: None,
        };
        let embed: Vec<String> = embed.iter().map(|origin| format!("{origin:?}")).collect();
        let config = format!(
            "[data]\ndir = {:?}\n[database]\nurl = {:?}\n[device]\nlisten = \"{}\"\nnames = [\"127.0.0.1\"]\n\
             [console]\nlisten = \"{}\"\nembed_origins = [{}]\n\
             [club]\nname_zh = \"虎符客户会\"\nname_en = \"Hufu Club\"\n",
            folder.join("data"),
            postgres.unwrap_or_default(),
            centre.device,
            centre.console,
            embed.join(", ")
        );
        std::fs::write(centre.config(), config).context("failed to write the centre's configuration")?;
        centre.founding = cli::must(centre.command()?.args(["init", "--name", "127.0.0.1"]).args(arguments))?;
        Ok(centre)
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.join("central.toml")
    }

    /// `hufu-central` with this centre's configuration.
    ///
    /// # Errors
    /// When it is not built.
    pub fn command(&self) -> Result<Command> {
        let mut command = Command::new(program("hufu-central")?);
        command.arg("--config").arg(self.config());
        Ok(command)
    }

    /// Takes a CSV text in as members, cards, offices or activities.
    ///
    /// # Errors
    /// When rows are bad.
    pub fn import(&self, kind: &str, csv: &str) -> Result<()> {
        let path = self.folder.join(format!("{kind}.csv"));
        std::fs::write(&path, csv).with_context(|| format!("failed to write {}", path.display()))?;
        cli::must(self.command()?.args(["import", kind]).arg(&path)).map(drop)
    }

    /// Announces a terminal; the code with which it enrols.
    ///
    /// # Errors
    /// When the command fails or prints no code.
    pub fn invite(&self, office: &str, name: &str) -> Result<String> {
        let said = cli::must(self.command()?.args(["device", "invite", "--office", office, "--name", name]))?;
        let code =
            said.split(|c: char| c.is_whitespace() || c == '"').find(|word| word.starts_with("hufu1-"));
        code.map(str::to_owned).with_context(|| format!("`device invite` printed no code: {said}"))
    }

    /// Starts to serve, and waits until both ports answer.
    ///
    /// # Errors
    /// When it does not in time; shows the end of its log.
    pub fn serve(&mut self) -> Result<()> {
        ensure!(self.program.is_none(), "the centre serves already");
        let mut command = self.command()?;
        command.arg("serve");
        let mut program = Program::spawn("hufu-central", command, &self.log())?;
        let ports = [self.device, self.console];
        program.wait_for("answer on both ports", Duration::from_millis(SERVE_LIMIT_MS), |_| {
            ports.iter().all(|port| TcpStream::connect(port).is_ok()).then_some(())
        })?;
        self.program = Some(program);
        Ok(())
    }

    /// Kills it as a power cut would.
    ///
    /// # Errors
    /// When it did not run.
    pub fn kill(&mut self) -> Result<()> {
        self.program.take().context("the centre does not serve")?.kill_hard()
    }

    /// Stops it in good order.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> Result<()> {
        match self.program.take() {
            Some(mut program) => program.stop().map(drop),
            None => Ok(()),
        }
    }

    /// Its log file.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join("central.log")
    }

    /// Waits until the kit's own SQL gives at least `count`.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn wait_count(&self, sql: &str, count: u64, limit: Duration) -> Result<u64> {
        let mut last = String::new();
        clock::poll(limit, || match self.engine.count(sql) {
            Ok(met) if met >= count => Some(met),
            met => {
                last = format!("{met:?}");
                None
            }
        })
        .with_context(|| format!("`{sql}` did not reach {count} within {limit:?}: {last}"))
    }
}
