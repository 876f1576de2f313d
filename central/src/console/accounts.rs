//! Accounts of staff, and who cares for whom, in `/api/v1` (L1): a system administrator opens accounts, each of a dealer's
//! people under a direct superior; a supervisor or manager hands members on to another carer.

use axum::Json;
use axum::extract::{Path, Query, State};
use hufu_shared::act::{Act, CaredFor, CarerSet};
use hufu_shared::ids::{MemberId, OperatorId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::login_name::of_name;
use super::members::masked_name;
use super::pages::{is_full, rows_of};
use super::password;
use super::problem::Refused;
use super::requests::fact_of;
use super::signed::{AnyRole, Posted, SignedIn};
use super::verdict::reasoned;
use crate::db::Tx;
use crate::random;
use crate::rules::joining::roles::{self, Account, Role};
use crate::store::people::{self, PeopleError};
use crate::store::{acts, details, joining, journal, staff};

/// Longest login and name.
const LOGIN_CHARS_MAX: usize = 64;
/// Bytes of randomness in a one-time password: 80 bits.
const PASSWORD_BYTES: usize = 10;

fn told(account: &Account, login: &str, name: &str) -> Value {
    json!({
        "id": account.id, "login": login, "name": name, "role": account.role.code(),
        "superior": account.superior, "office": account.office,
    })
}

/// All accounts, by login.
pub async fn list(State(console): State<Console>, _by: SignedIn) -> Result<Json<Value>, Refused> {
    let accounts = console.app.db.read(staff::accounts).await?;
    let rows: Vec<Value> = accounts.iter().map(|(account, login, name)| told(account, login, name)).collect();
    Ok(Json(json!({ "accounts": rows })))
}

/// Opens an account: `login` (made of the name if it is left out, L2), `name`, `role`, the login of the direct `superior`, the code of the `office`. The answer
/// has the one-time password, which is shown this once.
pub async fn open(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled_as(&[Role::Admin])?;
    let (ui, fields) = (posted.by.ui.clone(), posted.fields.clone());
    let role = Role::from_code(fields.get("role")).ok_or_else(|| Refused::unfit(&ui, "account-role"))?;
    let login = fields.get("login").to_owned();
    let fits = (0..=LOGIN_CHARS_MAX).contains(&login.chars().count())
        && !login.contains(|c: char| c.is_control() || c.is_whitespace());
    if !fits {
        return Err(Refused::unfit(&ui, "account-login"));
    }
    let name = if fields.get("name").is_empty() { login.clone() } else { fields.get("name").to_owned() };
    if name.is_empty() || name.chars().count() > LOGIN_CHARS_MAX {
        return Err(Refused::unfit(&ui, "account-login"));
    }
    let one_time = data_encoding::BASE32_NOPAD.encode(&random::bytes::<PASSWORD_BYTES>()?).to_lowercase();
    let hashed = password::hash(&one_time).map_err(|error| Failure::fault(&error))?;
    let (id, now) = (OperatorId::new(console.app.now(), random::bytes()?), console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<Value, &'static str>, PeopleError> {
        let known = staff::accounts(tx)?;
        let is_taken = |login: &str| known.iter().any(|account| account.1 == login);
        let made = if login.is_empty() { of_name(&name, is_taken) } else { Some(login.clone()) };
        let Some(login) = made.filter(|login| !is_taken(login)) else { return Ok(Err("account-login")) };
        let superior = match fields.get("superior") {
            "" => None,
            text => match staff::by_login(tx, text)? {
                Some(found) => staff::account(tx, found.id)?,
                None => return Ok(Err("account-superior")),
            },
        };
        if !role.can_be_under(superior.map(|superior| superior.role)) {
            return Ok(Err("account-superior"));
        }
        let office = people::office_of(tx, fields.get("office"))?;
        if office.is_none() && (!fields.get("office").is_empty() || !role.is_of_centre()) {
            return Ok(Err("account-office"));
        }
        let superior = superior.map(|superior| superior.id);
        let account = Account { id, role, superior, office };
        staff::add_as(tx, &account, (&login, &name), &hashed, now)?;
        Ok(Ok(told(&account, &login, &name)))
    };
    let mut answer = console.app.db.write(work).await?.map_err(|key| Refused::unfit(&ui, key))?;
    answer["password"] = one_time.into();
    Ok(Json(answer))
}

/// Where a page begins.
#[derive(Debug, Deserialize)]
pub struct PageQuery {
    cursor: Option<MemberId>,
    limit: Option<u32>,
}

/// Members whom the asker sees by who cares for them: their own; a supervisor's people's; all of a manager's office.
pub async fn cared_for(
    State(console): State<Console>,
    Query(query): Query<PageQuery>,
    AnyRole(by): AnyRole,
) -> Result<Json<Value>, Refused> {
    let (me, vault) = (by.session.account, console.app.vault.clone());
    let (after, most) = (query.cursor.unwrap_or(MemberId([0; 16])), rows_of(query.limit));
    let load = move |tx: &mut Tx<'_>| -> Result<(Vec<Value>, Option<MemberId>), PeopleError> {
        let found = details::cared_for(tx, (me.id, me.office), after, most)?;
        let next = found.last().map(|row| row.0).filter(|_| is_full(found.len(), most));
        let people: Vec<Account> = staff::accounts(tx)?.into_iter().map(|account| account.0).collect();
        let mut rows = Vec::new();
        for (member, carer) in found {
            let account = people.iter().find(|account| account.id == carer);
            if !roles::sees(&me, account) {
                continue;
            }
            let number = people::member(tx, member)?.map(|row| row.number);
            let name = masked_name(tx, &vault, Some(member))?;
            rows.push(json!({ "member": member, "number": number, "name": name, "carer": carer }));
        }
        Ok((rows, next))
    };
    let (rows, next) = console.app.db.read(load).await?;
    Ok(Json(json!({ "members": rows, "next": next })))
}

