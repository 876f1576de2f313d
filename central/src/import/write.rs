//! Writes what was planned.
//!
//! Between the plan and the gate other people act: a card may have been reported lost, a member may have moved. So a
//! row keeps what its file says, and what the file does not speak of is read again behind the gate, where nobody else
//! can change it any more. Out of scope: what a file means; [`super::plan`] compares.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hufu_shared::act::{
    Act, Actor, BalancesOpened, CardSet, FieldSet, HistoryBrought, MemberSet, ProfileSet,
};
use hufu_shared::form::FIELDS;
use hufu_shared::ids::{CardId, EntryId, Hash, MemberId, OperatorId};
use hufu_shared::time::Instant;
use hufu_shared::token::Token;
use tokio::task::JoinHandle;

use super::Kind;
use super::cards::CardLine;
use super::members::MemberLine;
use super::plan::{self, Change, KnownMember};
use super::run::{ImportError, Means, Request, random};
use crate::db::Tx;
use crate::rules::entry::{EntryBody, TakenAct};
use crate::store::acts::Note;
use crate::store::people::{self, PeopleError, SALT_BYTES};
use crate::store::{StoreError, acts, journal, levels};
use crate::vault::{Sealed, Vault};

/// A member's row.
#[derive(Clone)]
pub(super) struct MemberRow {
    pub(super) line: MemberLine,
    /// The id it gets if the number is new.
    pub(super) fresh: MemberId,
    /// The salt of its commitment.
    pub(super) salt: [u8; SALT_BYTES],
    /// Whether the number was new when the file was planned.
    pub(super) is_new: bool,
}

/// A card's row, its tokens in order, and the id it gets if none of them is known.
pub(super) type CardRow = (CardLine, Vec<Token>, CardId);

/// One act to be taken. Rows of members and cards stay as the file has them: what the file does not speak of is
/// filled in behind the gate, from what is true then.
#[derive(Clone)]
pub(super) enum Chunk {
    Members(Vec<MemberRow>),
    Cards(Vec<CardRow>),
    Openings(BalancesOpened, Note),
    Past(HistoryBrought, Vec<PastText>),
    Whole(Act),
}

impl Chunk {
    /// Rows of the file in it.
    fn rows(&self) -> usize {
        match self {
            Self::Members(rows) => rows.len(),
            Self::Cards(rows) => rows.len(),
            Self::Openings(opened, _) => opened.rows.len(),
            Self::Past(brought, _) => brought.lines.len(),
            Self::Whole(_) => 1,
        }
    }
}

/// What the vault keeps of a transaction of another system.
#[derive(Clone)]
pub(super) struct PastText {
    pub(super) member: MemberId,
    pub(super) commitment: Hash,
    /// Salt and text.
    pub(super) kept: Vec<u8>,
}

/// Acts that are taken in one transaction. More would cost less, but who uploads meanwhile waits at the gate.
const ACTS_AT_ONCE: usize = 4;

/// What new members become, by the row of the file: sealed before the gate, where nobody waits for it.
type SealedRows = BTreeMap<u64, (Hash, Sealed)>;

/// Chunks on their way.
struct Batch {
    chunks: Vec<(EntryId, Chunk)>,
    sealed: SealedRows,
}

/// Takes chunks in; `columns` are those that the file has. Rows that no longer change anything are left out. While some
/// are written, the next ones are sealed.
///
/// # Errors
/// [`ImportError`] if the books or the vault fail, or if it is to stop; then what was written before stays.
pub(super) async fn write(
    means: &Means<'_>,
    request: &Request,
    columns: &[&'static str],
    chunks: Vec<Chunk>,
) -> Result<(), ImportError> {
    let mut chunks = chunks.into_iter();
    let mut next = seal(means, &mut chunks)?;
    while let Some(ready) = next.take() {
        let batch = Arc::new(ready.await.map_err(|_| ImportError::Sealing)??);
        if request.watch.is_to_stop() {
            return Err(ImportError::Stopped);
        }
        next = seal(means, &mut chunks)?;
        let (kind, by) = (request.kind, request.by);
        let rows = batch.chunks.iter().map(|(_, chunk)| chunk.rows()).sum();
        let (now, vault, columns) = (means.clock.now(), means.vault.clone(), columns.to_vec());
        let work = move |tx: &mut Tx<'_>| -> Result<(), PeopleError> {
            let has = |column: &str| columns.contains(&column);
            batch.chunks.iter().try_for_each(|(entry, chunk)| {
                take(tx, &vault, (*entry, now, by), (kind, chunk, &batch.sealed), has)
            })
        };
        means.db.write(work).await?;
        request.watch.did(rows);
    }
    Ok(())
}

