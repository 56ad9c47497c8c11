//! The training matrix with its weights.

use kohort_core::sparse::Csr;
use kohort_data::Interactions;

use super::Config;
use crate::ModelError;

/// `M_ui = n_u^(−p) · n_i^(−q)` where u and i are a pair of the training rows.
pub(super) struct Weighted {
    /// M, `[users, items]`.
    pub(super) matrix: Csr<f64>,
    /// `n_i^(−q)`, `[items]`; 0 for an item without a pair.
    pub(super) item_weight: Vec<f64>,
}

impl Weighted {
    pub(super) fn of(rows: &Interactions, config: &Config) -> Result<Weighted, ModelError> {
        if rows.is_empty() {
            return Err(ModelError::NoRows);
        }
        let mut pairs: Vec<(u32, u32)> = rows.user.iter().copied().zip(rows.item.iter().copied()).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let (mut of_user, mut of_item) = (vec![0u32; rows.users], vec![0u32; rows.items]);
        for &(user, item) in &pairs {
            of_user[user as usize] += 1;
            of_item[item as usize] += 1;
        }
        let weight = |counts: Vec<u32>, power: f64| -> Vec<f64> {
            let of = |n: u32| if n == 0 { 0.0 } else { f64::from(n).powf(-power) };
            counts.into_iter().map(of).collect()
        };
        let user_weight = weight(of_user, config.user_power);
        let item_weight = weight(of_item, config.item_power);
        let entries: Vec<(u32, u32, f64)> = pairs
            .into_iter()
            .map(|(user, item)| (user, item, user_weight[user as usize] * item_weight[item as usize]))
            .collect();
        let matrix = Csr::from_entries(rows.users, rows.items, &entries)?;
        Ok(Weighted { matrix, item_weight })
    }

    /// Items that have a pair, ascending.
    pub(super) fn seen_items(&self) -> impl Iterator<Item = usize> {
        self.item_weight.iter().enumerate().filter(|(_, weight)| **weight > 0.0).map(|(item, _)| item)
    }

    /// `Σ_u ‖Σ_{j ∈ h(u)} f_j / √|h(u)|‖²` over the users that have a pair, and their number.
    pub(super) fn folded_squares(&self, factors: &[f64], width: usize) -> (f64, usize) {
        let (mut sum, mut users) = (0.0, 0);
        let mut folded = vec![0.0; width];
        for user in 0..self.matrix.rows() {
            folded.fill(0.0);
            let mut items = 0;
            for (item, _) in self.matrix.row(user) {
                let from = item as usize * width;
                folded.iter_mut().zip(&factors[from..from + width]).for_each(|(sum, x)| *sum += x);
                items += 1;
            }
            if items > 0 {
                sum += super::square(&folded) / f64::from(items);
                users += 1;
            }
        }
        (sum, users)
    }
}
