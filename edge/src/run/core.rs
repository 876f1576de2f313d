//! One swipe from token to commit, without devices and sockets: fetch what is known, decide, append.
//!
//! This is what the dispatch loop calls, what a benchmark drives and what a simulator steps. It returns only when the fact is
//! on the disk; whoever shows the outcome shows it after that.

use std::sync::Arc;

use hufu_shared::fact::{Event, Purpose, Subject};
use hufu_shared::ids::{MemberId, OccurrenceId, OperatorId};
use hufu_shared::member::{CardRow, MemberRow};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::mutant::{self, Mutant};
use hufu_shared::rules::repeat::{TapKey, TapPurpose};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::choose::{At, depends_on_kind};
use hufu_shared::time::{OfficeClock, SECOND_US};
use hufu_shared::token::{CardText, Token};
use hufu_shared::wire::version::Version;

use crate::rules::decide::value::{Asked, Means};
use crate::rules::decide::{self, Decision, Earlier, decide, decide_unusable};
use crate::rules::gate::Gates;
use crate::rules::timekeeping::Now;
use crate::store::{Appended, Directory, Journal, NewFact, RecentTap, Small, Store, StoreError};
use crate::terminal::Terminal;

mod given;
mod together;
mod value;

pub use together::may_share;
pub use value::{TakenBack, TakingBack, Which};

/// A card that identifies itself, at a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// What was read.
    pub card: CardText,
    /// Number of the reader in the configuration; 255 for the counter page.
    pub reader: u8,
}

/// What the terminal is set to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mode {
    /// What the next card means.
    pub purpose: Purpose,
    /// Who is signed in at the counter.
    pub operator: Option<OperatorId>,
}

/// A swipe that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swiped {
    /// What it came to.
    pub decision: Decision,
    /// Seq of its fact; none for a refusal that is still being counted.
    pub seq: Option<u64>,
    /// How often it happened; above 1 for counted refusals.
    pub count: u32,
    /// The card in the directory.
    pub card: Option<CardRow>,
    /// Its member in the directory.
    pub member: Option<MemberRow>,
    /// The scheme in force.
    pub terms: Option<SchemeTerms>,
}

/// What a card would come to; nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The card in the directory.
    pub card: Option<CardRow>,
    /// Its member in the directory.
    pub member: Option<MemberRow>,
    /// What presenting it would come to.
    pub decision: Decision,
}

/// The terminal's heart.
#[derive(Debug, Clone)]
pub struct Core {
    store: Store,
    directory: Directory,
    terminal: Arc<Terminal>,
    gates: Arc<Gates>,
}

struct Fetched {
    token: Token,
    card: Option<CardRow>,
    member: Option<MemberRow>,
    small: Arc<Small>,
    terms: Option<SchemeTerms>,
}

impl Fetched {
    /// By whom a repeat is known: the member, or the card of nobody.
    fn who(&self) -> Vec<u8> {
        let member = self.card.as_ref().and_then(|card| card.member);
        member.map_or_else(|| self.token.to_bytes().to_vec(), |member| member.0.to_vec())
    }

    /// What it came to, on the disk.
    fn swiped(self, decision: Decision, fact: Option<Appended>) -> Swiped {
        Swiped {
            decision,
            seq: fact.and_then(|fact| fact.id).map(|id| id.seq),
            count: fact.map_or(1, |fact| fact.count),
            card: self.card,
            member: self.member,
            terms: self.terms,
        }
    }
}

impl Core {
    /// Over the terminal's files.
    #[must_use]
    pub fn new(store: Store, directory: Directory, terminal: Arc<Terminal>) -> Self {
        Self { store, directory, terminal, gates: Arc::default() }
    }

    /// The same terminal over another store: what it records from now on, the first never sees.
    #[must_use]
    pub fn over(&self, store: Store) -> Self {
        Self { store, ..self.clone() }
    }

    /// With its readers at these gates.
    #[must_use]
    pub fn at_gates(self, gates: Gates) -> Self {
        Self { gates: Arc::new(gates), ..self }
    }

    /// The journal.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Who this terminal is.
    #[must_use]
    pub fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// The office's clock, the default one before the first directory.
    #[must_use]
    pub fn office_clock(&self) -> OfficeClock {
        let small = self.directory.small();
        small.office(self.terminal.office).map(|office| office.clock.clone()).unwrap_or_default()
    }

    /// The scheme in force here for whoever comes: what is shown, and what may be typed, before a card says whose it is.
    #[must_use]
    pub fn terms(&self, now: &Now) -> Option<SchemeTerms> {
        let small = self.directory.small();
        small.scheme(self.at(&small, now), "").cloned()
    }

