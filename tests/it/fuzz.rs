//! The corpus of the fuzz targets, replayed without a fuzzer, and that the targets can fail. `tests/long.sh fuzz` fuzzes.
//!
//! To write the seeds anew after a change of the wire, run the first test once with `HUFU_CORPUS_WRITE=1`.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::path::{Path, PathBuf};
use targets::wire::{Walk, walk};
use targets::{TARGETS, seeds};

/// A committed input is small: a corpus is read at every run.
const INPUT_BYTES_MAX: u64 = 8 * 1024;

fn tests(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn seeds_of_the_golden_files_keep_every_promise() {
    for (name, run) in TARGETS {
        let folder = tests("fuzz/corpus").join(name);
        for (seed, bytes) in seeds::of(name, &tests("wire/v1")) {
            run(&bytes);
            if std::env::var_os("HUFU_CORPUS_WRITE").is_some() {
                std::fs::create_dir_all(&folder).expect("the corpus");
                std::fs::write(folder.join(seed), bytes).expect("a seed");
            }
        }
    }
}

#[test]
fn the_committed_corpus_keeps_every_promise() {
    for (name, run) in TARGETS {
        let folder = tests("fuzz/corpus").join(name);
        let entries =
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut count = 0;
        for entry in entries {
            let path = entry.expect("a file").path();
            let bytes = std::fs::read(&path).expect("an input");
            assert!(bytes.len() as u64 <= INPUT_BYTES_MAX, "{} is too large", path.display());
            run(&bytes);
            count += 1;
        }
        assert!(count > 0, "{name} has no corpus");
    }
}

#[test]
fn the_second_reader_finds_what_must_be_understood_however_deep() {
    let cases: [(&[u8], Walk); 10] = [
        (&[0xa1, 0x00, 0x01], Walk::Clean),
        (&[0xa1, 0x18, 0x40, 0x01], Walk::Unknown(64)),
        (&[0xa1, 0x00, 0x81, 0xa1, 0x18, 0x41, 0x01], Walk::Unknown(65)),
        (&[0x81, 0x18, 0x40], Walk::Clean),
        (&[0xa1, 0x61, 0x61, 0xa1, 0x19, 0x01, 0x00, 0x00], Walk::Unknown(256)),
        (&[0xc1, 0xa1, 0x18, 0x40, 0x00], Walk::Unknown(64)),
        (&[0x9f, 0xff], Walk::Bad),
        (&[0x82, 0x01], Walk::Bad),
        (&[0x01, 0x02], Walk::Bad),
        (&[], Walk::Bad),
    ];
    for (bytes, found) in cases {
        assert_eq!(walk(bytes), found, "{bytes:02x?}");
    }
    let deep = |levels: usize| [vec![0x81; levels], vec![0x00]].concat();
    assert_eq!(walk(&deep(24)), Walk::Clean);
    assert_eq!(walk(&deep(25)), Walk::Bad);
    assert_eq!(walk(&deep(100_000)), Walk::Bad);
}
