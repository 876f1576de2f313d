//! Exit codes, named once. Scripts rely on them: numbers are only ever added.

use std::process::ExitCode;

/// The end of `--help`.
pub const HELP: &str = "Exit codes:\n  \
    0  done\n  \
    1  something else went wrong\n  \
    2  the command line cannot be read\n  \
    3  the configuration cannot be used\n  \
    4  this machine is not enrolled\n  \
    5  another hufu-edge runs on the data folder\n  \
    6  the journal or directory cannot be used\n  \
    7  the centre refused, or is not there\n  \
    8  the check-up found something to repair\n  \
    9  no daemon runs on the data folder";

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Something else went wrong.
    Other = 1,
    /// The configuration cannot be used. (2 is the command line's.)
    Config = 3,
    /// This machine is not enrolled.
    NotEnrolled = 4,
    /// Another daemon runs on the data folder.
    Running = 5,
    /// The journal or directory cannot be used.
    Store = 6,
    /// The centre refused, or is not there.
    Centre = 7,
    /// The check-up found something to repair.
    Unwell = 8,
    /// No daemon runs on the data folder.
    NoDaemon = 9,
}

impl Exit {
    /// Key of what a person can do about it.
    #[must_use]
    pub fn advice(self) -> Option<&'static str> {
        match self {
            Self::NotEnrolled => Some("command-advice-enrol"),
            Self::Running => Some("command-advice-running"),
            Self::Store => Some("command-advice-store"),
            Self::Centre => Some("command-advice-centre"),
            Self::NoDaemon => Some("command-advice-no-daemon"),
            Self::Done | Self::Other | Self::Config | Self::Unwell => None,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
