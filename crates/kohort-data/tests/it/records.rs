//! Records: every row in at most one part, cohorts from training rows alone, and nothing that does not fit.

use kohort_data::records::{
    CohortPaths, NO_COHORT, RecordShares, RecordSplit, Records, Target, TargetKind, TrainRecords,
};
use kohort_data::{Column, DataError, Features, Unseen, Vocabulary};
use proptest::prelude::*;

const REGIONS: [&str; 4] = ["north", "south", "east", "west"];
const STAGES: [&str; 3] = ["new", "active", "loyal"];

/// Records whose number feature is the row number, of the given (region, stage) pairs.
fn records(of_rows: &[(usize, usize)]) -> Records {
    let mut features = Features::new(of_rows.len());
    let numbers = (0..of_rows.len()).map(|row| row as f32).collect();
    features.push("row", Column::Numeric(numbers)).unwrap();
    let mut cohorts = Features::new(of_rows.len());
    cohorts.push("region", Column::categorical(of_rows.iter().map(|&(r, _)| REGIONS[r]))).unwrap();
    cohorts.push("stage", Column::categorical(of_rows.iter().map(|&(_, s)| STAGES[s]))).unwrap();
    let mut likes = Target::binary("likes", of_rows.iter().map(|&(r, _)| r % 2 == 0));
    likes.known = Some(of_rows.iter().map(|&(_, s)| s != 2).collect());
    Records {
        cohorts,
        targets: vec![likes, Target::number("row", (0..of_rows.len()).map(|r| r as f32).collect())],
        weight: Some((0..of_rows.len()).map(|row| 1.0 + row as f32).collect()),
        ..Records::new("tea", features)
    }
}

fn rows_of(numbers: &Features) -> Vec<u32> {
    let Some(Column::Numeric(values)) = numbers.column("row") else { panic!() };
    values.iter().map(|&value| value as u32).collect()
}

fn in_order(rows: &[u32]) -> bool {
    rows.windows(2).all(|pair| pair[0] < pair[1])
}

