//! Tests of the console through its routes, as a browser without script sees it, on both databases.

mod approving;
mod cards;
mod codes;
mod forms;
mod joining;
mod kit;
mod leases;
mod look;
mod members;
mod money;
mod pages;
mod readiness;
mod requests;
mod signing;
mod taking;
mod verdicts;
