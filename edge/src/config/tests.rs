//! Good and bad configurations.

use std::path::Path;

use hufu_hardware::framed::Dialect;
use hufu_hardware::pcsc::ReadMode;
use hufu_hardware::pcsc::mode::{Aid, Content, FileRef, KeySlot, Piece};
use hufu_hardware::serial::Protocol;
use hufu_hardware::serial::em125::{Form, KnownBy};

use super::*;

const SMALLEST: &str =
    "[terminal]\ndata_dir = \"/var/lib/hufu\"\n\n[central]\nurl = \"https://centre:7443\"\n";

fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    parse(Path::new("edge.toml"), text, environment).map_err(|error| error.to_string())
}

#[test]
fn the_smallest_file_gives_safe_defaults() {
    let config = read(SMALLEST, &[]).expect("enough");
    assert_eq!(config.counter.listen.to_string(), "127.0.0.1:7090");
    assert_eq!(config.terminal.language, Language::Zh);
    assert!(config.readers.is_empty() && config.displays.is_empty() && config.simulator_url.is_none());
}

#[test]
fn readers_and_displays_are_read_in_order() {
    let text = format!(
        "{SMALLEST}[[reader]]\nkind = \"pcsc\"\nname_contains = \"ACS\"\n[[reader]]\nkind = \"serial\"\n\
         port = \"/dev/ttyUSB0\"\nprotocol = \"line\"\n[display]\nkind = \"png\"\npath = \"/tmp/d.png\"\n\
         size = \"128x64\"\nmono = true\n[signal]\nport = \"/dev/ttyS1\"\n"
    );
    let config = read(&text, &[]).expect("whole");
    assert_eq!(config.readers[0], ReaderConfig::Pcsc { name_contains: "ACS".into(), mode: ReadMode::Uid });
    let serial = ReaderConfig::Serial { port: "/dev/ttyUSB0".into(), baud: 9_600, protocol: Protocol::Line };
    assert_eq!(config.readers[1], serial);
    assert_eq!((config.displays[0].size.width, config.displays[0].size.height), (128, 64));
    let two =
        format!("{SMALLEST}[[display]]\nkind = \"desk\"\n[[display]]\nkind = \"desk\"\nsize = \"240x240\"\n");
    assert_eq!(read(&two, &[]).expect("whole").displays.len(), 2);
}

/// A `[[reader]]` entry, read.
fn reader(keys: &str) -> Result<ReaderConfig, String> {
    let text = format!("{SMALLEST}[[reader]]\n{}\n", keys.replace("; ", "\n"));
    read(&text, &[]).map(|config| config.readers[0].clone())
}

#[test]
fn every_kind_of_reader_can_be_declared() {
    let pcsc = |mode| ReaderConfig::Pcsc { name_contains: String::new(), mode };
    let piece = |offset, length, content| Piece { offset, length, content };
    let table = [
        ("kind = 'pcsc'", pcsc(ReadMode::Uid)),
        (
            "kind = 'pcsc'; read = 'classic'; sector = 2; block = 1; key = 'B'; key_file = '/etc/hufu/m1.key'; content = 'bcd'",
            pcsc(ReadMode::Classic {
                sector: 2,
                block: 1,
                key: KeySlot::B,
                key_file: "/etc/hufu/m1.key".into(),
                piece: piece(0, 16, Content::Bcd),
            }),
        ),
        (
            "kind = 'pcsc'; read = 'pages'; page = 6; offset = 4; length = 8; content = 'bytes'",
            pcsc(ReadMode::Pages { first: 6, piece: piece(4, 8, Content::Bytes) }),
        ),
        (
            "kind = 'pcsc'; read = 'file'; application = '485546552e434c5542'; file = '0015'; length = 8",
            pcsc(ReadMode::File {
                application: Aid::new(b"HUFU.CLUB"),
                file: FileRef::Id(0x15),
                piece: piece(0, 8, Content::Text),
            }),
        ),
        (
            "kind = 'pcsc'; read = 'file'; short_file = 21",
            pcsc(ReadMode::File {
                application: None,
                file: FileRef::Short(21),
                piece: piece(0, 16, Content::Text),
            }),
        ),
        (
            "kind = 'serial'; port = '/dev/x'; protocol = '125khz'; form = '8H10D'; known_by_bits = 24",
            ReaderConfig::Serial {
                port: "/dev/x".into(),
                baud: 9_600,
                protocol: Protocol::Proximity { form: Form::H8D10, known_by: KnownBy::Bits24 },
            },
        ),
        (
            "kind = 'serial'; port = '/dev/x'; baud = 19200; protocol = 'keypad'; dialect = 'ascii'",
            ReaderConfig::Keypad { port: "/dev/x".into(), baud: 19_200, dialect: Dialect::Ascii },
        ),
        (
            "kind = 'evdev'; device = '/dev/input/by-id/x'; protocol = 'iso7813'",
            ReaderConfig::Evdev { device: "/dev/input/by-id/x".into(), protocol: Protocol::Iso7813 },
        ),
    ];
    for (keys, expected) in table {
        assert_eq!(reader(keys), Ok(expected), "{keys}");
    }
}

