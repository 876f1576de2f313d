//! Goods on shelves: a small ledger in pieces, by office and item. Every line takes from one account and brings to
//! another; a shelf never goes below zero, for what it does not cover is backordered (kind 16) until it comes in or a
//! count finds it.
//!
//! What terminals drew follows from the whole set of their facts and is booked as one cause per shelf, by differences;
//! so is what each count found. Out of scope: which hand-outs the stock covers ([`super::goods`]).

use hufu_shared::act::{ExplainedLine, StockClass, StockCounted, StockEnd, StockExplained, StockMoved};
use hufu_shared::fact::{Counted, DayClosed};
use hufu_shared::ids::{FactId, Hash, ItemId, OfficeId};

use super::Work;
use crate::rules::judge::stock::{self, Count, Take};
use crate::rules::need::Need;
use crate::rules::world::{KnownCount, KnownStock, KnownStocktake, StockLine};

/// The name of all that terminals drew of a shelf.
fn drawn_cause(item: ItemId, office: OfficeId) -> Hash {
    Hash::of(&[b"hufu-cause-drawn", &item.0, &office.0])
}

/// The name of what an explanation books.
fn explained_cause(fact: FactId, class: StockClass) -> Hash {
    let (device, epoch, seq) = (fact.device.0, fact.epoch.to_be_bytes(), fact.seq.to_be_bytes());
    Hash::of(&[b"hufu-cause-explained", &device, &epoch, &seq, class.code().as_bytes()])
}

/// Name of an account of the stock ledger. What lies on no shelf counts for the office of the other end.
fn account(end: StockEnd, office: OfficeId) -> String {
    match end {
        StockEnd::Shelf(office) => format!("shelf/{office}"),
        StockEnd::Supplier => "supplier".to_owned(),
        StockEnd::Spoiled => format!("spoiled/{office}"),
        StockEnd::Issued => format!("issued/{office}"),
    }
}

/// What a movement is, as a code.
fn code(from: StockEnd, to: StockEnd) -> &'static str {
    match (from, to) {
        (StockEnd::Supplier, _) => "in",
        (_, StockEnd::Supplier) => "returned",
        (StockEnd::Shelf(_), StockEnd::Shelf(_)) => "moved",
        (_, StockEnd::Spoiled) | (StockEnd::Spoiled, _) => "spoiled",
        _ => "issued",
    }
}

/// Pieces on their way: how many, between which ends, why.
struct Way {
    item: ItemId,
    from: StockEnd,
    to: StockEnd,
    pieces: i64,
    cause: Hash,
    code: &'static str,
}

impl Work {
    /// The books of a shelf; none for what nobody counts there.
    pub(super) fn stock(&self, item: ItemId, office: OfficeId) -> Option<&KnownStock> {
        self.has(Need::Stock(item, office));
        self.world.stock.get(&(item, office))
    }

    fn on_shelf(&self, item: ItemId, office: OfficeId) -> i64 {
        self.stock(item, office).map_or(0, KnownStock::on_shelf)
    }

    /// Whether a name was booked before; from now on it is.
    fn is_booked(&mut self, cause: Hash) -> bool {
        self.has(Need::Booked(cause));
        !self.world.booked.insert(cause)
    }

    fn change_stock(&mut self, item: ItemId, office: OfficeId, change: impl FnOnce(&mut KnownStock)) {
        self.has(Need::Stock(item, office));
        let stock = self.world.stock.entry((item, office)).or_default();
        change(stock);
        self.outcome.stock.insert((item, office), stock.clone());
    }

    /// Writes a line into the books of an office.
    fn book_line(
        &mut self,
        (item, office): (ItemId, OfficeId),
        cause: Hash,
        code: &'static str,
        ends: [String; 2],
        pieces: i64,
    ) {
        // What should have gone the other way comes back.
        let [debit, credit] = if pieces < 0 {
            let [to, from] = ends;
            [from, to]
        } else {
            ends
        };
        let (at, day) = (self.received, self.day(office, self.received));
        let mut n = 0;
        self.change_stock(item, office, |stock| {
            stock.lines += 1;
            n = stock.lines;
        });
        let pieces = pieces.saturating_abs();
        let line = StockLine { item, office, n, cause, debit, credit, pieces, code, at, day };
        self.outcome.stock_lines.push(line);
    }

