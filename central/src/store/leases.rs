//! Leases between the books and the terminals: asks, raises, recalls, and which states and orders a terminal is sent.
//!
//! What is decided is decided by [`crate::rules::lease`] over a world fetched in the same transaction; a grant or raise
//! is an act like any other. Who was asked to close, and what a terminal has echoed, is no part of the books: losing it
//! costs a repeated message. Out of scope: spends and closes, which come as facts.

use hufu_shared::act::{Act, Actor, LeaseCause, LeaseSet};
use hufu_shared::ids::{CommandId, DeviceId, EntryId, Hash, LeaseId, MemberId, OfficeId};
use hufu_shared::member::MemberStatus;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::{DAY_US, Instant, OfficeClock};
use hufu_shared::wire::lease::{AskBecame, LeaseAsk, Recalled};
use hufu_shared::wire::upload::{Command, Order};
use hufu_shared::wire::version::Version;

use super::recalls::{self, RECALL_STANDS_US};
use super::{StoreError, acts, journal, known, rows, world};
use crate::db::{Question, SqlFile, Tx};
use crate::rules::lease::caps::{self, Ask, Book, NotGranted};
use crate::rules::lease::{LeaseRow, next_generation};
use crate::rules::need::Need;
use crate::rules::world::{DeviceStatus, World};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::with_overrides(
    "leases",
    include_str!("../../sql/both/leases.sql"),
    include_str!("../../sql/sqlite/leases.sql"),
    "",
);

/// States sent to a terminal in one answer.
pub const STATES_MAX: i64 = 16;
/// Milliseconds after which a terminal asks again while leases are recalled.
const AGAIN_MS: u32 = 100;
/// Members who are granted something ahead of need in one round, per terminal.
const AHEAD_MAX: i64 = 50;
/// Terminals looked at in one round; the next round goes on behind them.
const AHEAD_DEVICES_MAX: i64 = 40;

/// An ask of a terminal.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Whose.
    pub device: DeviceId,
    /// What.
    pub ask: LeaseAsk,
    /// The time.
    pub now: Instant,
    /// Id of the entry that it may become.
    pub entry: EntryId,
}

/// What became of an ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The lease after it, not signed.
    pub row: Option<LeaseRow>,
    /// What became of it.
    pub became: AskBecame,
    /// Available + escrow − owed.
    pub figure: Option<Amount>,
    /// Who was asked to close.
    pub recalled: Vec<Recalled>,
    /// When to ask again, in ms.
    pub again_ms: u32,
    /// Terminals were asked for the first time: they are to be woken.
    pub has_orders: bool,
}

/// The leases of a terminal that are neither closed nor written off.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn open_at(tx: &mut Tx<'_>, device: DeviceId) -> Result<Vec<LeaseRow>, StoreError> {
    tx.query(world::SQL.get("leases_of_device"), &[device.0.into()])?.iter().map(known::lease).collect()
}

/// The leases of a member that are neither closed nor written off.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn open_of(tx: &mut Tx<'_>, member: MemberId) -> Result<Vec<LeaseRow>, StoreError> {
    tx.query(world::SQL.get("leases_of_member"), &[member.0.into()])?.iter().map(known::lease).collect()
}

