//! Cases of the decision, each as a row of a table where that reads best.

mod leaving;

use hufu_shared::fact::{Party, SlipKey};
use hufu_shared::ids::{ActivityId, CardId, MemberId};
use hufu_shared::member::{Audience, GuestRow};
use hufu_shared::scheme::earning::{Approval, Balance, EarnKind, EarnRule, Once, Sheet, SheetBasis};
use hufu_shared::scheme::{Scheme, Words};
use hufu_shared::time::{Day, OfficeClock};
use hufu_shared::token::{MediumKind, Token};

use super::*;

const NOON: Instant = Instant(1_795_320_000 * SECOND_US);
const HERE: OfficeId = OfficeId([7; 16]);
const THERE: OfficeId = OfficeId([8; 16]);
const OCCASION: OccurrenceId = OccurrenceId([5; 16]);
const HOUR_US: i64 = 3_600 * SECOND_US;

struct World {
    blocked: Option<CardStatus>,
    card: Option<CardRow>,
    member: Option<MemberRow>,
    occurrence: Option<OccurrenceRow>,
    already: Option<Earlier>,
    tap: Option<Earlier>,
    terms: Option<SchemeTerms>,
    directory_at: Option<Instant>,
    office: Option<OfficeRow>,
    quality: ClockQuality,
}

impl World {
    fn usual() -> Self {
        let member = MemberId([1; 16]);
        Self {
            blocked: None,
            card: Some(CardRow {
                card: CardId([2; 16]),
                token: token(),
                member: Some(member),
                status: CardStatus::Active,
                valid_from: None,
                valid_until: None,
                tail: "1234".into(),
                sub: false,
            }),
            member: Some(MemberRow {
                member,
                greeting: Some("欧阳女士".into()),
                masked_name: Some("欧阳*玥".into()),
                level: None,
                status: MemberStatus::Active,
                points: Amount(1_280),
                points_at: NOON,
                leased: false,
                full_name: None,
                value: Some(Amount(50_000)),
                kind: None,
            }),
            occurrence: Some(OccurrenceRow {
                occurrence: OCCASION,
                activity: ActivityId([6; 16]),
                name: Words { zh: "业主答谢会".into(), en: "Owners' day".into() },
                starts: NOON.offset(-HOUR_US),
                ends: NOON.offset(HOUR_US),
                state: OccurrenceState::Approved,
                admits_once: true,
                exits: false,
                gifts: Vec::new(),
                guests: Vec::new(),
                points: Amount(2),
                places: None,
                offices: vec![HERE],
                audience: Audience::default(),
            }),
            already: None,
            tap: None,
            terms: Some(SchemeTerms::property_club(3, Day(0))),
            directory_at: Some(NOON),
            office: None,
            quality: ClockQuality::Kept,
        }
    }

    fn decide(&self, purpose: &Purpose) -> Decision {
        let known = Known {
            value: value::Means::default(),
            blocked: self.blocked,
            card: self.card.as_ref(),
            member: self.member.as_ref(),
            occurrence: self.occurrence.as_ref(),
            already: self.already,
            tap: self.tap,
            terms: self.terms.as_ref(),
            directory_at: self.directory_at,
            has_directory: self.terms.is_some(),
            here: HERE,
            office: self.office.as_ref(),
        };
        let member = self.card.as_ref().and_then(|card| card.member);
        let subject = Subject { token: token(), member, reader: 0, medium: MediumKind::Uid, code: None };
        let now = Now { wall: NOON, mono_ns: 1, quality: self.quality, trusted: NOON, floor: NOON };
        decide(&known, subject, purpose, &now)
    }

    fn check_in(&self) -> Decision {
        self.decide(&Purpose::CheckIn(OCCASION))
    }
}

fn token() -> Token {
    Token { key_version: 1, hash: [9; 16] }
}

fn with(change: impl FnOnce(&mut World)) -> World {
    let mut world = World::usual();
    change(&mut world);
    world
}

