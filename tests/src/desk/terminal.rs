//! A terminal as the tray sees it: slots of virtual readers, devices on serial lines, a network cable.

use super::Refusal;
use super::cards::{Card, Kind};
use super::lines::LineDevice;
use super::wiring::{Line, Slot, Wiring};
use crate::kit::clock;
use crate::kit::network::Cable;
use crate::kit::pcscd::Pcscd;
use crate::kit::vcard::{CHANGE_PAUSE_MS, InsertedCard};
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long a tapped card stays on the reader, unless the hand says otherwise.
pub const TAP_MS: u64 = 1_500;
/// The longest tap; whoever wants more leaves the card there.
pub const TAP_MAX_MS: u64 = 10_000;
/// What ends a line of a reader.
const LINE_END: &[u8] = b"\r\n";
/// The largest amount at a swipe terminal's keys, in fen.
const AMOUNT_MAX: u64 = 999_999_999_999;

/// The tray's own smart-card service, shared by the terminals whose slots it has.
#[derive(Debug)]
pub struct Service {
    pcscd: StdMutex<Pcscd>,
    runs: AtomicBool,
}

impl Service {
    /// Around a running service.
    #[must_use]
    pub fn new(pcscd: Pcscd) -> Arc<Self> {
        Arc::new(Self { pcscd: StdMutex::new(pcscd), runs: AtomicBool::new(true) })
    }

    /// Stops it, which is how these readers are unplugged, or starts it again.
    fn plug(&self, plugged: bool) -> Result<()> {
        if self.runs.swap(plugged, Ordering::SeqCst) == plugged {
            return Ok(());
        }
        let mut pcscd = self.pcscd.lock().unwrap_or_else(PoisonError::into_inner);
        if plugged { pcscd.start_again() } else { pcscd.kill_hard() }
    }

    fn port(&self, slot: usize) -> u16 {
        self.pcscd.lock().unwrap_or_else(PoisonError::into_inner).port(slot)
    }
}

/// A cable that a hand can pull.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CableState {
    /// Its name in the API; the page has words for each.
    pub name: &'static str,
    /// Whether it is in.
    pub plugged: bool,
}

/// A terminal's devices, with what lies on them.
#[derive(Debug)]
pub struct Terminal {
    /// Its name in the API and on the page.
    pub name: String,
    slots: Vec<Reader>,
    service: Option<Arc<Service>>,
    lines: Vec<LineDevice>,
    net: Option<(Cable, AtomicBool)>,
}

#[derive(Debug)]
struct Reader {
    kind: Kind,
    port: u16,
    lying: Mutex<Lying>,
}

#[derive(Debug)]
struct Lying {
    card: Option<(String, InsertedCard)>,
    // The driver would take a quicker change for no change.
    free_from: Instant,
}

impl Terminal {
    /// Makes the serial lines and the network cable; slots are a smart-card service's business.
    ///
    /// # Errors
    /// When a line's link or the relay cannot be made, or a slot of the tray's own service is named and there is none.
    pub fn attach(wiring: Wiring, service: Option<&Arc<Service>>) -> Result<Self> {
        let is_own = wiring.slots.iter().any(|(_, slot)| matches!(slot, Slot::Own(_)));
        let reader = |(kind, slot): &(Kind, Slot)| {
            let port = match slot {
                Slot::Port(port) => *port,
                Slot::Own(number) => service.context("`#SLOT` needs --slots")?.port(*number),
            };
            let lying = Mutex::new(Lying { card: None, free_from: clock::now() });
            Ok(Reader { kind: *kind, port, lying })
        };
        let net = wiring.net.map(|target| Cable::plug_in(target).map(|cable| (cable, AtomicBool::new(true))));
        Ok(Self {
            slots: wiring.slots.iter().map(reader).collect::<Result<_>>()?,
            service: service.filter(|_| is_own).cloned(),
            lines: wiring
                .lines
                .iter()
                .map(|(line, path)| LineDevice::attach(*line, path))
                .collect::<Result<_>>()?,
            net: net.transpose()?,
            name: wiring.name,
        })
    }

