//! The device file is a plain file here, and what the kernel would tell lies in a folder.

use super::*;
use crate::panel::device::changed;
use crate::panel::testing::{assert_same, in_16_bits, noise};
use embedded_graphics::pixelcolor::raw::RawU16;
use proptest::prelude::*;
use tempfile::TempDir;

const SIZE: Size = Size::new(80, 48);

fn board(virtual_size: &str, bits: &str, stride: &str, bytes: usize) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("fb0");
    std::fs::write(&device, vec![0x77; bytes]).unwrap();
    let told = folder.path().join("sys/fb0");
    std::fs::create_dir_all(&told).unwrap();
    for (file, text) in [("virtual_size", virtual_size), ("bits_per_pixel", bits), ("stride", stride)] {
        if !text.is_empty() {
            std::fs::write(told.join(file), text).unwrap();
        }
    }
    (folder, device)
}

fn decode(path: &Path, shape: Geometry) -> Frame {
    let bytes = std::fs::read(path).unwrap();
    let mut frame = Frame::new(shape.size);
    for point in frame.bounding_box().points() {
        let (x, y) = (point.x.unsigned_abs() as usize, point.y.unsigned_abs() as usize);
        let at = y * shape.stride_bytes + x * shape.format.bytes();
        let colour = match shape.format {
            PixelFormat::Rgb565 => {
                let raw = u16::from_le_bytes([bytes[at], bytes[at + 1]]);
                Rgb888::from(Rgb565::from(RawU16::new(raw)))
            }
            PixelFormat::Xrgb8888 => Rgb888::new(bytes[at + 2], bytes[at + 1], bytes[at]),
        };
        frame.set(point, colour);
    }
    frame
}

#[test]
fn both_formats_hold_the_picture_and_gaps_between_rows_stay_untouched() {
    let table = [
        (PixelFormat::Rgb565, "16", 160, ""),
        (PixelFormat::Xrgb8888, "32", 320, ""),
        (PixelFormat::Rgb565, "16", 176, "80,96\n"),
        (PixelFormat::Xrgb8888, "32", 384, "96,48\n"),
    ];
    for (format, bits, stride, virtual_size) in table {
        let (folder, path) = board(virtual_size, bits, &stride.to_string(), stride * 48);
        let shape = Geometry { size: SIZE, format, stride_bytes: stride };
        // Without a word of the kernel the configured shape counts, with one the kernel's.
        let configured =
            if virtual_size.is_empty() { shape } else { Geometry::packed(SIZE, PixelFormat::Rgb565) };
        let mut device = FramebufferDevice::new(&path, configured, folder.path().join("sys"));
        device.start().unwrap();
        let (first, second) = (noise(SIZE, 1), noise(SIZE, 2));
        for picture in [&first, &second] {
            device.send(picture, picture.bounding_box()).unwrap();
            let expected =
                if format == PixelFormat::Rgb565 { in_16_bits(picture) } else { (*picture).clone() };
            assert_same(&decode(&path, shape), &expected);
        }
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len(), stride * 48, "the file never grows");
        let gap = &bytes[80 * format.bytes()..stride];
        assert!(gap.iter().all(|byte| *byte == 0x77), "{format:?}");
    }
}

#[test]
fn only_what_changed_is_written() {
    let (folder, path) = board("", "", "", 320 * 48);
    let shape = Geometry::packed(SIZE, PixelFormat::Xrgb8888);
    let mut device = FramebufferDevice::new(&path, shape, folder.path().join("sys"));
    device.start().unwrap();
    let picture = noise(SIZE, 1);
    device.send(&picture, picture.bounding_box()).unwrap();
    let mut next = picture.clone();
    next.set(Point::new(5, 6), Rgb888::RED);
    next.set(Point::new(9, 7), Rgb888::RED);
    // Scribbled over elsewhere: it must survive a small change and not the next round.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[0..4].fill(0xee);
    std::fs::write(&path, &bytes).unwrap();
    device.send(&next, changed(&picture, &next).unwrap()).unwrap();
    assert_eq!(std::fs::read(&path).unwrap()[0..4], [0xee; 4]);
    device.keep(&next).unwrap();
    assert_same(&decode(&path, shape), &next);
}

#[test]
fn a_display_that_is_absent_or_too_small_says_so() {
    let (folder, path) = board("64,48", "32", "256", 16);
    let shape = Geometry::packed(SIZE, PixelFormat::Xrgb8888);
    let mut device = FramebufferDevice::new(&path, shape, folder.path().join("sys"));
    let error = device.start().unwrap_err().to_string();
    assert_eq!(error, "expected 80x48 pixels by the configuration, met 64x48");
    let (folder, path) = board("80,48", "24", "240", 16);
    let mut device = FramebufferDevice::new(&path, shape, folder.path().join("sys"));
    assert!(device.start().unwrap_err().to_string().ends_with("met \"24\""));
    std::fs::remove_file(&path).unwrap();
    let error = device.start().unwrap_err().to_string();
    assert!(error.starts_with(&format!("open {}", path.display())), "{error}");
    assert!(!path.exists(), "no file is made in its place");
    assert!(device.send(&Frame::new(SIZE), Frame::new(SIZE).bounding_box()).is_err());
}

proptest! {
    #[test]
    fn what_a_kernel_tells_is_read_or_refused(size in "\\PC{0,12}", bits in "\\PC{0,4}", stride in "\\PC{0,8}") {
        if let Ok(shape) = Geometry::parse(&size, &bits, &stride) {
            prop_assert!(shape.stride_bytes >= shape.size.width as usize * shape.format.bytes());
        }
    }

    #[test]
    fn what_kernels_write_is_read(width in 1..=PANEL_SIDE_MAX, height in 1..=PANEL_SIDE_MAX, wide: bool, gap in 0_usize..64) {
        let (bits, format) = if wide { ("32\n", PixelFormat::Xrgb8888) } else { ("16\n", PixelFormat::Rgb565) };
        let stride_bytes = width as usize * format.bytes() + gap;
        let shape = Geometry::parse(&format!("{width},{height}\n"), bits, &format!("{stride_bytes}\n"));
        prop_assert_eq!(shape, Ok(Geometry { size: Size::new(width, height), format, stride_bytes }));
    }
}
