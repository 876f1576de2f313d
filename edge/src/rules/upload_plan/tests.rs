//! Tables of answers and what the lane makes of them.

use super::*;
use hufu_shared::ids::DeviceId;
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::{Credit, ReceiptMark, ResultPart, SessionPart};
use hufu_shared::wire::version::{CentralEpoch, Version};

const OWN: Standing = Standing { last_seq: 100, acked_seq: 40, oldest_held: 11 };
const SENT: Sent = Sent { from_seq: 41, nonce: [7; NONCE_BYTES], mono_ns: 99 };
const OURS: Hash = Hash([1; 32]);
const GOOD: Evidence = Evidence { mark_holds: true, own_hash: Some(OURS) };

fn receipt(acked_seq: u64) -> Receipt {
    Receipt {
        result: ResultPart { acked_seq, head_hash: OURS, dispositions: Vec::new() },
        session: SessionPart {
            nonce: SENT.nonce,
            mono_ns: SENT.mono_ns,
            central_time: Instant(0),
            credit: Credit { max_facts: 200, next_poll_ms: 250 },
            leases: Vec::new(),
            commands: Vec::new(),
            mark: ReceiptMark {
                central_epoch: CentralEpoch { n: 1, bits: 2 },
                journal_size: 1,
                journal_head: Hash([0; 32]),
                device: DeviceId([0; 16]),
                acked_seq,
                directory: Version::default(),
                block: Version::default(),
                leases: Vec::new(),
                signature: Vec::new(),
            },
        },
    }
}

fn gap(send_from: u64) -> Problem {
    Problem { send_from: Some(send_from), ..ProblemKind::Gap.problem("cursor") }
}

fn from_seq(lane: &Lane, standing: &Standing) -> Option<u64> {
    match lane.plan(standing) {
        Plan::Send { from_seq, .. } => Some(from_seq),
        Plan::Idle | Plan::Stopped => None,
    }
}

#[test]
fn a_lane_sends_what_has_no_receipt_and_then_rests() {
    let lane = Lane::default();
    let plan = Plan::Send { from_seq: 41, facts_max: BATCH_FACTS_MAX, bytes_max: BATCH_BYTES_MAX };
    assert_eq!(lane.plan(&OWN), plan);
    assert_eq!(lane.plan(&Standing { acked_seq: 100, ..OWN }), Plan::Idle);
    assert_eq!(lane.plan(&Standing { last_seq: 0, acked_seq: 0, oldest_held: 1 }), Plan::Idle);
}

#[test]
fn a_lane_that_went_back_sends_from_the_oldest_fact_held_when_the_earlier_ones_were_pruned() {
    let mut lane = Lane::default();
    assert_eq!(lane.problem(&SENT, &gap(20), &OWN), Verdict::Resend);
    assert_eq!(from_seq(&lane, &OWN), Some(20));
    assert_eq!(from_seq(&lane, &Standing { oldest_held: 31, ..OWN }), Some(31));
}

#[test]
fn a_good_receipt_is_taken_and_its_credit_kept() {
    let mut lane = Lane::default();
    assert_eq!(lane.receipt(&SENT, &receipt(60), &OWN, &GOOD), Verdict::Take { next_poll_ms: 250 });
    let after = Standing { acked_seq: 60, ..OWN };
    assert_eq!(lane.plan(&after), Plan::Send { from_seq: 61, facts_max: 200, bytes_max: BATCH_BYTES_MAX });
    let mut none = receipt(70);
    none.session.credit.max_facts = 0;
    let sent = Sent { from_seq: 61, ..SENT };
    assert_eq!(lane.receipt(&sent, &none, &after, &GOOD), Verdict::Take { next_poll_ms: 250 });
    assert!(
        matches!(lane.plan(&OWN), Plan::Send { facts_max: 1, .. }),
        "nothing may stop a queue but a stop"
    );
}

