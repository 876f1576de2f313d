//! What rows of balances and of history change: both come from another system, under the name of a batch.

use std::collections::BTreeMap;

use hufu_shared::act::{BalancesOpened, HistoryBrought, Opening, PastLine};
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::money::Leg;
use hufu_shared::seal;

use super::balances::{self, BalanceLine};
use super::expected::Expected;
use super::history::{self, HistoryLine};
use super::plan::{self, Change};
use super::rows::{self, Found};
use super::run::{ACT_ROWS_MAX, ImportError, Means, Request, random};
use super::sheet::Sheet;
use super::write::{Chunk, PastText};
use super::{BadCell, text};
use crate::db::Tx;
use crate::rules::posting;
use crate::store::acts::Note;
use crate::store::people::{self, SALT_BYTES};
use crate::store::{StoreError, brought};

/// The batch that a person named.
fn batch(request: &Request) -> Result<String, ImportError> {
    let batch = request.batch.as_deref().map(str::trim).filter(|batch| !batch.is_empty());
    batch.and_then(|batch| text::title(batch).ok()).ok_or(ImportError::NoBatch)
}

/// Openings that are not posted yet. One that stands with another amount is bad: what was opened is changed by a person,
/// with a cause of its own.
pub(super) async fn plan_balances(
    means: &Means<'_>,
    request: &Request,
    sheet: &Sheet,
    (bad, tally): Found<'_>,
    sums: &mut Vec<Leg>,
) -> Result<Vec<Chunk>, ImportError> {
    let batch = batch(request)?;
    let offices = rows::office_rows(means.db).await?;
    let zone = rows::club_zone(&offices);
    let living = means.db.read(people::living).await?;
    let members = living.into_iter().map(|(number, member, office)| (number, (member, office)));
    let names = balances::Names {
        members: members.collect(),
        offices: rows::codes(&offices),
        cause: request.cause.as_deref().unwrap_or_default().trim().to_owned(),
    };
    let now = means.clock.now();
    let lines = rows::parsed(sheet, bad, |line| balances::parse(line, &names, zone, now));
    let key = |line: &BalanceLine| {
        let at = line.at.map_or_else(String::new, |at| at.0.to_string());
        (format!("{} {at}", line.number), line.number.clone())
    };
    let lines = plan::once(lines, bad, "member", |line| line.row, key);
    let causes: Vec<Vec<Hash>> = lines.iter().map(|line| causes(&batch, line)).collect();
    let find = move |tx: &mut Tx<'_>| -> Result<Vec<Vec<_>>, StoreError> {
        let mut known = Vec::with_capacity(causes.len());
        for part in causes.chunks(ACT_ROWS_MAX) {
            brought::ask_ahead(tx, "opening", part.iter().flatten().copied())?;
            for causes in part {
                let found = causes.iter().map(|cause| brought::opening(tx, *cause));
                known.push(found.collect::<Result<Vec<_>, _>>()?);
            }
        }
        Ok(known)
    };
    let known = means.db.read(find).await?;
    // Rows of one cause go together: an act has one.
    let mut taken: BTreeMap<String, Vec<Opening>> = BTreeMap::new();
    let mut fresh = Vec::new();
    for (line, known) in lines.into_iter().zip(known) {
        let other =
            line.legs.iter().zip(&known).find(|(leg, stands)| stands.is_some_and(|it| it != leg.amount));
        if let Some((leg, Some(stands))) = other {
            let expected = Expected::of("import-opened").with("stands", stands.display(leg.unit));
            let met = leg.amount.display(leg.unit);
            bad.push(BadCell { row: line.row, column: "member", met, expected });
            continue;
        }
        let is_new = known.iter().any(Option::is_none);
        if tally.add(if is_new { Change::New } else { Change::Unchanged }, line.row) {
            let missing = line.legs.iter().zip(&known).filter(|(_, stands)| stands.is_none());
            let legs: Vec<Leg> = missing.map(|(leg, _)| *leg).collect();
            let opening =
                |leg: &Leg| Opening { member: line.member, leg: *leg, office: line.office, at: line.at };
            taken.entry(line.cause.clone()).or_default().extend(legs.iter().map(opening));
            fresh.push(BalanceLine { legs, ..line });
        }
    }
    *sums = balances::sums(fresh.iter());
    let mut chunks = Vec::new();
    for (cause, openings) in taken {
        for part in openings.chunks(ACT_ROWS_MAX) {
            let note = Note::new(&means.seal, random()?, &cause)?;
            let (rows, reason) = (part.to_vec(), note.commitment);
            chunks.push(Chunk::Openings(BalancesOpened { batch: batch.clone(), rows, reason }, note));
        }
    }
    Ok(chunks)
}

