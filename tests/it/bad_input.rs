//! Bad input, with the programs as they ship: each is told clearly what was met, and nothing is lost.
//!
//! Crates test the same faults from inside; here only what a person or another machine sees from outside.

use anyhow::{Context as _, Result, ensure};
use hufu_edge::sync::identity::Identity;
use hufu_shared::chain::{self, BatchClaim};
use hufu_shared::fact::Event;
use hufu_shared::ids::{ClubId, Hash};
use hufu_shared::wire::problem::Problem;
use hufu_shared::wire::upload::{Attempt, BatchHeader, Carried, Upload};
use hufu_shared::wire::version::PROTO;
use hufu_tests::kit::http::{block_on, use_ring};
use hufu_tests::kit::process::program;
use hufu_tests::kit::pty::SerialCable;
use hufu_tests::story::centre::Centre;
use hufu_tests::story::check::{Side, compare_facts};
use hufu_tests::story::cli::{Said, run};
use hufu_tests::story::club::{OFFICE_A, activities_csv, offices_csv};
use hufu_tests::story::model::Place;
use hufu_tests::story::stage::ms;
use hufu_tests::story::terminal::{Terminal, Wishes};
use reqwest::StatusCode;
use rusqlite::Connection;
use std::path::Path;
use std::process::Command;

pub(super) const LIMIT_MS: u64 = 60_000;
const CARD: &str = "6688000100000042";
const EDGE_CONFIG: i32 = 3;
const EDGE_NOT_ENROLLED: i32 = 4;
const EDGE_STORE: i32 = 6;
const EDGE_CENTRE: i32 = 7;
const EDGE_UNWELL: i32 = 8;
pub(super) const CENTRAL_FAILED: i32 = 1;
const CENTRAL_BAD_ROWS: i32 = 3;
const CENTRAL_CONFIG: i32 = 78;

/// A small club that serves: one member with a stripe.
pub(super) fn club(folder: &Path) -> Result<Centre> {
    let mut centre = Centre::found(folder, None, &[])?;
    centre.import("offices", &offices_csv())?;
    centre.import("members", "number,name,sex\nM000001,欧阳堃玥,女\n")?;
    centre.import("cards", &format!("card,uid,member,status\n{CARD},,M000001,active\n"))?;
    centre.import("activities", &activities_csv())?;
    centre.serve()?;
    Ok(centre)
}

/// A running terminal with a stripe reader that is plugged in, or not.
fn terminal(folder: &Path, name: &str, centre: &Centre, port: &Path) -> Result<Terminal> {
    let wishes = Wishes {
        name: name.to_owned(),
        office: OFFICE_A.to_owned(),
        readers: format!("[[reader]]\nkind = \"serial\"\nport = {port:?}\n"),
        ..Wishes::default()
    };
    let mut terminal = Terminal::enrol(folder, centre, &wishes)?;
    terminal.run()?;
    terminal.counter.wait("directory with an activity", ms(LIMIT_MS), |state| {
        state["activities"].as_array()?.iter().any(|row| row["running"] == true).then_some(())
    })?;
    terminal.counter.check_in_to_what_runs()?;
    Ok(terminal)
}

fn wait_reader(terminal: &Terminal, up: bool) -> Result<()> {
    terminal.counter.wait("change of its reader", ms(LIMIT_MS), |state| {
        state["readers"].as_array()?.iter().all(|reader| reader["up"] == up).then_some(())
    })
}

fn swipe(terminal: &Terminal, stripe: &mut SerialCable) -> Result<()> {
    let before = terminal.counter.result_n()?;
    stripe.write(format!(";{CARD}?\r\n").as_bytes())?;
    terminal.counter.wait_result(before, ms(LIMIT_MS)).map(drop)
}

/// The command ended with `code` and its error says each of `parts`.
pub(super) fn told(said: &Said, code: i32, parts: &[&str]) -> Result<()> {
    ensure!(said.code == code, "exit code {} instead of {code}: {}{}", said.code, said.out, said.err);
    for part in parts {
        ensure!(said.err.contains(part), "`{part}` is not in: {}", said.err);
    }
    Ok(())
}

/// Runs a program on a configuration text.
fn configured(name: &str, text: &str, argument: &str, environment: &[(&str, &str)]) -> Result<Said> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("config.toml");
    if !text.is_empty() {
        std::fs::write(&path, text)?;
    }
    let mut command = Command::new(program(name)?);
    run(command.arg("--config").arg(&path).arg(argument).envs(environment.iter().copied()))
}

