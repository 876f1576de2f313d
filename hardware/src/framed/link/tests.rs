//! The line in time: answers, repeats, silence, rubbish.

use super::*;
use proptest::prelude::*;

const MS: u64 = NS_PER_MS;
const DIALECT: Dialect = Dialect::Ascii;

fn words(outcome: &Outcome) -> String {
    let mut words: Vec<String> = Vec::new();
    if !outcome.write.is_empty() {
        let shown = outcome.write.iter().map(|b| match b {
            6 => "<ack>".to_owned(),
            0x15 => "<nak>".to_owned(),
            2 => "<".to_owned(),
            3 => ">".to_owned(),
            other => char::from(*other).to_string(),
        });
        words.push(format!("write {}", shown.collect::<String>()));
    }
    words.extend(outcome.heard.iter().map(|heard| match heard {
        Heard::Read(Ok((Medium::Stripe { number, .. }, _))) => format!("stripe {number}"),
        Heard::Read(Ok(_)) => "read".into(),
        Heard::Read(Err(kind)) => format!("not read {kind:?}"),
        Heard::Entered(Entry::Number(number)) => format!("number {number}"),
        Heard::Entered(entry) => format!("{entry:?}"),
        Heard::NotEntered(kind) => format!("not entered {kind:?}"),
        Heard::Back => "back".into(),
        Heard::Silent => "silent".into(),
    }));
    words.join(", ")
}

/// A link whose first question was answered.
fn answered() -> Link {
    let mut link = Link::new(DIALECT, 0);
    assert_eq!(words(&link.tick(1)), format!("write <0020Q>{}", lrc_of("0020Q")));
    assert_eq!(words(&link.push(&[ACK], 2)), "");
    link
}

fn lrc_of(body: &str) -> String {
    format!("{:02X}", body.bytes().chain([3]).fold(0, |sum, byte| sum ^ byte))
}

fn from(sequence: u8, command: u8, data: &[u8]) -> Vec<u8> {
    frame(DIALECT, sequence, command, data)
}

#[test]
fn stripes_keys_and_amounts_come_in() {
    let mut link = answered();
    assert_eq!(words(&link.push(&from(b'0', b'T', b";80001234?"), 10 * MS)), "write <ack>, stripe 80001234");
    assert_eq!(words(&link.push(&from(b'1', b'S', b""), 20 * MS)), "write <ack>, not read Malformed");
    let bank = from(b'2', b'T', b";6225880012345675=2512101?");
    assert_eq!(words(&link.push(&bank, 30 * MS)), "write <ack>, not read PaymentCard");
    assert_eq!(words(&link.push(&from(b'3', b'A', b"1250"), 40 * MS)), "write <ack>, Amount(1250)");
    for (sequence, key) in (b'0'..).zip(b"8000E") {
        let met = words(&link.push(&from(sequence, b'K', &[*key]), 50 * MS));
        let expected = if *key == b'E' { "write <ack>, number 8000" } else { "write <ack>" };
        assert_eq!(met, expected);
    }
    assert_eq!(words(&link.push(&from(b'9', b'Z', b"newer"), 60 * MS)), "write <ack>");
}

#[test]
fn a_frame_that_comes_again_is_answered_and_not_taken_twice() {
    let mut link = answered();
    let amount = from(b'4', b'A', b"500");
    assert_eq!(words(&link.push(&amount, 10 * MS)), "write <ack>, Amount(500)");
    assert_eq!(words(&link.push(&amount, 510 * MS)), "write <ack>");
    // Switched off and on: it begins its count anew.
    assert_eq!(words(&link.push(&from(b'4', b'R', b"POS-1"), 900 * MS)), "write <ack>");
    assert_eq!(words(&link.push(&from(b'5', b'A', b"500"), 910 * MS)), "write <ack>, Amount(500)");
}

#[test]
fn prompts_are_repeated_and_then_given_up() {
    let mut link = answered();
    link.send(Command::Prompt { line: 1, text: "OK\n".into() });
    link.send(Command::Beep(Beep::Accepted));
    let prompt = format!("write <0071P14F4B>{}", lrc_of("0071P14F4B"));
    assert_eq!(words(&link.tick(10 * MS)), prompt);
    assert_eq!(words(&link.push(&[NAK], 20 * MS)), prompt);
    assert_eq!(words(&link.tick(519 * MS)), "");
    assert_eq!(words(&link.tick(520 * MS)), prompt);
    let beep = words(&link.push(&[ACK], 530 * MS));
    assert_eq!(beep, format!("write <0032B1>{}", lrc_of("0032B1")));
    assert_eq!(words(&link.tick(1_030 * MS)), beep);
    assert_eq!(words(&link.tick(1_530 * MS)), beep);
    assert_eq!(words(&link.tick(2_030 * MS)), "silent");
    // Asked again every five seconds, told once, and back at the first sign of life.
    assert!(words(&link.tick(7_030 * MS)).starts_with("write <0023Q>"));
    for at in [7_530, 8_030, 8_530] {
        assert!(!words(&link.tick(at * MS)).contains("silent"));
    }
    assert_eq!(words(&link.push(&from(b'7', b'A', b"5"), 9_000 * MS)), "write <ack>, back, Amount(5)");
}

#[test]
fn case_72_a_megabyte_of_rubbish_is_answered_once() {
    let mut link = answered();
    let rubbish: Vec<u8> = (0..1_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .filter(|byte| ![ACK, NAK].contains(byte))
        .collect();
    let naks = link.push(&rubbish, 10 * MS).write.iter().filter(|byte| **byte == NAK).count();
    assert!(naks <= 1, "{naks}");
    link.tick(400 * MS);
    assert_eq!(words(&link.push(&from(b'1', b'A', b"7"), 500 * MS)), "write <ack>, Amount(7)");
    // Half a frame, and silence.
    assert_eq!(words(&link.push(b"\x02010", 600 * MS)), "");
    assert_eq!(words(&link.tick(900 * MS)), "write <nak>");
}

#[test]
fn what_waits_is_bounded() {
    let mut link = Link::new(Dialect::Binary, 0);
    for n in 0..100 {
        link.send(Command::Prompt { line: 9, text: format!("{n} 欢迎").repeat(40) });
        assert!(link.waiting.len() <= WAITING_MAX);
    }
    for dialect in [Dialect::Binary, Dialect::Ascii] {
        let (_, data) = written(&Command::Prompt { line: 9, text: "欢".repeat(99) }, dialect);
        assert!(data[0] == b'4' && data.len() <= 241, "{}", data.len());
    }
}

proptest! {
    /// Any bytes at any times: no panic, a bounded answer, and no bank's number.
    #[test]
    fn any_bytes_at_any_times(
        steps in proptest::collection::vec((proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(vec![2_u8, 3, 6, 21, b'0', b'T', b'K'])], 0..40), 0_u64..900), 0..60),
    ) {
        for dialect in [Dialect::Binary, Dialect::Ascii] {
            let (mut link, mut now) = (Link::new(dialect, 0), 0);
            for (bytes, wait_ms) in &steps {
                now += wait_ms * MS;
                let outcome = link.push(bytes, now);
                prop_assert!(outcome.write.len() <= 40 * 300 + 600, "{}", outcome.write.len());
                for heard in outcome.heard {
                    if let Heard::Entered(Entry::Number(number)) = heard {
                        prop_assert!(!crate::payment::is_payment_number(&number));
                    }
                }
            }
        }
    }
}
