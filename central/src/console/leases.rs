//! Allowances in the console: what lies at which terminal, and writing one off.
//!
//! A write-off gives the member back what is left at once and tells beforehand what it may cost the club: all of it, if
//! the terminal spent it unheard. Before the allowance's time and a day are over a second admin must sign as well.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use hufu_shared::act::{Act, LeaseEnded};
use hufu_shared::ids::{DeviceId, LeaseId, MemberId, OperatorId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::{Instant, SECOND_US};

use super::Console;
use super::devices;
use super::failure::{Failure, go};
use super::login;
use super::members::masked_name;
use super::signed::Posted;
use super::ui::{Ui, number};
use super::verdict::note;
use crate::db::Tx;
use crate::rules::lease::LeaseRow;
use crate::store::devices::DeviceLine;
use crate::store::people::PeopleError;
use crate::store::{StoreError, acts, journal, leases};
use crate::vault::Vault;

/// An allowance at a terminal, as its page shows it.
#[derive(Debug, Clone)]
pub struct LeaseShown {
    /// In forms: lease and generation.
    pub id: String,
    /// The member's page.
    pub link: String,
    /// Whose, masked.
    pub member: String,
    /// What is left, as far as the centre knows.
    pub left: String,
    /// Until when the terminal may spend it on its own.
    pub until: String,
    /// Whether a second person is needed now.
    pub needs_second: bool,
    /// What writing it off may cost.
    pub cost: String,
}

/// An amount of a unit in words.
pub fn amount(ui: &Ui, unit: Unit, amount: i64) -> String {
    match unit {
        Unit::Pts => ui.t_with("amount-points", &[("n", &number(amount))]),
        Unit::Growth => ui.t_with("amount-growth", &[("n", &number(amount))]),
        Unit::Cny => format!("¥{}", Amount(amount).display(unit)),
    }
}

/// The open allowances of a terminal.
///
/// # Errors
/// [`PeopleError`].
pub fn at_device(
    tx: &mut Tx<'_>,
    vault: &Vault,
    ui: &Ui,
    device: DeviceId,
) -> Result<Vec<LeaseShown>, PeopleError> {
    let mut shown = Vec::new();
    for row in leases::open_at(tx, device)? {
        let left = amount(ui, row.unit, row.escrow().0);
        shown.push(LeaseShown {
            id: format!("{}/{}", row.lease, row.generation),
            link: format!("/members/{}", row.member),
            member: masked_name(tx, vault, Some(row.member))?,
            until: ui.time(until(&row)),
            needs_second: row.write_off_needs_second(ui.now),
            cost: ui.t_with("lease-cost", &[("n", &left)]),
            left,
        });
    }
    Ok(shown)
}

fn until(row: &LeaseRow) -> Instant {
    row.set_at.offset(i64::try_from(row.terms.ttl_s).unwrap_or(i64::MAX).saturating_mul(SECOND_US))
}

/// What of a member's lies at terminals: one line per terminal and unit.
pub fn of_member(ui: &Ui, rows: &[LeaseRow], lines: &[DeviceLine]) -> Vec<String> {
    let words = |row: &LeaseRow| {
        let line = lines.iter().find(|line| line.device == row.device);
        let office = line.and_then(|line| line.office_words.as_ref()).map(|words| ui.pick(&words.1));
        let device = line.map_or_else(String::new, |line| line.name.clone());
        let (n, since) = (amount(ui, row.unit, row.escrow().0), ui.time(row.set_at));
        let args = [("n", n), ("office", office.unwrap_or_default()), ("device", device), ("since", since)];
        ui.t_with("lease-lies", &args.each_ref().map(|(name, value)| (*name, value.as_str())))
    };
    rows.iter().filter(|row| row.escrow().is_positive()).map(words).collect()
}

/// What lies in allowances of a member, in one unit.
pub fn escrow_of(rows: &[LeaseRow], unit: Unit) -> i64 {
    rows.iter().filter(|row| row.unit == unit).map(|row| row.escrow().0).sum()
}

/// Writes an allowance off.
pub async fn write_off(
    State(console): State<Console>,
    Path(device): Path<DeviceId>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone().at("devices");
    let again =
        |key: &str| devices::again(&console, ui.clone(), device, ui.t(key), StatusCode::UNPROCESSABLE_ENTITY);
    let named = posted.fields.get("lease").split_once('/');
    let named: Option<(LeaseId, u32)> =
        named.and_then(|(lease, generation)| Some((lease.parse().ok()?, generation.parse().ok()?)));
    let Some((lease, generation)) = named else { return again("lease-gone").await };
    if posted.fields.get("reason").is_empty() {
        return again("reason-missing").await;
    }
    let first = posted.by.session.staff;
    let second = match posted.fields.get("second") {
        "" => None,
        login => match login::second(&console, login, posted.fields.raw("password"), first).await? {
            Ok(second) => Some(second),
            Err(key) => return again(key).await,
        },
    };
    let done = ended(&console, &posted, (device, lease, generation), second).await?;
    match done {
        Ok(member) => {
            tracing::info!(%member, %device, %lease, "an allowance was written off");
            Ok(go(&format!("/devices/{device}")))
        }
        Err(key) => again(key).await,
    }
}

async fn ended(
    console: &Console,
    posted: &Posted,
    (device, lease, generation): (DeviceId, LeaseId, u32),
    second: Option<OperatorId>,
) -> Result<Result<MemberId, &'static str>, Failure> {
    let note = note(console, posted.fields.get("reason"))?;
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let work = move |tx: &mut Tx<'_>| -> Result<Result<MemberId, &'static str>, StoreError> {
        journal::pass_gate(tx, now)?;
        let open = leases::open_at(tx, device)?;
        let Some(row) = open.iter().find(|row| (row.lease, row.generation) == (lease, generation)) else {
            return Ok(Err("lease-gone"));
        };
        if row.write_off_needs_second(now) && second.is_none() {
            return Ok(Err("lease-second-missing"));
        }
        note.put(tx, Some(staff), now)?;
        let ended = LeaseEnded { lease, generation, second, reason: note.commitment };
        acts::take(tx, entry, now, &actor, &Act::LeaseWrittenOff(ended))?;
        Ok(Ok(row.member))
    };
    Ok(console.app.write(work).await?)
}
