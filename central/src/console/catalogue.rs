//! Redemption from the catalogue 目录兑换 in `/api/v1` (K24, S5, P2): what each thing costs a member today and why it cannot
//! be had, redeeming, approving, taking back, and what was redeemed.
//!
//! A redemption carries a key: sent twice it is done once. What the rule refuses is told with what was met and what was
//! expected; points that lie at terminals are asked back.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hufu_shared::act::{ItemDecided, ItemRedeemed, ItemTakenBack, Redeems};
use hufu_shared::ids::{FactId, Hash, MemberId, OfficeId};
use hufu_shared::money::Unit;
use hufu_shared::rules::redeem::NotRedeemed;
use hufu_shared::time::Instant;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::cases::fact_text;
use super::failure::Failure;
use super::leases::amount;
use super::pages::{cursor_down, next, rows_of};
use super::points::{Wrong, key_of, wrong};
use super::problem::Refused;
use super::requests::fact_of;
use super::signed::{Fields, Posted, SignedIn};
use super::ui::{Ui, number};
use super::verdict::note;
use crate::db::Tx;
use crate::rules::catalogue::{NotHad, NotOpened, State as Stands};
use crate::rules::points::NotChanged;
use crate::rules::world::KnownRedemption;
use crate::store::catalogue::desk::{self, Got, NotGot, NotStepped, Offer};
use crate::store::catalogue::{self as store, List};
use crate::store::people::{self, PeopleError};

/// Why something is not done.
#[derive(Debug, Clone)]
pub(super) enum Why {
    /// The key of the words that say why.
    Key(&'static str),
    /// Too few points: needed, there, and where others lie.
    Short(i64, i64, Wrong),
    /// What stands against it.
    Not(NotGot),
}

impl Why {
    /// What stands against it, without asking anything back.
    pub(super) fn of(why: NotGot) -> Self {
        match why {
            NotGot::Member(NotChanged::Recovering) => Self::Key("money-recovering"),
            NotGot::Member(_) => Self::Key("points-member"),
            NotGot::NoCatalogue => Self::Key("catalogue-none"),
            NotGot::Shelf => Self::Key("catalogue-shelf"),
            NotGot::Short { needs, has, escrow, .. } => {
                Self::Short(needs, has, Wrong::Short(needs.saturating_sub(has), escrow, Vec::new()))
            }
            NotGot::Closed { .. } | NotGot::Rule(_) => Self::Not(why),
        }
    }

    /// The same; what lies at terminals and could cover what is missing is asked back.
    fn asking_back(tx: &mut Tx<'_>, why: NotGot, now: Instant) -> Result<Self, PeopleError> {
        match why {
            NotGot::Short { member, needs, has, escrow } if escrow > 0 => {
                let missing = needs.saturating_sub(has);
                let wrong = wrong(tx, (member, NotChanged::Short { missing, escrow }), now)?;
                Ok(Self::Short(needs, has, wrong))
            }
            why => Ok(Self::of(why)),
        }
    }

    /// Why a step is not taken, asking back alike.
    fn of_step(tx: &mut Tx<'_>, why: NotStepped, now: Instant) -> Result<Self, PeopleError> {
        Ok(match why {
            NotStepped::Changed => Self::Key("catalogue-changed"),
            NotStepped::Own => Self::Key("points-own"),
            NotStepped::CouponUsed => Self::Key("catalogue-coupon-used"),
            NotStepped::ValueSpent => Self::Key("catalogue-value-spent"),
            NotStepped::Not(why) => return Self::asking_back(tx, why, now),
        })
    }

