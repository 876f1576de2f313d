//! Displays: a frame to draw on with `embedded-graphics`, and the devices that show it.
//!
//! The panels in this file are pictures; those on a bus are [`device::DevicePanel`] over a driver: [`ssd1306`],
//! [`sh1106`], [`mipi`] (ILI9341, ST7789), opened by [`linux`], or [`framebuffer`].
//!
//! Every panel owns a [`Frame`] in full colour. Callers draw on it, then [`Panel::flush`]. A panel of one bit per pixel
//! reduces the frame by brightness when it flushes, so callers draw the same way on all.
//!
//! Invariants: drawing never fails and never panics, also outside the frame; only `flush` can fail, and a failed flush
//! leaves the frame as it was, so that the next one may succeed; a reader of a picture file or of a [`SharedFrame`]
//! never sees half a frame.
//!
//! Out of scope: what to draw ([`crate::layout`]) and when.

pub mod bus;
pub mod device;
pub mod framebuffer;
pub mod linux;
pub mod mipi;
pub mod sh1106;
pub mod ssd1306;
#[cfg(test)]
mod testing;

use std::convert::Infallible;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

/// What a panel can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Depth {
    /// Lit or dark.
    Mono,
    /// Colour.
    Rgb,
}

/// Brightness from which a pixel of a one-bit panel is lit (0 to 255).
pub const MONO_THRESHOLD: u16 = 128;

/// Widest and highest panel accepted, in pixels: a wrong configuration must not ask for gigabytes.
pub const PANEL_SIDE_MAX: u32 = 4_096;

/// A picture in memory, 8 bits each of red, green and blue, row by row from the top left.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    size: Size,
    rgb: Vec<u8>,
}

impl Frame {
    /// A black frame. Sides are limited to 1..=[`PANEL_SIDE_MAX`].
    #[must_use]
    pub fn new(size: Size) -> Self {
        let size = Size::new(size.width.clamp(1, PANEL_SIDE_MAX), size.height.clamp(1, PANEL_SIDE_MAX));
        Self { size, rgb: vec![0; size.width as usize * size.height as usize * 3] }
    }

    /// Becomes a copy of another frame without a new allocation where the size allows it.
    pub fn copy_from(&mut self, other: &Self) {
        self.size = other.size;
        self.rgb.clone_from(&other.rgb);
    }

    /// The raw pixels, three bytes each.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The colour at a point, or `None` outside.
    #[must_use]
    pub fn pixel(&self, point: Point) -> Option<Rgb888> {
        let at = self.offset(point)?;
        Some(Rgb888::new(self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]))
    }

    /// Sets one pixel; nothing happens outside the frame.
    pub fn set(&mut self, point: Point, colour: Rgb888) {
        if let Some(at) = self.offset(point) {
            self.rgb[at..at + 3].copy_from_slice(&[colour.r(), colour.g(), colour.b()]);
        }
    }

    /// Mixes a colour over a pixel; `coverage` 0 leaves it, 255 replaces it.
    pub fn blend(&mut self, point: Point, colour: Rgb888, coverage: u8) {
        let Some(at) = self.offset(point) else { return };
        for (old, new) in self.rgb[at..at + 3].iter_mut().zip([colour.r(), colour.g(), colour.b()]) {
            let (old16, new16, part) = (u16::from(*old), u16::from(new), u16::from(coverage));
            let mixed = (new16 * part + old16 * (255 - part) + 127) / 255;
            *old = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
    }

    /// True if a one-bit panel lights this pixel. False outside.
    #[must_use]
    pub fn is_lit(&self, point: Point) -> bool {
        // Weights of Rec. 601 in 256ths, which sum to 256.
        self.pixel(point).is_some_and(|c| {
            let weighted = u32::from(c.r()) * 77 + u32::from(c.g()) * 150 + u32::from(c.b()) * 29;
            weighted / 256 >= u32::from(MONO_THRESHOLD)
        })
    }

    /// The same picture as a one-bit panel shows it: black and white only.
    #[must_use]
    pub fn to_mono(&self) -> Self {
        let mut mono = Self::new(self.size);
        for point in self.bounding_box().points() {
            if self.is_lit(point) {
                mono.set(point, Rgb888::WHITE);
            }
        }
        mono
    }

    /// The picture as a PNG file.
    #[must_use]
    pub fn to_png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.size.width, self.size.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&self.rgb))
            .expect("writing to memory does not fail, and the buffer fits the size by construction");
        bytes
    }

    fn offset(&self, point: Point) -> Option<usize> {
        let (x, y) = (u32::try_from(point.x).ok()?, u32::try_from(point.y).ok()?);
        (x < self.size.width && y < self.size.height)
            .then(|| (y as usize * self.size.width as usize + x as usize) * 3)
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({}x{})", self.size.width, self.size.height)
    }
}

