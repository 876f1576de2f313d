//! Writes what was planned.
//!
//! Between the plan and the gate other people act: a card may have been reported lost, a member may have moved. So a
//! row keeps what its file says, and what the file does not speak of is read again behind the gate, where nobody else
//! can change it any more. Out of scope: what a file means; [`super::plan`] compares.

use hufu_shared::act::{Act, Actor, CardSet, FieldSet, MemberSet, ProfileSet};
use hufu_shared::form::FIELDS;
use hufu_shared::ids::{CardId, EntryId, Hash, MemberId};
use hufu_shared::token::Token;

use super::Kind;
use super::cards::CardLine;
use super::members::MemberLine;
use super::plan::{self, Change, KnownMember};
use super::run::{ImportError, Means, random};
use crate::db::Tx;
use crate::rules::entry::{EntryBody, TakenAct};
use crate::store::people::{self, PeopleError, SALT_BYTES};
use crate::store::{StoreError, acts, journal};
use crate::vault::Vault;

/// A member's row, the id it gets if the number is new, and the salt of its commitment.
pub(super) type MemberRow = (MemberLine, MemberId, [u8; SALT_BYTES]);
/// A card's row, its tokens in order, and the id it gets if none of them is known.
pub(super) type CardRow = (CardLine, Vec<Token>, CardId);

/// One act to be taken. Rows of members and cards stay as the file has them: what the file does not speak of is
/// filled in behind the gate, from what is true then.
#[derive(Clone)]
pub(super) enum Chunk {
    Members(Vec<MemberRow>),
    Cards(Vec<CardRow>),
    Whole(Act),
}

/// Takes a chunk in; `columns` are those that its file has. Rows that no longer change anything are left out.
///
/// # Errors
/// [`ImportError`] if the books or the vault fail; then nothing of the chunk is written.
pub(super) async fn write(
    means: &Means<'_>,
    kind: Kind,
    columns: &[&'static str],
    chunk: Chunk,
) -> Result<(), ImportError> {
    let now = means.clock.now();
    let entry = EntryId::new(now, random()?);
    let (vault, columns) = (means.vault.clone(), columns.to_vec());
    let work = move |tx: &mut Tx<'_>| -> Result<(), PeopleError> {
        let received = journal::pass_gate(tx, now)?;
        let has = |column: &str| columns.contains(&column);
        let mut edits = Vec::new();
        let (act, count) = match &chunk {
            Chunk::Whole(act) => (act.clone(), 1),
            Chunk::Members(rows) => {
                let (rows, edited) = put_members(tx, &vault, rows, has)?;
                edits = edited;
                let count = rows.len();
                (Act::MembersSet(rows), count)
            }
            Chunk::Cards(rows) => {
                let rows = current_cards(tx, rows, has)?;
                let count = rows.len();
                (Act::CardsSet(rows), count)
            }
        };
        if count > 0 {
            let actor = Actor::Command(format!("import {} ({count} rows)", kind.code()));
            let taken = TakenAct { actor: actor.clone(), act, seen: Vec::new() };
            journal::take(tx, entry, received, EntryBody::Act(taken))?;
            for (n, set) in edits.into_iter().enumerate() {
                acts::take(tx, nth(entry, n), now, &actor, &Act::ProfileSet(set))?;
            }
        }
        Ok(())
    };
    means.db.write(work).await?;
    Ok(())
}

/// The id of an act that goes with another one: the same ones, however often the work runs.
fn nth(entry: EntryId, n: usize) -> EntryId {
    let hash = Hash::of(&[b"hufu-import-edit", &entry.0, &n.to_be_bytes()]).0;
    let mut id = entry.0;
    id[6..].copy_from_slice(&hash[..10]);
    EntryId(id)
}

