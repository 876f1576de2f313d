//! The schemes that Hufu brings along, one for each kind of club whose rules are whole enough. Each is a text in TOML that
//! a club loads by name and then makes its own; what the rules leave open is set to a default there, and a remark says so.
//!
//! This crate reads no TOML in what ships: a shell that has a reader parses the text into [`super::Scheme`].

pub mod figures;

/// A scheme as it is shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// The letter of its rules: the `S` of rule S3.
    pub letter: char,
    /// Its name for machines, which its text repeats.
    pub id: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// All of them, those for terminals first.
pub const READY: [Ready; 8] = [
    Ready { letter: 'K', id: "property-club", text: include_str!("ready/property-club.toml") },
    Ready { letter: 'H', id: "hotel", text: include_str!("ready/hotel.toml") },
    Ready { letter: 'G', id: "brand-shops", text: include_str!("ready/brand-shops.toml") },
    Ready { letter: 'S', id: "fashion", text: include_str!("ready/fashion.toml") },
    Ready { letter: 'P', id: "pharmacy", text: include_str!("ready/pharmacy.toml") },
    Ready { letter: 'B', id: "business-shop", text: include_str!("ready/business-shop.toml") },
    Ready { letter: 'T', id: "travel-agency", text: include_str!("ready/travel-agency.toml") },
    Ready { letter: 'L', id: "dealer", text: include_str!("ready/dealer.toml") },
];

/// The scheme of a name or letter, in capitals or not.
#[must_use]
pub fn find(name: &str) -> Option<&'static Ready> {
    let by_letter = |ready: &&Ready| {
        name.len() == 1 && name.starts_with([ready.letter, ready.letter.to_ascii_lowercase()])
    };
    READY.iter().find(|ready| ready.id.eq_ignore_ascii_case(name) || by_letter(ready))
}
