//! Horizontal bars from zero, or dots on a zoomed axis, with intervals and labelled lines to compare with.

use std::cmp::Ordering;

use maud::{Markup, html};

use super::scale::Scale;
use super::{WIDTH, fit, px, reference_class, svg, text_width};
use crate::{Bar, BarPlot, Mark, Reference};

const STEP: f64 = 27.0;
const LABEL_ROW: f64 = 15.0;
const WIDEST_LABEL: f64 = 230.0;

pub(super) fn draw(plot: &BarPlot) -> Markup {
    let labels = plot.bars.iter().map(|bar| text_width(&bar.label)).fold(40.0, f64::max).min(WIDEST_LABEL);
    let left = labels + 16.0;
    let right = WIDTH - 28.0;
    let bars = plot.bars.iter().flat_map(|bar| [Some(bar.value), bar.low, bar.high, bar.published]).flatten();
    let values = bars.chain(plot.references.iter().map(|reference| reference.value));
    let x = match plot.mark {
        Mark::Dot => Scale::over(values, false, 0.06, left, right),
        Mark::Bar => {
            let has_negative = values.clone().any(|value| value < 0.0);
            Scale::over(values.chain([0.0]), false, 0.04, left, right).standing_on_zero(has_negative)
        }
    };
    let (references, label_rows) = place(&plot.references, &x, left, right);
    let top = 6.0 + LABEL_ROW * label_rows as f64;
    let bottom = top + STEP * plot.bars.len() as f64;
    let height = bottom + 46.0;
    let content = html! {
        @for (value, text) in x.ticks(8) {
            @if let Some(at) = x.at(value) {
                line.rule x1=(px(at)) x2=(px(at)) y1=(px(top)) y2=(px(bottom)) {}
                text.tick x=(px(at)) y=(px(bottom + 17.0)) text-anchor="middle" { (text) }
            }
        }
        @for Placed { at, row, reference, .. } in &references {
            @let anchor = if *at > (left + right) / 2.0 { "end" } else { "start" };
            @let label_x = if anchor == "end" { at + 3.0 } else { at - 3.0 };
            @let start = LABEL_ROW * (*row as f64 + 1.0);
            line class=(reference_class(reference.kind)) x1=(px(*at)) x2=(px(*at)) y1=(px(start)) y2=(px(bottom)) {}
            text.reference-label x=(px(label_x)) y=(px(start - 3.0)) text-anchor=(anchor) { (reference.label) }
        }
        @for (at, bar) in plot.bars.iter().enumerate() {
            (self::bar(bar, top + STEP * (at as f64 + 0.5), left, plot.mark, &x))
        }
        line.axis x1=(px(left)) x2=(px(right)) y1=(px(bottom)) y2=(px(bottom)) {}
        text.axis-label x=(px((left + right) / 2.0)) y=(px(height - 8.0)) text-anchor="middle" { (plot.value.text()) }
    };
    svg(&plot.title, height, &content)
}

fn bar(bar: &Bar, middle: f64, left: f64, mark: Mark, x: &Scale) -> Markup {
    let class = if bar.highlight { "c0 highlight" } else { "c7" };
    let zero = x.at(0.0).unwrap_or(left).max(left);
    let ends = bar.low.and_then(|v| x.at(v)).zip(bar.high.and_then(|v| x.at(v)));
    html! {
        g class=(class) {
            text.name.strong[bar.highlight] x=(px(left - 8.0)) y=(px(middle + 4.0)) text-anchor="end" {
                (fit(&bar.label, left - 16.0))
            }
            @if let Some(at) = x.at(bar.value) {
                @if mark == Mark::Bar {
                    rect.bar x=(px(zero.min(at))) y=(px(middle - 8.0)) width=(px((at - zero).abs())) height="16" rx="2" {
                        title { (bar.label) ": " (crate::number::shortest(bar.value)) }
                    }
                }
                @if let Some((low, high)) = ends {
                    line.whisker.over[mark == Mark::Bar] x1=(px(low)) x2=(px(high)) y1=(px(middle)) y2=(px(middle)) {}
                    @for end in [low, high] {
                        line.whisker.over[mark == Mark::Bar] x1=(px(end)) x2=(px(end)) y1=(px(middle - 4.0)) y2=(px(middle + 4.0)) {}
                    }
                }
                @if mark == Mark::Dot {
                    circle.dot cx=(px(at)) cy=(px(middle)) r="5" {
                        title { (bar.label) ": " (crate::number::shortest(bar.value)) }
                    }
                }
            } @else {
                text.tick x=(px(left + 6.0)) y=(px(middle + 4.0)) { "n/a" }
            }
            @if let Some(at) = bar.published.and_then(|v| x.at(v)) {
                path.paper-mark d={ "M" (px(at)) " " (px(middle - 6.5)) " l6.5 6.5 -6.5 6.5 -6.5 -6.5 z" } {
                    title { "paper: " (crate::number::number(bar.published, 4)) }
                }
            }
        }
    }
}

/// A reference line with its label: the line starts under the label's row and runs down through the rows below.
struct Placed<'a> {
    at: f64,
    row: usize,
    from: f64,
    to: f64,
    reference: &'a Reference,
}

/// Positions of the reference lines, each with the first label row where texts and lines do not touch; and the
/// number of rows.
fn place<'a>(references: &'a [Reference], x: &Scale, left: f64, right: f64) -> (Vec<Placed<'a>>, usize) {
    let middle = (left + right) / 2.0;
    let mut order: Vec<(f64, &Reference)> =
        references.iter().filter_map(|reference| Some((x.at(reference.value)?, reference))).collect();
    // From the outside in: texts grow towards the middle, so the outer ones pass above the inner lines.
    order.sort_by(|a, b| (b.0 - middle).abs().total_cmp(&(a.0 - middle).abs()));
    let mut placed: Vec<Placed<'a>> = Vec::new();
    for (at, reference) in order {
        let width = text_width(&reference.label) + 6.0;
        let (from, to) = if at > middle { (at - width, at + 4.0) } else { (at - 4.0, at + width) };
        let clear = |row: usize| {
            placed.iter().all(|other| match other.row.cmp(&row) {
                Ordering::Equal => to < other.from || other.to < from,
                Ordering::Less => other.at < from || to < other.at,
                Ordering::Greater => at < other.from || other.to < at,
            })
        };
        let row = (0..references.len()).find(|row| clear(*row)).unwrap_or(references.len() - 1);
        placed.push(Placed { at, row, from, to, reference });
    }
    let rows = placed.iter().map(|label| label.row + 1).max().unwrap_or(0);
    (placed, rows)
}

pub(super) fn legend(plot: &BarPlot) -> Markup {
    let paper = plot.bars.iter().any(|bar| bar.published.is_some_and(f64::is_finite));
    let intervals = plot.bars.iter().any(|bar| bar.low.is_some() && bar.high.is_some());
    html! {
        @if paper || intervals {
            ul.legend {
                @if intervals {
                    li {
                        svg.key viewBox="0 0 26 10" aria-hidden="true" {
                            g.c7 {
                                line.whisker x1="2" x2="24" y1="5" y2="5" {}
                                line.whisker x1="2" x2="2" y1="1" y2="9" {}
                                line.whisker x1="24" x2="24" y1="1" y2="9" {}
                            }
                        }
                        "interval of the mean"
                    }
                }
                @if paper {
                    li {
                        svg.key viewBox="0 0 26 10" aria-hidden="true" { path.paper-mark d="M13 0 l5 5 -5 5 -5 -5 z" {} }
                        "published"
                    }
                }
            }
        }
    }
}