#[test]
fn rule_b05_growth_is_recorded_and_never_shown_and_a_first_purchase_promises_nothing_more() {
    let growth = EarnRule { per_fen: 100, points_per: 1, ..EarnRule::new("B1", EarnKind::Purchase) };
    let growth = EarnRule { balance: Balance::Growth, ..growth };
    let rate = EarnRule { per_fen: 10_000, points_per: 2, ..EarnRule::new("S2", EarnKind::Purchase) };
    let first = EarnRule { fixed_points: 50, once: Once::Ever, ..EarnRule::new("V1", EarnKind::Purchase) };
    let mut club = Scheme::empty("club", 3, Day(0));
    club.earnings = vec![rate, growth.clone(), first];
    let world = World { terms: Some(club.terms()), ..World::usual() };
    let decision = world.decide(&Purpose::Earn(Amount(32_000)));
    assert_eq!((decision.promised, decision.rule.as_deref()), (Some(Amount(6)), Some("S2")));
    assert_eq!(
        legs_of(&decision),
        [6, 320],
        "points, then growth; whether it is the first nobody here knows"
    );
    club.earnings = vec![growth];
    let mut world = World { terms: Some(club.terms()), ..World::usual() };
    let decision = world.decide(&Purpose::Earn(Amount(32_000)));
    assert_eq!((decision.outcome, decision.promised, decision.rule), (Outcome::Accepted, None, None));
    let Event::Earned(earned) = decision.event else { panic!("a purchase") };
    assert_eq!(earned.promised, [Leg { unit: Unit::Growth, amount: Amount(320) }]);
    world.tap = Some(Earlier { seq: 9, at: NOON });
    assert!(legs_of(&world.decide(&Purpose::Earn(Amount(32_000)))).is_empty(), "a repeat");
}

fn occasion(change: impl FnOnce(&mut OccurrenceRow)) -> World {
    with(|world| change(world.occurrence.as_mut().expect("it has one")))
}

fn card(change: impl FnOnce(&mut CardRow)) -> World {
    with(|world| change(world.card.as_mut().expect("it has one")))
}

