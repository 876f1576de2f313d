//! What waits, gathered from the parts that know it: for each thing what it would change, who asked, whose say it is.
//!
//! Nothing is decided here, and nothing is written: what stands against something is looked at as it is now.

use std::sync::Arc;

use hufu_shared::act::Actor;
use hufu_shared::dictionary::{self, Term};
use hufu_shared::ids::{ActivityId, Hash, MemberId, OperatorId};
use hufu_shared::member::OfficeRow;
use hufu_shared::money::Unit;
use hufu_shared::scheme::earning::Balance;
use hufu_shared::time::Instant;

use super::super::Console;
use super::super::activities_page::kind_word;
use super::super::cases::fact_text;
use super::super::catalogue_page::what_of;
use super::super::events::amount_words;
use super::super::leases::amount;
use super::super::members::masked_name;
use super::super::points::{Wrong, balance_of, wrong};
use super::super::redemptions_page::{what_words, whom};
use super::super::requests as forms;
use super::super::statement::cause_words;
use super::super::ui::{Ui, number};
use super::Kind;
use crate::ca::OwnKeys;
use crate::db::Tx;
use crate::rules::catalogue::State as Redeeming;
use crate::rules::joining::leaving::State as Leaving;
use crate::rules::joining::roles::{self, Account};
use crate::rules::points::{NotChanged, State as Changing};
use crate::rules::stand_in;
use crate::store::approvals as store;
use crate::store::catalogue::{self, List};
use crate::store::people::{self, PeopleError};
use crate::store::requests::{self, Asks, State as Waits, Waiting};
use crate::store::{activities, joining, points, staff, stand_ins};
use crate::vault::Vault;

/// Things of one kind that are listed, those that wait longest.
pub const LISTED_MAX: i64 = 100;

/// What one thing would change.
pub struct Effect {
    /// Of what.
    pub what: String,
    /// As it is.
    pub before: String,
    /// As it would be.
    pub after: String,
}

/// Something that waits.
pub struct Item {
    /// What kind of thing.
    pub kind: Kind,
    /// Which one.
    pub id: String,
    /// Since when: with the id it says what somebody looked at, since whatever is asked anew waits anew.
    pub since: Instant,
    /// Of whom or what.
    pub title: String,
    /// The record's own page.
    pub link: String,
    /// What is asked for, in words.
    pub about: String,
    /// What it would change.
    pub effects: Vec<Effect>,
    /// What stands against it now; empty where nothing does.
    pub against: String,
    /// Who asked, as records name them; empty where nobody of the console did.
    pub asker: String,
    /// Who asked, in words.
    pub asked_by: String,
    /// Who of a dealer's people cares for it.
    pub carer: Option<Account>,
    /// Whom it waits for.
    pub waits_for: String,
    /// Where it is dealt with, and how it stands, if it cannot be decided here.
    pub elsewhere: Option<(String, String)>,
    /// It can be sent back; one whose time is up can only be completed (G2).
    pub returns: bool,
}

impl Item {
    /// As whom somebody may decide it.
    pub fn rights(&self, me: &Me) -> Vec<Actor> {
        let covers = |right: &Account| match self.kind {
            Kind::Join => roles::approves(right, self.carer.as_ref()),
            _ => right.role.is_of_centre(),
        };
        if self.elsewhere.is_some() {
            return Vec::new();
        }
        stand_in::rights(&me.account, &me.persons, &self.asker, covers)
    }

    /// Whether somebody sees it at all.
    pub fn is_seen(&self, me: &Me) -> bool {
        me.account.role.is_of_centre() || !self.rights(me).is_empty()
    }

    /// What a person saw of it, as forms carry it.
    pub fn seen(&self) -> String {
        format!("{}@{}", self.id, self.since.0)
    }
}

/// Who looks, and in whose place they may decide.
pub struct Me {
    /// Who.
    pub account: Account,
    /// Those whom they stand in for now.
    pub persons: Vec<Account>,
}

/// What all kinds need to be told in words.
pub struct Books {
    /// Everybody with an account: what they are, their login and their name.
    pub people: Vec<(Account, String, String)>,
    offices: Vec<OfficeRow>,
    causes: Vec<Term>,
    leave_kinds: Vec<Term>,
    activity_kinds: Vec<Term>,
}

