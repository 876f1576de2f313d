//! What the centre pushes and a terminal must not take: garbled, half sent, or older than what it holds.

use std::time::Duration;

use hufu_shared::cbor;
use hufu_shared::ids::OfficeId;
use hufu_shared::member::{CardStatus, DirectoryRow};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::choose::At;
use hufu_shared::time::Day;
use hufu_shared::wire::directory::Delta;

use super::bench::Bench;
use super::ca::CLUB;
use super::centre::{Reply, Seen};
use super::download::{card, holds, refresh, shelf, two_chunks, v};
use super::model::play;
use crate::sync::task::spawn;

/// The club's rules with another length of the window in which a second tap is a repeat.
fn rules(version: u32, window_s: u32) -> DirectoryRow {
    let mut terms = SchemeTerms::property_club(version, Day(0));
    terms.repeat_window_s = window_s;
    DirectoryRow::Scheme(terms)
}

fn delta(to: u64, rows: Vec<DirectoryRow>) -> Delta {
    Delta { club: CLUB, from: v(5), to: v(to), rows, more: false, take_snapshot: false }
}

#[tokio::test]
async fn case_81_rules_that_come_garbled_half_sent_or_older_leave_the_last_good_ones_and_are_reported() {
    let bad = vec![rules(2, 1), card(7, CardStatus::Void)];
    let whole = cbor::encode(&delta(6, bad.clone()));
    let mut garbled = whole.clone();
    garbled.truncate(whole.len() - 3);
    let older = cbor::encode(&delta(4, bad));
    let cases = [
        ("garbled", Reply::Bytes(garbled), true),
        ("half sent", Reply::Truncated(whole), false),
        ("older", Reply::Bytes(older), true),
    ];
    for (what, reply, is_said) in cases {
        let bench = Bench::new();
        let [mut rows, more] = two_chunks();
        rows.push(rules(1, 30));
        refresh(&bench, &shelf(&bench, v(5), &[rows, more]), v(5)).await.expect("the good ones");
        bench.model.lock().expect("no panic before").directory = v(6);
        let mut inner = play(&bench.model);
        let played = bench
            .play(move |seen: &Seen| match seen.path.as_str() {
                path if path.starts_with("/device/v1/directory") => reply.clone(),
                _ => inner(seen),
            })
            .await;
        let _tasks = spawn(bench.parts(&played)).await.expect("running");
        let asked = || played.seen_at("/device/v1/directory").len();
        let said = || bench.run.link.borrow().refused.is_some();
        for _ in 0..3_000 {
            if asked() >= 2 && said() == is_said {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(asked() >= 2, "{what}: it is asked for again");
        assert_eq!(
            said(),
            is_said,
            "{what}: staff see it on the status page; a line that broke is only retried"
        );
        assert_eq!((bench.directory.version(), holds(&bench, 7)), (v(5), Some(CardStatus::Active)), "{what}");
        let small = bench.directory.small();
        let at = At { day: Day(30_000), office: OfficeId([1; 16]) };
        let terms = small.scheme(at, "").expect("rules");
        assert_eq!((terms.version, terms.repeat_window_s), (1, 30), "{what}: the last good rules stand");
    }
}