fn causes(batch: &str, line: &BalanceLine) -> Vec<Hash> {
    let cause = |leg: &Leg| posting::opening_cause(batch, line.member, leg.unit, line.at);
    line.legs.iter().map(cause).collect()
}

/// Transactions that are not here yet.
pub(super) async fn plan_history(
    means: &Means<'_>,
    request: &Request,
    sheet: &Sheet,
    (bad, tally): Found<'_>,
) -> Result<Vec<Chunk>, ImportError> {
    let batch = batch(request)?;
    let offices = rows::office_rows(means.db).await?;
    let zone = rows::club_zone(&offices);
    let living = means.db.read(people::living).await?;
    let members = living.into_iter().map(|(number, member, _)| (number, member)).collect();
    let now = means.clock.now();
    let lines = rows::parsed(sheet, bad, |line| history::parse(line, &members, zone, now));
    let key = |line: &HistoryLine| match line.words.reference.as_str() {
        "" => (format!("row {}", line.row), String::new()),
        reference => (format!("{} {reference}", line.number), reference.to_owned()),
    };
    let lines = plan::once(lines, bad, "reference", |line| line.row, key);
    let ids = history::ids(&batch, &lines);
    let asked = ids.clone();
    let find = move |tx: &mut Tx<'_>| -> Result<Vec<_>, StoreError> {
        let mut known = Vec::with_capacity(asked.len());
        for part in asked.chunks(ACT_ROWS_MAX) {
            brought::ask_ahead(tx, "past", part.iter().copied())?;
            for id in part {
                known.push(brought::past(tx, *id)?);
            }
        }
        Ok(known)
    };
    let known = means.db.read(find).await?;
    let mut taken = Vec::new();
    for ((line, id), known) in lines.into_iter().zip(ids).zip(known) {
        let change = match &known {
            None => Change::New,
            Some(known) if *known == (line.member, line.at, line.legs.clone()) => Change::Unchanged,
            Some(_) => {
                let (row, met) = (line.row, line.words.reference.clone());
                bad.push(BadCell { row, column: "reference", met, expected: "import-past-differs".into() });
                continue;
            }
        };
        if tally.add(change, line.row) {
            taken.push(past(id, &line)?);
        }
    }
    let part = |part: &[(PastLine, PastText)]| {
        let (lines, texts) = part.iter().cloned().unzip();
        Chunk::Past(HistoryBrought { batch: batch.clone(), lines }, texts)
    };
    Ok(taken.chunks(ACT_ROWS_MAX).map(part).collect())
}

/// A line of the act, and what the vault keeps of it.
fn past(id: Hash, line: &HistoryLine) -> Result<(PastLine, PastText), ImportError> {
    let salt: [u8; SALT_BYTES] = random()?;
    let words = serde_json::json!(line.words).to_string();
    let commitment = seal::commitment(&salt, words.as_bytes());
    let member: MemberId = line.member;
    let text = PastText { member, commitment, kept: [&salt[..], words.as_bytes()].concat() };
    Ok((PastLine { id, member, at: line.at, legs: line.legs.clone(), words: commitment }, text))
}
