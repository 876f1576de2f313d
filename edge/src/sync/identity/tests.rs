//! Identities cut while being written, damaged, exposed, of another device or CA.

use std::fs;

use super::*;
use crate::sync::tests::ca::{DEVICE as DEVICE_ID, TestCa};
use hufu_shared::wire::enrol::Purpose;
use tempfile::TempDir;

const URL: &str = "https://localhost:7443";

/// Performs the first `count` steps, then leaves the next one half done, as a cut would.
fn cut_after(steps: &[Step], count: usize, torn: bool) {
    files::perform(&steps[..count]).expect("steps before the cut");
    if let (true, Some(Step::Write(path, bytes))) = (torn, steps.get(count)) {
        fs::write(path, &bytes[..bytes.len() / 2]).expect("half a file");
    }
}

fn renewed(ca: &TestCa) -> Pair {
    let key = OwnKey::generate().expect("a key");
    let csr = key.request(Purpose::Device, &[]).expect("a request");
    key.with_certificate(ca.device(&csr, DEVICE_ID, (2020, 2100))).expect("its certificate")
}

#[test]
fn an_identity_comes_back_from_its_files_and_nobody_else_may_read_them() {
    let (dir, ca) = (TempDir::new().expect("scratch"), TestCa::new("club"));
    let identity = ca.identity(dir.path(), URL);
    let read = Identity::load(dir.path()).expect("readable");
    assert_eq!(read.enrolment, identity.enrolment);
    assert_eq!(read.device().key_id(), identity.device().key_id());
    assert_eq!(read.token_keys().expect("sealed to us").len(), 1);
    assert!(read.counter().is_some() && read.staged().is_none());
    let message = b"batch";
    let signature = read.device().sign(message).expect("signing");
    let holds = hufu_shared::keys::verify_device(read.device().public_key_info(), message, &signature);
    assert_eq!(holds, Ok(()));
    for entry in fs::read_dir(dir.path().join(FOLDER)).expect("the folder") {
        let path = entry.expect("an entry").path();
        let mode = fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, files::FILE_MODE, "{}", path.display());
    }
}

#[test]
fn case_07_a_cut_while_a_renewed_pair_is_written_leaves_the_old_or_the_new_one() {
    let ca = TestCa::new("club");
    let new = renewed(&ca);
    let dir = TempDir::new().expect("scratch");
    let folder = dir.path().join(FOLDER);
    let steps = [stage_steps(&folder, DEVICE, &new), promote_steps(&folder, DEVICE)].concat();
    let staged_after = stage_steps(&folder, DEVICE, &new).len() - 1;
    for count in 0..=steps.len() {
        for torn in [false, true] {
            let _ = fs::remove_dir_all(&folder);
            let old = ca.identity(dir.path(), URL).device().key_id();
            cut_after(&steps, count, torn);
            let mut read =
                Identity::load(dir.path()).unwrap_or_else(|error| panic!("{count} {torn}: {error}"));
            let promoted = count > staged_after + 1;
            let expected = if promoted { new.key_id() } else { old };
            assert_eq!(read.device().key_id(), expected, "after {count} steps, torn {torn}");
            let staged = read.staged().map(Pair::key_id);
            let waits = (staged_after..=staged_after + 1).contains(&count);
            assert_eq!(staged, waits.then(|| new.key_id()), "after {count} steps, torn {torn}");
            // Whatever was left, the next renewal goes through.
            let next = renewed(&ca);
            read.stage(next.clone(), None).expect("staging");
            read.promote().expect("promotion");
            let read = Identity::load(dir.path()).expect("readable");
            assert_eq!(read.device().key_id(), next.key_id());
        }
    }
}

#[test]
fn case_08_a_cut_at_any_step_of_the_first_enrolment_keeps_the_key_or_starts_clean() {
    let ca = TestCa::new("club");
    let count_of = |dir: &Path, enrolled: &Enrolled| commit_steps(dir, enrolled).len();
    let probe = TempDir::new().expect("scratch");
    let total = count_of(probe.path(), &ca.enrolled(probe.path(), URL, 1));
    for count in 0..=total {
        for torn in [false, true] {
            let dir = TempDir::new().expect("scratch");
            let enrolled = ca.enrolled(dir.path(), URL, 1);
            cut_after(&commit_steps(dir.path(), &enrolled), count, torn);
            match Identity::load(dir.path()) {
                Ok(read) => assert_eq!(read.enrolment, enrolled.enrolment),
                Err(IdentityError::NotEnrolled { .. }) => {
                    let again = Identity::prepare(dir.path()).expect("keys");
                    let same = again.device.public_key_info() == enrolled.device.public_key_info();
                    assert!(same, "after {count} steps the code still fits the key");
                }
                Err(other) => panic!("after {count} steps, torn {torn}: {other}"),
            }
        }
    }
    // Cut before the keys were durable: nothing was sent yet, so new keys are a clean start.
    for count in 0..6 {
        let dir = TempDir::new().expect("scratch");
        let pending = Pending {
            device: OwnKey::generate().expect("a key"),
            counter: OwnKey::generate().expect("a key"),
            seed: [1; 32],
        };
        cut_after(&prepare_steps(dir.path(), &pending), count, true);
        assert!(matches!(Identity::load(dir.path()), Err(IdentityError::NotEnrolled { .. })));
        Identity::prepare(dir.path()).expect("a clean start");
    }
}

