//! The terminal's configuration: one file, and environment variables that override single keys.
//!
//! The input is the file's text; after a NUL each line is a variable. Promises beside not panicking: what is refused names
//! the file or the variable; what is taken keeps every limit, so that no device is driven outside of what it can do, and
//! every reader in it can be made.

use std::path::Path;

use hufu_edge::config::{Config, ConfigError, DisplayKind, ReaderConfig, SignalConfig, parse};
use hufu_edge::run::readers;
use hufu_hardware::panel::PANEL_SIDE_MAX;
use hufu_hardware::serial::port::BAUD_RANGE;
use hufu_hardware::signal::lamp::COMMAND_BYTES_MAX;

const FILE: &str = "edge.toml";

/// Parses a file with its environment.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (file, environment) = text.split_once('\0').unwrap_or((&text, ""));
    let variables = environment.lines().filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    match parse(Path::new(FILE), file, variables) {
        Ok(config) => keeps_limits(&config),
        Err(error) => names_its_place(&error),
    }
}

fn names_its_place(error: &ConfigError) {
    let said = error.to_string();
    assert!(said.contains(FILE) || matches!(error, ConfigError::Environment { .. }), "{said}");
}

fn keeps_limits(config: &Config) {
    assert!(config.central.url.starts_with("https://") && !config.central.url.ends_with('/'));
    assert!(config.counter.volume <= 100);
    assert!(config.counter.listen.ip().is_loopback() || config.counter.listen_unpaired);
    for (at, reader) in config.readers.iter().enumerate().take(readers::READERS_MAX) {
        if let ReaderConfig::Serial { baud, .. } | ReaderConfig::Keypad { baud, .. } = reader {
            assert!(BAUD_RANGE.contains(baud), "{reader:?}");
        }
        let (source, desk) = readers::source(at, reader);
        // Every slot of every smart-card reader is told by no name at all.
        assert!(!source.name().is_empty() || matches!(reader, ReaderConfig::Pcsc { .. }), "{reader:?}");
        assert_eq!(desk.is_some(), matches!(reader, ReaderConfig::Keypad { .. }), "{reader:?}");
    }
    for display in &config.displays {
        let (width, height) = (display.size.width, display.size.height);
        assert!((1..=PANEL_SIDE_MAX).contains(&width) && (1..=PANEL_SIDE_MAX).contains(&height));
        if let DisplayKind::Mipi { settings, .. } = &display.kind {
            assert!(settings.fits() && settings.size == display.size, "{settings:?}");
        }
    }
    match &config.signal {
        Some(SignalConfig::Line { baud, .. }) => assert!(BAUD_RANGE.contains(baud)),
        Some(SignalConfig::Lamp { baud, commands, .. }) => {
            assert!(BAUD_RANGE.contains(baud));
            let all = [&commands.off, &commands.green, &commands.amber, &commands.red, &commands.blue];
            assert!(all.into_iter().all(|command| command.len() <= COMMAND_BYTES_MAX));
        }
        _ => {}
    }
}
