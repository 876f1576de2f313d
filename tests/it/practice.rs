//! Practice and the set-up check at a real terminal with a real centre: what is practised stays nowhere, what is tried
//! is no swipe, and the verdict follows what was met.

use anyhow::{Context as _, Result, ensure};
use hufu_hardware::fake::printer::{Piece, read};
use hufu_tests::desk::cards::Kind;
use hufu_tests::desk::lines::LineDevice;
use hufu_tests::desk::wiring::Line;
use hufu_tests::kit::clock;
use hufu_tests::story::centre::Centre;
use hufu_tests::story::club::{self, Cast, OFFICE_A};
use hufu_tests::story::stage::ms;
use hufu_tests::story::terminal::{Terminal, Wishes};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

const LIMIT_MS: u64 = 60_000;
/// Long enough for anything that is queued to be uploaded.
const UPLOAD_MS: u64 = 4_000;

/// A terminal with a stripe reader, a printer and two displays, and its centre.
struct Counter {
    terminal: Terminal,
    stripe: LineDevice,
    printer: LineDevice,
    centre: Centre,
    cast: Cast,
    _folder: TempDir,
}

impl Counter {
    fn open() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let cast = Cast::new();
        let mut centre = Centre::found(&folder.path().join("central"), None, &[])?;
        centre.import("offices", &club::offices_csv())?;
        centre.import("members", &cast.members_csv())?;
        centre.import("cards", &cast.cards_csv())?;
        centre.import("activities", &club::activities_csv())?;
        centre.serve()?;
        let at = |name: &str| folder.path().join(name);
        let stripe = LineDevice::attach(Line::Reader(Kind::Stripe), &at("stripe"))?;
        let printer = LineDevice::attach(Line::Printer, &at("printer"))?;
        let wishes = Wishes {
            name: "A1".to_owned(),
            office: OFFICE_A.to_owned(),
            readers: format!(
                "[[reader]]\nkind = \"serial\"\nport = {:?}\n[printer]\nkind = \"serial\"\nport = {:?}\n",
                at("stripe"),
                at("printer")
            ),
            display: "128x64 mono".to_owned(),
            ..Wishes::default()
        };
        let mut terminal = Terminal::enrol(&at("a"), &centre, &wishes)?;
        terminal.run()?;
        terminal.counter.wait("activity and reader", ms(LIMIT_MS), |state| {
            let runs = state["activities"].as_array()?.iter().any(|row| row["running"] == true);
            (runs && state["readers"][0]["up"] == true).then_some(())
        })?;
        terminal.counter.check_in_to_what_runs()?;
        Ok(Self { terminal, stripe, printer, centre, cast, _folder: folder })
    }

    fn state(&self) -> Result<Value> {
        self.terminal.counter.state()
    }

    fn practise(&self, begin: bool) -> Result<()> {
        self.terminal.counter.send("/practice", &json!({ "act": if begin { "begin" } else { "end" } }))?;
        self.terminal
            .counter
            .wait("practice", ms(LIMIT_MS), |state| (state["practice"] == begin).then_some(()))
    }

    /// Draws the traveller's stripe; the outcome.
    fn draw(&self) -> Result<Value> {
        let before = self.terminal.counter.result_n()?;
        self.stripe.write(format!("{}\r\n", self.cast.traveller.track()?).as_bytes())?;
        let result = self.terminal.counter.wait_result(before, ms(LIMIT_MS))?;
        Ok(result["outcome"]["kind"].clone())
    }

    fn last_seq(&self) -> Result<u64> {
        Ok(self.terminal.journal()?.last_seq())
    }

    fn at_centre(&self) -> Result<i64> {
        Ok(i64::try_from(self.centre.engine.count("SELECT count(*) FROM fact")?)?)
    }

    fn points(&self) -> Result<i64> {
        let number = self.cast.buyer.card.as_deref().context("no number to type")?;
        self.terminal.counter.set_mode(&json!({ "mode": "look_up" }))?;
        let before = self.terminal.counter.result_n()?;
        self.terminal.counter.type_and_confirm(number)?;
        let result = self.terminal.counter.wait_result(before, ms(LIMIT_MS))?;
        result["person"]["points"].as_i64().with_context(|| format!("no figure in {result}"))
    }

    fn page(&self, path: &str) -> Result<String> {
        self.terminal.counter.page(path)
    }

    fn printed(&self) -> Result<String> {
        let roll = self.printer.roll().context("a printer has a roll")?;
        let pieces = read(&roll.printed()).ok().context("half a slip is out")?;
        let text = |piece: &Piece| match piece {
            Piece::Text { text, .. } => text.clone(),
            _ => String::new(),
        };
        Ok(pieces.iter().map(text).collect::<Vec<_>>().join("\n"))
    }

    fn wait_printed(&self, words: &str) -> Result<()> {
        let printed = clock::poll(ms(LIMIT_MS), || self.printed().ok().filter(|text| text.contains(words)));
        printed.map(drop).with_context(|| format!("`{words}` is not on the paper: {:?}", self.printed()))
    }

    fn try_it(&self, act: &str) -> Result<()> {
        self.terminal.counter.send("/setup", &json!({ "act": act })).map(drop)
    }

    fn wait_part(&self, part: &str, standing: &str) -> Result<()> {
        let wanted = json!([part, standing]);
        self.terminal.counter.wait(&format!("{part} that {standing}"), ms(LIMIT_MS), |state| {
            state["setup"]["parts"].as_array()?.contains(&wanted).then_some(())
        })
    }
}

fn practice_file(folder: &Path) -> bool {
    folder.join("practice.db").exists()
}

