//! A small search at every run; the program `model` searches farther.

use proptest::prelude::*;
use stateright::{Expectation, Model};

use super::search::{LEFT_OUT, QUICK, search};
use super::{Bounds, LeaseModel, Rules, System};

/// Far beyond what can be searched through.
const WIDE: Bounds = Bounds {
    points: 5,
    grants: 12,
    recalls: 4,
    crashes: 3,
    write_offs: 2,
    rollbacks: 2,
    earns: 3,
    reversals: 2,
    forced_ends: 1,
};

#[test]
fn inv_02_03_10_11_hold_in_every_state_within_the_quick_bounds() {
    for (name, bounds) in QUICK {
        let found = search(bounds, Rules::ALL);
        assert_eq!(found.broken, [], "{name}");
        assert!(found.states > 5_000 && !found.met.is_empty(), "{name}: a search that met little: {found:?}");
    }
}

/// What a rule's absence breaks is what the rule is for, not any accident.
#[test]
fn each_rule_left_out_breaks_what_it_is_for() {
    for (name, rules, bounds, property) in LEFT_OUT {
        let found = search(bounds, rules);
        let broken = found.broken.iter().any(|(broken, _)| *broken == property);
        assert!(broken, "{name}: {} states, {property:?} not broken: {:?}", found.states, found.broken);
    }
}

/// The small numbers of the model and the rows of the rules say the same, both ways.
#[test]
fn states_pass_to_the_rules_and_back_unchanged() {
    use super::state::{Held, Row, State, Ver};
    let state = State { to: 1, generation: 65_537, granted: 7, version: Ver(2, 3) };
    assert_eq!(State::of(1, &state.real()), state);
    let held = Held { state, spent: 4, closed: true, last_fact: Some(9), reboots: 1, counted_ks: 1 };
    assert_eq!(Held::of(1, &held.real()), held);
    let row = Row {
        terminal: 1,
        generation: 65_537,
        granted: 9,
        settled: 2,
        lost: 1,
        released: 1,
        written_off: Some(3),
        disputed: 1,
        dismissed: 1,
        reported: 5,
        last_seq: 6,
        closed: Some(5),
        version: Ver(2, 3),
        first_life: 2,
    };
    assert_eq!(Row::of(1, &row.real()), row);
    assert!(size_of::<System>() < 512, "a state stays small: {}", size_of::<System>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn inv_02_03_10_11_hold_on_random_walks_far_beyond_the_bounds(
        choices in proptest::collection::vec(any::<u16>(), 150),
    ) {
        let model = LeaseModel { bounds: WIDE, rules: Rules::ALL };
        let mut system = model.init_states().remove(0);
        for choice in choices {
            let mut steps = Vec::new();
            model.actions(&system, &mut steps);
            let step = steps[usize::from(choice) % steps.len()];
            let Some(next) = model.next_state(&system, step) else { continue };
            system = next;
            for property in model.properties() {
                let always = matches!(property.expectation, Expectation::Always);
                prop_assert!(!always || (property.condition)(&model, &system), "{} after {:?}", property.name, step);
            }
        }
    }
}
