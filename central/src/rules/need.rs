//! What an entry must have read before it can be applied.
//!
//! Applying never reads the database. It asks the [`World`](super::world::World), and what the world was not given it
//! names as a need; the store fetches that, and the entry is applied again from the start, until nothing is missing.
//! So no loader has to foresee what a rule reads, a row that does not exist is told from one that was not fetched, and
//! what an entry rests on is known exactly.

use std::collections::BTreeSet;

use hufu_shared::act::{Act, CardIssue, DayExplained, DayReopened, DaySigned, ItemDecided, ItemTakenBack};
use hufu_shared::fact::{Event, Fact, Funding};
use hufu_shared::ids::{
    ActivityId, CardId, DeviceId, FactId, Hash, ItemId, LeaseId, MemberId, OccurrenceId, OfficeId, OperatorId,
};
use hufu_shared::time::{Day, Instant, OfficeClock};
use hufu_shared::token::Token;
use hufu_shared::wire::version::Version;

use super::catalogue;
use super::entry::EntryBody;
use super::judge::travel::Travel;
use super::links;
use super::posting;
use super::world::World;

/// One thing to fetch. Asking for what does not exist is answered by its absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A device, with the number of its newest notice.
    Device(DeviceId),
    /// An enrolment.
    Epoch(DeviceId, u32),
    /// The newest boots of an enrolment.
    Boots(DeviceId, u32),
    /// A card, by a token.
    Card(Token),
    /// A card, by its id.
    CardById(CardId),
    /// Earlier taps of a device with a token.
    Taps(DeviceId, u32, Token),
    /// A holding of an activity.
    Occurrence(OccurrenceId),
    /// The check-ins of a member at an occurrence.
    Group(MemberId, OccurrenceId),
    /// Facts held for a token.
    Held(Token),
    /// The facts of a device from one seq to another.
    Range(DeviceId, u32, u64, u64),
    /// The facts of a device from one seq to another that happened at an instant or later.
    Since(DeviceId, u32, u64, u64, Instant),
    /// A case, with its facts unless they are without number.
    Case(Hash),
    /// Which cases wait for a person.
    OpenCases,
    /// One fact.
    Fact(FactId),
    /// All facts with a link ([`super::links`]).
    Linked(Hash),
    /// What the postings of a cause come to.
    Flows(Hash),
    /// What a member has and owes, in every unit.
    Purse(MemberId),
    /// A member.
    Member(MemberId),
    /// All facts of a member.
    FactsOf(MemberId),
    /// Who has, or waits for, a place at an occurrence.
    Places(OccurrenceId),
    /// A lease in all its generations.
    Lease(LeaseId),
    /// The books of an item at an office.
    Stock(ItemId, OfficeId),
    /// Whether a movement or count of this name was booked.
    Booked(Hash),
    /// What a close of day found on the shelf.
    Stocktakes(FactId),
    /// The cards that stand under a main card.
    Under(CardId),
    /// The cards of a member.
    CardsOf(MemberId),
    /// All that a member got and used, for expiry.
    Lots(MemberId),
    /// What a device gave on a business day.
    Issued(DeviceId, Day),
    /// All leases of a device that are not closed.
    DeviceLeases(DeviceId),
    /// All leases of a member that are not closed.
    MemberLeases(MemberId),
    /// Which fields of a member's data were changed, and when.
    Fields(MemberId),
    /// When the newest act was taken that a version of the block list or the directory holds.
    Knew(Version),
    /// An application that was filed at the centre.
    Filed(FactId),
    /// What the sales system is to be told of an application.
    Associations(FactId),
    /// Where a member's leaving is.
    Leaving(MemberId),
    /// Something that a person is to be told.
    Message(Hash),
    /// What the club keeps of a member beside the base data.
    Details(MemberId),
    /// Of which kinds a member was.
    Kinds(MemberId),
    /// The club's own groups of fields, all of them.
    FieldGroups,
    /// What a member's fields of all groups say, as commitments.
    Customs(MemberId),
    /// An activity with all of its holdings.
    Activity(ActivityId),
    /// Who comes to a holding.
    SignUps(OccurrenceId),
    /// A change of points with its cause.
    Points(Hash),
    /// A trigger of changes of points.
    Trigger(Hash),
    /// An event that somebody told of.
    Told(Hash),
    /// What was given for the events of a member and of those who turned out to be the same.
    ToldOf(MemberId),
    /// A plan of redemption.
    Plan(Hash),
    /// Where a member's level stands.
    Level(MemberId),
    /// A coupon.
    Coupon(Hash),
    /// An award of a ranking.
    Award(Hash),
    /// A redemption from the catalogue.
    Redemption(Hash),
    /// The redemption that stands with the offer which a purchase opened.
    OpenedBy(FactId),
    /// A use of a birthday's discount.
    Birthday(Hash),
    /// The uses of a member, and of those who turned out to be the same.
    BirthdaysOf(MemberId),
    /// What was done to an office's business day.
    OfficeDay(OfficeId, Day),
    /// Whom somebody named to stand in for them.
    StandIns(OperatorId),
}

