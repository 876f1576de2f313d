//! Goods on shelves, as apply knows them.

use hufu_shared::ids::{FactId, Hash, ItemId, OfficeId};
use hufu_shared::time::{Day, Instant};
use minicbor::{Decode, Encode};

/// The books of one item at one office.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownStock {
    /// Pieces that came in less those that went, by movements at the centre.
    pub moved: i64,
    /// What counts found more than the books had.
    pub difference: i64,
    /// Pieces that terminals handed out and the stock covered.
    pub drawn: i64,
    /// The counts, in order of time.
    pub counts: Vec<KnownCount>,
    /// Lines written of it so far.
    pub lines: u64,
}

impl KnownStock {
    /// Pieces that should lie there: never below zero.
    #[must_use]
    pub fn on_shelf(&self) -> i64 {
        self.moved.saturating_add(self.difference).saturating_sub(self.drawn)
    }

    /// Pieces that ever came in, as far as the rule of backorders looks at it.
    #[must_use]
    pub fn came_in(&self) -> u32 {
        u32::try_from(self.moved.saturating_add(self.difference).max(0)).unwrap_or(u32::MAX)
    }
}

/// A count of a shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct KnownCount {
    /// Its name.
    #[n(0)]
    pub id: Hash,
    /// When.
    #[n(1)]
    pub at: Instant,
    /// Pieces that lay there.
    #[n(2)]
    pub pieces: u32,
    /// Pieces moved up to then.
    #[n(3)]
    pub moved: i64,
    /// What of the difference stands in the books.
    #[n(4)]
    pub booked: i64,
}

/// One line of the stock ledger: pieces go from one account to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLine {
    /// What.
    pub item: ItemId,
    /// The office whose books it stands in.
    pub office: OfficeId,
    /// Its number there, from 1.
    pub n: u64,
    /// Why, by name: of a movement, a count, an issue, an explanation; or of all that terminals drew of the shelf.
    pub cause: Hash,
    /// Taken from.
    pub debit: String,
    /// Brought to.
    pub credit: String,
    /// How many, above zero.
    pub pieces: i64,
    /// What happened, as a code.
    pub code: &'static str,
    /// When it was booked.
    pub at: Instant,
    /// Business day of that.
    pub day: Day,
}

/// What a close of day found on the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownStocktake {
    /// The close of day.
    pub fact: FactId,
    /// Where.
    pub office: OfficeId,
    /// Its business day.
    pub day: Day,
    /// When.
    pub at: Instant,
    /// Pieces counted.
    pub counted: u32,
    /// Pieces that the terminal expected.
    pub expected: u32,
    /// Commitment to the explanation; none while nobody gave one.
    pub explained: Option<Hash>,
    /// Whether it does not count any more: a person took the close of day out.
    pub void: bool,
}

impl KnownStocktake {
    /// Pieces that are there and were not expected; below zero for what is missing.
    #[must_use]
    pub fn difference(&self) -> i64 {
        i64::from(self.counted) - i64::from(self.expected)
    }
}
