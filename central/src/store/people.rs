//! Members, cards, offices and holdings as import and console read them; and what the vault holds beside the journal.
//!
//! A member's row in the journal holds only a commitment to the personal data. The salt and the exact text that was
//! committed to are kept in the vault under that commitment, so the commitment can be shown to be true until the
//! member is erased.

use std::collections::HashMap;

use hufu_shared::act::{CardSet, MemberSet};
use hufu_shared::ids::{CardId, Hash, MemberId, OccurrenceId, OfficeId};
use hufu_shared::member::{CardStatus, OccurrenceRow, OfficeRow};
use hufu_shared::scheme::Words;
use hufu_shared::seal;
use hufu_shared::time::Instant;
use hufu_shared::token::Token;

use super::{StoreError, rows};
use crate::db::{Row, SqlFile, Tx};
use crate::vault::{Personal, Sealed, Vault, VaultError};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("people", include_str!("../../sql/both/people.sql"));

/// Bytes of the salt of a commitment.
pub const SALT_BYTES: usize = 16;

/// Failure of an operation that touches both the books and the vault.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The books.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Db(#[from] crate::db::DbError),
}

/// The text of what a member's commitment covers, and the commitment.
#[must_use]
pub fn commit(personal: &Personal, secret: bool, salt: [u8; SALT_BYTES]) -> (Hash, Vec<u8>) {
    let text = serde_json::json!({
        "name": personal.name,
        "sex": personal.sex.code(),
        "mobile": personal.mobile,
        "home_phone": personal.home_phone,
        "document": personal.document.as_ref().map(|document| (document.kind.code(), &document.number)),
        "birthday": personal.birthday.map(|day| day.to_string()),
        "address": personal.address,
        "email": personal.email,
        "remark": personal.remark,
        "secret": secret,
    })
    .to_string();
    let kept = [&salt[..], text.as_bytes()].concat();
    (seal::commitment(&salt, text.as_bytes()), kept)
}

/// What stood in a field, by its dictionary code, in a text that [`commit`] kept; none where nothing did.
#[must_use]
pub fn committed(kept: &[u8], field: &str) -> Option<String> {
    let read: serde_json::Value = serde_json::from_slice(kept.get(SALT_BYTES..)?).ok()?;
    // A document stands there as its kind and its number.
    let value = if field == "document" { &read[field][1] } else { &read[field] };
    value.as_str().map(str::to_owned)
}

/// Whether terminals must show neither greeting nor name of a member: the member asked for it, or what the member
/// asked for is not there to be read. `personal` is the commitment in the member's row.
///
/// # Errors
/// [`VaultError`].
pub fn wants_secrecy(
    tx: &mut Tx<'_>,
    vault: &Vault,
    member: MemberId,
    personal: Hash,
) -> Result<bool, VaultError> {
    let kept = match vault.text(tx, member, personal) {
        Ok(Some(kept)) => kept,
        Ok(None) | Err(VaultError::Sealed { .. }) => return Ok(true),
        Err(error) => return Err(error),
    };
    let text = kept.get(SALT_BYTES..).unwrap_or_default();
    let read: Option<serde_json::Value> = serde_json::from_slice(text).ok();
    Ok(read.and_then(|value| value.get("secret")?.as_bool()).unwrap_or(true))
}

/// Seals what is known of a new member, under its commitment; [`Vault::put_new`] stores it.
///
/// # Errors
/// [`VaultError`].
pub fn seal_new(
    vault: &Vault,
    member: MemberId,
    personal: &Personal,
    secret: bool,
    salt: [u8; SALT_BYTES],
) -> Result<(Hash, Sealed), VaultError> {
    let (commitment, kept) = commit(personal, secret, salt);
    Ok((commitment, vault.seal_new(member, personal, (commitment, &kept))?))
}

/// Stores what is known of a member, under its commitment.
///
/// # Errors
/// [`VaultError`].
pub fn put_personal(
    tx: &mut Tx<'_>,
    vault: &Vault,
    member: MemberId,
    personal: &Personal,
    secret: bool,
    salt: [u8; SALT_BYTES],
) -> Result<Hash, VaultError> {
    let (commitment, kept) = commit(personal, secret, salt);
    vault.put(tx, member, personal)?;
    vault.put_text(tx, member, commitment, &kept)?;
    Ok(commitment)
}

/// All members by number.
///
/// # Errors
/// [`StoreError`].
pub fn members(tx: &mut Tx<'_>) -> Result<HashMap<String, MemberSet>, StoreError> {
    let rows = tx.query(SQL.get("members_known"), &[])?;
    rows.iter().map(|row| member_row(row).map(|member| (member.number.clone(), member))).collect()
}

