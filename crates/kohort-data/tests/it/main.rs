//! What the crate promises of real files, of broken files, and of any rows at all.

mod broken;
mod delimited;
mod fetch;
mod groups;
mod itm_rec;
mod learned;
mod manifest;
mod mirror;
mod movielens;
mod recbole;
mod split;
mod synthetic;
