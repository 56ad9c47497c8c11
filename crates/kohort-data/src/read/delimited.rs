//! Delimited text.