fn legs_of(decision: &Decision) -> Vec<i64> {
    match &decision.event {
        Event::Attended(attended) => attended.promised.iter().map(|leg| leg.amount.0).collect(),
        Event::Earned(earned) => earned.promised.iter().map(|leg| leg.amount.0).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn rule_k27_a_known_card_in_an_approved_activity_is_green_and_promised_its_points() {
    let decision = World::usual().check_in();
    assert_eq!((decision.outcome, decision.promised), (Outcome::Accepted, Some(Amount(2))));
    assert_eq!(legs_of(&decision), [2]);
    let Event::Attended(attended) = decision.event else { panic!("an attendance") };
    assert_eq!((attended.occurrence, attended.repeats), (OCCASION, None));
    assert_eq!(legs_of(&occasion(|row| row.points = Amount(0)).check_in()), [0_i64; 0]);
}

#[test]
fn rule_k26_only_an_approved_occurrence_receives_attendance_and_points() {
    let refused = |world: World| match world.check_in() {
        Decision {
            event: Event::Refused(refused), outcome: Outcome::Refused(shown), promised: None, ..
        } => {
            assert_eq!(refused.reason, shown);
            refused.reason
        }
        other => panic!("refused expected, met {other:?}"),
    };
    let table = [
        (occasion(|row| row.state = OccurrenceState::Planned), RefusalReason::R10),
        (occasion(|row| row.state = OccurrenceState::Ended), RefusalReason::R10),
        (occasion(|row| row.starts = NOON.offset(1)), RefusalReason::R10),
        (occasion(|row| row.ends = NOON), RefusalReason::R10),
        (with(|world| world.occurrence = None), RefusalReason::R10),
        (occasion(|row| row.offices = vec![THERE]), RefusalReason::R04),
        (occasion(|row| row.audience.listed = true), RefusalReason::R04),
        (occasion(|row| row.audience.levels = vec!["钻石卡".into()]), RefusalReason::R04),
    ];
    for (world, reason) in table {
        assert_eq!(refused(world), reason);
    }
    let invited = occasion(|row| {
        row.audience.listed = true;
        row.guests = vec![GuestRow { member: MemberId([1; 16]), birthday: false, companions: None }];
    });
    assert_eq!(invited.check_in().outcome, Outcome::Accepted, "only those who are expected");
    let gold = Words { zh: "金卡".into(), en: "Gold".into() };
    let mut levelled = occasion(|row| row.audience.levels = vec!["金卡".into(), "钻石卡".into()]);
    levelled.member.as_mut().expect("known").level = Some(gold);
    assert_eq!(levelled.check_in().outcome, Outcome::Accepted, "of one of the levels");
    levelled.member = None;
    assert_eq!(
        levelled.check_in().outcome,
        Outcome::Recorded,
        "the centre knows more of whoever is not known here"
    );
    assert_eq!(occasion(|row| row.offices.clear()).check_in().outcome, Outcome::Accepted, "held everywhere");
}

fn companions(decision: Decision) -> Option<u32> {
    match decision.event {
        Event::Attended(attended) => attended.companions,
        other => panic!("an attendance expected, met {other:?}"),
    }
}

#[test]
fn rule_k27_companions_are_those_whom_staff_counted_or_else_those_who_were_announced() {
    let announced = |most, companions| {
        occasion(|row| {
            row.audience.companions = most;
            row.guests = vec![GuestRow { member: MemberId([1; 16]), birthday: false, companions }];
        })
    };
    let party = |companions| Purpose::CheckInParty(Party { occurrence: OCCASION, companions });
    assert_eq!(companions(World::usual().check_in()), None, "who comes alone");
    assert_eq!(companions(announced(Some(3), Some(2)).check_in()), Some(2));
    assert_eq!(companions(announced(Some(1), Some(2)).check_in()), Some(1), "the plan was changed since");
    assert_eq!(companions(announced(None, Some(2)).check_in()), None);
    assert_eq!(companions(announced(Some(3), Some(2)).decide(&party(1))), Some(1), "one stayed at home");
    assert_eq!(companions(announced(Some(3), Some(2)).decide(&party(0))), None);
    let mut again = announced(Some(3), Some(2));
    again.already = Some(Earlier { seq: 7, at: NOON });
    assert_eq!(companions(again.check_in()), None, "they came with the first one");
    let decision = announced(Some(3), None).decide(&party(2));
    assert_eq!(
        (decision.outcome, decision.promised),
        (Outcome::Accepted, Some(Amount(2))),
        "points are the member's"
    );
}

#[test]
fn rule_k26_once_again_or_through_the_exit_is_told_by_the_holding() {
    for (admits_once, exits, outcome) in [
        (true, false, Outcome::AlreadyIn),
        (false, false, Outcome::Accepted),
        (true, true, Outcome::Accepted),
    ] {
        let mut world = occasion(|row| (row.admits_once, row.exits) = (admits_once, exits));
        world.already = Some(Earlier { seq: 7, at: NOON.offset(-SECOND_US) });
        assert_eq!(world.check_in().outcome, outcome, "once {admits_once}, exits {exits}");
    }
}

#[test]
fn cards_and_members_that_may_not_be_used_are_refused_whatever_the_purpose() {
    let table = [
        (with(|world| world.blocked = Some(CardStatus::Lost)), RefusalReason::R07),
        (with(|world| world.blocked = Some(CardStatus::Stopped)), RefusalReason::R01),
        (
            with(|world| (world.blocked, world.card, world.member) = (Some(CardStatus::Lost), None, None)),
            RefusalReason::R07,
        ),
        (card(|row| row.status = CardStatus::Lost), RefusalReason::R07),
        (card(|row| row.status = CardStatus::Void), RefusalReason::R01),
        (card(|row| row.valid_until = Some(NOON)), RefusalReason::R02),
        (card(|row| row.valid_from = Some(NOON.offset(1))), RefusalReason::R03),
        (
            with(|world| world.member.as_mut().expect("one").status = MemberStatus::Stopped),
            RefusalReason::R01,
        ),
        (with(|world| world.member.as_mut().expect("one").status = MemberStatus::Left), RefusalReason::R01),
    ];
    for (world, reason) in table {
        for purpose in
            [Purpose::CheckIn(OCCASION), Purpose::Earn(Amount(100)), Purpose::Visit, Purpose::LookUp]
        {
            let decision = world.decide(&purpose);
            assert_eq!(decision.outcome, Outcome::Refused(reason), "{purpose:?}");
            let Event::Refused(refused) = decision.event else { panic!("a refusal is a fact") };
            assert_eq!((refused.purpose, refused.count), (purpose, 1));
            assert_eq!(decision.valid_from.is_some(), reason == RefusalReason::R03);
        }
    }
}

#[test]
fn kind_02_a_second_check_in_at_this_terminal_promises_nothing() {
    let first = Earlier { seq: 41, at: NOON.offset(-HOUR_US) };
    let again = with(|world| world.already = Some(first)).check_in();
    assert_eq!((again.outcome, again.first_at, again.promised), (Outcome::AlreadyIn, Some(first.at), None));
    let Event::Attended(attended) = again.event else { panic!("an attendance") };
    assert_eq!((attended.repeats, attended.promised), (Some(41), vec![]));
    // Where members may come several times, only a double tap is a repeat.
    let mut several = occasion(|row| row.admits_once = false);
    several.already = Some(first);
    assert_eq!(several.check_in().outcome, Outcome::Accepted);
    several.tap = Some(first);
    assert_eq!(several.check_in().outcome, Outcome::AlreadyIn);
}

#[test]
fn rule_s02_a_purchase_earns_by_the_schemes_rate_and_a_double_tap_earns_nothing() {
    let decision = World::usual().decide(&Purpose::Earn(Amount(32_000)));
    assert_eq!(
        (decision.outcome, decision.promised, decision.rule.as_deref()),
        (Outcome::Accepted, Some(Amount(6)), Some("S2"))
    );
    let again =
        with(|world| world.tap = Some(Earlier { seq: 9, at: NOON })).decide(&Purpose::Earn(Amount(32_000)));
    assert_eq!((again.outcome, legs_of(&again)), (Outcome::AlreadyIn, vec![]));
    let Event::Earned(earned) = again.event else { panic!("a purchase") };
    assert_eq!((earned.repeats, earned.purchase), (Some(9), Amount(32_000)));
    assert_eq!(World::usual().decide(&Purpose::Earn(Amount(5_000))).promised, None, "below one step");
    let none =
        with(|world| world.terms.as_mut().expect("one").earn = None).decide(&Purpose::Earn(Amount(32_000)));
    assert_eq!((none.promised, none.rule), (None, None));
}

#[test]
fn rule_g04_g05_k21_a_promise_is_what_the_ledger_posts_by_the_same_rules() {
    let today = OfficeClock::default().business_day(NOON);
    let sheet = |sheet_no, b_factor_bp| Sheet {
        sheet_no,
        office: "A01".into(),
        date_from: today,
        date_to: today,
        entered: today.plus(-1),
        a_basis: SheetBasis::Earning,
        b_factor_bp,
        c_addend_fen: 5_000,
    };
    let mut shops = Scheme::empty("shops", 3, Day(0));
    let rate = EarnRule { per_fen: 100, points_per: 1, ..EarnRule::new("G4", EarnKind::Purchase) };
    let home = EarnRule {
        of: Some("home".into()),
        fixed_points: 1_000,
        approval: Approval::Pending,
        ..EarnRule::new("K22", EarnKind::Purchase)
    };
    shops.earnings = vec![EarnRule { of: Some(String::new()), ..rate }, home];
    shops.sheets = vec![sheet(1_012, 15_000), sheet(1_007, 20_000)];
    let mut world = World { terms: Some(shops.terms()), ..World::usual() };
    let name = Words { zh: "一店".into(), en: "One".into() };
    let office =
        OfficeRow { office: HERE, code: "A01".into(), name, clock: OfficeClock::default(), group: None };
    let told = |world: &World, purpose: &Purpose| {
        let decision = world.decide(purpose);
        (decision.promised.map_or(0, |points| points.0), decision.rule)
    };
    let plain = Purpose::Earn(Amount(32_000));
    let g4 = || Some("G4".to_owned());
    assert_eq!(told(&world, &plain), (320, g4()), "a sheet of another shop");
    world.office = Some(office);
    assert_eq!(told(&world, &plain), (530, g4()), "1012 before 1007: 320 x 1.5 + 50");
    let slip = SlipKey { shop: "A01".into(), number: "7".into(), date: today };
    let paid = Paid { goods: "home".into(), ..Paid::default() };
    let purchase = Purchase { amount: Amount(32_000), slip, replaces: None, paid: Some(paid.clone()) };
    let decision = world.decide(&Purpose::EarnSlip(purchase));
    assert_eq!((decision.promised, decision.rule.as_deref()), (None, Some("K22")), "it waits for approval");
    assert_eq!(decision.waiting, Some(Amount(1_000)));
    let Event::Earned(earned) = decision.event else { panic!("a purchase") };
    assert_eq!(earned.paid, Some(paid), "the centre is told what the slip says");
    world.quality = ClockQuality::Floor;
    assert_eq!(told(&world, &plain), (0, None), "no sheet by a clock that nobody trusts");
}

#[test]
fn case_61_impossible_amounts_are_refused() {
    let max = SchemeTerms::property_club(1, Day(0)).purchase_max.0;
    for fen in [0, -1, i64::MIN, max + 1, i64::MAX] {
        let decision = World::usual().decide(&Purpose::Earn(Amount(fen)));
        assert_eq!(decision.outcome, Outcome::Refused(RefusalReason::R11), "{fen}");
    }
    assert_eq!(World::usual().decide(&Purpose::Earn(Amount(max))).outcome, Outcome::Accepted);
}

#[test]
fn kind_13_an_unknown_card_is_recorded_and_never_refused_for_being_unknown() {
    let unknown = with(|world| (world.card, world.member) = (None, None));
    let in_stock = with(|world| {
        world.member = None;
        world.card.as_mut().expect("one").member = None;
    });
    for world in [unknown, in_stock] {
        for purpose in
            [Purpose::CheckIn(OCCASION), Purpose::Earn(Amount(32_000)), Purpose::Visit, Purpose::LookUp]
        {
            let decision = world.decide(&purpose);
            assert_eq!(decision.outcome, Outcome::UnknownCard, "{purpose:?}");
            assert_eq!(decision.event.subject().expect("the card").member, None);
        }
        assert_eq!(legs_of(&world.decide(&Purpose::Earn(Amount(32_000)))), [6], "due once it is registered");
    }
}

#[test]
fn amber_only_where_the_effect_may_change() {
    let age_max_us = i64::from(SchemeTerms::property_club(1, Day(0)).directory_age_max_s) * SECOND_US;
    let aged = |by: i64| with(|world| world.directory_at = Some(NOON.offset(-by)));
    assert_eq!(aged(age_max_us).check_in().outcome, Outcome::Accepted);
    assert_eq!(aged(age_max_us + 1).check_in().outcome, Outcome::Recorded);
    assert_eq!(legs_of(&aged(age_max_us + 1).check_in()), [2], "recorded with all that it promises");
    assert_eq!(with(|world| world.directory_at = None).check_in().outcome, Outcome::Recorded);
    assert_eq!(
        with(|world| world.member = None).check_in().outcome,
        Outcome::Recorded,
        "card without its member"
    );
}

#[test]
fn case_25_with_a_clock_that_cannot_be_trusted_nothing_expires_and_nothing_closes() {
    let mut world = card(|row| row.valid_until = Some(Instant(1)));
    world.quality = ClockQuality::Floor;
    world.occurrence.as_mut().expect("one").ends = Instant(1);
    assert_eq!(world.check_in().outcome, Outcome::Recorded, "recorded, the centre judges the times");
    world.occurrence.as_mut().expect("one").state = OccurrenceState::Planned;
    assert_eq!(world.check_in().outcome, Outcome::Refused(RefusalReason::R10), "approval needs no clock");
}

#[test]
fn case_26_members_do_not_expire_by_a_jump_of_the_wall_clock() {
    let world = card(|row| row.valid_until = Some(NOON.offset(HOUR_US)));
    let known = Known {
        value: value::Means::default(),
        blocked: None,
        card: world.card.as_ref(),
        member: world.member.as_ref(),
        occurrence: None,
        already: None,
        tap: None,
        terms: world.terms.as_ref(),
        directory_at: Some(NOON),
        has_directory: true,
        here: HERE,
        office: None,
    };
    let ten_years = 3_650 * 24 * HOUR_US;
    let now = Now {
        wall: NOON.offset(ten_years),
        mono_ns: 1,
        quality: ClockQuality::Floor,
        trusted: NOON,
        floor: NOON,
    };
    assert_eq!(refusal_of_card(&known, &now), None);
}

#[test]
fn a_medium_that_identifies_nobody_is_refused_without_a_subject() {
    let decision = decide_unusable(&Purpose::Visit);
    assert_eq!(decision.outcome, Outcome::Refused(RefusalReason::R08));
    assert_eq!(decision.event.subject(), None);
}

#[test]
fn a_visit_twice_says_so_and_a_look_up_never_does() {
    let world = with(|world| world.tap = Some(Earlier { seq: 3, at: NOON }));
    assert_eq!(world.decide(&Purpose::Visit).outcome, Outcome::AlreadyIn);
    let look = world.decide(&Purpose::LookUp);
    assert_eq!(look.outcome, Outcome::Accepted);
    assert!(matches!(look.event, Event::Visited(_)) && !look.event.is_value());
}

#[test]
fn without_any_directory_a_check_in_is_recorded_for_the_centre_to_judge() {
    let world = with(|world| {
        (world.card, world.member, world.occurrence) = (None, None, None);
        (world.terms, world.directory_at) = (None, None);
    });
    let decision = world.check_in();
    assert_eq!((decision.outcome, decision.promised), (Outcome::UnknownCard, None));
    assert!(matches!(decision.event, Event::Attended(_)));
}
