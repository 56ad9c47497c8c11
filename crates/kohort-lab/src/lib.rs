//! The experiments behind `cargo xtask reproduce`: a grid of resumable cells, and a page that a stranger can read.
//!
//! One number of the report goes this way: an **experiment** (a file each) lists *cells*; a **cell** is one system
//! fitted once on one split of one data set from one seed, scored under every protocol that shares the split; the
//! **grid** runs cells on all cores and keeps each in a file of its own, so that a second run only does what is
//! missing; the **summary** turns cells into flat rows (mean and interval over seeds, floor, ceiling, paired tests,
//! verdicts by stated rules); the **page** shows the rows.
//!
//! | module | idea |
//! |---|---|
//! | `cli` | flags, exit codes |
//! | `study` | the data sets: found and checked, or skipped and why, or synthetic |
//! | `protocols` | splits and the protocols that share them, with the published numbers |
//! | `systems` | what is fitted: the one place that knows models by name |
//! | `cohorts` | groups of users from training rows alone |
//! | `measure` | a fitted system on a test part, in numbers |
//! | `profiling` | how well groups are named, beside what is trivial |
//! | `grid` | cells, their files, their order, progress |
//! | `experiments` | which cells, one file each |
//! | `summary` | cells to rows |
//! | `page` | rows to `report.html` and its companions |
//!
//! The command is the interface; there is one function.

mod cli;
mod clock;
mod cohorts;
mod experiments;
mod failure;
mod files;
mod grid;
mod manifest;
mod measure;
mod page;
mod profiling;
mod protocols;
mod study;
mod summary;
mod systems;
#[cfg(test)]
mod tests;

pub use cli::run;
