//! A day of contact as a strip of quarters of an hour: drawn here as SVG without a word of style, and told in words for
//! whoever does not see it. Contact fills the height, silence is a low line: neither needs its colour.

use hufu_shared::time::{Instant, MINUTE_US};

use super::ui::Ui;
use crate::rules::silence::{DAY_QUARTERS, QUARTER_US, Stretch, quarter, strip};

/// Height of the drawing, in its own units; a quarter is one wide.
const HEIGHT: i64 = 12;
/// Height of the line of silence.
const LOW: i64 = 3;
/// Hours between marks under the strip.
const MARK_HOURS: i64 = 6;

/// A rectangle of the strip.
pub(super) struct Block {
    pub(super) tone: &'static str,
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
}

/// The strip of a terminal.
pub(super) struct StripShown {
    pub(super) blocks: Vec<Block>,
    /// The same in words.
    pub(super) words: String,
    /// Silences of that day in words, the newest first, but for one that began before it.
    pub(super) silences: Vec<String>,
    /// Times of day under the strip.
    pub(super) marks: Vec<String>,
}

/// The 24 hours before now, of the quarters in which the terminal was heard of.
pub(super) fn shown(ui: &Ui, heard: &[i64]) -> StripShown {
    let this = quarter(ui.now);
    let has = |at: i64| heard.binary_search(&at).is_ok();
    // A quarter that has only begun is no silence of one that was there a moment ago.
    let last = if !has(this) && has(this - 1) { this - 1 } else { this };
    let stretches = strip(heard, last);
    let start = |stretch: &Stretch| Instant((last - DAY_QUARTERS + 1 + stretch.from) * QUARTER_US);
    let lasted = |stretch: &Stretch| stretch.length * QUARTER_US;
    let silence = |stretch: &Stretch| {
        let begun = start(stretch);
        let ended = begun.offset(lasted(stretch)).min(ui.now);
        let args = [
            ("from", begun.display_time(ui.zone)),
            ("to", ended.display_time(ui.zone)),
            ("for", ui.lasting(ended.since(begun))),
        ];
        ui.t_of("strip-silence", &args)
    };
    let silences = stretches.iter().rev().filter(|stretch| !stretch.heard).map(silence).collect();
    let marks = (0..=24 / MARK_HOURS).rev();
    let marks = marks.map(|n| ui.now.offset(-n * MARK_HOURS * 60 * MINUTE_US).display_time(ui.zone));
    StripShown {
        words: words(ui, &stretches),
        silences,
        marks: marks.collect(),
        blocks: stretches.iter().map(block).collect(),
    }
}

fn block(stretch: &Stretch) -> Block {
    let (tone, height) = if stretch.heard { ("heard", HEIGHT) } else { ("silent", LOW) };
    Block { tone, x: stretch.from, y: HEIGHT - height, width: stretch.length, height }
}

fn words(ui: &Ui, stretches: &[Stretch]) -> String {
    let silent = || stretches.iter().filter(|stretch| !stretch.heard).map(|stretch| stretch.length);
    let lost: i64 = silent().sum();
    match lost {
        0 => ui.t("strip-all"),
        DAY_QUARTERS => ui.t("strip-none"),
        lost => ui.t_of(
            "strip-some",
            &[
                ("heard", hours(ui, DAY_QUARTERS - lost)),
                ("times", silent().count().to_string()),
                ("longest", hours(ui, silent().max().unwrap_or(0))),
            ],
        ),
    }
}

/// Quarters as hours and minutes.
fn hours(ui: &Ui, quarters: i64) -> String {
    let (hours, minutes) = (quarters / 4, quarters % 4 * 15);
    let key = match (hours, minutes) {
        (0, _) => "strip-minutes",
        (_, 0) => "strip-hours",
        _ => "strip-both",
    };
    ui.t_of(key, &[("h", hours.to_string()), ("m", minutes.to_string())])
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    /// 2026-11-22 18:00 in Shanghai.
    const NOW: Instant = Instant(1_795_341_600_000_000);

    #[test]
    fn a_day_of_contact_is_drawn_whole_and_told_in_words() {
        let ui = Ui::of(&HeaderMap::new(), NOW);
        let last = quarter(NOW);
        let silent = |at: i64| (80..86).contains(&at) || at == 90;
        let heard: Vec<i64> =
            (0..DAY_QUARTERS).filter(|at| !silent(*at)).map(|at| last - DAY_QUARTERS + 1 + at).collect();
        let met = shown(&ui, &heard);
        assert_eq!(met.words, "过去 24 小时：有联系 22 小时 15 分钟，2 次无联系，最长 1 小时 30 分钟");
        assert_eq!(met.silences, ["16:45 至 17:00 无联系（15 分钟）", "14:15 至 15:45 无联系（1 小时）"]);
        assert_eq!(met.marks, ["18:00", "00:00", "06:00", "12:00", "18:00"]);
        assert_eq!(met.blocks.iter().map(|block| block.width).sum::<i64>(), DAY_QUARTERS, "no gaps");
        let drawn: Vec<_> =
            met.blocks.iter().map(|block| (block.tone, block.x, block.y + block.height)).collect();
        assert_eq!(drawn[..2], [("heard", 0, HEIGHT), ("silent", 80, HEIGHT)]);
        for (heard, words) in [
            (vec![], "过去 24 小时没有联系"),
            ((last - DAY_QUARTERS..=last).collect(), "过去 24 小时一直有联系"),
            ((last - DAY_QUARTERS..last).collect(), "过去 24 小时一直有联系"),
        ] {
            assert_eq!(shown(&ui, &heard).words, words);
        }
    }
}
