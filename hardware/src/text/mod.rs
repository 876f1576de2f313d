//! Text that never drops a character: faces, measuring, wrapping.

/// The faces, loaded once and handed to whoever draws.
#[derive(Debug, Default)]
pub struct Fonts {}

impl Fonts {
    /// Loads the faces that are inside the program.
    #[must_use]
    pub fn load() -> Self {
        Self {}
    }
}
