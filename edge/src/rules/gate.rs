//! Which way members pass at a terminal, at activities that count who leaves.
//!
//! A terminal stands at a way in, at a way out, or where staff choose. At activities that do not count who leaves there
//! is only a way in, wherever the terminal stands. Whether a way is open now is not judged here.

use hufu_shared::fact::Purpose;
use hufu_shared::ids::OccurrenceId;
use hufu_shared::member::OccurrenceRow;
use serde::Deserialize;

/// Where a terminal stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Staff choose the way.
    #[default]
    Both,
    /// At a way in.
    In,
    /// At a way out.
    Out,
}

/// Numbers of the gates that a terminal's readers stand at, where an occurrence has several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gates {
    /// The gate of the counter page, and of readers without one of their own.
    pub own: Option<u16>,
    /// The readers' own, in the order of the configuration.
    pub readers: Vec<Option<u16>>,
}

impl Gates {
    /// The gate of a reader, as facts number readers.
    #[must_use]
    pub fn of(&self, reader: u8) -> Option<u16> {
        self.readers.get(usize::from(reader)).copied().flatten().or(self.own)
    }
}

/// The ways of one occurrence that a terminal records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ways {
    /// In.
    pub enters: bool,
    /// Out.
    pub leaves: bool,
}

impl Gate {
    /// The ways of an occurrence here.
    #[must_use]
    pub fn ways(self, occurrence: &OccurrenceRow) -> Ways {
        Ways { enters: !occurrence.exits || self != Self::Out, leaves: occurrence.exits && self != Self::In }
    }

    /// What was to be done here, turned into what this gate is for. A terminal that was moved from one door to another
    /// must not go on recording the way of the first.
    #[must_use]
    pub fn turn<'a>(
        self,
        purpose: &Purpose,
        find: impl Fn(OccurrenceId) -> Option<&'a OccurrenceRow>,
    ) -> Purpose {
        let ways = |occurrence: OccurrenceId| find(occurrence).map(|row| self.ways(row));
        match purpose {
            Purpose::CheckIn(occurrence) if ways(*occurrence).is_some_and(|ways| !ways.enters) => {
                Purpose::CheckOut(*occurrence)
            }
            Purpose::CheckInParty(party) if ways(party.occurrence).is_some_and(|ways| !ways.enters) => {
                Purpose::CheckOut(party.occurrence)
            }
            Purpose::CheckOut(occurrence) if ways(*occurrence).is_some_and(|ways| !ways.leaves) => {
                Purpose::CheckIn(*occurrence)
            }
            same => same.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{OCCASION, counted, occurrence};

    #[test]
    fn a_gate_records_its_own_way_and_staff_choose_where_it_is_both() {
        let (plain, counted) = (occurrence(), counted());
        let ways = |gate: Gate, row| {
            let Ways { enters, leaves } = gate.ways(row);
            (enters, leaves)
        };
        for (gate, of_plain, of_counted) in [
            (Gate::Both, (true, false), (true, true)),
            (Gate::In, (true, false), (true, false)),
            (Gate::Out, (true, false), (false, true)),
        ] {
            assert_eq!((ways(gate, &plain), ways(gate, &counted)), (of_plain, of_counted), "{gate:?}");
        }
    }

    #[test]
    fn a_terminal_that_was_moved_to_the_other_door_does_not_go_on_as_before() {
        let (plain, counted) = (occurrence(), counted());
        let (way_in, way_out) = (Purpose::CheckIn(OCCASION), Purpose::CheckOut(OCCASION));
        assert_eq!(Gate::Out.turn(&way_in, |_| Some(&counted)), way_out);
        assert_eq!(Gate::In.turn(&way_out, |_| Some(&counted)), way_in);
        assert_eq!(Gate::Both.turn(&way_out, |_| Some(&counted)), way_out);
        assert_eq!(Gate::Out.turn(&way_in, |_| Some(&plain)), way_in, "nobody is counted out of it");
        assert_eq!(Gate::Both.turn(&way_out, |_| Some(&plain)), way_in, "nor any more");
        assert_eq!(Gate::Out.turn(&way_in, |_| None), way_in, "nothing is known of it");
        assert_eq!(Gate::Out.turn(&Purpose::Visit, |_| Some(&counted)), Purpose::Visit);
    }
}
