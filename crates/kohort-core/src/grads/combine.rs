//! Several gradients into one: sums over shards, sums over objectives under weights, and all inner products.
//!
//! Parameters and pieces of them go in parallel; the order of additions within an entry is fixed. Where tables were looked up alike,
//! which is what the objectives of one batch do, their row lists are matrices of one shape and need no matching of rows.

use rayon::prelude::*;

use super::{Grad, Grads};
use crate::kernels::{AHEAD, dot_f64, wide};
use crate::{ParamId, Params, Real};

/// Entries that are combined at a time: a piece of each gradient in the first cache.
const PIECE: usize = 1 << 10;
/// Entries that one thread combines.
const SHARE: usize = 1 << 14;

impl<F: Real> Grads<F> {
    /// Adds `scale ·` another gradient, parameter by parameter.
    pub fn add(&mut self, other: &Grads<F>, scale: F) {
        for (mine, theirs) in self.slots.iter_mut().zip(&other.slots) {
            sum_slots(mine, std::iter::once((theirs, scale)));
        }
    }

    /// Replaces this gradient by the sum of `parts` in their order, whatever thread made each of them.
    pub fn sum_of(&mut self, parts: &[&Grads<F>]) {
        self.clear();
        self.slots.par_iter_mut().enumerate().for_each(|(i, mine)| {
            sum_slots(mine, parts.iter().map(|part| (&part.slots[i], F::one())));
        });
    }

    /// Replaces this gradient by `Σ_k weight(parameter, k)·parts[k]`, summed in the order of `parts`; a weight of 0 adds nothing, so that
    /// a parameter with no other stays untouched.
    pub fn weighted(&mut self, parts: &[Grads<F>], weight: impl Fn(ParamId, usize) -> F + Sync) {
        self.clear();
        self.add_weighted(parts, weight);
    }

    /// Likewise, but adds to what is there.
    pub fn add_weighted(&mut self, parts: &[Grads<F>], weight: impl Fn(ParamId, usize) -> F + Sync) {
        self.slots.par_iter_mut().enumerate().for_each(|(i, mine)| {
            let all =
                parts.iter().enumerate().map(|(k, part)| (&part.slots[i], weight(ParamId(i as u32), k)));
            sum_slots(mine, all.filter(|(_, weight)| *weight != F::zero()));
        });
    }

    /// Inner product with another gradient over the parameters that `include` accepts, in f64.
    pub fn dot(&self, other: &Grads<F>, params: &Params<F>, include: impl Fn(ParamId) -> bool + Sync) -> f64 {
        Grads::gram(&[self, other], params, include)[1]
    }

    /// Inner products of all pairs over the parameters that `include` accepts, in f64, `[parts, parts]`.
    pub fn gram(
        parts: &[&Grads<F>],
        params: &Params<F>,
        include: impl Fn(ParamId) -> bool + Sync,
    ) -> Vec<f64> {
        let n = parts.len();
        let mut sum = vec![0.0; n * n];
        let each =
            |id: ParamId| gram_of(&parts.iter().map(|part| &part.slots[id.index()]).collect::<Vec<_>>());
        let ids: Vec<ParamId> = params.ids().filter(|&id| include(id)).collect();
        let all: Vec<Vec<f64>> = ids.into_par_iter().map(each).collect();
        for own in all {
            sum.iter_mut().zip(own).for_each(|(s, x)| *s += x);
        }
        sum
    }
}