#[test]
fn readers_that_cannot_work_are_refused_by_name() {
    let table = [
        ("kind = 'pcsc'; read = 'magic'", "read: expected \"uid\", \"classic\""),
        ("kind = 'pcsc'; sector = 1", "sector: expected no such key for this kind"),
        ("kind = 'pcsc'; read = 'classic'; sector = 1", "key_file: expected the path of a file"),
        ("kind = 'pcsc'; read = 'classic'; key_file = 'k'", "sector: expected 0 to 39"),
        (
            "kind = 'pcsc'; read = 'classic'; sector = 1; block = 3; key_file = 'k'",
            "block: expected a block before",
        ),
        ("kind = 'pcsc'; read = 'pages'; page = 0", "page: expected 4 or more"),
        ("kind = 'pcsc'; read = 'file'; file = '15'", "file: expected four hexadecimal digits, met \"15\""),
        ("kind = 'pcsc'; read = 'file'", "file: expected a file"),
        (
            "kind = 'pcsc'; read = 'file'; file = '0015'; application = 'A000000333010101'",
            "application: expected 5 to 16 bytes in hexadecimal digits, never a bank's",
        ),
        ("kind = 'serial'; port = '/dev/x'; protocol = '125khz'", "form: expected \"8H10D\""),
        (
            "kind = 'serial'; port = '/dev/x'; protocol = '125khz'; form = '6H8D'; known_by_bits = 32",
            "known_by_bits: expected no more bits than the form holds: 24 for 6H8D and 2.4H5D, met \"32\"",
        ),
        ("kind = 'serial'; port = '/dev/x'; protocol = 'line'; form = '6H8D'", "form: expected no such key"),
        ("kind = 'serial'; port = '/dev/x'; protocol = 'keypad'; dialect = 'x'", "dialect: expected"),
        ("kind = 'evdev'", "device: expected the path of an input device"),
        ("kind = 'evdev'; device = '/dev/x'; protocol = 'keypad'", "protocol: expected \"iso7813\""),
        (
            "kind = 'evdev'; device = '/dev/x'; protocol = '125khz'; form = '8H10D'; [[reader]]; kind = 'serial'; port = '/dev/y'; protocol = '125khz'; form = '6H8D'",
            "reader[1].known_by_bits: expected as many bits as at the 125 kHz reader before it",
        ),
    ];
    for (keys, part) in table {
        let error = reader(keys).expect_err(keys);
        assert!(error.contains(part), "expected {part:?} in {error:?} for {keys}");
    }
    let key = "kind = 'pcsc'; read = 'classic'; sector = 1; key = 'A0A1A2A3A4A5'; key_file = 'k'";
    let error = reader(key).expect_err("no key stands in the configuration");
    assert!(error.contains("key: expected \"A\" or \"B\"") && !error.contains("A0A1"), "{error}");
}

