//! Columns, vocabularies and the data set that holds them.

use kohort_data::{Column, Features, Scale, Unseen, Vocabulary, synthetic};

#[test]
fn a_vocabulary_comes_back_as_it_was_stored() {
    let vocabulary: Vocabulary = ["b", "a", "c", "a"].into_iter().collect();
    let stored = serde_json::to_string(&vocabulary.clone().with_unseen(Unseen::Unknown)).unwrap();
    assert_eq!(stored, r#"{"tokens":["b","a","c"],"unseen":"unknown"}"#);
    let back: Vocabulary = serde_json::from_str(&stored).unwrap();
    assert_eq!((back.get("a"), back.id("z").unwrap(), back.len()), (Some(1), 3, 4));
    assert_eq!(back.token(3), None);
    let error = vocabulary.id("z").unwrap_err().to_string();
    assert_eq!(error, r#""z" is not in the vocabulary of 3 tokens"#);
}

fn features() -> Features {
    let mut features = Features::new(3);
    let tags: Vocabulary = ["x", "y"].into_iter().collect();
    features.push("kind", Column::categorical(["p", "q", "p"])).unwrap();
    features.push("tags", Column::multi_hot([vec![1, 0, 1], vec![], vec![1]], tags)).unwrap();
    features.push("vector", Column::Dense { width: 2, values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] }).unwrap();
    features.push_numbers("age", &[None, Some(10.0), Some(20.0)]).unwrap();
    features
}

#[test]
fn selected_rows_keep_every_column() {
    let picked = features().select(&[2, 0, 2]);
    picked.check().unwrap();
    let column = |name: &str| picked.column(name).unwrap().clone();
    assert_eq!((column("kind").codes(1), column("kind").codes(2)), (&[0][..], &[0][..]));
    assert_eq!((column("tags").codes(0), column("tags").codes(1)), (&[1][..], &[0, 1][..]));
    assert_eq!(column("vector").values(1), &[1.0, 2.0]);
    assert_eq!(column("age"), Column::Numeric(vec![20.0, 15.0, 20.0]));
    assert_eq!(picked.filled("age"), &[1]);
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let refused = |name: &str, column: Column| features().push(name, column).unwrap_err().to_string();
    let tags: Vocabulary = ["x"].into_iter().collect();
    assert_eq!(refused("kind", Column::Numeric(vec![0.0; 3])), r#"feature "kind" is there twice"#);
    assert_eq!(refused("n", Column::Numeric(vec![0.0; 2])), r#"feature "n": 2 rows, expected 3"#);
    assert_eq!(refused("n", Column::Numeric(vec![0.0, f32::NAN, 0.0])), r#"feature "n": value 1 is NaN"#);
    assert_eq!(
        refused("c", Column::Categorical { codes: vec![0, 1, 0], vocabulary: tags.clone() }),
        r#"feature "c": code 1 is not below 1"#
    );
    assert_eq!(
        refused("m", Column::MultiHot { offsets: vec![0, 1, 1, 1], codes: vec![0, 0], vocabulary: tags }),
        r#"feature "m": offsets do not ascend to the number of codes"#
    );
}

#[test]
fn a_data_set_that_does_not_fit_together_is_refused() {
    let (data, _) = synthetic::Recipe::small().generate(1).unwrap();
    data.check().unwrap();
    let mut off_scale = data.clone();
    off_scale.scale = Scale { low: 1.0, high: 4.0 };
    assert!(off_scale.check().unwrap_err().to_string().ends_with("rating 5 is not between 1 and 4"));
    let mut fewer = data;
    fewer.items = Vocabulary::new();
    assert_eq!(fewer.check().unwrap_err().to_string(), "items: found 80, expected 0");
}
