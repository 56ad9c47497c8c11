//! What the crate promises of real files, of broken files, and of any rows at all.

#![allow(clippy::unwrap_used, reason = "a test's helper functions fail the test when they panic")]

mod broken;
mod census_income;
mod columns;
mod delimited;
mod fetch;
mod groups;
mod itm_rec;
mod learned;
mod manifest;
mod market_recipe;
mod mirror;
mod movielens;
mod negatives;
#[cfg(feature = "parquet")]
mod parquet;
mod parts;
mod recbole;
mod record_recipes;
mod records;
mod split;
mod synthetic;
mod territories;
mod twitch;
mod upsample;
mod vectors;
mod xmarket;
