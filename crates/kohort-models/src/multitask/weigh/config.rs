//! Settings of learned weights.

use kohort_layers::EncoderConfig;
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::multitask::body::check_widths;

/// Settings of a [`super::Weigher`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WeighConfig {
    /// Columns that a weight may depend on beside the cohort: those that describe the user.
    pub columns: Vec<String>,
    /// How they are embedded.
    pub encoder: EncoderConfig,
    /// Width of a cohort's vector.
    pub cohort: usize,
    /// Width of each hidden layer.
    pub hidden: Vec<usize>,
    /// How far a weight may lie from 1 before it is brought to mean 1, in (0, 1).
    pub bound: f64,
    /// Adam's learning rate of the weights' network.
    pub rate: f64,
    /// Learning rate η of the step that is looked ahead.
    pub lookahead: f64,
    /// Held-out rows of a step.
    pub held: usize,
}

impl Default for WeighConfig {
    fn default() -> WeighConfig {
        WeighConfig {
            columns: Vec::new(),
            encoder: EncoderConfig::default(),
            cohort: 4,
            hidden: vec![16],
            bound: 0.9,
            rate: 0.01,
            lookahead: 0.1,
            held: 512,
        }
    }
}

impl WeighConfig {
    /// Checks every setting against its range.
    ///
    /// # Errors
    /// The first setting that is out of range, with what is allowed.
    pub fn check(&self) -> Result<(), ModelError> {
        check_widths("weigh.hidden", &self.hidden, 0)?;
        for (key, value) in [
            ("weigh.encoder.width", self.encoder.width),
            ("weigh.cohort", self.cohort),
            ("weigh.held", self.held),
        ] {
            if value == 0 || value > 65_536 {
                return Err(ModelError::setting(key, value, "a whole number from 1 to 65536"));
            }
        }
        if !(self.bound > 0.0 && self.bound < 1.0) {
            return Err(ModelError::setting("weigh.bound", self.bound, "a number between 0 and 1"));
        }
        for (key, value) in [("weigh.rate", self.rate), ("weigh.lookahead", self.lookahead)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(ModelError::setting(key, value, "a finite number above 0"));
            }
        }
        Ok(())
    }
}
