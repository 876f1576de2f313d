//! A small club and scripted terminals for the tests of the store and the rules behind it.

use hufu_shared::act::{
    Act, Actor, CardSet, ClubFounded, DeviceEnrolled, DeviceInvited, DeviceKey, MemberSet,
};
use hufu_shared::chain;
use hufu_shared::fact::{Attended, Booted, DayClosed, Earned, Event, FACT_FORMAT, Fact, Shown, Subject, Way};
use hufu_shared::ids::{
    ActivityId, BootId, CardId, ClubId, DeviceId, EntryId, FactId, Hash, MemberId, OccurrenceId, OfficeId,
    OperatorId,
};
use hufu_shared::member::{Audience, CardStatus, MemberStatus, OccurrenceRow, OccurrenceState, OfficeRow};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::{SchemeTerms, Words};
use hufu_shared::time::{ClockQuality, Day, Instant, OfficeClock, SECOND_US};
use hufu_shared::token::{MediumKind, Token};
use hufu_shared::wire::upload::Heard;
use hufu_shared::wire::version::{CentralEpoch, Version};

use crate::db::{Db, Row, SqlFile, Tx, Value};
use crate::rules::entry::{ClockSample, EntryBody, TakenAct, TakenBatch};
use crate::rules::outcome::Outcome;
use crate::store::{StoreError, journal};

/// Noon of 2026-11-22 in Shanghai.
pub const NOON: Instant = Instant(1_795_320_000 * SECOND_US);
/// When uploads arrive, unless something else came later.
pub const ARRIVAL: Instant = Instant(NOON.0 + 8 * 3600 * SECOND_US);
pub const OFFICE_A: OfficeId = OfficeId([0xa0; 16]);
pub const OFFICE_B: OfficeId = OfficeId([0xb0; 16]);
pub const TERMINAL_A: DeviceId = DeviceId([0xa1; 16]);
pub const TERMINAL_B: DeviceId = DeviceId([0xb1; 16]);
pub const SALON: OccurrenceId = OccurrenceId([0x5a; 16]);
pub const SALON_POINTS: i64 = 10;

pub fn member(n: u8) -> MemberId {
    MemberId([n; 16])
}

pub fn token(n: u8) -> Token {
    Token { key_version: 1, hash: [n; 16] }
}

pub fn words(zh: &str, en: &str) -> Words {
    Words { zh: zh.to_owned(), en: en.to_owned() }
}

/// A subject with card `n`, read by reader 0.
pub fn subject(n: u8) -> Subject {
    Subject { token: token(n), member: None, reader: 0, medium: MediumKind::Uid, code: None }
}

pub fn occurrence() -> OccurrenceRow {
    OccurrenceRow {
        occurrence: SALON,
        activity: ActivityId([0x5b; 16]),
        name: words("业主沙龙", "Owners' salon"),
        starts: NOON.offset(-4 * 3600 * SECOND_US),
        ends: NOON.offset(8 * 3600 * SECOND_US),
        state: OccurrenceState::Approved,
        admits_once: true,
        exits: false,
        gifts: Vec::new(),
        guests: Vec::new(),
        points: Amount(SALON_POINTS),
        places: None,
        offices: Vec::new(),
        audience: Audience::default(),
    }
}

/// Takes one act in a transaction of its own.
pub async fn act(db: &Db, n: u8, at: Instant, act: Act) -> Outcome {
    let body = EntryBody::Act(TakenAct { actor: Actor::Job("test".to_owned()), act, seen: Vec::new() });
    entry(db, EntryId([n; 16]), at, body).await
}

/// Takes one entry in a transaction of its own.
pub async fn entry(db: &Db, id: EntryId, at: Instant, body: EntryBody) -> Outcome {
    db.write(move |tx| {
        let received = journal::pass_gate(tx, at)?;
        journal::take(tx, id, received, body.clone())
    })
    .await
    .unwrap_or_else(|error: StoreError| panic!("take an entry: {error}"))
}

/// Founds the club: two offices with a terminal each, members 1 to 5 with a card each, one occurrence, one scheme.
pub async fn found(db: &Db) {
    found_with(db, SchemeTerms::property_club(1, Day(0))).await;
}

