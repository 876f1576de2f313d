//! Taking lists out of the centre: members, cards, balances, statements.
//!
//! A list holds the members that a person sees, and of them what their role may read: masked, unless they asked for it
//! as it is, gave a reason, and may read it for one. Each list is an act with its count of rows, taken before the file is
//! in its place: there is no file without a record.
//!
//! A list is read page by page, so what changes meanwhile may stand in it or not. Out of scope: approvals by three
//! people (I3), which the centre does not have yet.

mod rows;

use std::path::Path;

use hufu_shared::act::{Act, Actor, DataExported, Sensitivity};
use hufu_shared::ids::CardId;
use serde::Serialize;

use crate::app::App;
use crate::console::words::{self, Language};
use crate::db::Tx;
use crate::random::{self, NoRandom};
use crate::rules::joining::roles::{Account, Reads};
use crate::spreadsheet::{Field, SpreadsheetError, Table};
use crate::store::acts::{self, Note};
use crate::store::lists::{self, Place};
use crate::store::people::{self, PeopleError};
use crate::store::{StoreError, joining};
use rows::Pen;

/// Members, or cards in stock, read at a time.
const PAGE_ROWS: u32 = 200;

/// What a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Members and their data.
    Members,
    /// Cards, those in stock too.
    Cards,
    /// What members have and owe.
    Balances,
    /// All ledger lines of members, and what they did in the system before.
    Statements,
}

impl What {
    /// All lists.
    pub const ALL: [Self; 4] = [Self::Members, Self::Cards, Self::Balances, Self::Statements];

    /// The list of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.code() == code)
    }

    /// The name in commands and in the record.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Cards => "cards",
            Self::Balances => "balances",
            Self::Statements => "statements",
        }
    }
}

/// What a person asks for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Which list.
    pub what: What,
    /// By whose rights; none for the masked list of the centre's own machine.
    pub by: Option<Account>,
    /// Whether personal data is to stand there as it is, which needs a reason; else it is masked.
    pub clear: bool,
    /// Why the list is taken out.
    pub reason: Option<String>,
    /// Whether it is asked for at the console, and not by a command for somebody.
    pub at_console: bool,
    /// The language of headers and words.
    pub language: Language,
}

/// A list that could not be taken out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Nobody's role lets personal data out as it is.
    #[error(
        "personal data is written as it is only for somebody whose role may read it: name them with --as, and say why"
    )]
    NotAllowed,
    /// The file.
    #[error(transparent)]
    File(#[from] SpreadsheetError),
    /// Books or vault.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] NoRandom),
    /// The reason cannot be sealed.
    #[error("seal the reason: {0}")]
    Seal(#[from] hufu_shared::seal::SealError),
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::People(error.into())
    }
}

impl From<crate::db::DbError> for ExportError {
    fn from(error: crate::db::DbError) -> Self {
        Self::People(error.into())
    }
}

/// How fields of a class stand in the list: as they are, or masked.
fn is_clear(wish: &Wish, class: Sensitivity) -> bool {
    let reads = wish.by.map_or(Reads::No, |account| account.role.reads(class));
    wish.clear && wish.reason.is_some() && reads != Reads::No
}

