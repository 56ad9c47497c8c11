//! How alike two users (or items) are, from what both have rated.
//!
//! With C the n things both have rated and a, b their ratings there: mean squared difference
//! `1 / (1 + (1/n) Σ_C (a − b)²)`; cosine `Σ ab / √(Σ a² Σ b²)`; Pearson, the cosine after taking off each side's mean
//! over C; and shrunk Pearson around the biases, the cosine of `r − b_ui` times `(n − 1) / (n − 1 + shrinkage)`, or 0 for
//! n below 2. Without common things, or with a zero denominator, it is 0; of a key with itself, 1.
//!
//! Source: Koren, "Factor in the neighbors", TKDD 4(1), 2010, section 2.2 for the last; Surprise's `similarities`
//! for the set, which gives NaN at a zero denominator of the cosines.

use serde::{Deserialize, Serialize};

use crate::baselines::BaselineError;
use crate::baselines::observed::Lists;
use crate::baselines::pairs::{Gather, Square, square};

/// A measure of likeness.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Similarity {
    /// One over one plus the mean squared difference.
    MeanSquaredDifference,
    /// Cosine of the common ratings.
    Cosine,
    /// Correlation of the common ratings.
    Pearson,
    /// Cosine of what the biases leave over, less the fewer ratings are common.
    PearsonBias {
        /// Common ratings at which about half of the correlation is believed; 100 in Surprise.
        shrinkage: f64,
    },
}

impl Similarity {
    /// Whether it compares what the biases leave over, not the ratings.
    pub(super) fn wants_residuals(self) -> bool {
        matches!(self, Similarity::PearsonBias { .. })
    }

    /// The likeness of all pairs of keys of `lists`.
    pub(super) fn table(
        self,
        system: &'static str,
        of: &'static str,
        lists: &Lists,
        back: &Lists,
    ) -> Result<Square, BaselineError> {
        let mut table = match self {
            Similarity::MeanSquaredDifference => {
                square::<Difference>(system, of, lists, back, Difference::close)
            }
            Similarity::Cosine => square::<Products>(system, of, lists, back, Products::cosine),
            Similarity::Pearson => square::<Moments>(system, of, lists, back, Moments::correlation),
            Similarity::PearsonBias { shrinkage } => {
                square::<Products>(system, of, lists, back, |pair| pair.shrunk(shrinkage))
            }
        }?;
        table.fill_diagonal(1.0);
        Ok(table)
    }
}

#[derive(Clone, Copy, Default)]
struct Difference {
    common: u32,
    squares: f64,
}

impl Gather for Difference {
    fn meet(&mut self, own: f64, other: f64) {
        self.common += 1;
        self.squares += (own - other) * (own - other);
    }
}

impl Difference {
    fn close(&self) -> f32 {
        if self.common == 0 {
            return 0.0;
        }
        (1.0 / (self.squares / f64::from(self.common) + 1.0)) as f32
    }
}

#[derive(Clone, Copy, Default)]
struct Products {
    common: u32,
    product: f64,
    own: f64,
    other: f64,
}

impl Gather for Products {
    fn meet(&mut self, own: f64, other: f64) {
        self.common += 1;
        self.product += own * other;
        self.own += own * own;
        self.other += other * other;
    }
}

impl Products {
    fn cosine(&self) -> f32 {
        ratio(self.product, self.own * self.other) as f32
    }

    fn shrunk(&self, shrinkage: f64) -> f32 {
        if self.common < 2 {
            return 0.0;
        }
        let support = f64::from(self.common - 1);
        (ratio(self.product, self.own * self.other) * support / (support + shrinkage)) as f32
    }
}

#[derive(Clone, Copy, Default)]
struct Moments {
    products: Products,
    own: f64,
    other: f64,
}

impl Gather for Moments {
    fn meet(&mut self, own: f64, other: f64) {
        self.products.meet(own, other);
        self.own += own;
        self.other += other;
    }
}

impl Moments {
    fn correlation(&self) -> f32 {
        let n = f64::from(self.products.common);
        let product = n * self.products.product - self.own * self.other;
        let own = n * self.products.own - self.own * self.own;
        let other = n * self.products.other - self.other * self.other;
        ratio(product, own * other) as f32
    }
}

/// `product / √squares`, or 0 where that is not defined.
fn ratio(product: f64, squares: f64) -> f64 {
    if squares > 0.0 { product / squares.sqrt() } else { 0.0 }
}
