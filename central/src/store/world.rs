//! Loads the rows that an entry needs.
//!
//! A row too many does no harm; a row too few would change a verdict, so each kind of entry names here what it reads.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use hufu_shared::act::Act;
use hufu_shared::cbor;
use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::{BootId, CardId, DeviceId, FactId, Hash, MemberId, OccurrenceId, OfficeId};
use hufu_shared::member::CardStatus;
use hufu_shared::money::Amount;
use hufu_shared::rules::repeat::Tap;
use hufu_shared::time::Instant;
use hufu_shared::token::Token;
use hufu_shared::wire::upload::Became;

use super::StoreError;
use super::{contact, rows};
use crate::db::{SqlFile, Tx, Value};
use crate::rules::apply::{is_possible, review_case, unknown_card_case};
use crate::rules::entry::{EntryBody, Review, TakenBatch};
use crate::rules::posting::{self, Account};
use crate::rules::world::{
    CaseState, DeviceStatus, Group, GroupFact, HeldFact, KnownBoot, KnownCard, KnownCase, KnownDevice,
    KnownEpoch, World, became_from_code,
};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("world", include_str!("../../sql/both/world.sql"));

/// Number of the conflict kind "admitted at two terminals".
const KIND_TWO_TERMINALS: u8 = 27;

/// Loads what an entry needs.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn load(tx: &mut Tx<'_>, body: &EntryBody) -> Result<World, StoreError> {
    let mut world = World::default();
    for row in tx.query(SQL.get("offices"), &[])? {
        let office = rows::office(&row)?;
        world.offices.insert(office.office, office);
    }
    for row in tx.query(SQL.get("schemes"), &[])? {
        let terms: hufu_shared::scheme::SchemeTerms =
            cbor::decode(row.blob(0)?).map_err(|source| stored("scheme", "", source))?;
        world.schemes.insert(terms.version, terms);
    }
    match body {
        EntryBody::Batch(batch) => load_batch(tx, &mut world, batch)?,
        EntryBody::Act(taken) => load_act(tx, &mut world, &taken.act)?,
        EntryBody::Fork(fork) => {
            load_device(tx, &mut world, fork.device)?;
            let epoch = fork.epoch.to_be_bytes();
            load_case(tx, &mut world, posting::case_id(21, &[&fork.device.0, &epoch]))?;
        }
        EntryBody::Lost(loss) => {
            load_device(tx, &mut world, loss.device)?;
            let epoch = loss.epoch.to_be_bytes();
            load_case(tx, &mut world, posting::case_id(20, &[&loss.device.0, &epoch]))?;
        }
    }
    Ok(world)
}

fn load_batch(tx: &mut Tx<'_>, world: &mut World, batch: &TakenBatch) -> Result<(), StoreError> {
    load_device(tx, world, batch.device)?;
    load_epoch(tx, world, batch.device, batch.epoch)?;
    let facts: Vec<Fact> = batch.facts().into_iter().filter_map(Result::ok).collect();
    let mut boots: BTreeSet<u64> = facts.iter().map(|fact| fact.boot).collect();
    boots.extend(batch.sample.map(|sample| sample.boot_seq));
    for seq in boots {
        load_boot(tx, world, batch, seq)?;
    }
    let tokens: BTreeSet<Token> =
        facts.iter().filter_map(|fact| fact.event.subject()).map(|subject| subject.token).collect();
    for token in &tokens {
        load_token(tx, world, *token)?;
        load_taps(tx, world, (batch.device, batch.epoch), *token)?;
    }
    if let Some(review) = batch.review {
        load_case(tx, world, review_case(review, batch.device, batch.epoch))?;
    }
    load_for_facts(tx, world, (batch.device, batch.epoch), &facts)
}

/// What the events of facts need beside their cards.
fn load_for_facts(
    tx: &mut Tx<'_>,
    world: &mut World,
    of: (DeviceId, u32),
    facts: &[Fact],
) -> Result<(), StoreError> {
    let mut pairs = BTreeSet::new();
    for fact in facts {
        load_for_fact(tx, world, of, fact, &mut pairs)?;
    }
    for (member, occurrence) in pairs {
        load_group(tx, world, member, occurrence)?;
    }
    Ok(())
}