/// Decides an ask, and takes the raise as an act if there is one.
///
/// # Errors
/// [`StoreError`]; then nothing was changed.
pub fn authorize(tx: &mut Tx<'_>, asked: &Asked) -> Result<Answered, StoreError> {
    let ask = &asked.ask;
    let world = fetch(tx, asked.device, ask.member)?;
    let about = about(tx, &world, (asked.device, ask.member), asked.now)?;
    let book = book(tx, &world, &about, (asked.device, ask.member, ask.unit))?;
    let answer = |became, row| Answered {
        row,
        became,
        figure: Some(figure(&world, ask.member, ask.unit)),
        recalled: Vec::new(),
        again_ms: 0,
        has_orders: false,
    };
    let open = book.open.clone();
    if ask.generation != 0 && open.as_ref().is_none_or(|row| row.generation != ask.generation) {
        return Ok(answer(AskBecame::Generation, open));
    }
    match caps::propose(&book, Ask::Authorize { wanted_total: ask.wanted_total }, &world.policy.lease) {
        Ok(amount) => {
            let row = if amount.is_positive() {
                add_raised(tx, &world, asked, amount)?;
                let cause = Grant { device: asked.device, member: ask.member, unit: ask.unit, amount };
                Some(grant(tx, &world, &cause, Actor::Device(asked.device), (asked.entry, asked.now))?)
            } else {
                open
            };
            recalls::end(tx, ask.member, ask.unit)?;
            Ok(answer(AskBecame::Granted, row))
        }
        Err(NotGranted::TooLittle { available, missing }) => {
            let missing = Amount(missing.0 - available.0);
            recall(tx, &world, asked, missing, answer(AskBecame::TooLittle, open))
        }
        Err(error) => Ok(answer(became(&error), open)),
    }
}

fn became(error: &NotGranted) -> AskBecame {
    match error {
        NotGranted::Recovering => AskBecame::Recovering,
        NotGranted::Frozen => AskBecame::Frozen,
        NotGranted::Member | NotGranted::NotSeenHere => AskBecame::Member,
        NotGranted::Owing { .. } => AskBecame::Owing,
        NotGranted::Limit { .. } | NotGranted::Full => AskBecame::Limit,
        NotGranted::TooLittle { .. } => AskBecame::TooLittle,
    }
}

/// What a decision about a lease of this device and member may look at, behind the gate.
fn fetch(tx: &mut Tx<'_>, device: DeviceId, member: MemberId) -> Result<World, StoreError> {
    let mut world = at_terminal(tx, device)?;
    of_member(tx, &mut world, member)?;
    Ok(world)
}

fn at_terminal(tx: &mut Tx<'_>, device: DeviceId) -> Result<World, StoreError> {
    journal::hold_gate(tx)?;
    let mut world = world::base(tx)?;
    for need in [Need::Device(device), Need::DeviceLeases(device)] {
        world::fetch(tx, &mut world, need)?;
    }
    Ok(world)
}

fn of_member(tx: &mut Tx<'_>, world: &mut World, member: MemberId) -> Result<(), StoreError> {
    let needs = [Need::Member(member), Need::Purse(member), Need::MemberLeases(member)];
    needs.into_iter().try_for_each(|need| world::fetch(tx, world, need))
}

/// What is asked about a member at a terminal once for all units.
struct About {
    /// Business day at the terminal's office.
    day: i64,
    /// The member has a card that may be used.
    has_card: bool,
    /// Another terminal of the office has seen the member lately.
    known_here: bool,
}

fn about(
    tx: &mut Tx<'_>,
    world: &World,
    (device, member): (DeviceId, MemberId),
    now: Instant,
) -> Result<About, StoreError> {
    let office = world.devices.get(&device).map_or(OfficeId([0; 16]), |known| known.office);
    let day = i64::from(clock(world, office).business_day(now).0);
    let cards = tx.query_one(SQL.get("active_cards"), &[member.0.into()])?.int(0)?;
    let since = now.offset(-i64::from(world.policy.lease.seen_days) * DAY_US);
    let seen = [member.0.into(), office.0.into(), device.0.into(), since.0.into()];
    let seen = tx.query_one(SQL.get("seen_by_others"), &seen)?.int(0)?;
    Ok(About { day, has_card: cards > 0, known_here: seen > 0 })
}

