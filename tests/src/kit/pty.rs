//! A serial device made of a pseudo-terminal: the cable of a stripe reader or of a stack light, with a stable name that can be unplugged.
//!
//! A pty has no baud rate and no modem lines, so those parts of a real port are out of scope.

use anyhow::{Context as _, Result};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A pty pair behind a symlink that plays `/dev/serial/by-id/...`.
#[derive(Debug)]
pub struct SerialCable {
    link: PathBuf,
    ends: Option<Ends>,
}

#[derive(Debug)]
struct Ends {
    device: File,
    // Kept open: with no open end the kernel forgets that the line is raw.
    _terminal: File,
}

impl SerialCable {
    /// Makes the pair and the symlink `link`; an old symlink there is replaced, a real file is not.
    ///
    /// # Errors
    /// When the system has no more ptys or the link cannot be made.
    pub fn plug_in(link: &Path) -> Result<Self> {
        let mut cable = Self { link: link.to_owned(), ends: None };
        cable.replug()?;
        Ok(cable)
    }

    /// The path that a reader is configured with.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.link
    }

    /// Writes bytes as the device does, at once.
    ///
    /// # Errors
    /// When it is unplugged.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let ends = self.ends.as_mut().with_context(|| format!("{} is unplugged", self.link.display()))?;
        ends.device.write_all(bytes).with_context(|| format!("failed to write to {}", self.link.display()))
    }

    /// What the other side has written and nobody has read yet; empty while unplugged.
    ///
    /// # Errors
    /// When the line cannot be read.
    pub fn take(&mut self) -> Result<Vec<u8>> {
        let Some(ends) = self.ends.as_mut() else { return Ok(Vec::new()) };
        let wait = || format!("failed to read {}", self.link.display());
        let waiting = rustix::io::ioctl_fionread(&ends.device).with_context(wait)?;
        let mut bytes = vec![0; usize::try_from(waiting).with_context(wait)?];
        ends.device.read_exact(&mut bytes).with_context(wait)?;
        Ok(bytes)
    }

    /// Writes in pieces with a pause between them, as slow lines deliver.
    ///
    /// # Errors
    /// As [`SerialCable::write`].
    pub fn write_pieces(&mut self, pieces: &[&[u8]], pause: Duration) -> Result<()> {
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                std::thread::sleep(pause);
            }
            self.write(piece)?;
        }
        Ok(())
    }

    /// Pulls the cable: whoever has it open sees it break, and the path is gone.
    ///
    /// # Errors
    /// When the link cannot be removed.
    pub fn unplug(&mut self) -> Result<()> {
        if self.ends.take().is_some() {
            std::fs::remove_file(&self.link)
                .with_context(|| format!("failed to remove {}", self.link.display()))?;
        }
        Ok(())
    }

    /// Plugs it in again, as another device file behind the same path.
    ///
    /// # Errors
    /// As [`SerialCable::plug_in`].
    pub fn replug(&mut self) -> Result<()> {
        self.unplug()?;
        // Closed on exec, as files are: another process that inherited the ends would keep the line plugged in.
        let device = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .context("failed to make a pty")?;
        grantpt(&device).and_then(|()| unlockpt(&device)).context("failed to unlock the pty")?;
        let name = ptsname(&device, Vec::new()).context("failed to name the pty")?;
        let device_path = Path::new(OsStr::from_bytes(name.as_bytes())).to_owned();
        let terminal = File::options()
            .read(true)
            .write(true)
            .open(&device_path)
            .with_context(|| format!("failed to open {}", device_path.display()))?;
        let mut line = tcgetattr(&terminal).context("failed to read the line settings")?;
        line.make_raw();
        tcsetattr(&terminal, OptionalActions::Now, &line).context("failed to make the line raw")?;
        if self.link.is_symlink() {
            std::fs::remove_file(&self.link)
                .with_context(|| format!("failed to replace {}", self.link.display()))?;
        }
        symlink(&device_path, &self.link)
            .with_context(|| format!("failed to link {}", self.link.display()))?;
        self.ends = Some(Ends { device: File::from(device), _terminal: terminal });
        Ok(())
    }
}

impl Drop for SerialCable {
    fn drop(&mut self) {
        if let Err(error) = self.unplug() {
            eprintln!("failed to unplug: {error:#}");
        }
    }
}
