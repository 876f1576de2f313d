//! Stored value moved by a person at the centre: a top-up undone, value paid out, goods taken back, value carried over
//! 结转 to another member.
//!
//! Each has a name of its own, so that the same asked twice moves once: a top-up is undone once, a sale is refunded
//! once. A top-up is undone whatever is left of it: what is not available is owed. Nothing else takes more than a member
//! has, nor of what is frozen 冻结.

use hufu_shared::act::{Act, ValueCarried, ValueEnd, ValueHolder, ValueMoved};
use hufu_shared::ids::{CardId, FactId, Hash, MemberId, OfficeId};
use hufu_shared::money::{Amount, Leg, Unit};

use super::judge::reversal::{FromMember, from_member};
use super::posting;

/// What a person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A top-up is to be undone; the money is handed back.
    Undo(FactId),
    /// Stored value is to be paid out.
    CashOut {
        /// Fen.
        amount: Amount,
        /// Whose cash.
        office: OfficeId,
        /// Told apart from another one of the same amount by this.
        once: [u8; 16],
    },
    /// Goods that were paid for with stored value came back.
    Refund {
        /// The sale.
        sale: FactId,
        /// Fen; none for all that was paid.
        amount: Option<Amount>,
    },
    /// Stored value is to be carried over to another member.
    CarryOver {
        /// Fen.
        amount: Amount,
        /// The card by which the person named who gives.
        card: Option<CardId>,
        /// Who gets it.
        to: ValueHolder,
        /// Office whose business day it counts to.
        office: OfficeId,
        /// Told apart from another one of the same amount by this.
        once: [u8; 16],
    },
}

impl Wish {
    /// The fact that it takes back.
    #[must_use]
    pub fn original(&self) -> Option<FactId> {
        match self {
            Self::Undo(fact) | Self::Refund { sale: fact, .. } => Some(*fact),
            Self::CashOut { .. } | Self::CarryOver { .. } => None,
        }
    }

    /// Whether it takes of what the member has, as a spend does.
    fn spends(&self) -> bool {
        matches!(self, Self::CashOut { .. } | Self::CarryOver { .. })
    }

    /// The cause under which it stands in the ledger, if it stands there by its name.
    #[must_use]
    pub fn cause(&self, member: MemberId) -> Option<Hash> {
        match self {
            Self::CashOut { .. } => Some(posting::move_cause(self.id(member))),
            Self::CarryOver { .. } => Some(posting::carry_cause(self.id(member))),
            Self::Undo(_) | Self::Refund { .. } => None,
        }
    }

    /// The act that it becomes as planned, with the reason that was typed.
    #[must_use]
    pub fn act(&self, plan: Plan, reason: Hash) -> Act {
        match (self, plan.moved) {
            (
                Self::CarryOver { card, to, .. },
                ValueMoved { id, from: ValueEnd::Member(member), leg, office, .. },
            ) => {
                let from = ValueHolder { member, card: *card };
                Act::ValueCarried(ValueCarried { id, from, to: *to, amount: leg.amount, office, reason })
            }
            (_, moved) => Act::ValueMoved(ValueMoved { reason, ..moved }),
        }
    }

    /// Its name: the same wish has the same.
    #[must_use]
    pub fn id(&self, member: MemberId) -> Hash {
        match self {
            Self::Undo(fact) => Hash::of(&[b"hufu-desk-undo", &posting::fact_cause(*fact).0]),
            Self::CashOut { once, .. } => Hash::of(&[b"hufu-desk-cash-out", &member.0, once]),
            Self::CarryOver { once, .. } => Hash::of(&[b"hufu-desk-carry-over", &member.0, once]),
            Self::Refund { sale, .. } => Hash::of(&[b"hufu-desk-refund", &posting::fact_cause(*sale).0]),
        }
    }
}

