//! Packages: a reason for each that we name, budgets of what Linux builds, no second major version.
//!
//! The texts of `Cargo.toml`, `Cargo.lock` and `cargo tree` come in as arguments.

use super::{Finding, SourceFile};
use std::collections::{BTreeMap, BTreeSet};

/// The most packages in `Cargo.lock`.
pub const LOCK_PACKAGES_MAX: usize = 600;
/// Each program's budget of packages that Linux builds.
pub const BUDGETS: [(&str, usize); 2] = [("hufu-edge", 350), ("hufu-central", 400)];
/// The table of all versions.
const TABLE: &str = "[workspace.dependencies]";

/// Names of the external crates in the root `Cargo.toml`, as the registry writes them.
#[must_use]
pub fn named(root_toml: &str) -> Vec<String> {
    table(root_toml).filter_map(|(_, line)| dependency(line)).map(str::to_owned).collect()
}

/// Each direct dependency stands below a line that says why it is there (a neighbour's reason may cover it).
#[must_use]
pub fn check_reasons(root_toml: &str) -> Vec<Finding> {
    let mut reason = false;
    let mut findings = Vec::new();
    for (number, line) in table(root_toml) {
        if let Some(comment) = line.strip_prefix('#') {
            reason = !comment.trim_start().starts_with("---");
        } else if line.trim().is_empty() {
            reason = false;
        } else if let Some(name) = dependency(line)
            && !reason
        {
            findings.push(Finding::new(
                "Cargo.toml",
                number,
                format!("{name} has no line of reason above it"),
            ));
        }
    }
    findings
}

/// A crate takes versions from the workspace only.
#[must_use]
pub fn check_versions_in_one_place(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut inside = false;
    for (index, line) in file.text.lines().enumerate() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if inside && line.contains('=') && !line.starts_with('#') && !line.contains("workspace = true")
        {
            findings.push(Finding::new(&file.path, index + 1, "a version outside the root Cargo.toml"));
        }
    }
    findings
}

/// The lock file's length.
#[must_use]
pub fn check_lock(lock: &str) -> Option<Finding> {
    let packages = lock.lines().filter(|line| *line == "[[package]]").count();
    (packages > LOCK_PACKAGES_MAX)
        .then(|| Finding::new("Cargo.lock", 0, format!("{packages} packages, at most {LOCK_PACKAGES_MAX}")))
}

/// A lock file of a workspace of its own names all that a crate of ours needs: `manifest` is the text of the crate's
/// `Cargo.toml`, `lock` that of the lock file at `path`. Else whoever builds there with `--locked` is turned away.
#[must_use]
pub fn check_follows(path: &str, lock: &str, manifest: &str) -> Vec<Finding> {
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = ")).unwrap_or_default();
    let head = format!("[[package]]\nname = {name}\n");
    let Some((_, rest)) = lock.split_once(&head) else { return Vec::new() };
    let own = rest.split("[[package]]").next().unwrap_or_default();
    let held: BTreeSet<&str> = own
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"'))
        .filter_map(|line| line.split(['"', ' ']).next())
        .collect();
    let needs = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let needs = needs.take_while(|line| !line.starts_with('[')).filter(|line| !line.contains("optional"));
    let names = needs.filter_map(|line| line.split(['.', ' ', '=']).next()).filter(|name| !name.is_empty());
    names
        .filter(|name| !name.starts_with('#') && !held.contains(name))
        .map(|missing| Finding::new(path, 0, format!("{name} needs {missing}: run cargo update there")))
        .collect()
}

/// Packages of a `cargo tree --prefix none`: name to versions.
#[must_use]
pub fn packages(tree: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) =
            (words.next(), words.next().and_then(|word| word.strip_prefix('v')))
        {
            packages.entry(name.to_owned()).or_default().insert(version.to_owned());
        }
    }
    packages
}

/// One program's budget.
#[must_use]
pub fn check_budget(program: &str, budget: usize, tree: &str) -> Option<Finding> {
    let count: usize = packages(tree).values().map(BTreeSet::len).sum();
    (count > budget)
        .then(|| Finding::new(program, 0, format!("{count} packages are built, at most {budget}")))
}

