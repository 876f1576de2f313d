//! `verify` against honest books and against books that somebody changed.

use super::kit::{
    NOON, SALON, TERMINAL_A, TERMINAL_B, Terminal, act, card, found, member, probe, third_terminal,
};
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, SqlFile, Value};
use crate::rules::posting::case_id;
use crate::store::verify::{Verification, verify};
use crate::store::{StoreError, journal};
use hufu_shared::act::{Act, CaseDecided, Pin, PinOutcome, Verdict};
use hufu_shared::ids::Hash;
use hufu_shared::time::SECOND_US;

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

async fn story(db: &Db) {
    found(db).await;
    let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
    a.check_in(0, 1);
    a.purchase(10, 1, 32_000, 6);
    a.purchase(20, 1, 32_000, 6);
    b.check_in(300, 1);
    b.purchase(310, 9, 10_000, 2);
    b.upload(db).await;
    a.upload(db).await;
    a.close_day(400);
    a.upload(db).await;
    act(db, 70, NOON, Act::CardsSet(vec![card(9, Some(member(2)))])).await;
    while db.write(journal::publish).await.expect("publish") > 0 {}
}

async fn change(db: &Db, name: &'static str, values: Vec<Value>) {
    let changed: Result<u64, StoreError> =
        db.write(move |tx| Ok(tx.execute(PROBE.get(name), &values)?)).await;
    assert!(changed.expect("change") > 0, "{name} changes something");
}

fn assert_named(found: &Verification, what: &str) {
    assert!(
        found.findings.iter().any(|finding| finding.contains(what)),
        "{what} expected in {:#?}",
        found.findings
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_08_replaying_the_journal_gives_the_same_rows() {
    each(|db| async move {
        story(&db).await;
        let found = verify(&db).await.expect("readable");
        assert_eq!(found.findings, Vec::<String>::new());
        assert_eq!(found.facts, 8);
        assert!(found.rows > 40, "{found:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_08_a_service_that_goes_on_beside_the_check_is_no_finding() {
    each(|db| async move {
        story(&db).await;
        let at_work = tokio::spawn({
            let db = db.clone();
            async move {
                let mut c = Terminal::start(third_terminal(&db).await);
                for n in 0..40 {
                    c.purchase(1_000 + 10 * n, 1, 32_000, 6);
                    c.upload(&db).await;
                    if n % 3 == 0 {
                        db.write(journal::publish).await.expect("publish");
                    }
                }
            }
        });
        let mut looks = 0;
        while !at_work.is_finished() || looks == 0 {
            let found = verify(&db).await.expect("readable");
            assert_eq!(found.findings, Vec::<String>::new(), "at look {looks}");
            looks += 1;
        }
        at_work.await.expect("the terminal's work went well");
        // The last entries have no number yet.
        let found = verify(&db).await.expect("readable");
        assert_eq!((found.findings, found.facts), (Vec::new(), 49));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_t12_a_changed_balance_is_named() {
    each(|db| async move {
        story(&db).await;
        change(&db, "add_to_balance", vec![]).await;
        let found = verify(&db).await.expect("readable");
        assert_named(&found, &format!("balance member/{}/available PTS: stands at", member(1)));
        assert_named(&found, "ledger: all accounts in PTS sum to");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_t12_a_deleted_posting_is_named() {
    each(|db| async move {
        story(&db).await;
        change(&db, "drop_posting", vec![]).await;
        let found = verify(&db).await.expect("readable");
        assert_named(&found, "posting ");
        assert_named(&found, "is missing, the journal gives");
        assert_named(&found, "its postings sum to");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_t12_an_edited_byte_of_a_fact_is_named_in_the_table_and_in_the_journal() {
    each(|db| async move {
        story(&db).await;
        let mut body = probe(&db, "a_fact_body", vec![]).await[0].blob(0).expect("body").to_vec();
        body[10] ^= 1;
        change(&db, "change_fact_body", vec![body.clone().into()]).await;
        let found = verify(&db).await.expect("readable");
        assert_named(&found, &format!("fact {TERMINAL_A}/1/"));
        assert_named(&found, "its bytes do not give its stored hash");

        change(&db, "change_entry_body", vec![body.into()]).await;
        let found = verify(&db).await.expect("readable");
        assert_named(&found, "was changed: its bytes give the hash");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_the_core_prepares_on_both_engines() {
    static FILES: &[&SqlFile] =
        &[&journal::SQL, &crate::store::world::SQL, &crate::store::outcome::SQL, &PROBE];
    prepare_all(FILES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_08_a_replay_agrees_however_the_engine_orders_its_rows() {
    each(|db| async move {
        found(&db).await;
        let third = third_terminal(&db).await;
        let (mut a, mut b, mut c) =
            (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B), Terminal::start(third));
        let seen = [b.check_in(2000, 1), a.check_in(1000, 1), a.check_in(4000, 1), c.check_in(500, 1)];
        b.upload(&db).await;
        a.upload(&db).await;
        // An update of one row moves it behind its neighbour in an engine that keeps versions.
        c.upload(&db).await;
        let pins = seen.map(|fact| Pin { fact, outcome: PinOutcome::DoesNotCount }).to_vec();
        let case = case_id(27, &[&member(1).0, &SALON.0]);
        let decided = CaseDecided { case, verdict: Verdict::Reverse, pins, reason: Hash([0; 32]) };
        act(&db, 52, NOON.offset(9 * 3600 * SECOND_US), Act::CaseDecided(decided)).await;
        while db.write(journal::publish).await.expect("publish") > 0 {}
        assert_eq!(verify(&db).await.expect("readable").findings, Vec::<String>::new());
    })
    .await;
}