#[test]
fn bad_input_a_terminals_configuration_is_named_by_line_and_key() -> Result<()> {
    let good = "[terminal]\ndata_dir = \"/nowhere\"\n[central]\nurl = \"https://127.0.0.1:1\"\n";
    let cases: [(String, &[(&str, &str)], &[&str]); 6] = [
        (String::new(), &[], &["read configuration", "config.toml"]),
        (format!("{good}[counter]\ncolour = \"red\"\n"), &[], &["line 6", "`colour`"]),
        ("[terminal]\ndata_dir = \"/nowhere\"\n".to_owned(), &[], &["missing field `central`"]),
        (good.replace("https", "http"), &[], &["central.url", "expected https://host:port"]),
        (format!("{good}[[reader]]\nkind = \"nfc\"\n"), &[], &["reader[0].kind", "\"nfc\""]),
        (good.to_owned(), &[("HUFU_EDGE__COUNTER__LISTEN", "here")], &["counter.listen", "here"]),
    ];
    for (text, environment, parts) in cases {
        told(&configured("hufu-edge", &text, "run", environment)?, EDGE_CONFIG, parts)?;
    }
    Ok(())
}

#[test]
fn bad_input_the_centres_configuration_is_named_by_line_and_key() -> Result<()> {
    let cases: [(&str, &[(&str, &str)], &[&str]); 5] = [
        ("", &[], &["read the configuration", "config.toml"]),
        ("[data]\ndirectory = \"/x\"\n", &[], &["line 2", "`directory`"]),
        ("[device]\nlisten = \"port 7\"\n", &[], &["line 2", "socket address"]),
        ("[console]\nembed_origins = [\"intranet\"]\n", &[], &["console.embed_origins", "intranet"]),
        ("[data]\n", &[("HUFU_CENTRAL__LIMITS__UPLOADS", "3")], &["HUFU_CENTRAL__LIMITS__UPLOADS"]),
    ];
    for (text, environment, parts) in cases {
        told(&configured("hufu-central", text, "serve", environment)?, CENTRAL_CONFIG, parts)?;
    }
    Ok(())
}

#[test]
fn bad_input_a_reader_that_is_not_there_is_shown_and_taken_up_when_it_comes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let centre = club(&folder.path().join("central"))?;
    let port = folder.path().join("stripe");
    let terminal = terminal(&folder.path().join("a"), "A1", &centre, &port)?;
    wait_reader(&terminal, false)?;
    let state = terminal.counter.state()?;
    let reason = state["readers"][0]["reason"].as_str().context("no reason")?;
    ensure!(!reason.is_empty(), "nobody says what is wrong with the reader: {state}");
    let doctor = run(terminal.command()?.arg("doctor"))?;
    ensure!(doctor.code == EDGE_UNWELL, "`doctor` ended with {}: {}", doctor.code, doctor.out);
    ensure!(doctor.out.contains("stripe"), "`doctor` does not name the port: {}", doctor.out);
    let mut stripe = SerialCable::plug_in(&port)?;
    wait_reader(&terminal, true)?;
    swipe(&terminal, &mut stripe)?;
    let attended = terminal.journal()?.facts.iter().any(|fact| matches!(fact.fact.event, Event::Attended(_)));
    ensure!(attended, "the reader came, but its card was not recorded");
    Ok(())
}

#[test]
fn bad_input_a_directory_of_another_club_is_refused_and_the_own_one_fetched_when_it_is_gone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (own, other) = (club(&folder.path().join("own"))?, club(&folder.path().join("other"))?);
    let mut stripes = Vec::new();
    let mut terminals = Vec::new();
    for (name, centre) in [("a", &own), ("b", &other)] {
        let port = folder.path().join(format!("stripe-{name}"));
        let mut stripe = SerialCable::plug_in(&port)?;
        let mut terminal = terminal(&folder.path().join(name), name, centre, &port)?;
        wait_reader(&terminal, true)?;
        swipe(&terminal, &mut stripe)?;
        terminal.stop()?;
        stripes.push(stripe);
        terminals.push(terminal);
    }
    let before = terminals[0].journal()?;
    let directory = terminals[0].data_dir().join("directory.db");
    std::fs::copy(terminals[1].data_dir().join("directory.db"), &directory)?;
    let said = run(terminals[0].command()?.arg("run"))?;
    let club = |centre: &Centre| -> Result<String> {
        let rows = centre.engine.rows("SELECT id FROM club")?;
        Ok(ClubId(rows[0][0].bytes()?.try_into()?).to_string())
    };
    told(&said, EDGE_STORE, &[&format!("directory of club {}", club(&other)?), &club(&own)?])?;
    std::fs::remove_file(&directory)?;
    terminals[0].run()?;
    terminals[0].counter.wait("directory of its own club", ms(LIMIT_MS), |state| {
        state["activities"].as_array()?.iter().any(|row| row["running"] == true).then_some(())
    })?;
    swipe(&terminals[0], &mut stripes[0])?;
    for fact in &before.facts {
        let now = terminals[0].journal()?.facts;
        ensure!(now.iter().any(|now| now.body == fact.body), "fact {} is lost", fact.seq);
    }
    Ok(())
}

