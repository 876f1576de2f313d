//! Cards that time and points change: main cards are marked for another kind (K17), sub cards end (K17, K18).

use hufu_shared::act::{Act, Actor, CardChange, CardChangesDue, CardsEnded};
use hufu_shared::ids::CardId;
use hufu_shared::time::Day;

use super::daily::{Daily, Page};
use super::{Going, JobError};
use crate::app::App;
use crate::db::Tx;
use crate::rules::apply::CARD_CHANGE_JOB;
use crate::store::cards;
use crate::store::jobs::{self, CARDS_STEP_MAX, FIRST_CARD, Look};

/// Name of the end of sub cards in the journal.
const SUB_CARDS_JOB: &str = "sub_cards";

/// Marks main cards that points change; a card that rises twice counts twice.
pub(super) struct CardChanges;

impl Daily for CardChanges {
    const NAME: &'static str = CARD_CHANGE_JOB;
    type Look = Look;
    type Place = CardId;
    type Due = CardChange;
    const FIRST: CardId = FIRST_CARD;

    async fn look(app: &App) -> Result<Option<Look>, JobError> {
        let now = app.now();
        Ok(app.db.read(move |tx| jobs::card_look_due(tx, now)).await?)
    }

    async fn due(app: &App, look: &Look, after: CardId) -> Result<Page<CardChange, CardId>, JobError> {
        let look = look.clone();
        let page =
            move |tx: &mut Tx<'_>| cards::changes_due(tx, &look.terms, look.days, after, CARDS_STEP_MAX);
        Ok(app.db.read(page).await?)
    }

    fn days(look: &Look) -> (Day, Day) {
        look.days
    }

    fn act(_: &Look, until: Day, changes: Vec<CardChange>) -> Act {
        Act::CardChangesDue(CardChangesDue { until, changes })
    }
}

/// How many sub cards would end, counted up to a limit.
pub(super) async fn count_ended(app: &App, limit: i64) -> Result<u64, JobError> {
    let now = app.now();
    let due = app.db.read(move |tx| cards::subs_due(tx, now, FIRST_CARD, limit)).await?;
    Ok(super::counted(due.len()))
}

/// Ends sub cards whose time is up, or whose main card ended: each at the moment that ended it.
pub(super) async fn end(going: &mut Going<'_>) -> Result<u64, JobError> {
    let mut after = FIRST_CARD;
    loop {
        let now = going.app.now();
        let due = going.app.db.read(move |tx| cards::subs_due(tx, now, after, CARDS_STEP_MAX)).await?;
        let Some(last) = due.last().map(|ended| ended.card) else { return Ok(0) };
        let count = super::counted(due.len());
        let act = Act::CardsEnded(CardsEnded { cards: due });
        going.app.act(Actor::Job(SUB_CARDS_JOB.to_owned()), act).await?;
        going.did(count).await?;
        after = last;
    }
}
