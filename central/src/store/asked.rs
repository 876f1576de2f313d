//! What is asked ahead: the statements that [`super::world`] will run, with their keys, so that on PostgreSQL they travel
//! together. One left out costs a wait and nothing else.

use hufu_shared::ids::{DeviceId, FactId};

use super::rows;
use super::world::{BOOTS_MAX, SQL};
use crate::db::{Question, Value};
use crate::rules::need::Need;

/// What [`super::world::recovery`] and [`super::world::policy`] ask.
#[must_use]
pub fn policy_question() -> Question {
    (SQL.get("policy"), Vec::new())
}

/// What [`super::world::device_row`], [`super::world::epoch_row`] and [`super::world::epoch_keys`] ask.
#[must_use]
pub fn device_questions(device: DeviceId, epoch: u32) -> [Question; 3] {
    let of_epoch = || vec![device.0.into(), i64::from(epoch).into()];
    [
        (SQL.get("device"), vec![device.0.into()]),
        (SQL.get("device_epoch"), of_epoch()),
        (SQL.get("device_keys"), of_epoch()),
    ]
}

/// The statements that [`super::world::fetch`] will run for the needs of a batch. One left out costs a wait.
pub(super) fn questions(need: &Need) -> Vec<Question> {
    let asked: Vec<(&str, Vec<Value>)> = match *need {
        Need::Device(device) => {
            vec![("device", vec![device.0.into()]), ("last_notice", vec![device.0.into()])]
        }
        Need::Epoch(device, epoch) => {
            vec![("device_epoch", vec![device.0.into(), i64::from(epoch).into()])]
        }
        Need::Boots(device, epoch) => {
            vec![("boots", vec![device.0.into(), i64::from(epoch).into(), BOOTS_MAX.into()])]
        }
        Need::Knew(version) => vec![("knew", vec![i64::from(version.epoch).into(), rows::number(version.n)])],
        Need::Occurrence(occurrence) => vec![("occurrence", vec![occurrence.0.into()])],
        Need::Issued(device, day) => vec![("issued", vec![device.0.into(), i64::from(day.0).into()])],
        Need::Lease(lease) => vec![("lease", vec![lease.0.into()])],
        Need::Card(token) => vec![("card_by_token", vec![token.to_bytes().into()])],
        Need::Taps(device, epoch, token) => {
            vec![("taps", vec![device.0.into(), i64::from(epoch).into(), token.to_bytes().into()])]
        }
        Need::Group(member, occurrence) => {
            let key = vec![member.0.into(), occurrence.0.into()];
            vec![("group_facts", key.clone()), ("group", key)]
        }
        Need::Linked(link) => vec![("linked_facts", vec![link.0.into()])],
        Need::Case(id) => vec![("case", vec![id.0.into()])],
        Need::Flows(cause) => vec![("flows", vec![cause.0.into()])],
        Need::Fact(id) => vec![("fact", rows::fact_id_values(id).to_vec())],
        Need::Purse(member) => {
            vec![("purse", vec![member.0.into()]), ("purse_escrow", vec![member.0.into()])]
        }
        Need::Member(member) => vec![("member", vec![member.0.into()])],
        Need::MemberLeases(member) => vec![("leases_of_member", vec![member.0.into()])],
        _ => Vec::new(),
    };
    asked.into_iter().map(|(name, key)| (SQL.get(name), key)).collect()
}

/// What [`super::world::fact_hash`] asks.
#[must_use]
pub fn hash_question(id: FactId) -> Question {
    (SQL.get("fact_hash"), rows::fact_id_values(id).to_vec())
}
