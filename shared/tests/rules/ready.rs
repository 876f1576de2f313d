//! The schemes that are shipped: each can be used, and each gives the figures of its rules.

use hufu_shared::dictionary;
use hufu_shared::rules::whatif::line::{KEYS, WORDS};
use hufu_shared::rules::{birthday, bonus};
use hufu_shared::scheme::ready::{READY, find};

use crate::kit::*;

fn with(mut history: History, events: &[Event]) -> History {
    history.events.extend_from_slice(events);
    history.events.sort_by_key(|event| event.day);
    history
}

fn points(scheme: &Scheme, history: &History, on: &str) -> i64 {
    at(scheme, history, on).points
}

#[test]
fn each_is_found_by_name_and_letter_and_can_be_used() {
    for ready in READY {
        let scheme: Scheme =
            toml::from_str(ready.text).unwrap_or_else(|error| panic!("{}: {error}", ready.id));
        assert_eq!(scheme.id, ready.id);
        assert_eq!(scheme.validate(), Ok(()), "{}", ready.id);
        assert_eq!(find(ready.id), find(&ready.letter.to_string()));
        assert_eq!(find(&ready.letter.to_string().to_lowercase()).map(|found| found.id), Some(ready.id));
        assert!(!scheme.name.zh.is_ascii() && scheme.name.en.is_ascii());
    }
    assert_eq!(find("none"), None);
    assert_eq!(find(""), None);
}

#[test]
fn rule_s01_two_classes_with_the_same_rights_everywhere() {
    let fashion = ready("S");
    let names: Vec<&str> = fashion.levels.iter().map(|level| level.name.zh.as_str()).collect();
    assert_eq!(names, ["积分卡", "钻卡"]);
    assert!(fashion.scope_office_groups.is_empty(), "in all regions");
    let history = with(joined("2025-03-10"), &[purchase("2025-05-05", 1_999_999)]);
    assert_eq!(at(&fashion, &history, "2025-05-05").rank, 0);
    let history = with(history, &[purchase("2025-05-06", 1)]);
    assert_eq!(at(&fashion, &history, "2025-05-06").rank, 1, "the threshold, a default of ours");
    let south = Member { office_group: "south".into(), ..history.member.clone() };
    let there = History { member: south, ..history };
    assert_eq!(at(&fashion, &there, "2025-05-06").rank, 1);
}

#[test]
fn rule_s03_points_are_cleared_at_the_end_of_the_year_but_not_december_and_not_the_first_year() {
    let fashion = ready("S");
    let old = with(joined("2020-01-01"), &[purchase("2025-11-30", 10_000), purchase("2025-12-05", 20_000)]);
    assert_eq!(points(&fashion, &old, "2025-12-31"), 6, "to 24:00");
    assert_eq!(points(&fashion, &old, "2026-01-01"), 4, "November's are gone, December's stay");
    assert_eq!(points(&fashion, &old, "2026-12-31"), 4);
    assert_eq!(points(&fashion, &old, "2027-01-01"), 0);
    let new = with(joined("2025-03-10"), &[purchase("2025-03-10", 10_000)]);
    assert_eq!(points(&fashion, &new, "2026-12-31"), 2, "who joined in the year");
    let cleared = at(&fashion, &new, "2027-01-01");
    assert_eq!((cleared.points, keys(&cleared, "2027-01-01")), (0, vec!["expired"]));
    assert_eq!(cleared.lines.last().map(|line| line.rule.as_str()), Some("S3"));
}

#[test]
fn rule_s04_the_day_of_issue_earns_without_a_discount() {
    let mut fashion = ready("S");
    fashion.levels[0].discount_bp = 500;
    let first = with(joined("2025-03-10"), &[purchase("2025-03-10", 100_000)]);
    let outcome = at(&fashion, &first, "2025-03-10");
    assert_eq!((outcome.points, outcome.spent_fen), (20, 100_000));
    let second = with(joined("2025-03-10"), &[purchase("2025-03-11", 100_000)]);
    let outcome = at(&fashion, &second, "2025-03-11");
    assert_eq!((outcome.points, outcome.spent_fen), (18, 95_000), "95 % of 1,000 元, and whole steps of 100");
}

