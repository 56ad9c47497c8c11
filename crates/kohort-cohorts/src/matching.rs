//! One-to-one matching of rows to columns at the least total cost (the assignment problem).
//!
//! Rows join one at a time. Each looks for the cheapest alternating path from itself to a free column, by
//! Dijkstra over costs reduced by row and column prices, which keeps them at 0 or more; then the pairs along
//! the path change hands. `O(rows² · columns)`.
//!
//! Source: H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly
//! 2, 1955, in the shortest-path form of R. Jonker and A. Volgenant, Computing 38, 1987.

/// The column of each row, for `costs: [rows, columns]`, row-major and finite; `None` for rows left over
/// where there are more rows than columns. Deterministic: of equally cheap paths, the one with the lower
/// column is taken.
pub(crate) fn cheapest(costs: &[f64], rows: usize, columns: usize) -> Vec<Option<usize>> {
    debug_assert_eq!(costs.len(), rows * columns);
    if rows > columns {
        let turned: Vec<f64> = (0..columns * rows).map(|i| costs[(i % rows) * columns + i / rows]).collect();
        let mut of_row = vec![None; rows];
        for (column, row) in cheapest(&turned, columns, rows).into_iter().enumerate() {
            if let Some(row) = row {
                of_row[row] = Some(column);
            }
        }
        return of_row;
    }
    let (mut row_price, mut column_price) = (vec![0.0; rows], vec![0.0; columns]);
    let mut row_of: Vec<Option<usize>> = vec![None; columns];
    for new in 0..rows {
        // Distance of each column from `new`, the row it is reached from, and whether that is final.
        let mut distance = vec![f64::INFINITY; columns];
        let mut reached_from = vec![new; columns];
        let mut settled = vec![false; columns];
        let (mut row, mut length) = (new, 0.0);
        let free = loop {
            let mut nearest: Option<usize> = None;
            for column in (0..columns).filter(|&c| !settled[c]) {
                let through = length + costs[row * columns + column] - row_price[row] - column_price[column];
                if through < distance[column] {
                    (distance[column], reached_from[column]) = (through, row);
                }
                if nearest.is_none_or(|best| distance[column] < distance[best]) {
                    nearest = Some(column);
                }
            }
            let column = nearest.expect("there are no more rows than columns, so a column is free");
            settled[column] = true;
            length = distance[column];
            match row_of[column] {
                None => break column,
                Some(next) => row = next,
            }
        };
        row_price[new] += length;
        for column in (0..columns).filter(|&c| settled[c] && c != free) {
            let gain = length - distance[column];
            column_price[column] -= gain;
            row_price[row_of[column].expect("only the last settled column is free")] += gain;
        }
        let mut column = free;
        loop {
            let from = reached_from[column];
            row_of[column] = Some(from);
            if from == new {
                break;
            }
            column = (0..columns)
                .find(|&c| c != column && row_of[c] == Some(from) && settled[c])
                .expect("a row on the path, other than the new one, held a settled column");
        }
    }
    let mut column_of = vec![None; rows];
    for (column, row) in row_of.into_iter().enumerate() {
        if let Some(row) = row {
            column_of[row] = Some(column);
        }
    }
    column_of
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::cheapest;

    fn total(costs: &[f64], columns: usize, of_row: &[Option<usize>]) -> f64 {
        of_row.iter().enumerate().filter_map(|(row, c)| c.map(|c| costs[row * columns + c])).sum()
    }

    /// Tries everything.
    fn least(costs: &[f64], columns: usize, row: usize, rows: usize, used: u32) -> f64 {
        if row == rows {
            return 0.0;
        }
        // With more rows than columns, some rows stay out: exactly as many as there are too many.
        let left = rows - row;
        let free = columns - used.count_ones() as usize;
        let skip = if left > free { least(costs, columns, row + 1, rows, used) } else { f64::INFINITY };
        (0..columns)
            .filter(|c| used & (1 << c) == 0)
            .map(|c| costs[row * columns + c] + least(costs, columns, row + 1, rows, used | (1 << c)))
            .fold(skip, f64::min)
    }

    #[test]
    fn a_known_answer() {
        let costs = [4.0, 1.0, 3.0, 2.0, 0.0, 5.0, 3.0, 2.0, 2.0];
        assert_eq!(cheapest(&costs, 3, 3), [Some(1), Some(0), Some(2)]);
    }

    #[test]
    fn nothing_to_match_is_no_error() {
        assert!(cheapest(&[], 0, 3).is_empty());
        assert_eq!(cheapest(&[], 2, 0), [None, None]);
    }

    proptest! {
        #[test]
        fn no_matching_is_cheaper(rows in 1usize..6, columns in 1usize..6, seed in prop::collection::vec(-9i32..9, 25)) {
            let costs: Vec<f64> = seed[..rows * columns].iter().map(|&c| f64::from(c)).collect();
            let of_row = cheapest(&costs, rows, columns);
            let mut used: Vec<usize> = of_row.iter().flatten().copied().collect();
            prop_assert_eq!(used.len(), rows.min(columns));
            used.sort_unstable();
            used.dedup();
            prop_assert_eq!(used.len(), rows.min(columns), "a column was given twice");
            prop_assert_eq!(total(&costs, columns, &of_row), least(&costs, columns, 0, rows, 0));
        }
    }
}
