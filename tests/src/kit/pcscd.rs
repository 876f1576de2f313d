//! A real pcscd with virtual reader slots.
//!
//! The socket of pcscd has one fixed place, so there is one pcscd per mount namespace. On a machine where none runs
//! it takes the machine's place (the test's own process can then be a client); elsewhere, or when asked to, it runs
//! in a mount namespace of its own, and clients are started in it through [`Pcscd::command`]. A file lock lets one
//! test at a time have a pcscd. Out of scope: readers that can be unplugged (the driver's list is fixed).

use super::clock;
use super::process::Program;
use anyhow::{Context as _, Result, bail};
use rustix::process::Pid;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{File, TryLockError};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Where every client of pcscd looks for it.
const SOCKET: &str = "/run/pcscd/pcscd.comm";
const SOCKET_FOLDER: &str = "/run/pcscd";
/// By its whole path, since an ordinary user's search path may leave it out.
const PCSCD: &str = "/usr/sbin/pcscd";
/// The virtual reader's driver, as the package installs it.
const DRIVER: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
/// One driver instance serves two slots, on a port and the next one.
const SLOTS_PER_DRIVER: usize = 2;
/// The most slots asked for at once.
const SLOTS_MAX: usize = 8;
const LOCK: &str = "/tmp/hufu-pcscd.lock";
const LOCK_LIMIT_MS: u64 = 240_000;
const START_LIMIT_MS: u64 = 15_000;

/// Where the pcscd lives.
#[derive(Debug)]
enum Place {
    Machine,
    /// The holder keeps the namespace while pcscd is killed and started again.
    Namespace(Program),
}

/// A running pcscd; stopped on drop.
#[derive(Debug)]
pub struct Pcscd {
    program: Program,
    place: Place,
    ports: Vec<u16>,
    folder: TempDir,
    _lock: File,
}

impl Pcscd {
    /// Starts one with `slots` slots: in the machine's place when that is free, else in a namespace.
    ///
    /// # Errors
    /// When pcscd or the driver is not installed, another test keeps it too long, or it does not start.
    pub fn start(slots: usize) -> Result<Self> {
        Self::start_where(slots, false)
    }

    /// Starts one in a mount namespace of its own (root only).
    ///
    /// # Errors
    /// As [`Pcscd::start`].
    pub fn start_in_namespace(slots: usize) -> Result<Self> {
        Self::start_where(slots, true)
    }

    fn start_where(slots: usize, always_apart: bool) -> Result<Self> {
        if !(1..=SLOTS_MAX).contains(&slots) {
            bail!("{slots} slots asked for, 1 to {SLOTS_MAX} can be had");
        }
        let lock = take_lock()?;
        // Asked only now: before, it may have been another test's that is gone by now.
        let apart = always_apart || UnixStream::connect(SOCKET).is_ok();
        let folder =
            tempfile::Builder::new().prefix("hufu-pcscd-").tempdir().context("failed to make a folder")?;
        let ports = write_readers(folder.path(), slots)?;
        let place = if apart { Place::Namespace(hold_namespace(folder.path())?) } else { Place::Machine };
        let program = launch(&place, folder.path())?;
        let mut pcscd = Self { program, place, ports, folder, _lock: lock };
        pcscd.wait_ready()?;
        Ok(pcscd)
    }

    /// The TCP port of a slot, counted from 0.
    ///
    /// # Panics
    /// When there is no such slot.
    #[must_use]
    pub fn port(&self, slot: usize) -> u16 {
        self.ports[slot]
    }

    /// The name that pcscd gives the reader of a slot.
    #[must_use]
    pub fn reader_name(&self, slot: usize) -> String {
        format!("{} 00 {:02X}", block_name(slot / SLOTS_PER_DRIVER), slot % SLOTS_PER_DRIVER)
    }

    /// A command that runs `program` where this pcscd can be seen.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        inside(&self.place, program)
    }

    /// The process that holds the namespace, where there is one: `nsenter -m -t PID` enters it.
    #[must_use]
    pub fn namespace(&self) -> Option<Pid> {
        match &self.place {
            Place::Machine => None,
            Place::Namespace(holder) => Some(holder.pid()),
        }
    }

    /// Kills it as a crash would: its socket file stays behind.
    ///
    /// # Errors
    /// When it had ended already.
    pub fn kill_hard(&mut self) -> Result<()> {
        self.program.kill_hard()
    }

    /// Starts it again after [`Pcscd::kill_hard`], with the same slots and ports.
    ///
    /// # Errors
    /// As [`Pcscd::start`].
    pub fn start_again(&mut self) -> Result<()> {
        self.program.stop()?;
        self.program = launch(&self.place, self.folder.path())?;
        self.wait_ready()
    }

    /// What pcscd logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.program.log()
    }

    fn wait_ready(&mut self) -> Result<()> {
        // Both: the socket takes clients, and the driver listens for cards. A connection would count as a card, so
        // the kernel's table of listening ports is read instead.
        let ports = self.ports.clone();
        let socket = match self.namespace() {
            None => PathBuf::from(SOCKET),
            Some(holder) => PathBuf::from(format!("/proc/{holder}/root{SOCKET}")),
        };
        self.program.wait_for("listening socket and slots", Duration::from_millis(START_LIMIT_MS), |_| {
            (UnixStream::connect(&socket).is_ok() && ports.iter().all(|port| is_listening(*port)))
                .then_some(())
        })
    }
}