#[test]
fn inv_07_a_receipt_with_another_head_stops_and_keeps_the_queue() {
    let mut lane = Lane::default();
    let theirs = Hash([2; 32]);
    let mut wrong = receipt(60);
    wrong.result.head_hash = theirs;
    let stop = Stop::Head { seq: 60, ours: OURS, theirs };
    assert_eq!(lane.receipt(&SENT, &wrong, &OWN, &GOOD), Verdict::Stopped(stop.clone()));
    assert_eq!(lane.stopped(), Some(&stop));
    assert_eq!(lane.plan(&OWN), Plan::Stopped);
}

#[test]
fn threat_t06_receipts_that_prove_nothing_are_never_taken() {
    let mut other_nonce = receipt(60);
    other_nonce.session.nonce = [8; NONCE_BYTES];
    let mut other_time = receipt(60);
    other_time.session.mono_ns += 1;
    for stale in [other_nonce, other_time] {
        let mut lane = Lane::default();
        assert!(matches!(lane.receipt(&SENT, &stale, &OWN, &GOOD), Verdict::Retry(_)));
        assert_eq!(from_seq(&lane, &OWN), Some(41), "the same batch again");
    }
    let unsigned = Evidence { mark_holds: false, ..GOOD };
    assert_eq!(Lane::default().receipt(&SENT, &receipt(60), &OWN, &unsigned), Verdict::Stopped(Stop::Mark));
    let ahead = Stop::Ahead { acked_seq: 101, last_seq: 100 };
    assert_eq!(Lane::default().receipt(&SENT, &receipt(101), &OWN, &GOOD), Verdict::Stopped(ahead));
    let pruned = Evidence { own_hash: None, ..GOOD };
    assert!(matches!(Lane::default().receipt(&SENT, &receipt(60), &OWN, &pruned), Verdict::Retry(_)));
}

#[test]
fn kind_20_a_gap_is_filled_from_where_the_centre_stands() {
    let mut lane = Lane::default();
    assert_eq!(lane.problem(&SENT, &gap(21), &OWN), Verdict::Resend);
    assert_eq!(from_seq(&lane, &OWN), Some(21));
    // The restored centre takes some; the rest follows though the journal has receipts for it.
    let sent = Sent { from_seq: 21, ..SENT };
    assert_eq!(lane.receipt(&sent, &receipt(30), &OWN, &GOOD), Verdict::Take { next_poll_ms: 250 });
    assert_eq!(from_seq(&lane, &OWN), Some(31));
    let sent = Sent { from_seq: 31, ..SENT };
    assert_eq!(lane.receipt(&sent, &receipt(55), &OWN, &GOOD), Verdict::Take { next_poll_ms: 250 });
    assert_eq!(from_seq(&lane, &Standing { acked_seq: 55, ..OWN }), Some(56));
}

#[test]
fn kind_20_a_gap_that_cannot_be_filled_stops_and_a_senseless_one_waits() {
    let lost = Stop::Lost { send_from: 10, oldest_held: 11 };
    assert_eq!(Lane::default().problem(&SENT, &gap(10), &OWN), Verdict::Stopped(lost));
    let ahead = Stop::Ahead { acked_seq: 149, last_seq: 100 };
    assert_eq!(Lane::default().problem(&SENT, &gap(150), &OWN), Verdict::Stopped(ahead));
    for send_from in [0, 41, 60] {
        let mut lane = Lane::default();
        assert!(matches!(lane.problem(&SENT, &gap(send_from), &OWN), Verdict::Retry(_)), "{send_from}");
        assert_eq!(from_seq(&lane, &OWN), Some(41));
    }
    let silent = ProblemKind::Gap.problem("no number");
    assert!(matches!(Lane::default().problem(&SENT, &silent, &OWN), Verdict::Retry(_)));
}

