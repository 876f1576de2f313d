//! Finding a member without the card, at this terminal: in the list that the centre prepared for it.
//!
//! The list holds whom the centre expects here: who is listed for an activity of these days, or for whom it set something
//! aside; a terminal that let staff read through the whole club by name would give the club away with it. Whoever is picked is a candidate like one of
//! a typed number: nothing is recorded before staff compared (rule H2).

use hufu_shared::fact::READER_COUNTER;
use hufu_shared::ids::CardId;
use hufu_shared::member::OccurrenceRow;
use hufu_shared::time::DAY_US;
use hufu_shared::token::{CardText, MediumKind};
use hufu_shared::wire::lookup::{FoundCard, FoundMember, LOOKUP_FOUND_MAX};

use super::core::Presented;
use super::dispatch::Dispatch;
use crate::counter::desk::FoundHere;
use crate::counter::port::Declined;
use crate::rules::find::may_mean;
use crate::rules::timekeeping::Now;
use crate::store::StoreError;

impl Dispatch {
    /// Who of the list may be meant.
    pub(super) fn search(&self, text: &str, now: &Now) -> Result<FoundHere, Declined> {
        self.search_list(text, now).map_err(|error| unreadable(&error))
    }

    fn search_list(&self, text: &str, now: &Now) -> Result<FoundHere, StoreError> {
        let mut listed = self.core.store().with(|journal| journal.prepared_for())?;
        let here = self.core.terminal().office;
        let small = self.core.directory().small();
        let near = |row: &&OccurrenceRow| row.is_held_at(here) && near(row, now);
        listed.extend(
            small.occurrences.iter().filter(near).flat_map(|row| &row.guests).map(|guest| guest.member),
        );
        let mut here = FoundHere { listed: listed.len(), ..FoundHere::default() };
        for id in listed {
            let Some(member) = self.core.directory().member(id)? else { continue };
            let Some(name) = member.masked_name.filter(|name| may_mean(name, text)) else { continue };
            if here.found.len() == LOOKUP_FOUND_MAX {
                here.more = true;
                break;
            }
            let card = self.core.directory().card_of(id)?;
            let card = card.map(|card| FoundCard { card: card.card, tail: card.tail, status: card.status });
            here.found.push(FoundMember { name: Some(name), mobile: None, level: member.level, card });
        }
        Ok(here)
    }

    /// Puts the member of a card before staff.
    pub(super) fn pick(&mut self, card: CardId, now: &Now) -> Result<(), Declined> {
        let known = self.core.directory().card(card).map_err(|error| unreadable(&error))?;
        // Issued after the directory came: it is here soon.
        let card = known.ok_or(Declined::NotHere)?;
        let presented =
            Presented { card: CardText::kept(card.token, MediumKind::Typed), reader: READER_COUNTER };
        self.propose(presented, now)
    }
}

/// Whether an activity is of these days: guests come early, and are asked for afterwards.
fn near(row: &OccurrenceRow, now: &Now) -> bool {
    row.starts.offset(-DAY_US) <= now.trusted && now.trusted < row.ends.offset(DAY_US)
}

fn unreadable(error: &StoreError) -> Declined {
    tracing::error!(%error, "failed to look for a member");
    Declined::Unable
}
