//! Pages of the lists of `/api/v1`: every list that has a bound is told a page at a time, and any of them begins where the
//! one before it ended. A page begins after a place, which is what the list is sorted by and an id; a cursor is the text of
//! one. Where rows came or went meanwhile, none is told twice for that, and none that stayed is left out.
//!
//! A list of several orders names them under `sort`, the columns that it can be sorted by; one with `-` in front begins with
//! the largest. Its cursor names its order: in another one it stands for no place and is refused.

use axum::http::StatusCode;
use hufu_shared::time::Instant;
use serde::Deserialize;

use super::failure::Failure;
use super::problem::Refused;
use super::ui::Ui;

/// Rows of one page.
pub(super) const PAGE_ROWS: i64 = 100;

/// Where a page begins.
#[derive(Debug, Deserialize)]
pub struct PageQuery {
    /// The place after which it begins; none for the first.
    pub(super) cursor: Option<String>,
    /// How many rows are asked for.
    pub(super) limit: Option<u32>,
}

/// Which list, and where its page begins.
#[derive(Debug, Deserialize)]
pub struct ListQuery {
    /// The state whose list it is; none for the one that people look at first.
    pub(super) state: Option<String>,
    /// As in [`PageQuery`].
    pub(super) cursor: Option<String>,
    /// As in [`PageQuery`].
    pub(super) limit: Option<u32>,
}

/// The same of a list of several orders.
#[derive(Debug, Deserialize)]
pub struct SortedQuery {
    /// As in [`ListQuery`].
    pub(super) state: Option<String>,
    /// The order.
    pub(super) sort: Option<String>,
    /// As in [`PageQuery`].
    pub(super) cursor: Option<String>,
    /// As in [`PageQuery`].
    pub(super) limit: Option<u32>,
}

/// Where a page begins of a list whose rows are numbered, the newest first.
#[derive(Debug, Deserialize)]
pub struct CountedQuery {
    /// The number before which it begins; none for the newest.
    pub(super) cursor: Option<i64>,
    /// As in [`PageQuery`].
    pub(super) limit: Option<u32>,
}

/// A place in a list whose ids are of any length; `first` without a cursor.
pub(super) fn place(after: Option<&str>, first: (i64, &[u8])) -> Option<(i64, Vec<u8>)> {
    let Some(after) = after else { return Some((first.0, first.1.to_vec())) };
    let (at, id) = after.split_once('.')?;
    Some((at.parse().ok()?, data_encoding::HEXLOWER.decode(id.as_bytes()).ok()?))
}

/// A place in a list: an instant and an id.
pub(super) fn cursor<const N: usize>(after: Option<&str>) -> Option<(Instant, [u8; N])> {
    let (at, id) = place(after, (i64::MIN, &[0; N]))?;
    Some((Instant(at), id.try_into().ok()?))
}

/// A place in a list that begins with the newest.
pub(super) fn cursor_down<const N: usize>(after: Option<&str>) -> Option<(Instant, [u8; N])> {
    let (at, id) = place(after, (i64::MAX, &[0xff; N]))?;
    Some((Instant(at), id.try_into().ok()?))
}

/// Rows of a page of which so many are asked for: at least one, at most as many as a page has by itself.
pub(super) fn rows_of(limit: Option<u32>) -> i64 {
    limit.map_or(PAGE_ROWS, |limit| i64::from(limit).clamp(1, PAGE_ROWS))
}

/// Whether a page of at most `most` rows is full: then there may be more after it.
pub(super) fn is_full(rows: usize, most: i64) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows >= most)
}

/// The text of a place in a list, if there may be more after it.
pub(super) fn next((rows, most): (usize, i64), at: Instant, id: &[u8]) -> Option<String> {
    is_full(rows, most).then(|| format!("{}.{}", at.0, data_encoding::HEXLOWER.encode(id)))
}

/// The order in which a list of several is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order(String);

impl Order {
    /// The one that is asked for, which the gate knows to be one of the list's; `usual` where none is.
    pub(super) fn of(asked: Option<&str>, usual: &str) -> Self {
        Self(asked.filter(|asked| !asked.is_empty()).unwrap_or(usual).to_owned())
    }

    /// The column, with a `-` in front where it begins with the largest.
    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// The column alone.
    pub(super) fn column(&self) -> &str {
        self.0.trim_start_matches('-')
    }

    /// Where its page begins: before all rows without a cursor.
    pub(super) fn place<const N: usize>(
        &self,
        ui: &Ui,
        after: Option<&str>,
    ) -> Result<(i64, [u8; N]), Refused> {
        let own = after.map(|after| self.own(ui, after)).transpose()?;
        let is_down = self.0.starts_with('-');
        let place = if is_down { cursor_down(own) } else { cursor(own) };
        let (at, id) = place.ok_or(Failure::NotFound)?;
        Ok((at.0, id))
    }

    /// A cursor without the name of its order.
    pub(super) fn own<'a>(&self, ui: &Ui, after: &'a str) -> Result<&'a str, Refused> {
        let (order, place) = after.split_once('.').ok_or(Failure::NotFound)?;
        let is_own = order == self.0;
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        is_own.then_some(place).ok_or_else(|| Refused::said(ui.language, status, "cursor_other", ""))
    }

    /// The text of a place in this order, if there may be more after it.
    pub(super) fn next(&self, page: (usize, i64), key: i64, id: &[u8]) -> Option<String> {
        Some(format!("{}.{}", self.0, next(page, Instant(key), id)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_where_the_one_before_it_ended() {
        let told = next((2, 2), Instant(-5), &[1, 0xab]);
        assert_eq!(told.as_deref(), Some("-5.01ab"));
        assert_eq!(cursor::<2>(told.as_deref()), Some((Instant(-5), [1, 0xab])));
        assert_eq!(place(told.as_deref(), (0, b"")), Some((-5, vec![1, 0xab])));
        assert_eq!(next((1, 2), Instant(-5), &[1]), None, "it was the last");
        assert_eq!(cursor::<1>(None), Some((Instant(i64::MIN), [0])));
        assert_eq!(cursor_down::<1>(None), Some((Instant(i64::MAX), [0xff])));
        for wrong in ["", "5", "5.0g", "5.AB00", "x.01ab", "5.01", "99999999999999999999.01ab"] {
            assert_eq!(cursor::<2>(Some(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn a_cursor_is_of_its_order_alone() {
        let ui = Ui::of(&axum::http::HeaderMap::new(), Instant(0));
        let (up, down) = (Order::of(None, "points"), Order::of(Some("-points"), "points"));
        assert_eq!((up.name(), Order::of(Some(""), "points").name()), ("points", "points"));
        assert!(matches!(up.place::<1>(&ui, None), Ok((i64::MIN, [0]))));
        assert!(matches!(down.place::<1>(&ui, None), Ok((i64::MAX, [0xff]))));
        let told = down.next((3, 3), -7, &[9]).expect("there may be more");
        assert_eq!((told.as_str(), down.next((2, 3), -7, &[9])), ("-points.-7.09", None));
        assert!(matches!(down.place::<1>(&ui, Some(&told)), Ok((-7, [9]))));
        let other = up.place::<1>(&ui, Some(&told)).expect_err("another order");
        assert!(matches!(other, Refused::Problem { code, .. } if code == "cursor_other"));
        for wrong in ["-points", "-points.7", "-points.7.9", "-points.x.09"] {
            let refused = down.place::<1>(&ui, Some(wrong)).expect_err(wrong);
            assert!(matches!(refused, Refused::Failure(Failure::NotFound)), "{wrong}");
        }
    }
}
