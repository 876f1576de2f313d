//! The key file: the key that wraps members' keys, and the key of the search index. It stands outside the database, so
//! that a stolen database or backup says nothing.
//!
//! A text file of mode 0600: `hufu-vault 1`, then lines `kek <id> <hex>` (the last one wraps, all unwrap) and one line
//! `index <hex>`.

use std::path::Path;

use data_encoding::HEXLOWER;
use ring::rand::{SecureRandom, SystemRandom};

use super::VaultError;
use super::envelope::KEY_BYTES;
use crate::secret_file::{self, SecretFileError};

const HEADER: &str = "hufu-vault 1";

/// The keys of the vault.
pub(super) struct KeyFile {
    wrapping: Vec<(u32, [u8; KEY_BYTES])>,
    pub(super) index: [u8; KEY_BYTES],
}

impl KeyFile {
    pub(super) fn create(path: &Path) -> Result<Self, VaultError> {
        let random = SystemRandom::new();
        let mut keys = [[0; KEY_BYTES]; 2];
        for key in &mut keys {
            random.fill(key).map_err(|_| VaultError::Random)?;
        }
        let [wrapping, index] = keys.map(|key| HEXLOWER.encode(&key));
        let text = format!("{HEADER}\nkek 1 {wrapping}\nindex {index}\n");
        secret_file::write_new(path, text.as_bytes())?;
        Self::open(path)
    }

    pub(super) fn open(path: &Path) -> Result<Self, VaultError> {
        let text = String::from_utf8(secret_file::read(path)?).ok();
        let keys = text.as_deref().and_then(Self::parse);
        let damaged = SecretFileError::Damaged {
            path: path.to_owned(),
            expected: "the vault's keys as `init` writes them",
        };
        keys.ok_or_else(|| damaged.into())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != HEADER {
            return None;
        }
        let key = |hex: &str| HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok();
        let (mut wrapping, mut index) = (Vec::new(), None);
        for line in lines {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["kek", id, hex] => wrapping.push((id.parse().ok()?, key(hex)?)),
                ["index", hex] if index.is_none() => index = Some(key(hex)?),
                [""] => {}
                _ => return None,
            }
        }
        (!wrapping.is_empty()).then_some(Self { wrapping, index: index? })
    }

    /// The key that wraps new members' keys, with its id.
    pub(super) fn newest(&self) -> &(u32, [u8; KEY_BYTES]) {
        self.wrapping.last().expect("parse refuses a file without a wrapping key")
    }

    pub(super) fn by_id(&self, id: u32) -> Option<&[u8; KEY_BYTES]> {
        self.wrapping.iter().find(|(known, _)| *known == id).map(|(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_read_strictly() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.key");
        let made = KeyFile::create(&path).unwrap();
        let read = KeyFile::open(&path).unwrap();
        assert_eq!((made.newest(), made.index), (read.newest(), read.index));
        assert_ne!(made.newest().1, made.index);
        assert!(KeyFile::create(&path).is_err(), "a second init must not replace the keys");
        let key = "ab".repeat(32);
        let rotated = format!("{HEADER}\nkek 1 {key}\nkek 2 {key}\nindex {key}\n");
        assert_eq!(KeyFile::parse(&rotated).unwrap().newest().0, 2);
        for wrong in [
            String::new(),
            HEADER.to_owned(),
            format!("{HEADER}\nindex {key}\n"),
            format!("{HEADER}\nkek 1 {key}\n"),
            format!("{HEADER}\nkek 1 abc\nindex {key}\n"),
            format!("hufu-vault 2\nkek 1 {key}\nindex {key}\n"),
        ] {
            assert!(KeyFile::parse(&wrong).is_none(), "{wrong:?}");
        }
    }
}
