//! A table for the terminal and `target/bench/results.json`.

use std::fmt::Write;

use anyhow::Result;
use serde_json::Value;

use super::outcome::Outcome;

/// The table's columns, and whether each is text, which stands to the left.
pub(super) const HEADER: [(&str, bool); 17] = [
    ("bench", true),
    ("peer", true),
    ("threads", false),
    ("size", true),
    ("ours", false),
    ("its", false),
    ("ratio", false),
    ("spread", false),
    ("wanted", false),
    ("our value", false),
    ("its value", false),
    ("of plain", false),
    ("GFLOP", false),
    ("MB", false),
    ("floor", false),
    ("of floor", false),
    ("our builds", true),
];

/// The text of `results.json`.
pub(super) fn json(outcomes: &[Outcome]) -> Result<String> {
    let rows: Vec<Value> = outcomes.iter().map(Outcome::json).collect();
    Ok(serde_json::to_string_pretty(&rows)? + "\n")
}

/// An aligned table for the terminal.
pub(super) fn table(outcomes: &[Outcome]) -> String {
    let rows: Vec<Vec<String>> = outcomes.iter().map(Outcome::cells).collect();
    aligned(&HEADER, &rows)
}

/// Lines of a table whose columns say whether they are text.
pub(super) fn aligned(header: &[(&str, bool)], rows: &[Vec<String>]) -> String {
    let names: Vec<String> = header.iter().map(|(name, _)| (*name).to_string()).collect();
    let lines = || std::iter::once(&names).chain(rows);
    let width = |at: usize| lines().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let mut out = String::new();
    for line in lines() {
        let mut text = String::new();
        for ((cell, &width), &(_, left)) in line.iter().zip(&widths).zip(header) {
            let _ = if left { write!(text, "{cell:<width$}  ") } else { write!(text, "{cell:>width$}  ") };
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}
