//! Applications are decided in `/api/v1` (K2, K8, L1): what waits alone, what lapsed and is completed, and what looks like
//! somebody, with the choice of K7 in the same request. A dealer's supervisor decides what is theirs and their people's.
//!
//! Data, card and decision are one transaction.

use axum::Json;
use axum::extract::{Path, State};
use hufu_shared::act::{Act, Actor, CaseDecided};
use hufu_shared::ids::{EntryId, FactId, Hash, MemberId, OperatorId};
use hufu_shared::time::Instant;
use serde_json::{Value, json};

use super::Console;
use super::applications;
use super::cases::fact_text;
use super::failure::Failure;
use super::first_card::FirstCard;
use super::place::{self, CONTACT, Chosen, End, Shell, Wanted};
use super::problem::Refused;
use super::requests::fact_of;
use super::signed::Posted;
use super::verdict::note;
use crate::app::App;
use crate::db::Tx;
use crate::random;
use crate::rules::joining::roles::{self, Account};
use crate::store::acts::Note;
use crate::store::people::{self, PeopleError, SALT_BYTES};
use crate::store::requests::{self, State as Waits};
use crate::store::{acts, calls, cases, joining, journal, staff, world};

/// What is done with an application.
#[derive(Debug, Clone)]
pub(super) enum Deal {
    /// It becomes somebody's: a new member's, or the chosen one's (K8).
    Join,
    /// It is this member's.
    Bind(String),
    /// It is turned down.
    Reject,
}

/// Everything that approving needs of the shell.
pub(super) struct Approving {
    app: App,
    actor: Actor,
    by: OperatorId,
    note: Note,
    entries: [EntryId; 2],
    fresh: MemberId,
    salt: [u8; SALT_BYTES],
    wanted: Wanted,
    now: Instant,
}

/// Why nothing was decided.
pub(super) enum Undone {
    /// The key of the words that say why.
    Key(&'static str),
    /// It is not this person's to decide.
    Role,
    /// The books.
    Failed(PeopleError),
}

impl<E: Into<PeopleError>> From<E> for Undone {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Approving {
    /// Out of a request; else the key of what is wrong with it.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) async fn new(
        console: &Console,
        posted: &Posted,
    ) -> Result<Result<Self, &'static str>, Failure> {
        let fields = &posted.fields;
        let card = match FirstCard::typed(console, fields.get("card")).await? {
            Ok(card) => card,
            Err(key) => return Ok(Err(key)),
        };
        let now = console.app.now();
        Ok(Ok(Self {
            app: console.app.clone(),
            actor: posted.by.actor(),
            by: posted.by.session.staff,
            note: note(console, fields.get("reason"))?,
            entries: [console.app.entry_id()?, console.app.entry_id()?],
            fresh: MemberId::new(now, random::bytes()?),
            salt: random::bytes()?,
            wanted: Wanted { number: fields.get("number").to_owned(), card },
            now,
        }))
    }

