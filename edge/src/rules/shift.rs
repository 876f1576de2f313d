//! A shift at the desk: what should be in the drawer and on the shelf, and when a day that nobody closed is closed.
//!
//! A shift is what lies between two closings of the day. It begins with a count; what is expected at its end is that
//! count and everything that the facts since moved.
//! Invariants: a difference always has a reason; a terminal that does not know the time closes nothing by itself.
//! Out of scope: what the centre makes of a difference.

use std::collections::BTreeMap;

use hufu_shared::fact::{Counted, Event, Fact};
use hufu_shared::money::{Amount, AmountOverflow, Unit};
use hufu_shared::time::{ClockQuality, Day, Instant};

/// Dictionary code of the way to pay that moves the drawer.
pub const METHOD_CASH: &str = "cash";
/// Dictionary codes of the reasons of a difference.
pub const REASONS: [&str; 5] = ["change", "unrecorded", "damaged", "opening", "other"];

/// What the facts of a shift come to at the desk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desk {
    /// The count with which the shift began; none if nobody counted.
    pub opened: Option<Counted>,
    /// When that was.
    pub opened_at: Option<Instant>,
    /// Fen taken in cash, less what was paid back of it.
    pub cash_in: Amount,
    /// Fen paid out in cash, less what came back of it.
    pub cash_out: Amount,
    /// Gifts handed out.
    pub gifts_out: u32,
    /// Blank cards given to members.
    pub cards_out: u32,
    /// What moved the drawer, by seq: a reversal names the fact.
    moved: BTreeMap<u64, (bool, Amount)>,
}

/// Why a shift is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotClosed {
    /// The count differs and nobody said why.
    #[error("the count differs from what was expected, and no reason was given")]
    NoReason,
    /// Sums beyond 64 bits.
    #[error(transparent)]
    Overflow(#[from] AmountOverflow),
}

impl Desk {
    /// Adds a fact of the shift, in order.
    ///
    /// # Errors
    /// [`AmountOverflow`] beyond 64 bits; the sums are then of no use.
    pub fn add(&mut self, fact: &Fact) -> Result<(), AmountOverflow> {
        match &fact.event {
            Event::ShiftOpened(counted) => {
                *self = Self { opened: Some(counted.clone()), opened_at: Some(fact.wall), ..Self::default() };
            }
            Event::ToppedUp(topped) if topped.method == METHOD_CASH => {
                self.cash_in = self.cash_in.plus(topped.amount)?;
                self.moved.insert(fact.seq, (true, topped.amount));
            }
            Event::Spent(spent) if spent.paid_out.as_deref() == Some(METHOD_CASH) => {
                for leg in spent.legs.iter().filter(|leg| leg.unit == Unit::Cny) {
                    self.cash_out = self.cash_out.plus(leg.amount)?;
                    self.moved.insert(fact.seq, (false, leg.amount));
                }
            }
            Event::Reversed(reversed) => {
                let Some((is_in, _)) = self.moved.get(&reversed.original.seq).copied() else { return Ok(()) };
                for leg in reversed.legs.iter().filter(|leg| leg.unit == Unit::Cny) {
                    let sum = if is_in { &mut self.cash_in } else { &mut self.cash_out };
                    *sum = sum.minus(leg.amount)?;
                }
            }
            Event::HandedOut(handed) => self.gifts_out = self.gifts_out.saturating_add(handed.quantity),
            Event::CardReplaced(_) => self.cards_out = self.cards_out.saturating_add(1),
            _ => {}
        }
        Ok(())
    }

    /// Fen that should lie in the drawer.
    ///
    /// # Errors
    /// [`AmountOverflow`] beyond 64 bits.
    pub fn cash_expected(&self) -> Result<Amount, AmountOverflow> {
        let opened = self.opened.as_ref().map_or(Amount::ZERO, |opened| opened.cash);
        opened.plus(self.cash_in)?.minus(self.cash_out)
    }

