//! How soon a page stands before its reader on a cheap tablet: first contentful paint with the processor slowed down.

use super::Look;
use super::check;
use super::routes::Method;
use super::scenes::Scene;
use super::serve::Served;
use crate::kit::browser::Browser;
use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use std::fmt;

/// How much slower the processor is made.
pub const SLOWER_TIMES: u32 = 4;
/// Goal of the first paint, in milliseconds.
pub const PAINT_MS_MAX: f64 = 1_000.0;
/// Times that each page is opened; the middle one counts.
const ROUNDS: usize = 3;
/// What a tablet at the desk shows.
const LOOK: Look = Look { language: "zh-CN", theme: "light", size: (1024, 768) };

/// What was measured.
#[derive(Clone, Debug, Default)]
pub struct Paints(Vec<(String, f64)>);

impl Paints {
    /// Whether every page was there in time.
    #[must_use]
    pub fn is_within(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|(_, paint_ms)| *paint_ms <= PAINT_MS_MAX)
    }
}

impl fmt::Display for Paints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "first paint with the processor {SLOWER_TIMES} times slower, goal {PAINT_MS_MAX} ms:")?;
        for (name, paint_ms) in &self.0 {
            let verdict = if *paint_ms <= PAINT_MS_MAX { "" } else { "  ABOVE" };
            write!(f, "\n  {paint_ms:7.0} ms  {name}{verdict}")?;
        }
        Ok(())
    }
}

/// The first scene of each address that is opened, from an empty cache.
///
/// # Errors
/// When the browser cannot open or measure one.
pub async fn each(browser: &Browser, served: &Served, scenes: &[Scene]) -> Result<Paints> {
    let cdp = browser.driver().cdp();
    let mut paints = Paints::default();
    cdp.send_raw("Network.enable", json!({})).await.context("failed to watch the network")?;
    cdp.send_raw("Network.setCacheDisabled", json!({ "cacheDisabled": true })).await?;
    cdp.send_raw("Emulation.setCPUThrottlingRate", json!({ "rate": SLOWER_TIMES })).await?;
    for (at, scene) in scenes.iter().enumerate() {
        let is_first = scenes[..at].iter().all(|earlier| earlier.route != scene.route);
        if scene.route.method == Method::Get && is_first {
            paints.0.push((scene.route.address.clone(), middle(browser, served, scene).await?));
        }
    }
    cdp.send_raw("Emulation.setCPUThrottlingRate", json!({ "rate": 1 })).await?;
    cdp.send_raw("Network.setCacheDisabled", json!({ "cacheDisabled": false })).await?;
    Ok(paints)
}

async fn middle(browser: &Browser, served: &Served, scene: &Scene) -> Result<f64> {
    let mut met = Vec::new();
    for _ in 0..ROUNDS {
        check::open(browser, served, (scene, LOOK)).await?;
        let ask = "return new Promise((told) => {
            const look = () => {
                const paint = performance.getEntriesByName('first-contentful-paint')[0];
                if (paint) told(paint.startTime); else setTimeout(look, 20);
            };
            look();
        });";
        let answer = browser.driver().execute(ask, Vec::new()).await.context("nothing was painted")?;
        met.push(answer.json().as_f64().context("the browser gave no time")?);
    }
    ensure!(met.iter().all(|paint_ms| *paint_ms > 0.0), "{}: painted at {met:?}", scene.name);
    met.sort_by(f64::total_cmp);
    Ok(met[ROUNDS / 2])
}
