//! Every transfer goes to a recording bus with a chip behind it, and the glass must show what was drawn.

use super::*;
use crate::fake::{FakeMipi, FakeMipiPin, Wiring};
use crate::panel::device::changed;
use crate::panel::testing::{assert_same, in_16_bits, noise, screen};

/// No time passes, but it is counted.
#[derive(Default)]
struct Counted(u64);

impl DelayNs for Counted {
    fn delay_ns(&mut self, ns: u32) {
        self.0 += u64::from(ns);
    }
}

type Parts = Open<MipiParts<FakeMipi, FakeMipiPin>>;

fn parts(bus: &FakeMipi, pinned: bool) -> Parts {
    let bus = bus.clone();
    Box::new(move || {
        let (reset, light) = (pinned.then(|| bus.reset()), pinned.then(|| bus.light()));
        Ok(MipiParts { spi: bus.clone(), dc: bus.dc(), reset, light })
    })
}

fn settings(size: Size, rotation: Turn, wiring: Wiring) -> MipiSettings {
    MipiSettings { size, rotation, offset: (0, 0), bgr: wiring.bgr, inverted: wiring.inverted }
}

const ILI: Wiring = Wiring { bgr: true, inverted: false };
const ST: Wiring = Wiring { bgr: false, inverted: true };
const LANDSCAPE: Size = Size::new(320, 240);
const SQUARE: Size = Size::new(240, 240);

/// What the glass shows of a picture that was turned clockwise on it and begins at `offset`.
fn on_glass(picture: &Frame, settings: &MipiSettings, glass: &Frame) -> Frame {
    let mut expected = glass.clone();
    let native = settings.native();
    let (right, bottom) = (native.width.cast_signed() - 1, native.height.cast_signed() - 1);
    let corner = Point::new(i32::from(settings.offset.0), i32::from(settings.offset.1));
    for point in picture.bounding_box().points() {
        let Point { x, y } = point;
        let turned = match settings.rotation {
            Turn::None => point,
            Turn::Quarter => Point::new(right - y, x),
            Turn::Half => Point::new(right - x, bottom - y),
            Turn::ThreeQuarters => Point::new(y, bottom - x),
        };
        expected.set(corner + turned, picture.pixel(point).unwrap());
    }
    expected
}

/// Draws a row of pictures, each as the change from the one before, and looks at the glass after each.
fn draw_all<D: Device>(bus: &FakeMipi, device: &mut D, settings: &MipiSettings) {
    device.start().unwrap();
    let size = settings.size;
    let mut before: Option<Frame> = None;
    let mut part = noise(size, 5);
    let drawn = screen(size, Depth::Rgb, "欧阳堃玥", "本次 +6");
    for point in Rectangle::new(Point::new(17, 30), Size::new(90, 50)).points() {
        part.set(point, drawn.pixel(point).unwrap());
    }
    for picture in [noise(size, 5), part, drawn] {
        let area = before.map_or(Some(picture.bounding_box()), |before| changed(&before, &picture));
        device.send(&picture, area.unwrap()).unwrap();
        let glass = bus.glass().expect("awake and on");
        assert_same(&glass, &on_glass(&in_16_bits(&picture), settings, &glass));
        before = Some(picture);
    }
    assert_eq!(bus.unknown_commands(), 0);
}

#[test]
fn an_ili9341_shows_what_was_drawn_at_every_turn() {
    for turn in [Turn::None, Turn::Quarter, Turn::Half, Turn::ThreeQuarters] {
        let size = if turn.is_sideways() { LANDSCAPE } else { MIPI_SIZE_MAX };
        let bus = FakeMipi::new(ILI);
        let settings = settings(size, turn, ILI);
        draw_all(&bus, &mut MipiDevice::ili9341(parts(&bus, true), Counted(0), settings), &settings);
    }
}

#[test]
fn an_st7789_shows_what_was_drawn_also_on_glass_that_begins_further_in() {
    let table = [
        (SQUARE, Turn::None, (0, 0)),
        (SQUARE, Turn::Half, (0, 80)),
        (SQUARE, Turn::ThreeQuarters, (0, 80)),
        (Size::new(240, 135), Turn::Quarter, (52, 40)),
        (Size::new(135, 240), Turn::None, (52, 40)),
        (Size::new(320, 170), Turn::ThreeQuarters, (35, 0)),
    ];
    for (size, turn, offset) in table {
        let bus = FakeMipi::new(ST);
        let settings = MipiSettings { offset, ..settings(size, turn, ST) };
        assert!(settings.fits());
        draw_all(&bus, &mut MipiDevice::st7789(parts(&bus, false), Counted(0), settings), &settings);
    }
}

