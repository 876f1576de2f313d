//! How a list is written: its headers, and a row for what the books hold.

use chrono::DateTime;
use chrono_tz::Tz;
use hufu_shared::act::{CardSet, MemberSet};
use hufu_shared::dictionary::Term;
use hufu_shared::member::OfficeRow;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::Instant;

use super::What;
use crate::console::statement::why;
use crate::console::words::{self, Language};
use crate::db::Tx;
use crate::import::{Column, Kind};
use crate::spreadsheet::Field;
use crate::store::lists::Balance;
use crate::store::people::{self, PeopleError};
use crate::store::{brought, rows, statement};
use crate::vault::{Personal, Sex, Vault, mask};

/// Headers of a list of cards.
const CARDS: [&str; 6] =
    ["col-number", "export-tail", "export-kind", "export-state", "export-from", "export-until"];
/// Headers of a list of balances.
const BALANCES: [&str; 5] = ["col-number", "export-unit", "export-available", "export-escrow", "export-owed"];
/// Headers of a list of statements.
const STATEMENTS: [&str; 9] = [
    "col-number",
    "col-time",
    "export-source",
    "export-what",
    "export-unit",
    "col-change",
    "export-place",
    "export-batch",
    "export-rule",
];

/// In what words, and how openly, rows are written.
#[derive(Clone)]
pub(super) struct Pen {
    pub(super) language: Language,
    pub(super) zone: Tz,
    /// Kinds of cards.
    pub(super) kinds: Vec<Term>,
    /// What changes of points are caused by.
    pub(super) causes: Vec<Term>,
    pub(super) offices: Vec<OfficeRow>,
    /// Whether personal data stands as it is, and whether that which is most protected does.
    pub(super) clear: [bool; 2],
}

impl Pen {
    fn word(&self, key: &str) -> Field {
        Field::text(words::text(self.language, key))
    }

    /// The headers. A list of members has those of an import, so that a clear one can be read back.
    pub(super) fn head(&self, what: What) -> Vec<Field> {
        let keys: &[&str] = match what {
            What::Members => {
                let name = |column: &Column| match self.language {
                    Language::Zh => Field::text(column.zh),
                    Language::En => Field::text(column.name),
                };
                return Kind::Members.columns().iter().map(name).collect();
            }
            What::Cards => &CARDS,
            What::Balances => &BALANCES,
            What::Statements => &STATEMENTS,
        };
        keys.iter().map(|key| self.word(key)).collect()
    }

