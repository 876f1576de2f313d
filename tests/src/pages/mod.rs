//! Every page of the counter in a real browser: who reads it with what eyes, and whether it stays within its screen.
//!
//! [`routes`] reads the list of addresses from the router's own lines; [`scenes`] says how each is visited, in which
//! states; [`serve`] serves them from the real router with a run loop that answers as a scene wants; [`check`] opens
//! one and asks axe-core; [`paint`] measures how soon it is there. A page without a scene fails before any browser starts.
//! Invariants: nothing is drawn for the check that staff could not meet; what axe finds is named with its element.
//! Out of scope: what the pages say (tests beside them), the console.

pub mod check;
pub mod paint;
pub mod routes;
pub mod scenes;
pub mod serve;

use anyhow::{Result, bail};
use routes::{Method, Route};
use scenes::Scene;
use std::collections::BTreeSet;

/// How a page is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Look {
    /// `zh-CN` or `en`.
    pub language: &'static str,
    /// `light` or `dark`.
    pub theme: &'static str,
    /// Width and height in CSS pixels: a phone, a tablet.
    pub size: (u32, u32),
}

/// The languages.
pub const LANGUAGES: [&str; 2] = ["zh-CN", "en"];
/// The themes.
pub const THEMES: [&str; 2] = ["light", "dark"];
/// The sizes.
pub const SIZES: [(u32, u32); 2] = [(390, 844), (1024, 768)];

/// Every way to look at a page.
#[must_use]
pub fn looks() -> Vec<Look> {
    let mut all = Vec::new();
    for language in LANGUAGES {
        for theme in THEMES {
            all.extend(SIZES.map(|size| Look { language, theme, size }));
        }
    }
    all
}

/// Four ways in which each language meets each theme and each size, and each theme each size, once.
#[must_use]
pub fn pairwise() -> [Look; 4] {
    let look = |language: usize, theme: usize| Look {
        language: LANGUAGES[language],
        theme: THEMES[theme],
        size: SIZES[(language + theme) % 2],
    };
    [look(0, 0), look(0, 1), look(1, 0), look(1, 1)]
}

/// Each scene once, the ways to look spread over the scenes of one address so that each pair is met where there are
/// scenes enough.
#[must_use]
pub fn spread(scenes: &[Scene]) -> Vec<(&Scene, Look)> {
    let looks = pairwise();
    let mut met: Vec<(&Route, usize)> = Vec::new();
    let mut spread = Vec::new();
    for scene in scenes {
        let at = met.iter().position(|(route, _)| **route == scene.route).unwrap_or_else(|| {
            // Addresses with few scenes do not all begin with the same look.
            met.push((&scene.route, met.len()));
            met.len() - 1
        });
        spread.push((scene, looks[met[at].1 % looks.len()]));
        met[at].1 += 1;
    }
    spread
}

/// Every scene in every way.
#[must_use]
pub fn product(scenes: &[Scene]) -> Vec<(&Scene, Look)> {
    scenes.iter().flat_map(|scene| looks().into_iter().map(move |look| (scene, look))).collect()
}

/// That each route of the router is visited or is said to be no page, and that nothing else is.
///
/// # Errors
/// Names every route without a visit, and every visit or exception without a route.
pub fn complete(routes: &BTreeSet<Route>, scenes: &[Scene]) -> Result<()> {
    let exempt: BTreeSet<Route> = scenes::NO_PAGES
        .iter()
        .map(|(address, _)| Route { method: Method::Get, address: (*address).to_owned() })
        .collect();
    let visited: BTreeSet<Route> = scenes.iter().map(|scene| scene.route.clone()).collect();
    let known: BTreeSet<&Route> = exempt.iter().chain(&visited).collect();
    let without: Vec<&Route> = routes.iter().filter(|route| !known.contains(route)).collect();
    if !without.is_empty() {
        bail!("these pages of the counter are visited by nobody; add scenes for them: {without:?}");
    }
    let gone: Vec<&&Route> = known.iter().filter(|route| !routes.contains(route)).collect();
    if !gone.is_empty() {
        bail!("the router no longer knows these: {gone:?}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_language_theme_and_size_is_among_the_four() {
        let four = pairwise();
        for one in looks() {
            assert!(four.iter().any(|look| (look.language, look.theme) == (one.language, one.theme)));
            assert!(four.iter().any(|look| (look.language, look.size) == (one.language, one.size)));
            assert!(four.iter().any(|look| (look.theme, look.size) == (one.theme, one.size)));
        }
    }

    #[test]
    fn a_page_that_nobody_visits_is_named_and_so_is_a_visit_to_nothing() {
        let scenes = scenes::all();
        let mut routes = routes::of_counter(&crate::kit::process::tree_root()).expect("the tree is read");
        complete(&routes, &scenes).expect("every page is visited");
        let fresh = Route { method: Method::Get, address: "/fresh".to_owned() };
        routes.insert(fresh.clone());
        let said = complete(&routes, &scenes).expect_err("nobody visits it").to_string();
        assert!(said.contains("/fresh"), "{said}");
        routes.remove(&fresh);
        routes.remove(&Route { method: Method::Get, address: "/today".to_owned() });
        let said = complete(&routes, &scenes).expect_err("it is gone").to_string();
        assert!(said.contains("/today"), "{said}");
    }

    #[test]
    fn names_of_scenes_differ_and_each_is_met_once() {
        let scenes = scenes::all();
        let names: BTreeSet<&str> = scenes.iter().map(|scene| scene.name.as_str()).collect();
        assert_eq!(names.len(), scenes.len());
        let spread = spread(&scenes);
        assert_eq!(spread.len(), scenes.len());
        for look in pairwise() {
            assert!(spread.iter().any(|(_, met)| *met == look), "{look:?}");
        }
        assert_eq!(product(&scenes).len(), 8 * scenes.len());
    }
}
