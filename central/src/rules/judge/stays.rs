//! Ways in and out of an occurrence that counts exits (kind 4): a state machine per member, outside → inside → outside.
//!
//! Where a step is missing (in twice, out without in, no out at all) it is inferred at the rule's time and marked; the
//! facts around it are listed for a person, who accepts or edits. Nothing is dropped and no time of a fact changes.

use std::collections::BTreeSet;

use hufu_shared::ids::FactId;
use hufu_shared::time::Instant;

/// Which way a gate was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Passage {
    /// In; what every check-in is where exits are not counted.
    In,
    /// Out.
    Out,
}

/// One passing of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Passing {
    /// When.
    pub t: Instant,
    /// The fact.
    pub id: FactId,
    /// Which way.
    pub way: Passage,
}

/// What is inferred where a step is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StayRule {
    /// Nobody was in before.
    pub starts: Instant,
    /// Nobody was in after.
    pub ends: Instant,
    /// The longest stay that is inferred, in us; none for no limit.
    pub longest_us: Option<i64>,
    /// Whether the occurrence is over, so that who is still in has gone without a trace.
    pub over: bool,
}

/// One end of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By a fact.
    Seen(FactId, Instant),
    /// Nobody saw it.
    Inferred(Instant),
    /// Still in.
    Open,
}

/// One stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// Its beginning.
    pub from: End,
    /// Its end.
    pub to: End,
}

/// The stays of one member, and what is wrong with the way there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    /// In order of time.
    pub stays: Vec<Stay>,
    /// Facts beside which a step is missing.
    pub broken: BTreeSet<FactId>,
    /// Entries after a lawful exit: the same attendance goes on.
    pub returns: BTreeSet<FactId>,
}

/// Judges all passings of one member at one occurrence.
#[must_use]
pub fn path(passings: &[Passing], rule: StayRule) -> Path {
    let mut ordered = passings.to_vec();
    ordered.sort_unstable();
    ordered.dedup_by_key(|passing| passing.id);
    let mut path = Path::default();
    let mut inside: Option<Passing> = None;
    let mut edge = rule.starts;
    // An exit alone is no entry to come back from.
    let mut entered = false;
    for passing in ordered {
        match (inside, passing.way) {
            (None, Passage::In) => {
                if entered {
                    path.returns.insert(passing.id);
                }
                (inside, entered) = (Some(passing), true);
            }
            (Some(entry), Passage::Out) => {
                path.stays.push(Stay { from: seen(entry), to: seen(passing) });
                (inside, edge) = (None, passing.t);
            }
            (Some(entry), Passage::In) => {
                let to = End::Inferred(rule.close(entry.t, passing.t));
                path.stays.push(Stay { from: seen(entry), to });
                path.broken.extend([entry.id, passing.id]);
                inside = Some(passing);
            }
            (None, Passage::Out) => {
                let from = End::Inferred(rule.open(edge, passing.t));
                path.stays.push(Stay { from, to: seen(passing) });
                path.broken.insert(passing.id);
                edge = passing.t;
            }
        }
    }
    if let Some(entry) = inside {
        let to = if rule.over { End::Inferred(rule.close(entry.t, rule.ends)) } else { End::Open };
        path.stays.push(Stay { from: seen(entry), to });
        path.broken.extend(rule.over.then_some(entry.id));
    }
    path
}

fn seen(passing: Passing) -> End {
    End::Seen(passing.id, passing.t)
}

impl StayRule {
    fn close(&self, entry: Instant, next: Instant) -> Instant {
        let longest = self.longest_us.map_or(next, |longest| entry.offset(longest));
        next.min(self.ends).min(longest).max(entry)
    }

    fn open(&self, edge: Instant, exit: Instant) -> Instant {
        let longest = self.longest_us.map_or(edge, |longest| exit.offset(-longest));
        edge.max(longest).min(exit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::ids::DeviceId;
    use proptest::prelude::*;

    fn id(seq: u64) -> FactId {
        FactId { device: DeviceId([1; 16]), epoch: 1, seq }
    }

    fn pass(seq: u64, t: i64, way: Passage) -> Passing {
        Passing { t: Instant(t), id: id(seq), way }
    }

    const RULE: StayRule =
        StayRule { starts: Instant(100), ends: Instant(1_000), longest_us: Some(300), over: true };

    #[test]
    fn kind_04_a_missing_step_is_inferred_at_the_rules_time_and_marked() {
        use Passage::{In, Out};
        let at = |seq: u64, t: i64| End::Seen(id(seq), Instant(t));
        let inferred = |t: i64| End::Inferred(Instant(t));
        let cases: [(&str, Vec<Passing>, Vec<(End, End)>, Vec<u64>); 7] = [
            ("nobody", vec![], vec![], vec![]),
            ("lawful", vec![pass(1, 200, In), pass(2, 300, Out)], vec![(at(1, 200), at(2, 300))], vec![]),
            (
                "in twice",
                vec![pass(1, 200, In), pass(2, 250, In), pass(3, 400, Out)],
                vec![(at(1, 200), inferred(250)), (at(2, 250), at(3, 400))],
                vec![1, 2],
            ),
            (
                "in twice, far apart",
                vec![pass(1, 200, In), pass(2, 900, In), pass(3, 950, Out)],
                vec![(at(1, 200), inferred(500)), (at(2, 900), at(3, 950))],
                vec![1, 2],
            ),
            ("out without in", vec![pass(1, 350, Out)], vec![(inferred(100), at(1, 350))], vec![1]),
            ("out missing", vec![pass(1, 600, In)], vec![(at(1, 600), inferred(900))], vec![1]),
            (
                "out missing near the end",
                vec![pass(1, 900, In)],
                vec![(at(1, 900), inferred(1_000))],
                vec![1],
            ),
        ];
        for (why, passings, stays, broken) in cases {
            let judged = path(&passings, RULE);
            let met: Vec<(End, End)> = judged.stays.iter().map(|stay| (stay.from, stay.to)).collect();
            assert_eq!(met, stays, "{why}");
            assert_eq!(judged.broken, broken.into_iter().map(id).collect(), "{why}");
        }
    }

    #[test]
    fn kind_04_who_went_out_and_comes_back_attends_still() {
        use Passage::{In, Out};
        let passings = [pass(1, 200, In), pass(2, 300, Out), pass(3, 400, In)];
        let judged = path(&passings, StayRule { over: false, ..RULE });
        assert_eq!(judged.returns, BTreeSet::from([id(3)]));
        assert!(judged.broken.is_empty());
        assert_eq!(judged.stays[1].to, End::Open);
        let only_out = path(&[pass(1, 200, Out), pass(2, 300, In)], RULE);
        assert!(only_out.returns.is_empty(), "nobody saw the first entry, so this one admits");
    }

    proptest! {
        #[test]
        fn kind_04_the_path_follows_the_set_of_passings(
            mut passings in proptest::collection::vec((0..20_u64, 0..1_100_i64, any::<bool>()), 0..12),
            turn in 0..12_usize,
        ) {
            passings.sort_by_key(|row| row.0);
            passings.dedup_by_key(|row| row.0);
            let way = |out: bool| if out { Passage::Out } else { Passage::In };
            let mut facts: Vec<Passing> =
                passings.into_iter().map(|(seq, t, out)| pass(seq, t, way(out))).collect();
            let judged = path(&facts, RULE);
            if !facts.is_empty() {
                let by = turn % facts.len();
                facts.rotate_left(by);
            }
            facts.reverse();
            prop_assert_eq!(path(&facts, RULE), judged);
        }
    }
}
