//! Popularity bias: cases by hand, golden values of the spread, properties, refusals.

use kohort_eval::popularity::{
    Popularity, Tail, bias, entropy, exposures, gini, local_lift, local_share, popularity_lift,
};
use proptest::prelude::*;

const GOLDEN: &str = include_str!("../golden/calibration.json");

#[test]
fn the_spread_agrees_with_other_definitions_of_it() {
    let golden: serde_json::Value = serde_json::from_str(GOLDEN).unwrap();
    for case in golden["spread"].as_array().unwrap() {
        let counts: Vec<u64> =
            case["counts"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
        assert!((gini(&counts) - case["gini"].as_f64().unwrap()).abs() < 1e-12);
        assert!((entropy(&counts).unwrap() - case["entropy"].as_f64().unwrap()).abs() < 1e-12);
    }
}

/// Users 0 to 3; item 0 has all four, item 1 three, item 2 two, items 3 and 4 one, item 5 none.
fn popularity() -> Popularity {
    let items = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4];
    let users = [0, 1, 2, 3, 0, 1, 2, 0, 1, 0, 3];
    Popularity::of(&users, &items, 6).unwrap()
}

#[test]
fn popularity_counts_a_user_once() {
    assert_eq!(popularity().of_items(), [1.0, 0.75, 0.5, 0.25, 0.25, 0.0]);
    let repeated = Popularity::of(&[0, 0, 0, 1], &[0, 0, 0, 1], 2).unwrap();
    assert_eq!(repeated.of_items(), [0.5, 0.5]);
}

#[test]
fn the_tail_is_outside_the_head_or_outside_the_mass() {
    let tail = |tail| popularity().tail(tail).unwrap();
    assert_eq!(tail(Tail::OutsideHead { share: 0.34 }), [false, false, true, true, true, true]);
    // 4 of 11 pairs are below a half, 7 above; 9 of 11 reach 0.8.
    assert_eq!(tail(Tail::OutsideMass { share: 0.5 }), [false, false, true, true, true, true]);
    assert_eq!(tail(Tail::OutsideMass { share: 0.8 }), [false, false, false, true, true, true]);
    assert!(popularity().tail(Tail::OutsideHead { share: 1.0 }).is_err());
}

#[test]
fn bias_by_hand() {
    let popularity = popularity();
    let tail = popularity.tail(Tail::OutsideMass { share: 0.8 }).unwrap();
    let lists = [vec![0, 1], vec![0, 3], vec![], vec![4, 5]];
    let found = bias(&lists, &popularity, &tail).unwrap();
    assert_eq!((found.lists, found.empty), (4, 1));
    assert!((found.arp.unwrap() - (0.875 + 0.625 + 0.125) / 3.0).abs() < 1e-15);
    assert_eq!((found.aplt, found.aclt), (Some(0.5), Some(0.75)));
    assert_eq!(found.coverage, 5.0 / 6.0);
    // Exposures 0, 1, 1, 1, 1, 2: Σ (2j − 7) x = −3 − 1 + 1 + 3 + 10 = 10, of 6 · 6.
    assert!((found.gini - 10.0 / 36.0).abs() < 1e-15);
    assert!((found.entropy.unwrap() - (4.0 / 6.0 * 6.0f64.log2() + 2.0 / 6.0 * 3.0f64.log2())).abs() < 1e-12);
    let nothing = bias::<Vec<u32>>(&[], &popularity, &tail).unwrap();
    assert_eq!((nothing.arp, nothing.aplt, nothing.aclt, nothing.entropy), (None, None, None, None));
}

