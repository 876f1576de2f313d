//! The club that every run starts from: founded once, its database copied for each seed.
//!
//! All ids, cards and terminal keys are fixed, so that the same seed gives the same bytes in every process. Only the
//! certificate authority is made anew; nothing of it is ever hashed into a chain.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use data_encoding::BASE64;
use hufu_central::app::Opened;
use hufu_central::ca::{Authority, OwnKeys};
use hufu_central::db::{Db, Tx};
use hufu_central::jobs::publisher;
use hufu_central::secret_file;
use hufu_central::store::acts;
use hufu_central::store::devices::{self, Certificate, TokenKeyError};
use hufu_central::vault::Vault;
use hufu_edge::sync::pair::{OwnKey, Pair, pem};
use hufu_shared::act::{
    Act, Actor, CardSet, ClubFounded, DeviceEnrolled, DeviceInvited, DeviceKey, MemberSet,
};
use hufu_shared::ids::{
    ActivityId, CardId, ClubId, DeviceId, EntryId, Hash, MemberId, OccurrenceId, OfficeId,
};
use hufu_shared::member::{Audience, CardStatus, MemberStatus, OccurrenceRow, OccurrenceState, OfficeRow};
use hufu_shared::money::Amount;
use hufu_shared::scheme::{SchemeTerms, Words};
use hufu_shared::time::{Day, Instant, OfficeClock};
use hufu_shared::token::{CardText, TokenKey};
use hufu_shared::wire::enrol::Purpose;
use hufu_shared::wire::version::CentralEpoch;
use tempfile::TempDir;

use super::time::{DAY, FIRST_DAY, HOUR};
use super::{Size, block_on};

/// The club.
pub const CLUB: ClubId = ClubId([0xc1; 16]);
/// Its first life.
pub const EPOCH: CentralEpoch = CentralEpoch { n: 1, bits: 0x5eed };
/// When it was founded: before the first day, so that terminals are enrolled when the run begins.
pub const FOUNDED: i64 = FIRST_DAY - DAY;
/// Points of the salon that admits once.
pub const SALON_POINTS: i64 = 10;
/// Offices.
pub const OFFICES: usize = 4;
/// Occurrences per day: a salon that admits once everywhere, an open house that admits any number of times and counts who
/// leaves, and one at one office only.
pub const OCCURRENCES_PER_DAY: usize = 3;

/// The founded club.
pub struct Club {
    /// Where its files are.
    pub folder: TempDir,
    /// Its root.
    pub authority: Arc<Authority>,
    /// The centre's keys.
    pub keys: Arc<OwnKeys>,
    /// Personal data: none is stored.
    pub vault: Vault,
    /// Keys for terminals, as PKCS#8; the first ones are those of the first enrolments.
    pub pool: Vec<Vec<u8>>,
    /// Pairs of the first enrolments; the last is that of the scripted terminal.
    pub pairs: Vec<Pair>,
    /// The token key of all offices.
    pub token_key: TokenKey,
    /// What was founded.
    pub size: Size,
}

/// The id of a terminal.
#[must_use]
pub fn device(n: usize) -> DeviceId {
    DeviceId(numbered(0xd0, n))
}

/// The id of an office.
#[must_use]
pub fn office(n: usize) -> OfficeId {
    OfficeId(numbered(0x0f, n))
}

/// The id of a member.
#[must_use]
pub fn member(n: usize) -> MemberId {
    MemberId(numbered(0x3e, n))
}

/// The id of a member's card; cards from `members` on belong to nobody yet.
#[must_use]
pub fn card(n: usize) -> CardId {
    CardId(numbered(0xca, n))
}

/// What a reader reads of a card.
#[must_use]
pub fn card_text(n: usize) -> CardText {
    CardText::uid(&numbered(0x04, n)[9..])
}

/// The id of the `n`th occurrence.
#[must_use]
pub fn occurrence(n: usize) -> OccurrenceId {
    OccurrenceId(numbered(0x0c, n))
}

