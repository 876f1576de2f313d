//! Values that travel as byte strings of their own, so that one that cannot be understood is refused alone.
//!
//! A number from 64 on, or an unknown variant, makes a reader refuse the whole value that holds it. An answer of the
//! centre holds many lease states and commands: an old terminal must not refuse a block list because one lease among
//! them is newer than it. What is not understood keeps its bytes, so it can be named, and sent on as it came.

use minicbor::decode::{Decode, Decoder, Error as DecodeError};
use minicbor::encode::{Encode, Encoder, Error as EncodeError, Write};

use crate::cbor::{self, WireError};

/// A value in a byte string of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Apart<T> {
    /// Read and understood.
    Known(T),
    /// Not understood here; everything beside it still counts.
    Unknown {
        /// The bytes as they came.
        bytes: Vec<u8>,
        /// Why.
        error: WireError,
    },
}

impl<T> From<T> for Apart<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T> Apart<T> {
    /// The value, if it was understood.
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown { .. } => None,
        }
    }
}

impl<C, T: Encode<()>> Encode<C> for Apart<T> {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        match self {
            Self::Known(value) => e.bytes(&cbor::encode(value))?.ok(),
            Self::Unknown { bytes, .. } => e.bytes(bytes)?.ok(),
        }
    }
}

impl<'b, C, T: for<'x> Decode<'x, ()>> Decode<'b, C> for Apart<T> {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let bytes = d.bytes()?;
        Ok(match cbor::decode(bytes) {
            Ok(value) => Self::Known(value),
            Err(error) => Self::Unknown { bytes: bytes.to_vec(), error },
        })
    }
}

#[cfg(test)]
mod tests {
    use minicbor::{Decode, Encode};

    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
    #[cbor(map)]
    struct Old {
        #[n(0)]
        a: u64,
    }

    #[derive(Encode)]
    #[cbor(map)]
    struct Newer {
        #[n(0)]
        a: u64,
        #[n(64)]
        binding: u64,
    }

    #[test]
    fn kind_25_one_value_that_is_not_understood_is_refused_alone_and_kept_as_it_came() {
        let newer: Vec<Apart<Newer>> =
            vec![Newer { a: 1, binding: 2 }.into(), Newer { a: 3, binding: 4 }.into()];
        let mut bytes = cbor::encode(&newer);
        let read: Vec<Apart<Old>> = cbor::decode(&bytes).expect("the list itself is understood");
        let unknown = |value: &Apart<Old>| {
            matches!(value, Apart::Unknown { error: WireError::MustUnderstand { number: 64 }, .. })
        };
        assert!(read.iter().all(unknown), "{read:?}");
        assert_eq!(cbor::encode(&read), bytes, "sent on as it came");
        bytes = cbor::encode(&vec![Apart::Known(Old { a: 5 })]);
        let read: Vec<Apart<Old>> = cbor::decode(&bytes).expect("understood");
        assert_eq!(read[0].known(), Some(&Old { a: 5 }));
    }
}
