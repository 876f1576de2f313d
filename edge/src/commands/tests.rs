//! The command line's words, and the check-up's judgement.

use clap::CommandFactory;
use hufu_shared::time::{DAY_US, Instant};

use hufu_shared::chain;
use hufu_shared::keys::verify_device;
use hufu_shared::wire::stick;

use super::doctor::{Seen, Verdict, judge, line};
use super::queue::QueueCommand;
use super::readers::Found;
use super::*;
use crate::counter::view::PanelView;
use crate::locale::{Language, text};
use crate::store::testing::{at, boot_info, visited};
use crate::store::{JOURNAL_FILE, Store};
use crate::sync::tests::ca::TestCa;

const NOW: Instant = Instant(1_795_320_000_000_000);

fn panel(name: &str, fault: Option<&str>) -> PanelView {
    PanelView { name: name.to_owned(), fault: fault.map(str::to_owned) }
}

fn well() -> Seen {
    Seen {
        wall: NOW,
        floor: Some(NOW.offset(-1)),
        offset_us: Some(1_000_000),
        writable: true,
        free_bytes: Some(1 << 34),
        readers: vec![Found { name: "ACS".into(), up: true, reason: String::new() }],
        displays: vec![panel("desk", None), panel("ssd1306 /dev/i2c-1 0x3c", None)],
        printer: Some(("/dev/hufu-printer".into(), None)),
        unready: Some(Vec::new()),
        place: "案场".into(),
        certificate_until: Some(NOW.offset(20 * DAY_US)),
        queue_len: Some(3),
        stopped: None,
        aside_len: 0,
        journal_fault: None,
    }
}

#[test]
fn the_command_line_is_sound_and_its_help_names_every_exit_code() {
    Arguments::command().debug_assert();
    let help = Arguments::command().render_long_help().to_string();
    let exits = [
        Exit::Done,
        Exit::Other,
        Exit::Config,
        Exit::NotEnrolled,
        Exit::Running,
        Exit::Store,
        Exit::Centre,
        Exit::Unwell,
        Exit::NoDaemon,
    ];
    for exit in exits {
        assert!(help.contains(&format!("  {}  ", exit as u8)), "{exit:?} is missing in\n{help}");
    }
}

#[test]
fn doctor_finds_nothing_on_a_well_machine() {
    for finding in judge(&well()) {
        assert_eq!(finding.verdict, Verdict::Good, "{finding:?}");
    }
}

#[test]
fn doctor_names_each_fault_and_says_what_to_do_in_both_languages() {
    type Change = fn(&mut Seen);
    let table: [(&str, Verdict, Change); 16] = [
        ("clock", Verdict::Bad, |seen| seen.floor = Some(NOW.offset(DAY_US))),
        ("clock", Verdict::Look, |seen| seen.offset_us = Some(-DAY_US)),
        ("disk", Verdict::Bad, |seen| seen.writable = false),
        ("disk", Verdict::Bad, |seen| seen.free_bytes = Some(1_000)),
        ("disk", Verdict::Look, |seen| seen.free_bytes = Some(100 << 20)),
        ("disk", Verdict::Bad, |seen| seen.journal_fault = Some("damaged".into())),
        ("readers", Verdict::Bad, |seen| seen.readers[0].up = false),
        ("readers", Verdict::Look, |seen| seen.readers.clear()),
        ("display", Verdict::Bad, |seen| seen.displays[1].fault = Some("gone".into())),
        ("printer", Verdict::Look, |seen| seen.printer = Some(("lp0".into(), Some("paper-out".into())))),
        ("offline", Verdict::Look, |seen| seen.unready = Some(vec![("leases".into(), "look".into())])),
        ("offline", Verdict::Bad, |seen| seen.unready = Some(vec![("directory".into(), "bad".into())])),
        ("certificate", Verdict::Bad, |seen| seen.certificate_until = Some(NOW.offset(-1))),
        ("certificate", Verdict::Bad, |seen| seen.certificate_until = None),
        ("queue", Verdict::Bad, |seen| seen.stopped = Some("fork".into())),
        ("queue", Verdict::Look, |seen| seen.aside_len = 3),
    ];
    for (item, verdict, change) in table {
        let mut seen = well();
        change(&mut seen);
        let findings = judge(&seen);
        let other: Vec<_> = findings.iter().filter(|finding| finding.verdict != Verdict::Good).collect();
        assert_eq!(other.len(), 1, "{other:?}");
        assert_eq!((other[0].item, other[0].verdict), (item, verdict));
        for language in Language::ALL {
            assert_ne!(text(language, other[0].key), other[0].key, "no text in {language:?}");
            let said = line(language, other[0], &seen.place);
            assert!(!said.contains('{') && !said.contains("ready-item"), "a gap is left in {said}");
        }
    }
}

