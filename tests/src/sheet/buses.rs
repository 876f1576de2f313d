//! Every screen through the real drivers: what is sent over the bus is recorded, a chip behind it turns the bytes back
//! into a picture, and that must be what was drawn.
//!
//! Screens follow each other on one display, as they do at a counter, so most are sent as the rectangle that changed.

use embedded_graphics::pixelcolor::Rgb565;
use embedded_hal::delay::DelayNs;
use hufu_hardware::fake::{FakeMipi, FakeOled, OledChip, Wiring};
use hufu_hardware::panel::device::{Device, changed};
use hufu_hardware::panel::mipi::{MipiDevice, MipiParts, MipiSettings, Turn};
use hufu_hardware::panel::sh1106::Sh1106Device;
use hufu_hardware::panel::ssd1306::{OLED_SIZE, Ssd1306Device};

use super::*;

const ADDRESS: u8 = 0x3c;
/// A moment later what is too long for its place has moved on.
const LATER_MS: u32 = 4_000;

/// No time passes.
struct Untimed;

impl DelayNs for Untimed {
    fn delay_ns(&mut self, _: u32) {}
}

/// What bytes came to, as people see it.
type Glass = Box<dyn Fn() -> Frame>;

/// Shows every screen in both languages on a display, and looks at its glass after each; how many there were.
fn show_all(device: &mut dyn Device, glass: &Glass, seen: impl Fn(&Frame) -> Frame) -> usize {
    let fonts = Fonts::load();
    let (size, depth) = (device.size(), device.depth());
    let display = Display { size, depth, times: 1, divided: 1 };
    device.start().expect("it is there");
    let (mut before, mut count): (Option<Frame>, usize) = (None, 0);
    for sample in samples::all() {
        for language in Language::ALL {
            let screen = screen_of(&sample, display, language);
            for age_ms in [0, LATER_MS] {
                let mut drawn = Frame::new(size);
                layout::draw(&screen, &fonts, &mut drawn, depth, age_ms);
                let area = before.map_or(Some(drawn.bounding_box()), |before| changed(&before, &drawn));
                if let Some(area) = area {
                    device.send(&drawn, area).expect("the bus works");
                }
                let (met, expected) = (glass(), seen(&drawn));
                assert_eq!(met.size(), expected.size());
                assert!(met == expected, "{} in {language:?} at {size} is another picture", sample.name);
                before = Some(drawn);
                count += 1;
            }
        }
    }
    count
}

/// The colours that 16 bits leave.
fn in_16_bits(drawn: &Frame) -> Frame {
    let mut reduced = Frame::new(drawn.size());
    for point in drawn.bounding_box().points() {
        let colour = drawn.pixel(point).unwrap_or(Rgb888::BLACK);
        reduced.set(point, Rgb888::from(Rgb565::from(colour)));
    }
    reduced
}

fn screens() -> usize {
    2 * 2 * samples::all().len()
}

#[test]
fn an_ssd1306_shows_every_screen_as_it_was_drawn() {
    let bus = FakeOled::new(OledChip::Ssd1306, ADDRESS);
    let (opened, looked) = (bus.clone(), bus.clone());
    let mut device = Ssd1306Device::new(Box::new(move || Ok(opened.clone())), ADDRESS, false);
    let glass: Glass = Box::new(move || looked.picture().expect("it is on"));
    assert_eq!(show_all(&mut device, &glass, Frame::to_mono), screens());
    assert_eq!((bus.unknown_commands(), device.size()), (0, OLED_SIZE));
}

#[test]
fn an_sh1106_shows_every_screen_as_it_was_drawn() {
    let bus = FakeOled::new(OledChip::Sh1106, ADDRESS);
    let (opened, looked) = (bus.clone(), bus.clone());
    let mut device = Sh1106Device::new(Box::new(move || Ok(opened.clone())), ADDRESS, false);
    let glass: Glass = Box::new(move || looked.picture().expect("it is on"));
    assert_eq!(show_all(&mut device, &glass, Frame::to_mono), screens());
    assert_eq!(bus.unknown_commands(), 0);
}

/// A bus for a colour display, its settings, and its glass as people see it who look at it turned.
fn colour(size: Size, wiring: Wiring) -> (FakeMipi, MipiSettings, Glass) {
    let rotation = if size.width > size.height { Turn::Quarter } else { Turn::None };
    let settings =
        MipiSettings { size, rotation, offset: (0, 0), bgr: wiring.bgr, inverted: wiring.inverted };
    let bus = FakeMipi::new(wiring);
    let looked = bus.clone();
    let glass: Glass = Box::new(move || {
        let whole = looked.glass().expect("it is on");
        let mut shown = Frame::new(size);
        for point in shown.bounding_box().points() {
            let Point { x, y } = point;
            // A quarter clockwise: the first row of the picture is the last column of the glass.
            let at = if rotation == Turn::Quarter { Point::new(239 - y, x) } else { point };
            shown.set(point, whole.pixel(at).expect("on the glass"));
        }
        shown
    });
    (bus, settings, glass)
}

fn parts(bus: &FakeMipi) -> MipiParts<FakeMipi, hufu_hardware::fake::FakeMipiPin> {
    MipiParts { spi: bus.clone(), dc: bus.dc(), reset: Some(bus.reset()), light: Some(bus.light()) }
}

#[test]
fn an_ili9341_shows_every_screen_as_it_was_drawn() {
    let (bus, settings, glass) = colour(Size::new(320, 240), Wiring { bgr: true, inverted: false });
    let opened = bus.clone();
    let mut device = MipiDevice::ili9341(Box::new(move || Ok(parts(&opened))), Untimed, settings);
    assert_eq!(show_all(&mut device, &glass, in_16_bits), screens());
    assert!(bus.unknown_commands() == 0 && bus.is_lit());
}

#[test]
fn an_st7789_shows_every_screen_as_it_was_drawn() {
    let (bus, settings, glass) = colour(Size::new(240, 240), Wiring { bgr: false, inverted: true });
    let opened = bus.clone();
    let mut device = MipiDevice::st7789(Box::new(move || Ok(parts(&opened))), Untimed, settings);
    assert_eq!(show_all(&mut device, &glass, in_16_bits), screens());
    assert!(bus.unknown_commands() == 0 && bus.is_lit());
}
