//! Splits: every row in exactly one part, for any rows.

use kohort_data::{DataError, Duplicates, Index, Interactions, Split, Train, Way};
use proptest::prelude::*;

/// Up to 120 rows of distinct (user, item) pairs.
fn rows() -> impl Strategy<Value = Interactions> {
    proptest::collection::btree_map((0u32..12, 0u32..15), (1u8..=5, 0i64..6), 4..120).prop_flat_map(|cells| {
        let cells: Vec<_> = cells.into_iter().collect();
        Just(cells).prop_shuffle().prop_map(|cells| Interactions {
            user: cells.iter().map(|c| c.0.0).collect(),
            item: cells.iter().map(|c| c.0.1).collect(),
            rating: cells.iter().map(|c| f32::from(c.1.0)).collect(),
            time: cells.iter().map(|c| c.1.1).collect(),
            users: 12,
            items: 15,
        })
    })
}

fn ways() -> impl Strategy<Value = Way> {
    prop_oneof![
        (0.05f64..0.95).prop_map(|share| Way::RandomRows { share }),
        (0.05f64..0.95).prop_map(|share| Way::PerUser { share }),
        (1usize..5).prop_map(|rows| Way::LeaveLast { rows }),
        (2usize..5, 0usize..5).prop_map(|(folds, fold)| Way::Fold { folds, fold }),
    ]
}

