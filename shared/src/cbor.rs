//! The one way bytes become wire types and back.
//!
//! Fields are numbered. A reader skips an unknown number below [`MUST_UNDERSTAND_FROM`]; a number from there on, at
//! any depth, and an unknown variant of an enum must be understood: the reader refuses the whole value, so that an
//! old program never acts on half of what a newer one said. Numbers from 64 are given once for the whole wire (not
//! per struct) and listed in [`UNDERSTOOD`], which is why a walk over the bare CBOR can find the unknown ones.
//!
//! Facts are kept and forwarded as the exact bytes that came in, so what an old program skipped is not lost.

use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode};

/// Field numbers from here on must be understood.
pub const MUST_UNDERSTAND_FROM: u64 = 64;

/// The must-understand numbers that this version knows, over all structs.
pub const UNDERSTOOD: &[u64] = &[];

/// Nesting beyond this is refused before anything is built from it.
pub const DEPTH_MAX: usize = 24;

/// Why bytes are not the expected wire value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A field that must be understood is not.
    #[error("field number {number} must be understood and is unknown here; a newer version wrote it")]
    MustUnderstand {
        /// The number met.
        number: u64,
    },
    /// A variant of an enum is not known.
    #[error("unknown variant at byte {position}; a newer version wrote it")]
    UnknownVariant {
        /// Where in the value.
        position: usize,
    },
    /// The bytes are not CBOR of the expected shape.
    #[error("expected {expected}, met other bytes at {position}: {detail}")]
    Malformed {
        /// The type expected.
        expected: &'static str,
        /// Where in the value.
        position: usize,
        /// The decoder's words.
        detail: String,
    },
}

impl WireError {
    /// Whether a newer version wrote the value, so that it should be kept and read again after an upgrade.
    #[must_use]
    pub fn is_from_newer_version(&self) -> bool {
        !matches!(self, Self::Malformed { .. })
    }
}

/// Encodes a wire value. Writing into memory cannot fail.
#[must_use]
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).unwrap_or_else(|error| match error.into_write() {
        Some(never) => match never {},
        None => Vec::new(),
    })
}

/// Decodes a wire value that takes up all of `bytes`.
///
/// # Errors
/// [`WireError`] that tells a newer version's value from a damaged one.
pub fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, WireError> {
    let expected = short_name::<T>();
    let malformed = |error: &minicbor::decode::Error, position: usize| WireError::Malformed {
        expected,
        position: error.position().unwrap_or(position),
        detail: error.to_string(),
    };
    let mut walk = Decoder::new(bytes);
    check_numbers(&mut walk, 0).map_err(|stop| match stop {
        Stop::Unknown(number) => WireError::MustUnderstand { number },
        Stop::Bad(error) => malformed(&error, walk.position()),
    })?;
    if walk.position() != bytes.len() {
        return Err(WireError::Malformed {
            expected,
            position: walk.position(),
            detail: format!("{} bytes follow the value", bytes.len() - walk.position()),
        });
    }
    let mut decoder = Decoder::new(bytes);
    decoder.decode().map_err(|error| {
        if error.is_unknown_variant() {
            WireError::UnknownVariant { position: error.position().unwrap_or(decoder.position()) }
        } else {
            malformed(&error, decoder.position())
        }
    })
}

enum Stop {
    Unknown(u64),
    Bad(minicbor::decode::Error),
}

impl From<minicbor::decode::Error> for Stop {
    fn from(error: minicbor::decode::Error) -> Self {
        Self::Bad(error)
    }
}