/// Founds the club with a scheme of its own, whose version must be 1: the one that its terminals hold.
pub async fn found_with(db: &Db, terms: SchemeTerms) {
    let at = NOON.offset(-24 * 3600 * SECOND_US);
    let founded = ClubFounded {
        club: ClubId([1; 16]),
        name: words("澜庭会", "Lanting Club"),
        epoch: CentralEpoch { n: 1, bits: 7 },
    };
    act(db, 1, at, Act::ClubFounded(founded)).await;
    for (n, office, code) in [(2, OFFICE_A, "A"), (3, OFFICE_B, "B")] {
        let name = words(code, code);
        let row =
            OfficeRow { office, code: code.to_owned(), name, clock: OfficeClock::default(), group: None };
        act(db, n, at, Act::OfficeSet(row)).await;
    }
    act(db, 4, at, Act::SchemeSet(terms)).await;
    act(db, 5, at, Act::OccurrenceSet(occurrence())).await;
    let members = (1..=5).map(|n| MemberSet {
        member: member(n),
        number: format!("M{n}"),
        level: None,
        status: MemberStatus::Active,
        office: None,
        personal: Hash([n; 32]),
        joined: None,
    });
    act(db, 6, at, Act::MembersSet(members.collect())).await;
    act(db, 7, at, Act::CardsSet((1..=5).map(|n| card(n, Some(member(n)))).collect())).await;
    for (n, device, office) in [(8, TERMINAL_A, OFFICE_A), (10, TERMINAL_B, OFFICE_B)] {
        act(db, n, at, Act::DeviceInvited(DeviceInvited { device, office, name: format!("T{n}") })).await;
        let key = DeviceKey { device, epoch: 1, key: device.0.to_vec() };
        let enrolled = DeviceEnrolled { key, seal_key: [0; 32], board: Hash([0; 32]) };
        act(db, n + 1, at, Act::DeviceEnrolled(enrolled)).await;
    }
}

/// Enrols a third terminal, at office B.
pub async fn third_terminal(db: &Db) -> DeviceId {
    let device = DeviceId([0xc1; 16]);
    let at = NOON.offset(-20 * 3600 * SECOND_US);
    let invited = DeviceInvited { device, office: OFFICE_B, name: "C".to_owned() };
    act(db, 50, at, Act::DeviceInvited(invited)).await;
    let key = DeviceKey { device, epoch: 1, key: device.0.to_vec() };
    let enrolled = DeviceEnrolled { key, seal_key: [0; 32], board: Hash([0; 32]) };
    act(db, 51, at, Act::DeviceEnrolled(enrolled)).await;
    device
}

pub fn card(n: u8, member: Option<MemberId>) -> CardSet {
    CardSet {
        card: CardId([n; 16]),
        tokens: vec![token(n)],
        member,
        kind: "main".to_owned(),
        status: CardStatus::Active,
        tail: format!("{n:04}"),
        valid_from: None,
        valid_until: None,
    }
}

/// A terminal that records facts and hands them over in batches.
#[derive(Debug, Clone)]
pub struct Terminal {
    pub device: DeviceId,
    pub seq: u64,
    pub head: Hash,
    pub queue: Vec<Fact>,
    pub sent_to: u64,
    pub sent_head: Hash,
    /// Whether it heard the centre at noon, by its own clock.
    pub heard: bool,
    /// Seconds by which its clock may be later than the earliest that the centre can tell.
    pub doubt_s: i64,
    /// The version of the scheme that it decides by.
    pub scheme: u32,
    /// Who is signed in at it.
    pub operator: Option<OperatorId>,
    batches: u8,
}

impl Terminal {
    /// Starts a terminal an hour before noon.
    pub fn start(device: DeviceId) -> Self {
        let head = chain::start(device, 1, &device.0);
        let mut terminal = Self {
            device,
            seq: 0,
            head,
            queue: vec![],
            sent_to: 0,
            sent_head: head,
            heard: true,
            doubt_s: 0,
            scheme: 1,
            operator: None,
            batches: 0,
        };
        let booted = Booted {
            boot: BootId([9; 16]),
            counter: 1,
            board: Hash([0; 32]),
            software: "test".to_owned(),
            unclean: false,
        };
        terminal.record(-3600, Shown::Nothing, Event::Booted(booted));
        terminal
    }

    /// Records an event `seconds` after noon and answers its id.
    pub fn record(&mut self, seconds: i64, shown: Shown, event: Event) -> FactId {
        self.seq += 1;
        let fact = Fact {
            format: FACT_FORMAT,
            seq: self.seq,
            wall: NOON.offset(seconds * SECOND_US),
            mono_ns: u64::try_from(seconds + 3600).expect("after the boot") * 1_000_000_000,
            boot: 1,
            clock: ClockQuality::Synced,
            directory: Version { epoch: 1, n: 1 },
            block: Version { epoch: 1, n: 1 },
            scheme: self.scheme,
            operator: self.operator,
            shown,
            rule: None,
            event,
        };
        self.head = chain::link(self.head, &hufu_shared::cbor::encode(&fact));
        self.queue.push(fact);
        FactId { device: self.device, epoch: 1, seq: self.seq }
    }

    /// Checks card `n` in to the salon.
    pub fn check_in(&mut self, seconds: i64, n: u8) -> FactId {
        self.check_in_at(seconds, n, SALON)
    }

