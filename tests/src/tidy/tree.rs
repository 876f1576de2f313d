//! Reads the work tree: every text file that belongs to it, in a fixed order.

use super::SourceFile;
use anyhow::{Context as _, Result};
use std::path::Path;

/// Folders that builds and tools make.
const NOT_OURS: [&str; 4] = ["target", ".git", ".cache", "node_modules"];

/// Every UTF-8 file under `root`, sorted by path.
///
/// # Errors
/// When a folder or file cannot be read; names it.
pub fn read(root: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("failed to list {}", folder.display()))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if !NOT_OURS.contains(&name.as_ref()) {
                    folders.push(path);
                }
                continue;
            }
            // Pictures, fonts and golden messages have no lines to judge; a file that has gone since the listing
            // was another program's scratch.
            let Ok(bytes) = std::fs::read(&path) else { continue };
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let relative = path.strip_prefix(root).context("a path outside the tree")?;
            files.push(SourceFile { path: relative.to_string_lossy().replace('\\', "/"), text });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The names at the top level, without what tools make.
///
/// # Errors
/// When the root cannot be listed.
pub fn top_level(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root).with_context(|| format!("failed to list {}", root.display()))? {
        let name = entry.context("failed to list the root")?.file_name().to_string_lossy().into_owned();
        if name != "target" {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
