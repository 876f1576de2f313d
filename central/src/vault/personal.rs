//! What is known of a person.
//!
//! Invariant: nothing here shows itself by accident; `Debug` masks, and there is no `Display` or `Serialize`.

use hufu_shared::time::Day;

use super::mask;

/// How a person wishes to be addressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sex {
    /// 女士.
    Female,
    /// 先生.
    Male,
    /// Not known, or not told.
    #[default]
    Unknown,
}

impl Sex {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 3] =
        [(Self::Female, "female"), (Self::Male, "male"), (Self::Unknown, "unknown")];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|(sex, _)| *sex == self).map_or("unknown", |(_, code)| code)
    }

    /// Of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|(_, known)| *known == code).map(|(sex, _)| *sex)
    }
}

/// A kind of identity document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// 居民身份证.
    IdentityCard,
    /// 护照.
    Passport,
    /// 港澳居民来往内地通行证.
    HongKongMacauPermit,
    /// 台湾居民来往大陆通行证.
    TaiwanPermit,
    /// 外国人永久居留身份证.
    ForeignResident,
    /// Anything else.
    Other,
}

impl DocumentKind {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 6] = [
        (Self::IdentityCard, "identity_card"),
        (Self::Passport, "passport"),
        (Self::HongKongMacauPermit, "hong_kong_macau_permit"),
        (Self::TaiwanPermit, "taiwan_permit"),
        (Self::ForeignResident, "foreign_resident"),
        (Self::Other, "other"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, code)| code)
    }

    /// Of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|(_, known)| *known == code).map(|(kind, _)| *kind)
    }
}

/// An identity document.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// Its kind.
    pub kind: DocumentKind,
    /// Its number, as [`super::document::check`] gave it.
    pub number: String,
}

/// Everything personal that the centre holds of one member.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Personal {
    /// As the person writes it; at most [`NAME_CHARS_MAX`] characters.
    pub name: String,
    /// How to address them.
    pub sex: Sex,
    /// As [`super::normal::mobile`] gave it: 11 digits, or `+` and digits.
    pub mobile: Option<String>,
    /// Phone at home, in the same form.
    pub home_phone: Option<String>,
    /// Identity document, unless the club holds none.
    pub document: Option<Document>,
    /// Day of birth.
    pub birthday: Option<Day>,
    /// Postal address, free text.
    pub address: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// What staff noted, free text.
    pub remark: Option<String>,
}

impl Personal {
    /// What stands in a field, by its dictionary code; none where nothing does, or for a code of no field.
    #[must_use]
    pub fn field(&self, code: &str) -> Option<String> {
        match code {
            "name" => Some(self.name.clone()),
            "sex" => Some(self.sex.code().to_owned()),
            "mobile" => self.mobile.clone(),
            "home_phone" => self.home_phone.clone(),
            "document" => self.document.as_ref().map(|document| document.number.clone()),
            "birthday" => self.birthday.map(|day| day.to_string()),
            "address" => self.address.clone(),
            "email" => self.email.clone(),
            "remark" => self.remark.clone(),
            _ => None,
        }
    }
}

/// Longest name, in characters.
pub const NAME_CHARS_MAX: usize = 50;

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.code(), mask::document(&self.number))
    }
}

impl std::fmt::Debug for Personal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Personal")
            .field("name", &mask::name(&self.name))
            .field("mobile", &self.mobile.as_deref().map(mask::mobile))
            .field("document", &self.document)
            .finish_non_exhaustive()
    }
}
