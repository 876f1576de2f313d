//! A small club for tests: one terminal, one office, a few members and cards, one activity.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hufu_shared::fact::{
    Attended, Earned, Event, Purpose, RefusalReason, Refused, Shown, Subject, Visited, Way,
};
use hufu_shared::ids::{
    ActivityId, BootId, CardId, ClubId, DeviceId, Hash, ItemId, LeaseId, MemberId, OccurrenceId, OfficeId,
};
use hufu_shared::member::{
    Audience, CardRow, CardStatus, DirectoryRow, GiftRow, GuestRow, MemberRow, MemberStatus, OccurrenceRow,
    OccurrenceState, OfficeRow,
};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::redemption::Returns;
use hufu_shared::scheme::{SchemeTerms, Words};
use hufu_shared::time::{ClockQuality, Day, Instant, OfficeClock, SECOND_US};
use hufu_shared::token::{CardText, MediumKind, TokenKey};
use hufu_shared::wire::directory::{Chunk, Manifest};
use hufu_shared::wire::lease::{LeaseState, LeaseTerms};
use hufu_shared::wire::version::{CentralEpoch, Version};

use super::{BootInfo, Directory, LeaseTaken, NameKey, NewFact, SnapshotBuilder, Store};
use crate::rules::timekeeping::Now;
use crate::terminal::Terminal;

pub(crate) const CLUB: ClubId = ClubId([1; 16]);
pub(crate) const OFFICE: OfficeId = OfficeId([2; 16]);
pub(crate) const OCCASION: OccurrenceId = OccurrenceId([3; 16]);
/// What members are handed at [`OCCASION`], two pieces each.
pub(crate) const GIFT: ItemId = ItemId([9; 16]);
/// Noon in Shanghai, 2026-11-22.
pub(crate) const NOON: Instant = Instant(1_795_320_000 * SECOND_US);

pub(crate) fn terminal() -> Terminal {
    Terminal {
        device: DeviceId([7; 16]),
        epoch: 1,
        name: "A1".to_owned(),
        club: CLUB,
        club_name: words("客户会"),
        office: OFFICE,
        first_key: b"first key".to_vec(),
        token_keys: vec![TokenKey::new(1, [9; 32])],
        name_key: NameKey::from_seed(b"seed"),
    }
}

pub(crate) fn words(zh: &str) -> Words {
    Words { zh: zh.to_owned(), en: "en".to_owned() }
}

/// A moment `seconds` after noon, on the wall and since the start.
pub(crate) fn at(seconds: u64) -> Now {
    let wall = NOON.offset(i64::try_from(seconds).expect("small") * SECOND_US);
    Now { wall, mono_ns: seconds * 1_000_000_000, quality: ClockQuality::Kept, trusted: wall, floor: wall }
}

pub(crate) fn boot_info(boot: u8) -> BootInfo {
    BootInfo {
        boot: BootId([boot; 16]),
        board: Hash([4; 32]),
        software: "0.1.0".to_owned(),
        directory: Version::default(),
    }
}

/// The number on member `n`'s card.
pub(crate) fn card_number(n: u8) -> CardText {
    CardText::number(MediumKind::Stripe, &format!("88000000{n:04}")).expect("a card number")
}

pub(crate) fn subject(n: u8) -> Subject {
    let token = terminal().token_keys[0].token(&card_number(n));
    Subject { token, member: Some(MemberId([n; 16])), reader: 0, medium: MediumKind::Stripe, code: None }
}

pub(crate) fn fact(now: &Now, shown: Shown, event: Event) -> NewFact {
    NewFact {
        wall: now.wall,
        mono_ns: now.mono_ns,
        clock: now.quality,
        directory: Version { epoch: 1, n: 5 },
        scheme: 1,
        operator: None,
        shown,
        rule: None,
        event,
        sealed: None,
    }
}

pub(crate) fn visited(n: u8, now: &Now) -> NewFact {
    fact(now, Shown::Accepted, Event::Visited(Visited { subject: subject(n) }))
}

pub(crate) fn attended(n: u8, now: &Now) -> NewFact {
    let promised = vec![Leg { unit: Unit::Pts, amount: Amount(2) }];
    let attended = Attended {
        subject: subject(n),
        occurrence: OCCASION,
        promised,
        repeats: None,
        gate: None,
        way: Way::In,
        companions: None,
    };
    fact(now, Shown::Accepted, Event::Attended(attended))
}

pub(crate) fn earned(n: u8, fen: i64, points: i64, now: &Now) -> NewFact {
    let promised = vec![Leg { unit: Unit::Pts, amount: Amount(points) }];
    let earned = Earned {
        subject: subject(n),
        purchase: Amount(fen),
        promised,
        slip: None,
        replaces: None,
        repeats: None,
        paid: None,
    };
    fact(now, Shown::Accepted, Event::Earned(earned))
}

