//! Events that earn and are no purchases (B3, G8, K20, K21): what somebody told the centre of, rated by the version of the
//! scheme in force on its day through the function that the what-if's rules are made of ([`hufu_shared::rules::told`]).
//!
//! What a rule gives is a change of points as any other: posted at once, or waiting until another person approves it (K21).
//! What rules give once or up to a cap is judged in the order of telling, so a later event never takes from an earlier
//! one, and one that is told late finds what was given for the days after it. An event that is taken back gives back what
//! it gave, owed as far as it was spent, and is kept.
//!
//! An order that was refused at the door costs points, owed as far as they are missing, and gets them back in the same way
//! (B3). Out of scope: who may tell, which is asked before.

use hufu_shared::act::{EventTakenBack, EventTold, PointsChange};
use hufu_shared::ids::{MemberId, OfficeId};
use hufu_shared::rules::cards::Rank;
use hufu_shared::rules::earn::Earning;
use hufu_shared::rules::start::Begun;
use hufu_shared::rules::told::{Before, Part, gives, refused};
use hufu_shared::scheme::earning::EarnKind;
use hufu_shared::time::{Day, OfficeClock};

use super::Work;
use crate::rules::need::Need;
use crate::rules::points::State;
use crate::rules::told;
use crate::rules::world::{ByEvent, Decided, GivenForEvent, KnownEvent, KnownPoints};

impl Work {
    /// Somebody told of an event. The same again has no effect, nor has one that does not say what it must.
    pub(super) fn event_told(&mut self, event: &EventTold) {
        self.has(Need::Told(event.id));
        let member = self.survivor(event.member);
        let held = event.occurrence.and_then(|id| self.holding(id));
        let says_all = told::check(event, self.day(event.office, self.received), held).is_ok();
        let is_known = self.world.events.contains_key(&event.id);
        if is_known || !says_all || !self.has_points(member).takes_part {
            return;
        }
        if told::was_given(event, self.given_for_events(member)) {
            return;
        }
        let (asked, asker) = (self.received, self.by_name());
        let (scheme, parts) = self.rated_event(event, member);
        let known = KnownEvent { told: event.clone(), scheme, asked, asker: asker.clone(), taken: None };
        self.keep_event(known);
        for (n, part) in (0_u32..).zip(parts) {
            let change = PointsChange {
                id: told::change_name(event.id, n),
                member: event.member,
                points: part.amount.0,
                cause: event.kind.code().to_owned(),
                office: event.office,
                occurrence: event.occurrence,
                fact: None,
                reason: event.reason,
            };
            let by = ByEvent { event: event.id, rule: part.rule, of: part.of, balance: part.balance, scheme };
            // What cannot be posted now waits for a person as well.
            let is_posted = !part.pending && self.post_change(&change, Some(&by));
            let state = if is_posted { State::Posted } else { State::Waiting };
            let (by_event, asker) = (Some(by), asker.clone());
            let known = KnownPoints { change, state, trigger: None, by_event, asked, asker, decided: None };
            self.keep_change(known.change.id, known);
        }
    }

    /// What was given for the events of a member.
    fn given_for_events(&self, member: MemberId) -> &[GivenForEvent] {
        self.has(Need::ToldOf(member));
        self.world.told.get(&member).map_or(&[][..], Vec::as_slice)
    }

    fn keep_event(&mut self, known: KnownEvent) {
        self.world.events.insert(known.told.id, known.clone());
        self.outcome.events.insert(known.told.id, known);
    }

    /// By which version an event is rated, and what that gives, or takes for a refused order: nothing where none was in force,
    /// or where the sum is beyond what can be counted.
    fn rated_event(&self, event: &EventTold, member: MemberId) -> (u32, Vec<Part>) {
        let default = OfficeClock::default();
        let clock = self.world.offices.get(&event.office).map_or(&default, |office| &office.clock);
        let at = told::rated_at(event.day, clock, self.received);
        let Some(terms) = self.world.scheme_at(self.whose(event.office, member), at) else {
            return (0, Vec::new());
        };
        if event.kind == EarnKind::Refusal {
            let costs = refused(&terms.returned(), self.has_points(member).available);
            return (terms.version, costs.into_iter().collect());
        }
        let Some(rules) = &terms.told else { return (terms.version, Vec::new()) };
        // What a refused order cost leaves no more of a cap.
        let counts = |given: &&GivenForEvent| given.counts && given.before.given.amount.is_positive();
        let given = self.given_for_events(member).iter().filter(counts);
        let before: Vec<Before> = given.map(|given| given.before.clone()).collect();
        let what = Earning {
            event: event.kind,
            of: &event.of,
            basis: event.cost,
            paid_percent: event.paid_percent,
            day: event.day,
            // An event is told of whoever the member has become.
            rank: self.rank_held(member),
        };
        let begun = self.begun_at_telling(member, event.office);
        (terms.version, gives(rules, &what, begun, &before).unwrap_or_default())
    }

    /// What the start of points depends on. Whoever is a member was verified by then (G1).
    fn begun_at_telling(&self, member: MemberId, office: OfficeId) -> Begun {
        self.has(Need::CardsOf(member));
        let cards = self.world.cards_of.get(&member).into_iter().flatten();
        let lives = cards.filter_map(|card| self.world.cards.get(card)).map(|card| &card.life);
        let issued: Vec<(Rank, Day)> =
            lives.filter_map(|life| Some((life.rank, self.day(office, life.issued?)))).collect();
        let mains = issued.iter().filter(|of| of.0 == Rank::Main);
        Begun {
            card_issued: issued.iter().map(|of| of.1).min(),
            main_card: mains.map(|of| of.1).min(),
            verified: self.member(member).map(|known| known.joined),
        }
    }

    /// An event was told wrongly. What it gave is taken back in postings of the same causes; what waits is returned.
    pub(super) fn event_taken_back(&mut self, taken: &EventTakenBack) {
        self.has(Need::Told(taken.event));
        let Some(known) = self.world.events.get(&taken.event).cloned() else { return };
        if known.taken.is_some() || !self.world.may_debit() {
            return;
        }
        let member = self.survivor(known.told.member);
        let given = self.given_for_events(member).iter();
        let own: Vec<_> = given.filter(|of| of.event == taken.event).map(|of| of.change).collect();
        let decided = Decided { at: self.received, by: self.by_name(), reason: taken.reason };
        for id in own {
            let Some(known) = self.change_of(id).cloned() else { continue };
            if known.state == State::Posted {
                let cause = self.change_cause(&known.change, known.by_event.as_ref(), member);
                self.settle(&cause, &[]);
            }
            if known.state != State::Returned {
                let decided = Some(decided.clone());
                self.keep_change(id, KnownPoints { state: State::Returned, decided, ..known });
            }
        }
        self.keep_event(KnownEvent { taken: Some(decided), ..known });
    }
}
