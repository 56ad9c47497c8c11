//! Vectors from Parquet files that pyarrow wrote (`tests/golden/vectors/make.py`), whole and broken.

use kohort_data::read::vectors::parquet;
use proptest::prelude::*;

use crate::vectors::{altered, golden, is_golden, refused};

#[test]
fn lists_and_columns_of_numbers_give_the_same_matrix() {
    for file in ["list", "fixed", "half"] {
        println!("{file}");
        is_golden(parquet(&golden(&format!("{file}.parquet")), "asin", &["vector"]));
        is_golden(parquet(&golden(&format!("{file}.parquet")), "asin", &[]));
    }
    is_golden(parquet(&golden("columns.parquet"), "asin", &[]));
    is_golden(parquet(&golden("columns.parquet"), "asin", &["x0", "x1", "x2"]));
}

#[test]
fn columns_stand_in_the_order_asked_for_and_whole_numbers_are_names() {
    let named = parquet(&golden("columns.parquet"), "asin", &["x2", "x0"]).unwrap();
    assert_eq!(named.vectors().row(1), [0.25, -0.25]);
    let named = parquet(&golden("numbered.parquet"), "number", &[]).unwrap();
    assert_eq!(named.ids().tokens().collect::<Vec<_>>(), ["7", "8", "9", "10", "11"]);
}

#[test]
fn each_fault_is_told_with_row_id_and_column() {
    let folder = golden("");
    let folder = folder.as_path().components().as_path();
    let read = |file: &str, id: &str, columns: &[&str]| {
        refused(parquet(&golden(&format!("{file}.parquet")), id, columns), folder)
    };
    for (found, expected) in [
        (
            read("broken-ragged", "asin", &[]),
            r#"broken-ragged.parquet: row 2 (id "B00C") has 1 numbers, expected 2, as the rows before it"#,
        ),
        (
            read("broken-nan", "asin", &[]),
            r#"broken-nan.parquet: row 2 (id "B00C"), column 1: found NaN, expected a finite number"#,
        ),
        (
            read("broken-null", "asin", &[]),
            r#"broken-null.parquet: row 1, column "vector", place 1: found null, expected a number"#,
        ),
        (
            read("broken-no-list", "asin", &[]),
            r#"broken-no-list.parquet: row 1, column "vector": found null, expected a number"#,
        ),
        (
            read("broken-empty-list", "asin", &[]),
            r#"broken-empty-list.parquet: row 1 (id "B00B") has no numbers"#,
        ),
        (
            read("broken-repeated", "asin", &[]),
            r#"broken-repeated.parquet: row 3: id "b" is that of row 1 too, expected each id once"#,
        ),
        (
            read("broken-no-name", "asin", &[]),
            r#"broken-no-name.parquet: row 1, column "asin": found null, expected a text or a whole number"#,
        ),
        (read("broken-no-rows", "asin", &[]), "broken-no-rows.parquet: no rows, expected at least one"),
        (
            read("broken-text", "asin", &[]),
            r#"broken-text.parquet: row 0, column "vector": found "B00A", expected a number"#,
        ),
        (read("list", "id", &[]), r#"list.parquet:1: no column "id"; the columns are asin, vector"#),
        (
            read("list", "asin", &["asin"]),
            r#"list.parquet: column "asin" is the id, expected columns of numbers"#,
        ),
        (
            read("columns", "asin", &["x1", "x1"]),
            r#"columns.parquet: column "x1" twice, expected each column once"#,
        ),
        (
            read("list", "vector", &["asin"]),
            r#"list.parquet: row 0, column "asin": found "B00A", expected a number"#,
        ),
    ] {
        assert_eq!(found, expected);
    }
    let zstd = read("zstd", "asin", &[]);
    assert!(zstd.starts_with("zstd.parquet: ") && zstd.contains("zstd"), "{zstd}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn altered_files_are_read_or_refused_and_never_panic(bytes in altered(std::fs::read(golden("list.parquet")).unwrap()), columns in altered(std::fs::read(golden("columns.parquet")).unwrap())) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.parquet");
        for bytes in [bytes, columns] {
            std::fs::write(&path, &bytes).unwrap();
            if let Ok(named) = parquet(&path, "asin", &[]) {
                prop_assert!(named.vectors().values().iter().all(|x| x.is_finite()));
            }
        }
    }
}
