//! The parts of a split, as types: what may be learned from, what may be chosen on, what may only be scored.

use crate::{DataError, Interactions};

/// Rows that models learn from. Features, cohorts, popularity and vocabularies are made from these alone.
#[derive(Clone, Debug)]
pub struct Train(pub(crate) Interactions);

/// Rows held out of training on which epochs, hyper-parameters and variants are chosen.
#[derive(Clone, Debug)]
pub struct Validation(pub(crate) Interactions);

/// Rows that are only ever scored. No trainer, feature or clustering takes this type.
#[derive(Clone, Debug)]
pub struct Test(pub(crate) Interactions);

/// The pairs to score, without their ratings: what a model may see of a held-out part.
#[derive(Clone, Copy, Debug)]
pub struct Queries<'a> {
    /// Dense user id of each query.
    pub user: &'a [u32],
    /// Dense item id of each query.
    pub item: &'a [u32],
    /// Time of each query (the moment the rating is asked for); zero where the data set has no times.
    pub time: &'a [i64],
}

impl Train {
    /// Takes rows that have been set aside for learning. The splitters do this for you.
    ///
    /// # Errors
    /// What [`Interactions::check`] finds.
    pub fn new(rows: Interactions) -> Result<Train, DataError> {
        rows.check()?;
        Ok(Train(rows))
    }

    /// The rows themselves.
    pub fn rows(&self) -> &Interactions {
        &self.0
    }
}

impl Validation {
    /// The rows themselves.
    pub fn rows(&self) -> &Interactions {
        &self.0
    }

    /// The pairs to score.
    pub fn queries(&self) -> Queries<'_> {
        Queries { user: &self.0.user, item: &self.0.item, time: &self.0.time }
    }
}

impl Test {
    /// The pairs to score.
    pub fn queries(&self) -> Queries<'_> {
        Queries { user: &self.0.user, item: &self.0.item, time: &self.0.time }
    }

    /// The answers, for an evaluator.
    pub fn answers(&self) -> &Interactions {
        &self.0
    }
}
