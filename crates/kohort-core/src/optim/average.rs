//! Exponential average of parameters along one training run (Polyak and Juditsky, 1992; in its exponential form as in
//! Tarvainen and Valpola, NeurIPS 2017).
//!
//! `a ← d_t·a + (1 − d_t)·p` with `d_t = min(decay, (1 + t)/(10 + t))`, so that the first steps are not remembered for
//! long. The averaged weights are one model, scored like any other; nothing is averaged over seeds.

use serde::{Deserialize, Serialize};

use crate::{Params, Real};

/// A running average of all parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Average<F = f32> {
    decay: f64,
    steps: u64,
    value: Vec<Vec<F>>,
}

impl<F: Real> Average<F> {
    /// Starts at `params`. `decay` in [0, 1): 0.999 remembers about a thousand steps.
    pub fn new(params: &Params<F>, decay: f64) -> Average<F> {
        Average { decay, steps: 0, value: params.slots().iter().map(|s| s.value.clone()).collect() }
    }

    /// Takes the parameters after a step into the average.
    pub fn update(&mut self, params: &Params<F>) {
        self.steps += 1;
        let t = self.steps as f64;
        let keep = self.decay.min((1.0 + t) / (10.0 + t));
        let take = F::of(1.0 - keep);
        for (average, slot) in self.value.iter_mut().zip(params.slots()) {
            // What does not train is not averaged: where somebody has written it anew, the old has no say.
            if !slot.trainable {
                average.copy_from_slice(&slot.value);
                continue;
            }
            average.iter_mut().zip(&slot.value).for_each(|(a, &p)| *a += take * (p - *a));
        }
    }

    /// The parameters with the averaged values in place of their own.
    pub fn params(&self, like: &Params<F>) -> Params<F> {
        let mut out = like.clone();
        for (slot, value) in out.slots_mut().iter_mut().zip(&self.value) {
            slot.value.copy_from_slice(value);
        }
        out
    }

    /// Whether this average fits `params`: a checkpoint's might not.
    pub fn fits(&self, params: &Params<F>) -> bool {
        self.value.len() == params.slots().len()
            && self.value.iter().zip(params.slots()).all(|(v, s)| v.len() == s.value.len())
            && self.value.iter().flatten().all(|x| x.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_train_is_kept_as_it_is_and_not_averaged() {
        let mut params = Params::<f64>::new();
        let (own, frozen) = (params.add("own", 1, 1, vec![0.0]), params.add("frozen", 1, 1, vec![0.0]));
        params.slot_mut(frozen).trainable = false;
        let mut average = Average::new(&params, 0.9);
        params.slot_mut(own).value[0] = 1.0;
        params.slot_mut(frozen).value[0] = 1.0;
        average.update(&params);
        let found = average.params(&params);
        assert!(found.value(own)[0] > 0.0 && found.value(own)[0] < 1.0);
        assert_eq!(found.value(frozen), [1.0]);
    }
}
