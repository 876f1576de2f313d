//! The tracks of a magnetic stripe (ISO 7811, ISO 7813), as readers send them in ASCII. Pure.
//!
//! A swipe is one or more tracks in a row: `%…?` is track 1, `;…?` track 2, `+…?` track 3 (ignored), each followed by
//! its checksum character (LRC) if the reader does not strip it. Bank-like tracks hold `B<number>^<name>^…` or
//! `<number>=…`; membership cards often hold the bare number. `E` alone is how readers say "this track was not read".
//!
//! Invariants
//! - A number comes from one whole track, from its start sentinel to its end sentinel, or not at all.
//! - A checksum that is there must hold, or nothing of the swipe is used.
//! - A number of a bank card (in a bank's range and valid by Luhn) is refused and not kept.
//!
//! Out of scope: whose number it is.

use crate::card::ErrorKind;
use crate::payment::is_payment_number;

/// Longest track 1, sentinels and LRC included.
pub const TRACK_1_CHARS_MAX: usize = 79;
/// Longest track 2, sentinels and LRC included.
pub const TRACK_2_CHARS_MAX: usize = 40;
/// Longest track 3, sentinels and LRC included.
pub const TRACK_3_CHARS_MAX: usize = 107;
/// Shortest card number accepted: anything shorter is a fragment, not a card.
pub const NUMBER_DIGITS_MIN: usize = 4;

/// One swipe, read whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Swipe {
    /// Track 1 between its sentinels.
    pub track1: Option<String>,
    /// Track 2 between its sentinels.
    pub track2: Option<String>,
    /// Digits only; of track 2 if that was read, else of track 1.
    pub number: String,
    /// True if an LRC was there and held.
    pub lrc_checked: bool,
}

/// What readers send for a track that they could not read.
const UNREAD: &[u8] = b"E";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Track {
    One,
    Two,
    Three,
}

impl Track {
    fn starting(sentinel: u8) -> Option<Self> {
        match sentinel {
            b'%' => Some(Self::One),
            b';' => Some(Self::Two),
            b'+' => Some(Self::Three),
            _ => None,
        }
    }

    fn chars_max(self) -> usize {
        match self {
            Self::One => TRACK_1_CHARS_MAX,
            Self::Two => TRACK_2_CHARS_MAX,
            Self::Three => TRACK_3_CHARS_MAX,
        }
    }

    /// Lowest and highest character of its alphabet; the code is the distance from the lowest.
    fn alphabet(self) -> (u8, u8) {
        match self {
            Self::One => (0x20, 0x5f),
            Self::Two | Self::Three => (0x30, 0x3f),
        }
    }

    fn has(self, byte: u8) -> bool {
        let (low, high) = self.alphabet();
        (low..=high).contains(&byte)
    }
}

/// The checksum of a track, `framed` from its start to its end sentinel inclusive: the exclusive or of all codes.
/// `None` if a character is not of the track's alphabet.
#[must_use]
pub fn lrc(framed: &str) -> Option<char> {
    let track = Track::starting(*framed.as_bytes().first()?)?;
    checksum(track, framed.as_bytes()).map(char::from)
}

fn checksum(track: Track, framed: &[u8]) -> Option<u8> {
    let (low, high) = track.alphabet();
    // A start sentinel of track 3 is sent as '+', but stands for the same code as ';'.
    let codes = framed.iter().enumerate().map(|(at, byte)| match (at, track) {
        (0, Track::Three) => Some(b';' - low),
        _ => byte.checked_sub(low).filter(|_| *byte <= high),
    });
    codes.into_iter().try_fold(0, |sum, code| Some(sum ^ code?)).map(|code| code + low)
}