impl Books {
    /// As they are now.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub fn open(tx: &mut Tx<'_>) -> Result<Self, PeopleError> {
        Ok(Self {
            people: staff::accounts(tx)?,
            offices: people::offices(tx)?,
            causes: joining::terms(tx, dictionary::CAUSE)?,
            leave_kinds: joining::terms(tx, dictionary::LEAVE_KIND)?,
            activity_kinds: joining::terms(tx, dictionary::ACTIVITY_KIND)?,
        })
    }

    /// Who somebody is, and in whose place they may decide now.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub fn me(&self, tx: &mut Tx<'_>, account: Account, now: Instant) -> Result<Me, PeopleError> {
        let people: Vec<Account> = self.people.iter().map(|row| row.0).collect();
        Ok(Me { account, persons: store::stands_for(tx, (&account, &people[..]), now)? })
    }

    /// The account of an id.
    pub fn account(&self, id: OperatorId) -> Option<Account> {
        self.people.iter().map(|row| row.0).find(|account| account.id == id)
    }

    /// What others call somebody; the end of the id of one who is gone.
    pub fn name(&self, id: OperatorId) -> String {
        let known = self.people.iter().find(|row| row.0.id == id);
        known.map_or_else(|| format!("…{}", &id.to_string()[30..]), |row| row.2.clone())
    }

    /// Who did something, of a name in a record.
    fn person(&self, ui: &Ui, name: &str) -> String {
        let id = name.strip_prefix("admin/").and_then(|id| id.parse().ok());
        match (id, name.split_once('/')) {
            (Some(id), _) => self.name(id),
            (None, Some(("job", _))) => ui.t("approvals-by-rule"),
            _ => "—".to_owned(),
        }
    }
}

/// What gathering needs of the shell.
#[derive(Clone)]
pub struct Desk {
    vault: Vault,
    keys: Arc<OwnKeys>,
    ui: Ui,
    now: Instant,
}

