//! Writes the rows that an entry gave, all in the caller's transaction.
//!
//! Balances are summed per account before they are written. The gate of the journal lets one transaction write at a
//! time, so no two of them can wait for each other in a circle.

use std::collections::BTreeMap;

use hufu_shared::ids::{CardId, DeviceId, EntryId, Hash};
use hufu_shared::money::Unit;
use hufu_shared::time::Instant;

use super::StoreError;
use super::known;
use super::rows::{self, number};
use super::{
    activities, brought, cards, details, inbox, joining, levels, members, office_days, points, stand_ins,
    stock,
};
use crate::db::{SqlFile, Tx, Value};
use crate::rules::outcome::{FactRow, Outcome};
use crate::rules::posting::{Account, Posting};
use crate::rules::world::{KnownCase, became_code};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::with_overrides(
    "outcome",
    include_str!("../../sql/both/outcome.sql"),
    "",
    include_str!("../../sql/postgres/outcome.sql"),
);

/// Writes an outcome. `entry` becomes the version of every row written.
///
/// # Errors
/// [`StoreError`]; a breach of a CHECK (a balance below zero) is one of them, and then nothing was written.
pub fn commit(
    tx: &mut Tx<'_>,
    entry: EntryId,
    received: Instant,
    outcome: &Outcome,
) -> Result<(), StoreError> {
    commit_club(tx, entry, outcome)?;
    commit_plans(tx, entry, received, outcome)?;
    activities::commit(tx, entry, outcome)?;
    members::commit(tx, entry, received, outcome)?;
    joining::commit(tx, entry, outcome)?;
    details::commit(tx, entry, received, outcome)?;
    commit_cards(tx, entry, outcome)?;
    cards::commit(tx, entry, outcome)?;
    commit_devices(tx, entry, outcome)?;
    commit_facts(tx, entry, received, outcome)?;
    stock::commit(tx, entry, outcome)?;
    brought::commit(tx, entry, received, outcome)?;
    points::commit(tx, entry, outcome)?;
    levels::commit(tx, entry, outcome)?;
    for ((device, day), issued) in &outcome.issued {
        let values = [
            device.0.into(),
            i64::from(day.0).into(),
            issued.points.0.into(),
            issued.top_up.0.into(),
            entry.0.into(),
        ];
        put(tx, "set_issued", values)?;
    }
    for (job, day) in &outcome.jobs {
        let day = day.map(|day| i64::from(day.0)).into();
        let values = [job.as_str().into(), day, received.0.into(), entry.0.into()];
        put(tx, "set_job", values)?;
    }
    for row in outcome.leases.values() {
        let mut values = known::lease_values(row);
        values.push(entry.0.into());
        put(tx, "set_lease", values)?;
    }
    commit_attendance(tx, entry, outcome)?;
    let postings: Vec<_> = outcome.postings.iter().map(|posting| posting_values(entry, posting)).collect();
    tx.execute_later(SQL.get("insert_posting"), postings)?;
    add_balances(tx, entry, &outcome.postings)?;
    commit_cases(tx, entry, outcome)?;
    inbox::commit(tx, entry, received, outcome)?;
    for notice in &outcome.notices {
        let values = [
            notice.fact.device.0.into(),
            number(notice.n),
            i64::from(notice.fact.epoch).into(),
            number(notice.fact.seq),
            became_code(notice.became).into(),
            notice.kind.map(i64::from).into(),
            rows::hash_value(notice.case),
            notice.other_office.clone().into(),
            notice.other_at.map(|at| at.0).into(),
            entry.0.into(),
        ];
        put(tx, "insert_notice", values)?;
    }
    tx.land()?;
    Ok(())
}

/// Writes one row; nobody waits for it before the last one is written.
///
/// # Errors
/// [`StoreError`].
pub(super) fn put(tx: &mut Tx<'_>, name: &str, values: impl Into<Vec<Value>>) -> Result<(), StoreError> {
    Ok(tx.execute_later(SQL.get(name), vec![values.into()])?)
}

