//! What a person wrote into a form at a terminal: an application to join, a request to change data.
//!
//! A fact holds only the commitment ([`crate::fact::Form`]). The fields travel beside it, sealed to the centre together
//! with the salt, and are erased with it. Whoever opens them checks that they are what was committed to.
//!
//! Out of scope: what a value must look like; the centre checks that when a person takes it over.

use minicbor::{Decode, Encode};

use crate::cbor::{self, WireError};
use crate::ids::Hash;
use crate::seal::{self, OpenKey, SealError, SealKey};

/// Bytes of the salt of a commitment.
pub const SALT_BYTES: usize = 16;
/// Fields of one form at most.
pub const FIELDS_MAX: usize = 32;
/// Characters of one value at most.
pub const VALUE_CHARS_MAX: usize = 500;
/// Route code of an application taken at a sales office (rule K3, 案场).
pub const ROUTE_OFFICE: &str = "office";
/// Code of the consent that visitors and applicants are shown; another wording is another code.
pub const CONSENT_CONTACT: &str = "contact-1";
/// Dictionary codes of the kinds of complaints (rule K31).
pub const COMPLAINT_KINDS: [&str; 4] = ["sales", "quality", "property", "other"];
/// Dictionary codes of the fields that the centre keeps of a member.
pub const FIELDS: [&str; 9] =
    ["name", "sex", "mobile", "home_phone", "document", "birthday", "address", "email", "remark"];

/// The fields of a form as they were written. Never shows itself: `Debug` names the fields alone.
#[derive(Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct FormContent {
    /// Dictionary code and value of each field.
    #[n(0)]
    pub fields: Vec<(String, String)>,
}

/// A form as it travels: the commitment in the fact, the sealed content beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedForm {
    /// `SHA-256("hufu-commit" | salt | content)`.
    pub commitment: Hash,
    /// Salt and content, sealed to the centre for the place of the commitment.
    pub sealed: Vec<u8>,
}

/// A sealed form cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Damaged, or sealed to another key or for another form.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// Not the content that the fact committed to.
    #[error("the sealed form is not the one that the fact committed to")]
    Other,
    /// Not a form.
    #[error("read the sealed form: {0}")]
    Content(#[from] WireError),
    /// More than any form has.
    #[error(
        "the form has more than {FIELDS_MAX} fields, or a value of more than {VALUE_CHARS_MAX} characters"
    )]
    TooLong,
}

impl std::fmt::Debug for FormContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.fields.iter().map(|field| &field.0)).finish()
    }
}

impl FormContent {
    /// The value of a field, if it was filled in.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<&str> {
        let field = self.fields.iter().find(|field| field.0 == code);
        field.map(|field| field.1.trim()).filter(|value| !value.is_empty())
    }

    /// Commits to the content and seals it to the centre.
    ///
    /// # Errors
    /// [`SealError::Key`] if the public key is not one.
    pub fn seal(&self, to: &SealKey, salt: [u8; SALT_BYTES]) -> Result<SealedForm, SealError> {
        let clear = cbor::encode(self);
        let commitment = seal::commitment(&salt, &clear);
        let sealed = seal::seal(to, &place(commitment), &[&salt[..], &clear].concat())?;
        Ok(SealedForm { commitment, sealed })
    }

    /// Opens the content of a form and checks it against what its fact committed to.
    ///
    /// # Errors
    /// [`FormError`] naming what is wrong with it.
    pub fn open(key: &OpenKey, commitment: Hash, sealed: &[u8]) -> Result<Self, FormError> {
        let text = key.open(&place(commitment), sealed)?;
        let (salt, clear) = text.split_first_chunk::<SALT_BYTES>().ok_or(FormError::Other)?;
        if seal::commitment(salt, clear) != commitment {
            return Err(FormError::Other);
        }
        let content: Self = cbor::decode(clear)?;
        let is_long = |field: &(String, String)| field.1.chars().count() > VALUE_CHARS_MAX;
        if content.fields.len() > FIELDS_MAX || content.fields.iter().any(is_long) {
            return Err(FormError::TooLong);
        }
        Ok(content)
    }
}

/// The place for which a form is sealed.
fn place(commitment: Hash) -> Vec<u8> {
    [&b"hufu-form"[..], &commitment.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> FormContent {
        let fields = [("name", "欧阳静"), ("mobile", " 13800138000 "), ("address", "")];
        FormContent { fields: fields.map(|(code, value)| (code.to_owned(), value.to_owned())).to_vec() }
    }

    #[test]
    fn goal_g23_a_form_is_read_by_the_centre_alone_and_only_as_it_was_committed_to() {
        let key = OpenKey::from_seed(&[1; 32]);
        let form = written().seal(&key.seal_key(), [2; SALT_BYTES]).expect("a good key");
        let read = FormContent::open(&key, form.commitment, &form.sealed).expect("its own");
        assert_eq!((read.get("name"), read.get("mobile")), (Some("欧阳静"), Some("13800138000")));
        assert_eq!((read.get("address"), read.get("email")), (None, None), "not filled in");
        let other = written().seal(&key.seal_key(), [3; SALT_BYTES]).expect("a good key");
        assert!(FormContent::open(&key, form.commitment, &other.sealed).is_err(), "another form's");
        let stranger = OpenKey::from_seed(&[4; 32]);
        assert!(FormContent::open(&stranger, form.commitment, &form.sealed).is_err());
        assert!(!format!("{:?}", written()).contains("13800138000"), "never in a log");
    }

    #[test]
    fn goal_g23_what_was_not_committed_to_is_not_believed() {
        let key = OpenKey::from_seed(&[1; 32]);
        let commitment = Hash([9; 32]);
        let clear = [&[2; SALT_BYTES][..], &cbor::encode(&written())].concat();
        let sealed = seal::seal(&key.seal_key(), &place(commitment), &clear).expect("a good key");
        assert_eq!(FormContent::open(&key, commitment, &sealed), Err(FormError::Other));
    }

    #[test]
    fn goal_g23_a_form_longer_than_any_is_refused() {
        let key = OpenKey::from_seed(&[1; 32]);
        let long = FormContent { fields: vec![("remark".to_owned(), "很".repeat(VALUE_CHARS_MAX + 1))] };
        let form = long.seal(&key.seal_key(), [2; SALT_BYTES]).expect("a good key");
        assert_eq!(FormContent::open(&key, form.commitment, &form.sealed), Err(FormError::TooLong));
    }
}
