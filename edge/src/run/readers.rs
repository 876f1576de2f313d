//! The configured readers: made from the configuration, started, and watched.

use hufu_hardware::card::{
    CardEvent, CardSource, ErrorKind, EventSink, Medium, MonotonicClock, Running, SourceError, SourceKind,
};
use hufu_hardware::debounce::{Debounce, Verdict};
use hufu_hardware::health::Health;
use hufu_hardware::pcsc::PcscSource;
use hufu_hardware::serial::{Protocol, SerialSource};
use hufu_shared::token::{CardText, CardTextError, MediumKind};

use crate::config::{ReaderConfig, SerialProtocol};
use crate::rules::screen::{Offered, Offers};

/// Readers that a fact can name: 255 is the counter page.
pub const READERS_MAX: usize = 255;

/// The source of a configuration entry.
#[must_use]
pub fn source(index: usize, config: &ReaderConfig) -> Box<dyn CardSource> {
    match config {
        ReaderConfig::Pcsc { name_contains } => Box::new(PcscSource::new(index, name_contains.as_str())),
        ReaderConfig::Serial { port, baud, protocol } => {
            let protocol = match protocol {
                SerialProtocol::Iso7813 => Protocol::Iso7813,
                SerialProtocol::Line => Protocol::Line,
            };
            Box::new(SerialSource::new(index, port, *baud, protocol))
        }
    }
}

/// Starts all sources.
///
/// # Errors
/// [`SourceError`] of the first that can never work.
pub fn start(
    sources: Vec<Box<dyn CardSource>>,
    sink: &EventSink,
    clock: &MonotonicClock,
) -> Result<Vec<Running>, SourceError> {
    sources.into_iter().map(|source| source.start(sink.clone(), clock.clone())).collect()
}

/// What is known of the readers.
#[derive(Debug)]
pub struct ReaderBook {
    /// Name and kind of each entry, in the order of the configuration.
    pub entries: Vec<(String, SourceKind)>,
    /// Which of them work.
    pub health: Health,
    debounce: Debounce,
}

impl ReaderBook {
    /// Of these entries.
    #[must_use]
    pub fn new(entries: Vec<(String, SourceKind)>) -> Self {
        Self { entries, health: Health::new(), debounce: Debounce::default() }
    }

    /// Takes an event; false for a presentation that is only a flicker of the one before.
    pub fn observe(&mut self, event: &CardEvent) -> bool {
        self.health.observe(event);
        self.debounce.observe(event) == Verdict::New
    }

    /// Whether there is any reader, and none of them works.
    #[must_use]
    pub fn none_ready(&self) -> bool {
        !self.entries.is_empty() && !self.health.any_ready()
    }

    /// What can be presented here, by the entries that work.
    #[must_use]
    pub fn offers(&self) -> Offers {
        let ready = |kinds: &[SourceKind]| {
            let mut entries = self.entries.iter().enumerate();
            entries.any(|(at, (_, kind))| kinds.contains(kind) && self.health.is_ready(at))
        };
        Offers { card: ready(&[SourceKind::Tap, SourceKind::Swipe]), code: ready(&[SourceKind::Scan]) }
    }
}

/// The number under which facts name a reader.
#[must_use]
pub fn number(index: usize) -> u8 {
    u8::try_from(index).unwrap_or(u8::MAX - 1)
}

/// How a medium was offered, in the words of the rules.
#[must_use]
pub fn offered(kind: SourceKind) -> Offered {
    match kind {
        SourceKind::Swipe => Offered::Swipe,
        SourceKind::Scan => Offered::Scan,
        _ => Offered::Tap,
    }
}

/// What a medium identifies.
///
/// # Errors
/// [`CardTextError`] if it cannot be a card's number.
pub fn card_text(medium: &Medium) -> Result<CardText, CardTextError> {
    match medium {
        Medium::Uid(bytes) => Ok(CardText::uid(bytes)),
        Medium::Stripe { number, .. } => CardText::number(MediumKind::Stripe, number),
        Medium::Line(text) => CardText::number(MediumKind::Line, text),
        _ => Err(CardTextError::Empty),
    }
}

/// Whether a failed read says that the medium identifies nobody, so that trying again would not help.
#[must_use]
pub fn is_unusable(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::RandomUid | ErrorKind::PaymentCard | ErrorKind::Unsupported | ErrorKind::Checksum
    )
}
