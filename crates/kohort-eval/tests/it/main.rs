//! Claims about the public API: golden values, properties, known answers, refusals.

// Helpers of tests are tests too, but clippy only knows functions marked as such.
#![allow(clippy::unwrap_used)]

mod binary;
mod calibration;
mod cube;
mod errors;
mod golden;
mod interval;
mod movielens;
mod popularity;
mod profiling;
mod ranking;
mod ranking_properties;
mod rating;
mod threads;
