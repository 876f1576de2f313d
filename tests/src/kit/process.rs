//! A program under test or a service: started with a log file, waited for, killed and stopped by its own id.
//!
//! Never by name: other copies may run on the same machine. Out of scope: what the program is.

use super::clock;
use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long a program may take to end after SIGTERM before it is killed.
const STOP_LIMIT_MS: u64 = 8_000;
/// How much of the log an error shows, in characters.
const LOG_TAIL_CHARS: usize = 3_000;

/// A running child process whose output goes to a log file.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
    status: Option<ExitStatus>,
    stop_signal: Signal,
}

impl Program {
    /// Starts `command` with standard output and error appended to `log`.
    ///
    /// # Errors
    /// When the log cannot be opened or the program cannot be started; both name the path.
    pub fn spawn(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("failed to open the log {}", log.display()))?;
        let err = out.try_clone().context("failed to share the log")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .with_context(|| format!("failed to start {name}: {command:?}"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
            status: None,
            stop_signal: Signal::TERM,
        })
    }

    /// Sends `signal` instead of SIGTERM when it is to stop (PostgreSQL: SIGQUIT is its immediate stop).
    #[must_use]
    pub fn stopped_by(mut self, signal: Signal) -> Self {
        self.stop_signal = signal;
        self
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status.is_none()
    }

    /// Everything written so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Waits for the first log line that contains `needle`.
    ///
    /// # Errors
    /// When the time limit passes or the program ends first; both show the end of the log.
    pub fn wait_for_line(&mut self, needle: &str, limit: Duration) -> Result<String> {
        self.wait_for(&format!("a line with `{needle}`"), limit, |program| {
            program.log().lines().find(|line| line.contains(needle)).map(str::to_owned)
        })
    }

    /// Waits until `look` gives something.
    ///
    /// # Errors
    /// As [`Program::wait_for_line`].
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&mut Self) -> Option<T>,
    ) -> Result<T> {
        let found = clock::poll(limit, || {
            // Looked at before the test for the end: a short program may have written its line and gone.
            let ended = !self.is_running();
            match look(self) {
                Some(found) => Some(Ok(found)),
                None if ended => Some(Err(())),
                None => None,
            }
        });
        match found {
            Some(Ok(found)) => Ok(found),
            Some(Err(())) => bail!(
                "{} ended ({:?}) before {what} came; its log ends:\n{}",
                self.name,
                self.status,
                self.log_tail()
            ),
            None => bail!("{} gave no {what} in {limit:?}; its log ends:\n{}", self.name, self.log_tail()),
        }
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let skip = log.chars().count().saturating_sub(LOG_TAIL_CHARS);
        log.chars().skip(skip).collect()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When the time limit passes.
    pub fn wait_exit(&mut self, limit: Duration) -> Result<ExitStatus> {
        clock::poll(limit, || if self.is_running() { None } else { self.status }).with_context(|| {
            format!("{} still runs after {limit:?}; its log ends:\n{}", self.name, self.log_tail())
        })
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        if !self.is_running() {
            bail!("{} has ended already ({:?})", self.name, self.status);
        }
        kill_process(self.pid(), signal)
            .with_context(|| format!("failed to send {signal:?} to {}", self.name))
    }

    /// Power cut for a process: SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// When it had ended before, or does not go.
    pub fn kill_hard(&mut self) -> Result<()> {
        self.signal(Signal::KILL)?;
        self.wait_exit(Duration::from_millis(STOP_LIMIT_MS)).map(drop)
    }

    /// Asks it to stop, waits, and kills it if it does not; gives how it ended.
    ///
    /// # Errors
    /// When it is not gone even after SIGKILL.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        let limit = Duration::from_millis(STOP_LIMIT_MS);
        if self.is_running() {
            self.signal(self.stop_signal)?;
            if self.wait_exit(limit).is_err() {
                self.signal(Signal::KILL)?;
            }
        }
        self.wait_exit(limit)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("failed to stop {}: {error:#}", self.name);
        }
    }
}

/// A TCP port of 127.0.0.1 that is free now.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to find a free port")?;
    Ok(listener.local_addr().context("failed to read the free port")?.port())
}

/// The root of the work tree that this kit was built from.
#[must_use]
pub fn tree_root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// Where a program of the workspace (`hufu-edge`, `desk` ...) was built, beside the running test.
///
/// # Errors
/// When it has not been built; the message says how to.
pub fn program(name: &str) -> Result<PathBuf> {
    let me = std::env::current_exe().context("failed to find the running program")?;
    let beside = me.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    beside.with_context(|| {
        let package = if name.starts_with("hufu-") { name } else { "hufu-tests" };
        format!("{name} is not built beside {}: run `cargo build -p {package} --bin {name}`", me.display())
    })
}

/// Whether this process may become another user.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
