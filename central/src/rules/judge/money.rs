//! Whether the desk may undo a top-up by itself (section "The ledger", last item; rule H4).
//!
//! A top-up may be undone at the same terminal in the same shift, while the centre has not got it or answers that what
//! is available covers it; else a person does it, and what is not there is owed ([`crate::rules::desk`]). Out of scope:
//! what the undo then takes, which is a reversal of its fact; when money paid in may be spent
//! ([`super::issue::spendable`]).

use hufu_shared::money::Amount;

/// A wish to undo a top-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndoAsked {
    /// It was taken at this very terminal, in the same enrolment.
    pub same_terminal: bool,
    /// No day was closed in between.
    pub same_shift: bool,
    /// The centre has it.
    pub is_acked: bool,
    /// How much was paid in.
    pub amount: Amount,
    /// What the centre says is available now; none while it cannot be asked.
    pub available: Option<Amount>,
}

/// Why a top-up is undone only by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeedsAdmin {
    /// It was taken at another terminal.
    OtherTerminal,
    /// The shift in which it was taken is closed and counted.
    OtherShift,
    /// The centre has it and cannot be asked.
    NotReached,
    /// Part of it is spent or set aside already.
    NotCovered,
}

/// Whether the desk may undo a top-up by itself.
///
/// # Errors
/// [`NeedsAdmin`] with the first reason why not.
pub fn may_undo(asked: UndoAsked) -> Result<(), NeedsAdmin> {
    if !asked.same_terminal {
        return Err(NeedsAdmin::OtherTerminal);
    }
    if !asked.same_shift {
        return Err(NeedsAdmin::OtherShift);
    }
    match (asked.is_acked, asked.available) {
        (false, _) => Ok(()),
        (true, None) => Err(NeedsAdmin::NotReached),
        (true, Some(available)) if available < asked.amount => Err(NeedsAdmin::NotCovered),
        (true, Some(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: UndoAsked = UndoAsked {
        same_terminal: true,
        same_shift: true,
        is_acked: false,
        amount: Amount(500),
        available: None,
    };

    #[test]
    fn a_top_up_is_undone_at_its_own_desk_while_the_money_is_there() {
        let acked = UndoAsked { is_acked: true, ..ASKED };
        let cases = [
            (ASKED, Ok(()), "the centre has not got it yet"),
            (
                UndoAsked { available: Some(Amount(500)), ..acked },
                Ok(()),
                "the centre says that it is covered",
            ),
            (
                UndoAsked { available: Some(Amount(499)), ..acked },
                Err(NeedsAdmin::NotCovered),
                "a fen is spent elsewhere",
            ),
            (acked, Err(NeedsAdmin::NotReached), "nobody can say"),
            (UndoAsked { same_terminal: false, ..ASKED }, Err(NeedsAdmin::OtherTerminal), "another terminal"),
            (UndoAsked { same_shift: false, ..ASKED }, Err(NeedsAdmin::OtherShift), "the cash was counted"),
        ];
        for (asked, expected, why) in cases {
            assert_eq!(may_undo(asked), expected, "{why}");
        }
    }
}
