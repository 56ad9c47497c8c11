//! A table of metrics, pivoted from flat rows: one line per system (or what the caller names), one column per metric.

use crate::{Row, Verdict};

/// A table of metrics.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Caption above the table.
    pub caption: String,
    /// Heading of the first column.
    pub stub: String,
    /// The metrics.
    pub columns: Vec<Column>,
    /// One per system.
    pub lines: Vec<Line>,
    /// Floor and ceiling where they are the same for all lines, set apart under the table.
    pub references: Vec<ReferenceLine>,
    /// What the paired test compares, for the footnote under the table.
    pub test_note: Option<String>,
}

/// A metric as a column.
#[derive(Debug, Clone)]
pub struct Column {
    /// The metric's name in the rows.
    pub metric: String,
    /// Column heading.
    pub label: String,
    /// Which end is good.
    pub better: Better,
    /// Decimals.
    pub digits: usize,
}

impl Column {
    /// A metric where more is better, four decimals.
    pub fn higher(metric: impl Into<String>) -> Self {
        let metric = metric.into();
        Self { label: metric.clone(), metric, better: Better::Higher, digits: 4 }
    }

    /// A metric where less is better, four decimals.
    pub fn lower(metric: impl Into<String>) -> Self {
        Self { better: Better::Lower, ..Self::higher(metric) }
    }

    /// A quantity without a good end, four decimals.
    pub fn neutral(metric: impl Into<String>) -> Self {
        Self { better: Better::Neither, ..Self::higher(metric) }
    }

    /// Sets the decimals.
    pub fn digits(mut self, digits: usize) -> Self {
        self.digits = digits;
        self
    }

    /// Sets the heading.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn heading(&self) -> String {
        match self.better {
            Better::Higher => format!("{} ↑", self.label),
            Better::Lower => format!("{} ↓", self.label),
            Better::Neither => self.label.clone(),
        }
    }
}

/// Which end of a metric is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Nothing is marked as best.
    Neither,
}

/// A line of the table.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// Text of the first column.
    pub label: String,
    /// Drawn in the accent colour: the system that the experiment is about.
    pub highlight: bool,
    /// One per column, `None` where there is no row.
    pub cells: Vec<Option<Cell>>,
}

/// A cell: what the rows said, and whether it is the best of its column.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// Mean over the seeds.
    pub mean: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
    /// Random floor where it is this cell's own.
    pub floor: Option<f64>,
    /// Oracle ceiling where it is this cell's own.
    pub ceiling: Option<f64>,
    /// The number in the paper.
    pub published: Option<f64>,
    /// Whether it was met.
    pub verdict: Option<Verdict>,
    /// Why.
    pub reason: Option<String>,
    /// Of the paired test against the main system.
    pub p_value: Option<f64>,
    /// Best mean of the column.
    pub best: bool,
}

/// Floor or ceiling of every column.
#[derive(Debug, Clone)]
pub struct ReferenceLine {
    /// `Random floor` or `Oracle ceiling`.
    pub label: String,
    /// One per column.
    pub values: Vec<Option<f64>>,
}

/// p-values below this are marked in tables.
pub(crate) const SIGNIFICANT: f64 = 0.05;

impl Table {
    /// One line per system, with the variant behind it where there is one.
    pub fn by_system(caption: impl Into<String>, rows: &[Row], columns: &[Column]) -> Self {
        let label = |row: &Row| match (&row.system, &row.variant) {
            (Some(system), Some(variant)) => format!("{system} ({variant})"),
            (Some(name), None) | (None, Some(name)) => name.clone(),
            (None, None) => "—".to_string(),
        };
        Self::pivot(caption, "System", rows, label, columns)
    }

