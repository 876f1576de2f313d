//! What the member's display says, as keys of texts and their variables; which colour, shape and sound go with it.
//!
//! Others can see this display: it never shows why a card is refused or that it was lost, never a phone or card
//! number, of a name only the greeting made at the centre, and points only if the scheme lets it.

use chrono_tz::Tz;
use hufu_shared::fact::Purpose;
use hufu_shared::member::MemberRow;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::time::{Instant, SECOND_US};

use super::decide::Outcome;
use super::decide::value::Moved;

/// A balance older than this says its age, in microseconds.
pub const BALANCE_FRESH_US: i64 = 3_600 * SECOND_US;
/// How long a result stays before the display is idle again, in milliseconds.
pub const RESULT_SHOWN_MS: u64 = 6_000;

/// What the display is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Face {
    /// An outcome of a swipe.
    Outcome(Outcome),
    /// Something was presented but not read.
    Failed(Offered),
    /// The card must be held still.
    KeepStill,
    /// The centre is being asked.
    Asking,
    /// Staff are to look who stands there before going on.
    Attention,
    /// A tablet is being paired.
    Pairing,
    /// No reader works.
    NotReady,
    /// Waiting.
    Idle(Offers),
}

/// How a medium is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Offered {
    /// Held to a reader.
    Tap,
    /// Pulled through a slot.
    Swipe,
    /// Shown to a scanner.
    Scan,
}

/// Which kinds of reader are attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Offers {
    /// Something takes cards.
    pub card: bool,
    /// Something takes codes.
    pub code: bool,
}

/// One text: its key, and its variables as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Key in the locale files.
    pub key: &'static str,
    /// Variables.
    pub args: Vec<(&'static str, String)>,
}

/// The words of a display, for large ones and for small ones of two rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The one thing to be read from two metres away.
    pub title: Text,
    /// More, the most important first.
    pub lines: Vec<Text>,
    /// Title on a small display.
    pub short_title: Text,
    /// The one further line of a small display.
    pub short_line: Option<Text>,
}

/// What a swipe's words are made of.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What the swipe was for.
    pub purpose: &'a Purpose,
    /// Whose card, if known.
    pub member: Option<&'a MemberRow>,
    /// The scheme, which says what may be shown.
    pub terms: Option<&'a SchemeTerms>,
    /// Points promised.
    pub promised: Option<Amount>,
    /// Points that wait for approval.
    pub waiting: Option<Amount>,
    /// What value was moved.
    pub value: &'a Moved,
    /// Now, by trusted time.
    pub now: Instant,
    /// The office's zone.
    pub zone: Tz,
}

fn t(key: &'static str) -> Text {
    Text { key, args: Vec::new() }
}

fn t1(key: &'static str, name: &'static str, value: String) -> Text {
    Text { key, args: vec![(name, value)] }
}

fn pts(amount: Amount) -> String {
    amount.display(Unit::Pts)
}

/// The words of a swipe's outcome.
#[must_use]
pub fn outcome_words(outcome: Outcome, seen: &Seen<'_>) -> Words {
    match outcome {
        Outcome::Accepted => accepted(seen),
        Outcome::Recorded => Words {
            title: t("display-recorded-whole"),
            lines: vec![t("display-recorded-no-need")],
            short_title: t("display-recorded"),
            short_line: Some(t("display-recorded-no-need")),
        },
        Outcome::Refused(_) => Words {
            title: t("display-refused"),
            lines: Vec::new(),
            short_title: t("display-refused-short"),
            short_line: None,
        },
        Outcome::AlreadyIn => {
            let lines = if leaves(seen) { farewell(seen) } else { greeting(seen) };
            let title = match seen.purpose {
                Purpose::CheckIn(_) | Purpose::CheckInParty(_) => t("display-already-in"),
                Purpose::CheckOut(_) => t("display-already-left"),
                Purpose::Visit | Purpose::LookUp => t("display-already-visited"),
                _ => t("display-already-earned"),
            };
            Words { lines, short_title: title.clone(), title, short_line: None }
        }
        Outcome::UnknownCard => Words {
            title: t("display-unknown-whole"),
            lines: vec![t("display-ask-staff")],
            short_title: t("display-unknown"),
            short_line: None,
        },
        Outcome::Redeemed => redeemed(seen),
        Outcome::OverOfflineLimit => Words {
            title: t("display-over-limit-whole"),
            lines: Vec::new(),
            short_title: t("display-over-limit"),
            short_line: None,
        },
    }
}

