//! A virtual card in a virtual reader's slot: answers APDUs over the reader driver's TCP protocol.
//!
//! Each message is a length (two bytes, big-endian) and that many bytes. One byte 0, 1 or 2 is power off, on and
//! reset and has no answer; one byte 4 asks for the answer to reset; anything else is an APDU. Connecting inserts
//! the card, closing removes it. The driver looks for changes every 400 ms, so leave [`CHANGE_PAUSE_MS`] between
//! removing a card and inserting the next. Out of scope: cards with cryptography.

mod memory;

pub use memory::Memory;

use super::clock;
use anyhow::{Context as _, Result, bail};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// The least pause between removing a card and inserting the next.
pub const CHANGE_PAUSE_MS: u64 = 1_000;
/// Answer to reset of a MIFARE Classic 1K (PC/SC part 3, card name 00 01).
pub const ATR_MIFARE_CLASSIC_1K: [u8; 20] = [
    0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, 0x01, 0x00, 0x00,
    0x00, 0x00, 0x6A,
];
/// Answer to reset of an Ultralight or NTAG (PC/SC part 3, card name 00 03).
pub const ATR_ULTRALIGHT: [u8; 20] = [
    0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, 0x03, 0x00, 0x00,
    0x00, 0x00, 0x68,
];
/// Answer to reset of a processor card without historical bytes, as readers make it up.
pub const ATR_PROCESSOR: [u8; 5] = [0x3B, 0x80, 0x80, 0x01, 0x01];
/// One attempt to enter the slot.
const CONNECT_LIMIT_MS: u64 = 2_000;
/// All attempts together: the driver takes a card only when it polls.
const INSERT_LIMIT_MS: u64 = 15_000;
/// GET DATA: the card's UID.
const GET_UID: [u8; 4] = [0xFF, 0xCA, 0x00, 0x00];
const STATUS_OK: [u8; 2] = [0x90, 0x00];

/// What a card does when it is asked for something.
#[derive(Clone, Debug)]
enum Manner {
    Answers,
    /// Waits before each APDU answer.
    Slow(Duration),
    /// Pulled while the APDU is answered: half of the answer leaves, then the card is gone.
    PulledMidApdu,
    /// Says what it is and never another word.
    Silent,
}

/// A card that can be put into a slot.
#[derive(Clone, Debug)]
pub struct VirtualCard {
    uid: Vec<u8>,
    atr: Vec<u8>,
    memory: Memory,
    manner: Manner,
}

/// A card lying in a slot; dropping it takes it out.
#[derive(Debug)]
pub struct InsertedCard {
    leave: Option<oneshot::Sender<()>>,
    worker: Option<std::thread::JoinHandle<Result<()>>>,
    apdus: Arc<AtomicU64>,
}

impl VirtualCard {
    /// A MIFARE Classic 1K with this UID (4, 7 or 10 bytes).
    #[must_use]
    pub fn mifare(uid: &[u8]) -> Self {
        let atr = ATR_MIFARE_CLASSIC_1K.to_vec();
        Self { uid: uid.to_vec(), atr, memory: Memory::Bare, manner: Manner::Answers }
    }

    /// The same card with something written in it, and the answer to reset that goes with that.
    #[must_use]
    pub fn holding(mut self, memory: Memory) -> Self {
        match memory {
            Memory::Bare | Memory::Classic { .. } => {}
            Memory::Ntag(_) => self.atr = ATR_ULTRALIGHT.to_vec(),
            Memory::File { .. } => self.atr = ATR_PROCESSOR.to_vec(),
        }
        self.memory = memory;
        self
    }