    /// One line per distinct `label(row)`, in order of first appearance; `stub` heads the first column.
    ///
    /// Rows whose metric is not among the `columns` are left out. Where two rows fall into one cell the last one is
    /// shown, so `label` must tell apart what the table is to tell apart.
    pub fn pivot(
        caption: impl Into<String>,
        stub: impl Into<String>,
        rows: &[Row],
        label: impl Fn(&Row) -> String,
        columns: &[Column],
    ) -> Self {
        let mut lines: Vec<Line> = Vec::new();
        for row in rows {
            let Some(at) = columns.iter().position(|column| column.metric == row.metric) else { continue };
            let label = label(row);
            let line = match lines.iter().position(|line| line.label == label) {
                Some(found) => &mut lines[found],
                None => {
                    lines.push(Line { label, highlight: false, cells: vec![None; columns.len()] });
                    let last = lines.len() - 1;
                    &mut lines[last]
                }
            };
            line.cells[at] = Some(Cell::of(row));
        }
        let mut table = Self {
            caption: caption.into(),
            stub: stub.into(),
            columns: columns.to_vec(),
            lines,
            ..Self::default()
        };
        table.mark_best();
        table.lift_references();
        table
    }

    /// Draws the line named `label` in the accent colour.
    pub fn highlight(mut self, label: &str) -> Self {
        for line in &mut self.lines {
            line.highlight |= line.label == label;
        }
        self
    }

    /// Says what the paired test compares; p-values are only explained with this.
    pub fn test_note(mut self, note: impl Into<String>) -> Self {
        self.test_note = Some(note.into());
        self
    }

    /// Orders the lines by a metric, best first; lines without it go last and keep their order.
    pub fn sort_by(mut self, metric: &str) -> Self {
        let Some(at) = self.columns.iter().position(|column| column.metric == metric) else { return self };
        let sign = if self.columns[at].better == Better::Lower { 1.0 } else { -1.0 };
        let key = |line: &Line| line.mean(at).map_or(f64::INFINITY, |mean| sign * mean);
        self.lines.sort_by(|a, b| key(a).total_cmp(&key(b)));
        self
    }

    pub(crate) fn has_verdicts(&self) -> bool {
        self.cells().any(|cell| cell.verdict.is_some())
    }

    pub(crate) fn has_significant(&self) -> bool {
        self.cells().any(Cell::significant)
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.lines.iter().flat_map(|line| line.cells.iter().flatten())
    }

    fn mark_best(&mut self) {
        for (at, column) in self.columns.iter().enumerate() {
            let means = self.lines.iter().filter_map(|line| line.mean(at));
            let best = match column.better {
                Better::Higher => means.reduce(f64::max),
                Better::Lower => means.reduce(f64::min),
                Better::Neither => None,
            };
            let lines = self.lines.len();
            for line in &mut self.lines {
                let is_best = lines > 1 && best.is_some() && line.mean(at) == best;
                if let Some(cell) = &mut line.cells[at] {
                    cell.best = is_best;
                }
            }
        }
    }

    fn lift_references(&mut self) {
        for (label, field) in [
            ("Random floor", (|cell| &mut cell.floor) as fn(&mut Cell) -> &mut Option<f64>),
            ("Oracle ceiling", |cell| &mut cell.ceiling),
        ] {
            let values: Vec<Option<f64>> = (0..self.columns.len()).map(|at| self.lift(at, field)).collect();
            if values.iter().any(Option::is_some) {
                self.references.push(ReferenceLine { label: label.to_string(), values });
            }
        }
    }

    /// Takes a value out of the cells of a column if all that have it agree.
    fn lift(&mut self, at: usize, field: fn(&mut Cell) -> &mut Option<f64>) -> Option<f64> {
        let mut cells: Vec<&mut Cell> =
            self.lines.iter_mut().filter_map(|line| line.cells[at].as_mut()).collect();
        let mut values = cells.iter_mut().filter_map(|cell| *field(cell));
        let first = values.next()?;
        if !values.all(|value| (value - first).abs() <= 1e-12) {
            return None;
        }
        for cell in cells {
            *field(cell) = None;
        }
        Some(first)
    }
}

impl Line {
    fn mean(&self, at: usize) -> Option<f64> {
        self.cells[at].as_ref()?.mean
    }

