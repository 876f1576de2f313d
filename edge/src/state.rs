//! What sync tells the rest of the terminal: whether the centre is reached, and why uploading stopped if it did.
//!
//! One writer (the sync task), any number of readers. What the counter page shows is put together by the run loop
//! from this and from the journal.

use hufu_shared::ids::CommandId;
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::Order;
use tokio::sync::{mpsc, watch};

use crate::rules::upload_plan::Stop;

/// Orders of the centre that may wait for the run loop.
pub const ORDERS_MAX: usize = 16;

/// The connection to the centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whether the last exchange succeeded.
    pub online: bool,
    /// Since when it is so, by trusted time.
    pub since: Instant,
    /// The last exchange that succeeded; none since the start.
    pub last_sync: Option<Instant>,
    /// Why uploading stopped for good, if it did. Facts stay safe meanwhile.
    pub stopped: Option<Stop>,
}

impl Link {
    /// Nothing heard yet.
    #[must_use]
    pub fn starting(at: Instant) -> Self {
        Self { online: false, since: at, last_sync: None, stopped: None }
    }
}

/// An order of the centre for the run loop; it answers with a `CommandDone` fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CentralOrder {
    /// Which command.
    pub command: CommandId,
    /// What to do, or why that is not understood here.
    pub order: Result<Order, String>,
}

/// The sync task's ends.
#[derive(Debug, Clone)]
pub struct SyncEnds {
    /// Where the state of the connection is published.
    pub link: watch::Sender<Link>,
    /// Where orders of the centre go.
    pub orders: mpsc::Sender<CentralOrder>,
}

/// The run loop's ends.
#[derive(Debug)]
pub struct RunEnds {
    /// The newest state of the connection.
    pub link: watch::Receiver<Link>,
    /// Orders of the centre.
    pub orders: mpsc::Receiver<CentralOrder>,
}

/// Both ends.
#[must_use]
pub fn channel(at: Instant) -> (SyncEnds, RunEnds) {
    let (link, link_out) = watch::channel(Link::starting(at));
    let (orders, orders_out) = mpsc::channel(ORDERS_MAX);
    (SyncEnds { link, orders }, RunEnds { link: link_out, orders: orders_out })
}
