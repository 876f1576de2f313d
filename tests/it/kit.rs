//! The kit itself: that its services are real and its virtual hardware behaves as the hardware pages say.

use anyhow::{Context as _, Result, ensure};
use hufu_tests::kit::network::Cable;
use hufu_tests::kit::pcscd::Pcscd;
use hufu_tests::kit::postgres::{self, Postgres};
use hufu_tests::kit::process::Program;
use hufu_tests::kit::pty::SerialCable;
use hufu_tests::kit::vcard::VirtualCard;
use hufu_tests::kit::{browser::Browser, clock, http};
use pcsc::{Context, Error, Protocols, ReaderState, Scope, ShareMode, State};
use std::ffi::CString;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);
const UID: [u8; 4] = [0x04, 0xA2, 0x2B, 0x91];

#[test]
fn a_private_postgres_answers_as_an_ordinary_user() -> Result<()> {
    let server = Postgres::start()?;
    postgres::execute(&server.url(), "select 1")?;
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid()))?;
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).context("no Uid line")?;
    let effective = uid.split_whitespace().nth(1).context("no effective user")?;
    ensure!(effective != "0", "PostgreSQL runs as root: {uid}");
    Ok(())
}

#[test]
fn each_test_has_a_database_of_its_own_that_is_gone_afterwards() -> Result<()> {
    let server = Postgres::start()?;
    // The variable is read by `for_test`; a child process keeps this test from changing its own environment.
    let first = Postgres::for_test()?;
    let second = Postgres::for_test()?;
    ensure!(first.url != second.url, "both got {}", first.url);
    postgres::execute(&first.url, "CREATE TABLE only_here (id BIGINT PRIMARY KEY)")?;
    ensure!(postgres::execute(&second.url, "SELECT * FROM only_here").is_err(), "databases are shared");
    let url = first.url.clone();
    drop(first);
    ensure!(postgres::execute(&url, "select 1").is_err(), "{url} is still there");
    drop(server);
    Ok(())
}

#[test]
fn a_program_is_waited_for_killed_and_stopped_by_its_own_id() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' TERM; echo started; while :; do sleep 0.1; done"]);
    let mut program = Program::spawn("stubborn", command, &folder.path().join("log"))?;
    program.wait_for_line("started", LIMIT)?;
    ensure!(program.wait_for_line("never said", Duration::from_millis(200)).is_err());
    program.kill_hard()?;
    ensure!(!program.is_running() && program.kill_hard().is_err());
    let mut short = Program::spawn("short", Command::new("true"), &folder.path().join("short"))?;
    ensure!(short.wait_exit(LIMIT)?.success());
    Ok(())
}

#[test]
fn a_cable_carries_raw_bytes_in_pieces_and_breaks_when_unplugged() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut cable = SerialCable::plug_in(&folder.path().join("stripe"))?;
    let mut port = std::fs::File::options().read(true).write(true).open(cable.path())?;
    cable.write_pieces(&[b";6225", b"880012345678=2512?\r"], Duration::from_millis(30))?;
    let mut got = Vec::new();
    while !got.ends_with(b"\r") {
        let mut piece = [0_u8; 64];
        let count = port.read(&mut piece)?;
        ensure!(count > 0, "the line ended early");
        got.extend_from_slice(&piece[..count]);
    }
    ensure!(got == b";6225880012345678=2512?\r", "got {got:?}");
    cable.unplug()?;
    ensure!(!cable.path().exists() && cable.write(b"x").is_err());
    let mut piece = [0_u8; 1];
    ensure!(matches!(port.read(&mut piece), Ok(0) | Err(_)), "the line still lives");
    cable.replug()?;
    let mut port = std::fs::File::open(cable.path())?;
    cable.write(b"A")?;
    ensure!(port.read(&mut piece)? == 1 && piece == *b"A");
    Ok(())
}

#[test]
fn pcscd_shows_a_virtual_card_and_its_removal() -> Result<()> {
    let pcscd = Pcscd::start(4)?;
    let context = Context::establish(Scope::User)?;
    ensure!(context.list_readers_owned()?.len() == 4, "readers: {:?}", context.list_readers_owned()?);
    // The last slot belongs to the second copy of the driver, which is the one that is easily broken.
    for slot in [0, 3] {
        let card = VirtualCard::mifare(&UID).insert(pcscd.port(slot))?;
        wait_for(&context, &pcscd.reader_name(slot), State::PRESENT)?;
        ensure!(read_uid(&context, &pcscd.reader_name(slot))? == [&UID[..], &[0x90, 0x00]].concat());
        ensure!(card.apdus() == 1 && card.is_in());
        card.remove()?;
        wait_for(&context, &pcscd.reader_name(slot), State::EMPTY)?;
    }
    Ok(())
}

