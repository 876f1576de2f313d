//! One terminal that is killed again and again: the real daemon over its real files, a stripe reader and a stack light
//! on ptys, staff at its counter page, and a cable to a real centre that comes and goes.

use super::audit::{Books, Found};
use super::cast::{self, Card};
use super::dice::Dice;
use super::page::Page;
use super::seen::{Seen, Verdict};
use crate::kit::clock;
use crate::kit::pty::SerialCable;
use crate::story::books::Engine;
use crate::story::centre::Centre;
use crate::story::check::Side;
use crate::story::model::Place;
use crate::story::terminal::{Terminal, Wishes};
use anyhow::{Context as _, Result, ensure};
use hufu_shared::cbor;
use hufu_shared::ids::{DeviceId, MemberId};
use hufu_shared::member::CardRow;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a start may take until the page answers and the reader works, in milliseconds.
const READY_LIMIT_MS: u64 = 30_000;
/// How long the queue may take to drain at the end, in milliseconds.
const DRAIN_LIMIT_MS: u64 = 120_000;
/// A run that came up is killed within this, in microseconds.
const WORK_US: u64 = 160_000;
/// What a start is thought to take before one was measured, in microseconds.
const START_US: u64 = 60_000;
/// Facts of earlier runs that staff settle in a row.
const SETTLED_AT_ONCE: usize = 4;
/// How long the harness looks for the answer to a card before it goes on, in milliseconds.
const LOOK_MS: u64 = 60;
/// Pause between two looks at the page, in microseconds.
const LOOK_PAUSE_US: u64 = 1_500;
/// The smallest purchase, in fen; each is another, so that each can be found again.
const PURCHASE_FEN_MIN: i64 = 10_000;

/// The killed terminal and everything that is known of it.
#[derive(Debug)]
pub struct Lane {
    /// Its files and its cable.
    pub terminal: Terminal,
    page: Page,
    reader: SerialCable,
    light: SerialCable,
    device: DeviceId,
    /// Whether the cable is whole.
    cabled: bool,
    engine: Engine,
    books: Books,
    scratch: PathBuf,
    deck: Vec<Card>,
    dice: Dice,
    purchase: i64,
    /// What a start took so far, in microseconds; kills during starts are spread over it.
    start_us: u64,
}

/// When a run was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before its start was recorded.
    BeforeBoot,
    /// Before its page answered.
    Starting,
    /// While it worked.
    Working,
}

/// A run from start to kill.
#[derive(Debug)]
pub struct Killed {
    /// When.
    pub phase: Phase,
    /// What was presented and seen.
    pub seen: Seen,
    /// What the journal has of it.
    pub found: Found,
    /// Whether its cable was whole at the end.
    pub cabled: bool,
}

/// The running daemon; killed when dropped.
struct Victim {
    child: Child,
    killed: Arc<AtomicBool>,
    killer: Option<JoinHandle<()>>,
}

impl Victim {
    /// Kills it after this time.
    fn doom(&mut self, after: Duration) {
        let (pid, killed) = (Pid::from_child(&self.child), Arc::clone(&self.killed));
        self.killer = Some(std::thread::spawn(move || {
            std::thread::sleep(after);
            killed.store(true, Ordering::SeqCst);
            // It is not reaped before this thread has ended, so the number is still its own.
            let _ = kill_process(pid, Signal::KILL);
        }));
    }

    fn is_doomed(&self) -> bool {
        self.killed.load(Ordering::SeqCst)
    }

