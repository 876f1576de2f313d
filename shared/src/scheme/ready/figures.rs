//! The worked figures with which the shipped schemes come: what one purchase gives by each, reckoned by hand from the
//! rules. The what-if, the function of terminals and ledger, and the ledger through facts are held against this one table.
//!
//! Beside them stand the figures of a club whose versions are for some offices and kinds of members ([`SCOPED`]).
//!
//! Out of scope: figures over several purchases (levels, ends of points, caps), which stand with their tests.

use crate::fact::Paid;
use crate::ids::OfficeId;
use crate::money::Amount;
use crate::scheme::bill::WHOLE_BP;
use crate::scheme::choose::Scope;
use crate::scheme::earning::{Sheet, SheetBasis};
use crate::scheme::{EarnRate, SchemeTerms};
use crate::time::Day;

/// What one purchase gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// The letter of its scheme.
    pub scheme: char,
    /// The rules that give points, as a posting names them; none where none are given.
    pub rule: Option<&'static str>,
    /// What was paid in money, in fen.
    pub money_fen: i64,
    /// What a coupon and points paid beside it, in fen.
    pub beside_fen: (i64, i64),
    /// The goods and how many per cent of their price were received.
    pub goods: (&'static str, u8),
    /// Whether the shop has the sheets of [`sheets`].
    pub has_sheets: bool,
    /// Points at once, and points that wait for approval.
    pub gives: (i64, i64),
    /// Growth at once.
    pub growth: i64,
    /// What it shows.
    pub why: &'static str,
}

impl Figure {
    /// A plain purchase that gives points at once by one rule; by none if they are 0.
    const fn plain(scheme: char, rule: &'static str, money_fen: i64, points: i64, why: &'static str) -> Self {
        Self {
            scheme,
            rule: if points == 0 { None } else { Some(rule) },
            money_fen,
            beside_fen: (0, 0),
            goods: ("", 100),
            has_sheets: false,
            gives: (points, 0),
            growth: 0,
            why,
        }
    }

    /// What the slip says beside the money; none for a plain purchase.
    #[must_use]
    pub fn paid(&self) -> Option<Paid> {
        let paid = Paid {
            goods: self.goods.0.to_owned(),
            received_percent: self.goods.1,
            coupon: Amount(self.beside_fen.0),
            by_points: Amount(self.beside_fen.1),
        };
        (paid != Paid::default()).then_some(paid)
    }
}

/// All of them. A scheme has five at most, so that each can have a member of its own.
pub const FIGURES: [Figure; 18] = [
    Figure::plain('K', "S2", 32_000, 6, "320 yuan by 2 for each 100"),
    Figure {
        goods: ("home", 100),
        gives: (0, 1_000),
        ..Figure::plain('K', "K22", 100_000_000, 1_000, "a home of a million waits for approval (K21)")
    },
    Figure {
        goods: ("home", 99),
        ..Figure::plain('K', "K22", 100_000_000, 0, "not before the whole price was received")
    },
    Figure::plain('H', "", 100_000, 0, "the hotel has money and no points"),
    Figure::plain('G', "G4", 32_000, 320, "a shop without a sheet"),
    Figure {
        has_sheets: true,
        ..Figure::plain(
            'G',
            "G4",
            32_000,
            530,
            "320 x 1.5 + 50 by sheet 1012, not by 1007 nor by a late 2000",
        )
    },
    Figure::plain('S', "S2", 10_000, 2, "100 yuan"),
    Figure::plain('S', "S2", 9_900, 0, "99 yuan by whole steps"),
    Figure {
        beside_fen: (0, 20_000),
        ..Figure::plain('S', "S2", 80_000, 16, "what 200 points paid of 1,000 yuan earns none (S6)")
    },
    Figure {
        beside_fen: (20_000, 0),
        ..Figure::plain('S', "S2", 80_000, 16, "what a coupon paid of 1,000 yuan earns none (S7)")
    },
    Figure::plain('P', "P1", 47_999, 479, "a part of a yuan counts for nothing"),
    Figure::plain('P', "P1", 48_000, 480, "480 yuan"),
    Figure {
        growth: 100,
        ..Figure::plain('B', "B1", 10_000, 0, "purchases give growth, and points come from tasks (B3)")
    },
    Figure { growth: 99, ..Figure::plain('B', "B1", 9_999, 0, "a part of a yuan moves no level") },
    Figure::plain('T', "T3", 123_456, 12, "by trip fees"),
    Figure::plain('T', "T3", 9_999, 0, "below one step"),
    Figure {
        gives: (0, 5),
        ..Figure::plain('L', "L1", 50_000, 5, "what the dealer's people enter waits for approval")
    },
    Figure::plain('L', "L1", 9_999, 0, "nothing waits where nothing is earned"),
];

/// The sheets of the figures, for a shop and a day: of those entered before, the largest number holds (rules G3 and G5).
#[must_use]
pub fn sheets(office: &str, day: Day) -> Vec<Sheet> {
    let sheet = |sheet_no, b_factor_bp, entered| Sheet {
        sheet_no,
        office: office.to_owned(),
        date_from: day,
        date_to: day,
        entered,
        a_basis: SheetBasis::Earning,
        b_factor_bp,
        c_addend_fen: 5_000,
    };
    vec![
        sheet(1_012, WHOLE_BP * 3 / 2, day.plus(-7)),
        sheet(1_007, WHOLE_BP * 2, day.plus(-7)),
        sheet(2_000, WHOLE_BP * 3, day),
    ]
}

/// What a purchase of [`SCOPED_FEN`] gives where versions are for some offices and kinds of members ([`scoped`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopedFigure {
    /// Whether it is made at the office that has versions of its own.
    pub at_own_office: bool,
    /// Code of the member's kind; empty for none.
    pub kind: &'static str,
    /// The version that decides.
    pub version: u32,
    /// Points at once.
    pub gives: i64,
}

/// The money of the purchases of [`SCOPED`], in fen.
pub const SCOPED_FEN: i64 = 32_000;

/// All of them.
pub const SCOPED: [ScopedFigure; 6] = [
    ScopedFigure { at_own_office: false, kind: "", version: 1, gives: 6 },
    ScopedFigure { at_own_office: false, kind: "dealer", version: 3, gives: 15 },
    ScopedFigure { at_own_office: false, kind: "ota", version: 1, gives: 6 },
    ScopedFigure { at_own_office: true, kind: "", version: 2, gives: 9 },
    ScopedFigure { at_own_office: true, kind: "dealer", version: 4, gives: 21 },
    ScopedFigure { at_own_office: true, kind: "ota", version: 2, gives: 9 },
];

/// The versions of [`SCOPED`]: one for all, one for an office, one for dealers, and one for dealers at that office. The
/// last one is for all again and newer, with a last day that is long past.
#[must_use]
pub fn scoped(own: OfficeId) -> Vec<SchemeTerms> {
    let terms = |version, points, scope: Option<Scope>| {
        let earn = Some(EarnRate { per_fen: 10_000, points });
        SchemeTerms { earn, scope, ..SchemeTerms::property_club(version, Day(0)) }
    };
    let dealers = || vec!["dealer".to_owned()];
    let last_day = Some(Day(1));
    vec![
        terms(1, 2, None),
        terms(2, 3, Some(Scope { offices: vec![own], ..Scope::default() })),
        terms(3, 5, Some(Scope { member_kinds: dealers(), ..Scope::default() })),
        terms(4, 7, Some(Scope { offices: vec![own], member_kinds: dealers(), last_day: None })),
        terms(5, 9, Some(Scope { last_day, ..Scope::default() })),
    ]
}
