//! Tests of the console through its routes, as a browser without script sees it, on both databases.

mod activities;
mod activity_pages;
mod approving;
mod bills;
mod cards;
mod cash;
mod codes;
mod contract;
mod exports;
mod forms;
mod jobs;
mod joining;
mod kit;
mod leases;
mod look;
mod members;
mod money;
mod pages;
mod points;
mod readiness;
mod requests;
mod rights;
mod signing;
mod taking;
mod value;
mod verdicts;
