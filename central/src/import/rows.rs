//! What rows of members, cards, offices and activities change: read, compared with what the centre holds, and cut into
//! acts.

use std::collections::{BTreeMap, HashMap};

use chrono_tz::Tz;
use hufu_shared::act::Act;
use hufu_shared::form::FormContent;
use hufu_shared::ids::{CardId, MemberId, OfficeId};
use hufu_shared::member::OfficeRow;
use hufu_shared::time::OfficeClock;

use super::cards::CardLine;
use super::members::MemberLine;
use super::plan::{self, KnownMember};
use super::report::Alike;
use super::run::{ACT_ROWS_MAX, ImportError, Means, Tally, random};
use super::sheet::{self, Sheet};
use super::write::{Chunk, MemberRow, card_change, known_card, known_member};
use super::{BadCell, activities, cards, members, offices};
use crate::db::{Db, Tx};
use crate::store::people::{self, PeopleError};
use crate::store::{StoreError, journal, lookalikes, members as kept_members};
use crate::vault::Personal;

/// Where bad cells and counts go.
pub(super) type Found<'a> = (&'a mut Vec<BadCell>, &'a mut Tally);

pub(super) async fn plan_members(
    means: &Means<'_>,
    sheet: &Sheet,
    (bad, tally): Found<'_>,
    alike: &mut BTreeMap<u64, Alike>,
) -> Result<Vec<Chunk>, ImportError> {
    let offices = office_rows(means.db).await?;
    let today = club_clock(&offices).business_day(means.clock.now());
    let by_code = codes(&offices);
    let lines = parsed(sheet, bad, |line| members::parse(line, &by_code, today));
    let lines =
        plan::once(lines, bad, "number", |line| line.row, |line| (line.number.clone(), line.number.clone()));
    let known = known_members(means, &lines).await?;
    *alike = look_alikes(means, lines.iter().filter(|line| !known.contains_key(&line.number))).await?;
    let mut taken = Vec::new();
    for mut line in lines {
        let before = known.get(&line.number);
        if before.is_some_and(|before| before.personal.is_none()) {
            let expected = "import-erased".into();
            bad.push(BadCell { row: line.row, column: "number", met: line.number, expected });
            continue;
        }
        let change = plan::member(&mut line, before, |column| sheet.has(column));
        if tally.add(change, line.row) {
            let (fresh, salt) = (MemberId::new(means.clock.now(), random()?), random()?);
            taken.push(MemberRow { line, fresh, salt, is_new: before.is_none() });
        }
    }
    Ok(taken.chunks(ACT_ROWS_MAX).map(|part| Chunk::Members(part.to_vec())).collect())
}

/// Whom the new ones look like (K7, C2): members that exist, and earlier rows of the file with the same mobile or document.
async fn look_alikes(
    means: &Means<'_>,
    fresh: impl Iterator<Item = &MemberLine>,
) -> Result<BTreeMap<u64, Alike>, ImportError> {
    let mut firsts: HashMap<(&'static str, String), u64> = HashMap::new();
    let mut alike: BTreeMap<u64, Alike> = BTreeMap::new();
    let mut asked = Vec::new();
    for line in fresh {
        let Personal { mobile, document, .. } = &line.personal;
        let document = document.as_ref().map(|document| document.number.clone());
        let traits = [("mobile", mobile.clone()), ("document", document)];
        for (field, value) in traits.iter().filter_map(|(field, value)| Some((*field, value.clone()?))) {
            match firsts.entry((field, value)) {
                std::collections::hash_map::Entry::Occupied(first) => {
                    alike.entry(line.row).or_default().rows.insert(*first.get());
                }
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(line.row);
                }
            }
        }
        let [mobile, document] = traits;
        let name = ("name", Some(line.personal.name.clone()));
        let fields = [name, mobile, document].into_iter();
        let fields = fields.filter_map(|(field, value)| Some((field.to_owned(), value?))).collect();
        asked.push((line.row, FormContent { fields }));
    }
    let vault = means.vault.clone();
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let mut found = Vec::new();
        if kept_members::count(tx, "")? == 0 {
            return Ok(found);
        }
        for (row, content) in &asked {
            for member in lookalikes::before_entry(tx, &vault, content)? {
                found.extend(people::member(tx, member)?.map(|member| (*row, member.number)));
            }
        }
        Ok(found)
    };
    for (row, number) in means.db.read(load).await? {
        alike.entry(row).or_default().members.insert(number);
    }
    Ok(alike)
}

async fn known_members(
    means: &Means<'_>,
    lines: &[MemberLine],
) -> Result<HashMap<String, KnownMember>, ImportError> {
    let vault = means.vault.clone();
    let numbers: Vec<String> = lines.iter().map(|line| line.number.clone()).collect();
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let mut rows = people::members(tx)?;
        let mut known = HashMap::new();
        for number in &numbers {
            let Some(row) = rows.remove(number) else { continue };
            known.insert(number.clone(), known_member(tx, &vault, row)?);
        }
        Ok(known)
    };
    Ok(means.db.read(load).await?)
}

