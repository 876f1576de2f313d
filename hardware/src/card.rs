//! What every card source can tell: the events, the media, the errors, and the one trait.
//!
//! A source is started once and then only sends [`CardEvent`]s. It owns its threads; [`Running`] stops and joins them.
//!
//! Invariants
//! - `Presented` is sent only for a medium read completely and recognised as an identity (no random UID, no bank card).
//! - Events of one reader are sent in the order in which they happened.
//! - Neither `Debug` nor an error text holds a card number: both end up in logs.
//!
//! Out of scope: debouncing ([`crate::debounce`]), tokens, members.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// The caller's monotonic clock, in nanoseconds since a start of its own choosing.
///
/// This crate never reads a clock by itself, so that tests and the simulator own time.
#[derive(Clone)]
pub struct MonotonicClock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl MonotonicClock {
    /// Wraps a closure that answers nanoseconds and never goes backwards.
    pub fn new(now_ns: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_ns))
    }

    /// The time now, in nanoseconds.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for MonotonicClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MonotonicClock")
    }
}

/// How a medium is offered; it decides the words for "not read, try again".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceKind {
    /// A card held to or put into a smart-card reader.
    Tap,
    /// A stripe pulled through a slot.
    Swipe,
    /// A code shown to a scanner.
    Scan,
}

/// Which reader an event comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceId {
    /// Position of the reader's entry in the configuration, from 0. One entry may stand for several slots.
    pub index: usize,
    /// The slot's own name as the driver gives it (PC/SC reader name, path of the serial port).
    pub name: Arc<str>,
}

impl SourceId {
    /// The reader `name` of configuration entry `index`.
    pub fn new(index: usize, name: impl Into<Arc<str>>) -> Self {
        Self { index, name: name.into() }
    }
}

/// What a reader got from the thing presented. Raw: no meaning is given to it here.
///
/// `Debug` shows sizes only, since the content is a card number.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Medium {
    /// A contactless card's UID, byte by byte as the reader answered `FF CA 00 00 00` (4, 7 or 10 bytes, as a rule).
    Uid(Vec<u8>),
    /// A magnetic stripe.
    Stripe {
        /// Track 1 between the sentinels, without LRC, if it was read.
        track1: Option<String>,
        /// Track 2 between the sentinels, without LRC, if it was read.
        track2: Option<String>,
        /// The card number, digits only: of track 2, else of track 1.
        number: String,
    },
    /// One line of a scanner, without its line end.
    Line(String),
    /// The number of a 125 kHz chip, in the digits of the form that the club knows its cards by.
    Proximity(String),
    /// A number written in a card's memory.
    Number(String),
    /// Bytes of a card's memory.
    Data(Vec<u8>),
}

impl fmt::Debug for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(bytes) => write!(f, "Uid({} bytes)", bytes.len()),
            Self::Stripe { number, .. } => write!(f, "Stripe({} digits)", number.len()),
            Self::Line(text) => write!(f, "Line({} bytes)", text.len()),
            Self::Proximity(number) => write!(f, "Proximity({} digits)", number.len()),
            Self::Number(number) => write!(f, "Number({} characters)", number.len()),
            Self::Data(bytes) => write!(f, "Data({} bytes)", bytes.len()),
        }
    }
}

/// What else the reader saw, kept as evidence beside the medium.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// A smart card.
    Tap {
        /// Answer to reset, raw.
        atr: Vec<u8>,
        /// What the answer to reset says the card is.
        card: crate::pcsc::atr::CardKind,
    },
    /// A stripe; whether an LRC (checksum) was sent along and held. Most readers strip it.
    Swipe {
        /// True if at least one track carried an LRC; a wrong one is a failed read, so this means "checked".
        lrc_checked: bool,
    },
    /// A scanner's line; nothing beyond its text is known.
    Scan,
}

/// What was entered at the keys of a reader. `Debug` shows no number: it may be a card's.
#[derive(Clone, PartialEq, Eq)]
pub enum Entry {
    /// A card's number, digits only; never a bank card's.
    Number(String),
    /// An amount above 0, in the smallest unit of money.
    Amount(u64),
    /// What was begun is not to be.
    Cancel,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "Number({} digits)", number.len()),
            Self::Amount(amount) => write!(f, "Amount({amount})"),
            Self::Cancel => f.write_str("Cancel"),
        }
    }
}

