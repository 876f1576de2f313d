//! Properties of pure rules that a mutant breaks, asked of the rules' public functions.
//!
//! Each is the shortest story in which the right rule and the wrong one differ; the rules' own tests say more.

use hufu_central::rules::judge::order::Place;
use hufu_central::rules::judge::{expiry, issue, reversal, slip};
use hufu_central::rules::lease::{self, Debts, LeaseRow, caps, spend};
use hufu_edge::rules::lease as held;
use hufu_shared::fact::SlipKey;
use hufu_shared::ids::{DeviceId, FactId, LeaseId, MemberId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::mutant::Mutant;
use hufu_shared::time::{DAY_US, Day, Instant};
use hufu_shared::wire::lease::{LeaseState, LeaseTerms};
use hufu_shared::wire::version::{CentralEpoch, Version};

/// A property of a rule.
pub struct Rule {
    /// What it is called.
    pub name: &'static str,
    /// Says what is broken.
    pub check: fn() -> Result<(), String>,
}

/// The property that a mutant breaks; none if no rule has it.
pub fn of(mutant: Mutant) -> Option<Rule> {
    let (name, check): (_, fn() -> Result<(), String>) = match mutant {
        Mutant::ReleaseAtExpiry => ("a late spend is paid from escrow", late_spend),
        Mutant::RaiseAsDelta => ("a state says the whole grant", whole_state),
        Mutant::CloseOutsideChain => ("a close keeps what no fact has explained", close_before_facts),
        Mutant::GrantDuringRecovery => ("a recovering centre grants nothing", no_grant),
        Mutant::RegrantAfterFacts => ("a spend of an unknown lease waits", unknown_lease),
        Mutant::RecoveryLossNotRepaid => ("what returns pays the recovery's loss first", repaid),
        Mutant::OwedNotPaidFirst => ("what returns pays what is owed first", owed_first),
        Mutant::EarnAboveIssueLimit => ("what passes the issue limit is held", issue_limit),
        Mutant::LotByArrival => ("what expires does not depend on the order of credits", lots),
        Mutant::ReversalToAsker => ("who bore it gets it back", bearers),
        Mutant::ReversalBeyondOriginal => ("reversals take back no more than there was", beyond),
        Mutant::SlipCountedTwice => ("a slip counts once", slips),
        _ => return None,
    };
    Some(Rule { name, check })
}

fn expect<T: PartialEq + std::fmt::Debug>(met: &T, expected: &T) -> Result<(), String> {
    if met == expected { Ok(()) } else { Err(format!("{expected:?} expected, met {met:?}")) }
}

const VERSION: Version = Version { epoch: 1, n: 5 };
const TERMS: LeaseTerms = LeaseTerms { ttl_s: 3_600, reboot_cost_s: 0, reboots_max: 3 };

fn row() -> LeaseRow {
    LeaseRow {
        lease: LeaseId([1; 16]),
        generation: 1,
        device: DeviceId([2; 16]),
        enrolment: 1,
        member: MemberId([3; 16]),
        unit: Unit::Pts,
        granted_total: Amount(100),
        settled: Amount::ZERO,
        lost: Amount::ZERO,
        released: Amount::ZERO,
        written_off: None,
        disputed: Amount::ZERO,
        dismissed: Amount::ZERO,
        spent_reported: Amount::ZERO,
        last_seq: 0,
        holes: Vec::new(),
        closed: None,
        terms: TERMS,
        version: VERSION,
        set_at: Instant(0),
        first_epoch: 1,
    }
}

fn leg() -> spend::SpentLeg {
    spend::SpentLeg {
        device: DeviceId([2; 16]),
        enrolment: 1,
        seq: 7,
        unit: Unit::Pts,
        amount: Amount(40),
        spent_total: Amount(40),
        state: VERSION,
        member: Some(MemberId([3; 16])),
    }
}

fn late_spend() -> Result<(), String> {
    let judged = spend::judge(Some(&row()), &leg(), spend::Known { late: true, ..spend::Known::default() });
    expect(&judged.effect, &spend::Effect::Settle(spend::Bearer::Member))
}

fn unknown_lease() -> Result<(), String> {
    let judged = spend::judge(None, &leg(), spend::Known::default());
    expect(&(judged.effect, judged.freeze), &(spend::Effect::Held, false))
}

fn close_before_facts() -> Result<(), String> {
    let closed = lease::close(&row(), Amount(40), 9, true);
    expect(&closed.release, &Amount(60))
}

fn whole_state() -> Result<(), String> {
    let epoch = CentralEpoch { n: 1, bits: 1 };
    let device = DeviceId([2; 16]);
    let at = held::Receiving { device, enrolment: 1, epoch, now_ns: 0 };
    let state = |granted: i64, n: u64| LeaseState {
        granted_total: Amount(granted),
        version: Version { epoch: 1, n },
        ..row().state()
    };
    let first = held::take_state(&[], &state(50, 1), at);
    let held::Taken::Store(first) = first else { return Err(format!("a first state is {first:?}")) };
    let second = held::take_state(&[first], &state(80, 2), at);
    let held::Taken::Store(second) = second else { return Err(format!("a raise is {second:?}")) };
    expect(&second.left(), &Amount(80))
}

fn no_grant() -> Result<(), String> {
    let book = caps::Book {
        unit: Unit::Pts,
        available: Amount(1_000),
        owed: Amount::ZERO,
        member_escrow: Amount::ZERO,
        open: None,
        device_escrow: Amount::ZERO,
        device_raised: Amount::ZERO,
        recovering: true,
        frozen: false,
        member_active: true,
        known_here: true,
    };
    let policy = hufu_shared::policy::Policy::default().lease;
    let proposed = caps::propose(&book, caps::Ask::Ahead, &policy);
    expect(&proposed, &Err(caps::NotGranted::Recovering))
}

fn repaid() -> Result<(), String> {
    let debts = Debts { recovery_loss: Amount(30), recovery_epoch: 2, owed: Amount::ZERO };
    expect(&lease::repay(Amount(100), 1, debts).to_recovery, &Amount(30))
}

fn owed_first() -> Result<(), String> {
    let debts = Debts { recovery_loss: Amount::ZERO, recovery_epoch: 0, owed: Amount(30) };
    expect(&lease::repay(Amount(100), 1, debts).to_available, &Amount(70))
}

fn issue_limit() -> Result<(), String> {
    let limits = hufu_shared::policy::Policy::default().issue;
    let gives = issue::Gives { points: Amount(limits.points_per_fact.0 + 1), top_up: Amount::ZERO };
    expect(&issue::judge(&limits, issue::Issued::default(), gives).is_err(), &true)
}

fn lots() -> Result<(), String> {
    let credit = |day: i64, amount: i64| expiry::Credit {
        t: Instant(0),
        expires: Some(Instant(day * DAY_US)),
        amount: Amount(amount),
    };
    let reckon = |credits: &[expiry::Credit]| {
        let account = expiry::Account { credits, debits: &[], leases: &[] };
        expiry::reckon(account, Instant(10 * DAY_US))
    };
    let (one, two) = (credit(3, 10), credit(5, 70));
    let cuts = reckon(&[one, two]);
    expect(&cuts.first().map(|cut| cut.due), &Some(Amount(10)))?;
    expect(&reckon(&[two, one]), &cuts)
}

fn bearers() -> Result<(), String> {
    let given = reversal::given_back(Amount(100), &[("member", Amount(30)), ("loss", Amount(70))]);
    expect(&given, &vec![("member", Amount(30)), ("loss", Amount(70))])
}

fn place(seq: u64) -> Place {
    let device = DeviceId([2; 16]);
    Place { t: Instant(seq.cast_signed()), fact: FactId { device, epoch: 1, seq } }
}

fn beyond() -> Result<(), String> {
    let points = |amount: i64| vec![Leg { unit: Unit::Pts, amount: Amount(amount) }];
    let (says, gave) = (points(100), points(100));
    let original = reversal::Original { is_reversal: false, says, gave, at_desk: Vec::new() };
    let reversals = [1, 2].map(|seq| {
        let (place, legs) = (place(seq), points(80));
        reversal::Reversal { place, legs, pin: None, is_refused: false, leaves_points: false }
    });
    match reversal::judge(Some(&original), &reversals) {
        reversal::Reversals::Judged { total, .. } => expect(&total, &points(100)),
        held @ reversal::Reversals::Held(_) => Err(format!("{held:?}")),
    }
}

fn slips() -> Result<(), String> {
    let slip = SlipKey { shop: "A1".to_owned(), number: "17".to_owned(), date: Day(20_000) };
    let fact =
        |seq| slip::SlipFact { place: place(seq), slip: Some(slip.clone()), replaces: None, pin: None };
    expect(&slip::judge(&[fact(1), fact(2)]).counts.len(), &1)
}
