//! One of each: every outcome of a swipe, and everything that a display says besides.

use chrono_tz::Tz;
use hufu_edge::rules::decide::Outcome;
use hufu_edge::rules::decide::value::Moved;
use hufu_edge::rules::screen::{
    Face, Offered, Offers, Seen, Words, code_words, outcome_words, paired_words, plain_words,
};
use hufu_shared::fact::{Handing, Purpose, RefusalReason, Spending};
use hufu_shared::ids::{ItemId, MemberId, OccurrenceId};
use hufu_shared::member::{MemberRow, MemberStatus};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::time::{Day, Instant, MINUTE_US};

/// 2026-11-22 15:02 in Shanghai.
const NOW: Instant = Instant(1_795_330_920_000_000);
const CHECK_IN: Purpose = Purpose::CheckIn(OccurrenceId([2; 16]));
/// As many characters as a name may have, as a member of a minority may carry them.
pub const LONGEST_NAME: &str =
    "阿卜杜热合曼·阿卜杜克力木·买买提依明·吐尔逊娜依·热依汗古丽·麦麦提图尔荪·伊斯坎代尔·穆合塔尔女士";

/// One thing that a display may show.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What people call it.
    pub name: &'static str,
    /// What it is about.
    pub face: Face,
    /// What it says.
    pub words: Words,
    /// The time of day, at rest.
    pub footer: Option<String>,
}

/// A swipe, told by what differs.
struct Swipe {
    purpose: Purpose,
    greeting: Option<&'static str>,
    promised: Option<i64>,
    balance_age_us: i64,
    moved: Moved,
}

fn member(greeting: Option<&str>, balance_age_us: i64) -> MemberRow {
    MemberRow {
        member: MemberId([1; 16]),
        greeting: greeting.map(str::to_owned),
        masked_name: None,
        level: None,
        status: MemberStatus::Active,
        points: Amount(1_280),
        points_at: NOW.offset(-balance_age_us),
        leased: false,
        full_name: None,
        value: None,
        kind: None,
    }
}

impl Swipe {
    fn of(purpose: Purpose) -> Self {
        Self {
            purpose,
            greeting: Some("欧阳女士"),
            promised: Some(6),
            balance_age_us: 0,
            moved: Moved::default(),
        }
    }

    fn sample(self, name: &'static str, outcome: Outcome) -> Sample {
        let terms = SchemeTerms::property_club(1, Day(0));
        let member = member(self.greeting, self.balance_age_us);
        let words = outcome_words(
            outcome,
            &Seen {
                purpose: &self.purpose,
                member: (outcome != Outcome::UnknownCard).then_some(&member),
                terms: Some(&terms),
                promised: self.promised.map(Amount),
                waiting: None,
                value: &self.moved,
                now: NOW,
                zone: Tz::Asia__Shanghai,
            },
        );
        Sample { name, face: Face::Outcome(outcome), words, footer: None }
    }
}

fn spent(unit: Unit, amount: i64, left: i64) -> Swipe {
    let leg = |amount| Leg { unit, amount: Amount(amount) };
    let spending = Spending { legs: vec![leg(amount)], slip: None, item: None, paid_out: None };
    let moved = Moved { legs: vec![leg(amount)], left: vec![leg(left)], short: None };
    Swipe { moved, promised: None, ..Swipe::of(Purpose::Spend(spending)) }
}

fn swipes() -> Vec<Sample> {
    let handing = Handing { occurrence: OccurrenceId([2; 16]), item: ItemId([3; 16]), quantity: 1 };
    let check_in = || Swipe::of(CHECK_IN);
    vec![
        check_in().sample("accepted", Outcome::Accepted),
        Swipe { greeting: None, ..check_in() }.sample("accepted, no greeting", Outcome::Accepted),
        Swipe { balance_age_us: 300 * MINUTE_US, ..check_in() }
            .sample("accepted, old balance", Outcome::Accepted),
        Swipe { greeting: Some("欧阳堃玥"), ..check_in() }.sample("accepted, rare name", Outcome::Accepted),
        Swipe { greeting: Some(LONGEST_NAME), ..check_in() }
            .sample("accepted, longest name", Outcome::Accepted),
        Swipe { promised: None, ..Swipe::of(Purpose::Visit) }.sample("accepted, visit", Outcome::Accepted),
        Swipe::of(Purpose::Earn(Amount(32_000))).sample("accepted, purchase", Outcome::Accepted),
        Swipe { promised: None, ..Swipe::of(Purpose::HandOut(handing)) }
            .sample("accepted, handed out", Outcome::Accepted),
        check_in().sample("recorded, not confirmed", Outcome::Recorded),
        check_in().sample("refused", Outcome::Refused(RefusalReason::R07)),
        check_in().sample("already in", Outcome::AlreadyIn),
        Swipe::of(Purpose::Visit).sample("already visited", Outcome::AlreadyIn),
        Swipe::of(Purpose::Earn(Amount(32_000))).sample("already earned", Outcome::AlreadyIn),
        spent(Unit::Pts, 100, 1_180).sample("redeemed", Outcome::Redeemed),
        spent(Unit::Cny, 8_800, 123_450).sample("paid", Outcome::Redeemed),
        spent(Unit::Pts, 100, 1_180).sample("over offline limit", Outcome::OverOfflineLimit),
        check_in().sample("unknown card", Outcome::UnknownCard),
    ]
}

/// Everything that a display can show.
#[must_use]
pub fn all() -> Vec<Sample> {
    let plain = [
        ("attention", Face::Attention),
        ("asking the centre", Face::Asking),
        ("read failed, tap", Face::Failed(Offered::Tap)),
        ("read failed, stripe", Face::Failed(Offered::Swipe)),
        ("read failed, code", Face::Failed(Offered::Scan)),
        ("keep still", Face::KeepStill),
        ("not ready", Face::NotReady),
        ("idle, cards and codes", Face::Idle(Offers { card: true, code: true })),
        ("idle, cards", Face::Idle(Offers { card: true, code: false })),
        ("idle, codes", Face::Idle(Offers { card: false, code: true })),
        ("idle, nothing attached", Face::Idle(Offers::default())),
    ];
    let plain = plain.into_iter().filter_map(|(name, face)| {
        let at_rest = matches!(face, Face::NotReady | Face::Idle(_));
        let footer = at_rest.then(|| NOW.display_time(Tz::Asia__Shanghai));
        plain_words(face).map(|words| Sample { name, face, words, footer })
    });
    let time = NOW.display_time(Tz::Asia__Shanghai);
    let code = code_words("1234 5678".to_owned(), time.clone(), "AB12 CD34 EF56 7890".to_owned());
    let pairing = [("pairing code", code, Some(time)), ("paired", paired_words("前台 1".to_owned()), None)];
    let pairing = pairing.map(|(name, words, footer)| Sample { name, face: Face::Pairing, words, footer });
    swipes().into_iter().chain(plain).chain(pairing).collect()
}