    /// For programs.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Key(key) => key,
            Self::Short(..) => "catalogue-short",
            Self::Not(NotGot::Closed { .. }) => "catalogue-closed",
            Self::Not(NotGot::Rule(NotHad::Rule(why))) => match why {
                NotRedeemed::Closed { .. } => "catalogue-closed",
                NotRedeemed::NotOffered { .. } => "catalogue-not-offered",
                NotRedeemed::Rank { .. } => "catalogue-rank",
                NotRedeemed::Short { .. } => "catalogue-short",
                NotRedeemed::Overflow(_) => "points-number",
            },
            Self::Not(NotGot::Rule(NotHad::Purchase(why))) => match why {
                NotOpened::Unknown => "offer-unknown",
                NotOpened::Others => "offer-others",
                NotOpened::Void => "offer-void",
                NotOpened::Returned => "offer-returned",
                NotOpened::Day { .. } => "offer-day",
                NotOpened::Used => "offer-used",
                NotOpened::NoOffer => "offer-none",
                NotOpened::Small { .. } => "offer-small",
            },
            Self::Not(why) => Self::of(why.clone()).code(),
        }
    }

    /// In words.
    pub(super) fn text(&self, ui: &Ui) -> String {
        let pair = |needs: String, has: String| vec![("needs", needs), ("has", has)];
        let values = match self {
            Self::Short(needs, has, wrong) => {
                return ui.t_of(self.code(), &pair(number(*needs), number(*has))) + &wrong.away(ui);
            }
            Self::Not(NotGot::Closed { month, open }) => {
                let open: Vec<String> = open.iter().map(u8::to_string).collect();
                pair(open.join(&ui.t("list-and")), month.to_string())
            }
            Self::Not(NotGot::Rule(NotHad::Rule(NotRedeemed::NotOffered { what }))) => {
                vec![("what", what.clone())]
            }
            Self::Not(NotGot::Rule(NotHad::Rule(NotRedeemed::Rank { needs, has }))) => {
                let level = |rank: &u8| ui.t_with("level-rank", &[("n", &rank.to_string())]);
                pair(level(needs), level(has))
            }
            Self::Not(NotGot::Rule(NotHad::Purchase(NotOpened::Day { needs, met }))) => {
                pair(needs.to_string(), met.to_string())
            }
            Self::Not(NotGot::Rule(NotHad::Purchase(NotOpened::Small { needs, met }))) => {
                pair(amount(ui, Unit::Cny, *needs), amount(ui, Unit::Cny, *met))
            }
            Self::Key(_) | Self::Not(_) => Vec::new(),
        };
        ui.t_of(self.code(), &values)
    }

    /// As the API refuses it.
    fn refused(&self, ui: &Ui) -> Refused {
        match self.code() {
            key @ ("catalogue-changed" | "catalogue-key" | "points-own") => Refused::conflict(ui, key),
            code => Refused::unfit_as(code, self.text(ui)),
        }
    }
}

/// What was written: a thing of the catalogue by its code, or cash by its points.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub member: String,
    pub office: String,
    pub code: String,
    pub points: i64,
    pub purchase: Option<FactId>,
}

impl Written {
    pub(super) fn of(fields: &Fields) -> Result<Self, &'static str> {
        let [member, office, code] = ["member", "office", "code"].map(|name| fields.get(name).to_owned());
        let points = match (code.is_empty(), fields.get("points")) {
            (false, _) => 0,
            (true, written) => written.parse().ok().filter(|points| *points > 0).ok_or("catalogue-what")?,
        };
        Ok(Self { member, office, code, points, purchase: purchase_of(fields.get("purchase"))? })
    }

    /// The redemption with what it names looked up; or the key of what is wrong with it.
    pub(super) fn wish(
        &self,
        tx: &mut Tx<'_>,
        (id, reason): (Hash, Hash),
    ) -> Result<Result<ItemRedeemed, &'static str>, PeopleError> {
        let Some(member) = people::member_by_number(tx, &self.member)? else {
            return Ok(Err("points-member"));
        };
        let Some(office) = people::office_of(tx, &self.office)? else { return Ok(Err("points-office")) };
        let what = match self.code.as_str() {
            "" => Redeems::Cash { points: self.points },
            code => desk::wanted(tx, code, self.purchase)?,
        };
        Ok(Ok(ItemRedeemed { id, member, office, what, reason }))
    }
}

/// The purchase that a text names; none for an empty one.
fn purchase_of(text: &str) -> Result<Option<FactId>, &'static str> {
    if text.is_empty() { Ok(None) } else { fact_of(text).map(Some).ok_or("offer-unknown") }
}

/// Redeems as the fields say; the name of the redemption, and whether it is new.
pub(super) async fn redeem_as(
    console: &Console,
    posted: &Posted,
) -> Result<Result<(Hash, bool), Why>, Failure> {
    let fields = &posted.fields;
    let (written, key) = match (Written::of(fields), key_of(fields)) {
        (Ok(written), Ok(key)) => (written, key),
        (Err(why), _) | (_, Err(why)) => return Ok(Err(Why::Key(why))),
    };
    if fields.get("reason").is_empty() {
        return Ok(Err(Why::Key("reason-missing")));
    }
    let id = Hash::of(&[b"hufu-item-redemption", key.as_bytes()]);
    let note = note(console, fields.get("reason"))?;
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<bool, Why>, PeopleError> {
        let wish = match written.wish(tx, (id, note.commitment))? {
            Ok(wish) => wish,
            Err(key) => return Ok(Err(Why::Key(key))),
        };
        Ok(match desk::redeem(tx, &wish, (&note, &actor), (entry, now))? {
            Got::Now => Ok(true),
            Got::Before => Ok(false),
            Got::Other => Err(Why::Key("catalogue-key")),
            Got::Not(why) => Err(Why::asking_back(tx, why, now)?),
        })
    };
    let done = console.app.write(work).await?;
    if done.is_err() {
        console.app.wake();
    }
    Ok(done.map(|is_new| (id, is_new)))
}