    /// Whether a movement has two different ends of which one is a shelf, and that shelf has the pieces.
    fn may_move(&self, way: &Way) -> bool {
        let has_shelf = [way.from, way.to].iter().any(|end| matches!(end, StockEnd::Shelf(_)));
        let covered = match way.from {
            StockEnd::Shelf(office) => self.on_shelf(way.item, office) >= way.pieces,
            StockEnd::Supplier | StockEnd::Spoiled | StockEnd::Issued => true,
        };
        way.pieces > 0 && way.from != way.to && has_shelf && covered
    }

    fn move_pieces(&mut self, way: &Way) {
        let mut own = None;
        for (end, sign) in [(way.from, -1), (way.to, 1)] {
            if let StockEnd::Shelf(office) = end {
                own = own.or(Some(office));
                self.change_stock(way.item, office, |stock| stock.moved += sign * way.pieces);
                self.touch_goods(way.item, office);
            }
        }
        if let Some(office) = own {
            let ends = [account(way.from, office), account(way.to, office)];
            self.book_line((way.item, office), way.cause, way.code, ends, way.pieces);
        }
    }

    /// Goods came in, moved, were given out or spoiled.
    pub(super) fn stock_moved(&mut self, moved: &StockMoved) {
        let (item, from, to) = (moved.item, moved.from, moved.to);
        let way =
            Way { item, from, to, pieces: i64::from(moved.pieces), cause: moved.id, code: code(from, to) };
        if self.may_move(&way) && !self.is_booked(moved.id) {
            self.move_pieces(&way);
        }
    }

    /// Takes one piece from a shelf, for a card that is issued or a gift, where somebody counts it. Whether there was one.
    pub(super) fn take_one(&mut self, item: ItemId, office: OfficeId, cause: Hash) -> bool {
        if self.stock(item, office).is_none() {
            return true;
        }
        let way = Way {
            item,
            from: StockEnd::Shelf(office),
            to: StockEnd::Issued,
            pieces: 1,
            cause,
            code: "issued",
        };
        let may = self.may_move(&way);
        if may {
            self.move_pieces(&way);
        }
        may
    }

    /// Puts a piece back on the shelf that it was taken from.
    pub(super) fn put_back_one(&mut self, item: ItemId, office: OfficeId, cause: Hash) {
        let (from, to) = (StockEnd::Issued, StockEnd::Shelf(office));
        let way = Way { item, from, to, pieces: 1, cause, code: code(from, to) };
        self.move_pieces(&way);
    }

    /// A shelf was counted.
    pub(super) fn stock_counted(&mut self, counted: &StockCounted) {
        let (item, office) = (counted.item, counted.office);
        let is_known = |stock: &KnownStock| stock.counts.iter().any(|count| count.id == counted.id);
        if self.stock(item, office).is_some_and(is_known) || self.is_booked(counted.id) {
            return;
        }
        let (id, at, pieces) = (counted.id, self.received, counted.pieces);
        self.change_stock(item, office, |stock| {
            let moved = stock.moved;
            stock.counts.push(KnownCount { id, at, pieces, moved, booked: 0 });
        });
        self.touch_goods(item, office);
    }

    /// Books what each count found, by what was handed out before it; answers all that ever came in.
    pub(super) fn book_counts(&mut self, item: ItemId, office: OfficeId, takes: &[Take]) -> Option<u32> {
        let stock = self.stock(item, office)?.clone();
        let of = |count: &KnownCount| Count { at: count.at, pieces: count.pieces, moved: count.moved };
        let counts: Vec<Count> = stock.counts.iter().map(of).collect();
        let found = stock::differences(&counts, takes);
        for (place, found) in found.iter().enumerate() {
            let count = stock.counts[place];
            let missing = found - count.booked;
            if missing != 0 {
                self.change_stock(item, office, |stock| {
                    stock.counts[place].booked = *found;
                    stock.difference += missing;
                });
                let ends = [format!("difference/{office}"), account(StockEnd::Shelf(office), office)];
                self.book_line((item, office), count.id, "counted", ends, missing);
            }
        }
        self.stock(item, office).map(KnownStock::came_in)
    }

