//! The device API through real TLS sockets, with scripted terminals, on both databases.

mod admission;
mod enrolment;
mod jobs;
mod kit;
mod lists;
mod lookup;
mod spread;
mod uploads;
