//! Properties of pure rules that a mutant breaks, asked of the rules' public functions.

use hufu_shared::mutant::Mutant;

/// A property of a rule.
pub struct Rule {
    /// What it is called.
    pub name: &'static str,
    /// Says what is broken.
    pub check: fn() -> Result<(), String>,
}

/// The property that a mutant breaks; none if no rule has it.
pub fn of(mutant: Mutant) -> Option<Rule> {
    let _ = mutant;
    None
}