fn book(
    tx: &mut Tx<'_>,
    world: &World,
    about: &About,
    (device, member, unit): (DeviceId, MemberId, Unit),
) -> Result<Book, StoreError> {
    let purse = world.purses.get(&(member, unit)).copied().unwrap_or_default();
    let of_unit = || world.leases.values().filter(move |row| row.unit == unit);
    let sum = |rows: &mut dyn Iterator<Item = &LeaseRow>| Amount(rows.map(|row| row.escrow().0).sum());
    let known_device = world.devices.get(&device);
    let raised = tx.query_opt(SQL.get("raised"), &[device.0.into(), about.day.into(), unit.code().into()])?;
    let is_active = world.members.get(&member).is_some_and(|known| {
        known.status == MemberStatus::Active && known.merged_into.is_none() && !known.erased
    });
    Ok(Book {
        unit,
        available: Amount(purse.available),
        owed: Amount(purse.owed),
        member_escrow: Amount(purse.escrow),
        open: of_unit().find(|row| is_held(world, row, device, member)).cloned(),
        device_escrow: sum(&mut of_unit().filter(|row| row.device == device)),
        device_raised: Amount(raised.map(|row| row.int(0)).transpose()?.unwrap_or(0)),
        recovering: !world.may_debit(),
        frozen: known_device.is_none_or(|known| known.status != DeviceStatus::Active || known.leases_frozen),
        member_active: is_active && about.has_card && !world.is_frozen(member, unit),
        known_here: about.known_here,
    })
}

/// Whether the terminal holds this lease for the member now. What an earlier enrolment held stays aside until its facts
/// are in or a person writes it off: the terminal of today has another counter.
fn is_held(world: &World, row: &LeaseRow, device: DeviceId, member: MemberId) -> bool {
    let enrolment = world.devices.get(&device).map_or(0, |known| known.epoch);
    (row.device, row.member, row.enrolment) == (device, member, enrolment) && row.is_open()
}

fn clock(world: &World, office: OfficeId) -> OfficeClock {
    world.offices.get(&office).map(|row| row.clock.clone()).unwrap_or_default()
}

/// What a member has in all: one figure, wherever it lies.
fn figure(world: &World, member: MemberId, unit: Unit) -> Amount {
    let purse = world.purses.get(&(member, unit)).copied().unwrap_or_default();
    Amount(purse.available + purse.escrow - purse.owed)
}

/// What is to be set aside for whom.
struct Grant {
    device: DeviceId,
    member: MemberId,
    unit: Unit,
    amount: Amount,
}

/// Takes a grant or a raise as an act; answers the lease after it.
fn grant(
    tx: &mut Tx<'_>,
    world: &World,
    what: &Grant,
    actor: Actor,
    (entry, now): (EntryId, Instant),
) -> Result<LeaseRow, StoreError> {
    let epoch = journal::club(tx)?.epoch;
    let mine = |row: &&LeaseRow| row.unit == what.unit && is_held(world, row, what.device, what.member);
    let open = world.leases.values().find(mine);
    let next = |last: Version| if last.epoch == epoch.n { last.n + 1 } else { 1 };
    let set = LeaseSet {
        lease: open.map_or(LeaseId(entry.0), |row| row.lease),
        generation: open.map_or_else(|| next_generation(None, epoch), |row| row.generation),
        device: what.device,
        member: what.member,
        unit: what.unit,
        granted_total: Amount(open.map_or(0, |row| row.granted_total.0) + what.amount.0),
        terms: world.policy.lease.terms(),
        version: Version { epoch: epoch.n, n: open.map_or(1, |row| next(row.version)) },
        cause: if open.is_some() { LeaseCause::Raised } else { LeaseCause::Granted },
    };
    let (lease, generation) = (set.lease, set.generation);
    acts::take(tx, entry, now, &actor, &Act::LeaseSet(set))?;
    let mut after = World::default();
    world::fetch(tx, &mut after, Need::Lease(lease))?;
    after.leases.remove(&(lease, generation)).ok_or(StoreError::NoLease { lease, generation })
}