    /// Gifts that should lie on the shelf; none where nobody counted at the start.
    #[must_use]
    pub fn gifts_expected(&self) -> Option<u32> {
        self.opened.as_ref().map(|opened| opened.gifts.saturating_sub(self.gifts_out))
    }

    /// Blank cards that should be there; none where nobody counted at the start.
    #[must_use]
    pub fn blank_cards_expected(&self) -> Option<u32> {
        self.opened.as_ref().map(|opened| opened.blank_cards.saturating_sub(self.cards_out))
    }

    /// The count that closes the shift, beside what was expected.
    ///
    /// # Errors
    /// [`NotClosed::NoReason`] where they differ without a reason.
    pub fn close(&self, counted: Counted) -> Result<Counted, NotClosed> {
        let (cash, gifts) = (self.cash_expected()?, self.gifts_expected());
        let cards = self.blank_cards_expected();
        let differs = counted.cash != cash
            || gifts.is_some_and(|gifts| gifts != counted.gifts)
            || cards.is_some_and(|cards| cards != counted.blank_cards);
        if differs && counted.reason.is_none() {
            return Err(NotClosed::NoReason);
        }
        let reason = counted.reason.filter(|_| differs);
        Ok(Counted {
            cash_expected: Some(cash),
            gifts_expected: gifts,
            blank_cards_expected: cards,
            reason,
            ..counted
        })
    }
}

/// Whether a fact is work at the desk: a day of nothing but starts and clocks needs no closing.
#[must_use]
pub fn is_work(event: &Event) -> bool {
    !matches!(
        event,
        Event::Booted(_)
            | Event::ClockStepped(_)
            | Event::CommandDone(_)
            | Event::LeaseClosed(_)
            | Event::DayClosed(_)
            | Event::OperatorSignedIn(_)
            | Event::OperatorSignedOut(_)
    )
}

