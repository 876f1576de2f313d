//! The console's words in both languages, from `locale/zh-CN.ftl` and `locale/en.ftl`.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use hufu_shared::money::Unit;
use hufu_shared::scheme::Words;
use unic_langid::LanguageIdentifier;

use crate::rules::posting::PostingCode;

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Simplified Chinese, the default.
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// The tag, as in `lang="…"`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The language of a tag.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        [Self::Zh, Self::En].into_iter().find(|language| language.tag() == tag)
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

static ZH: LazyLock<Bundle> = LazyLock::new(|| load(Language::Zh, include_str!("../../locale/zh-CN.ftl")));
static EN: LazyLock<Bundle> = LazyLock::new(|| load(Language::En, include_str!("../../locale/en.ftl")));

fn load(language: Language, source: &str) -> Bundle {
    // A broken entry is found by a test; here the rest is still of use.
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(partial, _)| partial);
    let id: LanguageIdentifier = language.tag().parse().expect("the tag is a constant");
    let mut bundle = Bundle::new_concurrent(vec![id]);
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
}

/// The text of a key; a missing one reads as the key itself.
#[must_use]
pub fn text(language: Language, key: &str) -> String {
    text_with(language, key, &[])
}

/// What a posting is. A purchase gives points and growth under one code.
#[must_use]
pub fn posting(language: Language, unit: Option<Unit>, code: &str) -> String {
    if unit == Some(Unit::Growth) && code == PostingCode::EarnPurchase.code() {
        return text(language, "code-grown");
    }
    text(language, &format!("code-{code}"))
}

/// The text of a key with its variables. A variable that is a whole number also chooses plural forms.
#[must_use]
pub fn text_with(language: Language, key: &str, args: &[(&str, &str)]) -> String {
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
            Ok(number) if number.to_string() == *value => fluent.set(*name, number),
            _ => fluent.set(*name, *value),
        }
    }
    let mut errors = Vec::new();
    bundle.format_pattern(pattern, Some(&fluent), &mut errors).into_owned()
}
