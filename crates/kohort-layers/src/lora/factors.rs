//! An adapter as a value: how large it is, what it changes, and whom it is like, without its dense product.
//!
//! With `ΔW = s·A·B`, `A: [in, r]`, `B: [r, out]`:
//! `⟨ΔW_1, ΔW_2⟩ = s_1·s_2·tr((A_1ᵀA_2)·(B_2B_1ᵀ))`, products of `[r_1, r_2]`; `‖ΔW‖_F² = ⟨ΔW, ΔW⟩`; and the cosine of two adapters is that
//! of their ΔW, which does not change when A and B are turned or stretched against each other.
//! Singular values are those of [`svd::of_product`], from factors alone.

use kohort_core::kernels::{Transpose, gemm};
use kohort_core::svd::{self, Svd};
use kohort_core::{LowRank, ParamId, Params, Real};

/// `ΔW = s·A·B` in f64, which holds either number type exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    /// Rows of ΔW.
    pub inputs: usize,
    /// Columns of ΔW.
    pub outputs: usize,
    /// r.
    pub rank: usize,
    /// s.
    pub scale: f64,
    /// `[in, r]`, row-major.
    pub a: Vec<f64>,
    /// `[r, out]`, row-major.
    pub b: Vec<f64>,
}

use Transpose::{No, Yes};

impl Factors {
    /// The adapter's current values.
    pub fn read<F: Real>(params: &Params<F>, adapter: LowRank) -> Factors {
        let (a, b) = (params.slot(adapter.a), params.slot(adapter.b));
        let wide = |value: &[F]| value.iter().map(|x| x.f64()).collect();
        Factors {
            inputs: a.rows,
            outputs: b.cols,
            rank: a.cols,
            scale: adapter.scale,
            a: wide(&a.value),
            b: wide(&b.value),
        }
    }

    /// `⟨ΔW, other ΔW⟩`, the sum of products of entries.
    ///
    /// # Panics
    /// If they are of different layers' shapes.
    #[track_caller]
    pub fn dot(&self, other: &Factors) -> f64 {
        assert_eq!((self.inputs, self.outputs), (other.inputs, other.outputs), "adapters of one layer");
        let (r, q) = (self.rank, other.rank);
        let (mut a, mut b) = (vec![0.0; r * q], vec![0.0; r * q]);
        gemm((Yes, No), (r, q, self.inputs), 1.0, &self.a, &other.a, 0.0, &mut a);
        gemm((No, Yes), (r, q, self.outputs), 1.0, &self.b, &other.b, 0.0, &mut b);
        self.scale * other.scale * a.iter().zip(&b).map(|(a, b)| a * b).sum::<f64>()
    }

    /// `‖ΔW‖_F`.
    pub fn norm(&self) -> f64 {
        self.dot(self).max(0.0).sqrt()
    }

    /// `‖ΔW‖_F / ‖W‖_F`: how much of a layer the adapter changes. Infinite for a base of zeros, 0 for no change at all.
    pub fn relative_norm<F: Real>(&self, params: &Params<F>, w: ParamId) -> f64 {
        let whole = params.value(w).iter().map(|x| x.f64() * x.f64()).sum::<f64>().sqrt();
        let own = self.norm();
        if own == 0.0 { 0.0 } else { own / whole }
    }

    /// Singular values of ΔW, descending, without those that are zero; `None` if the entries are not finite.
    pub fn singular_values(&self) -> Option<Vec<f64>> {
        self.svd().map(|svd| svd.values().iter().map(|sigma| sigma * self.scale.abs()).collect())
    }

    /// Of `A·B`, without the scale.
    pub(super) fn svd(&self) -> Option<Svd<f64>> {
        svd::of_product(&self.a, &self.b, (self.inputs, self.rank, self.outputs)).ok()
    }

    /// `ΔW` itself, `[in, out]`.
    pub fn dense(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.inputs * self.outputs];
        let shape = (self.inputs, self.outputs, self.rank);
        gemm((No, No), shape, self.scale, &self.a, &self.b, 0.0, &mut out);
        out
    }

    /// `Σ weight·ΔW` exactly, with as much rank as all parts together and scale 1.
    ///
    /// Not the mean of the A times the mean of the B: `(A_1 + A_2)(B_1 + B_2)` has cross terms that neither adapter has.
    ///
    /// # Panics
    /// If there is no part, or parts are of different layers' shapes.
    #[track_caller]
    pub fn sum(parts: &[(&Factors, f64)]) -> Factors {
        let (first, _) = parts.first().expect("at least one adapter");
        let (inputs, outputs) = (first.inputs, first.outputs);
        let rank: usize = parts.iter().map(|(part, _)| part.rank).sum();
        let (mut a, mut b) = (Vec::with_capacity(inputs * rank), Vec::with_capacity(rank * outputs));
        for row in 0..inputs {
            parts.iter().for_each(|(part, _)| a.extend(&part.a[row * part.rank..(row + 1) * part.rank]));
        }
        for (part, weight) in parts {
            assert_eq!((part.inputs, part.outputs), (inputs, outputs), "adapters of one layer");
            b.extend(part.b.iter().map(|x| weight * part.scale * x));
        }
        Factors { inputs, outputs, rank, scale: 1.0, a, b }
    }

    /// The adapter of this one's rank and scale nearest to `target` (in the Frobenius norm: its first singular triples, with
    /// `√σ` to either side). Directions that `target` lacks keep this one's A, with zeros in B, so that they can still be learned.
    /// `None` if the entries of `target` are not finite.
    pub fn nearest_to(&self, target: &Factors) -> Option<Factors> {
        let svd = target.svd()?;
        let found = svd.rank().min(self.rank);
        let mut near = self.clone();
        near.b.fill(0.0);
        let sign = if target.scale < 0.0 { -1.0 } else { 1.0 };
        for (k, sigma) in svd.values()[..found].iter().enumerate() {
            // σ·|target's scale| is the singular value of its ΔW; this one's scale multiplies the product again.
            let root = (sigma * target.scale.abs() / self.scale).sqrt();
            for (row, left) in svd.left().chunks_exact(svd.rank()).enumerate() {
                near.a[row * self.rank + k] = root * left[k];
            }
            for (col, right) in svd.right().chunks_exact(svd.rank()).enumerate() {
                near.b[k * self.outputs + col] = sign * root * right[k];
            }
        }
        Some(near)
    }
}

/// Cosine of two adapters over all layers that they change, in the same order: 1 for the same changes, −1 for opposite
/// ones, 0 where either changes nothing.
///
/// # Panics
/// If they have different layers.
#[track_caller]
pub fn similarity(one: &[Factors], other: &[Factors]) -> f64 {
    assert_eq!(one.len(), other.len(), "adapters of the same layers");
    let dot = |x: &[Factors], y: &[Factors]| x.iter().zip(y).map(|(x, y)| x.dot(y)).sum::<f64>();
    let size = (dot(one, one).max(0.0) * dot(other, other).max(0.0)).sqrt();
    if size == 0.0 { 0.0 } else { (dot(one, other) / size).clamp(-1.0, 1.0) }
}