fn add_raised(tx: &mut Tx<'_>, world: &World, asked: &Asked, amount: Amount) -> Result<(), StoreError> {
    let office = world.devices.get(&asked.device).map_or(OfficeId([0; 16]), |known| known.office);
    let day = i64::from(clock(world, office).business_day(asked.now).0);
    let key = [asked.device.0.into(), day.into(), asked.ask.unit.code().into()];
    tx.execute(SQL.get("open_raised"), &key)?;
    let [device, day, unit] = key;
    tx.execute(SQL.get("add_raised"), &[device, day, unit, amount.0.into()])?;
    Ok(())
}

/// Leases of a device whose newest state it has not echoed, oldest first, at most [`STATES_MAX`].
///
/// # Errors
/// [`StoreError`].
pub fn unechoed(tx: &mut Tx<'_>, device: DeviceId) -> Result<Vec<LeaseRow>, StoreError> {
    let (sql, key) = unechoed_question(device);
    tx.query(sql, &key)?.iter().map(known::lease).collect()
}

fn unechoed_question(device: DeviceId) -> Question {
    (SQL.get("unechoed"), vec![device.0.into(), STATES_MAX.into()])
}

/// Asks other terminals to close what they hold for the member, or says how far that has come.
fn recall(
    tx: &mut Tx<'_>,
    world: &World,
    asked: &Asked,
    missing: Amount,
    mut answer: Answered,
) -> Result<Answered, StoreError> {
    let of = (asked.ask.member, asked.ask.unit);
    let rows: Vec<LeaseRow> = world.leases.values().cloned().collect();
    let running = recalls::ask(tx, &rows, of, (asked.device, missing), asked.now)?;
    answer.has_orders = running.has_orders;
    if running.told.is_empty() {
        return Ok(answer);
    }
    answer.became = if running.may_come { AskBecame::Recalling } else { AskBecame::Unreachable };
    answer.again_ms = if running.may_come { AGAIN_MS } else { 0 };
    answer.recalled = running.told;
    Ok(answer)
}

fn orders_question(device: DeviceId, now: Instant) -> Question {
    (SQL.get("orders"), vec![device.0.into(), now.offset(-RECALL_STANDS_US).0.into()])
}

/// What [`unechoed`] and [`orders`] ask.
#[must_use]
pub fn questions(device: DeviceId, now: Instant) -> [Question; 2] {
    [unechoed_question(device), orders_question(device, now)]
}

/// Keeps which states a device said that it has stored.
///
/// # Errors
/// [`StoreError`].
pub fn echoed(tx: &mut Tx<'_>, device: DeviceId, echoes: &[(LeaseId, Version)]) -> Result<(), StoreError> {
    for (lease, version) in echoes {
        let values =
            [device.0.into(), lease.0.into(), i64::from(version.epoch).into(), rows::number(version.n)];
        tx.execute(SQL.get("set_echo"), &values)?;
    }
    Ok(())
}

/// What a device is to do: close leases that were recalled or written off, or of stored value that is frozen. An order
/// has the same id until it is done.
///
/// # Errors
/// [`StoreError`].
pub fn orders(tx: &mut Tx<'_>, device: DeviceId, now: Instant) -> Result<Vec<Command>, StoreError> {
    let (sql, key) = orders_question(device, now);
    let found = tx.query(sql, &key)?;
    found
        .iter()
        .map(|row| {
            let (lease, generation) = (LeaseId(row.array(0)?), rows::u32_at(row, 1, "generation")?);
            Ok(Command { id: order_id(lease, generation), order: Order::CloseLease(lease, generation) })
        })
        .collect()
}

fn order_id(lease: LeaseId, generation: u32) -> CommandId {
    let hash = Hash::of(&[b"hufu-order-close", &lease.0, &generation.to_be_bytes()]);
    let mut id = [0; 16];
    id.copy_from_slice(&hash.0[..16]);
    CommandId(id)
}

