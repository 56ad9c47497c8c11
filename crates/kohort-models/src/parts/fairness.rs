//! Terms between cohorts: what should be alike, and how far it is from that.
//!
//! With the rows of cohort c that are known, logits o, labels y, and means over a cohort's rows of a shard `E_c`:
//!
//! | gap | `m_c` |
//! |---|---|
//! | `loss` | `E_c[BCE(o, y)]` |
//! | `score` | `E_c[σ(o)]` (non-parity) |
//! | `opportunity` | `E_c[σ(o) given y = 1]` |
//! | `calibration` | `E_c[σ(o)] − E_c[y]` |
//!
//! | spread | value |
//! |---|---|
//! | `variance` | `(1/G) Σ_c (m_c − m̄)²` |
//! | `range` | `max_c m_c − min_c m_c` |
//! | `absolute` | `(1/G) Σ_c m_c²`: from zero rather than from each other, which is what calibration wants |
//!
//! over the G cohorts that have such a row; a cohort without one is left out, rather than counted with a mean of 0, which would be a
//! difference that is none (a defect of a published FOCF). Rows of no cohort don't count.

use kohort_core::{Activation, Real, Tape, Var};
use serde::{Deserialize, Serialize};

use super::Seen;

/// What should be alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gap {
    /// Mean loss.
    Loss,
    /// Mean score.
    Score,
    /// Mean score of what is a yes.
    Opportunity,
    /// Mean score less the share of yeses.
    Calibration,
}

/// How the distance is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// Of all cohorts from their mean.
    #[default]
    Variance,
    /// Of the two that are furthest apart.
    Range,
    /// Of all cohorts from zero.
    Absolute,
}

/// A term between cohorts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fairness {
    /// What should be alike.
    pub gap: Gap,
    /// How the distance is measured.
    #[serde(default)]
    pub spread: Spread,
    /// How much it weighs, 0 or more.
    pub weight: f64,
}

impl Fairness {
    /// The weighted term, `[1, 1]`; nothing where fewer than one cohort has a row that counts.
    pub(crate) fn record<F: Real>(
        &self,
        tape: &mut Tape<F>,
        seen: &Seen<'_, F>,
        cohorts: usize,
    ) -> Option<Var> {
        let n = seen.cohort.len() as u32;
        let counts = |row: usize| {
            (seen.cohort[row] as usize) < cohorts
                && seen.weight[row] != F::zero()
                && (self.gap != Gap::Opportunity || seen.target[row] > F::of(0.5))
        };
        let rows: Vec<u32> = (0..n).filter(|&row| counts(row as usize)).collect();
        let mut size = vec![0usize; cohorts];
        rows.iter().for_each(|&row| size[seen.cohort[row as usize] as usize] += 1);
        let present: Vec<usize> = (0..cohorts).filter(|&cohort| size[cohort] > 0).collect();
        if self.weight == 0.0 || present.is_empty() {
            return None;
        }
        let mut place = vec![0u32; cohorts];
        (0u32..).zip(&present).for_each(|(at, &cohort)| place[cohort] = at);
        let into: Vec<u32> = rows.iter().map(|&row| place[seen.cohort[row as usize] as usize]).collect();
        let logits = tape.take_rows(seen.logits, &rows);
        let target: Vec<F> = rows.iter().map(|&row| seen.target[row as usize]).collect();
        let target = tape.input(rows.len(), 1, &target);
        let value = match self.gap {
            Gap::Loss => {
                // BCE of a logit, row by row: ln(1 + e^o) − y·o.
                let all = tape.activate(logits, Activation::Softplus);
                let yes = tape.mul(logits, target);
                tape.sub(all, yes)
            }
            Gap::Score | Gap::Opportunity => tape.activate(logits, Activation::Sigmoid),
            Gap::Calibration => {
                let score = tape.activate(logits, Activation::Sigmoid);
                tape.sub(score, target)
            }
        };
        let share: Vec<F> =
            rows.iter().map(|&row| F::of(1.0 / size[seen.cohort[row as usize] as usize] as f64)).collect();
        let share = tape.input(rows.len(), 1, &share);
        let means = tape.scatter_rows(value, Some(share), &into, present.len());
        let spread = self.spread.of(tape, means);
        Some(tape.scale(spread, F::of(self.weight), F::zero()))
    }
}

impl Spread {
    /// Of values `[G, 1]`.
    fn of<F: Real>(self, tape: &mut Tape<F>, means: Var) -> Var {
        let each = F::of(1.0 / tape.shape(means).0 as f64);
        let squares = |tape: &mut Tape<F>, x: Var| {
            let squares = tape.mul(x, x);
            let sum = tape.sum(squares);
            tape.scale(sum, each, F::zero())
        };
        match self {
            Spread::Absolute => squares(tape, means),
            Spread::Variance => {
                let sum = tape.sum(means);
                let mean = tape.scale(sum, each, F::zero());
                let apart = tape.sub(means, mean);
                squares(tape, apart)
            }
            Spread::Range => {
                let values = tape.value(means);
                let at = |better: fn(F, F) -> bool| {
                    let best = (1..values.len())
                        .fold(0, |best, n| if better(values[n], values[best]) { n } else { best });
                    best as u32
                };
                let (top, bottom) = (at(|a, b| a > b), at(|a, b| a < b));
                let (top, bottom) = (tape.pick(means, &[top]), tape.pick(means, &[bottom]));
                tape.sub(top, bottom)
            }
        }
    }
}
