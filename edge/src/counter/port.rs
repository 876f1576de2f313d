//! The seam between the counter page and the daemon: snapshots come out, orders go in, nothing else is shared.
//!
//! The page holds a [`Port`]; the run loop holds the other ends. Each order is answered, so that a form can say why
//! nothing happened; an answer that does not come within [`ORDER_ANSWER_MS`] reads as busy, and the order may still
//! take effect: all orders are safe to repeat.

use std::sync::Arc;
use std::time::Duration;

use hufu_hardware::panel::SharedFrame;
use hufu_shared::fact::{Paid, Party};
use hufu_shared::ids::{ItemId, OccurrenceId, OperatorId};
use hufu_shared::money::{Amount, Leg};
use hufu_shared::time::Day;
use hufu_shared::token::CardText;
use tokio::sync::{mpsc, oneshot, watch};

use super::batch::BatchOrder;
use super::desk::{DeskOrder, Done};
use super::setup::SetupOrder;
use super::view::CounterView;

/// Longest wait for the run loop's answer to an order, in milliseconds.
pub const ORDER_ANSWER_MS: u64 = 3_000;
/// Orders that may wait for the run loop.
pub const ORDERS_MAX: usize = 16;

/// What staff ask the daemon to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// What the next card means.
    SetMode(ModeOrder),
    /// Find the member of a typed number and show them for comparison; nothing is recorded yet (rule H2).
    Typed(CardText),
    /// The candidate was compared and is right: act as if the card had been presented.
    Confirm {
        /// Number of the candidate that was on the page.
        n: u64,
    },
    /// The candidate is not the person, or the number was mistyped.
    Dismiss {
        /// Number of the candidate that was on the page.
        n: u64,
    },
    /// Staff have read a notice.
    Acknowledge {
        /// Its number.
        n: u64,
    },
    /// What happened with a value fact whose showing is unknown.
    Resolve {
        /// Its seq.
        seq: u64,
        /// What staff say.
        verdict: Verdict,
    },
    /// What the list of a batch check-in is asked for.
    Batch(BatchOrder),
    /// Try a part of the terminal.
    Setup(SetupOrder),
    /// Begin practice, or end it.
    Practise(bool),
    /// What a further page of the desk asks for.
    Desk(DeskOrder),
    /// An operator whose PIN was checked is at the counter from now on.
    SignIn(OperatorId),
    /// Nobody is; the counter locks.
    SignOut,
    /// Print the slip of a value fact, again or at last.
    Reprint {
        /// Its seq.
        seq: u64,
    },
    /// Take back a value fact of this terminal, or a part of it.
    TakeBack {
        /// Which.
        of: WhichTyped,
        /// A part of it; none for all that is left.
        part: Option<Leg>,
        /// Dictionary code of the reason.
        reason: String,
        /// The slip of the return.
        slip: Option<SlipTyped>,
    },
}

/// A slip as staff type it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipTyped {
    /// Number as printed on it.
    pub number: String,
    /// Date as printed on it; today if left out.
    pub date: Option<Day>,
    /// Shop as printed on it; this office if left out.
    pub shop: Option<String>,
}

/// A value fact as staff name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichTyped {
    /// Picked from the list: its seq.
    Fact(u64),
    /// By its slip.
    Slip(SlipTyped),
}

/// What the next card shall mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModeOrder {
    /// A visit.
    Visit,
    /// A check-in to an occurrence.
    CheckIn(OccurrenceId),
    /// A check-in to an occurrence with companions, for one card.
    CheckInParty(Party),
    /// Leaving an occurrence.
    CheckOut(OccurrenceId),
    /// Points for a purchase of so many fen, for one card.
    Earn(Amount),
    /// Looking up.
    LookUp,
    /// The mode before something for one card that no card came for.
    Back,
    /// Points for a purchase with a slip, for one card.
    EarnSlip {
        /// The price in fen.
        amount: Amount,
        /// Its slip.
        slip: SlipTyped,
        /// The slip that it re-creates (rule G6).
        replaces: Option<SlipTyped>,
        /// What the slip says beside the money; none for a plain purchase.
        paid: Option<Paid>,
    },
    /// Points or stored value to be spent, for one card.
    Spend {
        /// How much of which.
        legs: Vec<Leg>,
        /// The slip printed for it.
        slip: Option<SlipTyped>,
    },
    /// Stored value to be paid in, for one card.
    TopUp {
        /// Fen.
        amount: Amount,
        /// Dictionary code of the way to pay.
        method: String,
        /// The slip printed for it.
        slip: SlipTyped,
    },
    /// Stored value to be paid out in money, for one card.
    CashOut {
        /// Fen.
        amount: Amount,
        /// Dictionary code of the way to pay.
        method: String,
        /// The slip printed for it.
        slip: SlipTyped,
    },
    /// A gift of an activity, to one member after the other.
    HandOut {
        /// At which activity; the one that is chosen if left out.
        occurrence: Option<OccurrenceId>,
        /// What.
        item: ItemId,
        /// How many; as many as each member gets if left out.
        quantity: Option<u32>,
    },
    /// A card to be reported lost.
    ReportLost,
    /// A card in place of that of the guest whom the page named by this number.
    Replace(u64),
}

