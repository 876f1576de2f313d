//! The words and layout of printed slips.
//!
//! Staff keep one, the member takes one: nothing on it that the member must not read, no whole name, no phone. What
//! the member needs stands large: what it was and how much. Out of scope: when a slip is printed ([`super::paper`]).

use chrono_tz::Tz;
use hufu_hardware::printer::{Align, Block, Ticket};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::time::Instant;

use crate::locale::{Args, Language, text, text_with};
use crate::rules::slip::{Acceptance, Slip, SlipKind, number};

/// Characters in double width that the narrowest paper holds.
const LARGE_CHARS_MAX: usize = 16;

/// What stands around every slip.
#[derive(Debug, Clone)]
pub struct Heading {
    /// The club.
    pub club: Words,
    /// The office.
    pub office: Words,
    /// The terminal's name.
    pub terminal: String,
    /// The office's zone.
    pub zone: Tz,
    /// Language of the terminal.
    pub language: Language,
}

/// What is known beside the fact when a slip is printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// Masked name.
    pub name: Option<String>,
    /// The member's figures after it; none for a copy.
    pub after: Vec<Leg>,
    /// Whether the centre does not have it and cannot be reached.
    pub offline: bool,
    /// Which further copy this is; 0 for the first print.
    pub copy: u32,
    /// Form of address, for a badge; none for members who asked for secrecy.
    pub greeting: Option<String>,
    /// Level, for a badge.
    pub level: Option<Words>,
    /// Name of the activity, for a badge.
    pub occasion: Option<Words>,
    /// Whether it was only practised.
    pub practice: bool,
}

struct Page<'a> {
    heading: &'a Heading,
    blocks: Vec<Block>,
}

/// The ticket of a slip.
#[must_use]
pub fn slip(slip: &Slip, around: &Around, heading: &Heading) -> Ticket {
    if slip.kind == SlipKind::Badge {
        return badge(slip, around, heading);
    }
    if let Some(accepted) = &slip.complaint {
        return complaint(slip, accepted, around, heading);
    }
    let mut page = Page::new(heading, &format!("slip-title-{}", slip.kind.code()), around);
    page.pair("slip-number", number(slip.fact));
    page.pair("slip-day", slip.day.to_string());
    page.pair("slip-time", clock_time(slip.at, heading.zone));
    page.maybe("slip-operator", slip.operator.map(|operator| end_of(&operator.to_string())));
    page.maybe("slip-member", around.name.clone());
    let method = if slip.kind == SlipKind::CashOut { "slip-method-out" } else { "slip-method" };
    page.maybe(method, slip.method.as_ref().map(|code| page.t(&format!("counter-method-{code}"))));
    page.maybe("slip-purchase", slip.purchase.map(yuan));
    page.maybe("slip-sales", slip.sales_slip.as_ref().map(|sales| sales.number.clone()));
    page.maybe("slip-original", slip.original.map(number));
    page.blocks.push(Block::Rule);
    for change in &slip.changes {
        page.change(*change, slip.kind, &around.after);
    }
    page.blocks.push(Block::Rule);
    if slip.kind == SlipKind::CashOut {
        page.blocks.extend([Block::Gap, Block::pair(page.t("slip-signature"), "_".repeat(16)), Block::Gap]);
    }
    let promises = slip.kind == SlipKind::Earn && !slip.changes.is_empty();
    page.mark(around.offline, "slip-offline");
    page.mark(slip.unconfirmed && !around.offline, "slip-unconfirmed");
    page.mark(promises, "slip-earn-note");
    page.mark(slip.clock_unsure, "slip-clock");
    page.blocks.extend([Block::Gap, Block::Qr(slip.fact.to_string()), Block::Gap]);
    page.end("slip-keep")
}

/// The slip with which a printer is tried: what has to come out whole on every other.
#[must_use]
pub fn test(heading: &Heading, at: Instant) -> Ticket {
    let mut page = Page::new(heading, "slip-title-test", &Around::default());
    page.pair("slip-time", at.display(heading.zone));
    page.total("slip-value", yuan(Amount(123_450)));
    page.blocks.extend([Block::Gap, Block::Qr("HUFU TEST".to_owned()), Block::Gap]);
    page.end("slip-test-end")
}

/// A badge: what others may read, and nothing else. A copy is as good as the first.
fn badge(slip: &Slip, around: &Around, heading: &Heading) -> Ticket {
    let language = heading.language;
    let pick = |words: &Option<Words>| words.as_ref().map(|words| language.pick(words).to_owned());
    let name = around.greeting.clone().unwrap_or_else(|| text(language, "slip-badge-guest"));
    let mut blocks =
        vec![Block::centre(language.pick(&heading.club)), Block::Gap, Block::heading(name), Block::Gap];
    blocks.extend(around.practice.then(|| practice(language)));
    blocks.extend(pick(&around.level).map(Block::loud));
    blocks.push(Block::Rule);
    blocks.extend(pick(&around.occasion).map(Block::loud));
    blocks.push(Block::centre(format!("{} · {}", slip.day, language.pick(&heading.office))));
    blocks.extend([Block::Gap, Block::Qr(slip.fact.to_string()), Block::Gap]);
    blocks.push(Block::centre(number(slip.fact)));
    Ticket { blocks }
}

