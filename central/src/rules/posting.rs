//! Double entry: one posting takes from one account and gives to another.
//!
//! A posting is named by the hash of its cause and its place among the postings of that cause, so replaying names it
//! the same. A correction is a further posting of the same cause, so the net effect per cause and account does not
//! depend on the order in which facts arrived.

use std::fmt;

use hufu_shared::ids::{DeviceId, FactId, Hash, LeaseId, MemberId, OccurrenceId, OfficeId, OperatorId};
use hufu_shared::money::{Leg, Unit};
use hufu_shared::policy::Period;
use hufu_shared::time::{Day, Instant};

/// An account of the ledger. House accounts are per office, so no row is everybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What an office has given out; below zero by nature.
    Issuer(OfficeId),
    /// What a member may use.
    Available(MemberId),
    /// What a member owes back; the ledger's only account of a member that lies below zero.
    Owed(MemberId),
    /// What a rollback of the centre cost for a member; paid back first by what leases of that time return.
    RecoveryLoss(MemberId),
    /// What is set aside for one lease, in all its generations.
    Escrow(LeaseId),
    /// What was redeemed at an office.
    Redeemed(OfficeId),
    /// What ran out.
    Expired,
    /// What belonged to members whose data was erased.
    Erased,
    /// What nobody can be charged with until a case is decided.
    Suspense(Hash),
    /// What was given but waits for a person, by its cause; or is on its way from one member to another within it.
    Held(Hash),
    /// What a device spent without right.
    DeviceLoss(DeviceId),
    /// What was spent with a card after it was reported lost.
    BlockedLoss(OfficeId),
    /// Cash taken at a terminal of an office, by method of payment.
    Cash(OfficeId, MethodCode),
    /// What an admin gave or took.
    Adjust(OperatorId),
}

/// Dictionary code of a method of payment, as account names hold it: at most 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MethodCode([u8; 16]);

impl MethodCode {
    /// A code from a fact. What is longer is cut, and what an account name cannot hold is written as `_`: the fact
    /// keeps the words as they came.
    #[must_use]
    pub fn new(code: &str) -> Self {
        let mut bytes = [0; 16];
        for (place, byte) in bytes.iter_mut().zip(code.bytes()) {
            *place = if byte.is_ascii_alphanumeric() || byte == b'-' { byte } else { b'_' };
        }
        Self(bytes)
    }

    fn text(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..end]).unwrap_or("_")
    }
}

