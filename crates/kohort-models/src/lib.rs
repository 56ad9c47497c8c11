//! Multi-task recommenders and their baselines, and the trainer that runs them all

pub mod baselines;
pub mod context;
pub mod dmtl;
mod error;
pub mod trainer;

pub use error::ModelError;
