//! Contracts that cross crates: what every scorer keeps, and what a stranger's damaged input meets.

mod contracts;
mod readme;