impl Account {
    /// Name of the kind of account, for the database's checks.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Issuer(_) => "issuer",
            Self::Available(_) => "available",
            Self::Owed(_) => "owed",
            Self::RecoveryLoss(_) | Self::DeviceLoss(_) | Self::BlockedLoss(_) => "loss",
            Self::Escrow(_) => "escrow",
            Self::Redeemed(_) | Self::Expired | Self::Erased => "sink",
            Self::Suspense(_) => "suspense",
            Self::Held(_) => "held",
            Self::Cash(..) => "cash",
            Self::Adjust(_) => "adjust",
        }
    }

    /// The member whose account it is.
    #[must_use]
    pub fn member(&self) -> Option<MemberId> {
        match self {
            Self::Available(member) | Self::Owed(member) | Self::RecoveryLoss(member) => Some(*member),
            _ => None,
        }
    }

    /// The account as a cause sees it: all that a member has and owes is one.
    #[must_use]
    pub fn of_cause(self) -> Self {
        self.member().map_or(self, Self::Available)
    }

    /// The account of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('/');
        let account = match (parts.next()?, parts.next(), parts.next()) {
            ("issuer", Some(office), None) => Self::Issuer(office.parse().ok()?),
            ("member", Some(member), Some(which)) => {
                let member = member.parse().ok()?;
                match which {
                    "available" => Self::Available(member),
                    "owed" => Self::Owed(member),
                    _ => return None,
                }
            }
            ("escrow", Some(lease), None) => Self::Escrow(lease.parse().ok()?),
            ("sink", Some("redeemed"), Some(office)) => Self::Redeemed(office.parse().ok()?),
            ("sink", Some("expired"), None) => Self::Expired,
            ("sink", Some("erased"), None) => Self::Erased,
            ("suspense", Some(case), None) => Self::Suspense(case.parse().ok()?),
            ("held", Some(cause), None) => Self::Held(cause.parse().ok()?),
            ("loss", Some("recovery"), Some(member)) => Self::RecoveryLoss(member.parse().ok()?),
            ("loss", Some("device"), Some(device)) => Self::DeviceLoss(device.parse().ok()?),
            ("loss", Some("blocked"), Some(office)) => Self::BlockedLoss(office.parse().ok()?),
            ("cash", Some(office), Some(method)) => Self::Cash(office.parse().ok()?, MethodCode::new(method)),
            ("adjust", Some(admin), None) => Self::Adjust(admin.parse().ok()?),
            _ => return None,
        };
        parts.next().is_none().then_some(account)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer(office) => write!(f, "issuer/{office}"),
            Self::Available(member) => write!(f, "member/{member}/available"),
            Self::Owed(member) => write!(f, "member/{member}/owed"),
            Self::RecoveryLoss(member) => write!(f, "loss/recovery/{member}"),
            Self::Escrow(lease) => write!(f, "escrow/{lease}"),
            Self::Redeemed(office) => write!(f, "sink/redeemed/{office}"),
            Self::Expired => f.write_str("sink/expired"),
            Self::Erased => f.write_str("sink/erased"),
            Self::Suspense(case) => write!(f, "suspense/{case}"),
            Self::Held(cause) => write!(f, "held/{cause}"),
            Self::DeviceLoss(device) => write!(f, "loss/device/{device}"),
            Self::BlockedLoss(office) => write!(f, "loss/blocked/{office}"),
            Self::Cash(office, method) => write!(f, "cash/{office}/{}", method.text()),
            Self::Adjust(admin) => write!(f, "adjust/{admin}"),
        }
    }
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Hash of the cause and the ordinal.
    pub id: Hash,
    /// Hash of the cause.
    pub cause: Hash,
    /// Place among the postings of the cause, from 0.
    pub ordinal: u32,
    /// Taken from.
    pub debit: Account,
    /// Given to.
    pub credit: Account,
    /// How much of which unit, above zero.
    pub leg: Leg,
    /// Why, as a code.
    pub code: PostingCode,
    /// The member concerned.
    pub member: Option<MemberId>,
    /// The fact that it rests on.
    pub fact: Option<FactId>,
    /// The case that it rests on.
    pub case: Option<Hash>,
    /// When its fact happened.
    pub at: Instant,
    /// Business day of that.
    pub day: Day,
    /// Scheme version.
    pub scheme: u32,
    /// Number of the rule.
    pub rule: Option<String>,
}

/// Why a posting was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostingCode {
    /// Points for a purchase.
    EarnPurchase,
    /// Points for attending.
    EarnActivity,
    /// Points or growth for an event that somebody told of.
    EarnEvent,
    /// Base points of a card.
    BasePoints,
    /// Another office gave them: the earlier check-in was there.
    IssuerMoved,
    /// What was given is taken back, or what was taken is given back.
    Reversal,
    /// Set aside for a lease.
    LeaseGrant,
    /// A lease gave back what it did not use.
    LeaseReturn,
    /// What a lease had left was written off to the member.
    LeaseWriteOff,
    /// Spent.
    Spend,
    /// Stored value paid in.
    TopUp,
    /// Points that reached their cut-off.
    Expiry,
    /// Moved at the centre.
    Move,
    /// Stored value carried over from one member to another.
    CarryOver,
    /// Brought over from another system.
    Opening,
    /// Brought over from a merged member, or back.
    Merge,
    /// Left by a member whose data was erased.
    Erasure,
    /// Changed for a cause.
    Points,
    /// Redeemed, by a plan or from the catalogue.
    Redemption,
    /// What a special offer had spared, since its purchase came back.
    OfferLost,
    /// Points given by one member to another.
    Transfer,
    /// Filled up on the member day.
    RoundUp,
    /// Growth that the end of a level took.
    LevelEnded,
}