pub(super) async fn plan_cards(
    means: &Means<'_>,
    sheet: &Sheet,
    (bad, tally): Found<'_>,
) -> Result<Vec<Chunk>, ImportError> {
    if means.token_keys.is_empty() {
        return Err(ImportError::NoTokenKey);
    }
    let offices = office_rows(means.db).await?;
    let zone = club_zone(&offices);
    let numbers = numbers(means.db).await?;
    let lines = parsed(sheet, bad, |line| cards::parse(line, &numbers, zone));
    let canonical = |line: &CardLine| (line.text.canonical().to_owned(), format!("…{}", line.text.tail()));
    let lines = plan::once(lines, bad, "card", |line| line.row, canonical);
    let keys = means.token_keys.to_vec();
    let tokens_of = move |line: &CardLine| {
        let mut tokens: Vec<_> = keys.iter().map(|key| key.token(&line.text)).collect();
        tokens.sort_unstable();
        tokens
    };
    let lines: Vec<_> = lines.into_iter().map(|line| (tokens_of(&line), line)).collect();
    let wanted: Vec<_> = lines.iter().map(|(tokens, _)| tokens.clone()).collect();
    let find = move |tx: &mut Tx<'_>| -> Result<Vec<_>, StoreError> {
        wanted.iter().map(|tokens| known_card(tx, tokens)).collect()
    };
    let known = means.db.read(find).await?;
    let mut taken = Vec::new();
    for ((tokens, mut line), before) in lines.into_iter().zip(known) {
        let change = card_change(&mut line, &tokens, before.as_ref(), |column| sheet.has(column));
        if tally.add(change, line.row) {
            taken.push((line, tokens, CardId::new(means.clock.now(), random()?)));
        }
    }
    Ok(taken.chunks(ACT_ROWS_MAX).map(|part| Chunk::Cards(part.to_vec())).collect())
}

/// Members by their number.
async fn numbers(db: &Db) -> Result<HashMap<String, MemberId>, ImportError> {
    let rows = db.read(people::members).await?;
    Ok(rows.into_iter().map(|(number, row)| (number, row.member)).collect())
}

pub(super) async fn plan_offices(
    means: &Means<'_>,
    sheet: &Sheet,
    (bad, tally): Found<'_>,
) -> Result<Vec<Chunk>, ImportError> {
    let known = office_rows(means.db).await?;
    let lines = parsed(sheet, bad, offices::parse);
    let lines =
        plan::once(lines, bad, "code", |line| line.row, |line| (line.code.clone(), line.code.clone()));
    let mut taken = Vec::new();
    for mut line in lines {
        let before = known.iter().find(|office| office.code == line.code);
        if !sheet.has("group") {
            // A file that knows no groups takes none away.
            line.group = before.and_then(|office| office.group.clone());
        }
        if tally.add(plan::office(&line, before), line.row) {
            let office = match before {
                Some(before) => before.office,
                None => OfficeId::new(means.clock.now(), random()?),
            };
            let row =
                OfficeRow { office, code: line.code, name: line.name, clock: line.clock, group: line.group };
            taken.push(Chunk::Whole(Act::OfficeSet(row)));
        }
    }
    Ok(taken)
}

pub(super) async fn plan_activities(
    means: &Means<'_>,
    sheet: &Sheet,
    (bad, tally): Found<'_>,
) -> Result<Vec<Chunk>, ImportError> {
    let offices = office_rows(means.db).await?;
    let zone = club_zone(&offices);
    let members = match sheet.has("guests") {
        true => numbers(means.db).await?,
        false => HashMap::new(),
    };
    let names = activities::Names { offices: codes(&offices), members };
    let lines = parsed(sheet, bad, |line| activities::parse(line, &names, zone));
    let lines =
        plan::once(lines, bad, "code", |line| line.row, |line| (line.code.clone(), line.code.clone()));
    let club = means.db.read(journal::club).await?.club;
    let rows: Vec<_> = lines.iter().map(|line| plan::holding(line, club)).collect();
    let ids: Vec<_> = rows.iter().map(|row| row.occurrence).collect();
    let find = move |tx: &mut Tx<'_>| -> Result<Vec<_>, StoreError> {
        ids.iter().map(|id| people::occurrence(tx, *id)).collect()
    };
    let known = means.db.read(find).await?;
    let mut taken = Vec::new();
    for ((mut row, before), line) in rows.into_iter().zip(known).zip(&lines) {
        if let Some(before) = before.as_ref().filter(|_| !sheet.has("guests")) {
            row.guests.clone_from(&before.guests);
        }
        if tally.add(plan::activity(&row, before.as_ref()), line.row) {
            taken.push(Chunk::Whole(Act::OccurrenceSet(row)));
        }
    }
    Ok(taken)
}

pub(super) fn parsed<T>(
    sheet: &Sheet,
    bad: &mut Vec<BadCell>,
    parse: impl Fn(&sheet::Line) -> Result<T, Vec<BadCell>>,
) -> Vec<T> {
    let mut good = Vec::with_capacity(sheet.lines.len());
    for line in &sheet.lines {
        match parse(line) {
            Ok(row) => good.push(row),
            Err(cells) => bad.extend(cells),
        }
    }
    good
}

pub(super) async fn office_rows(db: &Db) -> Result<Vec<OfficeRow>, StoreError> {
    db.read(people::offices).await
}

pub(super) fn codes(offices: &[OfficeRow]) -> HashMap<String, OfficeId> {
    offices.iter().map(|office| (office.code.clone(), office.office)).collect()
}

/// The zone in which the club's lists are written and read.
#[must_use]
pub fn club_zone(offices: &[OfficeRow]) -> Tz {
    club_clock(offices).tz().unwrap_or(chrono_tz::Asia::Shanghai)
}

/// The zone of the club: that of its offices if they share one, else China's.
fn club_clock(offices: &[OfficeRow]) -> OfficeClock {
    let zone = offices.first().map(|office| office.clock.zone.clone());
    match zone {
        Some(zone) if offices.iter().all(|office| office.clock.zone == zone) => {
            OfficeClock { zone, cutoff_minutes: 0 }
        }
        _ => OfficeClock::default(),
    }
}
