//! Compressed rows against the dense matrix they stand for.

use kohort_core::sparse::{Csr, SparseError, Symmetric};
use proptest::prelude::*;

/// Up to 60 entries of a matrix of up to 9 by 12, places repeated, and a dense matrix to multiply with.
fn entries() -> impl Strategy<Value = (usize, usize, Vec<(u32, u32, f64)>)> {
    (1usize..10, 1usize..13).prop_flat_map(|(rows, cols)| {
        let entry = (0..rows as u32, 0..cols as u32, -8i32..8).prop_map(|(r, c, v)| (r, c, f64::from(v)));
        proptest::collection::vec(entry, 0..60).prop_map(move |entries| (rows, cols, entries))
    })
}

fn dense(rows: usize, cols: usize, entries: &[(u32, u32, f64)]) -> Vec<f64> {
    let mut all = vec![0.0; rows * cols];
    entries.iter().for_each(|&(row, col, value)| all[row as usize * cols + col as usize] += value);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn products_are_those_of_the_dense_matrix((rows, cols, entries) in entries(), width in 0usize..5) {
        let matrix = Csr::from_entries(rows, cols, &entries).unwrap();
        let all = dense(rows, cols, &entries);
        let b: Vec<f64> = (0..cols * width).map(|at| at as f64 - 7.0).collect();
        let found = matrix.times(&b, width);
        for row in 0..rows {
            for at in 0..width {
                let want: f64 = (0..cols).map(|col| all[row * cols + col] * b[col * width + at]).sum();
                prop_assert_eq!(found[row * width + at], want); // whole numbers: no rounding
            }
        }
        let flat = matrix.transposed();
        prop_assert_eq!((flat.rows(), flat.cols(), flat.entries()), (cols, rows, matrix.entries()));
        prop_assert_eq!(&flat.transposed(), &matrix);
        for row in 0..rows {
            for (col, value) in matrix.row(row) {
                prop_assert!(flat.row(col as usize).any(|found| found == (row as u32, value)));
            }
        }
    }

    #[test]
    fn lists_are_either_a_matrix_or_an_error(cols in 0usize..5, offsets in proptest::collection::vec(0usize..7, 0..5), columns in proptest::collection::vec(0u32..7, 0..7)) {
        let values = vec![1.0f32; columns.len()];
        if let Ok(matrix) = Csr::new(cols, offsets, columns, values) {
            let all: Vec<(u32, f32)> = (0..matrix.rows()).flat_map(|row| matrix.row(row)).collect();
            prop_assert_eq!(all.len(), matrix.entries());
            prop_assert!(all.iter().all(|&(col, _)| (col as usize) < cols));
            prop_assert_eq!(&matrix.transposed().transposed(), &matrix);
        }
    }
}

#[test]
fn rows_of_a_product_have_the_same_bits_for_any_number_of_threads() {
    let entries: Vec<(u32, u32, f32)> =
        (0..4000u32).map(|i| (i * 7 % 501, i * i % 333, (i as f32).sin())).collect();
    let matrix = Csr::from_entries(501, 333, &entries).unwrap();
    let b: Vec<f32> = (0..333 * 9).map(|i| (i as f32).cos()).collect();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| matrix.times(&b, 9))
    };
    assert_eq!(run(1), run(2));
    assert_eq!(run(1), run(5));
}

#[test]
fn what_is_no_matrix_is_named() {
    let refused = |cols, offsets: &[usize], columns: &[u32], values: &[f64]| {
        Csr::new(cols, offsets.to_vec(), columns.to_vec(), values.to_vec()).unwrap_err().to_string()
    };
    for (found, expected) in [
        (refused(2, &[0, 1], &[0], &[]), "sparse matrix: 1 columns and 0 values"),
        (refused(2, &[], &[], &[]), "sparse matrix: offsets from None to None, expected 0 to 0"),
        (refused(2, &[0, 2, 1], &[0], &[1.0]), "sparse matrix: row 1 begins at 2 and ends at 1"),
        (refused(2, &[0, 2], &[1, 1], &[1.0; 2]), "sparse matrix: row 0 has column 1 after column 1"),
        (
            refused(2, &[0, 1], &[1], &[f64::NAN]),
            "sparse matrix: row 0, column 1: found NaN, expected a finite number",
        ),
        (
            refused(2, &[0, 1], &[2], &[1.0]),
            "sparse matrix [1, 2]: entry 0 is at row 0, column 2, which it does not have",
        ),
    ] {
        assert_eq!(found, expected);
    }
    let sum = Csr::from_entries(1, 1, &[(0, 0, f32::MAX), (0, 0, f32::MAX)]).unwrap_err();
    assert!(matches!(sum, SparseError::Value { row: 0, col: 0, .. }), "{sum}");
}

#[test]
fn what_is_not_symmetric_or_no_edge_is_refused() {
    let refused = |matrix: Csr<f64>| Symmetric::new(matrix).unwrap_err().to_string();
    let one_way = Csr::from_entries(2, 2, &[(0, 1, 1.0)]).unwrap();
    let expected = "sparse matrix [2, 2]: row 0 differs from column 0, expected a symmetric matrix";
    assert_eq!(refused(one_way), expected);
    assert!(refused(Csr::from_entries(2, 3, &[]).unwrap()).contains("[2, 3]"));
    let both = Csr::from_entries(2, 2, &[(0, 1, 0.5), (1, 0, 0.5), (1, 1, 2.0)]).unwrap();
    assert_eq!(Symmetric::new(both.clone()).unwrap().matrix(), &both);

    let outside = Symmetric::<f32>::bipartite((2, 2), &[0, 2], &[0, 1]).unwrap_err();
    assert!(matches!(outside, SparseError::Place { row: 2, .. }), "{outside}");
    let uneven = Symmetric::<f32>::bipartite((2, 2), &[0], &[0, 1]).unwrap_err();
    assert_eq!(uneven.to_string(), "sparse matrix: 1 users and 2 items of edges");
}

#[test]
fn a_bipartite_graph_is_symmetric_and_its_largest_eigenvalue_is_1() {
    let (user, item) = ([0u32, 0, 1, 2, 2, 2], [0u32, 1, 1, 0, 1, 3]);
    let graph = Symmetric::<f64>::bipartite((3, 4), &user, &item).unwrap();
    assert_eq!(Symmetric::new(graph.matrix().clone()).unwrap(), graph);
    // √d is an eigenvector of D^−½ A D^−½ with eigenvalue 1; item 2 has degree 0.
    let root: Vec<f64> = [2.0f64, 1.0, 3.0, 2.0, 3.0, 0.0, 1.0].map(f64::sqrt).to_vec();
    let again = graph.matrix().times(&root, 1);
    root.iter().zip(again).for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
}
