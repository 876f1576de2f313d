//! How a fact is written: in full, or with what stands since an earlier fact left out.
//!
//! Clock quality, directory, block list, scheme and operator stay the same over many facts. One fact states them; the
//! facts after it name that fact by its distance ("as stated 17 facts ago") until something changes, or until
//! [`STATED_FACTS_MAX`] facts have passed. The distance always reaches a fact that states everything itself, of the same
//! chain, so a fact needs at most one other fact to be read, and what stands between the two does not matter: facts
//! that cannot be read, receipts, batches and files may begin anywhere.
//!
//! What is stated is read even from a fact whose event is unknown here ([`stated_in`]): one fact of a newer version
//! must not take others with it.
//!
//! Decoding a [`Fact`] alone always gives its seq, times, boot, event and what was shown. [`Reader`] fills in the rest;
//! until then those fields hold what a terminal has before its first directory, and the fact's clock is a mere floor.

use std::collections::BTreeMap;

use minicbor::data::Type;
use minicbor::decode::{Decode, Decoder, Error as DecodeError};
use minicbor::encode::{Encode, Encoder, Error as EncodeError, Write};

use super::{Event, FACT_FORMAT, Fact, Shown};
use crate::cbor::{self, MUST_UNDERSTAND_FROM, UNDERSTOOD, WireError};
use crate::ids::OperatorId;
use crate::time::{ClockQuality, Instant};
use crate::wire::version::Version;

/// A fact states everything again after so many at the latest. Bounds how far back a reader must look, and how much
/// rests on one fact.
pub const STATED_FACTS_MAX: u64 = 250;

/// What stays the same over many facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Standing {
    /// [`FACT_FORMAT`] of the writer.
    #[n(0)]
    pub format: u8,
    /// How far the terminal trusts its wall clock.
    #[n(1)]
    pub clock: ClockQuality,
    /// Directory that decisions use.
    #[n(2)]
    pub directory: Version,
    /// Block list that decisions use.
    #[n(3)]
    pub block: Version,
    /// Scheme version that decisions use.
    #[n(4)]
    pub scheme: u32,
    /// Who is signed in at the counter.
    #[n(5)]
    pub operator: Option<OperatorId>,
}

/// A fact as it is written. The numbers are those of [`Fact`]; 13 and 14 belong to the short form.
#[derive(minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Written {
    #[n(0)]
    format: Option<u8>,
    #[n(1)]
    seq: u64,
    #[n(2)]
    wall: Instant,
    #[n(3)]
    mono_ns: u64,
    #[n(4)]
    boot: Option<u64>,
    #[n(5)]
    clock: Option<ClockQuality>,
    #[n(6)]
    directory: Option<Version>,
    #[n(7)]
    block: Option<Version>,
    #[n(8)]
    scheme: Option<u32>,
    #[n(9)]
    operator: Option<OperatorId>,
    #[n(10)]
    shown: Shown,
    #[n(11)]
    rule: Option<String>,
    #[n(12)]
    event: Event,
    /// How many facts ago everything was stated.
    #[n(13)]
    stated_before: Option<u64>,
    /// How many facts ago the boot began.
    #[n(14)]
    boot_before: Option<u64>,
}

/// The part of [`Written`] that is read without the event.
#[derive(minicbor::Decode)]
#[cbor(map)]
struct Stated {
    #[n(0)]
    format: Option<u8>,
    #[n(5)]
    clock: Option<ClockQuality>,
    #[n(6)]
    directory: Option<Version>,
    #[n(7)]
    block: Option<Version>,
    #[n(8)]
    scheme: Option<u32>,
    #[n(9)]
    operator: Option<OperatorId>,
}

/// Where a fact's statement stands.
#[derive(minicbor::Decode)]
#[cbor(map)]
struct Reference {
    #[n(1)]
    seq: u64,
    #[n(13)]
    stated_before: Option<u64>,
}

