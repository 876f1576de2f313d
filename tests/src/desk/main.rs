//! `desk`: the tray of virtual cards, for the demo and for tests through HTTP.

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use hufu_tests::desk::terminal::{Service, Terminal};
use hufu_tests::desk::wiring::Wiring;
use hufu_tests::desk::{Desk, api, cards};
use hufu_tests::kit::lifetime;
use hufu_tests::kit::pcscd::Pcscd;
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The tray of virtual cards.
#[derive(Parser)]
struct Arguments {
    /// Loopback address and port of the page; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// JSON file of the cards
    #[arg(long)]
    cards: PathBuf,
    /// Slots of a smart-card service of the tray's own, whose readers can be unplugged
    #[arg(long, default_value_t = 0)]
    slots: usize,
    /// A terminal and its devices: NAME,uid=PORT or #SLOT,stripe=PATH,... (see desk/wiring.rs); may stand several times
    #[arg(long, required = true)]
    terminal: Vec<Wiring>,
    /// Address that gives a fresh member code when a member's number is added to it
    #[arg(long)]
    codes: Option<String>,
    /// An origin whose pages may show the tray in a frame (http://127.0.0.1:7090); may stand several times
    #[arg(long)]
    embed_origin: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    ensure!(
        arguments.listen.ip().is_loopback(),
        "{} is not loopback: the tray is not for a network",
        arguments.listen
    );
    for origin in &arguments.embed_origin {
        let plain = origin.starts_with("http://") || origin.starts_with("https://");
        ensure!(
            plain && !origin.contains([' ', ';', ',']),
            "`{origin}` is no origin, expected http://HOST:PORT"
        );
    }
    let cards = cards::read(&arguments.cards)?;
    let (service, wired) = start_service(arguments.slots)?;
    let attach = |wiring| Terminal::attach(wiring, service.as_ref());
    let terminals: Vec<Terminal> = arguments.terminal.into_iter().map(attach).collect::<Result<_>>()?;
    let nets: serde_json::Map<String, serde_json::Value> =
        terminals.iter().filter_map(|each| Some((each.name.clone(), each.net_port()?.into()))).collect();
    println!("wired: {}", json!({ "service": wired, "nets": nets }));
    let desk = Desk { cards, terminals, codes: arguments.codes, embed_origins: arguments.embed_origin };
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("failed to listen on {}", arguments.listen))?;
    println!("desk: http://{}", listener.local_addr().context("failed to read the address")?);
    let stop = async {
        if let Err(error) = lifetime::ended().await {
            tracing::error!("failed to wait for the end: {error:#}");
        }
    };
    axum::serve(listener, api::router(Arc::new(desk)))
        .with_graceful_shutdown(stop)
        .await
        .context("failed to serve the tray")
}

/// The tray's own smart-card service, and how others reach it.
fn start_service(slots: usize) -> Result<(Option<Arc<Service>>, serde_json::Value)> {
    if slots == 0 {
        return Ok((None, json!(null)));
    }
    let pcscd = Pcscd::start(slots)?;
    let readers: Vec<String> = (0..slots).map(|slot| pcscd.reader_name(slot)).collect();
    let ports: Vec<u16> = (0..slots).map(|slot| pcscd.port(slot)).collect();
    let namespace = pcscd.namespace().map(|pid| pid.as_raw_nonzero().get());
    let wired = json!({ "readers": readers, "ports": ports, "namespace": namespace });
    Ok((Some(Service::new(pcscd)), wired))
}
