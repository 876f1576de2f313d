//! Everything that the story is played with: a centre, two terminals, a smart-card service, a stripe reader's cable.

use super::centre::Centre;
use super::check::Side;
use super::club::{self, Cast, OFFICE_A, OFFICE_B};
use super::model::{Model, Place};
use super::terminal::{Terminal, Wishes};
use crate::kit::clock;
use crate::kit::pcscd::Pcscd;
use crate::kit::pty::SerialCable;
use crate::kit::vcard::VirtualCard;
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Size of the display at A.
pub const DISPLAY_A: (u32, u32) = (240, 240);
/// How long a swipe may take to show at the counter; a card is seen when the service polls its slots.
const SWIPE_LIMIT_MS: u64 = 20_000;
/// How long a terminal may take to have its first directory.
const DIRECTORY_LIMIT_MS: u64 = 60_000;
/// How long a reader may take to come or go.
const READER_LIMIT_MS: u64 = 60_000;

/// The whole stage.
#[derive(Debug)]
pub struct Stage {
    /// Where configurations, data and logs lie.
    pub folder: PathBuf,
    /// The terminal with a chip reader.
    pub a: Terminal,
    /// The terminal with a stripe reader.
    pub b: Terminal,
    /// The centre.
    pub centre: Centre,
    /// The stripe reader's cable at B.
    pub stripe: SerialCable,
    /// The smart-card service at A.
    pub pcscd: Pcscd,
    /// What the books must say.
    pub model: Model,
}

impl Stage {
    /// Founds the club, fills it from CSV, serves it, and enrols and starts both terminals.
    ///
    /// # Errors
    /// When any of it fails.
    pub fn build(folder: &Path, postgres: Option<&str>, cast: &Cast) -> Result<Self> {
        let pcscd = Pcscd::start(1).context("failed to start the smart-card service")?;
        let stripe = SerialCable::plug_in(&folder.join("stripe"))?;
        let mut centre = Centre::found(&folder.join("central"), postgres, &[])?;
        centre.import("offices", &club::offices_csv())?;
        centre.import("members", &cast.members_csv())?;
        centre.import("cards", &cast.cards_csv())?;
        centre.import("activities", &club::activities_csv())?;
        centre.serve()?;
        let wishes = Wishes {
            name: "A1".to_owned(),
            office: OFFICE_A.to_owned(),
            readers: format!("[[reader]]\nkind = \"pcsc\"\nname_contains = {:?}\n", pcscd.reader_name(0)),
            display: format!("{}x{}", DISPLAY_A.0, DISPLAY_A.1),
            namespace: pcscd.namespace().map(|pid| pid.as_raw_nonzero().get()),
            ..Wishes::default()
        };
        let mut a = Terminal::enrol(&folder.join("a"), &centre, &wishes)?;
        let wishes = Wishes {
            name: "B1".to_owned(),
            office: OFFICE_B.to_owned(),
            readers: format!("[[reader]]\nkind = \"serial\"\nport = {:?}\n", stripe.path()),
            display: "128x64 mono".to_owned(),
            ..Wishes::default()
        };
        let mut b = Terminal::enrol(&folder.join("b"), &centre, &wishes)?;
        for terminal in [&mut a, &mut b] {
            terminal.run()?;
        }
        let stage = Self { folder: folder.to_owned(), a, b, centre, stripe, pcscd, model: Model::default() };
        for terminal in [&stage.a, &stage.b] {
            terminal.counter.wait("directory with an activity", ms(DIRECTORY_LIMIT_MS), |state| {
                let runs = state["activities"].as_array()?.iter().any(|row| row["running"] == true);
                runs.then_some(())
            })?;
            terminal.wait_online(true, ms(DIRECTORY_LIMIT_MS))?;
            terminal.counter.check_in_to_what_runs()?;
        }
        stage.wait_reader(Place::A, true)?;
        stage.wait_reader(Place::B, true)?;
        Ok(stage)
    }

    /// A terminal.
    #[must_use]
    pub fn at(&self, place: Place) -> &Terminal {
        match place {
            Place::A => &self.a,
            Place::B => &self.b,
        }
    }

    /// Waits until the terminal's reader works, or no longer does.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn wait_reader(&self, place: Place, up: bool) -> Result<()> {
        let what = if up { "working reader" } else { "loss of the reader" };
        self.at(place).counter.wait(what, ms(READER_LIMIT_MS), |state| {
            let readers = state["readers"].as_array()?;
            (!readers.is_empty() && readers.iter().all(|reader| reader["up"] == up)).then_some(())
        })
    }

    /// Holds a chip card to A's reader until the counter shows what it came to.
    ///
    /// # Errors
    /// When nothing new is shown in time.
    pub fn tap(&self, uid: &[u8]) -> Result<Value> {
        let before = self.a.counter.result_n()?;
        let card = VirtualCard::mifare(uid).insert(self.pcscd.port(0))?;
        let result = self.a.counter.wait_result(before, ms(SWIPE_LIMIT_MS))?;
        card.remove()?;
        Ok(result)
    }

    /// As [`Stage::tap`], and what it came to must be `outcome`.
    ///
    /// # Errors
    /// When it came to something else.
    pub fn tap_for(&self, uid: &[u8], outcome: &str) -> Result<Value> {
        expect(self.tap(uid)?, outcome, "A")
    }

    /// Draws a stripe through B's reader.
    ///
    /// # Errors
    /// When the cable is unplugged.
    pub fn draw(&mut self, track: &str) -> Result<()> {
        self.stripe.write(format!("{track}\r\n").as_bytes())
    }

    /// As [`Stage::draw`], and what it came to must be `outcome`.
    ///
    /// # Errors
    /// When it came to something else.
    pub fn draw_for(&mut self, track: &str, outcome: &str) -> Result<Value> {
        let before = self.b.counter.result_n()?;
        self.draw(track)?;
        expect(self.b.counter.wait_result(before, ms(SWIPE_LIMIT_MS))?, outcome, "B")
    }

    /// Waits until the journal at a place holds `facts` facts more than `before`.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn wait_facts(&self, place: Place, before: u64, facts: u64, limit: Duration) -> Result<()> {
        let mut met = 0;
        let come = clock::poll(limit, || {
            met = self.at(place).journal().ok()?.last_seq().saturating_sub(before);
            (met >= facts).then_some(())
        });
        come.with_context(|| format!("{place:?}: {met} of {facts} facts came within {limit:?}"))
    }

    /// Both terminals' side of the books.
    ///
    /// # Errors
    /// When a journal cannot be read.
    pub fn sides(&self, closings: u64) -> Result<[Side; 2]> {
        let side = |place: Place| -> Result<Side> {
            let terminal = self.at(place);
            Ok(Side { place, journal: terminal.journal()?, starts: terminal.starts, closings })
        };
        Ok([side(Place::A)?, side(Place::B)?])
    }
}

fn expect(result: Value, outcome: &str, place: &str) -> Result<Value> {
    if result["outcome"]["kind"] != outcome {
        bail!("{place} showed {} where {outcome} was expected: {result}", result["outcome"]);
    }
    Ok(result)
}

/// Milliseconds as a duration.
#[must_use]
pub fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
