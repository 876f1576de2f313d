//! Rows of members in the books: who takes part since when, who goes on as whom, what became of their stored value.

use hufu_shared::cbor;
use hufu_shared::ids::EntryId;
use hufu_shared::time::{Instant, OfficeClock};

use super::outcome::put;
use super::{StoreError, rows};
use crate::db::Tx;
use crate::rules::outcome::Outcome;

/// Writes what an entry gave. Of whom nobody said when they joined, they joined on the day of the entry.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(
    tx: &mut Tx<'_>,
    entry: EntryId,
    received: Instant,
    outcome: &Outcome,
) -> Result<(), StoreError> {
    let today = OfficeClock::default().business_day(received);
    for member in &outcome.members {
        let values = [
            member.member.0.into(),
            member.number.as_str().into(),
            member.level.as_ref().map(|level| level.zh.clone()).into(),
            member.level.as_ref().map(|level| level.en.clone()).into(),
            rows::member_status_code(member.status).into(),
            received.0.into(),
            member.office.map(|office| office.0).into(),
            member.personal.0.into(),
            entry.0.into(),
            i64::from(member.joined.unwrap_or(today).0).into(),
            i64::from(member.joined.is_some()).into(),
        ];
        put(tx, "set_member", values)?;
    }
    for (member, known) in &outcome.member_ties {
        let values = [
            member.0.into(),
            known.merged_into.map(|member| member.0).into(),
            i64::from(known.erased).into(),
            rows::member_status_code(known.status).into(),
            known.status_since.0.into(),
            i64::from(known.is_value_frozen()).into(),
            (!known.value_turns.is_empty()).then(|| cbor::encode(&known.value_turns)).into(),
            entry.0.into(),
        ];
        put(tx, "tie_member", values)?;
    }
    for (member, name) in &outcome.level_names {
        let values = [
            member.0.into(),
            name.as_ref().map(|name| name.zh.clone()).into(),
            name.as_ref().map(|name| name.en.clone()).into(),
            entry.0.into(),
        ];
        put(tx, "name_level", values)?;
    }
    for (application, is_looked_up) in &outcome.applications {
        let mut values = rows::fact_id_values(*application).to_vec();
        values.extend([i64::from(*is_looked_up).into(), entry.0.into()]);
        put(tx, "set_application", values)?;
    }
    Ok(())
}
