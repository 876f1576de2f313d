//! Cards (K14–K18, H5–H8): which may be issued, what may become of one, when a sub card ends, when points ask for another
//! kind.
//!
//! A member has one main card, which may have several media that share its fate; sub cards stand under it. Void is for
//! good. Points are the
//! member's, so a sub card's accrue where the main card's do (K15). What follows from time follows from the times
//! themselves, never from when somebody looked: looking once after many days says the same as looking on each.
//! Out of scope: stock, and whose a card is that terminals gave.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::cards::{CardTerms, PointsMeasure};
use crate::ids::MemberId;
use crate::member::CardStatus;
use crate::rules::level::window_start;
use crate::time::{DAY_US, Day, Instant};

/// Whether a card is a main card, or how it stands under one (K14).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// 主卡.
    #[n(0)]
    #[default]
    Main,
    /// 子卡.
    #[n(1)]
    Sub,
    /// Another medium of a main card: frozen, found and ended with it.
    #[n(2)]
    Medium,
}

impl Rank {
    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Sub => "sub",
            Self::Medium => "medium",
        }
    }

    /// The rank of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Main, Self::Sub, Self::Medium].into_iter().find(|rank| rank.code() == code)
    }
}

/// A card that a member has, as far as issuing looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Whose it is.
    pub member: Option<MemberId>,
    /// Its rank.
    pub rank: Rank,
    /// Its state.
    pub status: CardStatus,
    /// Not accepted from then on.
    pub until: Option<Instant>,
}

impl Held {
    /// Whether it has neither been voided nor run out.
    #[must_use]
    pub fn stands(&self, now: Instant) -> bool {
        self.status != CardStatus::Void && self.until.is_none_or(|until| now < until)
    }
}

/// Why a card is not issued or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// The member has a main card, which shows the level: there is one (K14).
    #[error("the member has a main card; it is replaced, or gets another medium")]
    HasMain,
    /// A sub card, and another medium, stands under a main card of the same member that is in use (K16).
    #[error("a sub card or another medium needs a main card of the same member that is in use")]
    NoMain,
    /// Sub cards cannot be replaced (K17).
    #[error("a sub card is cancelled, not replaced")]
    SubReplaced,
    /// The card that is to be replaced is void, or nobody's.
    #[error("the card that is to be replaced has ended, or is nobody's")]
    OldEnded,
    /// The card that is to be given has a holder, was one's, or cannot be used.
    #[error("the new card has a holder, or cannot be given")]
    NewTaken,
    /// A main card is replaced by a main card.
    #[error("a main card is replaced by a card of a main kind")]
    KindOfSub,
}

/// What is to be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// To whom.
    pub member: MemberId,
    /// Dictionary code of the kind.
    pub kind: &'a str,
    /// Whether it is another medium of the card that it stands under.
    pub medium: bool,
    /// The card that it is to stand under.
    pub under: Option<Held>,
}

/// Whether a card may be issued to a member who has these cards, and as what.
///
/// # Errors
/// [`CardError::HasMain`], [`CardError::NoMain`].
pub fn issue(terms: &CardTerms, wanted: Wanted<'_>, has: &[Held], now: Instant) -> Result<Rank, CardError> {
    let is_main =
        |card: &Held| card.member == Some(wanted.member) && card.rank == Rank::Main && card.stands(now);
    let stands_under = match (wanted.medium, terms.is_sub(wanted.kind)) {
        (true, _) => Some(Rank::Medium),
        (false, true) => Some(Rank::Sub),
        (false, false) => None,
    };
    match stands_under {
        Some(rank) => {
            let main = wanted.under.filter(|main| is_main(main) && main.status == CardStatus::Active);
            main.map(|_| rank).ok_or(CardError::NoMain)
        }
        None if has.iter().any(is_main) => Err(CardError::HasMain),
        None => Ok(Rank::Main),
    }
}

/// Whether a card may be replaced by one of a kind (H5, K17). A lost one may: that it is refused is why its member comes.
///
/// # Errors
/// [`CardError::SubReplaced`], [`CardError::OldEnded`], [`CardError::KindOfSub`].
pub fn replace(terms: &CardTerms, old: Held, kind: &str) -> Result<(), CardError> {
    if old.rank == Rank::Sub {
        return Err(CardError::SubReplaced);
    }
    if old.member.is_none() || old.status == CardStatus::Void {
        return Err(CardError::OldEnded);
    }
    if terms.is_sub(kind) { Err(CardError::KindOfSub) } else { Ok(()) }
}

