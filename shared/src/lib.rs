//! Vocabulary and wire contract of Hufu 虎符, and the rules that terminal and centre must apply alike.
//!
//! Everything here is pure: no input or output, no clock, no randomness of its own, no async. Time and random bytes
//! are arguments. Two programs that may be months apart in version speak through these types, so a field is only ever
//! added, never renumbered, and its bytes are pinned by golden files.
//!
//! Reading order: [`ids`], [`money`] and [`time`] are the words; [`fact`] and [`act`] are what is said with them;
//! [`chain`] makes a sequence of facts tamper-evident; [`wire`] carries them; [`rules`] are the computations whose
//! result a member sees at the terminal and the ledger must repeat.
//!
//! What will never live here: storage, sockets, devices, languages of the screen.

pub mod ids;
pub mod money;
pub mod time;

pub mod cbor;
pub mod chain;
pub mod code;
pub mod keys;
pub mod seal;
pub mod token;

pub mod act;
pub mod cards;
pub mod dictionary;
pub mod fact;
pub mod form;
pub mod joining;
pub mod member;
pub mod member_code;
pub mod policy;
pub mod scheme;

pub mod rules;
pub mod wire;

pub mod mutant;
