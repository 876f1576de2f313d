//! What the board says of itself, hashed: a data folder that suddenly runs on another board shows at the centre.

use hufu_shared::ids::Hash;

/// Where a Linux machine keeps names of its own. Absent ones count as empty.
const SOURCES: [&str; 3] =
    ["/etc/machine-id", "/sys/firmware/devicetree/base/serial-number", "/sys/class/dmi/id/product_name"];

/// The board's fingerprint.
#[must_use]
pub fn fingerprint() -> Hash {
    let parts: Vec<Vec<u8>> = SOURCES.iter().map(|path| std::fs::read(path).unwrap_or_default()).collect();
    let mut all: Vec<&[u8]> = vec![b"hufu-board"];
    for part in &parts {
        // A separator, so that two sources never run into each other.
        all.extend([part.as_slice(), b"\0"]);
    }
    Hash::of(&all)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_board_is_the_same_board_each_time() {
        assert_eq!(super::fingerprint(), super::fingerprint());
    }
}
