//! Case tables of the terminal's lease rules.