impl OriginDimensions for Frame {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Frame {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(point, colour) in pixels {
            self.set(point, colour);
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, colour: Rgb888) -> Result<(), Infallible> {
        for point in area.intersection(&self.bounding_box()).points() {
            self.set(point, colour);
        }
        Ok(())
    }
}

/// A frame could not be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PanelError {
    /// The picture file could not be written.
    #[error("write display picture {path}: {source}")]
    Write {
        /// The file meant, not the temporary one beside it.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The device did not take the frame: displays on a bus, and fakes.
    #[error("send frame to display {name}: {detail}")]
    Device {
        /// Which panel.
        name: String,
        /// What it said.
        detail: String,
    },
}

/// A display.
pub trait Panel: Send {
    /// Size in pixels; never changes.
    fn size(&self) -> Size;

    /// What it can show; never changes.
    fn depth(&self) -> Depth;

    /// The frame to draw on. Nothing is visible before [`Panel::flush`].
    fn frame_mut(&mut self) -> &mut Frame;

    /// Makes the frame visible.
    ///
    /// # Errors
    /// If the device or file did not take it; the frame is kept.
    fn flush(&mut self) -> Result<(), PanelError>;
}

/// A panel that is a PNG file, replaced whole at each flush.
#[derive(Debug)]
pub struct PngPanel {
    path: PathBuf,
    depth: Depth,
    frame: Frame,
}

impl PngPanel {
    /// A picture at `path`. Its folder must exist when the first frame is flushed.
    pub fn new(path: impl Into<PathBuf>, size: Size, depth: Depth) -> Self {
        Self { path: path.into(), depth, frame: Frame::new(size) }
    }

    /// Where the picture is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Panel for PngPanel {
    fn size(&self) -> Size {
        self.frame.size
    }

    fn depth(&self) -> Depth {
        self.depth
    }

    fn frame_mut(&mut self) -> &mut Frame {
        &mut self.frame
    }

    fn flush(&mut self) -> Result<(), PanelError> {
        let png = shown(&self.frame, self.depth).to_png();
        write_whole(&self.path, &png).map_err(|source| PanelError::Write { path: self.path.clone(), source })
    }
}

/// Writes beside the file and renames over it, so that a viewer never meets half a picture. Not synced to disk: a
/// picture of a screen is worth nothing after a power cut.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(bytes).and_then(|()| std::fs::rename(&beside, path)).inspect_err(|_| {
        // Best effort: the write's own error is the one worth telling.
        drop(std::fs::remove_file(&beside));
    })
}

/// The frame as the panel's pixels can show it.
fn shown(frame: &Frame, depth: Depth) -> Frame {
    match depth {
        Depth::Mono => frame.to_mono(),
        Depth::Rgb => frame.clone(),
    }
}

struct Shared {
    frame: Frame,
    /// Counts flushes that changed the picture.
    version: u64,
    /// Made once per version, at the first demand.
    png: Option<Arc<[u8]>>,
}

/// A handle to what a [`DeskPanel`] shows. Cheap to clone, usable from any thread; the counter page serves it.
#[derive(Clone)]
pub struct SharedFrame(Arc<(Mutex<Shared>, Condvar)>);

impl SharedFrame {
    /// Rises with every flush that changed the picture; starts at 0 (nothing shown yet, a black frame).
    #[must_use]
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// The picture shown now, with its version. The PNG is made once per version.
    #[must_use]
    pub fn png(&self) -> (u64, Arc<[u8]>) {
        let mut shared = self.lock();
        let png = match &shared.png {
            Some(png) => Arc::clone(png),
            None => shared.frame.to_png().into(),
        };
        shared.png = Some(Arc::clone(&png));
        (shared.version, png)
    }

    /// A copy of the pixels shown now.
    #[must_use]
    pub fn frame(&self) -> Frame {
        self.lock().frame.clone()
    }

    /// Blocks until the version differs from `seen`, at most `wait`. Returns the version then.
    #[must_use]
    pub fn wait_newer(&self, seen: u64, wait: Duration) -> u64 {
        let guard = self.lock();
        let result = self.0.1.wait_timeout_while(guard, wait, |shared| shared.version == seen);
        result.unwrap_or_else(PoisonError::into_inner).0.version
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A panicking reader leaves a whole frame behind: every change under the lock is one assignment.
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for SharedFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SharedFrame(version {})", self.version())
    }
}

