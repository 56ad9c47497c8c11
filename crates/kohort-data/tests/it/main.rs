//! What the crate promises of real files, of broken files, and of any rows at all.

mod itm_rec;
mod mirror;
mod movielens;
