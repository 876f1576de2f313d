//! `hufu-central what-if`: what a member would have by a scheme and a history, line by line with the number of the rule.
//! Needs no club and changes nothing.
//!
//! A history is a TOML file (`[member]` and `[[event]]`) or a CSV table of events; `--help` of the command tells the
//! columns. Money is in fen, days are calendar days.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::rules::whatif::{self, Arg, Event, History, Line, Member, Outcome, What};
use hufu_shared::scheme::Scheme;
use hufu_shared::time::Day;
use serde::Deserialize;

use super::EXIT_OK;
use super::schemes::{self, Lang};
use crate::console::words::{Language, text, text_with};

/// The largest history file.
const HISTORY_BYTES_MAX: u64 = 20 * 1024 * 1024;

const FORMAT: &str = "The history, in order of days:
  history.toml   [member] joined = \"2025-03-10\" (born, kind, office_group, is_organisation, is_staff)
                 [[event]] day = \"2025-03-10\", what = \"purchase\", fen = 10000
  history.csv    day,what,fen,points,code,office,slip,coupon_fen,paid_percent,birthday,no_card,gift_back
                 (day and what are needed; the member joined on the first day, see --born and --kind)
  what           card sub_card verified purchase return refusal activity care complaint task promo
                 approve redeem give get level adjust leave";

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
#[command(after_help = FORMAT)]
pub struct WhatIfArgs {
    /// A scheme's name, letter or file; several times for several versions
    #[arg(long = "scheme", value_name = "NAME|FILE", required = true)]
    pub schemes: Vec<String>,
    /// The history, a file in TOML or CSV
    #[arg(long, value_name = "FILE")]
    pub history: PathBuf,
    /// The last day to be reckoned; that of the last event if not given
    #[arg(long, value_name = "DAY")]
    pub until: Option<Day>,
    /// With CSV: the member's day of birth
    #[arg(long, value_name = "DAY")]
    pub born: Option<Day>,
    /// With CSV: code of the member's kind
    #[arg(long, value_name = "CODE", default_value = "")]
    pub kind: String,
    /// Language of what is printed
    #[arg(long, value_enum, default_value_t = Lang::Zh)]
    pub lang: Lang,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read or used.
pub fn run(args: &WhatIfArgs) -> anyhow::Result<u8> {
    let schemes: Vec<Scheme> = args
        .schemes
        .iter()
        .map(|name| schemes::load(name).map(|(scheme, _)| scheme))
        .collect::<Result<_, _>>()?;
    let history = read(args)?;
    let last = history.events.last().map_or(history.member.joined, |event| event.day);
    let outcome = whatif::reckon(&schemes, &history, args.until.unwrap_or(last))?;
    let language = args.lang.language();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&as_json(language, &schemes, &outcome))?);
    } else {
        print!("{}", told(language, &schemes, &outcome));
    }
    Ok(EXIT_OK)
}

fn read(args: &WhatIfArgs) -> anyhow::Result<History> {
    let path = &args.history;
    let size = std::fs::metadata(path).with_context(|| format!("failed to read {}", path.display()))?.len();
    if size > HISTORY_BYTES_MAX {
        bail!("a history of at most {HISTORY_BYTES_MAX} bytes expected, {} has {size}", path.display());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    let is_csv = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
    if is_csv {
        table(&path.display().to_string(), &text, (args.born, &args.kind))
    } else {
        toml::from_str(&text).with_context(|| path.display().to_string())
    }
}

/// A row of a table: what stands empty has the value that a TOML file leaves out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    day: Day,
    what: What,
    #[serde(default)]
    fen: Option<i64>,
    #[serde(default)]
    points: Option<i64>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    office: String,
    #[serde(default)]
    slip: String,
    #[serde(default)]
    coupon_fen: Option<i64>,
    #[serde(default)]
    paid_percent: Option<u8>,
    #[serde(default)]
    birthday: Option<bool>,
    #[serde(default)]
    no_card: Option<bool>,
    #[serde(default)]
    gift_back: Option<bool>,
}

impl From<Row> for Event {
    fn from(row: Row) -> Self {
        let plain = Self::new(row.day, row.what);
        Self {
            fen: row.fen.unwrap_or(0),
            points: row.points.unwrap_or(0),
            code: row.code,
            office: row.office,
            slip: row.slip,
            coupon_fen: row.coupon_fen.unwrap_or(0),
            paid_percent: row.paid_percent.unwrap_or(plain.paid_percent),
            birthday: row.birthday.unwrap_or(false),
            no_card: row.no_card.unwrap_or(false),
            gift_back: row.gift_back.unwrap_or(false),
            ..plain
        }
    }
}

