//! What a row weighs in a task: `γ ~ Beta(1 + ỹ·c, 1 + (1 − ỹ)·c)`.
//!
//! `c` counts what is known of the user. Without history γ is uniform on (0, 1); with much of it, it is all but the preference. No gradient goes
//! through γ.

use kohort_random::Stream;
use ndarray_rand::rand_distr::{Beta, Distribution};

use super::config::Weights;

/// Parameters of the distribution.
fn shape(preference: f64, count: f64) -> (f64, f64) {
    (1.0 + preference * count, 1.0 + (1.0 - preference) * count)
}

/// Its mean.
pub(super) fn mean(preference: f64, count: f64) -> f64 {
    let (alpha, beta) = shape(preference, count);
    alpha / (alpha + beta)
}

/// Weights of some rows; the mean where there is no stream to draw from.
pub(super) fn weights(
    kind: Weights,
    preference: &[f32],
    count: impl Iterator<Item = f32>,
    mut numbers: Option<&mut Stream>,
) -> Option<Vec<f32>> {
    if kind == Weights::One {
        return None;
    }
    let of = |(&preference, count): (&f32, f32)| {
        let (preference, count) = (f64::from(preference), f64::from(count));
        match (kind, &mut numbers) {
            (Weights::Preference, _) => preference,
            (Weights::Beta, Some(numbers)) => {
                let (alpha, beta) = shape(preference, count);
                // A preference that is not finite makes no distribution, and has to reach the loss.
                Beta::new(alpha, beta).map_or(f64::NAN, |beta| beta.sample(*numbers))
            }
            _ => mean(preference, count),
        }
    };
    Some(preference.iter().zip(count).map(of).map(|weight| weight as f32).collect())
}

#[cfg(test)]
mod tests {
    use kohort_random::stream;

    use super::*;

    #[test]
    fn draws_have_the_mean_and_the_spread_of_their_distribution() {
        let mut numbers = stream(1, "beta", &[]);
        for (preference, count) in [(0.3f32, 0.0f32), (0.3, 10.0), (0.9, 500.0)] {
            let rows = 20_000;
            let drawn = weights(
                Weights::Beta,
                &vec![preference; rows],
                std::iter::repeat_n(count, rows),
                Some(&mut numbers),
            )
            .unwrap();
            let (alpha, beta) = shape(preference.into(), count.into());
            let found = drawn.iter().map(|&w| f64::from(w)).sum::<f64>() / rows as f64;
            let spread = drawn.iter().map(|&w| (f64::from(w) - found).powi(2)).sum::<f64>() / rows as f64;
            let variance = alpha * beta / ((alpha + beta).powi(2) * (alpha + beta + 1.0));
            assert!((found - mean(preference.into(), count.into())).abs() < 0.01, "{found}");
            assert!((spread / variance - 1.0).abs() < 0.1, "{spread}, {variance}");
        }
    }

    #[test]
    fn every_other_kind_is_what_it_says() {
        let of = |kind| weights(kind, &[0.25, 1.0], [2.0, 0.0].into_iter(), None);
        assert_eq!(of(Weights::One), None);
        assert_eq!(of(Weights::Preference).unwrap(), [0.25, 1.0]);
        assert_eq!(of(Weights::Mean).unwrap(), [1.5 / 4.0, 0.5]);
        assert_eq!(of(Weights::Beta).unwrap(), [1.5 / 4.0, 0.5]);
    }
}
