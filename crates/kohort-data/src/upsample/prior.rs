//! Probabilities learned under one rate of positives, read under another.

use crate::DataError;

/// The shift between the rate of positives in the population, π, and in the sample a model was trained on, π_s:
///
/// logit′ = logit + ln(π / (1 − π)) − ln(π_s / (1 − π_s)).
///
/// Right where the sample changed how often positives come but not what they look like (M. Saerens, P. Latinne and C.
/// Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", Neural Computation 14, 2002).
///
/// ```
/// use kohort_data::upsample::PriorShift;
///
/// let shift = PriorShift::new(0.2, 0.5)?;
/// assert!((shift.probability(0.5) - 0.2).abs() < 1e-12, "what was even is now as rare as in the population");
/// assert_eq!(shift.probability(1.0), 1.0);
/// assert!(PriorShift::new(0.2, 1.0).is_err(), "a sample of positives alone says nothing of their rate");
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriorShift {
    /// Rate of positives in the population.
    pub population: f64,
    /// Rate of positives in the sample.
    pub sample: f64,
}

impl PriorShift {
    /// From both rates.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a rate that is not between 0 and 1.
    pub fn new(population: f64, sample: f64) -> Result<PriorShift, DataError> {
        for (name, rate) in [("prior of the population", population), ("prior of the sample", sample)] {
            if !(rate > 0.0 && rate < 1.0) {
                return Err(DataError::Setting {
                    name,
                    found: rate.to_string(),
                    expected: "a rate of positives between 0 and 1, both excluded".to_owned(),
                });
            }
        }
        Ok(PriorShift { population, sample })
    }

    /// What is added to a logit.
    pub fn shift(self) -> f64 {
        log_odds(self.population) - log_odds(self.sample)
    }

    /// The corrected logit.
    pub fn logit(self, logit: f64) -> f64 {
        logit + self.shift()
    }

    /// The corrected probability; 0 and 1 stay.
    pub fn probability(self, probability: f64) -> f64 {
        // odds′ = odds · e^shift, without the detour over infinite logits.
        let factor = self.shift().exp();
        probability * factor / (1.0 - probability + probability * factor)
    }
}

fn log_odds(rate: f64) -> f64 {
    (rate / (1.0 - rate)).ln()
}