/// The acceptance of a complaint, for whoever made it.
fn complaint(slip: &Slip, accepted: &Acceptance, around: &Around, heading: &Heading) -> Ticket {
    let mut page = Page::new(heading, "slip-title-complaint", around);
    let minute = |at: Instant| at.display(heading.zone).chars().take(16).collect::<String>();
    page.large("slip-complaint-number", accepted.number.clone());
    page.blocks.push(Block::Rule);
    page.pair("slip-complaint-at", minute(slip.at));
    page.pair("slip-complaint-topic", page.t(&format!("desk-choice-kind-{}", accepted.topic)));
    page.blocks.push(Block::Gap);
    page.large("slip-complaint-until", minute(accepted.promised));
    page.blocks.push(Block::Rule);
    page.mark(around.offline, "slip-complaint-offline");
    page.mark(slip.clock_unsure, "slip-clock");
    page.end("slip-complaint-keep")
}

impl<'a> Page<'a> {
    fn new(heading: &'a Heading, title: &str, around: &Around) -> Self {
        let language = heading.language;
        let office = language.pick(&heading.office);
        let place = if office.is_empty() {
            heading.terminal.clone()
        } else {
            format!("{office} · {}", heading.terminal)
        };
        let mut page = Self { heading, blocks: Vec::new() };
        page.blocks.extend([
            Block::heading(language.pick(&heading.club)),
            Block::centre(place),
            Block::Gap,
            Block::heading(page.t(title)),
        ]);
        page.blocks.extend(around.practice.then(|| practice(language)));
        if around.copy > 0 {
            let args = Args::from([("n", around.copy.to_string())]);
            page.blocks.push(Block::loud(text_with(language, "slip-copy", &args)));
        }
        page.blocks.push(Block::Rule);
        page
    }

    fn t(&self, key: &str) -> String {
        text(self.heading.language, key)
    }

    fn pair(&mut self, key: &str, value: String) {
        self.blocks.push(Block::pair(self.t(key), value));
    }

    fn maybe(&mut self, key: &str, value: Option<String>) {
        if let Some(value) = value {
            self.pair(key, value);
        }
    }

    fn total(&mut self, key: &str, value: String) {
        self.blocks.push(Block::total(self.t(key), value));
    }

    /// What is looked for on a line of its own: as large as stays in one piece on the narrowest paper.
    fn large(&mut self, key: &str, value: String) {
        let fits = value.chars().count() <= LARGE_CHARS_MAX;
        let value = if fits { Block::heading(value) } else { Block::loud(value) };
        self.blocks.extend([Block::centre(self.t(key)), value]);
    }

    fn mark(&mut self, there: bool, key: &str) {
        if there {
            let text = self.t(key);
            self.blocks.push(Block::Text { text, align: Align::Centre, bold: true, double: false });
        }
    }

    /// What changed, large, and the figures around it where they are known.
    fn change(&mut self, change: Leg, kind: SlipKind, after: &[Leg]) {
        let unit = unit_key(change.unit);
        let sign = if change.amount.0 < 0 { "−" } else { "+" };
        let size = Amount(change.amount.0.abs());
        let figure = match change.unit {
            Unit::Cny => yuan(size),
            unit => size.display(unit),
        };
        self.total(&format!("slip-{unit}"), format!("{sign}{figure}"));
        let after = after.iter().find(|leg| leg.unit == change.unit).map(|leg| leg.amount);
        // Points earned are not the member's yet.
        let Some(after) = after.filter(|_| kind != SlipKind::Earn) else { return };
        let shown = |amount: Amount| match change.unit {
            Unit::Cny => yuan(amount),
            unit => amount.display(unit),
        };
        if let Ok(before) = after.minus(change.amount) {
            self.pair(&format!("slip-{unit}-before"), shown(before));
        }
        self.pair(&format!("slip-{unit}-after"), shown(after));
    }

    fn end(mut self, key: &str) -> Ticket {
        self.blocks.push(Block::centre(self.t(key)));
        Ticket { blocks: self.blocks }
    }
}

/// What is practised must not be taken for money or points, not even in the dark.
fn practice(language: Language) -> Block {
    Block::heading(text(language, "slip-practice"))
}

fn unit_key(unit: Unit) -> &'static str {
    match unit {
        Unit::Pts => "points",
        Unit::Growth => "growth",
        Unit::Cny => "value",
    }
}

fn yuan(amount: Amount) -> String {
    format!("¥{}", amount.display(Unit::Cny))
}

fn clock_time(at: Instant, zone: Tz) -> String {
    at.display(zone).split_once(' ').map_or_else(String::new, |(_, time)| time.to_owned())
}

/// The last characters of an identity: enough to tell the people of one counter apart.
fn end_of(id: &str) -> String {
    id.get(id.len().saturating_sub(6)..).unwrap_or(id).to_uppercase()
}

#[cfg(test)]
mod tests;
