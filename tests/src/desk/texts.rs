//! The tray's words in both languages, and its page put together from them.

use super::Refusal;
use anyhow::{Context as _, Result, anyhow};
use fluent_bundle::{FluentBundle, FluentResource};
use std::fmt::Write as _;

const PAGE: &str = include_str!("static/desk.html");
const CHINESE: &str = include_str!("../../locale/zh-CN.ftl");
const ENGLISH: &str = include_str!("../../locale/en.ftl");
/// How the page asks for a text.
const ASK: (&str, &str) = ("{{ t(\"", "\") }}");

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 简体中文, the default.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// What `?lang` asks for, else the first known one of `Accept-Language`, else Chinese.
    #[must_use]
    pub fn choose(asked: Option<&str>, accepted: Option<&str>) -> Self {
        let known = |tag: &str| match tag.trim().get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("zh") => Some(Self::Chinese),
            Some("en") => Some(Self::English),
            _ => None,
        };
        asked
            .and_then(known)
            .or_else(|| accepted.and_then(|tags| tags.split(',').find_map(known)))
            .unwrap_or(Self::Chinese)
    }

    fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Chinese => CHINESE,
            Self::English => ENGLISH,
        }
    }
}

/// The page in one language.
///
/// # Errors
/// When a text is missing, which a test rules out.
pub fn page(language: Language) -> Result<String> {
    let words = Words::load(language)?;
    let mut refusals = String::new();
    for refusal in Refusal::all() {
        let code = refusal.code();
        let text = words.text(&format!("desk-error-{code}"))?;
        write!(refusals, " data-error-{code}=\"{}\"", escape(&text)).context("failed to write the page")?;
    }
    fill(&PAGE.replace("{{ refusals }}", &refusals), language)
}

/// A page with its language and every text that it asks for put in.
///
/// # Errors
/// When a text is missing, which a test rules out.
pub fn fill(page: &str, language: Language) -> Result<String> {
    let words = Words::load(language)?;
    let mut page = page.replace("{{ lang }}", language.tag());
    while let Some((before, rest)) = page.split_once(ASK.0) {
        let (key, after) = rest.split_once(ASK.1).context("the page asks for a text without an end")?;
        page = format!("{before}{}{after}", escape(&words.text(key)?));
    }
    Ok(page)
}

struct Words {
    bundle: FluentBundle<FluentResource>,
}

impl Words {
    fn load(language: Language) -> Result<Self> {
        let resource = FluentResource::try_new(language.source().to_owned())
            .map_err(|(_, errors)| anyhow!("the texts are not Fluent: {errors:?}"))?;
        let tag = language.tag().parse().map_err(|_| anyhow!("{} is no language", language.tag()))?;
        let mut bundle = FluentBundle::new(vec![tag]);
        bundle.add_resource(resource).map_err(|errors| anyhow!("texts stand twice: {errors:?}"))?;
        Ok(Self { bundle })
    }

    fn text(&self, key: &str) -> Result<String> {
        let message = self.bundle.get_message(key).and_then(|message| message.value());
        let pattern = message.with_context(|| format!("the text `{key}` is missing"))?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, None, &mut errors).into_owned();
        anyhow::ensure!(errors.is_empty(), "the text `{key}`: {errors:?}");
        Ok(text)
    }
}

/// Text as it may stand in HTML and in quoted attributes.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_in_both_languages() {
        let chinese = page(Language::Chinese).expect("every text is there");
        let english = page(Language::English).expect("every text is there");
        assert!(chinese.contains("卡片托盘") && chinese.contains("lang=\"zh-CN\""));
        assert!(english.contains("Card tray") && !english.contains("卡片"));
        assert!(!chinese.contains("{{") && !english.contains("{{"));
    }

    #[test]
    fn the_language_is_asked_for_accepted_or_chinese() {
        use Language::{Chinese, English};
        assert_eq!(Language::choose(Some("en"), Some("zh-CN")), English);
        assert_eq!(Language::choose(None, Some("fr, en-GB;q=0.8, zh;q=0.5")), English);
        assert_eq!(Language::choose(Some("xx"), Some("zh-CN,en")), Chinese);
        assert_eq!(Language::choose(None, None), Chinese);
    }
}
