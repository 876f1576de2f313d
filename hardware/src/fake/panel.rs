//! A panel that records every frame it was told to show.

use std::sync::{Arc, Mutex, PoisonError};

use embedded_graphics::prelude::Size;

use crate::panel::{Depth, Frame, Panel, PanelError};

#[derive(Debug, Default)]
struct Tape {
    frames: Vec<Frame>,
    failing: bool,
}

/// What a [`FakePanel`] has shown. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct PanelTape(Arc<Mutex<Tape>>);

impl PanelTape {
    /// All frames flushed so far, oldest first, as the panel's depth shows them.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).frames.clone()
    }

    /// The frame shown now.
    #[must_use]
    pub fn last(&self) -> Option<Frame> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).frames.last().cloned()
    }

    /// From now on every flush fails, or works again.
    pub fn set_failing(&self, failing: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failing = failing;
    }
}

/// The recording panel.
#[derive(Debug)]
pub struct FakePanel {
    frame: Frame,
    depth: Depth,
    tape: PanelTape,
}

impl FakePanel {
    /// A panel and its tape.
    #[must_use]
    pub fn new(size: Size, depth: Depth) -> (Self, PanelTape) {
        let tape = PanelTape::default();
        (Self { frame: Frame::new(size), depth, tape: tape.clone() }, tape)
    }
}

impl Panel for FakePanel {
    fn size(&self) -> Size {
        embedded_graphics::prelude::OriginDimensions::size(&self.frame)
    }

    fn depth(&self) -> Depth {
        self.depth
    }

    fn frame_mut(&mut self) -> &mut Frame {
        &mut self.frame
    }

    fn flush(&mut self) -> Result<(), PanelError> {
        let mut tape = self.tape.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tape.failing {
            return Err(PanelError::Device { name: "fake".into(), detail: "the script says so".into() });
        }
        tape.frames.push(match self.depth {
            Depth::Mono => self.frame.to_mono(),
            Depth::Rgb => self.frame.clone(),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::pixelcolor::Rgb888;
    use embedded_graphics::prelude::*;

    #[test]
    fn frames_are_kept_and_failures_are_played() {
        let (mut panel, tape) = FakePanel::new(Size::new(2, 1), Depth::Mono);
        assert_eq!((panel.size(), panel.depth()), (Size::new(2, 1), Depth::Mono));
        panel.flush().unwrap();
        panel.frame_mut().set(Point::zero(), Rgb888::YELLOW);
        tape.set_failing(true);
        assert!(panel.flush().is_err());
        tape.set_failing(false);
        panel.flush().unwrap();
        assert_eq!(tape.frames().len(), 2);
        assert_eq!(tape.last().unwrap().pixel(Point::zero()), Some(Rgb888::WHITE));
    }
}