/// What is known of what the wish is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// What the member may use.
    pub available: Amount,
    /// What the member owes.
    pub owed: Amount,
    /// What still stands of the top-up, or of what was paid for the goods.
    pub stands: Amount,
    /// What of it still waits for a cash count or a person.
    pub held: Amount,
    /// What of a sale the member has paid and not got back.
    pub bears: Amount,
    /// Where it was paid in, or paid.
    pub office: Option<OfficeId>,
    /// The same was done before.
    pub is_done: bool,
    /// The centre recovers: nothing takes from anybody.
    pub is_recovering: bool,
    /// What the member has is frozen.
    pub is_frozen: bool,
    /// Who is to get it takes part in the club.
    pub other_takes_part: bool,
}

/// What will be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The act; its reason is not typed yet.
    pub moved: ValueMoved,
    /// How what is taken from the member divides; none where the member is given something.
    pub takes: Option<FromMember>,
    /// What of it the member is given; the rest goes back to the club, which bore it.
    pub gets: Amount,
    /// What the member may use afterwards.
    pub available: Amount,
    /// What the member owes afterwards.
    pub owed: Amount,
}

/// Why a wish is not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPossible {
    /// Nothing of the kind is known of this member.
    #[error("nothing of the kind is known of this member")]
    Unknown,
    /// It was done before.
    #[error("it was done before")]
    Done,
    /// It still waits: what the member does not have yet is not taken.
    #[error("it still waits for a cash count or a person")]
    Held,
    /// More than the member has, or than was paid.
    #[error("more than there is")]
    TooMuch,
    /// The centre recovers.
    #[error("the centre recovers and takes nothing from anybody")]
    Recovering,
    /// What the member has is frozen.
    #[error("it is frozen")]
    Frozen,
    /// Who is to get it has it already: all media of a member reach the same value.
    #[error("it is theirs already")]
    Same,
    /// Who is to get it does not take part.
    #[error("who is to get it takes no part in the club")]
    NoOther,
}

/// Judges a wish.
///
/// # Errors
/// [`NotPossible`] with the first reason why not.
pub fn plan(member: MemberId, wish: &Wish, known: Known) -> Result<Plan, NotPossible> {
    if known.is_done {
        return Err(NotPossible::Done);
    }
    if known.is_recovering && !matches!(wish, Wish::Refund { .. }) {
        return Err(NotPossible::Recovering);
    }
    if wish.spends() && known.is_frozen {
        return Err(NotPossible::Frozen);
    }
    let office = match wish {
        Wish::CashOut { office, .. } | Wish::CarryOver { office, .. } => Some(*office),
        Wish::Undo(_) | Wish::Refund { .. } => known.office,
    };
    let office = office.ok_or(NotPossible::Unknown)?;
    let amount = match wish {
        Wish::Undo(_) => known.stands,
        Wish::CashOut { amount, .. } | Wish::CarryOver { amount, .. } => *amount,
        Wish::Refund { amount, .. } => amount.unwrap_or(known.stands),
    };
    if !amount.is_positive() {
        return Err(NotPossible::Unknown);
    }
    let most = match wish {
        Wish::Undo(_) if known.held.is_positive() => return Err(NotPossible::Held),
        Wish::Undo(_) => amount,
        Wish::CarryOver { to, .. } if to.member == member => return Err(NotPossible::Same),
        Wish::CarryOver { .. } if !known.other_takes_part => return Err(NotPossible::NoOther),
        Wish::CashOut { .. } | Wish::CarryOver { .. } if known.owed.is_positive() => Amount::ZERO,
        Wish::CashOut { .. } | Wish::CarryOver { .. } => known.available,
        Wish::Refund { .. } => known.stands,
    };
    if amount > most {
        return Err(NotPossible::TooMuch);
    }
    Ok(planned(member, wish, known, (amount, office)))
}

