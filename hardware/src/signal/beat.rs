//! A cue as a score for devices that know only on and off, and the thread that plays it.
//!
//! A buzzer has one pitch, so pitch becomes length: low notes are long beeps, others short, and beeps never run together.
//! Two short ones are a yes, two long ones a no, three short ones call for attention, one long one is noted.
//!
//! Invariants: a score ends with the buzzer off, and with the light off unless it is to stay; a later score replaces an
//! earlier one at once; playing never holds up whoever gave the cue.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Cue, Light, SignalError, Sound};

/// One change of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// This light and no other.
    Light(Light),
    /// The buzzer, on or off.
    Buzz(bool),
}

/// Changes, each with the pause before the next in milliseconds.
pub type Score = Vec<(Beat, u32)>;

/// Notes below this are low, in hertz.
const LOW_HZ: u16 = 400;
/// A short beep, where there are several, in milliseconds.
const SHORT_MS: u32 = 60;
/// A long beep, where there are several, in milliseconds.
const LONG_MS: u32 = 170;
/// Silence between two beeps, in milliseconds.
const GAP_MS: u32 = 60;

/// The score of a cue.
#[must_use]
pub fn beats(cue: &Cue) -> Score {
    let mut score = vec![(Beat::Light(cue.light), 0)];
    let beeps = beeps(cue.sound);
    let last = beeps.len().saturating_sub(1);
    for (at, ms) in beeps.into_iter().enumerate() {
        score.extend([(Beat::Buzz(true), ms), (Beat::Buzz(false), if at < last { GAP_MS } else { 0 })]);
    }
    if cue.light != Light::Off && cue.light_ms > 0 {
        let sounded: u32 = score.iter().map(|beat| beat.1).sum();
        if let Some(end) = score.last_mut() {
            end.1 += cue.light_ms.saturating_sub(sounded);
        }
        score.push((Beat::Light(Light::Off), 0));
    }
    score
}

/// Lengths of the beeps that stand for a sound.
fn beeps(sound: Sound) -> Vec<u32> {
    let audible: Vec<_> = sound.notes.iter().filter(|note| note.hz > 0).collect();
    let alone = audible.len() == 1;
    let length = |note: &&super::Note| match note.hz {
        _ if alone => u32::from(note.ms),
        hz if hz < LOW_HZ => LONG_MS,
        _ => SHORT_MS,
    };
    audible.iter().map(length).collect()
}

/// A player on a thread of its own. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Timed {
    scores: Option<Sender<Score>>,
    thread: Option<JoinHandle<()>>,
    name: &'static str,
}

impl Timed {
    /// Plays on a new thread; failures are logged, once each time they begin.
    pub(super) fn start(
        name: &'static str,
        play: impl FnMut(Beat) -> Result<(), SignalError> + Send + 'static,
    ) -> Self {
        let (scores, inbox) = channel();
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || run(&inbox, play));
        Self { scores: Some(scores), thread: thread.ok(), name }
    }

    pub(super) fn give(&mut self, score: Score) -> Result<(), SignalError> {
        let sent = self.scores.as_ref().is_some_and(|scores| scores.send(score).is_ok());
        if sent { Ok(()) } else { Err(SignalError::Ended { name: self.name }) }
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        self.scores = None;
        if let Some(thread) = self.thread.take() {
            // It plays at most the rest of one pause.
            drop(thread.join());
        }
    }
}

fn run(inbox: &Receiver<Score>, mut play: impl FnMut(Beat) -> Result<(), SignalError>) {
    let mut failing = false;
    let mut next = inbox.recv();
    while let Ok(score) = next {
        let mut replaced = None;
        for (beat, pause_ms) in score {
            let done = play(beat);
            if let (Err(error), false) = (&done, failing) {
                tracing::warn!(%error, "a signal was not given");
            }
            failing = done.is_err();
            match inbox.recv_timeout(Duration::from_millis(u64::from(pause_ms))) {
                Ok(newer) => {
                    replaced = Some(newer);
                    break;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return silence(play),
            }
        }
        if replaced.is_some() {
            // What the old score had switched on and the new one does not know of.
            drop(play(Beat::Buzz(false)));
        }
        next = replaced.map_or_else(|| inbox.recv(), Ok);
    }
    silence(play);
}

/// At the end nothing is left lit or sounding.
fn silence(mut play: impl FnMut(Beat) -> Result<(), SignalError>) {
    for beat in [Beat::Buzz(false), Beat::Light(Light::Off)] {
        drop(play(beat));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::SOUND_MS_MAX;

    const ALL: [Sound; 6] =
        [Sound::RISING, Sound::MIDDLE, Sound::LOW_TWICE, Sound::SHORT_THRICE, Sound::HIGH, Sound::SHORT];

    #[test]
    fn sounds_are_told_apart_by_a_buzzer_of_one_pitch_and_stay_short() {
        let scores = ALL.map(beeps);
        for (at, score) in scores.iter().enumerate() {
            assert!(!scores[..at].contains(score), "{:?} sounds like another", ALL[at]);
            let total: u32 =
                beats(&Cue { light: Light::Off, light_ms: 0, sound: ALL[at] }).iter().map(|b| b.1).sum();
            assert!(total <= SOUND_MS_MAX, "{:?} lasts {total} ms", ALL[at]);
        }
        assert_eq!(beeps(Sound::RISING), [60, 60]);
        assert_eq!(beeps(Sound::LOW_TWICE), [170, 170]);
        assert_eq!(beeps(Sound::SHORT_THRICE), [60, 60, 60]);
        assert!(beeps(Sound::NONE).is_empty());
    }

    #[test]
    fn a_score_ends_dark_and_silent_after_its_time() {
        let score = beats(&Cue { light: Light::Red, light_ms: 3_000, sound: Sound::LOW_TWICE });
        assert_eq!(score.first(), Some(&(Beat::Light(Light::Red), 0)));
        assert_eq!(score.last(), Some(&(Beat::Light(Light::Off), 0)));
        assert_eq!(score.iter().map(|beat| beat.1).sum::<u32>(), 3_000);
        let on = score.iter().filter(|beat| beat.0 == Beat::Buzz(true)).count();
        assert_eq!((on, score.iter().filter(|beat| beat.0 == Beat::Buzz(false)).count()), (2, 2));
        let stays = beats(&Cue { light: Light::Amber, light_ms: 0, sound: Sound::NONE });
        assert_eq!(stays, [(Beat::Light(Light::Amber), 0)], "until the next cue");
    }

    #[test]
    fn a_later_cue_replaces_an_earlier_one_at_once_and_the_end_is_dark() {
        let (told, heard) = channel();
        let mut timed = Timed::start("test", move |beat| {
            told.send(beat).expect("the test listens");
            Ok(())
        });
        let next = || heard.recv_timeout(Duration::from_secs(5)).expect("a beat");
        timed.give(vec![(Beat::Light(Light::Green), 60_000), (Beat::Light(Light::Off), 0)]).unwrap();
        assert_eq!(next(), Beat::Light(Light::Green));
        timed.give(vec![(Beat::Light(Light::Red), 60_000)]).unwrap();
        assert_eq!((next(), next()), (Beat::Buzz(false), Beat::Light(Light::Red)));
        drop(timed);
        assert_eq!((next(), next()), (Beat::Buzz(false), Beat::Light(Light::Off)));
    }
}