#[test]
fn rule_s05_s06_points_pay_in_june_and_the_rest_earns() {
    let fashion = ready("S");
    let rich = with(joined("2025-01-01"), &[purchase("2025-02-01", 2_000_000)]);
    let pay = |on: &str| Event { points: 200, ..purchase(on, 100_000) };
    let june = at(&fashion, &with(rich.clone(), &[pay("2025-06-15")]), "2025-06-15");
    assert_eq!(june.points, 400 - 200 + 16, "800 元 in cash earn 16");
    assert_eq!(keys(&june, "2025-06-15"), ["points-paid", "to-pay", "earned"]);
    let july = at(&fashion, &with(rich, &[pay("2025-07-15")]), "2025-07-15");
    assert_eq!(july.points, 400 + 20, "not open: all of it in cash");
    assert_eq!(keys(&july, "2025-07-15"), ["points-not-paid", "earned"]);
}

#[test]
fn rule_s07_s09_coupon_then_birthday_once_a_year() {
    let mut fashion = ready("S");
    fashion.birthday.as_mut().expect("it has one").discount_bp = 1_000;
    let buy = |on: &str| Event { coupon_fen: 20_000, birthday: true, ..purchase(on, 100_000) };
    let history = with(joined("2025-01-01"), &[buy("2025-02-10"), buy("2025-02-20"), buy("2025-03-01")]);
    let outcome = at(&fashion, &history, "2025-03-01");
    assert_eq!(keys(&outcome, "2025-02-10"), ["coupon-paid", "birthday-discount", "to-pay", "earned"]);
    assert_eq!(keys(&outcome, "2025-02-20"), ["no-birthday", "coupon-paid", "to-pay", "earned"], "once");
    assert_eq!(keys(&outcome, "2025-03-01")[0], "no-birthday", "another month");
    assert_eq!(outcome.spent_fen, 72_000 + 80_000 + 80_000);
    assert_eq!(outcome.points, 14 + 16 + 16);
}

#[test]
fn rule_s08_a_return_takes_the_points_and_what_is_missing_is_gift_or_cash() {
    let fashion = ready("S");
    let bought = with(joined("2025-01-01"), &[purchase("2025-05-05", 1_000_000)]);
    let back = Event {
        slip: "2025-05-05/1000000".into(),
        fen: 1_000_000,
        ..Event::new(day("2025-06-20"), What::Return)
    };
    let all = at(&fashion, &with(bought.clone(), std::slice::from_ref(&back)), "2025-06-20");
    assert_eq!((all.points, all.spent_fen), (0, 0));
    let gift = Event { code: "scarf".into(), ..Event::new(day("2025-06-01"), What::Redeem) };
    let spent = with(bought, &[gift]);
    assert_eq!(points(&fashion, &spent, "2025-06-01"), 0, "200 points, a scarf for 200");
    let cash = at(&fashion, &with(spent.clone(), std::slice::from_ref(&back)), "2025-06-20");
    assert_eq!(keys(&cash, "2025-06-20"), ["returned", "return-short"]);
    let with_gift = Event { gift_back: true, code: "scarf".into(), ..back };
    let gift = at(&fashion, &with(spent, &[with_gift]), "2025-06-20");
    assert_eq!(keys(&gift, "2025-06-20"), ["gift-back", "returned"], "nothing is missing then");
    assert_eq!(gift.points, 0);
}