fn commit_club(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    if let Some(club) = &outcome.club {
        let values = [
            club.club.0.into(),
            club.name.zh.as_str().into(),
            club.name.en.as_str().into(),
            i64::from(club.epoch.n).into(),
            club.epoch.bits.to_be_bytes().into(),
            entry.0.into(),
        ];
        put(tx, "set_club", values)?;
    }
    if let Some(epoch) = outcome.central_epoch {
        let values = [i64::from(epoch.n).into(), epoch.bits.to_be_bytes().into(), entry.0.into()];
        put(tx, "set_central_epoch", values)?;
    }
    if let Some(day) = outcome.settled {
        put(tx, "set_settled", [i64::from(day.0).into(), entry.0.into()])?;
    }
    if let Some(recovery) = outcome.recovery {
        let values = [i64::from(recovery.epoch).into(), recovery.since.map(|at| at.0).into(), entry.0.into()];
        put(tx, "set_recovery", values)?;
    }
    office_days::commit(tx, entry, outcome)?;
    stand_ins::commit(tx, entry, outcome)
}

fn commit_plans(
    tx: &mut Tx<'_>,
    entry: EntryId,
    received: Instant,
    outcome: &Outcome,
) -> Result<(), StoreError> {
    for office in &outcome.offices {
        let values = [
            office.office.0.into(),
            office.code.as_str().into(),
            office.name.zh.as_str().into(),
            office.name.en.as_str().into(),
            office.clock.zone.as_str().into(),
            i64::from(office.clock.cutoff_minutes).into(),
            office.group.clone().into(),
            entry.0.into(),
        ];
        put(tx, "set_office", values)?;
    }
    for row in &outcome.occurrences {
        let values = [
            row.occurrence.0.into(),
            row.activity.0.into(),
            row.name.zh.as_str().into(),
            row.name.en.as_str().into(),
            row.starts.0.into(),
            row.ends.0.into(),
            rows::occurrence_state_code(row.state).into(),
            i64::from(row.admits_once).into(),
            row.points.0.into(),
            row.places.map(i64::from).into(),
            hufu_shared::cbor::encode(&row.offices).into(),
            i64::from(row.exits).into(),
            hufu_shared::cbor::encode(&row.gifts).into(),
            hufu_shared::cbor::encode(&row.guests).into(),
            hufu_shared::cbor::encode(&row.audience).into(),
            entry.0.into(),
        ];
        put(tx, "set_occurrence", values)?;
    }
    for terms in &outcome.schemes {
        let values = [
            i64::from(terms.version).into(),
            i64::from(terms.valid_from.0).into(),
            hufu_shared::cbor::encode(terms).into(),
            received.0.into(),
            entry.0.into(),
        ];
        put(tx, "set_scheme", values)?;
    }
    if outcome.policy.is_some() || outcome.apply_version.is_some() {
        let values = [
            outcome.policy.as_ref().map(hufu_shared::cbor::encode).into(),
            outcome.apply_version.map(i64::from).into(),
            entry.0.into(),
        ];
        put(tx, "set_policy", values)?;
    }
    Ok(())
}

fn commit_cards(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for card in &outcome.cards {
        let values = [
            card.card.0.into(),
            card.member.map(|member| member.0).into(),
            card.kind.as_str().into(),
            card.status.code().into(),
            card.tail.as_str().into(),
            card.valid_from.map(|at| at.0).into(),
            card.valid_until.map(|at| at.0).into(),
            turns(outcome, card.card),
            entry.0.into(),
        ];
        put(tx, "set_card", values)?;
        put(tx, "drop_tokens", [card.card.0.into()])?;
        for token in &card.tokens {
            put(tx, "set_token", [token.to_bytes().into(), card.card.0.into()])?;
        }
    }
    for (CardId(card), status) in &outcome.card_statuses {
        let values = [(*card).into(), status.code().into(), turns(outcome, CardId(*card)), entry.0.into()];
        put(tx, "set_card_status", values)?;
    }
    for (card, holder) in &outcome.card_holders {
        let holder = holder.map(|member| member.0).into();
        let values = [card.0.into(), holder, turns(outcome, *card), entry.0.into()];
        tx.execute(SQL.get("set_card_holder"), &values)?;
    }
    Ok(())
}