/// A member's row in the books.
///
/// # Errors
/// [`StoreError`].
pub fn member(tx: &mut Tx<'_>, id: MemberId) -> Result<Option<MemberSet>, StoreError> {
    tx.query_opt(SQL.get("member"), &[id.0.into()])?.as_ref().map(member_row).transpose()
}

/// The member with this number.
///
/// # Errors
/// [`StoreError`].
pub fn member_by_number(tx: &mut Tx<'_>, number: &str) -> Result<Option<MemberId>, StoreError> {
    let row = tx.query_opt(SQL.get("member_by_number"), &[number.into()])?;
    Ok(row.map(|row| row.array(0)).transpose()?.map(MemberId))
}

/// Members whose data is here and who are nobody else by now: number, who, and the office that won them.
///
/// # Errors
/// [`StoreError`].
pub fn living(tx: &mut Tx<'_>) -> Result<Vec<(String, MemberId, Option<OfficeId>)>, StoreError> {
    let read =
        |row: &Row| Ok((row.text(0)?.to_owned(), MemberId(row.array(1)?), row.array_opt(2)?.map(OfficeId)));
    tx.query(SQL.get("members_living"), &[])?.iter().map(read).collect()
}

/// Whether a member is one of [`living`].
///
/// # Errors
/// [`StoreError`].
pub fn is_living(tx: &mut Tx<'_>, id: MemberId) -> Result<bool, StoreError> {
    Ok(tx.query_opt(SQL.get("member_is_living"), &[id.0.into()])?.is_some())
}

/// Members by number, after a number, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn member_page(tx: &mut Tx<'_>, after: &str, limit: usize) -> Result<Vec<MemberSet>, StoreError> {
    let rows =
        tx.query(SQL.get("member_page"), &[after.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()])?;
    rows.iter().map(member_row).collect()
}

/// A member from `id, number, level_zh, level_en, status, office, personal` and the day of joining that was said.
///
/// # Errors
/// [`StoreError`].
pub fn member_row(row: &Row) -> Result<MemberSet, StoreError> {
    let level = match (row.text_opt(2)?, row.text_opt(3)?) {
        (Some(zh), Some(en)) => Some(Words { zh: zh.to_owned(), en: en.to_owned() }),
        _ => None,
    };
    Ok(MemberSet {
        member: MemberId(row.array(0)?),
        number: row.text(1)?.to_owned(),
        level,
        status: rows::member_status(row.text(4)?)?,
        office: row.blob_opt(5)?.map(|_| row.array(5)).transpose()?.map(OfficeId),
        personal: Hash(row.array(6)?),
        joined: rows::day_opt(row, 7)?,
    })
}

/// All offices, by code.
///
/// # Errors
/// [`StoreError`].
pub fn offices(tx: &mut Tx<'_>) -> Result<Vec<OfficeRow>, StoreError> {
    tx.query(SQL.get("office_codes"), &[])?.iter().map(rows::office).collect()
}

/// The office of a code.
///
/// # Errors
/// [`StoreError`].
pub fn office_of(tx: &mut Tx<'_>, code: &str) -> Result<Option<OfficeId>, StoreError> {
    Ok(offices(tx)?.into_iter().find(|row| row.code == code).map(|row| row.office))
}

/// A holding of an activity.
///
/// # Errors
/// [`StoreError`].
pub fn occurrence(tx: &mut Tx<'_>, id: OccurrenceId) -> Result<Option<OccurrenceRow>, StoreError> {
    tx.query_opt(SQL.get("occurrence"), &[id.0.into()])?.as_ref().map(rows::occurrence).transpose()
}

/// The card that a token names, with all its tokens.
///
/// # Errors
/// [`StoreError`].
pub fn card_by_token(tx: &mut Tx<'_>, token: Token) -> Result<Option<CardSet>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("card_by_token"), &[token.to_bytes().into()])? else {
        return Ok(None);
    };
    let mut card = card_row(&row)?;
    for row in tx.query(SQL.get("card_tokens"), &[card.card.0.into()])? {
        card.tokens.push(Token::from_bytes(row.array(0)?));
    }
    Ok(Some(card))
}

/// A card from `id, member, kind, status, tail, valid_from, valid_until`, without its tokens.
///
/// # Errors
/// [`StoreError`].
pub fn card_row(row: &Row) -> Result<CardSet, StoreError> {
    let status = row.text(3)?;
    Ok(CardSet {
        card: CardId(row.array(0)?),
        tokens: Vec::new(),
        member: row.blob_opt(1)?.map(|_| row.array(1)).transpose()?.map(MemberId),
        kind: row.text(2)?.to_owned(),
        status: CardStatus::from_code(status).ok_or_else(|| rows::unknown("state of a card", status))?,
        tail: row.text(4)?.to_owned(),
        valid_from: row.int_opt(5)?.map(Instant),
        valid_until: row.int_opt(6)?.map(Instant),
    })
}