    /// The scheme in force here for whoever has a card.
    ///
    /// # Errors
    /// [`StoreError`] if journal or directory cannot be read.
    pub fn terms_of(&self, card: &CardText, now: &Now) -> Result<Option<SchemeTerms>, StoreError> {
        Ok(self.fetch(card, now)?.terms)
    }

    fn at(&self, small: &Small, now: &Now) -> At {
        let clock = small.office(self.terminal.office).map(|office| office.clock.clone()).unwrap_or_default();
        At { day: clock.business_day(now.trusted), office: self.terminal.office }
    }

    /// The scheme in force for a member. Where the kind of member decides and nobody here knows it, nothing of points is
    /// promised: the centre, which knows whose the card is, reckons them.
    fn terms_for(&self, small: &Small, member: Option<&MemberRow>, now: &Now) -> Option<SchemeTerms> {
        let at = self.at(small, now);
        let kind = member.map_or("", MemberRow::kind_code);
        let terms = small.scheme(at, kind);
        if member.is_none() && depends_on_kind(&small.schemes, at) {
            return terms.map(SchemeTerms::without_earning);
        }
        terms.cloned()
    }

    /// Records a swipe and returns when its fact is on the disk.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing may be shown as recorded.
    pub fn swipe(&mut self, presented: &Presented, mode: &Mode, now: &Now) -> Result<Swiped, StoreError> {
        self.swipe_asked(presented, mode, None, now)
    }

    /// As [`Core::swipe`], after the centre was asked for more ([`Core::asks`]). What came of that only chooses words:
    /// whether something is spent is decided by the lease as it stands on the disk.
    ///
    /// # Errors
    /// As [`Core::swipe`].
    pub fn swipe_asked(
        &mut self,
        presented: &Presented,
        mode: &Mode,
        asked: Option<Asked>,
        now: &Now,
    ) -> Result<Swiped, StoreError> {
        let fetched = self.fetch(&presented.card, now)?;
        let swiped = self.store.with(|journal| {
            let decision = self.judge(journal, &fetched, presented, (&mode.purpose, asked), now)?;
            let fact =
                new_fact(&decision, mode.operator, fetched.terms.as_ref(), fetched.small.version(), now);
            let appended = journal.append(vec![fact])?;
            Ok(fetched.swiped(decision, appended.first().copied()))
        })?;
        Ok(self.with_holder(swiped))
    }

    /// Records the check-ins of a list in one transaction, in its order, and ends the list.
    ///
    /// # Errors
    /// As [`Core::swipe`]; then the list stands as it was.
    pub fn swipe_batch(
        &mut self,
        cards: &[Presented],
        mode: &Mode,
        now: &Now,
    ) -> Result<Vec<Swiped>, StoreError> {
        let fetched: Vec<Fetched> =
            cards.iter().map(|presented| self.fetch(&presented.card, now)).collect::<Result<_, _>>()?;
        self.store.with(|journal| {
            let judge = |(presented, fetched): (&Presented, &Fetched)| {
                self.judge(journal, fetched, presented, (&mode.purpose, None), now)
            };
            let decisions: Vec<Decision> = cards.iter().zip(&fetched).map(judge).collect::<Result<_, _>>()?;
            let facts = decisions.iter().zip(&fetched).map(|(decision, fetched)| {
                new_fact(decision, mode.operator, fetched.terms.as_ref(), fetched.small.version(), now)
            });
            let appended = journal.end_batch(facts.collect())?;
            let swiped = decisions.into_iter().zip(fetched).zip(appended);
            Ok(swiped.map(|((decision, fetched), fact)| fetched.swiped(decision, Some(fact))).collect())
        })
    }

    /// Records that a medium was presented that identifies nobody.
    ///
    /// # Errors
    /// As [`Core::swipe`].
    pub fn unusable(&mut self, mode: &Mode, now: &Now) -> Result<Swiped, StoreError> {
        self.refused(decide_unusable(&mode.purpose), mode, now)
    }

    /// Records a refusal that no card of ours is asked for.
    pub(super) fn refused(
        &mut self,
        decision: Decision,
        mode: &Mode,
        now: &Now,
    ) -> Result<Swiped, StoreError> {
        let terms = self.terms(now);
        let fact = new_fact(&decision, mode.operator, terms.as_ref(), self.directory.version(), now);
        let appended = self.store.with(|journal| journal.append(vec![fact]))?;
        let count = appended.first().map_or(1, |fact| fact.count);
        Ok(Swiped { decision, seq: None, count, card: None, member: None, terms })
    }

