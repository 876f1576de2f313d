//! Plans of activities as people write them (K25): read from a form, checked, and taken into the books as one act.

use chrono::TimeDelta;
use hufu_shared::act::{Act, ActivityPlan, ActivityPlanned, Admission};
use hufu_shared::dictionary;
use hufu_shared::ids::{ActivityId, Hash, OccurrenceId, OfficeId};
use hufu_shared::member::{Audience, COMPANIONS_MAX, OccurrenceRow, OccurrenceState};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::rules::activity::{Every, holdings};
use hufu_shared::scheme::Words;
use hufu_shared::time::{Instant, OfficeClock};

use super::Console;
use super::failure::Failure;
use super::signed::{Fields, Posted};
use crate::db::Tx;
use crate::import::text;
use crate::random;
use crate::rules::activity as rule;
use crate::store::activities;
use crate::store::people::{PeopleError, office_of};
use crate::store::{acts, joining, journal};

/// Characters of a name at most.
const NAME_CHARS_MAX: usize = 50;
/// Characters of a place, and of what was paid for.
pub(super) const LINE_CHARS_MAX: usize = 100;
/// Characters of a programme at most (rule C3).
const PROGRAMME_CHARS_MAX: usize = 2_000;
/// Points for one attendance at most: above that a comma was forgotten.
const POINTS_MAX: u32 = 1_000_000;
/// Fen of one cost at most.
const COST_MAX: i64 = 100_000_000_000;

/// What was written, before it is known to the books.
struct Written {
    plan: ActivityPlan,
    times: Vec<(Instant, Instant)>,
    offices: Vec<String>,
    places: Option<u32>,
    points: u32,
    admission: Admission,
    audience: Audience,
}

/// A whole number up to `max`; what is left out is none.
pub(super) fn whole(fields: &Fields, name: &str, max: i64) -> Result<Option<i64>, &'static str> {
    match fields.get(name) {
        "" => Ok(None),
        cell => text::whole(cell, max).map(Some).ok_or("activity-number"),
    }
}

/// The same of heads and the like.
pub(super) fn count(fields: &Fields, name: &str, max: u32) -> Result<Option<u32>, &'static str> {
    let met = whole(fields, name, max.into())?;
    Ok(met.and_then(|met| u32::try_from(met).ok()))
}

/// An amount of money: `cost` in fen, or `yuan` as people write it; none where neither is there.
pub(super) fn cost(fields: &Fields) -> Result<Option<Amount>, &'static str> {
    match fields.get("yuan") {
        "" => Ok(whole(fields, "cost", COST_MAX)?.map(Amount)),
        yuan => {
            let met = Amount::parse(yuan, Unit::Cny).ok();
            met.filter(|met| (0..=COST_MAX).contains(&met.0)).map(Some).ok_or("activity-number")
        }
    }
}

/// What stands between commas.
fn names(text: &str) -> Vec<String> {
    text.split([',', '，']).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

impl Written {
    fn of(fields: &Fields, activity: ActivityId) -> Result<Self, &'static str> {
        let line = |name: &str, most: usize, needed: bool| {
            let text = fields.get(name);
            let chars = text.chars().count();
            (chars <= most && (chars > 0 || !needed)).then(|| text.to_owned()).ok_or("activity-text")
        };
        let zh = line("name_zh", NAME_CHARS_MAX, true)?;
        let en = Some(line("name_en", NAME_CHARS_MAX, false)?).filter(|en| !en.is_empty());
        let places = count(fields, "places", u32::MAX)?;
        if places == Some(0) {
            return Err("activity-number");
        }
        let admission = match fields.get("admission") {
            "" => Admission::default(),
            code => Admission::from_code(code).ok_or("activity-admission-none")?,
        };
        let companions = count(fields, "companions", COMPANIONS_MAX).map_err(|_| "activity-companions")?;
        Ok(Self {
            plan: ActivityPlan {
                activity,
                name: Words { en: en.unwrap_or_else(|| zh.clone()), zh },
                kind: fields.get("kind").to_owned(),
                place: line("place", LINE_CHARS_MAX, false)?,
                programme: line("programme", PROGRAMME_CHARS_MAX, false)?,
                heads: count(fields, "heads", u32::MAX)?.unwrap_or(0),
                cost: cost(fields)?.unwrap_or(Amount::ZERO),
                admission: Some(admission),
            },
            times: times(fields, admission)?,
            offices: names(fields.get("offices")),
            places,
            points: count(fields, "points", POINTS_MAX)?.unwrap_or(0),
            admission,
            audience: Audience {
                listed: fields.get("listed") == "1",
                levels: names(fields.get("levels")),
                companions: companions.filter(|companions| *companions > 0),
                counted: (!admission.admits_once()).then_some(true),
            },
        })
    }

    /// The holdings; those that stood keep their names in the order of their starts.
    fn rows(
        &self,
        stood: &[OccurrenceRow],
        offices: &[OfficeId],
        mut fresh: impl FnMut() -> Option<OccurrenceId>,
    ) -> Option<Vec<OccurrenceRow>> {
        let mut stood = stood.iter().filter(|row| row.state != OccurrenceState::Ended);
        let row = |(starts, ends): &(Instant, Instant)| {
            let before = stood.next();
            Some(OccurrenceRow {
                occurrence: before.map_or_else(&mut fresh, |row| Some(row.occurrence))?,
                activity: self.plan.activity,
                name: self.plan.name.clone(),
                starts: *starts,
                ends: *ends,
                state: OccurrenceState::Planned,
                admits_once: self.admission.admits_once(),
                points: Amount(self.points.into()),
                places: self.places,
                offices: offices.to_vec(),
                exits: self.admission.exits(),
                gifts: before.map_or_else(Vec::new, |row| row.gifts.clone()),
                guests: Vec::new(),
                audience: self.audience.clone(),
            })
        };
        self.times.iter().map(row).collect()
    }
}

