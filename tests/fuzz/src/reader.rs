//! What readers send: bytes of serial ports, keys of wedges, frames of swipe terminals, answers of cards, codes of
//! phones.
//!
//! The input is one byte that says which parser it is, then what arrives, in pieces. Promises beside not panicking: how
//! the bytes were cut does not matter; memory and answers are bounded; after any rubbish and a pause the next whole
//! medium is read; no bank card's number, no random serial number and no forged code ever identifies anybody.

use hufu_hardware::card::{Entry, Medium};
use hufu_hardware::framed::Dialect;
use hufu_hardware::framed::frame::frame;
use hufu_hardware::framed::link::{Heard, Link};
use hufu_hardware::keyboard::keys::{Decoder, KeyEvent, Stroke};
use hufu_hardware::payment::is_payment_number;
use hufu_hardware::pcsc::ReadMode;
use hufu_hardware::pcsc::apdu::RANDOM_UID_MARK;
use hufu_hardware::pcsc::atr::card_kind;
use hufu_hardware::pcsc::mode::{Aid, Content, FileRef, KeySlot, Piece, SectorKey};
use hufu_hardware::pcsc::script::{Exchange, read};
use hufu_hardware::serial::Protocol;
use hufu_hardware::serial::em125::{Form, KnownBy};
use hufu_hardware::serial::line::{FRAME_BYTES_MAX, Framed, Framer};
use hufu_hardware::serial::medium::medium_of;
use hufu_shared::ids::ClubId;
use hufu_shared::member_code::{MemberCodeError, SignedCode, is_meant};
use hufu_shared::token::{CARD_TEXT_CHARS_MAX, CardText, MediumKind};

/// A pause after which every parser begins anew, in nanoseconds.
const PAUSE_NS: u64 = 60_000_000_000;
/// The top bit of a piece's length: a pause comes before it.
const PAUSE_BIT: u8 = 0x80;
/// Commands that one read of a card may take: each of 4 blocks twice, every command four times at most.
const EXCHANGES_MAX: usize = 48;
/// A card that every parser of numbers takes.
const GOOD: &str = "80001234";

/// What a serial port or a keyboard may be set to.
const PROTOCOLS: [Protocol; 6] = [
    Protocol::Iso7813,
    Protocol::Line,
    Protocol::Proximity { form: Form::H8D10, known_by: KnownBy::Bits32 },
    Protocol::Proximity { form: Form::H6D8, known_by: KnownBy::Bits24 },
    Protocol::Proximity { form: Form::H2H4D5, known_by: KnownBy::Bits24 },
    Protocol::Proximity { form: Form::H10, known_by: KnownBy::Bits32 },
];

/// Numbers of the parsers in the first byte.
pub mod what {
    /// Up to here the protocols of a serial port.
    pub const SERIAL: u8 = 0;
    /// Framed terminals, binary and ASCII.
    pub const FRAMED: u8 = 6;
    /// A keyboard; its protocol in the next byte.
    pub const KEYS: u8 = 8;
    /// A card in a PC/SC reader.
    pub const CARD: u8 = 9;
    /// A scanner's line as a member code or number.
    pub const LINE: u8 = 10;
    /// How many there are.
    pub const COUNT: u8 = 11;
}

/// Has the parser that the first byte names take the rest.
pub fn run(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    match first % what::COUNT {
        what::FRAMED => framed(Dialect::Binary, rest),
        7 => framed(Dialect::Ascii, rest),
        what::KEYS => keys(rest),
        what::CARD => card(rest),
        what::LINE => line(&String::from_utf8_lossy(rest)),
        serial_port => serial(PROTOCOLS[usize::from(serial_port)], rest),
    }
}

/// What arrives, as (is there a pause before it, bytes).
fn pieces(mut rest: &[u8]) -> Vec<(bool, &[u8])> {
    let mut pieces = Vec::new();
    while let Some((length, after)) = rest.split_first() {
        let count = usize::from(length & !PAUSE_BIT).min(after.len());
        let (piece, next) = after.split_at(count);
        pieces.push((length & PAUSE_BIT != 0, piece));
        rest = next;
    }
    pieces
}

