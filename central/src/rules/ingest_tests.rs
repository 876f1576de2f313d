//! Tests of taking in.
