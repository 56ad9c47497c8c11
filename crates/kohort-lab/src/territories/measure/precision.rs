//! Average precision of a territory's candidates, and the same on samples of its users.
//!
//! AP over all candidates of many users is no mean over users, so a paired test needs the metric itself on resampled
//! users. Sample n of a territory's users is the same for every system and seed; the difference of two systems on it
//! is then a draw of the paired bootstrap over users (each keeps all candidates). With w_u the times user u was drawn,
//!
//! AP_w = Σ_t (Σ_{positives at score t} w_u) · (Σ_{positives, s ≥ t} w_u) / (Σ_{all, s ≥ t} w_u) / Σ_{positives} w_u,
//!
//! t over the distinct scores: what [`kohort_eval::binary::average_precision`] gives where every w_u is 1. The candidates
//! are sorted once; a draw is one pass over them.

use kohort_random::rand::Rng;
use kohort_random::stream;

/// Candidates of some users by falling score.
pub(super) struct Pool {
    /// Place of each candidate's user among the users, `[candidates]`.
    user: Vec<u32>,
    positive: Vec<bool>,
    /// Whether the next candidate has a lower score.
    ends: Vec<bool>,
    users: usize,
}

impl Pool {
    /// `user` ascends; scores are no NaN (they order as numbers, −0 before 0).
    pub(super) fn new(user: &[u32], scores: &[f32], positive: &[bool]) -> Pool {
        let mut place = Vec::with_capacity(user.len());
        let mut users = 0;
        for (at, &id) in user.iter().enumerate() {
            users += usize::from(at == 0 || user[at - 1] != id);
            place.push(users as u32 - 1);
        }
        let mut order: Vec<u32> = (0..user.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]).then(a.cmp(&b)));
        let ends = (0..order.len()).map(|at| {
            let next = order.get(at + 1);
            next.is_none_or(|&next| scores[next as usize] != scores[order[at] as usize])
        });
        Pool {
            ends: ends.collect(),
            user: order.iter().map(|&at| place[at as usize]).collect(),
            positive: order.iter().map(|&at| positive[at as usize]).collect(),
            users,
        }
    }

    /// Average precision where user `u` counts `weight[u]` times; `None` without positives or without negatives.
    pub(super) fn weighted(&self, weight: &[u32]) -> Option<f64> {
        let (mut positives, mut all, mut step, mut sum) = (0u64, 0u64, 0u64, 0.0f64);
        for ((&user, &positive), &end) in self.user.iter().zip(&self.positive).zip(&self.ends) {
            let weight = u64::from(weight[user as usize]);
            all += weight;
            step += weight * u64::from(positive);
            if end && step > 0 {
                positives += step;
                sum += step as f64 * positives as f64 / all as f64;
                step = 0;
            }
        }
        (positives > 0 && positives < all).then(|| sum / positives as f64)
    }

    /// The metric on `draws` samples of as many users with replacement, named by `territory`; nothing if one of them has
    /// no value.
    pub(super) fn draws(&self, draws: u64, territory: u64) -> Option<Vec<f32>> {
        let mut weight = vec![0u32; self.users];
        (0..draws)
            .map(|draw| {
                weight.fill(0);
                let mut numbers = stream(0, "territory bootstrap", &[territory, draw]);
                (0..self.users).for_each(|_| weight[numbers.random_range(0..self.users)] += 1);
                self.weighted(&weight).map(|value| value as f32)
            })
            .collect()
    }

    /// Users with a candidate.
    pub(super) fn users(&self) -> usize {
        self.users
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kohort_eval::binary::average_precision;

    const USER: [u32; 9] = [3, 3, 3, 5, 5, 5, 9, 9, 9];
    const SCORES: [f32; 9] = [0.9, 0.1, 0.5, 0.5, 0.7, 0.2, 0.5, 0.3, 0.8];
    const POSITIVE: [bool; 9] = [true, false, false, true, false, false, true, false, false];

    #[test]
    fn with_every_user_once_it_is_average_precision_ties_included() {
        let pool = Pool::new(&USER, &SCORES, &POSITIVE);
        let ours = pool.weighted(&[1, 1, 1]).unwrap();
        assert!((ours - average_precision(&SCORES, &POSITIVE).unwrap().unwrap()).abs() < 1e-15);
    }

    #[test]
    fn a_weight_is_the_same_as_repeating_the_users_candidates() {
        let pool = Pool::new(&USER, &SCORES, &POSITIVE);
        let at: Vec<usize> = [0, 1, 2, 0, 1, 2, 6, 7, 8].to_vec();
        let scores: Vec<f32> = at.iter().map(|&at| SCORES[at]).collect();
        let positive: Vec<bool> = at.iter().map(|&at| POSITIVE[at]).collect();
        let repeated = average_precision(&scores, &positive).unwrap().unwrap();
        assert!((pool.weighted(&[2, 0, 1]).unwrap() - repeated).abs() < 1e-15);
    }

    #[test]
    fn draws_of_two_systems_meet_the_same_users_and_one_class_has_no_value() {
        let pool = Pool::new(&USER, &SCORES, &POSITIVE);
        assert_eq!(pool.draws(50, 1), Pool::new(&USER, &SCORES.map(|s| 2.0 * s), &POSITIVE).draws(50, 1));
        assert_ne!(pool.draws(50, 1), pool.draws(50, 2));
        assert_eq!(Pool::new(&USER, &SCORES, &[false; 9]).weighted(&[1, 1, 1]), None);
    }
}
