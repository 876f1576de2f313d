//! Random days of terminals and an admin, driven through both databases side by side, beside a small reference ledger.
//!
//! The reference is a second, independent reckoning: it keeps what happened as plain records, and after every commit
//! works out every account anew from the whole set, by the rules as people read them: a card is admitted once, by the
//! earliest check-in unless a person said otherwise; the same purchase within the window is one; returns take back what
//! they name and never more than the original gave; money paid in is held above a small sum until the cash is counted;
//! what is set aside for a lease is the lease's until it is spent or closed; a member who owes pays that first; nothing of a member's is ever below zero. Both databases must say the same of every account after
//! every commit, as rows and as sums of their postings, and at the end be equal row by row.
//!
//! Out of scope: orders of arrival with other times (I19, see `order`), and what needs clocks that go wrong.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::{
    Act, Actor, CaseDecided, LeaseCause, LeaseSet, Pin, PinOutcome, ValueEnd, ValueMoved, Verdict,
};
use hufu_shared::fact::{
    Attended, DayClosed, Earned, Event, Funding, LeaseClosed, LeaseUse, Reversed, Shown, SlipKey, Spent,
    ToppedUp, Way,
};
use hufu_shared::ids::{EntryId, FactId, Hash, LeaseId, MemberId, OfficeId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::rules::totals;
use hufu_shared::time::{Day, SECOND_US};
use hufu_shared::wire::lease::LeaseTerms;
use hufu_shared::wire::version::Version;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::kit::{
    NOON, OFFICE_A, OFFICE_B, SALON, SALON_POINTS, TERMINAL_A, TERMINAL_B, Terminal, card, entry, found,
    member, subject, third_terminal,
};
use crate::db::testing::TestPlace;
use crate::db::{Db, Engine, SqlFile};
use crate::rules::entry::{EntryBody, TakenAct};
use crate::rules::posting::case_id;
use crate::store::{StoreError, dump};

mod stage;

use stage::play;

static SQL: SqlFile = SqlFile::new("reference", include_str!("reference.sql"));

/// Days that are the same in every run, and further ones that are not. Each takes a fresh database of either kind.
const DAYS_KEPT: u32 = 8;
const DAYS_NEW: u32 = 4;
/// Steps of a day.
const STEPS_MAX: usize = 90;
/// A card that nobody owns until an admin binds it, and who then owns it; that member has no other card in use.
const LATE_CARD: u8 = 9;
const LATE_OWNER: u8 = 5;
/// Members with a card of their own that is used.
const MEMBERS: u8 = 4;
const TERMINALS: usize = 3;
/// The same purchase at the same reader within so many seconds is one; as the club's scheme has it.
const WINDOW_S: i64 = 60;
/// A purchase earns 2 points for each full 100 yuan (rule S2).
const FEN_PER_STEP: i64 = 10_000;
const POINTS_PER_STEP: i64 = 2;
/// Fen that a terminal may take in before its cash is counted; as the club's policy has it.
const AT_ONCE_FEN: i64 = 50_000;
const TODAY: Day = Day(20_779);

/// One thing that people do.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A card is presented for the salon.
    CheckIn { terminal: usize, card: u8 },
    /// A card is presented for a purchase of so many times 50 yuan.
    Buy { terminal: usize, card: u8, fifties: i64 },
    /// A sale with a slip, of so many times 100 yuan.
    Sell { terminal: usize, card: u8, hundreds: i64 },
    /// Part of an earlier sale is returned, at any terminal, before or after either has arrived.
    Return { terminal: usize, which: usize, points: i64 },
    /// Money is paid in, by hundreds of yuan.
    PayIn { terminal: usize, card: u8, hundreds: i64 },
    /// An earlier payment is undone where it was made, in its shift or after it, or at another terminal.
    Undo { which: usize, elsewhere: bool },
    /// The centre's own desk takes back what is left of a payment or a spend, once each.
    AtDesk { which: usize },
    /// A terminal counts its cash and closes its day.
    Close { terminal: usize },
    /// A member redeems points at the centre's own desk: so many hundredths of what there is.
    Redeem { member: u8, percent: i64 },
    /// Part of what a member has is set aside for a terminal, which hears of it at once.
    Grant { terminal: usize, member: u8, percent: i64 },
    /// Part of what a terminal holds is spent there.
    Spend { terminal: usize, member: u8, percent: i64 },
    /// A terminal gives back what it holds for a member.
    Give { terminal: usize, member: u8 },
    /// A terminal hands over what it has.
    Upload { terminal: usize },
    /// An admin says which of a member's check-ins counts; none if there are fewer.
    Decide { member: u8, counts: usize },
    /// An admin binds the card that nobody owned.
    Bind,
}

