//! One value of every fact.

use super::*;

pub fn fact(shown: Shown, event: Event) -> Fact {
    Fact {
        format: FACT_FORMAT,
        seq: 42,
        wall: NOON,
        mono_ns: 3_600_000_000_000,
        boot: 40,
        clock: ClockQuality::Synced,
        directory: VERSION,
        block: VERSION,
        scheme: 1,
        operator: None,
        shown,
        rule: None,
        event,
    }
}

fn counted() -> Counted {
    Counted {
        cash: Amount(120_000),
        gifts: 36,
        blank_cards: 12,
        cash_expected: Some(Amount(121_000)),
        gifts_expected: Some(36),
        blank_cards_expected: Some(12),
        reason: Some("change".to_owned()),
    }
}

fn complaint(form: Form) -> Complaint {
    Complaint {
        form,
        kind: "sales".to_owned(),
        urgent: true,
        receipt: "TS-A-1-41".to_owned(),
        promised: NOON.offset(7_200_000_000),
    }
}

/// A fact of every event. The operator and the rule are filled in the one of a purchase.
pub fn facts() -> Vec<Fact> {
    let form = Form {
        commitment: Hash([8; 32]),
        subject: Some(subject()),
        route: "office".to_owned(),
        consent: Some("contact-1".to_owned()),
    };
    let lease = LeaseUse { lease: LEASE, generation: 1, spent_total: Amount(300), state: VERSION };
    let totals = DayTotals { facts: 41, attended: 7, promised: points(70), ..DayTotals::default() };
    let visited = Visited { subject: subject() };
    let session = OperatorSession { operator: OperatorId([0x99; 16]) };
    let attended = Attended {
        subject: subject(),
        occurrence: OCCURRENCE,
        promised: points(10),
        repeats: None,
        gate: None,
        way: Way::In,
        companions: None,
    };
    let events = [
        (Shown::Nothing, Event::Booted(booted())),
        (Shown::Accepted, Event::Visited(visited.clone())),
        (Shown::Accepted, Event::Attended(attended)),
        (
            Shown::Redeemed,
            Event::HandedOut(HandedOut {
                subject: subject(),
                occurrence: OCCURRENCE,
                item: ItemId([0xaa; 16]),
                quantity: 2,
            }),
        ),
        (Shown::Accepted, Event::Earned(earned())),
        (
            Shown::Redeemed,
            Event::Spent(Spent {
                subject: subject(),
                legs: points(100),
                funding: vec![Funding::Lease(lease), Funding::OwnCredit],
                slip: Some(slip("7")),
                item: Some(ItemId([0xaa; 16])),
                paid_out: None,
            }),
        ),
        (
            Shown::Accepted,
            Event::Reversed(Reversed {
                original: FactId { device: DEVICE, epoch: 1, seq: 41 },
                legs: points(6),
                reason: "return".to_owned(),
                slip: None,
            }),
        ),
        (
            Shown::Accepted,
            Event::ToppedUp(ToppedUp {
                subject: subject(),
                amount: Amount(50_000),
                method: "cash".to_owned(),
                slip: None,
            }),
        ),
        (Shown::Accepted, Event::ApplicationTaken(form.clone())),
        (Shown::Accepted, Event::VisitorRegistered(Form { subject: None, ..form.clone() })),
        (Shown::Accepted, Event::ComplaintTaken(complaint(form.clone()))),
        (
            Shown::Nothing,
            Event::ShiftOpened(Counted {
                cash_expected: None,
                gifts_expected: None,
                blank_cards_expected: None,
                ..counted()
            }),
        ),
        (
            Shown::Accepted,
            Event::ProfileChangeRequested(ProfileChange {
                form,
                fields: vec![("mobile".to_owned(), VERSION)],
            }),
        ),
        (Shown::Attention, Event::CardReportedLost(visited)),
        (Shown::Refused, Event::Refused(refused())),
        (Shown::Nothing, Event::OperatorSignedIn(session.clone())),
        (Shown::Nothing, Event::OperatorSignedOut(session)),
        (Shown::Nothing, Event::ClockStepped(ClockStepped { by_us: -3_600_000_000 })),
        (
            Shown::Nothing,
            Event::LeaseClosed(LeaseClosed { lease: LEASE, generation: 1, spent_total: Amount(300) }),
        ),
        (
            Shown::Nothing,
            Event::DayClosed(DayClosed {
                day: TODAY,
                from_seq: 1,
                to_seq: 41,
                totals,
                unattended: false,
                counted: Some(counted()),
            }),
        ),
        (
            Shown::Nothing,
            Event::CommandDone(CommandDone {
                command: CommandId([0xbb; 16]),
                done: true,
                detail: "ok".to_owned(),
            }),
        ),
        (
            Shown::Accepted,
            Event::CardReplaced(CardReplaced {
                subject: subject(),
                card: Token { key_version: 2, hash: [0x5a; 16] },
                medium: MediumKind::Uid,
            }),
        ),
    ];
    let mut facts: Vec<Fact> = events.into_iter().map(|(shown, event)| fact(shown, event)).collect();
    for fact in &mut facts {
        if matches!(fact.event, Event::Earned(_)) {
            fact.operator = Some(OperatorId([0x99; 16]));
            fact.rule = Some("S2".to_owned());
        }
    }
    facts
}

fn booted() -> Booted {
    Booted {
        boot: BootId([0xcc; 16]),
        counter: 12,
        board: Hash([0xdd; 32]),
        software: "0.1.0".to_owned(),
        unclean: true,
    }
}

fn earned() -> Earned {
    Earned {
        subject: subject(),
        purchase: Amount(32_000),
        promised: points(6),
        slip: Some(slip("1001")),
        replaces: Some(slip("1000")),
        repeats: None,
        paid: None,
    }
}

fn refused() -> Refused {
    Refused {
        subject: Some(subject()),
        purpose: Purpose::CheckIn(OCCURRENCE),
        reason: RefusalReason::R07,
        count: 2,
    }
}