/// Walks one item and stops at an integer map key from 64 on that nobody here knows. Indefinite lengths are refused:
/// our own encoder never writes them, and a hash over "the same" value must have one form only.
fn check_numbers(d: &mut Decoder<'_>, depth: usize) -> Result<(), Stop> {
    if depth > DEPTH_MAX {
        return Err(minicbor::decode::Error::message("nested too deeply").into());
    }
    match d.datatype()? {
        Type::Map => {
            let entries = d.map()?.unwrap_or(0);
            for _ in 0..entries {
                if matches!(d.datatype()?, Type::U8 | Type::U16 | Type::U32 | Type::U64) {
                    let number = d.u64()?;
                    if number >= MUST_UNDERSTAND_FROM && !UNDERSTOOD.contains(&number) {
                        return Err(Stop::Unknown(number));
                    }
                } else {
                    check_numbers(d, depth + 1)?;
                }
                check_numbers(d, depth + 1)?;
            }
        }
        Type::Array => {
            let items = d.array()?.unwrap_or(0);
            for _ in 0..items {
                check_numbers(d, depth + 1)?;
            }
        }
        Type::MapIndef | Type::ArrayIndef | Type::BytesIndef | Type::StringIndef => {
            return Err(minicbor::decode::Error::message("indefinite length is not used on this wire").into());
        }
        // Taken for an item, the end of an indefinite length would hide what follows it from any other reader; and a value
        // without a name, passed over where nobody reads, would be one that no type here can write.
        Type::Break | Type::Unknown(_) | Type::Simple => {
            return Err(minicbor::decode::Error::message("no item begins so").into());
        }
        Type::Tag => {
            d.tag()?;
            check_numbers(d, depth + 1)?;
        }
        _ => d.skip()?,
    }
    Ok(())
}

/// The type's name without its path, for messages.
fn short_name<T>() -> &'static str {
    let full = std::any::type_name::<T>();
    let bare = full.split('<').next().unwrap_or(full);
    bare.rsplit("::").next().unwrap_or(bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    #[cbor(map)]
    struct Inner {
        #[n(0)]
        a: u64,
    }

    #[derive(Debug, PartialEq, Encode, Decode)]
    #[cbor(map)]
    struct Outer {
        #[n(0)]
        inner: Inner,
        #[n(1)]
        list: Vec<Inner>,
    }

    #[derive(Encode)]
    #[cbor(map)]
    struct NewerInner {
        #[n(0)]
        a: u64,
        #[n(63)]
        skippable: Option<u64>,
        #[n(64)]
        binding: Option<u64>,
    }

    #[derive(Encode)]
    #[cbor(map)]
    struct NewerOuter {
        #[n(0)]
        inner: NewerInner,
        #[n(1)]
        list: Vec<NewerInner>,
    }

    fn newer(skippable: Option<u64>, binding: Option<u64>) -> Vec<u8> {
        encode(&NewerOuter {
            inner: NewerInner { a: 1, skippable: None, binding: None },
            list: vec![NewerInner { a: 2, skippable, binding }],
        })
    }

    #[test]
    fn inv_14_unknown_numbers_below_64_are_skipped_at_any_depth() {
        let read: Outer = decode(&newer(Some(9), None)).expect("skippable");
        assert_eq!(read, Outer { inner: Inner { a: 1 }, list: vec![Inner { a: 2 }] });
    }

    #[test]
    fn kind_25_unknown_numbers_from_64_are_refused_at_any_depth() {
        let error = decode::<Outer>(&newer(None, Some(9))).expect_err("must be understood");
        assert_eq!(error, WireError::MustUnderstand { number: 64 });
        assert!(error.is_from_newer_version());
    }

    #[test]
    fn trailing_bytes_and_indefinite_lengths_are_malformed() {
        let mut bytes = encode(&Inner { a: 1 });
        bytes.push(0);
        assert!(matches!(decode::<Inner>(&bytes), Err(WireError::Malformed { .. })));
        assert!(matches!(decode::<Inner>(&[0xbf, 0x00, 0x01, 0xff]), Err(WireError::Malformed { .. })));
    }

    #[test]
    fn what_is_no_item_is_not_passed_over_even_where_nobody_reads() {
        // Under a number that nobody here knows: a stray end, a byte that begins nothing, and a value without a name.
        for stray in [0xff, 0xfc, 0x1c, 0xe7] {
            let bytes = [0xa2, 0x00, 0x01, 0x01, stray];
            assert!(matches!(decode::<Inner>(&bytes), Err(WireError::Malformed { .. })), "{stray:#x}");
        }
    }

    #[test]
    fn case_52_deep_nesting_is_refused_without_recursing_into_it() {
        let deep = vec![0x81; 100_000];
        assert!(matches!(decode::<Inner>(&deep), Err(WireError::Malformed { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<Outer>(&bytes);
        }
    }
}
