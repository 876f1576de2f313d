//! Fields of a form on a page: what they are, what was typed into them, what is wrong with it.
//!
//! Labels stand above, errors below their field, and a wrong form comes back with everything that was typed.

use std::collections::BTreeMap;

use super::super::words::Ui;

/// What a page sent: name and text of each field.
pub type Input = BTreeMap<String, String>;
/// What is wrong: name of the field and key of the text.
pub type Wrong = Vec<(&'static str, &'static str)>;

/// One choice of a list.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What people read.
    pub text: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// One field as the template draws it.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name in what is sent.
    pub name: &'static str,
    /// `text`, `tel`, `date`, `number`, `email`, `area`, `select` or `check`.
    pub kind: &'static str,
    /// What people read above it.
    pub label: String,
    /// What stands in it.
    pub value: String,
    /// Characters at most.
    pub max: usize,
    /// Whether it must be filled in.
    pub required: bool,
    /// What is wrong with it.
    pub error: Option<String>,
    /// What to write, where that is not plain.
    pub hint: Option<String>,
    /// The choices of a list.
    pub choices: Vec<Choice>,
}

/// What a field is, before anything was typed.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Its name in what is sent, and the end of the key of its label.
    pub name: &'static str,
    /// As in [`Field::kind`].
    pub kind: &'static str,
    /// Characters at most.
    pub max: usize,
    /// Whether it must be filled in.
    pub required: bool,
    /// The choices of a list; the first one stands.
    pub choices: &'static [&'static str],
}

impl Spec {
    /// A field to be typed into.
    #[must_use]
    pub const fn typed(name: &'static str, kind: &'static str, max: usize, required: bool) -> Self {
        Self { name, kind, max, required, choices: &[] }
    }

    /// A list to choose from.
    #[must_use]
    pub const fn list(name: &'static str, choices: &'static [&'static str]) -> Self {
        Self { name, kind: "select", max: 0, required: true, choices }
    }

    /// The field in the reader's language, with what was typed and what is wrong with it. Texts are those of
    /// `desk-field-…`, hints those of `desk-hint-…` where there is one.
    #[must_use]
    pub fn field(&self, input: &Input, wrong: &Wrong, ui: &Ui) -> Field {
        let value = input.get(self.name).cloned().unwrap_or_default();
        let error = wrong.iter().find(|(name, _)| *name == self.name).map(|(_, key)| ui.t(key));
        let choice = |code: &&str| Choice {
            value: (*code).to_owned(),
            text: ui.t(&format!("desk-choice-{}-{code}", self.name)),
            chosen: value == **code,
        };
        let hint_key = format!("desk-hint-{}", self.name);
        let hint = Some(ui.t(&hint_key)).filter(|text| *text != hint_key);
        Field {
            name: self.name,
            kind: self.kind,
            label: ui.t(&format!("desk-field-{}", self.name)),
            max: self.max,
            required: self.required,
            error,
            hint,
            choices: self.choices.iter().map(choice).collect(),
            value,
        }
    }
}

/// What was typed into a field, without spaces around it; nothing where it was left empty.
#[must_use]
pub fn given<'a>(input: &'a Input, name: &str) -> Option<&'a str> {
    input.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// Full-width letters, digits and signs of an input method as plain ones.
#[must_use]
pub fn folded(text: &str) -> String {
    let narrow = |c: char| match u32::from(c) {
        wide @ 0xFF01..=0xFF5E => char::from_u32(wide - 0xFEE0).unwrap_or(c),
        0x3000 => ' ',
        _ => c,
    };
    text.chars().map(narrow).collect()
}
