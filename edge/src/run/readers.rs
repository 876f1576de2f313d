//! The configured readers: made from the configuration, started, and watched.

use hufu_hardware::card::{
    CardEvent, CardSource, ErrorKind, EventSink, Medium, MonotonicClock, Running, SourceError, SourceKind,
};
use hufu_hardware::debounce::{Debounce, Verdict};
use hufu_hardware::framed::{FramedDesk, FramedSource};
use hufu_hardware::health::Health;
use hufu_hardware::keyboard::KeyboardSource;
use hufu_hardware::pcsc::PcscSource;
use hufu_hardware::serial::SerialSource;
use hufu_shared::token::{CardText, CardTextError, MediumKind};

use crate::config::ReaderConfig;
use crate::rules::screen::{Offered, Offers};

/// Readers that a fact can name: 255 is the counter page.
pub const READERS_MAX: usize = 255;

/// The source of a configuration entry, and the way to its display where it has one.
#[must_use]
pub fn source(index: usize, config: &ReaderConfig) -> (Box<dyn CardSource>, Option<FramedDesk>) {
    match config {
        ReaderConfig::Pcsc { name_contains, mode } => {
            let source = PcscSource::new(index, name_contains.as_str()).reading(mode.clone());
            (Box::new(source), None)
        }
        ReaderConfig::Serial { port, baud, protocol } => {
            (Box::new(SerialSource::new(index, port, *baud, *protocol)), None)
        }
        ReaderConfig::Keypad { port, baud, dialect } => {
            let (source, desk) = FramedSource::new(index, port, *baud, *dialect);
            (Box::new(source), Some(desk))
        }
        ReaderConfig::Evdev { device, protocol } => {
            (Box::new(KeyboardSource::new(index, device, *protocol)), None)
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
        // A number is the same card wherever it stands: printed, on a stripe, in a chip.
        Medium::Proximity(text) | Medium::Number(text) => CardText::number(MediumKind::Uid, text),
        Medium::Data(bytes) => Ok(CardText::data(bytes)),
        _ => Err(CardTextError::Empty),
    }
}

/// Whether a failed read says that the medium identifies nobody, so that trying again would not help.
#[must_use]
pub fn is_unusable(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::RandomUid
            | ErrorKind::PaymentCard
            | ErrorKind::Unsupported
            | ErrorKind::Checksum
            | ErrorKind::WrongCard
            | ErrorKind::WrongKey
            | ErrorKind::Blank
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cards were registered under these texts: another reader, or a new release, must not make another card of one.
    #[test]
    fn a_card_stays_the_same_card_at_every_reader() {
        let number = || "0040856634".to_owned();
        let table = [
            (Medium::Uid(vec![0x04, 0xa1]), "uid:04A1", MediumKind::Uid),
            (Medium::Data(vec![0x04, 0xa1]), "data:04A1", MediumKind::Uid),
            (Medium::Proximity(number()), "number:0040856634", MediumKind::Uid),
            (Medium::Number(number()), "number:0040856634", MediumKind::Uid),
            (Medium::Line(number()), "number:0040856634", MediumKind::Line),
            (
                Medium::Stripe { track1: None, track2: None, number: number() },
                "number:0040856634",
                MediumKind::Stripe,
            ),
        ];
        for (medium, text, kind) in table {
            let card = card_text(&medium).expect("a card");
            assert_eq!((card.canonical(), card.kind), (text, kind), "{medium:?}");
        }
    }
}