/// The bytes of the `n`th id of a kind.
#[must_use]
pub fn numbered(kind: u8, n: usize) -> [u8; 16] {
    let mut id = [0; 16];
    id[0] = kind;
    id[8..].copy_from_slice(&(n as u64).to_be_bytes());
    // A version and a variant, as a UUID has them.
    (id[6], id[8]) = (0x70, 0x80);
    id
}

fn words(text: &str) -> Words {
    Words { zh: text.to_owned(), en: text.to_owned() }
}

/// The row of an occurrence.
#[must_use]
pub fn occurrence_row(n: usize) -> OccurrenceRow {
    let day = i64::try_from(n / OCCURRENCES_PER_DAY).unwrap_or(0);
    let begins = FIRST_DAY + day * DAY;
    let (admits_once, exits, offices) = match n % OCCURRENCES_PER_DAY {
        0 => (true, false, Vec::new()),
        1 => (false, true, Vec::new()),
        _ => (true, false, vec![office(0)]),
    };
    OccurrenceRow {
        occurrence: occurrence(n),
        activity: ActivityId(numbered(0xac, n % OCCURRENCES_PER_DAY)),
        name: words("沙龙"),
        starts: Instant(begins + 9 * HOUR),
        ends: Instant(begins + 20 * HOUR),
        state: OccurrenceState::Approved,
        admits_once,
        exits,
        gifts: Vec::new(),
        guests: Vec::new(),
        points: Amount(SALON_POINTS),
        places: None,
        offices,
        audience: Audience::default(),
    }
}

/// A card's row.
#[must_use]
pub fn card_set(key: &TokenKey, n: usize, member: Option<MemberId>, status: CardStatus) -> CardSet {
    CardSet {
        card: card(n),
        tokens: vec![key.token(&card_text(n))],
        member,
        kind: "main".to_owned(),
        status,
        tail: format!("{:04}", n % 10_000),
        valid_from: None,
        valid_until: None,
    }
}

