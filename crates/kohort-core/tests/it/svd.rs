//! The truncated SVD against scipy's and scikit-learn's (`tests/golden/svd.py`), and what holds for any matrix.

use kohort_core::random::{rand::Rng, stream};
use kohort_core::sparse::Csr;
use kohort_core::svd::{Effort, Svd, SvdError, truncated};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

/// A random matrix of that rank, with about half of its entries zero.
fn of_rank(rows: usize, cols: usize, rank: usize, seed: u64) -> Csr<f64> {
    let mut draw = stream(seed, "matrix of a rank", &[]);
    let mut half = |count: usize| -> Vec<f64> {
        (0..count).map(|_| if draw.random_bool(0.3) { draw.random_range(-1.0..1.0) } else { 0.0 }).collect()
    };
    let (left, right) = (half(rows * rank), half(rank * cols));
    let mut entries = Vec::new();
    for row in 0..rows {
        for col in 0..cols {
            let value = (0..rank).map(|k| left[row * rank + k] * right[k * cols + col]).sum::<f64>();
            if value != 0.0 {
                entries.push((row as u32, col as u32, value));
            }
        }
    }
    Csr::from_entries(rows, cols, &entries).expect("in range")
}

fn column(matrix: &[f64], width: usize, at: usize) -> Vec<f64> {
    matrix.iter().skip(at).step_by(width).copied().collect()
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[track_caller]
fn is_orthonormal(matrix: &[f64], width: usize, tolerance: f64) {
    for a in 0..width {
        for b in 0..width {
            let found = product(&column(matrix, width, a), &column(matrix, width, b));
            let want = f64::from(u8::from(a == b));
            assert!((found - want).abs() < tolerance, "columns {a} and {b}: {found}");
        }
    }
}

/// `U·diag(σ)·Vᵀ` at one place.
fn entry(svd: &Svd<f64>, row: usize, col: usize) -> f64 {
    let k = svd.rank();
    (0..k).map(|i| svd.left()[row * k + i] * svd.values()[i] * svd.right()[col * k + i]).sum()
}

#[test]
fn values_and_subspaces_are_those_of_scipy() {
    let golden: Value = serde_json::from_str(include_str!("../golden/svd.json")).expect("svd.json");
    let [row, col] = ["row", "col"].map(|name| numbers(&golden[name]));
    let entries: Vec<(u32, u32, f32)> =
        row.iter().zip(&col).map(|(&row, &col)| (row as u32, col as u32, 1.0)).collect();
    let (rows, cols) = (200, 120);
    let matrix = Csr::from_entries(rows, cols, &entries).expect("in range");
    let values = numbers(&golden["values"]);
    for (name, matrix) in [("tall", matrix.clone()), ("wide", matrix.transposed())] {
        let svd = truncated(&matrix, values.len(), Effort::default(), 3).expect("a rank it has");
        let wide = svd.values().iter().zip(&values).zip(numbers(&golden["randomized_values"]));
        for (at, ((found, want), sketched)) in wide.enumerate() {
            assert!((found / want - 1.0).abs() < 1e-4, "{name} {at}: {found}, scipy has {want}");
            assert!(
                (found / sketched - 1.0).abs() < 1e-4,
                "{name} {at}: {found}, scikit-learn has {sketched}"
            );
        }
        // How far each of scipy's vectors sticks out of our span: the sine of the angle to it.
        let items = if name == "tall" { svd.right() } else { svd.left() };
        let items: Vec<f64> = items.iter().map(|&x| f64::from(x)).collect();
        for (at, want) in golden["right"].as_array().expect("vectors").iter().map(numbers).enumerate() {
            let along = (0..values.len()).map(|k| product(&column(&items, values.len(), k), &want).powi(2));
            let sine = (1.0 - along.sum::<f64>()).max(0.0).sqrt();
            assert!(sine < 1e-2, "{name}: vector {at} is {sine} out of the span");
        }
    }
}

#[test]
fn a_matrix_of_low_rank_is_recovered_exactly() {
    for (rows, cols, rank) in [(80, 50, 5), (50, 80, 5), (30, 30, 1), (40, 13, 13)] {
        let matrix = of_rank(rows, cols, rank, 1);
        let svd = truncated(&matrix, rank, Effort::default(), 1).expect("a rank it has");
        assert_eq!(svd.rank(), rank);
        assert!(svd.values().windows(2).all(|pair| pair[0] >= pair[1] && pair[1] > 0.0));
        is_orthonormal(svd.left(), rank, 1e-10);
        is_orthonormal(svd.right(), rank, 1e-10);
        for row in 0..rows {
            let mut want = vec![0.0; cols];
            matrix.row(row).for_each(|(col, value)| want[col as usize] = value);
            for (col, want) in want.into_iter().enumerate() {
                let found = entry(&svd, row, col);
                assert!((found - want).abs() < 1e-10, "[{row}, {col}]: {found}, expected {want}");
            }
        }
    }
}

#[test]
fn a_matrix_of_lower_rank_than_asked_for_has_as_many_values_as_its_rank() {
    for (rows, cols) in [(60, 45), (45, 60)] {
        let matrix = of_rank(rows, cols, 4, 2);
        let svd = truncated(&matrix, 20, Effort::default(), 1).expect("a rank it could have");
        assert_eq!(svd.rank(), 4);
        is_orthonormal(svd.left(), 4, 1e-10);
        is_orthonormal(svd.right(), 4, 1e-10);
    }
    let one = Csr::from_entries(5, 4, &[(3, 2, -2.0)]).expect("in range");
    let svd = truncated(&one, 4, Effort::default(), 1).expect("a rank it could have");
    assert_eq!(svd.values(), [2.0]);
    assert_eq!((svd.left(), svd.right()), (&[0.0, 0.0, 0.0, -1.0, 0.0][..], &[0.0, 0.0, 1.0, 0.0][..]));
    let zero = Csr::<f64>::from_entries(5, 4, &[]).expect("in range");
    let svd = truncated(&zero, 2, Effort::default(), 1).expect("a rank it could have");
    assert_eq!((svd.rank(), svd.left(), svd.right()), (0, &[][..], &[][..]));
}

#[test]
fn values_over_four_orders_of_magnitude_keep_four_digits_at_any_size_of_the_matrix() {
    for size in [1e-300, 1.0, 1e300] {
        let entries: Vec<(u32, u32, f64)> =
            (0..40).map(|i| (i, (i * 7) % 40, size * 10f64.powf(-f64::from(i) / 10.0))).collect();
        let matrix = Csr::from_entries(50, 40, &entries).expect("in range");
        let svd = truncated(&matrix, 40, Effort::default(), 1).expect("a rank it has");
        assert_eq!(svd.rank(), 40, "the least is 1.3e-4 of the largest");
        for (i, value) in svd.values().iter().enumerate() {
            let want = entries[i].2;
            assert!((value / want - 1.0).abs() < 1e-4, "{i}: {value}, expected {want}");
        }
        is_orthonormal(svd.right(), 40, 1e-10);
        is_orthonormal(svd.left(), 40, 1e-6);
    }
}

#[test]
fn the_largest_entry_of_each_right_vector_is_positive_and_a_seed_repeats() {
    let matrix = of_rank(70, 40, 12, 5);
    let svd = truncated(&matrix, 8, Effort::default(), 11).expect("a rank it has");
    for k in 0..8 {
        let own = column(svd.right(), 8, k);
        let largest = own.iter().copied().fold(0.0f64, |most, x| if x.abs() > most.abs() { x } else { most });
        assert!(largest > 0.0, "vector {k}");
    }
    assert_eq!(svd, truncated(&matrix, 8, Effort::default(), 11).expect("the same"));
    let other = truncated(&matrix, 8, Effort::default(), 12).expect("a rank it has");
    for (a, b) in svd.right().iter().zip(other.right()) {
        assert!((a - b).abs() < 1e-4, "another seed may only move the last digits: {a}, {b}");
    }
}

#[test]
fn the_number_of_threads_moves_no_bit() {
    // Long enough for several pieces of every sum.
    let mut draw = stream(3, "entries", &[]);
    let mut at = |below: u32| draw.random_range(0..below);
    let entries: Vec<(u32, u32, f32)> = (0..9000).map(|_| (at(1500), at(700), 1.0)).collect();
    let matrix = Csr::from_entries(1500, 700, &entries).expect("in range");
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| truncated(&matrix, 150, Effort { iterations: 1, ..Effort::default() }, 1))
            .expect("fits")
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(5));
}

#[test]
fn a_rank_that_a_matrix_cannot_have_and_entries_out_of_range_are_errors() {
    let matrix = of_rank(9, 6, 3, 1);
    for rank in [0, 7] {
        let error = truncated(&matrix, rank, Effort::default(), 1).expect_err("out of range");
        assert_eq!(error, SvdError::Rank { rank, most: 6, rows: 9, cols: 6 });
    }
    let huge = Csr::from_entries(2, 2, &[(0, 0, f64::MAX), (0, 1, f64::MAX)]).expect("in range");
    let error = truncated(&huge, 1, Effort::default(), 1).expect_err("its only singular value is beyond f64");
    assert_eq!(error, SvdError::Diverged { largest: f64::MAX });
}