/// Facts under review, all of one enrolment, and what they need when they take effect.
fn load_released(tx: &mut Tx<'_>, world: &mut World, ids: &[FactId]) -> Result<(), StoreError> {
    let Some(of) = ids.first().map(|id| (id.device, id.epoch)) else { return Ok(()) };
    load_device(tx, world, of.0)?;
    load_epoch(tx, world, of.0, of.1)?;
    for id in ids.iter().filter(|id| (id.device, id.epoch) == of) {
        let Some(row) = tx.query_opt(SQL.get("fact_in_review"), &rows::fact_id_values(*id))? else {
            continue;
        };
        let Ok(fact) = contact::read_fact(tx, *id, row.blob(0)?) else { continue };
        let (at, office) = (Instant(row.int(1)?), OfficeId(row.array(2)?));
        world.released.push(HeldFact { id: *id, fact, at, office });
    }
    let facts: Vec<Fact> = world.released.iter().map(|held| held.fact.clone()).collect();
    let tokens: BTreeSet<Token> =
        facts.iter().filter_map(|fact| fact.event.subject()).map(|subject| subject.token).collect();
    for token in tokens {
        load_token(tx, world, token)?;
        load_taps(tx, world, of, token)?;
    }
    for review in [Review::Revoked, Review::EarlierEnrolment] {
        load_case(tx, world, review_case(review, of.0, of.1))?;
    }
    load_for_facts(tx, world, of, &facts)
}

/// What the event of one fact needs beside its card.
fn load_for_fact(
    tx: &mut Tx<'_>,
    world: &mut World,
    (device, epoch): (DeviceId, u32),
    fact: &Fact,
    pairs: &mut BTreeSet<(MemberId, OccurrenceId)>,
) -> Result<(), StoreError> {
    let epoch_bytes = epoch.to_be_bytes();
    let owner =
        fact.event.subject().and_then(|subject| world.cards.get(&subject.token)).and_then(|card| card.member);
    match &fact.event {
        Event::Attended(attended) => {
            load_occurrence(tx, world, attended.occurrence)?;
            load_case(tx, world, posting::case_id(28, &[&attended.occurrence.0]))?;
            pairs.extend(owner.map(|member| (member, attended.occurrence)));
        }
        Event::DayClosed(closed) => {
            if is_possible(closed, fact.seq) {
                load_range(tx, world, (device, epoch), closed.from_seq, closed.to_seq)?;
            }
            let seq = fact.seq.to_be_bytes();
            load_case(tx, world, posting::case_id(30, &[&device.0, &epoch_bytes, &seq]))?;
        }
        _ => {}
    }
    load_case(tx, world, posting::case_id(19, &[&device.0, &epoch_bytes, &fact.boot.to_be_bytes()]))
}

fn load_act(tx: &mut Tx<'_>, world: &mut World, act: &Act) -> Result<(), StoreError> {
    match act {
        Act::CardsSet(cards) => {
            for card in cards {
                for token in &card.tokens {
                    load_held(tx, world, *token, card.member)?;
                }
            }
            Ok(())
        }
        Act::CardStatusSet(set) => load_card(tx, world, set.card),
        Act::DeviceInvited(invited) => load_device(tx, world, invited.device),
        Act::DeviceEnrolled(enrolled) => load_device(tx, world, enrolled.key.device),
        Act::DeviceRenewed(key) => load_device(tx, world, key.device),
        Act::DeviceRevoked(ended) => load_device(tx, world, ended.device),
        Act::CaseDecided(decided) => {
            load_case(tx, world, decided.case)?;
            let Some(case) = world.cases.get(&decided.case).cloned() else { return Ok(()) };
            if let (Some(member), Some(occurrence)) = (case.member, case.occurrence) {
                load_occurrence(tx, world, occurrence)?;
                load_group(tx, world, member, occurrence)?;
            }
            case.token.map_or(Ok(()), |token| load_held(tx, world, token, None))
        }
        Act::FactsReleased(released) => load_released(tx, world, &released.facts),
        _ => Ok(()),
    }
}

/// Facts held for a token, and what they need once they belong to `member`.
fn load_held(
    tx: &mut Tx<'_>,
    world: &mut World,
    token: Token,
    member: Option<MemberId>,
) -> Result<(), StoreError> {
    let mut held = Vec::new();
    for row in tx.query(SQL.get("held_facts"), &[token.to_bytes().into()])? {
        let id = rows::fact_id_at(&row, 0)?;
        let fact = contact::read_fact(tx, id, row.blob(3)?)?;
        held.push(HeldFact { id, fact, at: Instant(row.int(4)?), office: OfficeId(row.array(5)?) });
    }
    load_case(tx, world, unknown_card_case(token))?;
    for fact in &held {
        load_notices(tx, world, fact.id.device)?;
        if let Event::Attended(attended) = &fact.fact.event {
            load_occurrence(tx, world, attended.occurrence)?;
            load_case(tx, world, posting::case_id(28, &[&attended.occurrence.0]))?;
            if let Some(member) = member {
                load_group(tx, world, member, attended.occurrence)?;
            }
        }
    }
    if !held.is_empty() {
        world.held.insert(token, held);
    }
    Ok(())
}