    /// The kinds of cards that it can be shown.
    #[must_use]
    pub fn takes(&self) -> Vec<Kind> {
        let lines = self.lines.iter().filter_map(|device| match device.line {
            Line::Reader(kind) => Some(kind),
            _ => None,
        });
        self.slots.iter().map(|slot| slot.kind).chain(lines).collect()
    }

    /// The port where the network cable begins.
    #[must_use]
    pub fn net_port(&self) -> Option<u16> {
        self.net.as_ref().map(|(cable, _)| cable.port())
    }

    /// The labels of the cards that lie on its readers; `None` while a hand is at one.
    #[must_use]
    pub fn lying(&self) -> Option<Vec<String>> {
        let mut labels = Vec::new();
        for reader in &self.slots {
            let lying = reader.lying.try_lock().ok()?;
            labels
                .extend(lying.card.as_ref().filter(|(_, card)| card.is_in()).map(|(label, _)| label.clone()));
        }
        Some(labels)
    }

    /// The device of a line.
    #[must_use]
    pub fn line(&self, line: Line) -> Option<&LineDevice> {
        self.lines.iter().find(|device| device.line == line)
    }

    /// Every cable that can be pulled here.
    #[must_use]
    pub fn cables(&self) -> Vec<CableState> {
        let net = self.net.as_ref().map(|(_, whole)| ("net", whole.load(Ordering::SeqCst)));
        let service = self.service.as_ref().map(|service| ("reader", service.runs.load(Ordering::SeqCst)));
        let lines = self.lines.iter().map(|device| (cable_name(device.line), device.is_plugged()));
        net.into_iter()
            .chain(service)
            .chain(lines)
            .map(|(name, plugged)| CableState { name, plugged })
            .collect()
    }

