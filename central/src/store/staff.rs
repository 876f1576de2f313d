//! People who work at the console, and their sessions. None of it has a say in the books.
//!
//! A session is known by the hash of its token: who reads the database cannot take one over.

use hufu_shared::ids::{Hash, OfficeId, OperatorId};
use hufu_shared::time::Instant;

use super::{StoreError, rows};
use crate::db::{Row, SqlFile, Tx};
use crate::rules::joining::roles::{Account, Role};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("staff", include_str!("../../sql/both/staff.sql"));

/// Bytes of a session's form token.
pub const CSRF_BYTES: usize = 32;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// Who.
    pub id: OperatorId,
    /// What they type to sign in.
    pub login: String,
    /// What others call them.
    pub name: String,
    /// Hash of the password, with its parameters.
    pub password: String,
    /// Whether the password was given by another and must be changed.
    pub must_change: bool,
    /// Wrong passwords since the last right one.
    pub failed_tries: u32,
    /// Until when no password is looked at.
    pub locked_until: Option<Instant>,
}

/// A session with its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub staff: OperatorId,
    /// What they type to sign in.
    pub login: String,
    /// What others call them.
    pub name: String,
    /// Whether the password must be changed first.
    pub must_change: bool,
    /// The token that every form of the session carries.
    pub csrf: [u8; CSRF_BYTES],
    /// When it was opened.
    pub created: Instant,
    /// When it was last used.
    pub last_used: Instant,
    /// What its person may do.
    pub account: Account,
}

fn staff_row(row: &Row) -> Result<Staff, StoreError> {
    Ok(Staff {
        id: OperatorId(row.array(0)?),
        login: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        password: row.text(3)?.to_owned(),
        must_change: row.flag(4)?,
        failed_tries: rows::u32_at(row, 5, "failed tries")?,
        locked_until: row.int_opt(6)?.map(Instant),
    })
}

/// The person with this login.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn by_login(tx: &mut Tx<'_>, login: &str) -> Result<Option<Staff>, StoreError> {
    tx.query_opt(SQL.get("by_login"), &[login.into()])?.as_ref().map(staff_row).transpose()
}

/// The person with this id.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn by_id(tx: &mut Tx<'_>, id: OperatorId) -> Result<Option<Staff>, StoreError> {
    tx.query_opt(SQL.get("by_id"), &[id.0.into()])?.as_ref().map(staff_row).transpose()
}

/// Adds an admin with a one-time password, given as its hash.
///
/// # Errors
/// [`StoreError`] if the database fails or the login is taken.
pub fn add(
    tx: &mut Tx<'_>,
    id: OperatorId,
    login: &str,
    name: &str,
    password: &str,
    now: Instant,
) -> Result<(), StoreError> {
    let account = Account { id, role: Role::Admin, superior: None, office: None };
    add_as(tx, &account, (login, name), password, now)
}

/// Adds somebody with a one-time password, given as its hash.
///
/// # Errors
/// [`StoreError`] if the database fails or the login is taken.
pub fn add_as(
    tx: &mut Tx<'_>,
    account: &Account,
    (login, name): (&str, &str),
    password: &str,
    now: Instant,
) -> Result<(), StoreError> {
    let values = [
        account.id.0.into(),
        login.into(),
        name.into(),
        account.role.code().into(),
        account.superior.map(|superior| superior.0).into(),
        account.office.map(|office| office.0).into(),
        password.into(),
        now.0.into(),
    ];
    tx.execute(SQL.get("add"), &values)?;
    Ok(())
}

/// Sets a password and ends every session of the person.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn set_password(
    tx: &mut Tx<'_>,
    id: OperatorId,
    password: &str,
    must_change: bool,
) -> Result<(), StoreError> {
    tx.execute(SQL.get("set_password"), &[id.0.into(), password.into(), i64::from(must_change).into()])?;
    tx.execute(SQL.get("close_all"), &[id.0.into()])?;
    Ok(())
}

/// Takes a try at a login's password before the password is looked at, so that tries made at once are counted one by
/// one. Answers the person with this try counted; `None` if nobody has the login, or it waits.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn take_try(
    tx: &mut Tx<'_>,
    login: &str,
    now: Instant,
    locked_until: impl Fn(u32) -> Option<Instant>,
) -> Result<Option<Staff>, StoreError> {
    let row = tx.query_opt(SQL.get("take_try"), &[login.into(), now.0.into()])?;
    let Some(mut staff) = row.as_ref().map(staff_row).transpose()? else { return Ok(None) };
    staff.locked_until = locked_until(staff.failed_tries);
    // The row is held until the commit: nobody reads the count without the wait that goes with it.
    set_tries(tx, staff.id, staff.failed_tries, staff.locked_until)?;
    Ok(Some(staff))
}