#[test]
fn where_goods_with_missing_points_are_not_taken_back_nothing_changes() {
    let mut fashion = ready("S");
    fashion.returns.shortfall = Shortfall::Block;
    let cheap = Item { cost: 50, code: "ribbon".into(), ..fashion.redemption.items[0].clone() };
    fashion.redemption.items.push(cheap);
    let gift = Event { code: "scarf".into(), ..Event::new(day("2025-06-01"), What::Redeem) };
    let back = Event {
        slip: "2025-05-05/1000000".into(),
        fen: 1_000_000,
        gift_back: true,
        code: "ribbon".into(),
        ..Event::new(day("2025-06-20"), What::Return)
    };
    let history = with(joined("2025-01-01"), &[purchase("2025-05-05", 1_000_000), gift, back]);
    let outcome = at(&fashion, &history, "2025-06-20");
    assert_eq!(keys(&outcome, "2025-06-20"), ["return-refused"]);
    assert_eq!((outcome.points, outcome.spent_fen), (0, 1_000_000));
}

#[test]
fn rule_s10_a_coupon_at_the_opening_of_the_card_and_one_before_the_birthday_month() {
    let mut fashion = ready("S");
    assert_eq!(fashion.welcome_coupon_fen, 20_000);
    let history = joined("2025-01-01");
    let outcome = at(&fashion, &history, "2025-01-01");
    assert!(keys(&outcome, "2025-01-01").contains(&"welcome-coupon"));
    let rule = fashion.birthday.as_mut().expect("it has one");
    assert_eq!(birthday::send_on(rule, 2025, 2), Some(day("2025-01-31")));
    rule.coupon_fen = 5_000;
    let outcome = at(&fashion, &history, "2026-12-31");
    let sent: Vec<Day> =
        outcome.lines.iter().filter(|line| line.key == "birthday-coupon").map(|line| line.day).collect();
    assert_eq!(sent, [day("2025-01-31"), day("2026-01-31")]);
}

#[test]
fn rule_p01_gold_by_a_quarter_for_that_year() {
    let pharmacy = ready("P");
    let buy =
        |fen| with(joined("2025-01-05"), &[purchase("2025-02-01", 60_000), purchase("2025-03-31", fen)]);
    assert_eq!(at(&pharmacy, &buy(59_900), "2025-03-31").rank, 0, "1199");
    let gold = at(&pharmacy, &buy(60_000), "2025-03-31");
    assert_eq!((gold.rank, gold.rank_until), (1, Some(day("2025-12-31"))), "1200");
    assert_eq!(at(&pharmacy, &buy(60_000), "2025-12-31").rank, 1);
    let after = at(&pharmacy, &buy(60_000), "2026-01-01");
    assert_eq!((after.rank, keys(&after, "2026-01-01")), (0, vec!["level-fell"]));
    let two = with(joined("2025-01-05"), &[purchase("2025-03-31", 60_000), purchase("2025-04-01", 60_000)]);
    assert_eq!(at(&pharmacy, &two, "2025-04-01").rank, 0, "two quarters");
}

#[test]
fn rule_p02_480_yuan_at_once_open_the_gift_for_1000() {
    let pharmacy = ready("P");
    let gold = with(joined("2025-01-05"), &[purchase("2025-02-01", 130_000)]);
    for (fen, left) in [(48_000, 300), (47_999, 1_300)] {
        let redeem = Event { code: "gift".into(), fen, ..Event::new(day("2025-02-02"), What::Redeem) };
        assert_eq!(points(&pharmacy, &with(gold.clone(), &[redeem]), "2025-02-02"), left, "{fen} fen");
    }
}

#[test]
fn rule_p03_filled_up_on_the_member_day() {
    let pharmacy = ready("P");
    let rule = pharmacy.round_up.as_ref().expect("it has one");
    for (from, to) in [(1_400, 1_500), (4_500, 5_000), (9_500, 10_000), (10_000, 10_000), (5_000, 5_000)] {
        assert_eq!(bonus::rounded_up(rule, from), to);
    }
    let gold = with(joined("2025-01-05"), &[purchase("2025-02-01", 140_000)]);
    assert_eq!(points(&pharmacy, &gold, "2025-02-17"), 1_400);
    let full = at(&pharmacy, &gold, "2025-02-18");
    assert_eq!((full.points, keys(&full, "2025-02-18")), (1_500, vec!["rounded-up"]));
    assert_eq!(points(&pharmacy, &gold, "2025-12-31"), 1_500, "once is enough");
    let ordinary =
        with(joined("2025-01-05"), &[purchase("2025-02-01", 119_900), purchase("2025-04-01", 20_100)]);
    assert_eq!(points(&pharmacy, &ordinary, "2025-04-18"), 1_400, "gold only");
}

