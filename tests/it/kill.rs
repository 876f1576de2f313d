//! The real terminal is killed at random instants, during starts, swipes, orders and uploads: nothing that was shown is
//! lost or doubled, and its files are sound after each kill. `tests/long.sh kills` does the full number. That the books
//! kept beside it can disagree is tested with forged ones.

use anyhow::{Result, ensure};
use hufu_edge::rules::timekeeping::Now;
use hufu_edge::store::{BootInfo, JOURNAL_FILE, NameKey, NewFact, Store};
use hufu_edge::terminal::Terminal;
use hufu_shared::fact::{Attended, Earned, Event, Shown, Subject, Way};
use hufu_shared::ids::{BootId, ClubId, DeviceId, Hash, MemberId, OccurrenceId, OfficeId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::time::{ClockQuality, Instant};
use hufu_shared::token::{MediumKind, Token, TokenKey};
use hufu_shared::wire::version::Version;
use hufu_tests::kill::audit::Books;
use hufu_tests::kill::seen::{Line, Seen};
use hufu_tests::kill::{self, Plan};
use std::collections::BTreeSet;
use std::path::Path;

/// Kills of the quick run; the goal's full number takes too long for every change.
const KILLS: u64 = 300;
const LANES: usize = 3;

#[test]
fn goal_g01_300_kills_of_the_real_terminal_lose_and_double_nothing_that_was_shown() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("hufu-kill-").tempdir()?;
    let plan =
        Plan { kills: KILLS, lanes: LANES, kills_per_round: KILLS, seed: u64::from(std::process::id()) };
    let done = kill::play(folder.path(), &plan, |tally| println!("{tally}"));
    if done.is_err() {
        let _ = folder.keep();
    }
    let tally = done?;
    // Kills that fell into nothing would prove nothing.
    for (what, met) in [
        ("kills", tally.kills >= KILLS),
        ("kills before a start was recorded", tally.before_boot > 0),
        ("kills during a start", tally.starting > 0),
        ("kills at work", tally.working >= KILLS / 3),
        ("kills with facts to upload", tally.uploading > 0),
        ("facts seen", tally.lines >= KILLS / 2 && tally.cues >= KILLS / 2),
        ("facts recorded and not seen", tally.unseen > 0),
        ("value facts listed for staff", tally.listed > 0),
        ("answers of the page", tally.answers > 0),
    ] {
        ensure!(met, "too few {what}: {tally}");
    }
    Ok(())
}

const FIRST_KEY: &[u8] = b"the key of the enrolment";
const PURCHASE_FEN: i64 = 10_001;

fn now(seconds: u64) -> Now {
    let wall = Instant(1_795_320_000_000_000);
    let mono_ns = seconds * 1_000_000_000;
    Now { wall, mono_ns, quality: ClockQuality::Kept, trusted: wall, floor: wall }
}

/// The journal as it is, without another start.
fn reopen(folder: &Path) -> Store {
    let terminal = Terminal {
        device: DeviceId([7; 16]),
        epoch: 1,
        name: "A1".to_owned(),
        club: ClubId([1; 16]),
        club_name: Words { zh: "客户会".to_owned(), en: "Club".to_owned() },
        office: OfficeId([2; 16]),
        first_key: FIRST_KEY.to_vec(),
        token_keys: vec![TokenKey::new(1, [9; 32])],
        name_key: NameKey::from_seed(b"seed"),
    };
    Store::open(&folder.join(JOURNAL_FILE), &terminal).expect("opens")
}

fn start(folder: &Path, boot: u8) -> Store {
    let store = reopen(folder);
    let info = BootInfo {
        boot: BootId([boot; 16]),
        board: Hash([4; 32]),
        software: "test".to_owned(),
        directory: Version::default(),
    };
    store.with(|journal| journal.boot(info, &now(0))).expect("boots");
    store
}

/// Member `n` comes, to the activity or with a purchase.
fn come(store: &Store, seconds: u64, n: u8, buys: bool) {
    let token = Token { key_version: 1, hash: [n; 16] };
    let subject =
        Subject { token, member: Some(MemberId([n; 16])), reader: 0, medium: MediumKind::Stripe, code: None };
    let promised = vec![Leg { unit: Unit::Pts, amount: Amount(2) }];
    let event = if buys {
        let purchase = Amount(PURCHASE_FEN);
        let (slip, replaces, repeats, paid) = (None, None, None, None);
        Event::Earned(Earned { subject, purchase, promised, slip, replaces, repeats, paid })
    } else {
        let occurrence = OccurrenceId([3; 16]);
        Event::Attended(Attended {
            subject,
            occurrence,
            promised,
            repeats: None,
            gate: None,
            way: Way::In,
            companions: None,
        })
    };
    let Now { wall, mono_ns, quality, .. } = now(seconds);
    let fact = NewFact {
        wall,
        mono_ns,
        clock: quality,
        directory: Version::default(),
        scheme: 1,
        operator: None,
        shown: Shown::Accepted,
        rule: None,
        event,
        sealed: None,
    };
    store.with(|journal| journal.append(vec![fact])).expect("recorded");
}