/// A history that is written as a table: `name` is what it is called in complaints, then the member's day of birth and
/// kind.
///
/// # Errors
/// If a row cannot be read, or there is none.
pub fn table(name: &str, text: &str, (born, kind): (Option<Day>, &str)) -> anyhow::Result<History> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let rows: Result<Vec<Row>, csv::Error> = reader.deserialize().collect();
    let events: Vec<Event> = rows.with_context(|| name.to_owned())?.into_iter().map(Event::from).collect();
    let Some(first) = events.first() else { bail!("{name}: at least one event expected") };
    let member = Member {
        joined: first.day,
        born,
        kind: kind.to_owned(),
        office_group: String::new(),
        is_organisation: false,
        is_staff: false,
    };
    Ok(History { member, events })
}

/// A value as people read it.
fn value(language: Language, arg: &Arg) -> String {
    match arg {
        Arg::Number(number) => Amount(*number).display(Unit::Pts),
        Arg::Fen(fen) => Amount(*fen).display(Unit::Cny),
        Arg::Day(day) => day.to_string(),
        Arg::Text(text) => text.clone(),
        Arg::Name(name) => language.pick(name).to_owned(),
        Arg::Word(word) => text(language, &format!("whatif-word-{word}")),
    }
}

/// A line's sentence.
#[must_use]
pub fn sentence(language: Language, line: &Line) -> String {
    let values: Vec<(&str, String)> =
        line.args.iter().map(|(name, arg)| (*name, value(language, arg))).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    text_with(language, &format!("whatif-{}", line.key), &values)
}

/// A change with its sign; nothing for none.
fn change(amount: i64) -> String {
    match amount {
        0 => String::new(),
        1.. => format!("+{}", Amount(amount).display(Unit::Pts)),
        _ => Amount(amount).display(Unit::Pts),
    }
}

/// The name of the level held.
#[must_use]
pub fn level_name(language: Language, schemes: &[Scheme], outcome: &Outcome) -> String {
    let in_force = outcome.scheme.as_ref().and_then(|(id, version)| {
        schemes.iter().find(|scheme| scheme.id == *id && scheme.version == *version)
    });
    in_force.and_then(|scheme| scheme.level(outcome.rank)).map_or_else(
        || text(language, "whatif-word-base-level"),
        |level| language.pick(&level.name).to_owned(),
    )
}

/// Everything in words.
fn told(language: Language, schemes: &[Scheme], outcome: &Outcome) -> String {
    let mut lines: Vec<String> = outcome
        .lines
        .iter()
        .map(|line| {
            let (points, growth) = (change(line.points), change(line.growth));
            let after = Amount(line.points_after).display(Unit::Pts);
            let growth = if growth.is_empty() { growth } else { format!("  ({growth})") };
            format!(
                "{}  {:<3}  {:>8} {:>9}  {}{growth}",
                line.day,
                line.rule,
                points,
                after,
                sentence(language, line)
            )
        })
        .collect();
    let until =
        outcome.rank_until.map_or_else(|| text(language, "whatif-word-no-end"), |day| day.to_string());
    let number = |amount: i64| Amount(amount).display(Unit::Pts);
    let values = [
        ("day", outcome.day.to_string()),
        ("level", level_name(language, schemes, outcome)),
        ("until", until),
        ("points", number(outcome.points)),
        ("pending", number(outcome.pending)),
        ("owed", number(outcome.owed)),
        ("growth", number(outcome.growth)),
        ("spent", Amount(outcome.spent_fen).display(Unit::Cny)),
        ("purchases", outcome.purchases.to_string()),
    ];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    lines.push(String::new());
    lines.push(text_with(language, "whatif-sum", &values));
    for (last, points) in &outcome.ends {
        let points = number(*points);
        lines.push(match last {
            Some(last) => {
                text_with(language, "whatif-ends", &[("points", &points), ("last", &last.to_string())])
            }
            None => text_with(language, "whatif-stays", &[("points", &points)]),
        });
    }
    lines.join("\n") + "\n"
}

/// Everything for scripts: numbers as they are, and the sentence in the language asked for.
fn as_json(language: Language, schemes: &[Scheme], outcome: &Outcome) -> serde_json::Value {
    let lines: Vec<serde_json::Value> = outcome
        .lines
        .iter()
        .map(|line| {
            serde_json::json!({
                "day": line.day, "version": line.version, "rule": line.rule, "key": line.key, "says": sentence(language, line),
                "points": line.points, "growth": line.growth,
                "points_after": line.points_after, "growth_after": line.growth_after,
            })
        })
        .collect();
    let ends: Vec<serde_json::Value> = outcome
        .ends
        .iter()
        .map(|(last, points)| serde_json::json!({ "last_day": last, "points": points }))
        .collect();
    let scheme =
        outcome.scheme.as_ref().map(|(id, version)| serde_json::json!({ "id": id, "version": version }));
    serde_json::json!({
        "day": outcome.day, "scheme": scheme, "rank": outcome.rank,
        "level": level_name(language, schemes, outcome), "level_until": outcome.rank_until,
        "points": outcome.points, "pending": outcome.pending, "owed": outcome.owed, "growth": outcome.growth,
        "ends": ends, "spent_fen": outcome.spent_fen, "purchases": outcome.purchases, "lines": lines,
    })
}

#[cfg(test)]
mod tests;
