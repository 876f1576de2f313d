//! P5: what the release build of the terminal's program keeps in memory with a million members, beside a real centre.
//!
//! It takes the whole directory over the line, then 10,000 look-ups and 1,000 visits by stripe, one change of the
//! directory, all with a counter page open that fetches each change, and uploads what it recorded.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hufu_tests::kit::clock;
use hufu_tests::kit::process::tree_root;
use hufu_tests::kit::pty::SerialCable;
use hufu_tests::story::centre::Centre;
use hufu_tests::story::club::{OFFICE_A, activities_csv, offices_csv};
use hufu_tests::story::terminal::{Terminal, Wishes};
use serde_json::json;

/// Members with a card each.
const MEMBERS: usize = 1_000_000;
/// Rows of one file that the centre takes at once.
const FILE_ROWS: usize = 250_000;
const LOOK_UPS: usize = 10_000;
const VISITS: usize = 1_000;
/// Stripes that are sent down the line before the counter is looked at.
const STEP: usize = 20;
/// P5.
const GOAL_KIB: u64 = 32 * 1_024;
/// The directory of a million members is made, carried and installed.
const DIRECTORY_LIMIT: Duration = Duration::from_secs(900);
const LIMIT: Duration = Duration::from_secs(120);

/// Measures and prints; whether the goal is met.
pub fn perf_p05_a_million_members_in_memory() -> bool {
    match attempt() {
        Ok(most_kib) => {
            let verdict = if most_kib <= GOAL_KIB { "reached" } else { "MISSED" };
            println!(
                "memory: P5 VmRSS of hufu-edge with {MEMBERS} members: {:.1} MiB, goal <= {} MiB: {verdict} ({:.2} of it)",
                most_kib as f64 / 1_024.0,
                GOAL_KIB / 1_024,
                most_kib as f64 / GOAL_KIB as f64
            );
            most_kib <= GOAL_KIB
        }
        Err(error) => {
            println!("memory: NOT measured: {error:#}");
            false
        }
    }
}

fn attempt() -> Result<u64> {
    build()?;
    let folder = tempfile::tempdir()?;
    let mut centre = Centre::found(&folder.path().join("central"), None, &[])?;
    let begun = clock::now();
    found_club(&centre)?;
    println!("memory: the centre took {MEMBERS} members and cards in {} s", begun.elapsed().as_secs());
    centre.serve()?;
    let mut cable = SerialCable::plug_in(&folder.path().join("stripe"))?;
    let wishes = Wishes {
        name: "A1".to_owned(),
        office: OFFICE_A.to_owned(),
        readers: format!("[[reader]]\nkind = \"serial\"\nport = {:?}\n", cable.path()),
        display: "320x240".to_owned(),
        ..Wishes::default()
    };
    let mut terminal = Terminal::enrol(&folder.path().join("a"), &centre, &wishes)?;
    terminal.run()?;
    let begun = clock::now();
    terminal.counter.wait("directory", DIRECTORY_LIMIT, |state| {
        state["activities"].as_array().filter(|rows| !rows.is_empty()).map(drop)
    })?;
    println!("memory: the directory is installed after {} s: {}", begun.elapsed().as_secs(), rss(&terminal)?);
    open_page(terminal.counter.url())?;
    swipe(&terminal, &mut cable, "look_up", LOOK_UPS)?;
    println!("memory: after {LOOK_UPS} look-ups: {}", rss(&terminal)?);
    change_directory(&mut centre, &terminal, &mut cable)?;
    println!("memory: after a change of the directory: {}", rss(&terminal)?);
    swipe(&terminal, &mut cable, "visit", VISITS)?;
    let busy = rss(&terminal)?;
    println!("memory: after {VISITS} visits: {busy}");
    terminal.wait_drained(DIRECTORY_LIMIT)?;
    let drained = rss(&terminal)?;
    println!("memory: when all is uploaded: {drained}");
    Ok(busy.kib.max(drained.kib))
}

/// The programs as they ship, beside this bench.
fn build() -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--release", "--quiet", "--locked", "-p", "hufu-edge", "-p", "hufu-central"];
    let built = Command::new(cargo).args(arguments).current_dir(tree_root()).status();
    ensure!(built.context("failed to start cargo")?.success(), "the programs could not be built");
    Ok(())
}

fn number(n: usize) -> String {
    format!("66880001{n:08}")
}

