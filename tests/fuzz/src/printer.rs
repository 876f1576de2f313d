//! The receipt printer: what it answers, and that no text on a slip commands it.
//!
//! The first byte says which. Four answers are judged; or a ticket is made of texts, as names and numbers come from
//! elsewhere, written as bytes, and read back by a printer that knows only what ours should send. Promises beside not
//! panicking: a printer that can print has paper; no sensor that says "out" is overheard; the paper says what the ticket
//! said, and nothing else happens at the printer.

use std::sync::LazyLock;

use hufu_hardware::fake::printer::{Piece, read};
use hufu_hardware::printer::ticket::{Block, Ticket, Width, columns_of, plain};
use hufu_hardware::printer::{Paper, Profile, Status, escpos, status};
use hufu_hardware::text::Fonts;

/// Texts of a ticket: enough for every kind of block.
const TEXTS_MAX: usize = 6;
/// Characters of a text; longer ones only take longer.
const TEXT_CHARS_MAX: usize = 120;

static FONTS: LazyLock<Fonts> = LazyLock::new(Fonts::load);

/// Judges answers, or prints.
pub fn run(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    match rest {
        [a, b, c, d, ..] if first & 1 == 0 => answers([*a, *b, *c, *d]),
        _ => ticket(*first, rest),
    }
}

fn answers(answers: [u8; 4]) {
    let met = Status::from_answers(answers);
    let says_out = answers[3] & 0x60 != 0 || answers[1] & 0x20 != 0;
    assert_eq!(met.paper == Paper::Out, says_out);
    assert!(met.hindrance.is_some() || !says_out, "without paper nothing is printed");
    for byte in answers {
        assert!(!(status::is_answer(byte) && status::is_turn(byte)), "{byte:#x} answers one question only");
    }
}

/// Characters as they lie on the paper, without the white space that lines add and lose.
fn dense(text: &str) -> String {
    plain(text).chars().filter(|c| !c.is_whitespace() && columns_of(*c) > 0).collect()
}

fn ticket(how: u8, rest: &[u8]) {
    let text = String::from_utf8_lossy(rest);
    let texts: Vec<String> = text
        .split('\u{1f}')
        .take(TEXTS_MAX)
        .map(|text| text.chars().take(TEXT_CHARS_MAX).collect())
        .collect();
    let width = if how & 2 == 0 { Width::Mm58 } else { Width::Mm80 };
    let blocks: Vec<Block> = texts.iter().enumerate().map(|(at, text)| block(at, text)).collect();
    let said: String = texts.iter().map(|text| dense(text)).collect();
    let full =
        Profile { font_is_gbk: false, draws_qr: how & 4 == 0, cuts: how & 8 == 0, ..Profile::common(width) };
    let ticket = Ticket { blocks };
    let pieces = read(&escpos::encode(&ticket, &full, &FONTS)).expect("a printer knows every byte");
    let line = |piece: &Piece| match piece {
        Piece::Text { text, .. } => dense(text),
        _ => String::new(),
    };
    assert_eq!(pieces.iter().map(line).collect::<String>(), said, "the paper says what the ticket said");
    assert_eq!(pieces.iter().filter(|piece| **piece == Piece::Cut).count(), usize::from(full.cuts));
    // With a smaller font lines are drawn; that must be understood as well.
    let small = Profile { font_is_gbk: true, ..full };
    read(&escpos::encode(&ticket, &small, &FONTS)).expect("a printer knows every byte");
}

fn block(at: usize, text: &str) -> Block {
    match at % 4 {
        0 => Block::text(text),
        1 => Block::heading(text),
        2 => Block::pair("", text),
        _ => Block::total(text, ""),
    }
}
