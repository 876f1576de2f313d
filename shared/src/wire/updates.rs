//! The priority lane: blocks, lease states, time, commands and notices, never held up by an upload.
//!
//! `GET /device/v1/updates?directory=E.N&block=E.N&notices=N&wait_ms=N&queued=N&leases=…&echo=…&ready=…&health=…` may be held open until something changes;
//! it is also the heartbeat, and shows the centre the newest mark of its own that the terminal holds: a terminal that has
//! nothing to send finds out a centre that was rolled back just as well. An answer stays within [`UPDATES_BYTES_MAX`]; what does not fit comes with the next one.

use data_encoding::BASE64URL_NOPAD;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::cbor;
use crate::ids::{CardId, LeaseId};
use crate::member::CardStatus;
use crate::time::Instant;
use crate::token::Token;
use crate::wire::apart::Apart;
use crate::wire::lease::LeaseState;
use crate::wire::upload::{Command, Credit, Disposition, ReceiptMark};
use crate::wire::version::Version;

/// Bytes of one answer at most.
pub const UPDATES_BYTES_MAX: usize = 4096;
/// Milliseconds for which a request is held open at most.
pub const UPDATES_WAIT_MS_MAX: u32 = 25_000;

/// Where a device stands, in the query string. Versions read `epoch.number`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdatesQuery {
    /// Directory version held.
    pub directory: String,
    /// Block version held.
    pub block: String,
    /// Number of the last notice taken, 0 for none.
    pub notices: u64,
    /// Milliseconds to hold the request if there is nothing, 0 to [`UPDATES_WAIT_MS_MAX`].
    pub wait_ms: u32,
    /// Facts waiting at the terminal, for the console.
    pub queued: u64,
    /// Lease states stored since the last poll that succeeded, as [`lease_echo`] writes them.
    #[serde(default)]
    pub leases: Option<String>,
    /// The newest mark held, as [`mark_echo`] writes it.
    #[serde(default)]
    pub echo: Option<String>,
    /// How ready the terminal is to go offline, as [`super::readiness::Readiness::to_query`] writes it.
    #[serde(default)]
    pub ready: Option<String>,
    /// How the terminal is, as [`super::health::Health::to_query`] writes it.
    #[serde(default)]
    pub health: Option<String>,
    /// Whether the terminal asks when it may send: it has lost the centre since its last receipt, or was put off.
    #[serde(default)]
    pub turn: bool,
}

/// Lease states that one poll echoes at most; the rest follow with the next.
pub const LEASE_ECHO_MAX: usize = 32;

/// Versions of lease states as the query string names them: `lease@epoch.number`, joined by commas.
#[must_use]
pub fn lease_echo(leases: &[(LeaseId, Version)]) -> String {
    let names: Vec<String> =
        leases.iter().take(LEASE_ECHO_MAX).map(|(lease, version)| format!("{lease}@{version}")).collect();
    names.join(",")
}

/// Reads what [`lease_echo`] wrote. What is no echo is passed over: the state is then sent again.
#[must_use]
pub fn echoed_leases(text: &str) -> Vec<(LeaseId, Version)> {
    let one = |name: &str| {
        let (lease, version) = name.split_once('@')?;
        Some((lease.parse().ok()?, version.parse().ok()?))
    };
    text.split(',').filter_map(one).take(LEASE_ECHO_MAX).collect()
}

/// Lease versions in a mark that is echoed with a poll, at most: what the query string takes in good comfort.
pub const MARK_ECHO_LEASES_MAX: usize = 16;

/// A mark as the query string carries it; none for one that names more leases than fit.
#[must_use]
pub fn mark_echo(mark: &ReceiptMark) -> Option<String> {
    let fits = mark.leases.len() <= MARK_ECHO_LEASES_MAX;
    fits.then(|| BASE64URL_NOPAD.encode(&cbor::encode(mark)))
}

/// Reads what [`mark_echo`] wrote; what is none proves nothing.
#[must_use]
pub fn echoed_mark(text: &str) -> Option<ReceiptMark> {
    cbor::decode(&BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()
}

/// What is new.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Updates {
    /// The centre's clock.
    #[n(0)]
    pub central_time: Instant,
    /// Newest directory version; a device behind it asks for a delta.
    #[n(1)]
    pub directory: Version,
    /// Block version after `blocks` are taken.
    #[n(2)]
    pub block: Version,
    /// Cards whose state changed since the device's block version, oldest first.
    #[n(3)]
    pub blocks: Vec<BlockChange>,
    /// Whether more blocks follow.
    #[n(4)]
    pub more: bool,
    /// Lease states not yet echoed.
    #[n(5)]
    pub leases: Vec<Apart<LeaseState>>,
    /// Commands not yet answered.
    #[n(6)]
    pub commands: Vec<Apart<Command>>,
    /// Dispositions that changed after the receipt, oldest first.
    #[n(7)]
    pub notices: Vec<Notice>,
    /// Where the centre stands, signed.
    #[n(8)]
    pub mark: ReceiptMark,
    /// When the terminal may send what it holds, and how much at once: for one that asked. With 0 facts it may not yet,
    /// and asks again then.
    #[n(9)]
    pub credit: Option<Credit>,
}

/// A card whose state changed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BlockChange {
    /// Which card.
    #[n(0)]
    pub card: CardId,
    /// How it is found.
    #[n(1)]
    pub token: Token,
    /// Its new state.
    #[n(2)]
    pub status: CardStatus,
}

/// A disposition that came or changed after the receipt.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Notice {
    /// Counts notices of the device, from 1.
    #[n(0)]
    pub n: u64,
    /// Enrolment of the fact.
    #[n(1)]
    pub epoch: u32,
    /// The fact and what became of it.
    #[n(2)]
    pub disposition: Disposition,
    /// Office code of the other side, where the case has one.
    #[n(3)]
    pub other_office: Option<String>,
    /// When the other side's fact happened.
    #[n(4)]
    pub other_at: Option<Instant>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DeviceId, Hash};
    use crate::wire::version::CentralEpoch;

    #[test]
    fn echoes_come_back_as_they_were_written_and_other_text_is_passed_over() {
        let echoes = [
            (LeaseId([5; 16]), Version { epoch: 1, n: 4_711 }),
            (LeaseId([6; 16]), Version { epoch: 2, n: 1 }),
        ];
        assert_eq!(echoed_leases(&lease_echo(&echoes)), echoes);
        assert_eq!(echoed_leases("x,@,1@2,,"), []);
        assert_eq!(lease_echo(&[]), "");
    }

    #[test]
    fn a_mark_comes_back_as_it_was_written_unless_it_is_long() {
        let version = Version { epoch: 1, n: 7 };
        let mark = |leases: usize| ReceiptMark {
            central_epoch: CentralEpoch { n: 1, bits: u64::MAX },
            journal_size: 4_711,
            journal_head: Hash([5; 32]),
            device: DeviceId([6; 16]),
            acked_seq: 17,
            directory: version,
            block: version,
            leases: vec![(LeaseId([8; 16]), version); leases],
            signature: vec![9; 64],
        };
        let longest = mark_echo(&mark(MARK_ECHO_LEASES_MAX)).expect("it fits");
        assert!(longest.len() < 1_024, "{}", longest.len());
        assert_eq!(echoed_mark(&longest), Some(mark(MARK_ECHO_LEASES_MAX)));
        assert_eq!(mark_echo(&mark(MARK_ECHO_LEASES_MAX + 1)), None);
        assert_eq!([echoed_mark(""), echoed_mark("%%"), echoed_mark("AAAA")], [None, None, None]);
    }
}