fn commit_devices(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for (DeviceId(id), device) in &outcome.devices {
        let values = [
            (*id).into(),
            device.office.0.into(),
            device.name.as_str().into(),
            device.status.code().into(),
            i64::from(device.epoch).into(),
            i64::from(device.leases_frozen).into(),
            i64::from(device.reported_epoch).into(),
            entry.0.into(),
        ];
        put(tx, "set_device", values)?;
    }
    for ((device, epoch), known) in &outcome.epochs {
        let values = [
            device.0.into(),
            i64::from(*epoch).into(),
            known.first_key.clone().into(),
            known.seal_key.into(),
            known.board.0.into(),
            known.enrolled_at.0.into(),
            number(known.acked_seq),
            known.head.0.into(),
            known.last_at.0.into(),
        ];
        put(tx, "set_device_epoch", values)?;
    }
    for (device, epoch, key) in &outcome.keys {
        let id = hufu_shared::chain::key_id(key);
        let values = [device.0.into(), i64::from(*epoch).into(), id.into(), key.clone().into()];
        put(tx, "set_device_key", values)?;
    }
    for ((device, epoch, seq), boot) in &outcome.boots {
        let (offset_low, offset_high) = boot.clock.offsets();
        let values = [
            device.0.into(),
            i64::from(*epoch).into(),
            number(*seq),
            boot.boot.0.into(),
            offset_low.into(),
            offset_high.into(),
            hufu_shared::cbor::encode(&boot.clock).into(),
        ];
        put(tx, "set_boot", values)?;
    }
    Ok(())
}

/// The turns of a card that the outcome changes.
fn turns(outcome: &Outcome, card: CardId) -> Value {
    hufu_shared::cbor::encode(outcome.card_turns.get(&card).unwrap_or(&Vec::new())).into()
}

fn commit_facts(
    tx: &mut Tx<'_>,
    entry: EntryId,
    received: Instant,
    outcome: &Outcome,
) -> Result<(), StoreError> {
    let facts: Vec<_> = outcome.facts.iter().map(|fact| fact_values(entry, received, fact)).collect();
    tx.execute_later(SQL.get("insert_fact"), facts)?;
    for (id, known) in &outcome.fact_changes {
        let mut values = rows::fact_id_values(*id).to_vec();
        values.extend([
            known.at.0.into(),
            known.low.0.into(),
            known.high.0.into(),
            i64::from(known.day.0).into(),
            known.member.map(|member| member.0).into(),
            became_code(known.standing.became).into(),
            known.standing.kind.map(i64::from).into(),
            known.pin.map(i64::from).into(),
            known.belongs_to.map(|member| member.0).into(),
            i64::from(known.over_limit).into(),
            known.at_desk.map(|back| hufu_shared::cbor::encode(&back)).into(),
            entry.0.into(),
        ]);
        put(tx, "change_fact", values)?;
    }
    for (version, at) in &outcome.knew {
        let values = [i64::from(version.epoch).into(), number(version.n), at.0.into()];
        put(tx, "set_known", values)?;
    }
    let links: Vec<Vec<Value>> = outcome
        .links
        .iter()
        .map(|(link, fact)| {
            let mut values: Vec<Value> = vec![link.0.into()];
            values.extend(rows::fact_id_values(*fact));
            values
        })
        .collect();
    tx.execute_later(SQL.get("set_link"), links)?;
    Ok(())
}

fn fact_values(entry: EntryId, received: Instant, fact: &FactRow) -> Vec<Value> {
    let mut values = rows::fact_id_values(fact.id).to_vec();
    let (known, told) = (&fact.known, fact.told.as_ref());
    values.extend([
        fact.hash.0.into(),
        fact.body.clone().into(),
        fact.event().into(),
        fact.wall().0.into(),
        known.at.0.into(),
        known.low.0.into(),
        known.high.0.into(),
        i64::from(known.day.0).into(),
        received.0.into(),
        known.office.0.into(),
        fact.token().map(|token| token.to_bytes()).into(),
        known.member.map(|member| member.0).into(),
        fact.occurrence().map(|occurrence| occurrence.0).into(),
        became_code(known.standing.became).into(),
        known.standing.kind.map(i64::from).into(),
        known.pin.map(i64::from).into(),
        known.belongs_to.map(|member| member.0).into(),
        i64::from(known.clock_fault).into(),
        i64::from(known.over_limit).into(),
        told.map(|told| became_code(told.became)).into(),
        told.and_then(|told| told.kind).map(i64::from).into(),
        rows::hash_value(told.and_then(|told| told.case)),
        entry.0.into(),
    ]);
    values
}

/// Writes who was admitted; whom nothing admits any more has no row.
fn commit_attendance(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    let mut admitted: Vec<Vec<Value>> = Vec::new();
    for ((member, occurrence), group) in &outcome.groups {
        let mut values: Vec<Value> = vec![member.0.into(), occurrence.0.into()];
        let Some(fact) = group.admitted else {
            put(tx, "end_attendance", values)?;
            continue;
        };
        let issuer: Value = group.issuer.map(|office| office.0).into();
        values.extend(rows::fact_id_values(fact));
        values.extend([issuer.clone(), group.at.map(|at| at.0).into(), group.points.0.into(), issuer]);
        values.extend([i64::from(group.companions).into(), entry.0.into()]);
        admitted.push(values);
    }
    Ok(tx.execute_later(SQL.get("set_attendance"), admitted)?)
}

