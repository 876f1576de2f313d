//! One value of every message, with every optional field filled somewhere.

mod enrolment;
mod facts;

use hufu_central::rules::entry::{
    ClockSample, EntryBody, Quarantined, Review, TakenAct, TakenBatch, TakenFork, TakenLoss, TakenSample,
};
use hufu_shared::act::{
    Act, Actor, BalancesOpened, CardSet, CardStatusSet, CaseDecided, ClubFounded, DataExported, DeviceEnded,
    DeviceEnrolled, DeviceInvited, DeviceKey, HistoryBrought, JobRan, MemberSet, Opening, PastLine, Pin,
    PinOutcome, SeenCursor, ValueCarried, ValueFrozen, ValueHolder, Verdict,
};
use hufu_shared::fact::{
    Attended, Booted, CardReplaced, ClockStepped, CommandDone, Complaint, Counted, DayClosed, DayTotals,
    Earned, Event, FACT_FORMAT, Fact, Form, Funding, HandedOut, LeaseClosed, LeaseUse, OperatorSession,
    ProfileChange, Purpose, RefusalReason, Refused, Reversed, Shown, SlipKey, Spent, Subject, ToppedUp,
    Visited, Way,
};
use hufu_shared::ids::{
    ActivityId, BootId, CardId, ClubId, CommandId, DeviceId, FactId, Hash, ItemId, LeaseId, MemberId,
    OccurrenceId, OfficeId, OperatorId,
};
use hufu_shared::member::{
    Audience, CardRow, CardStatus, DirectoryRow, GiftRow, GuestRow, MemberRow, MemberStatus, OccurrenceRow,
    OccurrenceState, OfficeRow,
};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::{SchemeTerms, Words};
use hufu_shared::seal::SealKey;
use hufu_shared::time::{ClockQuality, Day, Instant, OfficeClock};
use hufu_shared::token::{MediumKind, Token, TokenKey};
use hufu_shared::wire::apart::Apart;
use hufu_shared::wire::directory::{Chunk, Delta, Manifest};
use hufu_shared::wire::enrol;
use hufu_shared::wire::lease::{
    AskBecame, LeaseAnswer, LeaseAsk, LeaseState, LeaseTerms, RecallState, Recalled,
};
use hufu_shared::wire::updates::{BlockChange, Notice, Updates};
use hufu_shared::wire::upload::{
    Attempt, BatchHeader, Became, Carried, Command, Credit, Disposition, Heard, LeaseReport, Order, Receipt,
    ReceiptMark, ResultPart, SessionPart, Upload,
};
use hufu_shared::wire::version::{CentralEpoch, PROTO, Version};

pub use enrolment::*;
pub use facts::{fact, facts};

const NOON: Instant = Instant(1_795_320_000_000_000);
const DEVICE: DeviceId = DeviceId([0x11; 16]);
const OFFICE: OfficeId = OfficeId([0x22; 16]);
const MEMBER: MemberId = MemberId([0x33; 16]);
const OCCURRENCE: OccurrenceId = OccurrenceId([0x44; 16]);
const LEASE: LeaseId = LeaseId([0x55; 16]);
const CARD: CardId = CardId([0x66; 16]);
const TODAY: Day = Day(20_779);
const EPOCH: CentralEpoch = CentralEpoch { n: 1, bits: 0x0123_4567_89ab_cdef };
const VERSION: Version = Version { epoch: 1, n: 4_711 };
const TOKEN: Token = Token { key_version: 1, hash: [0x77; 16] };

fn words(zh: &str, en: &str) -> Words {
    Words { zh: zh.to_owned(), en: en.to_owned() }
}

fn subject() -> Subject {
    Subject { token: TOKEN, member: Some(MEMBER), reader: 0, medium: MediumKind::Uid, code: None }
}

fn points(amount: i64) -> Vec<Leg> {
    vec![Leg { unit: Unit::Pts, amount: Amount(amount) }]
}

fn slip(number: &str) -> SlipKey {
    SlipKey { shop: "S01".to_owned(), number: number.to_owned(), date: TODAY }
}

fn office() -> OfficeRow {
    OfficeRow {
        office: OFFICE,
        code: "A".to_owned(),
        name: words("澜庭案场", "Lanting sales office"),
        clock: OfficeClock::default(),
        group: None,
    }
}