#[test]
fn bad_files_say_where_and_what_was_expected() {
    let table = [
        (SMALLEST.replace("data_dir", "datadir"), "edge.toml, line 2: unknown field `datadir`"),
        (SMALLEST.replace("[terminal]", "[terminals]"), "edge.toml, line 1: unknown field `terminals`"),
        ("[terminal]\ndata_dir = \"x\"\n".to_owned(), "missing field `central`"),
        (SMALLEST.replace("url = \"https://centre:7443\"\n", ""), "edge.toml, line 4: missing field `url`"),
        (SMALLEST.replace("\"/var/lib/hufu\"", "7"), "edge.toml, line 2: invalid type: integer `7`"),
        (SMALLEST.replace("https", "http"), "key central.url: expected https://host:port, met \"http://"),
        (format!("{SMALLEST}[counter]\nlisten = \"7090\"\n"), "key counter.listen: expected address:port"),
        (
            format!("{SMALLEST}[counter]\nlisten = \"0.0.0.0:7090\"\n"),
            "or counter.listen_unpaired = true, met",
        ),
        (format!("{SMALLEST}[counter]\ntablets = \"7091\"\n"), "key counter.tablets: expected address:port"),
        (
            SMALLEST.replace("[terminal]\n", "[terminal]\nway = \"up\"\n"),
            "edge.toml, line 2: unknown variant `up`, expected one of `both`, `in`, `out`",
        ),
        (format!("{SMALLEST}[counter]\nport = 1\n"), "edge.toml, line 7: unknown field `port`"),
        (
            format!("{SMALLEST}[[reader]]\nkind = \"nfc\"\n"),
            "key reader[0].kind: expected \"pcsc\", \"serial\" or \"evdev\"",
        ),
        (format!("{SMALLEST}[[reader]]\nkind = \"serial\"\n"), "key reader[0].port: expected the path of"),
        (
            format!("{SMALLEST}[[reader]]\nkind = \"serial\"\nport = \"/dev/x\"\nbaud = 7\n"),
            "key reader[0].baud: expected 300 to 921600, met \"7\"",
        ),
        (
            format!("{SMALLEST}[[reader]]\nkind = \"pcsc\"\nbaud = 9600\n"),
            "key reader[0].baud: expected no such key for this kind of reader",
        ),
        (
            format!("{SMALLEST}[[reader]]\nkind = \"pcsc\"\nspeed = 1\n"),
            "edge.toml, line 8: unknown field `speed`",
        ),
        (
            format!("{SMALLEST}[display]\nkind = \"tv\"\n"),
            "key display[0].kind: expected \"png\", \"desk\", \"ssd1306\", \"sh1106\",",
        ),
        (
            format!("{SMALLEST}[display]\nkind = \"desk\"\nsize = \"big\"\n"),
            "key display[0].size: expected width x",
        ),
        (format!("{SMALLEST}[display]\nkind = \"desk\"\ncolor = 1\n"), "unknown field `color`"),
        (
            format!("{SMALLEST}[printer]\nkind = \"fax\"\n"),
            "key printer.kind: expected \"serial\", \"usb\" or",
        ),
        (format!("{SMALLEST}[printer]\nkind = \"usb\"\n"), "key printer.port: expected the path of a port"),
        (
            format!("{SMALLEST}[printer]\nkind = \"tcp\"\naddress = \"10.0.0.9\"\n"),
            "key printer.address: expected host:port",
        ),
        (
            format!("{SMALLEST}[printer]\nkind = \"usb\"\nport = \"/dev/lp\"\npaper_mm = 76\n"),
            "key printer.paper_mm: expected 58 or 80, met \"76\"",
        ),
        (
            format!("{SMALLEST}[printer]\nkind = \"usb\"\nport = \"/dev/lp\"\nautomatic = [\"gift\"]\n"),
            "key printer.automatic: expected top_up, earn,",
        ),
        (
            format!("{SMALLEST}[counter]\nvolume = 101\n"),
            "key counter.volume: expected 0 to 100 percent, met",
        ),
        (format!("{SMALLEST}[signal]\nkind = \"flag\"\n"), "key signal.kind: expected \"line\", \"lamp\" or"),
        (format!("{SMALLEST}[signal]\nkind = \"gpio\"\n"), "key signal.green: expected at least one line"),
        (
            format!("{SMALLEST}[signal]\nkind = \"gpio\"\nred = 4\nbuzzer = 4\n"),
            "key signal.green: expected each line of the chip once, met \"4\"",
        ),
        (
            format!(
                "{SMALLEST}[signal]\nkind = \"lamp\"\nport = \"/dev/x\"\n[signal.commands]\noff = \"2\"\n"
            ),
            "key signal.commands.off: expected at most 64 bytes",
        ),
        ("[terminal\n".to_owned(), "edge.toml, line 1:"),
    ];
    for (text, part) in table {
        let error = read(&text, &[]).expect_err(&text);
        assert!(error.contains(part), "expected {part:?} in {error:?} for\n{text}");
    }
}

fn displays(text: &str) -> Vec<DisplayConfig> {
    read(&format!("{SMALLEST}{text}"), &[]).expect(text).displays
}

