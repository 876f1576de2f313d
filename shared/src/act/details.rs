//! Acts about what the club keeps of a member beside the base data: kind, referrer, representative, tags, and groups of
//! fields of its own. Values are sealed beside the journal; only their commitments stand here.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ids::{Hash, MemberId};
use crate::scheme::Words;

/// What the club keeps of a member beside the base data, whole: what is left out is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MemberDetailSet {
    /// Whose.
    #[n(0)]
    pub member: MemberId,
    /// Dictionary code of the kind of member.
    #[n(1)]
    pub kind: String,
    /// Who recommended the member.
    #[n(2)]
    pub referrer: Option<MemberId>,
    /// Commitment to the representative's name and contact, sealed beside the organisation's own data (E2).
    #[n(3)]
    pub representative: Option<Hash>,
    /// Commitment to the club's tags, which are sealed with the member's data; none without any.
    #[n(4)]
    pub tags: Option<Hash>,
    /// Commitment to the reason typed by the person.
    #[n(5)]
    pub reason: Hash,
}

/// How much a group of fields must be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// Says nothing of a person that others may not know.
    #[n(0)]
    Plain,
    /// Personal, as a name is.
    #[n(1)]
    Personal,
    /// Of health, income, belief and the like: opened for a stated reason only (Y1).
    #[n(2)]
    Sensitive,
}

impl Sensitivity {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 3] =
        [(Self::Plain, "plain"), (Self::Personal, "personal"), (Self::Sensitive, "sensitive")];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("sensitive", |row| row.1)
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// One field of a group.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct CustomField {
    /// The code that values stand under.
    #[n(0)]
    pub code: String,
    /// What people read.
    #[n(1)]
    pub words: Words,
    /// Code of what a value must look like: `text`, `number`, `date`, `postcode`, `qq`, `email`, `choice`.
    #[n(2)]
    pub format: String,
    /// Words to choose from, of a `choice`.
    #[n(3)]
    pub choices: Vec<Words>,
    /// Whether it is filled in no more.
    #[n(4)]
    pub retired: bool,
}

/// A group of the club's own fields, whole. Nothing is deleted: what is left out of it is only filled in no more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct FieldGroup {
    /// Its code.
    #[n(0)]
    pub code: String,
    /// What people read.
    #[n(1)]
    pub words: Words,
    /// How much it must be protected.
    #[n(2)]
    pub class: Sensitivity,
    /// Its fields, in their order.
    #[n(3)]
    pub fields: Vec<CustomField>,
    /// Whether it is filled in no more.
    #[n(4)]
    pub retired: bool,
}

/// What a member's fields of a group say, whole.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CustomSet {
    /// Whose.
    #[n(0)]
    pub member: MemberId,
    /// Code of the group.
    #[n(1)]
    pub group: String,
    /// Commitment to the values.
    #[n(2)]
    pub values: Hash,
    /// Commitment to the reason typed by the person.
    #[n(3)]
    pub reason: Hash,
}

/// A person read what is protected, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DataOpened {
    /// Whose.
    #[n(0)]
    pub member: MemberId,
    /// What: the code of a field of the base data, or `group/` and the code of a group of fields.
    #[n(1)]
    pub what: String,
    /// Commitment to the reason typed by the person.
    #[n(2)]
    pub reason: Hash,
}