#[test]
fn bad_input_a_database_of_a_newer_version_is_left_as_it_is() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut centre = club(&folder.path().join("central"))?;
    let mut terminal = terminal(&folder.path().join("a"), "A1", &centre, &folder.path().join("stripe"))?;
    terminal.stop()?;
    centre.stop()?;
    let journal = terminal.data_dir().join("journal.db");
    let before = newer(&journal, "PRAGMA user_version = 99")?;
    let said = run(terminal.command()?.arg("run"))?;
    told(&said, EDGE_STORE, &["journal.db", "newer version", "99"])?;
    ensure!(std::fs::read(&journal)? == before, "the journal was written to");

    let database = centre.folder.join("data/central.db");
    let before = newer(&database, "PRAGMA user_version = 999")?;
    let said = run(centre.command()?.arg("serve"))?;
    told(&said, CENTRAL_FAILED, &["newer"])?;
    ensure!(std::fs::read(&database)? == before, "the centre's database was written to");
    Ok(())
}

/// Makes a database one of the future; its bytes then.
fn newer(path: &Path, statement: &str) -> Result<Vec<u8>> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA journal_mode = DELETE;")?;
    connection.execute_batch(statement).with_context(|| format!("failed on {}", path.display()))?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(std::fs::read(path)?)
}

/// A terminal that holds facts which its centre has not seen, stopped.
pub(super) fn with_queue(folder: &Path, name: &str, centre: &Centre) -> Result<Terminal> {
    let port = folder.join(format!("stripe-{name}"));
    let mut stripe = SerialCable::plug_in(&port)?;
    let mut terminal = terminal(&folder.join(name), name, centre, &port)?;
    wait_reader(&terminal, true)?;
    terminal.wait_drained(ms(LIMIT_MS))?;
    terminal.cable.cut();
    swipe(&terminal, &mut stripe)?;
    terminal.stop()?;
    Ok(terminal)
}

/// What a terminal would upload next, signed with its own key.
fn upload(terminal: &Terminal) -> Result<Upload> {
    let identity = Identity::load(&terminal.data_dir())?;
    let journal = terminal.journal()?;
    let facts: Vec<_> = journal.facts.iter().filter(|fact| fact.seq > journal.acked_seq).collect();
    let first = facts.first().context("nothing waits")?;
    let before = journal.facts.iter().find(|fact| fact.seq + 1 == first.seq).context("no fact before")?;
    let head = chain::head(before.hash, facts.iter().map(|fact| fact.body.as_slice()));
    let claim = BatchClaim {
        device: journal.device,
        epoch: journal.epoch,
        from_seq: first.seq,
        count: u32::try_from(facts.len())?,
        head,
        key_id: identity.device().key_id(),
    };
    let booted = journal.facts.iter().rev().find_map(|fact| match &fact.fact.event {
        Event::Booted(booted) => Some((fact.seq, booted.boot)),
        _ => None,
    });
    let (boot_seq, boot) = booted.context("no boot")?;
    let newest = journal.facts.last().context("no fact")?;
    Ok(Upload {
        header: BatchHeader {
            proto: PROTO,
            device: claim.device,
            epoch: claim.epoch,
            from_seq: claim.from_seq,
            prev_hash: before.hash,
            count: claim.count,
            head_hash: head,
            key_id: claim.key_id,
            signature: identity.device().sign(&claim.message())?,
        },
        facts: facts.iter().map(|fact| Carried { body: fact.body.clone().into(), sealed: None }).collect(),
        attempt: Attempt {
            nonce: [7; 16],
            mono_ns: newest.fact.mono_ns + 1_000_000_000,
            boot,
            boot_seq,
            wall: newest.fact.wall,
            oldest_held: 1,
            waiting: 0,
            echo: None,
            lease_report: None,
            heard: None,
        },
    })
}

