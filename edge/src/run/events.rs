//! Everything that can happen to the daemon, as one enum, in one queue.

use hufu_hardware::card::CardEvent;
use hufu_hardware::printer::queue::Report;
use hufu_shared::fact::DayClosed;
use tokio::sync::oneshot;

use crate::counter::port::Request;
use crate::state::{CentralOrder, LeaseAsked, Link};

/// Events that may wait; readers wait longer than that, since a card is worth more than speed.
pub const EVENTS_MAX: usize = 1_024;

/// Something happened.
#[derive(Debug)]
pub enum Event {
    /// A card source speaks.
    Card(CardEvent),
    /// Staff ask for something at the counter page.
    Order(Request),
    /// The centre gives an order.
    Central(CentralOrder),
    /// The connection to the centre changed.
    Link(Link),
    /// The centre's word to an ask.
    Asked(LeaseAsked),
    /// A command of this machine asks for something.
    Control(ControlOrder),
    /// A display took a picture, or did not.
    Shown(Shown),
    /// The printer speaks.
    Printer(Report),
    /// Time passes.
    Tick,
    /// The program is to end.
    Stop,
}

/// What became of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The fact that was shown, if the effect told of one.
    pub seq: Option<u64>,
    /// What is wrong with each display, in the order of the configuration; none if it took the picture.
    pub faults: Vec<Option<String>>,
}

/// What a command of this machine asks for.
#[derive(Debug)]
pub enum ControlOrder {
    /// Close the business day.
    CloseDay(oneshot::Sender<Result<DayClosed, String>>),
    /// Say how things are, as JSON.
    Status(oneshot::Sender<String>),
}