/// Approves or returns one that waits; none in the answer if there is no such redemption.
pub(super) async fn decide_it(
    console: &Console,
    posted: &Posted,
    redemption: Hash,
) -> Result<Option<Result<(), Why>>, Failure> {
    let approved = match posted.fields.get("approved") {
        "1" => true,
        "0" => false,
        _ => return Ok(Some(Err(Why::Key("verdict-none")))),
    };
    if posted.fields.get("reason").is_empty() {
        return Ok(Some(Err(Why::Key("reason-missing"))));
    }
    let note = note(console, posted.fields.get("reason"))?;
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let decided = ItemDecided { redemption, approved, reason: note.commitment };
    let work = move |tx: &mut Tx<'_>| -> Result<Option<Result<(), Why>>, PeopleError> {
        let done = desk::decide(tx, &decided, (&note, &actor), (entry, now))?;
        stepped(tx, done, now)
    };
    let done = console.app.write(work).await?;
    if matches!(done, Some(Err(_))) {
        console.app.wake();
    }
    Ok(done)
}

/// What became of a step, in words that people read.
fn stepped(
    tx: &mut Tx<'_>,
    done: Option<Result<(), NotStepped>>,
    now: Instant,
) -> Result<Option<Result<(), Why>>, PeopleError> {
    Ok(match done {
        Some(Err(why)) => Some(Err(Why::of_step(tx, why, now)?)),
        Some(Ok(())) => Some(Ok(())),
        None => None,
    })
}

/// Why something cannot be had, once what lies at terminals and could cover what is missing was asked back.
pub(super) async fn asked_back(console: &Console, why: NotGot) -> Result<Why, Failure> {
    if !matches!(why, NotGot::Short { escrow, .. } if escrow > 0) {
        return Ok(Why::of(why));
    }
    let now = console.app.now();
    let told = console.app.write(move |tx| Why::asking_back(tx, why.clone(), now)).await?;
    console.app.wake();
    Ok(told)
}

/// Takes one back; none in the answer if there is no such redemption.
pub(super) async fn take_back_it(
    console: &Console,
    posted: &Posted,
    redemption: Hash,
) -> Result<Option<Result<(), Why>>, Failure> {
    if posted.fields.get("reason").is_empty() {
        return Ok(Some(Err(Why::Key("reason-missing"))));
    }
    let note = note(console, posted.fields.get("reason"))?;
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let back = ItemTakenBack { redemption, reason: note.commitment };
    let work = move |tx: &mut Tx<'_>| -> Result<Option<Result<(), Why>>, PeopleError> {
        let done = desk::take_back(tx, &back, (&note, &actor), (entry, now))?;
        stepped(tx, done, now)
    };
    Ok(console.app.write(work).await?)
}

fn redemption_json(known: &KnownRedemption) -> Value {
    let (asked, terms, decided) = (&known.asked, &known.terms, known.decided.as_ref());
    let code = match &asked.what {
        Redeems::Item { code, .. } => Some(code),
        Redeems::Cash { .. } => None,
    };
    json!({
        "redemption": asked.id, "member": asked.member, "office": asked.office, "kind": terms.kind.code(),
        "code": code, "name": known.name, "points": terms.points, "normal": terms.normal, "fen": terms.fen,
        "rule": terms.rule, "state": known.state.code(), "purchase": asked.what.purchase().map(fact_text),
        "pieces": known.pieces, "at": known.at, "day": known.day, "asker": known.asker,
        "decided": decided.map(|decided| decided.at), "decider": decided.map(|decided| &decided.by),
    })
}

async fn told(console: &Console, id: Hash) -> Result<Json<Value>, Refused> {
    let known = console.app.db.read(move |tx| store::redemption(tx, id)).await?;
    Ok(Json(redemption_json(&known.ok_or(Failure::NotFound)?)))
}

/// For whom the catalogue is asked, where, and with which purchase.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CatalogueQuery {
    pub(super) member: String,
    pub(super) office: String,
    pub(super) purchase: String,
}

