//! Good and bad configurations.

use std::path::Path;

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
    assert_eq!(config.readers[0], ReaderConfig::Pcsc { name_contains: "ACS".into() });
    let serial =
        ReaderConfig::Serial { port: "/dev/ttyUSB0".into(), baud: 9_600, protocol: SerialProtocol::Line };
    assert_eq!(config.readers[1], serial);
    assert_eq!((config.displays[0].size.width, config.displays[0].size.height), (128, 64));
    let two =
        format!("{SMALLEST}[[display]]\nkind = \"desk\"\n[[display]]\nkind = \"desk\"\nsize = \"240x240\"\n");
    assert_eq!(read(&two, &[]).expect("whole").displays.len(), 2);
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
        (
            SMALLEST.replace("[terminal]\n", "[terminal]\nway = \"up\"\n"),
            "edge.toml, line 2: unknown variant `up`, expected one of `both`, `in`, `out`",
        ),
        (format!("{SMALLEST}[counter]\nport = 1\n"), "edge.toml, line 7: unknown field `port`"),
        (
            format!("{SMALLEST}[[reader]]\nkind = \"nfc\"\n"),
            "key reader[0].kind: expected \"pcsc\" or \"serial\"",
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
            "key display[0].kind: expected \"png\" or \"desk\"",
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
        ("[terminal\n".to_owned(), "edge.toml, line 1:"),
    ];
    for (text, part) in table {
        let error = read(&text, &[]).expect_err(&text);
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
