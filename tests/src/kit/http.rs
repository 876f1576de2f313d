//! HTTP clients of tests: the club's private CA pinned, no proxy, a time limit on everything.

use anyhow::{Context as _, Result};
use reqwest::{Certificate, Client, StatusCode};
use std::time::Duration;

/// The longest that one request may take.
const REQUEST_LIMIT_MS: u64 = 30_000;
const CONNECT_LIMIT_MS: u64 = 5_000;

/// Makes `ring` the process's crypto provider; harmless when done again.
pub fn use_ring() {
    // An error says that a provider is set already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client for plain HTTP on loopback, which trusts no certificate at all.
///
/// # Errors
/// When the client cannot be built.
pub fn plain_client() -> Result<Client> {
    client(&[])
}

/// A client that trusts only the authority in `ca_pem`.
///
/// # Errors
/// When the text holds no certificate.
pub fn pinned_client(ca_pem: &str) -> Result<Client> {
    let roots =
        Certificate::from_pem_bundle(ca_pem.as_bytes()).context("failed to read the CA certificate")?;
    anyhow::ensure!(!roots.is_empty(), "the CA file holds no certificate");
    client(&roots)
}

fn client(roots: &[Certificate]) -> Result<Client> {
    use_ring();
    Client::builder()
        .no_proxy()
        .tls_certs_only(roots.iter().cloned())
        .connect_timeout(Duration::from_millis(CONNECT_LIMIT_MS))
        .timeout(Duration::from_millis(REQUEST_LIMIT_MS))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .context("failed to build the HTTP client")
}

/// Asks `url` every 100 ms until it answers with a success.
///
/// # Errors
/// When the time limit passes; says the last answer.
pub async fn wait_until_healthy(client: &Client, url: &str, limit: Duration) -> Result<()> {
    let mut last = "no answer".to_owned();
    let wait = async {
        loop {
            match client.get(url).send().await {
                Ok(answer) if answer.status().is_success() => return,
                Ok(answer) => last = answer.status().to_string(),
                Err(error) => last = format!("{error:#}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let waited = tokio::time::timeout(limit, wait).await;
    waited.with_context(|| format!("{url} was not healthy within {limit:?}: {last}"))
}

/// The body of a page and its status.
///
/// # Errors
/// When there is no answer.
pub async fn get_text(client: &Client, url: &str) -> Result<(StatusCode, String)> {
    let answer = client.get(url).send().await.with_context(|| format!("failed to get {url}"))?;
    let status = answer.status();
    Ok((status, answer.text().await.with_context(|| format!("failed to read {url}"))?))
}

/// Runs async work from a plain test.
///
/// # Errors
/// When no runtime can be made, or what the work says.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("failed to start a runtime")?
        .block_on(work)
}
