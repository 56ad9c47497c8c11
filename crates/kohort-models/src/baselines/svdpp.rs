//! SVD++: matrix factorisation that also reads which items a user chose to rate.
//!
//! `score(u, i) = μ + b_u + b_i + q_i·(p_u + n^{-½} Σ_{j ∈ I_u} y_j)`, with `p: [users, factors]`,
//! `q, y: [items, factors]` and I_u the user's n training items. Steps as in [`svd`](super::svd), where the user's side
//! is `w = p_u + n^{-½} Σ y_j`, and `y_j += γ(e n^{-½} q_i − λ y_j)` for **every** j in I_u at every rating.
//!
//! That last line costs O(n · factors) for each of the user's n ratings when written down as it stands. It need
//! not: within one user's ratings all y_j go through the same map, `y ← κ y + g n^{-½} q` with `κ = 1 − γλ` and
//! `g = γe`. So does `p ← κ p + g q`, and adding up, `w ← κ w + 2 g q`. Starting a user's block at (p⁰, y⁰, w⁰), after
//! m ratings `p = κ^m p⁰ + a`, `y_j = κ^m y_j⁰ + n^{-½} a` and `w = κ^m w⁰ + 2a` for one common vector
//! `a = (w − κ^m w⁰) / 2`. So only w moves during the block, at the price of plain SVD, and p and the y_j are
//! brought up to date once at its end: O(factors) per rating in all, and the same numbers up to rounding.
//!
//! Source: Koren, "Factorization meets the neighborhood: a multifaceted collaborative filtering model", KDD 2008,
//! section 4, with the settings of Surprise's `SVDpp`. Differences from it: those of [`svd`](super::svd), and I_u is a set,
//! so an item that a user rated twice counts once.

use kohort_data::{Queries, Train};
use kohort_random::stream;
use serde::{Deserialize, Serialize};

use super::factors::Table;
use super::observed::Observed;
use super::svd::{Pass, Svd, SvdConfig};
use super::{BaselineError, Scorer};

const SYSTEM: &str = "svd++";

/// Settings of [`SvdPp`]; the fields mean what they do in [`SvdConfig`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SvdPpConfig(pub SvdConfig);

impl Default for SvdPpConfig {
    fn default() -> SvdPpConfig {
        SvdPpConfig(SvdConfig { factors: 20, learning_rate: 0.007, ..SvdConfig::default() })
    }
}

/// Biases and factors, with the implicit part already added to the user's factors.
#[derive(Clone, Debug)]
pub struct SvdPp(Svd);

/// Where the factors start from.
pub(super) struct Start {
    pub(super) users: Table,
    pub(super) items: Table,
    pub(super) implicit: Table,
}

impl SvdPp {
    /// Fits by `config.0.epochs` passes, from factors drawn with `seed`.
    ///
    /// # Errors
    /// An empty training part, a setting out of range, or an error that is no longer finite.
    pub fn fit(train: &Train, config: &SvdPpConfig, seed: u64) -> Result<SvdPp, BaselineError> {
        let normal = config.0.start(SYSTEM)?;
        let observed = Observed::new(SYSTEM, train)?;
        let draw =
            |seen, purpose| Table::draw(config.0.factors, seen, normal, &mut stream(seed, purpose, &[]));
        let start = Start {
            users: draw(&observed.by_user, "svd++ users"),
            items: draw(&observed.by_item, "svd++ items"),
            implicit: draw(&observed.by_item, "svd++ implicit"),
        };
        SvdPp::descend(&observed, &config.0, start)
    }

    pub(super) fn descend(
        observed: &Observed,
        config: &SvdConfig,
        start: Start,
    ) -> Result<SvdPp, BaselineError> {
        let Start { mut users, mut items, mut implicit } = start;
        let mut user_bias = vec![0.0; observed.by_user.keys()];
        let mut item_bias = vec![0.0; observed.by_item.keys()];
        let pass =
            Pass { mean: observed.mean as f32, rate: config.learning_rate, decay: config.regularisation };
        let keep = f64::from(1.0 - pass.rate * pass.decay);
        let sets = ItemSets::new(observed);
        let width = users.row(0).len();
        let (mut before, mut now) = (vec![0.0f32; width], vec![0.0f32; width]);
        for epoch in 1..=config.epochs {
            let mut squares = 0.0;
            for &user in &observed.arrival {
                let user = user as usize;
                let (met, ratings) = observed.by_user.get(user);
                let set = sets.of(user);
                let root = (set.len() as f32).sqrt();
                user_side(users.row(user), set, &implicit, root, &mut before);
                now.copy_from_slice(&before);
                let bias = &mut user_bias[user];
                squares += pass.over(&mut now, 2.0, bias, &mut items, &mut item_bias, met, ratings);
                let kept = keep.powi(met.len() as i32) as f32;
                // From here on `now` is the common vector a of the module's documentation.
                now.iter_mut().zip(&before).for_each(|(now, &before)| *now = (*now - kept * before) / 2.0);
                users.row_mut(user).iter_mut().zip(&now).for_each(|(p, &a)| *p = kept * *p + a);
                now.iter_mut().for_each(|a| *a /= root);
                for &item in set {
                    implicit
                        .row_mut(item as usize)
                        .iter_mut()
                        .zip(&now)
                        .for_each(|(y, &a)| *y = kept * *y + a);
                }
            }
            if !squares.is_finite() {
                return Err(BaselineError::Diverged { system: SYSTEM, epoch });
            }
        }
        for &user in &observed.arrival {
            let set = sets.of(user as usize);
            user_side(users.row(user as usize), set, &implicit, (set.len() as f32).sqrt(), &mut now);
            users.row_mut(user as usize).copy_from_slice(&now);
        }
        Ok(SvdPp(Svd { mean: pass.mean, user_bias, item_bias, users, items }))
    }
}

/// `side = p + Σ_{j ∈ set} y_j / root`.
fn user_side(p: &[f32], set: &[u32], implicit: &Table, root: f32, side: &mut [f32]) {
    side.fill(0.0);
    for &item in set {
        side.iter_mut().zip(implicit.row(item as usize)).for_each(|(sum, &y)| *sum += y);
    }
    side.iter_mut().zip(p).for_each(|(side, &p)| *side = p + *side / root);
}

/// I_u for every user: the training items without repetition, in order of id.
struct ItemSets {
    offsets: Vec<usize>,
    items: Vec<u32>,
}

impl ItemSets {
    fn new(observed: &Observed) -> ItemSets {
        let mut sets = ItemSets { offsets: vec![0], items: Vec::new() };
        for user in 0..observed.by_user.keys() {
            let mut met = observed.by_user.get(user).0.to_vec();
            met.sort_unstable();
            met.dedup();
            sets.items.extend(met);
            sets.offsets.push(sets.items.len());
        }
        sets
    }

    fn of(&self, user: usize) -> &[u32] {
        &self.items[self.offsets[user]..self.offsets[user + 1]]
    }
}

impl Scorer for SvdPp {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        self.0.score(queries)
    }
}
