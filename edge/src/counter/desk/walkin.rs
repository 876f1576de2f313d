//! `/walkin`: 来访登记, 入会申请, 资料变更申请 and 投诉受理. Pure: text in, the content of a form or what is wrong out.
//!
//! What can be told wrong here is said here, since nobody can ask the guest again later; whether it is true is the
//! centre's to find out. Input methods leave full-width digits behind; they mean the same.
//! Invariant: nothing of a form reaches the run loop but what [`Written`] holds, sealed.

use askama::Template;
use hufu_shared::form::{COMPLAINT_KINDS, FormContent, VALUE_CHARS_MAX};
use hufu_shared::time::Day;

use super::super::pages::Frame;
use super::super::words::Ui;
use super::What;
use super::forms::{Field, Input, Spec, Wrong, folded, given};

/// Characters of a name at most (rule C3).
const NAME_CHARS_MAX: usize = 50;
/// Digits of a mobile number (rule C3).
const MOBILE_DIGITS: usize = 11;
/// Characters of an identity card's number.
const ID_CHARS: usize = 18;
/// Weights of the first 17 digits of an identity card's number (GB 11643).
const ID_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// Check digits by the remainder of the weighted sum.
const ID_CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
/// Hours within which an answer to a complaint can be promised, the usual one first.
const PROMISES: [&str; 4] = ["48", "24", "72", "168"];
const SEXES: [&str; 3] = ["", "female", "male"];
const URGENCIES: [&str; 2] = ["normal", "urgent"];

const NAME: Spec = Spec::typed("name", "text", NAME_CHARS_MAX, true);
const MOBILE: Spec = Spec::typed("mobile", "tel", 20, true);
const REMARK: Spec = Spec::typed("remark", "area", VALUE_CHARS_MAX, false);
const VISIT: [Spec; 4] = [
    Spec::typed("title", "text", NAME_CHARS_MAX, true),
    Spec { required: false, ..MOBILE },
    Spec::typed("adviser", "text", NAME_CHARS_MAX, false),
    REMARK,
];
const APPLY: [Spec; 8] = [
    NAME,
    MOBILE,
    Spec::list("sex", &SEXES),
    Spec::typed("document", "text", 30, false),
    Spec::typed("birthday", "date", 10, false),
    Spec::typed("address", "text", 200, false),
    Spec::typed("email", "email", 100, false),
    REMARK,
];
const CHANGE: [Spec; 6] = [
    Spec { required: false, ..MOBILE },
    Spec::typed("home_phone", "tel", 20, false),
    Spec::typed("address", "text", 200, false),
    Spec::typed("email", "email", 100, false),
    Spec { required: false, ..NAME },
    REMARK,
];
const COMPLAINT: [Spec; 6] = [
    Spec::list("kind", &COMPLAINT_KINDS),
    Spec::typed("matter", "area", VALUE_CHARS_MAX, true),
    Spec::list("urgency", &URGENCIES),
    Spec::list("hours", &PROMISES),
    Spec { required: false, ..NAME },
    Spec { required: false, ..MOBILE },
];

/// Which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 来访登记.
    Visit,
    /// 入会申请.
    Apply,
    /// 资料变更申请.
    Change,
    /// 投诉受理.
    Complaint,
}

impl Kind {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 4] = [Self::Visit, Self::Apply, Self::Change, Self::Complaint];

    /// Its code in addresses and keys.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Visit => "visit",
            Self::Apply => "apply",
            Self::Change => "change",
            Self::Complaint => "complaint",
        }
    }

    /// The form of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Its fields.
    #[must_use]
    pub fn specs(self) -> &'static [Spec] {
        match self {
            Self::Visit => &VISIT,
            Self::Apply => &APPLY,
            Self::Change => &CHANGE,
            Self::Complaint => &COMPLAINT,
        }
    }

    /// Whether the person must agree first: a member has, and who complains wants to be heard.
    #[must_use]
    pub fn asks_consent(self) -> bool {
        matches!(self, Self::Visit | Self::Apply)
    }
}

