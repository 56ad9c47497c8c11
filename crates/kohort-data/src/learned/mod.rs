//! Features that are learned from ratings, and therefore from [`Train`](crate::Train) alone.
//!
//! A feature that counts a held-out rating, or the very rating it is used to predict, tells the answer. The first
//! cannot happen here: nothing in this module takes a [`Test`](crate::Test).
//!
//! ```compile_fail,E0308
//! # use kohort_data::{Split, learned::{Key, Statistics, Weighting}};
//! fn leak(split: &Split) {
//!     let _ = Statistics::fit(&split.test, Key::Item, Weighting::default()); // expected `&Train`
//! }
//! ```
//!
//! The second is up to the caller: a
//! feature of a *training row* should leave that row out.
//!
//! * [`Statistics::mean_without`] leaves one rating out exactly. Within one user it falls as the row's own rating
//!   rises, so a flexible model that also sees the full mean can read the rating back;
//! * [`out_of_fold_means`] takes the mean from the other folds: no row of a fold is in its own feature. It is the safe choice
//!   for inputs.

mod profile;
mod standardise;
mod statistics;

pub use profile::{Profile, Taste, user_profile};
pub use standardise::Standardise;
pub use statistics::{Key, Statistics, Weighting, code_shares, numeric_means, out_of_fold_means};