    /// Waits for the kill; it must have been the kill that ended it.
    fn bury(mut self, log: &Path) -> Result<()> {
        if let Some(killer) = self.killer.take() {
            ensure!(killer.join().is_ok(), "the killer's thread panicked");
        }
        let status = self.child.wait().context("failed to wait for the terminal")?;
        let said = || std::fs::read_to_string(log).unwrap_or_default();
        ensure!(status.signal() == Some(9), "the terminal ended by itself: {status:?}\n{}", said());
        Ok(())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if let Some(killer) = self.killer.take() {
            let _ = killer.join();
        }
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Lane {
    /// Enrols a terminal at a serving centre, lets it fetch its directory, and stops it.
    ///
    /// # Errors
    /// When any of it fails.
    pub fn enrol(folder: &Path, centre: &Centre, lane: usize, seed: u64) -> Result<Self> {
        std::fs::create_dir_all(folder).context("failed to make the lane's folder")?;
        let reader = SerialCable::plug_in(&folder.join("stripe"))?;
        let light = SerialCable::plug_in(&folder.join("light"))?;
        let wishes = Wishes {
            name: format!("K{lane}"),
            office: cast::office(lane).to_owned(),
            readers: format!(
                "[[reader]]\nkind = \"serial\"\nport = {:?}\n[signal]\nport = {:?}\nbaud = 9600\n",
                reader.path(),
                light.path()
            ),
            ..Wishes::default()
        };
        let mut terminal = Terminal::enrol(&folder.join("terminal"), centre, &wishes)?;
        terminal.run()?;
        let limit = Duration::from_millis(READY_LIMIT_MS);
        terminal.counter.wait("directory with an activity", limit, |state| {
            state["activities"].as_array()?.iter().any(|row| row["running"] == true).then_some(())
        })?;
        terminal.counter.check_in_to_what_runs()?;
        terminal.wait_drained(limit)?;
        terminal.stop()?;
        let scratch = folder.join("scratch");
        std::fs::create_dir_all(&scratch).context("failed to make the scratch folder")?;
        let device = terminal.journal()?.device;
        let (first_key, _) = enrolment(&centre.engine, device)?;
        let books = Books::open(&terminal.data_dir(), &scratch, tails(&terminal.data_dir())?, first_key)?;
        Ok(Self {
            page: Page::at(terminal.counter.url())?,
            reader,
            light,
            device,
            cabled: true,
            engine: centre.engine.clone(),
            books,
            scratch,
            deck: cast::deck(lane),
            dice: Dice::new(seed),
            purchase: PURCHASE_FEN_MIN,
            start_us: START_US,
            terminal,
        })
    }

    /// Starts the terminal, works it, kills it, and checks what is left.
    ///
    /// # Errors
    /// When something shown is lost or doubled, or a file is not sound.
    pub fn kill_once(&mut self) -> Result<Killed> {
        // What an earlier run did not read is no longer in the line.
        self.reader.replug()?;
        self.light.replug()?;
        self.page.renew()?;
        self.dice.shuffle(&mut self.deck);
        let cabled = self.dice.percent(70);
        self.plug(cabled);
        let mut seen = Seen::default();
        let log = self.terminal.folder.join("edge.log");
        let started = clock::now();
        let mut victim = self.spawn(&log)?;
        if self.dice.percent(25) {
            let after = self.dice.below(self.start_us * 11 / 10);
            victim.doom(Duration::from_micros(after));
        } else if self.is_ready(&mut victim, &mut seen)? {
            let took = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.start_us = (self.start_us * 7 + took) / 8;
            victim.doom(Duration::from_micros(self.dice.below(WORK_US)));
            self.work(&victim, &mut seen)?;
        }
        let up = seen.listed.is_some();
        victim.bury(&log)?;
        seen.light(&self.light.take()?);
        let found = self.books.after_kill(&self.terminal.data_dir(), &self.scratch, &seen)?;
        self.receipts_are_kept()?;
        let phase = match (found.booted, up) {
            (false, _) => Phase::BeforeBoot,
            (true, false) => Phase::Starting,
            (true, true) => Phase::Working,
        };
        Ok(Killed { phase, seen, found, cabled: self.cabled })
    }

    fn spawn(&self, log: &Path) -> Result<Victim> {
        let out = File::create(log).context("failed to make the terminal's log")?;
        let mut command = self.terminal.command()?;
        command.arg("run").stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = command.spawn().context("failed to start the terminal")?;
        Ok(Victim { child, killed: Arc::new(AtomicBool::new(false)), killer: None })
    }

    /// Waits until the page answers and the reader works.
    fn is_ready(&mut self, victim: &mut Victim, seen: &mut Seen) -> Result<bool> {
        let end = clock::now() + Duration::from_millis(READY_LIMIT_MS);
        loop {
            if let Some(view) = self.page.view() {
                seen.look(&view)?;
                let up = |reader: &Value| reader["up"] == true;
                if view["readers"].as_array().is_some_and(|readers| readers.iter().all(up)) {
                    return Ok(true);
                }
            }
            let ended = victim.child.try_wait().context("failed to look at the terminal")?;
            ensure!(ended.is_none(), "the terminal ended by itself: {ended:?}");
            ensure!(clock::now() < end, "the terminal was not ready within {READY_LIMIT_MS} ms");
            std::thread::sleep(Duration::from_micros(LOOK_PAUSE_US));
        }
    }

    /// Members and staff at work, until the kill.
    fn work(&mut self, victim: &Victim, seen: &mut Seen) -> Result<()> {
        let mut deck = self.deck.clone().into_iter();
        while !victim.is_doomed() {
            let Some(card) = deck.next() else { return Ok(()) };
            match self.dice.below(100) {
                0..40 => self.draw(&[card], seen)?,
                40..52 => {
                    let more: Vec<Card> = deck.by_ref().take(3).chain([card]).collect();
                    self.draw(&more, seen)?;
                    continue;
                }
                52..55 => self.draw(&[Card::stranger()], seen)?,
                55..75 => {
                    self.purchase += 1;
                    seen.purchases.insert(self.purchase);
                    let fen = self.purchase;
                    let amount = format!("{}.{:02}", fen / 100, fen % 100);
                    let _ = self.page.order("/mode", &json!({ "mode": "earn", "amount": amount }));
                    self.draw(&[card], seen)?;
                }
                75..84 => self.type_in(&card, seen)?,
                84..87 => {
                    let mode = if self.dice.percent(50) { "visit" } else { "back" };
                    let _ = self.page.order("/mode", &json!({ "mode": mode }));
                }
                87..89 => self.check_in()?,
                89..98 => {
                    for _ in 0..SETTLED_AT_ONCE {
                        self.settle(seen)?;
                    }
                }
                _ => self.trouble(),
            }
            self.look(victim, seen)?;
        }
        Ok(())
    }

    fn draw(&mut self, cards: &[Card], seen: &mut Seen) -> Result<()> {
        let mut tracks = String::new();
        for card in cards {
            seen.draw(card);
            tracks.push_str(&card.track());
        }
        self.reader.write(tracks.as_bytes())
    }

    fn type_in(&mut self, card: &Card, seen: &mut Seen) -> Result<()> {
        let Some((200, view)) = self.page.order("/typed", &json!({ "number": card.number })) else {
            return Ok(());
        };
        let Some(n) = view["candidate"]["n"].as_u64() else { return Ok(()) };
        seen.draw(card);
        seen.typed.insert(card.tail().to_owned());
        let answer = self.page.order("/typed/verdict", &json!({ "n": n, "verdict": "yes" }));
        if let Some((200, view)) = answer {
            if !card.lost {
                seen.confirmed.insert(card.tail().to_owned());
            }
            seen.look(&view)?;
        }
        Ok(())
    }

    fn check_in(&self) -> Result<()> {
        let Some(view) = self.page.view() else { return Ok(()) };
        let mut rows = view["activities"].as_array().context("no list of activities")?.iter();
        if let Some(id) = rows.find(|row| row["running"] == true).map(|row| row["occurrence"].clone()) {
            let _ = self.page.order("/mode", &json!({ "mode": id }));
        }
        Ok(())
    }

    /// Staff say what happened with a fact of the run before.
    fn settle(&mut self, seen: &mut Seen) -> Result<()> {
        let listed = seen.listed.iter().flatten();
        let Some(seq) = listed.copied().find(|seq| !seen.verdicts.contains_key(seq)) else { return Ok(()) };
        let (verdict, word) = if self.dice.percent(50) {
            (Verdict::Undo, "undo")
        } else {
            (Verdict::HandedOver, "handed_over")
        };
        seen.verdicts.insert(seq, (verdict, false));
        let answer = self.page.order("/unshown", &json!({ "seq": seq, "verdict": word }));
        if let Some((status, view)) = answer {
            ensure!(status == 200, "the page declined `{word}` for fact {seq}: {status}");
            seen.verdicts.insert(seq, (verdict, true));
            seen.look(&view)?;
        }
        Ok(())
    }

    /// The network: the cable goes or comes, or an answer is lost.
    fn trouble(&mut self) {
        match self.dice.below(3) {
            0 => self.plug(false),
            1 => self.plug(true),
            _ => self.terminal.cable.lose_answers(1),
        }
    }

    fn plug(&mut self, whole: bool) {
        if whole {
            self.terminal.cable.mend()
        } else {
            self.terminal.cable.cut()
        }
        self.cabled = whole;
    }

    /// Looks at the page until it says something new, for a while.
    fn look(&self, victim: &Victim, seen: &mut Seen) -> Result<()> {
        let end = clock::now() + Duration::from_millis(LOOK_MS);
        while !victim.is_doomed() && clock::now() < end {
            let Some(view) = self.page.view() else { return Ok(()) };
            if seen.look(&view)? {
                return Ok(());
            }
            std::thread::sleep(Duration::from_micros(LOOK_PAUSE_US));
        }
        Ok(())
    }

    /// Lets the terminal drain its queue and stop in good order.
    ///
    /// # Errors
    /// When it does not.
    pub fn drain(&mut self) -> Result<Side> {
        self.reader.replug()?;
        self.light.replug()?;
        self.plug(true);
        self.terminal.run()?;
        self.terminal.wait_drained(Duration::from_millis(DRAIN_LIMIT_MS))?;
        self.terminal.stop()?;
        let journal = self.terminal.journal()?;
        Ok(Side { place: Place::A, journal, starts: self.terminal.starts, closings: 0 })
    }

    /// What the terminal holds a receipt for, the centre has (invariant I6).
    fn receipts_are_kept(&self) -> Result<()> {
        let (_, cursor) = enrolment(&self.engine, self.device)?;
        let acked = self.books.acked();
        ensure!(acked <= cursor, "the terminal holds a receipt up to fact {acked}, the centre has {cursor}");
        Ok(())
    }
}

/// The key that a device enrolled with, and how far the centre took its facts in.
fn enrolment(engine: &Engine, device: DeviceId) -> Result<(Vec<u8>, u64)> {
    for row in engine.rows("SELECT device, first_key, acked_seq FROM device_epoch")? {
        if row[0].bytes()? == device.0 {
            return Ok((row[1].bytes()?.to_vec(), row[2].count()?));
        }
    }
    anyhow::bail!("the centre knows no enrolment of {device}")
}

/// Whose cards are whose, from the terminal's directory.
fn tails(data: &Path) -> Result<BTreeMap<MemberId, String>> {
    let directory = rusqlite::Connection::open_with_flags(
        data.join("directory.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )?;
    let mut statement = directory.prepare("SELECT row FROM cards")?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?.collect::<Result<Vec<_>, _>>()?;
    let mut tails = BTreeMap::new();
    for row in rows {
        let card: CardRow = cbor::decode(&row).context("a card of the directory cannot be read")?;
        if let Some(member) = card.member {
            tails.insert(member, card.tail);
        }
    }
    Ok(tails)
}
