//! One fact as a terminal wrote it: in full, or short with what stands left out; and the acts of the centre's journal.

use super::wire;
use hufu_shared::act::Act;
use hufu_shared::fact::{Fact, Reader, stated_at, stated_in};

/// How many facts before a short one the full one may stand here.
const STATED_BEFORE: u64 = 7;

/// Reads the bytes as a fact and as an act.
pub fn run(data: &[u8]) {
    wire::read::<Act>(data);
    let stated = stated_in(data);
    let named = stated_at(data);
    let Some(fact) = wire::read::<Fact>(data) else { return };
    assert!(named.is_none() || named <= Some(fact.seq), "a fact rests on a later one");
    let mut reader = Reader::default();
    if let Ok(read) = reader.read(fact.seq, data) {
        assert_eq!(read, fact, "a fact in full says all of itself");
        assert_eq!(stated, Some(fact.standing()), "what a fact states is what it says");
        short(&fact);
    }
    let other = reader.read(fact.seq.wrapping_add(1), data);
    assert!(other.is_err(), "a fact is read at a place that it does not name");
}

/// The short form says the same, as long as the fact that it names is known.
fn short(fact: &Fact) {
    let Some(at) = fact.seq.checked_sub(STATED_BEFORE) else { return };
    if fact.boot > fact.seq {
        return;
    }
    let body = fact.encode_since(at);
    assert_eq!(stated_at(&body), Some(at));
    let mut knowing = Reader::knowing([(at, fact.standing())]);
    assert_eq!(knowing.read(fact.seq, &body).as_ref(), Ok(fact), "a short fact reads as it was");
    assert!(Reader::default().read(fact.seq, &body).is_err(), "a short fact rests on one that is not known");
}
