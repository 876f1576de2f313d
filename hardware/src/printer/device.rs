//! The ESC/POS printer: port, bytes and the printer's own word put together.
//!
//! Before a ticket the printer is asked how it is (`DLE EOT`); after it, it is asked to answer in its turn (`GS r`),
//! which it does only when everything before is on the paper. A printer that answers the first and not the second is
//! believed when it still says that all is well after [`TURN_WAITS`] looks.

use super::port::{PrinterPort, Wire};
use super::status::{self, Hindrance, QUESTIONS, Status};
use super::ticket::{Ticket, Width};
use super::{Printer, PrinterError, escpos};
use crate::text::Fonts;

/// How long an answer to `DLE EOT` may take, in milliseconds.
pub const ANSWER_MS: u64 = 400;
/// How long one look for the answer in turn lasts, in milliseconds.
pub const TURN_MS: u64 = 1_000;
/// Looks for the answer in turn before the printer's plain status is believed.
pub const TURN_WAITS: u32 = 8;
/// Old answers that are read away before a new question.
const STALE_BYTES_MAX: u32 = 64;
/// `GS r 1`.
const ASK_TURN: [u8; 3] = [0x1d, b'r', 1];

/// What a model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Width of the paper.
    pub width: Width,
    /// Whether it cuts the paper.
    pub cuts: bool,
    /// Whether it makes QR codes by itself (`GS ( k`); else they are drawn.
    pub draws_qr: bool,
    /// Whether its font ends with GBK; lines with further characters are then drawn.
    pub font_is_gbk: bool,
    /// Whether it answers questions. Without answers a ticket counts as printed when the port took it.
    pub answers: bool,
}

impl Profile {
    /// A common model with this paper: cuts, makes QR codes, holds GBK, answers.
    #[must_use]
    pub const fn common(width: Width) -> Self {
        Self { width, cuts: true, draws_qr: true, font_is_gbk: true, answers: true }
    }
}

/// A printer that speaks ESC/POS.
pub struct EscPos {
    port: PrinterPort,
    profile: Profile,
    wire: Option<Box<dyn Wire>>,
    fonts: Fonts,
}

impl EscPos {
    /// A printer at `port`; it is opened when first used, and again after any error.
    #[must_use]
    pub fn new(port: PrinterPort, profile: Profile) -> Self {
        Self { port, profile, wire: None, fonts: Fonts::load() }
    }

    fn error(&self, hindrance: Hindrance, begun: bool) -> PrinterError {
        PrinterError { name: self.port.name(), hindrance, begun }
    }

    fn wire(&mut self) -> Result<&mut Box<dyn Wire>, Hindrance> {
        if self.wire.is_none() {
            let opened = self.port.open().map_err(|error| {
                tracing::debug!(printer = %self.port.name(), %error, "the printer's port cannot be opened");
                Hindrance::Unplugged
            })?;
            self.wire = Some(opened);
        }
        self.wire.as_mut().ok_or(Hindrance::Unplugged)
    }

    /// Writes; the second value is whether any byte was taken.
    fn write(&mut self, bytes: &[u8]) -> Result<(), (Hindrance, bool)> {
        let wire = self.wire().map_err(|hindrance| (hindrance, false))?;
        let (written, taken) = wire.write_all(bytes);
        written.map_err(|error| {
            tracing::debug!(printer = %self.port.name(), %error, taken, "the printer took no more bytes");
            self.wire = None;
            (Hindrance::Unplugged, taken > 0)
        })
    }

    /// The next byte that `is_wanted`; others are answers to questions that nobody waits for any more.
    fn read(&mut self, wait_ms: u64, is_wanted: fn(u8) -> bool) -> Result<Option<u8>, Hindrance> {
        for _ in 0..STALE_BYTES_MAX {
            match self.wire()?.read_byte(wait_ms) {
                Ok(Some(byte)) if !is_wanted(byte) => {}
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    tracing::debug!(printer = %self.port.name(), %error, "the printer's port has ended");
                    self.wire = None;
                    return Err(Hindrance::Unplugged);
                }
            }
        }
        Ok(None)
    }

    fn ask(&mut self) -> Result<Status, Hindrance> {
        if !self.profile.answers {
            return self.wire().map(|_| Status::default());
        }
        // What came too late for an earlier question is not the answer to this one.
        self.read(0, |_| false)?;
        let mut answers = [0; QUESTIONS.len()];
        for (answer, question) in answers.iter_mut().zip(QUESTIONS) {
            self.write(&status::ask(question)).map_err(|(hindrance, _)| hindrance)?;
            *answer = self.read(ANSWER_MS, status::is_answer)?.ok_or(Hindrance::Silent)?;
        }
        Ok(Status::from_answers(answers))
    }

    /// Waits until everything sent is on the paper.
    fn await_turn(&mut self) -> Result<(), Hindrance> {
        self.write(&ASK_TURN).map_err(|(hindrance, _)| hindrance)?;
        for _ in 0..TURN_WAITS {
            if self.read(TURN_MS, status::is_turn)?.is_some() {
                return Ok(());
            }
            if let Some(hindrance) = self.ask()?.hindrance {
                return Err(hindrance);
            }
        }
        Ok(())
    }
}

impl Printer for EscPos {
    fn name(&self) -> String {
        self.port.name()
    }

    fn width(&self) -> Width {
        self.profile.width
    }

    fn status(&mut self) -> Status {
        let status = self.ask().unwrap_or_else(Status::hindered);
        if status.hindrance == Some(Hindrance::Silent) {
            // A device that was swapped for another may be met at the next opening.
            self.wire = None;
        }
        status
    }

    fn print(&mut self, ticket: &Ticket) -> Result<(), PrinterError> {
        if let Some(hindrance) = self.status().hindrance {
            return Err(self.error(hindrance, false));
        }
        let bytes = escpos::encode(ticket, &self.profile, &self.fonts);
        self.write(&bytes).map_err(|(hindrance, begun)| {
            // A full buffer looks like a dead port; the printer may still say why it is full.
            let told = self.ask().ok().and_then(|status| status.hindrance).unwrap_or(hindrance);
            self.error(told, begun)
        })?;
        if self.profile.answers {
            self.await_turn().map_err(|hindrance| self.error(hindrance, true))?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for EscPos {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EscPos")
            .field("port", &self.port)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
