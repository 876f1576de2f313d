//! The stage: what a step does to both databases, and whether they and the reference agree after it.

use super::*;

/// Both databases, with what drives them.
struct Stage {
    places: Vec<TestPlace>,
    databases: Vec<Db>,
    terminals: Vec<(Terminal, OfficeId)>,
    reference: Reference,
    entries: u128,
    seconds: i64,
    was_owed: bool,
    was_held: bool,
}

impl Stage {
    async fn set() -> Self {
        let (mut places, mut databases) = (Vec::new(), Vec::new());
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let place = TestPlace::new(engine).await;
            let db = Db::open(&place.url).await.expect("a fresh database opens");
            found(&db).await;
            third_terminal(&db).await;
            places.push(place);
            databases.push(db);
        }
        let third = hufu_shared::ids::DeviceId([0xc1; 16]);
        let devices = [(TERMINAL_A, OFFICE_A), (TERMINAL_B, OFFICE_B), (third, OFFICE_B)];
        let terminals = devices.map(|(device, office)| (Terminal::start(device), office)).into();
        let reference = Reference::default();
        let (was_owed, was_held) = (false, false);
        Self { places, databases, terminals, reference, entries: 0, seconds: 0, was_owed, was_held }
    }

    /// Takes the same entry into both, and compares every account with the reference and with each other.
    async fn take(&mut self, body: EntryBody) -> Result<(), TestCaseError> {
        self.entries += 1;
        let id = EntryId((u128::from(u64::MAX) + self.entries).to_be_bytes());
        let expected = self.reference.accounts();
        for db in &self.databases {
            entry(db, id, NOON.offset(8 * 3_600 * SECOND_US), body.clone()).await;
            for table in ["balances", "sums"] {
                let met = accounts(db, table).await;
                prop_assert_eq!(&met, &expected, "{} after entry {}", table, self.entries);
            }
        }
        for ((account, _), amount) in &expected {
            let is_own = account.ends_with("/available") || account.starts_with("escrow/");
            prop_assert!(*amount > 0 || !is_own, "{} is {}", account, amount);
            self.was_owed |= account.ends_with("/owed");
            self.was_held |= account == "held";
        }
        Ok(())
    }

    async fn act(&mut self, act: Act) -> Result<(), TestCaseError> {
        let actor = Actor::Job("reference".to_owned());
        self.take(EntryBody::Act(TakenAct { actor, act, seen: Vec::new() })).await
    }

    async fn play(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::CheckIn { terminal, card } => self.check_in(terminal, card),
            Step::Buy { terminal, card, fifties } => self.buy(terminal, card, fifties * 5_000),
            Step::Sell { terminal, card, hundreds } => {
                let points = hundreds * POINTS_PER_STEP;
                let earned = Earned {
                    subject: subject(card),
                    purchase: Amount(hundreds * FEN_PER_STEP),
                    promised: vec![Leg { unit: Unit::Pts, amount: Amount(points) }],
                    slip: Some(self.next_slip(terminal)),
                    replaces: None,
                    repeats: None,
                    paid: None,
                };
                self.record(terminal, card, Event::Earned(earned), What::Purchase(points));
            }
            Step::Return { terminal, which, points } => {
                let is_value = |seen: &Seen| matches!(seen.what, What::Purchase(1..) | What::Spent(..));
                if let Some(sale) = self.nth(which, is_value) {
                    self.give_back(terminal, &sale, Leg { unit: Unit::Pts, amount: Amount(points) });
                }
            }
            Step::PayIn { terminal, card, hundreds } => {
                let fen = hundreds * FEN_PER_STEP;
                let topped = ToppedUp {
                    subject: subject(card),
                    amount: Amount(fen),
                    method: "cash".to_owned(),
                    slip: Some(self.next_slip(terminal)),
                };
                self.record(terminal, card, Event::ToppedUp(topped), What::PaidIn(fen));
            }
            Step::Undo { which, elsewhere } => {
                if let Some(paid) = self.nth(which, |seen| matches!(seen.what, What::PaidIn(_))) {
                    let What::PaidIn(fen) = paid.what else { return Ok(()) };
                    let at = self.terminals.iter().position(|(at, _)| at.device == paid.id.device);
                    let leg = Leg { unit: Unit::Cny, amount: Amount(fen) };
                    let at = at.expect("one of the terminals") + usize::from(elsewhere);
                    self.give_back(at % TERMINALS, &paid, leg);
                }
            }
            Step::AtDesk { which } => return self.at_desk(which).await,
            Step::Close { terminal } => self.close(terminal),
            Step::Grant { terminal, member: who, percent } => {
                return self.grant(terminal, who, percent).await;
            }
            Step::Spend { terminal, member: who, percent } => self.spend(terminal, who, percent),
            Step::Give { terminal, member: who } => self.give(terminal, who),
            Step::Redeem { member: who, percent } => return self.redeem(who, percent).await,
            Step::Upload { terminal } => {
                let device = self.terminals[terminal].0.device;
                for seen in &mut self.reference.seen {
                    seen.arrived |= seen.id.device == device;
                }
                let batch = self.terminals[terminal].0.batch();
                if !batch.bodies.is_empty() {
                    return self.take(EntryBody::Batch(batch)).await;
                }
            }
            Step::Decide { member: who, counts } => {
                // Only what stands in the inbox is decided: check-ins at several terminals.
                let check_ins: Vec<FactId> =
                    self.reference.check_ins(who).into_iter().map(|seen| seen.id).collect();
                if check_ins.len() > 1 {
                    return self.decide(who, &check_ins, counts).await;
                }
            }
            Step::Bind => {
                if !self.reference.bound {
                    self.reference.bound = true;
                    return self.act(Act::CardsSet(vec![card(LATE_CARD, Some(member(LATE_OWNER)))])).await;
                }
            }
        }
        Ok(())
    }

    fn next_slip(&self, terminal: usize) -> SlipKey {
        let (at, _) = &self.terminals[terminal];
        SlipKey { shop: format!("T{terminal}"), number: format!("{}", at.seq + 1), date: TODAY }
    }

    /// One of the facts so far that are of this kind.
    fn nth(&self, which: usize, is: impl Fn(&Seen) -> bool) -> Option<Seen> {
        let all: Vec<&Seen> = self.reference.seen.iter().filter(|seen| is(seen)).collect();
        all.get(which % all.len().max(1)).map(|seen| (*seen).clone())
    }

    /// A terminal records something, and the reference remembers it.
    fn record(&mut self, terminal: usize, card: u8, event: Event, what: What) {
        let (at, office) = &mut self.terminals[terminal];
        let id = at.record(self.seconds, Shown::Accepted, event);
        let (seconds, office) = (self.seconds, *office);
        self.reference.seen.push(Seen { id, seconds, office, card, what, arrived: false });
    }

    fn give_back(&mut self, terminal: usize, original: &Seen, leg: Leg) {
        let reversed =
            Reversed { original: original.id, legs: vec![leg], reason: "goods".to_owned(), slip: None };
        let what = What::Returned(original.id, leg.amount.0);
        self.record(terminal, original.card, Event::Reversed(reversed), what);
    }

    /// What was taken in since the last count is counted, and it agrees.
    fn close(&mut self, terminal: usize) {
        let (at, _) = &self.terminals[terminal];
        let facts: Vec<_> = at.queue.clone();
        let totals = totals::of(&facts).expect("small numbers");
        let closed =
            DayClosed { day: TODAY, from_seq: 1, to_seq: at.seq, totals, unattended: false, counted: None };
        self.record(terminal, 0, Event::DayClosed(closed), What::Counted);
    }

    /// The centre sets nothing aside that a member has not, and nothing while the member owes.
    async fn grant(&mut self, terminal: usize, who: u8, percent: i64) -> Result<(), TestCaseError> {
        let key = (purse(member(who)), "PTS".to_owned());
        let points = self.reference.accounts().get(&key).copied().unwrap_or(0) * percent / 100;
        if points <= 0 {
            return Ok(());
        }
        let generation = self.reference.generation(terminal, who);
        let granted = self.reference.granted.entry((terminal, who, generation)).or_default();
        *granted += points;
        let cause = if *granted == points { LeaseCause::Granted } else { LeaseCause::Raised };
        let set = LeaseSet {
            lease: lease(terminal, who),
            generation,
            device: self.terminals[terminal].0.device,
            member: member(who),
            unit: Unit::Pts,
            granted_total: Amount(*granted),
            terms: LeaseTerms { ttl_s: 604_800, reboot_cost_s: 7_200, reboots_max: 3 },
            version: Version { epoch: 1, n: u64::try_from(self.entries).expect("few") + 1 },
            cause,
        };
        self.act(Act::LeaseSet(set)).await
    }

    /// What a terminal holds open for a member, and has spent of it; none once it has given it back.
    fn holds(&self, terminal: usize, who: u8) -> Option<(u32, i64, i64)> {
        let of_lease = self.reference.seen.iter().filter(|seen| seen.card == who);
        let gave = of_lease.filter(|seen| matches!(seen.what, What::Gave(at, _) if at == terminal)).count();
        let generation = 1 + u32::try_from(gave).expect("few");
        let granted = self.reference.granted.get(&(terminal, who, generation))?;
        Some((generation, *granted, self.reference.spent(terminal, who, generation, true)))
    }

    fn spend(&mut self, terminal: usize, who: u8, percent: i64) {
        let Some((generation, granted, before)) = self.holds(terminal, who) else { return };
        let points = (granted - before) * percent / 100;
        if points <= 0 {
            return;
        }
        let used = LeaseUse {
            lease: lease(terminal, who),
            generation,
            spent_total: Amount(before + points),
            state: Version { epoch: 1, n: 1 },
        };
        let spent = Spent {
            subject: subject(who),
            legs: vec![Leg { unit: Unit::Pts, amount: Amount(points) }],
            funding: vec![Funding::Lease(used)],
            slip: Some(self.next_slip(terminal)),
            item: None,
            paid_out: None,
        };
        self.record(terminal, who, Event::Spent(spent), What::Spent(terminal, points));
    }

    fn give(&mut self, terminal: usize, who: u8) {
        let Some((generation, _, spent)) = self.holds(terminal, who) else { return };
        let closed = LeaseClosed { lease: lease(terminal, who), generation, spent_total: Amount(spent) };
        self.record(terminal, who, Event::LeaseClosed(closed), What::Gave(terminal, generation));
    }

    /// The desk lets nobody redeem more than there is.
    async fn redeem(&mut self, who: u8, percent: i64) -> Result<(), TestCaseError> {
        let key = (purse(member(who)), "PTS".to_owned());
        let points = self.reference.accounts().get(&key).copied().unwrap_or(0) * percent / 100;
        if points <= 0 {
            return Ok(());
        }
        *self.reference.redeemed.entry(who).or_default() += points;
        let moved = ValueMoved {
            id: Hash::of(&[&self.entries.to_be_bytes()]),
            from: ValueEnd::Member(member(who)),
            to: ValueEnd::Redeemed(OFFICE_A),
            leg: Leg { unit: Unit::Pts, amount: Amount(points) },
            office: OFFICE_A,
            reason: Hash([0; 32]),
            of: None,
        };
        self.act(Act::ValueMoved(moved)).await
    }

    /// The desk sees what has arrived and is not held, and takes back what is left of it.
    async fn at_desk(&mut self, which: usize) -> Result<(), TestCaseError> {
        let reference = &self.reference;
        let is_open = |seen: &Seen| {
            let is_free = match seen.what {
                What::PaidIn(_) => reference.is_free(seen),
                What::Spent(..) => true,
                _ => false,
            };
            is_free && seen.arrived && !reference.at_desk.contains_key(&seen.id)
        };
        let Some(seen) = self.nth(which, is_open) else { return Ok(()) };
        let Some(who) = reference.owner(seen.card) else { return Ok(()) };
        let own = ValueEnd::Member(member(who));
        let (from, to, unit, gave) = match seen.what {
            What::PaidIn(fen) => (own, ValueEnd::Cash(seen.office), Unit::Cny, fen),
            What::Spent(_, points) => (ValueEnd::Redeemed(seen.office), own, Unit::Pts, points),
            _ => return Ok(()),
        };
        let left = reference.kept(seen.id, gave);
        if left <= 0 {
            return Ok(());
        }
        self.reference.at_desk.insert(seen.id, left);
        let moved = ValueMoved {
            id: Hash::of(&[&self.entries.to_be_bytes()]),
            from,
            to,
            leg: Leg { unit, amount: Amount(left) },
            office: seen.office,
            reason: Hash([0; 32]),
            of: Some(seen.id),
        };
        self.act(Act::ValueMoved(moved)).await
    }

    /// What a terminal does: the second time at the same door is a repeat, and promises nothing.
    fn check_in(&mut self, terminal: usize, card: u8) {
        let (at, office) = &mut self.terminals[terminal];
        let mut earlier =
            self.reference.seen.iter().filter(|seen| {
                seen.id.device == at.device && seen.card == card && seen.what == What::CheckIn
            });
        let repeats = earlier.next().map(|seen| seen.id.seq);
        let points = Leg { unit: Unit::Pts, amount: Amount(SALON_POINTS) };
        let attended = Attended {
            subject: subject(card),
            occurrence: SALON,
            promised: if repeats.is_none() { vec![points] } else { Vec::new() },
            repeats,
            gate: None,
            way: Way::In,
            companions: None,
        };
        let shown = if repeats.is_none() { Shown::Accepted } else { Shown::AlreadyIn };
        let id = at.record(self.seconds, shown, Event::Attended(attended));
        let what = if repeats.is_none() { What::CheckIn } else { What::Repeat };
        let (seconds, office) = (self.seconds, *office);
        self.reference.seen.push(Seen { id, seconds, office, card, what, arrived: false });
    }

    fn buy(&mut self, terminal: usize, card: u8, fen: i64) {
        let points = fen / FEN_PER_STEP * POINTS_PER_STEP;
        let (at, office) = &mut self.terminals[terminal];
        // Two amounts that earn the same are two purchases: the amount is looked up in the terminal's own facts.
        let same = |id: FactId| {
            let fact = &at.queue[usize::try_from(id.seq - 1).expect("small")];
            matches!(&fact.event, Event::Earned(earned) if earned.slip.is_none() && earned.purchase.0 == fen)
        };
        let opened = self.reference.seen.iter().rfind(|seen| {
            seen.id.device == at.device
                && seen.card == card
                && matches!(seen.what, What::Purchase(_))
                && same(seen.id)
        });
        let repeats = opened.filter(|seen| self.seconds - seen.seconds <= WINDOW_S).map(|seen| seen.id.seq);
        let is_promised = repeats.is_none() && points > 0;
        let promised = is_promised.then_some(Leg { unit: Unit::Pts, amount: Amount(points) });
        let earned = Earned {
            subject: subject(card),
            purchase: Amount(fen),
            promised: promised.into_iter().collect(),
            slip: None,
            replaces: None,
            repeats,
            paid: None,
        };
        let shown = if repeats.is_none() { Shown::Accepted } else { Shown::AlreadyIn };
        let id = at.record(self.seconds, shown, Event::Earned(earned));
        let what = if repeats.is_none() { What::Purchase(points) } else { What::Repeat };
        let (seconds, office) = (self.seconds, *office);
        self.reference.seen.push(Seen { id, seconds, office, card, what, arrived: false });
    }

    /// One of the check-ins counts and the others do not, or none of them does.
    async fn decide(&mut self, who: u8, check_ins: &[FactId], counts: usize) -> Result<(), TestCaseError> {
        let pins = check_ins.iter().enumerate().map(|(at, fact)| {
            self.reference.counts.insert(*fact, at == counts);
            let outcome = if at == counts { PinOutcome::Counts } else { PinOutcome::DoesNotCount };
            Pin { fact: *fact, outcome }
        });
        let decided = CaseDecided {
            case: case_id(27, &[&member(who).0, &SALON.0]),
            verdict: Verdict::Reverse,
            pins: pins.collect(),
            reason: Hash([0; 32]),
        };
        self.act(Act::CaseDecided(decided)).await
    }

    /// Both databases hold the same rows.
    async fn equal(&self) -> Result<(), TestCaseError> {
        for (table, keys) in dump::TABLES.iter().copied() {
            let mut dumps = Vec::new();
            for db in &self.databases {
                let rows: Result<_, StoreError> = db.write(move |tx| dump::table(tx, table, keys)).await;
                dumps.push(rows.expect("a dump"));
            }
            prop_assert_eq!(&dumps[0], &dumps[1], "{} differs between the databases", table);
        }
        Ok(())
    }

    async fn clear(self) {
        for (db, place) in self.databases.into_iter().zip(self.places) {
            db.close().await;
            place.remove().await;
        }
    }
}

