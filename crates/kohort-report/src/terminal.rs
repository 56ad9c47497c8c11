//! The rows as a compact aligned table for standard output.

use std::fmt::Write;

use crate::number::{interval, number};
use crate::{Row, Verdict};

/// One block per experiment, data set and protocol; one line per system and variant; columns as wide as they need.
///
/// Cohorts and tasks are part of the line's name where rows have them. Plain text without colours, so that it can be
/// piped; the last column says whether the published numbers were met.
pub fn render_terminal_summary(rows: &[Row]) -> String {
    let mut groups: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in rows {
        let mut heading = format!("{} on {}", row.experiment, row.dataset);
        if let Some(protocol) = &row.protocol {
            let _ = write!(heading, ", protocol {protocol}");
        }
        match groups.iter_mut().find(|(known, _)| *known == heading) {
            Some((_, members)) => members.push(row),
            None => groups.push((heading, vec![row])),
        }
    }
    let blocks: Vec<String> = groups.iter().map(|(heading, rows)| block(heading, rows)).collect();
    blocks.join("\n")
}

fn block(heading: &str, rows: &[&Row]) -> String {
    let mut metrics: Vec<&str> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        if !metrics.contains(&row.metric.as_str()) {
            metrics.push(&row.metric);
        }
        let name = name(row);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut grid: Vec<Vec<String>> = vec![vec![String::new(); metrics.len() + 2]];
    for (at, metric) in metrics.iter().enumerate() {
        grid[0][at + 1] = (*metric).to_string();
    }
    for label in &names {
        let mut line = vec![label.clone()];
        let own: Vec<&Row> = rows.iter().copied().filter(|row| name(row) == *label).collect();
        for metric in &metrics {
            // The last row wins, as in Table::pivot.
            line.push(
                own.iter().rfind(|row| row.metric == *metric).map_or_else(String::new, |row| value(row)),
            );
        }
        line.push(verdict(&own));
        grid.push(line);
    }
    if let Some(paper) = published(rows, &metrics) {
        grid.push(paper);
    }
    format!("{heading}\n{}", align(&grid))
}

fn name(row: &Row) -> String {
    let mut name = row.system.clone().unwrap_or_else(|| "—".to_string());
    for part in [&row.variant, &row.cohort, &row.task].into_iter().flatten() {
        let _ = write!(name, " · {part}");
    }
    // A table of ranking and rating metrics has one line per system, not one per task.
    match &row.task {
        Some(task) if matches!(task.as_str(), "rating" | "ranking") => {
            name.trim_end_matches(&format!(" · {task}")).to_string()
        }
        _ => name,
    }
}

fn value(row: &Row) -> String {
    let mean = number(row.mean, 4);
    match row.mean.and_then(|mean| interval(mean, row.low, row.high, 4)) {
        Some(spread) => format!("{mean} {spread}"),
        None => mean,
    }
}

fn verdict(rows: &[&Row]) -> String {
    let worst = [Verdict::NotReproduced, Verdict::Reproduced, Verdict::NotComparable]
        .into_iter()
        .find(|verdict| rows.iter().any(|row| row.verdict == Some(*verdict)));
    worst.map_or_else(String::new, |verdict| verdict.words().to_string())
}

/// The published numbers as a line of their own, where each metric has at most one.
fn published(rows: &[&Row], metrics: &[&str]) -> Option<Vec<String>> {
    let mut line = vec!["paper".to_string()];
    let mut any = false;
    for metric in metrics {
        let mut values: Vec<(String, f64)> = Vec::new();
        for row in rows.iter().filter(|row| row.metric == *metric) {
            if let Some(value) = row.published.filter(|v| v.is_finite()) {
                values.push((name(row), value));
            }
        }
        any |= !values.is_empty();
        line.push(match values.as_slice() {
            [] => String::new(),
            [(_, value)] => number(Some(*value), 4),
            _ => "see report".to_string(),
        });
    }
    line.push(String::new());
    any.then_some(line)
}

fn align(grid: &[Vec<String>]) -> String {
    let columns = grid.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |at: usize| grid.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
    let mut out = String::new();
    for line in grid {
        let mut text = String::from(" ");
        for (at, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            let _ = if at == 0 || at + 1 == columns {
                write!(text, " {cell:<width$} ")
            } else {
                write!(text, " {cell:>width$} ")
            };
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_aligns_and_shows_the_paper_below() {
        let row = |system: &str, metric: &str, mean| {
            Row::new("main", "ml-100k", metric).protocol("a").system(system).mean(mean)
        };
        let rows = [
            row("SVD++", "RMSE", 0.919).interval(0.917, 0.921),
            row("SVD++", "P@10", 0.68),
            row("DMTL", "RMSE", 0.894).verdict(Verdict::NotComparable, "no published RMSE"),
            row("DMTL", "P@10", 0.69).published(0.6867).verdict(Verdict::Reproduced, "within the band"),
            row("DMTL", "NDCG@10", f64::NAN),
        ];
        let expected = "\
main on ml-100k, protocol a
                    RMSE    P@10  NDCG@10
  SVD++  0.9190 ± 0.0020  0.6800
  DMTL            0.8940  0.6900      n/a  reproduced
  paper                   0.6867
";
        assert_eq!(render_terminal_summary(&rows), expected);
    }

    #[test]
    fn no_rows_give_no_text() {
        assert_eq!(render_terminal_summary(&[]), "");
    }
}