fn steps() -> impl Strategy<Value = Vec<(Step, i64)>> {
    let terminal = 0..TERMINALS;
    let card = prop_oneof![9 => 1..=MEMBERS, 1 => Just(LATE_CARD)];
    let step = prop_oneof![
        3 => (terminal.clone(), card.clone()).prop_map(|(terminal, card)| Step::CheckIn { terminal, card }),
        3 => (terminal.clone(), card.clone(), 0..8_i64)
            .prop_map(|(terminal, card, fifties)| Step::Buy { terminal, card, fifties }),
        3 => (terminal.clone(), card.clone(), 1..9_i64)
            .prop_map(|(terminal, card, hundreds)| Step::Sell { terminal, card, hundreds }),
        4 => (terminal.clone(), any::<usize>(), 1..20_i64)
            .prop_map(|(terminal, which, points)| Step::Return { terminal, which, points }),
        2 => (terminal.clone(), card.clone(), 1..4_i64)
            .prop_map(|(terminal, card, hundreds)| Step::PayIn { terminal, card, hundreds }),
        2 => (any::<usize>(), proptest::bool::weighted(0.3))
            .prop_map(|(which, elsewhere)| Step::Undo { which, elsewhere }),
        2 => any::<usize>().prop_map(|which| Step::AtDesk { which }),
        1 => terminal.clone().prop_map(|terminal| Step::Close { terminal }),
        3 => (1..=MEMBERS, 50..=100_i64).prop_map(|(member, percent)| Step::Redeem { member, percent }),
        4 => (terminal.clone(), 1..=MEMBERS, 20..=100_i64)
            .prop_map(|(terminal, member, percent)| Step::Grant { terminal, member, percent }),
        4 => (terminal.clone(), 1..=MEMBERS, 20..=100_i64)
            .prop_map(|(terminal, member, percent)| Step::Spend { terminal, member, percent }),
        1 => (terminal.clone(), 1..=MEMBERS).prop_map(|(terminal, member)| Step::Give { terminal, member }),
        5 => terminal.prop_map(|terminal| Step::Upload { terminal }),
        2 => (1..=MEMBERS, 0..4_usize).prop_map(|(member, counts)| Step::Decide { member, counts }),
        1 => Just(Step::Bind),
    ];
    // Seconds that pass before it: often less than the window of a double tap.
    proptest::collection::vec((step, 1..90_i64), 1..STEPS_MAX)
}

/// What the reference remembers of a card at a terminal.
#[derive(Debug, Clone)]
struct Seen {
    id: FactId,
    seconds: i64,
    office: OfficeId,
    card: u8,
    what: What,
    arrived: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    CheckIn,
    /// Points that it earns.
    Purchase(i64),
    /// Fen that were paid in.
    PaidIn(i64),
    /// So much of that fact is taken back.
    Returned(FactId, i64),
    /// Points spent from the lease of this terminal and member.
    Spent(usize, i64),
    /// The lease of this terminal and member ended in this generation.
    Gave(usize, u32),
    /// The cash was counted: what the terminal took in before is confirmed.
    Counted,
    /// It repeats an earlier one of its terminal.
    Repeat,
}

/// Accounts by name, as this file spells them.
type Accounts = BTreeMap<(String, String), i64>;

