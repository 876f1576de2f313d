//! A signal that records every cue.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::signal::{Cue, Signal, SignalError};

#[derive(Debug, Default)]
struct Tape {
    cues: Vec<Cue>,
    failing: bool,
}

/// What a [`FakeSignal`] was told. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct SignalTape(Arc<Mutex<Tape>>);

impl SignalTape {
    /// All cues so far, oldest first.
    #[must_use]
    pub fn cues(&self) -> Vec<Cue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).cues.clone()
    }

    /// From now on every cue fails, or works again.
    pub fn set_failing(&self, failing: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failing = failing;
    }
}

/// The recording signal.
#[derive(Debug, Default)]
pub struct FakeSignal {
    tape: SignalTape,
}

impl FakeSignal {
    /// A signal and its tape.
    #[must_use]
    pub fn new() -> (Self, SignalTape) {
        let tape = SignalTape::default();
        (Self { tape: tape.clone() }, tape)
    }
}

impl Signal for FakeSignal {
    fn give(&mut self, cue: &Cue) -> Result<(), SignalError> {
        let mut tape = self.tape.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tape.failing {
            let source = std::io::Error::other("the script says so");
            return Err(SignalError::Write { port: PathBuf::from("fake"), source });
        }
        tape.cues.push(*cue);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_are_kept_and_failures_are_played() {
        let (mut signal, tape) = FakeSignal::new();
        signal.give(&Cue::OFF).unwrap();
        tape.set_failing(true);
        assert!(signal.give(&Cue::OFF).is_err());
        tape.set_failing(false);
        signal.give(&Cue::OFF).unwrap();
        assert_eq!(tape.cues(), [Cue::OFF, Cue::OFF]);
    }
}
