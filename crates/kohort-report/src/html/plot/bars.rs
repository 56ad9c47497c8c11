//! Horizontal bars from zero, or dots on a zoomed axis, with intervals and labelled lines to compare with.

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
    let values = plot
        .bars
        .iter()
        .flat_map(|bar| [Some(bar.value), bar.low, bar.high, bar.published])
        .flatten()
        .chain(plot.references.iter().map(|reference| reference.value));
    let mut x = Scale::over(values, false, 0.06, left, right);
    if plot.mark == Mark::Bar {
        let zero_and_all =
            plot.bars.iter().flat_map(|bar| [Some(0.0), Some(bar.value), bar.low, bar.high, bar.published]);
        let all = zero_and_all.flatten().chain(plot.references.iter().map(|reference| reference.value));
        x = Scale::over(all, false, 0.04, left, right).starting_at_zero();
    }
    let (references, label_rows) = place(&plot.references, &x, left, right);
    let top = 6.0 + LABEL_ROW * label_rows as f64;
    let bottom = top + STEP * plot.bars.len() as f64;
    let height = bottom + 46.0;
    let content = html! {
        @for (value, text) in x.ticks(6) {
            @if let Some(at) = x.at(value) {
                line.rule x1=(px(at)) x2=(px(at)) y1=(px(top)) y2=(px(bottom)) {}
                text.tick x=(px(at)) y=(px(bottom + 17.0)) text-anchor="middle" { (text) }
            }
        }
        @for (at, row, reference) in &references {
            @let anchor = if *at > (left + right) / 2.0 { "end" } else { "start" };
            @let label_x = if anchor == "end" { at + 3.0 } else { at - 3.0 };
            line class=(reference_class(reference.kind)) x1=(px(*at)) x2=(px(*at)) y1=(px(LABEL_ROW * (*row as f64 + 1.0))) y2=(px(bottom)) {}
            text.reference-label x=(px(label_x)) y=(px(LABEL_ROW * (*row as f64 + 1.0) - 3.0)) text-anchor=(anchor) {
                (reference.label)
            }
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

/// Positions of the reference lines, each with the first label row where its text does not touch another.
fn place<'a>(
    references: &'a [Reference],
    x: &Scale,
    left: f64,
    right: f64,
) -> (Vec<(f64, usize, &'a Reference)>, usize) {
    let mut rows: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut placed = Vec::new();
    for reference in references {
        let Some(at) = x.at(reference.value) else { continue };
        let width = text_width(&reference.label) + 10.0;
        let (from, to) =
            if at > (left + right) / 2.0 { (at - width, at + 4.0) } else { (at - 4.0, at + width) };
        let free = |row: &Vec<(f64, f64)>| row.iter().all(|&(a, b)| to < a || b < from);
        let row = rows.iter().position(free).unwrap_or_else(|| {
            rows.push(Vec::new());
            rows.len() - 1
        });
        rows[row].push((from, to));
        placed.push((at, row, reference));
    }
    (placed, rows.len())
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