/// What an entry will certainly need, so that most entries are applied at the first try.
#[must_use]
pub fn first(body: &EntryBody) -> BTreeSet<Need> {
    let mut needs = BTreeSet::new();
    match body {
        EntryBody::Batch(batch) => {
            needs.extend([Need::Device(batch.device), Need::Epoch(batch.device, batch.epoch)]);
            needs.extend(batch.knew.iter().map(|(version, _)| Need::Knew(*version)));
            needs.insert(Need::Boots(batch.device, batch.epoch));
            for (fact, seq) in batch.facts().iter().zip(batch.from_seq..) {
                if let Ok(fact) = fact {
                    of_fact(&mut needs, FactId { device: batch.device, epoch: batch.epoch, seq }, fact);
                }
            }
        }
        EntryBody::Act(taken) => {
            of_act(&mut needs, &taken.act);
            needs.extend(taken.actor.stands_for().map(Need::StandIns));
        }
        EntryBody::Fork(fork) => {
            let epoch = fork.epoch.to_be_bytes();
            needs.extend([
                Need::Device(fork.device),
                Need::Case(posting::case_id(21, &[&fork.device.0, &epoch])),
            ]);
        }
        EntryBody::Sample(taken) => {
            needs.extend([Need::Boots(taken.device, taken.epoch), Need::Epoch(taken.device, taken.epoch)]);
        }
        EntryBody::Lost(loss) => {
            let epoch = loss.epoch.to_be_bytes();
            needs.extend([
                Need::Device(loss.device),
                Need::Case(posting::case_id(20, &[&loss.device.0, &epoch])),
            ]);
        }
    }
    needs
}

/// What a batch will need besides, once it is known whose its cards are: a guess again, and right for most facts.
#[must_use]
pub fn second(world: &World, body: &EntryBody) -> BTreeSet<Need> {
    let mut needs = BTreeSet::new();
    let EntryBody::Batch(batch) = body else { return needs };
    let default = OfficeClock::default();
    let office = world.devices.get(&batch.device).and_then(|device| world.offices.get(&device.office));
    let clock = office.map_or(&default, |office| &office.clock);
    let travel_us = Travel::of(&world.policy).longest();
    let travels = travel_us > 0 && world.offices.len() > 1;
    let leaves = world.policy.joining.auto_leave.is_some();
    for (fact, seq) in batch.facts().iter().zip(batch.from_seq..) {
        let Ok(fact) = fact else { continue };
        let id = FactId { device: batch.device, epoch: batch.epoch, seq };
        let Some(subject) = fact.event.subject() else { continue };
        if travels {
            let days = [-travel_us, 0, travel_us].map(|way| Day::utc(fact.wall.offset(way)));
            needs.extend(days.map(|day| Need::Linked(links::seen(subject.token, day))));
        }
        let card = world.tokens.get(&subject.token).and_then(|card| world.cards.get(card));
        let Some(member) = card.and_then(|card| card.member) else { continue };
        needs.extend(leaves.then_some(Need::Leaving(member)));
        match &fact.event {
            Event::Attended(attended) => {
                // What the attendance came to is asked for while the fact is applied: a row of it that cannot be read
                // must put one fact aside, and not all that came with it.
                needs.extend([Need::Group(member, attended.occurrence), Need::Purse(member)]);
            }
            Event::Earned(_) => {
                let issued = Need::Issued(batch.device, clock.business_day(fact.wall));
                needs.extend([Need::Purse(member), Need::Linked(links::reversals(id)), issued]);
                needs.extend(links::of_fact(fact).into_iter().map(Need::Linked));
                needs.extend(world.asks_kinds().then_some(Need::Kinds(member)));
            }
            _ => {}
        }
    }
    needs
}

