//! Printers without paper: one that records tickets, and a model that takes bytes, answers questions, and whose paper
//! can be read and looked at.
//!
//! The model reads ESC/POS by its own tables: it shares nothing with the encoder but the standard.

mod model;
mod paper;

use std::sync::{Arc, Mutex, PoisonError};

pub use model::{ModelPrinter, Roll};
pub use paper::{Piece, Unknown, draw, read};

use crate::printer::{Hindrance, Printer, PrinterError, Status, Ticket, Width};

#[derive(Debug, Default)]
struct Tape {
    tickets: Vec<Ticket>,
    status: Status,
    /// The next ticket ends in the middle.
    tears: bool,
}

/// What a [`FakePrinter`] was told. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct PrinterTape(Arc<Mutex<Tape>>);

impl PrinterTape {
    /// All tickets so far, oldest first.
    #[must_use]
    pub fn tickets(&self) -> Vec<Ticket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).tickets.clone()
    }

    /// From now on the printer is like this.
    pub fn set_status(&self, status: Status) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).status = status;
    }

    /// The next ticket ends in the middle, for want of paper.
    pub fn tear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).tears = true;
    }
}

/// The recording printer.
#[derive(Debug)]
pub struct FakePrinter {
    tape: PrinterTape,
    width: Width,
}

impl FakePrinter {
    /// A printer in good order and its tape.
    #[must_use]
    pub fn new(width: Width) -> (Self, PrinterTape) {
        let tape = PrinterTape::default();
        (Self { tape: tape.clone(), width }, tape)
    }
}

impl Printer for FakePrinter {
    fn name(&self) -> String {
        "fake".to_owned()
    }

    fn width(&self) -> Width {
        self.width
    }

    fn status(&mut self) -> Status {
        self.tape.0.lock().unwrap_or_else(PoisonError::into_inner).status
    }

    fn print(&mut self, ticket: &Ticket) -> Result<(), PrinterError> {
        let mut tape = self.tape.0.lock().unwrap_or_else(PoisonError::into_inner);
        let error = |hindrance, begun| Err(PrinterError { name: "fake".to_owned(), hindrance, begun });
        if let Some(hindrance) = tape.status.hindrance {
            return error(hindrance, false);
        }
        if std::mem::take(&mut tape.tears) {
            tape.status = Status::hindered(Hindrance::PaperOut);
            return error(Hindrance::PaperOut, true);
        }
        tape.tickets.push(ticket.clone());
        Ok(())
    }
}