    /// A moment in the club's zone.
    fn time(&self, at: Instant) -> Field {
        let at = DateTime::from_timestamp_micros(at.0);
        let shown = at.map(|at| at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M").to_string());
        Field::text(shown.unwrap_or_default())
    }

    /// A member; none where the vault holds nothing of them.
    pub(super) fn member(
        &self,
        tx: &mut Tx<'_>,
        vault: &Vault,
        row: &MemberSet,
    ) -> Result<Option<Vec<Field>>, PeopleError> {
        let Some(personal) = vault.reveal(tx, row.member)? else { return Ok(None) };
        let secret = people::wants_secrecy(tx, vault, row.member, row.personal)?;
        let office = self.offices.iter().find(|office| Some(office.office) == row.office);
        let level = row.level.as_ref();
        let mut fields = vec![Field::text(&row.number)];
        fields.extend(self.person(&personal));
        fields.extend([
            Field::text(level.map_or("", |level| &level.zh)),
            Field::text(level.map_or("", |level| &level.en)),
            self.word(&format!("member-{}", rows::member_status_code(row.status))),
            Field::text(office.map_or("", |office| &office.code)),
            self.word(if secret { "export-yes" } else { "export-no" }),
        ]);
        Ok(Some(fields))
    }

    /// What the vault knows, in the order of an import's columns.
    fn person(&self, personal: &Personal) -> [Field; 6] {
        let [is_clear, is_open] = self.clear;
        let shown = |value: &str, masked: fn(&str) -> String, is_clear: bool| {
            Field::text(if is_clear { value.to_owned() } else { masked(value) })
        };
        let document = personal.document.as_ref();
        let birthday = personal.birthday.map(|day| day.to_string()).unwrap_or_default();
        [
            shown(&personal.name, mask::name, is_clear),
            match personal.sex {
                Sex::Unknown => Field::text(""),
                sex => self.word(&format!("sex-{}", sex.code())),
            },
            shown(personal.mobile.as_deref().unwrap_or_default(), mask::mobile, is_clear),
            match document {
                Some(document) => self.word(&format!("paper-{}", document.kind.code())),
                None => Field::text(""),
            },
            shown(document.map_or("", |document| &document.number), mask::document, is_open),
            // The year is enough to tell two members of a name apart.
            shown(
                &birthday,
                |day| day.get(..4).map_or_else(String::new, |year| format!("{year}-**-**")),
                is_clear,
            ),
        ]
    }

    /// A card; its number is nowhere, its tail is.
    pub(super) fn card(&self, number: &str, card: &CardSet) -> Vec<Field> {
        let kind = self.kinds.iter().find(|term| term.code == card.kind);
        let day = |at: Option<Instant>| at.map_or_else(|| Field::text(""), |at| self.time(at));
        vec![
            Field::text(number),
            Field::text(&card.tail),
            Field::text(kind.map_or(card.kind.as_str(), |term| self.language.pick(&term.words))),
            self.word(&format!("card-{}", card.status.code())),
            day(card.valid_from),
            day(card.valid_until),
        ]
    }

    /// What a member has of a unit.
    pub(super) fn balance(&self, number: &str, unit: Unit, has: Balance) -> Vec<Field> {
        let amounts = [has.available, has.escrow, has.owed].map(|amount| Field::amount(amount, unit));
        [Field::text(number), self.word(unit_word(unit))].into_iter().chain(amounts).collect()
    }

    /// A member's statement: the ledger's lines, and what the system before had, which is in no balance.
    pub(super) fn statement(
        &self,
        tx: &mut Tx<'_>,
        vault: &Vault,
        row: &MemberSet,
    ) -> Result<Vec<Vec<Field>>, PeopleError> {
        let mut lines = Vec::new();
        for past in brought::past_of(tx, vault, row.member, brought::FIRST_PAST, i64::MAX)?.into_iter().rev()
        {
            let words = past.words.unwrap_or_default();
            let (time, batch) = (self.time(past.at), Field::text(&past.batch));
            let mut changes: Vec<_> = past.legs.iter().map(|leg| (leg.unit, leg.amount)).collect();
            if changes.is_empty() {
                changes.push((Unit::Cny, Amount::ZERO));
            }
            lines.extend(changes.into_iter().map(|(unit, change)| {
                vec![
                    Field::text(&row.number),
                    time.clone(),
                    self.word("export-past"),
                    Field::text(&words.what),
                    self.word(unit_word(unit)),
                    Field::amount(change, unit),
                    Field::text(&words.place),
                    batch.clone(),
                    Field::text(&words.reference),
                ]
            }));
        }
        for unit in Unit::ALL {
            let found = statement::lines(tx, (row.member, unit), statement::Place::FIRST, i64::MAX)?;
            lines.extend(found.into_iter().map(|line| self.ledger(&row.number, unit, line)));
        }
        Ok(lines)
    }

    /// A line of the ledger.
    fn ledger(&self, number: &str, unit: Unit, line: statement::Line) -> Vec<Field> {
        let office = line.office.as_ref().map(|office| self.language.pick(office).to_owned());
        vec![
            Field::text(number),
            self.time(line.at),
            self.word("export-ledger"),
            Field::text(why(self.language, unit, &self.causes, &line)),
            self.word(unit_word(unit)),
            Field::amount(Amount(line.change), unit),
            Field::text(line.device.or(office).unwrap_or_default()),
            Field::text(line.batch.unwrap_or_default()),
            Field::text(line.rule),
        ]
    }
}

fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Pts => "unit-points",
        Unit::Growth => "unit-growth",
        Unit::Cny => "unit-money",
    }
}
