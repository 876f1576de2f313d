//! Members beyond what a file is good for, and opening balances by the million.
//!
//! They pass the rules like everything else: acts in the journal, the vault filled beside. Only the comparison of a file
//! with all that is there is left out, which costs more with every member; and many acts go into one transaction, each
//! table written in the order of its keys as far as that can be.
//!
//! Out of scope: who they are ([`super::people`]), and history in facts.

use hufu_shared::act::{Act, Actor, BalancesOpened, CardSet, MemberSet, Opening};
use hufu_shared::dictionary::CARD_KIND_ORDINARY;
use hufu_shared::ids::{CardId, EntryId, Hash, ID_RANDOM_BYTES, MemberId, OfficeId};
use hufu_shared::member::{CardStatus, MemberStatus, OfficeRow};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::MonthDay;
use hufu_shared::rules::calendar;
use hufu_shared::time::{DAY_US, Day, Instant, MINUTE_US, SECOND_US};
use hufu_shared::token::TokenKey;

use super::people::{self, Person};
use super::random::Random;
use crate::db::{Db, Tx};
use crate::store::people::{PeopleError, SALT_BYTES, living, seal_new};
use crate::store::{StoreError, acts, journal};
use crate::vault::{Personal, Sealed, Vault};

/// Rows in one act.
const ROWS_PER_ACT: usize = 1_000;
/// Members, and openings, that one transaction takes: the more, the better its rows lie beside each other.
const MEMBERS_AT_ONCE: usize = 10_000;
const OPENINGS_AT_ONCE: usize = 100_000;
/// Days of the year before this one over which openings lie.
const SPREAD_DAYS: i64 = 360;
/// Name of the batch of openings.
const BATCH: &str = "generated";

/// Where members enter, and when.
pub struct Entrance<'a> {
    /// The books.
    pub db: &'a Db,
    /// Where personal data goes.
    pub vault: &'a Vault,
    /// Keys of the cards' tokens.
    pub token_keys: &'a [TokenKey],
    /// The club's offices.
    pub offices: &'a [OfficeRow],
    /// When.
    pub at: Instant,
}

/// What is written in one transaction.
struct Load {
    sealed: Vec<Sealed>,
    acts: Vec<(EntryId, Act)>,
}

/// Enters members, each with a chip card.
///
/// # Errors
/// [`PeopleError`]; what was entered before stays.
pub async fn enter(place: &Entrance<'_>, random: &mut Random, people: &[Person]) -> Result<(), PeopleError> {
    let mut first = 0;
    for part in people.chunks(MEMBERS_AT_ONCE) {
        let load = load(place, random, (part, first))?;
        first += part.len();
        write(place.db, place.vault.clone(), place.at, load).await?;
    }
    Ok(())
}

fn load(
    place: &Entrance<'_>,
    random: &mut Random,
    (people, first): (&[Person], usize),
) -> Result<Load, PeopleError> {
    let (mut sealed, mut members, mut cards) = (Vec::new(), Vec::new(), Vec::new());
    for (person, n) in people.iter().zip(first..) {
        // Later ones have later ids: what is kept by member is written at the end of its table.
        let at = place.at.offset(i64::try_from(n).unwrap_or(i64::MAX / SECOND_US) * 1_000);
        let member = MemberId::new(at, id_bytes(random));
        let known = people::particulars(random);
        let personal = Personal {
            name: person.name.clone(),
            sex: person.sex(),
            mobile: Some(known.mobile.to_string()),
            birthday: known.birthday.parse().ok(),
            ..Personal::default()
        };
        let salt: [u8; SALT_BYTES] = random.id();
        let (commitment, own) = seal_new(place.vault, member, &personal, false, salt)?;
        sealed.push(own);
        let office = place.offices.iter().find(|office| office.code == person.office);
        members.push(MemberSet {
            member,
            number: person.number.clone(),
            level: Some(known.level()),
            status: MemberStatus::Active,
            office: office.map(|office| office.office),
            personal: commitment,
            joined: None,
        });
        let text = people::chip(person);
        cards.push(CardSet {
            card: CardId::new(at, id_bytes(random)),
            tokens: place.token_keys.iter().map(|key| key.token(&text)).collect(),
            member: Some(member),
            kind: CARD_KIND_ORDINARY.to_owned(),
            status: CardStatus::Active,
            tail: text.tail(),
            valid_from: None,
            valid_until: None,
        });
    }
    let members = members.chunks(ROWS_PER_ACT).map(|part| Act::MembersSet(part.to_vec()));
    let cards = cards.chunks(ROWS_PER_ACT).map(|part| Act::CardsSet(part.to_vec()));
    let acts = members.chain(cards).map(|act| (EntryId(random.id()), act)).collect();
    Ok(Load { sealed, acts })
}