/// A panel in memory, shown by whoever holds its [`SharedFrame`] (`display.kind = "desk"`).
#[derive(Debug)]
pub struct DeskPanel {
    depth: Depth,
    frame: Frame,
    shared: SharedFrame,
}

impl DeskPanel {
    /// A panel and the handle that shows it.
    #[must_use]
    pub fn new(size: Size, depth: Depth) -> (Self, SharedFrame) {
        let frame = Frame::new(size);
        let state = Shared { frame: frame.clone(), version: 0, png: None };
        let shared = SharedFrame(Arc::new((Mutex::new(state), Condvar::new())));
        (Self { depth, frame, shared: shared.clone() }, shared)
    }
}

impl Panel for DeskPanel {
    fn size(&self) -> Size {
        self.frame.size
    }

    fn depth(&self) -> Depth {
        self.depth
    }

    fn frame_mut(&mut self) -> &mut Frame {
        &mut self.frame
    }

    fn flush(&mut self) -> Result<(), PanelError> {
        let next = shown(&self.frame, self.depth);
        let mut shared = self.shared.lock();
        if shared.frame != next || shared.version == 0 {
            (shared.frame, shared.version, shared.png) = (next, shared.version + 1, None);
            self.shared.0.1.notify_all();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        (info.width, info.height, rgb)
    }

    #[test]
    fn drawing_outside_is_harmless() {
        let mut frame = Frame::new(Size::new(4, 3));
        frame.set(Point::new(-1, 0), Rgb888::RED);
        frame.set(Point::new(4, 0), Rgb888::RED);
        frame.blend(Point::new(0, 3), Rgb888::RED, 255);
        Rectangle::new(Point::new(-5, -5), Size::new(6, 6))
            .into_styled(embedded_graphics::primitives::PrimitiveStyle::with_fill(Rgb888::GREEN))
            .draw(&mut frame)
            .unwrap();
        assert_eq!(frame.pixel(Point::zero()), Some(Rgb888::GREEN));
        assert_eq!(frame.rgb().iter().filter(|b| **b != 0).count(), 1);
        assert_eq!(frame.pixel(Point::new(0, 3)), None);
    }

    #[test]
    fn a_picture_file_holds_the_frame_and_nothing_lies_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("display.png");
        let mut panel = PngPanel::new(&path, Size::new(5, 2), Depth::Rgb);
        panel.frame_mut().set(Point::new(4, 1), Rgb888::new(1, 2, 3));
        panel.flush().unwrap();
        let (width, height, rgb) = decode(&std::fs::read(&path).unwrap());
        assert_eq!((width, height, &rgb[27..]), (5, 2, &[1, 2, 3][..]));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_the_file() {
        let mut panel = PngPanel::new("/nowhere/at/all/x.png", Size::new(1, 1), Depth::Mono);
        let error = panel.flush().unwrap_err().to_string();
        assert!(error.contains("/nowhere/at/all/x.png"), "{error}");
    }

    #[test]
    fn one_bit_panels_show_black_and_white_only() {
        let (mut panel, shared) = DeskPanel::new(Size::new(3, 1), Depth::Mono);
        panel.frame_mut().set(Point::new(0, 0), Rgb888::new(0xff, 0xc5, 0x3d));
        panel.frame_mut().set(Point::new(1, 0), Rgb888::new(0x0f, 0x6b, 0x37));
        panel.flush().unwrap();
        assert_eq!(shared.frame().rgb(), [255, 255, 255, 0, 0, 0, 0, 0, 0]);
        assert!(!shared.frame().is_lit(Point::new(9, 9)));
    }

    #[test]
    fn the_version_rises_only_with_the_picture() {
        let (mut panel, shared) = DeskPanel::new(Size::new(2, 2), Depth::Rgb);
        assert_eq!(shared.version(), 0);
        panel.flush().unwrap();
        panel.flush().unwrap();
        assert_eq!(shared.version(), 1);
        let (_, first) = shared.png();
        assert!(Arc::ptr_eq(&first, &shared.png().1), "made once");
        panel.frame_mut().set(Point::zero(), Rgb888::RED);
        panel.flush().unwrap();
        assert_eq!(shared.wait_newer(1, Duration::from_secs(5)), 2);
        assert_eq!(shared.wait_newer(2, Duration::from_millis(1)), 2);
        assert_eq!(decode(&shared.png().1).2[..3], [255, 0, 0]);
    }

    #[test]
    fn absurd_sizes_are_limited() {
        assert_eq!(Frame::new(Size::new(0, u32::MAX)).size(), Size::new(1, PANEL_SIDE_MAX));
    }
}
