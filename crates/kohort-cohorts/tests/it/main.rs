//! Claims about the crate's public items, in one binary.
