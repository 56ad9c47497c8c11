//! What must hold for any points.

use kohort_cohorts::{Init, KMeansConfig, Points};
use kohort_random::{permutation, stream};
use proptest::prelude::*;

/// Small whole numbers: sums of them are exact, so claims about order can be claims about bits.
fn cloud() -> impl Strategy<Value = (usize, Vec<f32>)> {
    (1usize..4).prop_flat_map(|dim| {
        prop::collection::vec(prop::collection::vec(-8i8..8, dim), 4..60)
            .prop_map(move |rows| (dim, rows.concat().into_iter().map(f32::from).collect()))
    })
}

fn distinct(values: &[f32], dim: usize) -> usize {
    let mut rows: Vec<Vec<i64>> = values.chunks(dim).map(|r| r.iter().map(|&x| x as i64).collect()).collect();
    rows.sort();
    rows.dedup();
    rows.len()
}

proptest! {
    #[test]
    fn inertia_never_rises_and_labels_are_clusters((dim, values) in cloud(), k in 1usize..6, seed in 0u64..50, random: bool) {
        prop_assume!(distinct(&values, dim) >= k);
        let points = Points::new(&values, dim).unwrap();
        let init = if random { Init::Random } else { Init::KMeansPlusPlus };
        let config = KMeansConfig { seed, restarts: 2, tolerance: 0.0, init, ..KMeansConfig::new(k) };
        let fit = config.fit(&points).unwrap();
        prop_assert!(fit.labels.iter().all(|&l| (l as usize) < k));
        prop_assert_eq!(fit.counts.iter().sum::<usize>(), points.rows());
        for pair in fit.history.windows(2) {
            prop_assert!(pair[1] <= pair[0] + 1e-6 * pair[0].abs().max(1.0), "{:?}", fit.history);
        }
        if fit.converged {
            prop_assert!(fit.counts.iter().all(|&c| c > 0), "{:?}", fit.counts);
            prop_assert!(fit.inertia <= fit.history[fit.iterations - 1] + 1e-4);
        }
        prop_assert_eq!(fit.predict(&points).unwrap().len(), points.rows());
    }

    #[test]
    fn every_label_is_a_nearest_centre((dim, values) in cloud(), k in 1usize..6) {
        prop_assume!(distinct(&values, dim) >= k);
        let points = Points::new(&values, dim).unwrap();
        let fit = KMeansConfig { restarts: 1, ..KMeansConfig::new(k) }.fit(&points).unwrap();
        for (row, &label) in fit.labels.iter().enumerate() {
            let distance = |j: usize| -> f64 {
                points.row(row).iter().zip(fit.centre(j)).map(|(&x, &c)| (f64::from(x) - f64::from(c)).powi(2)).sum()
            };
            let least = (0..k).map(distance).fold(f64::INFINITY, f64::min);
            prop_assert!(distance(label as usize) <= least + 1e-4);
        }
    }

    #[test]
    fn permuting_rows_permutes_labels((dim, values) in cloud(), k in 1usize..6, seed in 0u64..50) {
        prop_assume!(distinct(&values, dim) >= k);
        let rows = values.len() / dim;
        let order = permutation(rows, &mut stream(seed, "rows", &[]));
        let shuffled: Vec<f32> = order.iter().flat_map(|&r| values[r as usize * dim..][..dim].to_vec()).collect();
        // Centres off the grid, one of them far away: empty clusters must not depend on the order either.
        let mut centres: Vec<f32> = (0..k * dim).map(|i| (i * 7 % 13) as f32 - 6.25).collect();
        centres[0] = 1000.0;
        let config = KMeansConfig { max_iterations: 4, ..KMeansConfig::from_centres(k, centres) };
        let a = config.fit(&Points::new(&values, dim).unwrap()).unwrap();
        let b = config.fit(&Points::new(&shuffled, dim).unwrap()).unwrap();
        let expected: Vec<u32> = order.iter().map(|&r| a.labels[r as usize]).collect();
        prop_assert_eq!(&a.centres, &b.centres);
        prop_assert_eq!(b.labels, expected);
    }

    #[test]
    fn a_weight_of_two_is_the_row_twice((dim, values) in cloud(), k in 1usize..4) {
        prop_assume!(distinct(&values, dim) >= k);
        let rows = values.len() / dim;
        let weights: Vec<f32> = (0..rows).map(|r| if r % 2 == 0 { 2.0 } else { 1.0 }).collect();
        let twice: Vec<f32> = (0..rows)
            .flat_map(|r| values[r * dim..][..dim].repeat(weights[r] as usize))
            .collect();
        // Centres that are points keep at least those points: no cluster runs empty, where one row would be
        // moved, which is not the same for a doubled row.
        let mut starts: Vec<&[f32]> = Vec::new();
        for row in values.chunks(dim) {
            if starts.len() < k && !starts.contains(&row) {
                starts.push(row);
            }
        }
        let centres = starts.concat();
        let config = KMeansConfig { max_iterations: 1, ..KMeansConfig::from_centres(k, centres) };
        let weighted = config.fit(&Points::new(&values, dim).unwrap().weighted(&weights).unwrap()).unwrap();
        let plain = config.fit(&Points::new(&twice, dim).unwrap()).unwrap();
        for (a, b) in weighted.centres.iter().zip(&plain.centres) {
            prop_assert!((a - b).abs() < 1e-4, "{} against {}", a, b);
        }
    }
}