fn offer_json(ui: &Ui, offer: &Offer) -> Value {
    let why = offer.may.as_ref().err().map(|why| Why::of(why.clone()));
    let item = &offer.item;
    json!({
        "code": item.code, "name": item.name, "kind": item.kind.code(), "cost": offer.cost, "normal": item.cost,
        "may": offer.may.is_ok(), "waits": offer.may == Ok(true), "why": why.as_ref().map(Why::code),
        "sentence": why.as_ref().map(|why| why.text(ui)), "pieces": offer.pieces,
    })
}

/// The catalogue of today for the member of a number at the office of a code: what each thing costs and why it cannot be
/// had. With a `purchase` of today, what that makes cheaper.
pub async fn catalogue(
    State(console): State<Console>,
    Query(query): Query<CatalogueQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let purchase = purchase_of(query.purchase.trim()).map_err(|key| Refused::unfit(&by.ui, key))?;
    let now = console.app.now();
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let whose = match whose(tx, query.member.trim(), query.office.trim())? {
            Ok(whose) => whose,
            Err(key) => return Ok(Err(key)),
        };
        let bought = desk::bought(tx, whose.0, (whose.1, now))?;
        Ok(Ok((whose, desk::offers(tx, whose, purchase, now)?, bought)))
    };
    let ((member, office), offers, bought) =
        console.app.db.read(load).await?.map_err(|key| Refused::unfit(&by.ui, key))?;
    let items: Vec<Value> = offers.items.iter().map(|offer| offer_json(&by.ui, offer)).collect();
    let bought =
        bought.iter().map(|(fact, fen, slip)| json!({ "fact": fact_text(*fact), "fen": fen, "slip": slip }));
    Ok(Json(json!({
        "member": member, "office": office, "day": offers.day, "points": offers.available,
        "cash_per_point": offers.cash_per_point_fen, "items": items, "purchases": bought.collect::<Vec<_>>(),
    })))
}

/// The member of a number and the office of a code; or the key of which there is not.
pub(super) fn whose(
    tx: &mut Tx<'_>,
    number: &str,
    office: &str,
) -> Result<Result<(MemberId, OfficeId), &'static str>, PeopleError> {
    let member = people::member_by_number(tx, number)?;
    let office = people::office_of(tx, office)?;
    Ok(match (member, office) {
        (Some(member), Some(office)) => Ok((member, office)),
        (None, _) => Err("points-member"),
        (_, None) => Err("points-office"),
    })
}

/// Redeems: `member` by number, `office` by code, the `code` of an item and if need be the `purchase` that makes it cheaper;
/// or `points` for cash. `reason` and a `key`.
pub async fn redeem(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    match redeem_as(&console, &posted).await? {
        Ok((id, is_new)) => {
            let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
            Ok((status, told(&console, id).await?).into_response())
        }
        Err(why) => Err(why.refused(&posted.by.ui)),
    }
}

/// Approves or returns one that waits: `approved` and `reason`.
pub async fn decide(
    State(console): State<Console>,
    Path(id): Path<Hash>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let done = decide_it(&console, &posted, id).await?.ok_or(Failure::NotFound)?;
    done.map_err(|why| why.refused(&posted.by.ui))?;
    told(&console, id).await
}

/// Takes one back, with a `reason`: the points return, and a gift goes back to its shelf.
pub async fn take_back(
    State(console): State<Console>,
    Path(id): Path<Hash>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let done = take_back_it(&console, &posted, id).await?.ok_or(Failure::NotFound)?;
    done.map_err(|why| why.refused(&posted.by.ui))?;
    told(&console, id).await
}

/// Which redemptions.
#[derive(Debug, Deserialize)]
pub struct RedeemedQuery {
    state: Option<String>,
    member: Option<MemberId>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// What was redeemed from the catalogue, the newest first: all, in a state, of a member, or both.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<RedeemedQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let most = rows_of(query.limit);
    let (at, id) = cursor_down(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let state = query.state.as_deref().filter(|state| !state.is_empty());
    let state = state.map(|code| Stands::from_code(code).ok_or(Failure::NotFound)).transpose()?;
    let list = match (query.member, state) {
        (Some(member), state) => List::Of(member, state),
        (None, Some(state)) => List::In(state),
        (None, None) => List::All,
    };
    let page = console.app.db.read(move |tx| store::redemptions(tx, list, (at, Hash(id)), most)).await?;
    let next = page.last().and_then(|known| next((page.len(), most), known.at, &known.asked.id.0));
    let rows: Vec<Value> = page.iter().map(redemption_json).collect();
    Ok(Json(json!({ "redemptions": rows, "next": next })))
}