#[test]
fn rule_p05_gold_with_5000_points_is_diamond_for_that_year() {
    let pharmacy = ready("P");
    let rich =
        with(joined("2025-01-05"), &[purchase("2025-02-01", 130_000), purchase("2025-05-02", 369_900)]);
    assert_eq!(at(&pharmacy, &rich, "2025-05-02").rank, 1, "4999");
    let diamond = with(rich, &[purchase("2025-05-03", 100)]);
    let outcome = at(&pharmacy, &diamond, "2025-05-03");
    assert_eq!((outcome.rank, outcome.rank_until), (2, Some(day("2025-12-31"))));
    assert_eq!(keys(&outcome, "2025-05-03"), ["earned", "level-risen", "card-to-replace"]);
    let level = pharmacy.level(2).expect("diamond");
    let rights: Vec<&str> = level.rights.iter().map(|right| right.en.as_str()).collect();
    assert_eq!(rights.len(), 5, "{rights:?}");
    let never_gold = with(
        joined("2025-01-05"),
        &[
            purchase("2025-03-31", 119_900),
            purchase("2025-06-30", 119_900),
            purchase("2025-09-30", 119_900),
            purchase("2025-12-31", 119_900),
        ],
    );
    assert_eq!(at(&pharmacy, &never_gold, "2025-12-31").rank, 0, "diamond is for gold members");
}

#[test]
fn rule_p06_what_is_not_given_is_a_parameter_with_a_default() {
    let mut pharmacy = ready("P");
    let history = with(joined("2020-01-05"), &[purchase("2020-02-01", 100_000)]);
    assert_eq!(points(&pharmacy, &history, "2030-12-31"), 1_000, "no end, 1 point for 1 元");
    pharmacy.expiry = Some(ExpiryMode::RollingMonths(12));
    pharmacy.earnings[0].per_fen = 200;
    assert_eq!(points(&pharmacy, &history, "2021-02-01"), 500);
    assert_eq!(points(&pharmacy, &history, "2021-02-02"), 0);
    assert!(pharmacy.redemption.items.iter().any(|item| item.code == "health-check"), "points for health");
}

#[test]
fn rule_b02_growth_is_partly_taken_and_the_level_assessed_anew() {
    let shop = ready("B");
    let history = with(joined("2024-01-05"), &[purchase("2024-02-29", 560_000)]);
    let gold = at(&shop, &history, "2024-02-29");
    assert_eq!((gold.rank, gold.growth, gold.points), (2, 5_600, 0), "growth moves levels and is not spent");
    assert_eq!(gold.rank_until, Some(day("2025-02-28")), "twelve months from a leap day");
    let after = at(&shop, &history, "2025-03-01");
    assert_eq!((after.rank, after.growth), (1, 3_100));
    assert_eq!(keys(&after, "2025-03-01"), ["growth-reduced", "level-fell"]);
    let much = with(joined("2024-01-05"), &[purchase("2024-02-29", 800_000)]);
    assert_eq!(keys(&at(&shop, &much, "2025-03-01"), "2025-03-01"), ["growth-reduced", "level-renewed"]);
}

