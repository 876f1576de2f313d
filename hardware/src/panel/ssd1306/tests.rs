//! Every byte goes to a recording bus with a chip behind it, and the glass must show what was drawn.

use super::*;
use crate::fake::{FakeOled, OledChip};
use crate::panel::device::changed;
use crate::panel::testing::{assert_same, noise, screen};

const ADDRESS: u8 = 0x3c;

fn display(turned: bool) -> (FakeOled, Ssd1306Device<FakeOled>) {
    let bus = FakeOled::new(OledChip::Ssd1306, ADDRESS);
    let again = bus.clone();
    (bus, Ssd1306Device::new(Box::new(move || Ok(again.clone())), ADDRESS, turned))
}

fn upside_down(frame: &Frame) -> Frame {
    let mut turned = Frame::new(frame.size());
    let last = Point::new(127, 63);
    for point in frame.bounding_box().points() {
        turned.set(last - point, frame.pixel(point).unwrap());
    }
    turned
}

#[test]
fn the_start_is_as_the_data_sheet_wants_it() {
    let (bus, mut device) = display(false);
    assert_eq!(bus.picture(), None, "dark after power-on");
    device.start().unwrap();
    let commands: Vec<Vec<u8>> = bus.take_tape().into_iter().map(|write| write[1..].to_vec()).collect();
    let expected: [&[u8]; 17] = [
        &[0xae],
        &[0xd5, 0x80],
        &[0xa8, 63],
        &[0xd3, 0],
        &[0x40],
        &[0x8d, 0x14],
        &[0x20, 0],
        &[0xda, 0x12],
        &[0xa1],
        &[0xc8],
        &[0xd9, 0x21],
        &[0x81, 0x5f],
        &[0xdb, 0x40],
        &[0xa4],
        &[0xa6],
        &[0x2e],
        &[0xaf],
    ];
    assert_eq!(commands, expected);
    assert_eq!(bus.unknown_commands(), 0);
}

#[test]
fn the_glass_shows_what_was_drawn_also_upside_down() {
    for turned in [false, true] {
        let (bus, mut device) = display(turned);
        device.start().unwrap();
        let mut before: Option<Frame> = None;
        let drawn = ["签到成功", "欧阳堃玥", "请咨询工作人员", "Checked in"];
        let pictures = drawn.iter().map(|title| screen(OLED_SIZE, Depth::Mono, title, "积分 1,280"));
        for picture in pictures.chain([noise(OLED_SIZE, 7), noise(OLED_SIZE, 8)]) {
            let picture = picture.to_mono();
            let area = before.map_or(Some(picture.bounding_box()), |before| changed(&before, &picture));
            device.send(&picture, area.unwrap()).unwrap();
            let expected = if turned { upside_down(&picture) } else { picture.clone() };
            assert_same(&bus.picture().unwrap(), &expected);
            before = Some(picture);
        }
        assert_eq!(bus.unknown_commands(), 0);
    }
}

#[test]
fn a_small_change_sends_few_bytes() {
    let (bus, mut device) = display(false);
    device.start().unwrap();
    let mut picture = noise(OLED_SIZE, 3).to_mono();
    device.send(&picture, picture.bounding_box()).unwrap();
    let whole: usize = bus.take_tape().iter().map(Vec::len).sum();
    assert!(whole > 1_024, "{whole}");
    for place in [Point::new(0, 0), Point::new(127, 63), Point::new(64, 31), Point::new(9, 8)] {
        let mut next = picture.clone();
        let lit = next.is_lit(place);
        next.set(place, if lit { RgbColor::BLACK } else { RgbColor::WHITE });
        device.send(&next, changed(&picture, &next).unwrap()).unwrap();
        assert_same(&bus.picture().unwrap(), &next);
        let bytes: usize = bus.take_tape().iter().map(Vec::len).sum();
        assert!(bytes <= 10, "{bytes} for one pixel at {place}");
        picture = next;
    }
}

#[test]
fn an_error_anywhere_in_a_picture_is_mended_by_a_new_start() {
    let picture = screen(OLED_SIZE, Depth::Mono, "签到成功", "积分 1,280").to_mono();
    for writes in [0, 1, 2, 17, 40, 65] {
        let (bus, mut device) = display(false);
        device.start().unwrap();
        bus.fail_after(writes);
        let error = device.send(&picture, picture.bounding_box()).unwrap_err();
        assert!(error.to_string().starts_with("send picture: "), "{error}");
        assert!(device.send(&picture, picture.bounding_box()).is_err(), "nothing is sent before a new start");
        bus.mend();
        device.start().unwrap();
        device.send(&picture, picture.bounding_box()).unwrap();
        assert_same(&bus.picture().unwrap(), &picture);
    }
}

#[test]
fn a_pulled_display_is_noticed_and_the_error_says_what_to_look_at() {
    let (bus, mut device) = display(false);
    device.start().unwrap();
    let picture = Frame::new(OLED_SIZE);
    device.keep(&picture).unwrap();
    bus.set_plugged(false);
    let error = device.keep(&picture).unwrap_err().to_string();
    assert_eq!(error, "ask for the display: no answer; is it connected, is the address right?");
    assert!(device.start().is_err());
    let elsewhere = FakeOled::new(OledChip::Ssd1306, 0x3d);
    let mut wrong = Ssd1306Device::new(Box::new(move || Ok(elsewhere.clone())), ADDRESS, false);
    assert!(wrong.start().is_err(), "nobody answers at this address");
}
