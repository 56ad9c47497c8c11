//! Layers from outside: values of other libraries, and what users rely on.

#![allow(clippy::unwrap_used, reason = "a test's helper functions fail the test when they panic")]

mod experts;
mod lora;
mod sequence;
