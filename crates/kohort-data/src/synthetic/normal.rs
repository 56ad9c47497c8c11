//! Normal numbers from a stream, and the normal distribution function.

use kohort_random::{Stream, rand::Rng};

/// One standard normal number (Box and Muller, Annals of Mathematical Statistics 29, 1958); the second of the pair is
/// dropped, so that every draw takes two numbers from the stream.
pub(super) fn normal(stream: &mut Stream) -> f64 {
    let radius = (-2.0 * (1.0 - stream.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * stream.random::<f64>()).cos()
}

/// `n` standard normal numbers.
pub(super) fn normals(n: usize, stream: &mut Stream) -> Vec<f64> {
    (0..n).map(|_| normal(stream)).collect()
}

/// P(Z ≤ z) of a standard normal Z, by Abramowitz and Stegun's formula 7.1.26; absolute error below 1e-7.
pub(super) fn distribution(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = t
        * (0.254_829_592
            + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let tail = 0.5 * series * (-x * x).exp();
    if z < 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_has_its_table_values() {
        for (z, p) in [(0.0, 0.5), (1.0, 0.841_344_746), (-1.959_963_985, 0.025), (3.0, 0.998_650_102)] {
            assert!((distribution(z) - p).abs() < 2e-7, "{z}");
        }
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let drawn = normals(20_000, &mut kohort_random::stream(1, "normal", &[]));
        let mean = drawn.iter().sum::<f64>() / 20_000.0;
        let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
