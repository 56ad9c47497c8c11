//! Silhouettes and elbows.

use std::num::NonZeroUsize;

use kohort_cohorts::KMeansConfig;
use kohort_cohorts::quality::{QualityError, elbow, silhouette, silhouette_sampled};

use crate::{config, planted, points};

#[test]
fn a_sample_as_large_as_the_data_is_the_whole() {
    let (values, labels) = planted(300, 3, 4, 2.0, 8);
    let points = points(&values, 3);
    let whole = silhouette(&points, &labels).unwrap();
    assert_eq!(silhouette_sampled(&points, &labels, 300, 9).unwrap(), whole);
    let part = silhouette_sampled(&points, &labels, 150, 9).unwrap();
    assert_eq!(part.rows, 150);
    assert!((part.mean - whole.mean).abs() < 0.1, "{} against {}", part.mean, whole.mean);
    assert_eq!(part, silhouette_sampled(&points, &labels, 150, 9).unwrap());
    assert_ne!(part.mean, silhouette_sampled(&points, &labels, 150, 10).unwrap().mean);
}

#[test]
fn labels_may_be_stable_ids_with_gaps() {
    let values = [0.0f32, 1.0, 10.0, 11.0];
    let dense = silhouette(&points(&values, 1), &[0, 0, 1, 1]).unwrap();
    let gaps = silhouette(&points(&values, 1), &[2, 2, 7, 7]).unwrap();
    assert_eq!(dense.mean, gaps.mean);
    assert_eq!(
        (gaps.per_cluster.len(), gaps.per_cluster[3], gaps.per_cluster[7]),
        (8, None, dense.per_cluster[1])
    );
}

#[test]
fn what_has_no_silhouette_is_refused() {
    let values = [0.0f32, 1.0, 2.0];
    let points = points(&values, 1);
    assert_eq!(silhouette(&points, &[0, 0, 0]), Err(QualityError::Clusters { clusters: 1, rows: 3 }));
    assert_eq!(silhouette(&points, &[0, 1, 2]), Err(QualityError::Clusters { clusters: 3, rows: 3 }));
    assert_eq!(silhouette(&points, &[0, 1]), Err(QualityError::LabelCount { labels: 2, rows: 3 }));
    assert_eq!(
        silhouette_sampled(&points, &[0, 1, 1], 0, 0),
        Err(QualityError::Clusters { clusters: 0, rows: 0 })
    );
    // Coinciding points in two clusters: 0/0 counts as 0.
    let same = crate::points(&[1.0, 1.0, 1.0, 1.0], 1);
    assert_eq!(silhouette(&same, &[0, 0, 1, 1]).unwrap().mean, 0.0);
}

#[test]
fn the_elbow_finds_the_planted_number_and_prints_it() {
    let (values, _) = planted(400, 2, 3, 20.0, 9);
    let config = KMeansConfig { restarts: 3, ..config(1) };
    let report =
        elbow(&points(&values, 2), [1, 2, 3, 4, 6, 8], &config, NonZeroUsize::new(400).unwrap()).unwrap();
    assert_eq!(report.best_silhouette, Some(3));
    assert_eq!(report.rows[0].silhouette, None);
    assert_eq!((report.rows[0].second_difference, report.rows[5].second_difference), (None, None));
    assert!(report.rows.is_sorted_by(|a, b| a.inertia >= b.inertia));
    let lines: Vec<String> = report.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 7);
    assert!(lines[3].ends_with("best silhouette"), "{report}");
    // In the middle of the range, unequal steps count per cluster.
    let rows = &report.rows;
    let expected = (rows[2].inertia - rows[3].inertia) - (rows[3].inertia - rows[4].inertia) / 2.0;
    assert!((rows[3].second_difference.unwrap() - expected).abs() < 1e-9);
}

#[test]
fn a_range_that_does_not_ascend_is_refused() {
    let points = points(&[1.0, 2.0, 3.0], 1);
    for range in [vec![], vec![2, 2], vec![3, 2]] {
        let refused = elbow(&points, range.clone(), &config(1), NonZeroUsize::MAX);
        assert_eq!(refused, Err(QualityError::Range { got: range }));
    }
}
