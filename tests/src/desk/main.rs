//! `desk`: the tray of virtual cards, for the demo and for tests through HTTP.

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use hufu_tests::desk::terminal::{Terminal, Wiring};
use hufu_tests::desk::{Desk, api, cards};
use hufu_tests::kit::lifetime;
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
    /// A terminal and its readers: NAME[:pcsc:PORT][:pty:PATH]; may stand several times
    #[arg(long, required = true)]
    terminal: Vec<Wiring>,
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
    let desk = Desk {
        cards: cards::read(&arguments.cards)?,
        terminals: arguments.terminal.into_iter().map(Terminal::attach).collect::<Result<_>>()?,
        embed_origins: arguments.embed_origin,
    };
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
