//! One value of every message of enrolment and renewal.

use super::*;

fn csrs() -> Vec<enrol::Csr> {
    vec![
        enrol::Csr { purpose: enrol::Purpose::Device, der: vec![0x30, 0x82], names: vec![] },
        enrol::Csr {
            purpose: enrol::Purpose::Counter,
            der: vec![0x30, 0x82],
            names: vec!["counter-a".to_owned()],
        },
    ]
}

/// A terminal asks to be enrolled.
pub fn enrol_request() -> enrol::EnrolRequest {
    enrol::EnrolRequest {
        proto: PROTO,
        secret: vec![0x26; 10],
        csrs: csrs(),
        seal_key: SealKey([0x27; 32]),
        board: Hash([0x28; 32]),
        software: "0.1.0".to_owned(),
    }
}

/// A terminal is enrolled.
pub fn enrol_answer() -> enrol::EnrolAnswer {
    enrol::EnrolAnswer {
        device: DEVICE,
        name: "A-1".to_owned(),
        epoch: 1,
        club: ClubId([0x10; 16]),
        club_name: words("澜庭会", "Lanting Club"),
        office: OFFICE,
        central_epoch: EPOCH,
        ca: vec![0x30, 0x82],
        certificates: vec![vec![0x30, 0x82].into()],
        central_seal_key: SealKey([0x29; 32]),
        central_sign_key: [0x2a; 32],
        token_keys: vec![0x2b; 64],
        central_time: NOON,
    }
}

/// The keys of an office group.
pub fn token_keys() -> enrol::SealedTokenKeys {
    enrol::SealedTokenKeys { keys: vec![TokenKey::new(1, [0x2c; 32])] }
}

/// A terminal asks for new certificates.
pub fn renew_request() -> enrol::RenewRequest {
    enrol::RenewRequest { proto: PROTO, csrs: csrs() }
}

/// The new certificates.
pub fn renew_answer() -> enrol::RenewAnswer {
    enrol::RenewAnswer { certificates: vec![vec![0x30, 0x82].into()] }
}
