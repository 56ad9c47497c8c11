//! Columns brought to mean 0 and variance 1, with the mean and the deviation of the training data.

use serde::{Deserialize, Serialize};

use super::Profile;

/// x′ = (x − mean) / deviation, per column; a column that never varies becomes 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standardise {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Standardise {
    /// Learns mean and deviation (population, in f64) of every column.
    pub fn fit(profile: &Profile) -> Standardise {
        let (width, rows) = (profile.width(), profile.rows().max(1) as f64);
        let mut mean = vec![0.0f64; width];
        for (at, &value) in profile.values.iter().enumerate() {
            mean[at % width] += f64::from(value) / rows;
        }
        let mut deviation = vec![0.0f64; width];
        for (at, &value) in profile.values.iter().enumerate() {
            deviation[at % width] += (f64::from(value) - mean[at % width]).powi(2) / rows;
        }
        for (d, m) in deviation.iter_mut().zip(&mean) {
            *d = d.sqrt();
            // Rounding leaves a constant column a deviation of about 1e-17 of its mean; dividing by that makes noise.
            if *d <= 1e-7 * m.abs() {
                *d = 0.0;
            }
        }
        Standardise { mean, deviation }
    }

    /// The profile on the learned scale; other keys than those it was learned on may come.
    pub fn apply(&self, profile: &Profile) -> Profile {
        let width = profile.width();
        let values = profile
            .values
            .iter()
            .enumerate()
            .map(|(at, &value)| {
                let (mean, deviation) = (self.mean[at % width], self.deviation[at % width]);
                if deviation == 0.0 { 0.0 } else { ((f64::from(value) - mean) / deviation) as f32 }
            })
            .collect();
        Profile { names: profile.names.clone(), values }
    }
}
