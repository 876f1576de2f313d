//! Versions of the scheme for some offices and kinds of members, on both databases: what a terminal promises by them is
//! what the ledger posts, and of whom nobody could tell the kind the centre reckons without a case.

use hufu_shared::act::{Act, MemberDetailSet};
use hufu_shared::ids::{FactId, Hash};
use hufu_shared::money::Amount;
use hufu_shared::scheme::choose::{At, depends_on_kind, terms_in_force};
use hufu_shared::scheme::ready::figures::{SCOPED, SCOPED_FEN, scoped};
use hufu_shared::time::{Day, Instant, SECOND_US};

use super::earned::{applied, buy, give_back, rules};
use super::kit::*;
use super::stock::replays;
use super::value::sums_hold;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::reconcile::DayState;
use crate::store::{details, reconcile};

/// The business day of noon.
const TODAY: Day = Day(20_779);
const HOUR_US: i64 = 3_600 * SECOND_US;

/// Sets the kind of a member.
async fn becomes(db: &Db, n: u8, of: u8, at: Instant, kind: &str) {
    let set = MemberDetailSet {
        member: member(of),
        kind: kind.to_owned(),
        referrer: None,
        representative: None,
        tags: None,
        reason: Hash([5; 32]),
    };
    act(db, n, at, Act::MemberDetailSet(set)).await;
}

/// The club of the figures: office B has versions of its own, member 2 is a dealer and member 3 an OTA guest.
async fn club(db: &Db) {
    let mut versions = scoped(OFFICE_B).into_iter();
    found_with(db, versions.next().expect("the one for all")).await;
    for (n, terms) in (60..).zip(versions) {
        act(db, n, NOON.offset(-20 * HOUR_US), Act::SchemeSet(terms)).await;
    }
    becomes(db, 70, 2, NOON.offset(-19 * HOUR_US), "dealer").await;
    becomes(db, 71, 3, NOON.offset(-19 * HOUR_US), "ota").await;
}

/// A purchase of the figures as a terminal takes it that holds all versions and the kind of the member; with the version
/// and the points that it promises.
fn buys(at: &mut Terminal, seconds: i64, n: u8, kind: &str) -> (FactId, u32, i64) {
    let office = if at.device == TERMINAL_B { OFFICE_B } else { OFFICE_A };
    let versions = scoped(OFFICE_B);
    let terms = terms_in_force(&versions, At { day: TODAY, office }, kind).expect("one of them");
    let rate = terms.earn.expect("a plain rate");
    let promised = SCOPED_FEN / rate.per_fen * rate.points;
    at.scheme = terms.version;
    (buy(at, seconds, n, SCOPED_FEN, (None, promised)), terms.version, promised)
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_17_what_terminals_promise_by_a_version_with_a_scope_is_posted_by_it() {
    each(|db| async move {
        club(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let mut bought = Vec::new();
        for figure in SCOPED {
            let n = [("", 1), ("dealer", 2), ("ota", 3)].into_iter().find(|row| row.0 == figure.kind);
            let n = n.expect("a member of the kind").1;
            // Nobody can be at both offices within minutes.
            let (at, hours) = if figure.at_own_office { (&mut b, 5) } else { (&mut a, 1) };
            let (id, version, promised) = buys(at, hours * 3_600 + i64::from(n) * 60, n, figure.kind);
            assert_eq!((version, promised), (figure.version, figure.gives), "{figure:?}");
            bought.push((figure, id));
        }
        for terminal in [&mut b, &mut a] {
            terminal.upload(&db).await;
        }
        for (figure, id) in bought {
            assert_eq!(standing(&db, id).await, applied(), "{figure:?}");
            let by = vec![("S2".to_owned(), i64::from(figure.version))];
            assert_eq!(rules(&db, id).await, by, "{figure:?}");
        }
        for (n, has) in [(1, 6 + 9), (2, 15 + 21), (3, 6 + 9)] {
            assert_eq!(points(&db, n).await, has, "member {n}");
        }
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        sums_hold(&db).await;
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_17_of_whom_a_terminal_cannot_tell_the_kind_the_centre_reckons_without_a_case() {
    each(|db| async move {
        club(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        assert!(depends_on_kind(&scoped(OFFICE_B), At { day: TODAY, office: OFFICE_A }));
        let silent = buy(&mut a, 0, 2, SCOPED_FEN, (None, 0));
        let wrong = buy(&mut a, 600, 3, SCOPED_FEN, (None, 6));
        a.scheme = 3;
        let mistaken = buy(&mut a, 1_200, 1, SCOPED_FEN, (None, 15));
        a.upload(&db).await;
        assert_eq!((points(&db, 2).await, standing(&db, silent).await), (15, applied()), "as a dealer");
        assert_eq!(rules(&db, silent).await, [("S2".to_owned(), 3)]);
        assert_eq!((points(&db, 3).await, standing(&db, wrong).await), (6, applied()), "as for all");
        // A promise by a version that is for others is another matter: two sides disagree.
        let again = ("applied_with_case".to_owned(), Some(17));
        assert_eq!((points(&db, 1).await, standing(&db, mistaken).await), (6, again));
        // A day on which nothing could be promised agrees with the ledger all the same.
        let mut b = Terminal::start(TERMINAL_B);
        b.scheme = 2;
        buy(&mut b, 20_000, 2, SCOPED_FEN, (None, 0));
        b.close_day(20_600);
        b.upload(&db).await;
        assert_eq!(points(&db, 2).await, 15 + 21);
        let day = db.read(|tx| reconcile::day(tx, TERMINAL_B, TODAY)).await.expect("readable");
        assert_eq!((day.state, day.promised, day.posted), (DayState::Agrees, Amount(0), Amount(21)));
        // What comes back of it is measured by what it gave.
        give_back(&mut a, 25_000, silent, 5);
        a.upload(&db).await;
        assert_eq!(points(&db, 2).await, 10 + 21);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_17_what_was_bought_before_a_member_became_of_another_kind_stays_as_it_was() {
    each(|db| async move {
        club(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let (before, ..) = buys(&mut a, 0, 1, "");
        becomes(&db, 72, 1, NOON.offset(600 * SECOND_US), "dealer").await;
        let (unheard, ..) = buys(&mut a, 4_000, 1, "");
        let (after, ..) = buys(&mut a, 8_000, 1, "dealer");
        a.upload(&db).await;
        assert_eq!(standing(&db, before).await, applied());
        let honoured = ("applied_with_case".to_owned(), Some(17));
        assert_eq!(standing(&db, unheard).await, honoured, "the terminal had not heard of it");
        assert_eq!(standing(&db, after).await, applied());
        assert_eq!(points(&db, 1).await, 6 + 6 + 15);
        // Judged again much later, by the kind of then.
        give_back(&mut a, 9_000, before, 2);
        a.upload(&db).await;
        assert_eq!(rules(&db, before).await, [("S2".to_owned(), 1)]);
        assert_eq!(points(&db, 1).await, 4 + 6 + 15);
        let kinds = db.read(|tx| details::kinds(tx, member(1))).await.expect("read");
        assert_eq!((kinds.at(NOON), kinds.at(NOON.offset(HOUR_US))), ("", "dealer"));
        sums_hold(&db).await;
        replays(&db).await;
    })
    .await;
}
