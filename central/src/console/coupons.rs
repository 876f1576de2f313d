//! A member's coupons in `/api/v1` (S9, S10): which there are, and using one. A coupon counts once, so it is used here and
//! at no terminal; one of a birthday asks for the card, the identity card and own use, as the scheme says.

use axum::Json;
use axum::extract::{Path, Query, State};
use hufu_shared::act::CouponUsed;
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::money::Unit;
use hufu_shared::rules::birthday::{NoBirthday, Shown};
use hufu_shared::time::{Day, OfficeClock};
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::leases::amount;
use super::pages::{Order, SortedQuery, rows_of};
use super::problem::Refused;
use super::signed::{Fields, Posted, SignedIn};
use super::ui::Ui;
use super::verdict::reasoned;
use crate::db::Tx;
use crate::rules::coupons::{KnownCoupon, State as Stands, state};
use crate::store::StoreError;
use crate::store::coupons::{self, NotUsed};
use crate::store::people::{self, PeopleError};

fn coupon_json(known: &KnownCoupon, today: Day) -> Value {
    let given = &known.given;
    json!({
        "coupon": given.id, "member": given.member, "why": given.why.code(), "fen": given.fen, "from": given.from,
        "until": given.until, "state": state(known, today).code(), "used": known.used, "scheme": known.scheme,
    })
}

/// A coupon in a sentence.
pub(super) fn coupon_told(ui: &Ui, known: &KnownCoupon, today: Day) -> String {
    let given = &known.given;
    let no_end = || ui.t("level-no-end");
    let values = [
        ("what", ui.t(&format!("coupon-of-{}", given.why.code()))),
        ("worth", amount(ui, Unit::Cny, given.fen)),
        ("from", given.from.to_string()),
        ("until", given.until.map_or_else(no_end, |until| until.to_string())),
        ("state", ui.t(&format!("coupon-state-{}", state(known, today).code().replace('_', "-")))),
    ];
    ui.t_of("coupon-line", &values)
}

/// A member's coupons in sentences, for the member's page.
pub(super) fn told(tx: &mut Tx<'_>, ui: &Ui, member: MemberId) -> Result<Vec<String>, StoreError> {
    let today = OfficeClock::default().business_day(ui.now);
    Ok(coupons::of_member(tx, member)?.iter().map(|known| coupon_told(ui, known, today)).collect())
}

/// Coupons of a member, by their first day.
pub async fn of_member(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    Query(query): Query<SortedQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let order = Order::of(query.sort.as_deref(), "from");
    let (day, id) = order.place(&by.ui, query.cursor.as_deref())?;
    let (most, sort) = (rows_of(query.limit), order.name().to_owned());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let page = coupons::page(tx, member, (&sort, day, Hash(id)), most)?;
        Ok((people::member(tx, member)?, page))
    };
    let (row, page) = console.app.db.read(load).await?;
    row.ok_or(Failure::NotFound)?;
    let today = OfficeClock::default().business_day(console.app.now());
    let last = page.last().map(|known| &known.given);
    let next = last.and_then(|given| order.next((page.len(), most), given.from.0.into(), &given.id.0));
    let all: Vec<Value> = page.iter().map(|known| coupon_json(known, today)).collect();
    Ok(Json(json!({ "member": member, "coupons": all, "next": next })))
}

/// The key of the words that say why a coupon is not used.
pub(super) fn key_of(why: NotUsed) -> &'static str {
    match why {
        NotUsed::Unknown => "coupon-unknown",
        NotUsed::Stands(Stands::Used) => "coupon-used",
        NotUsed::Stands(Stands::Lapsed) => "coupon-lapsed",
        NotUsed::Stands(Stands::ToCome | Stands::Open) => "coupon-to-come",
        NotUsed::Birthday(NoBirthday::Unknown) => "coupon-no-birthday",
        NotUsed::Birthday(NoBirthday::NotNow) => "coupon-not-birthday",
        NotUsed::Birthday(NoBirthday::Used { .. }) => "coupon-used",
        NotUsed::Birthday(NoBirthday::Evidence) => "coupon-evidence",
        NotUsed::Birthday(NoBirthday::NotOwnUse) => "coupon-own-use",
    }
}

/// What was shown at the counter, as fields say it.
pub(super) fn shown_of(fields: &Fields) -> Shown {
    let said = |name: &str| fields.get(name) == "1";
    Shown { card: said("card"), id_card: said("id_card"), own_use: said("own_use") }
}

/// Uses a coupon: `office` by its code, `reason` such as the slip, and for one of a birthday what was shown: `card` 1,
/// `id_card` 1 and `own_use` 1.
pub async fn use_one(
    State(console): State<Console>,
    Path(coupon): Path<Hash>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let (ui, fields) = (posted.by.ui.clone(), &posted.fields);
    let note = reasoned(&console, &ui, fields)?;
    let shown = shown_of(fields);
    let code = fields.get("office").to_owned();
    let office = console.app.db.read(move |tx| people::office_of(tx, &code)).await?;
    let office = office.ok_or_else(|| Refused::unfit(&ui, "points-office"))?;
    let wish = CouponUsed { coupon, office, reason: note.commitment };
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let vault = console.app.vault.clone();
    let work =
        move |tx: &mut Tx<'_>| coupons::use_one(tx, &vault, (&wish, shown), (&note, &actor), (entry, now));
    if let Err(why) = console.app.write(work).await? {
        return Err(Refused::unfit(&ui, key_of(why)));
    }
    let known = console.app.db.read(move |tx| coupons::coupon(tx, coupon)).await?.ok_or(Failure::NotFound)?;
    Ok(Json(coupon_json(&known, OfficeClock::default().business_day(now))))
}
