//! `hufu-central serve`: both ports and the publisher, until SIGTERM or SIGINT.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::EXIT_OK;
use crate::app::App;
use crate::jobs::{leases, lookalikes, outbox, publisher, rising, schedule};
use crate::net::{self, Limits, SwappableIdentity, Transport, bind, console_config, device_config};
use crate::router;
use crate::second_path::SecondPath;

/// Seconds between looks at the server's certificate.
const CERTIFICATE_LOOK_S: u64 = 6 * 60 * 60;

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Print the two addresses as one line of JSON once both ports are open
    #[arg(long)]
    pub json: bool,
}

/// The service, with both ports open.
#[derive(Debug)]
pub struct Running {
    /// Where terminals connect.
    pub device: SocketAddr,
    /// Where people connect.
    pub console: SocketAddr,
    tasks: JoinSet<()>,
}

/// Runs the command.
///
/// # Errors
/// If a port cannot be opened.
pub async fn run(args: &ServeArgs, app: App) -> anyhow::Result<u8> {
    let mut end = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?;
    let running = start(&app).await?;
    let (device, console) = (running.device, running.console);
    let process = &*app.process;
    tracing::info!(%device, %console, process, version = env!("CARGO_PKG_VERSION"), "serving");
    if args.json {
        println!("{}", serde_json::json!({ "device": device, "console": console }));
    } else {
        println!("terminals: {device}; console: {console}");
    }
    tokio::select! {
        _ = end.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    stop(&app, running).await;
    Ok(EXIT_OK)
}

/// Opens both ports and starts the jobs.
///
/// # Errors
/// If the certificate cannot be made or a port cannot be opened.
pub async fn start(app: &App) -> anyhow::Result<Running> {
    open_second_path(app).await?;
    let identity = app.authority.server_identity(&app.names, app.now())?;
    let identity = SwappableIdentity::new(identity)?;
    let root = app.authority.certificate().clone();
    let device = Transport::Tls(device_config(&[root], identity.clone())?);
    let listen = app.config.console.listen;
    let console = if listen.ip().is_loopback() {
        Transport::Plain
    } else {
        Transport::Tls(console_config(identity.clone())?)
    };
    let mut tasks = JoinSet::new();
    let device_at =
        open_port(app, app.config.device.listen, device, router::device(app.clone()), &mut tasks).await?;
    let console_at = open_port(app, listen, console, router::console(app.clone()), &mut tasks).await?;
    tasks.spawn(publisher::run(app.clone()));
    tasks.spawn(leases::run(app.clone()));
    tasks.spawn(lookalikes::run(app.clone()));
    tasks.spawn(outbox::run(app.clone()));
    tasks.spawn(rising::run(app.clone()));
    tasks.spawn(schedule::run(app.clone()));
    tasks.spawn(keep_certificate(app.clone(), identity));
    Ok(Running { device: device_at, console: console_at, tasks })
}

/// What the database lost is back before anybody can ask for it.
async fn open_second_path(app: &App) -> anyhow::Result<()> {
    let folder = &app.config.data.second_path;
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    let second_path = SecondPath::open(folder).context("failed to open the second path")?;
    second_path
        .bring_back(&app.db, app.epoch_bits()?, app.now())
        .await
        .context("failed to use the second path")?;
    let second_path = app.second_path.get_or_init(|| second_path);
    app.copy().await.context("failed to copy the journal to the second path")?;
    let (entries, _) = second_path.head().await;
    tracing::info!(folder = %folder.display(), entries, "the journal is copied to the second path");
    Ok(())
}

async fn open_port(
    app: &App,
    address: SocketAddr,
    transport: Transport,
    routes: Router,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<SocketAddr> {
    let listener: TcpListener = bind(address, &transport).await?;
    let address = listener.local_addr()?;
    let limits = Limits {
        connections_max: app.config.limits.connections_max,
        connections_per_address_max: app.config.limits.connections_per_address_max,
        ..Limits::default()
    };
    let stop = app.stopping.subscribe();
    tasks.spawn(net::serve(listener, transport, routes, limits, app.cut.clone(), stop));
    Ok(address)
}

/// Makes a new server certificate in time; open connections keep theirs.
async fn keep_certificate(app: App, identity: std::sync::Arc<SwappableIdentity>) {
    let mut stop = app.stopping.subscribe();
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(CERTIFICATE_LOOK_S)) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let renewed = app.authority.server_identity(&app.names, app.now()).map_err(|error| error.to_string());
        let used = renewed.and_then(|new| identity.replace(new).map_err(|error| error.to_string()));
        if let Err(error) = used {
            tracing::error!(%error, "the server's certificate could not be renewed");
        }
    }
}

/// Lets running requests finish, publishes what they committed, and closes the database.
pub async fn stop(app: &App, mut running: Running) {
    app.stopping.send_replace(true);
    while running.tasks.join_next().await.is_some() {}
    if let Err(error) = publisher::finish(app).await {
        tracing::warn!(%error, "the last entries will be published at the next start");
    }
    app.db.close().await;
}