/// What staff say of a value fact whose showing is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The member got it; the fact stands.
    HandedOver,
    /// The member did not; it is reversed by a further fact.
    Undo,
}

/// Why an order was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Declined {
    /// No such occurrence, or it does not run now.
    #[error("the activity does not run now")]
    NotRunning,
    /// Zero, or above what the scheme allows.
    #[error("the amount is not possible")]
    Amount,
    /// Nothing is left of it to be taken back, or there is no such thing.
    #[error("nothing is left to be taken back")]
    NothingLeft,
    /// More than is left of it.
    #[error("more than is left cannot be taken back")]
    TooMuch,
    /// No number of companions, or more than the plan of the activity allows.
    #[error("the activity allows fewer companions")]
    Companions,
    /// A top-up of an earlier shift.
    #[error("the shift of this top-up is over")]
    TooLate,
    /// A top-up that the centre has already, which cannot be asked now.
    #[error("the centre has this top-up already and cannot be asked")]
    Offline,
    /// The slip of a return that was used before.
    #[error("this slip was used before")]
    SlipUsed,
    /// Goods whose points are gone, where the club takes none such back.
    #[error("the points of these goods are gone, and the club takes none such back")]
    Short,
    /// The shift is under way already.
    #[error("the shift is open already")]
    AlreadyOpen,
    /// A count differs and nobody said why.
    #[error("the count differs from what was expected: a reason is needed")]
    NoReason,
    /// A list for another activity holds cards.
    #[error("a list for another activity is not confirmed yet")]
    OtherList,
    /// A card that the centre knows and this terminal's directory does not know yet.
    #[error("the card is not in this terminal's directory yet")]
    NotHere,
    /// The counter is locked: somebody must sign in.
    #[error("the counter is locked: sign in first")]
    Locked,
    /// It takes a supervisor.
    #[error("this takes a supervisor")]
    Supervisor,
    /// Who is signed in may not do it.
    #[error("the operator's role does not allow this")]
    OtherRole,
    /// What the page showed is no longer there.
    #[error("the page was out of date")]
    Stale,
    /// The terminal cannot do it in its present state.
    #[error("the terminal cannot do this now")]
    Unable,
    /// The daemon did not answer in time.
    #[error("the terminal did not answer within {ORDER_ANSWER_MS} ms")]
    Busy,
}

/// An order on its way to the run loop, with where its answer goes.
#[derive(Debug)]
pub struct Request {
    /// What to do.
    pub order: Order,
    /// Takes the answer; a page that has gone away is no error.
    pub reply: oneshot::Sender<Result<Done, Declined>>,
}

/// A snapshot with its number.
#[derive(Debug)]
pub struct Snapshot {
    /// Grows with each change; pages name it to learn whether they are up to date.
    pub version: u64,
    /// What to show.
    pub view: CounterView,
}

/// The page's end.
#[derive(Debug, Clone)]
pub struct Port {
    view: watch::Receiver<Arc<Snapshot>>,
    orders: mpsc::Sender<Request>,
    display: Option<SharedFrame>,
}

/// Takes the run loop's snapshots.
#[derive(Debug)]
pub struct ViewSink(watch::Sender<Arc<Snapshot>>);

impl ViewSink {
    /// Replaces what the page shows. An equal snapshot wakes nobody.
    pub fn publish(&self, view: CounterView) {
        self.0.send_if_modified(|now| {
            let differs = now.view != view;
            if differs {
                *now = Arc::new(Snapshot { version: now.version + 1, view });
            }
            differs
        });
    }
}

/// The run loop's ends.
#[derive(Debug)]
pub struct PortEnds {
    /// Takes each new snapshot.
    pub view: ViewSink,
    /// Yields the orders.
    pub orders: mpsc::Receiver<Request>,
}

impl Port {
    /// A port and the run loop's ends of it. `display` is what a desk display shows, if there is one.
    #[must_use]
    pub fn new(first: CounterView, display: Option<SharedFrame>) -> (Self, PortEnds) {
        let (view_in, view) = watch::channel(Arc::new(Snapshot { version: 1, view: first }));
        let (orders, orders_out) = mpsc::channel(ORDERS_MAX);
        (Self { view, orders, display }, PortEnds { view: ViewSink(view_in), orders: orders_out })
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.view.borrow())
    }

    /// A receiver that wakes at each new snapshot.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.view.clone()
    }

    /// What the desk display shows, if there is one.
    #[must_use]
    pub fn display(&self) -> Option<&SharedFrame> {
        self.display.as_ref()
    }

    /// Hands an order to the run loop and waits for its answer.
    ///
    /// # Errors
    /// [`Declined`] with the reason that staff are told.
    pub async fn order(&self, order: Order) -> Result<Done, Declined> {
        let (reply, answer) = oneshot::channel();
        let asked = async {
            self.orders.send(Request { order, reply }).await.map_err(|_| Declined::Unable)?;
            answer.await.map_err(|_| Declined::Unable)?
        };
        tokio::time::timeout(Duration::from_millis(ORDER_ANSWER_MS), asked)
            .await
            .unwrap_or(Err(Declined::Busy))
    }
}
