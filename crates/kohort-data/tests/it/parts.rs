//! Three parts by time: every row in one, the last two of each user held out, nothing learned from the future.

use kohort_data::{DataError, Index, Interactions, Parts, ThreeWay};
use proptest::prelude::*;

/// Up to 100 rows of few users, items and times, so that pairs repeat and times tie.
fn rows() -> impl Strategy<Value = Interactions> {
    proptest::collection::vec((0u32..9, 0u32..12, 0i64..7), 3..100).prop_map(|cells| Interactions {
        user: cells.iter().map(|c| c.0).collect(),
        item: cells.iter().map(|c| c.1).collect(),
        rating: vec![1.0; cells.len()],
        time: cells.iter().map(|c| c.2).collect(),
        users: 9,
        items: 12,
    })
}

fn every_row_once(parts: &Parts, rows: &Interactions) -> bool {
    let origins = [parts.train.origin(), parts.validation.origin(), parts.test.origin()];
    let mut all = origins.concat();
    all.sort_unstable();
    all.len() == rows.len()
        && all.iter().enumerate().all(|(at, &row)| at as u32 == row)
        && origins.iter().all(|part| part.windows(2).all(|pair| pair[0] < pair[1]))
        && &rows.select(origins[0]) == parts.train.rows()
        && &rows.select(origins[1]) == parts.validation.rows()
        && &rows.select(origins[2]) == parts.test.answers()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_each_user_the_last_is_test_and_the_one_before_validation(rows in rows()) {
        let Ok(parts) = ThreeWay::LeaveTwoOut.split_with_duplicates(&rows) else { return Ok(()) };
        prop_assert!(every_row_once(&parts, &rows));
        prop_assert_eq!(parts.held_out_from(), None);
        let by_user = Index::new(&rows.user, rows.users);
        for user in 0..rows.users {
            let mut own = by_user.rows(user).to_vec();
            own.sort_by_key(|&row| rows.time[row as usize]); // stable: ties by row
            let held = |part: &[u32]| own.iter().copied().filter(|row| part.contains(row)).collect::<Vec<u32>>();
            let n = own.len();
            prop_assert_eq!(held(parts.test.origin()), if n > 1 { &own[n - 1..] } else { &[] });
            prop_assert_eq!(held(parts.validation.origin()), if n > 2 { &own[n - 2..n - 1] } else { &[] });
        }
    }

    #[test]
    fn a_global_cut_learns_nothing_from_the_future(rows in rows(), validation in 0.05f64..0.6, test in 0.05f64..0.6) {
        let parts = match (ThreeWay::GlobalTime { validation, test }).split_with_duplicates(&rows) {
            Ok(parts) => parts,
            Err(DataError::Setting { .. }) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        prop_assert!(every_row_once(&parts, &rows));
        let last = |rows: &Interactions| rows.time.iter().copied().max().unwrap();
        let first = |rows: &Interactions| rows.time.iter().copied().min().unwrap();
        prop_assert!(last(parts.train.rows()) < first(parts.validation.rows()));
        prop_assert!(last(parts.validation.rows()) < first(parts.test.answers()));
        prop_assert_eq!(parts.held_out_from(), Some(first(parts.validation.rows())));
        prop_assert!(parts.test.answers().len() as f64 + 0.5 >= test * rows.len() as f64, "at least its share");
    }
}

#[test]
fn what_cannot_be_cut_is_refused() {
    let rows = Interactions {
        user: vec![0; 4],
        item: vec![0, 1, 2, 0],
        rating: vec![1.0; 4],
        time: vec![1, 1, 1, 1],
        users: 1,
        items: 3,
    };
    let refused = |way: ThreeWay| way.split_with_duplicates(&rows).unwrap_err().to_string();
    assert!(matches!(ThreeWay::LeaveTwoOut.split(&rows), Err(DataError::Duplicate { .. })));
    assert_eq!(
        refused(ThreeWay::GlobalTime { validation: 0.0, test: 0.5 }),
        "split: validation: found 0, expected a number between 0 and 1, both excluded"
    );
    assert_eq!(
        refused(ThreeWay::GlobalTime { validation: 0.5, test: 0.5 }),
        "split: validation + test: found 1, expected less than 1"
    );
    assert!(
        refused(ThreeWay::GlobalTime { validation: 0.2, test: 0.2 })
            .ends_with("has no training row, expected rows in all three parts"),
        "one time cannot be parted"
    );
    let one = rows.select(&[0]);
    assert!(ThreeWay::LeaveTwoOut.split(&one).is_err());
    let way: ThreeWay = serde_json::from_str(r#"{"global-time":{"validation":0.1,"test":0.1}}"#).unwrap();
    assert_eq!(way, ThreeWay::GlobalTime { validation: 0.1, test: 0.1 });
}
