//! How the counter page sounds: the site's volume, and voice clips that replace the tones of single outcomes.
//!
//! A clip is a file `<outcome>.<wav|ogg|mp3>` in a configured folder, read once at start. It must be what its name says and
//! not too large; one that is not is left out with a warning, and its outcome keeps its tones: sound never keeps a terminal
//! from starting. Clips are served under addresses that change with their content.

use std::collections::BTreeMap;
use std::path::Path;

use data_encoding::HEXLOWER;
use hufu_shared::ids::Hash;

/// Bytes of a clip at most: some seconds of speech.
pub const CLIP_BYTES_MAX: u64 = 256 * 1024;
/// Outcomes that may have a clip, as their files are named.
pub const OUTCOMES: [&str; 9] = [
    "accepted",
    "recorded",
    "refused",
    "attention",
    "already_in",
    "redeemed",
    "over_offline_limit",
    "unknown_card",
    "read_failed",
];
/// Endings of clips, each with its media type.
const KINDS: [(&str, &str); 3] = [("wav", "audio/wav"), ("ogg", "audio/ogg"), ("mp3", "audio/mpeg")];
/// Characters of a content's hash in its address.
const HASH_CHARS: usize = 16;

/// A clip is not usable.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// It cannot be read.
    #[error("read: {0}")]
    Read(#[from] std::io::Error),
    /// It is too large.
    #[error("at most {CLIP_BYTES_MAX} bytes expected, met {met}")]
    Large {
        /// Its size.
        met: u64,
    },
    /// Its content is of another kind than its name says.
    #[error("the content is no {ending}")]
    Kind {
        /// The ending of its name.
        ending: &'static str,
    },
}

/// A clip.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Clip {
    address: String,
    kind: &'static str,
    bytes: Vec<u8>,
}

/// How the page sounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sounds {
    /// Percent.
    pub volume: u8,
    clips: BTreeMap<&'static str, Clip>,
}

impl Sounds {
    /// Tones only.
    #[must_use]
    pub fn tones(volume: u8) -> Self {
        Self { volume, clips: BTreeMap::new() }
    }

    /// With the clips of a folder.
    #[must_use]
    pub fn load(volume: u8, folder: Option<&Path>) -> Self {
        let mut sounds = Self::tones(volume);
        let Some(folder) = folder else { return sounds };
        for outcome in OUTCOMES {
            for (ending, kind) in KINDS {
                let path = folder.join(format!("{outcome}.{ending}"));
                match path.exists().then(|| read(&path, ending)) {
                    Some(Ok(bytes)) => {
                        let mut hash = HEXLOWER.encode(&Hash::of(&[bytes.as_slice()]).0);
                        hash.truncate(HASH_CHARS);
                        let address = format!("/voice/{hash}/{outcome}.{ending}");
                        sounds.clips.insert(outcome, Clip { address, kind, bytes });
                    }
                    Some(Err(error)) => {
                        tracing::warn!(clip = %path.display(), %error, "a voice clip is not used");
                    }
                    None => {}
                }
            }
        }
        if sounds.clips.is_empty() {
            tracing::warn!(folder = %folder.display(), "the folder of voice clips holds none");
        }
        sounds
    }

    /// Address of an outcome's clip; empty for its tones.
    #[must_use]
    pub fn clip(&self, outcome: &str) -> &str {
        self.clips.get(outcome).map_or("", |clip| clip.address.as_str())
    }

    /// Content and media type of a clip, if address and content agree.
    #[must_use]
    pub fn file(&self, hash: &str, name: &str) -> Option<(Vec<u8>, &'static str)> {
        let address = format!("/voice/{hash}/{name}");
        let clip = self.clips.values().find(|clip| clip.address == address)?;
        Some((clip.bytes.clone(), clip.kind))
    }
}

fn read(path: &Path, ending: &'static str) -> Result<Vec<u8>, ClipError> {
    let met = std::fs::metadata(path)?.len();
    if met > CLIP_BYTES_MAX {
        return Err(ClipError::Large { met });
    }
    let bytes = std::fs::read(path)?;
    let is = match (ending, bytes.as_slice()) {
        ("wav", [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..]) => true,
        ("ogg", [b'O', b'g', b'g', b'S', ..]) => true,
        // A tag, or the eleven set bits that begin a frame.
        ("mp3", [b'I', b'D', b'3', ..]) => true,
        ("mp3", [0xff, second, ..]) => second & 0xe0 == 0xe0,
        _ => false,
    };
    if is { Ok(bytes) } else { Err(ClipError::Kind { ending }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_what_its_name_says_or_its_outcome_keeps_its_tones() {
        let folder = tempfile::tempdir().expect("a folder");
        let put =
            |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
        put("accepted.wav", b"RIFF\x24\0\0\0WAVEfmt ");
        put("refused.mp3", b"ID3\x03rest");
        put("unknown_card.mp3", b"<html>no sound</html>");
        put("recorded.ogg", &vec![b'O'; 300 * 1024]);
        put("anything.wav", b"RIFF\x24\0\0\0WAVEfmt ");
        let sounds = Sounds::load(80, Some(folder.path()));
        assert_eq!(sounds.volume, 80);
        let address = sounds.clip("accepted");
        assert!(address.starts_with("/voice/") && address.ends_with("/accepted.wav"), "{address}");
        assert!(sounds.clip("refused").ends_with("/refused.mp3"));
        for silent in ["unknown_card", "recorded", "redeemed", "anything"] {
            assert_eq!(sounds.clip(silent), "", "{silent}");
        }
        let mut parts = address.trim_start_matches("/voice/").split('/');
        let (hash, name) = (parts.next().unwrap(), parts.next().unwrap());
        assert_eq!(sounds.file(hash, name).map(|file| file.1), Some("audio/wav"));
        assert_eq!(sounds.file("0000000000000000", name), None);
        assert_eq!(sounds.file(hash, "../accepted.wav"), None);
        assert_eq!(Sounds::load(70, None), Sounds::tones(70));
    }
}