    /// Checks card `n` in to a holding that gives as many points.
    pub fn check_in_at(&mut self, seconds: i64, n: u8, occurrence: OccurrenceId) -> FactId {
        let promised = vec![Leg { unit: Unit::Pts, amount: Amount(SALON_POINTS) }];
        let attended = Attended {
            subject: subject(n),
            occurrence,
            promised,
            repeats: None,
            gate: None,
            way: Way::In,
            companions: None,
        };
        self.record(seconds, Shown::Accepted, Event::Attended(attended))
    }

    /// A purchase by card `n`.
    pub fn purchase(&mut self, seconds: i64, n: u8, fen: i64, points: i64) -> FactId {
        let earned = Earned {
            subject: subject(n),
            purchase: Amount(fen),
            promised: vec![Leg { unit: Unit::Pts, amount: Amount(points) }],
            slip: None,
            replaces: None,
            repeats: None,
            paid: None,
        };
        self.record(seconds, Shown::Accepted, Event::Earned(earned))
    }

    /// Closes the day with the totals of all facts so far.
    pub fn close_day(&mut self, seconds: i64) -> FactId {
        let totals = hufu_shared::rules::totals::of(&self.queue).expect("small numbers");
        let closed = DayClosed {
            day: Day(20_779),
            from_seq: 1,
            to_seq: self.seq,
            totals,
            unattended: false,
            counted: None,
        };
        self.record(seconds, Shown::Nothing, Event::DayClosed(closed))
    }

    /// The facts not yet handed over, as a batch that arrives at [`ARRIVAL`].
    pub fn batch(&mut self) -> TakenBatch {
        self.batch_at(ARRIVAL)
    }

    /// The facts not yet handed over, as a batch that arrives then.
    pub fn batch_at(&mut self, received: Instant) -> TakenBatch {
        let bodies: Vec<_> = self.queue[usize::try_from(self.sent_to).expect("small")..]
            .iter()
            .map(hufu_shared::cbor::encode)
            .collect();
        let from_seq = self.sent_to + 1;
        self.sent_to = self.seq;
        self.sent_head = self.head;
        let started = NOON.offset((self.doubt_s - 3600) * SECOND_US);
        let sent_mono_ns = u64::try_from(received.since(started).max(0)).expect("not below zero") * 1_000;
        let heard = Heard { central_time: NOON, mono_ns: 3600 * 1_000_000_000 };
        TakenBatch {
            device: self.device,
            epoch: 1,
            from_seq,
            head: self.head,
            bodies: bodies.into_iter().map(Into::into).collect(),
            quarantined: Vec::new(),
            sample: Some(ClockSample { boot_seq: 1, sent_mono_ns, heard: self.heard.then_some(heard) }),
            stated: Vec::new(),
            review: None,
            knew: Vec::new(),
            read: Default::default(),
        }
    }

    /// Hands over what is waiting.
    pub async fn upload(&mut self, db: &Db) -> Outcome {
        self.batches += 1;
        let mut id = self.device.0;
        id[15] = self.batches;
        let sender = self.clone();
        self.batch();
        let taken = db.write(move |tx| {
            let received = journal::pass_gate(tx, ARRIVAL)?;
            let batch = sender.clone().batch_at(received);
            journal::take(tx, EntryId(id), received, EntryBody::Batch(batch))
        });
        taken.await.unwrap_or_else(|error: StoreError| panic!("take a batch: {error}"))
    }
}

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

/// Reads by a statement of the tests' own, so that no program under test is asked for the figure.
pub async fn probe(db: &Db, name: &'static str, values: Vec<Value>) -> Vec<Row> {
    db.read(move |tx: &mut Tx<'_>| tx.query(PROBE.get(name), &values)).await.expect("probe")
}

/// A single number by a statement of the tests' own.
pub async fn count(db: &Db, name: &'static str, values: Vec<Value>) -> i64 {
    probe(db, name, values).await[0].int_opt(0).expect("a number").unwrap_or(0)
}

/// Points that a member has, summed from the postings.
pub async fn points(db: &Db, n: u8) -> i64 {
    count(db, "points", vec![format!("member/{}/available", member(n)).into()]).await
}

/// What a member has of a unit, summed from the postings.
pub async fn has(db: &Db, n: u8, unit: Unit) -> i64 {
    let account = format!("member/{}/available", member(n));
    count(db, "of_unit", vec![account.into(), unit.code().into()]).await
}

/// Points that a member owes, summed from the postings.
pub async fn owed(db: &Db, n: u8) -> i64 {
    -count(db, "points", vec![format!("member/{}/owed", member(n)).into()]).await
}

/// Fen of stored value that a member has, summed from the postings. Only for members who have no points.
pub async fn fen(db: &Db, n: u8) -> i64 {
    points(db, n).await
}

/// How a fact stands, and its conflict kind.
pub async fn standing(db: &Db, id: FactId) -> (String, Option<i64>) {
    let values = crate::store::rows::fact_id_values(id).to_vec();
    let rows = probe(db, "standing", values).await;
    (rows[0].text(0).expect("text").to_owned(), rows[0].int_opt(1).expect("number"))
}
