//! The model's state: small numbers that hash fast, with lossless ways to and from the types of the real rules.

use hufu_central::rules::lease::LeaseRow;
use hufu_edge::rules::lease::{Age, Holding};
use hufu_shared::ids::{DeviceId, Hash, LeaseId, MemberId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::Instant;
use hufu_shared::wire::lease::{LeaseState, LeaseTerms};
use hufu_shared::wire::upload::ReceiptMark;
use hufu_shared::wire::version::{CentralEpoch, Version};

/// Terminals in the model.
pub const TERMINALS: usize = 2;
/// The one member.
pub const MEMBER: MemberId = MemberId([9; 16]);
/// The one unit.
pub const UNIT: Unit = Unit::Pts;
/// One reboot ends a lease's time, so that a crash also stands for expiry.
pub const TERMS: LeaseTerms = LeaseTerms { ttl_s: 1_000, reboot_cost_s: 1_000, reboots_max: 0 };

/// The identity of a terminal.
#[must_use]
pub fn device(terminal: u8) -> DeviceId {
    DeviceId([terminal + 1; 16])
}

/// The one lease id of a terminal for the member.
#[must_use]
pub fn lease(terminal: u8) -> LeaseId {
    LeaseId([terminal + 0x11; 16])
}

/// An amount of the real rules.
#[must_use]
pub fn amount(small: u8) -> Amount {
    Amount(i64::from(small))
}

/// A small amount.
///
/// # Panics
/// If it is below zero or above 255: then a rule broke a bound of the model.
#[must_use]
pub fn small(amount: Amount) -> u8 {
    u8::try_from(amount.0).expect("amounts of the model lie within 0..256")
}

fn small64(n: u64) -> u8 {
    u8::try_from(n).expect("numbers of the model lie within 0..256")
}

fn small32(n: u32) -> u8 {
    u8::try_from(n).expect("numbers of the model lie within 0..256")
}

/// A version: epoch and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ver(pub u8, pub u8);

impl Ver {
    /// As the rules write it.
    #[must_use]
    pub fn real(self) -> Version {
        Version { epoch: u32::from(self.0), n: u64::from(self.1) }
    }

    fn of(version: Version) -> Self {
        Self(small32(version.epoch), small64(version.n))
    }
}

/// A life of the centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Life {
    /// Its number.
    pub n: u8,
    /// Its random bits: here the count of lives begun so far.
    pub bits: u8,
}

impl Life {
    /// As the rules write it.
    #[must_use]
    pub fn real(self) -> CentralEpoch {
        CentralEpoch { n: u32::from(self.n), bits: u64::from(self.bits) }
    }

    /// From the rules' form.
    #[must_use]
    pub fn of(epoch: CentralEpoch) -> Self {
        Self { n: small32(epoch.n), bits: small64(epoch.bits) }
    }
}

/// What a terminal holds of the centre's signed words about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mark {
    /// Number of the centre's life.
    pub life: u8,
    /// Its random bits.
    pub bits: u8,
    /// Entries of the journal.
    pub size: u8,
    /// Which history the newest entry belongs to; stands for the head's hash.
    pub branch: u8,
    /// The terminal's cursor.
    pub acked: u8,
}

impl Mark {
    /// As the rules read it.
    #[must_use]
    pub fn real(self, terminal: u8) -> ReceiptMark {
        ReceiptMark {
            central_epoch: Life { n: self.life, bits: self.bits }.real(),
            journal_size: u64::from(self.size),
            journal_head: head(self.branch),
            device: device(terminal),
            acked_seq: u64::from(self.acked),
            directory: Version::default(),
            block: Version::default(),
            leases: Vec::new(),
            signature: Vec::new(),
        }
    }
}

/// The head of a history; the size stands beside it in a mark.
#[must_use]
pub fn head(branch: u8) -> Hash {
    Hash([branch; 32])
}

/// A lease state on its way or in a holding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// For which terminal.
    pub to: u8,
    /// Generation.
    pub generation: u32,
    /// Granted in all.
    pub granted: u8,
    /// Its version.
    pub version: Ver,
}

impl State {
    /// As the rules read it.
    #[must_use]
    pub fn real(self) -> LeaseState {
        LeaseState {
            lease: lease(self.to),
            generation: self.generation,
            device: device(self.to),
            member: MEMBER,
            unit: UNIT,
            granted_total: amount(self.granted),
            terms: TERMS,
            version: self.version.real(),
            signature: Vec::new(),
        }
    }

    /// From the rules' form.
    #[must_use]
    pub fn of(terminal: u8, state: &LeaseState) -> Self {
        Self {
            to: terminal,
            generation: state.generation,
            granted: small(state.granted_total),
            version: Ver::of(state.version),
        }
    }
}

