//! Terms of joining and leaving: who may join, what a person is recognised by, how long things may wait, who leaves by
//! themselves.
//!
//! Set whole with the [`crate::policy::Policy`], so that every centre and every replay judges by the same words. Each
//! default is the reading of the rule books that suits a club which has said nothing; zero as a number of days means
//! that nothing ever lapses. Out of scope: what the words look like (dictionaries), and the personal data itself.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Days within which an application from the website is verified (rule G1: one week).
pub const VERIFY_DAYS: u16 = 7;
/// Days within which any other application is decided (rule E1; calendar days, because no source gives a calendar of
/// working days).
pub const APPLICATION_DAYS: u16 = 30;

/// What people are recognised by (X13), strongest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateKey {
    /// Number of the identity document.
    #[n(0)]
    Document,
    /// Mobile number.
    #[n(1)]
    Mobile,
    /// Phone at home.
    #[n(2)]
    HomePhone,
    /// Name.
    #[n(3)]
    Name,
}

/// What the club says about joining and leaving.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(default, deny_unknown_fields)]
pub struct JoiningTerms {
    /// Keys that tell by themselves that an applicant is a formal member, in order: the first that one member shares
    /// decides (K6).
    #[n(0)]
    pub decides_by: Vec<DuplicateKey>,
    /// Keys by which the two lists of look-alikes are made, strongest first (K7).
    #[n(1)]
    pub listed_by: Vec<DuplicateKey>,
    /// Days within which an application from the website is verified; then it lapses (G1, G2).
    #[n(2)]
    pub verify_days: u16,
    /// Days within which any other application is decided; then it lapses (E1).
    #[n(3)]
    pub application_days: u16,
    /// Whole years that an applicant must have lived (R1); 0 for no such rule. Organisations have no age.
    #[n(4)]
    pub min_age: u8,
    /// Whether the club's own staff may not join (G8).
    #[n(5)]
    pub excludes_staff: bool,
    /// Dictionary codes of the kinds of members that may join; empty for all.
    #[n(6)]
    pub kinds: Vec<String>,
    /// Who leaves without being asked (K11); none for nobody.
    #[n(7)]
    pub auto_leave: Option<AutoLeave>,
}

/// When somebody is put down as leaving without having asked (K11). A person still audits it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct AutoLeave {
    /// Dictionary code of the kind of leaving (K12).
    #[n(0)]
    pub kind: String,
    /// Days without any fact about the member, above zero.
    #[n(1)]
    pub idle_days: u16,
    /// Whether who still has points or stored value stays.
    #[n(2)]
    pub spares_value: bool,
}

/// What a scheme says about joining and leaving. What it leaves out is not the scheme's: there the club keeps its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JoiningSaid {
    /// See [`JoiningTerms::decides_by`].
    pub decides_by: Option<Vec<DuplicateKey>>,
    /// See [`JoiningTerms::listed_by`].
    pub listed_by: Option<Vec<DuplicateKey>>,
    /// See [`JoiningTerms::verify_days`].
    pub verify_days: Option<u16>,
    /// See [`JoiningTerms::application_days`].
    pub application_days: Option<u16>,
    /// See [`JoiningTerms::min_age`].
    pub min_age: Option<u8>,
    /// See [`JoiningTerms::excludes_staff`].
    pub excludes_staff: Option<bool>,
    /// See [`JoiningTerms::kinds`].
    pub kinds: Option<Vec<String>>,
    /// See [`JoiningTerms::auto_leave`].
    pub auto_leave: Option<AutoLeave>,
}

impl JoiningSaid {
    /// The terms that hold where a club had these.
    #[must_use]
    pub fn over(&self, kept: &JoiningTerms) -> JoiningTerms {
        let kept = kept.clone();
        JoiningTerms {
            decides_by: self.decides_by.clone().unwrap_or(kept.decides_by),
            listed_by: self.listed_by.clone().unwrap_or(kept.listed_by),
            verify_days: self.verify_days.unwrap_or(kept.verify_days),
            application_days: self.application_days.unwrap_or(kept.application_days),
            min_age: self.min_age.unwrap_or(kept.min_age),
            excludes_staff: self.excludes_staff.unwrap_or(kept.excludes_staff),
            kinds: self.kinds.clone().unwrap_or(kept.kinds),
            auto_leave: self.auto_leave.clone().or(kept.auto_leave),
        }
    }
}

impl Default for JoiningTerms {
    fn default() -> Self {
        Self {
            decides_by: vec![DuplicateKey::Document],
            listed_by: vec![DuplicateKey::Mobile, DuplicateKey::HomePhone, DuplicateKey::Name],
            verify_days: VERIFY_DAYS,
            application_days: APPLICATION_DAYS,
            min_age: 0,
            excludes_staff: false,
            kinds: Vec::new(),
            auto_leave: None,
        }
    }
}
