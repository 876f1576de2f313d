//! What a member display must show, drawn a second time from the words alone and compared pixel by pixel with the
//! terminal's picture file.

use crate::kit::clock;
use anyhow::{Context as _, Result, ensure};
use embedded_graphics::prelude::Size;
use hufu_hardware::layout::{self, Screen};
use hufu_hardware::panel::{Depth, Frame};
use hufu_hardware::text::Fonts;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

/// Waits until the picture shows this screen.
///
/// # Errors
/// When it does not within the limit.
pub fn wait_until_shown(picture: &Path, size: (u32, u32), screen: &Screen, limit: Duration) -> Result<()> {
    let mut frame = Frame::new(Size::new(size.0, size.1));
    layout::draw(screen, &Fonts::load(), &mut frame, Depth::Rgb, 0);
    let found = clock::poll(limit, || {
        let (met_size, pixels) = read(picture).ok()?;
        (met_size == size && pixels == frame.rgb()).then_some(())
    });
    found.with_context(|| {
        format!("{} never showed `{}` {:?} within {limit:?}", picture.display(), screen.title, screen.lines)
    })
}

/// Size and pixels of a picture.
fn read(path: &Path) -> Result<((u32, u32), Vec<u8>)> {
    let bytes = std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().context("a picture without a size")?];
    let info = reader.next_frame(&mut pixels)?;
    ensure!(info.color_type == png::ColorType::Rgb, "{} is not in colour", path.display());
    pixels.truncate(info.buffer_size());
    Ok(((info.width, info.height), pixels))
}