/// The day that the terminal closes by itself: it began before today and nobody closed it.
#[must_use]
pub fn left_open(first: Option<Day>, today: Day, clock: ClockQuality) -> Option<Day> {
    first.filter(|day| clock != ClockQuality::Floor && *day < today)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::fact::{
        CardReplaced, FACT_FORMAT, HandedOut, Reversed, Shown, Spent, Subject, ToppedUp,
    };
    use hufu_shared::ids::{DeviceId, FactId, ItemId, OccurrenceId};
    use hufu_shared::money::Leg;
    use hufu_shared::token::{MediumKind, Token};
    use hufu_shared::wire::version::Version;

    fn subject() -> Subject {
        let token = Token { key_version: 1, hash: [2; 16] };
        Subject { token, member: None, reader: 0, medium: MediumKind::Stripe, code: None }
    }

    fn desk(events: Vec<Event>) -> Desk {
        let mut desk = Desk::default();
        for (seq, event) in (1..).zip(events) {
            let fact = Fact {
                format: FACT_FORMAT,
                seq,
                wall: Instant(0),
                mono_ns: seq,
                boot: 1,
                clock: ClockQuality::Synced,
                directory: Version::default(),
                block: Version::default(),
                scheme: 1,
                operator: None,
                shown: Shown::Nothing,
                rule: None,
                event,
            };
            desk.add(&fact).expect("small sums");
        }
        desk
    }

    fn opened(cash: i64, gifts: u32) -> Event {
        Event::ShiftOpened(Counted { cash: Amount(cash), gifts, blank_cards: 20, ..Counted::default() })
    }

    fn top_up(amount: i64, method: &str) -> Event {
        let method = method.to_owned();
        Event::ToppedUp(ToppedUp { subject: subject(), amount: Amount(amount), method, slip: None })
    }

    fn fen(amount: i64) -> Vec<Leg> {
        vec![Leg { unit: Unit::Cny, amount: Amount(amount) }]
    }

    fn cash_out(amount: i64) -> Event {
        let paid_out = Some(METHOD_CASH.to_owned());
        let (legs, funding) = (fen(amount), Vec::new());
        Event::Spent(Spent { subject: subject(), legs, funding, slip: None, item: None, paid_out })
    }

    fn back(seq: u64, amount: i64) -> Event {
        let original = FactId { device: DeviceId([1; 16]), epoch: 1, seq };
        Event::Reversed(Reversed { original, legs: fen(amount), reason: "mistake".to_owned(), slip: None })
    }

    fn handed(quantity: u32) -> Event {
        let (occurrence, item) = (OccurrenceId([3; 16]), ItemId([4; 16]));
        Event::HandedOut(HandedOut { subject: subject(), occurrence, item, quantity })
    }

    #[test]
    fn the_drawer_holds_what_was_counted_and_what_cash_moved_since() {
        let shift = desk(vec![
            opened(50_000, 10),
            top_up(10_000, "cash"),
            top_up(99_900, "wechat"),
            cash_out(3_000),
            back(2, 10_000),
            top_up(20_000, "cash"),
            back(4, 1_000),
            handed(2),
        ]);
        assert_eq!(shift.cash_expected(), Ok(Amount(50_000 + 20_000 - 2_000)));
        assert_eq!(shift.gifts_expected(), Some(8));
        let uncounted = desk(vec![top_up(10_000, "cash"), handed(2)]);
        assert_eq!((uncounted.cash_expected(), uncounted.gifts_expected()), (Ok(Amount(10_000)), None));
        let again = desk(vec![top_up(10_000, "cash"), opened(500, 1)]);
        assert_eq!(again.cash_expected(), Ok(Amount(500)), "a new count ends the reckoning before it");
    }

    #[test]
    fn a_difference_needs_its_reason_and_an_equal_count_has_none() {
        let shift = desk(vec![opened(50_000, 10), handed(1)]);
        let counted = |cash, gifts, reason: Option<&str>| Counted {
            cash: Amount(cash),
            gifts,
            blank_cards: 20,
            reason: reason.map(str::to_owned),
            ..Counted::default()
        };
        assert_eq!(shift.close(counted(49_900, 9, None)), Err(NotClosed::NoReason));
        assert_eq!(shift.close(counted(50_000, 8, None)), Err(NotClosed::NoReason));
        let short = shift.close(counted(49_900, 9, Some("change"))).expect("explained");
        assert_eq!((short.cash_expected, short.reason.as_deref()), (Some(Amount(50_000)), Some("change")));
        let even = shift.close(counted(50_000, 9, Some("change"))).expect("even");
        assert_eq!((even.gifts_expected, even.reason), (Some(9), None));
    }

    #[test]
    fn rule_h05_each_card_given_in_place_of_another_is_one_blank_card_less() {
        let token = Token { key_version: 1, hash: [3; 16] };
        let replaced = || {
            let new = CardReplaced { subject: subject(), card: token, medium: MediumKind::Uid };
            Event::CardReplaced(new)
        };
        let shift = desk(vec![opened(0, 0), replaced(), replaced()]);
        assert_eq!(shift.blank_cards_expected(), Some(18));
        let counted = |cards| Counted { blank_cards: cards, ..Counted::default() };
        assert_eq!(shift.close(counted(17)), Err(NotClosed::NoReason));
        let even = shift.close(counted(18)).expect("even");
        assert_eq!((even.blank_cards, even.blank_cards_expected), (18, Some(18)));
        assert_eq!(desk(vec![replaced()]).blank_cards_expected(), None, "nobody counted at the start");
    }

    #[test]
    fn a_day_that_nobody_closed_is_closed_once_it_is_over_and_the_time_is_known() {
        let left = |first: Option<i32>, clock| left_open(first.map(Day), Day(20_000), clock);
        assert_eq!(left(Some(19_999), ClockQuality::Synced), Some(Day(19_999)));
        assert_eq!(left(Some(19_990), ClockQuality::Kept), Some(Day(19_990)));
        assert_eq!(left(Some(20_000), ClockQuality::Synced), None, "it is not over");
        assert_eq!(left(None, ClockQuality::Synced), None, "nothing happened");
        assert_eq!(left(Some(19_999), ClockQuality::Floor), None, "nobody knows what day it is");
    }
}