#[test]
fn rule_b03_tasks_earn_and_a_refused_order_costs() {
    let shop = ready("B");
    let task = |on: &str, code: &str| Event { code: code.into(), ..Event::new(day(on), What::Task) };
    let history = with(
        joined("2024-01-05"),
        &[
            task("2024-01-06", "sign-in"),
            task("2024-01-06", "sign-in"),
            task("2024-01-07", "sign-in"),
            task("2024-01-07", "bind-account"),
            task("2024-01-08", "bind-account"),
            task("2024-01-08", "review"),
        ],
    );
    assert_eq!(points(&shop, &history, "2024-01-08"), 5 + 5 + 100 + 20);
    let refused = with(history.clone(), &[Event::new(day("2024-01-09"), What::Refusal)]);
    assert_eq!(points(&shop, &refused, "2024-01-09"), 80);
    let draw = Event { code: "draw".into(), ..Event::new(day("2024-01-09"), What::Redeem) };
    assert_eq!(points(&shop, &with(history, &[draw]), "2024-01-09"), 80, "a draw for 50");
}

#[test]
fn rule_b04_points_of_a_year_end_with_the_next() {
    let shop = ready("B");
    let task = Event { code: "review".into(), ..Event::new(day("2014-05-05"), What::Task) };
    let history = with(joined("2010-01-01"), &[task]);
    assert_eq!(points(&shop, &history, "2015-12-31"), 20);
    assert_eq!(points(&shop, &history, "2016-01-01"), 0, "from 1 January 00:00 on");
}

#[test]
fn rule_b05_one_act_has_one_reward() {
    let shop = ready("B");
    assert!(shop.earnings.iter().all(|rule| rule.balance != Balance::Both));
    let history = with(joined("2024-01-05"), &[purchase("2024-02-01", 10_000)]);
    let outcome = at(&shop, &history, "2024-02-01");
    assert_eq!((outcome.points, outcome.growth), (0, 100));
    let mut both = shop;
    both.earnings[0].balance = Balance::Both;
    let outcome = at(&both, &history, "2024-02-01");
    assert_eq!((outcome.points, outcome.growth), (100, 100), "possible, not advised");
}

#[test]
fn rule_k21_k22_points_need_a_main_card_the_whole_price_and_approval() {
    let club = ready("K");
    let sub = History { events: vec![Event::new(day("2025-01-01"), What::SubCard)], ..joined("2025-01-01") };
    let attend = |on: &str| Event { slip: on.into(), ..Event::new(day(on), What::Activity) };
    let outcome = at(&club, &with(sub.clone(), &[attend("2025-01-02")]), "2025-01-02");
    assert_eq!((outcome.points, outcome.pending), (0, 0), "no main card");
    let card = Event { code: "ordinary".into(), ..Event::new(day("2025-02-01"), What::Card) };
    let member = with(sub, &[card, attend("2025-02-02")]);
    let outcome = at(&club, &member, "2025-02-02");
    assert_eq!((outcome.points, outcome.pending), (20, 6), "base points, and 6 that wait");
    let approved = with(member, &[Event::new(day("2025-02-03"), What::Approve)]);
    assert_eq!(points(&club, &approved, "2025-02-03"), 26);
    let home = Event { code: "home".into(), ..purchase("2025-02-04", 100_000_000) };
    let half = Event { paid_percent: 99, ..home.clone() };
    let outcome = at(&club, &with(approved.clone(), &[half]), "2025-02-04");
    assert_eq!((outcome.pending, keys(&outcome, "2025-02-04")), (0, vec!["gate"]));
    let whole = at(&club, &with(approved, &[home]), "2025-02-04");
    assert_eq!(whole.pending, 1_000);
}

#[test]
fn rule_k15_base_points_come_with_main_and_sub_cards_and_all_go_to_one_account() {
    let mut club = ready("K");
    let sub = EarnRule {
        of: Some("co-brand".into()),
        fixed_points: 5,
        once: Once::Ever,
        ..EarnRule::new("K15", EarnKind::Base)
    };
    club.earnings.push(sub);
    let card = |on: &str, what, code: &str| Event { code: code.into(), ..Event::new(day(on), what) };
    let mut history = joined("2025-01-01");
    history.events = vec![
        card("2025-01-01", What::Card, "ordinary"),
        card("2025-01-02", What::SubCard, "co-brand"),
        card("2025-01-03", What::SubCard, "discount"),
    ];
    assert_eq!(points(&club, &history, "2025-01-03"), 20 + 5, "a kind without base points brings none");
    assert_eq!(keys(&at(&club, &history, "2025-01-03"), "2025-01-02"), ["card-issued", "granted"]);
    history.events.remove(0);
    assert_eq!(points(&club, &history, "2025-01-03"), 0, "only for holders of a main card");
}

