//! What a printed slip says of a value fact, as data.
//!
//! A slip follows from its fact alone, so that a copy printed tomorrow says the same: only the member's figures around
//! it are known at the moment itself and left out of copies. Out of scope: words, the layout, when it is printed.

use hufu_shared::fact::{Event, Fact, Shown, SlipKey, Way};
use hufu_shared::ids::{FactId, MemberId, OccurrenceId, OperatorId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{ClockQuality, Day, Instant, OfficeClock};

/// What a slip is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SlipKind {
    /// Stored value paid in.
    TopUp,
    /// Points earned.
    Earn,
    /// Points redeemed.
    Redeem,
    /// Stored value spent.
    Spend,
    /// Stored value paid out in money.
    CashOut,
    /// Something taken back.
    Undo,
    /// A check-in: what is printed is a badge to wear.
    Badge,
    /// A complaint that was taken: number and promised time.
    Complaint,
}

impl SlipKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::TopUp,
        Self::Earn,
        Self::Redeem,
        Self::Spend,
        Self::CashOut,
        Self::Undo,
        Self::Badge,
        Self::Complaint,
    ];

    /// The word in configuration and locale keys.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TopUp => "top_up",
            Self::Earn => "earn",
            Self::Redeem => "redeem",
            Self::Spend => "spend",
            Self::CashOut => "cash_out",
            Self::Undo => "undo",
            Self::Badge => "badge",
            Self::Complaint => "complaint",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// The kind of an event's slip; none for events without.
#[must_use]
pub fn kind(event: &Event) -> Option<SlipKind> {
    match event {
        Event::ToppedUp(_) => Some(SlipKind::TopUp),
        // What repeats an earlier one gave nothing.
        Event::Earned(earned) => earned.repeats.is_none().then_some(SlipKind::Earn),
        Event::Spent(spent) if spent.paid_out.is_some() => Some(SlipKind::CashOut),
        Event::Spent(spent) if spent.legs.iter().any(|leg| leg.unit == Unit::Pts) => Some(SlipKind::Redeem),
        Event::Spent(_) => Some(SlipKind::Spend),
        Event::Reversed(_) => Some(SlipKind::Undo),
        // Who leaves, or comes a second time, has a badge already.
        Event::Attended(attended) if attended.way == Way::In => {
            attended.repeats.is_none().then_some(SlipKind::Badge)
        }
        Event::ComplaintTaken(_) => Some(SlipKind::Complaint),
        _ => None,
    }
}

/// What a guest takes home of a complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Its number.
    pub number: String,
    /// Dictionary code of what it is about. What was said is sealed and stands on no paper.
    pub topic: String,
    /// The answer is promised until then.
    pub promised: Instant,
}

/// What a slip says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// What it is about.
    pub kind: SlipKind,
    /// The fact.
    pub fact: FactId,
    /// When, as the terminal's clock claimed.
    pub at: Instant,
    /// The office's business day of it.
    pub day: Day,
    /// Who was signed in.
    pub operator: Option<OperatorId>,
    /// Whose.
    pub member: Option<MemberId>,
    /// What the member gained, or lost where it is negative.
    pub changes: Vec<Leg>,
    /// The price paid, for points earned on it.
    pub purchase: Option<Amount>,
    /// Dictionary code of the way money changed hands.
    pub method: Option<String>,
    /// The sales slip that was typed.
    pub sales_slip: Option<SlipKey>,
    /// What is taken back.
    pub original: Option<FactId>,
    /// What a badge is for.
    pub occurrence: Option<OccurrenceId>,
    /// The complaint that it accepts.
    pub complaint: Option<Acceptance>,
    /// Whether the centre has yet to say whether it stands.
    pub unconfirmed: bool,
    /// Whether the terminal's clock could not be trusted.
    pub clock_unsure: bool,
}

