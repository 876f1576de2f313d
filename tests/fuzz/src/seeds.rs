//! What fuzzing starts from: inputs made of the golden files of the wire, each a step further behind the first check.
//!
//! They are made anew whenever the wire is; what fuzzing found worth keeping lies beside them in the corpus.

use super::{batch, delta, reader, receipt};
use hufu_shared::cbor;
use hufu_shared::fact::{Fact, stated_in};
use hufu_shared::wire::directory::Delta;
use hufu_shared::wire::lease::{AskBecame, LeaseAnswer, LeaseState};
use hufu_shared::wire::upload::{Carried, Upload};
use std::collections::BTreeMap;
use std::path::Path;

/// Facts of a generated batch.
const BATCH_FACTS: usize = 12;

/// Named inputs of one target, from the golden files in `wire`.
///
/// # Panics
/// When a golden file is missing.
#[must_use]
pub fn of(target: &str, wire: &Path) -> BTreeMap<String, Vec<u8>> {
    let golden = |name: &str| {
        let path = wire.join(format!("{name}.cbor"));
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    match target {
        "fact" => facts(wire),
        "batch" => batches(&golden("upload"), &facts(wire)),
        "receipt" => answers(golden),
        "reader" => readers(),
        "config" => configs(wire),
        "printer" => printers(),
        "form" => forms(),
        _ => deltas(&golden("delta")),
    }
}

fn facts(wire: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut seeds = BTreeMap::new();
    for entry in std::fs::read_dir(wire).expect("golden files") {
        let path = entry.expect("a file").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_cbor = path.extension().is_some_and(|extension| extension == "cbor");
        if !is_cbor || !(name.starts_with("fact_") || name.starts_with("act_")) {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a golden file");
        if let (Ok(fact), Some(_)) = (cbor::decode::<Fact>(&bytes), stated_in(&bytes)) {
            seeds.insert(format!("{name}_short"), fact.encode_since(fact.seq.saturating_sub(3)));
        }
        seeds.insert(name, bytes);
    }
    seeds
}

/// The golden upload with real facts in order, and with each fault.
fn batches(golden: &[u8], facts: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let mut upload: Upload = cbor::decode(golden).expect("the golden upload");
    let in_full = facts.iter().filter(|(name, _)| name.starts_with("fact_") && !name.ends_with("_short"));
    let first = upload.header.from_seq;
    let bodies = in_full.filter_map(|(_, bytes)| cbor::decode::<Fact>(bytes).ok()).take(BATCH_FACTS);
    upload.facts = bodies
        .zip(first..)
        .map(|(mut fact, seq)| {
            (fact.seq, fact.boot) = (seq, first);
            let body = if seq % 3 == 1 { fact.encode_since(first) } else { cbor::encode(&fact) };
            Carried { body: body.into(), sealed: None }
        })
        .collect();
    let bytes = cbor::encode(&upload);
    let with = |faults: u8, cursor: u8, bytes: &[u8]| [&[faults, cursor], bytes].concat();
    let mut seeds = BTreeMap::from([
        ("golden".to_owned(), with(0, 7, golden)),
        ("new".to_owned(), with(0, 7, &bytes)),
        ("straddling".to_owned(), with(0, 11, &bytes)),
        ("known".to_owned(), with(0, 60, &bytes)),
        ("gap".to_owned(), with(0, 0, &bytes)),
    ]);
    for bit in 0..7 {
        let fault = 1 << bit;
        seeds.insert(format!("wrong_{fault}"), with(fault, 9, &bytes));
    }
    debug_assert!(seeds.values().all(|seed| seed.len() > batch::CONTROL_BYTES));
    seeds
}

fn answers(golden: impl Fn(&str) -> Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    let with = |kind: u8, knows: u8, bytes: &[u8]| [&[kind, knows], bytes].concat();
    let mut seeds = BTreeMap::new();
    let receipt = golden("receipt");
    for knows in [0, 1, 2, 4, 8, 16] {
        seeds.insert(format!("receipt_{knows}"), with(0, knows, &receipt));
    }
    seeds.insert("updates".to_owned(), with(1, 5, &golden("updates")));
    let state: LeaseState = cbor::decode(&golden("lease_state")).expect("the golden lease state");
    let answer = LeaseAnswer {
        state: Some(state.clone().into()),
        became: AskBecame::Granted,
        figure: Some(state.granted_total),
        recalled: Vec::new(),
        again_ms: 0,
    };
    seeds.insert("lease_answer".to_owned(), with(2, 5, &cbor::encode(&answer)));
    let mut states = vec![state.clone()];
    // Raised, sent again, granted anew, and a late word of the generation before.
    let raised = LeaseState {
        granted_total: state.granted_total.plus(state.granted_total).unwrap_or_default(),
        ..state.clone()
    };
    let later = |state: &LeaseState, n: u64| {
        let mut state = state.clone();
        state.version.n += n;
        state
    };
    states.extend([
        later(&raised, 1),
        later(&raised, 1),
        later(&LeaseState { generation: state.generation + 1, ..state.clone() }, 2),
    ]);
    states.push(later(&raised, 3));
    seeds.insert("states".to_owned(), with(3, 5, &cbor::encode(&states)));
    debug_assert!(seeds.values().all(|seed| seed.len() > receipt::CONTROL_BYTES));
    seeds
}

fn deltas(golden: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let delta: Delta = cbor::decode(golden).expect("the golden delta");
    let with = |stands: u8, delta: &Delta| [&[stands][..], &cbor::encode(delta)].concat();
    let mut twice = delta.clone();
    twice.rows.extend(delta.rows.clone());
    let snapshot = Delta { take_snapshot: true, rows: Vec::new(), ..delta.clone() };
    let seeds = BTreeMap::from([
        ("rows".to_owned(), with(0, &delta)),
        ("rows_twice".to_owned(), with(0, &twice)),
        ("elsewhere".to_owned(), with(1, &delta)),
        ("other_club".to_owned(), with(2, &delta)),
        ("take_snapshot".to_owned(), with(0, &snapshot)),
    ]);
    debug_assert!(seeds.values().all(|seed| seed.len() > delta::CONTROL_BYTES));
    seeds
}

/// Every kind of device, each with what it can be told.
const DEVICES: &str = r#"
[terminal]
data_dir = "d"
language = "en"
way = "in"
gate = 7
[central]
url = "https://c:1"
[counter]
listen = "127.0.0.1:1"
embed_origins = ["http://127.0.0.1:2"]
[[reader]]
kind = "pcsc"
name_contains = ""
read = "classic"
sector = 2
block = 1
key = "B"
key_file = "k"
length = 8
content = "bcd"
[[reader]]
kind = "pcsc"
name_contains = "A"
read = "pages"
page = 6
[[reader]]
kind = "pcsc"
name_contains = "B"
read = "file"
application = "485546552E434C5542"
file = "0015"
offset = 2
content = "bytes"
[[reader]]
kind = "serial"
port = "p"
baud = 115200
protocol = "125khz"
form = "2.4H5D"
known_by_bits = 24
gate = 2
[[reader]]
kind = "serial"
port = "q"
protocol = "keypad"
dialect = "ascii"
[[reader]]
kind = "evdev"
device = "e"
[[display]]
kind = "sh1106"
bus = "i"
address = 0x3D
rotation = 180
[[display]]
kind = "st7789"
bus = "s"
size = "240x240"
rotation = 270
dc_pin = "gpiochip0:25"
offset = "0,80"
inverted = true
[[display]]
kind = "framebuffer"
path = "f"
size = "800x480"
pixels = "rgb565"
stride_bytes = 1600
[signal]
kind = "lamp"
port = "l"
commands = { off = "20", green = "14", amber = "12", red = "11", blue = "", buzzer_on = "18", buzzer_off = "28" }
[printer]
kind = "tcp"
address = "h:9100"
paper_mm = 58
automatic = ["badge"]
"#;

/// The documented configuration, one with every kind of device, and variables that override.
fn configs(wire: &Path) -> BTreeMap<String, Vec<u8>> {
    let example = wire.join("../../../deploy/edge.example.toml");
    let example = std::fs::read_to_string(&example).expect("the documented configuration");
    // Without what it says to people: a fuzzer learns nothing from that.
    let plain = |line: &&str| !line.trim_start().starts_with('#') && !line.is_empty();
    let example: String = example.lines().filter(plain).map(|line| format!("{line}\n")).collect();
    let gpio = "[terminal]\ndata_dir=\"d\"\n[central]\nurl=\"https://c\"\n[signal]\nkind=\"gpio\"\nchip=\"g\"\ngreen=17\n\
                buzzer=5\nactive_low=true\n";
    let variables =
        "\0HUFU_EDGE__COUNTER__LISTEN=0.0.0.0:1\nHUFU_EDGE__COUNTER__LISTEN_UNPAIRED=true\nHUFU_EDGE__X__Y=1";
    BTreeMap::from([
        ("example".to_owned(), example.into_bytes()),
        ("devices".to_owned(), DEVICES.into()),
        ("variables".to_owned(), format!("{gpio}{variables}").into_bytes()),
        ("unknown_key".to_owned(), format!("{gpio}colour=1").into_bytes()),
    ])
}

/// Answers of a printer in order and in trouble; tickets with what names and numbers may hold.
fn printers() -> BTreeMap<String, Vec<u8>> {
    let ticket = |how: u8, texts: &[&str]| [&[how | 1][..], texts.join("\u{1f}").as_bytes()].concat();
    BTreeMap::from([
        ("well".to_owned(), vec![0, 0x12, 0x12, 0x12, 0x12]),
        ("paper_out".to_owned(), vec![0, 0x1a, 0x32, 0x12, 0x7e]),
        ("cover_open".to_owned(), vec![0, 0x1a, 0x16, 0x12, 0x72]),
        ("slip".to_owned(), ticket(0, &["滨江会", "充值小票", "欧阳*玥", "+￥500.00"])),
        ("rare".to_owned(), ticket(2, &["䶮𬭎", "㐂", "\u{1f468}\u{200d}\u{1f469}", "e\u{301}"])),
        (
            "commands".to_owned(),
            ticket(4, &["\u{1b}@\u{10}\u{4}\u{1}", "\u{1d}V\u{1}", "\r\n\t\0", "\u{85}\u{9b}"]),
        ),
        (
            "wide".to_owned(),
            ticket(8, &["12345678901234567890123456789012345678901234567890", "W".repeat(60).as_str()]),
        ),
    ])
}

/// One of each form, as the page sends it.
fn forms() -> BTreeMap<String, Vec<u8>> {
    let form = |what: u8, json: &str| [&[what][..], json.as_bytes()].concat();
    let id = "01010101-0101-0101-0101-010101010101";
    let seeds = [
        ("mode", 0, r#"{"mode":"visit"}"#.to_owned()),
        ("check_in", 0, format!(r#"{{"mode":"{id}"}}"#)),
        ("earn", 0, r#"{"mode":"earn","amount":"¥1,280.50"}"#.to_owned()),
        ("earn_slip", 0, r#"{"mode":"earn","amount":"1","slip":"ａ－００１２","slip_date":"2026-11-22","shop":"A","replaces":"7"}"#.to_owned()),
        ("spend", 0, r#"{"mode":"spend","points":"１００分","amount":"20"}"#.to_owned()),
        ("top_up", 0, r#"{"mode":"top_up","amount":"500","method":"wechat","slip":"7"}"#.to_owned()),
        ("cash_out", 0, r#"{"mode":"cash_out","amount":"500","method":"cash","slip":"7"}"#.to_owned()),
        ("hand_out", 0, format!(r#"{{"mode":"hand_out","occurrence":"{id}","item":"{id}","quantity":"2"}}"#)),
        ("typed", 1, r#"{"number":"８０００ 1234-5"}"#.to_owned()),
        ("typed_bank", 1, r#"{"number":"6225 8800 1234 5675"}"#.to_owned()),
        ("verdict", 2, r#"{"n":"7","verdict":"yes"}"#.to_owned()),
        ("notice", 3, r#"{"n":7}"#.to_owned()),
        ("unshown", 4, r#"{"seq":"7","verdict":"undo"}"#.to_owned()),
        ("reverse", 5, r#"{"seq":"7","slip":"","points":"40","reason":"return"}"#.to_owned()),
        ("long_when_large", 0, format!(r#"{{"mode":"earn","amount":"1","slip":"{}"}}"#, "ΐ".repeat(40))),
    ];
    seeds.into_iter().map(|(name, what, json)| (name.to_owned(), form(what, &json))).collect()
}

/// What each kind of reader sends on a good day, and what is refused.
fn readers() -> BTreeMap<String, Vec<u8>> {
    use hufu_hardware::framed::Dialect;
    use hufu_hardware::framed::frame::frame;
    use reader::what;
    const PAUSE: u8 = 0x80;
    let piece = |pause: u8, bytes: &[u8]| {
        let length = u8::try_from(bytes.len()).expect("a short piece");
        [&[pause | length][..], bytes].concat()
    };
    let with = |what: u8, pieces: &[&[u8]]| {
        let pieces: Vec<u8> = pieces.iter().flat_map(|bytes| piece(PAUSE, bytes)).collect();
        [&[what][..], &pieces].concat()
    };
    let framed = |what, dialect, messages: &[(u8, &[u8])]| {
        let frames: Vec<_> =
            (b'0'..).zip(messages).map(|(n, (command, data))| frame(dialect, n, *command, data)).collect();
        with(what, &frames.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    let keyed: [(u8, &[u8]); 7] = [
        (b'R', b"POS"),
        (b'T', b";80001234=2512?"),
        (b'A', b"8800"),
        (b'K', b"8"),
        (b'K', b"E"),
        (b'K', b"C"),
        (b'S', b""),
    ];
    let keys = |codes: &[u8]| -> Vec<u8> { codes.iter().flat_map(|code| [*code, 1, *code, 0]).collect() };
    let storage = |name: u8| {
        [&[0x3b, 0x8f, 0x80, 0x01, 0x80, 0x4f, 0x0c, 0xa0, 0, 0, 3, 6, 3, 0][..], &[name, 0, 0, 0, 0, 0x6a]]
            .concat()
    };
    let card = |how: u8, length: u8, pieces: &[&[u8]]| {
        let mut bytes = with(what::CARD, pieces);
        bytes.splice(1..1, [how, length]);
        bytes
    };
    let block = |text: &[u8; 8]| [&text[..], &[0; 8], &[0x90, 0]].concat();
    BTreeMap::from([
        ("stripe".to_owned(), with(what::SERIAL, &[b"%B80001234^A/B^2512?;80001234=2512?\r\n"])),
        ("stripe_pieces".to_owned(), with(what::SERIAL, &[b";800", b"01234=2512?", b"\r"])),
        ("stripe_bank".to_owned(), with(what::SERIAL, &[b";6225880012345675=2512?"])),
        ("lines".to_owned(), with(1, &[b"HM100042\r\n", "会员 80001234\r".as_bytes(), b"cut"])),
        (
            "line_bank".to_owned(),
            with(1, &[b"6225 8800-1234 5675\r", "６２２５８８００１２３４５６７５\r".as_bytes()]),
        ),
        ("chip_8h10d".to_owned(), with(2, &[b"\x020012204567\r\n\x03"])),
        ("chip_6h8d".to_owned(), with(3, &[b"12204567\r"])),
        ("chip_24h5d".to_owned(), with(4, &[b"186,14871\r", b"18614871\r"])),
        ("chip_10h".to_owned(), with(5, &[b"0F0184F07A\r", b"0F0184F07A7A\r"])),
        ("framed_binary".to_owned(), framed(what::FRAMED, Dialect::Binary, &keyed)),
        ("framed_ascii".to_owned(), framed(7, Dialect::Ascii, &keyed)),
        ("keys".to_owned(), [&[what::KEYS, 1][..], &keys(&[9, 11, 11, 11, 2, 3, 4, 5, 28])].concat()),
        ("keys_stripe".to_owned(), [&[what::KEYS, 0, 39, 1][..], &keys(&[9, 11, 11, 11, 2, 13, 3])].concat()),
        ("card_uid".to_owned(), card(0, 0, &[&storage(1), &[4, 1, 2, 3, 4, 5, 6, 0x90, 0]])),
        ("card_random".to_owned(), card(0, 0, &[&[0x3b, 0x80, 0x80, 1, 1], &[8, 1, 2, 3, 0x90, 0]])),
        ("card_m1".to_owned(), card(1, 15, &[&storage(1), &[0x90, 0], &[0x90, 0], &block(b"80001234")])),
        ("card_ntag".to_owned(), card(2, 15, &[&storage(3), &block(b"80001234")])),
        ("card_file".to_owned(), card(3, 7, &[&[0x3b, 0x80, 0x80, 1, 1], &[0x90, 0], b"80001234\x90\x00"])),
        ("code".to_owned(), [&[what::LINE][..], b"HM1", &[b'A'; 151]].concat()),
        ("number".to_owned(), [&[what::LINE][..], "８０００ 1234-5".as_bytes()].concat()),
    ])
}
