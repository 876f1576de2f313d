//! From the configuration to the panels: which driver stands behind each display.
//!
//! Never fails: a display that is not there yet may come, and its panel says how it is.

use chrono_tz::Tz;
use hufu_hardware::panel::device::{Device, DevicePanel};
use hufu_hardware::panel::{DeskPanel, Panel, PngPanel, SharedFrame, linux};

use crate::config::{Config, DisplayKind, MipiChip, OledChip};
use crate::counter::view::PanelView;
use crate::rules::screen::Face;

/// The member displays, as far as the loop knows.
#[derive(Debug, Default)]
pub struct DisplayState {
    /// Kinds in the configuration, as words.
    pub kind: Option<String>,
    /// What is wrong with the first that does not work.
    pub fault: Option<String>,
    /// Each of them, in the order of the configuration.
    pub each: Vec<PanelView>,
    /// What they were last told to show at rest.
    pub rest: Option<(Face, Tz)>,
}

impl DisplayState {
    /// Takes up how the displays were when a picture was last shown.
    pub(super) fn note(&mut self, faults: &[Option<String>]) {
        self.fault = faults.iter().flatten().next().cloned();
        for (panel, fault) in self.each.iter_mut().zip(faults) {
            panel.fault.clone_from(fault);
        }
    }
}

/// The panels in the order of the configuration, and the picture that the counter page shows, if any.
pub(super) fn open(config: &Config) -> (Vec<Box<dyn Panel>>, Option<SharedFrame>) {
    let (mut panels, mut desk): (Vec<Box<dyn Panel>>, _) = (Vec::new(), None);
    for display in &config.displays {
        panels.push(match &display.kind {
            DisplayKind::Png { path } => Box::new(PngPanel::new(path, display.size, display.depth)),
            DisplayKind::Desk => {
                let (panel, shared) = DeskPanel::new(display.size, display.depth);
                // The page shows one; further ones would only repeat it.
                desk.get_or_insert(shared);
                Box::new(panel)
            }
            kind => match device(kind) {
                Some(device) => Box::new(DevicePanel::new(kind.to_string(), device)),
                None => continue,
            },
        });
    }
    (panels, desk)
}

/// The driver of a display on a bus; `None` for pictures.
fn device(kind: &DisplayKind) -> Option<Box<dyn Device>> {
    Some(match kind.clone() {
        DisplayKind::Png { .. } | DisplayKind::Desk => return None,
        DisplayKind::Oled { chip: OledChip::Ssd1306, bus, address, turned } => {
            linux::ssd1306(bus, address, turned)
        }
        DisplayKind::Oled { chip: OledChip::Sh1106, bus, address, turned } => {
            linux::sh1106(bus, address, turned)
        }
        DisplayKind::Mipi { chip: MipiChip::Ili9341, wiring, settings } => linux::ili9341(wiring, settings),
        DisplayKind::Mipi { chip: MipiChip::St7789, wiring, settings } => linux::st7789(wiring, settings),
        DisplayKind::Framebuffer { path, geometry } => linux::framebuffer(path, geometry),
    })
}

/// What the loop knows of the displays before they have shown anything.
pub(super) fn state(config: &Config) -> DisplayState {
    let kinds: Vec<&str> = config.displays.iter().map(|display| display.kind.code()).collect();
    let each =
        config.displays.iter().map(|display| PanelView { name: display.kind.to_string(), fault: None });
    DisplayState {
        kind: (!kinds.is_empty()).then(|| kinds.join(", ")),
        each: each.collect(),
        ..DisplayState::default()
    }
}