impl Fact {
    /// What this fact says of what stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            format: self.format,
            clock: self.clock,
            directory: self.directory,
            block: self.block,
            scheme: self.scheme,
            operator: self.operator,
        }
    }

    /// The short form: everything stands as fact `stated` said, which must lie before this one and be in full form.
    #[must_use]
    pub fn encode_since(&self, stated: u64) -> Vec<u8> {
        cbor::encode(&Written {
            format: None,
            seq: self.seq,
            wall: self.wall,
            mono_ns: self.mono_ns,
            boot: None,
            clock: None,
            directory: None,
            block: None,
            scheme: None,
            operator: None,
            shown: self.shown,
            rule: self.rule.clone(),
            event: self.event.clone(),
            stated_before: Some(self.seq.saturating_sub(stated)),
            boot_before: Some(self.seq.saturating_sub(self.boot)),
        })
    }

    fn stand(&mut self, standing: &Standing) {
        self.format = standing.format;
        self.clock = standing.clock;
        self.directory = standing.directory;
        self.block = standing.block;
        self.scheme = standing.scheme;
        self.operator = standing.operator;
    }
}

impl<C> Encode<C> for Fact {
    /// The full form.
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), EncodeError<W::Error>> {
        let written = Written {
            format: Some(self.format),
            seq: self.seq,
            wall: self.wall,
            mono_ns: self.mono_ns,
            boot: Some(self.boot),
            clock: Some(self.clock),
            directory: Some(self.directory),
            block: Some(self.block),
            scheme: Some(self.scheme),
            operator: self.operator,
            shown: self.shown,
            rule: self.rule.clone(),
            event: self.event.clone(),
            stated_before: None,
            boot_before: None,
        };
        written.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Fact {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, DecodeError> {
        let written = Written::decode(d, ctx)?;
        let boot = match (written.boot, written.boot_before) {
            (Some(boot), None) => boot,
            (None, Some(before)) => written.seq.saturating_sub(before),
            _ => return Err(DecodeError::message("a fact names its boot once")),
        };
        if written.stated_before.is_some() {
            let own = [
                written.format.is_some(),
                written.clock.is_some(),
                written.directory.is_some(),
                written.block.is_some(),
                written.scheme.is_some(),
                written.operator.is_some(),
            ];
            if own.contains(&true) {
                return Err(DecodeError::message(
                    "a fact states what stands itself, or names the one that does",
                ));
            }
        }
        let needed = |what| DecodeError::message(what);
        let full = written.stated_before.is_none();
        let given = |is_there: bool, what| if is_there || !full { Ok(()) } else { Err(needed(what)) };
        given(written.format.is_some(), "a fact's format is missing")?;
        given(written.clock.is_some(), "a fact's clock quality is missing")?;
        given(written.directory.is_some(), "a fact's directory version is missing")?;
        given(written.block.is_some(), "a fact's block version is missing")?;
        given(written.scheme.is_some(), "a fact's scheme version is missing")?;
        Ok(Self {
            format: written.format.unwrap_or(FACT_FORMAT),
            seq: written.seq,
            wall: written.wall,
            mono_ns: written.mono_ns,
            boot,
            clock: written.clock.unwrap_or(ClockQuality::Floor),
            directory: written.directory.unwrap_or_default(),
            block: written.block.unwrap_or_default(),
            scheme: written.scheme.unwrap_or_default(),
            operator: written.operator,
            shown: written.shown,
            rule: written.rule,
            event: written.event,
        })
    }
}

/// A fact cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Its bytes.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// It stands elsewhere than it says.
    #[error("fact says seq {met}, it stands at {expected}")]
    Seq {
        /// What it says.
        met: u64,
        /// Where it stands.
        expected: u64,
    },
    /// It rests on a fact that states nothing that can be read.
    #[error("fact {seq} names fact {stated} for what stood, which says nothing of it")]
    Unstated {
        /// Which fact.
        seq: u64,
        /// What it names.
        stated: u64,
    },
}