    /// The verdicts of a line: each with the columns it holds for and the distinct reasons.
    pub(crate) fn verdicts(&self, columns: &[Column]) -> Vec<LineVerdict> {
        let mut groups: Vec<LineVerdict> = Vec::new();
        for (cell, column) in self.cells.iter().zip(columns) {
            let Some((cell, verdict)) = cell.as_ref().and_then(|cell| Some((cell, cell.verdict?))) else {
                continue;
            };
            let at = groups.iter().position(|group| group.verdict == verdict).unwrap_or_else(|| {
                groups.push(LineVerdict { verdict, metrics: Vec::new(), reasons: Vec::new() });
                groups.len() - 1
            });
            groups[at].metrics.push(column.label.clone());
            if let Some(reason) = &cell.reason
                && !groups[at].reasons.contains(reason)
            {
                groups[at].reasons.push(reason.clone());
            }
        }
        groups.sort_by_key(|group| group.verdict);
        groups
    }
}

pub(crate) struct LineVerdict {
    pub(crate) verdict: Verdict,
    pub(crate) metrics: Vec<String>,
    pub(crate) reasons: Vec<String>,
}

impl Cell {
    fn of(row: &Row) -> Self {
        let finite = |value: Option<f64>| value.filter(|v| v.is_finite());
        Self {
            mean: finite(row.mean),
            low: finite(row.low),
            high: finite(row.high),
            floor: finite(row.floor),
            ceiling: finite(row.ceiling),
            published: finite(row.published),
            verdict: row.verdict,
            reason: row.reason.clone(),
            p_value: finite(row.p_value),
            best: false,
        }
    }

    /// Why there is no value, where the rows say so: `undefined` is an answer, other than an empty cell.
    pub(crate) fn undefined(&self) -> Option<&str> {
        self.reason.as_deref().filter(|_| self.mean.is_none() && self.verdict.is_none())
    }

    pub(crate) fn significant(&self) -> bool {
        self.p_value.is_some_and(|p| p < SIGNIFICANT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rmse(system: &str, mean: f64) -> Row {
        Row::new("main", "d", "RMSE").system(system).mean(mean)
    }

    #[test]
    fn the_best_is_marked_by_the_good_end_and_never_a_nan() {
        let rows = [rmse("a", 0.95), rmse("b", 0.90), rmse("c", f64::NAN)];
        let best = |column| {
            let table = Table::by_system("t", &rows, &[column]);
            table.lines.into_iter().find(|line| line.cells[0].as_ref().unwrap().best).unwrap().label
        };
        assert_eq!(best(Column::lower("RMSE")), "b");
        assert_eq!(best(Column::higher("RMSE")), "a");
    }

    #[test]
    fn a_floor_common_to_all_lines_is_set_apart_and_others_stay_in_their_cells() {
        let common = [rmse("a", 0.95).between(0.1, 0.8), rmse("b", 0.90).between(0.1, 0.9)];
        let table = Table::by_system("t", &common, &[Column::lower("RMSE")]);
        assert_eq!(table.references.len(), 1);
        assert_eq!(table.references[0].values, [Some(0.1)]);
        let cell = table.lines[1].cells[0].as_ref().unwrap();
        assert_eq!((cell.floor, cell.ceiling), (None, Some(0.9)));
    }

    #[test]
    fn sorting_puts_the_best_first_and_the_missing_last() {
        let rows = [rmse("none", f64::NAN), rmse("worse", 0.95), rmse("better", 0.90)];
        let table = Table::by_system("t", &rows, &[Column::lower("RMSE")]).sort_by("RMSE");
        assert_eq!(
            table.lines.iter().map(|line| line.label.as_str()).collect::<Vec<_>>(),
            ["better", "worse", "none"]
        );
    }

    #[test]
    fn verdicts_are_grouped_with_their_metrics() {
        let rows = [
            rmse("a", 0.9).verdict(Verdict::NotComparable, "no published RMSE"),
            Row::new("main", "d", "P@10").system("a").mean(0.68).verdict(Verdict::Reproduced, "within 0.01"),
            Row::new("main", "d", "R@10").system("a").mean(0.80).verdict(Verdict::Reproduced, "within 0.01"),
        ];
        let columns = [Column::lower("RMSE"), Column::higher("P@10"), Column::higher("R@10")];
        let table = Table::by_system("t", &rows, &columns);
        let verdicts = table.lines[0].verdicts(&table.columns);
        assert_eq!(verdicts[0].metrics, ["P@10", "R@10"]);
        assert_eq!(verdicts[0].reasons, ["within 0.01"]);
        assert_eq!(verdicts[1].verdict, Verdict::NotComparable);
    }
}
