//! From flat result rows to a self-contained HTML page, Markdown, JSON and a summary for the terminal.
//!
//! A number enters as a [`Row`] and a page is a [`Report`]: a list of [`Section`]s whose [`Block`]s are protocol boxes,
//! tables, plots and notes. Nothing here computes a metric or touches a file: structs in, text out, so the page can
//! only show what the rows say. A number that is not finite is shown as `n/a` and stored as `null`, everywhere.
//!
//! ```
//! use kohort_report::{Block, Column, Report, Row, Section, Table, Verdict, render_html, results_json};
//!
//! let rows = [
//!     Row::new("main", "ml-100k", "RMSE").protocol("a").system("SVD++").mean(0.919).interval(0.917, 0.921).seeds(5),
//!     Row::new("main", "ml-100k", "RMSE").protocol("a").system("DMTL").mean(0.894).interval(0.892, 0.896).seeds(5)
//!         .verdict(Verdict::NotComparable, "the paper gives no RMSE"),
//! ];
//! let table = Table::by_system("Rating error", &rows, &[Column::lower("RMSE")]);
//! let mut report = Report::new("Reproduction", "2026-01-01 12:00 UTC", "OpenBLAS 0.3.21");
//! report.sections.push(Section::new("Main table").prose("Lower is better.").block(table));
//! assert!(render_html(&report).starts_with("<!DOCTYPE html>"));
//! assert!(results_json(&rows).contains("\"system\": \"DMTL\""));
//! ```

mod html;
mod markdown;
mod number;
mod plot;
mod report;
mod row;
mod table;
mod terminal;

pub use html::render_html;
pub use markdown::render_markdown;
pub use plot::{
    Axis, Bar, BarPlot, Cloud, FlowPlot, HeatMap, LinePlot, Mark, Plot, Point, Reference, ReferenceKind,
    ScatterPlot, Series, Stream,
};
pub use report::{Block, Fact, Grid, Highlight, Note, NoteKind, ProtocolBox, Report, Section};
pub use row::{Row, Verdict, parse_results, results_json};
pub use table::{Better, Cell, Column, Line, ReferenceLine, Table};
pub use terminal::render_terminal_summary;
