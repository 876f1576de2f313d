//! Acts about events that earn and are no purchases, and about orders refused at the door (rules B3, G8, K20, K21): somebody
//! tells the centre of one, or takes back what was told wrongly.

use minicbor::{Decode, Encode};

use crate::ids::{Hash, MemberId, OccurrenceId, OfficeId};
use crate::money::Amount;
use crate::scheme::earning::EarnKind;
use crate::time::Day;

/// An event that somebody told of. What it gives is not in it: that follows from the version of the scheme in force on
/// its day, and from what was told before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EventTold {
    /// Its name, from kind and serial ([`EventTold::name`]): the same told twice counts once.
    #[n(0)]
    pub id: Hash,
    /// Whose.
    #[n(1)]
    pub member: MemberId,
    /// What it is: one of [`EarnKind::TOLD`].
    #[n(2)]
    pub kind: EarnKind,
    /// Its code, as the scheme's rules name it: a task, a kind of activity; empty if it has none.
    #[n(3)]
    pub of: String,
    /// The business day on which it happened, not after that on which it is told.
    #[n(4)]
    pub day: Day,
    /// What it cost, in fen; 0 if money plays no part.
    #[n(5)]
    pub cost: Amount,
    /// Per cent of that which was received (rule K22); 100 unless somebody says otherwise.
    #[n(6)]
    pub paid_percent: u8,
    /// The serial under which who tells it knows it: a number of an order or a record, nothing of a person.
    #[n(7)]
    pub serial: String,
    /// The office that gives what it earns.
    #[n(8)]
    pub office: OfficeId,
    /// The holding of an activity that it is, if it is one (rule K26).
    #[n(9)]
    pub occurrence: Option<OccurrenceId>,
    /// Commitment to what the person typed about it; all zero for nothing.
    #[n(10)]
    pub reason: Hash,
}

impl EventTold {
    /// The name of an event of a kind with a serial.
    #[must_use]
    pub fn name(kind: EarnKind, serial: &str) -> Hash {
        Hash::of(&[b"hufu-event-told", kind.code().as_bytes(), &[0], serial.as_bytes()])
    }

    /// Whether both say the same of an event, whatever was typed about it.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Self { reason: other.reason, ..self.clone() } == *other
    }
}

/// An event was told wrongly. What it gave goes back, what waited is returned, and neither counts for what rules give
/// once or up to a cap.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EventTakenBack {
    /// Which.
    #[n(0)]
    pub event: Hash,
    /// Commitment to the reason typed by the person.
    #[n(1)]
    pub reason: Hash,
}
