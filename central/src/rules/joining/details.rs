//! What the club keeps of a member beside the base data: kind, representative, tags, fields of its own.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::{CustomField, FieldGroup, MemberDetailSet};
use hufu_shared::ids::{Hash, MemberId, OperatorId};

use super::eligible::is_organisation;
use super::fields;

/// Tags of one member at most.
pub const TAGS_MAX: usize = 20;
/// Characters of a tag at most.
pub const TAG_CHARS_MAX: usize = 20;
/// Fields of one group at most.
pub const GROUP_FIELDS_MAX: usize = 60;
/// Codes of what a value must look like.
pub const FORMATS: [&str; 7] = ["text", "number", "date", "postcode", "qq", "email", "choice"];
/// Digits of a number at most.
const NUMBER_CHARS_MAX: usize = 18;

/// Why details, a group or a value cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DetailError {
    /// A person speaks for themselves.
    #[error("a representative is for organisations only")]
    Representative,
    /// An organisation that has a representative keeps one: the change names the successor (E2).
    #[error("an organisation's representative leaves only when a successor is named")]
    Successor,
    /// Nobody recommends themselves.
    #[error("the referrer is the member itself")]
    Referrer,
    /// A tag is empty, too long, or stands twice.
    #[error("up to {TAGS_MAX} tags of 1 to {TAG_CHARS_MAX} characters, each once")]
    Tags,
    /// A group cannot be set up so.
    #[error(
        "a group of up to {GROUP_FIELDS_MAX} fields with a code, words in both languages and a known format each"
    )]
    Group,
    /// A group that would protect less than it promised, or a field of another format.
    #[error("a group keeps the formats of its fields, and never protects them less")]
    Weaker,
    /// No such field to be filled in.
    #[error("field {code} is none of the group's, or is filled in no more")]
    Field {
        /// Its code.
        code: String,
    },
    /// The value is none of the field's format.
    #[error("field {code} expects {format}")]
    Value {
        /// The field.
        code: String,
        /// What it holds.
        format: String,
    },
}

/// Whether details can be kept of a member whose representative was `before`.
///
/// # Errors
/// [`DetailError`].
pub fn check(set: &MemberDetailSet, before: Option<Hash>) -> Result<(), DetailError> {
    let is_organisation = is_organisation(&set.kind);
    if set.representative.is_some() && !is_organisation {
        return Err(DetailError::Representative);
    }
    if is_organisation && before.is_some() && set.representative.is_none() {
        return Err(DetailError::Successor);
    }
    if set.referrer == Some(set.member) {
        return Err(DetailError::Referrer);
    }
    Ok(())
}

/// Whether a member can have these tags.
///
/// # Errors
/// [`DetailError::Tags`].
pub fn check_tags(tags: &[String]) -> Result<BTreeSet<String>, DetailError> {
    let distinct: BTreeSet<String> = tags.iter().cloned().collect();
    let fits = |tag: &String| {
        let chars = tag.chars().count();
        tag.trim() == tag && (1..=TAG_CHARS_MAX).contains(&chars) && !tag.contains(char::is_control)
    };
    let good = tags.len() <= TAGS_MAX && distinct.len() == tags.len() && tags.iter().all(fits);
    if good { Ok(distinct) } else { Err(DetailError::Tags) }
}

