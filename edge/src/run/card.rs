//! Lost cards and new ones in their place, as the desk asks for them.
//!
//! Whose card it is was read, typed or picked before, and compared (rules H2, H6): the page names that showing, and an
//! older one is nobody's. Invariants: a card reported lost or replaced here is refused here from that moment on; how
//! far that is known elsewhere is never guessed at, only what this terminal did itself is said.

use hufu_shared::fact::{Event, READER_COUNTER, Subject};
use hufu_shared::member::CardStatus;
use hufu_shared::time::Instant;
use hufu_shared::token::Token;

use super::core::{Presented, Swiped};
use super::desk::Guest;
use super::dispatch::Dispatch;
use super::view;
use crate::counter::desk::{CardDesk, GuestCard, HereAt, StoppedCard};
use crate::counter::port::{Declined, ModeOrder};
use crate::counter::view::Source;
use crate::rules::timekeeping::Now;
use crate::store::StoreError;

/// The card that was stopped here last.
#[derive(Debug, Clone)]
pub(super) struct Stopped {
    token: Token,
    tail: Option<String>,
    name: Option<String>,
    seq: u64,
    at: Instant,
}

fn stopped_by(event: &Event) -> Option<Token> {
    match event {
        Event::CardReportedLost(lost) => Some(lost.subject.token),
        Event::CardReplaced(replaced) => Some(replaced.subject.token),
        _ => None,
    }
}

impl Dispatch {
    /// Remembers that a swipe stopped a card, for whoever asks how far that is known.
    pub(super) fn note_stopped(&mut self, swiped: &Swiped, now: &Now) {
        let (token, Some(seq)) = (stopped_by(&swiped.decision.event), swiped.seq) else { return };
        let Some(token) = token else { return };
        let known = self.core.directory().find(&[token]).ok().flatten();
        self.pages.stopped = Some(Stopped {
            token,
            tail: known.map(|known| known.card.tail).filter(|tail| !tail.is_empty()),
            name: swiped.member.as_ref().and_then(|member| view::person(member).name),
            seq,
            at: now.trusted,
        });
    }

    /// The card of the guest and the card that was stopped last, as this terminal knows them.
    pub(super) fn read_cards(&self, now: &Now) -> Result<CardDesk, Declined> {
        self.cards(now).map_err(|error| {
            tracing::error!(%error, "failed to read the cards of the desk");
            Declined::Unable
        })
    }

    fn cards(&self, now: &Now) -> Result<CardDesk, StoreError> {
        let guest = self.pages.guest.as_ref().map(|guest| self.guest_card(guest, now)).transpose()?.flatten();
        let last = self.pages.stopped.as_ref();
        // The card in question is the guest's, if it is stopped; else the one that was stopped last.
        let asked = guest.as_ref().filter(|guest| guest.status.is_blocked()).map(|guest| StoppedCard {
            token: guest.token,
            tail: guest.view.card_tail.clone(),
            name: guest.view.person.name.clone(),
            status: guest.status,
            here: None,
        });
        let stopped = match (asked, last) {
            (Some(card), Some(last)) if last.token == card.token => {
                Some(StoppedCard { here: Some(self.here(last)?), ..card })
            }
            (Some(card), _) => Some(card),
            (None, Some(last)) => Some(StoppedCard {
                token: last.token,
                tail: last.tail.clone(),
                name: last.name.clone(),
                status: self.core.store().with(|journal| {
                    // The centre may have lifted the report meanwhile.
                    Ok(journal.blocked(&last.token).unwrap_or(CardStatus::Active))
                })?,
                here: Some(self.here(last)?),
            }),
            (None, None) => None,
        };
        Ok(CardDesk { guest, stopped })
    }

    fn here(&self, last: &Stopped) -> Result<HereAt, StoreError> {
        let uploaded = self.core.store().with(|journal| Ok(journal.is_acked(last.seq)))?;
        Ok(HereAt { at: last.at, uploaded })
    }

    fn guest_card(&self, guest: &Guest, now: &Now) -> Result<Option<GuestCard>, StoreError> {
        let presented = Presented { card: guest.card.clone(), reader: READER_COUNTER };
        let token = self.core.subject_of(&presented, now)?.token;
        let listed = self.core.store().with(|journal| Ok(journal.blocked(&token)))?;
        let known = self.core.directory().find(&[token])?;
        let status = listed.or(known.map(|known| known.card.status)).unwrap_or(CardStatus::Active);
        Ok(Some(GuestCard { view: guest.view.clone(), token, status }))
    }

    /// The card of the guest, as the one that is to be replaced.
    pub(super) fn guest_subject(&self, n: u64, now: &Now) -> Result<Subject, Declined> {
        let guest = self.pages.guest.as_ref().filter(|guest| guest.view.n == n).ok_or(Declined::Stale)?;
        let presented = Presented { card: guest.card.clone(), reader: READER_COUNTER };
        let subject = self.core.subject_of(&presented, now).map_err(|error| {
            tracing::error!(%error, "failed to read the card that is to be replaced");
            Declined::Unable
        })?;
        // Whose card is not known cannot be given another one.
        if subject.member.is_none() { Err(Declined::NotHere) } else { Ok(subject) }
    }

    /// Takes the guest at their word that the card is lost.
    pub(super) fn report_lost(&mut self, n: u64, now: &Now) -> Result<(), Declined> {
        let guest = self.pages.guest.as_ref().filter(|guest| guest.view.n == n).ok_or(Declined::Stale)?;
        let card = guest.card.clone();
        self.set_mode(ModeOrder::ReportLost, now)?;
        self.swipe(Presented { card, reader: READER_COUNTER }, Source::Typed, now);
        Ok(())
    }
}