/// Seals the next chunks on another thread; none if there are no more.
fn seal(
    means: &Means<'_>,
    chunks: &mut impl Iterator<Item = Chunk>,
) -> Result<Option<JoinHandle<Result<Batch, PeopleError>>>, ImportError> {
    let now = means.clock.now();
    let named = chunks.by_ref().take(ACTS_AT_ONCE).map(|chunk| Ok((EntryId::new(now, random()?), chunk)));
    let chunks = named.collect::<Result<Vec<_>, ImportError>>()?;
    if chunks.is_empty() {
        return Ok(None);
    }
    let vault = means.vault.clone();
    Ok(Some(tokio::task::spawn_blocking(move || {
        let mut sealed = SealedRows::new();
        for (_, chunk) in &chunks {
            let Chunk::Members(rows) = chunk else { continue };
            for row in rows.iter().filter(|row| row.is_new) {
                let line = &row.line;
                let made = people::seal_new(&vault, row.fresh, &line.personal, line.secret, row.salt)?;
                sealed.insert(line.row, made);
            }
        }
        Ok(Batch { chunks, sealed })
    })))
}

/// Takes one chunk in, behind the gate.
fn take(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (entry, now, by): (EntryId, Instant, Option<OperatorId>),
    (kind, chunk, sealed): (Kind, &Chunk, &SealedRows),
    has: impl Fn(&str) -> bool,
) -> Result<(), PeopleError> {
    let received = journal::pass_gate(tx, now)?;
    let (mut edits, mut given) = (Vec::new(), None);
    let (act, count) = match chunk {
        Chunk::Whole(act) => (act.clone(), 1),
        Chunk::Openings(opened, note) => {
            note.put(tx, by, now)?;
            (Act::BalancesOpened(opened.clone()), opened.rows.len())
        }
        Chunk::Past(brought, texts) => {
            let brought = put_past(tx, vault, brought, texts)?;
            let count = brought.lines.len();
            (Act::HistoryBrought(brought), count)
        }
        Chunk::Members(rows) => {
            let (rows, edited) = put_members(tx, vault, (rows, sealed), has)?;
            edits = edited;
            given = levels::given(tx, &rows, received)?;
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
        let command = || Actor::Command(format!("import {} ({count} rows)", kind.code()));
        let actor = by.map_or_else(command, Actor::Admin);
        let taken = TakenAct { actor: actor.clone(), act, seen: Vec::new() };
        journal::take(tx, entry, received, EntryBody::Act(taken))?;
        for (n, act) in edits.into_iter().map(Act::ProfileSet).chain(given).enumerate() {
            acts::take(tx, nth(entry, n), now, &actor, &act)?;
        }
    }
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
    (rows, sealed): (&[MemberRow], &SealedRows),
    has: impl Fn(&str) -> bool,
) -> Result<(Vec<MemberSet>, Vec<ProfileSet>), PeopleError> {
    let (mut current, mut edits) = (Vec::with_capacity(rows.len()), Vec::new());
    let mut fresh_ones = Vec::new();
    for MemberRow { line, fresh, salt, .. } in rows {
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
        let personal = match sealed.get(&line.row).filter(|_| before.is_none()) {
            Some((commitment, sealed)) => {
                fresh_ones.push(sealed);
                *commitment
            }
            None => people::put_personal(tx, vault, member, &line.personal, line.secret, *salt)?,
        };
        edits.extend(before.and_then(|before| edit_of(&before, &line, personal)));
        current.push(MemberSet {
            member,
            personal,
            number: line.number,
            level: line.level,
            status: line.status,
            office: line.office,
            joined: line.joined,
        });
    }
    vault.put_new(tx, &fresh_ones)?;
    Ok((current, edits))
}

/// Transactions as they are written, the vault filled beside; of who was erased nothing is.
fn put_past(
    tx: &mut Tx<'_>,
    vault: &Vault,
    brought: &HistoryBrought,
    texts: &[PastText],
) -> Result<HistoryBrought, PeopleError> {
    let mut by_member: BTreeMap<MemberId, Vec<(Hash, &[u8])>> = BTreeMap::new();
    for text in texts {
        by_member.entry(text.member).or_default().push((text.commitment, &text.kept));
    }
    let mut known = BTreeSet::new();
    for (member, texts) in by_member {
        if vault.knows(tx, member)? {
            vault.put_texts(tx, member, &texts)?;
            known.insert(member);
        }
    }
    let lines = brought.lines.iter().filter(|line| known.contains(&line.member)).cloned().collect();
    Ok(HistoryBrought { batch: brought.batch.clone(), lines })
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