fn redeemed(seen: &Seen<'_>) -> Words {
    // Where only stored value was spent the guest has paid; everything else was redeemed.
    let paid = seen.value.legs.iter().all(|leg| leg.unit == Unit::Cny);
    let title = match seen.purpose {
        Purpose::Spend(spending) if spending.paid_out.is_some() => t("display-paid-out"),
        _ if paid => t("display-paid"),
        _ => t("display-redeemed"),
    };
    let rest: Vec<Text> =
        if shows_points(seen) { seen.value.left.iter().map(rest).collect() } else { Vec::new() };
    let mut lines = greeting(seen);
    lines.extend(rest.iter().cloned());
    Words { short_title: title.clone(), title, lines, short_line: rest.into_iter().next() }
}

/// What is left of a figure.
fn rest(left: &Leg) -> Text {
    let key = if left.unit == Unit::Cny { "display-rest-value" } else { "display-rest" };
    t1(key, "rest", left.amount.display(left.unit))
}

fn accepted(seen: &Seen<'_>) -> Words {
    let gain = gain(seen);
    let title = match seen.purpose {
        Purpose::CheckIn(_) | Purpose::CheckInParty(_) => t("display-accepted-check-in"),
        Purpose::CheckOut(_) => t("display-accepted-check-out"),
        Purpose::TopUp(_) => t("display-topped-up"),
        Purpose::HandOut(_) => t("display-handed-out"),
        // Others can read this: what exactly was recorded is between guest and staff.
        Purpose::ReportLost | Purpose::Replace(_) => t("display-recorded-whole"),
        // Points are spoken of only where some come and may be shown.
        Purpose::Earn(_) | Purpose::EarnSlip(_)
            if gain.as_ref().is_some_and(|gain| gain.key == "display-gain") =>
        {
            t("display-accepted-earn")
        }
        Purpose::Earn(_) | Purpose::EarnSlip(_) | Purpose::Spend(_) => t("display-recorded"),
        Purpose::Visit | Purpose::LookUp => t("display-accepted-visit"),
    };
    if leaves(seen) {
        let short_line = Some(t("display-come-again"));
        return Words { short_title: title.clone(), title, lines: farewell(seen), short_line };
    }
    let mut lines = greeting(seen);
    if matches!(seen.purpose, Purpose::ReportLost | Purpose::Replace(_)) {
        return Words { short_title: t("display-recorded"), title, lines, short_line: None };
    }
    // The title of a visit is the welcome itself.
    if lines.is_empty() && !matches!(seen.purpose, Purpose::Visit | Purpose::LookUp) {
        lines.push(t("display-welcome"));
    }
    lines.extend(gain.clone());
    let balance = balance(seen);
    // The small display has no room for a balance's age: an old one is left out.
    let fresh = balance.as_ref().filter(|balance| balance.key == "display-points");
    let short_line = fresh.map(|balance| Text { key: "display-points-short", ..balance.clone() }).or(gain);
    lines.extend(balance);
    Words { short_title: title.clone(), title, lines, short_line }
}

