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
//! | `paper` | what a paper is: experiments, data, cells, rows, its part of the page |
//! | `dmtl` | joint group profiling and recommendation, on the ratings of its paper |
//! | `territories` | one model for many markets against popularity bias |
//! | `modules` | experts and adapters, compared on the same rows |
//! | `personalised` | STAN and GroupCE: what adapts the objective to the user |
//! | `objectives` | who gets how much of the gradient, compared on the same rows |
//! | `discovery` | cohorts found in graphs and behaviour: are they worth it? |
//! | `study` | data sets: found and checked, or skipped and why |
//! | `outcome` | what a cell leaves behind |
//! | `grid` | cells, their files, their order, progress |
//! | `memo` | what several cells need, made once |
//! | `summary` | cells to rows |
//! | `page` | the papers' parts to `report.html` and its companions |
//!
//! A paper's folder lists its experiments (a file each), the systems and protocols they are made of, how verdicts are
//! made, and its sections of the page. A further paper is a folder and a line in `paper`.
//!
//! The command is the interface; there is one function.

mod cli;
mod clock;
mod discovery;
mod dmtl;
mod failure;
mod files;
mod grid;
mod manifest;
mod memo;
mod modules;
mod objectives;
mod outcome;
mod page;
mod paper;
mod personalised;
mod study;
mod summary;
mod territories;
#[cfg(test)]
mod tests;

pub use cli::run;