impl PostingCode {
    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::EarnPurchase => "earn_purchase",
            Self::EarnActivity => "earn_activity",
            Self::EarnEvent => "earn_event",
            Self::BasePoints => "base_points",
            Self::IssuerMoved => "issuer_moved",
            Self::Reversal => "reversal",
            Self::LeaseGrant => "lease_grant",
            Self::LeaseReturn => "lease_return",
            Self::LeaseWriteOff => "lease_write_off",
            Self::Spend => "spend",
            Self::TopUp => "top_up",
            Self::Expiry => "expiry",
            Self::Move => "move",
            Self::CarryOver => "carry_over",
            Self::Opening => "opening",
            Self::Merge => "merge",
            Self::Erasure => "erasure",
            Self::Points => "points",
            Self::Redemption => "redemption",
            Self::OfferLost => "offer_lost",
            Self::Transfer => "transfer",
            Self::RoundUp => "round_up",
            Self::LevelEnded => "level_ended",
        }
    }

    /// Whether what is posted under a code follows from the day that it is of: it was known then, whenever the job that
    /// posts it came by.
    #[must_use]
    pub fn is_foreseen(code: &str) -> bool {
        [Self::Expiry, Self::RoundUp].iter().any(|foreseen| foreseen.code() == code)
    }
}

/// The cause of what was moved at the centre under this name.
#[must_use]
pub fn move_cause(id: Hash) -> Hash {
    Hash::of(&[b"hufu-cause-move", &id.0])
}

/// The cause of what was carried over under this name.
#[must_use]
pub fn carry_cause(id: Hash) -> Hash {
    Hash::of(&[b"hufu-cause-carry", &id.0])
}

/// The cause of what one member gave another under this name.
#[must_use]
pub fn transfer_cause(id: Hash) -> Hash {
    Hash::of(&[b"hufu-cause-transfer", &id.0])
}

/// The cause of an opening balance: batch, member, unit and when it was earned, none for when it was brought.
#[must_use]
pub fn opening_cause(batch: &str, member: MemberId, unit: Unit, at: Option<Instant>) -> Hash {
    let at = at.map_or_else(Vec::new, |at| at.0.to_be_bytes().to_vec());
    let batch = Hash::of(&[batch.as_bytes()]);
    Hash::of(&[b"hufu-cause-opening", &batch.0, &member.0, unit.code().as_bytes(), &at])
}

/// The cause of a change of points of this name.
#[must_use]
pub fn points_cause(id: Hash) -> Hash {
    Hash::of(&[b"hufu-cause-points", &id.0])
}

/// The cause of what a member redeems by a plan: once for each.
#[must_use]
pub fn redemption_cause(plan: Hash, member: MemberId) -> Hash {
    Hash::of(&[b"hufu-cause-redemption", &plan.0, &member.0])
}

/// The cause of what a member redeems from the catalogue under this name.
#[must_use]
pub fn item_cause(redemption: Hash) -> Hash {
    Hash::of(&[b"hufu-cause-item", &redemption.0])
}

/// The cause of what is due for a redemption since its special offer has no purchase any more.
#[must_use]
pub fn offer_lost_cause(redemption: Hash) -> Hash {
    Hash::of(&[b"hufu-cause-offer-lost", &redemption.0])
}

/// The cause of what one fact gave.
#[must_use]
pub fn fact_cause(fact: FactId) -> Hash {
    Hash::of(&[b"hufu-cause-fact", &fact.device.0, &fact.epoch.to_be_bytes(), &fact.seq.to_be_bytes()])
}

