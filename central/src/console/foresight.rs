//! What each verdict would write, told before it is given: the verdict's own act is applied, nothing is written, and the
//! sums are put into words. Where an act cannot be made yet (nobody was chosen, an application joins) nothing is told.

use std::collections::BTreeMap;

use hufu_shared::act::{Act, Actor, FactsReleased, Pin};
use hufu_shared::ids::{CardId, FactId, Hash, ID_RANDOM_BYTES, MemberId};
use hufu_shared::time::Instant;

use super::decide::{bound, released};
use super::leases;
use super::members::masked_name;
use super::place;
use super::ui::Ui;
use super::verdict::{self, Choice, Picked};
use super::words;
use crate::db::Tx;
use crate::rules::foreseen::{Foreseen, Party, Sum};
use crate::store::cases::{self, Case};
use crate::store::foreseen;
use crate::store::people::PeopleError;
use crate::vault::Vault;

/// Facts of a case beyond which a verdict is not reckoned before: doing it is the dearer half of the work.
const FACTS_MAX: usize = 500;
/// Lines that are told of one verdict; the rest is counted.
const LINES_MAX: usize = 12;

/// What it is told with.
pub(super) struct Teller<'a> {
    /// Personal data, for names.
    pub vault: &'a Vault,
    /// The words.
    pub ui: &'a Ui,
    /// Who would decide.
    pub actor: &'a Actor,
    /// The time.
    pub now: Instant,
}

/// What the verdicts of a case would write, each a line per sum; no line where nothing can be told yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Foresights {
    /// By choice, nothing picked beside it.
    pub choices: Vec<(Choice, Vec<String>)>,
    /// By the fact that shall count, where one is picked.
    pub facts: BTreeMap<FactId, Vec<String>>,
    /// By the member whom it shall be of, where one is picked.
    pub members: BTreeMap<MemberId, Vec<String>>,
}

impl Foresights {
    /// Lines of a choice.
    pub fn of(&self, choice: Choice) -> Vec<String> {
        self.choices.iter().find(|row| row.0 == choice).map(|row| row.1.clone()).unwrap_or_default()
    }
}

/// One verdict foreseen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Foretold {
    /// It would do this.
    Does(Foreseen),
    /// It cannot be given: the key of why.
    Refused(&'static str),
    /// It rests on so many facts that it is not reckoned before.
    Many(usize),
    /// It cannot be told before something is chosen.
    Open,
}