pub fn occurrence() -> OccurrenceRow {
    OccurrenceRow {
        occurrence: OCCURRENCE,
        activity: ActivityId([0x45; 16]),
        name: words("业主沙龙", "Owners' salon"),
        starts: NOON,
        ends: NOON.offset(7_200_000_000),
        state: OccurrenceState::Approved,
        admits_once: true,
        exits: false,
        gifts: vec![GiftRow {
            item: ItemId([0x46; 16]), name: words("茶叶礼盒", "Tea gift box"), each: 1
        }],
        guests: vec![GuestRow { member: MEMBER, birthday: true, companions: None }],
        points: Amount(10),
        places: Some(120),
        offices: vec![OFFICE],
        audience: Audience::default(),
    }
}

fn device_key() -> DeviceKey {
    DeviceKey { device: DEVICE, epoch: 1, key: vec![0x30, 0x59] }
}

/// An act of every kind.
pub fn acts() -> Vec<Act> {
    let member = MemberSet {
        member: MEMBER,
        number: "M000001".to_owned(),
        level: Some(words("金卡", "Gold")),
        status: MemberStatus::Active,
        office: Some(OFFICE),
        personal: Hash([0x12; 32]),
        joined: None,
    };
    let card = CardSet {
        card: CARD,
        tokens: vec![TOKEN],
        member: Some(MEMBER),
        kind: "main".to_owned(),
        status: CardStatus::Active,
        tail: "0001".to_owned(),
        valid_from: Some(NOON),
        valid_until: None,
    };
    let pin = |seq, outcome| Pin { fact: FactId { device: DEVICE, epoch: 1, seq }, outcome };
    let pins = vec![
        pin(1, PinOutcome::Counts),
        pin(2, PinOutcome::DoesNotCount),
        pin(3, PinOutcome::BelongsTo(MEMBER)),
    ];
    vec![
        Act::ClubFounded(ClubFounded {
            club: ClubId([0x10; 16]),
            name: words("澜庭会", "Lanting Club"),
            epoch: EPOCH,
        }),
        Act::OfficeSet(office()),
        Act::OccurrenceSet(occurrence()),
        Act::SchemeSet(SchemeTerms::property_club(1, TODAY)),
        Act::MembersSet(vec![member]),
        Act::CardsSet(vec![card]),
        Act::CardStatusSet(CardStatusSet { card: CARD, status: CardStatus::Lost, reason: Hash([0x13; 32]) }),
        Act::DeviceInvited(DeviceInvited { device: DEVICE, office: OFFICE, name: "A-1".to_owned() }),
        Act::DeviceEnrolled(DeviceEnrolled {
            key: device_key(),
            seal_key: [0x14; 32],
            board: Hash([0x15; 32]),
        }),
        Act::DeviceRenewed(device_key()),
        Act::DeviceRevoked(DeviceEnded { device: DEVICE, reason: Hash([0x16; 32]) }),
        Act::CaseDecided(CaseDecided {
            case: Hash([0x17; 32]),
            verdict: Verdict::Confirm,
            pins,
            reason: Hash([0x18; 32]),
        }),
        Act::EpochBegun(CentralEpoch { n: 2, bits: 99 }),
        Act::JobRan(JobRan { job: "prune".to_owned(), day: TODAY }),
        Act::DaySettled(TODAY),
        Act::ValueFrozen(ValueFrozen { member: MEMBER, frozen: true, reason: Hash([0x1d; 32]) }),
        Act::ValueCarried(ValueCarried {
            id: Hash([0x1e; 32]),
            from: ValueHolder { member: MEMBER, card: Some(CARD) },
            to: ValueHolder { member: MemberId([0x1f; 16]), card: None },
            amount: Amount(12_345),
            office: OFFICE,
            reason: Hash([0x20; 32]),
        }),
        Act::BalancesOpened(BalancesOpened {
            batch: "2026-11".to_owned(),
            rows: vec![
                Opening { member: MEMBER, leg: leg(Unit::Pts, 1280), office: OFFICE, at: Some(NOON) },
                Opening { member: MEMBER, leg: leg(Unit::Cny, 50_000), office: OFFICE, at: None },
            ],
            reason: Hash([0x19; 32]),
        }),
        Act::HistoryBrought(HistoryBrought {
            batch: "2026-11".to_owned(),
            lines: vec![PastLine {
                id: Hash([0x1a; 32]),
                member: MEMBER,
                at: NOON,
                legs: vec![leg(Unit::Pts, -500), leg(Unit::Cny, 12_000)],
                words: Hash([0x1b; 32]),
            }],
        }),
        Act::DataExported(DataExported {
            what: "members".to_owned(),
            rows: 2_000,
            clear: true,
            staff: Some(OperatorId([0x1c; 16])),
            reason: Some(Hash([0x1d; 32])),
        }),
    ]
}

