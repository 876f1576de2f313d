//! Terminals before an event: well prepared, half prepared, and new.

use hufu_shared::ids::{ActivityId, OccurrenceId};
use hufu_shared::member::Audience;
use hufu_shared::money::Amount;
use hufu_shared::scheme::Words;
use hufu_shared::time::Day;

use super::*;

const HOUR_US: i64 = 3_600 * SECOND_US;
const NOON: Instant = Instant(1_795_320_000 * SECOND_US);

fn now() -> Now {
    Now { wall: NOON, mono_ns: 0, quality: ClockQuality::Synced, trusted: NOON, floor: NOON }
}

fn terms() -> SchemeTerms {
    SchemeTerms::property_club(1, "2026-01-01".parse::<Day>().expect("a day"))
}

fn dinner() -> OccurrenceRow {
    OccurrenceRow {
        occurrence: OccurrenceId([3; 16]),
        activity: ActivityId([6; 16]),
        name: Words { zh: "答谢会".into(), en: "Dinner".into() },
        starts: NOON.offset(HOUR_US),
        ends: NOON.offset(4 * HOUR_US),
        state: OccurrenceState::Approved,
        admits_once: true,
        exits: false,
        points: Amount(6),
        places: Some(80),
        offices: Vec::new(),
        gifts: Vec::new(),
        guests: Vec::new(),
        audience: Audience::default(),
    }
}

fn held<'a>(terms: &'a SchemeTerms, occurrences: &'a [OccurrenceRow]) -> Held<'a> {
    Held {
        directory_at: Some(NOON),
        terms: Some(terms),
        occurrences,
        here: OfficeId([2; 16]),
        leased: 12,
        leases_end_s: Some(6 * 24 * 3_600),
        offset_us: Some(40_000),
        used_percent: 3,
        free_bytes: Some(20 << 30),
    }
}

fn grades(held: &Held<'_>, now: &Now) -> Vec<(Item, Grade)> {
    readiness(held, now)
        .parts
        .iter()
        .map(|part| (part.item, part.grade))
        .filter(|p| p.1 != Grade::Ready)
        .collect()
}

#[test]
fn a_prepared_terminal_is_ready_and_says_until_when() {
    let (terms, occurrences) = (terms(), [dinner()]);
    let ready = readiness(&held(&terms, &occurrences), &now());
    assert_eq!((ready.grade(), ready.parts.len()), (Grade::Ready, 6));
    assert_eq!(ready.until(), Some(NOON.offset(3 * DAY_US)));
    let until = |item| ready.parts.iter().find(|part| part.item == item).and_then(|part| part.until);
    assert_eq!(until(Item::Activity), Some(NOON.offset(4 * HOUR_US)));
    assert_eq!(until(Item::Leases), Some(NOON.offset(6 * DAY_US)));
}

#[test]
fn each_part_is_missed_by_itself() {
    let (terms, occurrences) = (terms(), [dinner()]);
    let good = held(&terms, &occurrences);
    let table = [
        (Held { directory_at: None, ..good }, Item::Directory, Grade::Bad),
        (
            Held { directory_at: Some(NOON.offset(-2 * DAY_US - 13 * HOUR_US)), ..good },
            Item::Directory,
            Grade::Look,
        ),
        (Held { occurrences: &[], ..good }, Item::Activity, Grade::Look),
        (Held { leased: 0, leases_end_s: None, ..good }, Item::Leases, Grade::Look),
        (Held { leases_end_s: Some(3_600), ..good }, Item::Leases, Grade::Look),
        (Held { offset_us: Some(-300 * SECOND_US), ..good }, Item::Clock, Grade::Look),
        (Held { used_percent: 90, ..good }, Item::Disk, Grade::Look),
        (Held { used_percent: 97, ..good }, Item::Disk, Grade::Bad),
        (Held { free_bytes: Some(1 << 20), ..good }, Item::Disk, Grade::Bad),
    ];
    for (held, item, grade) in table {
        assert_eq!(grades(&held, &now()), [(item, grade)]);
    }
    let unsure = Now { quality: ClockQuality::Floor, ..now() };
    assert_eq!(grades(&good, &unsure), [(Item::Clock, Grade::Look)]);
    let fresh =
        Held { directory_at: None, terms: None, occurrences: &[], leased: 0, leases_end_s: None, ..good };
    assert_eq!(grades(&fresh, &now()).len(), 4, "a new terminal says all that it lacks");
}

#[test]
fn an_activity_of_tomorrow_or_elsewhere_is_none_of_today() {
    let terms = terms();
    let elsewhere = OccurrenceRow { offices: vec![OfficeId([9; 16])], ..dinner() };
    let planned = OccurrenceRow { state: OccurrenceState::Planned, ..dinner() };
    let later =
        OccurrenceRow { starts: NOON.offset(30 * HOUR_US), ends: NOON.offset(33 * HOUR_US), ..dinner() };
    let over = OccurrenceRow { ends: NOON, ..dinner() };
    for row in [elsewhere, planned, later, over] {
        assert_eq!(grades(&held(&terms, &[row]), &now()), [(Item::Activity, Grade::Look)]);
    }
}

#[test]
fn every_rule_that_only_the_centre_enforces_is_named_where_it_matters() {
    let (terms, occurrences) = (terms(), [dinner()]);
    let all = readiness(&held(&terms, &occurrences), &now()).unenforced;
    assert_eq!(all.len(), 6);
    let open = [OccurrenceRow { admits_once: false, places: None, points: Amount::ZERO, ..dinner() }];
    let no_points = SchemeTerms { earn: None, ..terms.clone() };
    let few = readiness(&held(&no_points, &open), &now()).unenforced;
    assert_eq!(few, [Unenforced::LostElsewhere, Unenforced::NewCards]);
}