#[test]
fn every_kind_of_display_is_declared_with_what_it_needs() {
    let all = displays(
        "[[display]]\nkind = \"ssd1306\"\nbus = \"/dev/i2c-1\"\n\
         [[display]]\nkind = \"sh1106\"\nbus = \"/dev/i2c-0\"\naddress = 0x3D\nrotation = 180\n\
         [[display]]\nkind = \"ili9341\"\nbus = \"/dev/spidev0.0\"\ndc_pin = \"gpiochip0:25\"\nreset_pin = \"gpiochip0:24\"\n\
         [[display]]\nkind = \"st7789\"\nbus = \"/dev/spidev0.1\"\ndc_pin = \"gpiochip0:9\"\nlight_pin = \"gpiochip1:3\"\n\
         rotation = 180\noffset = \"0,80\"\nspeed_hz = 40000000\nbgr = true\ninverted = false\n\
         [[display]]\nkind = \"framebuffer\"\npath = \"/dev/fb0\"\npixels = \"rgb565\"\nstride_bytes = 1664\n",
    );
    let names: Vec<String> = all.iter().map(|display| display.kind.to_string()).collect();
    assert_eq!(
        names,
        [
            "ssd1306 /dev/i2c-1 0x3c",
            "sh1106 /dev/i2c-0 0x3d",
            "ili9341 /dev/spidev0.0",
            "st7789 /dev/spidev0.1",
            "framebuffer /dev/fb0"
        ]
    );
    let sizes: Vec<(u32, u32)> =
        all.iter().map(|display| (display.size.width, display.size.height)).collect();
    assert_eq!(sizes, [(128, 64), (128, 64), (320, 240), (240, 240), (800, 480)]);
    assert!(matches!(all[0].kind, DisplayKind::Oled { turned: false, .. }));
    assert!(matches!(all[1].kind, DisplayKind::Oled { turned: true, .. }));
    let DisplayKind::Mipi { wiring, settings, .. } = &all[2].kind else { panic!("no mipi") };
    assert!(settings.rotation.is_sideways() && settings.bgr && !settings.inverted && wiring.light.is_none());
    let DisplayKind::Mipi { wiring, settings, .. } = &all[3].kind else { panic!("no mipi") };
    assert_eq!(
        (settings.offset, settings.bgr, settings.inverted, wiring.speed_hz),
        ((0, 80), true, false, 40_000_000)
    );
    assert_eq!(all[3].kind.needs().len(), 3, "bus, chip of DC, chip of the light");
    let DisplayKind::Framebuffer { geometry, .. } = &all[4].kind else { panic!("no framebuffer") };
    assert_eq!((geometry.format.bytes(), geometry.stride_bytes), (2, 1_664));
}

#[test]
fn wrong_displays_say_what_was_expected() {
    let spi = "kind = \"ili9341\"\nbus = \"/dev/spidev0.0\"\ndc_pin = \"gpiochip0:25\"\n";
    let table = [
        ("kind = \"ssd1306\"\n", "display[0].bus: expected the device file of a bus"),
        (
            "kind = \"ssd1306\"\nbus = \"/dev/i2c-1\"\naddress = 60\nsize = \"1x1\"\n",
            "display[0].size: expected no such key",
        ),
        (
            "kind = \"sh1106\"\nbus = \"/dev/i2c-1\"\naddress = 0x27\n",
            "display[0].address: expected 0x3C or 0x3D, met \"0x27\"",
        ),
        (
            "kind = \"sh1106\"\nbus = \"/dev/i2c-1\"\nrotation = 90\n",
            "display[0].rotation: expected 0 or 180",
        ),
        ("kind = \"st7789\"\nbus = \"/dev/spidev0.0\"\n", "display[0].dc_pin: expected chip and line"),
        (&format!("{spi}reset_pin = \"24\"\n"), "display[0].reset_pin: expected chip and line"),
        (&format!("{spi}rotation = 45\n"), "display[0].rotation: expected 0, 90, 180 or 270"),
        (&format!("{spi}rotation = 0\n"), "display[0].size: expected at most 240x320"),
        (&format!("{spi}offset = \"1,1\"\n"), "display[0].size: expected at most 240x320"),
        (&format!("{spi}offset = \"a\"\n"), "display[0].offset: expected columns and rows"),
        (&format!("{spi}speed_hz = 5\n"), "display[0].speed_hz: expected 100000 to"),
        (&format!("{spi}mono = true\n"), "display[0].mono: expected no such key"),
        ("kind = \"framebuffer\"\n", "display[0].path: expected the path of a file"),
        (
            "kind = \"framebuffer\"\npath = \"/dev/fb0\"\npixels = \"rgb\"\n",
            "display[0].pixels: expected \"rgb565\" or",
        ),
        (
            "kind = \"framebuffer\"\npath = \"/dev/fb0\"\nstride_bytes = 3199\n",
            "display[0].stride_bytes: expected at least",
        ),
        ("kind = \"desk\"\npath = \"/x\"\n", "display[0].path: expected no such key"),
        ("kind = \"png\"\n", "display[0].path: expected the path of a file"),
    ];
    for (text, part) in table {
        let error = read(&format!("{SMALLEST}[display]\n{text}"), &[]).expect_err(text);
        assert!(error.contains(part), "expected {part:?} in {error:?} for\n{text}");
    }
}

