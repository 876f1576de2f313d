//! An office's day beside books that the test keeps for itself: what each fact promised and must give, who took which
//! money, and which terminals were to report; on both databases.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::{DayFigures, DayMatter};
use hufu_shared::fact::{Event, Reversed, Shown, ToppedUp};
use hufu_shared::ids::{DeviceId, FactId, OfficeId, OperatorId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{DAY_US, Day, Instant, MINUTE_US};
use hufu_shared::wire::version::Version;

use super::kit::*;
use crate::db::testing::each;
use crate::db::{Db, Tx};
use crate::rules::cash::{Teller, What};
use crate::store::contact::{self, Heartbeat};
use crate::store::office_days::{self as store, Sheet};

const TODAY: Day = Day(20_779);
/// Eight in the morning of the day after.
const NEXT: Instant = Instant(NOON.0 + DAY_US - 4 * 60 * MINUTE_US);
/// A card that nobody has.
const STRAY: u8 = 9;

async fn sheet(db: &Db, office: OfficeId) -> Sheet {
    let read = move |tx: &mut Tx<'_>| store::sheet(tx, (office, TODAY), NEXT);
    db.read(read).await.expect("readable").expect("an office")
}

/// A terminal was heard of the morning after, with nothing waiting there.
async fn heard(db: &Db, device: DeviceId) {
    let version = Version { epoch: 1, n: 1 };
    let beat = Heartbeat {
        address: String::new(),
        queued: 0,
        notices: 0,
        directory: version,
        block: version,
        readiness: None,
        health: None,
    };
    db.write(move |tx| contact::heard(tx, device, &beat, NEXT)).await.expect("noted");
}

/// What the test wrote down of a purchase: what its display promised, what the scheme gives for it.
struct Written {
    promised: i64,
    gives: i64,
}

/// Purchases of an afternoon. Every fifth promises too much, every seventh is of a card that nobody has.
fn shop(terminal: &mut Terminal, from: u8, count: u8) -> BTreeMap<FactId, Written> {
    let mut books = BTreeMap::new();
    for n in from..from + count {
        let (is_wrong, is_stray) = (n % 5 == 4, n % 7 == 3);
        let fen = 9_900 + 4_300 * i64::from(n);
        // Two points for each whole 100 yuan.
        let right = fen / 10_000 * 2;
        let promised = if is_wrong { right + 3 } else { right };
        let card = if is_stray { STRAY } else { 1 + n % 5 };
        let fact = terminal.purchase(600 + 300 * i64::from(n), card, fen, promised);
        books.insert(fact, Written { promised, gives: if is_stray { 0 } else { right } });
    }
    books
}

#[tokio::test(flavor = "multi_thread")]
async fn the_close_of_a_day_tells_what_books_kept_beside_it_tell() {
    each(|db| async move {
        found(&db).await;
        // Three terminals, two of them at the office; the third never says a word.
        let silent = third_terminal(&db).await;
        let (mut elsewhere, mut here) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        shop(&mut elsewhere, 40, 6);
        let books = shop(&mut here, 0, 30);
        here.close_day(12_000);
        elsewhere.upload(&db).await;
        here.upload(&db).await;
        heard(&db, TERMINAL_B).await;
        heard(&db, TERMINAL_A).await;

        let told = sheet(&db, OFFICE_B).await;
        let of = told.parts.iter().find(|part| part.device == TERMINAL_B).expect("it stands there");
        // Line by line: what the page says, what the test wrote down, and what the ledger itself sums to.
        let lines: BTreeMap<FactId, _> = of.day.lines.iter().map(|line| (line.fact, line)).collect();
        assert_eq!(lines.len(), of.day.lines.len(), "each fact once");
        assert_eq!(lines.len() as u64, here.seq, "none is left out");
        let mut wrong = 0;
        for (fact, line) in &lines {
            let own = books.get(fact).map_or((0, 0), |written| (written.promised, written.gives));
            assert_eq!((line.promised.0, line.posted.0), own, "{fact}");
            let values = crate::store::rows::fact_id_values(*fact).to_vec();
            assert_eq!(count(&db, "given_by_fact", values).await, own.1, "{fact}: the ledger");
            let is_stray = books.contains_key(fact) && line.case.is_some();
            assert_eq!(line.explained, own.0 == own.1 || is_stray, "{fact}");
            wrong += if line.explained { 0 } else { own.0 - own.1 };
        }
        assert!(wrong > 0, "some promised too much");
        let sum = |of: fn(&Written) -> i64| Amount(books.values().map(of).sum());
        let figures = DayFigures {
            expected: 2,
            reported: 1,
            missing: 1,
            facts: here.seq,
            open_cases: 1,
            promised: sum(|of| of.promised),
            posted: sum(|of| of.gives),
            unexplained: Amount(wrong),
            cash_net: Amount::ZERO,
        };
        assert_eq!(told.figures, figures);
        let met: BTreeSet<_> =
            told.differences.iter().map(|of| (of.matter.code(), of.device, of.size)).collect();
        let own = BTreeSet::from([
            (DayMatter::Missing.code(), Some(silent), 0),
            (DayMatter::Differs.code(), Some(TERMINAL_B), wrong),
            (DayMatter::Cases.code(), None, 1),
        ]);
        assert_eq!(met, own);
        assert_eq!(count(&db, "cases_of_kind", vec![13.into()]).await, 1, "one card that nobody has");
        let kinds: Vec<u8> = told.cases.iter().map(|case| case.kind).collect();
        assert_eq!(kinds, [13], "the office where it was, whatever other office met the card too");
    })
    .await;
}

fn paid_in(terminal: &mut Terminal, seconds: i64, fen: i64, method: &str) -> FactId {
    let (amount, method) = (Amount(fen), method.to_owned());
    let paid = ToppedUp { subject: subject(1), amount, method, slip: None };
    terminal.record(seconds, Shown::Accepted, Event::ToppedUp(paid))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cash_of_a_day_stands_by_operator_and_method_as_books_kept_beside_it_have_it() {
    each(|db| async move {
        found(&db).await;
        let device = third_terminal(&db).await;
        let (mut one, mut other) = (Terminal::start(TERMINAL_B), Terminal::start(device));
        let (anna, bo) = (OperatorId([0x11; 16]), OperatorId([0x12; 16]));
        let mut books: BTreeMap<(Option<OperatorId>, &str, &str), (u64, i64)> = BTreeMap::new();
        let mut undone = Vec::new();
        for n in 0..24_i64 {
            let who = [None, Some(anna), Some(bo)][usize::try_from(n % 3).expect("small")];
            let method = if n % 4 == 1 { "wechat" } else { "cash" };
            let at = if n % 2 == 0 { &mut one } else { &mut other };
            at.operator = who;
            let fen = 1_000 + 70 * n;
            let paid = paid_in(at, 60 * n, fen, method);
            let sum = books.entry((who, method, What::ToppedUp.code())).or_default();
            *sum = (sum.0 + 1, sum.1 + fen);
            if n % 6 == 2 {
                undone.push((paid, fen, method));
            }
        }
        // Somebody else hands some of it back, at the terminal where it was paid in.
        for (at, (original, fen, method)) in (2_000..).zip(undone) {
            one.operator = Some(anna);
            let legs = vec![Leg { unit: Unit::Cny, amount: Amount(fen) }];
            let back = Reversed { original, legs, reason: "mistake".to_owned(), slip: None };
            one.record(at, Shown::Accepted, Event::Reversed(back));
            let sum = books.entry((Some(anna), method, What::TopUpUndone.code())).or_default();
            *sum = (sum.0 + 1, sum.1 + fen);
        }
        one.upload(&db).await;
        other.upload(&db).await;

        let told = sheet(&db, OFFICE_B).await;
        let mut met = BTreeMap::new();
        for line in &told.cash.lines {
            let Teller::Operator(who) = line.teller else { panic!("nobody of the desk: {line:?}") };
            assert_eq!(line.not_booked, Amount::ZERO, "{line:?}");
            met.insert((who, line.method.as_str(), line.what.code()), (line.count, line.amount.0));
        }
        assert_eq!(met, books);
        let net_of = |method: &str| -> i64 {
            let of = books.iter().filter(|(key, _)| key.1 == method);
            of.map(|(key, sum)| if key.2 == What::ToppedUp.code() { sum.1 } else { -sum.1 }).sum()
        };
        for sum in &told.cash.methods {
            assert_eq!(sum.net.0, net_of(&sum.method), "{}", sum.method);
            let account = format!("cash/{OFFICE_B}/{}", sum.method);
            let booked = -count(&db, "points", vec![account.into()]).await;
            assert_eq!(booked, sum.net.0, "{}: the ledger has as much", sum.method);
        }
        assert_eq!(told.figures.cash_net.0, net_of("cash") + net_of("wechat"));
        assert_eq!(sheet(&db, OFFICE_A).await.cash.lines, [], "nothing of it is another office's");
    })
    .await;
}
