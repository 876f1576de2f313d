//! Vocabulary and wire contract.
