//! Tests of parameters: text forms, what is refused, which version is in force, what terminals are told.

use hufu_shared::ids::OfficeId;
use hufu_shared::policy::{FixedCutoff, Period};
use hufu_shared::scheme::choose::{At, For, Scope, depends_on_kind, in_force, terms_in_force};
use hufu_shared::scheme::ready::figures::{SCOPED, SCOPED_FEN, scoped};
use hufu_shared::scheme::*;
use proptest::prelude::*;

use crate::kit::*;

fn empty() -> Scheme {
    Scheme::empty("club", 1, day("2026-01-01"))
}

fn level(rank: u8) -> Level {
    Level {
        rank,
        card_kind: "gold".into(),
        name: Words { zh: "金卡".into(), en: "Gold".into() },
        measure: Measure::PeriodPoints,
        window: Window::Quarter,
        threshold: 1_200,
        from_rank: None,
        validity: Validity::CalendarYear,
        on_expiry: OnExpiry::Keep,
        reassess: Reassess::NewWindow,
        grace_days: 0,
        discount_bp: 500,
        rights: Vec::new(),
        auto_replace_card: true,
    }
}

fn full() -> Scheme {
    let mut scheme = empty();
    scheme.expiry = Some(ExpiryMode::FixedCutoff(FixedCutoff::RULE_S3));
    scheme.levels = vec![level(1), Level { rank: 2, from_rank: Some(1), ..level(2) }];
    scheme.earnings =
        vec![EarnRule { per_fen: 10_000, points_per: 2, ..EarnRule::new("S2", EarnKind::Purchase) }];
    scheme.birthday = Some(Birthday::default());
    scheme.redemption.items.push(Item {
        code: "gift-1".into(),
        name: Words { zh: "礼品".into(), en: "Gift".into() },
        kind: RedeemKind::Gift,
        cost: 5_000,
        value_fen: 0,
        min_rank: 0,
        months_open: vec![6, 12],
    });
    scheme
}

#[test]
fn a_scheme_survives_json_and_toml_and_unknown_keys_are_errors() {
    for scheme in [empty(), full()] {
        assert_eq!(scheme.validate(), Ok(()));
        let json = serde_json::to_string(&scheme).expect("plain data");
        assert_eq!(serde_json::from_str::<Scheme>(&json).expect("its own text"), scheme);
        let text = toml::to_string(&scheme).expect("plain data");
        assert_eq!(toml::from_str::<Scheme>(&text).expect("its own text"), scheme);
    }
    let least = "id = \"x\"\nversion = 1\nname = { zh = \"某\", en = \"X\" }\nvalid_from = \"2026-01-01\"\n";
    let read = toml::from_str::<Scheme>(least).expect("the rest has defaults");
    assert_eq!(read, Scheme { name: read.name.clone(), ..Scheme::empty("x", 1, day("2026-01-01")) });
    let wrong = toml::from_str::<Scheme>(&format!("{least}[basis]\nordre = []\n")).expect_err("a slip");
    assert!(wrong.to_string().contains("ordre"), "{wrong}");
}

