//! The rules of schemes by their numbers: case tables, worked figures and properties, against the public functions.

mod bill;
mod birthday;
mod bonus;
mod earn;
mod giveback;
mod kit;
mod level;
mod parameters;
mod promotion;
mod purchase;
mod ready;
mod redeem;
mod start;
mod till;
mod told;
mod transfer;
mod whatif;
