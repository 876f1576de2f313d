//! Case tables of the lease book, and a device that says anything at all.

mod adversary;
mod granting;
mod recovering;
mod spending;

use hufu_shared::act::{LeaseCause, LeaseSet};
use hufu_shared::money::Amount;

use super::spend::{Judged, Known, SpentLeg, judge};
use super::*;

const DEVICE: DeviceId = DeviceId([1; 16]);
const MEMBER: MemberId = MemberId([2; 16]);
const LEASE: LeaseId = LeaseId([3; 16]);
const TERMS: LeaseTerms = LeaseTerms { ttl_s: 7 * 86_400, reboot_cost_s: 7_200, reboots_max: 3 };
const NOON: Instant = Instant(1_800_000_000_000_000);

fn version(n: u64) -> Version {
    Version { epoch: 1, n }
}

fn act(generation: u32, granted: i64, n: u64) -> LeaseSet {
    LeaseSet {
        lease: LEASE,
        generation,
        device: DEVICE,
        member: MEMBER,
        unit: Unit::Pts,
        granted_total: Amount(granted),
        terms: TERMS,
        version: version(n),
        cause: LeaseCause::Granted,
    }
}

/// An open lease of generation 1 with so much granted, in version 5.
fn granted(amount: i64) -> LeaseRow {
    set(&[], &act(1, amount, 5), 1, Amount(amount), NOON).expect("a first grant").row
}

fn leg(seq: u64, amount: i64, spent_total: i64) -> SpentLeg {
    SpentLeg {
        device: DEVICE,
        enrolment: 1,
        seq,
        unit: Unit::Pts,
        amount: Amount(amount),
        spent_total: Amount(spent_total),
        state: version(5),
        member: Some(MEMBER),
    }
}

/// The row after legs that must all stand plainly.
fn after(row: LeaseRow, legs: &[(i64, i64)]) -> LeaseRow {
    legs.iter().zip(1..).fold(row, |row, ((amount, total), seq)| {
        let Judged { row, kind, .. } = judge(Some(&row), &leg(seq, *amount, *total), Known::default());
        assert_eq!(kind, None, "a plain spend of {amount}");
        row.expect("it has a row")
    })
}
