//! The serial port behind a light: opened when it is first needed, and anew after any error.
//!
//! Out of scope: what the bytes say, and answers of the light.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serialport::TTYPort;

use super::{STACK_LIGHT_WRITE_TIMEOUT_MS, SignalError};

/// A port that heals by itself: no error outlives the next cue.
#[derive(Debug)]
pub(super) struct Port {
    path: PathBuf,
    baud: u32,
    open: Option<TTYPort>,
}

impl Port {
    /// The port at `path`, not opened yet.
    pub(super) fn new(path: impl Into<PathBuf>, baud: u32) -> Self {
        Self { path: path.into(), baud, open: None }
    }

    /// Hands over all bytes.
    ///
    /// # Errors
    /// If the port does not open, or does not take them in time.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), SignalError> {
        // Taken out: after an error the port is closed.
        let mut port = self.open.take().map_or_else(|| self.opened(), Ok)?;
        port.write_all(bytes).map_err(|source| SignalError::Write { port: self.path.clone(), source })?;
        self.open = Some(port);
        Ok(())
    }

    fn opened(&self) -> Result<TTYPort, SignalError> {
        serialport::new(self.path.to_string_lossy(), self.baud)
            .timeout(Duration::from_millis(STACK_LIGHT_WRITE_TIMEOUT_MS))
            .open_native()
            .map_err(|source| SignalError::Open { port: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::serial::pty::pty;

    #[test]
    fn a_port_that_was_unplugged_is_an_error_once_and_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("light");
        let mut port = Port::new(&path, 9_600);
        assert!(matches!(port.write(b"a"), Err(SignalError::Open { .. })));
        for _ in 0..2 {
            let (mut master, slave, name) = pty();
            symlink(name, &path).unwrap();
            port.write(b"b").unwrap();
            let mut byte = [0];
            master.read_exact(&mut byte).unwrap();
            assert_eq!(&byte, b"b");
            drop((master, slave));
            std::fs::remove_file(&path).unwrap();
            assert!(matches!(port.write(b"c"), Err(SignalError::Write { .. })), "pulled");
            assert!(matches!(port.write(b"d"), Err(SignalError::Open { .. })), "closed after the error");
        }
    }
}
