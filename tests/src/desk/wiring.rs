//! What `--terminal` says: a name, and the devices that the tray plays at that terminal.

use super::cards::Kind;
use anyhow::{Context as _, Result, bail, ensure};
use std::net::SocketAddr;
use std::path::PathBuf;

/// A slot of a smart-card service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Behind a port of a service that somebody else runs.
    Port(u16),
    /// A slot of the tray's own service, by number: its reader can be unplugged.
    Own(usize),
}

/// A device on a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A reader that only writes, for cards of this kind.
    Reader(Kind),
    /// A framed swipe terminal with keys.
    Keys,
    /// A receipt printer.
    Printer,
}

/// What `--terminal` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wiring {
    /// Name of the terminal.
    pub name: String,
    /// Contactless readers, each for one kind of card.
    pub slots: Vec<(Kind, Slot)>,
    /// Devices on serial lines, and where their ports are made.
    pub lines: Vec<(Line, PathBuf)>,
    /// Where the network leads.
    pub net: Option<SocketAddr>,
}

impl std::str::FromStr for Wiring {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let expected = "expected NAME,DEVICE=WHERE,... with uid=, sector=, ntag=, file= and a port or #SLOT; stripe=, \
                        chip=, code=, keys=, printer= and a path; net= and an address";
        let mut parts = text.split(',');
        let name = parts.next().unwrap_or_default().to_owned();
        ensure!(!name.is_empty(), "`{text}` has no name, {expected}");
        let mut wiring = Self { name, ..Self::default() };
        for part in parts {
            let (device, place) = part.split_once('=').unwrap_or((part, ""));
            ensure!(!place.is_empty(), "`{part}` in `{text}` leads nowhere, {expected}");
            match device {
                "uid" => wiring.slots.push((Kind::Pcsc, slot(place)?)),
                "sector" => wiring.slots.push((Kind::Sector, slot(place)?)),
                "ntag" => wiring.slots.push((Kind::Ntag, slot(place)?)),
                "file" => wiring.slots.push((Kind::File, slot(place)?)),
                "stripe" => wiring.lines.push((Line::Reader(Kind::Stripe), place.into())),
                "chip" => wiring.lines.push((Line::Reader(Kind::Chip), place.into())),
                "code" => wiring.lines.push((Line::Reader(Kind::Code), place.into())),
                "keys" => wiring.lines.push((Line::Keys, place.into())),
                "printer" => wiring.lines.push((Line::Printer, place.into())),
                "net" => {
                    wiring.net =
                        Some(place.parse().with_context(|| format!("`{place}` is no address, {expected}"))?);
                }
                other => bail!("`{other}` in `{text}`, {expected}"),
            }
        }
        ensure!(!wiring.slots.is_empty() || !wiring.lines.is_empty(), "`{text}` has no reader, {expected}");
        Ok(wiring)
    }
}

fn slot(place: &str) -> Result<Slot> {
    let what = || format!("`{place}` is neither a port nor #SLOT");
    match place.strip_prefix('#') {
        Some(number) => number.parse().map(Slot::Own).with_context(what),
        None => place.parse().map(Slot::Port).with_context(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wirings_are_read() {
        let wiring: Wiring = "office-a,uid=35963,ntag=#1,stripe=/tmp/a:b,keys=/tmp/k,net=127.0.0.1:7443"
            .parse()
            .expect("it is right");
        let expected = Wiring {
            name: "office-a".into(),
            slots: vec![(Kind::Pcsc, Slot::Port(35963)), (Kind::Ntag, Slot::Own(1))],
            lines: vec![(Line::Reader(Kind::Stripe), "/tmp/a:b".into()), (Line::Keys, "/tmp/k".into())],
            net: Some(([127, 0, 0, 1], 7443).into()),
        };
        assert_eq!(wiring, expected);
    }

    #[test]
    fn wrong_wirings_say_what_is_expected() {
        for text in ["", "a", ",uid=1", "a,uid=x", "a,uid=70000", "a,usb=1", "a,stripe=", "a,stripe=x,net=y"]
        {
            let error = format!("{:#}", text.parse::<Wiring>().expect_err(text));
            assert!(error.contains("expected NAME") || error.contains("neither a port"), "{error}");
        }
    }
}
