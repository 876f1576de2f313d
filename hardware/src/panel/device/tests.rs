//! The thread behind a panel, driven with displays that are slow, absent and come back.

use super::*;
use crate::fake::{FakeMipi, FakeOled, OledChip, Wiring};
use crate::panel::mipi::{MipiDevice, MipiParts, MipiSettings, Turn};
use crate::panel::ssd1306::{OLED_SIZE, Ssd1306Device};
use crate::panel::testing::{assert_same, in_16_bits, noise};
use embedded_graphics::pixelcolor::Rgb888;
use std::sync::mpsc;
use std::time::Instant;

/// Longest that a test waits for a thread; far above what one takes.
const PATIENCE: Duration = Duration::from_secs(20);

#[expect(
    clippy::disallowed_methods,
    reason = "what is measured here is how long a flush holds its caller up"
)]
fn now() -> Instant {
    Instant::now()
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let start = now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_taken(panel: &DevicePanel) -> bool {
    let state = panel.post.lock();
    state.taken == state.handed
}

fn oled() -> (FakeOled, DevicePanel) {
    let bus = FakeOled::new(OledChip::Ssd1306, 0x3c);
    let again = bus.clone();
    let device = Ssd1306Device::new(Box::new(move || Ok(again.clone())), 0x3c, false);
    (bus, DevicePanel::new("ssd1306 in a test", Box::new(device)))
}

#[test]
fn a_flush_that_succeeds_has_been_seen() {
    let (bus, mut panel) = oled();
    for seed in 1..4 {
        let picture = noise(OLED_SIZE, seed);
        *panel.frame_mut() = picture.clone();
        panel.flush().unwrap();
        assert_same(&bus.picture().unwrap(), &picture.to_mono());
    }
    drop(bus.take_tape());
    panel.flush().unwrap();
    assert_eq!(bus.take_tape().len(), 0, "nothing changed, nothing is sent");
}

#[test]
fn a_pulled_display_is_an_error_at_once_and_drawn_whole_when_it_is_back() {
    let (bus, mut panel) = oled();
    *panel.frame_mut() = noise(OLED_SIZE, 1);
    panel.flush().unwrap();
    bus.set_plugged(false);
    // Also without any flush the thread finds out.
    wait_until(|| panel.post.lock().fault.is_some());
    let last = noise(OLED_SIZE, 2);
    for picture in [noise(OLED_SIZE, 9), last.clone()] {
        *panel.frame_mut() = picture;
        let start = now();
        let error = panel.flush().unwrap_err().to_string();
        assert!(error.contains("ssd1306 in a test") && error.contains("no answer"), "{error}");
        assert!(
            start.elapsed() < Duration::from_millis(FLUSH_WAIT_MS),
            "a display that is down is not waited for"
        );
    }
    bus.set_plugged(true);
    wait_until(|| bus.picture().as_ref() == Some(&last.to_mono()));
    wait_until(|| panel.post.lock().fault.is_none());
    panel.flush().unwrap();
}

#[test]
fn an_error_in_the_middle_of_a_picture_leaves_no_trace() {
    let (bus, mut panel) = oled();
    *panel.frame_mut() = noise(OLED_SIZE, 1);
    panel.flush().unwrap();
    bus.fail_after(20);
    let next = noise(OLED_SIZE, 2);
    *panel.frame_mut() = next.clone();
    assert!(panel.flush().is_err());
    bus.mend();
    wait_until(|| bus.picture().as_ref() == Some(&next.to_mono()));
}

#[test]
fn a_colour_display_shows_what_was_flushed() {
    let wiring = Wiring { bgr: true, inverted: false };
    let bus = FakeMipi::new(wiring);
    let again = bus.clone();
    let open = move || Ok(MipiParts { spi: again.clone(), dc: again.dc(), reset: None, light: None });
    let size = Size::new(240, 320);
    let settings = MipiSettings { size, rotation: Turn::None, offset: (0, 0), bgr: true, inverted: false };
    let device = MipiDevice::ili9341(Box::new(open), linux_embedded_hal::Delay, settings);
    let mut panel = DevicePanel::new("ili9341 in a test", Box::new(device));
    let picture = noise(size, 3);
    *panel.frame_mut() = picture.clone();
    // A laden machine may need longer for the start and this picture than a flush waits.
    drop(panel.flush());
    wait_until(|| is_taken(&panel));
    assert_same(&bus.glass().unwrap(), &in_16_bits(&picture));
}

/// Takes a frame only when it is let.
struct Slow {
    permits: mpsc::Receiver<()>,
    took: mpsc::Sender<Rgb888>,
}

impl Device for Slow {
    fn size(&self) -> Size {
        Size::new(4, 4)
    }

    fn depth(&self) -> Depth {
        Depth::Rgb
    }

    fn start(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }

    fn send(&mut self, frame: &Frame, _: Rectangle) -> Result<(), DeviceError> {
        let over = || DeviceError::Bus { step: "send picture", detail: "test is over".into() };
        self.permits.recv().map_err(|_| over())?;
        self.took.send(frame.pixel(Point::zero()).unwrap_or(Rgb888::BLACK)).map_err(|_| over())
    }

    fn keep(&mut self, _: &Frame) -> Result<(), DeviceError> {
        Ok(())
    }

    fn keep_every(&self) -> Duration {
        Duration::from_secs(60)
    }
}

#[test]
fn a_hanging_display_holds_nobody_up_and_gets_the_newest_frame_only() {
    let (permit, permits) = mpsc::channel();
    let (took, taken) = mpsc::channel();
    let mut panel = DevicePanel::new("slow", Box::new(Slow { permits, took }));
    let mut flush = |red: u8| {
        panel.frame_mut().set(Point::zero(), Rgb888::new(red, 0, 0));
        let start = now();
        (panel.flush().map_err(|error| error.to_string()), start.elapsed())
    };
    let (first, waited) = flush(1);
    assert!(first.unwrap_err().contains("not taken within"), "the first waits, but not for ever");
    assert!(waited < 3 * Duration::from_millis(FLUSH_WAIT_MS));
    let start = now();
    for red in 2..50 {
        assert!(flush(red).0.is_err());
    }
    assert!(start.elapsed() < 10 * Duration::from_millis(FLUSH_WAIT_MS), "further ones do not wait at all");
    permit.send(()).unwrap();
    permit.send(()).unwrap();
    let shown = [taken.recv_timeout(PATIENCE), taken.recv_timeout(PATIENCE)].map(|c| c.unwrap().r());
    assert_eq!(shown, [1, 49], "what was overtaken is never sent");
    permit.send(()).unwrap();
    wait_until(|| is_taken(&panel));
    assert!(panel.flush().is_ok());
}

#[test]
fn only_what_differs_counts() {
    let before = Frame::new(Size::new(10, 8));
    assert_eq!(changed(&before, &before), None);
    let mut after = before.clone();
    after.set(Point::new(3, 2), Rgb888::new(0, 0, 1));
    assert_eq!(changed(&before, &after), Some(Rectangle::new(Point::new(3, 2), Size::new(1, 1))));
    after.set(Point::new(9, 7), Rgb888::WHITE);
    after.set(Point::new(0, 5), Rgb888::WHITE);
    assert_eq!(changed(&before, &after), Some(Rectangle::new(Point::new(0, 2), Size::new(10, 6))));
    let other = Frame::new(Size::new(2, 2));
    assert_eq!(changed(&before, &other), Some(other.bounding_box()));
}
