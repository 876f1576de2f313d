//! Leases in the journal's file: what the centre granted, what was spent of it here, how old it is.
//!
//! Every decision is [`crate::rules::lease`]'s; this module fetches holdings before and stores them after. A spend or a
//! close changes its holding in the transaction that appends its fact; a state that ends another generation first
//! appends the close of that one, in the same transaction.
//! Invariants: a fact that does not fit the holding it names is not appended; a state that was stored stays unechoed
//! until the centre was told.
//! Out of scope: signatures, asking for more ([`crate::sync::authorize`]).

use std::collections::BTreeSet;

use hufu_shared::cbor;
use hufu_shared::fact::{CommandDone, Event, Funding, LeaseUse, Spent};
use hufu_shared::ids::{CommandId, LeaseId, MemberId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::wire::lease::LeaseState;
use hufu_shared::wire::updates::LEASE_ECHO_MAX;
use hufu_shared::wire::version::{CentralEpoch, Version};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::appending::NewFact;
use super::error::{Step, StoreError};
use super::journal::{Journal, from_sql, to_sql};
use crate::rules::lease::{self, Age, Holding, Ignored, PoweredOff, Receiving, Taken};
use crate::rules::timekeeping::{Now, Uptime};

const COLUMNS: &str = "state, enrolment, spent_total, closed, last_fact, counted_ns, counted_at_ns, reboots";

/// What became of a lease state that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseTaken {
    /// It is held now.
    Stored,
    /// It changes nothing.
    Ignored(Ignored),
}

/// What became of an order to close a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseEnd {
    /// It was open and is closed now.
    Closed {
        /// What was spent of it.
        spent_total: Amount,
    },
    /// That generation was closed before.
    ClosedBefore,
    /// No such generation is held here.
    NotHeld,
}

/// What a terminal holds of one unit for all members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// The unit.
    pub unit: Unit,
    /// Members with something left.
    pub members: u64,
    /// What is left over all.
    pub left: Amount,
    /// Of these, members whose time is up.
    pub expired: u64,
    /// Seconds until the first of the others can no longer spend.
    pub ends_s: Option<u64>,
}

/// A state's bytes that are no state of ours any more, as rusqlite names such a thing.
fn unreadable(error: cbor::WireError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(error))
}

fn holding(row: &Row<'_>) -> rusqlite::Result<Holding> {
    let state: Vec<u8> = row.get(0)?;
    Ok(Holding {
        state: cbor::decode::<LeaseState>(&state).map_err(unreadable)?,
        enrolment: row.get(1)?,
        spent_total: Amount(row.get(2)?),
        closed: row.get(3)?,
        last_fact: row.get::<_, Option<i64>>(4)?.map(from_sql),
        age: Age {
            counted_ns: from_sql(row.get(5)?),
            counted_at_ns: from_sql(row.get(6)?),
            reboots: row.get(7)?,
        },
    })
}

fn held(connection: &Connection, lease: LeaseId, generation: u32) -> rusqlite::Result<Option<Holding>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM leases WHERE lease = ?1 AND generation = ?2"))?
        .query_row(params![lease.0, generation], holding)
        .optional()
}

/// Stores a holding whole. `echoed` says whether the centre knows that its state is held.
fn store(connection: &Connection, held: &Holding, echoed: bool) -> rusqlite::Result<()> {
    let state = &held.state;
    connection
        .prepare_cached(
            "INSERT INTO leases (lease, generation, member, unit, state, enrolment, granted_total, spent_total, \
             closed, last_fact, counted_ns, counted_at_ns, reboots, echoed) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
             ON CONFLICT (lease, generation) DO UPDATE SET state = excluded.state, \
             enrolment = excluded.enrolment, granted_total = excluded.granted_total, \
             spent_total = excluded.spent_total, closed = excluded.closed, last_fact = excluded.last_fact, \
             counted_ns = excluded.counted_ns, counted_at_ns = excluded.counted_at_ns, \
             reboots = excluded.reboots, echoed = excluded.echoed",
        )?
        .execute(params![
            state.lease.0,
            state.generation,
            state.member.0,
            state.unit.code(),
            cbor::encode(state),
            held.enrolment,
            state.granted_total.0,
            held.spent_total.0,
            held.closed,
            held.last_fact.map(to_sql),
            to_sql(held.age.counted_ns),
            to_sql(held.age.counted_at_ns),
            held.age.reboots,
            echoed,
        ])
        .map(drop)
}

