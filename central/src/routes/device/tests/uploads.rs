//! Batches: duplicates, gaps, forks, damage, and what the receipt says.

use std::time::Duration;

use hufu_shared::act::Actor;
use hufu_shared::cbor;
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::wire::enrol::RenewRequest;
use hufu_shared::wire::problem::ProblemKind;
use hufu_shared::wire::upload::{Became, Receipt, Upload};
use hufu_shared::wire::version::{PROTO, Version};
use hyper::header::{CONTENT_LENGTH, HeaderValue};

use super::kit::{POINTS, SALON, Site, Terminal, each, request};
use crate::commands::device::{self, ReleaseArgs};
use crate::routes::device::intake::REVIEW_BYTES_MAX;
use crate::rules::posting::{attendance_cause, posting_id};
use crate::store::verify::verify;

mod forks;

async fn points(site: &Site, n: u8) -> i64 {
    site.count("points", vec![format!("member/{}/available", MemberId([n; 16])).into()]).await
}

async fn facts(site: &Site, terminal: &Terminal) -> i64 {
    site.count("facts", vec![terminal.device.0.into()]).await
}

async fn status(site: &Site, terminal: &Terminal) -> String {
    site.probe("status", vec![terminal.device.0.into()]).await[0].text(0).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn case_30_one_batch_a_thousand_times_has_one_effect() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        terminal.check_in(&site, 1);
        let upload = terminal.batch(1, 2);
        let mut link = terminal.connect(&site).await;
        let first: Receipt = link.upload(&upload).await.read();
        for _ in 1..1000 {
            let again: Receipt = link.upload(&upload).await.read();
            assert_eq!(again.result, first.result);
        }
        assert_eq!(points(&site, 1).await, POINTS);
        assert_eq!(facts(&site, &terminal).await, 2);
        assert_eq!(site.count("entries", vec!["batch".into()]).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_01_a_duplicate_delivery_has_the_same_result_and_is_only_counted() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        terminal.check_in(&site, 1);
        let upload = terminal.batch(1, 2);
        let mut link = terminal.connect(&site).await;
        let first: Receipt = link.upload(&upload).await.read();
        for _ in 0..3 {
            let again: Receipt = link.upload(&upload).await.read();
            assert_eq!(again.result, first.result);
        }
        assert_eq!(site.count("duplicates", vec![terminal.device.0.into()]).await, 3);
        assert_eq!(facts(&site, &terminal).await, 2);
    })
    .await;
}

/// What a receipt about facts that wait for a person may say: that they are durable, and nothing else.
fn is_bare(receipt: &Receipt) -> bool {
    let (result, session) = (&receipt.result, &receipt.session);
    let mark = &session.mark;
    let nothing = Version::default();
    result.dispositions.is_empty()
        && session.leases.is_empty()
        && session.commands.is_empty()
        && (mark.journal_size, mark.directory, mark.block) == (0, nothing, nothing)
}