/// When a file with these bytes was taken before, and under which name.
///
/// # Errors
/// [`StoreError`].
pub fn file_known(tx: &mut Tx<'_>, hash: Hash) -> Result<Option<(String, Instant)>, StoreError> {
    let row = tx.query_opt(SQL.get("file_known"), &[hash.0.into()])?;
    row.map(|row| Ok((row.text(0)?.to_owned(), Instant(row.int(1)?)))).transpose()
}

/// Notes that a file was taken.
///
/// # Errors
/// [`StoreError`].
pub fn file_taken(
    tx: &mut Tx<'_>,
    hash: Hash,
    kind: &str,
    name: &str,
    count: usize,
    at: Instant,
) -> Result<(), StoreError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.execute(SQL.get("file_taken"), &[hash.0.into(), kind.into(), name.into(), count.into(), at.0.into()])?;
    Ok(())
}

/// A card with how far its block has reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardView {
    /// The card, without its tokens.
    pub card: CardSet,
    /// Working terminals that know its state.
    pub reached: u64,
    /// Names of terminals that do not, the first ones.
    pub lacking: Vec<String>,
}

/// A line of the ledger about a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingView {
    /// When.
    pub at: Instant,
    /// How much.
    pub amount: i64,
    /// Why, as a code.
    pub code: String,
    /// Whether the member got it.
    pub to_member: bool,
    /// Whether it was taken from the member.
    pub from_member: bool,
    /// The terminal, as people call it.
    pub device: Option<String>,
    /// The batch of an opening balance.
    pub batch: Option<String>,
    /// The case that it rests on.
    pub conflict: Option<Hash>,
}

/// A fact about a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactView {
    /// When it happened, as judged.
    pub at: Instant,
    /// When it reached the centre.
    pub received: Instant,
    /// Name of its event.
    pub event: String,
    /// How it stands, as a code.
    pub became: String,
    /// Number of the conflict kind.
    pub kind: Option<u8>,
    /// The terminal, as people call it.
    pub device: String,
    /// Code of the office.
    pub office: String,
}

/// What a member has and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Life {
    /// Class, unit and amount of each account.
    pub balances: Vec<(String, String, i64)>,
    /// Cards.
    pub cards: Vec<CardView>,
    /// Terminals in use.
    pub working: u64,
    /// Ledger lines of points, newest first.
    pub postings: Vec<PostingView>,
    /// Facts, newest first.
    pub facts: Vec<FactView>,
}

/// What a member has and did; at most `limit` lines of each list.
///
/// # Errors
/// [`StoreError`].
pub fn life(tx: &mut Tx<'_>, member: MemberId, limit: u32) -> Result<Life, StoreError> {
    let mut life =
        Life { working: tx.query_one(SQL.get("devices_active"), &[])?.uint(0)?, ..Life::default() };
    for row in tx.query(SQL.get("balances_of"), &[member.0.into()])? {
        life.balances.push((row.text(0)?.to_owned(), row.text(1)?.to_owned(), row.int(2)?));
    }
    for row in tx.query(SQL.get("cards_of"), &[member.0.into()])? {
        let card = card_row(&row)?;
        let (reached, lacking) = reach(tx, card.card)?;
        life.cards.push(CardView { card, reached, lacking });
    }
    let listed = [member.0.into(), limit.into()];
    for row in tx.query(SQL.get("postings_of"), &listed)? {
        life.postings.push(PostingView {
            at: Instant(row.int(0)?),
            amount: row.int(1)?,
            code: row.text(2)?.to_owned(),
            from_member: row.text(3)?.starts_with("member/"),
            to_member: row.text(4)?.starts_with("member/"),
            conflict: row.blob_opt(5)?.map(|_| row.array(5)).transpose()?.map(Hash),
            device: row.text_opt(6)?.map(str::to_owned),
            batch: row.text_opt(7)?.map(str::to_owned),
        });
    }
    for row in tx.query(SQL.get("facts_of"), &listed)? {
        life.facts.push(FactView {
            at: Instant(row.int(0)?),
            received: Instant(row.int(1)?),
            event: row.text(2)?.to_owned(),
            became: row.text(3)?.to_owned(),
            kind: rows::kind_at(&row, 4)?,
            device: row.text(5)?.to_owned(),
            office: row.text(6)?.to_owned(),
        });
    }
    Ok(life)
}

