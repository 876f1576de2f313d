//! The terminal's words in both languages.
//!
//! Texts stand in `locale/zh-CN.ftl` and `locale/en.ftl`, with the same keys and variables (a tidy test sees to it).
//! A key that is missing reads as the key itself: ugly, and never a reason to fail a swipe. The texts are constants of
//! the program, so they are read once for all.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use hufu_shared::scheme::Words;
use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Language {
    /// Simplified Chinese, the default.
    #[default]
    #[serde(rename = "zh-CN")]
    Zh,
    /// English.
    #[serde(rename = "en")]
    En,
}

/// Variables of a text, written out by the caller.
pub type Args = BTreeMap<&'static str, String>;

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// The tag, as in `lang="…"`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The language of a tag, or `None` for one that is not spoken here.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// A word of the club in this language.
    #[must_use]
    pub fn pick(self, words: &Words) -> &str {
        match self {
            Self::Zh => &words.zh,
            Self::En => &words.en,
        }
    }
}

type Bundle = FluentBundle<FluentResource>;

static ZH: LazyLock<Bundle> = LazyLock::new(|| load(Language::Zh, include_str!("../locale/zh-CN.ftl")));
static EN: LazyLock<Bundle> = LazyLock::new(|| load(Language::En, include_str!("../locale/en.ftl")));

fn load(language: Language, source: &str) -> Bundle {
    // A broken entry is reported by the tidy test; here the rest is still of use.
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(partial, _)| partial);
    let id: LanguageIdentifier = language.tag().parse().expect("the tag is a constant");
    let mut bundle = Bundle::new_concurrent(vec![id]);
    // Invisible direction marks would be drawn as boxes on a small display.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
}

/// The text of a key.
#[must_use]
pub fn text(language: Language, key: &str) -> String {
    text_with(language, key, &Args::new())
}

/// The text of a key with its variables. A variable that is a whole number also chooses plural forms.
#[must_use]
pub fn text_with(language: Language, key: &str, args: &Args) -> String {
    let bundle = match language {
        Language::Zh => &*ZH,
        Language::En => &*EN,
    };
    let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
        return key.to_owned();
    };
    let mut fluent = FluentArgs::with_capacity(args.len());
    for (name, value) in args {
        match value.parse::<i64>() {
            // The last digits of a card, `0042`, are text.
            Ok(number) if number.to_string() == *value => fluent.set(*name, number),
            _ => fluent.set(*name, value.as_str()),
        }
    }
    let mut errors = Vec::new();
    bundle.format_pattern(pattern, Some(&fluent), &mut errors).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_parse_whole() {
        for source in [include_str!("../locale/zh-CN.ftl"), include_str!("../locale/en.ftl")] {
            assert!(FluentResource::try_new(source.to_owned()).is_ok());
        }
    }

    #[test]
    fn both_languages_speak_and_a_missing_key_reads_as_itself() {
        assert_eq!(text(Language::Zh, "display-accepted-check-in"), "签到成功");
        assert_eq!(text(Language::En, "display-accepted-check-in"), "Checked in");
        assert_eq!(text(Language::Zh, "no-such-key"), "no-such-key");
        let args = Args::from([("points", "1,280".to_owned())]);
        assert_eq!(text_with(Language::Zh, "display-points", &args), "可用积分 1,280");
    }
}
