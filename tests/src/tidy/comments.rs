//! The share of comments: enough that a reader learns why, not so much that it hides the code.
//!
//! Share = lines that begin with `//` over all lines, tests included, as the share of other code bases is measured.
//! A crate is judged once it has a body.

use super::{Finding, SourceFile};

/// Below this many lines a share says nothing.
const LINES_MIN: usize = 400;

/// What a share is measured over, and its bounds in per cent.
struct Bound {
    name: &'static str,
    at_least: f64,
    at_most: f64,
    belongs: fn(&SourceFile) -> bool,
}

const BOUNDS: [Bound; 4] = [
    Bound {
        name: "shared",
        at_least: 20.0,
        at_most: 40.0,
        belongs: |file| file.path.starts_with("shared/src/"),
    },
    Bound {
        name: "hardware (traits)",
        at_least: 20.0,
        at_most: 40.0,
        belongs: |file| {
            file.path.starts_with("hardware/src/")
                && file.text.lines().any(|line| line.starts_with("pub trait "))
        },
    },
    Bound { name: "edge", at_least: 8.0, at_most: 15.0, belongs: |file| file.path.starts_with("edge/src/") },
    Bound {
        name: "central",
        at_least: 8.0,
        at_most: 15.0,
        belongs: |file| file.path.starts_with("central/src/"),
    },
];

/// Judges all crates.
#[must_use]
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    BOUNDS.iter().filter_map(|bound| judge(bound, files)).collect()
}

fn judge(bound: &Bound, files: &[SourceFile]) -> Option<Finding> {
    let (mut comments, mut lines) = (0_u32, 0_u32);
    for file in files.iter().filter(|file| file.is_rust() && (bound.belongs)(file)) {
        for line in file.text.lines() {
            lines += 1;
            comments += u32::from(line.trim_start().starts_with("//"));
        }
    }
    let share = 100.0 * f64::from(comments) / f64::from(lines.max(1));
    let judged = usize::try_from(lines).is_ok_and(|lines| lines >= LINES_MIN);
    (judged && !(bound.at_least..=bound.at_most).contains(&share)).then(|| {
        let Bound { name, at_least, at_most, .. } = bound;
        Finding::new(
            name,
            0,
            format!("{share:.1} % of {lines} lines are comments, wanted {at_least} to {at_most} %"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_with(share_percent: usize) -> Vec<SourceFile> {
        let text = (0..1000)
            .map(|n| if n % 100 < share_percent { "// why\n" } else { "code();\n" })
            .collect::<String>();
        vec![SourceFile::new("edge/src/a.rs", &text)]
    }

    #[test]
    fn too_few_and_too_many_comments_are_named() {
        assert_eq!(check(&crate_with(10)), []);
        assert_eq!(check(&crate_with(7)).len(), 1);
        assert_eq!(check(&crate_with(16)).len(), 1);
        assert_eq!(check(&[SourceFile::new("edge/src/a.rs", "code();\n")]), [], "a crate without a body");
    }

    #[test]
    fn hardware_is_judged_by_its_traits() {
        let bare = "pub trait Panel {}\n".repeat(LINES_MIN);
        assert_eq!(check(&[SourceFile::new("hardware/src/panel.rs", &bare)]).len(), 1);
        let driver = "impl Panel for Png {}\n".repeat(LINES_MIN);
        assert_eq!(check(&[SourceFile::new("hardware/src/png.rs", &driver)]), []);
    }
}
