//! A member's statement, as plain functions: what a posting changes of what the member has, by which rule, and under
//! which version of the scheme.
//!
//! A member has one figure: what is available and what lies in leases, less what is owed. So a lease that is granted or
//! returned is no line. Out of scope: words, and where the lines come from.

use hufu_shared::ids::MemberId;
use hufu_shared::policy::ExpiryMode;
use hufu_shared::time::Day;

use super::posting::PostingCode;

/// Codes of postings that go from one member to another.
const BETWEEN: [PostingCode; 2] = [PostingCode::CarryOver, PostingCode::Transfer];

/// Whether an account is one of the member's, in a posting of the member: another member's is not theirs, and a lease is of
/// whoever the posting is of.
#[must_use]
pub fn is_own(member: MemberId, account: &str) -> bool {
    account.starts_with(&format!("member/{member}/")) || account.starts_with("escrow/")
}

/// What a posting of a member adds to their figure; below zero for what it takes.
#[must_use]
pub fn change(member: MemberId, (debit, credit): (&str, &str), amount: i64) -> i64 {
    match (is_own(member, debit), is_own(member, credit)) {
        (false, true) => amount,
        (true, false) => -amount,
        _ => 0,
    }
}

/// What a posting adds to what waits for a person or a cash count; below zero for what does not wait any more. What goes
/// from member to member is on its way for no time at all, and waits for nobody.
#[must_use]
pub fn waiting(code: &str, (debit, credit): (&str, &str), amount: i64) -> i64 {
    if BETWEEN.iter().any(|between| between.code() == code) {
        return 0;
    }
    let holds = |account: &str| account.starts_with("held/") || account.starts_with("suspense/");
    match (holds(debit), holds(credit)) {
        (false, true) => amount,
        (true, false) => -amount,
        _ => 0,
    }
}

/// The number of the rule that a posting stands for: the one that it names, else that of its code.
#[must_use]
pub fn rule<'a>(code: &str, named: Option<&'a str>, expiry: ExpiryMode) -> &'a str {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return named;
    }
    match code {
        "earn_purchase" => "S2",
        "earn_activity" => "K26",
        "base_points" => "K15",
        "reversal" => "S8",
        "spend" => "S5",
        "top_up" | "move" | "carry_over" => "H4",
        "expiry" if matches!(expiry, ExpiryMode::EarnYearPlus(_)) => "B4",
        "expiry" => "S3",
        "redemption" => "K24",
        "round_up" => "P3",
        "offer_lost" => "P2",
        "merge" => "K8",
        "level_ended" => "B2",
        "erasure" => "X17",
        _ => "K20",
    }
}

/// The version of the scheme that a posting stands under: the one that it names, else the newest that had begun on its
/// day; 0 if none had. `versions` are numbers and first days.
#[must_use]
pub fn scheme(named: u32, day: Day, versions: &[(u32, Day)]) -> u32 {
    if named > 0 {
        return named;
    }
    versions.iter().filter(|(_, from)| *from <= day).map(|(version, _)| *version).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_k20_the_statement_shows_one_figure_and_what_waits() {
        let (who, other) = (MemberId([1; 16]), MemberId([2; 16]));
        let [own, owed, theirs] = [(who, "available"), (who, "owed"), (other, "available")]
            .map(|(member, part)| format!("member/{member}/{part}"));
        let (own, owed, theirs, lease) = (own.as_str(), owed.as_str(), theirs.as_str(), "escrow/2");
        for (ends, expected) in [
            (("issuer/a", own), (10, 0)),
            (("issuer/a", owed), (10, 0)),
            ((own, "sink/redeemed/a"), (-10, 0)),
            ((lease, "sink/redeemed/a"), (-10, 0)),
            ((own, lease), (0, 0)),
            ((theirs, own), (10, 0)),
            ((own, theirs), (-10, 0)),
            (("issuer/a", "held/3"), (0, 10)),
            (("held/3", own), (10, -10)),
            (("suspense/3", "issuer/a"), (0, -10)),
            (("issuer/a", "issuer/b"), (0, 0)),
        ] {
            assert_eq!((change(who, ends, 10), waiting("points", ends, 10)), expected, "{ends:?}");
        }
        assert_eq!(waiting("transfer", (own, "held/3"), 10), 0, "on its way to the other");
    }

    #[test]
    fn rule_k20_every_line_has_a_rule_and_a_version() {
        assert_eq!(rule("points", Some("K23"), ExpiryMode::Never), "K23");
        assert_eq!(rule("earn_purchase", None, ExpiryMode::Never), "S2");
        assert_eq!(rule(PostingCode::CarryOver.code(), None, ExpiryMode::Never), "H4");
        assert_eq!(rule("expiry", Some(""), ExpiryMode::EarnYearPlus(1)), "B4");
        assert_eq!(rule("expiry", None, ExpiryMode::Never), "S3");
        assert_eq!(rule("something new", None, ExpiryMode::Never), "K20");
        let versions = [(1, Day(10)), (2, Day(20)), (3, Day(20))];
        let of = |named, day| scheme(named, Day(day), &versions);
        assert_eq!([of(0, 9), of(0, 10), of(0, 19), of(0, 20), of(1, 30)], [0, 1, 1, 3, 1]);
    }
}