/// Who may be granted something ahead of need at each terminal: members whom others have seen at its office lately, and
/// on the eve of an activity at that office also those whose lease there may be filled up. Looks at some terminals, those
/// after `after`; answers also behind which to go on, none at the end.
///
/// # Errors
/// [`StoreError`].
pub fn candidates(
    tx: &mut Tx<'_>,
    now: Instant,
    after: Option<DeviceId>,
) -> Result<(Vec<Pair>, Option<DeviceId>), StoreError> {
    let policy = world::base(tx)?.policy.lease;
    let since = now.offset(-i64::from(policy.seen_days) * DAY_US);
    let tomorrow = [now.0.into(), now.offset(DAY_US).0.into()];
    let starting = tx.query(SQL.get("starting"), &tomorrow)?;
    let starting = starting.iter().map(rows::occurrence).collect::<Result<Vec<_>, _>>()?;
    let (mut pairs, mut last) = (Vec::new(), None);
    let after = after.unwrap_or(DeviceId([0; 16]));
    let devices = tx.query(SQL.get("devices_after"), &[after.0.into(), AHEAD_DEVICES_MAX.into()])?;
    let is_full = i64::try_from(devices.len()) == Ok(AHEAD_DEVICES_MAX);
    for device in devices {
        let id = DeviceId(device.array(0)?);
        last = Some(id);
        let office = OfficeId(device.array(1)?);
        let is_eve = starting.iter().any(|row| row.offices.is_empty() || row.offices.contains(&office));
        let statement = if is_eve { "before_activity" } else { "candidates" };
        let key = [office.0.into(), id.0.into(), since.0.into(), AHEAD_MAX.into()];
        for row in tx.query(SQL.get(statement), &key)? {
            pairs.push((id, MemberId(row.array(0)?)));
        }
    }
    Ok((pairs, last.filter(|_| is_full)))
}

/// A member at a terminal.
pub type Pair = (DeviceId, MemberId);

/// Grants members ahead of need at one terminal in every unit, as far as the policy allows, over one look at what the
/// terminal holds: mostly there is nothing to grant. Answers in how many units something was.
///
/// # Errors
/// [`StoreError`].
pub fn grant_all_ahead(
    tx: &mut Tx<'_>,
    device: DeviceId,
    asked: &[(MemberId, [(Unit, EntryId); 2])],
    now: Instant,
) -> Result<u64, StoreError> {
    let mut world = at_terminal(tx, device)?;
    let mut granted = 0;
    for (member, units) in asked {
        of_member(tx, &mut world, *member)?;
        // Of a member who has nothing to set aside nothing more need be known.
        if !units.iter().any(|(unit, _)| has_some(&world, *member, *unit)) {
            continue;
        }
        let about = about(tx, &world, (device, *member), now)?;
        for (unit, entry) in units {
            if grant_over(tx, &world, &about, (device, *member, *unit), (*entry, now))? {
                granted += 1;
                world = fetch(tx, device, *member)?;
            }
        }
    }
    Ok(granted)
}

/// Whether a member has something of a unit that could be set aside.
fn has_some(world: &World, member: MemberId, unit: Unit) -> bool {
    world.purses.get(&(member, unit)).is_some_and(|purse| purse.available > 0)
}

fn grant_over(
    tx: &mut Tx<'_>,
    world: &World,
    about: &About,
    (device, member, unit): (DeviceId, MemberId, Unit),
    at: (EntryId, Instant),
) -> Result<bool, StoreError> {
    // Most members have one unit of several: the other need not be reckoned to find that nothing is left to set aside.
    if !has_some(world, member, unit) {
        return Ok(false);
    }
    let book = book(tx, world, about, (device, member, unit))?;
    let Ok(amount) = caps::propose(&book, Ask::Ahead, &world.policy.lease) else { return Ok(false) };
    let what = Grant { device, member, unit, amount };
    grant(tx, world, &what, Actor::Job("leases".to_owned()), at)?;
    Ok(true)
}