fn posting_values(entry: EntryId, posting: &Posting) -> Vec<Value> {
    let mut values: Vec<Value> = vec![
        posting.id.0.into(),
        posting.cause.0.into(),
        i64::from(posting.ordinal).into(),
        posting.debit.to_string().into(),
        posting.credit.to_string().into(),
        posting.leg.amount.0.into(),
        posting.leg.unit.code().into(),
        posting.code.code().into(),
        posting.member.map(|member| member.0).into(),
    ];
    values.extend(rows::fact_id_values_opt(posting.fact));
    values.extend([
        rows::hash_value(posting.case),
        posting.at.0.into(),
        i64::from(posting.day.0).into(),
        i64::from(posting.scheme).into(),
        posting.rule.clone().into(),
        entry.0.into(),
    ]);
    values
}

fn add_balances(tx: &mut Tx<'_>, entry: EntryId, postings: &[Posting]) -> Result<(), StoreError> {
    let mut sums: BTreeMap<(String, Unit), (Account, i128)> = BTreeMap::new();
    for posting in postings {
        let amount = i128::from(posting.leg.amount.0);
        for (account, signed) in [(posting.debit, -amount), (posting.credit, amount)] {
            sums.entry((account.to_string(), posting.leg.unit)).or_insert((account, 0)).1 += signed;
        }
    }
    let (mut whole, mut opened, mut added) = (Vec::with_capacity(sums.len()), Vec::new(), Vec::new());
    for ((name, unit), (account, sum)) in sums {
        let sum = i64::try_from(sum)
            .map_err(|_| StoreError::Range { what: "sum of postings on one account", met: i64::MAX })?;
        let key = [name.as_str().into(), unit.code().into()];
        let about = [account.class().into(), account.member().map(|member| member.0).into()];
        // A CHECK on an upsert looks at the change as if it were the balance: what would break it is opened first and
        // changed then.
        if is_a_balance(account.class(), sum) {
            whole.push([&key[..], &about, &[sum.into(), entry.0.into()]].concat());
        } else {
            opened.push([&key[..], &about, &[entry.0.into()]].concat());
            added.push([&key[..], &[sum.into(), entry.0.into()]].concat());
        }
    }
    tx.execute_later(SQL.get("move_balance"), whole)?;
    tx.execute_later(SQL.get("open_balance"), opened)?;
    tx.execute_later(SQL.get("add_balance"), added)?;
    Ok(())
}

/// Whether a change could be the balance of an account that had nothing, as the schema checks it.
fn is_a_balance(class: &str, sum: i64) -> bool {
    match class {
        "available" | "escrow" => sum >= 0,
        "owed" => sum <= 0,
        _ => true,
    }
}

fn commit_cases(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for (id, fact) in &outcome.left_cases {
        let mut values: Vec<Value> = vec![id.0.into()];
        values.extend(rows::fact_id_values(*fact));
        put(tx, "leave_case", values)?;
    }
    outcome.cases.iter().try_for_each(|(id, case)| set_case(tx, entry, *id, case))
}

fn set_case(tx: &mut Tx<'_>, entry: EntryId, id: Hash, case: &KnownCase) -> Result<(), StoreError> {
    let values = [
        id.0.into(),
        i64::from(case.kind).into(),
        case.state.code().into(),
        case.member.map(|member| member.0).into(),
        case.occurrence.map(|occurrence| occurrence.0).into(),
        case.device.map(|device| device.0).into(),
        case.token.map(|token| token.to_bytes()).into(),
        case.detail.clone().into(),
        case.automatic.as_str().into(),
        case.verdict.clone().into(),
        case.opened.0.into(),
        case.changed.0.into(),
        case.deadline.map(|at| at.0).into(),
        entry.0.into(),
        case.decided_on.as_ref().map(|seen| seen.detail.clone()).into(),
        case.decided_on.as_ref().map(|seen| seen.facts.0).into(),
    ];
    put(tx, "set_case", values)?;
    for fact in &case.facts {
        let mut values: Vec<Value> = vec![id.0.into()];
        values.extend(rows::fact_id_values(*fact));
        put(tx, "set_case_fact", values)?;
    }
    Ok(())
}
