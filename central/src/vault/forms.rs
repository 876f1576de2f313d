//! Applications that wait to be decided, found by the same keyed hashes as members.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::form::FormContent;
use hufu_shared::ids::{DeviceId, FactId, MemberId};

use super::normal::{self, IndexKind, Term};
use super::{CANDIDATES_MAX, SQL, Vault, VaultError};
use crate::db::{DbError, Row, Tx, Value};

/// What people are compared by (X13), strongest first.
const COMPARED: [(IndexKind, &str); 4] = [
    (IndexKind::Document, "document"),
    (IndexKind::Mobile, "mobile"),
    (IndexKind::HomePhone, "home_phone"),
    (IndexKind::Name, "name"),
];

/// The terms by which a form is compared with members and with other forms. A value that is none of its kind is left out.
#[must_use]
pub(super) fn terms(content: &FormContent) -> BTreeSet<Term> {
    let term = |(kind, code): (IndexKind, &str)| {
        let value = content.get(code)?;
        let normal = match kind {
            IndexKind::Mobile | IndexKind::HomePhone => normal::mobile(value)?,
            IndexKind::Document => normal::document_number(value),
            _ => normal::name(value),
        };
        Some((kind, normal)).filter(|term| !term.1.is_empty())
    };
    COMPARED.into_iter().filter_map(term).collect()
}

/// Whom a form has what in common with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlikeInVault {
    /// Members, formal or not.
    pub members: BTreeMap<MemberId, BTreeSet<IndexKind>>,
    /// Other applications that wait.
    pub forms: BTreeMap<FactId, BTreeSet<IndexKind>>,
}

impl Vault {
    /// Makes an application findable, and finds members and other applications that have something in common with it.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub fn compare_form(
        &self,
        tx: &mut Tx<'_>,
        id: FactId,
        content: &FormContent,
    ) -> Result<AlikeInVault, VaultError> {
        let mut alike = self.alike(tx, content)?;
        for term in terms(content) {
            let mut values: Vec<Value> = vec![(term.0 as i64).into(), self.hashed(&term).into()];
            values.extend(fact_values(id));
            tx.execute(SQL.get("index_form"), &values)?;
        }
        alike.forms.remove(&id);
        Ok(alike)
    }

    /// Finds members and applications that have something in common with what was written, and keeps nothing of it.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub fn alike(&self, tx: &mut Tx<'_>, content: &FormContent) -> Result<AlikeInVault, VaultError> {
        let mut alike = AlikeInVault::default();
        for term in terms(content) {
            for member in self.holders(tx, &term, CANDIDATES_MAX)? {
                alike.members.entry(member).or_default().insert(term.0);
            }
            let key: Vec<Value> =
                vec![(term.0 as i64).into(), self.hashed(&term).into(), CANDIDATES_MAX.into()];
            for row in tx.query(SQL.get("find_form"), &key)? {
                alike.forms.entry(fact_at(&row)?).or_default().insert(term.0);
            }
        }
        Ok(alike)
    }

    /// Forgets an application that waits no more.
    ///
    /// # Errors
    /// [`VaultError::Db`].
    pub fn forget_form(&self, tx: &mut Tx<'_>, id: FactId) -> Result<(), VaultError> {
        tx.execute(SQL.get("forget_form"), &fact_values(id))?;
        Ok(())
    }
}

fn fact_values(id: FactId) -> [Value; 3] {
    let seq = i64::try_from(id.seq).unwrap_or(i64::MAX);
    [id.device.0.into(), i64::from(id.epoch).into(), seq.into()]
}

fn fact_at(row: &Row) -> Result<FactId, DbError> {
    let epoch = u32::try_from(row.int(1)?).unwrap_or(u32::MAX);
    Ok(FactId { device: DeviceId(row.array(0)?), epoch, seq: row.uint(2)? })
}
