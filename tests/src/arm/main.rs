//! `arm`: the terminal's program of another processor, used as at a counter beside a centre of this machine.
//!
//! It is enrolled, started, asked how it is, given a stripe through a pty, and its display's picture is compared pixel by
//! pixel with one drawn here. Building it and the drivers' own tests are `tests/long.sh arm`'s part. An emulator says
//! nothing about speed, so nothing is measured.

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use hufu_hardware::layout::{Icon, Screen, Shade};
use hufu_tests::kit::pty::SerialCable;
use hufu_tests::story::centre::Centre;
use hufu_tests::story::cli;
use hufu_tests::story::club::{self, Cast, OFFICE_A, POINTS};
use hufu_tests::story::panel;
use hufu_tests::story::stage::ms;
use hufu_tests::story::terminal::{Terminal, Wishes};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An emulator is slow.
const LIMIT_MS: u64 = 180_000;
/// A result stays on the display for some seconds.
const DISPLAY_LIMIT_MS: u64 = 30_000;
const DISPLAY: (u32, u32) = (320, 240);

/// Plays a check-in with a given `hufu-edge`.
#[derive(Debug, Parser)]
#[command(name = "arm")]
struct Arguments {
    /// The program, or a script that runs it in an emulator.
    #[arg(long)]
    edge: PathBuf,
}

fn main() -> Result<()> {
    let Arguments { edge } = Arguments::parse();
    let version = cli::must(Command::new(&edge).arg("--version"))?;
    ensure!(version.trim() == format!("hufu-edge {}", env!("CARGO_PKG_VERSION")), "it is {version}");
    println!("arm: {}", version.trim());
    let folder = tempfile::Builder::new().prefix("hufu-arm-").tempdir()?;
    let done = play(folder.path(), &edge);
    if done.is_err() {
        let _ = folder.keep();
    }
    done
}

fn play(folder: &Path, edge: &Path) -> Result<()> {
    let cast = Cast::new();
    let mut centre = Centre::found(&folder.join("central"), None, &[])?;
    centre.import("offices", &club::offices_csv())?;
    centre.import("members", &cast.members_csv())?;
    centre.import("cards", &cast.cards_csv())?;
    centre.import("activities", &club::activities_csv())?;
    centre.serve()?;
    let mut cable = SerialCable::plug_in(&folder.join("stripe"))?;
    let wishes = Wishes {
        name: "A1".to_owned(),
        office: OFFICE_A.to_owned(),
        readers: format!("[[reader]]\nkind = \"serial\"\nport = {:?}\n", cable.path()),
        display: format!("{}x{}", DISPLAY.0, DISPLAY.1),
        program: Some(edge.to_owned()),
        ..Wishes::default()
    };
    let mut terminal = Terminal::enrol(&folder.join("a"), &centre, &wishes)?;
    terminal.run()?;
    println!("arm: enrolled over TLS, and it runs");
    terminal.counter.wait("directory with an activity", ms(LIMIT_MS), |state| {
        state["activities"].as_array()?.iter().any(|row| row["running"] == true).then_some(())
    })?;
    terminal.wait_online(true, ms(LIMIT_MS))?;
    terminal.counter.wait("working reader", ms(LIMIT_MS), |state| {
        state["readers"].as_array()?.iter().any(|reader| reader["up"] == true).then_some(())
    })?;
    terminal.counter.check_in_to_what_runs()?;
    for command in ["readers", "doctor"] {
        let said = cli::must(terminal.command()?.arg(command))?;
        println!("arm: {command}\n{}", said.trim_end());
    }
    swipe(&terminal, &mut cable, &cast)?;
    terminal.wait_drained(ms(LIMIT_MS))?;
    let attended = centre.engine.count("SELECT count(*) FROM fact WHERE event = 'attended'")?;
    ensure!(attended == 1, "one check-in stands in the books, met {attended}");
    terminal.stop()?;
    println!("arm: the check-in is in the centre's books, and it stopped in good order");
    cli::must(centre.command()?.arg("verify")).context("`hufu-central verify` found something").map(drop)
}

/// A stripe in pieces, as slow lines deliver it; what the guest sees is what this machine draws.
fn swipe(terminal: &Terminal, cable: &mut SerialCable, cast: &Cast) -> Result<()> {
    let before = terminal.counter.result_n()?;
    let track = format!("{}\r\n", cast.traveller.track()?);
    let (start, end) = track.as_bytes().split_at(9);
    cable.write_pieces(&[start, end], ms(50))?;
    let result = terminal.counter.wait_result(before, ms(LIMIT_MS))?;
    ensure!(result["outcome"]["kind"] == "accepted", "it showed {result}");
    let screen = Screen {
        shade: Shade::Green,
        icon: Some(Icon::Check),
        title: "签到成功".to_owned(),
        lines: vec!["禤先生，欢迎您！".to_owned(), format!("本次 +{POINTS}"), "可用积分 0".to_owned()],
        footer: None,
    };
    panel::wait_until_shown(&terminal.picture(), DISPLAY, &screen, ms(DISPLAY_LIMIT_MS))?;
    println!("arm: a stripe over a pty was accepted, and its display shows what is drawn here");
    Ok(())
}
