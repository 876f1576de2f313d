//! What waits for somebody: notices, value facts of an unclean end, a candidate to be compared, a guest for whom a form
//! can be written.

use hufu_shared::fact::RefusalReason;
use hufu_shared::money::Amount;
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::Became;
use serde::Serialize;

use super::{PersonView, Purpose};

/// What became of a fact otherwise than was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeView {
    /// Its number; acknowledged by it.
    pub n: u64,
    /// The fact's seq.
    pub seq: u64,
    /// When the swipe was; none if it is no longer held.
    pub at: Option<Instant>,
    /// Name for staff.
    pub name: Option<String>,
    /// What the swipe was for; none if it is no longer held.
    pub purpose: Option<Purpose>,
    /// What became of it.
    pub became: Became,
    /// Number of the conflict kind.
    pub kind: Option<u8>,
    /// Code of the other office.
    pub other_office: Option<String>,
    /// When the other side happened.
    pub other_at: Option<Instant>,
}

/// A value fact of which nobody knows whether it was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnshownView {
    /// The fact's seq.
    pub seq: u64,
    /// When.
    pub at: Instant,
    /// What for.
    pub purpose: Purpose,
    /// Name for staff.
    pub name: Option<String>,
    /// Points recorded.
    pub promised: Option<Amount>,
}

/// A member found by a typed number, to be compared with the card in the guest's hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CandidateView {
    /// Names this candidate; a confirmation of an older one does nothing.
    pub n: u64,
    /// Last characters of the typed number.
    pub card_tail: String,
    /// Who; none if the number is unknown here.
    pub person: Option<PersonView>,
    /// What confirming will do.
    pub purpose: Purpose,
    /// Why the card would be refused, if it would.
    pub refused: Option<RefusalReason>,
}

impl CandidateView {
    /// Whether staff may say that it is right: of a member who is known, or of a new card, which nobody holds.
    #[must_use]
    pub fn may_be_confirmed(&self) -> bool {
        self.refused.is_none() && (self.person.is_some() || self.purpose == Purpose::Replace)
    }
}

/// The member whose card was shown last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GuestView {
    /// Names the showing; a form for an older one is not taken.
    pub n: u64,
    /// Who.
    pub person: PersonView,
    /// Last characters of the card's number.
    pub card_tail: Option<String>,
}
