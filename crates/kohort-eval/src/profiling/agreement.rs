//! Agreement of two partitions whatever their labels are called.
//!
//! With `n_ab` rows in cluster `a` of the one and `b` of the other partition:
//!
//! * `NMI = I(A; B) / ((H(A) + H(B)) / 2)`, `I = Σ (n_ab/n) ln(n n_ab / (n_a n_b))`; the arithmetic mean is
//!   scikit-learn's default among several in use.
//! * `ARI = (Σ C(n_ab, 2) − E) / ((Σ C(n_a, 2) + Σ C(n_b, 2))/2 − E)`, `E = Σ C(n_a, 2) Σ C(n_b, 2) / C(n, 2)`
//!   (Hubert and Arabie, "Comparing partitions", Journal of Classification 1985).

use crate::error::{Result, at_least, same_length};

/// Normalised mutual information of the labels `a` `[n]` and `b` `[n]`, 0 (independent) to 1 (same partition).
/// Two partitions of one cluster each agree fully: 1.
///
/// # Errors
/// Different lengths or no rows.
pub fn normalised_mutual_information(a: &[u32], b: &[u32]) -> Result<f64> {
    let table = Contingency::new(a, b)?;
    let n = table.rows as f64;
    let entropy = |sizes: &[u64]| -> f64 {
        if sizes.len() == 1 {
            0.0
        } else {
            sizes.iter().map(|&s| -(s as f64 / n) * (s as f64 / n).ln()).sum()
        }
    };
    let (of_a, of_b) = (entropy(&table.a_sizes), entropy(&table.b_sizes));
    if of_a == 0.0 && of_b == 0.0 {
        return Ok(1.0);
    }
    let information: f64 = table
        .cells
        .iter()
        .map(|&(a, b, count)| {
            let count = count as f64;
            let expected = table.a_sizes[a] as f64 * (table.b_sizes[b] as f64 / n);
            count / n * (count / expected).ln()
        })
        .sum();
    Ok((information / (0.5 * (of_a + of_b))).clamp(0.0, 1.0))
}

/// Rand index of the labels `a` `[n]` and `b` `[n]`, adjusted for chance: 1 for the same partition, 0 on average for
/// random ones, negative for less agreement than chance. Two partitions without any pair to disagree on give 1.
///
/// # Errors
/// Different lengths or no rows.
pub fn adjusted_rand_index(a: &[u32], b: &[u32]) -> Result<f64> {
    let table = Contingency::new(a, b)?;
    let pairs = |n: u64| n as f64 * (n as f64 - 1.0) / 2.0;
    let together: f64 = table.cells.iter().map(|&(_, _, count)| pairs(count)).sum();
    let in_a: f64 = table.a_sizes.iter().map(|&n| pairs(n)).sum();
    let in_b: f64 = table.b_sizes.iter().map(|&n| pairs(n)).sum();
    let all = pairs(table.rows);
    if all == 0.0 {
        return Ok(1.0);
    }
    let expected = in_a * (in_b / all);
    let highest = 0.5 * (in_a + in_b);
    // Equal only when both partitions are one cluster or both are all singletons.
    Ok(if highest == expected { 1.0 } else { (together - expected) / (highest - expected) })
}

/// Rows per pair of clusters, without the empty cells.
struct Contingency {
    rows: u64,
    a_sizes: Vec<u64>,
    b_sizes: Vec<u64>,
    /// `(index into a_sizes, index into b_sizes, rows)`.
    cells: Vec<(usize, usize, u64)>,
}

impl Contingency {
    fn new(a: &[u32], b: &[u32]) -> Result<Self> {
        same_length(("b", b.len()), ("a", a.len()))?;
        at_least("a", a.len(), 1)?;
        let (a, a_sizes) = compact(a);
        let (b, b_sizes) = compact(b);
        let mut pairs: Vec<(usize, usize)> = a.into_iter().zip(b).collect();
        pairs.sort_unstable();
        let rows = pairs.len() as u64;
        let cells = pairs.chunk_by(|x, y| x == y).map(|run| (run[0].0, run[0].1, run.len() as u64)).collect();
        Ok(Self { rows, a_sizes, b_sizes, cells })
    }
}

/// Labels as indices into their sorted distinct values, and how often each occurs.
fn compact(labels: &[u32]) -> (Vec<usize>, Vec<u64>) {
    let mut distinct = labels.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let mut sizes = vec![0; distinct.len()];
    let compacted = labels
        .iter()
        .map(|label| {
            let index = distinct.partition_point(|other| other < label);
            sizes[index] += 1;
            index
        })
        .collect();
    (compacted, sizes)
}
