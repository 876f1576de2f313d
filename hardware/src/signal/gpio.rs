//! Lamps and a buzzer on a board's own pins, through the kernel's GPIO character device.
//!
//! Each colour and the buzzer is one line of `/dev/gpiochipN`; a lamp without blue shows attention by amber and red
//! together. Lines are asked for at the first cue and kept: nobody else can switch them meanwhile.
//! Out of scope: pitch (the buzzer is on or off), dimming.

use std::collections::BTreeMap;
use std::path::PathBuf;

use linux_embedded_hal::gpio_cdev::{Chip, LineHandle, LineRequestFlags};

use super::beat::{Beat, Timed, beats};
use super::{Cue, Light, Signal, SignalError};

/// Which lines do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpioLines {
    /// The chip, such as `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// Line of the green lamp.
    pub green: Option<u32>,
    /// Line of the amber lamp.
    pub amber: Option<u32>,
    /// Line of the red lamp.
    pub red: Option<u32>,
    /// Line of the blue lamp.
    pub blue: Option<u32>,
    /// Line of the buzzer.
    pub buzzer: Option<u32>,
    /// Whether a line switches on at low level, as many relay boards do.
    pub active_low: bool,
}

impl GpioLines {
    /// All lines in use.
    #[must_use]
    pub fn all(&self) -> Vec<u32> {
        [self.green, self.amber, self.red, self.blue, self.buzzer].into_iter().flatten().collect()
    }

    /// Lines that are on for a light.
    fn lit(&self, light: Light) -> Vec<u32> {
        let lit = match light {
            Light::Off => [None, None],
            Light::Green => [self.green, None],
            Light::Amber => [self.amber, None],
            Light::Red => [self.red, None],
            Light::Blue if self.blue.is_some() => [self.blue, None],
            Light::Blue => [self.amber, self.red],
        };
        lit.into_iter().flatten().collect()
    }

    /// What a beat switches: line, and whether it is on.
    #[must_use]
    pub fn switches(&self, beat: Beat) -> Vec<(u32, bool)> {
        match beat {
            Beat::Buzz(on) => self.buzzer.map(|line| (line, on)).into_iter().collect(),
            Beat::Light(light) => {
                let lit = self.lit(light);
                let lamps = [self.green, self.amber, self.red, self.blue].into_iter().flatten();
                lamps.map(|line| (line, lit.contains(&line))).collect()
            }
        }
    }
}

/// Whatever switches lines: the chip, or a recorder.
///
/// The seam under which wiring ends: above it stand colours and beeps, below it numbered lines. A line that was never
/// asked for is nobody's business and switching it is no error.
pub trait Switch: Send {
    /// Switches one line.
    ///
    /// # Errors
    /// Why the line did not switch, in a sentence.
    fn set(&mut self, line: u32, on: bool) -> Result<(), String>;
}

/// The kernel's character device.
///
/// All lines are taken together, dark and silent, when the first is switched; after any error they are all given back and
/// taken anew with the next beat, so that a board that comes back works without a restart.
#[derive(Default)]
pub struct ChipSwitch {
    lines: Option<GpioLines>,
    handles: BTreeMap<u32, LineHandle>,
}

impl ChipSwitch {
    /// Over the lines of this chip.
    #[must_use]
    pub fn new(lines: &GpioLines) -> Self {
        Self { lines: Some(lines.clone()), handles: BTreeMap::new() }
    }

    fn open(&mut self) -> Result<(), String> {
        let Some(lines) = self.lines.as_ref().filter(|_| self.handles.is_empty()) else { return Ok(()) };
        let name = lines.chip.display();
        let mut chip = Chip::new(&lines.chip).map_err(|error| format!("open {name}: {error}"))?;
        let flags = if lines.active_low {
            LineRequestFlags::OUTPUT | LineRequestFlags::ACTIVE_LOW
        } else {
            LineRequestFlags::OUTPUT
        };
        for offset in lines.all() {
            let line = chip.get_line(offset).and_then(|line| line.request(flags.clone(), 0, "hufu"));
            let handle = line.map_err(|error| format!("take line {offset} of {name}: {error}"))?;
            self.handles.insert(offset, handle);
        }
        Ok(())
    }
}