/// The seq of the fact that states what stood at this one; none if it does so itself or cannot be read that far.
#[must_use]
pub fn stated_at(body: &[u8]) -> Option<u64> {
    let reference: Reference = minicbor::decode(body).ok()?;
    reference.seq.checked_sub(reference.stated_before?)
}

/// What a fact states, even if its event is unknown here; none if it states nothing, or binds its reader to something
/// unknown.
#[must_use]
pub fn stated_in(body: &[u8]) -> Option<Standing> {
    let mut walk = Decoder::new(body);
    let entries = walk.map().ok()??;
    for _ in 0..entries {
        let number = walk.u64().ok()?;
        if number >= MUST_UNDERSTAND_FROM && !UNDERSTOOD.contains(&number) {
            return None;
        }
        if number != 12 && walk.datatype().ok()? == Type::Map {
            return None;
        }
        walk.skip().ok()?;
    }
    let stated: Stated = minicbor::decode(body).ok()?;
    Some(Standing {
        format: stated.format?,
        clock: stated.clock?,
        directory: stated.directory?,
        block: stated.block?,
        scheme: stated.scheme?,
        operator: stated.operator,
    })
}

/// Reads facts of one chain, in any order as long as what they rest on is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reader {
    stated: BTreeMap<u64, Standing>,
}

impl Reader {
    /// A reader that knows what earlier facts state.
    #[must_use]
    pub fn knowing(stated: impl IntoIterator<Item = (u64, Standing)>) -> Self {
        Self { stated: stated.into_iter().collect() }
    }

    /// Notes what a fact states without reading its event.
    pub fn note(&mut self, seq: u64, body: &[u8]) {
        if let Some(standing) = stated_in(body) {
            self.stated.insert(seq, standing);
        }
    }