/// Rows of cards as they are written: those that still change something.
fn current_cards(
    tx: &mut Tx<'_>,
    rows: &[CardRow],
    has: impl Fn(&str) -> bool,
) -> Result<Vec<CardSet>, StoreError> {
    let mut current = Vec::with_capacity(rows.len());
    for (line, tokens, fresh) in rows {
        let (before, mut line) = (known_card(tx, tokens)?, line.clone());
        if card_change(&mut line, tokens, before.as_ref(), &has) != Change::Unchanged {
            current.push(CardSet {
                card: before.map_or(*fresh, |before| before.card),
                tokens: tokens.clone(),
                member: line.member,
                kind: line.kind,
                status: line.status,
                tail: line.text.tail(),
                valid_from: line.valid_from,
                valid_until: line.valid_until,
            });
        }
    }
    Ok(current)
}

/// Rows of members as they are written, the vault filled beside: those that still change something; and the record of
/// what they edit of members that were here before (K13). Of who was erased nothing is written.
fn put_members(
    tx: &mut Tx<'_>,
    vault: &Vault,
    rows: &[MemberRow],
    has: impl Fn(&str) -> bool,
) -> Result<(Vec<MemberSet>, Vec<ProfileSet>), PeopleError> {
    let (mut current, mut edits) = (Vec::with_capacity(rows.len()), Vec::new());
    for (line, fresh, salt) in rows {
        let mut line = line.clone();
        let before = match people::member_by_number(tx, &line.number)? {
            Some(id) => people::member(tx, id)?,
            None => None,
        };
        let before = before.map(|row| known_member(tx, vault, row)).transpose()?;
        let is_erased = before.as_ref().is_some_and(|before| before.personal.is_none());
        if is_erased || plan::member(&mut line, before.as_ref(), &has) == Change::Unchanged {
            continue;
        }
        let member = before.as_ref().map_or(*fresh, |before| before.row.member);
        let personal = people::put_personal(tx, vault, member, &line.personal, line.secret, *salt)?;
        edits.extend(before.and_then(|before| edit_of(&before, &line, personal)));
        current.push(MemberSet {
            member,
            personal,
            number: line.number,
            level: line.level,
            status: line.status,
            office: line.office,
        });
    }
    Ok((current, edits))
}

/// Nobody typed a reason: the file is the reason.
const NO_REASON: Hash = Hash([0; 32]);

/// What a row edits of a member's data; none if it changes the club's own part of the record alone.
fn edit_of(before: &KnownMember, line: &MemberLine, after: Hash) -> Option<ProfileSet> {
    let was = before.personal.as_ref()?;
    let is_edited = |field: &&str| was.field(field) != line.personal.field(field);
    let secret = (before.secret != line.secret).then_some("secret");
    let fields = FIELDS.into_iter().filter(is_edited).chain(secret);
    let change = |field: &str| FieldSet { field: field.to_owned(), request: None, taken_over: true };
    let changes: Vec<FieldSet> = fields.map(change).collect();
    let data = Some((before.row.personal, after));
    let set = ProfileSet { member: before.row.member, changes, reason: NO_REASON, data };
    (!set.changes.is_empty()).then_some(set)
}

/// A member's row with what the vault holds of the person.
pub(super) fn known_member(
    tx: &mut Tx<'_>,
    vault: &Vault,
    row: MemberSet,
) -> Result<KnownMember, PeopleError> {
    let personal = vault.reveal(tx, row.member)?;
    let secret = people::wants_secrecy(tx, vault, row.member, row.personal)?;
    Ok(KnownMember { row, personal, secret })
}

/// The card that any of these tokens names.
pub(super) fn known_card(tx: &mut Tx<'_>, tokens: &[Token]) -> Result<Option<CardSet>, StoreError> {
    for token in tokens {
        if let Some(found) = people::card_by_token(tx, *token)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Fills in what the file does not speak of, and compares; a key that the card has no token of is a change as well.
pub(super) fn card_change(
    line: &mut CardLine,
    tokens: &[Token],
    before: Option<&CardSet>,
    has: impl Fn(&str) -> bool,
) -> Change {
    match plan::card(line, before, has) {
        Change::Unchanged if before.is_some_and(|before| before.tokens != tokens) => Change::Changed,
        change => change,
    }
}
