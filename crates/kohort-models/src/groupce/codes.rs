//! Hierarchical codes by residual quantisation.
//!
//! ```text
//! r¹ = e_u;   c_l = argmin_k ‖r^l − C^l_k‖²;   r^{l+1} = r^l − C^l_{c_l};   ê_u = Σ_l C^l_{c_l}
//! ```
//!
//! Code-books `C^l [codes, d]` are parameters without gradients, so that they are saved with the others. They are fitted before an
//! epoch, level by level, with k-means over all users' residuals, warm-started from the last fit. (The paper moves them with each
//! batch, as an exponential average of the residuals assigned; its independent repetitions fit them anew every few epochs. k-means
//! never leaves a code unused while there are more distinct residuals than codes.)

use kohort_cohorts::{KMeansConfig, KMeansError, Points};
use kohort_core::{ParamId, Params};

use super::config::Config;
use crate::ModelError;

/// Ids of the code-books, the coarsest level first.
#[derive(Clone, Debug)]
pub(super) struct Books {
    levels: Vec<ParamId>,
    width: usize,
}

/// Codes of some rows.
pub(super) struct Coded {
    /// `[rows, levels]`.
    pub(super) codes: Vec<u32>,
    /// `ê`, `[rows, d]`.
    pub(super) quantised: Vec<f32>,
}

/// Restarts and iterations of k-means for one level.
const RESTARTS: usize = 2;
const ITERATIONS: usize = 50;

impl Books {
    /// Adds empty code-books.
    pub(super) fn new(params: &mut Params, config: &Config) -> Books {
        let level = |(level, &codes): (usize, &usize)| {
            let id =
                params.add(format!("codes/{level}"), codes, config.width, vec![0.0; codes * config.width]);
            params.slot_mut(id).trainable = false;
            id
        };
        let levels = config.codes.iter().enumerate().map(level).collect();
        Books { levels, width: config.width }
    }

    /// Fits all levels to user embeddings `[users, d]`.
    pub(super) fn fit(&self, params: &mut Params, users: &[f32], seed: u64) -> Result<(), ModelError> {
        let width = self.width;
        let mut residual = users.to_vec();
        for (level, &id) in self.levels.iter().enumerate() {
            let before = params.value(id).to_vec();
            let codes = before.len() / width;
            // All zeros before the first fit: centres have to be drawn.
            let warm = before.iter().any(|&c| c != 0.0);
            let fresh = KMeansConfig {
                restarts: RESTARTS,
                max_iterations: ITERATIONS,
                seed: seed ^ level as u64,
                ..KMeansConfig::new(codes)
            };
            let points = Points::new(&residual, width).map_err(|error| unfit(&error))?;
            let fit = |config: KMeansConfig<f32>| match config.fit(&points) {
                Ok(found) => Ok(found.centres),
                // Fewer than codes: each has one of its own, and the other codes are never the nearest first.
                Err(KMeansError::TooFewDistinctPoints { distinct, .. }) => {
                    let found = KMeansConfig { clusters: distinct, ..fresh.clone() }.fit(&points);
                    let mut centres = found.map_err(|error| unfit(&error))?.centres;
                    let first = centres[..width].to_vec();
                    (distinct..codes).for_each(|_| centres.extend_from_slice(&first));
                    Ok(centres)
                }
                Err(error) => Err(unfit(&error)),
            };
            let centres = if warm {
                fit(KMeansConfig { max_iterations: ITERATIONS, ..KMeansConfig::from_centres(codes, before) })?
            } else {
                fit(fresh.clone())?
            };
            for row in residual.chunks_exact_mut(width) {
                let centre = nearest(&centres, row).1;
                row.iter_mut().zip(centre).for_each(|(r, c)| *r -= c);
            }
            params.slot_mut(id).value = centres;
        }
        Ok(())
    }

    /// Codes of embeddings `[rows, d]`.
    pub(super) fn assign(&self, params: &Params, rows: &[f32]) -> Coded {
        let count = rows.len() / self.width.max(1);
        let mut coded =
            Coded { codes: Vec::with_capacity(count * self.levels.len()), quantised: vec![0.0; rows.len()] };
        let mut residual = vec![0.0; self.width];
        for (row, quantised) in
            rows.chunks_exact(self.width).zip(coded.quantised.chunks_exact_mut(self.width))
        {
            residual.copy_from_slice(row);
            for &level in &self.levels {
                let (code, centre) = nearest(params.value(level), &residual);
                coded.codes.push(code);
                residual.iter_mut().zip(centre).for_each(|(r, c)| *r -= c);
                quantised.iter_mut().zip(centre).for_each(|(q, c)| *q += c);
            }
        }
        coded
    }

    pub(super) fn depth(&self) -> usize {
        self.levels.len()
    }
}

fn unfit(error: &dyn std::fmt::Display) -> ModelError {
    ModelError::Config(format!("code-books: {error}"))
}

/// The nearest centre, the first of equals.
fn nearest<'a>(centres: &'a [f32], row: &[f32]) -> (u32, &'a [f32]) {
    let mut best = (f32::INFINITY, 0, &centres[..row.len()]);
    for (code, centre) in (0u32..).zip(centres.chunks_exact(row.len())) {
        let distance = centre.iter().zip(row).map(|(c, r)| (c - r) * (c - r)).sum::<f32>();
        if distance < best.0 {
            best = (distance, code, centre);
        }
    }
    (best.1, best.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_of_planted_groups_within_groups_get_codes_that_say_so() {
        // Two groups far apart, two within each, a little noise.
        let mut users = Vec::new();
        for user in 0..40 {
            let (outer, inner) = (user % 2, (user / 2) % 2);
            users.extend([10.0 * outer as f32, inner as f32 + 0.01 * user as f32]);
        }
        let config = Config { width: 2, codes: vec![2, 2], ..Config::default() };
        let mut params = Params::new();
        let books = Books::new(&mut params, &config);
        for _ in 0..2 {
            books.fit(&mut params, &users, 1).unwrap();
        }
        let coded = books.assign(&params, &users);
        let code = |user: usize| (coded.codes[user * 2], coded.codes[user * 2 + 1]);
        for user in 0..40 {
            assert_eq!(code(user), code(user % 4), "user {user}");
        }
        assert!(code(0).0 == code(2).0 && code(1).0 == code(3).0 && code(0).0 != code(1).0);
        assert!(code(0).1 != code(2).1 && code(1).1 != code(3).1);
        let far = users.iter().zip(&coded.quantised).map(|(e, q)| (e - q).abs()).fold(0.0, f32::max);
        assert!(far < 0.3, "{far}");
    }

    #[test]
    fn fewer_distinct_users_than_codes_are_no_trouble() {
        let config = Config { width: 1, codes: vec![4, 4], ..Config::default() };
        let mut params = Params::new();
        let books = Books::new(&mut params, &config);
        let users = [1.0, 1.0, 3.0];
        books.fit(&mut params, &users, 1).unwrap();
        books.fit(&mut params, &users, 2).unwrap();
        assert_eq!(books.assign(&params, &users).quantised, users);
    }
}