fn pairs() -> impl Strategy<Value = Vec<(usize, usize)>> {
    proptest::collection::vec((0..4usize, 0..3usize), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_record_is_in_exactly_one_part(pairs in pairs(), validation in 0.02f64..0.6, test in 0.02f64..0.6, seed: u64) {
        let records = records(&pairs);
        let shares = RecordShares { validation, test };
        let split = match shares.split(&records, seed) {
            Ok(split) => split,
            // A part would be empty, or nothing is left to learn from: the only refusals.
            Err(DataError::Setting { .. }) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        prop_assert_eq!(&shares.split(&records, seed).unwrap(), &split, "same seed, same parts");
        let origins = [split.train.origin(), split.validation.origin(), split.test.origin()];
        prop_assert!(origins.iter().all(|rows| in_order(rows)));
        let mut all = origins.concat();
        all.sort_unstable();
        prop_assert!(all.iter().enumerate().all(|(at, &row)| at as u32 == row) && all.len() == records.len());

        // Features, targets, masks, weights and cohorts follow their row.
        prop_assert_eq!(rows_of(split.train.features()), split.train.origin());
        prop_assert_eq!(rows_of(split.test.questions().features), split.test.origin());
        let answers = split.test.answers();
        for (at, &row) in split.test.origin().iter().enumerate() {
            prop_assert_eq!(answers.target("row").unwrap().values[at], row as f32);
            prop_assert_eq!(answers.weight.unwrap()[at], 1.0 + row as f32);
            prop_assert_eq!(answers.targets[0].is_known(at), records.targets[0].is_known(row as usize));
            let region = split.test.questions().cohorts.column("region").unwrap();
            prop_assert_eq!(region.codes(at), records.cohorts.column("region").unwrap().codes(row as usize));
        }
        // The test part does not depend on the validation share.
        if let Ok(other) = (RecordShares { validation: validation / 2.0, test }).split(&records, seed) {
            prop_assert_eq!(&other.test, &split.test);
        }
        if let Ok((kept, held)) = split.train.hold_out(0.3, seed) {
            let mut both = [kept.origin(), held.origin()].concat();
            both.sort_unstable();
            prop_assert_eq!(both, split.train.origin());
        }
    }

    #[test]
    fn each_training_row_has_its_deepest_cohort_and_parents_come_first(pairs in pairs(), least in 0usize..8) {
        let train = TrainRecords::new(records(&pairs)).unwrap();
        let paths = CohortPaths::of(&train, &["region", "stage"]).unwrap();
        for node in 0..paths.len() {
            match paths.parents()[node] {
                Some(parent) => {
                    prop_assert!((parent as usize) < node);
                    let above = format!("{} / ", paths.names()[parent as usize]);
                    prop_assert!(paths.names()[node].starts_with(&above));
                    prop_assert_eq!(paths.level(node as u32), paths.level(parent) + 1);
                }
                None => prop_assert_eq!(paths.level(node as u32), 0),
            }
        }
        let assigned = paths.assign(train.cohorts()).unwrap();
        for (&node, &(region, stage)) in assigned.iter().zip(&pairs) {
            prop_assert_eq!(&paths.names()[node as usize], &format!("{} / {}", REGIONS[region], STAGES[stage]));
        }
        for node in 0..paths.len() {
            let own = |n: u32| n as usize == node || paths.parents()[n as usize] == Some(node as u32);
            prop_assert_eq!(assigned.iter().filter(|&&n| own(n)).count(), paths.counts()[node]);
        }

        // Folded, a row goes to the nearest node above that has enough rows.
        let folded = paths.fold_small(least);
        prop_assert!(folded.counts().iter().all(|&count| count >= least));
        prop_assert_eq!(folded.len(), paths.counts().iter().filter(|&&count| count >= least).count());
        let names = |node: u32| (node != NO_COHORT).then(|| folded.names()[node as usize].clone());
        for (&node, &now) in assigned.iter().zip(&folded.assign(train.cohorts()).unwrap()) {
            let parent = paths.parents()[node as usize].unwrap();
            let expected = [node, parent].into_iter().find(|&n| paths.counts()[n as usize] >= least);
            prop_assert_eq!(names(now), expected.map(|n| paths.names()[n as usize].clone()));
        }
    }
}

#[test]
fn a_given_split_keeps_its_order_and_may_leave_rows_out() {
    let records = records(&[(0, 0), (1, 1), (2, 2), (3, 0), (0, 1)]);
    let split = RecordSplit::given(&records, &[4, 0], &[2], &[3]).unwrap();
    assert_eq!(rows_of(split.train.features()), [4, 0]);
    assert_eq!((split.validation.origin(), split.test.origin()), (&[2][..], &[3][..]));
    let refused = |train: &[u32], validation: &[u32], test: &[u32]| {
        RecordSplit::given(&records, train, validation, test).unwrap_err().to_string()
    };
    assert_eq!(refused(&[0, 1], &[2], &[1]), "test part: row 1 is named twice");
    assert_eq!(refused(&[0, 0], &[2], &[1]), "training part: row 0 is named twice");
    assert_eq!(refused(&[0], &[5], &[1]), "row 5 is not below 5");
    assert_eq!(
        refused(&[0], &[], &[1]),
        "split: found no validation row of 5, expected rows in all three parts"
    );
}

#[test]
fn a_published_training_part_is_kept_and_the_rest_halved() {
    let mut records = records(&[(0, 0); 11]);
    assert!(RecordSplit::published(&records, 1).is_err());
    records.published_train = Some(6);
    let split = RecordSplit::published(&records, 1).unwrap();
    assert_eq!(split.train.origin(), [0, 1, 2, 3, 4, 5]);
    assert_eq!((split.validation.len(), split.test.len()), (2, 3));
    assert_ne!(split, RecordSplit::published(&records, 2).unwrap());
    records.published_train = Some(12);
    assert!(RecordSplit::published(&records, 1).is_err());
    assert!(records.check().unwrap_err().to_string().contains("12 rows, expected at most 11"));
}

#[test]
fn shares_out_of_range_are_refused() {
    let records = records(&[(0, 0); 10]);
    let refused =
        |validation, test| RecordShares { validation, test }.split(&records, 1).unwrap_err().to_string();
    assert_eq!(
        refused(0.0, 0.2),
        "split: validation: found 0, expected a number between 0 and 1, both excluded"
    );
    assert!(refused(0.2, f64::NAN).starts_with("split: test: found NaN"));
    assert_eq!(refused(0.5, 0.5), "split: validation + test: found 1, expected less than 1");
    assert_eq!(refused(0.01, 0.2), "split: found no validation row of 10, expected rows in all three parts");
}

#[test]
fn what_does_not_fit_is_named() {
    let good = records(&[(0, 0), (1, 1), (2, 2)]);
    good.check().unwrap();
    let refused = |change: fn(&mut Records)| {
        let mut records = good.clone();
        change(&mut records);
        assert!(TrainRecords::new(records.clone()).is_err());
        records.check().unwrap_err().to_string()
    };
    type Change = fn(&mut Records);
    let cases: [(Change, &str); 10] = [
        (|r| r.targets[0].values.truncate(2), r#"target "likes": values: 2 rows, expected 3"#),
        (|r| r.targets[0].known = Some(vec![true]), r#"target "likes": known: 1 rows, expected 3"#),
        (|r| r.targets[0].values[1] = 0.5, r#"target "likes": row 1: found 0.5, expected 0 or 1"#),
        (
            |r| r.targets[1].values[2] = f32::INFINITY,
            r#"target "row": row 2: found inf, expected a finite number"#,
        ),
        (|r| r.targets[1].name = "likes".to_owned(), r#"target "likes" is there twice"#),
        (|r| r.weight = Some(vec![1.0; 4]), "weight: 4 rows, expected 3"),
        (|r| r.weight = Some(vec![1.0, -1.0, 1.0]), "weight: row 1: found -1, expected 0 or more"),
        (|r| r.cohorts = Features::new(2), "cohorts: 2 rows, expected 3"),
        (
            |r| r.cohorts.push("age", Column::Numeric(vec![1.0; 3])).unwrap(),
            r#"cohort column "age": expected a categorical column"#,
        ),
        (|r| r.features.columns.push(("x".to_owned(), Column::Numeric(vec![f32::NAN; 3]))), {
            r#"feature "x": value 0 is NaN"#
        }),
    ];
    for (change, expected) in cases {
        assert_eq!(refused(change), expected);
    }
    // Where a target is not known, its value may be neither 0 nor 1, but must be finite.
    let mut odd = good.clone();
    odd.targets[0].values[2] = 7.0;
    odd.check().unwrap();
    assert_eq!((odd.targets[0].kind, odd.targets[0].known_rows()), (TargetKind::Binary, 2));
    odd.targets[0].values[2] = f32::NAN;
    assert!(odd.check().is_err());
    let unknown = good.with_targets(&["row", "loves"]).unwrap_err().to_string();
    assert_eq!(unknown, r#"target: found "loves", expected one of likes, row"#);
}

#[test]
fn cohort_columns_that_cannot_be_used_are_named() {
    let train = TrainRecords::new(records(&[(0, 0), (1, 1)])).unwrap();
    let refused = |columns: &[&str]| CohortPaths::of(&train, columns).unwrap_err().to_string();
    assert_eq!(refused(&["region", "age"]), r#"cohort paths: found "age", expected one of region, stage"#);
    assert_eq!(refused(&["stage", "stage"]), r#"cohort paths: "stage" is named twice"#);
    assert_eq!(refused(&[]), "cohort paths: no column is named");
    let paths = CohortPaths::of(&train, &["stage"]).unwrap();
    assert!(paths.assign(&Features::new(3)).is_err());
}

#[test]
fn cohorts_come_from_training_rows_alone() {
    let records = records(&[(0, 0), (1, 1), (2, 2), (0, 1)]);
    let split = RecordSplit::given(&records, &[0, 1], &[2], &[3]).unwrap();
    let paths = CohortPaths::of(&split.train, &["region", "stage"]).unwrap();
    assert_eq!(paths.names(), ["north", "north / new", "south", "south / active"]);
    assert_eq!(paths.assign(split.validation.questions().cohorts).unwrap(), [NO_COHORT]);
    assert_eq!(paths.assign(split.test.questions().cohorts).unwrap(), [0], "an unseen stage of a region");
    let alone = split.train.select(&[1]).unwrap();
    assert_eq!((alone.origin(), alone.target("row").unwrap().values[0]), (&[1][..], 1.0));
    assert!(split.train.select(&[2]).is_err());
}

#[test]
fn a_row_of_an_unknown_stage_belongs_to_its_region() {
    let stages: Vocabulary = ["new"].into_iter().collect();
    let mut records = records(&[(0, 0), (0, 0)]);
    records.cohorts.columns[1].1 =
        Column::Categorical { codes: vec![0, 1], vocabulary: stages.with_unseen(Unseen::Unknown) };
    let train = TrainRecords::new(records).unwrap();
    let paths = CohortPaths::of(&train, &["region", "stage"]).unwrap();
    assert_eq!((paths.names().len(), paths.counts()), (2, &[2, 1][..]));
    assert_eq!(paths.assign(train.cohorts()).unwrap(), [1, 0]);
}
