//! Files that must never be seen half written: a change is a list of steps, each durable before the next begins.
//!
//! Because the steps are data, a test can cut the power after any of them, or in the middle of a write. Out of scope:
//! which steps make a change safe; that is for whoever lists them, and for their tests.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Permission bits of everything written here: the owner only.
pub(crate) const FILE_MODE: u32 = 0o600;
/// Permission bits of folders made here.
pub(crate) const FOLDER_MODE: u32 = 0o700;

/// Reading or changing a file failed.
#[derive(Debug, thiserror::Error)]
#[error("{what} {}: {source}", path.display())]
pub struct FileError {
    /// What was tried, as in "failed to write".
    pub what: &'static str,
    /// On which file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// One durable step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Make a folder, unless it is there.
    Folder(PathBuf),
    /// Write a whole file, replacing what was there.
    Write(PathBuf, Vec<u8>),
    /// Move a file or folder over another name.
    Rename(PathBuf, PathBuf),
    /// Remove a file or a whole folder, unless it is gone.
    Remove(PathBuf),
    /// Make the names in a folder durable.
    SyncFolder(PathBuf),
}

/// Performs steps in order and stops at the first that fails.
pub(crate) fn perform(steps: &[Step]) -> Result<(), FileError> {
    steps.iter().try_for_each(perform_one)
}

fn perform_one(step: &Step) -> Result<(), FileError> {
    match step {
        Step::Folder(path) => {
            let made = fs::DirBuilder::new().mode(FOLDER_MODE).recursive(true).create(path);
            made.map_err(failed("make folder", path))
        }
        Step::Write(path, bytes) => {
            let options =
                OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(path);
            let mut file = options.map_err(failed("create", path))?;
            file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write", path))
        }
        Step::Rename(from, to) => fs::rename(from, to).map_err(failed("rename", from)),
        Step::Remove(path) => {
            let gone = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            match gone {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
                _ => Ok(()),
            }
        }
        Step::SyncFolder(path) => {
            File::open(path).and_then(|folder| folder.sync_all()).map_err(failed("make durable", path))
        }
    }
}

/// The content of a file, or `None` if it is not there.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

pub(crate) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError { what, path, source }
}