#[test]
fn the_starts_are_as_the_data_sheets_want_them() {
    let commands = |bus: &FakeMipi| -> Vec<u8> {
        bus.take_tape().into_iter().filter(|(data, _)| !data).flat_map(|(_, bytes)| bytes).collect()
    };
    let bus = FakeMipi::new(ILI);
    let sideways = settings(LANDSCAPE, Turn::Quarter, ILI);
    let mut device = MipiDevice::ili9341(parts(&bus, true), Counted::default(), sideways);
    device.start().unwrap();
    assert_eq!(bus.resets(), 1);
    assert!(device.delay.0 > 5_000_000 + 120_000_000, "the pauses after a reset are kept");
    assert_eq!(commands(&bus), [0x36, 0xb4, 0x20, 0x3a, 0x13, 0x11, 0x29]);
    let bus = FakeMipi::new(ST);
    let mut device = MipiDevice::st7789(parts(&bus, false), Counted(0), settings(SQUARE, Turn::None, ST));
    device.start().unwrap();
    assert_eq!(commands(&bus), [0x01, 0x11, 0x36, 0x21, 0x3a, 0x13, 0x29], "no pin: reset by command");
}

#[test]
fn a_small_change_sends_few_bytes() {
    let bus = FakeMipi::new(ILI);
    let mut device =
        MipiDevice::ili9341(parts(&bus, true), Counted(0), settings(LANDSCAPE, Turn::Quarter, ILI));
    device.start().unwrap();
    let picture = noise(LANDSCAPE, 1);
    device.send(&picture, picture.bounding_box()).unwrap();
    let sizes = |bus: &FakeMipi| bus.take_tape().iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    assert!(sizes(&bus) > 153_600);
    let mut next = picture.clone();
    for x in 100..104 {
        next.set(Point::new(x, 50), Rgb888::RED);
    }
    device.send(&next, changed(&picture, &next).unwrap()).unwrap();
    assert_eq!(sizes(&bus), 2 * 5 + 1 + 4 * 2);
}

#[test]
fn the_light_comes_with_the_first_picture() {
    let bus = FakeMipi::new(ILI);
    let mut device =
        MipiDevice::ili9341(parts(&bus, true), Counted(0), settings(MIPI_SIZE_MAX, Turn::None, ILI));
    device.start().unwrap();
    assert!(!bus.is_lit(), "memory still holds noise");
    let picture = Frame::new(MIPI_SIZE_MAX);
    device.send(&picture, picture.bounding_box()).unwrap();
    assert!(bus.is_lit());
}

#[test]
fn an_error_anywhere_in_a_picture_is_mended_by_a_new_start() {
    let picture = screen(LANDSCAPE, Depth::Rgb, "签到成功", "本次 +6");
    for transfers in [0, 3, 6, 30] {
        let bus = FakeMipi::new(ILI);
        let settings = settings(LANDSCAPE, Turn::Quarter, ILI);
        let mut device = MipiDevice::ili9341(parts(&bus, true), Counted(0), settings);
        device.start().unwrap();
        bus.fail_after(transfers);
        let error = device.send(&picture, picture.bounding_box()).unwrap_err().to_string();
        assert!(error.starts_with("send picture: "), "{error}");
        bus.mend();
        device.start().unwrap();
        device.send(&picture, picture.bounding_box()).unwrap();
        let glass = bus.glass().unwrap();
        assert_same(&glass, &on_glass(&in_16_bits(&picture), &settings, &glass));
    }
}

#[test]
fn a_display_that_was_pulled_and_put_back_is_healed_without_a_reset() {
    let bus = FakeMipi::new(ST);
    let settings = settings(SQUARE, Turn::None, ST);
    for pinned in [true, false] {
        let mut device = MipiDevice::st7789(parts(&bus, pinned), Counted(0), settings);
        device.start().unwrap();
        let picture = screen(SQUARE, Depth::Rgb, "请刷卡", "15:02");
        device.send(&picture, picture.bounding_box()).unwrap();
        bus.set_plugged(false);
        device.keep(&picture).unwrap();
        bus.set_plugged(true);
        assert_eq!(bus.glass(), None, "dark until it is told what it is");
        let (resets, waited) = (bus.resets(), device.delay.0);
        drop(bus.take_tape());
        device.keep(&picture).unwrap();
        let glass = bus.glass().expect("on again");
        assert_same(&glass, &on_glass(&in_16_bits(&picture), &settings, &glass));
        assert_eq!(bus.resets(), resets);
        assert!(bus.take_tape().iter().all(|(data, bytes)| *data || bytes != &[SOFT_RESET]));
        assert!(device.delay.0 - waited <= 30_000_000, "a swipe meanwhile does not wait long");
        // A reset by command is possible again at the next start.
        device.start().unwrap();
        assert_eq!(bus.take_tape().iter().any(|(_, bytes)| bytes == &[SOFT_RESET]), !pinned);
    }
}

#[test]
fn sizes_and_offsets_that_no_chip_has_are_told() {
    let square = settings(SQUARE, Turn::None, ST);
    assert!(square.fits() && !MipiSettings { offset: (0, 81), ..square }.fits());
    assert!(!settings(LANDSCAPE, Turn::None, ST).fits() && settings(LANDSCAPE, Turn::Quarter, ST).fits());
    assert!(!settings(Size::new(0, 1), Turn::None, ST).fits());
    assert_eq!(Turn::from_degrees(270), Some(Turn::ThreeQuarters));
    assert_eq!(Turn::from_degrees(45), None);
}
