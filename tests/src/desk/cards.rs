//! The cards in the tray, read from a JSON file: a list of `{"label", "kind", ...}`, each with an optional `note` and
//! `colour`.
//!
//! | kind | is | takes |
//! | --- | --- | --- |
//! | `pcsc` | a MIFARE Classic known by its serial number | `uid` |
//! | `sector` | a MIFARE Classic with a number in a sector, behind a key | `uid`, `number` |
//! | `ntag` | an NTAG with a number in its pages | `uid`, `number` |
//! | `file` | a processor card with a number in a file | `uid`, `number` |
//! | `chip` | a 125 kHz chip | `number`: ten digits, as printed on it (8H10D) |
//! | `stripe` | a magnetic stripe | `track`: one track or both, sentinels included |
//! | `code` | a code on a phone | `text`, or `member`: whose fresh member code is asked for |
//!
//! Where numbers stand in a card is fixed here ([`KEY`], [`BLOCK`], [`PAGE`], [`APPLICATION`], [`FILE`]), so that
//! terminals can be configured to it.

use crate::kit::vcard::{Memory, VirtualCard};
use anyhow::{Context as _, Result, bail, ensure};
use data_encoding::HEXUPPER_PERMISSIVE;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Key A of the sector that holds a number.
pub const KEY: [u8; 6] = [0xA0, 0xB1, 0xC2, 0xD3, 0xE4, 0xF5];
/// The sector that holds a number.
pub const SECTOR: u8 = 2;
/// The first block of [`SECTOR`].
pub const BLOCK: u8 = SECTOR * 4;
/// The first page that holds a number.
pub const PAGE: u8 = 6;
/// The application of processor cards.
pub const APPLICATION: &[u8] = b"HUF.CLUB";
/// The file in it.
pub const FILE: u16 = 0x0015;

/// Lengths that a UID may have, in bytes (ISO 14443-3).
const UID_LENGTHS: [usize; 3] = [4, 7, 10];
/// The longest stripe: three tracks.
const TRACK_BYTES_MAX: usize = 256;
/// The longest number or code: what a block, or a line of a scanner, holds.
const NUMBER_BYTES_MAX: usize = 16;
const CODE_BYTES_MAX: usize = 512;
/// Bytes of an NTAG 213 that can be read.
const NTAG_BYTES: usize = 180;
const PAGE_BYTES: usize = 4;

/// What a card is, which says where it can be presented.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Contactless, known by its serial number.
    Pcsc,
    /// Contactless, a number in a sector behind a key.
    Sector,
    /// Contactless, a number in pages.
    Ntag,
    /// Contactless, a number in a file of a processor card.
    File,
    /// A 125 kHz chip, whose reader types its number into a serial line.
    Chip,
    /// A magnetic stripe, through a serial line.
    Stripe,
    /// A code on a phone, before a scanner.
    Code,
}

/// One card as the file says it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// What is printed on it; names it in the API.
    pub label: String,
    /// How it meets a reader.
    pub kind: Kind,
    /// UID in hexadecimal, for contactless cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The number in its memory or chip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The characters on the stripe, sentinels included, for `stripe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<String>,
    /// What the code says, where it is always the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Number of the member whose fresh code it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// A word for the person at the demo ("lost", "level 2").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// `#RRGGBB` of the plastic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
}

impl Card {
    /// The card as a contactless reader meets it; none for other kinds.
    ///
    /// # Errors
    /// When uid or number are none, which reading the file rules out.
    pub fn contactless(&self) -> Result<Option<VirtualCard>> {
        if !matches!(self.kind, Kind::Pcsc | Kind::Sector | Kind::Ntag | Kind::File) {
            return Ok(None);
        }
        let card = VirtualCard::mifare(&self.uid_bytes()?);
        let number = self.number.as_deref().unwrap_or_default().as_bytes();
        Ok(Some(match self.kind {
            Kind::Sector => {
                let mut data = [0; NUMBER_BYTES_MAX];
                data.get_mut(..number.len()).context("the number is too long")?.copy_from_slice(number);
                card.holding(Memory::Classic { key: KEY, block: BLOCK, data })
            }
            Kind::Ntag => {
                let mut pages = vec![0; NTAG_BYTES];
                let from = usize::from(PAGE) * PAGE_BYTES;
                pages[from..from + number.len()].copy_from_slice(number);
                card.holding(Memory::Ntag(pages))
            }
            Kind::File => {
                let mut data = number.to_vec();
                data.resize(NUMBER_BYTES_MAX, 0);
                card.holding(Memory::File { application: APPLICATION.to_vec(), id: FILE, data })
            }
            _ => card,
        }))
    }

    fn uid_bytes(&self) -> Result<Vec<u8>> {
        let uid = self.uid.as_deref().with_context(|| format!("card {} has no uid", self.label))?;
        let bytes = HEXUPPER_PERMISSIVE
            .decode(uid.as_bytes())
            .with_context(|| format!("card {}: uid `{uid}` is not hexadecimal", self.label))?;
        ensure!(
            UID_LENGTHS.contains(&bytes.len()),
            "card {}: the uid has {} bytes, expected one of {UID_LENGTHS:?}",
            self.label,
            bytes.len()
        );
        Ok(bytes)
    }

