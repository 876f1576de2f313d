//! What counts as money that moved, and its sums.

use super::*;
use hufu_shared::fact::{FACT_FORMAT, Reversed, Shown, Spent, Subject, ToppedUp};
use hufu_shared::ids::{DeviceId, FactId, Hash, MemberId, OfficeId};
use hufu_shared::time::ClockQuality;
use hufu_shared::token::{MediumKind, Token};
use hufu_shared::wire::version::Version;

fn subject() -> Subject {
    let token = Token { key_version: 1, hash: [1; 16] };
    Subject { token, member: None, reader: 0, medium: MediumKind::Uid, code: None }
}

fn fact(operator: u8, event: Event) -> Fact {
    Fact {
        format: FACT_FORMAT,
        seq: 1,
        wall: Instant(0),
        mono_ns: 0,
        boot: 1,
        clock: ClockQuality::Synced,
        directory: Version { epoch: 1, n: 1 },
        block: Version { epoch: 1, n: 1 },
        scheme: 1,
        operator: Some(OperatorId([operator; 16])),
        shown: Shown::Accepted,
        rule: None,
        event,
    }
}

fn top_up(operator: u8, fen: i64, method: &str) -> Fact {
    let (amount, method) = (Amount(fen), method.to_owned());
    fact(operator, Event::ToppedUp(ToppedUp { subject: subject(), amount, method, slip: None }))
}

fn spent(fen: i64, paid_out: Option<&str>) -> Fact {
    let legs = vec![Leg { unit: Unit::Pts, amount: Amount(7) }, Leg { unit: Unit::Cny, amount: Amount(fen) }];
    let paid_out = paid_out.map(str::to_owned);
    let (funding, slip, item) = (Vec::new(), None, None);
    fact(1, Event::Spent(Spent { subject: subject(), legs, funding, slip, item, paid_out }))
}

fn reversed(fen: i64) -> Fact {
    let original = FactId { device: DeviceId([1; 16]), epoch: 1, seq: 1 };
    let legs = vec![Leg { unit: Unit::Cny, amount: Amount(fen) }];
    fact(2, Event::Reversed(Reversed { original, legs, reason: "mistake".to_owned(), slip: None }))
}

fn plain(fact: &Fact, original: Option<&Fact>) -> Option<(String, What, Amount)> {
    let moved = of_fact(fact, original, Became::Applied)?;
    Some((moved.method, moved.what, moved.amount))
}

#[test]
fn rule_h04_each_way_that_money_moves_is_a_kind_of_its_own() {
    let (paid, out, sold) = (top_up(1, 500, "wechat"), spent(300, Some("cash")), spent(200, None));
    let row = |method: &str, what, fen| Some((method.to_owned(), what, Amount(fen)));
    assert_eq!(plain(&paid, None), row("wechat", What::ToppedUp, 500));
    assert_eq!(plain(&out, None), row("cash", What::PaidOut, 300));
    assert_eq!(plain(&sold, None), None, "a sale moves no money");
    assert_eq!(plain(&reversed(100), Some(&paid)), row("wechat", What::TopUpUndone, 100));
    assert_eq!(plain(&reversed(100), Some(&out)), row("cash", What::PaidOutUndone, 100));
    assert_eq!(plain(&reversed(100), Some(&sold)), row(METHOD_STORED_VALUE, What::Refunded, 100));
    assert_eq!(plain(&reversed(100), None), None, "of what is not here nobody can say");
}

#[test]
fn rule_h04_lines_sum_by_teller_method_and_kind_and_methods_come_to_what_the_drawer_has() {
    let moved = [
        of_fact(&top_up(1, 500, "cash"), None, Became::Applied),
        of_fact(&top_up(1, 300, "cash"), None, Became::Held),
        of_fact(&top_up(2, 200, "cash"), None, Became::Applied),
        of_fact(&top_up(2, 50, "wechat"), None, Became::Applied),
        of_fact(&reversed(120), Some(&top_up(1, 500, "cash")), Became::Applied),
        of_fact(&spent(90, Some("cash")), None, Became::AppliedWithCase),
        of_fact(&reversed(40), Some(&spent(90, Some("cash"))), Became::Applied),
    ];
    let lines = lines(moved.into_iter().flatten()).expect("small numbers");
    let first = &lines[0];
    assert_eq!((first.count, first.amount, first.not_booked), (2, Amount(800), Amount(300)));
    assert_eq!(lines.len(), 6, "by teller, method and kind: {lines:?}");
    let sums = by_method(&lines).expect("small numbers");
    assert_eq!(sums.iter().map(|sum| sum.method.as_str()).collect::<Vec<_>>(), ["cash", "wechat"]);
    assert_eq!(sums[0].amounts.map(|amount| amount.0), [1_000, 120, 90, 40, 0]);
    assert_eq!((sums[0].net, sums[1].net), (Amount(830), Amount(50)));
}

#[test]
fn rule_h04_the_centres_desk_pays_out_takes_back_and_gives_back_and_nothing_else_is_money() {
    let (member, office) = (ValueEnd::Member(MemberId([1; 16])), OfficeId([2; 16]));
    let of = Some(FactId { device: DeviceId([1; 16]), epoch: 1, seq: 1 });
    let what = |from, to, of| {
        let leg = Leg { unit: Unit::Cny, amount: Amount(10) };
        let (id, reason) = (Hash([1; 32]), Hash([0; 32]));
        of_desk(&ValueMoved { id, from, to, leg, office, reason, of }, None).map(|moved| moved.what)
    };
    assert_eq!(what(member, ValueEnd::Cash(office), None), Some(What::PaidOut));
    assert_eq!(what(member, ValueEnd::Cash(office), of), Some(What::TopUpUndone));
    assert_eq!(what(ValueEnd::Redeemed(office), member, of), Some(What::Refunded));
    assert_eq!(what(ValueEnd::Issuer(office), member, None), None);
}

#[test]
fn a_terminal_may_lack_facts_while_some_wait_or_it_was_not_heard_of_since() {
    let end = Instant(1_000);
    for (heard, lacks) in [
        (None, true),
        (Some((Instant(999), 0)), true),
        (Some((Instant(1_000), 0)), false),
        (Some((end, 1)), true),
    ] {
        assert_eq!(may_lack(heard, end), lacks, "{heard:?}");
    }
}
