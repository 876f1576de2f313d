//! Plays the history into a fresh club.

use hufu_shared::act::{
    Act, Actor, CaseDecided, DeviceEnded, DeviceEnrolled, DeviceInvited, DeviceKey, Verdict,
};
use hufu_shared::ids::{DeviceId, EntryId, Hash, OccurrenceId, OfficeId};
use hufu_shared::member::{Audience, OccurrenceRow, OccurrenceState, OfficeRow};
use hufu_shared::money::Amount;
use hufu_shared::scheme::{CounterName, EarnRate, SchemeTerms, Words};
use hufu_shared::seal::{SealError, SealKey};
use hufu_shared::time::{DAY_US, Day, Instant, MINUTE_US, OfficeClock};
use hufu_shared::token::{CardText, Token, TokenKey};
use serde::Serialize;

use super::history::{self, DAY_OF_WRONG_TOTALS, DayPlan, SALON_POINTS};
use super::many::{self, Entrance, Openings};
use super::people::{self, Person};
use super::random::Random;
use super::terminal::Terminal;
use super::tray::TrayCard;
use crate::clock::Clock;
use crate::db::{Db, SqlFile, Tx};
use crate::import::Kind;
use crate::import::run::{ImportError, Means, Request, import};
use crate::rules::entry::EntryBody;
use crate::store::acts::{self, Note};
use crate::store::contact::{self, Heartbeat};
use crate::store::people::PeopleError;
use crate::store::{StoreError, directory, journal};
use crate::vault::Vault;

static SQL: SqlFile = SqlFile::new("generate", include_str!("../../sql/both/generate.sql"));

/// Hours for which the third office's terminal has been silent.
const SILENT_HOURS: i64 = 3;
/// Members who come in a file; those beyond enter without one, for a file is compared with all that is there.
const FILE_MEMBERS_MAX: usize = 20_000;
/// Cases of kind 27 younger than this are left open.
const OPEN_DAYS: i32 = 15;

/// What to generate.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Members.
    pub members: usize,
    /// Days of history.
    pub days: i32,
    /// Opening balances of points, shared out among all members, each a transfer of its own.
    pub transfers: usize,
    /// The same seed gives the same club.
    pub seed: u64,
    /// The moment at which history ends.
    pub now: Instant,
}

/// What was generated.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Members.
    pub members: usize,
    /// Days of history.
    pub days: i32,
    /// Facts in it.
    pub facts: u64,
    /// The cards to lay out.
    pub tray: Vec<TrayCard>,
}

