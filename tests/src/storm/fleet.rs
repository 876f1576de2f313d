//! A club for a storm: founded in this process under a clock that is days behind, so that thousands of devices are
//! enrolled before the facts happen that they will have queued up; then its clock is right.

use super::device::Device;
use anyhow::{Context as _, Result};
use hufu_central::app::App;
use hufu_central::clock::{Clock, SystemClock};
use hufu_central::commands::device::{InviteArgs, invite};
use hufu_central::commands::init::{self, InitArgs};
use hufu_central::commands::serve::{self, Running};
use hufu_central::config::{self, Config};
use hufu_central::store::devices;
use hufu_shared::act::{Act, Actor, CardSet, MemberSet};
use hufu_shared::fact::{Attended, Earned, Event, Shown, Subject, Way};
use hufu_shared::ids::{ActivityId, CardId, Hash, MemberId, OccurrenceId, OfficeId};
use hufu_shared::member::{Audience, CardStatus, MemberStatus, OccurrenceRow, OccurrenceState, OfficeRow};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::time::{DAY_US, Instant, OfficeClock};
use hufu_shared::token::{CardText, MediumKind, Token};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// How far the clock is behind while the club is founded and devices enrol.
const BEHIND_US: i64 = 3 * DAY_US;
/// Rows in one act.
const ROWS_PER_ACT: usize = 1_000;
/// Devices that enrol at the same time.
const ENROLLING_MAX: usize = 8;
/// Points that attending gives.
const POINTS: i64 = 10;

/// The machine's clock, shifted.
#[derive(Debug, Default)]
pub struct ShiftedClock {
    by_us: AtomicI64,
}

impl ShiftedClock {
    fn set(&self, by_us: i64) {
        self.by_us.store(by_us, Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Instant {
        SystemClock.now().offset(self.by_us.load(Ordering::SeqCst))
    }
}

/// What a club is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Members, each with a card.
    pub members: usize,
    /// Occurrences, each of which every member may attend once.
    pub occurrences: usize,
    /// Connections that the centre takes.
    pub connections_max: usize,
    /// Uploads that may wait for the database.
    pub uploads_waiting_max: usize,
}

/// The club, served by this process.
pub struct Site {
    /// The service.
    pub app: App,
    /// Its configuration file, for a process of its own.
    pub config: PathBuf,
    /// Where terminals connect.
    pub device: SocketAddr,
    running: Running,
    clock: Arc<ShiftedClock>,
}

/// Who presents cards, and where.
#[derive(Debug, Clone)]
pub struct Crowd {
    tokens: Vec<Token>,
    occurrences: Vec<OccurrenceId>,
}

fn id(kind: &[u8], n: usize) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&Hash::of(&[b"storm", kind, &n.to_be_bytes()]).0[..16]);
    id
}

fn words(text: &str) -> Words {
    Words { zh: text.to_owned(), en: text.to_owned() }
}

impl Site {
    /// Founds a club in `folder`, on `database` or the embedded one, and serves it on `device`; its clock is behind.
    ///
    /// # Errors
    /// When any step fails.
    pub async fn found(
        folder: &Path,
        database: Option<&str>,
        device: SocketAddr,
        plan: &Plan,
    ) -> Result<(Self, Crowd)> {
        let config_file = folder.join("central.toml");
        let text = format!(
            "[data]\ndir = {:?}\n[database]\nurl = {:?}\n[device]\nlisten = \"{device}\"\nnames = [\"127.0.0.1\"]\n\
             [console]\nlisten = \"127.0.0.1:0\"\n\
             [limits]\nconnections_max = {}\nconnections_per_address_max = {}\nuploads_waiting_max = {}\n",
            folder.join("data"),
            database.unwrap_or_default(),
            plan.connections_max,
            plan.connections_max,
            plan.uploads_waiting_max,
        );
        std::fs::write(&config_file, text).context("failed to write the configuration")?;
        let config: Config = config::load(&config_file)?;
        let clock = Arc::new(ShiftedClock::default());
        clock.set(-BEHIND_US);
        let args = InitArgs {
            names: vec!["127.0.0.1".to_owned()],
            admin: "admin".to_owned(),
            scheme: "property-club".to_owned(),
            founded: None,
            json: true,
        };
        init::run(&args, &config, &*clock).await?;
        let app = App::open(config, Arc::clone(&clock) as Arc<dyn Clock>).await?;
        let running = serve::start(&app).await?;
        let site = Self { config: config_file, device: running.device, app, running, clock };
        let crowd = site.furnish(plan).await?;
        Ok((site, crowd))
    }

    async fn act(&self, act: Act) -> Result<()> {
        self.app.act(Actor::Job("storm".to_owned()), act).await?;
        Ok(())
    }

