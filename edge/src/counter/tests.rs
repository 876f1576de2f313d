//! The page as a whole: every snapshot in both languages, and the addresses as browsers and programs meet them.

mod desk;
pub(super) mod http;
mod pages;
mod setup;

use super::samples;