/// Writes a list to a file; answers how many rows it has.
///
/// # Errors
/// [`ExportError`]; then the place of the file holds what it held.
pub async fn export(app: &App, wish: &Wish, path: &Path) -> Result<u64, ExportError> {
    if wish.clear && !is_clear(wish, Sensitivity::Personal) {
        return Err(ExportError::NotAllowed);
    }
    let kinds = app.db.read(|tx| joining::terms(tx, hufu_shared::dictionary::CARD_KIND)).await?;
    let causes = app.db.read(|tx| joining::terms(tx, hufu_shared::dictionary::CAUSE)).await?;
    let offices = app.db.read(people::offices).await?;
    let zone = crate::import::club_zone(&offices);
    let clear = [Sensitivity::Personal, Sensitivity::Sensitive].map(|class| is_clear(wish, class));
    let pen = Pen { language: wish.language, zone, kinds, causes, offices, clear };
    let mut table = Table::create(path, &words::text(wish.language, sheet_name(wish.what)))?;
    table.row(&pen.head(wish.what))?;
    let mut count = 0;
    let mut place = Some(Place::first(wish.by.as_ref()));
    while let Some(after) = place {
        let (found, next) = page(app, wish, &pen, after).await?;
        count += put(&mut table, &found)?;
        place = next;
    }
    let sees_stock = wish.by.is_none_or(|account| account.role.is_of_centre());
    if wish.what == What::Cards && sees_stock {
        count += stock(app, &pen, &mut table).await?;
    }
    record(app, wish, count).await?;
    table.finish()?;
    Ok(count)
}

fn sheet_name(what: What) -> &'static str {
    match what {
        What::Members => "export-members",
        What::Cards => "export-cards",
        What::Balances => "export-balances",
        What::Statements => "export-statements",
    }
}

fn put(table: &mut Table, rows: &[Vec<Field>]) -> Result<u64, SpreadsheetError> {
    rows.iter().try_for_each(|row| table.row(row))?;
    Ok(rows.len() as u64)
}

/// The rows of the next members.
async fn page(
    app: &App,
    wish: &Wish,
    pen: &Pen,
    after: Place,
) -> Result<(Vec<Vec<Field>>, Option<Place>), ExportError> {
    let (pen, vault, what, by) = (pen.clone(), app.vault.clone(), wish.what, wish.by);
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let (members, next) = lists::members(tx, by.as_ref(), &after, PAGE_ROWS)?;
        let mut rows = Vec::new();
        for member in &members {
            match what {
                What::Members => rows.extend(pen.member(tx, &vault, member)?),
                What::Cards => {
                    let cards = people::cards_of(tx, member.member)?;
                    rows.extend(cards.iter().map(|card| pen.card(&member.number, card)));
                }
                What::Balances => {
                    let balances = lists::balances(tx, member.member)?;
                    rows.extend(
                        balances.into_iter().map(|(unit, has)| pen.balance(&member.number, unit, has)),
                    );
                }
                What::Statements => rows.extend(pen.statement(tx, &vault, member)?),
            }
        }
        Ok((rows, next))
    };
    Ok(app.db.read(load).await?)
}

/// Cards of nobody.
async fn stock(app: &App, pen: &Pen, table: &mut Table) -> Result<u64, ExportError> {
    let (mut count, mut after) = (0, CardId([0; 16]));
    loop {
        let cards = app.db.read(move |tx| lists::stock_cards(tx, after, PAGE_ROWS)).await?;
        let Some(last) = cards.last() else { return Ok(count) };
        after = last.card;
        let rows: Vec<_> = cards.iter().map(|card| pen.card("", card)).collect();
        count += put(table, &rows)?;
    }
}

/// Puts the list on record.
async fn record(app: &App, wish: &Wish, rows: u64) -> Result<(), ExportError> {
    let note = match wish.reason.as_deref() {
        Some(reason) => Some(Note::new(&app.keys.seal_public(), random::bytes()?, reason)?),
        None => None,
    };
    let exported = DataExported {
        what: wish.what.code().to_owned(),
        rows,
        clear: wish.clear,
        staff: wish.by.map(|account| account.id),
        reason: note.as_ref().map(|note| note.commitment),
    };
    let (entry, now, staff) = (app.entry_id()?, app.now(), wish.by.map(|account| account.id));
    let command = || Actor::Command(format!("export {}", wish.what.code()));
    let actor = wish.at_console.then_some(staff).flatten().map_or_else(command, Actor::Admin);
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        if let Some(note) = &note {
            note.put(tx, staff, now)?;
        }
        acts::take(tx, entry, now, &actor, &Act::DataExported(exported.clone())).map(|_| ())
    };
    app.write(work).await?;
    Ok(())
}