#[test]
fn terminals_of_a_property_club_hold_what_they_always_held() {
    let club = ready("K");
    let terms = club.terms();
    let rules: Option<Vec<&str>> =
        terms.earning.as_ref().map(|terms| terms.rules.iter().map(|rule| rule.rule.as_str()).collect());
    assert_eq!(rules, Some(vec!["S2", "K22"]), "homes by a rule of their own");
    let plain = SchemeTerms { earning: None, told: None, bill: None, ..terms };
    assert_eq!(plain, SchemeTerms::property_club(club.version, club.valid_from));
    let mut policy = Policy::default();
    club.write_into(&mut policy);
    let cards = policy.cards.clone();
    assert_eq!(
        (cards.sub_valid_days, cards.base_points.is_empty()),
        (Some(365), false),
        "its own rules of cards"
    );
    let levels = policy.levels.clone();
    assert_eq!(levels.as_ref().map(|ladder| &ladder.levels), Some(&club.levels), "K14");
    assert_eq!(policy, Policy { cards, levels, plans_need_approval: true, ..Policy::default() }, "K24");
    assert_eq!(ready("S").terms().earn, Some(EarnRate { per_fen: 10_000, points: 2 }));
    assert_eq!(ready("L").terms().earn, None, "what waits for approval is not promised");
}

#[test]
fn the_hotel_has_cards_and_money_but_no_points() {
    let hotel = ready("H");
    let outcome = at(&hotel, &with(joined("2025-01-01"), &[purchase("2025-01-02", 100_000)]), "2025-12-31");
    assert_eq!((outcome.points, outcome.growth, outcome.spent_fen), (0, 0, 100_000));
    assert_eq!(hotel.terms().earn, None);
    assert!(!hotel.terms().display_points);
}

#[test]
fn rule_g01_g04_g08_points_after_verifying_by_the_sheet_without_levels_or_discounts() {
    let mut shops = ready("G");
    assert!(shops.levels.is_empty() && shops.basis.order.is_empty());
    shops.sheets.push(Sheet {
        sheet_no: 1012,
        office: "A01".into(),
        date_from: day("2025-10-01"),
        date_to: day("2025-10-07"),
        entered: day("2025-09-25"),
        a_basis: SheetBasis::Earning,
        b_factor_bp: 15_000,
        c_addend_fen: 5_000,
    });
    let buy = |on: &str| Event { office: "A01".into(), ..purchase(on, 32_000) };
    let waiting = with(joined("2025-09-20"), &[buy("2025-09-21")]);
    let outcome = at(&shops, &waiting, "2025-09-30");
    assert_eq!((outcome.points, keys(&outcome, "2025-09-21")), (0, vec!["waits-for-start"]));
    let verified = with(waiting, &[Event::new(day("2025-09-22"), What::Verified), buy("2025-09-23")]);
    assert_eq!(points(&shops, &verified, "2025-09-23"), 320, "only from then on");
    let promoted = with(verified.clone(), &[buy("2025-10-03")]);
    assert_eq!(points(&shops, &promoted, "2025-10-03"), 320 + 530, "320 x 1.5 + 50");
    let old = Event { code: "old-customer".into(), ..Event::new(day("2025-09-24"), What::Promo) };
    assert_eq!(points(&shops, &with(verified.clone(), &[old.clone(), old]), "2025-09-24"), 420, "once");
    let staff = History { member: Member { is_staff: true, ..verified.member.clone() }, ..verified };
    assert_eq!(points(&shops, &staff, "2025-10-03"), 0, "staff may not collect points");
    assert_eq!(shops.joining_alone().verify_days, 7, "within one week");
}