/// Two cards came and were shown; facts 3 and 4 tell of them, after one clean run.
fn seen() -> Seen {
    let line = |n: u8, purpose: &str| Line {
        tail: Some(format!("000{n}")),
        shown: Shown::Accepted,
        purpose: purpose.to_owned(),
        promised: serde_json::to_value(Amount(2)).expect("a number"),
    };
    Seen {
        presented: BTreeSet::from(["0001".to_owned(), "0002".to_owned()]),
        purchases: BTreeSet::from([PURCHASE_FEN]),
        lines: [(3, line(1, "check_in")), (4, line(2, "earn"))].into(),
        cues: vec![Shown::Accepted, Shown::Accepted],
        listed: Some(BTreeSet::new()),
        ..Seen::default()
    }
}

fn audit(clean: &Path, killed: &Path, seen: &Seen) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let tails = (1..=2).map(|n: u8| (MemberId([n; 16]), format!("000{n}"))).collect();
    let mut books = Books::open(clean, scratch.path(), tails, FIRST_KEY.to_vec())?;
    books.after_kill(killed, scratch.path(), seen).map(drop)
}

#[test]
fn what_is_shown_and_lost_doubled_or_damaged_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (clean, killed) = (folder.path().join("clean"), folder.path().join("killed"));
    for place in [&clean, &killed] {
        std::fs::create_dir(place)?;
        let store = start(place, 1);
        store.with(|journal| journal.shutdown(&now(1)))?;
    }
    let store = start(&killed, 2);
    come(&store, 1, 1, false);
    come(&store, 2, 2, true);
    drop(store);
    audit(&clean, &killed, &seen())?;

    // What was seen is forged: each with what must be said of it.
    let forgeries: [(&str, fn(&mut Seen)); 7] = [
        ("SHOWN AND LOST: fact 9", |seen| {
            let line = seen.lines[&4].clone();
            seen.lines.insert(9, line);
        }),
        ("SHOWN AND LOST: the light", |seen| seen.cues.push(Shown::Accepted)),
        ("SHOWN AND LOST: the page confirmed", |seen| seen.confirmed.extend(["0002".to_owned()])),
        ("the points differ", |seen| {
            seen.lines.entry(4).and_modify(|line| line.promised = serde_json::Value::Null);
        }),
        ("which was not presented", |seen| seen.presented.retain(|tail| tail != "0001")),
        ("nobody entered a purchase", |seen| seen.purchases.clear()),
        ("the page listed {3}", |seen| seen.listed = Some(BTreeSet::from([3]))),
    ];
    for (named, forge) in forgeries {
        let mut forged = seen();
        forge(&mut forged);
        expect(audit(&clean, &killed, &forged), named)?;
    }
    // What lies on the disk is forged.
    for (named, sql) in [
        ("SHOWN AND LOST: fact 4", "DELETE FROM facts WHERE seq = 4"),
        ("does not follow from the bodies", "UPDATE facts SET body = hash WHERE seq = 3"),
        ("fact 4 stands where fact 3 belongs", "DELETE FROM facts WHERE seq = 3"),
        ("does not start from the key", "UPDATE state SET anchor_hash = zeroblob(32)"),
        ("receipts reach 9", "UPDATE state SET acked_seq = 9"),
    ] {
        let forged = tempfile::tempdir()?;
        std::fs::copy(killed.join(JOURNAL_FILE), forged.path().join(JOURNAL_FILE))?;
        rusqlite::Connection::open(forged.path().join(JOURNAL_FILE))?.execute_batch(sql)?;
        expect(audit(&clean, forged.path(), &seen()), named)?;
    }
    // A mark that leads what was shown, and a card that came once and has two facts.
    let mut dark = seen();
    dark.cues.pop();
    let store = reopen(&killed);
    store.with(|journal| {
        journal.mark_shown(4);
        journal.write_shown()
    })?;
    drop(store);
    expect(audit(&clean, &killed, &dark), "is marked as shown")?;
    come(&reopen(&killed), 3, 1, false);
    expect(audit(&clean, &killed, &seen()), "DOUBLED: card 0001")
}

fn expect(met: Result<()>, named: &str) -> Result<()> {
    let said = met.map_or_else(|error| format!("{error:#}"), |()| "nothing".to_owned());
    ensure!(said.contains(named), "`{named}` expected, it was said: {said}");
    Ok(())
}