    async fn furnish(&self, plan: &Plan) -> Result<Crowd> {
        let office = OfficeRow {
            office: OfficeId(id(b"office", 0)),
            code: "A01".to_owned(),
            name: words("A"),
            clock: OfficeClock::default(),
            group: None,
        };
        self.act(Act::OfficeSet(office)).await?;
        let keys = Arc::clone(&self.app.keys);
        let token_keys = self.app.db.read(move |tx| devices::token_keys(tx, keys.open_key())).await?;
        let key = token_keys.first().context("no token key")?;
        let card_text = |n: usize| CardText::uid(&id(b"uid", n)[..7]);
        let tokens: Vec<Token> = (0..plan.members).map(|n| key.token(&card_text(n))).collect();
        let all: Vec<usize> = (0..plan.members).collect();
        for chunk in all.chunks(ROWS_PER_ACT) {
            let members = chunk.iter().map(|n| MemberSet {
                member: MemberId(id(b"member", *n)),
                number: format!("M{n:07}"),
                level: None,
                status: MemberStatus::Active,
                office: None,
                personal: Hash([0; 32]),
                joined: None,
            });
            self.act(Act::MembersSet(members.collect())).await?;
            let cards = chunk.iter().map(|n| CardSet {
                card: CardId(id(b"card", *n)),
                tokens: vec![tokens[*n]],
                member: Some(MemberId(id(b"member", *n))),
                kind: "main".to_owned(),
                status: CardStatus::Active,
                tail: format!("{:04}", n % 10_000),
                valid_from: None,
                valid_until: None,
            });
            self.act(Act::CardsSet(cards.collect())).await?;
        }
        let occurrences: Vec<OccurrenceId> =
            (0..plan.occurrences.max(1)).map(|n| OccurrenceId(id(b"occurrence", n))).collect();
        let now = SystemClock.now();
        for (n, occurrence) in occurrences.iter().enumerate() {
            let row = OccurrenceRow {
                occurrence: *occurrence,
                activity: ActivityId(id(b"activity", n)),
                name: words("沙龙"),
                starts: now.offset(-BEHIND_US),
                ends: now.offset(BEHIND_US),
                state: OccurrenceState::Approved,
                admits_once: true,
                exits: false,
                gifts: Vec::new(),
                guests: Vec::new(),
                points: Amount(POINTS),
                places: None,
                offices: Vec::new(),
                audience: Audience::default(),
            };
            self.act(Act::OccurrenceSet(row)).await?;
        }
        Ok(Crowd { tokens, occurrences })
    }

    /// Enrols devices over the wire, each from an address of its own where there are many.
    ///
    /// # Errors
    /// When one cannot be enrolled.
    pub async fn enrol(&self, count: usize) -> Result<Vec<Device>> {
        let root = self.app.authority.certificate().clone();
        let places = Arc::new(tokio::sync::Semaphore::new(ENROLLING_MAX));
        let mut enrolling = Vec::with_capacity(count);
        for n in 0..count {
            let (app, root, at) = (self.app.clone(), root.clone(), self.device);
            let place = Arc::clone(&places).acquire_owned().await?;
            enrolling.push(tokio::spawn(async move {
                let _place = place;
                let args =
                    InviteArgs { office: "A01".to_owned(), name: format!("T{n}"), device: None, json: true };
                let invited = invite(&app, Actor::Command("storm".to_owned()), &args).await?;
                Device::enrol(at, &root, &invited.code, Some(address(n))).await
            }));
        }
        let mut devices = Vec::with_capacity(count);
        for device in enrolling {
            devices.push(device.await??);
        }
        Ok(devices)
    }

    /// Sets the clock right: from now on it is the day of the storm.
    pub fn arrive(&self) {
        self.clock.set(0);
    }

    /// Stops serving.
    pub async fn stop(self) {
        serve::stop(&self.app, self.running).await;
    }
}

/// An address of the machine's own network for the n-th device.
fn address(n: usize) -> IpAddr {
    let part = |value: usize| u8::try_from(value % 250).unwrap_or(0) + 1;
    IpAddr::V4(Ipv4Addr::new(127, 1, part(n / 250), part(n)))
}

impl Crowd {
    /// The `k`-th fact of a club's day: two check-ins, then a purchase. Different numbers are different people or
    /// different occurrences, so that none repeats another.
    #[must_use]
    pub fn fact(&self, k: usize) -> (Shown, Event) {
        let token = self.tokens[k % self.tokens.len()];
        let subject = Subject { token, member: None, reader: 0, medium: MediumKind::Uid, code: None };
        let event = if k % 3 == 2 {
            let yuan = 100 + i64::try_from(k % 900).unwrap_or(0);
            Event::Earned(Earned {
                subject,
                purchase: Amount(yuan * 100),
                promised: vec![Leg { unit: Unit::Pts, amount: Amount(yuan / 100 * 2) }],
                slip: None,
                replaces: None,
                repeats: None,
                paid: None,
            })
        } else {
            Event::Attended(Attended {
                subject,
                occurrence: self.occurrences[k / self.tokens.len() % self.occurrences.len()],
                promised: vec![Leg { unit: Unit::Pts, amount: Amount(POINTS) }],
                repeats: None,
                gate: None,
                way: Way::In,
                companions: None,
            })
        };
        (Shown::Accepted, event)
    }
}