/// A generation at a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Held {
    /// Its newest state.
    pub state: State,
    /// Spent of it.
    pub spent: u8,
    /// Closed by the terminal.
    pub closed: bool,
    /// Seq of the newest fact that names it.
    pub last_fact: Option<u8>,
    /// Reboots since it was received.
    pub reboots: u8,
    /// Milliseconds in thousands that count of its time: what reboots cost.
    pub counted_ks: u8,
}

const KS_NS: u64 = 1_000_000_000_000;

impl Held {
    /// As the rules read it.
    #[must_use]
    pub fn real(self) -> Holding {
        Holding {
            state: self.state.real(),
            enrolment: 1,
            spent_total: amount(self.spent),
            closed: self.closed,
            last_fact: self.last_fact.map(u64::from),
            age: Age {
                counted_ns: u64::from(self.counted_ks) * KS_NS,
                counted_at_ns: 0,
                reboots: u32::from(self.reboots),
            },
        }
    }

    /// From the rules' form.
    #[must_use]
    pub fn of(terminal: u8, holding: &Holding) -> Self {
        Self {
            state: State::of(terminal, &holding.state),
            spent: small(holding.spent_total),
            closed: holding.closed,
            last_fact: holding.last_fact.map(small64),
            reboots: small32(holding.age.reboots),
            counted_ks: small64(holding.age.counted_ns / KS_NS),
        }
    }
}

/// A fact of a terminal's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fact {
    /// What happened.
    pub event: Event,
    /// The newest mark that the terminal had: any batch with this fact echoes it or a newer one.
    pub echo: Option<Mark>,
}

/// What a fact says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// One point spent of a generation.
    Spent {
        /// Generation.
        generation: u32,
        /// The counter after it.
        total: u8,
        /// The state that it rests on.
        state: Ver,
    },
    /// A generation closed.
    Closed {
        /// Generation.
        generation: u32,
        /// The counter.
        total: u8,
    },
}

/// A terminal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Terminal {
    /// The life of the centre that it has stored.
    pub life: Life,
    /// The newest mark that it was given.
    pub mark: Option<Mark>,
    /// Generations held.
    pub held: Vec<Held>,
    /// Its chain, never forgotten here.
    pub facts: Vec<Fact>,
}

/// A generation in the centre's book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    /// Whose.
    pub terminal: u8,
    /// Generation.
    pub generation: u32,
    /// Granted in all.
    pub granted: u8,
    /// Settled from escrow.
    pub settled: u8,
    /// Paid by the club after a write-off.
    pub lost: u8,
    /// Released.
    pub released: u8,
    /// Written off.
    pub written_off: Option<u8>,
    /// Disputed.
    pub disputed: u8,
    /// Dismissed.
    pub dismissed: u8,
    /// The largest counter a fact named.
    pub reported: u8,
    /// Seq of that fact.
    pub last_seq: u8,
    /// Counter of its close.
    pub closed: Option<u8>,
    /// Version of its newest state.
    pub version: Ver,
    /// Life in which it was first granted.
    pub first_life: u8,
}

impl Row {
    /// As the rules read it.
    #[must_use]
    pub fn real(self) -> LeaseRow {
        LeaseRow {
            lease: lease(self.terminal),
            generation: self.generation,
            device: device(self.terminal),
            enrolment: 1,
            member: MEMBER,
            unit: UNIT,
            granted_total: amount(self.granted),
            settled: amount(self.settled),
            lost: amount(self.lost),
            released: amount(self.released),
            written_off: self.written_off.map(amount),
            disputed: amount(self.disputed),
            dismissed: amount(self.dismissed),
            spent_reported: amount(self.reported),
            last_seq: u64::from(self.last_seq),
            holes: Vec::new(),
            closed: self.closed.map(amount),
            terms: TERMS,
            version: self.version.real(),
            set_at: Instant(0),
            first_epoch: u32::from(self.first_life),
        }
    }

    /// From the rules' form.
    ///
    /// # Panics
    /// If the row has holes: every fact of the model can be read.
    #[must_use]
    pub fn of(terminal: u8, row: &LeaseRow) -> Self {
        assert!(row.holes.is_empty(), "every fact of the model can be read");
        Self {
            terminal,
            generation: row.generation,
            granted: small(row.granted_total),
            settled: small(row.settled),
            lost: small(row.lost),
            released: small(row.released),
            written_off: row.written_off.map(small),
            disputed: small(row.disputed),
            dismissed: small(row.dismissed),
            reported: small(row.spent_reported),
            last_seq: small64(row.last_seq),
            closed: row.closed.map(small),
            version: Ver::of(row.version),
            first_life: small32(row.first_epoch),
        }
    }
}