/// What the swipe brings, if points may be shown. A purchase that brings none says so.
fn gain(seen: &Seen<'_>) -> Option<Text> {
    if !shows_points(seen) {
        return None;
    }
    match (seen.promised.filter(|points| points.is_positive()), seen.purpose) {
        (Some(points), _) => Some(t1("display-gain", "points", pts(points))),
        (None, Purpose::Earn(_) | Purpose::EarnSlip(_)) if seen.waiting.is_some() => {
            seen.waiting.map(|points| t1("display-gain-waits", "points", pts(points)))
        }
        (None, Purpose::Earn(_) | Purpose::EarnSlip(_)) => Some(t("display-gain-none")),
        (None, Purpose::TopUp(paid)) => {
            Some(t1("display-gain-value", "amount", paid.amount.display(Unit::Cny)))
        }
        (None, _) => None,
    }
}

fn shows_points(seen: &Seen<'_>) -> bool {
    seen.terms.is_some_and(|terms| terms.display_points)
}

fn leaves(seen: &Seen<'_>) -> bool {
    matches!(seen.purpose, Purpose::CheckOut(_))
}

/// Who goes is not welcomed, and points are no part of a goodbye.
fn farewell(seen: &Seen<'_>) -> Vec<Text> {
    let greeting = seen.member.and_then(|member| member.greeting.clone());
    let by_name = greeting.map(|greeting| t1("display-farewell", "greeting", greeting));
    by_name.into_iter().chain([t("display-come-again")]).collect()
}

fn greeting(seen: &Seen<'_>) -> Vec<Text> {
    let greeting = seen.member.and_then(|member| member.greeting.clone());
    greeting.map(|greeting| t1("display-greeting", "greeting", greeting)).into_iter().collect()
}

fn balance(seen: &Seen<'_>) -> Option<Text> {
    let member = seen.member?;
    if !shows_points(seen) {
        return None;
    }
    let points = pts(member.points);
    if seen.now.since(member.points_at) <= BALANCE_FRESH_US {
        return Some(t1("display-points", "points", points));
    }
    // Of today the hour says most, of earlier days the day does.
    let (now, then) = (seen.now.display(seen.zone), member.points_at.display(seen.zone));
    let same_day = now.get(..10) == then.get(..10);
    let time = if same_day { then.get(11..16) } else { then.get(5..10) };
    let time = time.unwrap_or(&then).to_owned();
    Some(Text { key: "display-points-as-of", args: vec![("points", points), ("time", time)] })
}

/// The words of everything that is no outcome of a swipe; `None` for outcomes, which need more to be said.
#[must_use]
pub fn plain_words(face: Face) -> Option<Words> {
    let (title, line, short_title) = match face {
        Face::Outcome(_) | Face::Pairing => return None,
        Face::Failed(Offered::Tap) => ("display-failed-tap", None, "display-failed-tap"),
        Face::Failed(Offered::Swipe) => ("display-failed-swipe", None, "display-failed-swipe"),
        Face::Failed(Offered::Scan) => ("display-failed-scan", None, "display-failed-scan"),
        // The same words: members need not know which of both it is.
        Face::Asking | Face::Attention => ("display-asking-whole", None, "display-asking"),
        Face::KeepStill => ("display-keep-still-whole", None, "display-keep-still"),
        Face::NotReady => ("display-not-ready", Some("display-not-ready-sorry"), "display-not-ready"),
        Face::Idle(offers) => match (offers.card, offers.code) {
            (true, true) => ("display-idle-both", None, "display-idle-tap"),
            (true, false) => ("display-idle-tap", None, "display-idle-tap"),
            (false, true) => ("display-idle-scan", None, "display-idle-scan"),
            (false, false) => ("display-idle-none", None, "display-idle-none"),
        },
    };
    let lines = line.map(t).into_iter().collect();
    Some(Words { title: t(title), lines, short_title: t(short_title), short_line: None })
}

/// The words of a pairing code: what is typed at the tablet, and what its certificate is compared with.
#[must_use]
pub fn code_words(code: String, until: String, fingerprint: String) -> Words {
    Words {
        title: t1("display-pair-code", "code", code.clone()),
        lines: vec![
            t1("display-pair-until", "time", until),
            t1("display-pair-fingerprint", "fingerprint", fingerprint),
        ],
        short_title: t1("display-pair-code", "code", code),
        short_line: Some(t("display-pair-what")),
    }
}

