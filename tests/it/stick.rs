//! A queue that reaches the centre by other ways than the line it was made for: by stick, and after a new enrolment.

use anyhow::{Context as _, Result, ensure};
use hufu_tests::story::check::{Side, compare_facts};
use hufu_tests::story::cli::{must, run};
use hufu_tests::story::club::OFFICE_A;
use hufu_tests::story::model::Place;
use hufu_tests::story::stage::ms;
use serde_json::Value;

use super::bad_input::{CENTRAL_FAILED, LIMIT_MS, club, told, with_queue};

/// What `import-queue --json` says.
fn imported(said: &str) -> Result<(u64, u64, u64)> {
    let value: Value = serde_json::from_str(said.lines().last().unwrap_or_default())?;
    let number = |key: &str| value[key].as_u64().with_context(|| format!("no {key} in {said}"));
    Ok((number("new")?, number("known")?, number("acked_seq")?))
}

#[test]
fn a_queue_by_stick_is_taken_once_and_sending_on_straddles_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let centre = club(&folder.path().join("central"))?;
    let mut terminal = with_queue(folder.path(), "A1", &centre)?;
    let before = terminal.journal()?;
    let waiting = before.last_seq() - before.acked_seq;
    let stick = folder.path().join("queue.hufu");
    must(terminal.command()?.args(["queue", "export"]).arg(&stick))?;
    let said: Value = serde_json::from_str(&must(terminal.command()?.args(["status", "--json"]))?)?;
    ensure!(said["journal"]["handed_over"] == before.last_seq(), "{said}");
    ensure!(terminal.journal()?.acked_seq == before.acked_seq, "an export is no receipt");
    // A file that somebody touched, or another file, is named and takes nothing in.
    let held = centre.engine.count("SELECT count(*) FROM fact")?;
    let mut bytes = std::fs::read(&stick)?;
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let touched = folder.path().join("touched.hufu");
    std::fs::write(&touched, &bytes)?;
    let said = run(centre.command()?.arg("import-queue").arg(&touched))?;
    told(&said, CENTRAL_FAILED, &["touched.hufu", "damaged, or sealed to another key"])?;
    let said = run(centre.command()?.arg("import-queue").arg(centre.config()))?;
    told(&said, CENTRAL_FAILED, &["a queue exported by a terminal expected"])?;
    ensure!(centre.engine.count("SELECT count(*) FROM fact")? == held, "the centre took something");
    // Once, and once more: the second time nothing is new.
    let import = || must(centre.command()?.args(["import-queue", "--json"]).arg(&stick));
    ensure!(imported(&import()?)? == (waiting, 0, before.last_seq()), "the queue is taken in");
    ensure!(imported(&import()?)? == (0, waiting, before.last_seq()), "the same stick changes nothing");
    ensure!(centre.engine.count("SELECT count(*) FROM fact")? == held + waiting, "each fact once");
    // The terminal knows of no receipt: it sends from where it stood, over the centre's cursor, and more behind it.
    terminal.run()?;
    terminal.cable.mend();
    terminal.wait_drained(ms(4 * LIMIT_MS))?;
    let journal = terminal.journal()?;
    ensure!(journal.last_seq() > before.last_seq(), "the new start is a fact of its own");
    let side = Side { place: Place::A, journal, starts: 0, closings: 0 };
    let differences = compare_facts(&[side], &centre.engine)?;
    ensure!(differences.is_empty(), "{differences:?}");
    let said: Value = serde_json::from_str(&must(terminal.command()?.args(["status", "--json"]))?)?;
    ensure!(said["journal"]["handed_over"].is_null(), "everything has its receipt: {said}");
    Ok(())
}

#[test]
fn kind_22_a_terminal_enrolled_again_delivers_its_old_queue_for_review() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let centre = club(&folder.path().join("central"))?;
    let mut terminal = with_queue(folder.path(), "A1", &centre)?;
    let old = terminal.journal()?;
    let device = old.device.to_string();
    let invite = ["device", "invite", "--office", OFFICE_A, "--name", "A1", "--device", &device];
    let code = must(centre.command()?.args(invite))?;
    terminal.cable.mend();
    let url = format!("https://127.0.0.1:{}", terminal.cable.port());
    let enrol = ["enrol", "--replace", "--central", &url, "--code", code.trim()];
    let said = must(terminal.command()?.args(enrol))?;
    ensure!(said.contains("旁存日志"), "what was not sent is named: {said}");
    terminal.run()?;
    terminal.wait_drained(ms(4 * LIMIT_MS))?;
    let waiting = old.last_seq() - old.acked_seq;
    let in_review = "SELECT count(*) FROM fact WHERE epoch = 1 AND became = 'quarantined' AND kind = 22";
    centre.wait_count(in_review, waiting, ms(LIMIT_MS))?;
    let posted = centre.engine.count("SELECT count(*) FROM posting")?;
    let release = ["device", "release", &device, "--epoch", "1", "--reason", "seen with the shift's list"];
    let said = must(centre.command()?.args(release))?;
    ensure!(said.contains(&format!("released {waiting} facts")), "{said}");
    ensure!(centre.engine.count(in_review)? == 0, "nothing waits any more");
    ensure!(centre.engine.count("SELECT count(*) FROM posting")? > posted, "the swipe counts now");
    must(centre.command()?.arg("verify")).map(drop)
}
