//! A terminal of its own: enrolled, run, killed and run again over the same data, behind a cable that can be cut.

use super::centre::Centre;
use super::cli;
use super::counter::Counter;
use super::journal::{self, Journal};
use crate::kit::network::Cable;
use crate::kit::pcscd;
use crate::kit::process::{Program, free_port, program};
use anyhow::{Context as _, Result, ensure};
use rustix::process::Pid;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long `run` may take until its counter page answers.
const RUN_LIMIT_MS: u64 = 60_000;

/// What a terminal is made of.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Its name at the counter.
    pub name: String,
    /// Code of its office.
    pub office: String,
    /// The `[[reader]]` entries.
    pub readers: String,
    /// Sizes of its displays, each `WIDTHxHEIGHT` or `WIDTHxHEIGHT mono`; each is a picture file and in the page.
    pub display: String,
    /// Origins that may show its counter page in frames.
    pub embed: Vec<String>,
    /// Address of the tray that the counter page shows.
    pub simulator: String,
    /// Process that holds the mount namespace of its pcscd, where there is one.
    pub namespace: Option<i32>,
    /// The program that it runs, where it is not the one beside this test.
    pub program: Option<PathBuf>,
}

/// A terminal's files, cable and process.
#[derive(Debug)]
pub struct Terminal {
    /// Its name.
    pub name: String,
    /// Its folder: configuration, data, logs.
    pub folder: PathBuf,
    /// Its way to the centre.
    pub cable: Cable,
    /// Its counter page.
    pub counter: Counter,
    /// How often it was started.
    pub starts: u64,
    namespace: Option<i32>,
    edge: Option<PathBuf>,
    program: Option<Program>,
}

impl Terminal {
    /// Enrols a terminal with a serving centre.
    ///
    /// # Errors
    /// When a command fails.
    pub fn enrol(folder: &Path, centre: &Centre, wishes: &Wishes) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
        let cable = Cable::plug_in(centre.device)?;
        let port = free_port()?;
        let url = format!("https://127.0.0.1:{}", cable.port());
        std::fs::write(folder.join("edge.toml"), config(folder, &url, port, wishes))
            .context("failed to write the terminal's configuration")?;
        let terminal = Self {
            name: wishes.name.clone(),
            folder: folder.to_owned(),
            cable,
            counter: Counter::at(format!("http://127.0.0.1:{port}"))?,
            starts: 0,
            namespace: wishes.namespace,
            edge: wishes.program.clone(),
            program: None,
        };
        let code = centre.invite(&wishes.office, &wishes.name)?;
        cli::must(terminal.command()?.args(["enrol", "--central", &url, "--code", &code]))?;
        Ok(terminal)
    }

    /// Enrols a terminal of an office in a folder beside others, starts it, and waits until it knows its office.
    ///
    /// # Errors
    /// When a command fails, or it does not in time.
    pub fn at_work(folder: &Path, centre: &Centre, name: &str, office: &str) -> Result<Self> {
        let wishes = Wishes { name: name.to_owned(), office: office.to_owned(), ..Wishes::default() };
        let mut terminal = Self::enrol(&folder.join(name), centre, &wishes)?;
        terminal.run()?;
        terminal.counter.wait("office", Duration::from_millis(RUN_LIMIT_MS), |state| {
            state["office"]["zh"].as_str().filter(|zh| !zh.is_empty()).map(drop)
        })?;
        Ok(terminal)
    }

    /// `hufu-edge` with this terminal's configuration, where its pcscd can be seen.
    ///
    /// # Errors
    /// When it is not built.
    pub fn command(&self) -> Result<Command> {
        let edge = self.edge.clone().map_or_else(|| program("hufu-edge"), Ok)?;
        let mut command = match self.namespace {
            Some(holder) => pcscd::command_in_namespace(holder, edge),
            None => Command::new(edge),
        };
        command.arg("--config").arg(self.folder.join("edge.toml"));
        Ok(command)
    }

    /// Starts it and waits until its counter page answers.
    ///
    /// # Errors
    /// When it does not in time; shows the end of its log.
    pub fn run(&mut self) -> Result<()> {
        ensure!(self.program.is_none(), "{} runs already", self.name);
        let mut command = self.command()?;
        command.arg("run");
        let mut program = Program::spawn(&self.name, command, &self.folder.join("edge.log"))?;
        let counter = &self.counter;
        let limit = Duration::from_millis(RUN_LIMIT_MS);
        program.wait_for("answer of the counter page", limit, |_| counter.state().ok())?;
        self.program = Some(program);
        self.starts += 1;
        Ok(())
    }

    /// Kills it as a power cut would.
    ///
    /// # Errors
    /// When it did not run.
    pub fn kill(&mut self) -> Result<()> {
        self.program.take().with_context(|| format!("{} does not run", self.name))?.kill_hard()
    }

    /// Whether it was started and not killed or stopped by the kit.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.program.is_some()
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

    /// Its process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<Pid> {
        self.program.as_ref().map(Program::pid)
    }

    /// Its data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The picture file of its display.
    #[must_use]
    pub fn picture(&self) -> PathBuf {
        self.folder.join("display.png")
    }

    /// Its journal as it lies on the disk.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn journal(&self) -> Result<Journal> {
        journal::read(&self.data_dir())
    }

    /// Waits until its page says what the connection to the centre is.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn wait_online(&self, online: bool, limit: Duration) -> Result<()> {
        let what = if online { "connection" } else { "loss of the connection" };
        self.counter.wait(what, limit, |state| (state["link"]["online"] == online).then_some(()))
    }

    /// Waits until the centre has receipted everything that the journal holds.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn wait_drained(&self, limit: Duration) -> Result<()> {
        self.counter.wait("empty queue", limit, |state| {
            let journal = self.journal().ok()?;
            (state["link"]["queue_len"] == 0 && journal.acked_seq == journal.last_seq()).then_some(())
        })
    }
}

fn config(folder: &Path, url: &str, port: u16, wishes: &Wishes) -> String {
    let embed: Vec<String> = wishes.embed.iter().map(|origin| format!("{origin:?}")).collect();
    let mut text = format!(
        "[terminal]\ndata_dir = {:?}\nlanguage = \"zh-CN\"\n[central]\nurl = {url:?}\n\
         [counter]\nlisten = \"127.0.0.1:{port}\"\nembed_origins = [{}]\n{}",
        folder.join("data"),
        embed.join(", "),
        wishes.readers
    );
    let (size, depth) = wishes.display.split_once(' ').unwrap_or((&wishes.display, ""));
    if !size.is_empty() {
        let mono = if depth == "mono" { "mono = true\n" } else { "" };
        let picture = folder.join("display.png");
        let _ = write!(
            text,
            "[[display]]\nkind = \"png\"\npath = {picture:?}\nsize = {size:?}\n{mono}\
             [[display]]\nkind = \"desk\"\nsize = {size:?}\n{mono}"
        );
    }
    if !wishes.simulator.is_empty() {
        let _ = write!(text, "[simulator]\nurl = {:?}\n", wishes.simulator);
    }
    text
}