/// A command that runs `program` inside the mount namespace held by process `holder`.
#[must_use]
pub fn command_in_namespace(holder: i32, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--mount=/proc/{holder}/ns/mnt")).arg("--").arg(program);
    command
}

fn inside(place: &Place, program: impl AsRef<OsStr>) -> Command {
    match place {
        Place::Machine => Command::new(program),
        Place::Namespace(holder) => command_in_namespace(holder.pid().as_raw_nonzero().get(), program),
    }
}

fn launch(place: &Place, folder: &Path) -> Result<Program> {
    let mut command = inside(place, PCSCD);
    command.arg("--foreground").arg("--info").arg("--config").arg(folder.join("readers"));
    // From 2.x on it asks a policy daemon that a bare machine does not have.
    let help = Command::new(PCSCD).arg("--help").output().context("failed to run pcscd: is it installed?")?;
    if String::from_utf8_lossy(&help.stdout).contains("disable-polkit") {
        command.arg("--disable-polkit");
    }
    Program::spawn("pcscd", command, &folder.join("pcscd.log"))
}

fn hold_namespace(folder: &Path) -> Result<Program> {
    std::fs::create_dir_all(SOCKET_FOLDER).with_context(|| format!("failed to make {SOCKET_FOLDER}"))?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c"]);
    command.arg(format!(
        "mount -t tmpfs tmpfs {SOCKET_FOLDER} && echo namespace is ready && exec sleep infinity"
    ));
    let mut holder = Program::spawn("namespace holder", command, &folder.join("namespace.log"))?;
    holder.wait_for_line("namespace is ready", Duration::from_millis(START_LIMIT_MS))?;
    Ok(holder)
}

/// One folder with the drivers and the list of readers; the ports of the slots.
fn write_readers(folder: &Path, slots: usize) -> Result<Vec<u16>> {
    if !Path::new(DRIVER).exists() {
        bail!("{DRIVER} is missing: install the package vsmartcard-vpcd");
    }
    let readers = folder.join("readers");
    std::fs::create_dir(&readers).context("failed to make the readers' folder")?;
    let mut text = String::new();
    let mut ports = Vec::new();
    for block in 0..slots.div_ceil(SLOTS_PER_DRIVER) {
        // Each block has a copy of the driver: one loaded file has one table of slots.
        let driver = folder.join(format!("libifdvpcd{block}.so"));
        std::fs::copy(DRIVER, &driver).with_context(|| format!("failed to copy {DRIVER}"))?;
        let base = free_pair(&ports)?;
        let name = block_name(block);
        let driver = driver.display();
        writeln!(
            text,
            "FRIENDLYNAME \"{name}\"\nDEVICENAME /dev/null:0x{base:X}\nLIBPATH {driver}\nCHANNELID 0x{base:X}\n"
        )
        .context("failed to write the list of readers")?;
        ports.extend([base, base + 1]);
    }
    std::fs::write(readers.join("hufu"), text).context("failed to write the list of readers")?;
    ports.truncate(slots);
    Ok(ports)
}

fn block_name(block: usize) -> String {
    format!("Hufu Virtual {}", char::from(b'A' + u8::try_from(block).unwrap_or(25)))
}

/// A port whose successor is free as well.
fn free_pair(taken: &[u16]) -> Result<u16> {
    for _ in 0..100 {
        let first = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).context("failed to find a free port")?;
        let base = first.local_addr().context("failed to read the free port")?.port();
        let Some(next) = base.checked_add(1) else { continue };
        if !taken.contains(&base)
            && !taken.contains(&next)
            && TcpListener::bind((Ipv4Addr::UNSPECIFIED, next)).is_ok()
        {
            return Ok(base);
        }
    }
    bail!("failed to find two free ports in a row")
}

/// Whether some process listens on the TCP port, by the kernel's own table.
fn is_listening(port: u16) -> bool {
    const LISTEN: &str = "0A";
    let wanted = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().filter_map(|table| std::fs::read_to_string(table).ok()).any(
        |table| {
            table.lines().skip(1).any(|line| {
                let mut fields = line.split_whitespace().skip(1);
                let local = fields.next().unwrap_or_default();
                let state = fields.nth(1).unwrap_or_default();
                local.ends_with(&wanted) && state == LISTEN
            })
        },
    )
}

fn take_lock() -> Result<File> {
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(LOCK)
        .with_context(|| format!("failed to open {LOCK}"))?;
    let taken = clock::poll(Duration::from_millis(LOCK_LIMIT_MS), || match lock.try_lock() {
        Ok(()) => Some(Ok(())),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(error)) => Some(Err(error)),
    });
    taken
        .with_context(|| format!("another pcscd of a test held {LOCK} for {LOCK_LIMIT_MS} ms"))?
        .with_context(|| format!("failed to lock {LOCK}"))?;
    Ok(lock)
}