    /// What a card would come to, for staff to compare first. Records nothing.
    ///
    /// # Errors
    /// [`StoreError`] if journal or directory cannot be read.
    pub fn look(&self, presented: &Presented, purpose: &Purpose, now: &Now) -> Result<Candidate, StoreError> {
        let fetched = self.fetch(&presented.card, now)?;
        let decision =
            self.store.with(|journal| self.judge(journal, &fetched, presented, (purpose, None), now))?;
        Ok(Candidate { card: fetched.card, member: fetched.member, decision })
    }

    /// The name of a member for staff. A directory that cannot be read names nobody.
    #[must_use]
    pub fn name_of(&self, member: MemberId) -> Option<String> {
        let row = self.directory.member(member).inspect_err(|error| {
            tracing::error!(%error, "the directory cannot be read");
        });
        row.ok().flatten().and_then(|row| row.full_name.or(row.masked_name))
    }

    /// Whether staff may set the terminal to check in to an occurrence now.
    #[must_use]
    pub fn may_check_in(&self, occurrence: OccurrenceId, now: &Now) -> bool {
        let small = self.directory.small();
        small
            .occurrence(occurrence)
            .is_some_and(|row| row.is_held_at(self.terminal.office) && decide::runs(row, now))
    }

    /// Whether staff may set the terminal to record who leaves an occurrence now.
    #[must_use]
    pub fn may_check_out(&self, occurrence: OccurrenceId, now: &Now) -> bool {
        let small = self.directory.small();
        small
            .occurrence(occurrence)
            .is_some_and(|row| row.is_held_at(self.terminal.office) && decide::lets_out(row, now))
    }

    fn fetch(&self, card: &CardText, now: &Now) -> Result<Fetched, StoreError> {
        let fetched = self.find(card)?;
        let terms = self.terms_for(&fetched.small, fetched.member.as_ref(), now);
        Ok(Fetched { terms, ..fetched })
    }

    /// What is known of a card, but for the scheme.
    fn find(&self, card: &CardText) -> Result<Fetched, StoreError> {
        let tokens: Vec<Token> = match card.token() {
            Some(token) => vec![token],
            None => self.terminal.token_keys.iter().map(|key| key.token(card)).collect(),
        };
        let (small, terms) = (self.directory.small(), None);
        // A card that the directory cannot tell is recorded as unknown: the centre knows it by its token.
        let found = self.directory.find(&tokens).unwrap_or_else(|error| {
            tracing::error!(%error, "the directory cannot be read");
            None
        });
        if found.as_ref().is_none_or(|known| known.card.member.is_none())
            && let Some((token, member)) = self.store.with(|journal| Ok(journal.given_here(&tokens)))?
        {
            return self.given_here((token, member), found.map(|known| known.card), (small, terms));
        }
        Ok(match found {
            Some(known) => {
                let member = known.member.map(|member| self.with_own_spends(member)).transpose()?;
                Fetched { token: known.token, card: Some(known.card), member, small, terms }
            }
            None => {
                // A card blocked under an older key must be found by that key.
                let blocked = self.store.with(|journal| {
                    Ok(tokens.iter().find(|token| journal.blocked(token).is_some()).copied())
                })?;
                let token = blocked.or(tokens.first().copied()).ok_or_else(|| StoreError::Failed {
                    detail: "the terminal holds no token key; enrol it again".to_owned(),
                })?;
                Fetched { token, card: None, member: None, small, terms }
            }
        })
    }

    /// A member's figures less what was spent here since the centre reckoned them: people see one figure.
    fn with_own_spends(&self, member: MemberRow) -> Result<MemberRow, StoreError> {
        self.store.with(|journal| {
            let less = |figure: Amount, unit| {
                let spent = journal.spent_since(member.member, unit, member.points_at)?;
                Ok::<_, StoreError>(figure.minus(spent).unwrap_or(figure).max(Amount::ZERO))
            };
            let points = less(member.points, Unit::Pts)?;
            let value = member.value.map(|value| less(value, Unit::Cny)).transpose()?;
            Ok(MemberRow { points, value, ..member })
        })
    }