/// Stores what a fact changed of a holding; the state and its echo stay as they are.
fn store_use(connection: &Connection, held: &Holding) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE leases SET spent_total = ?3, closed = ?4, last_fact = ?5 \
             WHERE lease = ?1 AND generation = ?2",
        )?
        .execute(params![
            held.state.lease.0,
            held.state.generation,
            held.spent_total.0,
            held.closed,
            held.last_fact.map(to_sql)
        ])
        .map(drop)
}

/// At a start: what is open ages by what is known of the time since, in the transaction that records the start.
pub(super) fn age_at_boot(connection: &Connection, off: PoweredOff, now_ns: u64) -> rusqlite::Result<()> {
    let open: Vec<Holding> = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM leases WHERE closed = 0"))?
        .query_map([], holding)?
        .collect::<rusqlite::Result<_>>()?;
    for held in open {
        let age = held.age.on_boot(&held.state.terms, off, now_ns);
        connection
            .prepare_cached(
                "UPDATE leases SET counted_ns = ?3, counted_at_ns = ?4, reboots = ?5 \
                 WHERE lease = ?1 AND generation = ?2",
            )?
            .execute(params![
                held.state.lease.0,
                held.state.generation,
                to_sql(age.counted_ns),
                to_sql(age.counted_at_ns),
                age.reboots
            ])?;
    }
    Ok(())
}

/// Notes how long the machine has been up, beside the ages that were just counted.
pub(super) fn note_uptime(
    connection: &Connection,
    machine: Option<&Uptime>,
    now_ns: u64,
) -> rusqlite::Result<()> {
    let (boot, up_ns) = machine.map(|machine| (&machine.boot, to_sql(machine.at(now_ns)))).unzip();
    connection
        .prepare_cached("UPDATE state SET machine_boot = ?1, machine_ns = ?2")?
        .execute(params![boot, up_ns])
        .map(drop)
}

impl Journal {
    /// The machine's own uptime. It goes on while this program is stopped, so a restart of the program alone costs
    /// leases no more than the time it took. To be told before [`Journal::boot`].
    pub fn set_machine(&mut self, machine: Option<Uptime>) {
        self.machine = machine;
    }

    /// What is known of the time since ages were last counted: nothing, unless the machine itself was up all the while.
    pub(super) fn powered_off(&self, now_ns: u64) -> Result<PoweredOff, StoreError> {
        let sql = "SELECT machine_boot, machine_ns FROM state";
        let read = |row: &Row<'_>| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<i64>>(1)?));
        let (boot, up_ns) = self.connection.query_row(sql, [], read).step(&self.path, "read uptime")?;
        let measured = self.machine.as_ref().filter(|machine| boot.as_ref() == Some(&machine.boot));
        let off_ns = measured
            .zip(up_ns)
            .and_then(|(machine, then_ns)| machine.at(now_ns).checked_sub(from_sql(then_ns)));
        Ok(off_ns.map_or(PoweredOff::Unknown, |off_ns| PoweredOff::Measured { off_ns }))
    }

    /// Moves the leases that a fact at `seq` uses up or closes.
    pub(super) fn move_leases(&self, event: &Event, seq: u64) -> Result<(), StoreError> {
        match event {
            Event::Spent(spent) => self.use_leases(spent, seq),
            Event::LeaseClosed(closed) => {
                let after = self
                    .lease(closed.lease, closed.generation)?
                    .and_then(|held| lease::close(&held, seq))
                    .filter(|(fact, _)| fact == closed);
                let (_, after) = after.ok_or_else(|| self.unfitting(closed.lease, closed.generation))?;
                store_use(&self.connection, &after).step(&self.path, "close lease")
            }
            _ => Ok(()),
        }
    }

