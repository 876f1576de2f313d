//! Whether a masked name may be whom staff look for while offline.
//!
//! The terminal knows 欧阳*玥 and staff type 欧阳堃玥, 欧阳 or 欧阳*玥. What the mask hides is never guessed: every name that
//! may be meant is shown, and staff compare (rule H2). Out of scope: which members are looked through.

/// The character that hides others.
const MASK: char = '*';

/// Whether a typed text may mean a name of which only the ends are known.
#[must_use]
pub fn may_mean(masked: &str, typed: &str) -> bool {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '\u{3000}').collect();
    if typed.is_empty() {
        return false;
    }
    let Some((head, rest)) = masked.split_once(MASK) else { return masked.starts_with(&typed) };
    let tail = rest.trim_start_matches(MASK);
    let hides = |whole: &str| {
        let inner = whole.strip_prefix(head).and_then(|inner| inner.strip_suffix(tail));
        inner.is_some_and(|inner| !inner.is_empty())
    };
    head.starts_with(&typed) || typed == masked || hides(&typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_up_a_masked_name_is_found_by_the_whole_name_by_its_beginning_and_as_it_stands() {
        let table = [
            ("欧阳*玥", "欧阳堃玥", true),
            ("欧阳*玥", "欧阳", true),
            ("欧阳*玥", "欧", true),
            ("欧阳*玥", "欧阳*玥", true),
            ("欧阳*玥", "欧 阳\u{3000}堃 玥", true),
            ("欧阳*玥", "欧阳玥", false),
            ("欧阳*玥", "堃", false),
            ("欧阳*玥", "欧阳堃明", false),
            ("张*", "张三", true),
            ("张*", "张三丰", true),
            ("张*", "章三", false),
            ("Z**g", "Zhang", true),
            ("", "张", false),
            ("张*", " ", false),
        ];
        for (masked, typed, expected) in table {
            assert_eq!(may_mean(masked, typed), expected, "{masked} {typed}");
        }
    }
}
