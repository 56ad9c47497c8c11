//! How far two partitions of the same things agree, whatever the labels are called.
//!
//! With `n_ab` things that are in part `a` of the one and `b` of the other, `n_a` and `n_b` their sums, and `n` things:
//!
//! ```text
//! NMI = 2 I / (H_a + H_b),   I = Σ_ab (n_ab/n) ln(n n_ab / (n_a n_b)),   H_a = −Σ_a (n_a/n) ln(n_a/n)
//! ARI = (X − E) / (½(A + B) − E),   X = Σ_ab C(n_ab, 2),  A = Σ_a C(n_a, 2),  B = Σ_b C(n_b, 2),  E = A B / C(n, 2)
//! ```
//!
//! NMI is in [0, 1]; two random partitions score above 0, the more so the more parts they have. ARI is 1 for equal partitions and
//! 0 on average for random ones. Where the quotient is 0/0 (both have one part, or each thing alone) the partitions are equal, and the result
//! is 1; so it is for no things at all.
//!
//! Sources: A. Strehl and J. Ghosh, "Cluster ensembles", JMLR 3, 2002 (here with the arithmetic mean, as scikit-learn does); L. Hubert and P.
//! Arabie, "Comparing partitions", Journal of Classification 2, 1985.

/// Two labellings of different numbers of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{a} labels on one side, {b} on the other: the same things must be labelled on both")]
pub struct LabelsDiffer {
    /// Labels on the one side.
    pub a: usize,
    /// Labels on the other.
    pub b: usize,
}

/// Normalised mutual information of labels `a` and `b`, both `[things]`.
///
/// ```
/// use kohort_cohorts::quality::normalised_mutual_information;
///
/// assert_eq!(normalised_mutual_information(&[0, 0, 1, 1], &[5, 5, 2, 2])?, 1.0);
/// assert_eq!(normalised_mutual_information(&[0, 0, 1, 1], &[0, 1, 0, 1])?, 0.0);
/// # Ok::<(), kohort_cohorts::quality::LabelsDiffer>(())
/// ```
///
/// # Errors
/// Different numbers of labels.
pub fn normalised_mutual_information(a: &[u32], b: &[u32]) -> Result<f64, LabelsDiffer> {
    let table = Table::new(a, b)?;
    let n = a.len() as f64;
    let entropy = |counts: &[u64]| -> f64 {
        counts.iter().filter(|&&c| c > 0).map(|&c| c as f64 / n).map(|p| -p * p.ln()).sum()
    };
    let mean = 0.5 * (entropy(&table.a) + entropy(&table.b));
    if mean <= 0.0 {
        return Ok(1.0);
    }
    let information: f64 = table
        .cells
        .iter()
        .map(|&(x, y, count)| {
            let (count, x, y) = (count as f64, table.a[x as usize] as f64, table.b[y as usize] as f64);
            count / n * (n * count / (x * y)).ln()
        })
        .sum();
    Ok((information / mean).clamp(0.0, 1.0))
}

/// Adjusted Rand index of labels `a` and `b`, both `[things]`; at most 1, below 0 for less agreement than chance.
///
/// ```
/// use kohort_cohorts::quality::adjusted_rand;
///
/// assert_eq!(adjusted_rand(&[0, 0, 1, 1], &[5, 5, 2, 2])?, 1.0);
/// assert!((adjusted_rand(&[0, 0, 1, 1], &[0, 1, 0, 1])? + 0.5).abs() < 1e-12);
/// # Ok::<(), kohort_cohorts::quality::LabelsDiffer>(())
/// ```
///
/// # Errors
/// Different numbers of labels.
pub fn adjusted_rand(a: &[u32], b: &[u32]) -> Result<f64, LabelsDiffer> {
    let table = Table::new(a, b)?;
    let pairs = |count: u64| count as f64 * (count as f64 - 1.0) / 2.0;
    let all = pairs(a.len() as u64);
    if all <= 0.0 {
        return Ok(1.0);
    }
    let both: f64 = table.cells.iter().map(|&(_, _, count)| pairs(count)).sum();
    let in_a: f64 = table.a.iter().map(|&count| pairs(count)).sum();
    let in_b: f64 = table.b.iter().map(|&count| pairs(count)).sum();
    let expected = in_a * in_b / all;
    let most = 0.5 * (in_a + in_b);
    if most == expected {
        return Ok(1.0);
    }
    Ok((both - expected) / (most - expected))
}

/// How often labels meet.
struct Table {
    /// `(label of a, label of b, things)` for every pair that meets, labels numbered by rank.
    cells: Vec<(u32, u32, u64)>,
    a: Vec<u64>,
    b: Vec<u64>,
}

impl Table {
    fn new(a: &[u32], b: &[u32]) -> Result<Self, LabelsDiffer> {
        if a.len() != b.len() {
            return Err(LabelsDiffer { a: a.len(), b: b.len() });
        }
        let (a, b) = (ranks(a), ranks(b));
        let mut met: Vec<(u32, u32)> = a.iter().copied().zip(b.iter().copied()).collect();
        met.sort_unstable();
        let cells = met
            .chunk_by(|one, other| one == other)
            .map(|same| (same[0].0, same[0].1, same.len() as u64))
            .collect();
        Ok(Self { cells, a: counts(&a), b: counts(&b) })
    }
}

/// Labels as positions among the different labels: counts then have no holes, however large labels are.
fn ranks(labels: &[u32]) -> Vec<u32> {
    let mut distinct = labels.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    labels.iter().map(|label| distinct.partition_point(|other| other < label) as u32).collect()
}

fn counts(ranks: &[u32]) -> Vec<u64> {
    let mut counts = vec![0; ranks.iter().max().map_or(0, |&rank| rank as usize + 1)];
    ranks.iter().for_each(|&rank| counts[rank as usize] += 1);
    counts
}
