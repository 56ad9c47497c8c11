//! See `it/`: this crate holds only tests.