impl Teller<'_> {
    /// What one verdict of a case would do. `facts` are the facts of the case.
    ///
    /// # Errors
    /// [`PeopleError`] if the database fails.
    pub fn foretell(
        &self,
        tx: &mut Tx<'_>,
        (case, facts): (&Case, &[FactId]),
        (choice, picked): (Choice, Picked),
    ) -> Result<Foretold, PeopleError> {
        if facts.len() > FACTS_MAX && choice != Choice::Acknowledge {
            return Ok(Foretold::Many(facts.len()));
        }
        let (act, pins) = match self.act(tx, (case, facts), (choice, picked))? {
            Ok(Some(made)) => made,
            Ok(None) => return Ok(Foretold::Open),
            Err(key) => return Ok(Foretold::Refused(key)),
        };
        let (foreseen, holds) = foreseen::of_case(tx, (self.now, self.actor), case.id, (&act, &pins))?;
        Ok(if holds { Foretold::Does(foreseen) } else { Foretold::Refused("verdict-pins") })
    }

    /// The act of a verdict, as it would be made now, and what it fixes; none before something is chosen.
    fn act(
        &self,
        tx: &mut Tx<'_>,
        (case, facts): (&Case, &[FactId]),
        (choice, picked): (Choice, Picked),
    ) -> Result<Result<Option<(Act, Vec<Pin>)>, &'static str>, PeopleError> {
        let reason = Hash([0; 32]);
        let decided = match (choice, case.known.token, picked) {
            (Choice::Join, ..) => return Ok(Ok(None)),
            (Choice::Merge, _, Picked { fact: None, .. }) => return Ok(Ok(None)),
            (Choice::Bind | Choice::Attribute, _, Picked { member: None, .. }) => return Ok(Ok(None)),
            (Choice::Bind, Some(token), Picked { member: Some(member), .. }) => {
                let fresh = CardId::new(self.now, [0; ID_RANDOM_BYTES]);
                return Ok(Ok(Some((bound(tx, (token, fresh), member)?, Vec::new()))));
            }
            (Choice::Release, ..) => {
                let released = released(tx, facts, reason)?;
                let act = |released: FactsReleased| Some((Act::FactsReleased(released), Vec::new()));
                return Ok(released.map(act));
            }
            (Choice::TurnDown, ..) => match place::turned_down_by(case, reason) {
                Some(decided) => decided,
                None => return Ok(Err("case-changed")),
            },
            _ => verdict::decision((case.id, case.known.kind), choice, facts, picked, reason),
        };
        let pins = decided.pins.clone();
        Ok(Ok(Some((Act::CaseDecided(decided), pins))))
    }

    /// All verdicts of a case in words: each choice, and each fact and member that can be picked with one.
    ///
    /// # Errors
    /// [`PeopleError`] if the database fails.
    pub fn all(
        &self,
        tx: &mut Tx<'_>,
        (case, is_open): (&Case, bool),
        (countable, members): (&[FactId], &[MemberId]),
    ) -> Result<Foresights, PeopleError> {
        let facts = cases::facts(tx, case.id)?;
        let choices = verdict::choices(case.known.kind, !is_open);
        let mut told = Foresights::default();
        for choice in choices {
            let lines = self.lines_of(tx, (case, &facts), (*choice, Picked::default()))?;
            told.choices.push((*choice, lines));
        }
        if choices.contains(&Choice::Merge) {
            for fact in countable {
                let picked = Picked { fact: Some(*fact), member: None };
                let lines = self.lines_of(tx, (case, &facts), (Choice::Merge, picked))?;
                told.facts.insert(*fact, lines);
            }
        }
        let given = choices.iter().find(|choice| matches!(choice, Choice::Bind | Choice::Attribute));
        for (choice, member) in given.into_iter().flat_map(|given| members.iter().map(move |of| (given, of)))
        {
            let picked = Picked { fact: None, member: Some(*member) };
            let lines = self.lines_of(tx, (case, &facts), (*choice, picked))?;
            told.members.insert(*member, lines);
        }
        Ok(told)
    }

    fn lines_of(
        &self,
        tx: &mut Tx<'_>,
        of: (&Case, &[FactId]),
        chosen: (Choice, Picked),
    ) -> Result<Vec<String>, PeopleError> {
        let foretold = self.foretell(tx, of, chosen)?;
        self.words(tx, &foretold)
    }

    /// What is foretold, in words.
    ///
    /// # Errors
    /// [`PeopleError`] if the database fails.
    pub fn words(&self, tx: &mut Tx<'_>, foretold: &Foretold) -> Result<Vec<String>, PeopleError> {
        let ui = self.ui;
        let foreseen = match foretold {
            Foretold::Open => return Ok(Vec::new()),
            Foretold::Refused(key) => return Ok(vec![ui.t(key)]),
            Foretold::Many(n) => return Ok(vec![ui.t_with("inbox-many", &[("n", &n.to_string())])]),
            Foretold::Does(foreseen) if foreseen.is_nothing() => return Ok(vec![ui.t("inbox-nothing")]),
            Foretold::Does(foreseen) => foreseen,
        };
        let mut lines = Vec::new();
        for sum in foreseen.sums.iter().take(LINES_MAX) {
            lines.push(self.sum(tx, sum)?);
        }
        let rest = foreseen.sums.len().saturating_sub(LINES_MAX);
        if foreseen.sums.is_empty() {
            lines.push(ui.t("inbox-no-posting"));
        }
        let mut counted = |key: &str, n: u64| {
            if n > 0 {
                lines.push(ui.t_with(key, &[("n", &n.to_string())]));
            }
        };
        counted("inbox-more-sums", rest as u64);
        counted("inbox-goods", foreseen.goods);
        counted("inbox-levels", foreseen.levels);
        counted("inbox-cases-opened", foreseen.opened);
        counted("inbox-cases-ended", foreseen.ended);
        for (became, n) in &foreseen.facts {
            let standing = ui.t(&format!("became-{became}"));
            lines.push(ui.t_with("inbox-facts", &[("n", &n.to_string()), ("standing", &standing)]));
        }
        Ok(lines)
    }

    fn sum(&self, tx: &mut Tx<'_>, sum: &Sum) -> Result<String, PeopleError> {
        let ui = self.ui;
        let who = match sum.party {
            Party::Member(member) => masked_name(tx, self.vault, Some(member))?,
            Party::Owed(member) => {
                let name = masked_name(tx, self.vault, Some(member))?;
                ui.t_with("inbox-owed-by", &[("name", &name)])
            }
            Party::Loss => ui.t("inbox-loss"),
            Party::Waiting => ui.t("inbox-waiting"),
            Party::Cash => ui.t("inbox-cash"),
        };
        let sign = if sum.amount > 0 { "+" } else { "−" };
        let size = sum.amount.saturating_abs();
        let amount = format!("{sign}{}", leases::amount(ui, sum.unit, size));
        let code = words::posting(ui.language, Some(sum.unit), sum.code);
        Ok(ui.t_with("inbox-sum", &[("who", &who), ("code", &code), ("amount", &amount)]))
    }
}

/// What is at stake, in words; empty for nothing.
pub(super) fn stake_words(ui: &Ui, legs: &[hufu_shared::money::Leg]) -> String {
    let one = |leg: &hufu_shared::money::Leg| leases::amount(ui, leg.unit, leg.amount.0);
    legs.iter().map(one).collect::<Vec<_>>().join(" · ")
}
