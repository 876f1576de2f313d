//! Figures at the end: what the books say that members may have, against what the centre says that they have.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::fact::SlipKey;
use hufu_shared::ids::{DeviceId, FactId, LeaseId, MemberId, OccurrenceId};
use hufu_shared::money::{Leg, Unit};
use rusqlite::OptionalExtension as _;

use super::club::{self, OCCURRENCES_PER_DAY, SALON_POINTS};
use super::reckon::{Bounds, Key, STEP_FEN, Told, Value};
use super::run::Run;

/// Units that members have.
const UNITS: [Unit; 2] = [Unit::Pts, Unit::Cny];

/// Members and cards that hang together: each is found by its root.
struct Groups(Vec<usize>);

impl Groups {
    fn root(&self, mut node: usize) -> usize {
        while self.0[node] != node {
            node = self.0[node];
        }
        node
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }
}

/// What one group of members may have.
#[derive(Default)]
struct Group {
    members: usize,
    /// No more can be said: erased, or a terminal lied about one of them.
    unknown: bool,
    purchases: Bounds,
    /// Of these, what a person let stand whatever the cap.
    pinned: i64,
    returned: i64,
    rest: BTreeMap<Unit, Bounds>,
}

impl Run<'_> {
    /// Holds every figure against the books.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn check_figures(&mut self) -> anyhow::Result<()> {
        let groups = self.groups();
        let mut expected: BTreeMap<usize, Group> = BTreeMap::new();
        for member in 0..self.size.members {
            let group = expected.entry(groups.root(member)).or_default();
            group.members += 1;
            group.unknown |= self.books.erased.contains(&member) || self.books.strange.contains(&member);
        }
        for ((member, unit), amount) in &self.books.centre.moved {
            if let Some(group) = expected.get_mut(&groups.root(*member)) {
                group.rest.entry(*unit).or_default().add(Bounds::exactly(*amount));
            }
        }
        self.add_purchases(&groups, &mut expected);
        self.add_spends_and_top_ups(&groups, &mut expected);
        self.add_check_ins(&groups, &mut expected)?;
        let figures = self.figures(&groups)?;
        for (root, group) in expected.iter().filter(|(_, group)| !group.unknown) {
            for unit in UNITS {
                let bounds = self.bounds(group, unit);
                let figure = figures.get(&(*root, unit)).copied().unwrap_or(0);
                if figure < bounds.low || figure > bounds.high {
                    self.violated(format!(
                        "I3: member {root} and {} more have {figure} {}, by the books {} to {}",
                        group.members - 1,
                        unit.code(),
                        bounds.low,
                        bounds.high
                    ));
                } else if bounds.low == bounds.high && figure != 0 {
                    self.counters.path("balance reckoned exactly");
                }
            }
        }
        Ok(())
    }

    /// Members tied by merges, and cards with all whom they belonged to.
    fn groups(&self) -> Groups {
        let members = self.size.members;
        let shown = self.books.values.values().map(|told| told.card);
        let cards = shown.chain(self.books.handed_on.iter().map(|row| row.0)).max().unwrap_or(0).max(members);
        let mut groups = Groups((0..=members + cards).collect());
        (0..members).for_each(|member| groups.join(member, members + member));
        self.books.tied.iter().for_each(|(one, other)| groups.join(*one, *other));
        self.books.handed_on.iter().for_each(|(card, to)| groups.join(members + card, *to));
        groups
    }

    /// Whether a fact's card went from hand to hand, or its member turned out to be another, or was erased.
    #[must_use]
    pub fn is_tied(&self, fact: FactId) -> bool {
        let FactId { device, epoch, seq } = fact;
        let told = self.books.values.get(&(device, epoch, seq, 0));
        told.is_none_or(|told| {
            let card = told.card;
            self.books.handed_on.iter().any(|row| row.0 == card)
                || self.books.tied.iter().any(|tie| tie.0 == card || tie.1 == card)
                || self.books.erased.contains(&card)
        })
    }

    /// The sum that a group may have of a unit.
    fn bounds(&self, group: &Group, unit: Unit) -> Bounds {
        let mut sum = group.rest.get(&unit).copied().unwrap_or_default();
        if unit != Unit::Pts {
            return sum;
        }
        let mut purchases = group.purchases;
        if let Some(cap) = self.books.policy.earn_caps.first() {
            // Each member has a cap; who are one in the end have one together. What came back left room or not.
            let most = cap.most.0.saturating_mul(i64::try_from(group.members).unwrap_or(i64::MAX));
            purchases.high = purchases.high.min(most.saturating_add(group.pinned));
            purchases.low = purchases.low.min(cap.most.0 - group.returned).max(0);
        }
        sum.add(purchases);
        if self.books.has_expired {
            sum.low = i64::MIN;
        }
        sum
    }

    fn figures(&self, groups: &Groups) -> anyhow::Result<BTreeMap<(usize, Unit), i64>> {
        let sql = "SELECT member, unit, sum(amount) FROM (SELECT member, unit, amount FROM balance \
                   WHERE member IS NOT NULL UNION ALL SELECT member, unit, escrow FROM lease) GROUP BY member, unit";
        let known: BTreeMap<MemberId, usize> =
            (0..self.size.members).map(|member| (club::member(member), member)).collect();
        let mut figures: BTreeMap<(usize, Unit), i64> = BTreeMap::new();
        let mut statement = self.centre.look().prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let unit = Unit::from_code(&row.get::<_, String>(1)?);
            if let (Some(member), Some(unit)) = (known.get(&MemberId(row.get(0)?)), unit) {
                *figures.entry((groups.root(*member), unit)).or_default() += row.get::<_, i64>(2)?;
            }
        }
        Ok(figures)
    }

    fn group<'b>(
        &self,
        groups: &Groups,
        expected: &'b mut BTreeMap<usize, Group>,
        card: usize,
    ) -> Option<&'b mut Group> {
        expected.get_mut(&groups.root(self.size.members + card))
    }

    /// Whether something besides its own rules may have taken a fact its effect.
    fn is_doubtful(&self, key: &Key, told: &Told) -> bool {
        let (device, epoch, seq, _) = *key;
        self.books.is_settled
            || self.books.excused.contains(&(device, epoch))
            || self.books.pinned.contains(&FactId { device, epoch, seq })
            || self.books.handed_on.iter().any(|(card, _)| *card == told.card)
    }

    /// What of a fact came back, per unit: certainly and at most.
    pub(super) fn returned(&self, of: &Key, unit: Unit) -> Bounds {
        let mut sum = Bounds::default();
        for (key, told) in
            self.books.values.range((of.0, of.1, of.2 + 1, 0)..=(of.0, of.1, u64::MAX, u32::MAX))
        {
            let Value::Returned { of: original, legs } = &told.value else { continue };
            if *original == of.2 {
                let amount = amount_of(legs, unit);
                sum.add(Bounds::exactly(amount).doubted(self.is_doubtful(key, told)));
            }
        }
        sum
    }

    /// Fen that the centre's desk took back of a fact.
    fn at_desk(&self, of: &Key) -> i64 {
        let fact = FactId { device: of.0, epoch: of.1, seq: of.2 };
        self.books.centre.by_desk.get(&fact).map_or(0, |by_desk| by_desk.fen)
    }

    /// What a purchase gives, before caps and apart from other facts of its slip.
    fn purchase(&self, key: &Key, told: &Told) -> Option<Bounds> {
        let Value::Earned { purchase, scheme, promised, is_repeat, .. } = &told.value else { return None };
        if *is_repeat {
            return Some(Bounds::default());
        }
        let rates = self.books.rates.iter();
        let rates = rates.filter(|rate| rate.version == *scheme || rate.from <= told.at);
        let worth: Vec<i64> = rates.map(|rate| purchase / STEP_FEN * rate.points).collect();
        let returned = self.returned(key, Unit::Pts);
        let left = worth.iter().flat_map(|worth| {
            let of = |part: i64| worth - share(*worth, part, *promised);
            [of(returned.low), of(returned.high)]
        });
        let is_held = !self.passes_limits(key.0, *worth.iter().max()?, Unit::Pts);
        Some(Bounds::of(left).doubted(is_held || self.is_doubtful(key, told)))
    }

    /// Whether no limit of issuing can hold anything of a terminal that gives this: all that it ever gave lies below.
    fn passes_limits(&self, device: DeviceId, amount: i64, unit: Unit) -> bool {
        let limits = &self.books.policy.issue;
        let most = self.books.rates.iter().map(|rate| rate.points).max().unwrap_or(0);
        let given =
            self.books.values.range((device, 0, 0, 0)..=(device, u32::MAX, u64::MAX, u32::MAX)).map(|row| {
                match (&row.1.value, unit) {
                    (Value::Earned { purchase, .. }, Unit::Pts) => purchase / STEP_FEN * most,
                    (Value::ToppedUp(paid), Unit::Cny) => *paid,
                    _ => 0,
                }
            });
        let (day, fact) = match unit {
            Unit::Pts => (limits.points_per_day, limits.points_per_fact),
            _ => (limits.top_up_per_day, limits.top_up_per_fact),
        };
        amount <= fact.0 && given.sum::<i64>() <= day.0
    }

    fn add_purchases(&self, groups: &Groups, expected: &mut BTreeMap<usize, Group>) {
        for family in self.slip_families() {
            let facts: Vec<(&Key, &Told)> =
                family.iter().filter_map(|key| Some((key, self.books.values.get(key)?))).collect();
            let roots: BTreeSet<usize> =
                facts.iter().map(|(_, told)| groups.root(self.size.members + told.card)).collect();
            let replaces = facts
                .iter()
                .any(|(_, told)| matches!(&told.value, Value::Earned { slips: (_, Some(_)), .. }));
            let doubtful = facts.iter().any(|(key, told)| {
                self.is_doubtful(key, told) || self.returned(key, Unit::Pts) != Bounds::default()
            });
            for root in &roots {
                let Some(group) = expected.get_mut(root) else { continue };
                let own: Vec<(&Key, Bounds)> = facts
                    .iter()
                    .filter(|(_, told)| groups.root(self.size.members + told.card) == *root)
                    .filter_map(|(key, told)| Some((*key, self.purchase(key, told)?)))
                    .collect();
                let mut bounds = own.iter().map(|row| row.1).reduce(Bounds::around).unwrap_or_default();
                // Two that re-create one slip, and a third that re-creates one of these: more than one sale, perhaps.
                if replaces && facts.len() > 2 {
                    bounds.high = own.iter().map(|row| row.1.high).sum();
                }
                let is_one = facts.len() == 1;
                group.purchases.add(bounds.doubted(!is_one && (doubtful || replaces || roots.len() > 1)));
                for (key, bounds) in own {
                    let (device, epoch, seq, _) = *key;
                    if self.books.pinned.contains(&FactId { device, epoch, seq }) {
                        group.pinned += bounds.high;
                    }
                    group.returned += self.returned(key, Unit::Pts).high.saturating_mul(2);
                }
            }
        }
    }

    /// Purchases that share a slip, directly or through others; one without a slip is alone.
    fn slip_families(&self) -> Vec<Vec<Key>> {
        let mut families: Vec<Vec<Key>> = Vec::new();
        let mut by_slip: BTreeMap<&SlipKey, usize> = BTreeMap::new();
        for (key, told) in &self.books.values {
            let Value::Earned { slips: (own, replaced), .. } = &told.value else { continue };
            let slips: Vec<&SlipKey> = own.iter().chain(replaced).collect();
            let known: BTreeSet<usize> = slips.iter().filter_map(|slip| by_slip.get(slip).copied()).collect();
            let into = known.first().copied().unwrap_or_else(|| {
                families.push(Vec::new());
                families.len() - 1
            });
            families[into].push(*key);
            for other in known.into_iter().filter(|other| *other != into) {
                let moved = std::mem::take(&mut families[other]);
                families[into].extend(moved);
                by_slip.values_mut().filter(|at| **at == other).for_each(|at| *at = into);
            }
            by_slip.extend(slips.into_iter().map(|slip| (slip, into)));
        }
        families.retain(|family| !family.is_empty());
        families
    }

    fn add_spends_and_top_ups(&self, groups: &Groups, expected: &mut BTreeMap<usize, Group>) {
        for (key, told) in &self.books.values {
            let doubtful = self.is_doubtful(key, told);
            let rows: Vec<(Unit, Bounds)> = match &told.value {
                Value::Spent(legs, leases) => {
                    let doubtful = doubtful || self.may_be_borne_by_others(told.card, leases);
                    let of = |leg: &Leg| {
                        let back = self.returned(key, leg.unit);
                        let by_desk = if leg.unit == Unit::Cny { self.at_desk(key) } else { 0 };
                        // However many give it back, it comes back once.
                        let back = [back.low, back.high].map(|back| (back + by_desk).min(leg.amount.0));
                        let left = Bounds::of(back.map(|back| back - leg.amount.0));
                        (leg.unit, left.doubted(doubtful))
                    };
                    legs.iter().map(of).collect()
                }
                Value::ToppedUp(paid) => {
                    let back = self.returned(key, Unit::Cny);
                    let is_counted =
                        self.books.counted.get(&(key.0, key.1)).is_some_and(|counted| *counted > key.2);
                    let passes = is_counted && self.passes_limits(key.0, *paid, Unit::Cny);
                    let by_desk = self.at_desk(key);
                    let kept = [back.low, back.high].map(|back| paid - back.min(paid - by_desk));
                    let mut left = Bounds::of(kept).doubted(doubtful || !passes);
                    // What the desk handed back is the member's no more, whatever becomes of the rest.
                    left.add(Bounds::exactly(-by_desk));
                    vec![(Unit::Cny, left)]
                }
                _ => continue,
            };
            if let Some(group) = self.group(groups, expected, told.card) {
                rows.into_iter().for_each(|(unit, row)| group.rest.entry(unit).or_default().add(row));
            }
        }
    }

    /// Whether the club may have paid for a spend: the card was blocked once, or the lease written off or forgotten.
    fn may_be_borne_by_others(&self, card: usize, leases: &[(LeaseId, u32)]) -> bool {
        let written_off = |(lease, generation): &(LeaseId, u32)| {
            self.books.centre.written_off.contains(&(lease.0, *generation))
        };
        self.is_rolled_back || self.books.blocked.contains(&card) || leases.iter().any(written_off)
    }

    /// Check-ins: once per member where an occurrence admits once, else each that repeats none.
    fn add_check_ins(&self, groups: &Groups, expected: &mut BTreeMap<usize, Group>) -> anyhow::Result<()> {
        let rows: BTreeMap<OccurrenceId, usize> =
            (0..self.size.days * OCCURRENCES_PER_DAY).map(|n| (club::occurrence(n), n)).collect();
        let mut of: BTreeMap<(usize, usize), Vec<(&Key, &Told)>> = BTreeMap::new();
        for (key, told) in &self.books.values {
            if let Value::Attended(occurrence) = &told.value
                && let Some(n) = rows.get(occurrence)
            {
                of.entry((groups.root(self.size.members + told.card), *n)).or_default().push((key, told));
            }
        }
        let sql = "SELECT at, high FROM fact WHERE device = ?1 AND epoch = ?2 AND seq = ?3";
        let mut at = self.centre.look().prepare(sql)?;
        for ((root, n), facts) in of {
            let row = club::occurrence_row(n);
            // One that certainly counts at each terminal; the others may be repeats of it.
            let mut certain: BTreeSet<(DeviceId, u32)> = BTreeSet::new();
            let mut seen: BTreeSet<(DeviceId, u32)> = BTreeSet::new();
            for (key, told) in &facts {
                let is_first = seen.insert((key.0, key.1));
                let key_sql = (key.0.0, key.1, i64::try_from(key.2)?);
                let times = at.query_row(key_sql, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
                let is_running = times
                    .is_some_and(|(at, high): (i64, i64)| row.starts.0 <= at && at.max(high) < row.ends.0);
                let office = self.devices.iter().find(|own| own.id == key.0).map(|own| own.office);
                let is_held_here = office.is_some_and(|office| row.is_held_at(office));
                if is_first && is_running && is_held_here && !self.is_doubtful(key, told) {
                    certain.insert((key.0, key.1));
                }
            }
            let cards: BTreeSet<usize> = facts.iter().map(|(_, told)| told.card).collect();
            let later = self.books.handed_on.iter().filter(|(card, _)| cards.contains(card));
            let owners = cards.len() + later.count();
            let (low, high) =
                if row.admits_once { (certain.len().min(1), owners) } else { (certain.len(), facts.len()) };
            let points = |times: usize| i64::try_from(times).map(|times| times * SALON_POINTS);
            if let Some(group) = expected.get_mut(&root) {
                let sum = Bounds { low: points(low)?, high: points(high)? };
                group.rest.entry(Unit::Pts).or_default().add(sum);
            }
        }
        Ok(())
    }
}

fn amount_of(legs: &[Leg], unit: Unit) -> i64 {
    legs.iter().filter(|leg| leg.unit == unit).map(|leg| leg.amount.0).sum()
}

/// A share of an amount, half up, never more than all of it.
fn share(amount: i64, part: i64, whole: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    (2 * amount * part.min(whole) + whole) / (2 * whole)
}