/// `mine += Σ scale·slot` over the touched slots, in their order.
fn sum_slots<'a, F: Real>(mine: &mut Grad<F>, slots: impl Iterator<Item = (&'a Grad<F>, F)>) {
    let slots: Vec<(&Grad<F>, F)> = slots.filter(|(slot, _)| slot.is_touched()).collect();
    if slots.is_empty() {
        return;
    }
    match mine {
        Grad::Dense { value, touched } => {
            let parts: Vec<(&[F], F)> =
                slots.iter().filter_map(|(slot, w)| Some((slot.dense()?, *w))).collect();
            value.resize(parts[0].0.len(), F::zero());
            combine(value, &parts, std::mem::replace(touched, true));
        }
        Grad::Rows(rows) if rows.ids().is_empty() && alike(slots.iter().map(|(slot, _)| *slot)) => {
            let parts: Vec<(&[F], F)> =
                slots.iter().filter_map(|(slot, w)| Some((slot.rows()?.value(), *w))).collect();
            if let Some(first) = slots[0].0.rows() {
                rows.replace(first.ids(), |value| combine(value, &parts, false));
            }
        }
        Grad::Rows(rows) => {
            for (other, scale) in slots.iter().filter_map(|(slot, scale)| Some((slot.rows()?, *scale))) {
                let each = other.ids().iter().zip(other.value().chunks_exact(other.cols.max(1)));
                for (n, (&id, row)) in each.enumerate() {
                    other.ids().get(n + AHEAD).into_iter().for_each(|&next| rows.fetch(next));
                    rows.add(id, scale, row);
                }
            }
        }
    }
}

/// `sum ← (sum +) Σ scale·part`, each entry in the order of the parts.
fn combine<F: Real>(sum: &mut [F], parts: &[(&[F], F)], adds: bool) {
    sum.par_chunks_mut(SHARE).enumerate().for_each(|(share, sum)| {
        for (piece, sum) in sum.chunks_mut(PIECE).enumerate() {
            let from = share * SHARE + piece * PIECE;
            for (k, (part, scale)) in parts.iter().enumerate() {
                let (part, scale) = (&part[from..from + sum.len()], *scale);
                wide(
                    #[inline(always)]
                    || match k == 0 && !adds {
                        true => sum.iter_mut().zip(part).for_each(|(s, &x)| *s = scale * x),
                        false => sum.iter_mut().zip(part).for_each(|(s, &x)| *s += scale * x),
                    },
                );
            }
        }
    });
}

/// Whether row lists have the same rows in the same order.
fn alike<'a, F: Real>(mut slots: impl Iterator<Item = &'a Grad<F>>) -> bool {
    let Some(first) = slots.next().and_then(Grad::rows) else { return false };
    slots.all(|slot| slot.rows().is_some_and(|rows| rows.ids() == first.ids()))
}

