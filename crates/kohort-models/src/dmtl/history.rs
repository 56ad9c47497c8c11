//! The user's rated items and the item's raters, as bags that leave the row itself out.
//!
//! In training a row's bags hold the rows of the other folds, with residuals to biases fitted without its fold: its own
//! rating reaches none of its inputs. In scoring they hold all training rows.
//!
//! `h_u += (n + 1)^{-½} Σ_{j ∈ I_u, j ≠ i} (e_uj·Y_j + Z_j)`, the implicit and the residual-weighted history of SVD++ (Koren, KDD
//! 2008, with `Y` weighted by residuals as in his asymmetric model), and the same for the item over its raters.

use kohort_core::{ParamId, Params};
use kohort_data::{Index, Interactions};
use rayon::prelude::*;

/// Lists of the other side's ids with residuals, one list per user or per item.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    offsets: Vec<u32>,
    other: Vec<u32>,
    residual: Vec<f32>,
}

/// Sums of all lists under one set of parameters.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    sums: Vec<f32>,
    width: usize,
    tables: (ParamId, ParamId),
}

/// A batch of bags: entries of all bags, where each begins, residual weights and plain weights.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bagged {
    pub(super) ids: Vec<u32>,
    pub(super) offsets: Vec<u32>,
    pub(super) residual: Vec<f32>,
    pub(super) plain: Vec<f32>,
}

impl Bagged {
    /// No bag yet.
    pub(super) fn new() -> Bagged {
        Bagged { ids: Vec::new(), offsets: vec![0], residual: Vec::new(), plain: Vec::new() }
    }
}

impl Lists {
    /// Lists by `key` of the given rows, holding the ids of `other` and `residual` (one per given row); of a list longer
    /// than `most`, evenly spaced entries.
    pub(super) fn new(
        (key, keys): (&[u32], usize),
        other: &[u32],
        rows: &[u32],
        residual: &[f32],
        most: usize,
    ) -> Lists {
        let of_rows: Vec<u32> = rows.iter().map(|&r| key[r as usize]).collect();
        let index = Index::new(&of_rows, keys);
        let mut lists = Lists { offsets: vec![0], other: Vec::new(), residual: Vec::new() };
        for key in 0..keys {
            let list = index.rows(key);
            let step = list.len().div_ceil(most.max(1)).max(1);
            for &n in list.iter().step_by(step) {
                lists.other.push(other[rows[n as usize] as usize]);
                lists.residual.push(residual[n as usize]);
            }
            lists.offsets.push(lists.other.len() as u32);
        }
        lists
    }

    fn entries(&self, key: u32) -> std::ops::Range<usize> {
        match self.offsets.get(key as usize..key as usize + 2) {
            Some(&[from, to]) => from as usize..to as usize,
            _ => 0..0,
        }
    }

    /// Adds the bag of `key`, without the entry `skip` if it holds one: what training records.
    pub(super) fn add_bag(&self, key: u32, skip: u32, out: &mut Bagged) {
        let start = out.ids.len();
        for n in self.entries(key) {
            if self.other[n] != skip {
                out.ids.push(self.other[n]);
                out.residual.push(self.residual[n]);
            }
        }
        let root = root(out.ids.len() - start);
        out.residual[start..].iter_mut().for_each(|e| *e *= root);
        out.plain.resize(out.ids.len(), root);
        out.offsets.push(out.ids.len() as u32);
    }

    /// The sum of each list, `[keys, width]`, for scoring: there the tables stand still, so a list is summed once and
    /// not once a query.
    pub(super) fn sums(&self, params: &Params, (rated, seen): (ParamId, ParamId)) -> Sums {
        let width = params.slot(rated).cols;
        let keys = self.offsets.len() - 1;
        let mut sums = vec![0.0f32; keys * width];
        sums.par_chunks_mut(width.max(1)).enumerate().for_each(|(key, sum)| {
            for n in self.entries(key as u32) {
                add_entry(sum, params, (rated, seen), self.other[n], self.residual[n], 1.0);
            }
        });
        Sums { sums, width, tables: (rated, seen) }
    }

    /// The pooled history of `keys`, each without the entry `without[n]` if it holds one, `[keys.len(), width]`.
    pub(super) fn pooled(&self, params: &Params, sums: &Sums, keys: &[u32], without: &[u32]) -> Vec<f32> {
        let width = sums.width;
        let mut out = vec![0.0f32; keys.len() * width];
        for ((pooled, &key), &skip) in out.chunks_exact_mut(width).zip(keys).zip(without) {
            let entries = self.entries(key);
            if entries.is_empty() {
                continue;
            }
            pooled.copy_from_slice(&sums.sums[key as usize * width..(key as usize + 1) * width]);
            let mut count = entries.len();
            for n in entries {
                if self.other[n] == skip {
                    add_entry(pooled, params, sums.tables, skip, self.residual[n], -1.0);
                    count -= 1;
                }
            }
            let root = root(count);
            pooled.iter_mut().for_each(|x| *x *= root);
        }
        out
    }
}

/// `1/√(n + 1)`: one more than in SVD++, so that an empty history divides by one.
fn root(count: usize) -> f32 {
    1.0 / (count as f32 + 1.0).sqrt()
}

/// Adds `sign·(e·Y_j + Z_j)`.
fn add_entry(
    sum: &mut [f32],
    params: &Params,
    (rated, seen): (ParamId, ParamId),
    id: u32,
    residual: f32,
    sign: f32,
) {
    let (y, z) = (params.row(rated, id as usize), params.row(seen, id as usize));
    for ((sum, &y), &z) in sum.iter_mut().zip(y).zip(z) {
        *sum += sign * (residual * y + z);
    }
}

/// Lists by user and by item.
#[derive(Clone, Debug)]
pub(super) struct Histories {
    pub(super) of_user: Lists,
    pub(super) of_item: Lists,
}

impl Histories {
    /// From the training rows at `rows`, with residuals to `base` (of all training rows).
    pub(super) fn new(train: &Interactions, rows: &[u32], base: &[f32], most: usize) -> Histories {
        let left = |&r: &u32| train.rating[r as usize] - base[r as usize];
        let residual: Vec<f32> = rows.iter().map(left).collect();
        Histories {
            of_user: Lists::new((&train.user, train.users), &train.item, rows, &residual, most),
            of_item: Lists::new((&train.item, train.items), &train.user, rows, &residual, most),
        }
    }
}
