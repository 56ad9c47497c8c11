//! A batch in parts: what workers that hold a part each have to exchange, so that a balancer sees the whole batch.
//!
//! Losses with denominators of the whole batch (`Objective::terms`) add over parts, and an objective is present if it is in any. For
//! gradients there are two cases.
//!
//! - **Rows**: gradients at a representation have a row per example, and parts hold different rows, so Gram matrices add:
//!   `G = Σ_p G^p`. [`Part::join`] is one exchange of `K² + 2K` numbers, whatever the model's size.
//! - **Parameters**: `g_k = Σ_p g_k^p`, so `G_ij = Σ_pq g_i^p·g_j^q` has cross terms that no part can know. But Gram matrices add over *slices*
//!   of parameters: each worker receives everyone's gradients of its slice (a reduce-scatter), sums them ([`gram_of_sum`] of those slices),
//!   and the `[K, K]` results are added as above.
//!
//! Either way the update is one weighted reduction: each part's gradient `Σ_k c_k·g_k^p`, summed.

use crate::{ObjectiveError, Seen};

/// What a part of a batch, or of the parameters, knows of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Summed losses over the denominators of the whole batch, `[objectives]`.
    pub losses: Vec<f64>,
    /// Whether an objective has a row in this part.
    pub present: Vec<bool>,
    /// Inner products of gradients, `[objectives, objectives]`, where the balancer wants them.
    pub gram: Option<Vec<f64>>,
}

impl Part {
    /// The batch of two parts that hold different rows. Joined in the same order, sums have the same bits.
    ///
    /// # Errors
    /// If the parts are of different numbers of objectives, or only one has a Gram matrix.
    pub fn join(mut self, other: &Part) -> Result<Part, ObjectiveError> {
        let lengths =
            |part: &Part| [part.losses.len(), part.present.len(), part.gram.as_ref().map_or(0, Vec::len)];
        let names = ["losses of a part", "presences of a part", "elements of a part's Gram matrix"];
        for ((what, found), expected) in names.into_iter().zip(lengths(other)).zip(lengths(&self)) {
            if found != expected {
                return Err(ObjectiveError::Length { what, found, expected });
            }
        }
        self.losses.iter_mut().zip(&other.losses).for_each(|(a, b)| *a += b);
        self.present.iter_mut().zip(&other.present).for_each(|(a, b)| *a |= b);
        if let (Some(gram), Some(other)) = (&mut self.gram, &other.gram) {
            gram.iter_mut().zip(other).for_each(|(a, b)| *a += b);
        }
        Ok(self)
    }

    /// What a balancer is shown.
    pub fn seen(&self, step: u64) -> Seen<'_> {
        Seen { losses: &self.losses, present: &self.present, gram: self.gram.as_deref(), step }
    }
}

/// The Gram matrix of `g_k = Σ_p g_k^p`, `[objectives, objectives]`, from each part's gradients `[objectives, parameters]`: those of a
/// slice of the parameters, or of all.
///
/// # Errors
/// If parts differ in length, or a length is not a multiple of the number of objectives.
pub fn gram_of_sum(parts: &[&[f64]], objectives: usize) -> Result<Vec<f64>, ObjectiveError> {
    let Some((first, rest)) = parts.split_first() else { return Ok(vec![0.0; objectives * objectives]) };
    let parameters = first.len() / objectives.max(1);
    for part in parts {
        let (what, expected) = ("gradients of a part", parameters * objectives);
        if part.len() != expected {
            return Err(ObjectiveError::Length { what, found: part.len(), expected });
        }
    }
    let mut sum = first.to_vec();
    for part in rest {
        sum.iter_mut().zip(*part).for_each(|(a, b)| *a += b);
    }
    let row = |k: usize| &sum[k * parameters..(k + 1) * parameters];
    let mut gram = vec![0.0; objectives * objectives];
    for i in 0..objectives {
        for j in i..objectives {
            let dot: f64 = row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum();
            gram[i * objectives + j] = dot;
            gram[j * objectives + i] = dot;
        }
    }
    Ok(gram)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_terms_of_parts_are_in_the_gram_matrix_of_their_sum() {
        // g_0 = (1, 2) + (0, -2), g_1 = (3, 0) + (1, 1)
        let gram = gram_of_sum(&[&[1.0, 2.0, 3.0, 0.0], &[0.0, -2.0, 1.0, 1.0]], 2).unwrap();
        assert_eq!(gram, [1.0, 4.0, 4.0, 17.0]);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let part = |n: usize| Part { losses: vec![1.0; n], present: vec![true; n], gram: None };
        assert_eq!(part(2).join(&part(3)).unwrap_err().to_string(), "3 losses of a part, expected 2");
        let with_gram = Part { gram: Some(vec![0.0; 4]), ..part(2) };
        assert_eq!(
            part(2).join(&with_gram).unwrap_err().to_string(),
            "4 elements of a part's Gram matrix, expected 0"
        );
        assert!(gram_of_sum(&[&[1.0; 4], &[1.0; 6]], 2).is_err());
    }
}