/// A club that could not be generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The club is in use.
    #[error(
        "the club has {members} members and {devices} terminals; a history is generated into a fresh one only"
    )]
    InUse {
        /// Members met.
        members: i64,
        /// Terminals met.
        devices: i64,
    },
    /// The club was founded too late.
    #[error(
        "the club was founded after the history begins; found it with `init --founded` {needed} or before"
    )]
    Founded {
        /// The first day of the history.
        needed: Day,
    },
    /// An import.
    #[error("import generated {what}: {source}")]
    Import {
        /// What.
        what: &'static str,
        /// Why not.
        source: ImportError,
    },
    /// A generated row was refused by the import.
    #[error("import generated {what}: {first}")]
    Row {
        /// What.
        what: &'static str,
        /// The first bad cell.
        first: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database.
    #[error(transparent)]
    Db(#[from] crate::db::DbError),
    /// Books or vault, where members enter.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// A note.
    #[error("seal a note: {0}")]
    Seal(#[from] SealError),
}

/// A clock that stands where the history is.
struct StandingClock(Instant);

impl Clock for StandingClock {
    fn now(&self) -> Instant {
        self.0
    }
}

/// Generates a club.
///
/// # Errors
/// [`GenerateError`]; what was taken in until then stays, so begin again with a fresh club.
pub async fn generate(
    db: &Db,
    vault: &Vault,
    token_keys: &[TokenKey],
    seal_key: SealKey,
    plan: Plan,
) -> Result<Report, GenerateError> {
    generate_in_parts(db, vault, token_keys, seal_key, (plan, FILE_MEMBERS_MAX)).await
}

/// The same with so many members in a file.
pub(super) async fn generate_in_parts(
    db: &Db,
    vault: &Vault,
    token_keys: &[TokenKey],
    seal_key: SealKey,
    (plan, file_members_max): (Plan, usize),
) -> Result<Report, GenerateError> {
    let mut random = Random::new(plan.seed);
    let clock = OfficeClock::default();
    let today = clock.business_day(plan.now);
    let first = today.plus(-plan.days);
    let begin = midnight(first);
    check_fresh(db, begin, first).await?;
    let offices = offices(&mut random);
    for office in &offices {
        take(db, &mut random, begin, Act::OfficeSet(office.clone())).await?;
    }
    let codes = ["A", "B", "C"];
    let people = people::people(&mut random, plan.members, &codes);
    let means =
        Means { db, vault, token_keys, seal: seal_key, clock: &StandingClock(begin.offset(MINUTE_US)) };
    let (in_file, others) = people.split_at(people.len().min(file_members_max));
    take_file(&means, Kind::Members, "members", people::members_csv(&mut random, in_file)).await?;
    take_file(&means, Kind::Cards, "cards", people::cards_csv(in_file)).await?;
    let entrance = Entrance { db, vault, token_keys, offices: &offices, at: begin.offset(MINUTE_US) };
    many::enter(&entrance, &mut random, others).await?;
    let key =
        token_keys.first().ok_or(GenerateError::Import { what: "cards", source: ImportError::NoTokenKey })?;
    let mut stage =
        Stage { db, random, seal_key, offices, terminals: Vec::new(), facts: 0, key: key.clone() };
    let scheme = stage.publish_terms(first, begin.offset(2 * MINUTE_US)).await?;
    stage.open_balances(plan, begin.offset(2 * MINUTE_US)).await?;
    stage.enrol(scheme, begin.offset(2 * MINUTE_US)).await?;
    for before_today in (0..=plan.days).rev() {
        stage.day(today.plus(-before_today), before_today, plan.now, &people).await?;
    }
    journal_published(db).await?;
    Ok(Report { members: people.len(), days: plan.days, facts: stage.facts, tray: people::tray(&people) })
}

/// Midnight of a day in the offices' zone, which has had no summer time since 1991.
fn midnight(day: Day) -> Instant {
    Instant(i64::from(day.0) * DAY_US - 8 * 60 * MINUTE_US)
}

async fn check_fresh(db: &Db, begin: Instant, needed: Day) -> Result<(), GenerateError> {
    let (members, devices, last) = db
        .read(|tx| {
            let row = tx.query_one(SQL.get("fresh"), &[])?;
            Ok::<_, StoreError>((row.int(0)?, row.int(1)?, row.int(2)?))
        })
        .await?;
    if members != 0 || devices != 0 {
        return Err(GenerateError::InUse { members, devices });
    }
    if last > begin.0 {
        return Err(GenerateError::Founded { needed });
    }
    Ok(())
}

fn offices(random: &mut Random) -> Vec<OfficeRow> {
    let names = [
        ("A", "澜庭案场", "Lanting sales office"),
        ("B", "云栖案场", "Yunqi sales office"),
        ("C", "湖畔会所", "Lakeside clubhouse"),
    ];
    names
        .into_iter()
        .map(|(code, zh, en)| OfficeRow {
            office: OfficeId(random.id()),
            code: code.to_owned(),
            name: Words { zh: zh.to_owned(), en: en.to_owned() },
            clock: OfficeClock::default(),
            group: None,
        })
        .collect()
}

async fn take_file(
    means: &Means<'_>,
    kind: Kind,
    what: &'static str,
    csv: String,
) -> Result<(), GenerateError> {
    let request = Request::new(kind, format!("generated {what}"), csv.into_bytes());
    let report = import(means, request).await.map_err(|source| GenerateError::Import { what, source })?;
    match report.bad.first() {
        Some(cell) => Err(GenerateError::Row { what, first: cell.to_string() }),
        None => Ok(()),
    }
}

async fn take(db: &Db, random: &mut Random, at: Instant, act: Act) -> Result<(), GenerateError> {
    let id = EntryId(random.id());
    let actor = Actor::Command("generate".to_owned());
    db.write(move |tx| acts::take(tx, id, at, &actor, &act).map(|_| ())).await?;
    Ok(())
}

async fn journal_published(db: &Db) -> Result<(), GenerateError> {
    while db.write(journal::publish).await? > 0 {}
    Ok(())
}

/// The club while its history is played.
struct Stage<'a> {
    db: &'a Db,
    random: Random,
    seal_key: SealKey,
    offices: Vec<OfficeRow>,
    terminals: Vec<Terminal>,
    facts: u64,
    key: TokenKey,
}

impl Stage<'_> {
    /// The club lets its counters see whole names, so that staff can compare them with a document: the version that says so.
    async fn publish_terms(&mut self, from: Day, at: Instant) -> Result<u32, GenerateError> {
        let known = self.db.read(directory::schemes).await?;
        let newest = known.into_iter().max_by_key(|terms| terms.version);
        let own = newest.unwrap_or_else(|| SchemeTerms::property_club(0, from));
        let terms = SchemeTerms {
            counter_name: CounterName::Full,
            version: own.version + 1,
            valid_from: from,
            ..own
        };
        let version = terms.version;
        take(self.db, &mut self.random, at, Act::SchemeSet(terms)).await?;
        Ok(version)
    }

    /// What members had before, if anything.
    async fn open_balances(&mut self, plan: Plan, at: Instant) -> Result<(), GenerateError> {
        if plan.transfers == 0 {
            return Ok(());
        }
        let reason = self.note("旧系统余额转入", at).await?;
        let wanted = Openings { count: plan.transfers, now: plan.now, reason, at };
        Ok(many::open_balances(self.db, &self.offices, &mut self.random, wanted).await?)
    }

    /// One terminal per office.
    async fn enrol(&mut self, scheme: u32, at: Instant) -> Result<(), GenerateError> {
        for n in 0..self.offices.len() {
            let device = DeviceId(self.random.id());
            let name = format!("{}-1", self.offices[n].code);
            let office = self.offices[n].office;
            take(self.db, &mut self.random, at, Act::DeviceInvited(DeviceInvited { device, office, name }))
                .await?;
            // No private key belongs to it: this terminal can never speak to the centre again.
            let key = self.random.id().to_vec();
            self.terminals.push(Terminal::new(device, &key, scheme));
            let enrolled = DeviceEnrolled {
                key: DeviceKey { device, epoch: 1, key },
                seal_key: [0; 32],
                board: Hash::of(&[b"demo board", &device.0]),
            };
            take(self.db, &mut self.random, at, Act::DeviceEnrolled(enrolled)).await?;
        }
        Ok(())
    }

    /// One day at all offices.
    async fn day(
        &mut self,
        day: Day,
        before_today: i32,
        now: Instant,
        people: &[Person],
    ) -> Result<(), GenerateError> {
        let start = midnight(day);
        if before_today == 0 {
            return self.today(start, now, people).await;
        }
        let offices: Vec<OfficeId> = self.offices.iter().map(|office| office.office).collect();
        // 1970-01-01 was a Thursday, so a Saturday leaves 2.
        let salon = (day.0.rem_euclid(7) == 2).then(|| {
            let week = usize::try_from(day.0 / 7).unwrap_or(0);
            history::salon(&mut self.random, week, start, &offices)
        });
        let occurrence = salon.as_ref().map(|row| row.occurrence);
        if let Some(row) = salon {
            take(self.db, &mut self.random, start.offset(MINUTE_US), Act::OccurrenceSet(row)).await?;
        }
        self.play(day, before_today, start, occurrence, people).await?;
        if occurrence.is_some() && before_today > OPEN_DAYS {
            self.decide(start.offset(21 * 60 * MINUTE_US)).await?;
        }
        if before_today == 1 {
            self.retire(start.offset(22 * 60 * MINUTE_US)).await?;
        }
        Ok(())
    }

    async fn play(
        &mut self,
        day: Day,
        before_today: i32,
        start: Instant,
        salon: Option<OccurrenceId>,
        people: &[Person],
    ) -> Result<(), GenerateError> {
        let tokens = self.tokens(people);
        let lost = self.token(&people[4.min(people.len() - 1)]);
        let unknown = self.key.token(&CardText::uid(&[0x04, 0xde, 0xad, 0xbe, 0xef, 0x00, 0x01]));
        for at in 0..self.terminals.len() {
            let plan = DayPlan {
                day,
                midnight: start,
                before_today,
                tokens: &tokens,
                unknown,
                lost,
                salon,
                rate: EarnRate { per_fen: 10_000, points: 2 },
            };
            history::play(&mut self.random, &mut self.terminals[at], &plan, at);
            // The second office forgot to close yesterday.
            if !(at == 1 && before_today == 1) {
                let wrong = u64::from(at == 2 && before_today == DAY_OF_WRONG_TOTALS);
                let closing = start.offset(20 * 60 * MINUTE_US);
                self.terminals[at].close_day(closing, day, wrong);
            }
            self.upload(at, start.offset((20 * 60 + 30) * MINUTE_US)).await?;
        }
        Ok(())
    }

    async fn upload(&mut self, at: usize, received: Instant) -> Result<(), GenerateError> {
        let batch = self.terminals[at].batch(received);
        self.facts += batch.bodies.len() as u64;
        let id = EntryId(self.random.id());
        self.db
            .write(move |tx: &mut Tx<'_>| {
                let received = journal::pass_gate(tx, received)?;
                journal::take(tx, id, received, EntryBody::Batch(batch.clone())).map(|_| ())
            })
            .await?;
        Ok(())
    }

    /// Today: the third office worked until three hours ago; an activity runs at all offices.
    async fn today(&mut self, start: Instant, now: Instant, people: &[Person]) -> Result<(), GenerateError> {
        let row = OccurrenceRow {
            occurrence: OccurrenceId(self.random.id()),
            activity: hufu_shared::ids::ActivityId(self.random.id()),
            name: Words { zh: "秋日业主答谢会".to_owned(), en: "Autumn owners' reception".to_owned() },
            starts: start,
            ends: start.offset(30 * 60 * MINUTE_US),
            state: OccurrenceState::Approved,
            admits_once: true,
            exits: false,
            gifts: Vec::new(),
            guests: Vec::new(),
            points: Amount(SALON_POINTS),
            places: Some(300),
            offices: Vec::new(),
            audience: Audience::default(),
        };
        take(self.db, &mut self.random, start.offset(1), Act::OccurrenceSet(row)).await?;
        let silent = now.offset(-SILENT_HOURS * 60 * MINUTE_US);
        let tokens = self.tokens(people);
        let terminal = &mut self.terminals[2];
        terminal.boot(silent.offset(-60 * MINUTE_US), hufu_shared::ids::BootId(self.random.id()));
        for n in 0..9 {
            let token = tokens[self.random.place(tokens.len())];
            terminal.visit(silent.offset((n - 50) * MINUTE_US), token);
        }
        self.upload(2, silent).await?;
        self.contact(2, silent, 14).await
    }

    /// The terminals of the first two offices make room for new ones.
    async fn retire(&mut self, at: Instant) -> Result<(), GenerateError> {
        for n in 0..2 {
            let device = self.terminals[n].device;
            let reason = self.note("更换新终端", at).await?;
            take(self.db, &mut self.random, at, Act::DeviceRevoked(DeviceEnded { device, reason })).await?;
            self.contact(n, at, 0).await?;
        }
        Ok(())
    }

    async fn contact(&mut self, n: usize, at: Instant, queued: u64) -> Result<(), GenerateError> {
        let device = self.terminals[n].device;
        journal_published(self.db).await?;
        self.db
            .write(move |tx| {
                let version = journal::version(tx)?;
                let beat = Heartbeat {
                    address: String::new(),
                    queued,
                    notices: 0,
                    directory: version,
                    block: version,
                    readiness: None,
                    health: None,
                };
                contact::heard(tx, device, &beat, at)
            })
            .await?;
        Ok(())
    }

    /// Somebody confirms what is open about double check-ins.
    async fn decide(&mut self, at: Instant) -> Result<(), GenerateError> {
        let open = self
            .db
            .read(|tx| {
                let rows = tx.query(SQL.get("open_double_check_ins"), &[])?;
                rows.iter().map(|row| Ok(Hash(row.array(0)?))).collect::<Result<Vec<_>, StoreError>>()
            })
            .await?;
        for case in open {
            let reason = self.note("已与两个案场核对，以较早的签到为准", at).await?;
            let decided = CaseDecided { case, verdict: Verdict::Confirm, pins: Vec::new(), reason };
            take(self.db, &mut self.random, at, Act::CaseDecided(decided)).await?;
        }
        Ok(())
    }

    async fn note(&mut self, text: &'static str, at: Instant) -> Result<Hash, GenerateError> {
        let note = Note::new(&self.seal_key, self.random.id(), text)?;
        let commitment = note.commitment;
        self.db.write(move |tx| note.put(tx, None, at)).await?;
        Ok(commitment)
    }

    fn token(&self, person: &Person) -> Token {
        self.key.token(&people::chip(person))
    }

    /// Cards in use: chip cards of all, so that the same member is the same token everywhere.
    fn tokens(&self, people: &[Person]) -> Vec<Token> {
        let used = people.iter().filter(|person| person.card_state == "在用");
        used.map(|person| self.token(person)).collect()
    }
}
