//! The smart-card source over a real pcscd with virtual cards: what the daemon would be told.

use anyhow::{Result, bail, ensure};
use hufu_hardware::card::{CardEvent, CardSource as _, Medium, MonotonicClock, Running};
use hufu_hardware::pcsc::mode::{Aid, Content, FileRef, KeySlot, Piece};
use hufu_hardware::pcsc::{PcscSource, ReadMode};
use hufu_tests::kit::clock;
use hufu_tests::kit::pcscd::Pcscd;
use hufu_tests::kit::vcard::{Memory, VirtualCard};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);
const UID: [u8; 7] = [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6];

/// A started source; its events come as short words, such as `0 up` (slot 0).
struct Source {
    events: Receiver<CardEvent>,
    names: Vec<String>,
    _running: Running,
}

fn start(pcscd: &Pcscd, slots: usize) -> Result<Source> {
    start_reading(pcscd, slots, ReadMode::Uid)
}

fn start_reading(pcscd: &Pcscd, slots: usize, mode: ReadMode) -> Result<Source> {
    let start = clock::now();
    let clock = MonotonicClock::new(move || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    let (sender, events) = channel();
    let running = Box::new(PcscSource::new(0, "").reading(mode)).start(sender.into(), clock)?;
    let names = (0..slots).map(|slot| pcscd.reader_name(slot)).collect();
    let source = Source { events, names, _running: running };
    source.expect_all(&(0..slots).map(|slot| format!("{slot} up")).collect::<Vec<_>>())?;
    Ok(source)
}

impl Source {
    fn next(&self) -> Result<String> {
        let event = self.events.recv_timeout(LIMIT)?;
        let slot = self.names.iter().position(|name| **name == *event.source().name);
        let slot = slot.map_or("-".to_owned(), |slot| slot.to_string());
        Ok(match &event {
            CardEvent::Presented(p) => match &p.medium {
                Medium::Uid(uid) => format!("{slot} uid {}", data_encoding::HEXUPPER.encode(uid)),
                Medium::Number(number) => format!("{slot} number {number}"),
                Medium::Data(data) => format!("{slot} data {}", data_encoding::HEXUPPER.encode(data)),
                other => bail!("a reader of cards presented {other:?}"),
            },
            CardEvent::Removed { .. } => format!("{slot} removed"),
            CardEvent::ReadFailed { kind, .. } => format!("{slot} failed {kind:?}"),
            CardEvent::KeepStill { .. } => format!("{slot} keep still"),
            CardEvent::SourceUp { .. } => format!("{slot} up"),
            CardEvent::SourceDown { kind, .. } => format!("{slot} down {kind:?}"),
            other => bail!("unknown event {other:?}"),
        })
    }

    fn expect(&self, words: &[&str]) -> Result<()> {
        for word in words {
            let next = self.next()?;
            ensure!(next == *word, "wanted {word}, got {next}");
        }
        Ok(())
    }

    /// The same, in any order.
    fn expect_all(&self, words: &[String]) -> Result<()> {
        let mut got = words.iter().map(|_| self.next()).collect::<Result<Vec<_>>>()?;
        let mut wanted = words.to_vec();
        got.sort();
        wanted.sort();
        ensure!(got == wanted, "wanted {wanted:?}, got {got:?}");
        Ok(())
    }
}

#[test]
fn pcscd_reader_cards_of_two_slots_come_and_go() -> Result<()> {
    let pcscd = Pcscd::start(2)?;
    let source = start(&pcscd, 2)?;
    let first = VirtualCard::mifare(&UID).insert(pcscd.port(0))?;
    source.expect(&["0 uid 04A1B2C3D4E5F6"])?;
    let second = VirtualCard::mifare(&[0x11, 0x22, 0x33, 0x44]).insert(pcscd.port(1))?;
    source.expect(&["1 uid 11223344"])?;
    first.remove()?;
    source.expect(&["0 removed"])?;
    second.remove()?;
    source.expect(&["1 removed"])?;
    // A UID made up for this tap identifies nobody.
    let random = VirtualCard::mifare(&[0x08, 0x22, 0x33, 0x44]).insert(pcscd.port(0))?;
    source.expect(&["0 failed RandomUid"])?;
    random.remove()?;
    source.expect(&["0 removed"])
}

#[test]
fn case_70_pcscd_card_pulled_mid_read_leaves_no_partial_id() -> Result<()> {
    let pcscd = Pcscd::start(2)?;
    let source = start(&pcscd, 2)?;
    // The half of the last one's answer looks like a whole answer with a shorter UID.
    let treacherous = [0x11, 0x22, 0x33, 0x44, 0x90, 0x00, 0x77, 0x88, 0x99, 0xAA];
    for uid in [&UID[..4], &UID[..], &treacherous[..]] {
        let card = VirtualCard::mifare(uid).pulled_mid_apdu().insert(pcscd.port(0))?;
        source.expect(&["0 failed CardLost", "0 removed"])?;
        card.remove()?;
    }
    let whole = VirtualCard::mifare(&UID).insert(pcscd.port(0))?;
    source.expect(&["0 uid 04A1B2C3D4E5F6"])?;
    whole.remove()
}

#[test]
fn pcscd_reader_silent_card_holds_up_nobody_else() -> Result<()> {
    let pcscd = Pcscd::start(2)?;
    let source = start(&pcscd, 2)?;
    let silent = VirtualCard::mifare(&UID).slow(Duration::from_secs(4)).insert(pcscd.port(0))?;
    source.expect(&["0 keep still"])?;
    let other = VirtualCard::mifare(&UID).insert(pcscd.port(1))?;
    source.expect_all(&["1 uid 04A1B2C3D4E5F6".to_owned(), "0 failed NotAnswering".to_owned()])?;
    other.remove()?;
    source.expect(&["1 removed"])?;
    silent.remove()
}

#[test]
fn case_71_pcscd_killed_is_told_at_once_and_back_within_three_seconds() -> Result<()> {
    let mut pcscd = Pcscd::start(2)?;
    let source = start(&pcscd, 2)?;
    for wait in [Duration::ZERO, Duration::from_secs(4)] {
        let killed = clock::now();
        pcscd.kill_hard()?;
        source.expect_all(&["0 down ServiceGone", "1 down ServiceGone"].map(str::to_owned))?;
        ensure!(killed.elapsed() < Duration::from_secs(1), "told after {:?}", killed.elapsed());
        // However long it is away, and however long the pauses between two tries have grown meanwhile.
        std::thread::sleep(wait);
        pcscd.start_again()?;
        let back = clock::now();
        source.expect_all(&["0 up", "1 up"].map(str::to_owned))?;
        ensure!(back.elapsed() < Duration::from_secs(3), "back after {:?}", back.elapsed());
        let card = VirtualCard::mifare(&UID).insert(pcscd.port(0))?;
        source.expect(&["0 uid 04A1B2C3D4E5F6"])?;
        card.remove()?;
        source.expect(&["0 removed"])?;
    }
    Ok(())
}

const CLUB_KEY: [u8; 6] = [0xC1, 0x0B, 0x5E, 0xC7, 0x0F, 0x01];
const PIECE: Piece = Piece { offset: 0, length: 16, content: Content::Text };

fn block(text: &str) -> [u8; 16] {
    let mut block = [0; 16];
    block[..text.len()].copy_from_slice(text.as_bytes());
    block
}

fn m1(key: [u8; 6], text: &str) -> VirtualCard {
    VirtualCard::mifare(&UID[..4]).holding(Memory::Classic { key, block: 9, data: block(text) })
}

fn ntag(text: &str) -> VirtualCard {
    let mut memory = vec![0; 180];
    memory[24..24 + text.len()].copy_from_slice(text.as_bytes());
    VirtualCard::mifare(&UID).holding(Memory::Ntag(memory))
}

fn processor(application: &[u8], text: &str) -> VirtualCard {
    let application = application.to_vec();
    let memory = Memory::File { application, id: 0x15, data: block(text).to_vec() };
    VirtualCard::mifare(&[0x08, 0x22, 0x33, 0x44]).holding(memory)
}

fn expect_each(pcscd: &Pcscd, source: &Source, slot: usize, cards: &[(VirtualCard, &str)]) -> Result<()> {
    for (card, word) in cards {
        let card = card.insert(pcscd.port(slot))?;
        source.expect(&[&format!("{slot} {word}")])?;
        card.remove()?;
        source.expect(&[&format!("{slot} removed")])?;
    }
    Ok(())
}

#[test]
fn pcscd_reader_m1_sector_opens_with_the_clubs_key_only() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir()?;
    let key_file = folder.path().join("m1.key");
    std::fs::write(&key_file, data_encoding::HEXUPPER.encode(&CLUB_KEY))?;
    std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o600))?;
    let pcscd = Pcscd::start(2)?;
    let mode = ReadMode::Classic { sector: 2, block: 1, key: KeySlot::A, key_file, piece: PIECE };
    let source = start_reading(&pcscd, 2, mode)?;
    let cards = [
        (m1(CLUB_KEY, "80001234"), "number 80001234"),
        (m1([0xFF; 6], "80001234"), "failed WrongKey"),
        (m1(CLUB_KEY, ""), "failed Blank"),
        (m1(CLUB_KEY, "6225880012345675"), "failed PaymentCard"),
        (ntag("80001234"), "failed WrongCard"),
        (processor(b"HUFU.CLUB", "80001234"), "failed WrongCard"),
        (m1(CLUB_KEY, "80005678").pulled_mid_apdu(), "failed CardLost"),
        (m1(CLUB_KEY, "80005678"), "number 80005678"),
    ];
    expect_each(&pcscd, &source, 0, &cards)
}

