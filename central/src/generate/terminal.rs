//! A scripted terminal: records facts on a chain of its own, as the real one does, at given moments.

use hufu_shared::cbor;
use hufu_shared::chain;
use hufu_shared::fact::Purpose;
use hufu_shared::fact::{
    Attended, Booted, DayClosed, DayTotals, Earned, Event, FACT_FORMAT, Fact, RefusalReason, Refused, Shown,
    Subject, Visited, Way,
};
use hufu_shared::ids::{BootId, DeviceId, Hash, OccurrenceId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::rules::{earn, totals};
use hufu_shared::scheme::EarnRate;
use hufu_shared::time::{ClockQuality, Day, Instant, SECOND_US};
use hufu_shared::token::{MediumKind, Token};
use hufu_shared::wire::upload::Heard;
use hufu_shared::wire::version::Version;

use crate::rules::entry::{ClockSample, TakenBatch};

/// A terminal of the past.
#[derive(Debug)]
pub struct Terminal {
    /// Its identity.
    pub device: DeviceId,
    scheme: u32,
    seq: u64,
    head: Hash,
    boot_seq: u64,
    booted_at: Instant,
    boots: u64,
    /// Added to what its wall clock claims, in microseconds.
    pub wall_error_us: i64,
    waiting: Vec<Vec<u8>>,
    open_day: DayTotals,
    open_from: u64,
}

impl Terminal {
    /// A terminal that just enrolled with this key, and decides by this version of the scheme.
    pub fn new(device: DeviceId, key: &[u8], scheme: u32) -> Self {
        Self {
            device,
            scheme,
            seq: 0,
            head: chain::start(device, 1, key),
            boot_seq: 0,
            booted_at: Instant(0),
            boots: 0,
            wall_error_us: 0,
            waiting: Vec::new(),
            open_day: DayTotals::default(),
            open_from: 1,
        }
    }

    /// Starts it.
    pub fn boot(&mut self, at: Instant, boot: BootId) {
        self.boots += 1;
        self.boot_seq = self.seq + 1;
        self.booted_at = at;
        let booted = Booted {
            boot,
            counter: self.boots,
            board: Hash::of(&[b"demo board", &self.device.0]),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            unclean: false,
        };
        self.record(at, Shown::Nothing, Event::Booted(booted));
    }

    fn record(&mut self, at: Instant, shown: Shown, event: Event) {
        self.seq += 1;
        let mono_us = u64::try_from(at.since(self.booted_at)).unwrap_or(0);
        let rule = matches!(event, Event::Earned(_)).then(|| earn::RULE_S2.to_owned());
        let fact = Fact {
            format: FACT_FORMAT,
            seq: self.seq,
            wall: at.offset(self.wall_error_us),
            mono_ns: mono_us.saturating_mul(1_000),
            boot: self.boot_seq,
            clock: ClockQuality::Synced,
            directory: Version { epoch: 1, n: 1 },
            block: Version { epoch: 1, n: 1 },
            scheme: self.scheme,
            operator: None,
            shown,
            rule,
            event,
        };
        // Sums of a day of purchases are far from what 64 bits hold.
        let _ = totals::add(&mut self.open_day, &fact);
        let body = cbor::encode(&fact);
        self.head = chain::link(self.head, &body);
        self.waiting.push(body);
    }

    /// A member looks in.
    pub fn visit(&mut self, at: Instant, token: Token) {
        self.record(at, Shown::Accepted, Event::Visited(Visited { subject: subject(token) }));
    }

    /// A member is checked in.
    pub fn check_in(&mut self, at: Instant, token: Token, occurrence: OccurrenceId, points: i64) {
        let promised = vec![Leg { unit: Unit::Pts, amount: Amount(points) }];
        let attended = Attended {
            subject: subject(token),
            occurrence,
            promised,
            repeats: None,
            gate: None,
            way: Way::In,
            companions: None,
        };
        self.record(at, Shown::Accepted, Event::Attended(attended));
    }

    /// Somebody buys; `shown` is green for a known card.
    pub fn purchase(&mut self, at: Instant, shown: Shown, token: Token, fen: i64, rate: EarnRate) {
        let points = earn::points_for_purchase(rate, Amount(fen)).unwrap_or_default();
        let promised =
            if points.is_positive() { vec![Leg { unit: Unit::Pts, amount: points }] } else { vec![] };
        let earned = Earned {
            subject: subject(token),
            purchase: Amount(fen),
            promised,
            slip: None,
            replaces: None,
            repeats: None,
            paid: None,
        };
        self.record(at, shown, Event::Earned(earned));
    }

    /// A lost card is presented.
    pub fn refuse(&mut self, at: Instant, token: Token) {
        let refused = Refused {
            subject: Some(subject(token)),
            purpose: Purpose::Visit,
            reason: RefusalReason::R07,
            count: 1,
        };
        self.record(at, Shown::Refused, Event::Refused(refused));
    }

    /// Closes its day; `wrong` is added to the refusals that it counts.
    pub fn close_day(&mut self, at: Instant, day: Day, wrong: u64) {
        let mut totals = std::mem::take(&mut self.open_day);
        totals.refused += wrong;
        let closed = DayClosed {
            day,
            from_seq: self.open_from,
            to_seq: self.seq,
            totals,
            unattended: false,
            counted: None,
        };
        self.record(at, Shown::Nothing, Event::DayClosed(closed));
        self.open_day = DayTotals::default();
        self.open_from = self.seq + 1;
    }

    /// What it has not handed over yet, to arrive then.
    pub fn batch(&mut self, received: Instant) -> TakenBatch {
        let bodies = std::mem::take(&mut self.waiting);
        let on_the_way_us = received.since(self.booted_at).saturating_sub(SECOND_US).max(0);
        TakenBatch {
            device: self.device,
            epoch: 1,
            from_seq: self.seq + 1 - bodies.len() as u64,
            head: self.head,
            bodies: bodies.into_iter().map(Into::into).collect(),
            quarantined: Vec::new(),
            sample: Some(ClockSample {
                boot_seq: self.boot_seq,
                sent_mono_ns: on_the_way_us.unsigned_abs() * 1_000,
                heard: Some(Heard { central_time: self.booted_at, mono_ns: 0 }),
            }),
            stated: Vec::new(),
            review: None,
            knew: Vec::new(),
            read: Default::default(),
        }
    }
}

fn subject(token: Token) -> Subject {
    Subject { token, member: None, reader: 0, medium: MediumKind::Uid, code: None }
}
