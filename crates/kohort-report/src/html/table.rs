//! A table of metrics: mean, interval and published number stacked in a cell, references set apart, verdicts as chips.

use maud::{Markup, html};

use super::chip;
use crate::number::{interval, number};
use crate::table::{Cell, Line, SIGNIFICANT};
use crate::{Column, Table};

pub(super) fn table(table: &Table) -> Markup {
    let verdicts = table.has_verdicts();
    html! {
        div.scroll tabindex="0" {
            table.metrics {
                caption { (table.caption) }
                thead {
                    tr {
                        th scope="col" { (table.stub) }
                        @for column in &table.columns { th.number scope="col" { (column.heading()) } }
                        @if verdicts { th scope="col" { "Verdict" } }
                    }
                }
                tbody {
                    @for line in &table.lines {
                        tr.highlight[line.highlight] {
                            th scope="row" { (line.label) }
                            @for (cell, column) in line.cells.iter().zip(&table.columns) {
                                td.number { (self::cell(cell.as_ref(), column)) }
                            }
                            @if verdicts { td.verdicts { (verdict(line, &table.columns)) } }
                        }
                    }
                }
                @if !table.references.is_empty() {
                    tbody.references {
                        @for reference in &table.references {
                            tr {
                                th scope="row" { (reference.label) }
                                @for (value, column) in reference.values.iter().zip(&table.columns) {
                                    td.number {
                                        @if value.is_some() { (number(*value, column.digits)) } @else { (missing()) }
                                    }
                                }
                                @if verdicts { td {} }
                            }
                        }
                    }
                }
            }
        }
        (footnote(table))
    }
}

fn cell(cell: Option<&Cell>, column: &Column) -> Markup {
    let Some(cell) = cell else { return missing() };
    let digits = column.digits;
    if let Some(why) = cell.undefined() {
        return html! { span.missing title=(why) { "undefined" } };
    }
    html! {
        span.mean.best[cell.best] {
            (number(cell.mean, digits))
            @if cell.significant() { sup title={ "p = " (p_text(cell.p_value)) } { "†" } }
        }
        @if let Some(text) = cell.mean.and_then(|mean| interval(mean, cell.low, cell.high, digits)) {
            span.spread { (text) }
        }
        @if cell.published.is_some() { span.paper { "publ. " (number(cell.published, digits)) } }
        @if cell.floor.is_some() { span.spread { "floor " (number(cell.floor, digits)) } }
        @if cell.ceiling.is_some() { span.spread { "ceiling " (number(cell.ceiling, digits)) } }
    }
}

fn missing() -> Markup {
    html! { span.missing { "—" } }
}

fn p_text(p: Option<f64>) -> String {
    match p {
        Some(p) if p < 0.0001 => "below 0.0001".to_string(),
        other => number(other, 4),
    }
}

fn verdict(line: &Line, columns: &[Column]) -> Markup {
    let groups = line.verdicts(columns);
    html! {
        @for group in &groups {
            div {
                (chip(group.verdict))
                @if groups.len() > 1 || group.metrics.len() < columns.len() {
                    span.which { (group.metrics.join(", ")) }
                }
                @for reason in &group.reasons { span.reason { (reason) } }
            }
        }
    }
}

fn footnote(table: &Table) -> Markup {
    let best = table.lines.iter().flat_map(|line| line.cells.iter().flatten()).any(|cell| cell.best);
    let significant = table.test_note.as_ref().filter(|_| table.has_significant());
    html! {
        @if best || significant.is_some() {
            p.footnote {
                @if best { span { "Bold: best of its column. " } }
                @if let Some(note) = significant { span { "† " (note) " (p < " (SIGNIFICANT) ")." } }
            }
        }
    }
}
