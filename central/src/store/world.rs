//! Fetches what applying an entry needs.
//!
//! Each [`Need`] is one small query; what does not exist is marked as fetched too, so that the rules can tell. The loop
//! that fetches and applies ends because every round adds needs that were not there before.

use std::collections::BTreeSet;

use hufu_shared::cbor;
use hufu_shared::ids::{DeviceId, FactId, Hash, LeaseId, MemberId, OccurrenceId, OfficeId};
use hufu_shared::money::Amount;
use hufu_shared::policy::Policy;
use hufu_shared::rules::repeat::Tap;
use hufu_shared::time::{Day, Instant};
use hufu_shared::token::Token;

use super::StoreError;
use super::known;
use super::rows;
use super::{
    activities, asked, associations, birthdays, cards, catalogue, details, joining, levels, office_days,
    points, rankings, stand_ins, stock,
};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::apply::{APPLY_VERSION, OLDEST_APPLY_VERSION, apply};
use crate::rules::entry::Entry;
use crate::rules::judge::issue::Issued;
use crate::rules::need::{self, Need};
use crate::rules::outcome::Outcome;
use crate::rules::world::{
    DeviceStatus, Group, KnownDevice, KnownEpoch, KnownField, PublishedScheme, Recovery, World,
};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("world", include_str!("../../sql/both/world.sql"));

/// Boots of an enrolment that bound each other: a terminal that starts three times a day is heard within three weeks.
pub(super) const BOOTS_MAX: i64 = 64;
/// Rounds of fetching after which an entry is given up: no rule asks in more steps than this.
const ROUNDS_MAX: u32 = 64;

/// Applies an entry: fetches what it needs until nothing is missing.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn apply_entry(tx: &mut Tx<'_>, entry: &Entry) -> Result<Outcome, StoreError> {
    let first = need::first(&entry.body);
    let all = ["offices", "schemes", "policy"].map(|name| (SQL.get(name), Vec::new()));
    tx.ask_ahead(all.into_iter().chain(first.iter().flat_map(asked::questions)).collect())?;
    let mut world = base(tx)?;
    if !(OLDEST_APPLY_VERSION..=APPLY_VERSION).contains(&world.apply_version) {
        return Err(StoreError::ApplyVersion { met: world.apply_version });
    }
    fetch_all(tx, &mut world, &first)?;
    let mut needs = need::second(&world, &entry.body);
    for _ in 0..ROUNDS_MAX {
        fetch_all(tx, &mut world, &needs)?;
        match apply(&world, entry) {
            Ok(outcome) => return Ok(outcome),
            Err(missing) if missing.is_empty() => break,
            Err(missing) => needs = missing,
        }
    }
    Err(StoreError::Needs { entry: entry.id, rounds: ROUNDS_MAX })
}

fn fetch_all(tx: &mut Tx<'_>, world: &mut World, needs: &BTreeSet<Need>) -> Result<(), StoreError> {
    tx.ask_ahead(needs.iter().flat_map(asked::questions).collect())?;
    needs.iter().try_for_each(|need| fetch_one(tx, world, *need))?;
    // A wait for each owner would cost more than all the rest of a batch.
    let owners: BTreeSet<Need> = needs.iter().flat_map(|need| owners(world, *need)).collect();
    tx.ask_ahead(owners.difference(&world.fetched).flat_map(asked::questions).collect())?;
    owners.iter().try_for_each(|owner| fetch_one(tx, world, *owner))
}

/// What every entry may look at: few rows, seldom changed.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn base(tx: &mut Tx<'_>) -> Result<World, StoreError> {
    let mut world = World::default();
    for row in tx.query(SQL.get("offices"), &[])? {
        let office = rows::office(&row)?;
        world.offices.insert(office.office, office);
    }
    for row in tx.query(SQL.get("schemes"), &[])? {
        let terms: hufu_shared::scheme::SchemeTerms =
            cbor::decode(row.blob(0)?).map_err(|source| stored("scheme", "", source))?;
        world.schemes.insert(terms.version, PublishedScheme { terms, published: Instant(row.int(1)?) });
    }
    let row = tx.query_one(SQL.get("policy"), &[])?;
    world.policy = policy_of(&row)?;
    world.apply_version = rows::u32_at(&row, 1, "apply version")?;
    world.recovery = recovery_of(&row, 2)?;
    world.settled = settled_of(&row)?;
    Ok(world)
}