fn load_device(tx: &mut Tx<'_>, world: &mut World, device: DeviceId) -> Result<(), StoreError> {
    if let Some(known) = device_row(tx, device)? {
        world.devices.insert(device, known);
    }
    load_notices(tx, world, device)
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
    }))
}

fn load_epoch(tx: &mut Tx<'_>, world: &mut World, device: DeviceId, epoch: u32) -> Result<(), StoreError> {
    if let Some(known) = epoch_row(tx, device, epoch)? {
        world.epochs.insert((device, epoch), known);
    }
    Ok(())
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
    let row = tx.query_opt(SQL.get("fact_hash"), &rows::fact_id_values(id))?;
    row.map(|row| Ok(Hash(row.array(0)?))).transpose()
}

fn load_notices(tx: &mut Tx<'_>, world: &mut World, device: DeviceId) -> Result<(), StoreError> {
    if let Entry::Vacant(place) = world.notices.entry(device) {
        let last = tx.query_one(SQL.get("last_notice"), &[device.0.into()])?.int_opt(0)?.unwrap_or(0);
        place.insert(u64::try_from(last).unwrap_or(0));
    }
    Ok(())
}

fn load_boot(tx: &mut Tx<'_>, world: &mut World, batch: &TakenBatch, seq: u64) -> Result<(), StoreError> {
    let key = [batch.device.0.into(), i64::from(batch.epoch).into(), rows::number(seq)];
    if let Some(row) = tx.query_opt(SQL.get("boot"), &key)? {
        let boot = KnownBoot {
            boot: BootId(row.array(0)?),
            offset_low: row.int_opt(1)?,
            offset_high: row.int_opt(2)?,
        };
        world.boots.insert(seq, boot);
    }
    Ok(())
}

fn load_token(tx: &mut Tx<'_>, world: &mut World, token: Token) -> Result<(), StoreError> {
    if let Some(row) = tx.query_opt(SQL.get("card_by_token"), &[token.to_bytes().into()])? {
        world.cards.insert(token, known_card(&row)?);
    } else {
        load_case(tx, world, unknown_card_case(token))?;
        return Ok(());
    }
    if world.cards.get(&token).is_some_and(|card| card.member.is_none()) {
        load_case(tx, world, unknown_card_case(token))?;
    }
    Ok(())
}

fn known_card(row: &crate::db::Row) -> Result<KnownCard, StoreError> {
    let status = row.text(2)?;
    Ok(KnownCard {
        card: CardId(row.array(0)?),
        member: row.array_opt(1)?.map(MemberId),
        status: CardStatus::from_code(status).ok_or_else(|| rows::unknown("status of a card", status))?,
    })
}

fn load_card(tx: &mut Tx<'_>, world: &mut World, card: CardId) -> Result<(), StoreError> {
    let Some(row) = tx.query_opt(SQL.get("card_by_id"), &[card.0.into()])? else { return Ok(()) };
    world.cards_by_id.insert(card, known_card(&row)?);
    Ok(())
}

fn load_taps(
    tx: &mut Tx<'_>,
    world: &mut World,
    (device, epoch): (DeviceId, u32),
    token: Token,
) -> Result<(), StoreError> {
    let key = [device.0.into(), i64::from(epoch).into(), token.to_bytes().into()];
    for row in tx.query(SQL.get("taps"), &key)? {
        let seq = row.uint(0)?;
        // A stored fact that cannot be read any more made no tap that could be compared.
        let fact = cbor::decode::<Fact>(row.blob(1)?).ok();
        if let Some(tap) = fact.as_ref().and_then(Tap::opening) {
            world.taps.insert(seq, tap);
        }
    }
    Ok(())
}

fn load_occurrence(tx: &mut Tx<'_>, world: &mut World, occurrence: OccurrenceId) -> Result<(), StoreError> {
    if world.occurrences.contains_key(&occurrence) {
        return Ok(());
    }
    if let Some(row) = tx.query_opt(SQL.get("occurrence"), &[occurrence.0.into()])? {
        world.occurrences.insert(occurrence, rows::occurrence(&row)?);
    }
    Ok(())
}

