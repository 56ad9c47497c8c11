//! Data sets through their manifests: found and checked, or skipped and why.

mod find;
mod provenance;

pub(crate) use find::{Looking, list, look, look_records};
pub(crate) use provenance::{FileRecord, Provenance};

/// A data set that was asked for and could not be had.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Skipped {
    /// Its name.
    pub(crate) name: String,
    /// What was tried, and what to do next.
    pub(crate) why: String,
}
