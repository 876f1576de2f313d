//! What waits for somebody's approval, counted and looked up, whatever part of the centre it belongs to. Deciding is done by
//! those parts.

use std::sync::{Arc, Mutex, PoisonError};

use hufu_shared::act::Actor;
use hufu_shared::ids::{EntryId, Hash, MemberId};
use hufu_shared::time::Instant;

use super::requests::{self, State};
use super::{StoreError, joining, journal, redemption, staff, stand_ins};
use crate::db::{SqlFile, Tx};
use crate::rules::joining::roles::{self, Account};
use crate::rules::stand_in;
use crate::rules::world::KnownPlan;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("approvals", include_str!("../../sql/both/approvals.sql"));

/// Applications that are counted at most.
const APPLICATIONS_MAX: i64 = 100;

/// Forms that anybody of the centre may deal with: how many there were behind the newest entry. Whether one was dealt with
/// must be looked up form by form, so it is looked up once for each entry and not for each page.
pub type Tally = Arc<Mutex<Option<(EntryId, u64)>>>;

/// How many things wait that somebody may decide: for one of the centre all but their own, for one of a dealer's people the
/// applications that they, or whom they stand in for, approve.
///
/// # Errors
/// [`StoreError`].
pub fn count(tx: &mut Tx<'_>, who: &Account, (tally, now): (&Tally, Instant)) -> Result<u64, StoreError> {
    if !who.role.is_of_centre() {
        return of_dealer(tx, who, now);
    }
    let row = tx.query_one(SQL.get("counts"), &[Actor::Admin(who.id).to_string().into()])?;
    let mut sum = forms(tx, tally)?;
    for column in 0..5 {
        sum = sum.saturating_add(row.uint(column)?);
    }
    Ok(sum)
}

fn forms(tx: &mut Tx<'_>, tally: &Tally) -> Result<u64, StoreError> {
    let newest = journal::ends(tx, None)?.0;
    let known = *tally.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, count)) = known.filter(|known| Some(known.0) == newest) {
        return Ok(count);
    }
    let mut waiting = requests::applications(tx, APPLICATIONS_MAX)?;
    waiting.extend(requests::changes(tx)?.0);
    let count = waiting.iter().filter(|form| form.state == State::Ready).count();
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    *tally.lock().unwrap_or_else(PoisonError::into_inner) = newest.map(|newest| (newest, count));
    Ok(count)
}

fn of_dealer(tx: &mut Tx<'_>, who: &Account, now: Instant) -> Result<u64, StoreError> {
    let people: Vec<Account> = staff::accounts(tx)?.into_iter().map(|account| account.0).collect();
    let persons = stands_for(tx, (who, &people[..]), now)?;
    let account = |id| people.iter().find(|account| Some(account.id) == id);
    let mut count = 0;
    for (_, known) in joining::waiting(tx, APPLICATIONS_MAX)? {
        let carer = account(known.carer);
        let asker = known.carer.map_or_else(String::new, |carer| Actor::Admin(carer).to_string());
        let covers = |right: &Account| roles::approves(right, carer);
        count += u64::from(!stand_in::rights(who, &persons, &asker, covers).is_empty());
    }
    Ok(count)
}

/// In whose place somebody decides at an instant, of those who have an account.
///
/// # Errors
/// [`StoreError`].
pub fn stands_for(
    tx: &mut Tx<'_>,
    (who, people): (&Account, &[Account]),
    now: Instant,
) -> Result<Vec<Account>, StoreError> {
    let held = stand_ins::by(tx, who.id, now)?;
    let is_away = |person: &&Account| {
        let names = held.iter().any(|known| known.person == person.id && known.holds(now));
        names && stand_in::may_stand_in(person, who)
    };
    Ok(people.iter().filter(is_away).copied().collect())
}

/// Who put a member down as leaving at an instant, as the record of edits names them.
///
/// # Errors
/// [`StoreError`].
pub fn leave_asker(tx: &mut Tx<'_>, member: MemberId, filed: Instant) -> Result<Option<String>, StoreError> {
    let row = tx.query_opt(SQL.get("leave_asker"), &[member.0.into(), filed.0.into()])?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// Plans of redemption that wait, the one that was written first in front, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn plans(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<KnownPlan>, StoreError> {
    let mut found = Vec::new();
    for row in tx.query(SQL.get("plans"), &[limit.into()])? {
        found.extend(redemption::plan(tx, Hash(row.array(0)?))?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::SQL;
    use crate::db::testing::prepare_all;

    #[tokio::test]
    async fn every_statement_about_approvals_is_one_that_both_databases_take() {
        prepare_all(&[&SQL]).await;
    }
}
