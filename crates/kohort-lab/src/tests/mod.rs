//! End to end on tiny synthetic data.
