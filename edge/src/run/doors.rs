//! Where the counter page is served: at the board itself, and to paired tablets of the network.
//!
//! Invariants: nothing leaves the board without TLS; the network's door leads through the gate of paired tablets, unless
//! the configuration says aloud that anybody may come.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::core::Core;
use super::effects::Effect;
use super::tasks::StartError;
use crate::clock::Clock;
use crate::config::Config;
use crate::counter::routes::{Counter, router};
use crate::counter::serve::{serve, serve_tls};
use crate::counter::tablets::gate::gated;
use crate::counter::tablets::{Announcement, Tablets, grouped};
use crate::counter::tls::Certificate;
use crate::rules::pairing::CODE_LIFE_S;
use crate::rules::screen::{Face, code_words, paired_words};
use crate::store::StoreError;

/// Groups of the fingerprint that the member display has room for: 64 bits of it.
const GROUPS_SHOWN: usize = 4;

/// The listeners, bound and not yet served.
pub(super) struct Doors {
    own: TcpListener,
    own_tls: Option<TlsAcceptor>,
    tablets: Option<Network>,
}

struct Network {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: TlsAcceptor,
    fingerprint: String,
}

impl Doors {
    /// Binds what the configuration says; makes the certificate where there is none yet.
    ///
    /// # Errors
    /// [`StartError`] naming the address or the file.
    pub(super) async fn open(config: &Config) -> Result<Self, StartError> {
        let (data_dir, own) = (&config.terminal.data_dir, config.counter.listen);
        let own_tls = if own.ip().is_loopback() {
            None
        } else {
            Some(Certificate::open(data_dir, own.ip())?.acceptor()?)
        };
        let tablets = match config.counter.tablets {
            None => None,
            Some(address) => {
                let certificate = Certificate::open(data_dir, address.ip())?;
                let listener = listen(address).await?;
                let address = listener.local_addr().unwrap_or(address);
                let (acceptor, fingerprint) = (certificate.acceptor()?, certificate.fingerprint());
                Some(Network { listener, address, acceptor, fingerprint })
            }
        };
        Ok(Self { own: listen(own).await?, own_tls, tablets })
    }

    /// The book of tablets, where tablets are served.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub(super) fn tablets(
        &self,
        core: &Core,
        clock: &Clock,
        effects: &mpsc::Sender<Effect>,
    ) -> Result<Option<Arc<Tablets>>, StoreError> {
        let Some(network) = &self.tablets else { return Ok(None) };
        let (core, effects, told) = (core.clone(), effects.clone(), clock.clone());
        let store = core.store().clone();
        let announce = move |announcement| {
            let zone = core.office_clock().tz().unwrap_or(chrono_tz::Asia::Shanghai);
            let effect = match announcement {
                Announcement::Code(offered) => {
                    let until_ns = told
                        .now()
                        .mono_ns
                        .saturating_add(u64::from(CODE_LIFE_S).saturating_mul(1_000_000_000));
                    let groups: Vec<&str> = offered.fingerprint.split(' ').take(GROUPS_SHOWN).collect();
                    let until = offered.until.display_time(zone);
                    let words = code_words(grouped(&offered.code), until, groups.join(" "));
                    Effect::Stand(Some((Face::Pairing, words, until_ns)))
                }
                Announcement::Over => Effect::Stand(None),
                Announcement::Paired(name) => {
                    Effect::Show { face: Face::Pairing, words: paired_words(name), seq: None }
                }
            };
            // Displays that are gone are no reason to let nobody in.
            drop(effects.send(effect));
        };
        let at = (network.address, network.fingerprint.clone());
        Tablets::open(store, clock.clone(), at, announce).map(|tablets| Some(Arc::new(tablets)))
    }

    /// Serves until `stops` is told.
    pub(super) fn serve(self, counter: &Arc<Counter>, stops: &watch::Receiver<bool>) -> JoinSet<()> {
        let mut serving = JoinSet::new();
        let page = router(Arc::clone(counter));
        match self.own_tls {
            None => serving.spawn(serve(self.own, page, stops.clone())),
            Some(acceptor) => serving.spawn(serve_tls(self.own, acceptor, page, stops.clone())),
        };
        if let (Some(network), Some(tablets)) = (self.tablets, &counter.tablets) {
            let page = gated(Arc::clone(counter), Arc::clone(tablets));
            tracing::info!(address = %network.address, fingerprint = network.fingerprint, "tablets are served");
            serving.spawn(serve_tls(network.listener, network.acceptor, page, stops.clone()));
        }
        serving
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let wrong = |source| StartError::Listen { address: address.to_string(), source };
    TcpListener::bind(address).await.map_err(wrong)
}
