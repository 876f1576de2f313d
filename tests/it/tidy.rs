//! The house rules over the real tree; the rules themselves and their own tests are in `hufu_tests::tidy`.

use anyhow::{Context as _, Result, ensure};
use hufu_tests::kit::process::tree_root;
use hufu_tests::tidy::{Finding, comments, dependencies, layers, locale, size, tree, words};
use std::process::Command;

fn pass(findings: &[Finding]) -> Result<()> {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    ensure!(findings.is_empty(), "{} breaches:\n{}", lines.len(), lines.join("\n"));
    Ok(())
}

fn root_toml() -> Result<String> {
    std::fs::read_to_string(tree_root().join("Cargo.toml")).context("failed to read Cargo.toml")
}

/// What Linux builds of a program, one package a line.
fn cargo_tree(package: &str) -> Result<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "-e", "normal,build", "--prefix", "none", "-p", package])
        .current_dir(tree_root())
        .output()
        .context("failed to run cargo tree")?;
    ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).context("cargo tree printed no text")
}

#[test]
fn tidy_imports_go_down_only() -> Result<()> {
    let crates: Vec<String> =
        dependencies::named(&root_toml()?).iter().map(|name| name.replace('-', "_")).collect();
    let files = tree::read(&tree_root())?;
    let findings: Vec<Finding> =
        files.iter().filter(|file| file.is_rust()).flat_map(|file| layers::check(file, &crates)).collect();
    pass(&findings)
}

#[test]
fn tidy_files_and_functions_are_short_and_modules_say_what_they_are_for() -> Result<()> {
    let files = tree::read(&tree_root())?;
    let findings: Vec<Finding> = files.iter().filter(|file| file.is_rust()).flat_map(size::check).collect();
    pass(&findings)
}

#[test]
fn tidy_words_and_names_that_do_not_belong_are_not_there() -> Result<()> {
    let files = tree::read(&tree_root())?;
    let mut findings: Vec<Finding> = files.iter().flat_map(words::check).collect();
    findings.extend(words::check_top_level(&tree::top_level(&tree_root())?));
    pass(&findings)
}

#[test]
fn tidy_comments_are_neither_scarce_nor_a_flood() -> Result<()> {
    pass(&comments::check(&tree::read(&tree_root())?))
}

#[test]
fn tidy_both_languages_are_complete() -> Result<()> {
    pass(&locale::check(&tree::read(&tree_root())?))
}

#[test]
fn tidy_every_dependency_has_a_reason_and_one_version() -> Result<()> {
    let root_toml = root_toml()?;
    let mut findings = dependencies::check_reasons(&root_toml);
    let files = tree::read(&tree_root())?;
    let manifests =
        files.iter().filter(|file| file.path.matches('/').count() == 1 && file.path.ends_with("/Cargo.toml"));
    findings.extend(manifests.flat_map(dependencies::check_versions_in_one_place));
    let built: String = ["hufu-edge", "hufu-central"].into_iter().map(cargo_tree).collect::<Result<_>>()?;
    findings.extend(dependencies::check_one_major(&dependencies::named(&root_toml), &built));
    pass(&findings)
}

#[test]
fn tidy_the_fuzz_targets_lock_follows_the_crates() -> Result<()> {
    let files = tree::read(&tree_root())?;
    let path = "tests/fuzz/Cargo.lock";
    let lock = std::fs::read_to_string(tree_root().join(path)).context("failed to read their lock")?;
    let manifests =
        files.iter().filter(|file| file.path.matches('/').count() == 1 && file.path.ends_with("/Cargo.toml"));
    let findings: Vec<Finding> =
        manifests.flat_map(|file| dependencies::check_follows(path, &lock, &file.text)).collect();
    pass(&findings)
}

#[test]
fn tidy_package_budgets_are_kept() -> Result<()> {
    let lock =
        std::fs::read_to_string(tree_root().join("Cargo.lock")).context("failed to read Cargo.lock")?;
    let mut findings: Vec<Finding> = dependencies::check_lock(&lock).into_iter().collect();
    for (program, budget) in dependencies::BUDGETS {
        findings.extend(dependencies::check_budget(program, budget, &cargo_tree(program)?));
    }
    pass(&findings)
}
