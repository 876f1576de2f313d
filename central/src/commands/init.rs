//! `hufu-central init`: founds a club. Refuses to touch anything that is there already.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use hufu_shared::act::{Act, Actor, ClubFounded};
use hufu_shared::ids::{ClubId, EntryId, ID_RANDOM_BYTES};
use hufu_shared::policy::Policy;
use hufu_shared::scheme::{Scheme, Words};
use hufu_shared::time::{Day, Instant, OfficeClock};
use hufu_shared::wire::version::CentralEpoch;

use super::EXIT_OK;
use super::admin::{NewAdmin, password_line};
use super::schemes;
use crate::ca::{Authority, OwnKeys};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, Tx};
use crate::jobs::publisher;
use crate::store::devices::{self, TokenKeyError};
use crate::store::{acts, journal};
use crate::vault::Vault;
use crate::{random, secret_file};

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// Host name or address under which terminals reach this machine; may be given several times
    #[arg(long = "name", value_name = "HOST")]
    pub names: Vec<String>,
    /// Login of the first admin; the one-time password is printed once
    #[arg(long, default_value = "admin")]
    pub admin: String,
    /// The club's rules to begin with: one of `hufu-central schemes`, or a file like it
    #[arg(long, value_name = "NAME|FILE", default_value = "property-club")]
    pub scheme: String,
    /// Day on which the club was founded, if its history is to begin in the past (YYYY-MM-DD)
    #[arg(long)]
    pub founded: Option<Day>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// If anything is there already, or cannot be made.
pub async fn run(args: &InitArgs, config: &Config, clock: &dyn Clock) -> anyhow::Result<u8> {
    let names = if args.names.is_empty() { &config.device.names } else { &args.names };
    if names.is_empty() {
        bail!("no name of this machine: give --name HOST (several times if need be), or set device.names");
    }
    let dir = &config.data.dir;
    if is_filled(dir) {
        bail!("{} is not empty: a club is founded once, in a folder of its own", dir.display());
    }
    let (scheme, _) = schemes::load(&args.scheme)?;
    schemes::check_scope(&scheme)?;
    let now = clock.now();
    let founded = founded(args, now)?;
    // Before any key is made: a database that is in use must not get new keys beside it.
    secret_file::create_folder(dir)?;
    let db = Db::open(&config.database_url()).await.context("failed to make the database")?;
    if db.read(journal::club).await.is_ok() {
        bail!("the database holds a club already; it was left untouched");
    }
    let club = ClubId::new(founded, random::bytes::<ID_RANDOM_BYTES>()?);
    let authority = Authority::create(&config.ca_dir(), club, now).context("failed to make the CA")?;
    authority.server_identity(names, now).context("failed to make the server's certificate")?;
    let keys = OwnKeys::create(&config.keys_dir()).context("failed to make the centre's keys")?;
    Vault::create(&config.vault_key()).context("failed to make the vault's key")?;
    let path = config.names_file();
    std::fs::write(&path, names.join("\n") + "\n")
        .with_context(|| format!("failed to write {}", path.display()))?;
    let admin = Arc::new(NewAdmin::new(&args.admin, None, now)?);
    schemes::tell_not_done(&scheme);
    found(&db, config, Founding { club, founded, now, scheme, seal: keys.seal_public() }, &admin)
        .await
        .context("failed to found the club")?;
    db.close().await;
    let fingerprint = authority.fingerprint().to_string();
    if args.json {
        let told = serde_json::json!({
            "club": club, "ca": fingerprint, "admin": args.admin, "password": admin.password, "names": names,
        });
        println!("{told}");
    } else {
        println!("club {club} founded in {}; CA {fingerprint}", dir.display());
        println!("{}", password_line(&args.admin, &admin.password));
    }
    Ok(EXIT_OK)
}

fn is_filled(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some())
}

fn founded(args: &InitArgs, now: Instant) -> anyhow::Result<Instant> {
    let Some(day) = args.founded else { return Ok(now) };
    let date = day.date().with_context(|| format!("{day} is not on the calendar"))?;
    let midnight = date.and_hms_opt(0, 0, 0).context("a day without midnight")?;
    // A day in China begins eight hours before it does in UTC; noon there is safely within it.
    let noon = Instant(midnight.and_utc().timestamp_micros()).offset(4 * 60 * hufu_shared::time::MINUTE_US);
    if noon > now {
        bail!("the club cannot be founded in the future ({day})");
    }
    Ok(noon)
}

/// What the first acts are made of.
struct Founding {
    club: ClubId,
    founded: Instant,
    now: Instant,
    scheme: Scheme,
    seal: hufu_shared::seal::SealKey,
}

/// The acts by which a club begins with a scheme, in force from its first day: what terminals hold, and what the policy
/// is told if it differs from what a club has that says nothing.
fn scheme_acts(scheme: Scheme, day: Day) -> Vec<Act> {
    let scheme = Scheme { version: 1, valid_from: day, ..scheme };
    let mut policy = Policy::default();
    scheme.write_into(&mut policy);
    let mut acts = vec![Act::SchemeSet(scheme.terms())];
    if policy != Policy::default() {
        acts.push(Act::PolicySet(Box::new(policy)));
    }
    acts
}

async fn found(db: &Db, config: &Config, founding: Founding, admin: &Arc<NewAdmin>) -> anyhow::Result<()> {
    let Founding { club, founded, now, scheme, seal } = founding;
    let epoch = CentralEpoch { n: 1, bits: u64::from_be_bytes(random::bytes()?) };
    let name = Words { zh: config.club.name_zh.clone(), en: config.club.name_en.clone() };
    let day = OfficeClock::default().business_day(founded);
    let mut first = vec![Act::ClubFounded(ClubFounded { club, name, epoch })];
    first.extend(scheme_acts(scheme, day));
    let ids = first.iter().map(|_| random::bytes()).collect::<Result<Vec<[u8; ID_RANDOM_BYTES]>, _>>()?;
    let token_key: [u8; 32] = random::bytes()?;
    let admin = Arc::clone(admin);
    let actor = Actor::Command("init".to_owned());
    let work = move |tx: &mut Tx<'_>| -> Result<(), TokenKeyError> {
        for (act, id) in first.iter().zip(&ids) {
            acts::take(tx, EntryId::new(founded, *id), founded, &actor, act)?;
        }
        devices::add_token_key(tx, &seal, 1, &token_key)?;
        admin.put(tx, now)?;
        Ok(())
    };
    db.write(work).await?;
    publisher::publish_now(db).await?;
    Ok(())
}