/// Inner products of one parameter's gradients.
fn gram_of<F: Real>(slots: &[&Grad<F>]) -> Vec<f64> {
    let n = slots.len();
    let mut gram = vec![0.0; n * n];
    let touched: Vec<usize> = (0..n).filter(|&k| slots[k].is_touched()).collect();
    let Some(&first) = touched.first() else { return gram };
    let as_one = slots[first].rows().is_none() || alike(touched.iter().map(|&k| slots[k]));
    if as_one {
        let values =
            |k: &usize| slots[*k].rows().map_or_else(|| slots[*k].dense(), |rows| Some(rows.value()));
        let parts: Vec<&[F]> = touched.iter().filter_map(values).collect();
        let m = parts.len();
        let piece = |share: usize| {
            let mut own = vec![0.0; m * m];
            let end = ((share + 1) * SHARE).min(parts[0].len());
            for from in (share * SHARE..end).step_by(PIECE) {
                let span = from..(from + PIECE).min(end);
                for (i, a) in parts.iter().enumerate() {
                    for (j, b) in parts[..=i].iter().enumerate() {
                        own[i * m + j] += wide(
                            #[inline(always)]
                            || dot_f64(&a[span.clone()], &b[span.clone()]),
                        );
                    }
                }
            }
            own
        };
        let shares: Vec<Vec<f64>> = (0..parts[0].len().div_ceil(SHARE)).into_par_iter().map(piece).collect();
        for own in shares {
            for (i, &k) in touched.iter().enumerate() {
                for (j, &l) in touched[..=i].iter().enumerate() {
                    gram[k * n + l] += own[i * m + j];
                }
            }
        }
    } else {
        for (i, &k) in touched.iter().enumerate() {
            for &l in &touched[..=i] {
                let (Some(a), Some(b)) = (slots[k].rows(), slots[l].rows()) else { continue };
                let rows = a.ids().iter().zip(a.value().chunks_exact(a.cols.max(1)));
                gram[k * n + l] = rows.filter_map(|(&id, x)| Some(dot_f64(x, b.get(id)?))).sum();
            }
        }
    }
    for k in 0..n {
        for l in 0..k {
            gram[l * n + k] = gram[k * n + l];
        }
    }
    gram
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A weight of more than one thread's share, a small one that not all touch, and two tables: looked up alike, and not.
    fn parts() -> (Params<f64>, Vec<Grads<f64>>) {
        let mut params = Params::new();
        let size = SHARE + PIECE + 3;
        let (large, small) =
            (params.add("large", 1, size, vec![0.0; size]), params.add("small", 1, 2, vec![0.0; 2]));
        let (alike, apart) =
            (params.add_table("a", 9, 3, vec![0.0; 27]), params.add_table("b", 9, 3, vec![0.0; 27]));
        let each = |k: u32| {
            let mut grads = Grads::new(&params);
            let value = |at: usize| ((at as u32 * 7 + k * 5) % 11) as f64 - 5.0;
            grads.dense_mut(large, size).iter_mut().enumerate().for_each(|(at, g)| *g = value(at));
            if k != 1 {
                grads.dense_mut(small, 2).copy_from_slice(&[value(1), value(2)]);
            }
            for id in [4, 1, 7] {
                grads.rows_mut(alike).add(id, 1.0, &[value(3), value(id as usize), 1.0]);
            }
            for id in [k, 8, k + 2] {
                grads.rows_mut(apart).add(id, 1.0, &[value(id as usize), 2.0, value(5)]);
            }
            grads
        };
        let parts = (0..3).map(each).collect();
        (params, parts)
    }

    fn dense(grads: &Grads<f64>, params: &Params<f64>) -> Vec<f64> {
        params.ids().flat_map(|id| grads.to_dense(id, params)).collect()
    }

    #[test]
    fn inner_products_are_those_of_dense_gradients() {
        let (params, parts) = parts();
        let all: Vec<&Grads<f64>> = parts.iter().collect();
        let flat: Vec<Vec<f64>> = parts.iter().map(|part| dense(part, &params)).collect();
        let gram = Grads::gram(&all, &params, |_| true);
        for (i, a) in flat.iter().enumerate() {
            for (j, b) in flat.iter().enumerate() {
                // Whole numbers: exact in any order.
                let want: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                assert_eq!(gram[i * 3 + j], want, "{i} {j}");
                assert_eq!(parts[i].dot(&parts[j], &params, |_| true), want);
            }
        }
        let only = params.id("small").unwrap();
        assert_eq!(Grads::gram(&all, &params, |id| id == only)[4], 0.0, "the second has none");
    }

    #[test]
    fn sums_and_weighted_sums_are_those_of_dense_gradients() {
        let (params, parts) = parts();
        let flat: Vec<Vec<f64>> = parts.iter().map(|part| dense(part, &params)).collect();
        let want = |weights: [f64; 3]| -> Vec<f64> {
            (0..flat[0].len()).map(|at| (0..3).map(|k| weights[k] * flat[k][at]).sum()).collect()
        };
        let mut sum = Grads::new(&params);
        sum.sum_of(&parts.iter().collect::<Vec<_>>());
        assert_eq!(dense(&sum, &params), want([1.0; 3]));
        sum.add(&parts[1], 2.0);
        assert_eq!(dense(&sum, &params), want([1.0, 3.0, 1.0]));
        let weights = [2.0, -1.0, 0.5];
        sum.weighted(&parts, |_, k| weights[k]);
        sum.add_weighted(&parts, |_, k| if k == 0 { 1.0 } else { 0.0 });
        assert_eq!(dense(&sum, &params), want([3.0, -1.0, 0.5]));
        // Whoever reads rows by their number finds them too.
        let (Grad::Rows(rows), id) = (sum.slot(params.id("a").unwrap()), 7) else { panic!("a table") };
        assert_eq!(rows.get(id).map(|row| row[2]), Some(2.5));
    }
}
