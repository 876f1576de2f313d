//! Telling people what became of their matter (K2, K10, K11, K25): rounds of 已通知 and 待通知.
//!
//! A notice is due from the act that gave rise to it until a round has told it; what a round could not tell stays due
//! for the next one. Nothing here sends anything.

/// What is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// The applicant is a member from now on.
    Joined,
    /// The applicant was one already.
    AlreadyMember,
    /// The application was turned down.
    Rejected,
    /// The application lapsed; it can be completed.
    Lapsed,
    /// The member has left.
    Left,
    /// The member stays: leaving was not granted.
    Stays,
    /// The member is back.
    Restored,
    /// What was recorded of the member's purchases in a week (G7).
    Purchases,
    /// The member is invited to a holding of an activity (K25).
    ActivityInvited,
    /// The member has a place there.
    ActivityPlaced,
    /// All places are taken; the member waits.
    ActivityWaiting,
    /// A place came free, and it is the member's.
    ActivitySeated,
    /// The plan changed and was approved anew.
    ActivityChanged,
    /// The holding is called off.
    ActivityCalledOff,
    /// The holding is about to begin.
    ActivityReminder,
}

impl About {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 15] = [
        (Self::Joined, "joined"),
        (Self::AlreadyMember, "already_member"),
        (Self::Rejected, "rejected"),
        (Self::Lapsed, "lapsed"),
        (Self::Left, "left"),
        (Self::Stays, "stays"),
        (Self::Restored, "restored"),
        (Self::Purchases, "purchases"),
        (Self::ActivityInvited, "activity_invited"),
        (Self::ActivityPlaced, "activity_placed"),
        (Self::ActivityWaiting, "activity_waiting"),
        (Self::ActivitySeated, "activity_seated"),
        (Self::ActivityChanged, "activity_changed"),
        (Self::ActivityCalledOff, "activity_called_off"),
        (Self::ActivityReminder, "activity_reminder"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("joined", |row| row.1)
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// By which ways somebody can be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Has a mobile number.
    pub mobile: bool,
    /// Has an e-mail address.
    pub email: bool,
    /// Has a postal address.
    pub address: bool,
    /// Has a telephone at home.
    pub home_phone: bool,
    /// Asked for secrecy: nothing is sent.
    pub secret: bool,
}

/// Channels that a program serves; the others are a person's work.
pub const SENT_BY_MACHINE: [&str; 2] = ["sms", "email"];

/// The channel of a notice (K10), as its dictionary code: the first of the club's order by which the person can be
/// reached. None for who asked for secrecy, and where there is no way at all: then a person sees to it.
#[must_use]
pub fn channel(order: &[String], reach: Reach) -> Option<&str> {
    if reach.secret {
        return None;
    }
    let reaches = |code: &&String| match code.as_str() {
        "sms" => reach.mobile,
        "email" => reach.email,
        "letter" => reach.address,
        "phone" => reach.mobile || reach.home_phone,
        _ => false,
    };
    order.iter().find(reaches).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_k10_the_first_channel_that_reaches_the_person_is_taken() {
        let order = ["sms", "email", "letter", "phone", "other"].map(str::to_owned);
        let reach =
            |mobile, email, address, home_phone| Reach { mobile, email, address, home_phone, secret: false };
        for (met, expected) in [
            (reach(true, true, true, true), Some("sms")),
            (reach(false, true, true, true), Some("email")),
            (reach(false, false, true, true), Some("letter")),
            (reach(false, false, false, true), Some("phone")),
            (reach(false, false, false, false), None),
        ] {
            assert_eq!(channel(&order, met), expected, "{met:?}");
        }
        let letters_first = ["letter", "sms"].map(str::to_owned);
        assert_eq!(channel(&letters_first, reach(true, false, true, false)), Some("letter"));
        assert_eq!(channel(&[], reach(true, true, true, true)), None);
    }

    #[test]
    fn rule_z01_who_asked_for_secrecy_is_sent_nothing() {
        let order = ["sms", "letter"].map(str::to_owned);
        let known = Reach { mobile: true, email: true, address: true, home_phone: true, secret: true };
        assert_eq!(channel(&order, known), None);
    }

    #[test]
    fn rule_k02_each_notice_has_one_code() {
        for (about, code) in About::CODES {
            assert_eq!((about.code(), About::from_code(code)), (code, Some(about)));
        }
    }
}