#[test]
fn whom_a_shipped_scheme_names_stands_in_the_dictionary() {
    let kinds: Vec<String> = dictionary::built_in()
        .filter(|term| term.dictionary == dictionary::MEMBER_KIND)
        .map(|term| term.code)
        .collect();
    for letter in ["K", "H", "G", "S", "P", "B", "T", "L"] {
        let scheme = ready(letter);
        let joining = scheme.joining_alone();
        for kind in joining.kinds.iter().chain(&scheme.scope_member_kinds) {
            assert!(kinds.contains(kind), "{letter}: {kind} is no kind of member");
        }
        assert!(
            joining.kinds.is_empty() || joining.kinds.iter().any(|kind| kind == "person"),
            "{letter}: whoever applies at a terminal is a person"
        );
    }
}

#[test]
fn rule_t03_totals_come_by_themselves() {
    let agency = ready("T");
    let mut history = joined("2025-01-01");
    history.member.kind = "walk_in".into();
    let history = with(history, &[purchase("2025-02-01", 380_000), purchase("2025-05-01", 120_050)]);
    let outcome = at(&agency, &history, "2025-05-01");
    assert_eq!((outcome.spent_fen, outcome.purchases, outcome.points), (500_050, 2, 38 + 12));
    let vip = Event { code: "1".into(), ..Event::new(day("2025-05-02"), What::Level) };
    assert_eq!(at(&agency, &with(history.clone(), &[vip]), "2030-01-01").rank, 1, "given by hand, kept");
    let stranger =
        History { member: Member { kind: "tour-guide".into(), ..history.member.clone() }, ..history };
    assert_eq!(keys(&at(&agency, &stranger, "2025-01-01"), "2025-01-01"), ["not-admitted"]);
}

#[test]
fn what_staff_of_a_dealer_enter_waits_for_the_supervisor() {
    let dealer = ready("L");
    let verified = with(
        joined("2025-01-01"),
        &[Event::new(day("2025-01-02"), What::Verified), purchase("2025-01-03", 100_000)],
    );
    let outcome = at(&dealer, &verified, "2025-01-03");
    assert_eq!((outcome.points, outcome.pending), (0, 10));
    let approved = with(verified, &[Event::new(day("2025-01-04"), What::Approve)]);
    assert_eq!(points(&dealer, &approved, "2025-01-04"), 10);
}

#[test]
fn rule_x03_x04_how_points_end_is_a_parameter_with_a_grace() {
    let modes: Vec<ExpiryMode> = ["K", "S", "B"].map(|letter| ready(letter).ends()).to_vec();
    assert_eq!(modes[0], ExpiryMode::Never);
    let ExpiryMode::FixedCutoff(mut cutoff) = modes[1] else { panic!("{modes:?}") };
    assert_eq!(modes[2], ExpiryMode::EarnYearPlus(1));
    let history = with(joined("2025-03-10"), &[purchase("2025-03-10", 10_000)]);
    let mut fashion = ready("S");
    assert_eq!(points(&fashion, &history, "2026-01-01"), 2);
    cutoff.first_year_grace = false;
    fashion.expiry = Some(ExpiryMode::FixedCutoff(cutoff));
    assert_eq!(points(&fashion, &history, "2026-01-01"), 0);
}

#[test]
fn rule_x05_clubs_have_any_number_of_levels_by_any_measure() {
    let measures = |letter: &str| ready(letter).levels.iter().map(|level| level.measure).collect::<Vec<_>>();
    assert_eq!(measures("G"), []);
    assert_eq!(measures("S"), [Measure::None, Measure::PeriodSpend]);
    assert_eq!(measures("P"), [Measure::None, Measure::PeriodPoints, Measure::Balance]);
    assert_eq!(measures("B")[1..], [Measure::Growth; 3]);
    assert_eq!(measures("T")[1], Measure::Manual);
}

#[test]
fn every_sentence_and_word_stands_once() {
    for list in [&KEYS[..], &WORDS[..]] {
        let mut sorted = list.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), list.len());
    }
}