/// Members `from` to below `to`, as files that the centre takes.
fn import(centre: &Centre, from: usize, to: usize) -> Result<()> {
    let (mut members, mut cards) =
        ("会员编号,姓名,性别\n".to_owned(), "卡号,芯片号,会员编号,状态\n".to_owned());
    for n in from..to {
        let surname = ["王", "欧阳", "刘", "禤", "司徒"][n % 5];
        // Some fifty of a name, as in a large club.
        let han =
            |n: usize| u32::try_from(n % 128).ok().and_then(|n| char::from_u32(0x4e00 + n)).unwrap_or('文');
        let given = [han(n / 5), han(n / 5 / 128)];
        let sex = if n % 2 == 0 { "女" } else { "男" };
        writeln!(members, "M{n:07},{surname}{}{},{sex}", given[0], given[1])?;
        writeln!(cards, "{},,M{n:07},在用", number(n))?;
    }
    centre.import("members", &members)?;
    centre.import("cards", &cards)
}

fn found_club(centre: &Centre) -> Result<()> {
    centre.import("offices", &offices_csv())?;
    centre.import("activities", &activities_csv())?;
    for from in (0..MEMBERS).step_by(FILE_ROWS) {
        import(centre, from, MEMBERS.min(from + FILE_ROWS))?;
    }
    Ok(())
}

/// Draws stripes of members from all over the directory.
fn swipe(terminal: &Terminal, cable: &mut SerialCable, mode: &str, count: usize) -> Result<()> {
    terminal.counter.set_mode(&json!({ "mode": mode }))?;
    for from in (0..count).step_by(STEP) {
        let before = terminal.counter.result_n()?;
        for n in from..from + STEP {
            // A prime step: neighbours in time are no neighbours in the directory.
            let track = format!(";{}=3012?\r\n", number(n * 48_271 % MEMBERS));
            cable.write(track.as_bytes())?;
        }
        let wanted = before + u64::try_from(STEP)?;
        terminal
            .counter
            .wait("all results", LIMIT, |state| (state["result"]["n"].as_u64()? >= wanted).then_some(()))?;
    }
    let state = terminal.counter.state()?;
    let kind = &state["result"]["outcome"]["kind"];
    ensure!(kind == "accepted", "members of the club are known, it showed {state}");
    Ok(())
}

/// One member more at the centre; waits until the terminal knows the card.
fn change_directory(centre: &mut Centre, terminal: &Terminal, cable: &mut SerialCable) -> Result<()> {
    centre.stop()?;
    import(centre, MEMBERS, MEMBERS + 1)?;
    centre.serve()?;
    let known = clock::poll(DIRECTORY_LIMIT, || {
        // Longer than what counts as one presentation.
        std::thread::sleep(Duration::from_secs(3));
        let before = terminal.counter.result_n().ok()?;
        cable.write(format!(";{}=3012?\r\n", number(MEMBERS)).as_bytes()).ok()?;
        let result = terminal.counter.wait_result(before, LIMIT).ok()?;
        (result["outcome"]["kind"] == "accepted").then_some(())
    });
    known.context("the new member's card stayed unknown")
}

/// Keeps a counter page open as a browser does: it listens, and fetches the panel at each word. It ends with the terminal.
fn open_page(url: &str) -> Result<()> {
    let address = url.trim_start_matches("http://").to_owned();
    let ask = |address: &str, path: &str, end: &str| -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect(address)?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{end}\r\n")?;
        Ok(stream)
    };
    let close = "Connection: close\r\n";
    let mut page = String::new();
    ask(&address, "/", close)?.read_to_string(&mut page)?;
    ensure!(page.starts_with("HTTP/1.1 200"), "the page answered {page}");
    let mut live = ask(&address, "/live", "")?;
    std::thread::spawn(move || {
        let mut word = [0; 4_096];
        while let Ok(1..) = live.read(&mut word) {
            let fetched = ask(&address, "/panel", close);
            drop(fetched.and_then(|mut stream| stream.read_to_end(&mut Vec::new())));
        }
    });
    Ok(())
}

/// Memory of a process as the kernel counts it.
struct Resident {
    kib: u64,
    /// Of it what no file lies behind.
    own_kib: u64,
}

impl std::fmt::Display for Resident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "VmRSS {:.1} MiB, of it {:.1} its own",
            self.kib as f64 / 1_024.0,
            self.own_kib as f64 / 1_024.0
        )
    }
}

fn rss(terminal: &Terminal) -> Result<Resident> {
    let pid = terminal.pid().context("the terminal does not run")?.as_raw_nonzero();
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
    let figure = |name: &str| -> Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        kib.with_context(|| format!("no {name} in /proc"))
    };
    Ok(Resident { kib: figure("VmRSS:")?, own_kib: figure("RssAnon:")? })
}
