//! How ready a terminal is to go offline, as it says with each poll: the centre's people see it before the event, from
//! afar.
//!
//! One text in the query string, [`Readiness::to_query`]: parts joined by commas, each `item.grade` or
//! `item.grade.until`, then `~` and the rules that only the centre enforces. What a reader does not know is passed over,
//! so that either side may learn a word before the other. Out of scope: how it is judged (the terminal's rules), words.

use serde::{Serialize, Serializer};

use crate::time::Instant;

/// Bytes of the text that are looked at, at most.
pub const READINESS_BYTES_MAX: usize = 1_024;

/// Makes an enum of words: each variant has one word in wire texts, status answers and locale keys.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$each])* $variant,)+
        }

        impl $name {
            /// All of them, in their order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its word.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The one with a word; none for a word of a later version.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.code() == code)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }
    };
}

words! {
    /// What is looked at.
    Item {
        /// Members and cards.
        Directory = "directory",
        /// An activity to check in to.
        Activity = "activity",
        /// The club's rules.
        Scheme = "scheme",
        /// What can be redeemed and paid offline.
        Leases = "leases",
        /// The time.
        Clock = "clock",
        /// Room for records.
        Disk = "disk",
    }
}

words! {
    /// How ready a part is; the worst is the greatest.
    Grade {
        /// Ready.
        Ready = "ready",
        /// Swipes go on; something is better seen to while there is a connection.
        Look = "look",
        /// The day's work would stop or be worth little.
        Bad = "bad",
    }
}

words! {
    /// A rule that only the centre can enforce.
    Unenforced {
        /// Cards reported lost elsewhere since the connection was lost.
        LostElsewhere = "lost_elsewhere",
        /// Cards and members that are newer than the directory.
        NewCards = "new_cards",
        /// Once per member over all terminals.
        OnceOverAll = "once_over_all",
        /// The number of places.
        Places = "places",
        /// Slips used at other terminals.
        SlipsElsewhere = "slips_elsewhere",
        /// Limits and approval of points.
        Approval = "approval",
    }
}

/// One part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What.
    pub item: Item,
    /// How ready.
    pub grade: Grade,
    /// Until when, where it runs out.
    pub until: Option<Instant>,
}

/// What it comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readiness {
    /// Part by part.
    pub parts: Vec<Part>,
    /// Rules that cannot be enforced offline.
    pub unenforced: Vec<Unenforced>,
}

impl Readiness {
    /// The worst grade; ready if there is no part to look at.
    #[must_use]
    pub fn grade(&self) -> Grade {
        self.parts.iter().map(|part| part.grade).max().unwrap_or(Grade::Ready)
    }

    /// Until when what matters to every swipe lasts: the directory; none before the first.
    #[must_use]
    pub fn until(&self) -> Option<Instant> {
        self.parts.iter().find(|part| part.item == Item::Directory).and_then(|part| part.until)
    }

    /// As the query string carries it: nothing in it needs escaping.
    #[must_use]
    pub fn to_query(&self) -> String {
        let part = |part: &Part| {
            let until = part.until.map(|until| format!(".{}", until.0)).unwrap_or_default();
            format!("{}.{}{until}", part.item.code(), part.grade.code())
        };
        let parts: Vec<String> = self.parts.iter().map(part).collect();
        let rules: Vec<&str> = self.unenforced.iter().map(|rule| rule.code()).collect();
        format!("{}~{}", parts.join(","), rules.join(","))
    }

    /// Reads what [`Readiness::to_query`] wrote, each part and rule once; none for a text that says nothing.
    #[must_use]
    pub fn from_query(text: &str) -> Option<Self> {
        if text.len() > READINESS_BYTES_MAX {
            return None;
        }
        let (parts, rules) = text.split_once('~')?;
        let mut said = Self::default();
        for part in parts.split(',').filter_map(part) {
            if said.parts.iter().all(|known| known.item != part.item) {
                said.parts.push(part);
            }
        }
        for rule in rules.split(',').filter_map(Unenforced::from_code) {
            if !said.unenforced.contains(&rule) {
                said.unenforced.push(rule);
            }
        }
        (!said.parts.is_empty()).then_some(said)
    }
}

fn part(text: &str) -> Option<Part> {
    let mut words = text.splitn(3, '.');
    let item = Item::from_code(words.next()?)?;
    let grade = Grade::from_code(words.next()?)?;
    let until = words.next().and_then(|until| until.parse().ok()).map(Instant);
    Some(Part { item, grade, until })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_says_comes_back_as_it_was_said() {
        let part = |item, grade, until: Option<i64>| Part { item, grade, until: until.map(Instant) };
        let said = Readiness {
            parts: Item::ALL.iter().map(|item| part(*item, Grade::Look, Some(i64::MAX))).collect(),
            unenforced: Unenforced::ALL.to_vec(),
        };
        let text = said.to_query();
        assert!(text.len() < 400, "{} bytes of a query string", text.len());
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._,~".contains(&byte)), "{text}");
        assert_eq!(Readiness::from_query(&text), Some(said));
        let few = Readiness {
            parts: vec![part(Item::Scheme, Grade::Bad, None), part(Item::Disk, Grade::Ready, None)],
            unenforced: Vec::new(),
        };
        assert_eq!(few.to_query(), "scheme.bad,disk.ready~");
        assert_eq!(Readiness::from_query("scheme.bad,disk.ready~"), Some(few.clone()));
        assert_eq!((few.grade(), few.until()), (Grade::Bad, None));
    }

    #[test]
    fn words_of_a_later_version_are_passed_over_and_other_text_says_nothing() {
        let met =
            Readiness::from_query("weather.ready.5,disk.ready,disk.bad,clock.broken~tides,places,places");
        let disk = Part { item: Item::Disk, grade: Grade::Ready, until: None };
        assert_eq!(met, Some(Readiness { parts: vec![disk], unenforced: vec![Unenforced::Places] }));
        for text in ["", "~", "disk.ready", "x~y", &format!("{}~", "disk.ready,".repeat(200))] {
            assert_eq!(Readiness::from_query(text), None, "{text}");
        }
    }
}
