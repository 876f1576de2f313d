//! Reads the daily cash report: the facts of each terminal's day at an office, by the statements that reconcile the day
//! ([`super::reconcile`]), and what the centre's own desk moved.

use std::collections::BTreeSet;

use hufu_shared::act::Act;
use hufu_shared::cbor;
use hufu_shared::fact::{DayTotals, Event, Fact};
use hufu_shared::ids::{DeviceId, FactId, OfficeId};
use hufu_shared::member::OfficeRow;
use hufu_shared::money::{Amount, AmountOverflow};
use hufu_shared::rules::totals;
use hufu_shared::time::{Day, Instant, SECOND_US};

use super::{StoreError, devices, known, people, reconcile, rows};
use crate::db::{SqlFile, Tx};
use crate::rules::cash::{self, Line, MethodSum, Moved};
use crate::rules::entry::EntryBody;
use crate::rules::judge::calendar;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("cash", include_str!("../../sql/both/cash.sql"));

/// A terminal that was in contact this long ago tells what waits there, in us; a poll is held for 25 s.
pub(super) const HEARD_WITHIN_US: i64 = 60 * SECOND_US;

/// A terminal's part in the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalCash {
    /// Which.
    pub device: DeviceId,
    /// What people call it.
    pub name: String,
    /// What the facts of its day that are here come to.
    pub totals: DayTotals,
    /// What it closed the day with; none while it is open.
    pub closed: Option<DayTotals>,
    /// When it was last in contact, and how many facts waited there then.
    pub heard: Option<(Instant, u64)>,
    /// Whether it may still hold facts of the day.
    pub may_lack: bool,
}

/// The report of an office's business day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Where.
    pub office: OfficeRow,
    /// When.
    pub day: Day,
    /// By teller, method and kind.
    pub lines: Vec<Line>,
    /// By method.
    pub methods: Vec<MethodSum>,
    /// The terminals of the office, and those that recorded there on that day.
    pub terminals: Vec<TerminalCash>,
}

/// The report of an office's business day as the centre knows it `now`; none if there is no such office.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn report(
    tx: &mut Tx<'_>,
    (office, day): (OfficeId, Day),
    now: Instant,
) -> Result<Option<Report>, StoreError> {
    let Some(office) = people::offices(tx)?.into_iter().find(|row| row.office == office) else {
        return Ok(None);
    };
    let next_day = calendar::day_start(&office.clock.zone, day.plus(1), office.clock.cutoff_minutes);
    let end = next_day.min(now.offset(-HEARD_WITHIN_US));
    let here = tx.query(SQL.get("terminals_of_day"), &[office.office.0.into(), i64::from(day.0).into()])?;
    let recorded =
        here.iter().map(|row| Ok(DeviceId(row.array(0)?))).collect::<Result<BTreeSet<_>, StoreError>>()?;
    let (mut moved, mut terminals) = (desk(tx, office.office, day)?, Vec::new());
    for line in devices::list(tx)? {
        let is_here = line.office == office.office && line.epoch > 0;
        if !is_here && !recorded.contains(&line.device) {
            continue;
        }
        let facts = reconcile::facts(tx, line.device, day)?;
        let mut sums = DayTotals::default();
        for of in facts.iter().filter(|of| of.office == office.office) {
            let Some(fact) = &of.fact else { continue };
            totals::add(&mut sums, fact).map_err(beyond)?;
            let original = original(tx, fact)?;
            moved.extend(cash::of_fact(fact, original.as_ref(), of.became));
        }
        let heard = line.contact.as_ref().map(|contact| (contact.at, contact.queued));
        terminals.push(TerminalCash {
            device: line.device,
            name: line.name,
            totals: sums,
            closed: reconcile::closing(tx, line.device, day)?.map(|(_, closed)| closed.totals),
            heard,
            may_lack: cash::may_lack(heard, end),
        });
    }
    let lines = cash::lines(moved).map_err(beyond)?;
    let methods = cash::by_method(&lines).map_err(beyond)?;
    Ok(Some(Report { office, day, lines, methods, terminals }))
}

/// Sums beyond 64 bits are no money.
fn beyond(_: AmountOverflow) -> StoreError {
    StoreError::Range { what: "sum of cash", met: Amount(i64::MAX).0 }
}

/// What a reversal takes back; none for any other fact, and for one that is not here.
fn original(tx: &mut Tx<'_>, fact: &Fact) -> Result<Option<Fact>, StoreError> {
    let Event::Reversed(reversed) = &fact.event else { return Ok(None) };
    let id: FactId = reversed.original;
    match tx.query_opt(SQL.get("original"), &rows::fact_id_values(id))? {
        Some(row) => known::readable(tx, id, row.blob(0)?),
        None => Ok(None),
    }
}

/// What the centre's own desk moved of an office's money.
fn desk(tx: &mut Tx<'_>, office: OfficeId, day: Day) -> Result<Vec<Moved>, StoreError> {
    let mut moved = Vec::new();
    for row in tx.query(SQL.get("desk_entries"), &[i64::from(day.0).into()])? {
        let body: EntryBody = cbor::decode(row.blob(0)?).map_err(|source| StoreError::Stored {
            what: "entry",
            id: String::from("of a movement at the desk"),
            source,
        })?;
        let EntryBody::Act(taken) = body else { continue };
        if let Act::ValueMoved(of) = &taken.act
            && of.office == office
        {
            moved.extend(cash::of_desk(of, taken.actor.staff()));
        }
    }
    Ok(moved)
}