/// Nobody may be known by what this medium says of a bank's card.
fn identifies(medium: &Medium) {
    match medium {
        Medium::Uid(uid) => {
            assert!(uid.len() >= 4, "a serial number is whole");
            assert!(uid.len() != 4 || uid[0] != RANDOM_UID_MARK, "a random serial number");
        }
        Medium::Stripe { number, .. } | Medium::Number(number) => no_bank(number),
        Medium::Line(text) => {
            // What becomes of it as a card's number, with full-width digits and gaps folded.
            if let Ok(card) = CardText::number(MediumKind::Line, text) {
                no_bank(card.canonical().trim_start_matches("number:"));
            }
        }
        Medium::Proximity(number) => assert!(number.len() <= 10, "a chip's number"),
        Medium::Data(bytes) => assert!(!bytes.is_empty(), "bytes that identify"),
        other => panic!("a medium that no reader here yields: {other:?}"),
    }
}

fn no_bank(number: &str) {
    assert!(!is_payment_number(number), "a bank card's number");
}

fn judge(protocol: Protocol, framed: &[Framed]) {
    for part in framed {
        if let Framed::Frame(text) = part {
            assert!(text.len() <= FRAME_BYTES_MAX, "a frame is bounded");
        }
        if let Ok((medium, _)) = medium_of(protocol, part.clone()) {
            identifies(&medium);
        }
    }
}

/// What a reader of this protocol sends for a good card.
fn good(protocol: Protocol) -> String {
    if protocol == Protocol::Iso7813 { format!(";{GOOD}=2512?") } else { GOOD.to_owned() }
}

fn serial(protocol: Protocol, rest: &[u8]) {
    let pieces = pieces(rest);
    let (mut framer, mut now_ns) = (Framer::new(protocol), 0);
    for (pause, piece) in &pieces {
        now_ns += if *pause { PAUSE_NS } else { 0 };
        judge(protocol, &framer.push(piece, now_ns));
    }
    let whole: Vec<u8> = pieces.iter().flat_map(|(_, piece)| piece.iter().copied()).collect();
    let (mut at_once, mut by_byte) = (Framer::new(protocol), Framer::new(protocol));
    let one = at_once.push(&whole, 0);
    let other: Vec<Framed> = whole.iter().flat_map(|byte| by_byte.push(&[*byte], 0)).collect();
    assert!(one == other, "the cut into pieces does not matter");
    let mut last = framer.push(format!("{}\r", good(protocol)).as_bytes(), now_ns + PAUSE_NS);
    last.extend(framer.idle(now_ns + 2 * PAUSE_NS));
    let is_good = |part: &Framed| *part == Framed::Frame(good(protocol));
    assert!(last.last().is_some_and(is_good), "after a pause the next card is read");
}

fn keys(rest: &[u8]) {
    let Some((protocol, rest)) = rest.split_first() else { return };
    let protocol = PROTOCOLS[usize::from(*protocol) % PROTOCOLS.len()];
    let (mut decoder, mut now_ns) = (Decoder::new(protocol), 0);
    for pair in rest.chunks_exact(2) {
        now_ns += if pair[1] & PAUSE_BIT == 0 { 0 } else { PAUSE_NS };
        let event = match Stroke::of_value(i32::from(pair[1] & 0b11)) {
            Some(stroke) => KeyEvent::Key { code: u16::from(pair[0]), stroke },
            None => KeyEvent::Lost,
        };
        judge(protocol, &decoder.push(event, now_ns));
    }
    // Whatever key is still down, or seems to be: the kernel's word that some were lost lets go of all.
    judge(protocol, &decoder.push(KeyEvent::Lost, now_ns));
    now_ns += PAUSE_NS;
    judge(protocol, &decoder.idle(now_ns));
    if protocol != Protocol::Line {
        return;
    }
    let mut out = Vec::new();
    for digit in GOOD.bytes() {
        let code = if digit == b'0' { 11 } else { u16::from(digit - b'0') + 1 };
        out.extend(decoder.push(KeyEvent::Key { code, stroke: Stroke::Down }, now_ns));
    }
    out.extend(decoder.push(KeyEvent::Key { code: 28, stroke: Stroke::Down }, now_ns));
    assert!(out == [Framed::Frame(GOOD.to_owned())], "after a pause the next card is read");
}