/// Posts a body with a terminal's certificate; the problem that it is answered with.
fn post(terminal: &Terminal, centre: &Centre, body: Vec<u8>) -> Result<(StatusCode, Problem)> {
    use_ring();
    let identity = Identity::load(&terminal.data_dir())?;
    let pair = identity.device();
    let pem = format!("{}{}", pair.key_pem(), pair.certificate_pem());
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_der(identity.ca())?])
        .identity(reqwest::Identity::from_pem(pem.as_bytes())?)
        .timeout(ms(LIMIT_MS))
        .build()?;
    block_on(async {
        let url = format!("https://{}/device/v1/events", centre.device);
        let answer = client.post(url).header("content-type", "application/cbor").body(body).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        let problem = serde_json::from_str(&text).with_context(|| format!("no problem document: {text}"))?;
        Ok((status, problem))
    })
}

#[test]
fn bad_input_a_batch_that_is_cut_edited_or_anothers_is_refused_and_nothing_is_lost() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let centre = club(&folder.path().join("central"))?;
    let mut own = with_queue(folder.path(), "A1", &centre)?;
    let other = with_queue(folder.path(), "A2", &centre)?;
    let held = centre.engine.count("SELECT count(*) FROM fact")?;
    let good = upload(&own)?;
    let whole = hufu_shared::cbor::encode(&good);
    let mut edited = good.clone();
    let last = edited.facts.last_mut().context("no fact")?;
    let mut body = last.body.to_vec();
    *body.last_mut().context("an empty body")? ^= 1;
    last.body = body.into();
    // As above, but the chain is made to fit: only the signature can tell.
    let mut forged = edited.clone();
    let bodies: Vec<&[u8]> = forged.facts.iter().map(|fact| &**fact.body).collect();
    forged.header.head_hash = chain::head(forged.header.prev_hash, bodies);
    let mut jumped = good.clone();
    jumped.header.prev_hash = Hash([9; 32]);
    for (what, body, status, kind) in [
        ("a truncated batch", whole[..whole.len() / 2].to_vec(), 400, "malformed"),
        ("an edited fact", hufu_shared::cbor::encode(&edited), 422, "chain"),
        ("an edited fact in a chain that fits", hufu_shared::cbor::encode(&forged), 403, "signature"),
        ("a batch that starts elsewhere", hufu_shared::cbor::encode(&jumped), 422, "chain"),
        ("another device's batch", hufu_shared::cbor::encode(&upload(&other)?), 403, "other-device"),
    ] {
        let (met, problem) = post(&own, &centre, body).with_context(|| what.to_owned())?;
        ensure!(
            met.as_u16() == status && problem.kind == format!("urn:hufu:problem:{kind}"),
            "{what} was answered with {met} {problem:?}, expected {status} {kind}"
        );
        ensure!(!problem.detail.is_empty(), "{what}: the problem says nothing: {problem:?}");
    }
    ensure!(centre.engine.count("SELECT count(*) FROM fact")? == held, "the centre took something");
    own.run()?;
    own.cable.mend();
    own.wait_drained(ms(4 * LIMIT_MS))?;
    let side = Side { place: Place::A, journal: own.journal()?, starts: 0, closings: 0 };
    let differences = compare_facts(&[side], &centre.engine)?;
    ensure!(differences.is_empty(), "{differences:?}");
    Ok(())
}

