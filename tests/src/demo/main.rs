//! `demo`: a whole club to play with: centre, two terminals, virtual cards, and one page that shows all of it.
//!
//! With `--check` it plays the story instead, without a page, and ends with code 0 only if the books match. Everything
//! that it starts ends with it. Out of scope: installing and building, which `deploy/demo.sh` does.

mod acts;
mod hall;
mod page;
mod watch;

use anyhow::{Context as _, Result};
use clap::Parser;
use hall::Hall;
use hufu_tests::kit::clock;
use hufu_tests::kit::lifetime;
use hufu_tests::story;
use hufu_tests::story::model::Place;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A club to play with.
#[derive(Parser)]
struct Arguments {
    /// Play the story without a page, and end with 0 only if the books match
    #[arg(long)]
    check: bool,
    /// Loopback address of the page
    #[arg(long, default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// Members of the club
    #[arg(long, default_value_t = 2_000)]
    members: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let done = if arguments.check { check() } else { show(&arguments) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the story in a folder that stays when it fails.
fn check() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("hufu-check-").tempdir()?;
    let begun = clock::now();
    let played = story::play(folder.path(), None, Place::A, |scene| {
        println!("demo: {:>4} s  {scene}", begun.elapsed().as_secs());
    });
    match played {
        Ok(played) => {
            println!("{}", played.tally);
            Ok(())
        }
        Err(error) => {
            let _ = folder.keep();
            Err(error)
        }
    }
}

fn show(arguments: &Arguments) -> Result<()> {
    anyhow::ensure!(
        arguments.listen.ip().is_loopback(),
        "{} is not loopback: the demo is not for a network",
        arguments.listen
    );
    let folder = tempfile::Builder::new().prefix("hufu-demo-").tempdir()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime
        .block_on(TcpListener::bind(arguments.listen))
        .with_context(|| format!("failed to listen on {}", arguments.listen))?;
    let origin = format!("http://{}", listener.local_addr()?);
    // Ctrl-C must also end a demo that is still being set up.
    let setting_up = std::thread::spawn({
        let (folder, origin, members) = (folder.path().to_owned(), origin.clone(), arguments.members);
        move || Hall::open(&folder, &origin, members, |step| println!("demo: {step}"))
    });
    let hall = runtime.block_on(async {
        let joined = tokio::task::spawn_blocking(move || setting_up.join());
        tokio::select! {
            hall = joined => Some(hall),
            _ = lifetime::ended() => None,
        }
    });
    let Some(hall) = hall else { anyhow::bail!("stopped while it was being set up") };
    let hall = Arc::new(hall?.map_err(|_| anyhow::anyhow!("the demo's thread panicked"))??);
    hall.print_addresses(&origin);
    let routes = page::router(Arc::clone(&hall));
    runtime.block_on(async {
        tokio::select! {
            served = axum::serve(listener, routes).into_future() => served.context("failed to serve the page"),
            ended = lifetime::ended() => ended,
        }
    })?;
    println!("demo: stopping");
    // Requests still hold the hall; with the runtime they let go, and the hall ends its programs.
    runtime.shutdown_timeout(std::time::Duration::from_secs(10));
    drop(hall);
    folder.close().context("failed to remove the demo's files")
}
