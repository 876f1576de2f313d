//! The list of migrations, oldest first. Add at the end; a released one is never changed.

use super::Migration;

/// All migrations, numbered from 1 without gaps.
pub const MIGRATIONS: &[Migration] = &[];
