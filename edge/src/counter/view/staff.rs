//! Who is at the counter: part of [`super::CounterView`].

use serde::Serialize;

use crate::rules::operator::{Role, Staff};

/// Who is at the counter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct StaffView {
    /// Whether somebody must sign in at this terminal.
    pub asked: bool,
    /// Who did; none while the counter is locked, or nobody is asked.
    pub operator: Option<OperatorView>,
}

/// An operator as colleagues see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorView {
    /// Name.
    pub name: String,
    /// Role.
    pub role: Role,
}

impl StaffView {
    /// As the rules know it.
    #[must_use]
    pub fn staff(&self) -> Staff {
        match &self.operator {
            Some(operator) => Staff::Here(operator.role),
            None if self.asked => Staff::Away,
            None => Staff::Unasked,
        }
    }
}
