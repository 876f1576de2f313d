//! The command line's words, and the check-up's judgement.

use clap::CommandFactory;
use hufu_shared::time::{DAY_US, Instant};

use super::doctor::{Seen, Verdict, judge};
use super::readers::Found;
use super::*;
use crate::locale::{Language, text};

const NOW: Instant = Instant(1_795_320_000_000_000);

fn well() -> Seen {
    Seen {
        wall: NOW,
        floor: Some(NOW.offset(-1)),
        offset_us: Some(1_000_000),
        writable: true,
        free_bytes: Some(1 << 34),
        readers: vec![Found { name: "ACS".into(), up: true, reason: String::new() }],
        displays: 1,
        display_fault: None,
        certificate_until: Some(NOW.offset(20 * DAY_US)),
        queue_len: Some(3),
        stopped: None,
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
    let table: [(&str, Verdict, Change); 12] = [
        ("clock", Verdict::Bad, |seen| seen.floor = Some(NOW.offset(DAY_US))),
        ("clock", Verdict::Look, |seen| seen.offset_us = Some(-DAY_US)),
        ("disk", Verdict::Bad, |seen| seen.writable = false),
        ("disk", Verdict::Bad, |seen| seen.free_bytes = Some(1_000)),
        ("disk", Verdict::Look, |seen| seen.free_bytes = Some(100 << 20)),
        ("disk", Verdict::Bad, |seen| seen.journal_fault = Some("damaged".into())),
        ("readers", Verdict::Bad, |seen| seen.readers[0].up = false),
        ("readers", Verdict::Look, |seen| seen.readers.clear()),
        ("display", Verdict::Bad, |seen| seen.display_fault = Some("gone".into())),
        ("certificate", Verdict::Bad, |seen| seen.certificate_until = Some(NOW.offset(-1))),
        ("certificate", Verdict::Bad, |seen| seen.certificate_until = None),
        ("queue", Verdict::Bad, |seen| seen.stopped = Some("fork".into())),
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
        }
    }
}
