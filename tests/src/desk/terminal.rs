//! A terminal as the tray sees it: one slot of a virtual reader, one serial line, or both.

use super::Refusal;
use super::cards::{Card, Kind};
use crate::kit::clock;
use crate::kit::pty::SerialCable;
use crate::kit::vcard::{CHANGE_PAUSE_MS, InsertedCard, VirtualCard};
use anyhow::{Context as _, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, TryLockError};

/// How long a tapped card stays on the reader, unless the hand says otherwise.
pub const TAP_MS: u64 = 1_500;
/// The longest tap; whoever wants more leaves the card there.
pub const TAP_MAX_MS: u64 = 10_000;
/// What ends a swipe on the line, as common stripe readers send it.
const SWIPE_END: &[u8] = b"\r\n";

/// What `--terminal` says: `NAME[:pcsc:PORT][:pty:PATH]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    name: String,
    slot: Option<u16>,
    line: Option<PathBuf>,
}

/// A terminal's readers, with what lies on them.
#[derive(Debug)]
pub struct Terminal {
    /// Its name in the API and on the page.
    pub name: String,
    slot: Option<u16>,
    lying: Mutex<Slot>,
    line: Option<Mutex<SerialCable>>,
}

#[derive(Debug)]
struct Slot {
    card: Option<(String, InsertedCard)>,
    // The driver would take a quicker change for no change.
    free_from: Instant,
}

impl std::str::FromStr for Wiring {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let expected = "expected NAME[:pcsc:PORT][:pty:PATH]";
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default().to_owned();
        ensure!(!name.is_empty(), "`{text}` has no name, {expected}");
        let mut wiring = Self { name, slot: None, line: None };
        while let Some(kind) = parts.next() {
            match kind {
                "pcsc" => {
                    let port = parts.next().unwrap_or_default();
                    let port = port.parse().with_context(|| format!("`{port}` is no port, {expected}"))?;
                    wiring.slot = Some(port);
                }
                // A path may hold colons, so it takes the rest.
                "pty" => wiring.line = Some(parts.by_ref().collect::<Vec<_>>().join(":").into()),
                other => bail!("`{other}` in `{text}`, {expected}"),
            }
        }
        ensure!(wiring.slot.is_some() || wiring.line.is_some(), "`{text}` has no reader, {expected}");
        ensure!(wiring.line.as_deref() != Some(Path::new("")), "`{text}` has an empty path, {expected}");
        Ok(wiring)
    }
}

impl Terminal {
    /// Makes the serial line; the slot is a pcscd's business.
    ///
    /// # Errors
    /// When the line's link cannot be made.
    pub fn attach(wiring: Wiring) -> Result<Self> {
        let line = match &wiring.line {
            Some(path) => Some(Mutex::new(SerialCable::plug_in(path)?)),
            None => None,
        };
        let lying = Mutex::new(Slot { card: None, free_from: clock::now() });
        Ok(Self { name: wiring.name, slot: wiring.slot, lying, line })
    }

    /// Whether it has a slot, and whether it has a stripe reader.
    #[must_use]
    pub fn readers(&self) -> (bool, bool) {
        (self.slot.is_some(), self.line.is_some())
    }

    /// The label of the card that lies on the reader; `Err` while a hand is at it.
    ///
    /// # Errors
    /// When the answer would have to wait.
    pub fn lying(&self) -> Result<Option<String>, TryLockError> {
        Ok(self.lying.try_lock()?.card.as_ref().map(|(label, _)| label.clone()))
    }

    /// Puts a card on the reader and leaves it there.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub async fn put(&self, card: &Card) -> Result<(), Refusal> {
        let mut slot = self.lying.lock().await;
        self.enter(&mut slot, card).await
    }

    /// Takes away what lies on the reader, if anything does; says how often it was asked something.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub async fn take(&self) -> Result<u64, Refusal> {
        if self.slot.is_none() {
            return Err(Refusal::NoDevice);
        }
        Ok(leave(&mut *self.lying.lock().await).await)
    }

    /// Holds a card to the reader for `hold_ms`, at most [`TAP_MAX_MS`]; says how often it was asked something.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub async fn tap(&self, card: &Card, hold_ms: u64) -> Result<u64, Refusal> {
        let mut slot = self.lying.lock().await;
        self.enter(&mut slot, card).await?;
        tokio::time::sleep(Duration::from_millis(hold_ms.min(TAP_MAX_MS))).await;
        Ok(leave(&mut slot).await)
    }

    /// Draws a stripe through the reader.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub async fn swipe(&self, card: &Card) -> Result<(), Refusal> {
        let line = self.line.as_ref().ok_or(Refusal::NoDevice)?;
        let (Kind::Stripe, Some(track)) = (card.kind, &card.track) else { return Err(Refusal::WrongKind) };
        let bytes = [track.as_bytes(), SWIPE_END].concat();
        line.lock().await.write(&bytes).map_err(|error| {
            tracing::warn!("failed to swipe at {}: {error:#}", self.name);
            Refusal::NotReady
        })
    }

    async fn enter(&self, slot: &mut Slot, card: &Card) -> Result<(), Refusal> {
        let port = self.slot.ok_or(Refusal::NoDevice)?;
        if card.kind != Kind::Pcsc {
            return Err(Refusal::WrongKind);
        }
        // pcscd that died has thrown the card out.
        if slot.card.as_ref().is_some_and(|(_, card)| card.is_in()) {
            return Err(Refusal::Occupied);
        }
        leave(slot).await;
        tokio::time::sleep_until(slot.free_from.into()).await;
        let uid = card.uid_bytes().map_err(|_| Refusal::WrongKind)?;
        let inserted = tokio::task::spawn_blocking(move || VirtualCard::mifare(&uid).insert(port)).await;
        match inserted {
            Ok(Ok(inserted)) => {
                slot.card = Some((card.label.clone(), inserted));
                Ok(())
            }
            Ok(Err(error)) => {
                tracing::warn!("failed to put a card on {}: {error:#}", self.name);
                Err(Refusal::NotReady)
            }
            Err(error) => {
                tracing::warn!("failed to put a card on {}: {error}", self.name);
                Err(Refusal::NotReady)
            }
        }
    }
}

async fn leave(slot: &mut Slot) -> u64 {
    let Some((_, card)) = slot.card.take() else { return 0 };
    let asked = card.apdus();
    // Dropping waits for the card's thread.
    if tokio::task::spawn_blocking(move || drop(card)).await.is_err() {
        tracing::warn!("a card's thread panicked");
    }
    slot.free_from = clock::now() + Duration::from_millis(CHANGE_PAUSE_MS);
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wirings_are_read() {
        let wiring: Wiring = "office-a:pcsc:35963:pty:/tmp/a:b".parse().expect("it is right");
        assert_eq!(
            wiring,
            Wiring { name: "office-a".into(), slot: Some(35963), line: Some("/tmp/a:b".into()) }
        );
        let wiring: Wiring = "b:pty:/tmp/b".parse().expect("it is right");
        assert_eq!(wiring.slot, None);
    }

    #[test]
    fn wrong_wirings_say_what_is_expected() {
        for text in ["", "a", ":pcsc:1", "a:pcsc:x", "a:pcsc:70000", "a:usb:1", "a:pty:"] {
            let error = format!("{:#}", text.parse::<Wiring>().expect_err(text));
            assert!(error.contains("expected NAME"), "{error}");
        }
    }
}