    fn check(&self) -> Result<()> {
        ensure!(!self.label.trim().is_empty(), "a card without a label");
        let Self { label, uid, number, track, .. } = self;
        let text = self.text.as_ref().or(self.member.as_ref());
        ensure!(self.text.is_none() || self.member.is_none(), "card {label}: a text or a member, not both");
        match (self.kind, uid, number, track, text) {
            (Kind::Pcsc, Some(_), None, None, None) => self.uid_bytes().map(drop)?,
            (Kind::Sector | Kind::Ntag | Kind::File, Some(_), Some(number), None, None) => {
                self.uid_bytes()?;
                fits(label, "number", number, NUMBER_BYTES_MAX)?;
            }
            (Kind::Chip, None, Some(number), None, None) => ensure!(
                number.len() == 10 && number.parse::<u32>().is_ok(),
                "card {label}: the number `{number}` is none of a 125 kHz chip, expected ten digits below 2^32"
            ),
            (Kind::Stripe, None, None, Some(track), None) => fits(label, "track", track, TRACK_BYTES_MAX)?,
            (Kind::Code, None, None, None, Some(text)) => fits(label, "text", text, CODE_BYTES_MAX)?,
            (kind, ..) => {
                bail!("card {label}: `{kind:?}` does not take these fields; see the table of kinds")
            }
        }
        let colour = self.colour.as_deref().unwrap_or("#000000");
        let digits = colour.strip_prefix('#').unwrap_or_default();
        ensure!(
            digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit()),
            "card {label}: colour `{colour}`, expected #RRGGBB"
        );
        Ok(())
    }
}

fn fits(label: &str, what: &str, text: &str, most: usize) -> Result<()> {
    ensure!(
        (1..=most).contains(&text.len()) && text.is_ascii(),
        "card {label}: the {what} has {} bytes, expected 1 to {most}, all ASCII",
        text.len()
    );
    Ok(())
}

/// Reads and checks the file.
///
/// # Errors
/// When it cannot be read, is no such JSON, or a card is wrong; names file and card.
pub fn read(path: &Path) -> Result<Vec<Card>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    parse(&text).with_context(|| format!("failed to read the cards of {}", path.display()))
}

fn parse(text: &str) -> Result<Vec<Card>> {
    let cards: Vec<Card> = serde_json::from_str(text)?;
    for (index, card) in cards.iter().enumerate() {
        card.check()?;
        ensure!(
            cards[..index].iter().all(|other| other.label != card.label),
            "two cards say `{}`",
            card.label
        );
    }
    Ok(cards)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_cards_are_taken() {
        let text = r##"[{"label":"欧阳","kind":"pcsc","uid":"04a22b91","note":"VIP"},
                       {"label":"B","kind":"stripe","track":"%B6225^LI/SI^?;62258800?","colour":"#B3141B"},
                       {"label":"C","kind":"sector","uid":"04a22b92","number":"80001234"},
                       {"label":"D","kind":"ntag","uid":"04a22b93445566","number":"80001234"},
                       {"label":"E","kind":"file","uid":"04a22b94","number":"80001234"},
                       {"label":"F","kind":"chip","number":"0040856634"},
                       {"label":"G","kind":"code","text":"80001234"},{"label":"H","kind":"code","member":"M1"}]"##;
        let cards = parse(text).expect("all are right");
        let contactless: Vec<bool> =
            cards.iter().map(|card| card.contactless().expect("right").is_some()).collect();
        assert_eq!(contactless, [true, false, true, true, true, false, false, false]);
    }

    #[test]
    fn wrong_cards_are_named() {
        for (text, names) in [
            (r#"[{"label":"A","kind":"pcsc","uid":"04A2"}]"#, "2 bytes"),
            (r#"[{"label":"A","kind":"pcsc","uid":"04A2XX91"}]"#, "hexadecimal"),
            (r#"[{"label":"A","kind":"pcsc","track":";1?"}]"#, "card A"),
            (r#"[{"label":"A","kind":"stripe","track":"欧"}]"#, "ASCII"),
            (r#"[{"label":"A","kind":"stripe","track":";1?","colour":"red"}]"#, "#RRGGBB"),
            (
                r#"[{"label":"A","kind":"stripe","track":";1?"},{"label":"A","kind":"stripe","track":";2?"}]"#,
                "two cards",
            ),
            (r#"[{"label":"A","kind":"stripe","track":";1?","pin":1}]"#, "pin"),
            (r#"[{"label":"A","kind":"sector","uid":"04A22B91"}]"#, "card A"),
            (r#"[{"label":"A","kind":"ntag","uid":"04A22B91","number":"12345678901234567"}]"#, "17 bytes"),
            (r#"[{"label":"A","kind":"chip","number":"4294967296"}]"#, "125 kHz"),
            (r#"[{"label":"A","kind":"chip","number":"123"}]"#, "125 kHz"),
        ] {
            let error = format!("{:#}", parse(text).expect_err(text));
            assert!(error.contains(names), "{error}");
        }
    }
}
