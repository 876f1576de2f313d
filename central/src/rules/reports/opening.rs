//! The sentence with which a day's report opens: what of the figures is worth saying, in which order.
//!
//! It is chosen here and put into words by the console. Nothing is said that the figures do not show; what is still
//! missing is always said.

/// A day in figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayTold {
    /// Visits and check-ins.
    pub came: i64,
    /// Members seen.
    pub members: i64,
    /// Points given, less what was taken back.
    pub earned: i64,
    /// Points redeemed.
    pub spent: i64,
    /// Stored value paid in, in fen.
    pub paid_in: i64,
    /// Stored value paid out, in fen.
    pub paid_out: i64,
    /// Members who joined.
    pub joined: i64,
    /// Refused attempts.
    pub refused: i64,
}

impl DayTold {
    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A figure in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// A count, or points: the words say of what.
    Plain(i64),
    /// Fen.
    Fen(i64),
}

/// A part of the sentence: a key of words, and the figures in it by their names.
pub type Clause = (&'static str, Vec<(&'static str, Figure)>);

/// How many came, against the same weekday a week before.
fn came(day: &DayTold, before: &DayTold) -> Clause {
    let own = [("n", Figure::Plain(day.came)), ("members", Figure::Plain(day.members))];
    let with = |difference: i64| own.into_iter().chain([("more", Figure::Plain(difference))]).collect();
    match day.came - before.came {
        _ if day.came == 0 && before.came == 0 => ("opening-nobody", Vec::new()),
        _ if day.came == 0 => ("opening-nobody-now", vec![("last", Figure::Plain(before.came))]),
        _ if before.came == 0 => ("opening-came", own.to_vec()),
        0 => ("opening-came-same", own.to_vec()),
        more if more > 0 => ("opening-came-more", with(more)),
        less => ("opening-came-less", with(-less)),
    }
}

/// The parts of the sentence about a day, compared with the day a week before; `missing` terminals may still hold
/// records of it.
#[must_use]
pub fn clauses(day: &DayTold, before: &DayTold, missing: usize) -> Vec<Clause> {
    let mut clauses = Vec::new();
    if day.is_empty() {
        clauses.push((if missing > 0 { "opening-none-yet" } else { "opening-none" }, Vec::new()));
    } else {
        clauses.push(came(day, before));
    }
    if day.earned != 0 || day.spent != 0 {
        let figures = vec![("earned", Figure::Plain(day.earned)), ("spent", Figure::Plain(day.spent))];
        clauses.push(("opening-points", figures));
    }
    if day.paid_in != 0 || day.paid_out != 0 {
        let figures = vec![("in", Figure::Fen(day.paid_in)), ("out", Figure::Fen(day.paid_out))];
        clauses.push(("opening-money", figures));
    }
    if day.joined > 0 {
        clauses.push(("opening-joined", vec![("n", Figure::Plain(day.joined))]));
    }
    if missing > 0 {
        let missing = i64::try_from(missing).unwrap_or(i64::MAX);
        clauses.push(("opening-missing", vec![("n", Figure::Plain(missing))]));
    }
    clauses
}
