//! Light and sound: what to show and play, and the devices that do it.
//!
//! A [`Cue`] is data. Sounds are short patterns of notes; the counter page plays the same pattern in the browser that a
//! buzzer would play here, so both sound alike.
//!
//! Devices: [`StackLight`] speaks a line protocol of our own, [`lamp::TowerLamp`] the bytes of a bought lamp,
//! [`gpio::GpioSignal`] switches a board's pins; [`beat`] turns a cue into what a device can do that knows only on and off.
//!
//! Out of scope: which outcome has which cue (the caller's table), volume and mute (the caller leaves `sound` empty).

pub mod beat;
pub mod gpio;
pub mod lamp;
mod port;

use std::path::PathBuf;

use port::Port;

/// Colours of a stack light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Light {
    /// All off.
    Off,
    /// Accepted.
    Green,
    /// Recorded, not confirmed.
    Amber,
    /// Refused.
    Red,
    /// Attention.
    Blue,
}

/// One note, or a pause when `hz` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// Frequency in hertz; 0 is silence.
    pub hz: u16,
    /// Duration in milliseconds.
    pub ms: u16,
}

/// A sound of at most [`SOUND_MS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    /// Notes one after another.
    pub notes: &'static [Note],
}

/// No sound of ours lasts longer: the next member's must not fall into it.
pub const SOUND_MS_MAX: u32 = 400;

const fn note(hz: u16, ms: u16) -> Note {
    Note { hz, ms }
}

impl Sound {
    /// Nothing.
    pub const NONE: Self = Self { notes: &[] };
    /// Accepted: two rising notes.
    pub const RISING: Self = Self { notes: &[note(880, 140), note(1_320, 180)] };
    /// Recorded, not confirmed: one middle note.
    pub const MIDDLE: Self = Self { notes: &[note(660, 250)] };
    /// Refused: two low notes.
    pub const LOW_TWICE: Self = Self { notes: &[note(330, 160), note(0, 60), note(330, 160)] };
    /// Attention: three short high notes.
    pub const SHORT_THRICE: Self =
        Self { notes: &[note(990, 80), note(0, 50), note(990, 80), note(0, 50), note(990, 80)] };
    /// Already in: one high note.
    pub const HIGH: Self = Self { notes: &[note(880, 200)] };
    /// Not read: one short note.
    pub const SHORT: Self = Self { notes: &[note(440, 120)] };

    /// Length in milliseconds.
    #[must_use]
    pub fn total_ms(&self) -> u32 {
        self.notes.iter().map(|n| u32::from(n.ms)).sum()
    }
}

/// What to do at once: a light, and a sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cue {
    /// The colour to switch to.
    pub light: Light,
    /// How long the light stays before it goes off; zero means until the next cue.
    pub light_ms: u32,
    /// What to play.
    pub sound: Sound,
}

impl Cue {
    /// Dark and silent.
    pub const OFF: Self = Self { light: Light::Off, light_ms: 0, sound: Sound::NONE };
}

/// A signal could not be given. Never a reason to lose a swipe: callers log it and go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// The port did not open.
    #[error("open stack light at {port}: {source}")]
    Open {
        /// Path of the port.
        port: PathBuf,
        /// Why.
        source: serialport::Error,
    },
    /// The port did not take the bytes; it is opened anew at the next cue.
    #[error("write to stack light at {port}: {source}")]
    Write {
        /// Path of the port.
        port: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of a board's pins could not be switched: the chip is not there, the user may not open it, or another program
    /// holds the line. The next cue tries again.
    #[error("signal on {chip}: {detail}")]
    Gpio {
        /// The chip.
        chip: PathBuf,
        /// Why.
        detail: String,
    },
    /// The thread that plays cues is gone, which only happens when it panicked: the device stays dark until a restart.
    #[error("the player of {name} has ended")]
    Ended {
        /// Which device.
        name: &'static str,
    },
}

