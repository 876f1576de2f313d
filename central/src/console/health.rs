//! What a terminal said of itself with its last poll, in words: what waits since when, clock, room, readers and displays.

use hufu_shared::wire::health::{Health, Piece};
use serde_json::{Value, json};

use super::readiness::Badge;
use super::ui::Ui;
use crate::store::devices::DeviceLine;

/// A clock that is further off than this is worth a look, in us.
const CLOCK_OFF_US: i64 = 120_000_000;
/// A clock that is less off than this is right, in us.
const CLOCK_RIGHT_US: i64 = 1_000_000;
/// Used room that is worth a look, in percent.
const USED_PERCENT_HIGH: u8 = 80;
/// Bytes in a gigabyte, as disks are sold.
const GIGABYTE: u64 = 1_000_000_000;

/// How a terminal is, as its row and its page show it. What it did not say reads as a dash.
pub(super) struct HealthShown {
    /// How many facts wait there, and since when the oldest.
    pub(super) queue: String,
    pub(super) clock: Badge,
    pub(super) disk: Badge,
    /// All that is attached, in a word or two.
    pub(super) attached: Badge,
    /// Each of them: what it is called, and how it is.
    pub(super) pieces: Vec<(String, Badge)>,
}

fn dash() -> Badge {
    ("plain", "—".to_owned())
}

/// Everything that it said.
pub(super) fn shown(ui: &Ui, line: &DeviceLine) -> HealthShown {
    let contact = line.contact.as_ref();
    let health = contact.and_then(|contact| contact.health.as_ref());
    let queue = contact.map_or_else(|| "—".to_owned(), |contact| queue(ui, contact.queued, health));
    HealthShown {
        queue,
        clock: health.and_then(|health| health.clock_us).map_or_else(dash, |us| clock(ui, us)),
        disk: health.map_or_else(dash, |health| disk(ui, health)),
        attached: health.map_or_else(dash, |health| attached(ui, health)),
        pieces: health.iter().flat_map(|health| &health.pieces).map(|one| piece(ui, one)).collect(),
    }
}

fn queue(ui: &Ui, queued: u64, health: Option<&Health>) -> String {
    match health.and_then(|health| health.oldest).filter(|_| queued > 0) {
        Some(oldest) => ui.t_with("health-oldest", &[("n", &queued.to_string()), ("ago", &ui.ago(oldest))]),
        None => queued.to_string(),
    }
}

/// How far its clock is off; the centre's minus its own.
fn clock(ui: &Ui, us: i64) -> Badge {
    let off = us.saturating_abs();
    let tone = if off > CLOCK_OFF_US { "wait" } else { "ok" };
    if off < CLOCK_RIGHT_US {
        return (tone, ui.t("health-clock-right"));
    }
    let by = if off < CLOCK_OFF_US {
        ui.t_with("health-seconds", &[("n", &(off / CLOCK_RIGHT_US).to_string())])
    } else {
        ui.lasting(off)
    };
    let key = if us > 0 { "health-clock-slow" } else { "health-clock-fast" };
    (tone, ui.t_with(key, &[("by", &by)]))
}

fn disk(ui: &Ui, health: &Health) -> Badge {
    let tenths = |free: u64| free / (GIGABYTE / 10);
    let free = health.free_bytes.map(|free| format!("{}.{}", tenths(free) / 10, tenths(free) % 10));
    let used = health.used_percent;
    let tone = if used.is_some_and(|used| used >= USED_PERCENT_HIGH) { "wait" } else { "ok" };
    match (used, free) {
        (Some(used), Some(free)) => {
            (tone, ui.t_of("health-disk", &[("used", used.to_string()), ("free", free)]))
        }
        (Some(used), None) => (tone, ui.t_of("health-used", &[("used", used.to_string())])),
        (None, Some(free)) => (tone, ui.t_of("health-free", &[("free", free)])),
        (None, None) => dash(),
    }
}

fn attached(ui: &Ui, health: &Health) -> Badge {
    let down: Vec<String> = health.down().map(|one| one.name.clone()).collect();
    match (health.pieces.len(), down.len()) {
        (0, _) => dash(),
        (all, 0) => ("ok", ui.t_with("health-all-up", &[("n", &all.to_string())])),
        _ => ("bad", ui.t_with("health-down", &[("names", &down.join(&ui.t("health-and")))])),
    }
}

fn piece(ui: &Ui, piece: &Piece) -> (String, Badge) {
    let kind = ui.t(&format!("health-piece-{}", piece.kind.code()));
    let state = if piece.up { ("ok", ui.t("health-up")) } else { ("bad", ui.t("health-broken")) };
    (format!("{kind} {}", piece.name), state)
}

/// The same for programs.
pub(super) fn json(health: &Health) -> Value {
    let piece = |piece: &Piece| json!({ "kind": piece.kind.code(), "name": piece.name, "up": piece.up });
    json!({
        "oldest": health.oldest, "clock_us": health.clock_us, "used_percent": health.used_percent,
        "free_bytes": health.free_bytes, "pieces": health.pieces.iter().map(piece).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use hufu_shared::time::Instant;

    use super::*;

    #[test]
    fn a_clock_is_told_as_people_say_it() {
        let ui = Ui::of(&HeaderMap::new(), Instant(0));
        for (us, tone, words) in [
            (0, "ok", "误差不到 1 秒"),
            (-999_999, "ok", "误差不到 1 秒"),
            (1_500_000, "ok", "慢 1 秒"),
            (-61_000_000, "ok", "快 61 秒"),
            (130_000_000, "wait", "慢 2 分钟"),
            (i64::MIN, "wait", "快 106751991 天"),
        ] {
            assert_eq!(clock(&ui, us), (tone, words.to_owned()), "{us}");
        }
    }

    #[test]
    fn room_and_queue_are_told_as_far_as_they_are_known() {
        let ui = Ui::of(&HeaderMap::new(), Instant(7_200_000_000));
        let said =
            |used_percent, free_bytes| disk(&ui, &Health { used_percent, free_bytes, ..Health::default() });
        assert_eq!(said(Some(31), Some(12_345_678_901)), ("ok", "已用 31%，磁盘余 12.3 GB".to_owned()));
        assert_eq!(said(Some(80), None), ("wait", "已用 80%".to_owned()));
        assert_eq!(said(None, Some(99_999_999)), ("ok", "磁盘余 0.0 GB".to_owned()));
        assert_eq!(said(None, None), dash());
        let waits = Health { oldest: Some(Instant(0)), ..Health::default() };
        assert_eq!(queue(&ui, 14, Some(&waits)), "14（最久 2 小时）");
        assert_eq!((queue(&ui, 0, Some(&waits)), queue(&ui, 3, None)), ("0".to_owned(), "3".to_owned()));
    }
}
