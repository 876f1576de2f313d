//! Acts about birthdays 生日: a discount that a member has so many times a year, once as a rule (S9).

use minicbor::{Decode, Encode};

use crate::ids::{Hash, MemberId, OfficeId};

/// A birthday's discount was used, with a line to the centre: a right that counts once is never spent on a terminal's word.
/// Its business day follows from the office and when it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BirthdayUsed {
    /// Its name, made of the key under which it was asked: the same is done once.
    #[n(0)]
    pub id: Hash,
    /// Whose.
    #[n(1)]
    pub member: MemberId,
    /// Where.
    #[n(2)]
    pub office: OfficeId,
    /// Number of the sales slip, as the till names it.
    #[n(3)]
    pub slip: String,
    /// Commitment to what the person typed.
    #[n(4)]
    pub reason: Hash,
}

/// A use of the birthday's discount was taken back: it was entered in error, or the goods came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BirthdayTakenBack {
    /// Which use.
    #[n(0)]
    pub id: Hash,
    /// Commitment to the reason that was typed.
    #[n(1)]
    pub reason: Hash,
}
