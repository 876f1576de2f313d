//! What a cell was expected to hold: said once, read in both languages.

use hufu_shared::token::{CARD_TEXT_CHARS_MAX, CardTextError};
use serde::{Serialize, Serializer};

use super::text::NAME_CHARS_MAX;
use crate::console::words::{self, Language};
use crate::rules::joining::fields::FieldError;
use crate::vault::document::DocumentError;

/// A text of both languages with what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    key: &'static str,
    args: Vec<(&'static str, String)>,
}

impl Expected {
    /// The text of a key.
    #[must_use]
    pub fn of(key: &'static str) -> Self {
        Self { key, args: Vec::new() }
    }

    /// The same with a variable filled in.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// As people of a language read it.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let args: Vec<(&str, &str)> = self.args.iter().map(|(name, value)| (*name, value.as_str())).collect();
        words::text_with(language, self.key, &args)
    }
}

impl From<&'static str> for Expected {
    fn from(key: &'static str) -> Self {
        Self::of(key)
    }
}

/// In both languages, by their tags.
impl Serialize for Expected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_map([Language::Zh, Language::En].map(|language| (language.tag(), self.text(language))))
    }
}

impl From<FieldError> for Expected {
    fn from(error: FieldError) -> Self {
        match error {
            FieldError::NameLength { met } => {
                Self::of("import-name-length").with("max", NAME_CHARS_MAX).with("met", met)
            }
            FieldError::NameSign { met } => Self::of("import-name-sign").with("met", met),
            FieldError::NameLetter => Self::of("import-name-letter"),
            FieldError::Mobile => Self::of("import-mobile"),
            // No column of a file has these; the pages' own words say enough.
            other => Self::of(other.code()),
        }
    }
}

impl From<DocumentError> for Expected {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::Shape { met } => Self::of("import-document-shape").with("met", met),
            DocumentError::Length { met } => Self::of("import-document-length").with("met", met),
            DocumentError::FirstGeneration => Self::of("import-document-old"),
            DocumentError::CheckDigit => Self::of("import-document-digit"),
            DocumentError::Birthday => Self::of("import-document-born"),
        }
    }
}

impl From<CardTextError> for Expected {
    fn from(error: CardTextError) -> Self {
        match error {
            CardTextError::Empty => Self::of("import-card-empty"),
            CardTextError::Long { met } => {
                Self::of("import-card-long").with("max", CARD_TEXT_CHARS_MAX).with("met", met)
            }
            CardTextError::Character { met } => Self::of("import-card-sign").with("met", met),
        }
    }
}