async fn accounts(db: &Db, statement: &'static str) -> Accounts {
    let read: Result<_, StoreError> = db.read(move |tx| Ok(tx.query(SQL.get(statement), &[])?)).await;
    let text = |row: &crate::db::Row, at| row.text(at).expect("text").to_owned();
    let rows = read.expect("accounts");
    let mut accounts = Accounts::new();
    for row in &rows {
        let amount = row.int_opt(2).expect("a number").unwrap_or(0);
        let name = text(row, 0);
        // What is held has an account for each cause; how much is held over all is what counts here.
        let name = if name.starts_with("held/") { "held".to_owned() } else { name };
        *accounts.entry((name, text(row, 1))).or_default() += amount;
    }
    accounts
}

async fn day(steps: Vec<(Step, i64)>) -> Result<BTreeSet<&'static str>, TestCaseError> {
    let mut stage = Stage::set().await;
    let mut met = BTreeSet::new();
    for (step, pause) in steps {
        stage.seconds += pause;
        stage.play(step).await?;
    }
    for terminal in 0..TERMINALS {
        stage.play(Step::Upload { terminal }).await?;
    }
    stage.equal().await?;
    let reference = &stage.reference;
    let is_seen = |is: fn(&What) -> bool| reference.seen.iter().any(|seen| is(&seen.what));
    let repeats = reference.seen.iter().any(|seen| seen.what == What::Repeat);
    for (what, is_met) in [
        ("a repeat", repeats),
        ("a verdict", !reference.counts.is_empty()),
        ("a bound card", reference.bound && reference.of(LATE_OWNER).next().is_some()),
        ("a return", is_seen(|what| matches!(what, What::Returned(..)))),
        ("money held", stage.was_held),
        ("a debt", stage.was_owed),
        ("the desk", !reference.at_desk.is_empty()),
        ("a spend", is_seen(|what| matches!(what, What::Spent(..)))),
        ("a lease given back", is_seen(|what| matches!(what, What::Gave(..)))),
        ("points redeemed", !reference.redeemed.is_empty()),
        ("two terminals", (1..=MEMBERS).any(|who| reference.check_ins(who).len() > 1)),
    ] {
        if is_met {
            met.insert(what);
        }
    }
    stage.clear().await;
    Ok(met)
}

/// Plays days; what they met. A failing one is printed whole, with the steps that matter.
pub(super) fn play(days: u32, rng: TestRng) -> BTreeSet<&'static str> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let met = RefCell::new(BTreeSet::new());
    let config =
        Config { cases: days, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let played = TestRunner::new_with_rng(config, rng).run(&steps(), |steps| {
        met.borrow_mut().extend(runtime.block_on(day(steps))?);
        Ok(())
    });
    played.unwrap_or_else(|error| panic!("{error}"));
    met.into_inner()
}
