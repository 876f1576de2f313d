//! Sockets: an accept loop of our own, with a limit on everything a stranger may hold.
//!
//! The device port speaks TLS 1.3 only and verifies a client certificate against the club's root when one is shown
//! (enrolment has none yet); the console port speaks TLS, or plain HTTP on loopback only. A handler finds who called
//! in the request's extensions: [`PeerAddress`] always, [`PeerCertificate`] if one was shown and verified.
//!
//! Invariants: a connection that sends nothing, too slowly, or does not read its answers is closed within 10 s; no
//! body is held beyond its limit; stopping lets running requests finish, for at most 10 s.
//! Out of scope: who may do what; that is decided per request against the database.

mod accept;
mod body;
mod connection;
mod stall;
mod tls;
mod verifier;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

pub use accept::{CutList, serve};
pub use tls::{SwappableIdentity, TlsError, console_config, device_config};

/// Largest body that a route takes unless it says otherwise (`axum::extract::DefaultBodyLimit`).
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Largest body that any route may take; a longer one is refused by its head.
pub const ANY_BODY_BYTES_MAX: usize = 24 * 1024 * 1024;

/// What a listener puts up with. The defaults are those of the goals; tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the accepted connection to the finished TLS handshake.
    pub handshake_timeout: Duration,
    /// From the handshake to the first request's head, and from one HTTP/1 request to the next one's head.
    pub head_timeout: Duration,
    /// A body must deliver [`Limits::body_floor_bytes`] in each such span.
    pub body_window: Duration,
    /// See [`Limits::body_window`].
    pub body_floor_bytes: u64,
    /// Longest time that a peer may leave an answer unread.
    pub write_stall_timeout: Duration,
    /// A connection without running requests is closed after this.
    pub idle_timeout: Duration,
    /// Longest time that running requests may take to finish when the server stops.
    pub drain_timeout: Duration,
    /// Open connections.
    pub connections_max: usize,
    /// Open connections of one address; a load balancer before Hufu needs more.
    pub connections_per_address_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(5),
            body_window: Duration::from_secs(5),
            body_floor_bytes: 2 * 1024,
            write_stall_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(10),
            connections_max: 4096,
            connections_per_address_max: 256,
        }
    }
}

/// How a port speaks.
#[derive(Clone, Debug)]
pub enum Transport {
    /// Plain HTTP; only on a loopback address.
    Plain,
    /// TLS.
    Tls(Arc<rustls::ServerConfig>),
}

/// The leaf certificate (DER) that the peer showed and the handshake verified; it may have expired, see
/// [`crate::ca::PeerIdentity::is_expired`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate(pub Arc<[u8]>);

/// Where the connection came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

/// A port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The operating system refused.
    #[error("could not listen on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// Plain HTTP was asked for on an address that others can reach.
    #[error("{address} is not a loopback address: plain HTTP is served on loopback only, use TLS there")]
    PlainBeyondLoopback {
        /// The address asked for.
        address: SocketAddr,
    },
}

/// Opens a port for this transport.
///
/// # Errors
/// [`NetError`]; plain HTTP beyond loopback is refused.
pub async fn bind(address: SocketAddr, transport: &Transport) -> Result<TcpListener, NetError> {
    if matches!(transport, Transport::Plain) && !address.ip().is_loopback() {
        return Err(NetError::PlainBeyondLoopback { address });
    }
    TcpListener::bind(address).await.map_err(|source| NetError::Bind { address, source })
}

#[cfg(test)]
mod tests;
