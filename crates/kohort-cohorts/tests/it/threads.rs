//! The number of threads leaves no trace.

use kohort_cohorts::quality::{elbow, silhouette_sampled};
use kohort_cohorts::{Init, KMeansConfig, MiniBatch, Points, Standardiser};

use crate::{config, planted, under};

#[test]
fn fits_have_the_same_bits_for_1_2_and_5_threads() {
    let (values, _) = planted(7001, 5, 8, 1.0, 6);
    let weights: Vec<f32> = (0..7001).map(|i| (i % 5) as f32 / 3.0).collect();
    let base = KMeansConfig { restarts: 3, max_iterations: 15, ..config(11) };
    let variants = [
        base.clone(),
        KMeansConfig { init: Init::Random, ..base.clone() },
        KMeansConfig { mini_batch: Some(MiniBatch { batch_size: 300, patience: 5 }), ..base },
    ];
    for config in variants {
        for weighted in [false, true] {
            let work = || {
                let points = Points::new(&values, 5).unwrap();
                let points = if weighted { points.weighted(&weights).unwrap() } else { points };
                let fit = config.fit(&points).unwrap();
                let bits: Vec<u32> = fit.centres.iter().map(|c| c.to_bits()).collect();
                let history: Vec<u64> = fit.history.iter().map(|h| h.to_bits()).collect();
                (bits, fit.labels, fit.inertia.to_bits(), history, fit.restart)
            };
            let one = under(1, work);
            assert_eq!(one, under(2, work));
            assert_eq!(one, under(5, work));
        }
    }
}

#[test]
fn quality_and_scales_have_the_same_bits_for_1_2_and_5_threads() {
    let (values, labels) = planted(3000, 4, 5, 1.0, 7);
    let work = || {
        let points = Points::new(&values, 4).unwrap();
        let few = KMeansConfig { restarts: 2, ..config(1) };
        let report = elbow(&points, 2..5, &few, std::num::NonZeroUsize::new(200).unwrap()).unwrap();
        let silhouette = silhouette_sampled(&points, &labels, 500, 1).unwrap();
        (silhouette.mean.to_bits(), format!("{report:?}"), format!("{:?}", Standardiser::fit(&points)))
    };
    let one = under(1, work);
    assert_eq!(one, under(2, work));
    assert_eq!(one, under(5, work));
}