fn of_fact(needs: &mut BTreeSet<Need>, id: FactId, fact: &Fact) {
    if let Some(subject) = fact.event.subject() {
        needs.insert(Need::Card(subject.token));
        needs.insert(Need::Taps(id.device, id.epoch, subject.token));
    }
    match &fact.event {
        Event::Attended(attended) => {
            needs.insert(Need::Occurrence(attended.occurrence));
        }
        Event::Reversed(reversed) => {
            let original = reversed.original;
            needs.extend([Need::Fact(original), Need::Linked(links::reversals(original))]);
            needs.insert(Need::OpenedBy(original));
        }
        Event::Spent(spent) => {
            needs.insert(Need::Linked(links::reported_lost(spent.subject.token)));
            for funding in &spent.funding {
                if let Funding::Lease(used) = funding {
                    needs.insert(Need::Lease(used.lease));
                }
            }
        }
        Event::LeaseClosed(closed) => {
            needs.insert(Need::Lease(closed.lease));
        }
        Event::CardReplaced(replaced) => {
            needs.extend([Need::Card(replaced.card), Need::Linked(links::given(replaced.card))]);
        }
        _ => {}
    }
}

fn of_issue(issue: &CardIssue) -> Vec<Need> {
    let tokens = issue.card.tokens.iter().flat_map(|token| [Need::Card(*token), Need::Held(*token)]);
    let others = issue.card.member.map(Need::CardsOf).into_iter().chain(issue.under.map(Need::CardById));
    tokens.chain(others).chain([Need::CardById(issue.card.card)]).collect()
}

fn of_act(needs: &mut BTreeSet<Need>, act: &Act) {
    match act {
        Act::CardsSet(cards) => needs.extend(cards.iter().flat_map(|card| {
            card.tokens.iter().map(|token| Need::Held(*token)).chain([Need::CardById(card.card)])
        })),
        Act::CardStatusSet(set) => {
            needs.insert(Need::CardById(set.card));
        }
        Act::CardsIssued(issues) => needs.extend(issues.iter().flat_map(of_issue)),
        Act::CardExchanged(exchanged) => {
            needs.extend([Need::CardById(exchanged.old), Need::Under(exchanged.old)]);
            needs.extend(of_issue(&exchanged.new));
        }
        Act::CardsEnded(ended) => needs.extend(ended.cards.iter().map(|ended| Need::CardById(ended.card))),
        Act::CardChangesDue(due) => {
            needs.extend(due.changes.iter().map(|change| Need::CardById(change.card)))
        }
        Act::DeviceInvited(invited) => {
            needs.insert(Need::Device(invited.device));
        }
        Act::DeviceEnrolled(enrolled) => {
            needs.insert(Need::Device(enrolled.key.device));
        }
        Act::DeviceRevoked(ended) => {
            needs.insert(Need::Device(ended.device));
        }
        Act::CaseDecided(decided) => {
            needs.insert(Need::Case(decided.case));
        }
        Act::CasesHanded(handed) => needs.extend(handed.cases.iter().copied().map(Need::Case)),
        Act::CasesPutOff(put_off) => needs.extend(put_off.cases.iter().copied().map(Need::Case)),
        Act::LeaseSet(set) => needs.extend([
            Need::Device(set.device),
            Need::Lease(set.lease),
            Need::Purse(set.member),
            Need::Flows(posting::lease_cause(set.lease, set.generation)),
            Need::Linked(links::lease(set.lease, set.generation)),
        ]),
        Act::ValueCarried(carried) => {
            for member in [carried.from.member, carried.to.member] {
                needs.extend([Need::Member(member), Need::Purse(member)]);
            }
            needs.insert(Need::Flows(posting::carry_cause(carried.id)));
        }
        Act::LeaseWrittenOff(ended) => {
            needs.insert(Need::Lease(ended.lease));
        }
        Act::BalancesOpened(opened) => {
            for row in &opened.rows {
                let cause = posting::opening_cause(&opened.batch, row.member, row.leg.unit, row.at);
                needs.extend([Need::Flows(cause), Need::Purse(row.member), Need::Member(row.member)]);
            }
        }
        Act::PointsExpired(run) => needs.extend(run.members.iter().flat_map(|member| {
            let own = [Need::Lots(*member), Need::MemberLeases(*member)];
            own.into_iter().chain([Need::Member(*member), Need::Purse(*member)])
        })),
        Act::HistoryBrought(brought) => {
            needs.extend(brought.lines.iter().map(|line| Need::Member(line.member)));
        }
        Act::LeasesReported(reported) => {
            for state in &reported.states {
                needs.extend([Need::Lease(state.lease), Need::Purse(state.member)]);
                needs.insert(Need::Linked(links::lease(state.lease, state.generation)));
            }
        }
        _ => of_points(needs, act),
    }
}