fn configured(data_dir: &std::path::Path) -> Config {
    let text = format!("[terminal]\ndata_dir = {data_dir:?}\n[central]\nurl = \"https://127.0.0.1:1\"\n");
    config::parse(std::path::Path::new("edge.toml"), &text, []).expect("good")
}

#[test]
fn an_exported_queue_is_signed_batches_that_only_the_centre_can_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = configured(folder.path());
    let ca = TestCa::new("the club");
    let identity = ca.identity(folder.path(), "https://127.0.0.1:1");
    let terminal = identity.terminal().expect("whole");
    let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal).expect("opens");
    store.with(|journal| journal.boot(boot_info(1), &at(0))).expect("boots");
    store.with(|journal| journal.append((1..=600).map(|n| visited(1, &at(n))).collect())).expect("appended");

    let file = folder.path().join("queue.hufu");
    queue::run(&config, &QueueCommand::Export { file: file.clone(), journal: None }).expect("exported");
    let bytes = std::fs::read(&file).expect("readable");
    let (device, batches) = stick::read(&ca.open, &bytes).expect("the centre opens it");
    assert_eq!(device, terminal.device);
    assert_eq!(batches.iter().map(|batch| batch.facts.len()).collect::<Vec<_>>(), [500, 101]);
    let mut head = chain::start(terminal.device, 1, &terminal.first_key);
    for batch in &batches {
        assert_eq!(batch.header.prev_hash, head);
        head = chain::head(head, batch.facts.iter().map(|fact| fact.body.as_slice()));
        assert_eq!(batch.header.head_hash, head);
        let signature = &batch.header.signature;
        verify_device(&terminal.first_key, &batch.header.claim().message(), signature).expect("signed");
    }
    // Another terminal's key opens nothing, and a file that is there is never overwritten.
    assert!(stick::read(identity.open_key(), &bytes).is_err());
    let error = queue::run(&config, &QueueCommand::Export { file, journal: None }).expect_err("it exists");
    assert!(error.error.to_string().contains("queue.hufu"), "{}", error.error);
    assert_eq!(
        store.with(|journal| Ok(journal.queue_len())).expect("counted"),
        601,
        "nothing is marked as sent"
    );
    let state = store.with(|journal| journal.state()).expect("state");
    assert_eq!(
        aside::handed_over(
            store.with(|journal| Ok(journal.path().to_owned())).expect("a path").as_path(),
            &state
        ),
        Some(601)
    );
}

#[test]
fn commands_beside_a_machine_that_is_not_enrolled_or_not_running_say_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = configured(folder.path());
    assert_eq!(status::run(&config, true).expect_err("refused").exit, Exit::NotEnrolled);
    assert_eq!(ask::close_day(&config, true).expect_err("refused").exit, Exit::NoDaemon);
    assert_eq!(serve::run(&config).expect_err("refused").exit, Exit::NotEnrolled);
    assert_eq!(
        queue::run(&config, &QueueCommand::List { json: true, journal: None }).expect_err("refused").exit,
        Exit::Store
    );
    assert_eq!(doctor::run(&config, true).expect_err("unwell").exit, Exit::Unwell);
}

#[test]
fn a_new_enrolment_leaves_no_unsent_fact_behind_unnoticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = configured(folder.path());
    let ca = TestCa::new("the club");
    let identity = ca.identity(folder.path(), "https://127.0.0.1:1");
    let terminal = identity.terminal().expect("whole");
    let journal = folder.path().join(JOURNAL_FILE);
    assert_eq!(enrol::unsent(&config).expect("no journal"), 0);
    let store = Store::open(&journal, &terminal).expect("opens");
    store.with(|journal| journal.boot(boot_info(1), &at(0))).expect("boots");
    store.with(|journal| journal.append((1..=6).map(|n| visited(1, &at(n))).collect())).expect("appended");
    drop(store);
    assert_eq!(enrol::unsent(&config).expect("readable"), 7);
    assert!(aside::unacknowledged(folder.path()).is_empty());

    let later = crate::terminal::Terminal { epoch: 2, ..terminal };
    drop(Store::open(&journal, &later).expect("a new enrolment begins a new journal"));
    let found = aside::unacknowledged(folder.path());
    let [old] = &found[..] else { panic!("one expected, met {found:?}") };
    assert_eq!((old.state.epoch, old.state.queue_len()), (1, 7));
    let list = QueueCommand::List { json: false, journal: Some(old.path.clone()) };
    queue::run(&config, &list).expect("listed");
    let file = folder.path().join("old.hufu");
    let export = QueueCommand::Export { file: file.clone(), journal: Some(old.path.clone()) };
    queue::run(&config, &export).expect("exported");
    let bytes = std::fs::read(&file).expect("readable");
    let (_, batches) = stick::read(&ca.open, &bytes).expect("the centre opens it");
    assert_eq!((batches.len(), batches[0].facts.len(), batches[0].header.epoch), (1, 7, 1));
}