/// Whether a group can be set up so.
///
/// # Errors
/// [`DetailError::Group`].
pub fn check_group(group: &FieldGroup) -> Result<(), DetailError> {
    let is_code = |code: &str| {
        (1..=40).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let has_words =
        |words: &hufu_shared::scheme::Words| !words.zh.trim().is_empty() && !words.en.trim().is_empty();
    let is_field = |field: &CustomField| {
        is_code(&field.code)
            && has_words(&field.words)
            && FORMATS.contains(&field.format.as_str())
            && (field.format == "choice") != field.choices.is_empty()
            && field.choices.iter().all(has_words)
    };
    let codes: BTreeSet<&String> = group.fields.iter().map(|field| &field.code).collect();
    let good = is_code(&group.code)
        && has_words(&group.words)
        && codes.len() == group.fields.len()
        && group.fields.len() <= GROUP_FIELDS_MAX
        && group.fields.iter().all(is_field);
    if good { Ok(()) } else { Err(DetailError::Group) }
}

/// A group as it stands after it was set up anew. What is left out stays to be read, and is filled in no more; a field
/// keeps its format, and a group never becomes less protected, since what stands there was promised to be.
///
/// # Errors
/// [`DetailError::Group`] or [`DetailError::Weaker`].
pub fn succeed(before: Option<&FieldGroup>, next: &FieldGroup) -> Result<FieldGroup, DetailError> {
    check_group(next)?;
    let Some(before) = before else { return Ok(next.clone()) };
    let mut group = next.clone();
    for known in &before.fields {
        match next.fields.iter().find(|field| field.code == known.code) {
            Some(field) if field.format != known.format => return Err(DetailError::Weaker),
            Some(_) => {}
            None => group.fields.push(CustomField { retired: true, ..known.clone() }),
        }
    }
    if next.class < before.class {
        return Err(DetailError::Weaker);
    }
    check_group(&group)?;
    Ok(group)
}

/// All values of a group in the form that is kept; fields that were left empty are left out.
///
/// # Errors
/// [`DetailError::Field`] or [`DetailError::Value`] of the first that cannot be kept.
pub fn values<'a>(
    group: &FieldGroup,
    written: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<BTreeMap<String, String>, DetailError> {
    let filled = written.into_iter().filter(|field| !field.1.trim().is_empty());
    filled.map(|(code, text)| Ok((code.to_owned(), value(group, code, text)?))).collect()
}

/// A value of a group's field in the form that is kept.
///
/// # Errors
/// [`DetailError::Field`] or [`DetailError::Value`].
pub fn value(group: &FieldGroup, code: &str, written: &str) -> Result<String, DetailError> {
    let field = group.fields.iter().find(|field| field.code == code && !field.retired && !group.retired);
    let field = field.ok_or_else(|| DetailError::Field { code: code.to_owned() })?;
    let text = written.trim();
    let kept = match field.format.as_str() {
        "number" => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
            let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            (is_digits(whole) && is_digits(part) && text.len() <= NUMBER_CHARS_MAX).then(|| text.to_owned())
        }
        "date" => text.parse::<hufu_shared::time::Day>().ok().map(|day| day.to_string()),
        "postcode" => fields::postcode(text).ok(),
        "qq" => fields::qq(text).ok(),
        "email" => fields::email(text).ok(),
        "choice" => field
            .choices
            .iter()
            .find(|words| words.zh == text || words.en == text)
            .map(|words| words.zh.clone()),
        _ => fields::note(text).ok().filter(|text| !text.is_empty()),
    };
    let format = field.format.clone();
    kept.ok_or_else(|| DetailError::Value { code: code.to_owned(), format })
}

