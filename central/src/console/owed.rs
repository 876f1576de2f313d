//! What the case about points that a member owes says of settling them (kind 24, S8): what the scheme asks for where goods
//! came back and their points were gone, the cash that stands for them, and which gifts could come back instead.
//!
//! Both are done elsewhere and pay the debt by themselves: a redemption is taken back at 兑付, and points for which cash was
//! paid are booked at 积分. Out of scope: stored value that is owed, which money pays.

use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::money::Unit;
use hufu_shared::rules::giveback::{cash_for, gift_returned};
use hufu_shared::scheme::redemption::{RedeemKind, Shortfall};
use hufu_shared::time::Instant;

use super::compare::{Compared, ComparedRow};
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::rules::catalogue::State;
use crate::rules::world::KnownRedemption;
use crate::store::cases::Case;
use crate::store::catalogue::{self, List};
use crate::store::people::{self, PeopleError};
use crate::store::{points, world};

/// Number of the kind "reversal of used earn".
pub const KIND_OWED: u8 = 24;

/// Redemptions that are looked through for gifts, the newest first.
const LOOKED_THROUGH: i64 = 20;

/// What is known of a debt.
struct Debt {
    points: i64,
    shortfall: Shortfall,
    cash_per_point_fen: i64,
    gifts: Vec<KnownRedemption>,
}

/// How the points that a case is about can be settled; none where nothing is owed any more, or something else.
///
/// # Errors
/// [`PeopleError`] if the database fails.
pub fn settling(
    tx: &mut Tx<'_>,
    ui: &Ui,
    case: &Case,
    now: Instant,
) -> Result<Option<Compared>, PeopleError> {
    let is_points = case.known.detail == Unit::Pts.code().as_bytes();
    let Some(member) = case.known.member.filter(|_| is_points) else { return Ok(None) };
    let debt = debt(tx, member, now)?;
    Ok((debt.points > 0).then(|| told(ui, &debt)))
}

fn debt(tx: &mut Tx<'_>, member: MemberId, now: Instant) -> Result<Debt, PeopleError> {
    let member = points::survivor(tx, member)?;
    let base = world::base_of(tx, member)?;
    let own = people::member(tx, member)?.and_then(|row| row.office);
    let office = own.or_else(|| base.offices.keys().next().copied());
    let terms = office.and_then(|office| base.scheme_at(base.whose(office, member), now));
    let (list, newest) = (List::Of(member, Some(State::Done)), (Instant(i64::MAX), Hash([0xff; 32])));
    let mut gifts = catalogue::redemptions(tx, list, newest, LOOKED_THROUGH)?;
    gifts.retain(|known| known.terms.kind == RedeemKind::Gift);
    Ok(Debt {
        points: points::owed(tx, member)?,
        shortfall: terms.map(|terms| terms.returned().shortfall).unwrap_or_default(),
        cash_per_point_fen: base.policy.catalogue.as_ref().map_or(0, |offers| offers.cash_per_point_fen),
        gifts,
    })
}

/// A line each.
fn told(ui: &Ui, debt: &Debt) -> Compared {
    let line =
        |label: &str, cell: String| ComparedRow { label: ui.t(label), cells: vec![cell], differs: false };
    let says = match debt.shortfall {
        Shortfall::ReturnGiftOrCash => "owed-says-gift",
        Shortfall::Negative => "owed-says-negative",
        Shortfall::Block => "owed-says-block",
    };
    let mut rows = vec![line("points-owed", number(debt.points)), line("owed-says", ui.t(says))];
    if debt.shortfall != Shortfall::Negative {
        rows.extend(cash_for(debt.points, debt.cash_per_point_fen).map(|cash| {
            let (yuan, n) = (cash.display(Unit::Cny), number(debt.points));
            line("owed-cash", ui.t_with("owed-cash-how", &[("yuan", &yuan), ("n", &n)]))
        }));
        rows.extend(debt.gifts.iter().map(|known| {
            let what = known.name.as_ref().map_or_else(String::new, |name| ui.pick(name));
            let (day, points) = (known.day.to_string(), number(known.terms.points));
            let left = number(gift_returned(debt.points, known.terms.points));
            let args = [("what", what.as_str()), ("day", &day), ("points", &points), ("left", &left)];
            line("owed-gift", ui.t_with("owed-gift-how", &args))
        }));
    }
    Compared { heads: vec![ui.t("owed-settle")], badges: Vec::new(), rows }
}
