//! Identities, each a type of its own so that one is never passed for another.
//!
//! Entities carry a UUIDv7 made where the entity is born. Facts are named by `(device, epoch, seq)`. Postings and
//! cases are named by the hash of their cause ([`Hash`]), so that replaying the journal names them the same again.

use std::fmt;
use std::str::FromStr;

use minicbor::decode::{Decode, Decoder, Error as DecodeError};
use minicbor::encode::{Encode, Encoder, Error as EncodeError, Write};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Instant;

/// Random bytes that go into a new id; the caller's shell fetches them from the operating system.
pub const ID_RANDOM_BYTES: usize = 10;

/// The text met is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} id expected as 36 characters 8-4-4-4-12 of hexadecimal digits, met {met:?}")]
pub struct ParseIdError {
    /// What the id should name.
    pub kind: &'static str,
    /// The text that was met.
    pub met: String,
}

macro_rules! entity_ids {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// A new UUIDv7: milliseconds of `at`, then random bits.
            #[must_use]
            pub fn new(at: Instant, random: [u8; ID_RANDOM_BYTES]) -> Self {
                Self(uuid_v7(at, random))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Uuid::from_bytes(self.0).hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, ":{}"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Uuid::try_parse(text)
                    .map(|id| Self(*id.as_bytes()))
                    .map_err(|_| ParseIdError { kind: $kind, met: text.to_owned() })
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        byte_codec!($name, 16);
    )+};
}

// Fixed-size values go on the wire as byte strings; the length is checked on the way in.
macro_rules! byte_codec {
    ($name:ident, $len:literal) => {
        impl<C> Encode<C> for $name {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
                let bytes = d.bytes()?;
                <[u8; $len]>::try_from(bytes).map(Self).map_err(|_| {
                    DecodeError::message(concat!(stringify!($name), " expects ", $len, " bytes"))
                })
            }
        }
    };
}

fn uuid_v7(at: Instant, random: [u8; ID_RANDOM_BYTES]) -> [u8; 16] {
    let millis = u64::try_from(at.0 / 1_000).unwrap_or(0).to_be_bytes();
    let mut bytes = [0u8; 16];
    bytes[..6].copy_from_slice(&millis[2..]);
    bytes[6..].copy_from_slice(&random);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    bytes
}

entity_ids! {
    /// The club: one central service and everything enrolled with it.
    ClubId = "club";
    /// An office (案场, shop, hotel).
    OfficeId = "office";
    /// The identity of a terminal.
    DeviceId = "device";
    /// A member of the club; pseudonymous, says nothing about the person.
    MemberId = "member";
    /// A membership card as registered at the centre.
    CardId = "card";
    /// A kind of gathering that may be held many times.
    ActivityId = "activity";
    /// One holding of an activity.
    OccurrenceId = "occurrence";
    /// A right to spend offline, granted to one device for one member and unit.
    LeaseId = "lease";
    /// A person who works at a terminal or at the console.
    OperatorId = "operator";
    /// What is handed out at an activity or redeemed for points.
    ItemId = "item";
    /// A command from the centre to a device.
    CommandId = "command";
    /// One entry of the central journal, before and after it has its number.
    EntryId = "entry";
    /// Random id of one start of a terminal; any second use of a disk image shows in it.
    BootId = "boot";
    /// One run of a job at the centre.
    RunId = "run";
}

/// SHA-256 of something: a link of a chain, or the name of a posting or case made from its cause.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

byte_codec!(Hash, 32);

impl Hash {
    /// SHA-256 of the parts one after another. The caller separates parts of variable length itself.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        for part in parts {
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hash:{}", &data_encoding::HEXLOWER.encode(&self.0[..6]))
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for Hash {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let wrong = || ParseIdError { kind: "hash", met: text.to_owned() };
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| wrong())?;
        bytes.try_into().map(Self).map_err(|_| wrong())
    }
}

/// Identity of a fact. `seq` is gapless from 1 within `(device, epoch)`; `epoch` grows only when a person re-enrols
/// the device.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode, Serialize,
)]
pub struct FactId {
    /// The terminal that recorded it.
    #[n(0)]
    pub device: DeviceId,
    /// Enrolment of that terminal, from 1.
    #[n(1)]
    pub epoch: u32,
    /// Place in the terminal's chain, from 1.
    #[n(2)]
    pub seq: u64,
}

impl FactId {
    /// The name of an application that no terminal took, but the centre itself filed: it stands among the applications
    /// of terminals under an enrolment that no terminal has.
    #[must_use]
    pub fn filed(id: [u8; 16]) -> Self {
        Self { device: DeviceId(id), epoch: 0, seq: 0 }
    }

    /// Whether it names an application that was filed at the centre, and no fact.
    #[must_use]
    pub fn is_filed(self) -> bool {
        self.epoch == 0
    }
}

impl fmt::Display for FactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.device, self.epoch, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_are_uuid_v7_in_order_of_time() {
        let early = MemberId::new(Instant(1_700_000_000_000_000), [0xff; 10]);
        let late = MemberId::new(Instant(1_700_000_000_001_000), [0; 10]);
        assert!(early < late);
        let uuid = Uuid::from_bytes(early.0);
        assert_eq!(uuid.get_version_num(), 7);
        assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
    }

    #[test]
    fn id_text_round_trips_and_names_what_it_met() {
        let id = OfficeId([7; 16]);
        assert_eq!(id.to_string().parse::<OfficeId>(), Ok(id));
        let error = "nonsense".parse::<OfficeId>().expect_err("not an id");
        assert_eq!(
            error.to_string(),
            "office id expected as 36 characters 8-4-4-4-12 of hexadecimal digits, met \"nonsense\""
        );
    }

    #[test]
    fn hash_of_parts_is_hash_of_their_concatenation() {
        assert_eq!(Hash::of(&[b"ab", b"c"]), Hash::of(&[b"abc"]));
        assert_eq!(
            Hash::of(&[b"abc"]).to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
