//! Lists that are taken out of the centre: which members somebody sees, page by page, and what they have.
//!
//! Who sees whom is the rules' to say; here their answer is applied to what the books hold.

use std::collections::BTreeMap;

use hufu_shared::act::{CardSet, MemberSet};
use hufu_shared::ids::{CardId, MemberId};
use hufu_shared::money::{Amount, Unit};

use super::{StoreError, details, leases, people, rows, staff};
use crate::db::{SqlFile, Tx};
use crate::rules::joining::roles::{self, Account};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("lists", include_str!("../../sql/both/lists.sql"));

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Behind this number: all members.
    Number(String),
    /// Behind this member: those that somebody of a dealer sees.
    Member(MemberId),
}

impl Place {
    /// Where the list of somebody begins; of none, and of the centre's own people, it holds all members.
    #[must_use]
    pub fn first(of: Option<&Account>) -> Self {
        match of {
            Some(account) if !account.role.is_of_centre() => Self::Member(MemberId([0; 16])),
            _ => Self::Number(String::new()),
        }
    }
}

/// The next members of a list, at most `limit`, and where it goes on; none at its end. Who was erased or goes on as
/// another is in no list.
///
/// # Errors
/// [`StoreError`].
pub fn members(
    tx: &mut Tx<'_>,
    of: Option<&Account>,
    after: &Place,
    limit: u32,
) -> Result<(Vec<MemberSet>, Option<Place>), StoreError> {
    match (after, of) {
        (Place::Member(after), Some(account)) => {
            let found = details::cared_for(tx, (account.id, account.office), *after, limit.into())?;
            let last = found.last().map(|(member, _)| Place::Member(*member));
            let mut seen = Vec::new();
            for (member, carer) in found {
                let carer = staff::account(tx, carer)?;
                if roles::sees(account, carer.as_ref()) && people::is_living(tx, member)? {
                    seen.extend(people::member(tx, member)?);
                }
            }
            Ok((seen, last))
        }
        (Place::Number(after), _) => {
            let found = tx.query(SQL.get("members"), &[after.as_str().into(), limit.into()])?;
            let found = found.iter().map(people::member_row).collect::<Result<Vec<_>, _>>()?;
            let last = found.last().map(|member| Place::Number(member.number.clone()));
            Ok((found, last))
        }
        (Place::Member(_), None) => Ok((Vec::new(), None)),
    }
}

/// Cards of nobody, behind one of them, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn stock_cards(tx: &mut Tx<'_>, after: CardId, limit: u32) -> Result<Vec<CardSet>, StoreError> {
    tx.query(SQL.get("stock_cards"), &[after.0.into(), limit.into()])?.iter().map(people::card_row).collect()
}

/// What a member has of a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// May be used now.
    pub available: Amount,
    /// Set aside for terminals.
    pub escrow: Amount,
    /// Is owed back.
    pub owed: Amount,
}

/// What a member has and owes, of each unit that is not all zero.
///
/// # Errors
/// [`StoreError`].
pub fn balances(tx: &mut Tx<'_>, member: MemberId) -> Result<BTreeMap<Unit, Balance>, StoreError> {
    let mut all: BTreeMap<Unit, Balance> = BTreeMap::new();
    for row in tx.query(SQL.get("balances"), &[member.0.into()])? {
        let unit = row.text(0)?;
        let unit = Unit::from_code(unit).ok_or_else(|| rows::unknown("unit", unit))?;
        let amount = row.int(2)?;
        let balance = all.entry(unit).or_default();
        match row.text(1)? {
            "available" => balance.available = Amount(amount),
            // The books have it below zero.
            "owed" => balance.owed = Amount(-amount),
            _ => {}
        }
    }
    for lease in leases::open_of(tx, member)? {
        let balance = all.entry(lease.unit).or_default();
        balance.escrow = Amount(balance.escrow.0 + lease.escrow().0);
    }
    all.retain(|_, balance| *balance != Balance::default());
    Ok(all)
}