/// A form as it was written, to be sealed. `Debug` shows the names of its fields alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What kind of form it becomes.
    pub what: What,
    /// What only the centre will read.
    pub content: FormContent,
}

/// Reads a form; `today` is the office's.
///
/// # Errors
/// Everything that is wrong, in the order of the fields.
pub fn read(kind: Kind, input: &Input, today: Day) -> Result<Written, Wrong> {
    let mut wrong = Wrong::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for spec in kind.specs() {
        match value(spec, input, today) {
            Ok(Some(value)) => fields.push((spec.name.to_owned(), value)),
            Ok(None) => {}
            Err(key) => wrong.push((spec.name, key)),
        }
    }
    if kind.asks_consent() && given(input, "consent").is_none() {
        wrong.push(("consent", "desk-wrong-consent"));
    }
    let is_change = |field: &&(String, String)| field.0 != "remark";
    if kind == Kind::Change && wrong.is_empty() && !fields.iter().any(|field| is_change(&field)) {
        wrong.push(("mobile", "desk-wrong-nothing"));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let what = match kind {
        Kind::Visit => What::Visit,
        Kind::Apply => What::Application,
        Kind::Change => What::Change(fields.iter().filter(is_change).map(|field| field.0.clone()).collect()),
        Kind::Complaint => complaint(&mut fields),
    };
    Ok(Written { what, content: FormContent { fields } })
}

/// What of a complaint the centre must know without opening it leaves the sealed part.
fn complaint(fields: &mut Vec<(String, String)>) -> What {
    let mut take = |name: &str| {
        let at = fields.iter().position(|field| field.0 == name);
        at.map(|at| fields.remove(at).1).unwrap_or_default()
    };
    let (kind, urgency, hours) = (take("kind"), take("urgency"), take("hours"));
    What::Complaint { kind, urgent: urgency == "urgent", hours: hours.parse().unwrap_or_default() }
}

fn value(spec: &Spec, input: &Input, today: Day) -> Result<Option<String>, &'static str> {
    let Some(text) = given(input, spec.name) else {
        return if spec.required && spec.kind != "select" { Err("desk-wrong-required") } else { Ok(None) };
    };
    if spec.kind == "select" {
        return if spec.choices.contains(&text) {
            Ok(Some(text.to_owned()))
        } else {
            Err("desk-wrong-choice")
        };
    }
    let hidden = |c: char| c.is_control() && !(spec.kind == "area" && matches!(c, '\n' | '\r'));
    if text.chars().count() > spec.max || text.chars().any(hidden) {
        return Err("desk-wrong-length");
    }
    let read = match spec.name {
        "mobile" => mobile(text),
        "home_phone" => phone(text),
        "document" => document(text, today),
        "birthday" => birthday(text, today),
        "email" => email(text),
        _ => Ok(text.to_owned()),
    };
    read.map(Some)
}

fn mobile(text: &str) -> Result<String, &'static str> {
    let digits: String = folded(text).chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let digits = digits.strip_prefix("+86").or(digits.strip_prefix("0086")).unwrap_or(&digits);
    let good = digits.len() == MOBILE_DIGITS
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.starts_with('1')
        && matches!(digits.as_bytes().get(1), Some(b'3'..=b'9'));
    if good { Ok(digits.to_owned()) } else { Err("desk-wrong-mobile") }
}

fn phone(text: &str) -> Result<String, &'static str> {
    let plain: String = folded(text).chars().filter(|c| *c != ' ').collect();
    let digits = plain.chars().filter(char::is_ascii_digit).count();
    let good =
        (7..=15).contains(&digits) && plain.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '+'));
    if good { Ok(plain) } else { Err("desk-wrong-phone") }
}