/// The reference ledger: what happened, and what was decided.
#[derive(Debug, Default)]
struct Reference {
    seen: Vec<Seen>,
    counts: BTreeMap<FactId, bool>,
    bound: bool,
    /// Points that members redeemed at the desk.
    redeemed: BTreeMap<u8, i64>,
    /// What the desk took back of payments and spends.
    at_desk: BTreeMap<FactId, i64>,
    /// What was set aside, by terminal, member and generation.
    granted: BTreeMap<(usize, u8, u32), i64>,
}

impl Reference {
    fn owner(&self, card: u8) -> Option<u8> {
        match card {
            LATE_CARD => self.bound.then_some(LATE_OWNER),
            own => Some(own),
        }
    }

    /// What has arrived of one member.
    fn of(&self, who: u8) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(move |seen| seen.arrived && self.owner(seen.card) == Some(who))
    }

    fn check_ins(&self, who: u8) -> Vec<&Seen> {
        self.of(who).filter(|seen| seen.what == What::CheckIn).collect()
    }

    /// The check-in that admits: one that a person let count, else the earliest that nobody took out.
    fn admitted(&self, who: u8) -> Option<&Seen> {
        let standing =
            self.check_ins(who).into_iter().filter(|seen| self.counts.get(&seen.id) != Some(&false));
        standing.min_by_key(|seen| (self.counts.get(&seen.id) != Some(&true), seen.seconds, seen.id))
    }

    /// What is left of what a fact gave, after all returns that have arrived, the desk's before all others.
    fn kept(&self, id: FactId, gave: i64) -> i64 {
        let at_desk = self.at_desk.get(&id).copied().unwrap_or(0);
        (gave - at_desk - self.returned(id)).max(0)
    }

    /// What terminals say that they took back of a fact. Money paid in goes back at its own terminal, before it counts.
    fn returned(&self, id: FactId) -> i64 {
        let is_paid = self.seen.iter().any(|seen| seen.id == id && matches!(seen.what, What::PaidIn(_)));
        let counted = |back: FactId| {
            let mut of_terminal = self.seen.iter().filter(|seen| seen.id.device == id.device);
            of_terminal.any(|seen| seen.what == What::Counted && (id.seq..back.seq).contains(&seen.id.seq))
        };
        let may = |back: FactId| !is_paid || (back.device == id.device && !counted(back));
        let arrived = self.seen.iter().filter(|seen| seen.arrived && may(seen.id));
        let amounts = arrived.map(|seen| match seen.what {
            What::Returned(original, amount) if original == id => amount,
            _ => 0,
        });
        amounts.sum()
    }

    /// Whether money paid in may be spent: counted, or within the small sum of its terminal's day, by place.
    fn is_free(&self, paid: &Seen) -> bool {
        let of_terminal = self.seen.iter().filter(|seen| seen.arrived && seen.id.device == paid.id.device);
        let mut sum = 0;
        let mut is_small = false;
        let mut is_counted = false;
        for seen in of_terminal {
            match seen.what {
                What::PaidIn(fen) if sum + fen <= AT_ONCE_FEN => {
                    sum += fen;
                    is_small |= seen.id == paid.id;
                }
                What::Counted => is_counted |= seen.id.seq > paid.id.seq,
                _ => {}
            }
        }
        is_small || is_counted
    }

    /// The generation that is open at the centre, or the next one.
    fn generation(&self, terminal: usize, who: u8) -> u32 {
        let gave = self.seen.iter().filter(|seen| seen.arrived && seen.card == who);
        let gave = gave.filter(|seen| matches!(seen.what, What::Gave(at, _) if at == terminal)).count();
        1 + u32::try_from(gave).expect("few")
    }

    /// What a lease generation paid, as far as the facts have arrived, or all of it.
    fn spent(&self, terminal: usize, who: u8, generation: u32, all: bool) -> i64 {
        let mut now = 1;
        let mut spent = 0;
        for seen in self.seen.iter().filter(|seen| (seen.arrived || all) && seen.card == who) {
            match seen.what {
                What::Spent(at, points) if at == terminal && now == generation => spent += points,
                What::Gave(at, _) if at == terminal => now += 1,
                _ => {}
            }
        }
        spent
    }

    /// What leases hold of a member, and what they paid or gave back.
    fn post_leases(&self, accounts: &mut Accounts, who: u8) {
        let own = purse(member(who));
        for ((terminal, _, generation), granted) in self.granted.iter().filter(|(key, _)| key.1 == who) {
            let escrow = format!("escrow/{}", lease(*terminal, who));
            post(accounts, &own, &escrow, *granted, "PTS");
            if *generation < self.generation(*terminal, who) {
                let rest = granted - self.spent(*terminal, who, *generation, false);
                post(accounts, &escrow, &own, rest, "PTS");
            }
        }
        for seen in self.of(who) {
            if let What::Spent(terminal, points) = seen.what {
                let escrow = format!("escrow/{}", lease(terminal, who));
                let sink = format!("sink/redeemed/{}", seen.office);
                post(accounts, &escrow, &sink, points, "PTS");
                post(accounts, &sink, &own, points - self.kept(seen.id, points), "PTS");
            }
        }
    }

    /// Every account, from nothing.
    fn accounts(&self) -> Accounts {
        let mut accounts = Accounts::new();
        for who in 1..=LATE_OWNER {
            let own = purse(member(who));
            if let Some(admitted) = self.admitted(who) {
                post(&mut accounts, &issuer(admitted.office), &own, SALON_POINTS, "PTS");
            }
            for seen in self.of(who) {
                match seen.what {
                    What::Purchase(points) => {
                        let kept = self.kept(seen.id, points);
                        post(&mut accounts, &issuer(seen.office), &own, kept, "PTS");
                    }
                    What::PaidIn(fen) => {
                        let purse = if self.is_free(seen) { own.as_str() } else { "held" };
                        let drawer = format!("cash/{}/cash", seen.office);
                        let at_desk = self.at_desk.get(&seen.id).copied().unwrap_or(0);
                        let kept = self.kept(seen.id, fen) + at_desk;
                        post(&mut accounts, &drawer, purse, kept, "CNY");
                        post(&mut accounts, purse, &format!("cash/{}/desk", seen.office), at_desk, "CNY");
                    }
                    _ => {}
                }
            }
            self.post_leases(&mut accounts, who);
            let redeemed = self.redeemed.get(&who).copied().unwrap_or(0);
            post(&mut accounts, &own, &format!("sink/redeemed/{OFFICE_A}"), redeemed, "PTS");
        }
        settle_debts(&mut accounts);
        accounts.retain(|_, amount| *amount != 0);
        accounts
    }
}

