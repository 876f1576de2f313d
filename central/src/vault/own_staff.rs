//! The club's own staff, whom a club may keep from joining (G8): known by keyed hashes of mobile and document number.
//!
//! Whose they are is kept nowhere; who leaves the staff is taken out by the same numbers. Out of scope: accounts.

use super::normal::{self, IndexKind, Term};
use super::{Personal, SQL, Vault, VaultError};
use crate::db::{Tx, Value};

/// What a person is known by.
fn terms(mobile: Option<&str>, document: Option<&str>) -> Vec<Term> {
    let mobile = mobile.and_then(normal::mobile).map(|kept| (IndexKind::Mobile, kept));
    let document = document.map(|number| (IndexKind::Document, normal::document_number(number)));
    mobile.into_iter().chain(document).filter(|term| !term.1.is_empty()).collect()
}

impl Vault {
    fn staff_keys(&self, terms: &[Term]) -> Vec<[Value; 2]> {
        terms.iter().map(|term| [(term.0 as i64).into(), self.hashed(term).into()]).collect()
    }

    /// Puts somebody on the list of staff, or takes them off it; answers how many numbers that concerned.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub fn set_staff(
        &self,
        tx: &mut Tx<'_>,
        (mobile, document): (Option<&str>, Option<&str>),
        is_staff: bool,
    ) -> Result<usize, VaultError> {
        let keys = self.staff_keys(&terms(mobile, document));
        for key in &keys {
            tx.execute(SQL.get(if is_staff { "put_staff" } else { "drop_staff" }), key)?;
        }
        Ok(keys.len())
    }

    /// Whether a person is on the list of staff.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub fn is_staff(&self, tx: &mut Tx<'_>, personal: &Personal) -> Result<bool, VaultError> {
        let document = personal.document.as_ref().map(|document| document.number.as_str());
        for key in self.staff_keys(&terms(personal.mobile.as_deref(), document)) {
            if tx.query_opt(SQL.get("is_staff"), &key)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
