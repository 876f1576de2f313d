//! Member codes at the scanner: taken once, by their time, by the centre's signature.

use hufu_shared::fact::Event as FactEvent;
use hufu_shared::member_code::{CodeNonce, MemberCode};
use hufu_shared::time::{ClockQuality, SECOND_US};
use hufu_shared::token::MediumKind;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed")
}

/// A desk that trusts the key of seed 1.
fn trusting() -> Desktop {
    let mut desk = desktop();
    let public = pair(1).public_key().as_ref().try_into().expect("32 bytes");
    desk.dispatch.centre_key = Some(public);
    desk
}

/// The code of test member `n`'s card, made `age_s` seconds ago and signed by the key of a seed.
fn code(desk: &Desktop, n: u8, nonce: u8, age_s: i64, seed: u8) -> String {
    let made_at = desk.dispatch.clock.now().trusted.offset(-age_s * SECOND_US);
    let code = MemberCode { token: subject(n).token, made_at, nonce: CodeNonce([nonce; 8]) };
    let signature = pair(seed).sign(&code.message(desk.dispatch.core.terminal().club));
    code.text(signature.as_ref().try_into().expect("64 bytes"))
}

fn scan(desk: &mut Desktop, line: &str) -> Vec<Face> {
    let presented = Read {
        source: SourceId::new(1, "reader"),
        medium: Medium::Line(line.to_owned()),
        evidence: Evidence::Scan,
        at_ns: desk.hands.mono_ns(),
    };
    desk.handle(Event::Card(CardEvent::Presented(presented)));
    desk.shown().into_iter().map(|(face, _)| face).collect()
}

fn refused(reason: RefusalReason) -> Vec<Face> {
    vec![Face::Outcome(Outcome::Refused(reason))]
}

#[test]
fn a_code_stands_for_the_members_card_once() {
    let mut desk = trusting();
    let first = code(&desk, 2, 1, 5, 1);
    assert_eq!(scan(&mut desk, &first), [Face::Outcome(Outcome::Accepted)]);
    let facts = desk.facts();
    let FactEvent::Visited(seen) = &facts.last().expect("one").event else { panic!("{facts:?}") };
    assert_eq!((seen.subject.token, seen.subject.medium), (subject(2).token, MediumKind::MemberCode));
    assert_eq!(seen.subject.member, Some(member_row(2).member));
    assert_eq!(seen.subject.code, Some(CodeNonce([1; 8])), "for the centre to see a copy by");
    // The phone stays in view: one presentation. Shown again later, by whomever: refused.
    assert_eq!(scan(&mut desk, &first), []);
    desk.wait(3);
    assert_eq!(scan(&mut desk, &first), refused(RefusalReason::R06));
    desk.wait(3);
    let next = code(&desk, 2, 2, 5, 1);
    assert_ne!(scan(&mut desk, &next), refused(RefusalReason::R06));
}

#[test]
fn threat_t07_a_code_that_is_over_forged_or_spoiled_is_refused() {
    let mut desk = trusting();
    let spoiled = code(&desk, 2, 1, 5, 1).replace("HM1A", "HM1B");
    let good = code(&desk, 2, 1, 5, 1);
    let table = [
        (code(&desk, 2, 3, 400, 1), RefusalReason::R02),
        (code(&desk, 2, 4, -400, 1), RefusalReason::R09),
        (code(&desk, 2, 5, 5, 2), RefusalReason::R08),
        (good[..150].to_owned(), RefusalReason::R08),
        (spoiled, RefusalReason::R08),
    ];
    for (n, (line, reason)) in table.into_iter().enumerate() {
        if line == good {
            // The token's first character happens to be another: nothing was spoiled.
            continue;
        }
        assert_eq!(scan(&mut desk, &line), refused(reason), "row {n}");
        desk.wait(20);
    }
    // Without the centre's key there are no codes.
    desk.dispatch.centre_key = None;
    let line = code(&desk, 2, 9, 5, 1);
    assert_eq!(scan(&mut desk, &line), refused(RefusalReason::R08));
}

#[test]
fn with_a_clock_in_doubt_a_code_serves_for_being_seen_and_never_for_value() {
    let desk = trusting();
    let line = code(&desk, 2, 1, 86_400, 1);
    let fresh = code(&desk, 2, 2, 5, 1);
    let key = desk.dispatch.centre_key;
    let now = Now { quality: ClockQuality::Floor, ..desk.dispatch.clock.now() };
    let core = &desk.dispatch.core;
    let take = |line: &str, purpose: &Purpose| {
        format!("{:?}", core.take_code(line, key.as_ref(), purpose, &now).expect("written"))
    };
    assert!(take(&line, &Purpose::Visit).contains("Over"), "the floor is past it");
    assert!(take(&fresh, &Purpose::Earn(Amount(100))).contains("Early"));
    assert!(take(&fresh, &Purpose::Visit).starts_with("Card"), "it was not spent by the refusal");
    assert!(take(&fresh, &Purpose::Visit).contains("Used"));
}
