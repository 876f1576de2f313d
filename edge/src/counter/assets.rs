//! The style sheets and the script, inside the program, under addresses that change with their content.
//!
//! `/a/{hash}/{name}` may be kept by browsers for ever: another content has another address.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use rust_embed::RustEmbed;

/// Characters of a content's hash in its address.
const HASH_CHARS: usize = 16;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// Addresses of the files.
#[derive(Debug)]
pub struct Addresses {
    /// The style sheet.
    pub css: String,
    /// The script.
    pub js: String,
    /// The style sheet of the further desk pages, beside the first.
    pub desk: String,
    /// The style sheet of practice, beside the others.
    pub practice: String,
}

static ADDRESSES: LazyLock<Addresses> = LazyLock::new(|| Addresses {
    css: address("counter.css"),
    js: address("counter.js"),
    desk: address("desk.css"),
    practice: address("practice.css"),
});

/// Addresses of the files.
#[must_use]
pub fn addresses() -> &'static Addresses {
    &ADDRESSES
}

/// Content and media type of a file, if name and hash are of this program.
#[must_use]
pub fn file(hash: &str, name: &str) -> Option<(Vec<u8>, &'static str)> {
    let kind = match name.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        _ => return None,
    };
    let file = Files::get(name)?;
    (hash == short(&file)).then(|| (file.data.into_owned(), kind))
}

fn address(name: &str) -> String {
    let hash = Files::get(name).map(|file| short(&file)).unwrap_or_default();
    format!("/a/{hash}/{name}")
}

fn short(file: &rust_embed::EmbeddedFile) -> String {
    let mut hash = HEXLOWER.encode(&file.metadata.sha256_hash());
    hash.truncate(HASH_CHARS);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_small_and_found_only_under_their_hash() {
        for (address, limit) in
            [(&addresses().css, 15_000), (&addresses().js, 10_000), (&addresses().desk, 5_000)]
        {
            let mut parts = address.trim_start_matches("/a/").split('/');
            let (hash, name) = (parts.next().unwrap(), parts.next().unwrap());
            assert_eq!(hash.len(), HASH_CHARS, "{address}");
            let (bytes, _) = file(hash, name).expect("a file of this program");
            assert!(!bytes.is_empty() && bytes.len() < limit, "{name} has {} bytes", bytes.len());
            assert!(file("0000000000000000", name).is_none());
        }
        assert!(file(&short(&Files::get("counter.css").unwrap()), "../Cargo.toml").is_none());
    }
}
