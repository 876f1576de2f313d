//! A card in place of another: what the old one, its member and the new one must be (rules H5, K17, X10).
//!
//! A lost card is replaced as well as one that is worn out: that it is refused is why its member comes. One that is void
//! was replaced already, and one that the club stopped is not given back under another number; a sub card is cancelled,
//! and never replaced. Out of scope: whether the
//! person is the member (staff compared them), and what else of the member's ends with the old card: that is the
//! centre's.

use hufu_shared::fact::RefusalReason;
use hufu_shared::member::{CardStatus, MemberStatus};

/// The card that is to be replaced, as this terminal knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldCard {
    /// Its state, by the block list or else the directory; none if neither knows it.
    pub status: Option<CardStatus>,
    /// Whether its member takes part; none if the directory does not know the member.
    pub member: Option<MemberStatus>,
    /// Whether it is a sub card.
    pub sub: bool,
}

/// Why the new card cannot take the place of the old one, if so. `held` says whether the new one has a holder already.
#[must_use]
pub fn refusal(old: OldCard, held: bool) -> Option<RefusalReason> {
    match (old.member, old.status) {
        (None, _) | (_, None) => Some(RefusalReason::R14),
        (Some(MemberStatus::Stopped | MemberStatus::Left), _) | (_, Some(CardStatus::Stopped)) => {
            Some(RefusalReason::R01)
        }
        (_, Some(CardStatus::Void)) => Some(RefusalReason::R06),
        (Some(MemberStatus::Active), Some(CardStatus::Active | CardStatus::Lost)) if old.sub => {
            Some(RefusalReason::R17)
        }
        (Some(MemberStatus::Active), Some(CardStatus::Active | CardStatus::Lost)) => {
            held.then_some(RefusalReason::R16)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_h05_a_card_in_use_or_lost_is_replaced_by_one_that_nobody_holds() {
        use {CardStatus as Card, MemberStatus as Member, RefusalReason as Why};
        let cases = [
            (Some(Member::Active), Some(Card::Active), false, None),
            (Some(Member::Active), Some(Card::Lost), false, None),
            (Some(Member::Active), Some(Card::Active), true, Some(Why::R16)),
            (Some(Member::Active), Some(Card::Lost), true, Some(Why::R16)),
            // Replaced already: the member has another card.
            (Some(Member::Active), Some(Card::Void), false, Some(Why::R06)),
            (Some(Member::Active), Some(Card::Stopped), false, Some(Why::R01)),
            (Some(Member::Stopped), Some(Card::Active), false, Some(Why::R01)),
            (Some(Member::Left), Some(Card::Lost), false, Some(Why::R01)),
            (None, Some(Card::Lost), false, Some(Why::R14)),
            (Some(Member::Active), None, false, Some(Why::R14)),
        ];
        for (member, status, held, why) in cases {
            let old = OldCard { status, member, sub: false };
            assert_eq!(refusal(old, held), why, "{member:?} {status:?} {held}");
        }
    }

    #[test]
    fn rule_k17_a_sub_card_is_cancelled_and_never_replaced() {
        let sub = |status| OldCard { status: Some(status), member: Some(MemberStatus::Active), sub: true };
        for status in [CardStatus::Active, CardStatus::Lost] {
            assert_eq!(refusal(sub(status), false), Some(RefusalReason::R17));
        }
        assert_eq!(refusal(sub(CardStatus::Void), false), Some(RefusalReason::R06));
    }
}