/// The cards of a member, without their tokens.
///
/// # Errors
/// [`StoreError`].
pub fn cards_of(tx: &mut Tx<'_>, member: MemberId) -> Result<Vec<CardSet>, StoreError> {
    tx.query(SQL.get("cards_of"), &[member.0.into()])?.iter().map(card_row).collect()
}

/// The tokens of a card.
///
/// # Errors
/// [`StoreError`].
pub fn tokens_of(tx: &mut Tx<'_>, card: CardId) -> Result<Vec<Token>, StoreError> {
    let rows = tx.query(SQL.get("card_tokens"), &[card.0.into()])?;
    rows.iter().map(|row| Ok(Token::from_bytes(row.array(0)?))).collect()
}

/// A card by its id, without its tokens.
///
/// # Errors
/// [`StoreError`].
pub fn card(tx: &mut Tx<'_>, id: CardId) -> Result<Option<CardSet>, StoreError> {
    tx.query_opt(SQL.get("card"), &[id.0.into()])?.as_ref().map(card_row).transpose()
}

/// Which terminals hold a card as it stands: by what number of the block list they must have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// All: its state never changed since it came into the directory.
    Everywhere,
    /// Those that hold the list from this number on.
    From(u64),
    /// None: the change waits for its number. Whatever the list said before is another state.
    Nowhere,
}

/// How far the state of a card has come.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn spread(tx: &mut Tx<'_>, card: CardId) -> Result<Spread, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("block_state"), &[card.0.into()])? else {
        return Ok(Spread::Nowhere);
    };
    let is_active = row.text(0)? == CardStatus::Active.code();
    Ok(match (row.int_opt(1)?, row.flag(2)?) {
        (Some(_), true) => Spread::From(row.uint(1)?),
        (None, _) if is_active => Spread::Everywhere,
        _ => Spread::Nowhere,
    })
}

/// How many terminals work.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn devices_working(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    Ok(tx.query_one(SQL.get("devices_active"), &[])?.uint(0)?)
}

/// How many working terminals know a card's state, and the names of some that do not.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn reach(tx: &mut Tx<'_>, card: CardId) -> Result<(u64, Vec<String>), StoreError> {
    let n = match spread(tx, card)? {
        Spread::Everywhere => {
            return Ok((devices_working(tx)?, Vec::new()));
        }
        Spread::From(n) => rows::number(n),
        Spread::Nowhere => i64::MAX.into(),
    };
    let reached = tx.query_one(SQL.get("devices_with_block"), std::slice::from_ref(&n))?.uint(0)?;
    let lacking = tx.query(SQL.get("devices_lacking_block"), &[n])?;
    let names = lacking.iter().map(|row| Ok(row.text(0)?.to_owned()));
    Ok((reached, names.collect::<Result<_, StoreError>>()?))
}

/// Whose a fact is judged to be.
///
/// # Errors
/// [`StoreError`].
pub fn member_of_fact(
    tx: &mut Tx<'_>,
    fact: hufu_shared::ids::FactId,
) -> Result<Option<MemberId>, StoreError> {
    let row = tx.query_opt(SQL.get("member_of_fact"), &rows::fact_id_values(fact))?;
    let Some(row) = row else { return Ok(None) };
    Ok(row.blob_opt(0)?.map(|_| row.array(0)).transpose()?.map(MemberId))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::each;

    #[tokio::test]
    async fn who_asked_for_secrecy_is_kept_secret_when_the_note_cannot_be_read() {
        each(|db| async move {
            let folder = tempfile::tempdir().expect("a folder");
            let vault = Vault::create(&folder.path().join("vault.key")).expect("a key file");
            let told = db.write(move |tx| -> Result<_, VaultError> {
                let member = MemberId([1; 16]);
                let person = Personal { name: "欧阳静".to_owned(), ..Personal::default() };
                let open = put_personal(tx, &vault, member, &person, false, [1; SALT_BYTES])?;
                let asked = put_personal(tx, &vault, member, &person, true, [2; SALT_BYTES])?;
                let (absent, unread) = (Hash([3; 32]), Hash([4; 32]));
                vault.put_text(tx, member, unread, b"a salt of 16 byt{\"name\":1}")?;
                [open, asked, absent, unread]
                    .into_iter()
                    .map(|note| wants_secrecy(tx, &vault, member, note))
                    .collect::<Result<Vec<_>, _>>()
            });
            assert_eq!(told.await.expect("the vault answers"), [false, true, true, true]);
        })
        .await;
    }
}
