//! The login that an account gets from its person's name (L2): of two characters the whole pinyin; of three or more the
//! first one whole and the initials of the rest; where somebody has it already, a number goes behind.

use pinyin::ToPinyin;

/// Numbers tried behind a login.
const TRIES_MAX: u32 = 1_000;

/// The login of a name; none for a name without a letter or sign that has a pinyin.
#[must_use]
pub fn of_name(name: &str, is_taken: impl Fn(&str) -> bool) -> Option<String> {
    let syllables: Vec<&str> =
        name.chars().filter_map(|c| c.to_pinyin()).map(|syllable| syllable.plain()).collect();
    let bare = match syllables.as_slice() {
        [] => name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase(),
        [_] | [_, _] => syllables.concat(),
        [first, rest @ ..] => {
            let initials = rest.iter().filter_map(|syllable| syllable.get(..1));
            [*first].into_iter().chain(initials).collect()
        }
    };
    if bare.is_empty() {
        return None;
    }
    let numbered = (2..TRIES_MAX).map(|n| format!("{bare}{n}"));
    std::iter::once(bare.clone()).chain(numbered).find(|login| !is_taken(login))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_l02_a_login_comes_from_the_name() {
        for (name, taken, expected) in [
            ("王伟", &[][..], Some("wangwei")),
            ("欧阳静", &[], Some("ouyj")),
            ("李小龙", &[], Some("lixl")),
            ("古丽·买买提", &[], Some("gulmmt")),
            ("王伟", &["wangwei"], Some("wangwei2")),
            ("王伟", &["wangwei", "wangwei2"], Some("wangwei3")),
            ("Anna Lee", &[], Some("annalee")),
            ("·", &[], None),
        ] {
            let met = of_name(name, |login| taken.contains(&login));
            assert_eq!(met.as_deref(), expected, "{name}");
        }
    }
}
