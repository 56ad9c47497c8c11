//! Planted clusters are found.

use kohort_cohorts::{Init, KMeansConfig, MiniBatch};

use crate::{config, planted, points, same_partition};

#[test]
fn planted_clusters_are_recovered_from_any_seed() {
    let (values, truth) = planted(2000, 6, 12, 5.0, 1);
    for seed in 0..5 {
        let fit = KMeansConfig { seed, restarts: 3, ..config(12) }.fit(&points(&values, 6)).unwrap();
        assert!(same_partition(&fit.labels, &truth), "seed {seed}");
        assert!(fit.converged);
        assert_eq!(fit.counts.iter().sum::<usize>(), 2000);
    }
}

#[test]
fn the_winning_restart_is_kept_whole() {
    let (values, _) = planted(500, 3, 9, 2.5, 2);
    let points = points(&values, 3);
    let many = KMeansConfig { restarts: 12, init: Init::Random, ..config(9) };
    let best = many.fit(&points).unwrap();
    // What comes back is one run from end to end: its own centres give its labels, counts and inertia again.
    assert_eq!(best.predict(&points).unwrap(), best.labels);
    for (cluster, &count) in best.counts.iter().enumerate() {
        assert_eq!(count, best.labels.iter().filter(|&&l| l as usize == cluster).count());
    }
    let inertia: f64 = (0..500)
        .map(|row| {
            let centre = best.centre(best.labels[row] as usize);
            points.row(row).iter().zip(centre).map(|(x, c)| f64::from(x - c).powi(2)).sum::<f64>()
        })
        .sum();
    assert!((inertia / best.inertia - 1.0).abs() < 1e-5);
    assert_eq!(best.history.len(), best.iterations);
    // Restart 0 of many is the only restart of one; more restarts can only be better, and some are here.
    let one = KMeansConfig { restarts: 1, ..many.clone() }.fit(&points).unwrap();
    assert!(best.inertia < one.inertia && best.restart > 0);
    let until = KMeansConfig { restarts: best.restart + 1, ..many }.fit(&points).unwrap();
    assert_eq!(until, best);
}

#[test]
fn ties_between_restarts_go_to_the_earliest() {
    let (values, _) = planted(300, 2, 2, 30.0, 3);
    let fit = config(2).fit(&points(&values, 2)).unwrap();
    assert_eq!(fit.restart, 0, "every restart finds the two far clusters, so the first must win");
}

#[test]
fn mini_batches_come_within_a_tenth_of_lloyd() {
    let (values, _) = planted(20_000, 8, 10, 3.0, 4);
    let points = points(&values, 8);
    let lloyd = config(10).fit(&points).unwrap();
    let batches = KMeansConfig { mini_batch: Some(MiniBatch::default()), restarts: 3, ..config(10) };
    let fit = batches.fit(&points).unwrap();
    assert!(fit.inertia <= 1.1 * lloyd.inertia, "{} against {}", fit.inertia, lloyd.inertia);
    assert_eq!(fit, batches.fit(&points).unwrap(), "the same seed gives the same fit");
    let hard = KMeansConfig {
        init: Init::Given(vec![0.0; 80]),
        mini_batch: Some(MiniBatch::default()),
        ..config(10)
    };
    let fit = hard.fit(&points).unwrap();
    assert!(fit.counts.iter().all(|&c| c > 0), "centres that drew nothing are moved: {:?}", fit.counts);
}

#[test]
fn empty_clusters_are_given_a_far_point() {
    let (values, _) = planted(200, 2, 4, 10.0, 5);
    let far = vec![0.0, 0.0, 1e6, 1e6, -1e6, 0.0, 0.0, -1e6];
    let fit = KMeansConfig::from_centres(4, far).fit(&points(&values, 2)).unwrap();
    assert!(fit.counts.iter().all(|&c| c > 0), "{:?}", fit.counts);
}

#[test]
fn as_many_clusters_as_distinct_points_leaves_no_inertia() {
    let values = [1.0f32, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 1.0];
    for init in [Init::KMeansPlusPlus, Init::Random] {
        let fit = KMeansConfig { init, ..config(3) }.fit(&points(&values, 1)).unwrap();
        assert_eq!(fit.inertia, 0.0);
        let mut counts = fit.counts.clone();
        counts.sort_unstable();
        assert_eq!(counts, [2, 3, 3]);
    }
}

#[test]
fn points_that_differ_by_less_than_rounding_can_still_be_centres() {
    // Next to the spread of the data, the first three are one point to f32's expanded square.
    let values = [1000.0f32, 1000.0001, 1000.0002, -1000.0];
    let fit = config(4).fit(&points(&values, 1)).unwrap();
    assert_eq!(fit.clusters(), 4);
    assert!(fit.inertia < 1e-6);
}
