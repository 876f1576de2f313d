//! The member displays, as staff see them: part of [`super::view`].

use serde::Serialize;

/// All of them together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DisplayView {
    /// Kinds in the configuration; none without a display.
    pub kind: Option<String>,
    /// What is wrong with the first that does not work.
    pub fault: Option<String>,
    /// Each display, in the order of the configuration.
    pub each: Vec<PanelView>,
}

/// One display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PanelView {
    /// What people call it: kind and place.
    pub name: String,
    /// What is wrong with it; none if it works.
    pub fault: Option<String>,
}
