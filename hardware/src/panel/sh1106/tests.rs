//! Every byte goes to a recording bus with a chip behind it, and the glass must show what was drawn.

use super::*;
use crate::fake::{FakeOled, OledChip};
use crate::panel::device::changed;
use crate::panel::testing::{assert_same, noise, screen};

const ADDRESS: u8 = 0x3d;

fn display(turned: bool) -> (FakeOled, Sh1106Device<FakeOled>) {
    let bus = FakeOled::new(OledChip::Sh1106, ADDRESS);
    let again = bus.clone();
    (bus, Sh1106Device::new(Box::new(move || Ok(again.clone())), ADDRESS, turned))
}

#[test]
fn the_glass_shows_what_was_drawn_also_upside_down() {
    for turned in [false, true] {
        let (bus, mut device) = display(turned);
        assert_eq!(bus.picture(), None, "dark after power-on");
        device.start().unwrap();
        let mut before: Option<Frame> = None;
        let screens =
            ["签到成功", "欧阳堃玥"].map(|title| screen(OLED_SIZE, Depth::Mono, title, "积分 1,280"));
        for picture in screens.into_iter().chain([noise(OLED_SIZE, 7), noise(OLED_SIZE, 8)]) {
            let picture = picture.to_mono();
            let area = before.map_or(Some(picture.bounding_box()), |before| changed(&before, &picture));
            device.send(&picture, area.unwrap()).unwrap();
            let mut expected = picture.clone();
            for point in picture.bounding_box().points().filter(|_| turned) {
                expected.set(Point::new(127, 63) - point, picture.pixel(point).unwrap());
            }
            assert_same(&bus.picture().unwrap(), &expected);
            before = Some(picture);
        }
        assert_eq!(bus.unknown_commands(), 0);
    }
}

#[test]
fn a_small_change_sends_its_page_only() {
    let (bus, mut device) = display(false);
    device.start().unwrap();
    let picture = noise(OLED_SIZE, 3).to_mono();
    device.send(&picture, picture.bounding_box()).unwrap();
    drop(bus.take_tape());
    let mut next = picture.clone();
    for place in [Point::new(15, 9), Point::new(20, 14)] {
        next.set(place, if next.is_lit(place) { RgbColor::BLACK } else { RgbColor::WHITE });
    }
    device.send(&next, changed(&picture, &next).unwrap()).unwrap();
    assert_same(&bus.picture().unwrap(), &next);
    let tape = bus.take_tape();
    assert_eq!(tape[0], [0x00, 0xb1, 0x01, 0x11], "page 1, column 15 + 2");
    assert_eq!((tape.len(), tape[1][0], tape[1].len()), (2, 0x40, 1 + 6));
}

#[test]
fn an_error_anywhere_in_a_picture_is_mended_by_a_new_start() {
    let picture = screen(OLED_SIZE, Depth::Mono, "签到成功", "积分 1,280").to_mono();
    for writes in [0, 1, 6, 15] {
        let (bus, mut device) = display(false);
        device.start().unwrap();
        bus.fail_after(writes);
        assert!(device.send(&picture, picture.bounding_box()).is_err());
        bus.mend();
        assert!(device.keep(&picture).is_err(), "nothing is sent before a new start");
        device.start().unwrap();
        device.send(&picture, picture.bounding_box()).unwrap();
        assert_same(&bus.picture().unwrap(), &picture);
    }
}

#[test]
fn a_pulled_display_is_noticed() {
    let (bus, mut device) = display(false);
    device.start().unwrap();
    device.keep(&Frame::new(OLED_SIZE)).unwrap();
    bus.set_plugged(false);
    let error = device.keep(&Frame::new(OLED_SIZE)).unwrap_err().to_string();
    assert!(error.contains("no answer"), "{error}");
    assert!(device.start().is_err());
    bus.set_plugged(true);
    device.start().unwrap();
    assert_eq!(bus.unknown_commands(), 0);
}