fn id_bytes(random: &mut Random) -> [u8; ID_RANDOM_BYTES] {
    let mut bytes = [0; ID_RANDOM_BYTES];
    bytes.copy_from_slice(&random.id()[..ID_RANDOM_BYTES]);
    bytes
}

async fn write(db: &Db, vault: Vault, at: Instant, load: Load) -> Result<(), PeopleError> {
    let actor = Actor::Command("generate".to_owned());
    let work = move |tx: &mut Tx<'_>| -> Result<(), PeopleError> {
        journal::pass_gate(tx, at)?;
        vault.put_new(tx, &load.sealed.iter().collect::<Vec<_>>())?;
        for (id, act) in &load.acts {
            acts::take(tx, *id, at, &actor, act)?;
        }
        Ok(())
    };
    db.write(work).await
}

/// What is to be opened.
#[derive(Debug, Clone, Copy)]
pub struct Openings {
    /// How many, shared out evenly among all members.
    pub count: usize,
    /// They lie in the year before this moment's.
    pub now: Instant,
    /// Commitment to their cause.
    pub reason: Hash,
    /// When they are taken.
    pub at: Instant,
}

/// Opens balances of points of all members, each with a day of its own.
///
/// # Errors
/// [`StoreError`]; what was opened before stays.
pub async fn open_balances(
    db: &Db,
    offices: &[OfficeRow],
    random: &mut Random,
    wanted: Openings,
) -> Result<(), StoreError> {
    let mut members: Vec<MemberId> =
        db.read(living).await?.into_iter().map(|(_, member, _)| member).collect();
    members.sort_unstable();
    let offices: Vec<OfficeId> = offices.iter().map(|office| office.office).collect();
    let mut waiting = Vec::new();
    for (n, member) in members.iter().enumerate() {
        waiting.extend(openings_of((n, *member), members.len(), &offices, &wanted));
        if waiting.len() >= OPENINGS_AT_ONCE {
            open(db, random, std::mem::take(&mut waiting), wanted).await?;
        }
    }
    open(db, random, waiting, wanted).await
}

/// The openings of the `n`th of so many members.
fn openings_of(
    (n, member): (usize, MemberId),
    members: usize,
    offices: &[OfficeId],
    wanted: &Openings,
) -> Vec<Opening> {
    let own = wanted.count / members + usize::from(n < wanted.count % members);
    let number = |value: usize| i64::try_from(value).unwrap_or(0);
    let step = SPREAD_DAYS * DAY_US / number(own).max(1);
    let begin = year_before(wanted.now).offset(number(n % 1_000) * SECOND_US);
    let opening = |k: usize| Opening {
        member,
        leg: Leg { unit: Unit::Pts, amount: Amount(10 + number(n * 7 + k * 13) % 490) },
        office: offices[(n + k) % offices.len()],
        at: Some(begin.offset(number(k) * step)),
    };
    (0..own).map(opening).collect()
}

/// Noon of the first day of the year before, in the offices' zone.
fn year_before(now: Instant) -> Instant {
    let today = Day(i32::try_from(now.0.div_euclid(DAY_US)).unwrap_or(0));
    let year = calendar::year_of(today).map(|year| year - 1);
    let first = year.and_then(|year| MonthDay { month: 1, day: 1 }.in_year(year)).unwrap_or(today);
    Instant(i64::from(first.0) * DAY_US + 4 * 60 * MINUTE_US)
}

async fn open(
    db: &Db,
    random: &mut Random,
    openings: Vec<Opening>,
    wanted: Openings,
) -> Result<(), StoreError> {
    let act = |part: &[Opening]| {
        let opened = BalancesOpened { batch: BATCH.to_owned(), rows: part.to_vec(), reason: wanted.reason };
        (EntryId(random.id()), Act::BalancesOpened(opened))
    };
    let acts: Vec<(EntryId, Act)> = openings.chunks(ROWS_PER_ACT).map(act).collect();
    let actor = Actor::Command("generate".to_owned());
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        for (id, act) in &acts {
            acts::take(tx, *id, wanted.at, &actor, act)?;
        }
        Ok(())
    };
    db.write(work).await
}