/// What state a card comes to that is to be in another; none where it cannot be changed so. A lost sub card is cancelled
/// (K18), a lost main card frozen until it is found or replaced (H6, H7, X9).
#[must_use]
pub fn step(rank: Rank, from: CardStatus, to: CardStatus) -> Option<CardStatus> {
    use CardStatus::{Active, Lost, Stopped, Void};
    match (from, to) {
        (Void, _) => None,
        (Active, Lost) => Some(if rank == Rank::Sub { Void } else { Lost }),
        (Active, Stopped) | (Stopped | Lost, Active) | (Lost, Stopped) | (_, Void) => Some(to),
        (Stopped, Lost) | (Active, Active) | (Lost, Lost) | (Stopped, Stopped) => None,
    }
}

/// When a sub card that is issued now is valid to, by the terms; `wished` is what was asked for, and the earlier counts.
#[must_use]
pub fn sub_until(terms: &CardTerms, issued: Instant, wished: Option<Instant>) -> Option<Instant> {
    let by_terms = terms.sub_valid_days.map(|days| issued.offset(i64::from(days) * DAY_US));
    by_terms.into_iter().chain(wished).min()
}

/// What ends a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum CardEnd {
    /// Its time was up (K18).
    #[n(0)]
    Expired,
    /// Its main card was replaced, voided or ran out (K17).
    #[n(1)]
    MainEnded,
    /// It was replaced (H5).
    #[n(2)]
    Replaced,
    /// It was lost, and such are cancelled (K18).
    #[n(3)]
    Lost,
    /// A person voided it 注销 (H8).
    #[n(4)]
    Voided,
}

impl CardEnd {
    const CODES: [(Self, &'static str); 5] = [
        (Self::Expired, "expired"),
        (Self::MainEnded, "main_ended"),
        (Self::Replaced, "replaced"),
        (Self::Lost, "lost"),
        (Self::Voided, "voided"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("voided", |row| row.1)
    }

    /// The end of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// A sub card, as far as its end looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubCard {
    /// Not accepted from then on.
    pub until: Option<Instant>,
    /// When its main card was voided or replaced, if it was.
    pub main_ended: Option<Instant>,
    /// From when on its main card is not accepted.
    pub main_until: Option<Instant>,
}

/// What has ended a sub card by a moment, and when: the first that did (K17, K18).
#[must_use]
pub fn sub_end(card: SubCard, now: Instant) -> Option<(Instant, CardEnd)> {
    let ends = [
        (card.until, CardEnd::Expired),
        (card.main_ended, CardEnd::MainEnded),
        (card.main_until, CardEnd::MainEnded),
    ];
    ends.into_iter().filter_map(|(at, why)| Some((at?, why))).filter(|(at, _)| *at <= now).min()
}

/// What a member's points did on a business day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointsDay {
    /// The day.
    pub day: Day,
    /// Earned on it, less what was reversed of it.
    pub earned: i64,
    /// All that came less all that went.
    pub net: i64,
}

/// A change of a main card that points ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The first day on which the condition was met.
    pub day: Day,
    /// Dictionary code of the new kind.
    pub kind: String,
}

/// The changes that fall due after a day and up to another, oldest first (K17). `kind` is that of the card, or of the
/// change that it waits for already. `days` are all days of the member's points, in order. Cards only ever rise by this:
/// a person changes them down.
#[must_use]
pub fn changes(terms: &CardTerms, kind: &str, days: &[PointsDay], (after, until): (Day, Day)) -> Vec<Change> {
    let mut rank = terms.levels.iter().find(|level| level.kind == kind).map(|level| level.rank);
    let mut changes = Vec::new();
    for day in (after.0.saturating_add(1)..=until.0).map(Day) {
        // Several steps may be taken on one day where each opens the next.
        loop {
            let open = terms.levels.iter().filter(|level| {
                rank.is_none_or(|rank| level.rank > rank)
                    && level.from_rank.is_none_or(|from| rank.is_some_and(|rank| rank >= from))
                    && level.measure.is_some_and(|measure| measured(measure, days, day) >= level.threshold)
            });
            let Some(next) = open.max_by_key(|level| level.rank) else { break };
            rank = Some(next.rank);
            changes.push(Change { day, kind: next.kind.clone() });
        }
    }
    changes
}

fn measured(measure: PointsMeasure, days: &[PointsDay], day: Day) -> i64 {
    let seen = days.iter().filter(|of| of.day <= day);
    match measure {
        PointsMeasure::Balance => seen.fold(0_i64, |sum, of| sum.saturating_add(of.net)),
        PointsMeasure::Earned(window) => {
            let from = window_start(window, day);
            let within = seen.filter(|of| from.is_none_or(|from| from <= of.day));
            within.fold(0_i64, |sum, of| sum.saturating_add(of.earned))
        }
    }
}

#[cfg(test)]
#[path = "cards_tests.rs"]
mod tests;
