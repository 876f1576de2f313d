//! Devices on serial lines: readers that only write, the swipe terminal with keys, the printer. Each is a cable that can
//! be pulled, and a thread where the device also listens.

use super::keypad::{Face, Keypad};
use super::wiring::Line;
use crate::kit::clock;
use crate::kit::pty::SerialCable;
use anyhow::{Context as _, Result, ensure};
use hufu_hardware::fake::printer::{ModelPrinter, Roll, draw, read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a listening device looks at its line.
const LOOK: Duration = Duration::from_millis(20);
/// Width of the printer's paper in dots: 80 mm.
const PAPER_DOTS: u32 = 576;
/// Bytes that can be shown of the roll; older paper has been torn off.
const PAPER_BYTES_MAX: usize = 256 * 1024;

/// What listens at the device's end.
#[derive(Debug, Clone)]
enum Machine {
    Silent,
    Keys(Arc<Mutex<Keypad>>),
    Printer(Roll),
}

/// A device on a serial line. Dropping it unplugs it.
#[derive(Debug)]
pub struct LineDevice {
    /// What it is.
    pub line: Line,
    cable: Arc<Mutex<SerialCable>>,
    plugged: AtomicBool,
    machine: Machine,
    stop: Arc<AtomicBool>,
    worker: Option<JoinHandle<()>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked left a whole cable or a whole display.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LineDevice {
    /// Makes the line and starts the device.
    ///
    /// # Errors
    /// When the line's link cannot be made.
    pub fn attach(line: Line, path: &Path) -> Result<Self> {
        let cable = Arc::new(Mutex::new(SerialCable::plug_in(path)?));
        let stop = Arc::new(AtomicBool::new(false));
        let (machine, serve): (_, Option<Box<dyn FnMut(&[u8]) -> Vec<u8> + Send>>) = match line {
            Line::Reader(_) => (Machine::Silent, None),
            Line::Keys => {
                let keypad = Arc::new(Mutex::new(Keypad::default()));
                let served = Arc::clone(&keypad);
                let serve = move |bytes: &[u8]| held(&served).turn(bytes, clock::now());
                (Machine::Keys(keypad), Some(Box::new(serve)))
            }
            Line::Printer => {
                let (mut model, roll) = ModelPrinter::new();
                (Machine::Printer(roll), Some(Box::new(move |bytes: &[u8]| model.take(bytes))))
            }
        };
        let worker = serve.map(|mut serve| {
            let (cable, stop) = (Arc::clone(&cable), Arc::clone(&stop));
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    let mut cable = held(&cable);
                    // While it is pulled nothing comes, and what the device says goes nowhere.
                    let heard = cable.take().unwrap_or_default();
                    let said = serve(&heard);
                    if !said.is_empty() {
                        drop(cable.write(&said));
                    }
                    drop(cable);
                    std::thread::sleep(LOOK);
                }
            })
        });
        Ok(Self { line, cable, plugged: AtomicBool::new(true), machine, stop, worker })
    }

    /// Writes as a reader does.
    ///
    /// # Errors
    /// When it is unplugged.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        held(&self.cable).write(bytes)
    }

    /// Whether its cable is in.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.plugged.load(Ordering::SeqCst)
    }

    /// Pulls its cable, or puts it in again.
    ///
    /// # Errors
    /// When the link cannot be changed.
    pub fn plug(&self, plugged: bool) -> Result<()> {
        let mut cable = held(&self.cable);
        if plugged {
            cable.replug()?
        } else {
            cable.unplug()?
        }
        self.plugged.store(plugged, Ordering::SeqCst);
        Ok(())
    }

    /// What the display of a swipe terminal with keys shows.
    #[must_use]
    pub fn face(&self) -> Option<Face> {
        match &self.machine {
            Machine::Keys(keypad) => Some(held(keypad).face.clone()),
            _ => None,
        }
    }

    /// Something done at a swipe terminal with keys.
    ///
    /// # Errors
    /// When it is none, or unplugged.
    pub fn keyed(&self, command: u8, data: &[u8]) -> Result<()> {
        ensure!(self.is_plugged(), "the swipe terminal is unplugged");
        let Machine::Keys(keypad) = &self.machine else { anyhow::bail!("this device has no keys") };
        held(keypad).send(command, data);
        Ok(())
    }

    /// The printer's roll.
    #[must_use]
    pub fn roll(&self) -> Option<&Roll> {
        match &self.machine {
            Machine::Printer(roll) => Some(roll),
            _ => None,
        }
    }

    /// A picture of the paper that hangs out of the printer; none while there is none.
    ///
    /// # Errors
    /// When the bytes are no receipts.
    pub fn paper(&self) -> Result<Option<Vec<u8>>> {
        let Some(roll) = self.roll() else { return Ok(None) };
        let printed = roll.printed();
        if printed.is_empty() || printed.len() > PAPER_BYTES_MAX {
            return Ok(None);
        }
        let pieces = read(&printed).ok().context("what was printed is not whole yet")?;
        Ok(Some(draw(&pieces, PAPER_DOTS).to_png()))
    }
}

impl Drop for LineDevice {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if self.worker.take().is_some_and(|worker| worker.join().is_err()) {
            eprintln!("a device's thread panicked");
        }
    }
}