/// The slip of a fact, or none for a fact without. `original` is the fact that a reversal takes back, if it is still
/// held; without it the slip does not say which way the value went.
#[must_use]
pub fn slip(fact: &Fact, id: FactId, original: Option<&Fact>, clock: &OfficeClock) -> Option<Slip> {
    let kind = kind(&fact.event)?;
    let mut slip = Slip {
        kind,
        fact: id,
        at: fact.wall,
        day: clock.business_day(fact.wall),
        operator: fact.operator,
        member: fact.event.subject().and_then(|subject| subject.member),
        changes: Vec::new(),
        purchase: None,
        method: None,
        sales_slip: None,
        original: None,
        occurrence: None,
        complaint: None,
        unconfirmed: fact.shown == Shown::Recorded,
        clock_unsure: fact.clock == ClockQuality::Floor,
    };
    match &fact.event {
        Event::ToppedUp(topped) => {
            slip.changes = vec![Leg { unit: Unit::Cny, amount: topped.amount }];
            slip.method = Some(topped.method.clone());
            slip.sales_slip.clone_from(&topped.slip);
        }
        Event::Earned(earned) => {
            slip.changes.clone_from(&earned.promised);
            slip.purchase = Some(earned.purchase).filter(|price| price.is_positive());
            slip.sales_slip.clone_from(&earned.slip);
        }
        Event::Spent(spent) => {
            slip.changes = negative(&spent.legs);
            slip.method.clone_from(&spent.paid_out);
            slip.sales_slip.clone_from(&spent.slip);
        }
        Event::Reversed(reversed) => {
            slip.original = Some(reversed.original);
            slip.sales_slip.clone_from(&reversed.slip);
            slip.member = original.and_then(|fact| fact.event.subject()).and_then(|subject| subject.member);
            // What was spent comes back; what was paid in or promised goes.
            let gives_back = original.is_none_or(|fact| matches!(fact.event, Event::Spent(_)));
            slip.changes = if gives_back { reversed.legs.clone() } else { negative(&reversed.legs) };
        }
        Event::Attended(attended) => slip.occurrence = Some(attended.occurrence),
        Event::ComplaintTaken(taken) => {
            slip.complaint = Some(Acceptance {
                number: taken.receipt.clone(),
                topic: taken.kind.clone(),
                promised: taken.promised,
            });
        }
        _ => {}
    }
    Some(slip)
}

fn negative(legs: &[Leg]) -> Vec<Leg> {
    // Amounts of facts are positive: their negative always exists.
    legs.iter().map(|leg| Leg { unit: leg.unit, amount: Amount(-leg.amount.0) }).collect()
}

