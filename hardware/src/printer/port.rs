//! How bytes get to a printer: a serial port, a USB device file or a TCP socket, all with time limits.
//!
//! Invariants: no call waits longer than its limit; a printer that takes no more bytes (out of paper, its buffer full)
//! ends in an error and never holds the thread for ever; after any error the port is opened anew.
//!
//! Out of scope: what the bytes say. USB printers are used through the kernel's `usblp` file, which carries bytes both
//! ways; permissions come from the udev rules under `deploy/`.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

/// How long a port may take no byte at all before the printer counts as stuck, in milliseconds.
pub const WRITE_STUCK_MS: u64 = 4_000;
/// How long opening a TCP connection may take, in milliseconds.
pub const CONNECT_MS: u64 = 2_000;
/// Bytes handed over at once: little enough that a slow port never exceeds [`WRITE_STUCK_MS`] for one piece.
const PIECE_BYTES: usize = 512;

/// Where a printer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterPort {
    /// A serial port, 8 data bits, no parity, 1 stop bit, XON/XOFF off.
    Serial {
        /// Its path; use one that stays, such as `/dev/serial/by-id/…`.
        path: PathBuf,
        /// Bits per second.
        baud: u32,
    },
    /// A device file that takes bytes, such as `/dev/usb/lp0`. A plain file works too: it is written over.
    Device {
        /// Its path.
        path: PathBuf,
    },
    /// A network printer, usually on port 9100.
    Tcp {
        /// `host:port`.
        address: String,
    },
}

impl PrinterPort {
    /// As the configuration names it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Serial { path, .. } | Self::Device { path } => path.display().to_string(),
            Self::Tcp { address } => address.clone(),
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// Why it cannot be opened now.
    pub(super) fn open(&self) -> io::Result<Box<dyn Wire>> {
        Ok(match self {
            Self::Serial { path, baud } => {
                let builder = serialport::new(path.to_string_lossy(), *baud);
                let port = builder.timeout(Duration::from_millis(WRITE_STUCK_MS)).open_native()?;
                Box::new(SerialWire(port))
            }
            Self::Device { path } => {
                let flags = OFlags::NONBLOCK.bits().cast_signed();
                let file = File::options().read(true).write(true).custom_flags(flags).open(path)?;
                Box::new(DeviceWire(file))
            }
            Self::Tcp { address } => Box::new(TcpWire(connect(address)?)),
        })
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the address names no machine");
    for socket in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&socket, Duration::from_millis(CONNECT_MS)) {
            Ok(stream) => {
                stream.set_write_timeout(Some(Duration::from_millis(WRITE_STUCK_MS)))?;
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// An open port.
pub(super) trait Wire: Send {
    /// Hands over some of the bytes; waits at most [`WRITE_STUCK_MS`] for the first.
    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// One byte from the printer, or none within the wait.
    fn read_byte(&mut self, wait_ms: u64) -> io::Result<Option<u8>>;
}

impl dyn Wire {
    /// Hands over all bytes. The second value is how many were taken, also when it fails.
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> (io::Result<()>, usize) {
        let mut taken = 0;
        while taken < bytes.len() {
            let end = bytes.len().min(taken + PIECE_BYTES);
            match self.write_some(&bytes[taken..end]) {
                Ok(0) => {
                    return (Err(io::Error::new(ErrorKind::WriteZero, "the port takes no bytes")), taken);
                }
                Ok(n) => taken += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return (Err(error), taken),
            }
        }
        (Ok(()), taken)
    }
}

/// A read that ran out of time is no byte; the end of the line is an error.
fn one(read: io::Result<usize>, byte: u8) -> io::Result<Option<u8>> {
    match read {
        Ok(0) => Err(io::Error::new(ErrorKind::UnexpectedEof, "the port has ended")),
        Ok(_) => Ok(Some(byte)),
        Err(error) => match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(None),
            _ => Err(error),
        },
    }
}

struct SerialWire(serialport::TTYPort);

impl Wire for SerialWire {
    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        use serialport::SerialPort as _;
        self.0.set_timeout(Duration::from_millis(WRITE_STUCK_MS))?;
        self.0.write(bytes)
    }

    fn read_byte(&mut self, wait_ms: u64) -> io::Result<Option<u8>> {
        use serialport::SerialPort as _;
        self.0.set_timeout(Duration::from_millis(wait_ms))?;
        let mut byte = [0];
        one(self.0.read(&mut byte), byte[0])
    }
}

struct TcpWire(TcpStream);

impl Wire for TcpWire {
    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn read_byte(&mut self, wait_ms: u64) -> io::Result<Option<u8>> {
        self.0.set_read_timeout(Some(Duration::from_millis(wait_ms.max(1))))?;
        let mut byte = [0];
        one(self.0.read(&mut byte), byte[0])
    }
}

/// `usblp` blocks a write for as long as the printer takes nothing, so the file is opened without waiting and asked
/// first.
struct DeviceWire(File);

impl DeviceWire {
    fn ready(&self, what: PollFlags, wait_ms: u64) -> io::Result<bool> {
        let wait = Duration::from_millis(wait_ms);
        let wait = Timespec::try_from(wait).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
        let mut fds = [PollFd::new(&self.0, what)];
        match poll(&mut fds, Some(&wait)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => Ok(false),
            Ok(_) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

impl Wire for DeviceWire {
    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.ready(PollFlags::OUT, WRITE_STUCK_MS)? {
            return Err(io::Error::new(ErrorKind::TimedOut, "the printer takes no bytes"));
        }
        self.0.write(bytes)
    }

    fn read_byte(&mut self, wait_ms: u64) -> io::Result<Option<u8>> {
        if !self.ready(PollFlags::IN, wait_ms)? {
            return Ok(None);
        }
        let mut byte = [0];
        match self.0.read(&mut byte) {
            // `usblp` answers a read with nothing while the printer has nothing to say.
            Ok(0) => Ok(None),
            read => one(read, byte[0]),
        }
    }
}
