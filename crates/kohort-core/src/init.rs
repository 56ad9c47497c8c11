//! Initial values, drawn with ndarray-rand's distributions from named streams.

use ndarray_rand::rand_distr::{Distribution, Normal, Uniform};

use crate::Real;
use crate::random::Stream;

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// All entries equal.
    Constant(f64),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform between minus and plus this limit.
    Uniform(f64),
    /// Uniform with limit `sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio, AISTATS 2010): tanh, sigmoid, softmax.
    Glorot,
    /// Normal with deviation `sqrt(2 / fan_in)` (He et al., ICCV 2015): ReLU.
    He,
}

impl Init {
    /// Draws a matrix `[rows, cols]`, row-major; `fan_in = rows`, `fan_out = cols`, as weights are `[in, out]`.
    pub fn draw<F: Real>(self, rows: usize, cols: usize, stream: &mut Stream) -> Vec<F> {
        let count = rows * cols;
        let normal = |deviation: f64, stream: &mut Stream| -> Vec<F> {
            match Normal::new(0.0, deviation) {
                Ok(law) => (0..count).map(|_| F::of(law.sample(stream))).collect(),
                Err(_) => crate::shape::fail("init", &format!("standard deviation {deviation}")),
            }
        };
        let uniform = |limit: f64, stream: &mut Stream| -> Vec<F> {
            match Uniform::new_inclusive(-limit, limit) {
                Ok(law) => (0..count).map(|_| F::of(law.sample(stream))).collect(),
                Err(_) => crate::shape::fail("init", &format!("limit {limit}")),
            }
        };
        match self {
            Init::Constant(x) => vec![F::of(x); count],
            Init::Normal(deviation) => normal(deviation, stream),
            Init::Uniform(limit) => uniform(limit, stream),
            Init::Glorot => uniform((6.0 / (rows + cols).max(1) as f64).sqrt(), stream),
            Init::He => normal((2.0 / rows.max(1) as f64).sqrt(), stream),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_deviation_their_papers_state() {
        let deviation = |init: Init| {
            let drawn: Vec<f64> = init.draw(300, 100, &mut crate::random::stream(1, "init", &[]));
            (drawn.iter().map(|x| x * x).sum::<f64>() / drawn.len() as f64).sqrt()
        };
        assert!((deviation(Init::He) / (2.0f64 / 300.0).sqrt() - 1.0).abs() < 0.02);
        assert!((deviation(Init::Glorot) / (2.0f64 / 400.0).sqrt() - 1.0).abs() < 0.02);
        assert!((deviation(Init::Normal(0.1)) / 0.1 - 1.0).abs() < 0.02);
    }
}