#[test]
fn pcscd_tells_of_a_card_pulled_mid_apdu_and_of_a_slow_one() -> Result<()> {
    let pcscd = Pcscd::start(1)?;
    let context = Context::establish(Scope::User)?;
    let reader = pcscd.reader_name(0);
    let pulled = VirtualCard::mifare(&UID).pulled_mid_apdu().insert(pcscd.port(0))?;
    wait_for(&context, &reader, State::PRESENT)?;
    // The driver may hand over what has come so far as if it were the answer: only the status word at its end
    // tells that it is none.
    let answer = read_uid(&context, &reader).unwrap_or_default();
    ensure!(!answer.ends_with(&[0x90, 0x00]), "a whole answer came: {answer:02X?}");
    pulled.remove()?;
    let wait = Duration::from_millis(700);
    let slow = VirtualCard::mifare(&UID).slow(wait).insert(pcscd.port(0))?;
    wait_for(&context, &reader, State::PRESENT)?;
    let before = clock::now();
    ensure!(read_uid(&context, &reader)?.starts_with(&UID));
    ensure!(before.elapsed() >= wait, "it answered after {:?}", before.elapsed());
    slow.remove()
}

#[test]
fn pcscd_killed_and_started_again_takes_cards_again() -> Result<()> {
    let mut pcscd = Pcscd::start(2)?;
    let context = Context::establish(Scope::User)?;
    let card = VirtualCard::mifare(&UID).insert(pcscd.port(1))?;
    wait_for(&context, &pcscd.reader_name(1), State::PRESENT)?;
    pcscd.kill_hard()?;
    ensure!(context.list_readers_owned().is_err(), "the dead one still answers");
    ensure!(clock::poll(LIMIT, || (!card.is_in()).then_some(())).is_some(), "the card did not notice");
    card.remove()?;
    pcscd.start_again()?;
    let context = Context::establish(Scope::User)?;
    let card = VirtualCard::mifare(&UID).insert(pcscd.port(1))?;
    wait_for(&context, &pcscd.reader_name(1), State::PRESENT)?;
    ensure!(read_uid(&context, &pcscd.reader_name(1))?.starts_with(&UID));
    card.remove()
}

#[test]
fn pcscd_in_a_namespace_is_seen_by_commands_started_in_it_alone() -> Result<()> {
    let mut pcscd = Pcscd::start_in_namespace(1)?;
    let socket = "/run/pcscd/pcscd.comm";
    let seen = pcscd.command("test").args(["-S", socket]).status()?;
    ensure!(seen.success(), "the socket is not in the namespace");
    ensure!(std::os::unix::net::UnixStream::connect(socket).is_err(), "it took the machine's place");
    pcscd.kill_hard()?;
    pcscd.start_again()
}

#[test]
fn a_cable_can_be_cut_and_can_lose_an_answer_after_the_request_arrived() -> Result<()> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let cable = Cable::plug_in(server.local_addr()?)?;
    let arrived = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&arrived);
    std::thread::spawn(move || {
        for mut client in server.incoming().flatten() {
            let mut byte = [0_u8; 1];
            while client.read_exact(&mut byte).is_ok() && client.write_all(&byte).is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let ask = |stream: &mut TcpStream| -> std::io::Result<u8> {
        let mut byte = [7_u8; 1];
        stream.write_all(&byte)?;
        stream.read_exact(&mut byte)?;
        Ok(byte[0])
    };
    let connect = || TcpStream::connect(("127.0.0.1", cable.port()));
    let mut stream = connect()?;
    ensure!(ask(&mut stream)? == 7 && ask(&mut stream)? == 7);
    cable.lose_answers(1);
    ensure!(ask(&mut stream).is_err(), "the answer came through");
    ensure!(cable.lost() == 1);
    ensure!(
        clock::poll(LIMIT, || (arrived.load(Ordering::SeqCst) == 3).then_some(())).is_some(),
        "not arrived"
    );
    let mut stream = connect()?;
    ensure!(ask(&mut stream)? == 7, "only one was to be lost");
    cable.cut();
    ensure!(ask(&mut stream).is_err() && connect().and_then(|mut stream| ask(&mut stream)).is_err());
    cable.mend();
    ensure!(ask(&mut connect()?)? == 7);
    Ok(())
}

#[test]
fn a_browser_shows_a_page_at_the_asked_size() -> Result<()> {
    http::block_on(async {
        let browser = Browser::start("zh-CN").await?;
        browser.open("data:text/html;charset=utf-8,<h1>欢迎光临</h1>").await?;
        browser.wait_for_text("欢迎光临", LIMIT).await?;
        let picture = browser.screenshot(390, 844).await?;
        let info = png::Decoder::new(std::io::Cursor::new(picture)).read_info()?;
        let size = (info.info().width, info.info().height);
        ensure!(size == (390, 844), "the picture is {size:?}");
        browser.quit().await
    })
}

/// Waits until pcscd says that of the reader.
pub fn wait_for(context: &Context, reader: &str, wanted: State) -> Result<()> {
    let mut states = [ReaderState::new(CString::new(reader)?, State::UNAWARE)];
    let end = clock::now() + LIMIT;
    while !states[0].event_state().contains(wanted) {
        ensure!(clock::now() < end, "{reader} did not become {wanted:?}: {:?}", states[0].event_state());
        states[0].sync_current_state();
        match context.get_status_change(Duration::from_secs(1), &mut states) {
            Ok(()) | Err(Error::Timeout) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What the card in the reader answers when asked for its UID, status word included.
pub fn read_uid(context: &Context, reader: &str) -> Result<Vec<u8>> {
    let card = context.connect(&CString::new(reader)?, ShareMode::Shared, Protocols::ANY)?;
    let mut buffer = [0_u8; 64];
    Ok(card.transmit(&[0xFF, 0xCA, 0x00, 0x00, 0x00], &mut buffer)?.to_vec())
}