#[test]
fn bad_input_a_certificate_of_a_foreign_ca_opens_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (own, other) = (club(&folder.path().join("own"))?, club(&folder.path().join("other"))?);
    let mut stranger = with_queue(folder.path(), "A1", &other)?;
    let waiting = stranger.journal()?;
    // Its own certificates, at the door of another club: neither side accepts the other.
    stranger.cable.lead_to(own.device);
    stranger.cable.mend();
    stranger.run()?;
    stranger.counter.wait("loss of the connection", ms(LIMIT_MS), |state| {
        (state["link"]["online"] == false && state["link"]["last_sync"].is_null()).then_some(())
    })?;
    ensure!(own.engine.count("SELECT count(*) FROM fact")? == 0, "a stranger's facts were taken");
    let kept = stranger.journal()?;
    ensure!(kept.acked_seq == waiting.acked_seq && kept.last_seq() > waiting.last_seq(), "the queue shrank");
    // The same from outside, with the right root but a foreign certificate.
    let identity = Identity::load(&stranger.data_dir())?;
    let pair = identity.device();
    let pem = format!("{}{}", pair.key_pem(), pair.certificate_pem());
    let root = std::fs::read(own.folder.join("data/ca/ca.crt"))?;
    use_ring();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only(reqwest::Certificate::from_pem_bundle(&root)?)
        .identity(reqwest::Identity::from_pem(pem.as_bytes())?)
        .timeout(ms(LIMIT_MS))
        .build()?;
    let answer =
        block_on(async { Ok(client.get(format!("https://{}/device/v1/updates", own.device)).send().await) })?;
    match answer {
        Ok(answer) => ensure!(answer.status() == StatusCode::UNAUTHORIZED, "answered {}", answer.status()),
        Err(error) => ensure!(!error.is_timeout(), "no answer at all: {error:?}"),
    }
    Ok(())
}

#[test]
fn bad_input_a_code_with_another_fingerprint_names_both_and_enrols_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (own, other) = (club(&folder.path().join("own"))?, club(&folder.path().join("other"))?);
    let code = other.invite(OFFICE_A, "A1")?;
    let own_code = own.invite(OFFICE_A, "A1")?;
    let fingerprint = |code: &str| code.rsplit('-').next().unwrap_or_default().to_owned();
    let config = folder.path().join("edge.toml");
    let url = format!("https://{}", own.device);
    std::fs::write(
        &config,
        format!(
            "[terminal]\ndata_dir = {:?}\nlanguage = \"en\"\n[central]\nurl = {url:?}\n",
            folder.path().join("data")
        ),
    )?;
    let edge = |arguments: &[&str]| -> Result<Said> {
        run(Command::new(program("hufu-edge")?).arg("--config").arg(&config).args(arguments))
    };
    let said = edge(&["enrol", "--central", &url, "--code", &code])?;
    told(&said, EDGE_CENTRE, &[&fingerprint(&code), &fingerprint(&own_code)])?;
    told(&edge(&["status"])?, EDGE_NOT_ENROLLED, &[])?;
    let enrolled = own.engine.count("SELECT count(*) FROM device WHERE status = 'active'")?;
    ensure!(enrolled == 0, "a terminal was enrolled by another club's code");
    Ok(())
}

#[test]
fn bad_input_a_csv_with_bad_rows_names_row_and_column_and_imports_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let centre = club(&folder.path().join("central"))?;
    let members = "SELECT count(*) FROM member";
    let before = centre.engine.count(members)?;
    let import = |kind: &str, csv: &str, more: &[&str]| -> Result<Said> {
        let path = folder.path().join("rows.csv");
        std::fs::write(&path, csv)?;
        run(centre.command()?.args(["import", kind]).arg(&path).args(more))
    };
    let rows = "number,name,sex,mobile\nM000002,张喆,男,13800138000\nM000003,,女,13800138001\n\
                M000004,禤国强,男,12\n";
    let said = import("members", rows, &[])?;
    ensure!(said.code == CENTRAL_BAD_ROWS, "exit code {}: {}{}", said.code, said.out, said.err);
    for part in ["row 3, column name", "row 4, column mobile", "nothing was imported"] {
        ensure!(said.out.contains(part), "`{part}` is not in: {}", said.out);
    }
    ensure!(centre.engine.count(members)? == before, "good rows of a bad file were imported");
    let said = import("members", rows, &["--dry-run"])?;
    ensure!(said.code == CENTRAL_BAD_ROWS && centre.engine.count(members)? == before, "{}", said.out);
    let said = import("members", rows, &["--partial"])?;
    ensure!(said.code == CENTRAL_BAD_ROWS, "exit code {}", said.code);
    ensure!(centre.engine.count(members)? == before + 1, "the one good row was not imported: {}", said.out);
    for (csv, part) in [("number,nom\nM9,x\n", "nom"), ("", "")] {
        let said = import("members", csv, &[])?;
        ensure!(said.code != 0 && said.err.contains(part), "{csv:?}: {} {}", said.code, said.err);
    }
    ensure!(centre.engine.count(members)? == before + 1);
    Ok(())
}