    fn shell(&self) -> Shell<'_> {
        Shell {
            vault: &self.app.vault,
            key: self.app.keys.open_key(),
            actor: &self.actor,
            entry: self.entries[0],
            fresh: self.fresh,
            salt: self.salt,
            wanted: &self.wanted,
            now: self.now,
        }
    }

    /// The applicant becomes a new member, as nobody is like them.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub(super) fn joins(
        &self,
        tx: &mut Tx<'_>,
        application: FactId,
    ) -> Result<Result<(), &'static str>, PeopleError> {
        self.note.put(tx, Some(self.by), self.now)?;
        let at = (self.entries[1], application);
        place::alone(tx, &self.shell(), at, (End::Join, self.note.commitment))
    }

    /// Decides an application in one transaction, of which nothing is kept if it cannot be.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub(super) async fn run(
        self,
        me: Account,
        application: FactId,
        (deal, chosen): (Deal, Chosen),
    ) -> Result<Result<(), Undone>, PeopleError> {
        let app = self.app.clone();
        let work = move |tx: &mut Tx<'_>| -> Result<Result<(), Undone>, PeopleError> {
            let decide = |tx: &mut Tx<'_>| -> Result<(), Undone> {
                self.decide(tx, &me, application, (&deal, &chosen))?;
                Ok(calls::forget(tx, application)?)
            };
            match tx.savepoint("approve", decide) {
                Err(Undone::Failed(error)) => Err(error),
                done => Ok(done),
            }
        };
        app.write(work).await
    }

    /// Decides an application, if it is this person's to decide and still waits.
    fn decide(
        &self,
        tx: &mut Tx<'_>,
        me: &Account,
        application: FactId,
        (deal, chosen): (&Deal, &Chosen),
    ) -> Result<(), Undone> {
        journal::pass_gate(tx, self.now)?;
        if !roles::approves(me, carer_of(tx, application)?.as_ref()) {
            return Err(Undone::Role);
        }
        let waiting = requests::one(tx, application)?.filter(|waiting| waiting.asks == requests::Asks::Join);
        let state = waiting.ok_or(Undone::Key("request-changed"))?.state;
        self.note.put(tx, Some(self.by), self.now)?;
        match state {
            Waits::Lapsed if matches!(deal, Deal::Reject) => Err(Undone::Key("request-changed")),
            Waits::Ready | Waits::Lapsed => {
                let end = match deal {
                    Deal::Join => End::Join,
                    Deal::Reject => End::Reject,
                    Deal::Bind(number) => {
                        End::Bind(people::member_by_number(tx, number)?.ok_or(Undone::Key("bind-nobody"))?)
                    }
                };
                let at = (self.entries[1], application);
                let done = place::alone(tx, &self.shell(), at, (end, self.note.commitment))?;
                done.map_err(Undone::Key)
            }
            Waits::Case(case) => {
                let decided = self.verdict(tx, case, (deal, chosen))?;
                let pins = decided.pins.clone();
                acts::take(tx, self.entries[1], self.now, &self.actor, &Act::CaseDecided(decided))?;
                if cases::pins_hold(tx, &pins)? { Ok(()) } else { Err(Undone::Key("verdict-pins")) }
            }
            Waits::LookedUp | Waits::UnknownCard => Err(Undone::Key("request-looked-up")),
        }
    }

    /// The verdict of the case about one that looks like somebody (K8).
    fn verdict(
        &self,
        tx: &mut Tx<'_>,
        case: Hash,
        (deal, chosen): (&Deal, &Chosen),
    ) -> Result<CaseDecided, Undone> {
        let case = cases::one(tx, case)?.ok_or(Undone::Key("case-changed"))?;
        let reason = self.note.commitment;
        let decided = match deal {
            Deal::Reject => place::turned_down(tx, &self.app.vault, &case, reason)?,
            Deal::Join => place::application(tx, &self.shell(), &case, chosen, reason)?,
            Deal::Bind(number) => {
                let member = people::member_by_number(tx, number)?;
                let member = Some(member.ok_or(Undone::Key("bind-nobody"))?);
                place::application(tx, &self.shell(), &case, &Chosen { member, ..chosen.clone() }, reason)?
            }
        };
        decided.map_err(Undone::Key)
    }
}

/// Who cares for an application; none for one that a terminal took, or that the centre entered.
fn carer_of(tx: &mut Tx<'_>, application: FactId) -> Result<Option<Account>, PeopleError> {
    let known = if application.is_filed() { joining::filed(tx, application)? } else { None };
    match known.and_then(|known| known.carer) {
        Some(carer) => Ok(staff::account(tx, carer)?),
        None => Ok(None),
    }
}

