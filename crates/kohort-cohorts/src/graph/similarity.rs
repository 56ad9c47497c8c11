//! How alike two users are, from what they share.
//!
//! ```text
//! cosine          Σ_i W_ui W_vi / (|W_u| |W_v|)                        ∈ [0, 1]
//! Jaccard         |I_u ∩ I_v| / |I_u ∪ I_v|                            ∈ [0, 1]
//! log-likelihood  G² = 2 Σ_{a,b} O_ab ln(O_ab / E_ab)                  ≥ 0
//! ```
//!
//! with `I_u` the items of `u`. For `G²`, `O` is the 2×2 table of the items by "taken by u" and "taken by v", and `E` the table
//! expected if the two were independent. `G²` is large for avoidance as well as for likeness, so it counts as 0
//! where the two share fewer items than expected.
//!
//! Source of `G²`: T. Dunning, "Accurate methods for the statistics of surprise and coincidence", Computational
//! Linguistics 19(1), 1993. Popular items dominate the other two; `G²` discounts users who took much.

use serde::{Deserialize, Serialize};

/// A measure of likeness; 0 is no edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Similarity {
    /// Of the weights: the cosine of the angle between two users' rows.
    #[default]
    Cosine,
    /// Of the items alone: shared among all that either took.
    Jaccard,
    /// Of the items alone: how surprising it is that so many are shared.
    LogLikelihood,
}

/// What is known of a pair of users.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overlap {
    /// Items both took.
    pub(super) common: f64,
    /// `Σ_i W_ui W_vi`.
    pub(super) product: f64,
    /// Items of the one, items of the other.
    pub(super) taken: [f64; 2],
    /// Lengths of the two rows, `|W_u|` and `|W_v|`.
    pub(super) norms: [f64; 2],
    /// All items.
    pub(super) items: f64,
}

impl Similarity {
    /// Symmetric to the bit: swapping the users changes nothing.
    pub(super) fn of(self, pair: Overlap) -> f64 {
        let Overlap { common, product, taken: [a, b], norms, items } = pair;
        match self {
            Similarity::Cosine => product / (norms[0] * norms[1]),
            Similarity::Jaccard => common / (a + b - common),
            Similarity::LogLikelihood => {
                // Ordered, because sums of floats depend on their order.
                let (a, b) = (a.min(b), a.max(b));
                if common * items <= a * b {
                    return 0.0;
                }
                let cell = |observed: f64, row: f64, column: f64| match observed > 0.0 {
                    true => observed * (observed * items / (row * column)).ln(),
                    false => 0.0,
                };
                let neither = items - a - b + common;
                let g2 = cell(common, a, b)
                    + cell(a - common, a, items - b)
                    + cell(b - common, items - a, b)
                    + cell(neither, items - a, items - b);
                (2.0 * g2).max(0.0)
            }
        }
    }
}