/// The cause of what attending an occurrence gave, whichever fact it rests on.
#[must_use]
pub fn attendance_cause(member: MemberId, occurrence: OccurrenceId) -> Hash {
    Hash::of(&[b"hufu-cause-attendance", &member.0, &occurrence.0])
}

/// The cause of what a generation of a lease sets aside and gives back.
#[must_use]
pub fn lease_cause(lease: LeaseId, generation: u32) -> Hash {
    Hash::of(&[b"hufu-cause-lease", &lease.0, &generation.to_be_bytes()])
}

/// The cause of what expires of a member's points at a cut-off.
#[must_use]
pub fn expiry_cause(member: MemberId, unit: Unit, cutoff: Day) -> Hash {
    Hash::of(&[b"hufu-cause-expiry", &member.0, unit.code().as_bytes(), &cutoff.0.to_be_bytes()])
}

/// The cause of the growth that the end of a member's level takes on a day: no more than one level ends on it.
#[must_use]
pub fn level_cause(member: MemberId, day: Day) -> Hash {
    Hash::of(&[b"hufu-cause-level", &member.0, &day.0.to_be_bytes()])
}

/// The cause of the base points that a rule gives about a card, or about a member where they come once.
#[must_use]
pub fn base_points_cause(about: [u8; 16], rule: &str) -> Hash {
    Hash::of(&[b"hufu-cause-base-points", &about, rule.as_bytes()])
}

/// The cause of what fills a member's points up in the month that holds a day: once, whichever day of it that is.
#[must_use]
pub fn round_up_cause(member: MemberId, day: Day) -> Hash {
    let month = Period::Month.first_day(day);
    Hash::of(&[b"hufu-cause-round-up", &member.0, &month.0.to_be_bytes()])
}

/// The name of an award for a place in the ranking of a period; in the books of stock, the cause of what was given.
#[must_use]
pub fn award_id(member: MemberId, (from, until): (Day, Day)) -> Hash {
    Hash::of(&[b"hufu-ranking-award", &member.0, &from.0.to_be_bytes(), &until.0.to_be_bytes()])
}

/// The cause of what a merge brings over.
#[must_use]
pub fn merge_cause(survivor: MemberId, merged: MemberId) -> Hash {
    Hash::of(&[b"hufu-cause-merge", &survivor.0, &merged.0])
}

/// The cause of what an erasure takes from a member, or forgives.
#[must_use]
pub fn erase_cause(member: MemberId) -> Hash {
    Hash::of(&[b"hufu-cause-erase", &member.0])
}

/// The name of a posting.
#[must_use]
pub fn posting_id(cause: Hash, ordinal: u32) -> Hash {
    Hash::of(&[b"hufu-posting", &cause.0, &ordinal.to_be_bytes()])
}

/// The name of a case: its kind and what it is about.
#[must_use]
pub fn case_id(kind: u8, about: &[&[u8]]) -> Hash {
    let mut parts: Vec<&[u8]> = vec![b"hufu-case", std::slice::from_ref(&kind)];
    parts.extend_from_slice(about);
    Hash::of(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_is_read_back_from_its_name() {
        let (office, member, hash) = (OfficeId([1; 16]), MemberId([2; 16]), Hash([3; 32]));
        for account in [
            Account::Issuer(office),
            Account::Available(member),
            Account::Owed(member),
            Account::RecoveryLoss(member),
            Account::Escrow(LeaseId([4; 16])),
            Account::Redeemed(office),
            Account::Expired,
            Account::Erased,
            Account::Suspense(hash),
            Account::Held(hash),
            Account::DeviceLoss(DeviceId([5; 16])),
            Account::BlockedLoss(office),
            Account::Cash(office, MethodCode::new("wechat")),
            Account::Cash(office, MethodCode::new("微信/支付")),
            Account::Adjust(OperatorId([6; 16])),
        ] {
            assert_eq!(Account::parse(&account.to_string()), Some(account), "{account}");
        }
        assert_eq!(Account::parse("issuer/x"), None);
        assert_eq!(Account::parse("sink/expired/x"), None);
    }
}