impl Switch for ChipSwitch {
    fn set(&mut self, line: u32, on: bool) -> Result<(), String> {
        if let Err(error) = self.open() {
            self.handles.clear();
            return Err(error);
        }
        let Some(handle) = self.handles.get(&line) else { return Ok(()) };
        handle.set_value(u8::from(on)).map_err(|error| {
            self.handles.clear();
            format!("switch line {line}: {error}")
        })
    }
}

/// The lamps and the buzzer; beats are played on a thread of their own.
#[derive(Debug)]
pub struct GpioSignal(Timed);

impl GpioSignal {
    /// Over these lines, switched by `switch`.
    pub fn new(lines: GpioLines, mut switch: impl Switch + 'static) -> Self {
        let chip = lines.chip.clone();
        Self(Timed::start("gpio", move |beat| {
            for (line, on) in lines.switches(beat) {
                let done = switch.set(line, on);
                done.map_err(|detail| SignalError::Gpio { chip: chip.clone(), detail })?;
            }
            Ok(())
        }))
    }
}

impl Signal for GpioSignal {
    fn give(&mut self, cue: &Cue) -> Result<(), SignalError> {
        self.0.give(beats(cue))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    use super::*;
    use crate::signal::Sound;

    fn lines() -> GpioLines {
        let chip = PathBuf::from("/dev/gpiochip0");
        let [green, amber, red, blue, buzzer] = [17, 22, 23, 24, 5].map(Some);
        GpioLines { chip, green, amber, red, blue, buzzer, active_low: false }
    }

    struct Recorder(Sender<(u32, bool)>);

    impl Switch for Recorder {
        fn set(&mut self, line: u32, on: bool) -> Result<(), String> {
            self.0.send((line, on)).map_err(|error| error.to_string())
        }
    }

    #[test]
    fn one_lamp_is_lit_at_a_time_and_attention_has_two_where_there_is_no_blue() {
        let lit = |lines: &GpioLines, light| -> Vec<u32> {
            let switched = lines.switches(Beat::Light(light));
            assert_eq!(switched.len(), lines.all().len() - 1, "every lamp is told");
            switched.into_iter().filter(|line| line.1).map(|line| line.0).collect()
        };
        let all = lines();
        let table = [
            (Light::Off, vec![]),
            (Light::Green, vec![17]),
            (Light::Amber, vec![22]),
            (Light::Red, vec![23]),
            (Light::Blue, vec![24]),
        ];
        for (light, expected) in table {
            assert_eq!(lit(&all, light), expected, "{light:?}");
        }
        assert_eq!(lit(&GpioLines { blue: None, ..all }, Light::Blue), [22, 23]);
    }

    #[test]
    fn a_refusal_lights_red_and_beeps_twice() {
        let (told, heard) = channel();
        let mut signal = GpioSignal::new(lines(), Recorder(told));
        signal.give(&Cue { light: Light::Red, light_ms: 500, sound: Sound::LOW_TWICE }).unwrap();
        let mut on = Vec::new();
        // Four lamps told, four switches of the buzzer, four lamps told again.
        for _ in 0..12 {
            let (line, is_on) = heard.recv_timeout(Duration::from_secs(5)).expect("a switch");
            on.extend(is_on.then_some(line));
        }
        assert_eq!(on, [23, 5, 5]);
    }

    #[test]
    fn a_chip_that_is_not_there_is_named() {
        let lines = GpioLines { chip: "/dev/gpiochip-none".into(), ..lines() };
        let error = ChipSwitch::new(&lines).set(17, true).unwrap_err();
        assert!(error.starts_with("open /dev/gpiochip-none: "), "{error}");
    }
}
