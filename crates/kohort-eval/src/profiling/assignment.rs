//! Matching rows to columns at the lowest total cost.
//!
//! The Hungarian method (Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics 1955) in
//! the form of shortest augmenting paths with potentials (Jonker and Volgenant, "A shortest augmenting path algorithm
//! for dense and sparse linear assignment problems", Computing 1987): rows enter one by one, each along the cheapest
//! alternating path under reduced costs `c_rk − u_r − v_k ≥ 0`. O(rows² · columns).

use super::confusion::ConfusionMatrix;
use crate::error::{Result, finite, same_length, setting};

/// For each row of `cost` `[rows, columns]` (row-major) the column matched to it, so that the sum of the matched
/// costs is the lowest possible. With more rows than columns some rows stay unmatched (`None`).
///
/// # Errors
/// `cost` of another length, 0 or more than 4096 rows or columns, a cost that is not finite.
pub fn cheapest_assignment(cost: &[f64], rows: usize, columns: usize) -> Result<Vec<Option<usize>>> {
    let most = super::confusion::MOST_CLASSES;
    setting("rows", rows, format!("1 to {most}"), (1..=most).contains(&rows))?;
    setting("columns", columns, format!("1 to {most}"), (1..=most).contains(&columns))?;
    same_length(("cost", cost.len()), ("rows x columns", rows * columns))?;
    finite("cost", cost)?;
    if rows <= columns {
        return Ok(match_each_row(|r, c| cost[r * columns + c], rows, columns)
            .into_iter()
            .map(Some)
            .collect());
    }
    let mut matched = vec![None; rows];
    for (column, row) in match_each_row(|c, r| cost[r * columns + c], columns, rows).into_iter().enumerate() {
        matched[row] = Some(column);
    }
    Ok(matched)
}

/// The name in `truth` `[n]` for each label of `clusters` `[n]`, so that as many rows as possible agree: a
/// permutation of `0..classes`, indexed by cluster label.
///
/// # Errors
/// As for [`ConfusionMatrix::new`].
pub fn match_labels(truth: &[u32], clusters: &[u32], classes: usize) -> Result<Vec<u32>> {
    let overlap = ConfusionMatrix::new(truth, clusters, classes)?;
    let counts = overlap.counts();
    let names = match_each_row(|cluster, name| -(counts[name * classes + cluster] as f64), classes, classes);
    Ok(names.into_iter().map(|name| name as u32).collect())
}

/// A column for every row, `rows ≤ columns`.
fn match_each_row(cost: impl Fn(usize, usize) -> f64, rows: usize, columns: usize) -> Vec<usize> {
    // Column `columns` is a placeholder that the entering row is matched to while its path is sought.
    let entry = columns;
    let mut row_potential = vec![0.0; rows];
    let mut column_potential = vec![0.0; columns + 1];
    let mut row_of: Vec<Option<usize>> = vec![None; columns + 1];
    for row in 0..rows {
        row_of[entry] = Some(row);
        let mut column = entry;
        let mut distance = vec![f64::INFINITY; columns];
        let mut came_from = vec![entry; columns];
        let mut visited = vec![false; columns + 1];
        while let Some(current) = row_of[column] {
            visited[column] = true;
            let (mut shortest, mut next) = (f64::INFINITY, column);
            for c in (0..columns).filter(|&c| !visited[c]) {
                let reduced = cost(current, c) - row_potential[current] - column_potential[c];
                if reduced < distance[c] {
                    distance[c] = reduced;
                    came_from[c] = column;
                }
                if distance[c] < shortest {
                    (shortest, next) = (distance[c], c);
                }
            }
            // `rows ≤ columns` and finite costs leave an unvisited column until a free one is reached.
            for c in 0..=columns {
                if visited[c] {
                    if let Some(r) = row_of[c] {
                        row_potential[r] += shortest;
                    }
                    column_potential[c] -= shortest;
                } else {
                    distance[c] -= shortest;
                }
            }
            column = next;
        }
        while column != entry {
            let previous = came_from[column];
            row_of[column] = row_of[previous];
            column = previous;
        }
    }
    let mut matched = vec![0; rows];
    for (column, row) in row_of.into_iter().take(columns).enumerate() {
        if let Some(row) = row {
            matched[row] = column;
        }
    }
    matched
}