    /// Pulls a cable, or puts it in again.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn plug(&self, name: &str, plugged: bool) -> Result<(), Refusal> {
        let done = match (name, &self.net, &self.service) {
            ("net", Some((cable, whole)), _) => {
                if plugged {
                    cable.mend()
                } else {
                    cable.cut()
                }
                whole.store(plugged, Ordering::SeqCst);
                Ok(())
            }
            ("reader", _, Some(service)) => service.plug(plugged),
            _ => {
                let device = self.lines.iter().find(|device| cable_name(device.line) == name);
                device.ok_or(Refusal::NoDevice)?.plug(plugged)
            }
        };
        done.map_err(|error| not_ready(&self.name, &error))
    }

    /// Puts a card on its reader and leaves it there.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub async fn put(&self, card: &Card) -> Result<(), Refusal> {
        let reader = self.reader(card)?;
        let mut lying = reader.lying.lock().await;
        self.enter(reader.port, &mut lying, card).await
    }

    /// Takes away what lies on its readers, if anything does; says how often it was asked something.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub async fn take(&self) -> Result<u64, Refusal> {
        if self.slots.is_empty() {
            return Err(Refusal::NoDevice);
        }
        let mut asked = 0;
        for reader in &self.slots {
            asked += leave(&mut *reader.lying.lock().await).await;
        }
        Ok(asked)
    }

    /// Holds a card to its reader for `hold_ms`, at most [`TAP_MAX_MS`]; says how often it was asked something. A
    /// 125 kHz chip is read as soon as it is near, and what its reader types is not answered.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub async fn tap(&self, card: &Card, hold_ms: u64) -> Result<Option<u64>, Refusal> {
        if card.kind == Kind::Chip {
            return self.write(Kind::Chip, card.number.as_deref().unwrap_or_default()).map(|()| None);
        }
        let reader = self.reader(card)?;
        let mut lying = reader.lying.lock().await;
        self.enter(reader.port, &mut lying, card).await?;
        tokio::time::sleep(Duration::from_millis(hold_ms.min(TAP_MAX_MS))).await;
        Ok(Some(leave(&mut lying).await))
    }

    /// Draws a stripe through the reader.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn swipe(&self, card: &Card) -> Result<(), Refusal> {
        let (Kind::Stripe, Some(track)) = (card.kind, &card.track) else { return Err(Refusal::WrongKind) };
        self.write(Kind::Stripe, track)
    }

    /// Shows a scanner a code.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn scan(&self, text: &str) -> Result<(), Refusal> {
        self.write(Kind::Code, text)
    }

    /// Draws a stripe through the swipe terminal with keys.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn keyed_swipe(&self, card: &Card) -> Result<(), Refusal> {
        let (Kind::Stripe, Some(track)) = (card.kind, &card.track) else { return Err(Refusal::WrongKind) };
        self.keyed(b'T', track.as_bytes())
    }

    /// Presses keys of the swipe terminal, one after the other.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn keys(&self, keys: &str) -> Result<(), Refusal> {
        if keys.is_empty() || keys.len() > 32 || !keys.bytes().all(|key| b"0123456789ECX".contains(&key)) {
            return Err(Refusal::WrongInput);
        }
        keys.bytes().try_for_each(|key| self.keyed(b'K', &[key]))
    }

    /// Confirms an amount in fen at the swipe terminal.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn amount(&self, fen: u64) -> Result<(), Refusal> {
        if !(1..=AMOUNT_MAX).contains(&fen) {
            return Err(Refusal::WrongInput);
        }
        self.keyed(b'A', fen.to_string().as_bytes())
    }

    fn keyed(&self, command: u8, data: &[u8]) -> Result<(), Refusal> {
        let device = self.line(Line::Keys).ok_or(Refusal::NoDevice)?;
        device.keyed(command, data).map_err(|error| not_ready(&self.name, &error))
    }

    fn write(&self, kind: Kind, text: &str) -> Result<(), Refusal> {
        let device = self.line(Line::Reader(kind)).ok_or(Refusal::NoDevice)?;
        let bytes = [text.as_bytes(), LINE_END].concat();
        device.write(&bytes).map_err(|error| not_ready(&self.name, &error))
    }

    /// The reader for a card: one that is set to read its kind.
    fn reader(&self, card: &Card) -> Result<&Reader, Refusal> {
        if !matches!(card.kind, Kind::Pcsc | Kind::Sector | Kind::Ntag | Kind::File) {
            return Err(if self.slots.is_empty() { Refusal::NoDevice } else { Refusal::WrongKind });
        }
        self.slots.iter().find(|reader| reader.kind == card.kind).ok_or(Refusal::NoDevice)
    }

    async fn enter(&self, port: u16, lying: &mut Lying, card: &Card) -> Result<(), Refusal> {
        // pcscd that died has thrown the card out.
        if lying.card.as_ref().is_some_and(|(_, card)| card.is_in()) {
            return Err(Refusal::Occupied);
        }
        leave(lying).await;
        if self.service.as_ref().is_some_and(|service| !service.runs.load(Ordering::SeqCst)) {
            return Err(Refusal::NotReady);
        }
        tokio::time::sleep_until(lying.free_from.into()).await;
        let virtual_card = card.contactless().ok().flatten().ok_or(Refusal::WrongKind)?;
        let inserted = tokio::task::spawn_blocking(move || virtual_card.insert(port)).await;
        match inserted {
            Ok(Ok(inserted)) => {
                lying.card = Some((card.label.clone(), inserted));
                Ok(())
            }
            Ok(Err(error)) => Err(not_ready(&self.name, &error)),
            Err(error) => Err(not_ready(&self.name, &error.into())),
        }
    }
}

/// A cable's name in the API.
fn cable_name(line: Line) -> &'static str {
    match line {
        Line::Keys => "keys",
        Line::Printer => "printer",
        Line::Reader(Kind::Chip) => "chip",
        Line::Reader(Kind::Code) => "code",
        Line::Reader(_) => "stripe",
    }
}

fn not_ready(name: &str, error: &anyhow::Error) -> Refusal {
    tracing::warn!("failed at {name}: {error:#}");
    Refusal::NotReady
}

async fn leave(lying: &mut Lying) -> u64 {
    let Some((_, card)) = lying.card.take() else { return 0 };
    let asked = card.apdus();
    // Dropping waits for the card's thread.
    if tokio::task::spawn_blocking(move || drop(card)).await.is_err() {
        tracing::warn!("a card's thread panicked");
    }
    lying.free_from = clock::now() + Duration::from_millis(CHANGE_PAUSE_MS);
    asked
}