/// Notes wrong passwords, and until when the next one is not looked at.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn set_tries(
    tx: &mut Tx<'_>,
    id: OperatorId,
    tries: u32,
    locked_until: Option<Instant>,
) -> Result<(), StoreError> {
    let locked = locked_until.map(|at| at.0).into();
    tx.execute(SQL.get("set_tries"), &[id.0.into(), tries.into(), locked])?;
    Ok(())
}

/// How many people may sign in.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn count(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    Ok(tx.query_one(SQL.get("count"), &[])?.uint(0)?)
}

/// Opens a session.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn open_session(
    tx: &mut Tx<'_>,
    token: Hash,
    staff: OperatorId,
    csrf: [u8; CSRF_BYTES],
    now: Instant,
) -> Result<(), StoreError> {
    tx.execute(SQL.get("open_session"), &[token.0.into(), staff.0.into(), csrf.into(), now.0.into()])?;
    Ok(())
}

/// The session of a token.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn session(tx: &mut Tx<'_>, token: Hash) -> Result<Option<Session>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("session"), &[token.0.into()])? else { return Ok(None) };
    Ok(Some(Session {
        staff: OperatorId(row.array(0)?),
        csrf: row.array(1)?,
        created: Instant(row.int(2)?),
        last_used: Instant(row.int(3)?),
        login: row.text(4)?.to_owned(),
        name: row.text(5)?.to_owned(),
        must_change: row.flag(6)?,
        account: account_of(&row, OperatorId(row.array(0)?), 7)?,
    }))
}

/// From the columns `role, superior, office`, beginning at one.
fn account_of(row: &Row, id: OperatorId, at: usize) -> Result<Account, StoreError> {
    let role = row.text(at)?;
    Ok(Account {
        id,
        role: Role::from_code(role).ok_or_else(|| rows::unknown("role", role))?,
        superior: row.array_opt(at + 1)?.map(OperatorId),
        office: row.array_opt(at + 2)?.map(OfficeId),
    })
}

/// What somebody may do; also of one who is gone, since what they entered stays.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn account(tx: &mut Tx<'_>, id: OperatorId) -> Result<Option<Account>, StoreError> {
    let row = tx.query_opt(SQL.get("account"), &[id.0.into()])?;
    row.map(|row| account_of(&row, id, 1)).transpose()
}

/// What somebody is called; also one who is gone.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn name(tx: &mut Tx<'_>, id: OperatorId) -> Result<Option<String>, StoreError> {
    let row = tx.query_opt(SQL.get("named"), &[id.0.into()])?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// What those are called whom the name of an actor names, as `Actor` writes it: one for a person, the stand-in and whom
/// they stood in for; nobody for a job, a command, and one who is not known.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn named(tx: &mut Tx<'_>, by: &str) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    let ids = by.strip_prefix("admin/").unwrap_or_default().split("/for/");
    for id in ids.filter_map(|id| id.parse::<OperatorId>().ok()) {
        names.extend(name(tx, id)?);
    }
    Ok(names)
}

/// All who may sign in, with login and name, by login.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn accounts(tx: &mut Tx<'_>) -> Result<Vec<(Account, String, String)>, StoreError> {
    let read = |row: &Row| {
        let account = account_of(row, OperatorId(row.array(0)?), 1)?;
        Ok((account, row.text(4)?.to_owned(), row.text(5)?.to_owned()))
    };
    tx.query(SQL.get("accounts"), &[])?.iter().map(read).collect()
}

/// Notes that a session was used.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn touch(tx: &mut Tx<'_>, token: Hash, now: Instant) -> Result<(), StoreError> {
    tx.execute(SQL.get("touch"), &[token.0.into(), now.0.into()])?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn close_session(tx: &mut Tx<'_>, token: Hash) -> Result<(), StoreError> {
    tx.execute(SQL.get("close_session"), &[token.0.into()])?;
    Ok(())
}

/// Forgets sessions that were not used since `idle`, or were opened before `opened`.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn close_old(tx: &mut Tx<'_>, idle: Instant, opened: Instant) -> Result<(), StoreError> {
    tx.execute(SQL.get("close_old"), &[idle.0.into(), opened.0.into()])?;
    Ok(())
}
