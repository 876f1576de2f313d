//! The section `[display]`, or several entries `[[display]]`.

use std::fmt;
use std::path::PathBuf;

use embedded_graphics::prelude::Size;
use hufu_hardware::panel::{Depth, PANEL_SIDE_MAX};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::load::Checker;

/// A display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayConfig {
    /// What it is.
    pub kind: DisplayKind,
    /// Its size in pixels.
    pub size: Size,
    /// What a pixel can show.
    pub depth: Depth,
}

/// What a display is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisplayKind {
    /// A picture file, replaced whole.
    Png {
        /// The file.
        path: PathBuf,
    },
    /// Shown inside the counter page.
    Desk,
}

impl DisplayKind {
    /// The word in the configuration.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Png { .. } => "png",
            Self::Desk => "desk",
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDisplay {
    kind: String,
    path: Option<PathBuf>,
    size: Option<String>,
    mono: Option<bool>,
}

impl RawDisplay {
    pub(super) fn check(self, at: usize, checker: &Checker<'_>) -> Result<DisplayConfig, super::ConfigError> {
        let key = |name: &str| format!("display[{at}].{name}");
        let text = self.size.unwrap_or_else(|| "320x240".to_owned());
        let size = parse_size(&text).ok_or_else(|| {
            checker.wrong(key("size"), "width x height in pixels, such as \"320x240\", up to 4096 each", text)
        })?;
        let kind = match (self.kind.as_str(), self.path) {
            ("png", Some(path)) if !path.as_os_str().is_empty() => DisplayKind::Png { path },
            ("png", _) => {
                return Err(checker.wrong(key("path"), "the path of a picture file", String::new()));
            }
            ("desk", None) => DisplayKind::Desk,
            ("desk", Some(path)) => {
                let met = path.display().to_string();
                return Err(checker.wrong(key("path"), "no such key for a desk display", met));
            }
            (met, _) => return Err(checker.wrong(key("kind"), "\"png\" or \"desk\"", met.to_owned())),
        };
        let depth = if self.mono.unwrap_or(false) { Depth::Mono } else { Depth::Rgb };
        Ok(DisplayConfig { kind, size, depth })
    }
}

fn parse_size(text: &str) -> Option<Size> {
    let (width, height) = text.split_once('x')?;
    let side = |text: &str| text.parse().ok().filter(|side| (1..=PANEL_SIDE_MAX).contains(side));
    Some(Size::new(side(width)?, side(height)?))
}

/// One section or several entries; a visitor, because an untagged enum would lose the line of an error.
#[derive(Default)]
pub(super) struct OneOrMany(pub(super) Vec<RawDisplay>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a section [display] or entries [[display]]")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany, A::Error> {
                RawDisplay::deserialize(MapAccessDeserializer::new(map)).map(|one| OneOrMany(vec![one]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<OneOrMany, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany)
            }
        }
        deserializer.deserialize_any(Shape)
    }
}