/// When it is held: `starts` and `ends` of the first time, `every` day, week or month, so many `times`. One that admits once a
/// day is held each day anew, none of them longer than a day.
fn times(fields: &Fields, admission: Admission) -> Result<Vec<(Instant, Instant)>, &'static str> {
    let local = |name: &str| text::local(fields.get(name)).map_err(|_| "activity-times");
    let first = (local("starts")?, local("ends")?);
    let every = match fields.get("every") {
        "" => Every::Day,
        code => Every::from_code(code).ok_or("activity-times")?,
    };
    let fits = every == Every::Day && first.1 - first.0 <= TimeDelta::days(1);
    if admission == Admission::Daily && !fits {
        return Err("activity-daily");
    }
    let times = count(fields, "times", u32::MAX).map_err(|_| "activity-times")?.unwrap_or(1);
    let zone = OfficeClock::default().tz().map_err(|_| "activity-times")?;
    holdings(first, every, times, zone).ok_or("activity-times")
}

/// The activity that a key names: the key itself where it is an id, as forms have it.
fn named(key: &str) -> ActivityId {
    key.parse().unwrap_or_else(|_| {
        let hash = Hash::of(&[b"hufu-activity", key.as_bytes()]).0;
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        ActivityId(id)
    })
}

/// Under which id a plan is written: the one that it `named`, that of its `key`, so that a plan that is sent twice is made
/// once, or a fresh one.
fn id_of(fields: &Fields, now: Instant) -> Result<(ActivityId, bool), Failure> {
    let activity = fields.get("activity");
    if !activity.is_empty() {
        return Ok((activity.parse().map_err(|_| Failure::NotFound)?, true));
    }
    match fields.get("key") {
        "" => Ok((ActivityId::new(now, random::bytes()?), false)),
        key => Ok((named(key), false)),
    }
}

/// Plans an activity, or plans one anew; answers which, and whether it is new, or the key of what is wrong.
pub(super) async fn plan_it(
    console: &Console,
    posted: &Posted,
) -> Result<Result<(ActivityId, bool), &'static str>, Failure> {
    let now = console.app.now();
    let (id, is_named) = id_of(&posted.fields, now)?;
    let written = match Written::of(&posted.fields, id) {
        Ok(written) => written,
        Err(key) => return Ok(Err(key)),
    };
    let fresh: Vec<OccurrenceId> = written
        .times
        .iter()
        .map(|_| Ok::<_, Failure>(OccurrenceId::new(now, random::bytes()?)))
        .collect::<Result<_, _>>()?;
    let (entry, actor) = (console.app.entry_id()?, posted.by.actor());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<bool, &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let known = activities::activity(tx, id)?;
        let stood = activities::occurrences_of(tx, id)?;
        match (is_named, known.is_none() && stood.is_empty()) {
            (true, true) => return Ok(Err("activity-none")),
            // The same plan, sent again.
            (false, false) => return Ok(Ok(false)),
            _ => {}
        }
        if !joining::can_choose(tx, dictionary::ACTIVITY_KIND, &written.plan.kind)? {
            return Ok(Err("activity-kind"));
        }
        if !rule::may_plan(known.as_ref().map(|known| known.state), &stood, now) {
            return Ok(Err("activity-begun"));
        }
        let mut offices = Vec::new();
        for code in &written.offices {
            match office_of(tx, code)? {
                Some(office) => offices.push(office),
                None => return Ok(Err("activity-office")),
            }
        }
        let mut names = fresh.iter().copied();
        let Some(occurrences) = written.rows(&stood, &offices, || names.next()) else {
            return Ok(Err("activity-times"));
        };
        let planned = ActivityPlanned { plan: written.plan.clone(), occurrences };
        let given = acts::take(tx, entry, now, &actor, &Act::ActivityPlanned(Box::new(planned)))?;
        Ok(if given.activities.contains_key(&id) { Ok(!is_named) } else { Err("activity-begun") })
    };
    Ok(console.app.write(work).await?.map(|is_new| (id, is_new)))
}