fn planned(member: MemberId, wish: &Wish, known: Known, (amount, office): (Amount, OfficeId)) -> Plan {
    let gives = matches!(wish, Wish::Refund { .. });
    let (from, to) = match wish {
        Wish::Refund { .. } => (ValueEnd::Redeemed(office), ValueEnd::Member(member)),
        Wish::CarryOver { to, .. } => (ValueEnd::Member(member), ValueEnd::Member(to.member)),
        Wish::Undo(_) | Wish::CashOut { .. } => (ValueEnd::Member(member), ValueEnd::Cash(office)),
    };
    let leg = Leg { unit: Unit::Cny, amount };
    let reason = Hash([0; 32]);
    let moved = ValueMoved { id: wish.id(member), from, to, leg, office, reason, of: wish.original() };
    if gives {
        // What the member did not pay in the end goes back to the club, and what is owed is paid first.
        let gets = amount.min(known.bears).max(Amount::ZERO);
        let pays = gets.min(known.owed);
        let available = Amount(known.available.0.saturating_add(gets.0 - pays.0));
        let owed = Amount(known.owed.0 - pays.0);
        return Plan { moved, takes: None, gets, available, owed };
    }
    let takes = from_member(amount, known.available);
    Plan {
        moved,
        takes: Some(takes),
        gets: Amount::ZERO,
        available: Amount(known.available.0 - takes.available.0),
        owed: Amount(known.owed.0.saturating_add(takes.owed.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::ids::DeviceId;

    const MEMBER: MemberId = MemberId([1; 16]);
    const OTHER: MemberId = MemberId([4; 16]);
    const OFFICE: OfficeId = OfficeId([2; 16]);
    const FACT: FactId = FactId { device: DeviceId([3; 16]), epoch: 1, seq: 9 };
    const UNDO: Wish = Wish::Undo(FACT);

    fn known(available: i64, stands: i64) -> Known {
        let (available, stands) = (Amount(available), Amount(stands));
        Known { available, stands, bears: stands, office: Some(OFFICE), ..Known::default() }
    }

    fn cash_out(amount: i64) -> Wish {
        Wish::CashOut { amount: Amount(amount), office: OFFICE, once: [7; 16] }
    }

    fn carry(amount: i64, to: MemberId) -> Wish {
        let to = ValueHolder { member: to, card: None };
        Wish::CarryOver { amount: Amount(amount), card: None, to, office: OFFICE, once: [8; 16] }
    }

    fn refund(amount: Option<i64>) -> Wish {
        Wish::Refund { sale: FACT, amount: amount.map(Amount) }
    }

    #[test]
    fn rule_h04_an_undone_top_up_takes_what_is_there_and_the_rest_is_owed() {
        let plan = plan(MEMBER, &UNDO, known(300, 1_000)).expect("a person may");
        let FromMember { available, owed } = plan.takes.expect("it takes");
        assert_eq!((available, owed), (Amount(300), Amount(700)));
        assert_eq!(
            (plan.available, plan.owed, plan.moved.leg.amount),
            (Amount(0), Amount(700), Amount(1_000))
        );
        assert_eq!((plan.moved.from, plan.moved.to), (ValueEnd::Member(MEMBER), ValueEnd::Cash(OFFICE)));
    }

    #[test]
    fn nobody_is_paid_out_more_than_they_have_nor_while_they_owe() {
        assert!(plan(MEMBER, &cash_out(300), known(300, 0)).is_ok());
        assert_eq!(plan(MEMBER, &cash_out(301), known(300, 0)), Err(NotPossible::TooMuch));
        assert_eq!(plan(MEMBER, &cash_out(0), known(300, 0)), Err(NotPossible::Unknown));
        let owing = Known { owed: Amount(1), ..known(0, 0) };
        assert_eq!(plan(MEMBER, &cash_out(1), owing), Err(NotPossible::TooMuch));
    }

    #[test]
    fn goods_give_back_at_most_what_was_paid_and_pay_what_is_owed_first() {
        let owing = Known { owed: Amount(40), ..known(0, 100) };
        let shared = Known { bears: Amount(70), ..owing };
        let of_both = plan(MEMBER, &refund(Some(80)), shared).expect("possible");
        assert_eq!((of_both.gets, of_both.available, of_both.owed), (Amount(70), Amount(30), Amount(0)));
        assert_eq!(of_both.moved.leg.amount, Amount(80), "ten of it the club had paid");
        let whole = plan(MEMBER, &refund(None), owing).expect("possible");
        assert_eq!((whole.available, whole.owed, whole.takes), (Amount(60), Amount(0), None));
        assert_eq!(whole.moved.from, ValueEnd::Redeemed(OFFICE));
        assert_eq!(plan(MEMBER, &refund(Some(101)), owing), Err(NotPossible::TooMuch));
        assert_eq!(plan(MEMBER, &refund(None), known(0, 0)), Err(NotPossible::Unknown), "nothing was paid");
    }

    #[test]
    fn what_was_done_waits_or_would_take_while_the_centre_recovers_is_not_done() {
        let done = Known { is_done: true, ..known(900, 100) };
        let held = Known { held: Amount(100), ..known(900, 100) };
        let recovering = Known { is_recovering: true, ..known(900, 100) };
        assert_eq!(plan(MEMBER, &UNDO, done), Err(NotPossible::Done));
        assert_eq!(plan(MEMBER, &UNDO, held), Err(NotPossible::Held));
        for wish in [UNDO, cash_out(1)] {
            assert_eq!(plan(MEMBER, &wish, recovering), Err(NotPossible::Recovering));
        }
        assert!(plan(MEMBER, &refund(None), recovering).is_ok(), "credits go on");
    }

    #[test]
    fn rule_h04_what_is_frozen_is_neither_paid_out_nor_carried_over_and_still_corrected() {
        let frozen = Known { is_frozen: true, other_takes_part: true, ..known(900, 100) };
        for wish in [cash_out(1), carry(1, OTHER)] {
            assert_eq!(plan(MEMBER, &wish, frozen), Err(NotPossible::Frozen));
            assert!(plan(MEMBER, &wish, Known { is_frozen: false, ..frozen }).is_ok());
        }
        for wish in [UNDO, refund(None)] {
            assert!(plan(MEMBER, &wish, frozen).is_ok(), "a mistake is put right all the same");
        }
    }

    #[test]
    fn rule_h04_a_carry_over_takes_what_there_is_at_most_and_goes_to_somebody_else_who_takes_part() {
        let there = Known { other_takes_part: true, ..known(300, 0) };
        let done = plan(MEMBER, &carry(300, OTHER), there).expect("possible");
        assert_eq!((done.available, done.owed), (Amount(0), Amount(0)));
        let Act::ValueCarried(carried) = carry(300, OTHER).act(done, Hash([5; 32])) else {
            panic!("a carry-over")
        };
        assert_eq!((carried.from.member, carried.to.member, carried.amount), (MEMBER, OTHER, Amount(300)));
        for (wish, known, why) in [
            (carry(301, OTHER), there, NotPossible::TooMuch),
            (carry(0, OTHER), there, NotPossible::Unknown),
            (carry(1, MEMBER), there, NotPossible::Same),
            (carry(1, OTHER), Known { other_takes_part: false, ..there }, NotPossible::NoOther),
            (carry(1, OTHER), Known { is_done: true, ..there }, NotPossible::Done),
            (carry(1, OTHER), Known { is_recovering: true, ..there }, NotPossible::Recovering),
            (carry(1, OTHER), Known { owed: Amount(1), ..there }, NotPossible::TooMuch),
        ] {
            assert_eq!(plan(MEMBER, &wish, known), Err(why));
        }
    }

    #[test]
    fn each_wish_has_a_name_and_the_same_has_the_same() {
        let other = Wish::Undo(FactId { seq: 10, ..FACT });
        let ids = [UNDO, other, cash_out(5), refund(None)].map(|wish| wish.id(MEMBER));
        assert!((0..4).all(|at| !ids[..at].contains(&ids[at])));
        assert_eq!(refund(Some(5)).id(MEMBER), refund(None).id(MEMBER), "a sale once, whatever the amount");
        assert_eq!(cash_out(5).id(MEMBER), cash_out(6).id(MEMBER), "a form once");
    }
}
