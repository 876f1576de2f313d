//! Tests of giving effect.