/// A crate that we name is built once: two major versions mean that two halves of Hufu speak past each other.
#[must_use]
pub fn check_one_major(named: &[String], tree: &str) -> Vec<Finding> {
    let packages = packages(tree);
    let mut findings = Vec::new();
    for name in named {
        let versions = packages.get(name).cloned().unwrap_or_default();
        let majors: BTreeSet<String> = versions.iter().map(|version| major(version)).collect();
        if majors.len() > 1 {
            findings.push(Finding::new(
                "Cargo.lock",
                0,
                format!("{name} is built in several versions: {versions:?}"),
            ));
        }
    }
    findings
}

/// What semantic versioning takes as incompatible: the first number that is not zero, and all before it.
fn major(version: &str) -> String {
    let numbers: Vec<&str> = version.split(['+', '-']).next().unwrap_or_default().split('.').collect();
    let end = numbers.iter().position(|number| *number != "0").map_or(numbers.len(), |at| at + 1);
    numbers[..end].join(".")
}

fn table(root_toml: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = root_toml.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.skip_while(|(_, line)| *line != TABLE).skip(1).take_while(|(_, line)| !line.starts_with('['))
}

fn dependency(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    let name = name.trim();
    (!name.starts_with('#') && !name.starts_with("hufu-") && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = "[package]\n[workspace.dependencies]\nhufu-x = 1\n# --- part ---\nbare = \"1\"\n\n# why\nwith = \"1\"\nalso = { a = 2 }\n\nlate = \"3\"\n[lints]\nx = 1\n";

    #[test]
    fn a_dependency_without_a_reason_is_named() {
        assert_eq!(named(TOML), ["bare", "with", "also", "late"]);
        assert_eq!(check_reasons(TOML).iter().map(|finding| finding.line).collect::<Vec<_>>(), [5, 11]);
    }

    #[test]
    fn a_version_outside_the_root_is_named() {
        let file = SourceFile::new(
            "edge/Cargo.toml",
            "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = \"1\"\n[[bin]]\npath = \"x\"\n",
        );
        assert_eq!(check_versions_in_one_place(&file).iter().map(|f| f.line).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn budgets_can_be_passed() {
        assert_eq!(check_lock(&"[[package]]\n".repeat(600)), None);
        assert!(check_lock(&"[[package]]\n".repeat(601)).is_some());
        let tree = "a v1.0.0\nb v0.2.0 (proc-macro)\na v1.0.0 (*)\nc v2.0.0 (/x)\n";
        assert_eq!(check_budget("p", 3, tree), None);
        assert!(check_budget("p", 2, tree).is_some());
    }

    #[test]
    fn a_lock_file_that_lags_behind_a_manifest_is_named() {
        let manifest = "[package]\nname = \"ours\"\n[dependencies]\n# why\na.workspace = true\nb = { workspace = true }\n\
                        c = { workspace = true, optional = true }\n[dev-dependencies]\nd.workspace = true\n";
        let lock = |needs: &str| {
            format!(
                "[[package]]\nname = \"b\"\n\n[[package]]\nname = \"ours\"\ndependencies = [\n{needs}]\n\n[[package]]\n"
            )
        };
        assert!(check_follows("x", &lock(" \"a\",\n \"b 2.0.0\",\n"), manifest).is_empty());
        let findings = check_follows("x", &lock(" \"a\",\n"), manifest);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].what.contains("needs b"), "{}", findings[0]);
        assert!(check_follows("x", "[[package]]\nname = \"other\"\n", manifest).is_empty());
    }

    #[test]
    fn a_second_major_version_is_named_and_a_second_minor_one_is_not() {
        let ours: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let tree = "a v1.0.0\na v1.2.0\nb v0.2.0\nb v0.3.1\nc v0.0.1\nc v0.0.1+x\nz v1.0.0\nz v2.0.0\n";
        let findings = check_one_major(&ours, tree);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].what.starts_with("b is built"), "{}", findings[0]);
    }
}