    /// The same card, answering nothing but its answer to reset.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.manner = Manner::Silent;
        self
    }

    /// The same card, with another answer to reset.
    #[must_use]
    pub fn with_atr(mut self, atr: &[u8]) -> Self {
        self.atr = atr.to_vec();
        self
    }

    /// The same card, waiting before each answer.
    #[must_use]
    pub fn slow(mut self, wait: Duration) -> Self {
        self.manner = Manner::Slow(wait);
        self
    }

    /// The same card, pulled in the middle of its first answer.
    #[must_use]
    pub fn pulled_mid_apdu(mut self) -> Self {
        self.manner = Manner::PulledMidApdu;
        self
    }

    /// Puts it into the slot behind `port` of 127.0.0.1; retries while the slot is not ready.
    ///
    /// # Errors
    /// When the slot takes no card within its time limit.
    pub fn insert(&self, port: u16) -> Result<InsertedCard> {
        let (leave, left) = oneshot::channel();
        let (entered, wait_entered) = std::sync::mpsc::channel();
        let apdus = Arc::new(AtomicU64::new(0));
        let card = self.clone();
        let counter = Arc::clone(&apdus);
        let worker = std::thread::Builder::new()
            .name("virtual-card".to_owned())
            .spawn(move || -> Result<()> {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(async {
                    let stream = match enter(port).await {
                        Ok(stream) => stream,
                        Err(error) => {
                            let _ = entered.send(Err(error));
                            return Ok(());
                        }
                    };
                    let _ = entered.send(Ok(()));
                    tokio::select! {
                        served = card.serve(stream, &counter) => served,
                        _ = left => Ok(()),
                    }
                })
            })
            .context("failed to start the card's thread")?;
        wait_entered.recv().context("the card's thread ended early")??;
        Ok(InsertedCard { leave: Some(leave), worker: Some(worker), apdus })
    }

    async fn serve(&self, mut stream: TcpStream, apdus: &AtomicU64) -> Result<()> {
        let mut session = memory::Session::default();
        while let Some(message) = receive(&mut stream).await? {
            let answer = match message.as_slice() {
                [0..=2] => continue,
                [4] => self.atr.clone(),
                apdu => {
                    apdus.fetch_add(1, Ordering::SeqCst);
                    self.answer(&mut session, apdu)
                }
            };
            let is_apdu = message.len() > 1;
            let length = u16::try_from(answer.len()).context("the answer is too long")?.to_be_bytes();
            match &self.manner {
                Manner::Slow(wait) if is_apdu => tokio::time::sleep(*wait).await,
                Manner::Silent if is_apdu => std::future::pending::<()>().await,
                Manner::PulledMidApdu if is_apdu => {
                    stream.write_all(&length).await?;
                    stream.write_all(&answer[..answer.len() / 2]).await?;
                    return Ok(());
                }
                _ => {}
            }
            // In one piece, or the driver waits for the rest.
            stream.write_all(&[&length[..], &answer].concat()).await?;
        }
        Ok(())
    }

    fn answer(&self, session: &mut memory::Session, apdu: &[u8]) -> Vec<u8> {
        if apdu.starts_with(&GET_UID) {
            [&self.uid[..], &STATUS_OK].concat()
        } else {
            self.memory.answer(session, apdu)
        }
    }
}

impl InsertedCard {
    /// How many APDUs it was asked so far.
    #[must_use]
    pub fn apdus(&self) -> u64 {
        self.apdus.load(Ordering::SeqCst)
    }

    /// Whether the reader still holds the connection (it breaks when pcscd dies).
    #[must_use]
    pub fn is_in(&self) -> bool {
        self.worker.as_ref().is_some_and(|worker| !worker.is_finished())
    }

    /// Takes the card out and waits [`CHANGE_PAUSE_MS`], so that the next change is seen as one of its own.
    ///
    /// # Errors
    /// When the connection had failed before.
    pub fn remove(mut self) -> Result<()> {
        let result = self.take_out();
        std::thread::sleep(Duration::from_millis(CHANGE_PAUSE_MS));
        result
    }

    fn take_out(&mut self) -> Result<()> {
        drop(self.leave.take());
        match self.worker.take().map(std::thread::JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => bail!("the card's thread panicked"),
        }
    }
}

impl Drop for InsertedCard {
    fn drop(&mut self) {
        if let Err(error) = self.take_out() {
            eprintln!("failed to take the card out: {error:#}");
        }
    }
}

async fn enter(port: u16) -> Result<TcpStream> {
    let end = clock::now() + Duration::from_millis(INSERT_LIMIT_MS);
    loop {
        let attempt = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        match tokio::time::timeout(Duration::from_millis(CONNECT_LIMIT_MS), attempt).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).context("failed to set TCP_NODELAY")?;
                return Ok(stream);
            }
            _ if clock::now() >= end => bail!("slot {port} took no card within {INSERT_LIMIT_MS} ms"),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// The next message; `None` when the reader has gone.
async fn receive(stream: &mut TcpStream) -> Result<Option<Vec<u8>>> {
    let mut length = [0_u8; 2];
    if !read_whole(stream, &mut length).await? {
        return Ok(None);
    }
    let mut message = vec![0_u8; usize::from(u16::from_be_bytes(length))];
    Ok(read_whole(stream, &mut message).await?.then_some(message))
}

/// The driver sends a length and its message as two segments and waits for the first one's acknowledgement, which
/// the kernel likes to delay by 40 ms; it forgets TCP_QUICKACK after each use, so that is set before each read.
async fn read_whole(stream: &mut TcpStream, into: &mut [u8]) -> Result<bool> {
    let mut filled = 0;
    while filled < into.len() {
        stream.set_quickack(true).context("failed to set TCP_QUICKACK")?;
        match stream.read(&mut into[filled..]).await {
            // pcscd that was killed resets the connection; for the card that is the same as a polite end.
            Ok(0) | Err(_) => return Ok(false),
            Ok(count) => filled += count,
        }
    }
    Ok(true)
}
