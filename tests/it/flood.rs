//! A reader that has gone mad: its noise must fill neither the log nor the disk, and cards are still taken.

use anyhow::{Context as _, Result, ensure};
use hufu_tests::kit::pty::SerialCable;
use hufu_tests::story::centre::Centre;
use hufu_tests::story::club::{self, Cast, OFFICE_A};
use hufu_tests::story::stage::ms;
use hufu_tests::story::terminal::{Terminal, Wishes};
use std::path::Path;

/// Frames with a stripe that nobody can read, a hundred at a time.
const ROUNDS: usize = 100;
/// Times that the line goes away and comes back.
const OUTAGES: usize = 12;
/// What the log may grow by: the noise itself is a hundred times as much.
const LOG_BYTES_MAX: u64 = 32 * 1024;
/// What the data folder may grow by.
const DATA_BYTES_MAX: u64 = 1024 * 1024;

fn bytes_in(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        sum += if entry.path().is_dir() { bytes_in(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}

#[test]
fn case_89_a_reader_that_floods_fills_neither_log_nor_disk() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cast = Cast::new();
    let mut centre = Centre::found(&folder.path().join("central"), None, &[])?;
    for (kind, csv) in
        [("offices", club::offices_csv()), ("members", cast.members_csv()), ("cards", cast.cards_csv())]
    {
        centre.import(kind, &csv)?;
    }
    centre.serve()?;
    let mut stripe = SerialCable::plug_in(&folder.path().join("stripe"))?;
    let wishes = Wishes {
        name: "A1".to_owned(),
        office: OFFICE_A.to_owned(),
        readers: format!("[[reader]]\nkind = \"serial\"\nport = {:?}\n", stripe.path()),
        ..Wishes::default()
    };
    let mut terminal = Terminal::enrol(&folder.path().join("a"), &centre, &wishes)?;
    terminal.run()?;
    let up = |terminal: &Terminal| {
        terminal.counter.wait("working reader", ms(60_000), |state| {
            (state["office"]["zh"] != "" && state["readers"][0]["up"] == true).then_some(())
        })
    };
    up(&terminal)?;
    let log = terminal.folder.join("edge.log");
    let (log_before, data_before) = (std::fs::metadata(&log)?.len(), bytes_in(&terminal.data_dir())?);
    let noise = b";66880001\x00\xff0000000=3012?7\r\n".repeat(100);
    for _ in 0..ROUNDS {
        stripe.write(&noise)?;
    }
    for _ in 0..OUTAGES {
        stripe.unplug()?;
        std::thread::sleep(ms(150));
        stripe.replug()?;
        std::thread::sleep(ms(150));
    }
    up(&terminal)?;
    let before = terminal.counter.result_n()?;
    let track = cast.buyer.track()?;
    stripe.write(format!("{track}\r\n").as_bytes())?;
    let result = terminal.counter.wait("the card after the noise", ms(60_000), |state| {
        let result = &state["result"];
        let is_card = result["person"].is_object() && result["n"].as_u64()? > before;
        is_card.then(|| result.clone())
    })?;
    ensure!(result["outcome"]["kind"] == "accepted", "{result}");
    let log_grew = std::fs::metadata(&log)?.len() - log_before;
    let data_grew = bytes_in(&terminal.data_dir())?.saturating_sub(data_before);
    let sent = noise.len() * ROUNDS;
    println!(
        "{sent} bytes of noise, {OUTAGES} outages: the log grew by {log_grew} bytes, the data by {data_grew}"
    );
    ensure!(log_grew <= LOG_BYTES_MAX, "the log grew by {log_grew} bytes");
    ensure!(data_grew <= DATA_BYTES_MAX, "the data folder grew by {data_grew} bytes");
    let text = std::fs::read_to_string(&log).context("the log is text")?;
    ensure!(!text.contains("66880001"), "what a reader sent stands in the log");
    Ok(())
}