fn framed(dialect: Dialect, rest: &[u8]) {
    let (mut link, mut now_ns) = (Link::new(dialect, 0), 0);
    let heard = |outcome: hufu_hardware::framed::link::Outcome, taken: usize| {
        // A byte is answered by one at most; beside that, one frame of ours may go out.
        assert!(outcome.write.len() <= taken + 300, "answers are bounded");
        outcome.heard.iter().any(|heard| {
            match heard {
                Heard::Read(Ok((medium, _))) => identifies(medium),
                Heard::Entered(Entry::Number(number)) => no_bank(number),
                _ => {}
            }
            matches!(heard, Heard::Entered(Entry::Amount(8_800)))
        })
    };
    for (pause, piece) in pieces(rest) {
        if pause {
            now_ns += PAUSE_NS;
            heard(link.tick(now_ns), 0);
        }
        heard(link.push(piece, now_ns), piece.len());
    }
    now_ns += PAUSE_NS;
    heard(link.tick(now_ns), 0);
    // One of the two has another sequence digit than the frame that was taken last.
    let read = [b'0', b'1'].map(|sequence| {
        let bytes = frame(dialect, sequence, b'A', b"8800");
        heard(link.push(&bytes, now_ns), bytes.len())
    });
    assert!(read.contains(&true), "after a pause the next frame is read");
}

/// A card that answers what stands in the input, whatever it is asked; then it is gone.
struct Answers<'a> {
    left: std::vec::IntoIter<(bool, &'a [u8])>,
    last: Vec<u8>,
    asked: usize,
}

impl Exchange for Answers<'_> {
    type Error = ();

    fn exchange(&mut self, _: &[u8]) -> Result<Vec<u8>, ()> {
        self.asked += 1;
        assert!(self.asked <= EXCHANGES_MAX, "a card cannot hold up its reader for ever");
        // The mark of a piece has it answered twice, as a card does that is asked again.
        if !self.last.is_empty() {
            return Ok(std::mem::take(&mut self.last));
        }
        let (twice, answer) = self.left.next().ok_or(())?;
        if twice {
            self.last = answer.to_vec();
        }
        Ok(answer.to_vec())
    }
}

/// The first two bytes choose what is read and how it is written, then comes the answer to reset, then the answers.
fn card(rest: &[u8]) {
    let [how, length, rest @ ..] = rest else { return };
    let content = [Content::Text, Content::Bcd, Content::Bytes][usize::from(how >> 2) % 3];
    let piece = Piece { offset: u16::from(how >> 4), length: length % 48 + 1, content };
    let mode = match how & 0b11 {
        0 => ReadMode::Uid,
        1 => ReadMode::Classic { sector: 1, block: 0, key: KeySlot::A, key_file: "unused".into(), piece },
        2 => ReadMode::Pages { first: 4, piece },
        _ => ReadMode::File { application: Aid::new(b"HUFU.CLUB"), file: FileRef::Id(0x15), piece },
    };
    let mut pieces = pieces(rest).into_iter();
    let kind = card_kind(pieces.next().unwrap_or_default().1);
    let key = SectorKey::parse("A0A1A2A3A4A5").expect("twelve digits");
    let mut card = Answers { left: pieces, last: Vec::new(), asked: 0 };
    if let Ok(medium) = read(&mode, Some(&key), kind, &mut card) {
        assert!(mode.fits(kind), "a card of another kind identifies nobody");
        identifies(&medium);
    }
}

/// A line is no member code unless the centre signed it, and a number only of bounded length.
fn line(text: &str) {
    if let Ok(code) = SignedCode::parse(text) {
        assert!(is_meant(text.trim()), "what is read as a code is not taken for a number");
        assert_eq!(code.verify(ClubId([7; 16]), &[9; 32]), Err(MemberCodeError::Signature));
    }
    if let Ok(card) = CardText::number(MediumKind::Typed, text) {
        let number = card.canonical().trim_start_matches("number:");
        assert!((1..=CARD_TEXT_CHARS_MAX).contains(&number.len()));
        assert_eq!(card.coded(), None, "no line passes for a code that was verified");
    }
    if let Ok((medium, _)) = medium_of(Protocol::Line, Framed::Frame(text.to_owned())) {
        identifies(&medium);
    }
}
