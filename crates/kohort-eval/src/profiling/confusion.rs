//! Confusion matrix and what is read off it.
//!
//! With `C` `[classes, classes]`, truth in rows: `precision_c = C_cc / Σ_t C_tc`, `recall_c = C_cc / Σ_p C_cp`,
//! `F1_c = 2 C_cc / (Σ_t C_tc + Σ_p C_cp)`.

use crate::error::{EvalError, Result, at_least, same_length, setting};
use serde::{Deserialize, Serialize};

/// A matrix of 4096² counts is 128 MiB; profiles have tens of classes.
pub(super) const MOST_CLASSES: usize = 4096;

/// How often class `t` was predicted as class `p`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    classes: usize,
    /// `[classes, classes]`, row-major, truth in rows.
    counts: Vec<u64>,
}

/// Scores of one class; `None` where the denominator is zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Of the rows predicted as this class, the share that is of it.
    pub precision: Option<f64>,
    /// Of the rows of this class, the share predicted as it.
    pub recall: Option<f64>,
    /// Harmonic mean of both; `None` for a class that is neither present nor predicted.
    pub f1: Option<f64>,
    /// Rows of this class.
    pub support: u64,
}

/// Averaged scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProfileScores {
    /// Averaged precision.
    pub precision: f64,
    /// Averaged recall.
    pub recall: f64,
    /// Averaged F1 (macro: the mean of F1s, not the F1 of means).
    pub f1: f64,
}

impl ConfusionMatrix {
    /// Counts `truth` `[n]` against `predicted` `[n]`, labels in `0..classes`.
    ///
    /// # Errors
    /// Different lengths, no rows, 0 or more than 4096 classes, a label outside `0..classes`.
    pub fn new(truth: &[u32], predicted: &[u32], classes: usize) -> Result<Self> {
        same_length(("predicted", predicted.len()), ("truth", truth.len()))?;
        at_least("truth", truth.len(), 1)?;
        setting("classes", classes, format!("1 to {MOST_CLASSES}"), (1..=MOST_CLASSES).contains(&classes))?;
        let mut counts = vec![0; classes * classes];
        for (at, (&t, &p)) in truth.iter().zip(predicted).enumerate() {
            for (name, label) in [("truth", t), ("predicted", p)] {
                if label as usize >= classes {
                    let allowed = "labels less than the number of classes";
                    return Err(EvalError::Value { name, at, value: f64::from(label), allowed });
                }
            }
            counts[t as usize * classes + p as usize] += 1;
        }
        Ok(Self { classes, counts })
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// All counts, `[classes, classes]`, row-major, truth in rows.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Share of rows on the diagonal.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.classes).map(|c| self.counts[c * self.classes + c]).sum();
        right as f64 / self.counts.iter().sum::<u64>() as f64
    }

    /// Scores of every class, `[classes]`.
    pub fn per_class(&self) -> Vec<ClassScores> {
        let n = self.classes;
        (0..n)
            .map(|c| {
                let right = self.counts[c * n + c];
                let support: u64 = self.counts[c * n..(c + 1) * n].iter().sum();
                let predicted: u64 = (0..n).map(|t| self.counts[t * n + c]).sum();
                let share = |of: u64, over: u64| (over > 0).then(|| of as f64 / over as f64);
                ClassScores {
                    precision: share(right, predicted),
                    recall: share(right, support),
                    f1: share(2 * right, predicted + support),
                    support,
                }
            })
            .collect()
    }

    /// Mean over the classes that are present or predicted. As in scikit-learn an undefined precision or recall of
    /// such a class counts as 0: a class the head never predicts must cost something.
    pub fn macro_average(&self) -> ProfileScores {
        let classes: Vec<ClassScores> =
            self.per_class().into_iter().filter(|class| class.f1.is_some()).collect();
        let mean = |of: fn(&ClassScores) -> Option<f64>| {
            classes.iter().map(|class| of(class).unwrap_or(0.0)).sum::<f64>() / classes.len() as f64
        };
        ProfileScores { precision: mean(|c| c.precision), recall: mean(|c| c.recall), f1: mean(|c| c.f1) }
    }

    /// Scores over the pooled decisions. With one label per row all three equal the accuracy.
    pub fn micro_average(&self) -> ProfileScores {
        let accuracy = self.accuracy();
        ProfileScores { precision: accuracy, recall: accuracy, f1: accuracy }
    }
}