async fn release(site: &Site, terminal: &Terminal) -> u64 {
    let reason = "looked through, all in order".to_owned();
    let args = ReleaseArgs { device: terminal.device, epoch: terminal.epoch, to_seq: None, reason };
    device::release(&site.app, Actor::Command("test".to_owned()), &args).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_26_a_revoked_terminals_facts_wait_for_a_person_and_it_learns_nothing() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        terminal.check_in(&site, 1);
        let before: Receipt = terminal.send_from(&site, 1).await;
        assert!(!is_bare(&before));
        device::revoke(&site.app, Actor::Command("test".to_owned()), terminal.device, "stolen")
            .await
            .unwrap();
        // Its open connections end first; then only facts are taken.
        tokio::time::sleep(Duration::from_secs(6)).await;
        terminal.check_in(&site, 2);
        terminal.check_in(&site, 200);
        let upload = terminal.batch(2, 4);
        let first: Receipt = terminal.connect(&site).await.upload(&upload).await.read();
        let again: Receipt = terminal.connect(&site).await.upload(&upload).await.read();
        assert!(is_bare(&first) && is_bare(&again));
        assert_eq!((&again.result, first.result.acked_seq), (&first.result, 4));
        assert_eq!(points(&site, 2).await, 0, "no effect yet");
        let row = &site.probe("became", vec![terminal.device.0.into(), 3_i64.into()]).await[0];
        assert_eq!((row.text(0).unwrap(), row.int(1).unwrap()), ("quarantined", 26));
        assert_eq!(site.probe("cases", vec![]).await[0].int(0).unwrap(), 26);
        // Beyond its quota nothing more is kept.
        let full = i64::try_from(REVIEW_BYTES_MAX).unwrap();
        site.probe_write("use_review", vec![terminal.device.0.into(), full.into()]).await;
        terminal.check_in(&site, 3);
        let answer = terminal.connect(&site).await.upload(&terminal.cloned().batch(5, 5)).await;
        assert_eq!(answer.problem().0, ProblemKind::Revoked);
        assert_eq!(facts(&site, &terminal).await, 4);
        // A person looks them through: now they count, as if they had come in time.
        assert_eq!(release(&site, &terminal).await, 2);
        assert_eq!((points(&site, 2).await, release(&site, &terminal).await), (POINTS, 0));
        let row = &site.probe("became", vec![terminal.device.0.into(), 4_i64.into()]).await[0];
        assert_eq!((row.text(0).unwrap(), row.int(1).unwrap()), ("held", 13), "the unknown card still waits");
        site.published().await;
        assert_eq!(verify(&site.app.db).await.unwrap().findings, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_22_what_an_earlier_enrolment_had_not_sent_is_taken_into_review() {
    each(|site| async move {
        let mut old = site.terminal("one").await;
        old.check_in(&site, 1);
        old.send_from(&site, 1).await;
        old.check_in(&site, 2);
        old.check_in(&site, 3);
        let code = site.invite("one", Some(old.device)).await;
        let mut new = Terminal::unenrolled();
        new.enrol(&site, &code).await.unwrap();
        assert_eq!((new.device, new.epoch), (old.device, 2));
        new.check_in(&site, 4);
        // The new enrolment delivers its own facts; what the old one had left comes over the same connection, signed
        // with the old key, straddling the old cursor; a part of it with the new key, the old one being gone.
        let mut link = new.connect(&site).await;
        let own: Receipt = link.upload(&new.batch(1, 2)).await.read();
        assert_eq!(own.result.acked_seq, 2);
        let rest: Receipt = link.upload(&old.batch(2, 3)).await.read();
        assert!(is_bare(&rest));
        let mut last = old.batch(4, 4);
        last.header.key_id = hufu_shared::chain::key_id(&new.public_key());
        new.sign(&mut last);
        let last: Receipt = link.upload(&last).await.read();
        assert_eq!(
            (rest.result.acked_seq, last.result.acked_seq, last.result.head_hash),
            (3, 4, old.hash(4))
        );
        assert_eq!((points(&site, 1).await, points(&site, 2).await), (POINTS, 0));
        assert_eq!((points(&site, 4).await, status(&site, &new).await.as_str()), (POINTS, "active"));
        // Another branch of the old enrolment is kept beside and stops nobody.
        let mut twin = old.cloned();
        twin.bodies.truncate(2);
        twin.check_in(&site, 5);
        assert_eq!(link.upload(&twin.batch(3, 3)).await.problem().0, ProblemKind::Fork);
        assert_eq!(status(&site, &new).await, "active");
        assert_eq!(site.count("branch", vec![old.device.0.into()]).await, 1);
        assert_eq!(release(&site, &old).await, 2);
        assert_eq!((points(&site, 2).await, points(&site, 3).await), (POINTS, POINTS));
        site.published().await;
        assert_eq!(verify(&site.app.db).await.unwrap().findings, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_that_narrows_its_boot_is_an_entry_of_its_own_and_others_are_none() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        terminal.check_in(&site, 1);
        let mut upload = terminal.batch(1, 2);
        let first: Receipt = terminal.connect(&site).await.upload(&upload).await.read();
        let samples = async || site.count("entries", vec!["sample".into()]).await;
        for (later_s, entries) in [(0, 0), (30, 1), (30, 1), (31, 1), (40, 2)] {
            // The same facts, said to be sent so much later on the device's own clock.
            upload.attempt.mono_ns = 60_000_000_000 + later_s * 1_000_000_000;
            let again: Receipt = terminal.connect(&site).await.upload(&upload).await.read();
            assert_eq!(again.result, first.result);
            assert_eq!(samples().await, entries, "{later_s} s later");
        }
        site.published().await;
        assert_eq!(verify(&site.app.db).await.unwrap().findings, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_18_every_retry_gives_the_identical_result_whatever_came_between() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        terminal.check_in(&site, 1);
        // A card that nobody knows, and a repeat: both stand in the receipt.
        terminal.check_in(&site, 200);
        terminal.check_in(&site, 1);
        let upload = terminal.batch(1, 4);
        let first: Receipt = terminal.connect(&site).await.upload(&upload).await.read();
        assert_eq!(first.result.dispositions.len(), 2, "{:?}", first.result.dispositions);
        assert!(first.result.dispositions.iter().any(|told| told.became == Became::Held));
        let bytes = cbor::encode(&first.result);
        // The other terminal, more facts, and the registration of the card change how things stand, not what was said.
        let mut other = site.terminal("two").await;
        other.check_in(&site, 1);
        other.send_from(&site, 1).await;
        terminal.check_in(&site, 2);
        terminal.send_from(&site, 5).await;
        let mut card = super::kit::card(200, hufu_shared::member::CardStatus::Active);
        card.member = Some(MemberId([3; 16]));
        site.act(hufu_shared::act::Act::CardsSet(vec![card])).await;
        for _ in 0..3 {
            let again: Receipt = terminal.connect(&site).await.upload(&upload).await.read();
            assert_eq!(cbor::encode(&again.result), bytes);
        }
        assert_eq!(points(&site, 3).await, POINTS, "what was held took effect");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_05_the_cursor_moves_without_gaps_and_a_batch_may_straddle_it() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        for n in 1..=9 {
            terminal.check_in(&site, n);
        }
        let mut last = 0;
        for (from, to) in [(1, 3), (2, 5), (1, 5), (6, 6), (4, 10)] {
            let upload = terminal.batch(from, to);
            let receipt: Receipt = terminal.connect(&site).await.upload(&upload).await.read();
            assert_eq!((receipt.result.acked_seq, receipt.result.head_hash), (to, terminal.hash(to)));
            let cursor = site.count("cursor", vec![terminal.device.0.into()]).await;
            assert!(cursor >= last);
            last = cursor;
        }
        assert_eq!((last, facts(&site, &terminal).await), (10, 10));
        assert_eq!(site.count("sealed", vec![terminal.device.0.into()]).await, 10, "sealed parts lie beside");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_20_a_gap_is_told_from_where_to_send_and_lost_facts_stop_the_terminal() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        for n in 1..=5 {
            terminal.check_in(&site, n);
        }
        terminal.send_from(&site, 1).await;
        for n in 1..=4 {
            terminal.check_in(&site, n);
        }
        let upload = terminal.batch(8, 10);
        let mut link = terminal.connect(&site).await;
        let (kind, problem) = link.upload(&upload).await.problem();
        assert_eq!((kind, problem.send_from), (ProblemKind::Gap, Some(7)));
        assert_eq!(facts(&site, &terminal).await, 6, "nothing is taken out of order");
        let mut lost = terminal.batch(8, 10);
        lost.attempt.oldest_held = 8;
        for _ in 0..3 {
            let (kind, problem) = link.upload(&lost).await.problem();
            assert_eq!((kind, problem.send_from), (ProblemKind::Lost, Some(7)));
        }
        assert_eq!(status(&site, &terminal).await, "lost");
        assert_eq!(site.count("entries", vec!["lost".into()]).await, 1, "said once");
        let cases: Vec<i64> =
            site.probe("cases", vec![]).await.iter().map(|row| row.int(0).unwrap()).collect();
        assert!(cases.contains(&20), "{cases:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_34_a_body_that_ends_early_has_no_effect_and_the_terminal_goes_on() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        terminal.check_in(&site, 1);
        let upload = terminal.batch(1, 2);
        let bytes = cbor::encode(&upload);
        for cut in [0, 1, 40, bytes.len() / 2, bytes.len() - 1] {
            // Shorter, with a length that says so.
            let answer =
                terminal.connect(&site).await.post("/device/v1/events", bytes[..cut].to_vec()).await.unwrap();
            let (kind, problem) = answer.problem();
            assert_eq!(kind, ProblemKind::Malformed, "{cut}: {problem:?}");
            assert!(problem.detail.contains("Upload"), "{problem:?}");
        }
        // Shorter than its length says: the connection ends, by one side or the other.
        let mut short = request("POST", "/device/v1/events")
            .body(http_body_util::Full::from(bytes[..bytes.len() - 1].to_vec()))
            .unwrap();
        let length = HeaderValue::from_str(&bytes.len().to_string()).unwrap();
        short.headers_mut().insert(CONTENT_LENGTH, length);
        let answer = terminal.connect(&site).await.send(short).await;
        assert!(answer.is_err() || !answer.unwrap().status.is_success());
        assert_eq!(facts(&site, &terminal).await, 0);
        let receipt: Receipt = terminal.connect(&site).await.upload(&upload).await.read();
        assert_eq!(receipt.result.acked_seq, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edited_and_foreign_batches_are_told_apart_and_change_nothing() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        terminal.check_in(&site, 1);
        let mut other = site.terminal("two").await;
        let good = terminal.batch(1, 2);
        type Edit = fn(&mut Upload);
        let edits: [(Edit, ProblemKind); 7] = [
            (|upload| upload.facts[1].body[20] ^= 1, ProblemKind::Chain),
            (|upload| upload.header.head_hash = Hash([1; 32]), ProblemKind::Signature),
            (|upload| upload.header.signature[10] ^= 1, ProblemKind::Signature),
            (|upload| upload.header.key_id = [1; 16], ProblemKind::Signature),
            (|upload| upload.header.count = 3, ProblemKind::Malformed),
            (|upload| drop(upload.facts.pop()), ProblemKind::Malformed),
            (|upload| upload.header.proto = 9, ProblemKind::Refused),
        ];
        let mut link = terminal.connect(&site).await;
        for (index, (edit, expected)) in edits.into_iter().enumerate() {
            let mut upload = good.clone();
            edit(&mut upload);
            let (kind, problem) = link.upload(&upload).await.problem();
            assert_eq!(kind, expected, "edit {index}: {problem:?}");
        }
        // The other terminal carries this one's batch, whole and signed.
        let answer = other.connect(&site).await.upload(&good).await;
        let (kind, problem) = answer.problem();
        assert_eq!(kind, ProblemKind::OtherDevice);
        assert!(problem.detail.contains(&terminal.device.to_string()), "{problem:?}");
        // Signed by the other's key in this one's name.
        let mut forged = terminal.batch(1, 2);
        other.sign(&mut forged);
        assert_eq!(link.upload(&forged).await.problem().0, ProblemKind::Signature);
        assert_eq!(facts(&site, &terminal).await, 0);
        assert_eq!(facts(&site, &other).await, 0);
        let receipt: Receipt = link.upload(&good).await.read();
        assert_eq!(receipt.result.acked_seq, 2);
        other.send_from(&site, 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_06_an_answer_that_is_lost_is_asked_for_again() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        terminal.check_in(&site, 1);
        let upload = terminal.batch(1, 2);
        let mut link = terminal.connect(&site).await;
        let body = cbor::encode(&upload);
        // Sent, and the line cut before the answer.
        let sent =
            tokio::time::timeout(Duration::from_millis(3), link.post("/device/v1/events", body.clone()))
                .await;
        drop(link);
        drop(sent);
        // Later, with a new nonce, and once more with all that came since.
        let mut later = upload.clone();
        later.attempt.nonce = [99; 16];
        let receipt: Receipt = terminal.connect(&site).await.upload(&later).await.read();
        assert_eq!(receipt.session.nonce, [99; 16]);
        assert_eq!(receipt.result.acked_seq, 2);
        terminal.check_in(&site, 2);
        terminal.send_from(&site, 1).await;
        assert_eq!((points(&site, 1).await, points(&site, 2).await), (POINTS, POINTS));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_49_and_threat_t07_a_captured_request_replayed_elsewhere_has_no_effect() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        terminal.check_in(&site, 1);
        let captured = cbor::encode(&terminal.batch(1, 2));
        terminal.send_from(&site, 1).await;
        terminal.check_in(&site, 2);
        terminal.send_from(&site, 3).await;
        // Without the certificate; with another's; with its own, on a new connection.
        let mut bare = site.connect(None).await.unwrap();
        let answer = bare.post("/device/v1/events", captured.clone()).await.unwrap();
        assert_eq!(answer.problem().0, ProblemKind::Unauthenticated);
        let other = site.terminal("two").await;
        let answer = other.connect(&site).await.post("/device/v1/events", captured.clone()).await.unwrap();
        assert_eq!(answer.problem().0, ProblemKind::OtherDevice);
        let answer = terminal.connect(&site).await.post("/device/v1/events", captured).await.unwrap();
        assert_eq!(answer.read::<Receipt>().result.acked_seq, 2);
        assert_eq!((points(&site, 1).await, points(&site, 2).await), (POINTS, POINTS));
        assert_eq!(facts(&site, &terminal).await, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_25_a_fact_that_cannot_be_applied_is_set_aside_and_the_rest_goes_through() {
    each(|site| async move {
        let mut terminal = site.terminal("one").await;
        // The place of the posting that the check-in of card 2 will make is taken.
        let cause = attendance_cause(MemberId([2; 16]), SALON);
        site.spoil(vec![posting_id(cause, 0).0.into(), cause.0.into(), 0.into()]).await;
        for n in 1..=3 {
            terminal.check_in(&site, n);
        }
        let upload = terminal.batch(1, 4);
        let receipt: Receipt = terminal.connect(&site).await.upload(&upload).await.read();
        assert_eq!((receipt.result.acked_seq, receipt.result.head_hash), (4, terminal.hash(4)));
        let told: Vec<_> =
            receipt.result.dispositions.iter().map(|told| (told.seq, told.became, told.kind)).collect();
        assert_eq!(told, [(3, Became::Quarantined, Some(25))]);
        assert_eq!(
            (points(&site, 1).await, points(&site, 2).await, points(&site, 3).await),
            (POINTS, 0, POINTS)
        );
        assert_eq!(
            site.count("entries", vec!["batch".into()]).await,
            1,
            "one entry lists what was set aside"
        );
        let again: Receipt = terminal.connect(&site).await.upload(&upload).await.read();
        assert_eq!(again.result, receipt.result);
        terminal.check_in(&site, 4);
        terminal.send_from(&site, 5).await;
        assert_eq!(points(&site, 4).await, POINTS, "nothing stands at the head of the queue");
    })
    .await;
}
