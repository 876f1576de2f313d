//! The configuration: defaults, the documented example, errors that name what is wrong.

use std::path::Path;

use super::*;

fn read(text: &str, overrides: &[(&str, &str)]) -> Result<Config, String> {
    let overrides = overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse(Path::new("central.toml"), text, overrides).map_err(|error| error.to_string())
}

#[test]
fn the_example_holds_every_key_with_its_default() {
    let example = include_str!("../../../deploy/central.example.toml");
    assert_eq!(read(example, &[]), Ok(Config::default()));
    let keys = toml::Table::try_from(Config::default()).unwrap();
    for (section, values) in &keys {
        assert!(example.contains(&format!("[{section}]")), "{section}");
        for key in values.as_table().unwrap().keys() {
            assert!(example.contains(&format!("\n{key} = ")), "{section}.{key}");
        }
    }
}

#[test]
fn unknown_keys_are_named_with_their_line() {
    let error = read("[data]\ndir = \"/x\"\n\n[device]\nlisten_on = 7\n", &[]).unwrap_err();
    assert!(
        error.contains("central.toml") && error.contains("line 5") && error.contains("listen_on"),
        "{error}"
    );
    let error = read("[devices]\n", &[]).unwrap_err();
    assert!(error.contains("line 1") && error.contains("devices"), "{error}");
}

#[test]
fn the_environment_overrides_single_keys() {
    let config = read(
        "[device]\nlisten = \"127.0.0.1:1\"\n",
        &[
            ("HUFU_CENTRAL__DEVICE__LISTEN", "127.0.0.1:2"),
            ("HUFU_CENTRAL__DEVICE__NAMES", "[\"a\", \"b\"]"),
            ("HUFU_CENTRAL__LIMITS__UPLOADS_WAITING_MAX", "7"),
            ("HUFU_CENTRAL__DATABASE__URL", "postgres://u@h/d"),
            ("HUFU_CENTRAL__CLUB__NAME_EN", "77"),
        ],
    )
    .unwrap();
    assert_eq!(config.device.listen.port(), 2);
    assert_eq!(config.device.names, ["a", "b"]);
    assert_eq!(config.limits.uploads_waiting_max, 7);
    assert_eq!(config.database_url(), "postgres://u@h/d");
    assert_eq!(config.club.name_en, "77");
    let error = read("", &[("HUFU_CENTRAL__DEVICE__PORT", "1")]).unwrap_err();
    assert!(error.contains("HUFU_CENTRAL__DEVICE__PORT") && error.contains("port"), "{error}");
    let error = read("", &[("HUFU_CENTRAL__LIMITS__CONNECTIONS_MAX", "many")]).unwrap_err();
    assert!(error.contains("CONNECTIONS_MAX"), "{error}");
}

#[test]
fn values_that_cannot_be_used_are_refused() {
    assert!(read("[limits]\nuploads_waiting_max = 0\n", &[]).is_err());
    assert!(read("[console]\nembed_origins = [\"intranet\"]\n", &[]).unwrap_err().contains("intranet"));
    assert!(read("[device]\nlisten = \"nowhere\"\n", &[]).unwrap_err().contains("line 2"));
}