fn leg(unit: Unit, amount: i64) -> Leg {
    Leg { unit, amount: Amount(amount) }
}

/// A journal entry of every kind.
pub fn entries() -> Vec<EntryBody> {
    let batch = TakenBatch {
        device: DEVICE,
        epoch: 1,
        from_seq: 42,
        head: Hash([0x19; 32]),
        bodies: vec![vec![1, 2, 3].into(), vec![4].into()],
        quarantined: vec![Quarantined { seq: 43, error: "unknown variant".to_owned() }],
        sample: Some(ClockSample {
            boot_seq: 40,
            sent_mono_ns: 9,
            heard: Some(Heard { central_time: NOON, mono_ns: 8 }),
        }),
        stated: vec![(40, fact(Shown::Nothing, Event::ClockStepped(ClockStepped { by_us: 0 })).standing())],
        review: Some(Review::Revoked),
        knew: vec![(Version { epoch: 1, n: 7 }, NOON)],
        read: Default::default(),
    };
    let act = TakenAct {
        actor: Actor::Admin(OperatorId([0x99; 16])),
        act: Act::DaySettled(TODAY),
        seen: vec![SeenCursor { device: DEVICE, epoch: 1, seq: 41 }],
    };
    let fork = TakenFork {
        device: DEVICE,
        epoch: 1,
        seq: 42,
        stored: Hash([0x1a; 32]),
        shown: Hash([0x1b; 32]),
        facts: 3,
    };
    vec![
        EntryBody::Batch(batch),
        EntryBody::Act(act),
        EntryBody::Fork(fork),
        EntryBody::Lost(TakenLoss { device: DEVICE, epoch: 1, from_seq: 42, to_seq: 50 }),
        EntryBody::Sample(TakenSample {
            device: DEVICE,
            epoch: 1,
            sample: ClockSample { boot_seq: 40, sent_mono_ns: 9, heard: None },
        }),
    ]
}

/// A lease state.
pub fn lease() -> LeaseState {
    LeaseState {
        lease: LEASE,
        generation: 1,
        device: DEVICE,
        member: MEMBER,
        unit: Unit::Pts,
        granted_total: Amount(320),
        terms: LeaseTerms { ttl_s: 604_800, reboot_cost_s: 7_200, reboots_max: 3 },
        version: VERSION,
        signature: vec![0x1c; 64],
    }
}

/// An ask for a raise.
pub fn lease_ask() -> LeaseAsk {
    let (member, unit) = (MEMBER, Unit::Pts);
    LeaseAsk { lease: Some(LEASE), generation: 1, member, unit, wanted_total: Amount(400) }
}

/// Its answer, with every state of a recall.
pub fn lease_answer() -> LeaseAnswer {
    let states = [RecallState::Closing, RecallState::Arrived, RecallState::Unreachable];
    let recalled = states.map(|state| Recalled {
        office: words("城西案场", "West office"),
        state,
        amount: Amount(80),
        heard_at: Some(NOON),
    });
    LeaseAnswer {
        state: Some(lease().into()),
        became: AskBecame::Recalling,
        figure: Some(Amount(1_280)),
        recalled: recalled.to_vec(),
        again_ms: 250,
    }
}

fn mark() -> ReceiptMark {
    ReceiptMark {
        central_epoch: EPOCH,
        journal_size: 4_711,
        journal_head: Hash([0x1d; 32]),
        device: DEVICE,
        acked_seq: 42,
        directory: VERSION,
        block: VERSION,
        leases: vec![(LEASE, VERSION)],
        signature: vec![0x1e; 64],
    }
}