pub(crate) fn refused(n: u8, reason: RefusalReason, now: &Now) -> NewFact {
    let refused = Refused { subject: Some(subject(n)), purpose: Purpose::Visit, reason, count: 1 };
    fact(now, Shown::Refused, Event::Refused(refused))
}

pub(crate) const EPOCH: CentralEpoch = CentralEpoch { n: 1, bits: 2 };

/// A lease of member `n`: generation 1, a week, three unmeasured reboots of two hours.
pub(crate) fn lease(n: u8, unit: Unit, granted: i64, version: u64) -> LeaseState {
    LeaseState {
        lease: LeaseId([n + 100 * u8::from(unit == Unit::Cny); 16]),
        generation: 1,
        device: terminal().device,
        member: MemberId([n; 16]),
        unit,
        granted_total: Amount(granted),
        terms: LeaseTerms { ttl_s: 604_800, reboot_cost_s: 7_200, reboots_max: 3 },
        version: Version { epoch: EPOCH.n, n: version },
        signature: vec![1; 64],
    }
}

/// Puts lease states into the journal, as if they had come and been checked.
pub(crate) fn grant(store: &Store, states: &[LeaseState], now: &Now) -> Vec<LeaseTaken> {
    store.with(|journal| journal.take_leases(states, EPOCH, now, Version::default())).expect("taken")
}

pub(crate) fn pts(amount: i64) -> Leg {
    Leg { unit: Unit::Pts, amount: Amount(amount) }
}

pub(crate) fn cny(fen: i64) -> Leg {
    Leg { unit: Unit::Cny, amount: Amount(fen) }
}

pub(crate) fn member_row(n: u8) -> MemberRow {
    MemberRow {
        member: MemberId([n; 16]),
        greeting: Some("欧阳女士".to_owned()),
        masked_name: Some("欧阳*玥".to_owned()),
        level: Some(words("金卡")),
        status: MemberStatus::Active,
        points: Amount(1_280),
        points_at: NOON,
        leased: false,
        full_name: Some("欧阳堃玥".to_owned()),
        value: Some(Amount(50_000)),
        kind: None,
    }
}

pub(crate) fn card_row(n: u8) -> CardRow {
    CardRow {
        card: CardId([n; 16]),
        token: terminal().token_keys[0].token(&card_number(n)),
        member: Some(MemberId([n; 16])),
        status: CardStatus::Active,
        valid_from: None,
        valid_until: None,
        tail: format!("{n:04}"),
        sub: false,
    }
}

/// The activity that runs all day, as the directory has it.
pub(crate) fn occurrence() -> OccurrenceRow {
    OccurrenceRow {
        occurrence: OCCASION,
        activity: ActivityId([6; 16]),
        name: words("业主答谢会"),
        starts: NOON.offset(-3_600 * SECOND_US),
        ends: NOON.offset(8 * 3_600 * SECOND_US),
        state: OccurrenceState::Approved,
        admits_once: true,
        exits: false,
        gifts: vec![GiftRow { item: GIFT, name: words("茶叶礼盒"), each: 2 }],
        guests: Vec::new(),
        points: Amount(2),
        places: None,
        offices: vec![OFFICE],
        audience: Audience::default(),
    }
}

/// The same where it counts who leaves.
pub(crate) fn counted() -> OccurrenceRow {
    OccurrenceRow { exits: true, ..occurrence() }
}

pub(crate) fn rows(members: u8) -> Vec<DirectoryRow> {
    let office = OfficeRow {
        office: OFFICE,
        code: "A".into(),
        name: words("案场"),
        clock: OfficeClock::default(),
        group: None,
    };
    let mut rows = vec![
        DirectoryRow::Office(office),
        DirectoryRow::Occurrence(occurrence()),
        DirectoryRow::Scheme(SchemeTerms::property_club(1, Day(0))),
    ];
    for n in 1..=members {
        rows.push(DirectoryRow::Member(member_row(n)));
        rows.push(DirectoryRow::Card(card_row(n)));
    }
    rows
}

/// A manifest of these chunks, and the chunks as they would come.
pub(crate) fn snapshot(club: ClubId, chunks: &[Vec<DirectoryRow>]) -> (Manifest, Vec<Vec<u8>>) {
    let bodies: Vec<Vec<u8>> = chunks
        .iter()
        .map(|rows| zstd::bulk::compress(&hufu_shared::cbor::encode(rows), 1).expect("compresses"))
        .collect();
    let listed = bodies.iter().zip(chunks).map(|(body, rows)| Chunk {
        hash: Hash::of(&[body]),
        bytes: body.len() as u64,
        rows: u32::try_from(rows.len()).expect("few"),
    });
    let manifest = Manifest {
        club,
        central_epoch: CentralEpoch { n: 1, bits: 2 },
        version: Version { epoch: 1, n: 5 },
        block: Version { epoch: 1, n: 1 },
        made_at: NOON,
        scope: OFFICE,
        chunks: listed.collect(),
        signature: Vec::new(),
    };
    (manifest, bodies)
}