impl Club {
    /// Founds a club of a size, in a folder of its own under `base`.
    ///
    /// # Errors
    /// If files or database cannot be made.
    pub fn found(base: &Path, size: Size) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("hufu-simulate-").tempdir_in(base)?;
        let mut keys = include_str!("keys.txt").lines().filter(|line| !line.starts_with('#'));
        let read = |line: &str| BASE64.decode(line.as_bytes()).context("a key in base64");
        let own = folder.path().join("keys");
        secret_file::create_folder(&own)?;
        secret_file::write_new(&own.join("sign.key"), &read(keys.next().context("the centre's key")?)?)?;
        secret_file::write_new(&own.join("seal.key"), &[7; 32])?;
        let pool = keys.map(read).collect::<anyhow::Result<Vec<_>>>()?;
        anyhow::ensure!(size.devices < pool.len(), "at most {} terminals", pool.len() - 1);
        let authority = Authority::create(&folder.path().join("ca"), CLUB, Instant(FOUNDED - DAY))?;
        let mut club = Self {
            authority: Arc::new(authority),
            keys: Arc::new(OwnKeys::open(&own)?),
            vault: Vault::create(&own.join("vault.key"))?,
            pool,
            pairs: Vec::new(),
            token_key: TokenKey::new(1, [9; 32]),
            size,
            folder,
        };
        club.pairs =
            (0..=size.devices).map(|n| club.pair(n, device(n))).collect::<anyhow::Result<Vec<_>>>()?;
        let db = Db::local(&club.folder.path().join("central.db"))?;
        club.fill(&db)?;
        drop(db);
        Ok(club)
    }

    /// The pair of a key of the pool for a terminal.
    ///
    /// # Errors
    /// If the key is none.
    pub fn pair(&self, key: usize, device: DeviceId) -> anyhow::Result<Pair> {
        let der = self.pool.get(key).context("a key that is left")?;
        let own = OwnKey::from_pem(pem("PRIVATE KEY", der).as_bytes())?;
        let request = own.request(Purpose::Device, &[])?;
        let certificate = self.authority.issue_device(&request.der, device, Instant(FOUNDED))?;
        Ok(own.with_certificate(certificate)?)
    }

    /// A database as it was when the club was founded, at `path`.
    ///
    /// # Errors
    /// If it cannot be copied or opened.
    pub fn copy(&self, path: &Path) -> anyhow::Result<Db> {
        std::fs::copy(self.folder.path().join("central.db"), path)?;
        Ok(Db::local(path)?)
    }

    /// What a service over a database of this club is made of.
    #[must_use]
    pub fn opened(&self, db: Db) -> Opened {
        Opened {
            db,
            authority: Arc::clone(&self.authority),
            keys: Arc::clone(&self.keys),
            vault: self.vault.clone(),
        }
    }

    fn fill(&self, db: &Db) -> anyhow::Result<()> {
        let mut acts = vec![
            Act::ClubFounded(ClubFounded { club: CLUB, name: words("澜庭会"), epoch: EPOCH }),
            Act::SchemeSet(SchemeTerms::property_club(1, Day(0))),
        ];
        for n in 0..OFFICES {
            let code = format!("A{n}");
            let row = OfficeRow {
                office: office(n),
                name: words(&code),
                code,
                clock: OfficeClock::default(),
                group: None,
            };
            acts.push(Act::OfficeSet(row));
        }
        let members = (0..self.size.members).map(|n| MemberSet {
            member: member(n),
            number: format!("M{n}"),
            level: None,
            status: MemberStatus::Active,
            office: Some(office(n % OFFICES)),
            personal: Hash([0; 32]),
            joined: None,
        });
        acts.push(Act::MembersSet(members.collect()));
        let cards =
            (0..self.size.members).map(|n| card_set(&self.token_key, n, Some(member(n)), CardStatus::Active));
        acts.push(Act::CardsSet(cards.collect()));
        acts.extend((0..self.size.days * OCCURRENCES_PER_DAY).map(|n| Act::OccurrenceSet(occurrence_row(n))));
        for n in 0..=self.size.devices {
            let invited =
                DeviceInvited { device: device(n), office: office(n % OFFICES), name: format!("T{n}") };
            acts.push(Act::DeviceInvited(invited));
            acts.push(Act::DeviceEnrolled(enrolled(device(n), 1, &self.pairs[n])));
        }
        let certificates: Vec<_> =
            (0..=self.size.devices).map(|n| certificate(device(n), 1, &self.pairs[n])).collect();
        let seal = self.keys.seal_public();
        let work = move |tx: &mut Tx<'_>| -> Result<(), TokenKeyError> {
            for (n, act) in (0_usize..).zip(&acts) {
                let actor = Actor::Command("simulate".to_owned());
                acts::take(tx, EntryId(numbered(0xee, n)), Instant(FOUNDED), &actor, act)?;
            }
            for certificate in &certificates {
                devices::add_certificate(tx, certificate, Instant(FOUNDED))?;
            }
            devices::add_token_key(tx, &seal, 1, &[9; 32])
        };
        block_on(db.write(work))?;
        Ok(block_on(publisher::publish_now(db))?)
    }
}

/// What is known of a certificate.
#[must_use]
pub fn certificate(device: DeviceId, epoch: u32, pair: &Pair) -> Certificate {
    Certificate { key: Hash::of(&[pair.public_key_info()]), device, epoch, not_after: pair.not_after }
}

/// The act of an enrolment.
#[must_use]
pub fn enrolled(device: DeviceId, epoch: u32, pair: &Pair) -> DeviceEnrolled {
    DeviceEnrolled {
        key: DeviceKey { device, epoch, key: pair.public_key_info().to_vec() },
        seal_key: [0; 32],
        board: Hash::of(&[b"board", &device.0]),
    }
}
