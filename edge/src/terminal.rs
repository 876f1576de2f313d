//! Who this terminal is, as enrolment settled it. Read once at start and passed on.

use hufu_shared::ids::{ClubId, DeviceId, OfficeId};
use hufu_shared::scheme::Words;
use hufu_shared::token::TokenKey;

use crate::store::NameKey;

/// The terminal's own identity, without its private keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Its device identity.
    pub device: DeviceId,
    /// The enrolment, from 1.
    pub epoch: u32,
    /// What people call it.
    pub name: String,
    /// The club.
    pub club: ClubId,
    /// The club's name.
    pub club_name: Words,
    /// The office where it stands.
    pub office: OfficeId,
    /// Subject public key info (DER) of the key with which it enrolled for this epoch; the chain starts from it.
    pub first_key: Vec<u8>,
    /// Keys that make tokens, the current one first.
    pub token_keys: Vec<TokenKey>,
    /// What whole names are sealed with in the directory file.
    pub name_key: NameKey,
}
