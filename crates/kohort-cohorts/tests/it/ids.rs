//! Ids outlive a fit.

use kohort_cohorts::{Assignment, MatchError, match_ids, match_ids_by_centres};
use proptest::prelude::*;

fn before(labels: &[u32], ids: &[u32], next_id: u32) -> Assignment {
    Assignment { labels: labels.to_vec(), ids: ids.to_vec(), next_id }
}

#[test]
fn the_largest_total_overlap_wins_even_against_the_largest_single_one() {
    // Cluster 0 shares 4 users with cohort 0 and 3 with cohort 1; cluster 1 shares 3 with cohort 0 and none
    // with cohort 1. Greedy matching would take the 4 and leave cluster 1 without a partner; 3 + 3 is more.
    let old = [[0; 4].as_slice(), &[1; 3], &[0; 3]].concat();
    let new = [[0; 4].as_slice(), &[0; 3], &[1; 3]].concat();
    let matched = match_ids(&before(&old, &[0, 1], 2), &new, 2).unwrap();
    assert_eq!(matched.ids, [1, 0]);
    assert_eq!(matched.kept, [0, 1]);
}

#[test]
fn births_get_fresh_ids_and_deaths_are_final() {
    // Cohort 4 splits in two, cohort 9 dies out into cohort 5.
    let old = [4, 4, 4, 4, 4, 5, 5, 5, 9];
    let new = [0, 0, 0, 1, 1, 2, 2, 2, 2];
    let first = before(&old, &[9, 5, 4], 12);
    let matched = match_ids(&first, &new, 3).unwrap();
    // Cluster 1 could only be cohort 4, which cluster 0 has: it is not given cohort 9, with which it shares
    // nobody.
    assert_eq!(matched.ids, [4, 12, 5]);
    assert_eq!(
        (&matched.births[..], &matched.deaths[..], &matched.kept[..]),
        (&[12][..], &[9][..], &[4, 5][..])
    );
    assert_eq!(matched.next_id, 13);
    let labels: Vec<u32> = new.iter().map(|&c| matched.ids[c as usize]).collect();
    let second = before(&labels, &matched.ids, matched.next_id);
    // Everybody alone again: no id of the past comes back.
    let third = match_ids(&second, &[0, 1, 2, 3, 4, 5, 6, 7, 8], 9).unwrap();
    assert!(third.births.iter().all(|&id| id >= 13), "{third:?}");
    assert!(third.deaths.is_empty());
}

#[test]
fn centres_decide_where_users_differ() {
    let old = before(&[], &[7, 3], 8);
    let matched =
        match_ids_by_centres(&old, &[0.0f32, 0.0, 10.0, 10.0], &[10.5, 10.0, 99.0, 0.0, 0.5, 0.0], 2, 5.0)
            .unwrap();
    assert_eq!(matched.ids, [3, 8, 7]);
    let strict =
        match_ids_by_centres(&old, &[0.0f32, 0.0, 10.0, 10.0], &[10.5, 10.0, 6.0, 0.0], 2, 1.0).unwrap();
    assert_eq!((strict.ids, strict.deaths), (vec![3, 8], vec![7]));
}

#[test]
fn what_can_not_be_matched_is_refused() {
    let old = before(&[0, 1], &[0, 1], 2);
    assert_eq!(match_ids(&old, &[0], 1), Err(MatchError::Users { previous: 2, new: 1 }));
    assert_eq!(match_ids(&old, &[0, 5], 2), Err(MatchError::Label { user: 1, label: 5, clusters: 2 }));
    for (centres, dim) in [(&[0.0f32, 1.0, 2.0][..], 2), (&[0.0, 1.0], 0), (&[0.0, f32::NAN], 1)] {
        assert!(match_ids_by_centres(&old, &[0.0, 1.0], centres, dim, 1.0).is_err());
    }
    let full = before(&[0, u32::MAX], &[0, u32::MAX], 0);
    assert_eq!(match_ids(&full, &[0, 0], 2), Err(MatchError::NoIdsLeft));
}

proptest! {
    #[test]
    fn renumbered_clusters_get_their_ids_back(labels in prop::collection::vec(0u32..6, 1..80), turn in 0u32..6) {
        let mut used = labels.clone();
        used.sort_unstable();
        used.dedup();
        let renumbered: Vec<u32> = labels.iter().map(|l| (l + turn) % 6).collect();
        let matched = match_ids(&before(&labels, &used, 6), &renumbered, 6).unwrap();
        let again: Vec<u32> = renumbered.iter().map(|&c| matched.ids[c as usize]).collect();
        prop_assert_eq!(again, labels);
        prop_assert!(matched.deaths.is_empty());
        prop_assert_eq!(matched.births.len(), 6 - used.len());
    }
}
