use kohort_eval::profiling::{
    ConfusionMatrix, adjusted_rand_index, cheapest_assignment, match_labels, normalised_mutual_information,
};
use proptest::prelude::*;

/// The lowest cost over all ways to give each row its own column.
fn brute_force(cost: &[f64], rows: usize, columns: usize, row: usize, used: &mut Vec<bool>) -> f64 {
    if row == rows {
        return 0.0;
    }
    let mut best = f64::INFINITY;
    for column in 0..columns {
        if !used[column] {
            used[column] = true;
            best = best.min(cost[row * columns + column] + brute_force(cost, rows, columns, row + 1, used));
            used[column] = false;
        }
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn assignments_are_as_cheap_as_brute_force(
        (rows, columns, cost) in (1usize..6, 0usize..3).prop_flat_map(|(rows, more)| {
            let cost = prop::collection::vec((-6i32..6).prop_map(f64::from), rows * (rows + more));
            (Just(rows), Just(rows + more), cost)
        })
    ) {
        let matched = cheapest_assignment(&cost, rows, columns).unwrap();
        let total: f64 = matched.iter().enumerate().map(|(r, c)| cost[r * columns + c.unwrap()]).sum();
        prop_assert_eq!(total, brute_force(&cost, rows, columns, 0, &mut vec![false; columns]));
        let mut distinct: Vec<_> = matched.iter().flatten().collect();
        distinct.sort();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), rows);

        // The same matrix on its side has the same cost.
        let transposed: Vec<f64> = (0..columns).flat_map(|c| (0..rows).map(move |r| (r, c))).map(|(r, c)| cost[r * columns + c]).collect();
        let turned = cheapest_assignment(&transposed, columns, rows).unwrap();
        let turned_total: f64 = turned.iter().enumerate().filter_map(|(c, r)| r.map(|r| cost[r * columns + c])).sum();
        prop_assert_eq!(turned_total, total);
    }

    #[test]
    fn renaming_clusters_changes_neither_agreement_nor_the_matched_accuracy(
        labels in prop::collection::vec((0u32..5, 0u32..5), 1..60), seed: u64
    ) {
        let (truth, clusters): (Vec<u32>, Vec<u32>) = labels.into_iter().unzip();
        let names = kohort_random::permutation(5, &mut kohort_random::stream(seed, "names", &[]));
        let renamed: Vec<u32> = clusters.iter().map(|&c| names[c as usize]).collect();
        let accuracy = |clusters: &[u32]| {
            let names = match_labels(&truth, clusters, 5).unwrap();
            let named: Vec<u32> = clusters.iter().map(|&c| names[c as usize]).collect();
            ConfusionMatrix::new(&truth, &named, 5).unwrap().accuracy()
        };
        prop_assert_eq!(accuracy(&clusters), accuracy(&renamed));
        let nmi = |c: &[u32]| normalised_mutual_information(&truth, c).unwrap();
        let ari = |c: &[u32]| adjusted_rand_index(&truth, c).unwrap();
        prop_assert!((nmi(&clusters) - nmi(&renamed)).abs() < 1e-12);
        prop_assert!((ari(&clusters) - ari(&renamed)).abs() < 1e-12);
        let own: Vec<u32> = truth.iter().map(|&t| names[t as usize]).collect();
        prop_assert!((nmi(&own) - 1.0).abs() < 1e-12);
        prop_assert_eq!(ari(&own), 1.0);
    }
}

#[test]
fn one_cluster_against_many_carries_no_information() {
    assert_eq!(normalised_mutual_information(&[0, 0, 0], &[0, 1, 2]).unwrap(), 0.0);
    assert_eq!(adjusted_rand_index(&[0, 0, 0], &[0, 1, 2]).unwrap(), 0.0);
    assert_eq!(normalised_mutual_information(&[4, 4], &[1, 1]).unwrap(), 1.0);
    assert_eq!(adjusted_rand_index(&[4], &[1]).unwrap(), 1.0);
}

#[test]
fn undefined_class_scores_are_none_and_cost_the_macro_average() {
    // Class 1 is never predicted, class 2 neither present nor predicted.
    let matrix = ConfusionMatrix::new(&[0, 0, 1], &[0, 0, 0], 3).unwrap();
    let classes = matrix.per_class();
    assert_eq!((classes[1].precision, classes[1].recall, classes[1].f1), (None, Some(0.0), Some(0.0)));
    assert_eq!(classes[2].f1, None);
    assert_eq!(matrix.macro_average().recall, 0.5);
}

#[test]
fn labels_out_of_range_are_named() {
    let error = ConfusionMatrix::new(&[0, 3], &[0, 0], 3).unwrap_err();
    assert_eq!(error.to_string(), "`truth` is 3 at index 1; allowed: labels less than the number of classes");
    assert!(ConfusionMatrix::new(&[0], &[0], usize::MAX).is_err());
    assert!(cheapest_assignment(&[f64::NAN], 1, 1).is_err());
    assert!(cheapest_assignment(&[1.0], 1, 2).is_err());
}