/// One completed presentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// Where.
    pub source: SourceId,
    /// What.
    pub medium: Medium,
    /// What else was seen.
    pub evidence: Evidence,
    /// When the reader noticed it, in nanoseconds of the caller's [`MonotonicClock`].
    pub at_ns: u64,
}

/// Everything a card source can say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CardEvent {
    /// A medium was read completely.
    Presented(Presented),
    /// The card left the reader. Only tap sources send this.
    Removed {
        /// Where.
        source: SourceId,
        /// When, nanoseconds of the caller's clock.
        at_ns: u64,
    },
    /// Something was presented but not read, or must not be read; nothing of it is kept.
    ReadFailed {
        /// Where.
        source: SourceId,
        /// How it was offered, for the words.
        offered: SourceKind,
        /// Why.
        kind: ErrorKind,
        /// When, nanoseconds of the caller's clock.
        at_ns: u64,
    },
    /// Something was entered at the keys of a reader.
    Entered {
        /// Where.
        source: SourceId,
        /// What.
        entry: Entry,
        /// When, nanoseconds of the caller's clock.
        at_ns: u64,
    },
    /// The card is there, but reading takes unusually long: ask the member to hold it still.
    KeepStill {
        /// Where.
        source: SourceId,
        /// When, nanoseconds of the caller's clock.
        at_ns: u64,
    },
    /// This reader works now.
    SourceUp {
        /// Which.
        source: SourceId,
        /// When, nanoseconds of the caller's clock.
        at_ns: u64,
    },
    /// This reader does not work now; its source keeps trying. Sent once per outage, and at the start if nothing is
    /// there (then `source.name` is what the configuration names).
    SourceDown {
        /// Which.
        source: SourceId,
        /// What kind of outage.
        kind: ErrorKind,
        /// One sentence for the operator, in English, without card data.
        reason: String,
        /// When, nanoseconds of the caller's clock.
        at_ns: u64,
    },
}

impl CardEvent {
    /// The reader that this event is about.
    #[must_use]
    pub fn source(&self) -> &SourceId {
        match self {
            Self::Presented(p) => &p.source,
            Self::Removed { source, .. }
            | Self::ReadFailed { source, .. }
            | Self::Entered { source, .. }
            | Self::KeepStill { source, .. }
            | Self::SourceUp { source, .. }
            | Self::SourceDown { source, .. } => source,
        }
    }

    /// When it happened, in nanoseconds of the caller's clock.
    #[must_use]
    pub fn at_ns(&self) -> u64 {
        match self {
            Self::Presented(p) => p.at_ns,
            Self::Removed { at_ns, .. }
            | Self::ReadFailed { at_ns, .. }
            | Self::Entered { at_ns, .. }
            | Self::KeepStill { at_ns, .. }
            | Self::SourceUp { at_ns, .. }
            | Self::SourceDown { at_ns, .. } => *at_ns,
        }
    }
}

/// Why a read or a reader failed. Callers react to the kind; the rich error stays with the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The card left before it was read whole.
    CardLost,
    /// The card did not answer in time.
    NotAnswering,
    /// The card answered, but not with an identity (no UID command, wrong status, impossible length).
    Unsupported,
    /// A card of another kind than this reader is set to read, or one that lacks the club's application.
    WrongCard,
    /// The key that the reader is set to does not open this card.
    WrongKey,
    /// The card is of the right kind, but nothing is written where the identity should stand.
    Blank,
    /// The card invents a new UID at each tap (4 bytes starting with 08): it identifies nobody.
    RandomUid,
    /// A bank card. Its number is dropped at once.
    PaymentCard,
    /// A checksum did not hold.
    Checksum,
    /// What came is not of the configured format.
    Malformed,
    /// More bytes than any frame may have.
    TooLong,
    /// The device is not there: never plugged in, or unplugged.
    DeviceGone,
    /// The smart-card service (pcscd) does not run or refuses us.
    ServiceGone,
    /// Another program holds the device.
    Busy,
    /// The operating system denies access.
    Denied,
    /// Anything else.
    Other,
}

