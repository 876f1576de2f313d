//! Case tables of the lease book.
