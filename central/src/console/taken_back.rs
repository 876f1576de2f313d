//! What the case about returns of one fact shows (kind 31): the original, what the centre's desk took back of it, and what
//! terminals did, side by side.

use std::collections::BTreeMap;

use hufu_shared::cbor;
use hufu_shared::fact::{Event, Reversed};
use hufu_shared::ids::FactId;
use hufu_shared::money::Leg;

use super::compare::{Compared, ComparedRow};
use super::leases::amount;
use super::overview::{standing_tone, standing_words};
use super::ui::Ui;
use crate::db::Tx;
use crate::rules::apply::ReversalCase;
use crate::rules::judge::order::Place;
use crate::rules::judge::reversal::{self, Effect, Original, Reversal, Reversals};
use crate::rules::world::Whose;
use crate::store::cases::{self, Case, Side};
use crate::store::{StoreError, world};

/// Number of the kind "reversal without, or beyond, its original".
pub const KIND_REVERSAL: u8 = 31;

/// Labels of the lines: what, where, when, how much it says, and how much of that counts.
const LABELS: [&str; 5] = ["side-event", "side-office", "side-at", "taken-back-amount", "taken-back-counts"];

/// One column: its head, its badge, and a cell for each label.
struct Column {
    head: String,
    badge: (&'static str, String),
    cells: [String; 5],
}

/// The columns of a case about returns; none if it does not say what they are of.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn taken_back(
    tx: &mut Tx<'_>,
    ui: &Ui,
    (case, returns): (&Case, &[Side]),
) -> Result<Option<Compared>, StoreError> {
    let Ok(known) = cbor::decode::<ReversalCase>(&case.known.detail) else { return Ok(None) };
    let original = cases::side(tx, known.original)?;
    let leaves_points = leaves_points(tx, original.as_ref())?;
    let effects = effects(&known, returns, leaves_points);
    let mut columns = vec![original_column(ui, original.as_ref(), &known)];
    columns.extend(known.at_desk.map(|back| Column {
        head: ui.t("taken-back-desk"),
        badge: ("ok", ui.t("became-applied")),
        cells: [
            ui.t("taken-back-by-desk"),
            ui.t("taken-back-centre"),
            ui.seconds_in(back.at, ui.zone),
            legs_words(ui, &[back.leg]),
            legs_words(ui, &[back.leg]),
        ],
    }));
    columns.extend(returns.iter().map(|side| {
        let counts = effects.get(&side.id).map_or(&[][..], |effect| effect.legs.as_slice());
        column(ui, "taken-back-terminal", side, [legs_of(side), counts])
    }));
    let mut compared = Compared::default();
    for column in &columns {
        compared.heads.push(column.head.clone());
        compared.badges.push(column.badge.clone());
    }
    for (at, label) in LABELS.into_iter().enumerate() {
        let cells = columns.iter().map(|column| column.cells[at].clone()).collect();
        compared.rows.push(ComparedRow { label: ui.t(label), cells, differs: false });
    }
    Ok(Some(compared))
}

fn original_column(ui: &Ui, original: Option<&Side>, known: &ReversalCase) -> Column {
    match original {
        Some(side) => column(ui, "taken-back-original", side, [&known.says, &known.says]),
        None => Column {
            head: ui.t("taken-back-missing"),
            badge: ("wait", ui.t("became-held")),
            cells: std::array::from_fn(|_| "—".to_owned()),
        },
    }
}

fn reversed_of(side: &Side) -> Option<&Reversed> {
    match side.fact.as_ref().map(|fact| &fact.event) {
        Some(Event::Reversed(reversed)) => Some(reversed),
        _ => None,
    }
}

fn legs_of(side: &Side) -> &[Leg] {
    reversed_of(side).map_or(&[][..], |reversed| reversed.legs.as_slice())
}

/// Whether goods of the original that come back leave their points with the member.
fn leaves_points(tx: &mut Tx<'_>, original: Option<&Side>) -> Result<bool, StoreError> {
    let Some((side, fact)) = original.and_then(|side| Some((side, side.fact.as_ref()?))) else {
        return Ok(false);
    };
    // As the terminal knew whose card it was; who goes on in their place changes nothing.
    let member = fact.event.subject().and_then(|subject| subject.member).or(side.member);
    let base = match member {
        Some(member) => world::base_of(tx, member)?,
        None => world::base(tx)?,
    };
    let office = base.offices.values().find(|row| row.code == side.office.code).map(|row| row.office);
    let Some(office) = office else { return Ok(false) };
    let whose = member.map_or(Whose::anybody(office), |member| base.whose(office, member));
    Ok(base.leaves_points(whose, fact, (side.at, side.latest)))
}

/// What each return takes back, by the rule that judged it. One that stands without effect has none.
fn effects(known: &ReversalCase, returns: &[Side], leaves_points: bool) -> BTreeMap<FactId, Effect> {
    let says = known.says.clone();
    let at_desk = known.at_desk.iter().map(|back| back.leg).collect();
    let original = Original { is_reversal: false, gave: says.clone(), says, at_desk };
    let counts = |side: &Side| matches!(side.became.as_str(), "applied" | "applied_with_case");
    let read = returns.iter().map(|side| Reversal {
        place: Place { t: side.at, fact: side.id },
        legs: legs_of(side).to_vec(),
        pin: side.pin,
        is_refused: !counts(side),
        leaves_points: leaves_points && reversed_of(side).is_some_and(Reversed::brings_goods_back),
    });
    match reversal::judge(Some(&original), &read.collect::<Vec<_>>()) {
        Reversals::Judged { each, .. } => each,
        Reversals::Held(_) => BTreeMap::new(),
    }
}

fn column(ui: &Ui, head: &str, side: &Side, [says, counts]: [&[Leg]; 2]) -> Column {
    let zone = side.office.clock.tz().unwrap_or(ui.zone);
    Column {
        head: ui.t_with(head, &[("device", &side.device_name)]),
        badge: (standing_tone(&side.became), standing_words(ui, &side.became, None)),
        cells: [
            ui.t(&format!("event-{}", side.event)),
            format!("{} {}", side.office.code, ui.pick(&side.office.name)),
            ui.seconds_in(side.at, zone),
            legs_words(ui, says),
            legs_words(ui, counts),
        ],
    }
}

fn legs_words(ui: &Ui, legs: &[Leg]) -> String {
    let words: Vec<String> = legs.iter().map(|leg| amount(ui, leg.unit, leg.amount.0)).collect();
    if words.is_empty() { "—".to_owned() } else { words.join(" + ") }
}
