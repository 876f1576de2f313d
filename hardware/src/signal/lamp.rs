//! A bought tower light on a serial port: each colour is a string of bytes from its data sheet.
//!
//! Bytes are sent as they stand in the configuration; a colour without bytes leaves the lamp as it is. The light ends by
//! the lamp's own bytes for `off`, sent when the time is up or, at the latest, before the next colour.
//! Out of scope: answers of the lamp.

use std::path::PathBuf;

use super::beat::{Beat, Timed, beats};
use super::port::Port;
use super::{Cue, Light, Signal, SignalError};

/// Bytes per command at most: data sheets of common lamps list 1 to 16.
pub const COMMAND_BYTES_MAX: usize = 64;

/// What a lamp understands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LampCommands {
    /// All lights off.
    pub off: Vec<u8>,
    /// Green on.
    pub green: Vec<u8>,
    /// Amber on.
    pub amber: Vec<u8>,
    /// Red on.
    pub red: Vec<u8>,
    /// Blue on.
    pub blue: Vec<u8>,
    /// Buzzer on.
    pub buzzer_on: Vec<u8>,
    /// Buzzer off.
    pub buzzer_off: Vec<u8>,
}

impl LampCommands {
    fn of(&self, light: Light) -> &[u8] {
        match light {
            Light::Off => &self.off,
            Light::Green => &self.green,
            Light::Amber => &self.amber,
            Light::Red => &self.red,
            Light::Blue => &self.blue,
        }
    }
}

/// The lamp; its beats are played on a thread of its own.
#[derive(Debug)]
pub struct TowerLamp(Timed);

impl TowerLamp {
    /// A lamp at `port`; it is opened at the first cue and again after any error.
    pub fn new(port: impl Into<PathBuf>, baud: u32, commands: LampCommands) -> Self {
        let mut lamp = Wire { port: Port::new(port, baud), commands };
        Self(Timed::start("lamp", move |beat| lamp.play(beat)))
    }
}

impl Signal for TowerLamp {
    fn give(&mut self, cue: &Cue) -> Result<(), SignalError> {
        self.0.give(beats(cue))
    }
}

struct Wire {
    port: Port,
    commands: LampCommands,
}

impl Wire {
    fn play(&mut self, beat: Beat) -> Result<(), SignalError> {
        let bytes = match beat {
            // Lamps add colours up: what was lit before goes out first.
            Beat::Light(light) if light != Light::Off => {
                [&self.commands.off[..], self.commands.of(light)].concat()
            }
            Beat::Light(light) => self.commands.of(light).to_vec(),
            Beat::Buzz(true) => self.commands.buzzer_on.clone(),
            Beat::Buzz(false) => self.commands.buzzer_off.clone(),
        };
        if bytes.is_empty() { Ok(()) } else { self.port.write(&bytes) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::signal::Sound;

    #[test]
    fn a_bought_lamp_gets_its_own_bytes() {
        let (mut master, _slave, path) = crate::serial::pty::pty();
        let commands = LampCommands {
            off: vec![0x20],
            green: vec![0x14],
            red: vec![0x11],
            buzzer_on: vec![0x18],
            buzzer_off: vec![0x28],
            ..LampCommands::default()
        };
        let mut lamp = TowerLamp::new(path, 9_600, commands);
        lamp.give(&Cue { light: Light::Green, light_ms: 300, sound: Sound::RISING }).unwrap();
        let mut got = Vec::new();
        while got.len() < 7 {
            let mut bytes = [0; 16];
            let n = master.read(&mut bytes).unwrap();
            got.extend_from_slice(&bytes[..n]);
        }
        assert_eq!(got, [0x20, 0x14, 0x18, 0x28, 0x18, 0x28, 0x20], "green, two beeps, off");
        // A colour that the lamp lacks is silent, and its buzzer still sounds.
        lamp.give(&Cue { light: Light::Off, light_ms: 0, sound: Sound::NONE }).unwrap();
        let mut byte = [0x28];
        // A cue that comes while the last one is still ending silences it first.
        while byte == [0x28] {
            master.read_exact(&mut byte).unwrap();
        }
        assert_eq!(byte, [0x20]);
    }
}
