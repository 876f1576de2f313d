//! What a frame presents, by the protocol that it came in. Pure; shared by serial ports and keyboards.

use super::em125;
use super::iso7813;
use super::line::{Framed, Protocol};
use crate::card::{ErrorKind, Evidence, Medium, SourceKind};
use crate::payment::holds_payment_number;

/// How something is offered to a reader of this protocol.
#[must_use]
pub fn offered(protocol: Protocol) -> SourceKind {
    match protocol {
        Protocol::Iso7813 => SourceKind::Swipe,
        Protocol::Line => SourceKind::Scan,
        Protocol::Proximity { .. } => SourceKind::Tap,
    }
}

/// What a frame presents.
///
/// # Errors
/// The [`ErrorKind`] to tell; nothing of the frame is kept.
pub fn medium_of(protocol: Protocol, framed: Framed) -> Result<(Medium, Evidence), ErrorKind> {
    let text = match framed {
        Framed::Frame(text) => text,
        Framed::Bad(kind) => return Err(kind),
    };
    match protocol {
        Protocol::Line if holds_payment_number(&text) => Err(ErrorKind::PaymentCard),
        Protocol::Line => Ok((Medium::Line(text), Evidence::Scan)),
        Protocol::Proximity { form, known_by } => {
            // A wedge set to stripes may sit at this port by mistake: what it sends must not be told as a number.
            if holds_payment_number(&text) {
                return Err(ErrorKind::PaymentCard);
            }
            Ok((Medium::Proximity(em125::number(form, known_by, &text)?), Evidence::Scan))
        }
        Protocol::Iso7813 => {
            let iso7813::Swipe { track1, track2, number, lrc_checked } = iso7813::parse(&text)?;
            Ok((Medium::Stripe { track1, track2, number }, Evidence::Swipe { lrc_checked }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::{holds_payment_number, is_payment_number};
    use crate::serial::em125::{Form, KnownBy};
    use proptest::prelude::*;

    const ALL: [Protocol; 3] = [
        Protocol::Iso7813,
        Protocol::Line,
        Protocol::Proximity { form: Form::H8D10, known_by: KnownBy::Bits32 },
    ];

    #[test]
    fn a_banks_number_is_refused_by_every_protocol() {
        for (protocol, text) in [
            (ALL[0], ";6225880012345675=2512101?"),
            (ALL[1], "6225880012345675"),
            (ALL[1], "https://pay.example/6225880012345675?x=1"),
            (ALL[1], "6225 8800 1234 5675"),
            (ALL[2], "6225880012345675"),
        ] {
            let met = medium_of(protocol, Framed::Frame(text.to_owned()));
            assert_eq!(met.err(), Some(ErrorKind::PaymentCard), "{protocol:?} {text}");
        }
    }

    proptest! {
        #[test]
        fn no_frame_panics_and_none_yields_a_banks_number(text in "([%;][A-Z0-9^/= ]{0,40}\\??){0,3}|[0-9 -]{0,40}|\\PC{0,60}") {
            for protocol in ALL {
                match medium_of(protocol, Framed::Frame(text.clone())) {
                    Ok((Medium::Stripe { number, .. }, _)) => prop_assert!(!is_payment_number(&number)),
                    Ok((Medium::Line(line), _)) => prop_assert!(!holds_payment_number(&line)),
                    Ok((Medium::Proximity(number), _)) => prop_assert!(number.len() <= 10),
                    Ok(other) => prop_assert!(false, "{other:?}"),
                    Err(_) => {}
                }
            }
        }
    }
}
