//! The cards in the tray, read from a JSON file: `[{"label", "kind": "pcsc", "uid"} | {"label", "kind": "stripe",
//! "track"}]`, each with an optional `note` and `colour`.

use anyhow::{Context as _, Result, bail, ensure};
use data_encoding::HEXUPPER_PERMISSIVE;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Lengths that a UID may have, in bytes (ISO 14443-3).
const UID_LENGTHS: [usize; 3] = [4, 7, 10];
/// The longest stripe: three tracks.
const TRACK_BYTES_MAX: usize = 256;

/// How a card meets a reader.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Contactless, through PC/SC.
    Pcsc,
    /// A magnetic stripe, through a serial line.
    Stripe,
}

/// One card as the file says it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// What is printed on it; names it in the API.
    pub label: String,
    /// How it meets a reader.
    pub kind: Kind,
    /// UID in hexadecimal, for `pcsc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The characters on the stripe, sentinels included, for `stripe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<String>,
    /// A word for the person at the demo ("lost", "level 2").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// `#RRGGBB` of the plastic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
}

impl Card {
    /// The UID's bytes.
    ///
    /// # Errors
    /// When it has none, or it is not hexadecimal of a right length.
    pub fn uid_bytes(&self) -> Result<Vec<u8>> {
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
        match (self.kind, &self.uid, &self.track) {
            (Kind::Pcsc, Some(_), None) => self.uid_bytes().map(drop)?,
            (Kind::Stripe, None, Some(track)) => ensure!(
                (1..=TRACK_BYTES_MAX).contains(&track.len()) && track.is_ascii(),
                "card {}: the track has {} bytes, expected 1 to {TRACK_BYTES_MAX}, all ASCII",
                self.label,
                track.len()
            ),
            _ => bail!("card {}: `pcsc` takes a uid, `stripe` a track, and neither takes both", self.label),
        }
        let colour = self.colour.as_deref().unwrap_or("#000000");
        let digits = colour.strip_prefix('#').unwrap_or_default();
        ensure!(
            digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit()),
            "card {}: colour `{colour}`, expected #RRGGBB",
            self.label
        );
        Ok(())
    }
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
                       {"label":"B","kind":"stripe","track":";62258800?","colour":"#B3141B"}]"##;
        let cards = parse(text).expect("both are right");
        assert_eq!(cards[0].uid_bytes().expect("hexadecimal"), [0x04, 0xA2, 0x2B, 0x91]);
        assert_eq!(cards[1].kind, Kind::Stripe);
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
        ] {
            let error = format!("{:#}", parse(text).expect_err(text));
            assert!(error.contains(names), "{error}");
        }
    }
}
