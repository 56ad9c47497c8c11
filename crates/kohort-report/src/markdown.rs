//! The report as Markdown: the same sections, tables as pipes, plots as the numbers they draw.

use std::fmt::Write;

use crate::number::{ABSENT, interval, number, shortest};
use crate::table::{Cell, SIGNIFICANT};
use crate::{Block, Grid, Plot, Report, Table};

/// The report as Markdown (GitHub's dialect). User text is escaped, so that it cannot become markup.
pub fn render_markdown(report: &Report) -> String {
    let mut out = String::new();
    line(&mut out, &format!("# {}", escape(&report.title)));
    if !report.lead.is_empty() {
        line(&mut out, &escape(&report.lead));
    }
    line(&mut out, &format!("Started {}. Kernels: {}.", escape(&report.started), escape(&report.kernels)));
    if !report.highlights.is_empty() {
        for card in &report.highlights {
            let verdict = card.verdict.map(|v| format!(" — {}", v.words())).unwrap_or_default();
            let (label, value, detail) = (escape(&card.label), escape(&card.value), escape(&card.detail));
            let _ = writeln!(out, "- {label}: **{value}** ({detail}){verdict}");
        }
        out.push('\n');
    }
    for section in &report.sections {
        line(&mut out, &format!("## {}", escape(&section.heading)));
        for paragraph in &section.prose {
            line(&mut out, &escape(paragraph));
        }
        for block in &section.blocks {
            render_block(&mut out, block);
        }
    }
    if !report.facts.is_empty() {
        line(&mut out, "## About this run");
        let lines = report.facts.iter().map(|fact| vec![fact.name.clone(), fact.value.clone()]);
        pipes(&mut out, &["What".into(), "Value".into()], lines);
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

fn render_block(out: &mut String, block: &Block) {
    match block {
        Block::Heading(text) => line(out, &format!("### {}", escape(text))),
        Block::Prose(text) => line(out, &escape(text)),
        Block::Protocol(protocol) => {
            line(out, &format!("**Protocol {}**", escape(&protocol.name)));
            for (name, value) in protocol.entries() {
                let _ = writeln!(out, "- {}: {}", escape(name), escape(value));
            }
            out.push('\n');
        }
        Block::Table(table) => metrics(out, table),
        Block::Grid(Grid { caption, header, lines }) => {
            line(out, &format!("**{}**", escape(caption)));
            pipes(out, header, lines.iter().cloned());
        }
        Block::Plot(plot) => {
            line(out, &format!("**{}**", escape(plot.title())));
            let (header, lines) = plot_data(plot);
            pipes(out, &header, lines.into_iter());
        }
        Block::Note(note) => line(out, &format!("> **{}.** {}", note.kind.heading(), escape(&note.text))),
    }
}

fn metrics(out: &mut String, table: &Table) {
    line(out, &format!("**{}**", escape(&table.caption)));
    let verdicts = table.has_verdicts();
    let mut cells = vec![escape(&table.stub)];
    cells.extend(table.columns.iter().map(|column| escape(&column.heading())));
    if verdicts {
        cells.push("Verdict".into());
    }
    row(out, &cells);
    let mut rule = vec!["---".to_string()];
    rule.extend(table.columns.iter().map(|_| "---:".to_string()));
    if verdicts {
        rule.push("---".into());
    }
    row(out, &rule);
    for entry in &table.lines {
        let mut cells = vec![if entry.highlight {
            format!("**{}**", escape(&entry.label))
        } else {
            escape(&entry.label)
        }];
        for (cell, column) in entry.cells.iter().zip(&table.columns) {
            cells.push(cell.as_ref().map_or_else(|| "—".to_string(), |cell| cell_text(cell, column.digits)));
        }
        if verdicts {
            let groups = entry.verdicts(&table.columns).into_iter().map(|group| {
                let reasons = if group.reasons.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", group.reasons.join("; "))
                };
                escape(&format!("{}: {}{reasons}", group.verdict.words(), group.metrics.join(", ")))
            });
            cells.push(groups.collect::<Vec<_>>().join("<br>"));
        }
        row(out, &cells);
    }
    for reference in &table.references {
        let mut cells = vec![format!("*{}*", escape(&reference.label))];
        for (value, column) in reference.values.iter().zip(&table.columns) {
            cells.push(
                value.map_or_else(|| "—".to_string(), |v| format!("*{}*", number(Some(v), column.digits))),
            );
        }
        if verdicts {
            cells.push(String::new());
        }
        row(out, &cells);
    }
    out.push('\n');
    if let Some(note) = table.test_note.as_ref().filter(|_| table.has_significant()) {
        line(out, &format!("† {} (p < {SIGNIFICANT})", escape(note)));
    }
}

fn cell_text(cell: &Cell, digits: usize) -> String {
    if cell.undefined().is_some() {
        return "undefined".to_string();
    }
    let mut text = number(cell.mean, digits);
    if let Some(spread) = cell.mean.and_then(|mean| interval(mean, cell.low, cell.high, digits)) {
        text = format!("{text} {spread}");
    }
    if cell.best {
        text = format!("**{text}**");
    }
    if cell.significant() {
        text.push('†');
    }
    for (name, value) in [("paper", cell.published), ("floor", cell.floor), ("ceiling", cell.ceiling)] {
        if value.is_some() {
            text = format!("{text}<br>{name} {}", number(value, digits));
        }
    }
    text
}

/// The numbers a plot draws, as a header and lines.
pub(crate) fn plot_data(plot: &Plot) -> (Vec<String>, Vec<Vec<String>>) {
    let span = |low: Option<f64>, high: Option<f64>| match (low, high) {
        (Some(low), Some(high)) => format!("[{}, {}]", shortest(low), shortest(high)),
        _ => "—".to_string(),
    };
    let mut lines = Vec::new();
    let header = match plot {
        Plot::Line(plot) => {
            for series in &plot.series {
                for p in &series.points {
                    lines.push(vec![series.name.clone(), shortest(p.x), shortest(p.y), span(p.low, p.high)]);
                }
            }
            for reference in &plot.references {
                lines.push(vec![reference.label.clone(), "—".into(), shortest(reference.value), "—".into()]);
            }
            vec!["Series".into(), plot.x.text(), plot.y.text(), "Interval".into()]
        }
        Plot::Bars(plot) => {
            for bar in &plot.bars {
                let published = bar.published.map_or_else(|| "—".to_string(), shortest);
                lines.push(vec![bar.label.clone(), shortest(bar.value), span(bar.low, bar.high), published]);
            }
            for reference in &plot.references {
                lines.push(vec![reference.label.clone(), shortest(reference.value), "—".into(), "—".into()]);
            }
            vec!["Name".into(), plot.value.text(), "Interval".into(), "Paper".into()]
        }
        Plot::Heat(plot) => {
            for (name, values) in plot.rows.iter().zip(&plot.values) {
                let mut cells = vec![name.clone()];
                cells.extend(values.iter().map(|value| match value {
                    Some(_) => number(*value, plot.digits),
                    None => ABSENT.to_string(),
                }));
                lines.push(cells);
            }
            let mut header = vec![format!("{} \\ {}", plot.row_axis.text(), plot.column_axis.text())];
            header.extend(plot.columns.iter().cloned());
            header
        }
        Plot::Scatter(plot) => {
            // Thousands of coordinates tell a reader nothing: each group's size and middle do.
            for group in &plot.groups {
                let finite = group.points.iter().filter(|p| p.0.is_finite() && p.1.is_finite());
                let count = finite.clone().count() as f64;
                let mean = |of: fn(&(f64, f64)) -> f64| shortest(finite.clone().map(of).sum::<f64>() / count);
                lines.push(vec![group.name.clone(), shortest(count), mean(|p| p.0), mean(|p| p.1)]);
            }
            let middle = |axis: &crate::Axis| format!("Mean of {}", axis.text());
            vec!["Group".into(), "Points".into(), middle(&plot.x), middle(&plot.y)]
        }
        Plot::Flow(plot) => {
            for stream in &plot.streams {
                lines.push(vec![stream.from.clone(), stream.to.clone(), shortest(stream.amount)]);
            }
            vec![plot.left.clone(), plot.right.clone(), plot.amount.text()]
        }
    };
    (header, lines)
}

fn pipes(out: &mut String, header: &[String], lines: impl Iterator<Item = Vec<String>>) {
    row(out, &header.iter().map(|text| escape(text)).collect::<Vec<_>>());
    row(out, &vec!["---".to_string(); header.len()]);
    for cells in lines {
        let mut cells: Vec<String> = cells.iter().map(|text| escape(text)).collect();
        cells.resize(header.len(), String::new());
        row(out, &cells);
    }
    out.push('\n');
}

fn row(out: &mut String, cells: &[String]) {
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "{text}\n");
}

/// Text that can stand anywhere in Markdown, a table cell included.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}
