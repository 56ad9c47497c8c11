//! The user's rated items and the item's raters, as bags that leave the row itself out.
//!
//! `h_u += n^{-½} Σ_{j ∈ I_u, j ≠ i} (e_uj·Y_j + Z_j)`, the implicit and the residual-weighted history of SVD++ (Koren, KDD
//! 2008, with `Y` weighted by residuals as in his asymmetric model), and the same for the item over its raters.

use kohort_data::{Index, Interactions};

/// Lists of the other side's ids with residuals, one list per user or per item.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    index: Index,
    other: Vec<u32>,
    residual: Vec<f32>,
}

/// A batch of bags: entries of all bags, where each begins, residual weights and plain weights.
#[derive(Debug, Default)]
pub(super) struct Bagged {
    pub(super) ids: Vec<u32>,
    pub(super) offsets: Vec<u32>,
    pub(super) residual: Vec<f32>,
    pub(super) plain: Vec<f32>,
}

impl Lists {
    /// Lists by `key`, holding the ids of `other`.
    pub(super) fn new(key: &[u32], keys: usize, other: &[u32], residual: &[f32]) -> Lists {
        Lists { index: Index::new(key, keys), other: other.to_vec(), residual: residual.to_vec() }
    }

    /// The bags of `keys`, each without the entry `without[n]` if it holds one. At most `most` entries a bag: evenly
    /// spaced ones of a longer list.
    pub(super) fn bags(&self, keys: &[u32], without: &[u32], most: usize) -> Bagged {
        let mut out = Bagged { offsets: vec![0], ..Bagged::default() };
        for (&key, &skip) in keys.iter().zip(without) {
            let known = (key as usize) < self.index.keys();
            let rows = if known { self.index.rows(key as usize) } else { &[] };
            let start = out.ids.len();
            let step = rows.len().div_ceil(most.max(1)).max(1);
            for &row in rows.iter().step_by(step) {
                let other = self.other[row as usize];
                if other != skip {
                    out.ids.push(other);
                    out.residual.push(self.residual[row as usize]);
                }
            }
            let root = 1.0 / ((out.ids.len() - start) as f32 + 1.0).sqrt();
            out.residual[start..].iter_mut().for_each(|e| *e *= root);
            out.plain.resize(out.ids.len(), root);
            out.offsets.push(out.ids.len() as u32);
        }
        out
    }
}

/// Residuals `r − (μ + b_u + b_i)` of training rows, with the biases' bases given per row.
pub(super) fn residuals(rows: &Interactions, base: &[f32]) -> Vec<f32> {
    rows.rating.iter().zip(base).map(|(r, b)| r - b).collect()
}
