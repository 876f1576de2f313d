//! The whole daemon in this process, on a real pseudo-terminal and real files, with a centre that is not there.

use std::fs::File;
use std::io::Write;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;
use crate::run::control::{Ask, ask};
use crate::store::{JournalState, read_facts, read_state};
use crate::sync::tests::ca::TestCa;
use hufu_shared::cbor;
use hufu_shared::fact::{Event as FactEvent, Fact, Shown};

/// How long anything may take.
const PATIENCE_MS: u64 = 20_000;

struct Machine {
    folder: tempfile::TempDir,
    config: Config,
    reader: File,
    _slave: File,
}

fn machine() -> Machine {
    let folder = tempfile::tempdir().expect("a folder");
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("unlocked");
    let name = ptsname(&master, Vec::new()).expect("a name").into_string().expect("text");
    let slave = File::options().read(true).write(true).open(&name).expect("opens");
    let mut raw = tcgetattr(&slave).expect("settings");
    raw.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &raw).expect("set");
    let port = folder.path().join("stripe");
    std::os::unix::fs::symlink(name, &port).expect("linked");
    let data_dir = folder.path().join("data");
    let text = format!(
        "[terminal]\ndata_dir = {data_dir:?}\n[central]\nurl = \"https://127.0.0.1:1\"\n[counter]\n\
         listen = \"127.0.0.1:0\"\n[[reader]]\nkind = \"serial\"\nport = {port:?}\n[display]\nkind = \"png\"\n\
         path = {:?}\n",
        folder.path().join("display.png")
    );
    let config = crate::config::parse(Path::new("edge.toml"), &text, []).expect("good");
    Machine { folder, config, reader: File::from(master), _slave: slave }
}

impl Machine {
    fn data_dir(&self) -> &Path {
        &self.config.terminal.data_dir
    }

    fn enrol(&self) {
        std::fs::create_dir_all(self.data_dir()).expect("a folder");
        TestCa::new("the club").identity(self.data_dir(), "https://127.0.0.1:1");
    }

    fn state(&self) -> Option<JournalState> {
        read_state(&self.data_dir().join(JOURNAL_FILE)).ok()
    }

    async fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        for _ in 0..PATIENCE_MS / 20 {
            if done(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{what} did not happen within {PATIENCE_MS} ms");
    }

    fn facts(&self) -> Vec<Fact> {
        let stored = read_facts(&self.data_dir().join(JOURNAL_FILE), 1, usize::MAX).expect("readable");
        stored.iter().map(|stored| cbor::decode(&stored.body).expect("our own")).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_without_its_centre_does_its_whole_job_and_stops_in_good_order() {
    let mut machine = machine();
    machine.enrol();
    let (stop, stopping) = oneshot::channel::<()>();
    let config = machine.config.clone();
    let daemon = tokio::spawn(async move {
        run(&config, async move { drop(stopping.await) }).await.expect("started and stopped");
    });
    let dir = machine.data_dir().to_owned();
    let up = |machine: &Machine| {
        let status = ask(machine.data_dir(), Ask::Status).ok();
        status.is_some_and(|view| view.pointer("/readers/0/up") == Some(&serde_json::Value::Bool(true)))
    };
    machine.until("the reader works", up).await;
    machine.reader.write_all(b";66880001?\r\n").expect("swiped");
    machine
        .until("the swipe is recorded", |machine| machine.state().is_some_and(|state| state.last_seq == 2))
        .await;

    assert!(matches!(lock(&dir), Err(StartError::Running { .. })), "one daemon per folder");
    let asking = dir.clone();
    let closed = tokio::task::spawn_blocking(move || ask(&asking, Ask::CloseDay)).await.expect("asked");
    let closed = closed.expect("closed");
    assert_eq!(closed.pointer("/totals/visited").and_then(serde_json::Value::as_u64), Some(1));
    assert_eq!(closed.pointer("/to_seq").and_then(serde_json::Value::as_u64), Some(2));
    let picture = machine.folder.path().join("display.png");
    machine.until("the display is drawn", |_| picture.exists()).await;
    assert!(std::fs::read(&picture).expect("readable").starts_with(b"\x89PNG"));

    stop.send(()).expect("it runs");
    daemon.await.expect("it ended");
    let state = machine.state().expect("readable");
    assert!(!state.running, "it ended in good order");
    assert_eq!((state.queue_len(), state.acked_seq), (3, 0), "nothing is acknowledged, nothing is lost");
    let facts = machine.facts();
    let names: Vec<_> = facts.iter().map(|fact| fact.event.name()).collect();
    assert_eq!(names, ["booted", "visited", "day_closed"]);
    assert_eq!(facts[1].shown, Shown::UnknownCard, "it has no directory yet");
    assert!(matches!(&facts[1].event, FactEvent::Visited(seen) if seen.subject.member.is_none()));
}

#[tokio::test]
async fn a_machine_that_is_not_enrolled_says_so_and_records_nothing() {
    let machine = machine();
    let error = run(&machine.config, std::future::pending()).await.expect_err("refused");
    assert!(matches!(error, StartError::Identity(IdentityError::NotEnrolled { .. })), "{error}");
    assert!(machine.state().is_none());
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_before_a_start_is_recorded() {
    let mut machine = machine();
    machine.enrol();
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("free");
    machine.config.counter.listen = taken.local_addr().expect("bound");
    let error = run(&machine.config, std::future::pending()).await.expect_err("refused").to_string();
    assert!(error.contains(&machine.config.counter.listen.to_string()), "{error}");
    assert!(machine.state().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_lane_is_shown_after_a_restart_while_offline_and_the_data_folder_is_closed_to_others() {
    let machine = machine();
    machine.enrol();
    std::fs::set_permissions(machine.data_dir(), Permissions::from_mode(0o755)).expect("opened to others");
    let terminal = Identity::load(machine.data_dir()).expect("enrolled").terminal().expect("whole");
    let store = Store::open(&machine.data_dir().join(JOURNAL_FILE), &terminal).expect("opens");
    let fork = Stop::Fork { detail: "seq 7".to_owned() }.to_string();
    store.with(|journal| journal.set_stopped(Some(&fork))).expect("stored");
    drop(store);
    let (stop, stopping) = oneshot::channel::<()>();
    let config = machine.config.clone();
    let daemon = tokio::spawn(async move {
        run(&config, async move { drop(stopping.await) }).await.expect("started and stopped");
    });
    let shown = |machine: &Machine| {
        let status = ask(machine.data_dir(), Ask::Status).ok();
        status.is_some_and(|view| view.pointer("/link/stopped").and_then(|at| at.as_str()) == Some("fork"))
    };
    machine.until("the stop is shown", shown).await;
    let mode = std::fs::metadata(machine.data_dir()).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    stop.send(()).expect("it runs");
    daemon.await.expect("it ended");
}
