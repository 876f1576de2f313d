//! Links: by what a fact is found again when another fact, or an act, concerns it.
//!
//! A link is a hash of what two facts have in common: the same slip, the same original, the same lease. Each fact is
//! stored with all its links, so a rule that needs "all facts that …" asks for one of these, and the store knows of
//! links nothing but their bytes.

use hufu_shared::cbor;
use hufu_shared::fact::{Event, Fact, Funding, SlipKey};
use hufu_shared::ids::{DeviceId, FactId, Hash, ItemId, LeaseId, MemberId, OccurrenceId, OfficeId};
use hufu_shared::member_code::CodeNonce;
use hufu_shared::time::Day;
use hufu_shared::token::Token;

/// Facts that reverse this one.
#[must_use]
pub fn reversals(original: FactId) -> Hash {
    Hash::of(&[
        b"hufu-link-reversals",
        &original.device.0,
        &original.epoch.to_be_bytes(),
        &original.seq.to_be_bytes(),
    ])
}

/// Facts that carry this slip, or replace it.
#[must_use]
pub fn slip(key: &SlipKey) -> Hash {
    Hash::of(&[b"hufu-link-slip", &cbor::encode(key)])
}

/// Facts that spend from, or close, a generation of a lease.
#[must_use]
pub fn lease(lease: LeaseId, generation: u32) -> Hash {
    Hash::of(&[b"hufu-link-lease", &lease.0, &generation.to_be_bytes()])
}

/// Spends with a card.
#[must_use]
pub fn spent_with(token: Token) -> Hash {
    Hash::of(&[b"hufu-link-spent-with", &token.to_bytes()])
}

/// Reports at terminals that a card was lost.
#[must_use]
pub fn reported_lost(token: Token) -> Hash {
    Hash::of(&[b"hufu-link-reported-lost", &token.to_bytes()])
}

/// Facts that gave a member this card in place of another.
#[must_use]
pub fn given(card: Token) -> Hash {
    Hash::of(&[b"hufu-link-given", &card.to_bytes()])
}

/// Spends that one terminal recorded under one slip.
#[must_use]
pub fn spent_under(device: DeviceId, key: &SlipKey) -> Hash {
    Hash::of(&[b"hufu-link-spent-under", &device.0, &cbor::encode(key)])
}

/// Check-ins that wait for an occurrence to be planned.
#[must_use]
pub fn occurrence(occurrence: OccurrenceId) -> Hash {
    Hash::of(&[b"hufu-link-occurrence", &occurrence.0])
}

/// Hand-outs of an item to a member at an occurrence.
#[must_use]
pub fn hand_out(member: MemberId, occurrence: OccurrenceId, item: ItemId) -> Hash {
    Hash::of(&[b"hufu-link-hand-out", &member.0, &occurrence.0, &item.0])
}

/// Everything that takes an item from the stock of an office.
#[must_use]
pub fn stock(item: ItemId, office: OfficeId) -> Hash {
    Hash::of(&[b"hufu-link-stock", &item.0, &office.0])
}

/// Everything that a device issued on a business day.
#[must_use]
pub fn issued(device: DeviceId, day: Day) -> Hash {
    Hash::of(&[b"hufu-link-issued", &device.0, &day.0.to_be_bytes()])
}

/// What a member earned in a span that begins on a day; a cap, or a rule that gives once, holds over all of it.
#[must_use]
pub fn earned(member: MemberId, period: Day) -> Hash {
    Hash::of(&[b"hufu-link-earned", &member.0, &period.0.to_be_bytes()])
}

/// What a member spent or used in a period that begins on a day.
#[must_use]
pub fn used(member: MemberId, period: Day) -> Hash {
    Hash::of(&[b"hufu-link-used", &member.0, &period.0.to_be_bytes()])
}

/// Uses of a card on a day, for journeys that nobody can make.
#[must_use]
pub fn seen(token: Token, day: Day) -> Hash {
    Hash::of(&[b"hufu-link-seen", &token.to_bytes(), &day.0.to_be_bytes()])
}

/// Uses of a member code.
#[must_use]
pub fn code(nonce: CodeNonce) -> Hash {
    Hash::of(&[b"hufu-link-code", &nonce.0])
}

/// Facts of a member who goes on as another: by whose they are by themselves.
#[must_use]
pub fn merged_from(member: MemberId) -> Hash {
    Hash::of(&[b"hufu-link-merged-from", &member.0])
}

/// Requests to change a member's data.
#[must_use]
pub fn profile(member: MemberId) -> Hash {
    Hash::of(&[b"hufu-link-profile", &member.0])
}

/// A request for a field of a member that a person dealt with: the request itself, if so.
#[must_use]
pub fn dealt_with(request: FactId, field: &str) -> Hash {
    of_request(b"hufu-link-dealt-with", request, field)
}

/// A request for a field of a member that a person took over: the request itself, if so.
#[must_use]
pub fn taken_over(request: FactId, field: &str) -> Hash {
    of_request(b"hufu-link-taken-over", request, field)
}

fn of_request(what: &[u8], id: FactId, field: &str) -> Hash {
    Hash::of(&[what, &id.device.0, &id.epoch.to_be_bytes(), &id.seq.to_be_bytes(), field.as_bytes()])
}

/// Facts of a boot.
#[must_use]
pub fn boot(device: DeviceId, epoch: u32, seq: u64) -> Hash {
    Hash::of(&[b"hufu-link-boot", &device.0, &epoch.to_be_bytes(), &seq.to_be_bytes()])
}

/// Top-ups of a device on a business day.
#[must_use]
pub fn paid_in(device: DeviceId, day: Day) -> Hash {
    Hash::of(&[b"hufu-link-paid-in", &device.0, &day.0.to_be_bytes()])
}

/// Closings of a device: each ends a shift, and most are a count of its cash.
#[must_use]
pub fn closings(device: DeviceId) -> Hash {
    Hash::of(&[b"hufu-link-closings", &device.0])
}

/// Reversals of a device's own facts.
#[must_use]
pub fn undone_at(device: DeviceId) -> Hash {
    Hash::of(&[b"hufu-link-undone-at", &device.0])
}

/// All links that a fact has by itself, whoever its card belongs to.
#[must_use]
pub fn of_fact(fact: &Fact) -> Vec<Hash> {
    match &fact.event {
        Event::Earned(earned) => earned.slip.iter().chain(&earned.replaces).map(slip).collect(),
        Event::Reversed(reversed) => vec![reversals(reversed.original)],
        Event::Spent(spent) => {
            let uses = spent.funding.iter().filter_map(|funding| match funding {
                Funding::Lease(used) => Some(lease(used.lease, used.generation)),
                Funding::OwnCredit => None,
            });
            uses.chain([spent_with(spent.subject.token)]).collect()
        }
        Event::CardReportedLost(seen) => vec![reported_lost(seen.subject.token)],
        Event::CardReplaced(replaced) => vec![given(replaced.card)],
        Event::LeaseClosed(closed) => vec![lease(closed.lease, closed.generation)],
        _ => Vec::new(),
    }
}