impl Desk {
    /// At a console.
    pub fn of(console: &Console, ui: &Ui) -> Self {
        let (vault, keys) = (console.app.vault.clone(), Arc::clone(&console.app.keys));
        Self { vault, keys, ui: ui.clone(), now: console.app.now() }
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// All that waits of a kind, what waits longest in front, at most [`LISTED_MAX`].
    ///
    /// # Errors
    /// [`PeopleError`].
    pub fn load(&self, tx: &mut Tx<'_>, books: &Books, kind: Kind) -> Result<Vec<Item>, PeopleError> {
        let mut items = match kind {
            Kind::Join | Kind::Change => self.forms(tx, books, kind)?,
            Kind::Leave => self.leavings(tx, books)?,
            Kind::Points => self.changes(tx, books)?,
            Kind::Activity => self.activities(tx, books)?,
            Kind::Plan => self.plans(tx, books)?,
            Kind::Item => self.redemptions(tx, books)?,
        };
        items.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
        items.truncate(usize::try_from(LISTED_MAX).unwrap_or(usize::MAX));
        Ok(items)
    }

    /// An item of which only what it is stands there.
    fn item(&self, books: &Books, kind: Kind, (id, since): (String, Instant), asker: &str) -> Item {
        Item {
            kind,
            id,
            since,
            title: String::new(),
            link: String::new(),
            about: String::new(),
            effects: Vec::new(),
            against: String::new(),
            asked_by: books.person(&self.ui, asker),
            asker: asker.to_owned(),
            carer: None,
            waits_for: self.ui.t("approvals-for-centre"),
            elsewhere: None,
            returns: true,
        }
    }

    fn effect(&self, what: &str, before: String, after: String) -> Effect {
        Effect { what: self.ui.t(what), before, after }
    }

    fn forms(&self, tx: &mut Tx<'_>, books: &Books, kind: Kind) -> Result<Vec<Item>, PeopleError> {
        let waiting = if kind == Kind::Join {
            let mut all = requests::applications(tx, LISTED_MAX)?;
            all.extend(requests::lapsed(tx, LISTED_MAX)?);
            all
        } else {
            requests::changes(tx)?.0
        };
        waiting.iter().map(|waiting| self.form(tx, books, (kind, waiting))).collect()
    }

    fn form(
        &self,
        tx: &mut Tx<'_>,
        books: &Books,
        (kind, waiting): (Kind, &Waiting),
    ) -> Result<Item, PeopleError> {
        let (ui, with) = (&self.ui, (&self.vault, self.keys.open_key()));
        let filed = if waiting.id.is_filed() { joining::filed(tx, waiting.id)? } else { None };
        let carer = filed.and_then(|known| known.carer);
        let asker = carer.map_or_else(String::new, |carer| Actor::Admin(carer).to_string());
        let text = fact_text(waiting.id);
        let mut item = self.item(books, kind, (text.clone(), waiting.received), &asker);
        item.title = forms::who(tx, with, ui, waiting)?;
        item.link = if self.ui.of_centre { format!("/requests/{text}") } else { String::new() };
        item.about = forms::place_of(ui, &books.offices, waiting);
        if asker.is_empty() {
            item.asked_by = ui.t("approvals-by-form");
        }
        if let Some(carer) = carer.and_then(|carer| books.account(carer)) {
            item.waits_for = self.waits_for(tx, books, &carer)?;
            item.carer = Some(carer);
        }
        item.returns = waiting.state != Waits::Lapsed;
        item.effects = match &waiting.asks {
            Asks::Join => {
                let (before, after) = (ui.t("approvals-nobody"), ui.t("approvals-new-member"));
                vec![self.effect("approvals-of-member", before, after)]
            }
            Asks::Change(..) => {
                let lines = forms::asked(tx, with, ui, waiting)?;
                let line =
                    |line: forms::Asked| Effect { what: line.label, before: line.stored, after: line.value };
                lines.into_iter().map(line).collect()
            }
        };
        let state = || ui.t(forms::state_of(waiting).0);
        item.elsewhere = match waiting.state {
            Waits::Ready | Waits::Lapsed => None,
            Waits::Case(case) => Some((format!("/cases/{case}"), state())),
            Waits::LookedUp | Waits::UnknownCard => Some((item.link.clone(), state())),
        };
        Ok(item)
    }

    /// Whom an application waits for that one of a dealer's people cares for (L1), with who stands in for them now.
    fn waits_for(&self, tx: &mut Tx<'_>, books: &Books, carer: &Account) -> Result<String, PeopleError> {
        let Some(superior) = carer.superior else { return Ok(self.ui.t("approvals-for-centre")) };
        let name = books.name(superior);
        let all = stand_ins::of(tx, superior)?;
        let words = match all.iter().find(|known| known.holds(self.now)) {
            Some(known) => {
                let values = [("name", name), ("by", books.name(known.stand_in))];
                self.ui.t_of("approvals-for-away", &values)
            }
            None => self.ui.t_with("approvals-for-superior", &[("name", &name)]),
        };
        Ok(words)
    }

    fn leavings(&self, tx: &mut Tx<'_>, books: &Books) -> Result<Vec<Item>, PeopleError> {
        let first = (Instant(i64::MIN), MemberId([0; 16]));
        let mut items = Vec::new();
        for view in joining::leavings(tx, Leaving::Filed, first, LISTED_MAX)? {
            let (member, filed) = (view.member, view.known.filed);
            let asker = store::leave_asker(tx, member, filed)?.unwrap_or_default();
            let mut item = self.item(books, Kind::Leave, (member.to_string(), filed), &asker);
            (item.title, item.link) = self.member(tx, member)?;
            item.about = kind_word(&self.ui, &books.leave_kinds, &view.known.kind);
            let (before, after) = (self.ui.t("approvals-active"), self.ui.t("approvals-archived"));
            item.effects = vec![self.effect("approvals-of-member", before, after)];
            items.push(item);
        }
        Ok(items)
    }

    /// A member in words, and their page.
    fn member(&self, tx: &mut Tx<'_>, member: MemberId) -> Result<(String, String), PeopleError> {
        let number = people::member(tx, member)?.map(|row| row.number).unwrap_or_default();
        let name = masked_name(tx, &self.vault, Some(member))?;
        Ok((format!("{name} · {number}"), format!("/members/{member}")))
    }

    fn changes(&self, tx: &mut Tx<'_>, books: &Books) -> Result<Vec<Item>, PeopleError> {
        let ui = &self.ui;
        let mut items = Vec::new();
        for known in points::changes(tx, Changing::Waiting, points::FIRST_ASKED, LISTED_MAX)? {
            let change = &known.change;
            let mut item = self.item(books, Kind::Points, (change.id.to_string(), known.asked), &known.asker);
            (item.title, item.link) = self.member(tx, change.member)?;
            let cause = cause_words(ui.language, &books.causes, &change.cause);
            let office = books.offices.iter().find(|row| row.office == change.office);
            let place = office.map_or_else(|| "—".to_owned(), |row| ui.pick(&row.name));
            item.about = format!("{} · {cause} · {place}", amount_words(ui, &known));
            let has = points::has(tx, change.member)?;
            if balance_of(&known) != Balance::Growth {
                let after = has.available.saturating_add(change.points);
                item.effects = vec![self.effect("approvals-of-points", number(has.available), number(after))];
            }
            if let Err(why) = points::check(tx, change, (false, 0), self.now)? {
                item.against = self.against(tx, (change.member, why))?;
            }
            items.push(item);
        }
        Ok(items)
    }

    /// Why a change cannot be posted now, in words; what lies at terminals is not asked back for that.
    fn against(&self, tx: &mut Tx<'_>, of: (MemberId, NotChanged)) -> Result<String, PeopleError> {
        let why = match of.1 {
            NotChanged::Short { missing, escrow } => Wrong::Short(missing, escrow, Vec::new()),
            _ => wrong(tx, of, self.now)?,
        };
        Ok(why.text(&self.ui))
    }

    fn activities(&self, tx: &mut Tx<'_>, books: &Books) -> Result<Vec<Item>, PeopleError> {
        let ui = &self.ui;
        let first = (Instant(i64::MIN), ActivityId([0; 16]));
        let mut items = Vec::new();
        for (id, known) in activities::page(tx, ("planned", ""), first, LISTED_MAX)? {
            let plan = &known.plan;
            let mut item =
                self.item(books, Kind::Activity, (id.to_string(), known.planned), &known.planned_by);
            (item.title, item.link) = (ui.pick(&plan.name), format!("/activities/{id}"));
            let rows = activities::occurrences_of(tx, id)?;
            let begins = rows.first().map_or_else(|| "—".to_owned(), |row| ui.time(row.starts));
            let values = [
                ("kind", kind_word(ui, &books.activity_kinds, &plan.kind)),
                ("n", rows.len().to_string()),
                ("begins", begins),
                ("heads", plan.heads.to_string()),
                ("cost", amount(ui, Unit::Cny, plan.cost.0)),
                ("points", number(rows.first().map_or(0, |row| row.points.0))),
            ];
            item.about = ui.t_of("approvals-activity", &values);
            let (before, after) = (ui.t("approvals-planned"), ui.t("approvals-may-run"));
            item.effects = vec![self.effect("approvals-of-plan", before, after)];
            items.push(item);
        }
        Ok(items)
    }

    fn plans(&self, tx: &mut Tx<'_>, books: &Books) -> Result<Vec<Item>, PeopleError> {
        let ui = &self.ui;
        let mut items = Vec::new();
        for known in store::plans(tx, LISTED_MAX)? {
            let terms = &known.terms;
            let mut item =
                self.item(books, Kind::Plan, (terms.id.to_string(), known.planned), &known.planner);
            (item.title, item.link) = (ui.pick(&terms.name), format!("/redemptions/{}", terms.id));
            let whom = whom(ui, &known).join(&ui.t("list-and"));
            let what = what_words(ui, &terms.what);
            item.about = format!("{what} · {} – {} · {whom}", terms.from, terms.until);
            let (before, after) = (ui.t("approvals-planned"), ui.t("approvals-may-pay"));
            item.effects = vec![self.effect("approvals-of-plan", before, after)];
            items.push(item);
        }
        Ok(items)
    }

    fn redemptions(&self, tx: &mut Tx<'_>, books: &Books) -> Result<Vec<Item>, PeopleError> {
        let ui = &self.ui;
        let newest = (Instant(i64::MAX), Hash([0xff; 32]));
        let mut items = Vec::new();
        for known in catalogue::redemptions(tx, List::In(Redeeming::Waiting), newest, LISTED_MAX)? {
            let (asked, costs) = (&known.asked, known.terms.points);
            let mut item = self.item(books, Kind::Item, (asked.id.to_string(), known.at), &known.asker);
            (item.title, item.link) = self.member(tx, asked.member)?;
            item.about = what_of(ui, &known);
            let has = points::has(tx, asked.member)?;
            let after = has.available.saturating_sub(costs);
            item.effects = vec![self.effect("approvals-of-points", number(has.available), number(after))];
            if after < 0 {
                item.against = Wrong::Short(-after, has.escrow.max(0), Vec::new()).text(ui);
            }
            items.push(item);
        }
        Ok(items)
    }
}
