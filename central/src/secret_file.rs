//! Files that hold keys: readable by their owner only, written whole or not at all.
//!
//! Invariants: mode 0600 from the first byte; a file that others may read is refused, not repaired, because it may
//! already have been read; a replaced file is either the old or the new one after a power cut.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// No key file of Hufu is larger.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// A key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It exists; a key is never overwritten by a new one.
    #[error("{} exists already; a key is never overwritten", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read it.
    #[error("{} may be read by others (mode {mode:04o}, expected 0600): change its mode, and its key if others had access", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is not what it should be.
    #[error("{} is damaged: expected {expected}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        expected: &'static str,
    },
    /// The operating system refused.
    #[error("could not {step} {}: {source}", path.display())]
    Io {
        /// What was tried.
        step: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

fn io(step: &'static str, path: &Path) -> impl Fn(std::io::Error) -> SecretFileError {
    move |source| SecretFileError::Io { step, path: path.to_owned(), source }
}

/// Makes a folder that only its owner may enter; an existing one stays as it is.
///
/// # Errors
/// [`SecretFileError::Io`].
pub fn create_folder(path: &Path) -> Result<(), SecretFileError> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io("make the folder", path))
}

/// Writes a key that was not there before; durable when this returns.
///
/// # Errors
/// [`SecretFileError::Exists`], or [`SecretFileError::Io`].
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), SecretFileError> {
    // Linked into place whole: a power cut never leaves half a key under the final name.
    let beside = write_beside(path, bytes)?;
    let linked = std::fs::hard_link(&beside, path);
    let _ = std::fs::remove_file(&beside);
    linked.map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => SecretFileError::Exists { path: path.to_owned() },
        _ => io("write", path)(source),
    })?;
    sync_folder(path)
}

/// Writes a key in place of an older one; after a power cut one of the two is there.
///
/// # Errors
/// [`SecretFileError::Io`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), SecretFileError> {
    let beside = write_beside(path, bytes)?;
    std::fs::rename(&beside, path).map_err(io("replace", path))?;
    sync_folder(path)
}

/// Reads a key.
///
/// # Errors
/// [`SecretFileError::Open`] if others may read it too, or [`SecretFileError::Io`].
pub fn read(path: &Path) -> Result<Vec<u8>, SecretFileError> {
    let file = File::open(path).map_err(io("open", path))?;
    let mode = file.metadata().map_err(io("look at", path))?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretFileError::Open { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::new();
    file.take(SECRET_BYTES_MAX).read_to_end(&mut bytes).map_err(io("read", path))?;
    Ok(bytes)
}

fn write_beside(path: &Path, bytes: &[u8]) -> Result<PathBuf, SecretFileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    // Left by a cut in an earlier life of the same process number.
    let _ = std::fs::remove_file(&beside);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .map_err(io("write", &beside))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io("write", &beside))?;
    Ok(beside)
}

fn sync_folder(path: &Path) -> Result<(), SecretFileError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("sync the folder", folder))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_private_whole_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys").join("a.key");
        create_folder(path.parent().unwrap()).unwrap();
        write_new(&path, b"first").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        let again = write_new(&path, b"second").unwrap_err();
        assert!(matches!(again, SecretFileError::Exists { .. }), "{again}");
        assert_eq!(read(&path).unwrap(), b"first");
        replace(&path, b"third").unwrap();
        assert_eq!(read(&path).unwrap(), b"third");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let open = read(&path).unwrap_err().to_string();
        assert!(open.contains("mode 0640, expected 0600"), "{open}");
    }
}
