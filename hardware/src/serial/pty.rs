//! Pseudo-terminals for the tests of what is read and written over a serial line.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The device's end, an open terminal end that keeps the line alive, and the terminal's path.
pub fn pty() -> (File, File, PathBuf) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pty");
    grantpt(&master).expect("granted");
    unlockpt(&master).expect("unlocked");
    let name = ptsname(&master, Vec::new()).expect("a name");
    let path = Path::new(OsStr::from_bytes(name.as_bytes())).to_owned();
    let slave = File::options().read(true).write(true).open(&path).expect("open");
    (File::from(master), slave, path)
}
