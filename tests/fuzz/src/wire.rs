//! The promises of the encoding itself, checked with a second, independent reader of bare CBOR.

use hufu_shared::cbor::{self, DEPTH_MAX, MUST_UNDERSTAND_FROM, UNDERSTOOD, WireError};
use minicbor::{Decode, Encode};
use std::fmt::Debug;

/// What a walk over the bytes finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Walk {
    /// One item that takes up all bytes, and no number that must be understood.
    Clean,
    /// This number first, and else one item that takes up all bytes.
    Unknown(u64),
    /// Bytes that are no item of this wire: cut short, too deep, of no length, or with a rest.
    Bad,
}

/// What is still to be read of an open map or array.
enum Open {
    /// So many items.
    Items(u64),
    /// So many entries, of which the key comes next.
    Keys(u64),
    /// A value, then so many entries.
    Value(u64),
}

/// Walks without recursion.
#[must_use]
pub fn walk(bytes: &[u8]) -> Walk {
    step_through(bytes).unwrap_or(Walk::Bad)
}

fn step_through(bytes: &[u8]) -> Option<Walk> {
    let mut at = 0;
    let mut unknown = None;
    let mut open: Vec<Open> = vec![Open::Items(1)];
    while let Some(top) = open.pop() {
        let is_key = match top {
            Open::Items(0) | Open::Keys(0) => continue,
            Open::Items(left) => {
                open.push(Open::Items(left - 1));
                false
            }
            Open::Keys(left) => {
                open.push(Open::Value(left - 1));
                true
            }
            Open::Value(left) => {
                open.push(Open::Keys(left));
                false
            }
        };
        let depth = open.len() - 1;
        let (major, number) = head(bytes, &mut at)?;
        if is_key && major == 0 {
            if number >= MUST_UNDERSTAND_FROM && !UNDERSTOOD.contains(&number) {
                unknown = unknown.or(Some(number));
            }
            continue;
        }
        if depth > DEPTH_MAX {
            return None;
        }
        match major {
            2 | 3 => {
                let end = at.checked_add(usize::try_from(number).ok()?)?;
                let content = bytes.get(at..end)?;
                (major == 2 || std::str::from_utf8(content).is_ok()).then_some(())?;
                at = end;
            }
            4 => open.push(Open::Items(number)),
            5 => open.push(Open::Keys(number)),
            6 => open.push(Open::Items(1)),
            _ => {}
        }
    }
    (at == bytes.len()).then_some(unknown.map_or(Walk::Clean, Walk::Unknown))
}

/// Major type and number of the item that begins here; none if it is cut short or has no length.
fn head(bytes: &[u8], at: &mut usize) -> Option<(u8, u64)> {
    let first = *bytes.get(*at)?;
    *at += 1;
    // Simple values without a name are not used on this wire.
    if first >> 5 == 7 && !matches!(first & 0x1f, 20..=27) || first == 0xf8 {
        return None;
    }
    let more = match first & 0x1f {
        small @ 0..24 => return Some((first >> 5, u64::from(small))),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let digits = bytes.get(*at..*at + more)?;
    *at += more;
    let number = digits.iter().fold(0, |number, digit| (number << 8) | u64::from(*digit));
    Some((first >> 5, number))
}

/// Decodes, and checks what every value on this wire promises; none if it cannot be decoded.
pub fn read<T>(bytes: &[u8]) -> Option<T>
where
    T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + Debug,
{
    let found = walk(bytes);
    match cbor::decode::<T>(bytes) {
        Ok(value) => {
            assert_eq!(found, Walk::Clean, "taken although the bytes are not clean");
            let again = cbor::encode(&value);
            let read: T = cbor::decode(&again).expect("what was written here is read here");
            assert_eq!(read, value, "reads back as itself");
            assert_eq!(cbor::encode(&read), again, "is written in one form");
            Some(value)
        }
        Err(WireError::MustUnderstand { number }) => {
            // What is damaged besides may be called either.
            assert!(found == Walk::Unknown(number) || found == Walk::Bad, "{number} is said to be there");
            None
        }
        Err(error) => {
            assert!(!matches!(found, Walk::Unknown(_)), "a newer version's value was called {error}");
            None
        }
    }
}