/// What is asked of a purchase that opens an offer.
#[must_use]
pub fn of_purchase(purchase: FactId) -> [Need; 3] {
    [Need::Fact(purchase), Need::Linked(links::reversals(purchase)), Need::OpenedBy(purchase)]
}

/// Of acts about points, their redemption and events, and about what a scheme gives by itself.
fn of_points(needs: &mut BTreeSet<Need>, act: &Act) {
    match act {
        Act::PointsChanged(changed) => needs.extend(changed.changes.iter().flat_map(|change| {
            [Need::Points(change.id), Need::Member(change.member), Need::Purse(change.member)]
        })),
        Act::EventTold(told) => needs.extend([
            Need::Told(told.id),
            Need::ToldOf(told.member),
            Need::CardsOf(told.member),
            Need::Member(told.member),
            Need::Purse(told.member),
        ]),
        Act::EventTakenBack(taken) => {
            needs.insert(Need::Told(taken.event));
        }
        Act::ItemRedeemed(asked) => {
            needs.extend([Need::Redemption(asked.id), Need::Flows(posting::item_cause(asked.id))]);
            needs.extend([Need::Member(asked.member), Need::Purse(asked.member), Need::Level(asked.member)]);
            needs.extend(asked.what.stock().map(|item| Need::Stock(item, asked.office)));
            needs.extend(asked.what.purchase().into_iter().flat_map(of_purchase));
        }
        Act::ItemDecided(ItemDecided { redemption, .. })
        | Act::ItemTakenBack(ItemTakenBack { redemption, .. }) => needs.extend([
            Need::Redemption(*redemption),
            Need::Flows(posting::item_cause(*redemption)),
            Need::Flows(posting::offer_lost_cause(*redemption)),
            Need::Coupon(catalogue::coupon_id(*redemption)),
        ]),
        Act::PointsTransferred(given) => {
            for member in [given.from, given.to] {
                needs.extend([Need::Member(member), Need::Purse(member)]);
            }
            needs.insert(Need::Flows(posting::transfer_cause(given.id)));
        }
        Act::RedemptionRun(run) => needs.extend(run.members.iter().flat_map(|member| {
            let cause = posting::redemption_cause(run.plan, *member);
            [Need::Member(*member), Need::Purse(*member), Need::Flows(cause)]
        })),
        other => of_rights(needs, other),
    }
}

/// Of acts about what a scheme gives by itself: levels, coupons, birthdays and what comes round; and of the close of days.
fn of_rights(needs: &mut BTreeSet<Need>, act: &Act) {
    match act {
        Act::CouponsGiven(given) => {
            needs.extend(given.coupons.iter().flat_map(|of| [Need::Coupon(of.id), Need::Member(of.member)]))
        }
        Act::CouponUsed(used) => {
            needs.insert(Need::Coupon(used.coupon));
        }
        Act::PointsFilledUp(filled) => needs.extend(filled.members.iter().flat_map(|of| {
            let cause = posting::round_up_cause(of.member, of.day);
            [Need::Member(of.member), Need::Purse(of.member), Need::Flows(cause)]
        })),
        Act::MembersRanked(ranked) => needs.extend(ranked.places.iter().flat_map(|of| {
            let award = posting::award_id(of.member, (ranked.from, ranked.until));
            [Need::Award(award), Need::Member(of.member)]
        })),
        Act::RankingAwarded(awarded) => {
            needs.insert(Need::Award(awarded.award));
            needs.extend(awarded.item.map(|item| Need::Stock(item, awarded.office)));
        }
        Act::LevelsMoved(moved) => {
            for step in &moved.moves {
                needs.extend([Need::Member(step.member), Need::Level(step.member)]);
                if step.taken.is_some() {
                    let cause = posting::level_cause(step.member, step.day);
                    needs.extend([Need::Purse(step.member), Need::Flows(cause)]);
                }
            }
        }
        Act::BirthdayUsed(used) => {
            needs.extend([
                Need::Birthday(used.id),
                Need::Member(used.member),
                Need::BirthdaysOf(used.member),
            ]);
        }
        Act::BirthdayTakenBack(back) => {
            needs.insert(Need::Birthday(back.id));
        }
        Act::DayExplained(DayExplained { office, day, .. })
        | Act::DaySigned(DaySigned { office, day, .. })
        | Act::DayReopened(DayReopened { office, day, .. }) => {
            needs.insert(Need::OfficeDay(*office, *day));
        }
        _ => {}
    }
}
