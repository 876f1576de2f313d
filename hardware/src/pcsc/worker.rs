//! The thread that reads the cards of one reader, and the events that come of it.
//!
//! It blocks for as long as a card pleases, so it has a context of its own and nobody waits for it: the state machine
//! gives a card up after a time, and an answer that comes later is of an older generation.
//!
//! Out of scope: noticing cards ([`super::reader`] does).

use std::ffi::{CStr, CString};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use pcsc::{Card, Context, Disposition, Error, Protocols, Scope, ShareMode};

use super::atr::card_kind;
use super::mode::{ReadMode, SectorKey};
use super::script::{self, Exchange, Fault};
use super::slot::{Action, Input, ReadCard, Slot};
use crate::card::{
    CardEvent, ErrorKind, EventSink, Evidence, MonotonicClock, Presented, SourceId, SourceKind,
};

/// Tries of one read while the card stays: a hand that trembles interrupts the first.
pub(super) const READ_ATTEMPTS_MAX: u32 = 3;
/// Pause between two tries of a read, in milliseconds.
pub(super) const READ_RETRY_MS: u64 = 40;
/// Room for an answer: a short APDU's 256 bytes and two of status.
const ANSWER_BYTES_MAX: usize = 258;

/// Turns the machine's words into events.
#[derive(Clone)]
pub(super) struct Outlet {
    pub(super) source: SourceId,
    pub(super) sink: EventSink,
    pub(super) clock: MonotonicClock,
}

impl Outlet {
    /// Steps the machine and sends what it says, all under its lock. Returns the generation to read, if any.
    pub(super) fn step(&self, slot: &Mutex<Slot>, input: Input) -> Option<u64> {
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let at_ns = self.clock.now_ns();
        let mut to_read = None;
        for action in slot.step(input, at_ns) {
            let source = self.source.clone();
            let event = match action {
                Action::Read { generation } => {
                    to_read = Some(generation);
                    continue;
                }
                Action::Presented { card, seen_ns } => {
                    let evidence = Evidence::Tap { card: card_kind(&card.atr), atr: card.atr };
                    CardEvent::Presented(Presented { source, medium: card.medium, evidence, at_ns: seen_ns })
                }
                Action::Failed(kind) => {
                    CardEvent::ReadFailed { source, offered: SourceKind::Tap, kind, at_ns }
                }
                Action::KeepStill => CardEvent::KeepStill { source, at_ns },
                Action::Removed => CardEvent::Removed { source, at_ns },
                Action::Stuck => CardEvent::SourceDown {
                    source,
                    kind: ErrorKind::NotAnswering,
                    reason: "a card does not answer and holds the reader up".into(),
                    at_ns,
                },
                Action::Unstuck => CardEvent::SourceUp { source, at_ns },
            };
            self.sink.send(event);
        }
        to_read
    }
}

/// One reader's worker.
pub(super) struct Worker {
    name: CString,
    slot: Arc<Mutex<Slot>>,
    outlet: Outlet,
    plan: Plan,
    context: Option<Context>,
}

impl Worker {
    pub(super) fn new(name: &CStr, slot: Arc<Mutex<Slot>>, outlet: Outlet, plan: Plan) -> Self {
        Self { name: name.to_owned(), slot, outlet, plan, context: None }
    }

    /// Reads whenever it is told a generation, until nobody can tell it any more.
    pub(super) fn run(mut self, inbox: &mpsc::Receiver<u64>) {
        while let Ok(first) = inbox.recv() {
            // After a card that hung, only the newest matters; the machine ignores the others' answers anyway.
            let generation = inbox.try_iter().last().unwrap_or(first);
            let outcome = self.read_with_retries();
            self.outlet.step(&self.slot, Input::Done { generation, outcome });
        }
    }

    fn read_with_retries(&mut self) -> Result<ReadCard, ErrorKind> {
        let mut attempt = 1;
        loop {
            let result = self.read();
            match result {
                Err(ErrorKind::CardLost | ErrorKind::ServiceGone) if attempt < READ_ATTEMPTS_MAX => {
                    attempt += 1;
                    std::thread::sleep(Duration::from_millis(READ_RETRY_MS));
                }
                result => return result,
            }
        }
    }

    fn read(&mut self) -> Result<ReadCard, ErrorKind> {
        let context = match self.context.take() {
            Some(context) => context,
            None => Context::establish(Scope::System).map_err(card_error)?,
        };
        let result = read_card(&context, &self.name, &self.plan);
        // A context that lost its service never recovers.
        let is_lost =
            |error: &Error| matches!(error, Error::CommError | Error::NoService | Error::InvalidHandle);
        if !matches!(&result, Err(Fault::Way(error)) if is_lost(error)) {
            self.context = Some(context);
        }
        result.map_err(|fault| match fault {
            Fault::Way(error) => card_error(error),
            Fault::Card(kind) => kind,
        })
    }
}

/// How the cards of an entry are read: the mode, and the key where it needs one.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pub(super) mode: ReadMode,
    pub(super) key: Option<SectorKey>,
}

impl Exchange for Card {
    type Error = Error;

    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, Error> {
        let mut buffer = [0; ANSWER_BYTES_MAX];
        self.transmit(command, &mut buffer).map(<[u8]>::to_vec)
    }
}

fn read_card(context: &Context, name: &CStr, plan: &Plan) -> Result<ReadCard, Fault<Error>> {
    let mut card = context.connect(name, ShareMode::Shared, Protocols::ANY).map_err(Fault::Way)?;
    let atr = card.status2_owned().map_err(Fault::Way)?.atr().to_vec();
    let medium = script::read(&plan.mode, plan.key.as_ref(), card_kind(&atr), &mut card)?;
    // Not reset: another program may talk to the same card. A failure here comes too late to matter.
    drop(card.disconnect(Disposition::LeaveCard));
    Ok(ReadCard { medium, atr })
}

/// What an error during a read means for the member in front of the reader.
fn card_error(error: Error) -> ErrorKind {
    match error {
        Error::NotTransacted
        | Error::RemovedCard
        | Error::ResetCard
        | Error::NoSmartcard
        | Error::CommDataLost
        | Error::UnpoweredCard => ErrorKind::CardLost,
        Error::UnresponsiveCard | Error::Timeout => ErrorKind::NotAnswering,
        Error::UnsupportedCard | Error::CardUnsupported | Error::ProtoMismatch | Error::InvalidAtr => {
            ErrorKind::Unsupported
        }
        Error::SharingViolation => ErrorKind::Busy,
        Error::UnknownReader | Error::ReaderUnavailable => ErrorKind::DeviceGone,
        Error::SecurityViolation | Error::NoAccess => ErrorKind::Denied,
        Error::CommError
        | Error::NoService
        | Error::ServiceStopped
        | Error::Shutdown
        | Error::InvalidHandle => ErrorKind::ServiceGone,
        _ => ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_70_every_way_a_pulled_card_shows_is_a_lost_card() {
        for error in [Error::NotTransacted, Error::RemovedCard, Error::ResetCard, Error::NoSmartcard] {
            assert_eq!(card_error(error), ErrorKind::CardLost, "{error}");
        }
        assert_eq!(card_error(Error::CommError), ErrorKind::ServiceGone);
        assert_eq!(card_error(Error::UnresponsiveCard), ErrorKind::NotAnswering);
    }
}