/// As [`base`], with the kinds of a member where a version of the scheme looks at them.
///
/// # Errors
/// As [`base`].
pub fn base_of(tx: &mut Tx<'_>, member: MemberId) -> Result<World, StoreError> {
    let mut world = base(tx)?;
    if world.asks_kinds() {
        details::kinds_in(tx, &mut world, member)?;
    }
    Ok(world)
}

/// The club's limits and terms in force.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn policy(tx: &mut Tx<'_>) -> Result<Policy, StoreError> {
    policy_of(&tx.query_one(SQL.get("policy"), &[])?)
}

fn policy_of(row: &Row) -> Result<Policy, StoreError> {
    match row.blob_opt(0)? {
        Some(terms) => cbor::decode(terms).map_err(|source| stored("policy", "", source)),
        None => Ok(Policy::default()),
    }
}

/// The newest business day that was settled.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn settled(tx: &mut Tx<'_>) -> Result<Option<Day>, StoreError> {
    settled_of(&tx.query_one(SQL.get("policy"), &[])?)
}

fn settled_of(row: &Row) -> Result<Option<Day>, StoreError> {
    let Some(day) = row.int_opt(4)? else { return Ok(None) };
    let day = i32::try_from(day).map_err(|_| StoreError::Range { what: "business day", met: day })?;
    Ok(Some(Day(day)))
}

/// The newest recovery of the centre.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn recovery(tx: &mut Tx<'_>) -> Result<Recovery, StoreError> {
    recovery_of(&tx.query_one(SQL.get("policy"), &[])?, 2)
}

fn recovery_of(row: &Row, column: usize) -> Result<Recovery, StoreError> {
    let epoch = rows::u32_at(row, column, "epoch of a recovery")?;
    Ok(Recovery { epoch, since: row.int_opt(column + 1)?.map(Instant) })
}

/// Fetches one thing.
///
/// # Errors
/// [`StoreError`].
pub fn fetch(tx: &mut Tx<'_>, world: &mut World, need: Need) -> Result<(), StoreError> {
    fetch_one(tx, world, need)?;
    owners(world, need).into_iter().try_for_each(|owner| fetch_one(tx, world, owner))
}

/// Whoever had a card: its next question is who goes on in their place.
fn owners(world: &World, need: Need) -> BTreeSet<Need> {
    let card = match need {
        Need::Card(token) => world.tokens.get(&token).copied(),
        Need::CardById(card) => Some(card),
        _ => None,
    };
    let known = card.and_then(|card| world.cards.get(&card));
    known
        .into_iter()
        .flat_map(|card| &card.history)
        .filter_map(|turn| turn.member)
        .map(Need::Member)
        .collect()
}