/// Decides an application: `deal` is `join`, `bind` (`member` is a number) or `reject`; with `join`, `number` and `card`
/// are the member's number and first card. One that looks like somebody: `join` with `with`, the applications that go in
/// with it, commas between, and the final `mobile`, `home_phone`, `address`; or `bind`.
pub async fn decide(
    State(console): State<Console>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled_any()?;
    let (ui, fields, me) = (posted.by.ui.clone(), &posted.fields, posted.by.session.account);
    let application = fact_of(&id).ok_or(Failure::NotFound)?;
    let deal = match fields.get("deal") {
        "join" => Deal::Join,
        "bind" => Deal::Bind(fields.get("member").to_owned()),
        "reject" => Deal::Reject,
        _ => return Err(Refused::unfit(&ui, "verdict-none")),
    };
    if fields.get("reason").is_empty() {
        return Err(Refused::unfit(&ui, "reason-missing"));
    }
    let with = fields.get("with").split(',').map(str::trim).filter(|id| !id.is_empty());
    let chosen = Chosen {
        member: None,
        applications: with.map(str::to_owned).collect(),
        contact: CONTACT.map(|field| fields.get(field).to_owned()),
    };
    match decide_it(&console, &posted, &me, (application, deal, chosen)).await? {
        Ok(()) => {}
        Err(Undone::Role) => return Err(Failure::Role.into()),
        Err(Undone::Key(key @ ("request-changed" | "case-changed" | "verdict-pins"))) => {
            return Err(Refused::conflict(&ui, key));
        }
        Err(Undone::Key(key)) => return Err(Refused::unfit(&ui, key)),
        Err(Undone::Failed(error)) => return Err(error.into()),
    }
    told(&console, application, console.app.now()).await
}

/// Gives an application that looks like nobody its new member, or turns it down, by the right of an account; answers the
/// key of what is wrong.
pub(super) async fn join_it(
    console: &Console,
    posted: &Posted,
    right: &Account,
    (application, joins): (FactId, bool),
) -> Result<Result<(), &'static str>, Failure> {
    let deal = if joins { Deal::Join } else { Deal::Reject };
    match decide_it(console, posted, right, (application, deal, Chosen::default())).await? {
        Ok(()) => Ok(Ok(())),
        Err(Undone::Key(key)) => Ok(Err(key)),
        Err(Undone::Role) => Err(Failure::Role),
        Err(Undone::Failed(error)) => Err(error.into()),
    }
}

/// Decides an application by the right of an account.
async fn decide_it(
    console: &Console,
    posted: &Posted,
    right: &Account,
    (application, deal, chosen): (FactId, Deal, Chosen),
) -> Result<Result<(), Undone>, Failure> {
    match Approving::new(console, posted).await? {
        Ok(approving) => Ok(approving.run(*right, application, (deal, chosen)).await?),
        Err(key) => Ok(Err(Undone::Key(key))),
    }
}

/// An application as it is now.
async fn told(console: &Console, application: FactId, now: Instant) -> Result<Json<Value>, Refused> {
    let load = move |tx: &mut Tx<'_>| -> Result<Value, PeopleError> {
        if let Some(known) = joining::filed(tx, application)?.filter(|_| application.is_filed()) {
            let member = known.member;
            let mut row = applications::row(application, &known, (&world::policy(tx)?.joining, now));
            row["cards"] = cards(tx, member)?;
            return Ok(row);
        }
        let member = people::member_of_fact(tx, application)?;
        let cards = cards(tx, member)?;
        Ok(json!({ "application": fact_text(application), "member": member, "cards": cards }))
    };
    Ok(Json(console.app.db.read(load).await?))
}

/// The last characters of a member's cards: what there is to be handed over; empty for one who gets a card later.
fn cards(tx: &mut Tx<'_>, member: Option<MemberId>) -> Result<Value, PeopleError> {
    let Some(member) = member else { return Ok(json!([])) };
    let cards = people::cards_of(tx, member)?;
    Ok(json!(cards.iter().map(|card| card.tail.clone()).collect::<Vec<_>>()))
}
