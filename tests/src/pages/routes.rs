//! Which addresses the counter page answers: read from the very lines that register them, so that a new one cannot be
//! forgotten here. Pure but for [`of_counter`], which reads the folder.

use crate::tidy::SourceFile;
use anyhow::{Context as _, Result, ensure};
use hufu_edge::counter::tablets::gate::PAIR_PATH;
use std::collections::BTreeSet;
use std::path::Path;

/// Where the counter page's code lies.
const COUNTER: &str = "edge/src/counter";
/// Where the tests of a file begin.
const TESTS: &str = "#[cfg(test)]";

/// How a browser comes to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// By opening it.
    Get,
    /// By sending a form.
    Post,
}

/// An address with a way to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The way.
    pub method: Method,
    /// As it is registered: `/undo/{seq}`.
    pub address: String,
}

/// All routes of the counter page in the tree at `root`.
///
/// # Errors
/// When the tree cannot be read, or registers a route in a way that is not understood.
pub fn of_counter(root: &Path) -> Result<BTreeSet<Route>> {
    let mut all = BTreeSet::new();
    for file in crate::tidy::tree::read(&root.join(COUNTER))? {
        all.extend(in_file(&file).with_context(|| format!("{COUNTER}/{}", file.path))?);
    }
    ensure!(!all.is_empty(), "no route is registered under {COUNTER}");
    // The one address that the gate of the network answers by itself.
    let pair = |method| Route { method, address: PAIR_PATH.to_owned() };
    all.extend([pair(Method::Get), pair(Method::Post)]);
    Ok(all)
}

/// The routes that a file registers outside its tests.
fn in_file(file: &SourceFile) -> Result<BTreeSet<Route>> {
    let mut routes = BTreeSet::new();
    if !file.path.ends_with(".rs") || file.path.split('/').any(|part| part == "tests" || part == "tests.rs") {
        return Ok(routes);
    }
    let code = file.text.split(TESTS).next().unwrap_or_default();
    for call in code.split(".route(").skip(1) {
        let call = until_closed(call).context("a call of `route` does not end")?;
        let (address, handlers) = call.split_once(',').with_context(|| format!("`{call}`"))?;
        let address = address.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let address = address.with_context(|| format!("`{call}` names its address by no plain text"))?;
        let before = routes.len();
        for (word, method) in [("get(", Method::Get), ("post(", Method::Post)] {
            if handlers.contains(word) {
                routes.insert(Route { method, address: address.to_owned() });
            }
        }
        ensure!(routes.len() > before, "`{call}` has neither `get` nor `post`, or is there twice");
    }
    Ok(routes)
}

/// What stands before the bracket that closes the call.
fn until_closed(text: &str) -> Option<&str> {
    let mut open = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' if open == 0 => return Some(&text[..at]),
            ')' => open -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile { path: "routes.rs".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn routes_are_read_with_their_methods_and_tests_are_left_out() {
        let text = "Router::new()\n.route(\"/\", get(page))\n.route(\n    \"/undo/{seq}\",\n    get(a::b(1)).post(c),\n)\n\
                    #[cfg(test)]\n.route(\"/test\", get(x))";
        let met = in_file(&file(text)).expect("understood");
        let names: Vec<_> = met.iter().map(|route| (route.method, route.address.as_str())).collect();
        assert_eq!(names, [(Method::Get, "/"), (Method::Get, "/undo/{seq}"), (Method::Post, "/undo/{seq}")]);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for text in [".route(PATH, get(x))", ".route(\"/x\", any(x))", ".route(\"/x\", get(x"] {
            assert!(in_file(&file(text)).is_err(), "{text}");
        }
    }
}