/// The words for a tablet that was paired.
#[must_use]
pub fn paired_words(name: String) -> Words {
    let name = t1("display-paired-name", "name", name);
    let title = t("display-paired");
    Words { short_title: title.clone(), title, lines: vec![name.clone()], short_line: Some(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::fact::RefusalReason;
    use hufu_shared::ids::{MemberId, OccurrenceId};
    use hufu_shared::member::MemberStatus;
    use hufu_shared::time::Day;

    fn member(greeting: Option<&str>) -> MemberRow {
        MemberRow {
            member: MemberId([1; 16]),
            greeting: greeting.map(str::to_owned),
            masked_name: Some("欧阳*玥".to_owned()),
            level: None,
            status: MemberStatus::Active,
            points: Amount(1_280),
            points_at: Instant(1_795_305_600_000_000),
            leased: false,
            full_name: Some("欧阳堃玥".to_owned()),
            value: None,
            kind: None,
        }
    }

    const CHECK_IN: Purpose = Purpose::CheckIn(OccurrenceId([2; 16]));

    fn words(
        outcome: Outcome,
        member: Option<&MemberRow>,
        promised: Option<i64>,
        age_us: i64,
    ) -> Vec<String> {
        let terms = SchemeTerms::property_club(1, Day(0));
        said(outcome, &CHECK_IN, (member, promised), age_us, &terms)
    }

    fn said(
        outcome: Outcome,
        purpose: &Purpose,
        (member, promised): (Option<&MemberRow>, Option<i64>),
        age_us: i64,
        terms: &SchemeTerms,
    ) -> Vec<String> {
        let seen = Seen {
            purpose,
            member,
            terms: Some(terms),
            promised: promised.map(Amount),
            waiting: None,
            value: &Moved::default(),
            now: Instant(1_795_305_600_000_000 + age_us),
            zone: Tz::Asia__Shanghai,
        };
        let words = outcome_words(outcome, &seen);
        let all =
            [words.title].into_iter().chain(words.lines).chain([words.short_title]).chain(words.short_line);
        all.map(|text| format!("{} {:?}", text.key, text.args)).collect()
    }

    #[test]
    fn a_check_in_greets_and_says_what_it_brings() {
        let all = words(Outcome::Accepted, Some(&member(Some("欧阳女士"))), Some(2), 0);
        assert_eq!(
            all,
            [
                "display-accepted-check-in []",
                "display-greeting [(\"greeting\", \"欧阳女士\")]",
                "display-gain [(\"points\", \"2\")]",
                "display-points [(\"points\", \"1,280\")]",
                "display-accepted-check-in []",
                "display-points-short [(\"points\", \"1,280\")]",
            ]
        );
    }

    #[test]
    fn who_leaves_is_sent_off_by_name_and_not_welcomed() {
        let terms = SchemeTerms::property_club(1, Day(0));
        let out = Purpose::CheckOut(OccurrenceId([2; 16]));
        let guest = member(Some("欧阳女士"));
        let all = said(Outcome::Accepted, &out, (Some(&guest), None), 0, &terms);
        let by_name = "display-farewell [(\"greeting\", \"欧阳女士\")]";
        let (done, again) = ("display-accepted-check-out []", "display-come-again []");
        assert_eq!(all, [done, by_name, again, done, again]);
        assert_eq!(said(Outcome::Accepted, &out, (None, None), 0, &terms), [done, again, done, again]);
        let twice = said(Outcome::AlreadyIn, &out, (Some(&guest), None), 0, &terms);
        assert_eq!(twice, ["display-already-left []", by_name, again, "display-already-left []"]);
    }

    #[test]
    fn points_are_shown_only_where_the_scheme_lets_them_be() {
        let mut terms = SchemeTerms::property_club(1, Day(0));
        terms.display_points = false;
        let guest = member(Some("欧阳女士"));
        for purpose in [CHECK_IN, Purpose::Earn(Amount(32_000))] {
            let all = said(Outcome::Accepted, &purpose, (Some(&guest), Some(2)), 0, &terms);
            assert!(all.iter().all(|line| !line.contains("points") && !line.contains("gain")), "{all:?}");
            assert!(!all.contains(&"display-accepted-earn []".to_owned()), "{all:?}");
        }
    }

    #[test]
    fn a_small_display_leaves_an_old_balance_out() {
        let guest = member(None);
        let small = |promised, age| words(Outcome::Accepted, Some(&guest), promised, age).pop();
        assert_eq!(small(None, 0).as_deref(), Some("display-points-short [(\"points\", \"1,280\")]"));
        assert_eq!(
            small(Some(2), 2 * BALANCE_FRESH_US).as_deref(),
            Some("display-gain [(\"points\", \"2\")]")
        );
        assert_eq!(small(None, 2 * BALANCE_FRESH_US).as_deref(), Some("display-accepted-check-in []"));
    }

    #[test]
    fn a_purchase_that_brings_no_points_does_not_read_as_if_it_did() {
        let terms = SchemeTerms::property_club(1, Day(0));
        let earn = Purpose::Earn(Amount(32_000));
        let guest = member(None);
        for promised in [None, Some(0)] {
            let all = said(Outcome::Accepted, &earn, (Some(&guest), promised), 0, &terms);
            assert_eq!(all[0], "display-recorded []");
            assert!(all.contains(&"display-gain-none []".to_owned()), "{all:?}");
        }
        let all = said(Outcome::Accepted, &earn, (Some(&guest), Some(6)), 0, &terms);
        assert_eq!(all[0], "display-accepted-earn []");
        let seen = Seen {
            purpose: &earn,
            member: Some(&guest),
            terms: Some(&terms),
            promised: None,
            waiting: Some(Amount(1_000)),
            value: &Moved::default(),
            now: Instant(1_795_305_600_000_000),
            zone: Tz::Asia__Shanghai,
        };
        let words = outcome_words(Outcome::Accepted, &seen);
        assert_eq!(words.title.key, "display-recorded", "nothing came yet");
        let waits = t1("display-gain-waits", "points", "1,000".to_owned());
        assert!(words.lines.contains(&waits), "{:?}", words.lines);
    }

    #[test]
    fn a_member_without_greeting_is_welcomed_and_an_old_balance_says_its_age() {
        let all = words(Outcome::Accepted, Some(&member(None)), None, 2 * BALANCE_FRESH_US);
        assert!(all.contains(&"display-welcome []".to_owned()), "{all:?}");
        assert!(
            all.iter().any(|line| line.starts_with("display-points-as-of") && line.contains("08:00")),
            "{all:?}"
        );
        let days = words(Outcome::Accepted, Some(&member(None)), None, 48 * BALANCE_FRESH_US);
        assert!(days.iter().any(|line| line.contains("11-22")), "{days:?}");
    }

    #[test]
    fn the_member_side_never_says_why_a_card_is_refused_nor_a_name() {
        let reasons = [RefusalReason::R01, RefusalReason::R02, RefusalReason::R07, RefusalReason::R10];
        let first = words(Outcome::Refused(reasons[0]), Some(&member(Some("欧阳女士"))), None, 0);
        for reason in reasons {
            assert_eq!(words(Outcome::Refused(reason), Some(&member(None)), None, 0), first);
        }
        for outcome in [Outcome::Accepted, Outcome::Recorded, Outcome::AlreadyIn, Outcome::UnknownCard] {
            let all = words(outcome, Some(&member(None)), None, 0).concat();
            assert!(!all.contains("欧阳"), "{all}");
        }
    }
}
