//! Commands of `hufu-central`: their arguments, and which module runs each.
//!
//! Every command but `init` and `migrate` works on an initialised centre whose schema is up to date.

pub mod admin;
pub mod device;
pub mod export;
pub mod generate;
pub mod import;
pub mod import_queue;
pub mod init;
pub mod jobs;
pub mod migrate;
pub mod openapi;
pub mod rebase;
pub mod reconcile;
pub mod schemes;
pub mod serve;
pub mod verify;
pub mod what_if;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use hufu_shared::token::TokenKey;

use crate::app::App;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config};
use crate::import::run::Means;
use crate::store::devices;

/// Done.
pub const EXIT_OK: u8 = 0;
/// Something failed; the message says what.
pub const EXIT_FAILED: u8 = 1;
/// The command line cannot be understood; clap's own code.
pub const EXIT_USAGE: u8 = 2;
/// The configuration cannot be used.
pub const EXIT_CONFIG: u8 = 78;

const EXIT_HELP: &str = "Exit codes:\n  0   done\n  1   failed; the message says why\n  2   wrong arguments\n  \
3   import: bad rows\n  4   verify: findings\n  5   reconcile: differences\n  78  the configuration cannot be used";

/// The central service of a club.
#[derive(Debug, Parser)]
#[command(name = "hufu-central", version, about, after_help = EXIT_HELP)]
pub struct Cli {
    /// The configuration file
    #[arg(long, global = true, env = "HUFU_CENTRAL_CONFIG", default_value = "/etc/hufu/central.toml")]
    pub config: PathBuf,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Found a club: data folder, keys, private CA, database, first admin
    Init(init::InitArgs),
    /// Serve terminals and the console until told to stop
    Serve(serve::ServeArgs),
    /// Bring the database's schema up to date
    Migrate,
    /// People who administer the club
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Terminals
    #[command(subcommand)]
    Device(device::DeviceCommand),
    /// Take members, cards, offices, activities, opening balances or history from a file
    Import(import::ImportArgs),
    /// Write members, cards, balances or statements to a file
    Export(export::ExportArgs),
    /// Take in the queue that a terminal exported to a stick
    ImportQueue(import_queue::ImportQueueArgs),
    /// Prove the books by replaying the journal
    Verify(verify::VerifyArgs),
    /// Take the state of the books as a base from which `verify` may begin, and judge by other rules from there on
    Rebase(rebase::RebaseArgs),
    /// Compare what terminals recorded on a day with the ledger
    Reconcile(reconcile::ReconcileArgs),
    /// Jobs: list them with what waits for them, run one, or count what it would do
    Jobs(jobs::JobsArgs),
    /// Schemes: list those that are shipped, show one as a file to be edited, publish one as the club's next version
    Schemes(schemes::SchemesArgs),
    /// What a member would have by a scheme and a history, line by line with the number of the rule
    WhatIf(what_if::WhatIfArgs),
    /// Print the OpenAPI document of the admin API
    Openapi,
    /// Fill a fresh club with members and history, for demonstration
    Generate(generate::GenerateArgs),
}

/// Runs the command of the command line; answers the exit code.
pub async fn run(cli: Cli) -> u8 {
    if let Some(done) = without_club(&cli.command) {
        return code(done);
    }
    let config = match config::load(&cli.config) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("hufu-central: {error}");
            return EXIT_CONFIG;
        }
    };
    code(perform(cli.command, config).await)
}

/// The exit code of what was done; a failure is told.
fn code(done: anyhow::Result<u8>) -> u8 {
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("hufu-central: {error:#}");
            EXIT_FAILED
        }
    }
}

/// Runs a command that needs neither configuration nor club; none if the command is not one of them.
fn without_club(command: &Command) -> Option<anyhow::Result<u8>> {
    match command {
        Command::Import(args) if args.template => {
            print!("{}", args.kind.template());
            Some(Ok(EXIT_OK))
        }
        Command::Schemes(args) => schemes::without_club(args),
        Command::WhatIf(args) => Some(what_if::run(args)),
        Command::Openapi => Some(openapi::run()),
        _ => None,
    }
}

async fn perform(command: Command, config: Config) -> anyhow::Result<u8> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match command {
        Command::Init(args) => init::run(&args, &config, &*clock).await,
        Command::Migrate => migrate::run(&config).await,
        Command::Serve(args) => serve::run(&args, open(config, clock).await?).await,
        Command::Admin(command) => admin::run(&command, &open(config, clock).await?).await,
        Command::Device(command) => device::run(&command, &open(config, clock).await?).await,
        Command::Import(args) => {
            let app = open(config, clock).await?;
            let token_keys = token_keys(&app).await?;
            let means = Means {
                db: &app.db,
                vault: &app.vault,
                token_keys: &token_keys,
                seal: app.keys.seal_public(),
                clock: &*app.clock,
            };
            import::run(&args, &means).await
        }
        Command::Export(args) => export::run(&args, &open(config, clock).await?).await,
        Command::ImportQueue(args) => import_queue::run(&args, &open(config, clock).await?).await,
        Command::Verify(args) => {
            let app = open(config, clock).await?;
            verify::run(&args, &app.db, &app.keys.sign_public()).await
        }
        Command::Rebase(args) => rebase::run(&args, &open(config, clock).await?).await,
        Command::Reconcile(args) => reconcile::run(&args, &open(config, clock).await?.db).await,
        Command::Jobs(args) => jobs::run(&args, &open(config, clock).await?).await,
        Command::Generate(args) => {
            let app = open(config, clock).await?;
            let token_keys = token_keys(&app).await?;
            let seal = app.keys.seal_public();
            generate::run(&args, &app.db, &app.vault, &token_keys, seal, &*app.clock).await
        }
        Command::Schemes(args) => schemes::run(&args, &open(config, clock).await?).await,
        Command::WhatIf(args) => what_if::run(&args),
        Command::Openapi => openapi::run(),
    }
}

async fn open(config: Config, clock: Arc<dyn Clock>) -> anyhow::Result<App> {
    App::open(config, clock).await.context("failed to open the centre; `hufu-central init` makes a new one")
}

async fn token_keys(app: &App) -> anyhow::Result<Vec<TokenKey>> {
    let keys = Arc::clone(&app.keys);
    let found = app.db.read(move |tx| devices::token_keys(tx, keys.open_key())).await;
    found.context("failed to read the token keys")
}
