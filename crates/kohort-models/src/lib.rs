//! Multi-task recommenders and their baselines, and the trainer that runs them all

pub mod baselines;