fn fetch_one(tx: &mut Tx<'_>, world: &mut World, need: Need) -> Result<(), StoreError> {
    if !world.fetched.insert(need) {
        return Ok(());
    }
    match need {
        Need::Device(device) => device_in(tx, world, device),
        Need::Epoch(device, epoch) => {
            world.epochs.extend(epoch_row(tx, device, epoch)?.map(|known| ((device, epoch), known)));
            Ok(())
        }
        Need::Boots(device, epoch) => boots_in(tx, world, device, epoch),
        Need::Card(token) => card_in(tx, world, "card_by_token", token.to_bytes().into(), Some(token)),
        Need::CardById(card) => card_in(tx, world, "card_by_id", card.0.into(), None),
        Need::Taps(device, epoch, token) => taps_in(tx, world, (device, epoch), token),
        Need::Occurrence(occurrence) => occurrence_in(tx, world, occurrence),
        Need::Group(member, occurrence) => group_in(tx, world, member, occurrence),
        Need::Held(token) => {
            let held = facts_in(tx, world, "held_facts", &[token.to_bytes().into()])?;
            world.held.insert(token, held);
            Ok(())
        }
        Need::Range(device, epoch, from, to) => range_in(tx, world, (device, epoch), (from, to), None),
        #[rustfmt::skip]
        Need::Since(device, epoch, from, to, at) => range_in(tx, world, (device, epoch), (from, to), Some(at)),
        Need::Fact(id) => facts_in(tx, world, "fact", &rows::fact_id_values(id)).map(|_| ()),
        Need::Linked(link) => {
            let linked = facts_in(tx, world, "linked_facts", &[link.0.into()])?;
            world.linked.insert(link, linked);
            Ok(())
        }
        Need::Case(id) => case_in(tx, world, id),
        Need::OpenCases => open_cases_in(tx, world),
        Need::Flows(cause) => flows_in(tx, world, cause),
        Need::Purse(member) => purse_in(tx, world, member),
        Need::Member(member) => member_in(tx, world, member),
        Need::Filed(id) => joining::filed_in(tx, world, id),
        Need::Associations(id) => associations::associations_in(tx, world, id),
        Need::Leaving(member) => joining::leaving_in(tx, world, member),
        Need::Message(id) => joining::message_in(tx, world, id),
        Need::Details(member) => details::details_in(tx, world, member),
        Need::Kinds(member) => details::kinds_in(tx, world, member),
        Need::FieldGroups => details::groups_in(tx, world),
        Need::Customs(member) => details::customs_in(tx, world, member),
        Need::Activity(id) => activities::activity_in(tx, world, id),
        Need::SignUps(occurrence) => activities::sign_ups_in(tx, world, occurrence),
        Need::Points(_) | Need::Trigger(_) | Need::Told(_) | Need::ToldOf(_) | Need::Plan(_) => {
            points::fetch_in(tx, world, need)
        }
        Need::Redemption(_) | Need::OpenedBy(_) => catalogue::fetch_in(tx, world, need),
        Need::Level(_) | Need::Coupon(_) | Need::Award(_) | Need::Birthday(_) | Need::BirthdaysOf(_) => {
            rights_in(tx, world, need)
        }
        Need::StandIns(_) => stand_ins::fetch_in(tx, world, need),
        Need::Fields(member) => fields_in(tx, world, member),
        Need::Stock(item, office) => stock::stock_in(tx, world, item, office),
        Need::Booked(cause) => stock::booked_in(tx, world, cause),
        Need::Stocktakes(fact) => stock::stocktakes_in(tx, world, fact),
        Need::Under(main) => cards::under_in(tx, world, main),
        Need::CardsOf(member) => cards::cards_of_in(tx, world, member),
        Need::Lots(member) => lots_in(tx, world, member),
        Need::FactsOf(member) => facts_in(tx, world, "facts_of_member", &[member.0.into()]).map(|_| ()),
        Need::Places(occurrence) => places_in(tx, world, occurrence),
        Need::Issued(device, day) => issued_in(tx, world, (device, day)),
        Need::Lease(LeaseId(id)) => leases_in(tx, world, "lease", id),
        Need::DeviceLeases(DeviceId(id)) => leases_in(tx, world, "leases_of_device", id),
        Need::MemberLeases(MemberId(id)) => leases_in(tx, world, "leases_of_member", id),
        Need::Knew(version) => known::knew_in(tx, world, version),
        Need::OfficeDay(office, day) => office_days::day_in(tx, world, (office, day)),
    }
}

/// What a scheme gives by itself.
fn rights_in(tx: &mut Tx<'_>, world: &mut World, need: Need) -> Result<(), StoreError> {
    match need {
        Need::Award(_) => rankings::fetch_in(tx, world, need),
        Need::Birthday(_) | Need::BirthdaysOf(_) => birthdays::fetch_in(tx, world, need),
        _ => levels::fetch_in(tx, world, need),
    }
}

fn flows_in(tx: &mut Tx<'_>, world: &mut World, cause: Hash) -> Result<(), StoreError> {
    let flows = known::flows(&tx.query(SQL.get("flows"), &[cause.0.into()])?)?;
    world.flows.insert(cause, flows);
    Ok(())
}

fn lots_in(tx: &mut Tx<'_>, world: &mut World, member: MemberId) -> Result<(), StoreError> {
    let postings = tx.query(SQL.get("lots"), &known::lot_key(member))?;
    world.lots.insert(member, known::lots(&postings, member)?);
    Ok(())
}

fn open_cases_in(tx: &mut Tx<'_>, world: &mut World) -> Result<(), StoreError> {
    for row in tx.query(SQL.get("open_cases"), &[])? {
        world.open_cases.insert(Hash(row.array(0)?));
    }
    Ok(())
}

fn occurrence_in(tx: &mut Tx<'_>, world: &mut World, occurrence: OccurrenceId) -> Result<(), StoreError> {
    let row = tx.query_opt(SQL.get("occurrence"), &[occurrence.0.into()])?;
    world.occurrences.extend(row.map(|row| rows::occurrence(&row)).transpose()?.map(|row| (occurrence, row)));
    Ok(())
}

