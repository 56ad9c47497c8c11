//! Claims about the public API: golden values, properties, known answers, refusals.

mod binary;
mod cube;
mod errors;
mod golden;
mod interval;
mod profiling;
mod ranking;
mod ranking_properties;
mod rating;
mod threads;
