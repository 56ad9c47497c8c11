//! Random cohorts.

use kohort_cohorts::controls::{shuffled, shuffled_levels, shuffled_within};
use kohort_cohorts::quality::adjusted_rand;
use proptest::prelude::*;

fn sorted<T: Ord + Clone>(values: &[T]) -> Vec<T> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values
}

#[test]
fn random_cohorts_say_nothing_about_the_real_ones() {
    let labels: Vec<u32> = (0..3000).map(|user| user % 3 + user % 2).collect();
    let mean =
        (0..20).map(|seed| adjusted_rand(&labels, &shuffled(&labels, seed)).unwrap()).sum::<f64>() / 20.0;
    assert!(mean.abs() < 0.002, "{mean}");
    assert_ne!(shuffled(&labels, 0), shuffled(&labels, 1));
    assert!(shuffled::<u32>(&[], 0).is_empty());
    assert_eq!(shuffled(&[4], 0), [4]);
}

#[test]
fn levels_of_different_users_are_refused() {
    let error = shuffled_levels(&[vec![1, 2], vec![1]], 0).unwrap_err();
    assert_eq!(error.to_string(), "one level has 2 users, another 1: all levels must label the same users");
    assert!(shuffled_within(&[1], &[], 0).is_err());
    assert!(shuffled_levels(&[], 0).unwrap().is_empty());
}

proptest! {
    #[test]
    fn random_cohorts_have_the_sizes_and_the_nesting_of_the_real_ones(
        rows in prop::collection::vec((0u32..3, 0u32..4), 0..60), seed in 0u64..99,
    ) {
        let (coarse, fine): (Vec<u32>, Vec<u32>) = rows.iter().map(|&(a, b)| (a, 10 * a + b)).unzip();
        let levels = shuffled_levels(&[coarse.clone(), fine.clone()], seed).unwrap();
        let pairs: Vec<(u32, u32)> = levels[0].iter().copied().zip(levels[1].iter().copied()).collect();
        let real: Vec<(u32, u32)> = coarse.iter().copied().zip(fine.iter().copied()).collect();
        prop_assert_eq!(sorted(&pairs), sorted(&real));
        let within = shuffled_within(&fine, &coarse, seed).unwrap();
        prop_assert!(within.iter().zip(&coarse).all(|(f, c)| f / 10 == *c));
        prop_assert_eq!(sorted(&within), sorted(&fine));
        prop_assert_eq!(&within, &shuffled_within(&fine, &coarse, seed).unwrap());
    }
}