/// A source could not be started. Only what no amount of waiting would repair; an absent device is not an error.
#[derive(Debug, thiserror::Error)]
#[error("start card source {source_name}: {detail}")]
pub struct SourceError {
    source_name: String,
    kind: ErrorKind,
    detail: String,
}

impl SourceError {
    /// An error of `kind` about the source `name`; `detail` reads after a colon.
    pub fn new(name: impl Into<String>, kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self { source_name: name.into(), kind, detail: detail.into() }
    }

    /// What callers may react to.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// Where a source sends its events. Cheap to clone; called from the source's own threads, so it may block (a bounded
/// queue's blocking send is right) but must not panic.
#[derive(Clone)]
pub struct EventSink(Arc<dyn Fn(CardEvent) + Send + Sync>);

impl EventSink {
    /// Wraps a callback.
    pub fn new(send: impl Fn(CardEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(send))
    }

    /// Hands over one event.
    pub fn send(&self, event: CardEvent) {
        (self.0)(event);
    }
}

impl From<mpsc::Sender<CardEvent>> for EventSink {
    /// A receiver that is gone means that the program is stopping; the event has no reader any more.
    fn from(sender: mpsc::Sender<CardEvent>) -> Self {
        Self::new(move |event| drop(sender.send(event)))
    }
}

impl fmt::Debug for EventSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventSink")
    }
}

/// One entry of the reader configuration, ready to be started.
///
/// Two things implement it for each real device family: the driver and the scripted fake.
pub trait CardSource: Send {
    /// How a medium is offered here.
    fn kind(&self) -> SourceKind;

    /// What the configuration names: part of a reader's name, or a port.
    fn name(&self) -> String;

    /// Starts the threads. Returns at once; a device that is absent is reported by `SourceDown` and waited for.
    ///
    /// # Errors
    /// Only if no thread could be started or the configuration can never work.
    fn start(self: Box<Self>, sink: EventSink, clock: MonotonicClock) -> Result<Running, SourceError>;
}

/// A started source. Dropping it stops it too.
pub struct Running {
    stop: Option<Box<dyn FnOnce() + Send>>,
    threads: Vec<JoinHandle<()>>,
}

impl Running {
    /// For implementers: `stop` must make all `threads` end within about a second.
    pub fn new(stop: impl FnOnce() + Send + 'static, threads: Vec<JoinHandle<()>>) -> Self {
        Self { stop: Some(Box::new(stop)), threads }
    }

    /// True while every thread of the source runs; false would be a defect of the driver, worth a loud log line.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.threads.iter().all(|t| !t.is_finished())
    }

    /// Stops the source and waits for its threads. No event is sent after this returns.
    pub fn stop(mut self) {
        self.stop_and_join();
    }

    fn stop_and_join(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a card source's thread had panicked before it was stopped");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop_and_join();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("threads", &self.threads.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_a_card_number() {
        let stripe = Medium::Stripe {
            track1: Some("B12345678^ZHANG/SAN^2512".into()),
            track2: Some("12345678=2512".into()),
            number: "12345678".into(),
        };
        assert_eq!(format!("{stripe:?}"), "Stripe(8 digits)");
        assert_eq!(format!("{:?}", Medium::Uid(vec![4, 0xde, 0x5f, 0x1e])), "Uid(4 bytes)");
        assert_eq!(format!("{:?}", Medium::Line("secret".into())), "Line(6 bytes)");
        assert_eq!(format!("{:?}", Medium::Number("80001234".into())), "Number(8 characters)");
        assert_eq!(format!("{:?}", Medium::Proximity("0012345678".into())), "Proximity(10 digits)");
        assert_eq!(format!("{:?}", Medium::Data(vec![0x12, 0x34])), "Data(2 bytes)");
    }

    #[test]
    fn a_sink_without_a_receiver_is_silent() {
        let (sender, receiver) = mpsc::channel();
        drop(receiver);
        let source = SourceId::new(0, "reader");
        EventSink::from(sender).send(CardEvent::Removed { source, at_ns: 1 });
    }
}
