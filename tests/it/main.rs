//! The one whole-system test binary: every file below is a part of Hufu's story, with real processes.

mod bad_input;
mod demo;
mod desk;
mod flood;
mod fuzz;
mod golden;
mod kill;
mod kit;
mod lost_card;
mod operator;
mod pages;
mod practice;
mod reader;
mod restored;
mod stick;
mod story;
mod tablet;
mod tidy;
mod two_centres;
mod value;
