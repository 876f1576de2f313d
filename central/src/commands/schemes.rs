//! `hufu-central schemes`: the schemes that are shipped, to be looked at and copied, which needs no club; and publishing
//! one as the club's next version.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::ready::{self, READY};
use hufu_shared::time::Day;

use super::EXIT_OK;
use crate::app::App;
use crate::console::words::{Language, text_with};

pub mod publish;
pub mod scope;

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
pub struct SchemesArgs {
    /// What to do; without it, they are listed
    #[command(subcommand)]
    pub command: Option<SchemesCommand>,
    /// Language of what is printed
    #[arg(long, value_enum, default_value_t = Lang::Zh, global = true)]
    pub lang: Lang,
    /// Print as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do with schemes.
#[derive(Debug, Clone, Subcommand)]
pub enum SchemesCommand {
    /// List the schemes that are shipped
    List,
    /// Print one as a file to be edited: its name or letter, or a file to be checked
    Show {
        /// A name such as `fashion`, a letter such as `S`, or a file
        name: String,
    },
    /// Make one the club's next version, for terminals and ledger
    Publish(PublishArgs),
}

/// What is published, and when.
#[derive(Debug, Clone, Args)]
pub struct PublishArgs {
    /// A name, a letter or a file
    pub name: String,
    /// Its first day, today at the earliest; tomorrow if not given
    #[arg(long, value_name = "DAY")]
    pub from: Option<Day>,
    /// Set how points end and who may join as well; these hold at once
    #[arg(long)]
    pub policy: bool,
}

/// Languages of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Simplified Chinese
    #[value(name = "zh-CN", alias = "zh")]
    Zh,
    /// English
    En,
}

impl Lang {
    /// The language of the words.
    #[must_use]
    pub fn language(self) -> Language {
        match self {
            Self::Zh => Language::Zh,
            Self::En => Language::En,
        }
    }
}

/// A scheme by its name, its letter or its file, with the text it was read from. It was checked.
///
/// # Errors
/// If there is none, or it cannot be used: every fault is told with its key.
pub fn load(name: &str) -> anyhow::Result<(Scheme, String)> {
    let text = match ready::find(name) {
        Some(ready) => ready.text.to_owned(),
        None => std::fs::read_to_string(name).with_context(|| {
            let names: Vec<&str> = READY.iter().map(|ready| ready.id).collect();
            format!("no scheme and no file is named {name:?}; there are {}", names.join(", "))
        })?,
    };
    let scheme: Scheme =
        toml::from_str(&text).with_context(|| format!("failed to read the scheme {name:?}"))?;
    if let Err(faults) = scheme.validate() {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::bail!("the scheme {name:?} cannot be used:\n  {}", lines.join("\n  "));
    }
    Ok((scheme, text))
}

/// Runs what needs no club; none for what does.
#[must_use]
pub fn without_club(args: &SchemesArgs) -> Option<anyhow::Result<u8>> {
    match &args.command {
        Some(SchemesCommand::Show { name }) => Some(show(name, args.json)),
        None | Some(SchemesCommand::List) => Some(list(args)),
        Some(SchemesCommand::Publish(_)) => None,
    }
}

/// Runs the command at a club.
///
/// # Errors
/// If a scheme cannot be read or published.
pub async fn run(args: &SchemesArgs, app: &App) -> anyhow::Result<u8> {
    match &args.command {
        Some(SchemesCommand::Publish(what)) => publish::run(what, app, args.json).await,
        _ => without_club(args).unwrap_or(Ok(EXIT_OK)),
    }
}

fn show(name: &str, json: bool) -> anyhow::Result<u8> {
    let (scheme, text) = load(name)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&scheme)?);
    } else {
        print!("{text}");
    }
    Ok(EXIT_OK)
}

fn list(args: &SchemesArgs) -> anyhow::Result<u8> {
    let schemes: Vec<Scheme> =
        READY.iter().map(|ready| load(ready.id).map(|(scheme, _)| scheme)).collect::<Result<_, _>>()?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&schemes)?);
        return Ok(EXIT_OK);
    }
    for (ready, scheme) in READY.iter().zip(&schemes) {
        println!("{}", listed(args.lang.language(), ready.letter, scheme));
    }
    Ok(EXIT_OK)
}

/// The first version of a club is every office's and every member's, and has no end until the next one begins: offices
/// come later, and what is for some needs something for the others. A scheme that says otherwise is refused, not cut down.
///
/// # Errors
/// Names the keys that cannot be carried out.
pub fn check_scope(scheme: &Scheme) -> anyhow::Result<()> {
    let said = [
        ("valid_to", scheme.valid_to.is_some()),
        ("scope_office_groups", !scheme.scope_office_groups.is_empty()),
        ("scope_member_kinds", !scheme.scope_member_kinds.is_empty()),
    ];
    let said: Vec<&str> = said.iter().filter(|key| key.1).map(|key| key.0).collect();
    if said.is_empty() {
        return Ok(());
    }
    bail!(
        "{}: met a value, expected none: a club is founded with a version that holds everywhere, until the next one \
         begins; publish one with a scope afterwards",
        said.join(", ")
    )
}

/// Says on the error stream what of a scheme a person must still do.
pub fn tell_not_done(scheme: &Scheme) {
    let keys = scheme.not_done_yet();
    if !keys.is_empty() {
        eprintln!("not done by the ledger yet, a person must: {}", keys.join(", "));
    }
}

/// One line of the list.
fn listed(language: Language, letter: char, scheme: &Scheme) -> String {
    let args = [
        ("levels", scheme.levels.len().to_string()),
        ("earnings", scheme.earnings.len().to_string()),
        ("items", scheme.redemption.items.len().to_string()),
    ];
    let args: Vec<(&str, &str)> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let counts = text_with(language, "schemes-counts", &args);
    format!("{letter}  {:<14}  {}  {counts}", scheme.id, language.pick(&scheme.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_is_shown_as_the_file_that_it_is() {
        for ready in READY {
            let (scheme, text) = load(&ready.letter.to_string()).expect("it is shipped");
            assert_eq!((scheme.id.as_str(), text.as_str()), (ready.id, ready.text));
            assert!(listed(Language::Zh, ready.letter, &scheme).contains(&scheme.name.zh));
            assert!(listed(Language::En, ready.letter, &scheme).contains(&scheme.name.en));
        }
    }

    #[test]
    fn a_file_of_ones_own_is_checked_key_by_key() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("own.toml");
        let name = path.to_str().expect("a plain path");
        std::fs::write(&path, READY[3].text.replace("points_per = 2", "points_per = -2")).expect("written");
        let fault = load(name).expect_err("a fault").to_string();
        assert!(fault.contains("earning[1].points_per: expected 0 or more, met -2"), "{fault}");
        std::fs::write(&path, READY[3].text.replace("rounding", "runding")).expect("written");
        let fault = format!("{:#}", load(name).expect_err("a slip"));
        assert!(fault.contains("runding"), "{fault}");
        let none = load("no-such").expect_err("none").to_string();
        assert!(none.contains("property-club") && none.contains("no-such"), "{none}");
    }
}
