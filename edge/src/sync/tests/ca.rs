//! A certificate authority for tests, and identities by it.

use std::path::Path;

use hufu_shared::code::CaFingerprint;
use hufu_shared::ids::{ClubId, DeviceId, OfficeId};
use hufu_shared::scheme::Words;
use hufu_shared::seal::{self, OpenKey};
use hufu_shared::token::TokenKey;
use hufu_shared::wire::enrol::{Csr, SealedTokenKeys, token_keys_place};
use hufu_shared::wire::version::CentralEpoch;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, PublicKeyData, SanType,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::sync::identity::{Enrolled, Enrolment, Identity};

pub(crate) const DEVICE: DeviceId = DeviceId([0xd1; 16]);
pub(crate) const CLUB: ClubId = ClubId([0xc1; 16]);
pub(crate) const OFFICE: OfficeId = OfficeId([0x0f; 16]);
pub(crate) const EPOCH: CentralEpoch = CentralEpoch { n: 1, bits: 11 };

/// The centre's keys.
pub(crate) struct TestCa {
    pub(crate) certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    sign: Ed25519KeyPair,
    pub(crate) open: OpenKey,
}

impl TestCa {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let certificate = params.self_signed(&key).expect("a CA").der().clone();
        let sign = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).expect("a seed");
        Self { certificate, issuer: Issuer::new(params, key), sign, open: OpenKey::from_seed(&[6; 32]) }
    }

    pub(crate) fn fingerprint(&self) -> CaFingerprint {
        CaFingerprint::of(&self.issuer.key().subject_public_key_info())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign.sign(message).as_ref().to_vec()
    }

    pub(crate) fn sign_key(&self) -> [u8; 32] {
        self.sign.public_key().as_ref().try_into().expect("32 bytes")
    }

    /// A device certificate valid for the years given, as (from, until).
    pub(crate) fn device(&self, csr: &Csr, device: DeviceId, years: (i32, i32)) -> Vec<u8> {
        let request = CertificateSigningRequestDer::from(csr.der.clone());
        let request = CertificateSigningRequestParams::from_der(&request).expect("a request");
        let mut params = CertificateParams::default();
        let uri = format!("spiffe://{CLUB}/device/{device}");
        params.subject_alt_names = vec![SanType::URI(uri.try_into().expect("ascii"))];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        params.signed_by(&request.public_key, &self.issuer).expect("a certificate").der().to_vec()
    }

    /// A certificate for a counter page, without any of its names.
    pub(crate) fn counter(&self, csr: &Csr) -> Vec<u8> {
        let request = CertificateSigningRequestDer::from(csr.der.clone());
        let request = CertificateSigningRequestParams::from_der(&request).expect("a request");
        let params = CertificateParams::new(csr.names.clone()).expect("names");
        params.signed_by(&request.public_key, &self.issuer).expect("a certificate").der().to_vec()
    }

    /// A server certificate for a host name, with its key.
    pub(crate) fn server(
        &self,
        name: &str,
        years: (i32, i32),
    ) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let leaf = params.signed_by(&key, &self.issuer).expect("a certificate");
        (leaf.der().clone(), PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
    }

    pub(crate) fn sealed_token_keys(&self, to: &OpenKey, device: DeviceId) -> Vec<u8> {
        let keys = SealedTokenKeys { keys: vec![TokenKey::new(1, [3; 32])] };
        seal::seal(&to.seal_key(), &token_keys_place(device), &hufu_shared::cbor::encode(&keys))
            .expect("a key")
    }

    /// What a centre at `url` makes of the pending keys in a data folder.
    pub(crate) fn enrolled(&self, data_dir: &Path, url: &str, epoch: u32) -> Enrolled {
        use hufu_shared::wire::enrol::Purpose;
        let pending = Identity::prepare(data_dir).expect("keys");
        let csr = pending.device.request(Purpose::Device, &[]).expect("a request");
        let device = pending
            .device
            .with_certificate(self.device(&csr, DEVICE, (2020, 2100)))
            .expect("its certificate");
        let csr = pending.counter.request(Purpose::Counter, &["localhost".to_owned()]).expect("a request");
        let counter = pending.counter.with_certificate(self.counter(&csr)).expect("its certificate");
        let enrolment = Enrolment {
            device: DEVICE,
            name: "前台一".to_owned(),
            epoch,
            club: CLUB,
            club_name: Words { zh: "客户会".to_owned(), en: "Club".to_owned() },
            office: OFFICE,
            central_epoch: EPOCH,
            central_url: url.to_owned(),
            central_seal_key: self.open.seal_key(),
            central_sign_key: self.sign_key(),
            token_keys: self.sealed_token_keys(&OpenKey::from_seed(&pending.seed), DEVICE),
            first_key: device.public_key_info().to_vec(),
        };
        Enrolled { enrolment, ca: self.certificate.to_vec(), device, counter: Some(counter) }
    }

    /// An identity by this CA, in place.
    pub(crate) fn identity(&self, data_dir: &Path, url: &str) -> Identity {
        let enrolled = self.enrolled(data_dir, url, 1);
        Identity::commit(data_dir, &enrolled).expect("an identity")
    }
}