#[test]
fn case_08_a_cut_while_enrolling_again_leaves_the_old_or_the_new_identity() {
    let ca = TestCa::new("club");
    for count in 0..16 {
        let dir = TempDir::new().expect("scratch");
        ca.identity(dir.path(), URL);
        let again = ca.enrolled(dir.path(), URL, 2);
        let steps = commit_steps(dir.path(), &again);
        cut_after(&steps, count.min(steps.len()), true);
        let read = Identity::load(dir.path()).unwrap_or_else(|error| panic!("{count}: {error}"));
        let is_new = read.enrolment.epoch == 2;
        assert_eq!(read.device().key_id() == again.device.key_id(), is_new, "never half of each");
    }
}

#[test]
fn damage_exposure_and_foreign_files_are_told_apart() {
    let ca = TestCa::new("club");
    let file = |dir: &TempDir, name: &str| dir.path().join(FOLDER).join(name);
    let with = |name: &str, bytes: &[u8]| {
        let dir = TempDir::new().expect("scratch");
        ca.identity(dir.path(), URL);
        fs::write(file(&dir, name), bytes).expect("writing");
        Identity::load(dir.path()).err().expect("refused").to_string()
    };
    assert!(with("enrolment.cbor", b"x").contains("enrolment.cbor expected to hold an enrolment"));
    assert!(with("seal.seed", b"short").contains("32 random bytes: 5 bytes"));
    assert!(with("device.crt", b"no").contains("device.key expected to hold the key of the certificate"));
    let other = TestCa::new("other club");
    let foreign = with("ca.crt", pair::pem("CERTIFICATE", &other.certificate).as_bytes());
    assert!(foreign.contains("not one for this terminal"), "{foreign}");

    let dir = TempDir::new().expect("scratch");
    ca.identity(dir.path(), URL);
    fs::set_permissions(file(&dir, "device.key"), fs::Permissions::from_mode(0o644)).expect("chmod");
    let exposed = Identity::load(dir.path()).err().expect("refused").to_string();
    assert!(exposed.contains("(mode 644)"), "{exposed}");
}

#[test]
fn case_22_a_certificate_of_another_device_is_refused() {
    let (dir, ca) = (TempDir::new().expect("scratch"), TestCa::new("club"));
    let mut identity = ca.identity(dir.path(), URL);
    let key = OwnKey::generate().expect("a key");
    let csr = key.request(Purpose::Device, &[]).expect("a request");
    let other = ca.device(&csr, DeviceId([9; 16]), (2020, 2100));
    let pair = key.with_certificate(other.clone()).expect("its certificate");
    assert!(matches!(identity.stage(pair, None), Err(IdentityError::Certificate { .. })));
    let mixed = OwnKey::generate().expect("a key").with_certificate(other);
    assert!(matches!(mixed, Err(PairError::Mixed)));
    // One by another CA, with the right name.
    let foreign = renewed(&TestCa::new("other club"));
    assert!(matches!(identity.stage(foreign, None), Err(IdentityError::Certificate { .. })));
    assert_eq!(Identity::load(dir.path()).expect("untouched").device().key_id(), identity.device().key_id());
}

#[test]
fn case_43_a_certificate_past_its_end_still_loads_so_that_it_can_renew() {
    let (dir, ca) = (TempDir::new().expect("scratch"), TestCa::new("club"));
    let mut identity = ca.identity(dir.path(), URL);
    let key = OwnKey::generate().expect("a key");
    let csr = key.request(Purpose::Device, &[]).expect("a request");
    let ended = key.with_certificate(ca.device(&csr, DEVICE_ID, (2020, 2021))).expect("its certificate");
    identity.stage(ended, None).expect("staged");
    identity.promote().expect("promoted");
    let read = Identity::load(dir.path()).expect("it loads");
    let now = hufu_shared::time::Instant(1_800_000_000_000_000);
    assert!(read.device().not_after < now && crate::sync::renew::is_due(read.device(), now));
}