#[test]
fn what_cannot_be_used_is_refused_by_key_with_what_would_do() {
    let cases: [(fn(&mut Scheme), &str); 15] = [
        (|s| s.id = "Club 1".into(), "id: expected 1 to 40 small letters, digits or hyphens, met \"Club 1\""),
        (|s| s.version = 0, "version: expected a number above 0, met 0"),
        (
            |s| s.valid_to = Some(Day(0)),
            "valid_to: expected a day that is not before valid_from, met 1970-01-01",
        ),
        (|s| s.levels[0].threshold = 0, "level[1].threshold: expected a number above 0, met 0"),
        (|s| s.levels[1].rank = 1, "level.rank: expected each once, met 1 twice"),
        (|s| s.levels[1].from_rank = Some(7), "level[2].from_rank: expected a lower rank that exists, met 7"),
        (
            |s| s.levels[0].discount_bp = 10_001,
            "level[1].discount_bp: expected 0 to 10000 (hundredths of a per cent), met 10001",
        ),
        (|s| s.earnings[0].per_fen = -1, "earning[1].per_fen: expected 0 or more, met -1"),
        (
            |s| s.earnings[0].points_per = 0,
            "earning[1].points_per: expected per_fen and points_per together, met 0",
        ),
        (
            |s| s.earnings[0].event = EarnKind::Refusal,
            "earning[1].event: expected what earns (returns.refusal_penalty says what it costs), met refusal",
        ),
        (
            |s| s.earnings[0].once = Once::Ever,
            "earning[1].once: expected fixed points or a cap where a rule gives once, met an amount",
        ),
        (
            |s| s.expiry = Some(ExpiryMode::RollingMonths(0)),
            "expiry or joining: expected what the policy can use, met expiry.rolling_months expected above 0, met 0",
        ),
        (
            |s| s.redemption.months_open = vec![13],
            "redemption.months_open: expected months from 1 to 12, met 13",
        ),
        (
            |s| {
                s.redemption.special_offers.push(SpecialOffer {
                    item: "other".into(),
                    min_purchase_fen: 48_000,
                    cost: 1_000,
                    min_rank: 1,
                });
            },
            "redemption.special_offer[1].item: expected an item of the catalogue, met other",
        ),
        (|s| s.basis.order.push(Step::Coupon), "basis.order: expected each once, met Coupon twice"),
    ];
    for (change, message) in cases {
        let mut scheme = full();
        change(&mut scheme);
        let found = scheme.validate().expect_err("unusable");
        assert!(found.iter().any(|error| error.to_string() == message), "{message}\n{found:?}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let scheme = Scheme { version: 0, welcome_coupon_fen: -1, ..full() };
    assert_eq!(scheme.validate().expect_err("two faults").len(), 2);
}

#[test]
fn the_scheme_in_force_is_the_one_that_says_most_and_is_the_newest() {
    let scheme = |version, from: &str, groups: &[&str], kinds: &[&str]| Scheme {
        scope_office_groups: groups.iter().map(|code| (*code).to_owned()).collect(),
        scope_member_kinds: kinds.iter().map(|code| (*code).to_owned()).collect(),
        ..Scheme::empty("club", version, day(from))
    };
    let ended = Scheme { valid_to: Some(day("2026-06-30")), ..scheme(5, "2026-06-01", &[], &[]) };
    let schemes = [
        scheme(1, "2026-01-01", &[], &[]),
        scheme(2, "2026-07-01", &[], &[]),
        scheme(3, "2026-01-01", &["south"], &[]),
        scheme(4, "2026-01-01", &[], &["dealer"]),
        ended,
        scheme(6, "2026-10-01", &[], &[]),
        scheme(7, "2026-09-01", &[], &[]),
    ];
    let cases = [
        ("2025-12-31", "north", "walk-in", None, "before any"),
        ("2026-01-01", "north", "walk-in", Some(1), "the first day"),
        ("2026-06-15", "north", "walk-in", Some(5), "a version with an end"),
        ("2026-07-01", "north", "walk-in", Some(2), "the next version"),
        ("2026-09-15", "north", "walk-in", Some(7), "a version that begins before an earlier one"),
        ("2026-10-01", "north", "walk-in", Some(7), "... takes its place for good"),
        ("2026-08-01", "south", "walk-in", Some(3), "its office group"),
        ("2026-08-01", "north", "dealer", Some(4), "its member kind"),
        ("2026-08-01", "south", "dealer", Some(3), "the office group goes before the kind"),
    ];
    for (on, office_group, member_kind, expected, why) in cases {
        let ask = For { day: day(on), office_group, member_kind };
        assert_eq!(in_force(&schemes, ask).map(|scheme| scheme.version), expected, "{why}");
    }
}

#[test]
fn terminals_and_ledger_choose_by_office_and_kind_and_say_where_the_kind_decides() {
    let (own, other) = (OfficeId([1; 16]), OfficeId([2; 16]));
    let versions = scoped(own);
    for figure in SCOPED {
        let at = At { day: day("2026-01-01"), office: if figure.at_own_office { own } else { other } };
        let terms = terms_in_force(&versions, at, figure.kind).expect("one of them");
        assert_eq!(terms.version, figure.version, "{figure:?}");
        let rate = terms.earn.expect("a plain rate");
        assert_eq!(figure.gives, SCOPED_FEN / rate.per_fen * rate.points, "{figure:?}");
        assert!(depends_on_kind(&versions, at), "dealers earn more everywhere");
    }
    let first = At { day: Day(1), office: other };
    assert_eq!(terms_in_force(&versions, first, "ota").map(|terms| terms.version), Some(5), "its last day");
    assert!(!depends_on_kind(&versions[..2], first), "nobody asks for a kind");
    assert_eq!(terms_in_force(&versions, At { day: Day(-1), office: own }, "dealer"), None, "before any");
}

#[test]
fn versions_of_one_day_that_share_some_of_whom_they_are_for_clash() {
    let office = |n: u8| OfficeId([n; 16]);
    let terms = |version, from, offices: &[u8], kinds: &[&str]| SchemeTerms {
        scope: Some(Scope {
            offices: offices.iter().map(|n| office(*n)).collect(),
            member_kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            last_day: None,
        }),
        ..SchemeTerms::property_club(version, Day(from))
    };
    let known = terms(1, 9, &[1, 2], &["dealer"]);
    for (other, clashes, overtakes, why) in [
        (terms(2, 9, &[2, 1], &["dealer"]), false, false, "the same: a correction"),
        (terms(2, 9, &[2, 3], &["dealer"]), true, false, "one office of two"),
        (terms(2, 9, &[2], &["dealer", "ota"]), true, false, "fewer offices, more kinds"),
        (terms(2, 9, &[3], &["dealer"]), false, false, "another office"),
        (terms(2, 9, &[1], &["ota"]), false, false, "another kind"),
        (terms(2, 9, &[1], &[]), false, false, "it says less about whom it is for"),
        (terms(2, 8, &[2, 3], &["dealer"]), false, false, "it begins before, and for others too"),
        (terms(2, 8, &[1, 2, 3], &["dealer", "ota"]), false, true, "it begins before, for all of them"),
    ] {
        assert_eq!(other.clashes_with(&known), clashes, "{why}");
        assert_eq!(known.clashes_with(&other), clashes, "{why}");
        assert_eq!(other.overtakes(&known), overtakes, "{why}");
    }
    let read: SchemeTerms = hufu_shared::cbor::decode(&hufu_shared::cbor::encode(&known)).expect("its own");
    assert_eq!(read, known);
}

#[test]
fn terminals_are_told_a_plain_rate_or_none() {
    let scheme = full();
    assert_eq!(scheme.terms().earn, Some(EarnRate { per_fen: 10_000, points: 2 }));
    let change = |change: fn(&mut Scheme)| {
        let mut scheme = full();
        change(&mut scheme);
        scheme.terms().earn
    };
    assert_eq!(change(|s| s.earnings[0].gate_paid_percent = Some(100)), None);
    assert_eq!(change(|s| s.earnings[0].once = Once::In(Period::Day)), None);
    assert_eq!(change(|s| s.earnings.push(s.earnings[0].clone())), None, "two rates are not one");
    let sheet = |s: &mut Scheme| {
        s.sheets.push(Sheet {
            sheet_no: 1,
            office: String::new(),
            date_from: s.valid_from,
            date_to: s.valid_from,
            entered: Day(0),
            a_basis: SheetBasis::Earning,
            b_factor_bp: WHOLE_BP,
            c_addend_fen: 0,
        });
    };
    assert_eq!(change(sheet), None, "a promotion may change what a purchase is worth");
    let mut policy = Policy::default();
    scheme.write_into(&mut policy);
    assert_eq!((Some(policy.expiry), policy.joining), (scheme.expiry, scheme.joining_alone()));
}

#[test]
fn what_a_scheme_leaves_out_of_joining_and_expiry_the_club_keeps() {
    let mut policy = Policy { expiry: ExpiryMode::RollingMonths(24), ..Policy::default() };
    policy.joining.min_age = 18;
    policy.joining.application_days = 45;
    let own = policy.clone();
    let mut scheme = Scheme::empty("club", 1, Day(0));
    scheme.write_into(&mut policy);
    assert_eq!(policy, own, "a scheme that says nothing changes nothing");
    scheme.joining.application_days = Some(10);
    scheme.write_into(&mut policy);
    assert_eq!(
        (policy.joining.application_days, policy.joining.min_age),
        (10, 18),
        "what it says, and no more"
    );
    assert_eq!(policy.expiry, ExpiryMode::RollingMonths(24));
}

proptest! {
    #[test]
    fn a_later_version_never_changes_what_was_in_force(
        starts in proptest::collection::vec(0i32..1_000, 1..8), later in 0i32..1_000, ask in 0i32..1_000,
    ) {
        let version = |(n, start): (usize, &i32)| {
            Scheme::empty("club", u32::try_from(n).expect("few") + 1, Day(*start))
        };
        let mut schemes: Vec<Scheme> = starts.iter().enumerate().map(version).collect();
        let ask = For { day: Day(ask), office_group: "", member_kind: "" };
        let before = in_force(&schemes, ask).map(|scheme| scheme.version);
        schemes.push(Scheme::empty("club", 99, Day(later)));
        let after = in_force(&schemes, ask).map(|scheme| scheme.version);
        prop_assert!(later <= ask.day.0 || before == after);
    }
}