/// What is known of a member's details.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// Dictionary code of the kind.
    pub kind: String,
    /// Who recommended the member.
    pub referrer: Option<MemberId>,
    /// Commitment to the representative.
    pub representative: Option<Hash>,
    /// Commitment to the club's tags.
    pub tags: Option<Hash>,
    /// Who of a dealer's people cares for the member (L1).
    pub carer: Option<OperatorId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::act::Sensitivity;
    use hufu_shared::scheme::Words;

    fn set(kind: &str, representative: Option<u8>) -> MemberDetailSet {
        MemberDetailSet {
            member: MemberId([1; 16]),
            kind: kind.to_owned(),
            referrer: None,
            representative: representative.map(|n| Hash([n; 32])),
            tags: None,
            reason: Hash([0; 32]),
        }
    }

    #[test]
    fn rule_e02_an_organisation_has_one_representative_and_a_change_names_the_successor() {
        let before = Some(Hash([7; 32]));
        for (kind, now, before, expected) in [
            ("organisation", None, None, Ok(())),
            ("organisation", Some(8), None, Ok(())),
            ("organisation", Some(8), before, Ok(())),
            ("organisation", None, before, Err(DetailError::Successor)),
            ("dealer", None, before, Err(DetailError::Successor)),
            ("person", Some(8), None, Err(DetailError::Representative)),
            ("person", None, before, Ok(())),
        ] {
            assert_eq!(check(&set(kind, now), before), expected, "{kind} {now:?} after {before:?}");
        }
    }

    #[test]
    fn rule_v02_tags_are_short_and_each_stands_once() {
        let met = |tags: &[&str]| {
            let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
            check_tags(&tags).map(|kept| kept.len())
        };
        assert_eq!(met(&["老业主", "高尔夫"]), Ok(2));
        for bad in
            [&["老业主", "老业主"][..], &[""], &[" 业主"], &["一二三四五六七八九十一二三四五六七八九十一"]]
        {
            assert_eq!(met(bad), Err(DetailError::Tags), "{bad:?}");
        }
        let itself = MemberDetailSet { referrer: Some(MemberId([1; 16])), ..set("person", None) };
        assert_eq!(check(&itself, None), Err(DetailError::Referrer));
    }

    fn words(zh: &str) -> Words {
        Words { zh: zh.to_owned(), en: format!("{zh}-en") }
    }

    fn skin() -> FieldGroup {
        let field = |code: &str, format: &str, choices: Vec<Words>| CustomField {
            code: code.to_owned(),
            words: words(code),
            format: format.to_owned(),
            choices,
            retired: code == "old",
        };
        FieldGroup {
            code: "skin".to_owned(),
            words: words("皮肤档案"),
            class: Sensitivity::Sensitive,
            fields: vec![
                field("height_cm", "number", vec![]),
                field("blood", "choice", vec![words("A型"), words("O型")]),
                field("history", "text", vec![]),
                field("first_visit", "date", vec![]),
                field("postcode", "postcode", vec![]),
                field("old", "text", vec![]),
            ],
            retired: false,
        }
    }

    #[test]
    fn rule_y01_z01_a_field_of_the_clubs_own_holds_what_its_format_says() {
        check_group(&skin()).expect("a good group");
        for (code, written, expected) in [
            ("height_cm", "172.5", Some("172.5")),
            ("height_cm", "tall", None),
            ("blood", "A型-en", Some("A型")),
            ("blood", "B型", None),
            ("history", " 无 ", Some("无")),
            ("history", "", None),
            ("first_visit", "2026-02-28", Some("2026-02-28")),
            ("first_visit", "2026-02-30", None),
            ("postcode", "１００020", Some("100020")),
            ("old", "text", None),
            ("unknown", "text", None),
        ] {
            assert_eq!(value(&skin(), code, written).ok().as_deref(), expected, "{code} {written}");
        }
        let retired = FieldGroup { retired: true, ..skin() };
        assert!(value(&retired, "history", "无").is_err(), "filled in no more");
    }

    #[test]
    fn rule_y01_a_group_names_its_fields_well_and_once() {
        let wrong = |change: fn(&mut FieldGroup)| {
            let mut group = skin();
            change(&mut group);
            assert_eq!(check_group(&group), Err(DetailError::Group));
        };
        wrong(|group| group.code = "Skin".to_owned());
        wrong(|group| group.words.en.clear());
        wrong(|group| group.fields[1].code = "height_cm".to_owned());
        wrong(|group| group.fields[0].format = "colour".to_owned());
        wrong(|group| group.fields[1].choices.clear());
        assert_eq!(Sensitivity::from_code(skin().class.code()), Some(Sensitivity::Sensitive));
    }

    #[test]
    fn rule_y01_d02_what_a_group_leaves_out_stays_to_be_read_and_protection_never_goes_down() {
        let before = skin();
        let mut next = skin();
        next.fields.remove(2);
        let group = succeed(Some(&before), &next).expect("a good group");
        let old = group.fields.iter().find(|field| field.code == "history").expect("still there");
        assert!(old.retired && value(&group, "history", "无").is_err(), "read, and filled in no more");
        let weaker = FieldGroup { class: Sensitivity::Personal, ..skin() };
        assert_eq!(succeed(Some(&before), &weaker), Err(DetailError::Weaker));
        assert!(succeed(Some(&weaker), &before).is_ok(), "it may be protected more");
        let mut other = skin();
        other.fields[0].format = "text".to_owned();
        assert_eq!(succeed(Some(&before), &other), Err(DetailError::Weaker));
    }

    #[test]
    fn rule_y01_what_was_left_empty_is_not_kept_and_one_bad_value_refuses_all() {
        let kept = values(&skin(), [("height_cm", "172"), ("history", " "), ("blood", "O型")]);
        let expected = [("blood", "O型"), ("height_cm", "172")];
        let expected: Vec<(String, String)> =
            expected.map(|(code, text)| (code.to_owned(), text.to_owned())).to_vec();
        assert_eq!(kept.map(|kept| kept.into_iter().collect::<Vec<_>>()), Ok(expected));
        assert!(values(&skin(), [("height_cm", "172"), ("blood", "B型")]).is_err());
    }
}