#[test]
fn kind_21_what_only_a_person_can_settle_stops_the_lane() {
    let detail = || "centre's words".to_owned();
    let table = [
        (ProblemKind::Fork, Stop::Fork { detail: detail() }),
        (ProblemKind::Lost, Stop::Lost { send_from: 0, oldest_held: 11 }),
        (ProblemKind::Revoked, Stop::Revoked { detail: detail() }),
        (ProblemKind::Epoch, Stop::Epoch { detail: detail() }),
        (ProblemKind::OtherDevice, Stop::OtherDevice { detail: detail() }),
    ];
    for (kind, stop) in table {
        let mut lane = Lane::default();
        assert_eq!(lane.problem(&SENT, &kind.problem("centre's words"), &OWN), Verdict::Stopped(stop));
        assert_eq!(lane.plan(&OWN), Plan::Stopped);
    }
}

#[test]
fn other_problems_are_tried_again_and_a_large_batch_is_halved() {
    let kinds = [
        ProblemKind::Malformed,
        ProblemKind::Signature,
        ProblemKind::Chain,
        ProblemKind::Unauthenticated,
        ProblemKind::Busy,
        ProblemKind::Internal,
        ProblemKind::Refused,
    ];
    for kind in kinds {
        let verdict = Lane::default().problem(&SENT, &kind.problem("why"), &OWN);
        assert!(matches!(&verdict, Verdict::Retry(text) if text.ends_with("why")), "{kind:?}: {verdict:?}");
    }
    let mut lane = Lane::default();
    for _ in 0..8 {
        assert_eq!(lane.problem(&SENT, &ProblemKind::TooLarge.problem("413"), &OWN), Verdict::Resend);
    }
    assert!(matches!(lane.plan(&OWN), Plan::Send { facts_max: 1, .. }));
    let last = lane.problem(&SENT, &ProblemKind::TooLarge.problem("413"), &OWN);
    assert!(matches!(last, Verdict::Retry(_)), "a single fact that is too large is tried again, slowly");
}

#[test]
fn a_centre_that_takes_nothing_is_not_asked_in_a_tight_circle() {
    let mut lane = Lane::default();
    assert!(matches!(lane.receipt(&SENT, &receipt(40), &OWN, &GOOD), Verdict::Retry(_)));
    assert_eq!(from_seq(&lane, &OWN), Some(41));
    assert!(matches!(lane.receipt(&SENT, &receipt(12), &OWN, &GOOD), Verdict::Retry(_)));
    assert_eq!(from_seq(&lane, &OWN), Some(13));
}

#[test]
fn case_37_a_slow_line_gets_smaller_batches_until_one_comes_through() {
    let mut lane = Lane::default();
    assert!(!lane.timed_out(), "a single lost answer is asked for again as it was");
    assert!(lane.timed_out() && lane.timed_out());
    assert!(matches!(lane.plan(&OWN), Plan::Send { facts_max: 125, .. }));
    assert_eq!(lane.receipt(&SENT, &receipt(60), &OWN, &GOOD), Verdict::Take { next_poll_ms: 250 });
    assert!(matches!(lane.plan(&OWN), Plan::Send { facts_max: 200, .. }), "the centre's credit again");
    assert!(!lane.timed_out());
    let shrunk = (0..20).filter(|_| lane.timed_out()).count();
    assert_eq!(shrunk, 7, "never below one fact");
}

#[test]
fn why_uploading_stopped_is_known_again_from_its_words() {
    let detail = || "seq 7".to_owned();
    for stop in [
        Stop::Fork { detail: detail() },
        Stop::Lost { send_from: 3, oldest_held: 9 },
        Stop::Revoked { detail: detail() },
        Stop::Epoch { detail: detail() },
        Stop::OtherDevice { detail: detail() },
        Stop::Mark,
    ] {
        assert_eq!(Stop::recalled(&stop.to_string()), stop);
    }
    let ahead = Stop::Ahead { acked_seq: 9, last_seq: 3 };
    assert_eq!(Stop::recalled(&ahead.to_string()), Stop::Mark, "the receipt's fault all the same");
}
