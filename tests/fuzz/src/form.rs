//! What tablets send to the counter: forms as JSON, typed by people or by anybody on the network.
//!
//! The first byte says which form. Promises beside not panicking: an order moves a positive, bounded amount or none; a
//! slip's number is folded and bounded; a typed number is a bounded card number and no bank card's.

use hufu_edge::counter::forms::{CandidateInput, ModeInput, NoticeInput, TypedInput, UnshownInput};
use hufu_edge::counter::port::{ModeOrder, Order, SlipTyped};
use hufu_edge::counter::slips::ReverseInput;
use hufu_hardware::payment::is_payment_number;
use hufu_shared::money::{Amount, Leg};
use hufu_shared::token::CARD_TEXT_CHARS_MAX;

/// Fen that nobody pays at a counter.
const FEN_MAX: i64 = 1_000_000_000_000_000;
/// Characters of a slip's number, as the page takes it.
const SLIP_CHARS_MAX: usize = 40;

/// Reads a form.
pub fn run(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let order = match first % 6 {
        0 => serde_json::from_slice::<ModeInput>(rest).ok().and_then(|form| form.order().ok()),
        1 => serde_json::from_slice::<TypedInput>(rest).ok().and_then(|form| form.order().ok()),
        2 => serde_json::from_slice::<CandidateInput>(rest).ok().and_then(|form| form.order().ok()),
        3 => serde_json::from_slice::<NoticeInput>(rest).ok().and_then(|form| form.order().ok()),
        4 => serde_json::from_slice::<UnshownInput>(rest).ok().and_then(|form| form.order().ok()),
        _ => serde_json::from_slice::<ReverseInput>(rest).ok().and_then(|form| form.order().ok()),
    };
    match order {
        Some(Order::SetMode(mode)) => sets(&mode),
        Some(Order::Typed(card)) => {
            let number = card.canonical().trim_start_matches("number:");
            assert!((1..=CARD_TEXT_CHARS_MAX).contains(&number.len()), "{number}");
            assert!(!is_payment_number(number), "a bank card's number");
        }
        Some(Order::TakeBack { part, slip, .. }) => {
            part.iter().for_each(moves);
            slip.iter().for_each(names);
        }
        _ => {}
    }
}

fn sets(mode: &ModeOrder) {
    match mode {
        ModeOrder::Earn(amount) => positive(*amount),
        ModeOrder::EarnSlip { amount, slip, replaces, paid } => {
            positive(*amount);
            [slip].into_iter().chain(replaces).for_each(names);
            if let Some(paid) = paid {
                assert!(paid.received_percent <= 100 && paid.goods.chars().count() <= 40, "{paid:?}");
                [paid.coupon, paid.by_points].iter().for_each(|beside| {
                    assert!((0..=FEN_MAX).contains(&beside.0), "{beside:?}");
                });
            }
        }
        ModeOrder::Spend { legs, slip } => {
            assert!(!legs.is_empty(), "something is spent");
            legs.iter().for_each(moves);
            slip.iter().for_each(names);
        }
        ModeOrder::TopUp { amount, slip, .. } | ModeOrder::CashOut { amount, slip, .. } => {
            positive(*amount);
            names(slip);
        }
        _ => {}
    }
}

fn moves(leg: &Leg) {
    positive(leg.amount);
}

fn positive(amount: Amount) {
    assert!(amount.is_positive() && amount.0 <= FEN_MAX, "{amount:?}");
}

fn names(slip: &SlipTyped) {
    let number = &slip.number;
    assert!((1..=SLIP_CHARS_MAX).contains(&number.chars().count()), "{number}");
    assert!(!number.chars().any(|c| c.is_control() || c.is_whitespace()), "{number:?}");
}
