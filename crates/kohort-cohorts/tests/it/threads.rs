//! The number of threads leaves no trace.

use kohort_cohorts::communities::Spectral;
use kohort_cohorts::graph::{Bipartite, Projection, Similarity};
use kohort_cohorts::quality::{elbow, silhouette_sampled};
use kohort_cohorts::{Init, KMeansConfig, MiniBatch, Points, Standardiser};

use crate::{config, planted, planted_graph, same_partition, under};

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

#[test]
fn graphs_and_spectra_have_the_same_bits_for_1_2_and_5_threads() {
    let (graph, groups) = planted_graph(1500, 6, 12.0, 4.0, 8);
    let item: Vec<u32> = graph.iter_edges().map(|(u, v, _)| (u * 7 + v) % 400).collect();
    let user: Vec<u32> = graph.iter_edges().map(|(u, _, _)| u).collect();
    let weight: Vec<f64> = item.iter().zip(&user).map(|(i, u)| f64::from(i % 7 + u % 3 + 1) / 3.0).collect();
    let work = || {
        let taken = Bipartite::new(1500, 400, &user, &item, Some(&weight)).unwrap();
        let projected =
            [Similarity::Cosine, Similarity::Jaccard, Similarity::LogLikelihood].map(|similarity| {
                let graph =
                    Projection { similarity, neighbours: 7, ..Projection::default() }.graph(&taken).unwrap();
                graph.iter_edges().map(|(u, v, w)| (u, v, w.to_bits())).collect::<Vec<_>>()
            });
        (projected, Spectral { restarts: 2, ..Spectral::new(6) }.fit(&graph).unwrap())
    };
    let one = under(1, work);
    assert_eq!(one, under(2, work));
    assert_eq!(one, under(5, work));
    assert!(same_partition(&one.1.labels, &groups), "and finds the planted communities");
}