fn range_in(
    tx: &mut Tx<'_>,
    world: &mut World,
    (device, epoch): (DeviceId, u32),
    (from, to): (u64, u64),
    since: Option<Instant>,
) -> Result<(), StoreError> {
    let mut key = vec![device.0.into(), i64::from(epoch).into(), rows::number(from), rows::number(to)];
    key.extend(since.map(|since| since.0.into()));
    let statement = if since.is_some() { "facts_since" } else { "range_facts" };
    facts_in(tx, world, statement, &key).map(|_| ())
}

fn purse_in(tx: &mut Tx<'_>, world: &mut World, member: MemberId) -> Result<(), StoreError> {
    let balances = tx.query(SQL.get("purse"), &[member.0.into()])?;
    let escrow = tx.query(SQL.get("purse_escrow"), &[member.0.into()])?;
    world.purses.extend(known::purses(member, &balances, &escrow)?);
    Ok(())
}

fn member_in(tx: &mut Tx<'_>, world: &mut World, member: MemberId) -> Result<(), StoreError> {
    let row = tx.query_opt(SQL.get("member"), &[member.0.into()])?;
    world.members.extend(row.map(|row| known::member(&row)).transpose()?.map(|known| (member, known)));
    Ok(())
}

fn fields_in(tx: &mut Tx<'_>, world: &mut World, member: MemberId) -> Result<(), StoreError> {
    for row in tx.query(SQL.get("fields_of_member"), &[member.0.into()])? {
        let known = KnownField { changes: row.uint(1)?, changed: Instant(row.int(2)?) };
        world.fields.insert((member, row.text(0)?.to_owned()), known);
    }
    Ok(())
}

fn places_in(tx: &mut Tx<'_>, world: &mut World, occurrence: OccurrenceId) -> Result<(), StoreError> {
    let found = tx.query(SQL.get("places"), &[occurrence.0.into()])?;
    let places = found.iter().map(known::place).collect::<Result<_, StoreError>>()?;
    world.places.insert(occurrence, places);
    Ok(())
}

fn issued_in(tx: &mut Tx<'_>, world: &mut World, (device, day): (DeviceId, Day)) -> Result<(), StoreError> {
    let key = [device.0.into(), i64::from(day.0).into()];
    if let Some(row) = tx.query_opt(SQL.get("issued"), &key)? {
        let issued = Issued { points: Amount(row.int(0)?), top_up: Amount(row.int(1)?) };
        world.issued.insert((device, day), issued);
    }
    Ok(())
}

fn leases_in(
    tx: &mut Tx<'_>,
    world: &mut World,
    statement: &'static str,
    id: [u8; 16],
) -> Result<(), StoreError> {
    for row in tx.query(SQL.get(statement), &[id.into()])? {
        let lease = known::lease(&row)?;
        world.leases.insert((lease.lease, lease.generation), lease);
    }
    Ok(())
}

/// Fetches facts; what the world already has stays as it is.
fn facts_in(
    tx: &mut Tx<'_>,
    world: &mut World,
    statement: &'static str,
    key: &[Value],
) -> Result<BTreeSet<FactId>, StoreError> {
    let mut ids = BTreeSet::new();
    for row in tx.query(SQL.get(statement), key)? {
        let (id, fact) = known::fact(tx, &row)?;
        world.fetched.insert(Need::Fact(id));
        world.facts.entry(id).or_insert(fact);
        ids.insert(id);
    }
    Ok(ids)
}

fn device_in(tx: &mut Tx<'_>, world: &mut World, device: DeviceId) -> Result<(), StoreError> {
    if let Some(known) = device_row(tx, device)? {
        world.devices.insert(device, known);
    }
    let last = tx.query_one(SQL.get("last_notice"), &[device.0.into()])?.int_opt(0)?.unwrap_or(0);
    world.notices.insert(device, u64::try_from(last).unwrap_or(0));
    Ok(())
}

/// A device, or `None` if there is none of that id.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn device_row(tx: &mut Tx<'_>, device: DeviceId) -> Result<Option<KnownDevice>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("device"), &[device.0.into()])? else { return Ok(None) };
    let status = row.text(2)?;
    Ok(Some(KnownDevice {
        office: OfficeId(row.array(0)?),
        name: row.text(1)?.to_owned(),
        status: DeviceStatus::from_code(status).ok_or_else(|| rows::unknown("status of a device", status))?,
        epoch: rows::u32_at(&row, 3, "epoch")?,
        leases_frozen: row.flag(4)?,
        reported_epoch: rows::u32_at(&row, 5, "epoch of a report")?,
    }))
}