    /// Books what terminals drew of a shelf.
    pub(super) fn book_drawn(&mut self, item: ItemId, office: OfficeId, drawn: i64) {
        let before = self.stock(item, office).map_or(0, |stock| stock.drawn);
        if drawn != before {
            self.change_stock(item, office, |stock| stock.drawn = drawn);
            let ends = [StockEnd::Shelf(office), StockEnd::Issued].map(|end| account(end, office));
            self.book_line((item, office), drawn_cause(item, office), "drawn", ends, drawn - before);
        }
    }

    /// A close of day counted the shelf: what differs from what the terminal expected waits for an explanation.
    pub(super) fn shelf_counted(&mut self, id: FactId, closed: &DayClosed) {
        let Some(known) = self.fact(id).cloned() else { return };
        let Some(counted) = closed.counted.as_ref().filter(|_| !closed.unattended) else { return };
        for class in StockClass::ALL {
            let Some((pieces, expected)) = seen(counted, class) else { continue };
            self.has(Need::Stocktakes(id));
            let before = self.world.stocktakes.get(&(id, class)).copied();
            let now = KnownStocktake {
                fact: id,
                office: known.office,
                day: closed.day,
                at: known.at,
                counted: pieces,
                expected,
                explained: before.and_then(|before| before.explained),
                void: known.pin == Some(false),
            };
            if before != Some(now) && (before.is_some() || (now.difference() != 0 && !now.void)) {
                self.world.stocktakes.insert((id, class), now);
                self.outcome.stocktakes.insert((id, class), now);
            }
        }
    }

    /// A person explained what a close of day found: the items that it concerns are booked.
    pub(super) fn stock_explained(&mut self, explained: &StockExplained) {
        let key = (explained.fact, explained.class);
        self.has(Need::Stocktakes(explained.fact));
        let Some(known) = self.world.stocktakes.get(&key).copied() else { return };
        let cause = explained_cause(explained.fact, explained.class);
        let ways: Vec<Way> = explained.lines.iter().map(|line| way(line, known.office, cause)).collect();
        let open = known.explained.is_none() && !known.void;
        if !open || !explains(&known, &explained.lines) || !self.may_move_all(&ways) {
            return;
        }
        for way in &ways {
            self.move_pieces(way);
        }
        let now = KnownStocktake { explained: Some(explained.reason), ..known };
        self.world.stocktakes.insert(key, now);
        self.outcome.stocktakes.insert(key, now);
    }

    /// Whether all of these can be moved, each item once.
    fn may_move_all(&self, ways: &[Way]) -> bool {
        let once = |way: &Way| ways.iter().filter(|other| other.item == way.item).count() == 1;
        ways.iter().all(|way| once(way) && self.may_move(way))
    }
}

/// What a close of day says of a class of goods: counted and expected.
fn seen(counted: &Counted, class: StockClass) -> Option<(u32, u32)> {
    match class {
        StockClass::Gift => counted.gifts_expected.map(|expected| (counted.gifts, expected)),
        StockClass::BlankCard => counted.blank_cards_expected.map(|expected| (counted.blank_cards, expected)),
    }
}

fn way(line: &ExplainedLine, office: OfficeId, cause: Hash) -> Way {
    let shelf = StockEnd::Shelf(office);
    let (from, to) = if line.pieces < 0 { (shelf, line.end) } else { (line.end, shelf) };
    Way { item: line.item, from, to, pieces: line.pieces.saturating_abs(), cause, code: "explained" }
}

/// Whether an explanation accounts for the whole difference, or says that only the count was wrong.
#[must_use]
pub fn explains(known: &KnownStocktake, lines: &[ExplainedLine]) -> bool {
    let sum = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.pieces));
    lines.is_empty() || sum == Some(known.difference())
}