    fn use_leases(&self, spent: &Spent, seq: u64) -> Result<(), StoreError> {
        for (leg, funding) in spent.legs.iter().zip(&spent.funding) {
            let Funding::Lease(used) = funding else { continue };
            let LeaseUse { lease, generation, .. } = *used;
            let before = self.lease(lease, generation)?;
            let fits = |held: &Holding| {
                held.spent_total.plus(leg.amount).is_ok_and(|total| total == used.spent_total)
                    && held.state.unit == leg.unit
            };
            let after = before.filter(fits).and_then(|held| lease::spent(&held, used, seq));
            let after = after.ok_or_else(|| self.unfitting(lease, generation))?;
            store_use(&self.connection, &after).step(&self.path, "use lease")?;
        }
        Ok(())
    }

    fn unfitting(&self, lease: LeaseId, generation: u32) -> StoreError {
        StoreError::Lease { path: self.path.clone(), lease, generation }
    }

    fn lease(&self, lease: LeaseId, generation: u32) -> Result<Option<Holding>, StoreError> {
        held(&self.connection, lease, generation).step(&self.path, "read lease")
    }

    fn leases_where(&self, which: &str, with: &[&dyn rusqlite::ToSql]) -> Result<Vec<Holding>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM leases WHERE {which} ORDER BY lease, generation");
        let mut statement = self.connection.prepare_cached(&sql).step(&self.path, "prepare")?;
        statement.query_map(with, holding).and_then(Iterator::collect).step(&self.path, "read leases")
    }

    /// Open leases of a member.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn open_leases(&self, member: MemberId) -> Result<Vec<Holding>, StoreError> {
        self.leases_where("member = ?1 AND closed = 0", &[&member.0])
    }

    /// What this terminal may give out over all members, per unit.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn allowances(&self, now_ns: u64) -> Result<Vec<Allowance>, StoreError> {
        let open = self.leases_where("closed = 0 AND spent_total < granted_total", &[])?;
        let of = |unit: Unit| {
            let all: Vec<&Holding> = open.iter().filter(|held| held.state.unit == unit).collect();
            let live = || all.iter().filter(|held| !held.expired(now_ns));
            let left = live().try_fold(Amount::ZERO, |sum, held| sum.plus(held.left()));
            let (members, expired) = (live().count() as u64, (all.len() - live().count()) as u64);
            let ends_s = live().map(|held| held.age.left_ns(&held.state.terms, now_ns) / 1_000_000_000).min();
            Allowance { unit, members, left: left.unwrap_or(Amount(i64::MAX)), expired, ends_s }
        };
        Ok(Unit::ALL.map(of).into_iter().filter(|sum| sum.members + sum.expired > 0).collect())
    }

    /// Members for whom something is set aside here: whom the centre expects at this terminal.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn prepared_for(&self) -> Result<BTreeSet<MemberId>, StoreError> {
        Ok(self.leases_where("closed = 0", &[])?.iter().map(|held| held.state.member).collect())
    }

    /// What a centre that entered a new epoch must be shown before any fact ([`lease::report`]).
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn lease_report(&self) -> Result<Vec<LeaseState>, StoreError> {
        let oldest_held = self.anchor()?.0 + 1;
        Ok(lease::report(&self.leases_where("true", &[])?, oldest_held))
    }

    /// Takes lease states whose signatures hold, in the order in which they came. `epoch` is the central epoch stored.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn take_leases(
        &mut self,
        states: &[LeaseState],
        epoch: CentralEpoch,
        now: &Now,
        directory: Version,
    ) -> Result<Vec<LeaseTaken>, StoreError> {
        states.iter().map(|state| self.take_lease(state, epoch, now, directory)).collect()
    }

    fn take_lease(
        &mut self,
        state: &LeaseState,
        epoch: CentralEpoch,
        now: &Now,
        directory: Version,
    ) -> Result<LeaseTaken, StoreError> {
        let at = Receiving { device: self.device, enrolment: self.epoch, epoch, now_ns: now.mono_ns };
        let which = "lease = ?1 OR (member = ?2 AND closed = 0)";
        let mut beside = self.leases_where(which, &[&state.lease.0, &state.member.0])?;
        let mut facts = Vec::new();
        let new = loop {
            match lease::take_state(&beside, state, at) {
                Taken::Ignore(why) => return Ok(LeaseTaken::Ignored(why)),
                Taken::Store(new) => break new,
                Taken::CloseFirst(closed) => {
                    let ended = |held: &Holding| {
                        (held.state.lease, held.state.generation) == (closed.lease, closed.generation)
                    };
                    beside.iter_mut().filter(|held| ended(held)).for_each(|held| held.closed = true);
                    facts.push(NewFact::of_terminal(Event::LeaseClosed(closed), directory, now));
                }
            }
        };
        self.guarded("take lease", |journal| {
            journal.commit_facts_with(facts, |connection, _| store(connection, &new, false)).map(drop)
        })?;
        Ok(LeaseTaken::Stored)
    }

    /// Closes a lease generation if it is open, and answers the command that asked for it.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn close_lease(
        &mut self,
        (lease, generation): (LeaseId, u32),
        command: CommandId,
        now: &Now,
        directory: Version,
    ) -> Result<LeaseEnd, StoreError> {
        let held = self.lease(lease, generation)?;
        let mut facts = Vec::new();
        let (end, done, detail) = match held.as_ref().map(|held| (held, lease::close(held, 0))) {
            Some((held, Some((closed, _)))) => {
                let spent_total = held.spent_total;
                facts.push(NewFact::of_terminal(Event::LeaseClosed(closed), directory, now));
                let detail = format!("closed generation {generation} of lease {lease}, {spent_total} spent");
                (LeaseEnd::Closed { spent_total }, true, detail)
            }
            Some((_, None)) => {
                let detail = format!("generation {generation} of lease {lease} was closed before");
                (LeaseEnd::ClosedBefore, true, detail)
            }
            None => {
                let detail = format!("this terminal holds no lease {lease} of generation {generation}");
                (LeaseEnd::NotHeld, false, detail)
            }
        };
        facts.push(NewFact::of_terminal(
            Event::CommandDone(CommandDone { command, done, detail }),
            directory,
            now,
        ));
        self.append(facts)?;
        Ok(end)
    }

    /// Closes every open lease whose time is up, so that what is left of it goes back to its member. Returns how many.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn close_expired(&mut self, now: &Now, directory: Version) -> Result<usize, StoreError> {
        let open = self.leases_where("closed = 0", &[])?;
        let expired = open.iter().filter(|held| held.expired(now.mono_ns));
        let facts: Vec<NewFact> = expired
            .filter_map(|held| lease::close(held, 0))
            .map(|(closed, _)| NewFact::of_terminal(Event::LeaseClosed(closed), directory, now))
            .collect();
        let count = facts.len();
        if count > 0 {
            self.append(facts)?;
        }
        Ok(count)
    }

    /// Makes the ages of open leases durable, counted up to `now_ns`; with the time floor, every minute.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn count_lease_ages(&mut self, now_ns: u64) -> Result<(), StoreError> {
        self.guarded("count the age of leases", |journal| {
            let sql = "UPDATE leases SET counted_ns = counted_ns + (?1 - counted_at_ns), counted_at_ns = ?1 \
                       WHERE closed = 0 AND counted_at_ns < ?1";
            let path = journal.path.clone();
            let machine = journal.machine.clone();
            let transaction = journal.connection.transaction().step(&path, "begin")?;
            let counted = (|| {
                transaction.execute(sql, [to_sql(now_ns)])?;
                note_uptime(&transaction, machine.as_ref(), now_ns)?;
                transaction.commit()
            })();
            counted.step(&path, "count the age of leases")
        })
    }

    /// Lease states that are held and that the centre was not told of, at most [`LEASE_ECHO_MAX`].
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn unechoed_leases(&self) -> Result<Vec<(LeaseId, Version)>, StoreError> {
        let mut held = self.leases_where("echoed = 0", &[])?;
        held.truncate(LEASE_ECHO_MAX);
        Ok(held.iter().map(|held| (held.state.lease, held.state.version)).collect())
    }

    /// The centre was told that these versions are held.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn leases_echoed(&mut self, echoed: &[(LeaseId, Version)]) -> Result<(), StoreError> {
        let unechoed = self.leases_where("echoed = 0", &[])?;
        // A state that came meanwhile has another version and is told of next time.
        let told = unechoed.iter().filter(|held| echoed.contains(&(held.state.lease, held.state.version)));
        let keys: Vec<_> = told.map(|held| (held.state.lease, held.state.generation)).collect();
        let sql = "UPDATE leases SET echoed = 1 WHERE lease = ?1 AND generation = ?2";
        self.for_each_lease("note echoed leases", sql, &keys)
    }

    /// Forgets closed generations on which nothing rests any more ([`lease::forgettable`]).
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn forget_leases(&mut self) -> Result<(), StoreError> {
        let oldest_held = self.anchor()?.0 + 1;
        let gone = lease::forgettable(&self.leases_where("true", &[])?, oldest_held);
        let sql = "DELETE FROM leases WHERE lease = ?1 AND generation = ?2";
        self.for_each_lease("forget leases", sql, &gone)
    }

    /// Runs a statement for each generation in one transaction, which waits for the disk once.
    fn for_each_lease(
        &mut self,
        doing: &'static str,
        sql: &str,
        keys: &[(LeaseId, u32)],
    ) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.guarded(doing, |journal| {
            let path = journal.path.clone();
            let transaction = journal.connection.transaction().step(&path, "begin")?;
            let done = (|| {
                let mut statement = transaction.prepare_cached(sql)?;
                for (lease, generation) in keys {
                    statement.execute(params![lease.0, generation])?;
                }
                drop(statement);
                transaction.commit()
            })();
            done.step(&path, doing)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::*;
    use crate::store::{JOURNAL_FILE, Store};
    use hufu_shared::money::Leg;

    const HOUR_S: u64 = 3_600;

    fn left(store: &Store, n: u8) -> Vec<i64> {
        let open = store.with(|journal| journal.open_leases(member_row(n).member)).expect("read");
        open.iter().map(|held| held.left().0).collect()
    }

    fn spent(n: u8, legs: &[Leg], totals: &[i64], now: &Now) -> NewFact {
        let funding = legs.iter().zip(totals).map(|(leg, total)| {
            let state = lease(n, leg.unit, 0, 0);
            let (lease, generation) = (state.lease, state.generation);
            Funding::Lease(LeaseUse { lease, generation, spent_total: Amount(*total), state: state.version })
        });
        let funding = funding.collect();
        let spent = Spent {
            subject: subject(n),
            legs: legs.to_vec(),
            funding,
            slip: None,
            item: None,
            paid_out: None,
        };
        fact(now, hufu_shared::fact::Shown::Redeemed, Event::Spent(spent))
    }

    #[test]
    fn states_come_once_in_order_and_only_for_this_terminal() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = booted(folder.path());
        let take = |state: LeaseState| grant(&store, &[state], &at(1))[0];
        assert_eq!(take(lease(1, Unit::Pts, 100, 3)), LeaseTaken::Stored);
        assert_eq!(take(lease(1, Unit::Pts, 50, 2)), LeaseTaken::Ignored(Ignored::NotNewer));
        assert_eq!(take(lease(1, Unit::Pts, 100, 3)), LeaseTaken::Ignored(Ignored::NotNewer));
        assert_eq!(take(lease(1, Unit::Pts, 160, 4)), LeaseTaken::Stored);
        let mut other = lease(2, Unit::Pts, 10, 9);
        other.device = hufu_shared::ids::DeviceId([99; 16]);
        assert_eq!(take(other), LeaseTaken::Ignored(Ignored::OtherDevice));
        assert_eq!((left(&store, 1), left(&store, 2)), (vec![160], vec![]));
    }

    #[test]
    fn spent_total_outlives_a_start_and_a_raise_and_a_fact_that_does_not_fit_is_not_appended() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = booted(folder.path());
        grant(&store, &[lease(1, Unit::Pts, 100, 3), lease(1, Unit::Cny, 500, 4)], &at(1));
        let append = |store: &Store, fact| store.with(|journal| journal.append(vec![fact]));
        append(&store, spent(1, &[pts(30), cny(200)], &[30, 200], &at(2))).expect("fits");
        let before = store.with(|journal| Ok(journal.last_seq())).expect("read");
        for (legs, totals) in [
            (vec![pts(30)], vec![30]),                // not the counter plus the amount
            (vec![pts(30)], vec![61]),                // likewise
            (vec![pts(80)], vec![110]),               // over the grant
            (vec![pts(10), cny(400)], vec![40, 600]), // the first leg would fit
        ] {
            let error = append(&store, spent(1, &legs, &totals, &at(3))).expect_err("refused");
            assert!(matches!(error, StoreError::Lease { .. }), "{error}");
        }
        assert_eq!(store.with(|journal| Ok(journal.last_seq())).expect("read"), before);
        drop(store);
        let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens");
        store.with(|journal| journal.boot(boot_info(2), &at(0))).expect("boots");
        assert_eq!(left(&store, 1), [70, 300]);
        grant(&store, &[lease(1, Unit::Pts, 150, 5)], &at(1));
        assert_eq!(left(&store, 1), [120, 300], "a raise moves what is granted, never what was spent");
    }

    #[test]
    fn a_new_generation_first_closes_the_open_one_in_the_same_step() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = booted(folder.path());
        grant(&store, &[lease(1, Unit::Pts, 100, 3)], &at(1));
        store.with(|journal| journal.append(vec![spent(1, &[pts(30)], &[30], &at(2))])).expect("fits");
        let next = LeaseState { generation: 2, ..lease(1, Unit::Pts, 80, 9) };
        // Two of one purse in one answer: the later one ends the earlier.
        let other = LeaseState { lease: LeaseId([77; 16]), ..lease(1, Unit::Pts, 40, 10) };
        assert_eq!(grant(&store, &[next, other], &at(3)), [LeaseTaken::Stored, LeaseTaken::Stored]);
        let stored = store.with(|journal| journal.pending(1, usize::MAX, usize::MAX)).expect("read");
        let closes = stored.iter().filter_map(|stored| {
            match cbor::decode::<hufu_shared::fact::Fact>(&stored.body).expect("our own").event {
                Event::LeaseClosed(closed) => Some((closed.generation, closed.spent_total.0)),
                _ => None,
            }
        });
        assert_eq!(closes.collect::<Vec<_>>(), [(1, 30), (2, 0)]);
        assert_eq!(left(&store, 1), [40]);
        assert_eq!(
            grant(
                &store,
                &[LeaseState { version: Version { epoch: 1, n: 99 }, ..lease(1, Unit::Pts, 500, 3) }],
                &at(4)
            ),
            [LeaseTaken::Ignored(Ignored::ClosedGeneration)]
        );
        let report = store.with(|journal| journal.lease_report()).expect("read");
        assert_eq!(report.len(), 3, "every generation of which facts are held, and the open one");
    }

    #[test]
    fn each_start_costs_its_part_of_the_time_and_three_are_the_most() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = booted(folder.path());
        grant(&store, &[lease(1, Unit::Pts, 100, 3)], &at(0));
        let held = |store: &Store| {
            store.with(|journal| journal.open_leases(member_row(1).member)).expect("read").remove(0)
        };
        // Five hours of work, of which the last minute was not persisted.
        store.with(|journal| journal.count_lease_ages(5 * HOUR_S * 1_000_000_000)).expect("counted");
        for boot in 2..=4 {
            store.with(|journal| journal.boot(boot_info(boot), &at(0))).expect("boots");
            assert!(!held(&store).expired(0), "start {boot}");
        }
        assert_eq!(held(&store).age.elapsed_ns(0), (5 + 3 * 2) * HOUR_S * 1_000_000_000);
        store.with(|journal| journal.boot(boot_info(5), &at(0))).expect("boots");
        assert!(held(&store).expired(0), "nobody knows how long it was off");
        assert_eq!(
            store.with(|journal| journal.close_expired(&at(1), Version::default())).expect("closed"),
            1
        );
        assert!(left(&store, 1).is_empty());
    }

    #[test]
    fn a_restart_on_a_machine_that_stayed_up_costs_the_time_it_took_and_no_reboot() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = booted(folder.path());
        let hour_ns = HOUR_S * 1_000_000_000;
        let up = |boot: &str, before_ns| Some(Uptime { boot: boot.into(), before_ns });
        let restart = |machine, n| {
            store.with(|journal| {
                journal.set_machine(machine);
                journal.boot(boot_info(n), &at(0))
            })
        };
        restart(up("a", 10 * hour_ns), 2).expect("boots");
        grant(&store, &[lease(1, Unit::Pts, 100, 3)], &at(0));
        store.with(|journal| journal.count_lease_ages(5 * hour_ns)).expect("counted");
        // Up for fifteen hours when counted; the program starts again a quarter of an hour later.
        restart(up("a", 15 * hour_ns + hour_ns / 4), 3).expect("boots");
        let held =
            || store.with(|journal| journal.open_leases(member_row(1).member)).expect("read").remove(0).age;
        assert_eq!((held().elapsed_ns(0), held().reboots), (5 * hour_ns + hour_ns / 4, 0));
        // Another start of the machine, or an uptime that went back: nobody measured that.
        restart(up("b", hour_ns), 4).expect("boots");
        restart(up("b", 0), 5).expect("boots");
        assert_eq!(held().reboots, 2);
    }

    #[test]
    fn what_may_be_given_out_is_summed_per_unit_and_the_old_is_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = booted(folder.path());
        let states = [lease(1, Unit::Pts, 100, 3), lease(2, Unit::Pts, 50, 4), lease(2, Unit::Cny, 900, 5)];
        grant(&store, &states, &at(1));
        let sums = |now_ns| {
            let sums = store.with(|journal| journal.allowances(now_ns)).expect("read");
            sums.iter().map(|sum| (sum.unit, sum.members, sum.left.0, sum.expired)).collect::<Vec<_>>()
        };
        assert_eq!(sums(2_000_000_000), [(Unit::Pts, 2, 150, 0), (Unit::Cny, 1, 900, 0)]);
        assert_eq!(sums(700_000 * 1_000_000_000), [(Unit::Pts, 0, 0, 2), (Unit::Cny, 0, 0, 1)]);
    }

    #[test]
    fn a_state_is_told_of_until_the_centre_heard_of_that_version() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = booted(folder.path());
        grant(&store, &[lease(1, Unit::Pts, 100, 3)], &at(1));
        let unechoed = || store.with(|journal| journal.unechoed_leases()).expect("read");
        let told = unechoed();
        assert_eq!(told.iter().map(|(_, version)| version.n).collect::<Vec<_>>(), [3]);
        grant(&store, &[lease(1, Unit::Pts, 120, 4)], &at(2));
        store.with(|journal| journal.leases_echoed(&told)).expect("noted");
        assert_eq!(unechoed().iter().map(|(_, version)| version.n).collect::<Vec<_>>(), [4], "another came");
        let told = unechoed();
        store.with(|journal| journal.leases_echoed(&told)).expect("noted");
        assert_eq!(unechoed(), []);
    }
}
