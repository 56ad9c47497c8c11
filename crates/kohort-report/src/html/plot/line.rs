//! Lines with bands over a numeric axis, and labelled lines to compare with.

use maud::{Markup, html};

use super::scale::Scale;
use super::{WIDTH, fit, px, reference_class, svg, text_width};
use crate::{LinePlot, Point, Series};

const HEIGHT: f64 = 340.0;
const LEFT: f64 = 66.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = HEIGHT - 50.0;
/// Series are told apart by colour and, from the fifth on, by dashes.
const COLOURS: usize = 8;
/// With more points than this the markers would hide the line.
const MARKED_POINTS: usize = 30;

pub(super) fn draw(plot: &LinePlot) -> Markup {
    let labels = plot.references.iter().map(|r| text_width(&r.label)).fold(0.0, f64::max).min(170.0);
    let right = WIDTH - 16.0 - labels;
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let values = points()
        .flat_map(|p| [Some(p.y), p.low, p.high])
        .flatten()
        .chain(plot.references.iter().map(|reference| reference.value));
    let x = Scale::over(points().map(|p| p.x), plot.x.log, 0.03, LEFT, right);
    let y = Scale::over(values, plot.y.log, 0.06, BOTTOM, TOP);
    let content = html! {
        @for (value, text) in y.ticks(5) {
            @if let Some(at) = y.at(value) {
                line.rule x1=(px(LEFT)) x2=(px(right)) y1=(px(at)) y2=(px(at)) {}
                text.tick x=(px(LEFT - 8.0)) y=(px(at + 4.0)) text-anchor="end" { (text) }
            }
        }
        @for (value, text) in x.ticks(8) {
            @if let Some(at) = x.at(value) {
                line.notch x1=(px(at)) x2=(px(at)) y1=(px(BOTTOM)) y2=(px(BOTTOM + 5.0)) {}
                text.tick x=(px(at)) y=(px(BOTTOM + 19.0)) text-anchor="middle" { (text) }
            }
        }
        line.axis x1=(px(LEFT)) x2=(px(right)) y1=(px(BOTTOM)) y2=(px(BOTTOM)) {}
        text.axis-label x=(px((LEFT + right) / 2.0)) y=(px(HEIGHT - 8.0)) text-anchor="middle" { (plot.x.text()) }
        text.axis-label transform={ "translate(15 " (px((TOP + BOTTOM) / 2.0)) ") rotate(-90)" } text-anchor="middle" {
            (plot.y.text())
        }
        (references(plot, &y, right, labels))
        @for (at, series) in plot.series.iter().enumerate() { (self::series(series, at, &x, &y)) }
    };
    svg(&plot.title, HEIGHT, &content)
}

fn references(plot: &LinePlot, y: &Scale, right: f64, room: f64) -> Markup {
    let mut placed: Vec<(f64, &crate::Reference)> =
        plot.references.iter().filter_map(|reference| Some((y.at(reference.value)?, reference))).collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut label_at = f64::NEG_INFINITY;
    let placed: Vec<(f64, f64, &crate::Reference)> = placed
        .into_iter()
        .map(|(at, reference)| {
            label_at = at.max(label_at + 14.0);
            (at, label_at, reference)
        })
        .collect();
    html! {
        @for (at, label_at, reference) in placed {
            line class=(reference_class(reference.kind)) x1=(px(LEFT)) x2=(px(right)) y1=(px(at)) y2=(px(at)) {}
            text.reference-label x=(px(right + 6.0)) y=(px(label_at + 4.0)) { (fit(&reference.label, room + 1.0)) }
        }
    }
}

fn series(series: &Series, index: usize, x: &Scale, y: &Scale) -> Markup {
    let class = format!("c{}", index % COLOURS);
    let place = |p: &Point| Some((x.at(p.x)?, y.at(p.y)?));
    // A point that cannot be drawn breaks the line: a gap is honest, a bridge is not.
    let runs: Vec<String> = series
        .points
        .split(|p| place(p).is_none())
        .filter(|run| !run.is_empty())
        .map(|run| polyline(run.iter().filter_map(place)))
        .collect();
    let bands: Vec<String> = series
        .points
        .split(|p| band(p, x, y).is_none())
        .filter(|run| run.len() > 1)
        .map(|run| {
            let upper = run.iter().filter_map(|p| band(p, x, y)).map(|(at, _, high)| (at, high));
            let lower = run.iter().rev().filter_map(|p| band(p, x, y)).map(|(at, low, _)| (at, low));
            polyline(upper.chain(lower))
        })
        .collect();
    html! {
        g class=(class) {
            @for points in &bands { polygon.band points=(points) {} }
            @for points in &runs { polyline.line.dashed[index >= 4] points=(points) {} }
            @if series.points.len() <= MARKED_POINTS {
                @for p in &series.points {
                    @if let Some((at, value)) = place(p) {
                        circle.dot cx=(px(at)) cy=(px(value)) r="3.5" {
                            title { (series.name) ": " (crate::number::shortest(p.y)) }
                        }
                    }
                }
            }
        }
    }
}

fn band(p: &Point, x: &Scale, y: &Scale) -> Option<(f64, f64, f64)> {
    Some((x.at(p.x)?, y.at(p.low?)?, y.at(p.high?)?))
}

fn polyline(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.map(|(x, y)| format!("{},{}", px(x), px(y))).collect::<Vec<_>>().join(" ")
}

pub(super) fn legend(plot: &LinePlot) -> Markup {
    html! {
        @if plot.series.len() > 1 {
            ul.legend {
                @for (at, series) in plot.series.iter().enumerate() {
                    li {
                        svg.key viewBox="0 0 26 10" aria-hidden="true" {
                            g class={ "c" (at % COLOURS) } {
                                line.line.dashed[at >= 4] x1="0" x2="26" y1="5" y2="5" {}
                                circle.dot cx="13" cy="5" r="3.5" {}
                            }
                        }
                        (series.name)
                    }
                }
            }
        }
    }
}