/// An enrolment, or `None` if there is none.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn epoch_row(tx: &mut Tx<'_>, device: DeviceId, epoch: u32) -> Result<Option<KnownEpoch>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("device_epoch"), &[device.0.into(), i64::from(epoch).into()])?
    else {
        return Ok(None);
    };
    Ok(Some(KnownEpoch {
        first_key: row.blob(0)?.to_vec(),
        seal_key: row.array(1)?,
        board: Hash(row.array(2)?),
        enrolled_at: Instant(row.int(3)?),
        acked_seq: row.uint(4)?,
        head: Hash(row.array(5)?),
        last_at: Instant(row.int(6)?),
    }))
}

/// Keys that may sign for an enrolment.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn epoch_keys(tx: &mut Tx<'_>, device: DeviceId, epoch: u32) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows = tx.query(SQL.get("device_keys"), &[device.0.into(), i64::from(epoch).into()])?;
    rows.iter().map(|row| Ok(row.blob(0)?.to_vec())).collect()
}

/// The chain hash stored at a seq.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn fact_hash(tx: &mut Tx<'_>, id: FactId) -> Result<Option<Hash>, StoreError> {
    let (sql, key) = asked::hash_question(id);
    let row = tx.query_opt(sql, &key)?;
    row.map(|row| Ok(Hash(row.array(0)?))).transpose()
}

fn boots_in(tx: &mut Tx<'_>, world: &mut World, device: DeviceId, epoch: u32) -> Result<(), StoreError> {
    for row in tx.query(SQL.get("boots"), &[device.0.into(), i64::from(epoch).into(), BOOTS_MAX.into()])? {
        world.boots.insert((device, epoch, row.uint(0)?), known::boot(&row, 1)?);
    }
    Ok(())
}

fn card_in(
    tx: &mut Tx<'_>,
    world: &mut World,
    statement: &'static str,
    key: Value,
    token: Option<Token>,
) -> Result<(), StoreError> {
    let Some(row) = tx.query_opt(SQL.get(statement), &[key])? else { return Ok(()) };
    let known = cards::known(&row)?;
    world.tokens.extend(token.map(|token| (token, known.card)));
    world.cards.insert(known.card, known);
    Ok(())
}

fn taps_in(
    tx: &mut Tx<'_>,
    world: &mut World,
    (device, epoch): (DeviceId, u32),
    token: Token,
) -> Result<(), StoreError> {
    let key = [device.0.into(), i64::from(epoch).into(), token.to_bytes().into()];
    for row in tx.query(SQL.get("taps"), &key)? {
        let id = FactId { device, epoch, seq: row.uint(0)? };
        // A stored fact that cannot be read any more made no tap that could be compared.
        let fact = known::readable(tx, id, row.blob(1)?)?;
        if let Some(tap) = fact.as_ref().and_then(Tap::opening) {
            world.taps.entry(token).or_default().insert(id, tap);
        }
    }
    Ok(())
}

fn group_in(
    tx: &mut Tx<'_>,
    world: &mut World,
    member: MemberId,
    occurrence: OccurrenceId,
) -> Result<(), StoreError> {
    let key: [Value; 2] = [member.0.into(), occurrence.0.into()];
    let mut group = Group { facts: facts_in(tx, world, "group_facts", &key)?, ..Group::default() };
    if let Some(row) = tx.query_opt(SQL.get("group"), &key)? {
        group.admitted = Some(rows::fact_id_at(&row, 0)?);
        group.points = Amount(row.int(3)?);
        group.issuer = row.array_opt(4)?.map(OfficeId);
        group.at = Some(Instant(row.int(5)?));
        group.companions = rows::u32_at(&row, 6, "companions")?;
    }
    if !group.facts.is_empty() {
        world.groups.insert((member, occurrence), group);
    }
    Ok(())
}

fn case_in(tx: &mut Tx<'_>, world: &mut World, id: Hash) -> Result<(), StoreError> {
    let Some(row) = tx.query_opt(SQL.get("case"), &[id.0.into()])? else { return Ok(()) };
    let mut case = known::case(&row)?;
    if case.is_counted() {
        let found = tx.query(SQL.get("case_facts"), &[id.0.into()])?;
        case.facts = found.iter().map(|row| rows::fact_id_at(row, 0)).collect::<Result<_, _>>()?;
    }
    world.cases.insert(id, case);
    Ok(())
}

fn stored(what: &'static str, id: &str, source: cbor::WireError) -> StoreError {
    StoreError::Stored { what, id: id.to_owned(), source }
}
