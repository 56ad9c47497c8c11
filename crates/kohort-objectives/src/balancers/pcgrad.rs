//! PCGrad (Yu, Kumar, Gupta, Levine, Hausman and Finn, "Gradient surgery for multi-task learning", NeurIPS 2020).
//!
//! For each objective i, a copy `x` of `g_i` goes through the others j in random order: where `x·g_j < 0`,
//! `x ← x − (x·g_j / ‖g_j‖²)·g_j` with the *original* `g_j`. The update is the sum of these copies. On the Gram matrix `x` is its
//! coefficients: `x·g_j = Σ_i c_i·G_ij`, and a projection lowers `c_j` alone. The vector algorithm, exactly.
//!
//! Differences: none in the arithmetic. The order is drawn from the stream (seed, "pcgrad", step), one permutation of all objectives
//! for each i, of which i itself and those without a gradient are skipped; a library's shuffle came to nothing. As in the
//! paper the update is a sum, so that objectives without conflict have coefficient 1; heads keep their own gradients.

use kohort_core::random::{permutation, stream};

use super::gram::Live;
use super::{Balancer, Coefficients, Seen, Wants};

/// Projections of conflicting gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pcgrad {
    seed: u64,
}

impl Pcgrad {
    /// Orders of this seed.
    pub fn new(seed: u64) -> Pcgrad {
        Pcgrad { seed }
    }
}

impl Balancer for Pcgrad {
    fn wants(&self) -> Wants {
        Wants::Gram
    }

    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        let live = Live::of(&seen);
        let gram = &live.gram;
        let mut numbers = stream(self.seed, "pcgrad", &[seen.step]);
        let mut sum = vec![0.0; gram.n];
        for of in 0..seen.losses.len() {
            let order = permutation(seen.losses.len(), &mut numbers);
            let Ok(i) = live.index.binary_search(&of) else { continue };
            let mut c = vec![0.0; gram.n];
            c[i] = 1.0;
            for j in order.iter().filter_map(|&k| live.index.binary_search(&(k as usize)).ok()) {
                let dot = gram.along(&c, j);
                if j != i && dot < 0.0 {
                    c[j] -= dot / gram.at(j, j);
                }
            }
            sum.iter_mut().zip(c).for_each(|(s, c)| *s += c);
        }
        Coefficients { trunk: live.spread(&sum), heads: vec![1.0; seen.losses.len()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk(gram: &[f64], present: &[bool]) -> Vec<f64> {
        let losses = vec![1.0; present.len()];
        let seen = Seen { losses: &losses, present, gram: Some(gram), step: 0 };
        Pcgrad::new(1).coefficients(seen).trunk
    }

    #[test]
    fn two_in_conflict_are_projected_on_each_others_normal_planes() {
        // g_0 = (1, 0), g_1 = (-1, 2): each copy is orthogonal to the other gradient.
        let trunk = trunk(&[1.0, -1.0, -1.0, 5.0], &[true; 2]);
        assert!((trunk[0] - 2.0).abs() < 1e-15 && (trunk[1] - 1.2).abs() < 1e-15, "{trunk:?}");
        // The sum has no negative inner product with either.
        assert!(trunk[0] - trunk[1] >= 0.0 && -trunk[0] + 5.0 * trunk[1] >= 0.0);
    }

    #[test]
    fn without_conflict_nothing_changes() {
        assert_eq!(trunk(&[1.0, 0.0, 0.0, 4.0], &[true; 2]), [1.0, 1.0]);
        assert_eq!(trunk(&[1.0, 0.5, 0.5, 4.0], &[true; 2]), [1.0, 1.0]);
        assert_eq!(trunk(&[3.0], &[true]), [1.0]);
    }

    #[test]
    fn absent_objectives_and_zero_gradients_change_nothing() {
        let gram = [1.0, -0.9, 0.0, -0.9, 1.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(trunk(&gram, &[true, false, true]), [1.0, 0.0, 0.0]);
        assert_eq!(trunk(&[0.0; 9], &[true; 3]), [0.0; 3]);
    }
}