fn post(accounts: &mut Accounts, debit: &str, credit: &str, amount: i64, unit: &str) {
    let mut add = |account: &str, amount: i64| {
        *accounts.entry((account.to_owned(), unit.to_owned())).or_default() += amount;
    };
    add(debit, -amount);
    add(credit, amount);
}

/// What a purse lacks is owed: neither is ever on the wrong side of zero, nor both at once.
fn settle_debts(accounts: &mut Accounts) {
    let short: Vec<((String, String), i64)> = accounts
        .iter()
        .filter(|((account, _), amount)| account.ends_with("/available") && **amount < 0)
        .map(|(key, amount)| (key.clone(), *amount))
        .collect();
    for ((account, unit), amount) in short {
        let owed = account.replace("/available", "/owed");
        post(accounts, &owed, &account, -amount, &unit);
    }
}

fn issuer(office: OfficeId) -> String {
    format!("issuer/{office}")
}

fn lease(terminal: usize, who: u8) -> LeaseId {
    let mut id = [who; 16];
    id[0] = u8::try_from(terminal).expect("few");
    LeaseId(id)
}

fn purse(member: MemberId) -> String {
    format!("member/{member}/available")
}

#[test]
fn inv_03_both_stores_agree_with_a_reference_ledger_on_every_account_after_every_commit() {
    let met = play(DAYS_KEPT, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    // Days in which nothing happens prove nothing.
    assert!(met.len() >= 8, "{met:?}");
}

#[test]
fn inv_03_both_stores_agree_with_a_reference_ledger_on_days_that_nobody_has_seen() {
    play(DAYS_NEW, TestRunner::default().new_rng());
}