/// Reads a frame: the tracks of one swipe, without line ends.
///
/// Rubbish before the first track is skipped; a track that was begun, holds plausible data and is not ended makes the
/// whole frame invalid, because what follows might be the middle of a number.
///
/// # Errors
/// [`ErrorKind::Malformed`], [`ErrorKind::Checksum`], [`ErrorKind::TooLong`] or [`ErrorKind::PaymentCard`].
pub fn parse(frame: &str) -> Result<Swipe, ErrorKind> {
    let bytes = frame.as_bytes();
    let (mut track1, mut track2, mut lrc_checked) = (None, None, false);
    let mut at = start_of_first_track(bytes)?;
    while let Some(track) = bytes.get(at).copied().and_then(Track::starting) {
        let end = end_of_track(track, &bytes[at..])?;
        let framed = &bytes[at..at + end];
        at += end;
        let rest = &bytes[at..];
        if has_lrc(rest) {
            if checksum(track, framed) != Some(rest[0]) {
                return Err(ErrorKind::Checksum);
            }
            lrc_checked = true;
            at += 1;
        }
        let content = String::from_utf8_lossy(&framed[1..framed.len() - 1]).into_owned();
        match track {
            _ if content.as_bytes() == UNREAD || content.is_empty() => {}
            Track::One => track1 = Some(content),
            Track::Two => track2 = Some(content),
            Track::Three => {}
        }
    }
    if bytes[at..].iter().any(|b| !b.is_ascii_whitespace()) {
        return Err(ErrorKind::Malformed);
    }
    let number = track2.as_deref().and_then(number_of_track_2);
    let number = number.or_else(|| track1.as_deref().and_then(number_of_track_1));
    let number = number.ok_or(ErrorKind::Malformed)?;
    // Either track may betray a bank card, also where the other holds something else.
    let both = [track1.as_deref().and_then(number_of_track_1), track2.as_deref().and_then(number_of_track_2)];
    if both.iter().flatten().any(|n| is_payment_number(n)) {
        return Err(ErrorKind::PaymentCard);
    }
    Ok(Swipe { track1, track2, number, lrc_checked })
}

/// Where the first whole track begins. Rubbish may hold sentinels too: a begun track that cannot be one is skipped.
fn start_of_first_track(bytes: &[u8]) -> Result<usize, ErrorKind> {
    let mut begun: Option<usize> = None;
    for (at, byte) in bytes.iter().enumerate() {
        let start = Track::starting(*byte).filter(|t| *t != Track::Three || begun.is_none());
        match (begun, byte) {
            (Some(start), b'?') if is_plausible(&bytes[start..at]) => return Ok(start),
            (Some(_), b'?') => begun = None,
            (Some(open), b'%' | b';') if is_plausible(&bytes[open..at]) => return Err(ErrorKind::Malformed),
            _ if start.is_some_and(|t| t != Track::Three) => begun = Some(at),
            _ => {}
        }
    }
    Err(if bytes.len() > TRACK_3_CHARS_MAX { ErrorKind::TooLong } else { ErrorKind::Malformed })
}

/// True if this, from its start sentinel on, could be the beginning of a track.
fn is_plausible(open: &[u8]) -> bool {
    let Some(track) = open.first().copied().and_then(Track::starting) else { return false };
    let content = &open[1..];
    !content.is_empty() && open.len() < track.chars_max() && content.iter().all(|b| track.has(*b))
}

/// Length of the track that begins the bytes, end sentinel included.
fn end_of_track(track: Track, bytes: &[u8]) -> Result<usize, ErrorKind> {
    let end = bytes.iter().position(|b| *b == b'?').ok_or(ErrorKind::Malformed)? + 1;
    if end > track.chars_max() {
        return Err(ErrorKind::TooLong);
    }
    let content = &bytes[1..end - 1];
    let holds_sentinel = content.iter().any(|b| *b == b'%' || (*b == b';' && track != Track::One));
    if content != UNREAD && (holds_sentinel || content.iter().any(|b| !track.has(*b))) {
        return Err(ErrorKind::Malformed);
    }
    Ok(end)
}

/// True if the first character after an end sentinel is a checksum. It may look like a start sentinel; then what
/// follows decides: a track of its own has an end, and its second character is no sentinel.
fn has_lrc(rest: &[u8]) -> bool {
    match rest {
        [] => false,
        [only] => !only.is_ascii_whitespace(),
        [first, second, ..] if Track::starting(*first).is_some() => Track::starting(*second).is_some(),
        [first, ..] => !first.is_ascii_whitespace(),
    }
}

fn number_of_track_2(content: &str) -> Option<String> {
    let number = content.split_once('=').map_or(content, |(number, _)| number);
    digits(number)
}

fn number_of_track_1(content: &str) -> Option<String> {
    let number = content.split_once('^').map_or(content, |(number, _)| number);
    digits(&number.strip_prefix('B').unwrap_or(number).replace(' ', ""))
}

fn digits(text: &str) -> Option<String> {
    let fits = text.len() >= NUMBER_DIGITS_MIN && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