/// A fact's number as it stands on paper: end of the device's identity, enrolment, place. `7F3A-1-000128`.
#[must_use]
pub fn number(id: FactId) -> String {
    let [.., high, low] = id.device.0;
    format!("{high:02X}{low:02X}-{}-{:06}", id.epoch, id.seq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::fact::{Attended, Earned, Reversed, Spent, Subject, ToppedUp};
    use hufu_shared::ids::DeviceId;
    use hufu_shared::token::{CardText, MediumKind, TokenKey};
    use hufu_shared::wire::version::Version;

    fn fact(event: Event) -> Fact {
        Fact {
            format: 1,
            seq: 9,
            // Noon in Shanghai, 2026-11-22.
            wall: Instant(1_795_320_000_000_000),
            mono_ns: 0,
            boot: 1,
            clock: ClockQuality::Kept,
            directory: Version::default(),
            block: Version::default(),
            scheme: 1,
            operator: None,
            shown: Shown::Accepted,
            rule: None,
            event,
        }
    }

    fn id(seq: u64) -> FactId {
        FactId { device: DeviceId([7; 16]), epoch: 1, seq }
    }

    fn pts(amount: i64) -> Leg {
        Leg { unit: Unit::Pts, amount: Amount(amount) }
    }

    fn cny(fen: i64) -> Leg {
        Leg { unit: Unit::Cny, amount: Amount(fen) }
    }

    fn subject() -> Subject {
        let card = CardText::number(MediumKind::Stripe, "880000000001").expect("a card number");
        let token = TokenKey::new(1, [9; 32]).token(&card);
        Subject { token, member: Some(MemberId([1; 16])), reader: 0, medium: MediumKind::Stripe, code: None }
    }

    fn earned(points: i64, repeats: Option<u64>) -> Event {
        let promised = vec![pts(points)];
        let purchase = Amount(12_800);
        let (slip, replaces, paid) = (None, None, None);
        Event::Earned(Earned { subject: subject(), purchase, promised, slip, replaces, repeats, paid })
    }

    fn spent(legs: Vec<Leg>, paid_out: Option<&str>) -> Event {
        let paid_out = paid_out.map(str::to_owned);
        Event::Spent(Spent {
            subject: subject(),
            legs,
            funding: Vec::new(),
            slip: None,
            item: None,
            paid_out,
        })
    }

    fn of(event: Event) -> Slip {
        slip(&fact(event), id(9), None, &OfficeClock::default()).expect("a slip")
    }

    #[test]
    fn every_kind_of_value_has_its_slip_and_signs() {
        let (amount, method) = (Amount(50_000), "cash".to_owned());
        let topped = Event::ToppedUp(ToppedUp { subject: subject(), amount, method, slip: None });
        let table = [
            (topped.clone(), SlipKind::TopUp, vec![cny(50_000)]),
            (earned(2, None), SlipKind::Earn, vec![pts(2)]),
            (spent(vec![pts(100)], None), SlipKind::Redeem, vec![pts(-100)]),
            (spent(vec![pts(100), cny(500)], None), SlipKind::Redeem, vec![pts(-100), cny(-500)]),
            (spent(vec![cny(500)], None), SlipKind::Spend, vec![cny(-500)]),
            (spent(vec![cny(500)], Some("cash")), SlipKind::CashOut, vec![cny(-500)]),
        ];
        for (event, kind, changes) in table {
            let slip = of(event);
            assert_eq!((slip.kind, slip.changes), (kind, changes));
        }
        assert_eq!(of(topped).method.as_deref(), Some("cash"));
    }

    #[test]
    fn what_is_taken_back_goes_the_other_way() {
        let reversed = |legs: Vec<Leg>| {
            Event::Reversed(Reversed { original: id(4), legs, reason: "mistake".into(), slip: None })
        };
        let back = |original: Event, legs: Vec<Leg>| {
            slip(&fact(reversed(legs)), id(9), Some(&fact(original)), &OfficeClock::default())
                .expect("a slip")
        };
        let slip = back(spent(vec![pts(100)], None), vec![pts(40)]);
        assert_eq!(
            (slip.changes, slip.original, slip.member),
            (vec![pts(40)], Some(id(4)), subject().member)
        );
        assert_eq!(back(earned(6, None), vec![pts(6)]).changes, [pts(-6)]);
    }

    #[test]
    fn who_comes_in_first_gets_a_badge() {
        let attended = |way, repeats| {
            let occurrence = OccurrenceId([3; 16]);
            let subject = subject();
            Event::Attended(Attended {
                subject,
                occurrence,
                promised: vec![pts(2)],
                repeats,
                gate: None,
                way,
                companions: None,
            })
        };
        assert_eq!(of(attended(Way::In, None)).occurrence, Some(OccurrenceId([3; 16])));
        assert_eq!([kind(&attended(Way::Out, None)), kind(&attended(Way::In, Some(3)))], [None, None]);
    }

    #[test]
    fn a_slip_is_known_by_its_number() {
        assert_eq!(number(id(128)), "0707-1-000128");
        assert_eq!(of(spent(vec![pts(1)], None)).day.to_string(), "2026-11-22");
    }

    #[test]
    fn codes_name_each_kind_once() {
        for kind in SlipKind::ALL {
            assert_eq!(SlipKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(kind(&earned(2, Some(3))), None, "a repeat gave nothing");
    }
}