    fn judge(
        &self,
        journal: &Journal,
        fetched: &Fetched,
        presented: &Presented,
        (purpose, asked): (&Purpose, Option<Asked>),
        now: &Now,
    ) -> Result<Decision, StoreError> {
        let Fetched { token, card, member, small, terms } = fetched;
        let subject = Subject {
            token: *token,
            member: card.as_ref().and_then(|card| card.member),
            reader: presented.reader,
            medium: presented.card.kind,
            code: presented.card.coded().map(|(_, nonce)| nonce),
        };
        let (mut occurrence, mut already) = (None, None);
        if let Purpose::HandOut(handing) = purpose {
            occurrence = small.occurrence(handing.occurrence);
        }
        if let Purpose::CheckOut(id) = purpose {
            occurrence = small.occurrence(*id);
        }
        if let Some(id) = purpose.enters() {
            occurrence = small.occurrence(id);
            let bytes = token.to_bytes();
            let who: &[u8] = subject.member.as_ref().map_or(&bytes, |member| &member.0);
            already = journal.attended(id, who)?.map(|first| Earlier { seq: first.seq, at: first.at });
        }
        let window_s = terms.as_ref().map_or(0, |terms| terms.repeat_window_s);
        let tap = tap_key(&subject, purpose)
            .and_then(|key| recent_tap(journal, &key, now, window_s))
            .map(|first| Earlier { seq: first.seq, at: first.at });
        let leases = match (purpose, subject.member) {
            (Purpose::Spend(_), Some(member)) => journal.open_leases(member)?,
            _ => Vec::new(),
        };
        let figures = member.as_ref().map(value::figures).unwrap_or_default();
        let value = Means {
            leases: &leases,
            enrolment: self.terminal.epoch,
            used_percent: journal.used_percent()?,
            figures: &figures,
            earlier: value::done_before(journal, &subject, purpose, (now, window_s))?,
            asked,
            old: self.old_card(journal, purpose)?,
        };
        let lags = small.version() < journal.block_version();
        let blocked =
            journal.blocked(token).filter(|_| !(lags && mutant::on(Mutant::BlockIgnoredUntilDirectory)));
        let known = decide::Known {
            value,
            blocked,
            card: card.as_ref(),
            member: member.as_ref(),
            occurrence,
            already,
            tap,
            terms: terms.as_ref(),
            directory_at: journal.directory_at().max(small.about.map(|about| about.made_at)),
            has_directory: small.about.is_some(),
            here: self.terminal.office,
            office: small.office(self.terminal.office),
        };
        let mut decision = decide(&known, subject, purpose, now);
        if let Event::Attended(attended) = &mut decision.event {
            attended.gate = self.gates.of(presented.reader);
        }
        Ok(decision)
    }
}

/// The tap that this one repeats, by the monotonic clock; by the wall clock is what [`Mutant::DoubleTapByWallClock`] does.
fn recent_tap(journal: &Journal, key: &TapKey, now: &Now, window_s: u32) -> Option<RecentTap> {
    if !mutant::on(Mutant::DoubleTapByWallClock) {
        return journal.recent_tap(key, now.mono_ns, window_s);
    }
    let window_us = i64::from(window_s) * SECOND_US;
    let any = journal.recent_tap(key, now.mono_ns, u32::MAX);
    any.filter(|first| (0..=window_us).contains(&now.wall.since(first.at)))
}

fn tap_key(subject: &Subject, purpose: &Purpose) -> Option<TapKey> {
    let purpose = match purpose {
        Purpose::LookUp => return None,
        Purpose::Visit => TapPurpose::Visit,
        Purpose::CheckIn(occurrence) => TapPurpose::CheckIn(*occurrence),
        Purpose::CheckInParty(party) => TapPurpose::CheckIn(party.occurrence),
        Purpose::CheckOut(occurrence) => TapPurpose::CheckOut(*occurrence),
        Purpose::Earn(purchase) => TapPurpose::Earn(*purchase),
        // These are known by their slip, item or amounts.
        Purpose::Spend(_)
        | Purpose::TopUp(_)
        | Purpose::HandOut(_)
        | Purpose::ReportLost
        | Purpose::Replace(_)
        | Purpose::EarnSlip(_) => return None,
    };
    Some(TapKey { subject: (subject.token, subject.reader), purpose })
}

fn new_fact(
    decision: &Decision,
    operator: Option<OperatorId>,
    terms: Option<&SchemeTerms>,
    directory: Version,
    now: &Now,
) -> NewFact {
    NewFact {
        wall: now.wall,
        mono_ns: now.mono_ns,
        clock: now.quality,
        directory,
        scheme: terms.map_or(0, |terms| terms.version),
        operator,
        shown: decision.outcome.shown(),
        rule: decision.rule.clone(),
        event: decision.event.clone(),
        sealed: None,
    }
}

#[cfg(test)]
mod tests;