/// Who cares for a member, as far as what they may do goes.
///
/// # Errors
/// [`PeopleError`].
pub fn carer_of(tx: &mut Tx<'_>, member: MemberId) -> Result<Option<Account>, PeopleError> {
    match details::of(tx, member)?.and_then(|known| known.carer) {
        Some(carer) => Ok(staff::account(tx, carer)?),
        None => Ok(None),
    }
}

/// Hands a member on to another carer, by login.
pub async fn hand_member(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    hand_on(&console, CaredFor::Member(member), posted).await
}

/// Hands an application on to another carer, by login.
pub async fn hand_application(
    State(console): State<Console>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let application = fact_of(&id).filter(|id| id.is_filed()).ok_or(Failure::NotFound)?;
    hand_on(&console, CaredFor::Application(application), posted).await
}

async fn hand_on(console: &Console, of: CaredFor, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled_any()?;
    let (ui, me) = (posted.by.ui.clone(), posted.by.session.account);
    let note = reasoned(console, &ui, &posted.fields)?;
    let login = posted.fields.get("carer").to_owned();
    let (actor, by) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<OperatorId, Option<&'static str>>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let before = match of {
            CaredFor::Member(member) => carer_of(tx, member)?,
            CaredFor::Application(id) => match joining::filed(tx, id)?.and_then(|known| known.carer) {
                Some(carer) => staff::account(tx, carer)?,
                None => None,
            },
        };
        let found = staff::by_login(tx, &login)?;
        let Some(next) = found.map(|found| staff::account(tx, found.id)).transpose()?.flatten() else {
            return Ok(Err(Some("account-carer")));
        };
        // From whom and to whom: both must be theirs to decide about.
        if !roles::approves(&me, before.as_ref()) || !roles::approves(&me, Some(&next)) {
            return Ok(Err(None));
        }
        note.put(tx, Some(by), now)?;
        let set = CarerSet { of, carer: next.id, reason: note.commitment };
        acts::take(tx, entry, now, &actor, &Act::CarerSet(set))?;
        Ok(Ok(next.id))
    };
    match console.app.write(work).await? {
        Ok(carer) => Ok(Json(json!({ "carer": carer }))),
        Err(Some(key)) => Err(Refused::unfit(&ui, key)),
        Err(None) => Err(Failure::Role.into()),
    }
}