/// An identity card's number is checked by its own digits; anything else is taken as another document (case 59).
fn document(text: &str, today: Day) -> Result<String, &'static str> {
    let plain: String = folded(text).chars().filter(|c| *c != ' ').collect::<String>().to_uppercase();
    let is_id = plain.chars().count() == ID_CHARS && plain.bytes().take(17).all(|byte| byte.is_ascii_digit());
    if is_id {
        let digits = plain.chars().filter_map(|c| c.to_digit(10));
        let sum: u32 = digits.zip(ID_WEIGHTS).map(|(digit, weight)| digit * weight).sum();
        let born = format!("{}-{}-{}", &plain[6..10], &plain[10..12], &plain[12..14]).parse::<Day>();
        let good = plain.ends_with(ID_CHECKS[usize::try_from(sum % 11).unwrap_or_default()])
            && born.is_ok_and(|born| born <= today);
        return if good { Ok(plain) } else { Err("desk-wrong-id") };
    }
    let good = (5..=20).contains(&plain.chars().count())
        && plain.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '(' | ')'));
    if good { Ok(plain) } else { Err("desk-wrong-document") }
}

fn birthday(text: &str, today: Day) -> Result<String, &'static str> {
    match text.parse::<Day>() {
        Ok(day) if day <= today => Ok(text.to_owned()),
        _ => Err("desk-wrong-birthday"),
    }
}

fn email(text: &str) -> Result<String, &'static str> {
    let plain = folded(text);
    let good = plain.is_ascii()
        && plain.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
        })
        && !plain.contains([' ', ',', ';']);
    if good { Ok(plain) } else { Err("desk-wrong-email") }
}

/// A link to one of the forms.
#[derive(Debug)]
pub struct Tab {
    /// Code of the form.
    pub code: &'static str,
    /// Its name.
    pub title: String,
    /// Whether it is open.
    pub current: bool,
}

/// The forms, one of them open.
#[derive(Debug, Template)]
#[template(path = "desk/walkin.html")]
pub struct WalkinPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Address of the desk pages' style sheet.
    pub style: &'a str,
    /// All forms.
    pub tabs: Vec<Tab>,
    /// The open form.
    pub form: FormPart,
    /// How many are wrong; none before the first try.
    pub wrong: Option<String>,
    /// Why the terminal did not take it.
    pub declined: Option<String>,
    /// What offline means for it.
    pub offline: Option<String>,
    /// Whose form it is: the guest of the page.
    pub guest: Option<Guest>,
    /// Whether the form cannot be used before a card was shown.
    pub needs_guest: bool,
}

/// The guest whose card was shown last.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Names the showing; another card has another number.
    pub n: u64,
    /// Name and card, for comparison.
    pub text: String,
}

/// One form as the template draws it.
#[derive(Debug)]
pub struct FormPart {
    /// Code of the form.
    pub code: &'static str,
    /// Names this form, so that it is taken once.
    pub once: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// The wording to agree to; none where nobody is asked.
    pub consent: Option<Consent>,
    /// What the button says.
    pub submit: String,
}

/// The wording that a person agrees to.
#[derive(Debug)]
pub struct Consent {
    /// The wording.
    pub text: String,
    /// Whether it was agreed to.
    pub given: bool,
    /// That it was not.
    pub error: Option<String>,
}

impl FormPart {
    /// A form with what was typed and what is wrong with it.
    #[must_use]
    pub fn new(kind: Kind, once: String, input: &Input, wrong: &Wrong, ui: &Ui) -> Self {
        let error = wrong.iter().find(|(name, _)| *name == "consent").map(|(_, key)| ui.t(key));
        Self {
            code: kind.code(),
            once,
            fields: kind.specs().iter().map(|spec| spec.field(input, wrong, ui)).collect(),
            consent: kind.asks_consent().then(|| Consent {
                text: ui.t(&format!("desk-consent-{}", kind.code())),
                given: given(input, "consent").is_some(),
                error,
            }),
            submit: ui.t(&format!("desk-submit-{}", kind.code())),
        }
    }
}

/// A form was taken.
#[derive(Debug, Template)]
#[template(path = "desk/taken.html")]
pub struct TakenPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Address of the desk pages' style sheet.
    pub style: &'a str,
    /// What was taken.
    pub title: String,
    /// Where it is now.
    pub said: String,
    /// Number and promise of a complaint.
    pub lines: Vec<(String, String)>,
    /// What a printer is asked for; none without a printer, or without anything to print.
    pub print: Option<String>,
    /// The application that follows a visit, filled in as far as the visit says.
    pub next: Option<FormPart>,
}