#[test]
fn pcscd_reader_ntag_pages_and_files_of_processor_cards() -> Result<()> {
    let pcscd = Pcscd::start(4)?;
    let pages = start_reading(&pcscd, 4, ReadMode::Pages { first: 6, piece: PIECE })?;
    let cards = [
        (ntag("N80001234"), "number N80001234"),
        (ntag(""), "failed Blank"),
        (m1(CLUB_KEY, "80001234"), "failed WrongCard"),
        (ntag("80001234").pulled_mid_apdu(), "failed CardLost"),
    ];
    expect_each(&pcscd, &pages, 3, &cards)?;
    drop(pages);
    let application = Aid::new(b"HUFU.CLUB");
    let mode = ReadMode::File { application, file: FileRef::Id(0x15), piece: PIECE };
    let files = start_reading(&pcscd, 4, mode)?;
    let cards = [
        // Its UID is made up for each tap; its file is not.
        (processor(b"HUFU.CLUB", "80001234"), "number 80001234"),
        (processor(b"OTHER.CLUB", "80001234"), "failed WrongCard"),
        (processor(b"HUFU.CLUB", ""), "failed Blank"),
        (ntag("80001234"), "failed WrongCard"),
        (processor(b"HUFU.CLUB", "80001234").pulled_mid_apdu(), "failed CardLost"),
    ];
    expect_each(&pcscd, &files, 2, &cards)
}