fn load_group(
    tx: &mut Tx<'_>,
    world: &mut World,
    member: MemberId,
    occurrence: OccurrenceId,
) -> Result<(), StoreError> {
    let key: [Value; 2] = [member.0.into(), occurrence.0.into()];
    let mut group = Group::default();
    for row in tx.query(SQL.get("group_facts"), &key)? {
        let became = row.text(6)?;
        let fact = GroupFact {
            id: rows::fact_id_at(&row, 0)?,
            at: Instant(row.int(3)?),
            office: OfficeId(row.array(4)?),
            pin: row.int_opt(5)?.map(|pin| pin != 0),
            became: became_from_code(became).ok_or_else(|| rows::unknown("what became of a fact", became))?,
            kind: rows::kind_at(&row, 7)?,
        };
        load_notices(tx, world, fact.id.device)?;
        group.facts.push(fact);
    }
    if let Some(row) = tx.query_opt(SQL.get("group"), &key)? {
        group.admitted = row.int_opt(1)?.map(|_| rows::fact_id_at(&row, 0)).transpose()?;
        group.points = Amount(row.int(3)?);
        group.issuer = row.array_opt(4)?.map(OfficeId);
        group.postings = rows::u32_at(&row, 5, "postings of an attendance")?;
    }
    if !group.facts.is_empty() {
        world.groups.insert((member, occurrence), group);
    }
    load_case(tx, world, posting::case_id(KIND_TWO_TERMINALS, &[&member.0, &occurrence.0]))?;
    let account = Account::Available(member).to_string();
    if let Some(row) = tx.query_opt(SQL.get("available"), &[account.into()])? {
        world.available.insert(member, Amount(row.int(0)?));
    }
    Ok(())
}

/// Loads what of the range is not there yet. What is there is one piece, so several closings in one batch read each
/// fact once.
fn load_range(
    tx: &mut Tx<'_>,
    world: &mut World,
    device: (DeviceId, u32),
    from_seq: u64,
    to_seq: u64,
) -> Result<(), StoreError> {
    let there = world.range.keys().next().copied().zip(world.range.keys().next_back().copied());
    let missing = match there {
        None => vec![(from_seq, to_seq)],
        Some((first, last)) => vec![(from_seq, to_seq.min(first - 1)), (from_seq.max(last + 1), to_seq)],
    };
    for (from_seq, to_seq) in missing.into_iter().filter(|(from, to)| from <= to) {
        let key =
            [device.0.0.into(), i64::from(device.1).into(), rows::number(from_seq), rows::number(to_seq)];
        for row in tx.query(SQL.get("range_facts"), &key)? {
            let quarantined = row.text(2)? == crate::rules::world::became_code(Became::Quarantined);
            let fact = if quarantined { None } else { cbor::decode(row.blob(1)?).ok() };
            world.range.insert(row.uint(0)?, fact);
        }
    }
    Ok(())
}

fn load_case(tx: &mut Tx<'_>, world: &mut World, id: Hash) -> Result<(), StoreError> {
    if world.cases.contains_key(&id) {
        return Ok(());
    }
    if let Some(mut case) = case_head(tx, id)? {
        // Only here does a verdict rest on which facts the case has; they are as many as there are terminals.
        if case.kind == KIND_TWO_TERMINALS {
            case.facts = case_facts(tx, id)?;
        }
        world.cases.insert(id, case);
    }
    Ok(())
}

/// A case with its facts, or `None` if there is none of that id.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn case_row(tx: &mut Tx<'_>, id: Hash) -> Result<Option<KnownCase>, StoreError> {
    let Some(mut case) = case_head(tx, id)? else { return Ok(None) };
    case.facts = case_facts(tx, id)?;
    Ok(Some(case))
}

fn case_facts(tx: &mut Tx<'_>, id: Hash) -> Result<BTreeSet<FactId>, StoreError> {
    let found = tx.query(SQL.get("case_facts"), &[id.0.into()])?;
    found.iter().map(|row| rows::fact_id_at(row, 0)).collect()
}

/// A case without its facts.
fn case_head(tx: &mut Tx<'_>, id: Hash) -> Result<Option<KnownCase>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("case"), &[id.0.into()])? else { return Ok(None) };
    let state = row.text(1)?.to_owned();
    Ok(Some(KnownCase {
        kind: rows::kind_at(&row, 0)?.unwrap_or(0),
        state: CaseState::from_code(&state).ok_or_else(|| rows::unknown("state of a case", &state))?,
        member: row.array_opt(2)?.map(MemberId),
        occurrence: row.array_opt(3)?.map(OccurrenceId),
        device: row.array_opt(4)?.map(DeviceId),
        token: row.array_opt(5)?.map(Token::from_bytes),
        detail: row.blob(6)?.to_vec(),
        automatic: row.text(7)?.to_owned(),
        verdict: row.text_opt(8)?.map(str::to_owned),
        opened: Instant(row.int(9)?),
        changed: Instant(row.int(10)?),
        deadline: row.int_opt(11)?.map(Instant),
        facts: BTreeSet::new(),
    }))
}

fn stored(what: &'static str, id: &str, source: cbor::WireError) -> StoreError {
    StoreError::Stored { what, id: id.to_owned(), source }
}
