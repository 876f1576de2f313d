//! Receipt printers: what goes onto the paper, as data, and the devices that print it.
//!
//! A [`Ticket`] is data: lines, pairs, a QR code. [`escpos`] turns it into bytes, [`port`] carries bytes to a serial
//! port, a USB device file or a TCP socket, [`EscPos`] puts both together with the printer's own word about paper and
//! cover, [`queue`] runs a printer on a thread of its own behind a bounded queue.
//!
//! Invariants
//! - What is printed was never needed to record anything: a printer that is away, empty or stuck delays nobody.
//! - A ticket counts as printed only after the printer said so, where the printer can say it.
//! - Nothing in a text commands the printer: controls are printed as spaces.
//!
//! Out of scope: what a receipt says, which ones wait and for how long a member is told so.

mod device;
pub mod escpos;
pub mod port;
pub mod queue;
pub mod status;
pub mod ticket;

pub use device::{EscPos, Profile};
pub use port::PrinterPort;
pub use status::{Hindrance, Paper, Status};
pub use ticket::{Align, Block, Ticket, Width};

/// A ticket was not printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("printer {name}: {hindrance}{}", if *.begun { ", in the middle of a ticket" } else { "" })]
pub struct PrinterError {
    /// Which printer.
    pub name: String,
    /// What is in the way.
    pub hindrance: Hindrance,
    /// Whether a part of the ticket may be on the paper: a further try must be marked as a copy.
    pub begun: bool,
}

/// A receipt printer.
pub trait Printer: Send {
    /// How its port is named in the configuration.
    fn name(&self) -> String;

    /// Columns and dots of its paper; never changes.
    fn width(&self) -> Width;

    /// Asks how it is. A printer that cannot answer is taken to be in order while its port takes bytes.
    fn status(&mut self) -> Status;

    /// Prints a ticket and returns when it is on the paper, as far as the printer can tell.
    ///
    /// # Errors
    /// [`PrinterError`] with what is in the way.
    fn print(&mut self, ticket: &Ticket) -> Result<(), PrinterError>;
}

#[cfg(test)]
mod tests;
