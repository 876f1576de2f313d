//! The real router on a port of its own, before a run loop that answers as the scene of the moment wants.

use anyhow::{Context as _, Result};
use embedded_graphics::prelude::Size;
use hufu_edge::clock::{Clock, SystemClock};
use hufu_edge::config::OperatorConfig;
use hufu_edge::counter::desk::{DeskOrder, Done, FoundHere, Taken};
use hufu_edge::counter::guard::Guard;
use hufu_edge::counter::operators::{self, Operators};
use hufu_edge::counter::port::{Declined, Order, Port, ViewSink};
use hufu_edge::counter::routes::{Counter, router};
use hufu_edge::counter::samples::{NOW, afternoon, words};
use hufu_edge::counter::serve::serve;
use hufu_edge::counter::tablets::Tablets;
use hufu_edge::counter::tablets::gate::gated;
use hufu_edge::counter::voice::Sounds;
use hufu_edge::locale::Language;
use hufu_edge::rules::operator::Role;
use hufu_edge::state::{FindSender, Finding};
use hufu_edge::store::{JOURNAL_FILE, NameKey, Store};
use hufu_edge::terminal::Terminal;
use hufu_hardware::panel::{Depth, DeskPanel};
use hufu_shared::ids::{ClubId, DeviceId, OfficeId};
use hufu_shared::seal::OpenKey;
use hufu_shared::time::Instant;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use super::scenes::{OPERATOR, Scene, Setting, bills, promised};

/// Volume of the page, in percent.
const VOLUME: u8 = 70;

/// A page that shows one scene after another; stops when dropped.
#[derive(Debug)]
pub struct Served {
    /// Where it is, without a trailing slash.
    pub url: String,
    /// Where the network meets it.
    pub gate: String,
    sink: ViewSink,
    setting: Arc<Mutex<Setting>>,
    _stop: watch::Sender<bool>,
    _panel: DeskPanel,
    _folder: TempDir,
}

impl Served {
    /// Serves the counter page of an ordinary afternoon.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start() -> Result<Self> {
        let (panel, shared) = DeskPanel::new(Size::new(320, 240), Depth::Rgb);
        let (port, ends) = Port::new(afternoon(), Some(shared));
        let setting = Arc::new(Mutex::new(Setting::default()));
        let answers = Arc::clone(&setting);
        let mut requests = ends.orders;
        tokio::spawn(async move {
            while let Some(request) = requests.recv().await {
                let answer = answer(&read(&answers), &request.order);
                // A page that has gone away needs no answer.
                drop(request.reply.send(answer));
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.context("failed to find a port")?;
        let address = listener.local_addr().context("failed to read the port")?;
        let folder = tempfile::tempdir().context("failed to make a folder")?;
        let (tablets, operators) = tablets(folder.path())?;
        let counter = Counter {
            port,
            guard: Guard::new(address, false, &[], None)?,
            seal_key: OpenKey::from_seed(&[7; 32]).seal_key(),
            simulator: None,
            language: Language::Zh,
            sounds: Arc::new(Sounds::tones(VOLUME)),
            finds: centre(Arc::clone(&setting)),
            // Nobody answers: the page says that the centre could not be asked.
            contacts: mpsc::channel(1).0,
            tablets: Some(Arc::clone(&tablets)),
            operators: Arc::new(operators),
            now: Box::new(|| NOW),
        };
        let counter = Arc::new(counter);
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, router(Arc::clone(&counter)), stopped.clone()));
        let network = TcpListener::bind("127.0.0.1:0").await.context("failed to find a port")?;
        let gate = network.local_addr().context("failed to read the port")?;
        tokio::spawn(serve(network, gated(counter, tablets), stopped));
        Ok(Self {
            url: format!("http://{address}"),
            gate: format!("http://{gate}"),
            sink: ends.view,
            setting,
            _stop: stop,
            _panel: panel,
            _folder: folder,
        })
    }

    /// Puts a scene on.
    pub fn show(&self, scene: &Scene) {
        *self.setting.lock().unwrap_or_else(PoisonError::into_inner) = scene.setting.clone();
        self.sink.publish(scene.view.clone());
    }
}

/// The book of a terminal with one tablet.
fn tablets(folder: &Path) -> Result<(Arc<Tablets>, Operators)> {
    let terminal = Terminal {
        device: DeviceId([1; 16]),
        epoch: 1,
        name: "前台一号".to_owned(),
        club: ClubId([2; 16]),
        club_name: words("虎符客户会", "Hufu Club"),
        office: OfficeId([3; 16]),
        first_key: vec![0x30],
        token_keys: Vec::new(),
        name_key: NameKey::from_seed(b"pages"),
    };
    let store = Store::open(&folder.join(JOURNAL_FILE), &terminal).context("failed to open a journal")?;
    let clock = Clock::new(Arc::new(SystemClock::start()), Instant(0));
    let pin_file = folder.join("wang.pin");
    std::fs::write(&pin_file, operators::hash("271828")?)?;
    std::fs::set_permissions(&pin_file, std::fs::Permissions::from_mode(0o600))?;
    let (id, name) = (OPERATOR.parse()?, "王敏".to_owned());
    let operator = OperatorConfig { id, name, role: Role::Clerk, pin_file };
    let operators = Operators::load(&[operator], store.clone(), clock.clone())?;
    let at = (SocketAddr::from(([127, 0, 0, 1], 7091)), ["A1B2"; 16].join(" "));
    let tablets = Tablets::open(store, clock, at, drop).context("failed to open the book of tablets")?;
    let code = tablets.offer().context("no code is offered")?.code;
    tablets.pair(&code, "前台平板").context("no tablet was paired")?;
    Ok((Arc::new(tablets), operators))
}

fn read(setting: &Mutex<Setting>) -> Setting {
    setting.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// What the run loop says in a scene.
fn answer(setting: &Setting, order: &Order) -> Result<Done, Declined> {
    if let Some(declined) = setting.declined
        && !matches!(order, Order::Desk(DeskOrder::ReadShift | DeskOrder::ReadExpected(_)))
    {
        return Err(declined);
    }
    Ok(match order {
        Order::Desk(DeskOrder::TakeForm(_)) => Done::Form(Taken {
            seq: 1_206,
            receipt: Some("A01-261122-0101-7".to_owned()),
            promised: Some(promised()),
        }),
        Order::Desk(DeskOrder::ReadShift | DeskOrder::OpenShift(_) | DeskOrder::CloseShift(_)) => {
            Done::Shift(Box::new(setting.shift.clone()))
        }
        Order::Desk(DeskOrder::Search(_)) => Done::Found(FoundHere {
            found: setting.found.found.clone(),
            more: setting.found.more,
            listed: 12,
        }),
        Order::Desk(DeskOrder::ReadCards) => Done::Cards(Box::new(setting.cards.clone())),
        Order::Desk(DeskOrder::ReadExpected(_)) => Done::Expected(setting.expected.clone()),
        Order::Desk(DeskOrder::ReadBill) => Done::Bill(Some(Box::new(bills()))),
        _ => Done::Plain,
    })
}

/// A centre that finds whom the scene wants found.
fn centre(setting: Arc<Mutex<Setting>>) -> FindSender {
    let (finds, mut asked) = mpsc::channel::<Finding>(1);
    tokio::spawn(async move {
        while let Some(finding) = asked.recv().await {
            // The page may have gone away meanwhile.
            match finding {
                Finding::Member { reply, .. } => drop(reply.send(Some(read(&setting).found))),
                Finding::Spread { reply, .. } => drop(reply.send(read(&setting).spread)),
            }
        }
    });
    finds
}
