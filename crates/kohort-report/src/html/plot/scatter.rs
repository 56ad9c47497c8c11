//! Groups of points in the plane.

use maud::{Markup, html};

use super::scale::Scale;
use super::{WIDTH, px, svg};
use crate::ScatterPlot;

const HEIGHT: f64 = 440.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = WIDTH - 16.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = HEIGHT - 50.0;
/// Groups are told apart by colour and, from the ninth on, by shape.
const COLOURS: usize = 8;
/// More points than this make a large page and hide one another.
const MOST_POINTS: usize = 2000;

/// Every so many-th point is drawn.
fn stride(plot: &ScatterPlot) -> usize {
    plot.groups.iter().map(|group| group.points.len()).sum::<usize>().div_ceil(MOST_POINTS).max(1)
}

pub(super) fn draw(plot: &ScatterPlot) -> Markup {
    let points = || plot.groups.iter().flat_map(|group| &group.points);
    let x = Scale::over(points().map(|p| p.0), plot.x.log, 0.03, LEFT, RIGHT);
    let y = Scale::over(points().map(|p| p.1), plot.y.log, 0.03, BOTTOM, TOP);
    // One step through all groups, so that each keeps its share and none disappears by being last.
    let mut counted = 0usize;
    let stride = stride(plot);
    let content = html! {
        @for (value, text) in y.ticks(6) {
            @if let Some(at) = y.at(value) {
                line.rule x1=(px(LEFT)) x2=(px(RIGHT)) y1=(px(at)) y2=(px(at)) {}
                text.tick x=(px(LEFT - 8.0)) y=(px(at + 4.0)) text-anchor="end" { (text) }
            }
        }
        @for (value, text) in x.ticks(8) {
            @if let Some(at) = x.at(value) {
                line.rule x1=(px(at)) x2=(px(at)) y1=(px(TOP)) y2=(px(BOTTOM)) {}
                text.tick x=(px(at)) y=(px(BOTTOM + 19.0)) text-anchor="middle" { (text) }
            }
        }
        line.axis x1=(px(LEFT)) x2=(px(RIGHT)) y1=(px(BOTTOM)) y2=(px(BOTTOM)) {}
        text.axis-label x=(px((LEFT + RIGHT) / 2.0)) y=(px(HEIGHT - 8.0)) text-anchor="middle" { (plot.x.text()) }
        text.axis-label transform={ "translate(15 " (px((TOP + BOTTOM) / 2.0)) ") rotate(-90)" } text-anchor="middle" {
            (plot.y.text())
        }
        @for (index, group) in plot.groups.iter().enumerate() {
            g class={ "c" (index % COLOURS) } {
                @for &(a, b) in &group.points {
                    @let drawn = counted.is_multiple_of(stride);
                    @let () = counted += 1;
                    @if let (true, Some(across), Some(down)) = (drawn, x.at(a), y.at(b)) { (mark(index, across, down)) }
                }
            }
        }
    };
    svg(&plot.title, HEIGHT, &content)
}

fn mark(group: usize, x: f64, y: f64) -> Markup {
    html! {
        @if (group / COLOURS).is_multiple_of(2) {
            circle.cloud cx=(px(x)) cy=(px(y)) r="2.6" {}
        } @else {
            rect.cloud x=(px(x - 2.4)) y=(px(y - 2.4)) width="4.8" height="4.8" {}
        }
    }
}

pub(super) fn legend(plot: &ScatterPlot) -> Markup {
    let stride = stride(plot);
    html! {
        @if plot.groups.len() > 1 || stride > 1 {
            ul.legend {
                @for (index, group) in plot.groups.iter().enumerate() {
                    li {
                        svg.key viewBox="0 0 26 10" aria-hidden="true" {
                            // Not `cloud`, which is a point of the data.
                            g class={ "c" (index % COLOURS) } {
                                @if (index / COLOURS).is_multiple_of(2) {
                                    circle.dot cx="13" cy="5" r="4" {}
                                } @else {
                                    rect.dot x="9" y="1" width="8" height="8" {}
                                }
                            }
                        }
                        (group.name)
                    }
                }
                @if stride > 1 { li { "every " (ordinal(stride)) " point is drawn" } }
            }
        }
    }
}

/// 2nd, 3rd, 4th, 11th, 21st.
fn ordinal(n: usize) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}