#[test]
fn the_environment_overrides_single_keys() {
    let config = read(
        SMALLEST,
        &[
            ("HUFU_EDGE__COUNTER__LISTEN", "127.0.0.1:9999"),
            ("HUFU_EDGE__TERMINAL__LANGUAGE", "en"),
            ("HUFU_EDGE__COUNTER__EMBED_ORIGINS", "[\"http://127.0.0.1:7080\"]"),
            ("PATH", "/bin"),
        ],
    )
    .expect("whole");
    assert_eq!(config.counter.listen.port(), 9_999);
    assert_eq!(config.terminal.language, Language::En);
    assert_eq!(config.counter.embed_origins, ["http://127.0.0.1:7080"]);
}

#[test]
fn a_wrong_environment_variable_is_named() {
    for (name, value, part) in [
        ("HUFU_EDGE__COUNTER__PORT", "1", "HUFU_EDGE__COUNTER__PORT: unknown field `port`"),
        ("HUFU_EDGE__LISTEN", "1", "met no section"),
        ("HUFU_EDGE__COUNTER__LISTEN_UNPAIRED", "maybe", "HUFU_EDGE__COUNTER__LISTEN_UNPAIRED: invalid type"),
    ] {
        let error = read(SMALLEST, &[(name, value)]).expect_err(name);
        assert!(error.contains(part), "expected {part:?} in {error:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = load(Path::new("/nowhere/edge.toml"), []).expect_err("absent").to_string();
    assert!(error.starts_with("read configuration /nowhere/edge.toml:"), "{error}");
}

#[test]
fn the_example_is_valid_and_documents_every_key() {
    let example = include_str!("../../../deploy/edge.example.toml");
    let config = read(example, &[]).expect("the example can be used as it is");
    assert_eq!((config.readers.len(), config.displays.len(), config.signal.is_some()), (2, 1, true));
    // Keys that the program knows, as its own error about an unknown one lists them.
    for section in ["terminal", "central", "counter", "reader", "display", "signal", "printer", "simulator"] {
        assert!(example.contains(&format!("[{section}]")), "{section} is missing");
        let unknown = match section {
            "reader" => format!("{SMALLEST}[[reader]]\nkind = \"pcsc\"\nunknown_key = 1\n"),
            _ => example.replace(&format!("[{section}]\n"), &format!("[{section}]\nunknown_key = 1\n")),
        };
        let error = read(&unknown, &[]).expect_err("an unknown key");
        let known = error.split("expected ").nth(1).expect("the error lists what is known");
        for key in known.split('`').skip(1).step_by(2) {
            assert!(example.contains(&format!("{key} = ")), "{section}.{key} is not documented");
        }
    }
}

#[test]
fn gates_have_numbers_of_their_own() {
    let text = format!(
        "{}\n[[reader]]\nkind = \"pcsc\"\n[[reader]]\nkind = \"pcsc\"\ngate = 2\n",
        SMALLEST.replace("[terminal]\n", "[terminal]\ngate = 1\n")
    );
    let gates = parse(Path::new("edge.toml"), &text, []).expect("whole").gates;
    assert_eq!([gates.of(0), gates.of(1), gates.of(255)], [Some(1), Some(2), Some(1)]);
    let none = text.replace("gate = 2", "gate = 0");
    let error = parse(Path::new("edge.toml"), &none, []).expect_err("no number").to_string();
    assert!(error.contains("reader[1].gate") && error.contains("1 to 99"), "{error}");
}
