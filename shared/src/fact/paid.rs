//! What a purchase's slip says beside the money: goods, a coupon, points that paid, how much of the price was received.
//!
//! Without it a purchase is plain: of no kind of goods, all of its price received, in money. Discounts are not told; the
//! till has taken them before it tells the money.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::money::Amount;

/// What a sales slip says beside the money that was paid, as far as earning by a scheme looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Paid {
    /// Code of the kind of goods, as the scheme's rules name it (rule K22: `home`); empty for none.
    #[n(0)]
    pub goods: String,
    /// Per cent of the price that was received so far 房款到帐率, 0 to 100 (rule K22).
    #[n(1)]
    pub received_percent: u8,
    /// What a coupon paid of the price, in fen (rule S7).
    #[n(2)]
    pub coupon: Amount,
    /// What points paid of the price, in fen (rule S6); the points themselves are spent by a fact of their own.
    #[n(3)]
    pub by_points: Amount,
}

impl Default for Paid {
    fn default() -> Self {
        let nothing = Amount::ZERO;
        Self { goods: String::new(), received_percent: 100, coupon: nothing, by_points: nothing }
    }
}