fn in_order(rows: &[u32]) -> bool {
    rows.windows(2).all(|pair| pair[0] < pair[1])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_row_is_in_exactly_one_part(rows in rows(), way in ways(), seed: u64, share in 0.1f64..0.9) {
        let split = match way.split(&rows, seed) {
            Ok(split) => split,
            // A part would be empty, or the fold does not exist: the only refusals.
            Err(DataError::Setting { .. }) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        prop_assert_eq!(&way.split(&rows, seed).unwrap(), &split, "same seed, same parts");
        prop_assert!(in_order(split.train.origin()) && in_order(split.test.origin()));
        let mut all = [split.train.origin(), split.test.origin()].concat();
        all.sort_unstable();
        prop_assert!(all.iter().enumerate().all(|(at, &row)| at as u32 == row) && all.len() == rows.len());
        prop_assert_eq!(&rows.select(split.train.origin()), split.train.rows());
        prop_assert_eq!(&rows.select(split.test.origin()), split.test.answers());
        prop_assert_eq!(split.test.queries().user, &split.test.answers().user[..]);

        if let Ok((train, validation)) = split.train.hold_out(share, seed) {
            prop_assert_eq!(train.rows().len() + validation.rows().len(), split.train.rows().len());
            prop_assert!(!train.rows().is_empty() && !validation.rows().is_empty());
            prop_assert_eq!(&rows.select(validation.origin()), validation.rows());
            prop_assert_eq!(train.with(validation), split.train);
        }
    }

    #[test]
    fn ways_by_user_leave_every_user_a_training_row(rows in rows(), seed: u64, share in 0.05f64..0.95, last in 1usize..4) {
        let before: Vec<usize> = Index::new(&rows.user, rows.users).sizes().collect();
        for way in [Way::PerUser { share }, Way::LeaveLast { rows: last }] {
            let Ok(split) = way.split(&rows, seed) else { continue };
            let train: Vec<usize> = Index::new(&split.train.rows().user, rows.users).sizes().collect();
            for user in 0..rows.users {
                prop_assert_eq!(train[user] == 0, before[user] == 0);
            }
            if let Way::LeaveLast { .. } = way {
                let test = split.test.answers();
                for (at, &user) in test.user.iter().enumerate() {
                    for (row, _) in split.train.rows().user.iter().enumerate().filter(|&(_, &u)| u == user) {
                        let kept = (split.train.rows().time[row], split.train.origin()[row]);
                        prop_assert!(kept < (test.time[at], split.test.origin()[at]), "ties by row order");
                    }
                }
            }
        }
    }

    #[test]
    fn folds_cover_every_row_once(rows in rows(), seed: u64, folds in 2usize..4) {
        let mut all = Vec::new();
        for fold in 0..folds {
            let split = Way::Fold { folds, fold }.split(&rows, seed).unwrap();
            prop_assert!(split.test.answers().len().abs_diff(rows.len() / folds) <= 1);
            all.extend_from_slice(split.test.origin());
        }
        all.sort_unstable();
        prop_assert!(all.iter().enumerate().all(|(at, &row)| at as u32 == row) && all.len() == rows.len());
    }

    #[test]
    fn merging_leaves_each_pair_once(mut rows in rows(), again in proptest::collection::vec((0usize..200, 1u8..=5), 1..20)) {
        let (distinct, users) = (rows.len(), rows.users);
        for (row, rating) in again {
            let row = row % distinct;
            rows.user.push(rows.user[row]);
            rows.item.push(rows.item[row]);
            rows.rating.push(f32::from(rating));
            rows.time.push(99);
        }
        prop_assert_eq!(rows.repeated_pairs(), rows.len() - distinct);
        let refused = rows.merge_duplicates(Duplicates::Error).unwrap_err();
        prop_assert!(matches!(refused, DataError::Duplicate { .. }), "{}", refused);
        let split_refused = Way::RandomRows { share: 0.5 }.split(&rows, 0).unwrap_err();
        prop_assert!(matches!(split_refused, DataError::Duplicate { .. }), "{}", split_refused);
        for policy in [Duplicates::Mean, Duplicates::Last, Duplicates::KeepFirst] {
            let merged = rows.merge_duplicates(policy).unwrap();
            prop_assert_eq!((merged.len(), merged.users), (distinct, users));
            merged.check_pairs().unwrap();
            if policy == Duplicates::Last {
                // By hand: a row stays if no later row (they are in time order here) has its pair.
                let stays = |r: &usize| (r + 1..rows.len()).all(|s| (rows.user[s], rows.item[s]) != (rows.user[*r], rows.item[*r]));
                let kept: Vec<u32> = (0..rows.len()).filter(stays).map(|r| r as u32).collect();
                prop_assert_eq!(&merged, &rows.select(&kept), "each in its own place");
                continue;
            }
            prop_assert_eq!(&merged.user[..], &rows.user[..distinct], "in the place of the first row");
            if policy == Duplicates::KeepFirst {
                prop_assert_eq!(&merged.rating[..], &rows.rating[..distinct]);
            }
        }
        // By hand for the mean: all rows of the pair, wherever they are.
        let merged = rows.merge_duplicates(Duplicates::Mean).unwrap();
        for at in 0..distinct {
            let own: Vec<f64> = (0..rows.len())
                .filter(|&r| (rows.user[r], rows.item[r]) == (merged.user[at], merged.item[at]))
                .map(|r| f64::from(rows.rating[r]))
                .collect();
            let mean = own.iter().sum::<f64>() / own.len() as f64;
            prop_assert!((f64::from(merged.rating[at]) - mean).abs() < 1e-6);
        }
    }
}

fn few() -> Interactions {
    Interactions {
        user: vec![0, 0, 1],
        item: vec![0, 1, 1],
        rating: vec![1.0, 2.0, 3.0],
        time: vec![5, 5, 5],
        users: 3,
        items: 2,
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    for (way, expected) in [
        (Way::RandomRows { share: 0.0 }, "share: found 0, expected a number between 0 and 1, both excluded"),
        (
            Way::RandomRows { share: f64::NAN },
            "share: found NaN, expected a number between 0 and 1, both excluded",
        ),
        (
            Way::RandomRows { share: 0.01 },
            "share: found 0.01, expected a share that leaves both parts some of the 3 rows",
        ),
        (Way::LeaveLast { rows: 0 }, "split: rows: found 0, expected at least 1"),
        (Way::Fold { folds: 4, fold: 0 }, "split: folds: found 4, expected 2 to the number of rows, 3"),
        (Way::Fold { folds: 2, fold: 2 }, "split: fold: found 2, expected 0 to 1"),
    ] {
        assert_eq!(way.split(&few(), 1).unwrap_err().to_string(), expected);
    }
    let mut broken = few();
    broken.user[0] = 3;
    assert_eq!(Train::new(broken).unwrap_err().to_string(), "row 0: user id 3 is not below 3");
}

#[test]
fn cold_users_and_items_are_those_below_the_count() {
    let train = Train::new(few()).unwrap();
    assert_eq!(train.cold_users(2), [1, 2]);
    assert_eq!(train.cold_items(1), [] as [u32; 0]);
    let members = kohort_data::Members::from_lists(&[vec![0, 2], vec![1, 2]], 3).unwrap();
    assert_eq!(train.cold_groups(&members, 2), [1]);
}

#[test]
fn a_given_split_may_not_share_a_pair() {
    let rows = few();
    let shared = Split::given(rows.clone(), rows.select(&[2]), None).unwrap_err();
    assert!(shared.to_string().starts_with("user id 1 and item id 1 meet in rows 2 and 3"), "{shared}");
    let stranger = Interactions { user: vec![2], item: vec![0], ..rows.select(&[0]) };
    let unknown = Split::given(rows.select(&[0]), stranger, Some(&rows)).unwrap_err();
    assert_eq!(unknown.to_string(), "the data set has no row of user id 2 and item id 0");
    let split = Split::given(rows.select(&[2]), rows.select(&[0]), Some(&rows)).unwrap();
    assert_eq!((split.train.origin(), split.test.origin()), (&[2][..], &[0][..]));
}

#[test]
fn a_way_can_stand_in_a_config() {
    let way = Way::RandomRows { share: 0.2 };
    let text = serde_json::to_string(&way).unwrap();
    assert_eq!(text, r#"{"random-rows":{"share":0.2}}"#);
    assert_eq!(serde_json::from_str::<Way>(&text).unwrap(), way);
    assert!(serde_json::from_str::<Way>(r#"{"random-rows":{"share":0.2,"seed":1}}"#).is_err());
}