    /// Reads the body that stands at `seq`, and notes what it states.
    ///
    /// # Errors
    /// [`ReadError`] with what was met.
    pub fn read(&mut self, seq: u64, body: &[u8]) -> Result<Fact, ReadError> {
        self.note(seq, body);
        let mut fact: Fact = cbor::decode(body)?;
        if fact.seq != seq {
            return Err(ReadError::Seq { met: fact.seq, expected: seq });
        }
        if let Some(stated) = stated_at(body) {
            let standing = self.stated.get(&stated).ok_or(ReadError::Unstated { seq, stated })?;
            fact.stand(standing);
        }
        Ok(fact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Attended, OperatorSession, Subject, Way};
    use crate::ids::{MemberId, OccurrenceId};
    use crate::money::{Amount, Leg, Unit};
    use crate::token::{MediumKind, Token};
    use proptest::prelude::*;

    fn attended(seq: u64, boot: u64, version: u64) -> Fact {
        let subject = Subject {
            token: Token { key_version: 300, hash: [7; 16] },
            member: Some(MemberId([3; 16])),
            reader: 0,
            medium: MediumKind::Uid,
            code: None,
        };
        Fact {
            format: FACT_FORMAT,
            seq,
            wall: Instant(1_795_320_000_000_000),
            mono_ns: 2_592_000_000_000_000,
            boot,
            clock: ClockQuality::Kept,
            directory: Version { epoch: 3, n: version },
            block: Version { epoch: 3, n: version.saturating_sub(70_000) },
            scheme: 300,
            operator: Some(OperatorId([9; 16])),
            shown: Shown::Accepted,
            rule: None,
            event: Event::Attended(Attended {
                subject,
                occurrence: OccurrenceId([4; 16]),
                promised: vec![Leg { unit: Unit::Pts, amount: Amount(20) }],
                repeats: None,
                gate: None,
                way: Way::In,
                companions: None,
            }),
        }
    }

    #[test]
    fn a_plain_check_in_takes_at_most_110_bytes_whatever_stands() {
        for (seq, boot, version) in [(42, 40, 4_711), (120_000, 90_000, 5_000_000)] {
            let fact = attended(seq, boot, version);
            let size = fact.encode_since(seq - STATED_FACTS_MAX.min(seq - 1)).len();
            assert!(size <= 110, "{size} bytes at seq {seq}");
        }
    }

    #[test]
    fn the_short_form_is_pinned() {
        let bytes = attended(49, 40, 4_711).encode_since(42);
        let hex = data_encoding::HEXLOWER.encode(&bytes);
        let expected = [
            "a7011831021b000660d582dbb000031b00093569074200000a01",
            "0c820281a400a40052012c07070707070707070707070707070707",
            "0150030303030303030303030303030303030200030001500404040404040404040404040404040402818200",
            "1405000d070e09",
        ];
        assert_eq!(hex, expected.concat());
    }

    #[test]
    fn a_fact_reads_as_it_was_whichever_form_it_has() {
        let (first, second) = (attended(42, 40, 4_711), attended(49, 40, 4_711));
        let mut reader = Reader::default();
        assert_eq!(reader.read(42, &cbor::encode(&first)), Ok(first));
        let short = second.encode_since(42);
        assert_eq!(stated_at(&short), Some(42));
        assert_eq!(reader.read(49, &short), Ok(second.clone()));
        // A reader that begins between the two must ask for the first.
        assert_eq!(Reader::default().read(49, &short), Err(ReadError::Unstated { seq: 49, stated: 42 }));
        assert_eq!(reader.read(50, &short), Err(ReadError::Seq { met: 49, expected: 50 }));
        let alone: Fact = cbor::decode(&short).expect("event and times need no other fact");
        assert_eq!((alone.boot, &alone.event, alone.wall), (40, &second.event, second.wall));
    }

    #[test]
    fn kind_25_a_fact_of_a_newer_version_still_says_what_stands() {
        let (first, second) = (attended(42, 40, 4_711), attended(43, 40, 4_711));
        // An event that nobody here knows: its number is changed in place.
        let mut newer = cbor::encode(&first);
        let at = newer.windows(4).position(|bytes| bytes == [12, 0x82, 2, 0x81]).expect("the event");
        newer[at + 2] = 23;
        let mut reader = Reader::default();
        assert!(
            reader
                .read(42, &newer)
                .is_err_and(|error| matches!(error, ReadError::Wire(error) if error.is_from_newer_version()))
        );
        assert_eq!(reader.read(43, &second.encode_since(42)), Ok(second));
    }

    #[test]
    fn a_fact_that_states_half_is_malformed() {
        let fact = attended(42, 40, 4_711);
        let full = cbor::encode(&fact);
        let short = fact.encode_since(41);
        assert_eq!(stated_in(&short), None);
        // `13: 1` put into the full form, and the clock taken out of it.
        let mut both = full.clone();
        both[0] += 1;
        both.extend([13, 1]);
        assert!(cbor::decode::<Fact>(&both).is_err());
        let at = full.windows(2).position(|bytes| bytes == [5, 1]).expect("the clock");
        let mut half = full.clone();
        half[0] -= 1;
        half.drain(at..at + 2);
        assert!(cbor::decode::<Fact>(&half).is_err());
    }

    proptest! {
        #[test]
        fn short_facts_round_trip_over_any_chain(changes in proptest::collection::vec((any::<bool>(), any::<bool>()), 1..40)) {
            let (mut reader, mut stated, mut version, mut operator) = (Reader::default(), None, 1, None);
            for ((moves, signs), seq) in changes.into_iter().zip(1u64..) {
                version += u64::from(moves);
                if signs {
                    operator = Some(OperatorId([u8::try_from(seq).expect("small"); 16]));
                }
                let event = Event::OperatorSignedIn(OperatorSession { operator: OperatorId([1; 16]) });
                let fact = Fact { operator, event, ..attended(seq, 1, version) };
                let body = match stated {
                    Some((at, standing)) if standing == fact.standing() => fact.encode_since(at),
                    _ => {
                        stated = Some((seq, fact.standing()));
                        cbor::encode(&fact)
                    }
                };
                prop_assert_eq!(reader.read(seq, &body), Ok(fact));
            }
        }
    }
}