/// A light, a buzzer, or both.
pub trait Signal: Send {
    /// Gives the cue and returns without waiting for it to end. A later cue replaces an earlier one.
    ///
    /// # Errors
    /// If the device did not take it.
    fn give(&mut self, cue: &Cue) -> Result<(), SignalError>;
}

/// For terminals without light and buzzer.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoSignal;

impl Signal for NoSignal {
    fn give(&mut self, _cue: &Cue) -> Result<(), SignalError> {
        Ok(())
    }
}

/// How long a write to the light may take, in milliseconds.
pub const STACK_LIGHT_WRITE_TIMEOUT_MS: u64 = 200;

/// A stack light with buzzer on a serial port.
///
/// The protocol is plain ASCII, 8N1, one line per cue, so that any small controller can speak it and a person can type
/// it: `L<colour><deciseconds>` then for each note `,<hz>:<ms>`, ended by LF. Colour is one of `0GARB` (off, green,
/// amber, red, blue); deciseconds 0 = until the next line. A new line replaces whatever still runs.
/// Example, accepted for 3 s: `LG30,880:140,1320:180`.
#[derive(Debug)]
pub struct StackLight(Port);

impl StackLight {
    /// A light at `port`; it is opened at the first cue and again after any error.
    pub fn new(port: impl Into<PathBuf>, baud: u32) -> Self {
        Self(Port::new(port, baud))
    }

    /// The bytes of a cue.
    #[must_use]
    pub fn encode(cue: &Cue) -> Vec<u8> {
        let colour = match cue.light {
            Light::Off => '0',
            Light::Green => 'G',
            Light::Amber => 'A',
            Light::Red => 'R',
            Light::Blue => 'B',
        };
        let mut line = format!("L{colour}{}", cue.light_ms.div_ceil(100));
        for note in cue.sound.notes {
            line.push_str(&format!(",{}:{}", note.hz, note.ms));
        }
        line.push('\n');
        line.into_bytes()
    }
}

impl Signal for StackLight {
    fn give(&mut self, cue: &Cue) -> Result<(), SignalError> {
        self.0.write(&Self::encode(cue))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sound_is_short_and_audible() {
        for sound in
            [Sound::RISING, Sound::MIDDLE, Sound::LOW_TWICE, Sound::SHORT_THRICE, Sound::HIGH, Sound::SHORT]
        {
            assert!(sound.total_ms() <= SOUND_MS_MAX && sound.total_ms() >= 100, "{sound:?}");
            assert!(sound.notes.iter().all(|n| n.hz == 0 || (200..4_000).contains(&n.hz)), "{sound:?}");
        }
    }

    #[test]
    fn the_stack_light_protocol() {
        let table = [
            (Cue { light: Light::Green, light_ms: 3_000, sound: Sound::RISING }, "LG30,880:140,1320:180\n"),
            (Cue { light: Light::Red, light_ms: 50, sound: Sound::LOW_TWICE }, "LR1,330:160,0:60,330:160\n"),
            (Cue { light: Light::Amber, light_ms: 0, sound: Sound::NONE }, "LA0\n"),
            (Cue { light: Light::Blue, light_ms: 100, sound: Sound::NONE }, "LB1\n"),
            (Cue::OFF, "L00\n"),
        ];
        for (cue, line) in table {
            assert_eq!(String::from_utf8(StackLight::encode(&cue)).unwrap(), line);
        }
    }

    #[test]
    fn a_light_that_is_not_there_is_an_error_and_then_works_once_it_is() {
        use std::io::Read;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("light");
        let mut light = StackLight::new(&path, 9_600);
        let error = light.give(&Cue::OFF).unwrap_err();
        assert!(matches!(error, SignalError::Open { .. }), "{error}");

        let (mut master, _slave, name) = crate::serial::pty::pty();
        std::os::unix::fs::symlink(name, &path).unwrap();
        light.give(&Cue { light: Light::Green, light_ms: 0, sound: Sound::NONE }).unwrap();
        let mut got = [0; 16];
        let n = master.read(&mut got).unwrap();
        assert_eq!(&got[..n], b"LG0\n");
    }
}
