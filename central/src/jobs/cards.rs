//! Cards that time and points change: main cards are marked for another kind (K17), sub cards end (K17, K18).

use hufu_shared::act::{Act, Actor, CardChange, CardChangesDue, CardsEnded};
use hufu_shared::ids::CardId;

use super::{Going, JobError};
use crate::app::App;
use crate::rules::apply::CARD_CHANGE_JOB;
use crate::store::cards;
use crate::store::jobs::{self, CARDS_STEP_MAX, FIRST_CARD, Look};

/// Name of the end of sub cards in the journal.
const SUB_CARDS_JOB: &str = "sub_cards";

/// Whether a day is over up to which nobody looked.
pub(super) async fn is_due(app: &App) -> Result<bool, JobError> {
    Ok(look(app).await?.is_some())
}

async fn look(app: &App) -> Result<Option<Look>, JobError> {
    let now = app.now();
    Ok(app.db.read(move |tx| jobs::card_look_due(tx, now)).await?)
}

/// The changes of the next cards, and where to go on.
async fn changes(
    app: &App,
    look: &Look,
    from: CardId,
) -> Result<(Vec<CardChange>, Option<CardId>), JobError> {
    let look = look.clone();
    let page = move |tx: &mut crate::db::Tx<'_>| {
        cards::changes_due(tx, &look.terms, look.days, from, CARDS_STEP_MAX)
    };
    Ok(app.db.read(page).await?)
}

/// How many changes points ask for; a card that rises twice counts twice.
pub(super) async fn count(app: &App) -> Result<u64, JobError> {
    let Some(look) = look(app).await? else { return Ok(0) };
    let (mut all, mut from) = (0, Some(FIRST_CARD));
    while let Some(card) = from {
        let (some, next) = changes(app, &look, card).await?;
        (all, from) = (all + super::counted(some.len()), next);
    }
    Ok(all)
}

/// Marks main cards that points change. Only the last step says that the day was looked at: a run that was cut off looks
/// at all cards again, and finds what was marked already as it is.
pub(super) async fn perform(going: &mut Going<'_>) -> Result<u64, JobError> {
    let Some(look) = look(going.app).await? else { return Ok(0) };
    let mut from = Some(FIRST_CARD);
    while let Some(card) = from {
        let (some, next) = changes(going.app, &look, card).await?;
        let (until, count) =
            (if next.is_some() { look.days.0 } else { look.days.1 }, super::counted(some.len()));
        if count > 0 || next.is_none() {
            let act = Act::CardChangesDue(CardChangesDue { until, changes: some });
            going.app.act(Actor::Job(CARD_CHANGE_JOB.to_owned()), act).await?;
        }
        going.did(count).await?;
        from = next;
    }
    Ok(0)
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
