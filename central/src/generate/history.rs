//! Weeks of history: what happened at each office on each day, in order of time.

use hufu_shared::fact::Shown;
use hufu_shared::ids::{BootId, OccurrenceId, OfficeId};
use hufu_shared::member::{Audience, OccurrenceRow, OccurrenceState};
use hufu_shared::money::Amount;
use hufu_shared::scheme::{EarnRate, Words};
use hufu_shared::time::{Day, Instant, MINUTE_US, SECOND_US};
use hufu_shared::token::Token;

use super::random::Random;
use super::terminal::Terminal;

/// Points for attending a salon.
pub const SALON_POINTS: i64 = 10;
/// Activities of the past, in turn.
const SALONS: &[(&str, &str)] = &[
    ("业主沙龙", "Owners' salon"),
    ("亲子手作坊", "Family workshop"),
    ("名家讲堂", "Lecture evening"),
    ("春茶品鉴会", "Tea tasting"),
    ("样板间开放日", "Show flat open day"),
];
/// Prices in fen that purchases take, the frequent ones more than once.
const PRICES: &[i64] =
    &[3_800, 6_800, 9_900, 12_800, 16_800, 19_900, 32_000, 32_000, 58_000, 88_800, 128_000];

/// Days before today on which something odd happens.
pub const DAY_OF_WRONG_CLOCK: i32 = 9;
pub const DAY_OF_WRONG_TOTALS: i32 = 4;
pub const DAY_OF_UNKNOWN_CARD: i32 = 3;

/// Everything a day is made of.
pub struct DayPlan<'a> {
    /// The business day.
    pub day: Day,
    /// Midnight at its beginning, in the zone of the offices.
    pub midnight: Instant,
    /// Days until today.
    pub before_today: i32,
    /// Tokens of members' cards.
    pub tokens: &'a [Token],
    /// A token that no card has.
    pub unknown: Token,
    /// A token of a card reported lost.
    pub lost: Token,
    /// The salon of the day, if there is one.
    pub salon: Option<OccurrenceId>,
    /// How purchases earn.
    pub rate: EarnRate,
}

/// The salon of a day.
pub fn salon(random: &mut Random, week: usize, midnight: Instant, offices: &[OfficeId]) -> OccurrenceRow {
    let (zh, en) = SALONS[week % SALONS.len()];
    OccurrenceRow {
        occurrence: OccurrenceId(random.id()),
        activity: hufu_shared::ids::ActivityId(random.id()),
        name: Words { zh: zh.to_owned(), en: en.to_owned() },
        starts: midnight.offset(13 * 60 * MINUTE_US),
        ends: midnight.offset(18 * 60 * MINUTE_US),
        state: OccurrenceState::Approved,
        admits_once: true,
        exits: false,
        gifts: Vec::new(),
        guests: Vec::new(),
        points: Amount(SALON_POINTS),
        places: Some(120),
        offices: offices.to_vec(),
        audience: Audience::default(),
    }
}

/// Plays a day at the terminal of office `at` (0, 1, 2).
pub fn play(random: &mut Random, terminal: &mut Terminal, plan: &DayPlan<'_>, at: usize) {
    let minute = |minutes: u64| plan.midnight.offset(i64::try_from(minutes).unwrap_or(0) * MINUTE_US);
    terminal.wall_error_us =
        if at == 1 && plan.before_today == DAY_OF_WRONG_CLOCK { -8 * 365 * 24 * 60 * MINUTE_US } else { 0 };
    terminal.boot(minute(8 * 60 + 50), BootId(random.id()));
    let busy = if plan.salon.is_some() { 26 } else { 9 };
    let swipes = busy + random.below(8);
    let span = 10 * 60;
    for n in 0..swipes {
        // Spread over ten hours from nine on, in order, so that the terminal's clock runs forward.
        let moment = minute(9 * 60 + n * span / swipes + random.below(span / swipes));
        swipe(random, terminal, plan, moment);
        if plan.salon.is_some() && at < 2 && n == swipes * 2 / 3 {
            contested(terminal, plan, moment, at);
        }
        if n == 5 && at != 1 && plan.before_today == DAY_OF_UNKNOWN_CARD {
            terminal.purchase(moment.offset(MINUTE_US), Shown::UnknownCard, plan.unknown, 32_000, plan.rate);
        }
    }
    if random.below(6) == 0 {
        terminal.refuse(minute(19 * 60 + 30), plan.lost);
    }
}

fn swipe(random: &mut Random, terminal: &mut Terminal, plan: &DayPlan<'_>, moment: Instant) {
    let token = *random.pick(plan.tokens);
    let afternoon = moment >= plan.midnight.offset(13 * 60 * MINUTE_US)
        && moment < plan.midnight.offset(17 * 60 * MINUTE_US);
    match (plan.salon.filter(|_| afternoon), random.below(10)) {
        (Some(salon), 0..=6) => terminal.check_in(moment, token, salon, SALON_POINTS),
        (_, 0..=5) => terminal.purchase(moment, Shown::Accepted, token, *random.pick(PRICES), plan.rate),
        _ => terminal.visit(moment, token),
    }
}

/// The member of the day checks in at two offices, one right after the other.
fn contested(terminal: &mut Terminal, plan: &DayPlan<'_>, moment: Instant, at: usize) {
    let day = usize::try_from(plan.day.0).unwrap_or(0);
    let (Some(salon), Some(token)) = (plan.salon, plan.tokens.get(day % plan.tokens.len().max(1))) else {
        return;
    };
    if moment >= plan.midnight.offset(13 * 60 * MINUTE_US) {
        let later = i64::try_from(at).unwrap_or(0) * SECOND_US;
        terminal.check_in(moment.offset(later), *token, salon, SALON_POINTS);
    }
}