#[test]
fn pcscd_reader_four_slots_at_once() -> Result<()> {
    let pcscd = Pcscd::start(4)?;
    let source = start(&pcscd, 4)?;
    let mut cards = Vec::new();
    for slot in 0..4_u8 {
        cards.push(VirtualCard::mifare(&[0x10, slot, 0x22, 0x33]).insert(pcscd.port(usize::from(slot)))?);
    }
    source.expect_all(&(0..4).map(|slot| format!("{slot} uid 100{slot}2233")).collect::<Vec<_>>())?;
    drop(cards);
    source.expect_all(&(0..4).map(|slot| format!("{slot} removed")).collect::<Vec<_>>())
}

#[test]
fn pcscd_reader_card_that_never_answers_is_an_outage_of_its_reader_and_no_other() -> Result<()> {
    let pcscd = Pcscd::start(2)?;
    let source = start(&pcscd, 2)?;
    let silent = VirtualCard::mifare(&UID).silent().insert(pcscd.port(0))?;
    source.expect(&["0 keep still", "0 failed NotAnswering", "0 down NotAnswering"])?;
    let other = VirtualCard::mifare(&UID).insert(pcscd.port(1))?;
    source.expect(&["1 uid 04A1B2C3D4E5F6"])?;
    other.remove()?;
    source.expect(&["1 removed"])?;
    // Taken away, the reader works again.
    silent.remove()?;
    source.expect_all(&["0 up".to_owned(), "0 removed".to_owned()])?;
    let good = VirtualCard::mifare(&UID).insert(pcscd.port(0))?;
    source.expect(&["0 uid 04A1B2C3D4E5F6"])?;
    good.remove()
}