/// A batch with its attempt.
pub fn upload() -> Upload {
    Upload {
        header: BatchHeader {
            proto: PROTO,
            device: DEVICE,
            epoch: 1,
            from_seq: 42,
            prev_hash: Hash([0x1f; 32]),
            count: 2,
            head_hash: Hash([0x20; 32]),
            key_id: [0x21; 16],
            signature: vec![0x30; 70],
        },
        facts: vec![
            Carried { body: vec![1, 2, 3].into(), sealed: None },
            Carried { body: vec![4].into(), sealed: Some(vec![5, 6].into()) },
        ],
        attempt: Attempt {
            nonce: [0x22; 16],
            mono_ns: 3_601_000_000_000,
            boot: BootId([0xcc; 16]),
            boot_seq: 40,
            wall: NOON,
            oldest_held: 1,
            waiting: 200,
            echo: Some(mark()),
            lease_report: Some(LeaseReport {
                epoch: CentralEpoch { n: 3, bits: 0x0102_0304_0506_0708 },
                states: vec![lease()],
            }),
            heard: Some(Heard { central_time: NOON, mono_ns: 3_600_500_000_000 }),
        },
    }
}

fn dispositions() -> Vec<Disposition> {
    let became = [
        Became::AppliedWithCase,
        Became::Held,
        Became::Quarantined,
        Became::Merged,
        Became::NoEffect,
        Became::Applied,
    ];
    (43..)
        .zip(became)
        .map(|(seq, became)| Disposition { seq, became, kind: Some(27), case: Some(Hash([0x23; 32])) })
        .collect()
}

fn commands() -> Vec<Apart<Command>> {
    let orders = [Order::CloseDay, Order::TakeSnapshot, Order::CloseLease(LEASE, 1)];
    orders.into_iter().map(|order| Command { id: CommandId([0xbb; 16]), order }.into()).collect()
}

/// The answer to a batch.
pub fn receipt() -> Receipt {
    Receipt {
        result: ResultPart { acked_seq: 48, head_hash: Hash([0x20; 32]), dispositions: dispositions() },
        session: SessionPart {
            nonce: [0x22; 16],
            mono_ns: 3_601_000_000_000,
            central_time: NOON,
            credit: Credit { max_facts: 500, next_poll_ms: 1_000 },
            leases: vec![lease().into()],
            commands: commands(),
            mark: mark(),
        },
    }
}

/// What is new.
pub fn updates() -> Updates {
    Updates {
        central_time: NOON,
        directory: VERSION,
        block: VERSION,
        blocks: vec![BlockChange { card: CARD, token: TOKEN, status: CardStatus::Lost }],
        more: false,
        leases: vec![lease().into()],
        commands: commands(),
        notices: vec![Notice {
            n: 1,
            epoch: 1,
            disposition: dispositions().remove(0),
            other_office: Some("B".to_owned()),
            other_at: Some(NOON),
        }],
        mark: mark(),
        credit: Some(Credit { max_facts: 500, next_poll_ms: 1_500 }),
    }
}

/// Rows of every kind.
pub fn delta() -> Delta {
    let member = MemberRow {
        member: MEMBER,
        greeting: Some("欧阳女士".to_owned()),
        masked_name: Some("欧阳*玥".to_owned()),
        level: Some(words("金卡", "Gold")),
        status: MemberStatus::Active,
        points: Amount(1_280),
        points_at: NOON,
        leased: true,
        full_name: Some("欧阳堃玥".to_owned()),
        value: Some(Amount(123_450)),
        kind: None,
    };
    let card = CardRow {
        card: CARD,
        token: TOKEN,
        member: Some(MEMBER),
        status: CardStatus::Active,
        valid_from: None,
        valid_until: Some(NOON),
        tail: "0001".to_owned(),
        sub: true,
    };
    Delta {
        club: ClubId([0x10; 16]),
        from: Version { epoch: 1, n: 4_700 },
        to: VERSION,
        rows: vec![
            DirectoryRow::Member(member),
            DirectoryRow::Card(card),
            DirectoryRow::Office(office()),
            DirectoryRow::Occurrence(occurrence()),
            DirectoryRow::Scheme(SchemeTerms::property_club(1, TODAY)),
        ],
        more: true,
        take_snapshot: false,
    }
}

/// A snapshot's list of chunks.
pub fn manifest() -> Manifest {
    Manifest {
        club: ClubId([0x10; 16]),
        central_epoch: EPOCH,
        version: VERSION,
        block: VERSION,
        made_at: NOON,
        scope: OFFICE,
        chunks: vec![Chunk { hash: Hash([0x24; 32]), bytes: 65_536, rows: 5_000 }],
        signature: vec![0x25; 64],
    }
}
