//! What sync tells the rest of the terminal: whether the centre is reached, and why uploading stopped if it did.
//!
//! One writer (the sync task), any number of readers. What the counter page shows is put together by the run loop
//! from this and from the journal.

use std::sync::{Arc, Mutex, PoisonError};

use hufu_shared::ids::CommandId;
use hufu_shared::money::{Leg, Unit};
use hufu_shared::time::Instant;
use hufu_shared::token::Token;
use hufu_shared::wire::health::Health;
use hufu_shared::wire::lease::{AskBecame, LeaseAsk, RecallState, Recalled};
use hufu_shared::wire::lookup::LookupAnswer;
use hufu_shared::wire::readiness::Readiness;
use hufu_shared::wire::spread::SpreadAnswer;
use hufu_shared::wire::undo::{UndoAsk, UndoBecame};
use hufu_shared::wire::upload::Order;
use tokio::sync::{mpsc, oneshot, watch};

use crate::rules::upload_plan::Stop;

/// Orders of the centre that may wait for the run loop.
pub const ORDERS_MAX: usize = 16;

/// Askings that may wait for the lane: one is asked for at a time, and one may have been given up.
const ASKS_MAX: usize = 2;

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
    /// What of the centre's words was refused because it is not understood or not signed; none since the start.
    pub refused: Option<String>,
}

impl Link {
    /// Nothing heard yet.
    #[must_use]
    pub fn starting(at: Instant) -> Self {
        Self { online: false, since: at, last_sync: None, stopped: None, refused: None }
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

/// Somebody waits: the centre is to be asked for more, or whether a top-up may be undone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeaseAsking {
    /// Names this asking.
    pub n: u64,
    /// One ask per leg that the leases held do not pay for.
    pub asks: Vec<LeaseAsk>,
    /// The top-up that is to be undone.
    pub undo: Option<UndoAsk>,
}

/// What came of asking, so far or at last. The states themselves are in the journal already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeaseAsked {
    /// Which asking.
    pub n: u64,
    /// Whether this is the last word.
    pub done: bool,
    /// What became of the leg asked for last; none if no answer came.
    pub became: Option<AskBecame>,
    /// The member's figure in that unit.
    pub figure: Option<Leg>,
    /// Whether the top-up may be undone; none if no answer came.
    pub undo: Option<UndoBecame>,
    /// Terminals elsewhere that hold some of it.
    pub recalled: Vec<(Unit, Recalled)>,
}

impl LeaseAsked {
    /// Whether everything that was not recalled yet is held by terminals that are offline.
    #[must_use]
    pub fn is_out_of_reach(&self) -> bool {
        let waiting = |state| self.recalled.iter().any(|(_, recalled)| recalled.state == state);
        waiting(RecallState::Unreachable) && !waiting(RecallState::Closing)
    }
}

/// What a page of the counter asks the centre; it gets no answer if the centre gives none.
pub enum Finding {
    /// Staff look for a member.
    Member {
        /// What they typed. Never logged.
        text: String,
        /// Where the answer goes.
        reply: oneshot::Sender<Option<LookupAnswer>>,
    },
    /// How far the news of a lost card has come.
    Spread {
        /// The card.
        token: Token,
        /// Where the answer goes.
        reply: oneshot::Sender<Option<SpreadAnswer>>,
    },
}

impl std::fmt::Debug for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Finding")
    }
}

/// Somebody at set-up wants to know whether the centre answers.
#[derive(Debug)]
pub struct Contacting {
    /// Where it goes how many milliseconds an exchange took, or why there was none.
    pub reply: oneshot::Sender<Result<u64, String>>,
}

/// Takes wishes to try the connection.
pub type ContactSender = mpsc::Sender<Contacting>;

/// Takes what staff look for.
pub type FindSender = mpsc::Sender<Finding>;

/// The lane's ends of asking: taken once, by the lane.
type AskEnds = (mpsc::Receiver<LeaseAsking>, mpsc::Sender<LeaseAsked>);

/// The sync task's ends.
#[derive(Debug, Clone)]
pub struct SyncEnds {
    asks: Arc<Mutex<Option<AskEnds>>>,
    finds: Arc<Mutex<Option<mpsc::Receiver<Finding>>>>,
    contacts: Arc<Mutex<Option<mpsc::Receiver<Contacting>>>>,
    /// Where the state of the connection is published.
    pub link: watch::Sender<Link>,
    /// Where orders of the centre go.
    pub orders: mpsc::Sender<CentralOrder>,
    /// How ready the terminal is to go offline; none before the run loop said so.
    pub ready: watch::Receiver<Option<Readiness>>,
    /// How the terminal is; none before the run loop looked.
    pub health: watch::Receiver<Option<Health>>,
}

impl SyncEnds {
    /// The ends of asking, for the one lane that asks; none if they were taken before.
    #[must_use]
    pub fn take_asks(&self) -> Option<AskEnds> {
        self.asks.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What staff look for, for the one lane that asks; none if it was taken before.
    #[must_use]
    pub fn take_finds(&self) -> Option<mpsc::Receiver<Finding>> {
        self.finds.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Wishes to try the connection, for the one lane that tries it; none if they were taken before.
    #[must_use]
    pub fn take_contacts(&self) -> Option<mpsc::Receiver<Contacting>> {
        self.contacts.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The run loop's ends.
#[derive(Debug)]
pub struct RunEnds {
    /// Takes what the centre is to be asked.
    pub asks: mpsc::Sender<LeaseAsking>,
    /// Takes what staff look for.
    pub finds: FindSender,
    /// Takes wishes to try the connection.
    pub contacts: ContactSender,
    /// What came of it.
    pub asked: mpsc::Receiver<LeaseAsked>,
    /// The newest state of the connection.
    pub link: watch::Receiver<Link>,
    /// Orders of the centre.
    pub orders: mpsc::Receiver<CentralOrder>,
    /// Takes how ready the terminal is to go offline.
    pub ready: watch::Sender<Option<Readiness>>,
    /// Takes how the terminal is.
    pub health: watch::Sender<Option<Health>>,
}

/// Both ends.
#[must_use]
pub fn channel(at: Instant) -> (SyncEnds, RunEnds) {
    let (link, link_out) = watch::channel(Link::starting(at));
    let (orders, orders_out) = mpsc::channel(ORDERS_MAX);
    let (asks, asks_out) = mpsc::channel(ASKS_MAX);
    let (told, asked) = mpsc::channel(ORDERS_MAX);
    let ends = Arc::new(Mutex::new(Some((asks_out, told))));
    let (ready, ready_out) = watch::channel(None);
    let (health, health_out) = watch::channel(None);
    let (finds, finds_out) = mpsc::channel(ASKS_MAX);
    let found = Arc::new(Mutex::new(Some(finds_out)));
    let (contacts, contacts_out) = mpsc::channel(1);
    let tries = Arc::new(Mutex::new(Some(contacts_out)));
    (
        SyncEnds {
            asks: ends,
            finds: found,
            contacts: tries,
            link,
            orders,
            ready: ready_out,
            health: health_out,
        },
        RunEnds { asks, finds, contacts, asked, link: link_out, orders: orders_out, ready, health },
    )
}