/// A directory with a few members.
pub(crate) fn directory(folder: &Path, members: u8) -> Directory {
    directory_of(folder, rows(members))
}

/// As [`directory`], where the activity counts who leaves.
pub(crate) fn counting_directory(folder: &Path, members: u8) -> Directory {
    let mut rows = rows(members);
    rows[1] = DirectoryRow::Occurrence(counted());
    directory_of(folder, rows)
}

/// As [`directory`], where members are expected: the first, with a birthday, the second, and one whom nobody here knows.
pub(crate) fn expecting_directory(folder: &Path, members: u8) -> Directory {
    let guest = |n: u8| GuestRow { member: member_row(n).member, birthday: n == 1, companions: None };
    let mut rows = rows(members);
    rows[1] =
        DirectoryRow::Occurrence(OccurrenceRow { guests: [1, 2, 99].map(guest).into(), ..occurrence() });
    directory_of(folder, rows)
}

/// The holding of the same activity on the day after [`OCCASION`].
pub(crate) const NEXT_DAY: OccurrenceId = OccurrenceId([4; 16]);

/// As [`directory`], where the activity admits once a day, members may bring two companions, and the first announced two.
pub(crate) fn party_directory(folder: &Path, members: u8) -> Directory {
    let guest = GuestRow { member: member_row(1).member, birthday: false, companions: Some(2) };
    let audience = Audience { companions: Some(2), ..Audience::default() };
    let today = OccurrenceRow { guests: vec![guest], audience, ..occurrence() };
    let day_us = 24 * 3_600 * SECOND_US;
    let (starts, ends) = (today.starts.offset(day_us), today.ends.offset(day_us));
    let next = OccurrenceRow { occurrence: NEXT_DAY, starts, ends, ..today.clone() };
    let mut rows = rows(members);
    rows[1] = DirectoryRow::Occurrence(today);
    rows.push(DirectoryRow::Occurrence(next));
    directory_of(folder, rows)
}

/// As [`directory`], of a club that does so with goods that come back.
pub(crate) fn returning_directory(folder: &Path, members: u8, returns: Returns) -> Directory {
    directory_of(folder, returning_rows(members, &returns))
}

/// As [`returning_directory`], where a second version says the default for the same days.
pub(crate) fn republished_directory(folder: &Path, members: u8, returns: Returns) -> Directory {
    let mut rows = returning_rows(members, &returns);
    rows.push(DirectoryRow::Scheme(SchemeTerms::property_club(2, Day(0))));
    directory_of(folder, rows)
}

fn returning_rows(members: u8, returns: &Returns) -> Vec<DirectoryRow> {
    let mut rows = rows(members);
    for row in &mut rows {
        if let DirectoryRow::Scheme(terms) = row {
            terms.returns = Some(returns.clone());
        }
    }
    rows
}

fn directory_of(folder: &Path, rows: Vec<DirectoryRow>) -> Directory {
    let directory =
        Directory::open(&folder.join(super::DIRECTORY_FILE), CLUB, terminal().name_key).expect("opens");
    let (manifest, chunks) = snapshot(CLUB, &[rows]);
    let mut builder = SnapshotBuilder::begin(&directory, &manifest).expect("begins");
    builder.take_chunk(&chunks[0]).expect("whole");
    builder.finish().expect("in place");
    directory
}

/// A journal that has begun its first boot.
pub(crate) fn booted(folder: &Path) -> Store {
    let store = Store::open(&folder.join(super::JOURNAL_FILE), &terminal()).expect("opens");
    store.with(|journal| journal.boot(boot_info(1), &at(0))).expect("boots");
    store
}

/// Counts the journal's commits from now on.
pub(crate) fn count_commits(store: &Store) -> Arc<AtomicU64> {
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let hook = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        false
    };
    store
        .with(|journal| {
            journal.connection.commit_hook(Some(hook)).expect("set");
            Ok(())
        })
        .expect("counts");
    count
}

/// From now on the journal's disk is full.
pub(crate) fn fill_disk(store: &Store) {
    store
        .with(|journal| {
            let pages: i64 = journal
                .connection
                .pragma_query_value(None, "page_count", |row| row.get(0))
                .expect("readable");
            journal
                .connection
                .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
                .expect("set");
            // What is left of the last pages is used up, so that the next fact finds no room.
            let mut seconds = 1_000_000;
            while journal.append(vec![visited(1, &at(seconds))]).is_ok() {
                seconds += 1;
            }
            Ok(())
        })
        .expect("filled");
}