#[test]
fn lift_and_local_shares_by_hand() {
    let popularity = popularity();
    let profiles = [vec![0, 1, 2, 3], vec![0, 4], vec![]];
    let lift = popularity_lift(&profiles, &[[0, 1], [0, 1], [0, 1]], &popularity).unwrap().unwrap();
    assert_eq!((lift.users, lift.profile, lift.recommended), (2, 0.625, 0.875));
    assert!((lift.relative().unwrap() - 0.4).abs() < 1e-15);
    assert_eq!(popularity_lift(&[[0; 0]], &[[0]], &popularity).unwrap(), None);
    assert!(popularity_lift(&profiles, &[[0, 1]], &popularity).is_err());

    let local = [false, false, true, true, false, false];
    assert_eq!(local_share(&[[0, 3], [2, 3]], &local).unwrap(), Some(0.75));
    assert_eq!(local_share(&[[0u32; 0]], &local).unwrap(), None);
    assert_eq!(local_lift(&[[0, 3]], &[2, 2, 0, 0, 0, 0, 0, 1], &local).unwrap(), Some(2.0));
    assert_eq!(local_lift(&[[0, 3]], &[0, 1], &local).unwrap(), None, "nothing local was consumed");
}

#[test]
fn wrong_lists_are_refused() {
    let popularity = popularity();
    let error = |lists: &[&[u32]]| bias(lists, &popularity, &[false; 6]).unwrap_err().to_string();
    assert_eq!(
        error(&[&[0], &[1, 6]]),
        "`lists` is 6 at index 1; allowed: item ids below the number of items"
    );
    assert_eq!(error(&[&[1, 0, 1]]), "`lists` is 1 at index 0; allowed: each item once in a list");
    assert!(bias(&[[0]], &popularity, &[false; 5]).is_err());
    assert!(Popularity::of(&[0], &[3], 3).is_err());
    assert!(Popularity::of(&[], &[], 3).is_err());
    assert!(Popularity::of(&[0, 1], &[0], 3).is_err());
}

fn lists() -> impl Strategy<Value = Vec<Vec<u32>>> {
    proptest::collection::vec(
        proptest::collection::btree_set(0u32..12, 0..8).prop_map(|set| set.into_iter().collect()),
        1..20,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_number_lies_between_its_bounds(lists in lists(), rows in proptest::collection::vec((0u32..9, 0u32..12), 1..60), share in 0.05f64..0.95) {
        let (users, items): (Vec<u32>, Vec<u32>) = rows.into_iter().unzip();
        let popularity = Popularity::of(&users, &items, 12).unwrap();
        for tail in [Tail::OutsideHead { share }, Tail::OutsideMass { share }] {
            let tail = popularity.tail(tail).unwrap();
            let lowest = (0..12).filter(|&i| !tail[i]).map(|i| popularity.of_items()[i]).fold(1.0, f64::min);
            prop_assert!((0..12).filter(|&i| tail[i]).all(|i| popularity.of_items()[i] <= lowest), "the head is more popular");
            let found = bias(&lists, &popularity, &tail).unwrap();
            for value in [found.arp, found.aplt, Some(found.gini), Some(found.coverage)].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&value), "{}", value);
            }
            prop_assert!(found.gini <= 1.0 - 1.0 / 12.0 + 1e-12);
            prop_assert!(found.entropy.is_none_or(|bits| bits >= 0.0 && bits <= 12f64.log2() + 1e-12));
            prop_assert!(found.aclt.unwrap() <= 8.0);
        }
    }

    #[test]
    fn spread_does_not_depend_on_scale_or_names(counts in proptest::collection::vec(0u64..50, 1..30), times in 1u64..5) {
        let scaled: Vec<u64> = counts.iter().rev().map(|n| n * times).collect();
        prop_assert!((gini(&counts) - gini(&scaled)).abs() < 1e-12);
        match (entropy(&counts), entropy(&scaled)) {
            (Some(a), Some(b)) => prop_assert!((a - b).abs() < 1e-12),
            (a, b) => prop_assert_eq!(a, b),
        }
    }

    #[test]
    fn exposures_count_every_recommendation(lists in lists()) {
        let counts = exposures(&lists, 12).unwrap();
        prop_assert_eq!(counts.iter().sum::<u64>() as usize, lists.iter().map(Vec::len).sum::<usize>());
    }
}
