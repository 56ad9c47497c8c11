//! Contracts that cross crates: what every scorer keeps, and what the documents promise.

mod contracts;
mod lifecycle;
mod readme;