#[test]
fn practice_leaves_nothing_in_the_queue_at_the_centre_or_with_members() -> Result<()> {
    let mut desk = Counter::open()?;
    let number = desk.cast.buyer.card.clone().context("no number to type")?;
    let points = desk.points()?;
    desk.terminal.wait_drained(ms(LIMIT_MS))?;
    desk.terminal.counter.check_in_to_what_runs()?;
    let (journal, centre) = (desk.last_seq()?, desk.at_centre()?);

    desk.practise(true)?;
    ensure!(practice_file(&desk.terminal.data_dir()), "practice has no file of its own");
    ensure!(desk.draw()? == "accepted", "it answers as always");
    desk.terminal.counter.earn("10000")?;
    desk.terminal.counter.type_and_confirm(&number)?;
    let slip = json!({ "mode": "top_up", "amount": "500", "method": "cash", "slip": "P-1" });
    desk.terminal.counter.set_mode(&slip)?;
    desk.terminal.counter.type_and_confirm(&number)?;
    desk.wait_printed("练习，不作数")?;
    for path in ["/", "/status", "/shift", "/walkin", "/today", "/practice", "/setup", "/lookup", "/help"] {
        let page = desk.page(path)?;
        ensure!(
            page.contains("practice\"") && page.contains("结束练习"),
            "{path} does not say practice: {page}"
        );
    }
    std::thread::sleep(ms(UPLOAD_MS));
    ensure!(desk.state()?["link"]["queue_len"] == 0, "something is queued: {}", desk.state()?["link"]);
    ensure!(desk.last_seq()? == journal, "the journal grew in practice");
    ensure!(desk.at_centre()? == centre, "the centre heard of practice");

    // Power goes in the middle of it: the terminal starts where the books stand.
    desk.terminal.kill()?;
    desk.terminal.run()?;
    ensure!(desk.state()?["practice"] == false, "practice outlived its program");
    ensure!(!practice_file(&desk.terminal.data_dir()), "what was practised is still there");
    desk.practise(true)?;
    desk.terminal
        .counter
        .wait("reader", ms(LIMIT_MS), |state| (state["readers"][0]["up"] == true).then_some(()))?;
    ensure!(desk.draw()? == "accepted", "the first practice left the check-in behind");
    desk.practise(false)?;
    ensure!(!practice_file(&desk.terminal.data_dir()), "what was practised is still there");
    ensure!(desk.last_seq()? == journal + 1, "only the start was recorded");
    ensure!(desk.points()? == points, "practice changed the member's points");
    ensure!(!desk.page("/")?.contains("结束练习"), "the page still says practice");
    desk.terminal.counter.check_in_to_what_runs()?;
    std::thread::sleep(ms(2_000));
    ensure!(desk.draw()? == "accepted", "the swipe in practice counted as the first");
    desk.terminal.wait_drained(ms(LIMIT_MS))?;
    let value = "SELECT count(*) FROM fact WHERE event IN ('earned', 'topped_up')";
    ensure!(desk.centre.engine.count(value)? == 0, "value was practised into the books");
    let attended = desk.centre.engine.count("SELECT count(*) FROM fact WHERE event = 'attended'")?;
    ensure!(attended == 1, "one check-in was real, the centre has {attended}");
    Ok(())
}

#[test]
fn setup_tries_each_part_for_real_and_ends_in_one_verdict() -> Result<()> {
    let mut desk = Counter::open()?;
    desk.terminal.wait_drained(ms(LIMIT_MS))?;
    let journal = desk.last_seq()?;
    let before = desk.page("/setup")?;
    ensure!(before.contains("本机还不能上岗") && !before.contains("本机可以上岗"), "{before}");

    desk.try_it("central")?;
    desk.wait_part("central", "works")?;
    desk.try_it("reader")?;
    desk.stripe.write(format!("{}\r\n", desk.cast.traveller.track()?).as_bytes())?;
    desk.wait_part("reader", "works")?;
    let page = desk.page("/setup")?;
    let card = desk.cast.traveller.card.clone().context("no card")?;
    ensure!(page.contains("读到磁条卡") && page.contains(&card[card.len() - 4..]), "{page}");
    ensure!(!page.contains(&card), "the whole number stands on the page");
    desk.try_it("display")?;
    desk.try_it("yes:display")?;
    desk.try_it("sound:refused")?;
    desk.try_it("yes:sound")?;
    desk.try_it("printer")?;
    desk.wait_printed("测试小票")?;
    desk.terminal.counter.wait("question about the slip", ms(LIMIT_MS), |state| {
        (state["setup"]["doing"] == "printed").then_some(())
    })?;
    ensure!(!desk.page("/setup")?.contains("本机可以上岗"), "nobody has read the slip yet");
    desk.try_it("yes:printer")?;
    ensure!(desk.page("/setup")?.contains("本机可以上岗"), "{}", desk.page("/setup")?);
    ensure!(desk.last_seq()? == journal, "trying recorded a fact");

    desk.terminal.kill()?;
    desk.terminal.run()?;
    ensure!(desk.page("/setup")?.contains("本机可以上岗"), "the results did not survive a power cut");
    desk.terminal.cable.cut();
    desk.try_it("central")?;
    desk.wait_part("central", "fails")?;
    let page = desk.page("/setup")?;
    ensure!(page.contains("还缺：中心连接") && page.contains("中心没有应答"), "{page}");
    desk.printer.plug(false)?;
    desk.try_it("printer")?;
    desk.terminal.counter.wait("hindrance", ms(LIMIT_MS), |state| {
        state["setup"]["doing"]["slip"]["hindered"].as_str().map(drop)
    })?;
    desk.try_it("stop")?;
    Ok(())
}
