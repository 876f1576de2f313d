//! Sets aside what members may need at terminals, before those are offline.

use hufu_shared::ids::DeviceId;
use hufu_shared::money::Unit;

use super::next_round;
use crate::app::App;
use crate::store::{StoreError, leases};

/// Milliseconds between rounds.
const ROUND_MS: u64 = 20_000;
/// Members of one terminal in one transaction: uploads wait for no more than this.
const MEMBERS_MAX: usize = 10;

/// One round: members whom other terminals of an office have seen lately, at some of its terminals, those after `after`.
/// It ends early when the service stops, and when terminals wait to deliver: what was done there counts more than what
/// may be; then the next round begins at the same terminals. Answers how many got something, and behind which terminal
/// the next round goes on.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub async fn round(app: &App, after: Option<DeviceId>) -> Result<(u64, Option<DeviceId>), StoreError> {
    let now = app.now();
    let (pairs, next) = app.db.read(move |tx| leases::candidates(tx, now, after)).await?;
    let mut granted = 0;
    for pairs in
        pairs.chunk_by(|(one, _), (other, _)| one == other).flat_map(|pairs| pairs.chunks(MEMBERS_MAX))
    {
        if app.uploads.is_crowded() || app.is_stopping() {
            return Ok((granted, after));
        }
        let Some((device, _)) = pairs.first().copied() else { continue };
        let mut asked = Vec::with_capacity(pairs.len());
        for (_, member) in pairs {
            let (Ok(points), Ok(money)) = (app.entry_id(), app.entry_id()) else {
                return Ok((granted, after));
            };
            asked.push((*member, [(Unit::Pts, points), (Unit::Cny, money)]));
        }
        granted += app.write(move |tx| leases::grant_all_ahead(tx, device, &asked, now)).await?;
    }
    Ok((granted, next))
}

/// Runs until the service stops.
pub async fn run(app: App) {
    let mut after = None;
    while next_round(&app, ROUND_MS).await {
        match round(&app, after).await {
            Ok((granted, next)) => {
                after = next;
                if granted > 0 {
                    tracing::info!(granted, "set aside for terminals");
                }
            }
            Err(error) => tracing::error!(%error, "nothing could be set aside for terminals"),
        }
    }
}
