//! Certificates: made, kept, given, refused.

use hufu_shared::ids::{ClubId, DeviceId};
use hufu_shared::keys;
use hufu_shared::time::{DAY_US, Instant};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, KeyPair, PKCS_ECDSA_P384_SHA384,
    SanType,
};
use x509_parser::prelude::FromDer;

use super::*;

const NOW: Instant = Instant(1_790_000_000_000_000);
const CLUB: ClubId = ClubId([7; 16]);
const DEVICE: DeviceId = DeviceId([1; 16]);
const OTHER: DeviceId = DeviceId([2; 16]);

/// A 2048-bit RSA request, signed by itself; the other kinds are made by the tests.
const RSA_REQUEST_HEX: &str = include_str!("rsa_request.hex");

fn authority() -> (tempfile::TempDir, Authority) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(&folder.path().join("keys"), CLUB, NOW).unwrap();
    (folder, authority)
}

fn request(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = CertificateParams::default();
    change(&mut params);
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn refused(result: Result<Vec<u8>, CaError>) -> CsrError {
    match result.unwrap_err() {
        CaError::Csr(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn a_root_is_made_once_and_read_again() {
    let (folder, made) = authority();
    let keys = folder.path().join("keys");
    let read = Authority::open(&keys).unwrap();
    assert_eq!((read.club(), read.fingerprint()), (CLUB, made.fingerprint()));
    assert_eq!(read.certificate(), made.certificate());
    let again = Authority::create(&keys, CLUB, NOW).unwrap_err();
    assert!(again.to_string().contains("never overwritten"), "{again}");
    let (_other_folder, other) = authority();
    assert_ne!(other.fingerprint(), made.fingerprint());
}

#[test]
fn a_terminal_gets_its_own_name_for_30_days() {
    let (_folder, authority) = authority();
    let der = authority.issue_device(&request(|_| {}), DEVICE, NOW).unwrap();
    let identity = PeerIdentity::read(&der).unwrap();
    assert_eq!((identity.club, identity.device), (CLUB, DEVICE));
    assert_eq!(identity.not_after, NOW.offset(30 * DAY_US));
    assert!(!identity.is_expired(NOW) && identity.is_expired(NOW.offset(31 * DAY_US)));
    let (_, leaf) = x509_parser::certificate::X509Certificate::from_der(&der).unwrap();
    assert!(!leaf.is_ca());
    assert!(leaf.verify_signature(None).is_err(), "a leaf does not sign itself");
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth);
}

#[test]
fn case_45_certificates_that_name_no_terminal_are_no_identity() {
    let key = KeyPair::generate().unwrap();
    let unnamed = CertificateParams::default().self_signed(&key).unwrap();
    assert_eq!(PeerIdentity::read(unnamed.der()), Err(IdentityError::Names { met: 0 }));
    let mut params = CertificateParams::default();
    for device in [DEVICE, OTHER] {
        let uri = identity::device_uri(CLUB, device);
        params.subject_alt_names.push(SanType::URI(uri.as_str().try_into().unwrap()));
    }
    let twice = params.self_signed(&key).unwrap();
    assert_eq!(PeerIdentity::read(twice.der()), Err(IdentityError::Names { met: 2 }));
    params.subject_alt_names.pop();
    let weak = params.self_signed(&KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap()).unwrap();
    assert_eq!(PeerIdentity::read(weak.der()), Err(IdentityError::Key));
    assert_eq!(PeerIdentity::read(b"no certificate"), Err(IdentityError::Malformed));
}

#[test]
fn case_46_a_request_for_another_terminal_is_refused() {
    let (_folder, authority) = authority();
    let by_subject = request(|params| params.distinguished_name.push(DnType::CommonName, OTHER.to_string()));
    assert_eq!(refused(authority.issue_device(&by_subject, DEVICE, NOW)), CsrError::OtherDevice);
    let by_name = request(|params| {
        let uri = identity::device_uri(CLUB, OTHER);
        params.subject_alt_names.push(SanType::URI(uri.as_str().try_into().unwrap()));
    });
    assert_eq!(refused(authority.issue_device(&by_name, DEVICE, NOW)), CsrError::OtherDevice);
    let own = request(|params| params.distinguished_name.push(DnType::CommonName, DEVICE.to_string()));
    authority.issue_device(&own, DEVICE, NOW).unwrap();
}

#[test]
fn case_46_what_a_request_asks_for_beyond_its_key_is_ignored() {
    let (_folder, authority) = authority();
    let greedy = request(|params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.subject_alt_names.push(SanType::DnsName("central.example".try_into().unwrap()));
        params.distinguished_name.push(DnType::CommonName, "root");
    });
    let der = authority.issue_device(&greedy, DEVICE, NOW).unwrap();
    let (_, leaf) = x509_parser::certificate::X509Certificate::from_der(&der).unwrap();
    assert!(!leaf.is_ca());
    assert_eq!(leaf.subject().iter_common_name().next().unwrap().as_str().unwrap(), DEVICE.to_string());
    assert_eq!(leaf.subject_alternative_name().unwrap().unwrap().value.general_names.len(), 1);
}

#[test]
fn case_46_bad_signature_other_keys_and_a_megabyte_are_refused() {
    let (_folder, authority) = authority();
    let good = request(|_| {});
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert!(matches!(
        refused(authority.issue_device(&forged, DEVICE, NOW)),
        CsrError::Signature | CsrError::Malformed
    ));
    // Another request's signature under this request's contents.
    let other = request(|_| {});
    let mut swapped = good[..good.len() - 64].to_vec();
    swapped.extend_from_slice(&other[other.len() - 64..]);
    let error = refused(authority.issue_device(&swapped, DEVICE, NOW));
    assert!(matches!(error, CsrError::Signature | CsrError::Malformed), "{error}");
    let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let p384 = CertificateParams::default().serialize_request(&p384).unwrap();
    assert_eq!(refused(authority.issue_device(p384.der(), DEVICE, NOW)), CsrError::Key);
    let rsa = data_encoding::HEXLOWER.decode(RSA_REQUEST_HEX.trim().as_bytes()).unwrap();
    assert_eq!(refused(authority.issue_device(&rsa, DEVICE, NOW)), CsrError::Key);
    let large = request(|params| {
        params.custom_extensions.push(CustomExtension::from_oid_content(&[1, 2, 3], vec![0; 1_000_000]));
    });
    assert!(matches!(refused(authority.issue_device(&large, DEVICE, NOW)), CsrError::TooLong { .. }));
    let mut trailing = good;
    trailing.push(0);
    assert_eq!(refused(authority.issue_device(&trailing, DEVICE, NOW)), CsrError::Malformed);
}

#[test]
fn a_counter_gets_its_names_but_never_the_centres() {
    let (_folder, authority) = authority();
    let names = ["192.168.1.20".to_owned(), "Counter-1.local".to_owned()];
    let reserved = ["central.club.example".to_owned(), "10.0.0.1".to_owned()];
    let der = authority.issue_counter(&request(|_| {}), DEVICE, &names, &reserved, NOW).unwrap();
    let (_, leaf) = x509_parser::certificate::X509Certificate::from_der(&der).unwrap();
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth);
    assert_eq!(PeerIdentity::read(&der), Err(IdentityError::Names { met: 0 }));
    for wrong in ["CENTRAL.club.example", "10.0.0.1", "*.local", "a..b", "", "a/b", "-a", "1.2.3.456", "名字"]
    {
        let error = authority.issue_counter(&request(|_| {}), DEVICE, &[wrong.to_owned()], &reserved, NOW);
        assert!(matches!(error, Err(CaError::Name { .. })), "{wrong}: {error:?}");
    }
}

#[test]
fn the_server_certificate_is_kept_until_ten_days_before_its_end() {
    let (_folder, authority) = authority();
    let names = ["127.0.0.1".to_owned(), "central.club.example".to_owned()];
    let first = authority.server_identity(&names, NOW).unwrap();
    let same = authority.server_identity(&names, NOW.offset(79 * DAY_US)).unwrap();
    assert_eq!(first.chain, same.chain);
    let renewed = authority.server_identity(&names, NOW.offset(81 * DAY_US)).unwrap();
    assert_ne!(first.chain, renewed.chain);
    let other = authority.server_identity(&names[..1], NOW.offset(81 * DAY_US)).unwrap();
    assert_ne!(renewed.chain, other.chain);
    assert!(authority.server_identity(&[], NOW).is_err());
}

#[test]
fn the_centres_own_keys_sign_and_open() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let made = OwnKeys::create(&keys).unwrap();
    let read = OwnKeys::open(&keys).unwrap();
    let signature = read.sign(b"receipt");
    keys::verify_centre(&made.sign_public(), b"receipt", &signature).unwrap();
    assert!(keys::verify_centre(&made.sign_public(), b"another", &signature).is_err());
    assert!(made.has_signed(b"receipt", &signature));
    assert!(!made.has_signed(b"another", &signature));
    assert!(!made.has_signed(b"receipt", &signature[..63]));
    let sealed = hufu_shared::seal::seal(&made.seal_public(), b"place", b"clear").unwrap();
    assert_eq!(read.open_key().open(b"place", &sealed).unwrap(), b"clear");
    assert!(OwnKeys::create(&keys).is_err(), "a second init must not replace the keys");
}
