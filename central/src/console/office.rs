//! The office switch of the frame: a person narrows the console to one office, and the pages that know an office then
//! show that one alone, in its zone.
//!
//! The choice is a cookie; what it says holds only for an office that the person may see, and whoever belongs to an
//! office sees that one whatever the cookie says. Out of scope: who may do what, which no choice changes.

use axum::http::HeaderMap;
use hufu_shared::ids::OfficeId;
use hufu_shared::member::OfficeRow;

use super::session::cookie;
use super::ui::Ui;
use crate::rules::joining::roles::Account;

/// Cookie that keeps the choice.
pub const OFFICE_COOKIE: &str = "hufu_office";
/// What the cookie says of one who chose no office.
pub const ALL: &str = "all";
/// Names in an address that belong to one office, and mean nothing once another is chosen.
const OF_ONE_OFFICE: [&str; 4] = ["office", "device", "after", "cursor"];

/// The office that is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Which.
    pub id: OfficeId,
    /// Its code.
    pub code: String,
    /// Code and name.
    pub words: String,
}

/// Offices that somebody may see: all of them for the centre's own people, else their own.
pub fn visible<'o>(offices: &'o [OfficeRow], account: &Account) -> Vec<&'o OfficeRow> {
    let sees = |row: &&OfficeRow| account.role.is_of_centre() || account.office == Some(row.office);
    offices.iter().filter(sees).collect()
}

/// Which of them is chosen; none for all.
pub fn chosen<'o>(
    headers: &HeaderMap,
    account: &Account,
    offices: &[&'o OfficeRow],
) -> Option<&'o OfficeRow> {
    if !account.role.is_of_centre() {
        return offices.first().copied();
    }
    let kept: OfficeId = cookie(headers, OFFICE_COOKIE)?.parse().ok()?;
    offices.iter().copied().find(|row| row.office == kept)
}

/// Puts the switch on a page, and the page's times into the zone of the office that is chosen.
pub fn narrow(ui: &mut Ui, headers: &HeaderMap, account: &Account, offices: &[OfficeRow]) {
    let seen = visible(offices, account);
    let words = |row: &OfficeRow| format!("{} {}", row.code, ui.pick(&row.name));
    let one = chosen(headers, account, &seen);
    let choice = one.map(|row| Chosen { id: row.office, code: row.code.clone(), words: words(row) });
    let all = seen.iter().map(|row| (row.office.to_string(), words(row))).collect();
    ui.zone = one.and_then(|row| row.clock.tz().ok()).unwrap_or(ui.zone);
    (ui.office, ui.offices) = (choice, all);
}

/// What the cookie is to say for what the switch sent; none for what is no choice.
pub fn kept(sent: &str) -> Option<String> {
    if sent == ALL {
        return Some(ALL.to_owned());
    }
    sent.parse::<OfficeId>().ok().map(|office| office.to_string())
}

/// A path without what names one office, or a place in its list.
pub fn without_office(path: &str) -> String {
    let Some((page, query)) = path.split_once('?') else { return path.to_owned() };
    let stays = |pair: &&str| !OF_ONE_OFFICE.contains(&pair.split('=').next().unwrap_or_default());
    let pairs: Vec<&str> = query.split('&').filter(stays).collect();
    if pairs.is_empty() { page.to_owned() } else { format!("{page}?{}", pairs.join("&")) }
}

#[cfg(test)]
mod tests {
    use axum::http::header;
    use hufu_shared::ids::OperatorId;
    use hufu_shared::scheme::Words;
    use hufu_shared::time::{Instant, OfficeClock};

    use super::*;
    use crate::rules::joining::roles::Role;

    fn office(n: u8, zone: &str) -> OfficeRow {
        OfficeRow {
            office: OfficeId([n; 16]),
            code: format!("A{n}"),
            name: Words { zh: "城东".to_owned(), en: "East".to_owned() },
            clock: OfficeClock { zone: zone.to_owned(), cutoff_minutes: 0 },
            group: None,
        }
    }

    fn account(role: Role, office: Option<u8>) -> Account {
        let office = office.map(|n| OfficeId([n; 16]));
        Account { id: OperatorId([7; 16]), role, superior: None, office }
    }

    /// What a page shows as chosen, its zone, and how many offices stand to choose from.
    fn shown(cookie: &str, account: &Account) -> (Option<String>, &'static str, usize) {
        let offices = [office(1, "Asia/Shanghai"), office(2, "Asia/Urumqi")];
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("{OFFICE_COOKIE}={cookie}").parse().expect("a header"));
        let mut ui = Ui::of(&headers, Instant(0));
        narrow(&mut ui, &headers, account, &offices);
        (ui.office.map(|office| office.words), ui.zone.name(), ui.offices.len())
    }

    #[test]
    fn a_choice_holds_only_for_an_office_that_the_person_may_see() {
        let (clerk, manager) = (account(Role::Clerk, None), account(Role::Manager, Some(1)));
        let second = OfficeId([2; 16]).to_string();
        let gone = OfficeId([3; 16]).to_string();
        let (one, two) = (Some("A1 城东".to_owned()), Some("A2 城东".to_owned()));
        assert_eq!(shown(&second, &clerk), (two, "Asia/Urumqi", 2));
        for cookie in [ALL, "", "A2", gone.as_str()] {
            assert_eq!(shown(cookie, &clerk), (None, "Asia/Shanghai", 2), "{cookie}");
        }
        for cookie in [ALL, second.as_str()] {
            assert_eq!(shown(cookie, &manager), (one.clone(), "Asia/Shanghai", 1), "{cookie}");
        }
        assert_eq!(shown(ALL, &account(Role::Promoter, None)).2, 0, "belongs nowhere, sees none");
    }

    #[test]
    fn what_names_another_office_leaves_the_address() {
        for (path, left) in [
            ("/", "/"),
            ("/cash?office=01&day=2026-11-22", "/cash?day=2026-11-22"),
            ("/days?device=7&only=differs&day=2026-11-22", "/days?only=differs&day=2026-11-22"),
            ("/members?after=Z9", "/members"),
            ("/devices?state=offline", "/devices?state=offline"),
        ] {
            assert_eq!(without_office(path), left);
        }
        assert_eq!((kept("all").as_deref(), kept("A1"), kept("")), (Some("all"), None, None));
        let id = OfficeId([2; 16]).to_string();
        assert_eq!(kept(&id), Some(id));
    }
}
