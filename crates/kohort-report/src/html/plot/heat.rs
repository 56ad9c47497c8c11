//! A matrix of values as coloured cells with the numbers in them.

use maud::{Markup, html};

use super::{WIDTH, fit, px, svg, text_width};
use crate::HeatMap;
use crate::number::number;

const CELL_HEIGHT: f64 = 28.0;
/// The numbers stay readable on the darkest cell.
const DARKEST: f64 = 0.75;

pub(super) fn draw(plot: &HeatMap) -> Markup {
    let labels = plot.rows.iter().map(|row| text_width(row)).fold(40.0, f64::max).min(200.0);
    let left = labels + 36.0;
    let columns = plot.columns.len().max(1) as f64;
    let cells = |right: f64| ((WIDTH - left - right) / columns).min(110.0);
    let longest = plot.columns.iter().map(|column| text_width(column)).fold(0.0, f64::max);
    let slanted = longest > cells(12.0) - 4.0;
    // A slanted name begins over the middle of its column; the last one would run over the edge.
    let last = plot.columns.last().map_or(0.0, |name| text_width(name).min(150.0));
    let over = if slanted { (0.8 * last - cells(12.0) / 2.0).max(0.0) } else { 0.0 };
    let cell_width = cells(12.0 + over);
    let top = if slanted { 26.0 + longest.min(150.0) * 0.6 } else { 40.0 };
    let bottom = top + CELL_HEIGHT * plot.rows.len() as f64;
    let height = bottom + 58.0;
    let shade = Shade::of(plot);
    let across = left + cell_width * plot.columns.len() as f64 / 2.0;
    let content = html! {
        text.axis-label x=(px(across)) y="13" text-anchor="middle" { (plot.column_axis.text()) }
        text.axis-label transform={ "translate(13 " (px((top + bottom) / 2.0)) ") rotate(-90)" } text-anchor="middle" {
            (plot.row_axis.text())
        }
        @for (at, name) in plot.columns.iter().enumerate() {
            @let x = left + cell_width * (at as f64 + 0.5);
            @if slanted {
                text.tick transform={ "translate(" (px(x + 4.0)) " " (px(top - 6.0)) ") rotate(-38)" } { (fit(name, 150.0)) }
            } @else {
                text.tick x=(px(x)) y=(px(top - 8.0)) text-anchor="middle" { (name) }
            }
        }
        @for (row, name) in plot.rows.iter().enumerate() {
            @let y = top + CELL_HEIGHT * row as f64;
            text.name x=(px(left - 8.0)) y=(px(y + CELL_HEIGHT / 2.0 + 4.0)) text-anchor="end" { (fit(name, labels)) }
            @for (column, column_name) in plot.columns.iter().enumerate() {
                @let value = plot.values.get(row).and_then(|values| values.get(column)).copied().flatten();
                @let (class, opacity) = shade.at(value);
                @let x = left + cell_width * column as f64;
                rect class=(class) x=(px(x + 1.0)) y=(px(y + 1.0)) width=(px(cell_width - 2.0)) height=(px(CELL_HEIGHT - 2.0))
                    rx="2" fill-opacity=(px(opacity)) {
                    title { (name) ", " (column_name) ": " (number(value, plot.digits)) }
                }
                text.cell x=(px(x + cell_width / 2.0)) y=(px(y + CELL_HEIGHT / 2.0 + 4.0)) text-anchor="middle" {
                    (number(value, plot.digits))
                }
            }
        }
        (key(plot, &shade, left, bottom + 20.0))
    };
    svg(&plot.title, height, &content)
}

/// The colour scale under the map: a few steps from the smallest to the largest value.
fn key(plot: &HeatMap, shade: &Shade, left: f64, top: f64) -> Markup {
    let steps = 24usize;
    let width = 9.0;
    html! {
        @for step in 0..steps {
            @let value = shade.low + (shade.high - shade.low) * step as f64 / (steps - 1) as f64;
            @let (class, opacity) = shade.at(Some(value));
            rect class=(class) x=(px(left + width * step as f64)) y=(px(top)) width=(px(width)) height="10" fill-opacity=(px(opacity)) {}
        }
        text.tick x=(px(left)) y=(px(top + 25.0)) { (number(Some(shade.low), plot.digits)) }
        text.tick x=(px(left + width * steps as f64)) y=(px(top + 25.0)) text-anchor="end" {
            (number(Some(shade.high), plot.digits))
        }
        text.axis-label x=(px(left + width * steps as f64 + 12.0)) y=(px(top + 10.0)) { (plot.legend.text()) }
    }
}

struct Shade {
    low: f64,
    high: f64,
    center: Option<f64>,
}

impl Shade {
    fn of(plot: &HeatMap) -> Self {
        let finite = plot.values.iter().flatten().flatten().copied().filter(|v| v.is_finite());
        let (low, high) =
            finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        Self { low, high, center: plot.center.filter(|v| v.is_finite()) }
    }

    fn at(&self, value: Option<f64>) -> (&'static str, f64) {
        let Some(value) = value.filter(|v| v.is_finite()) else { return ("heat empty", 1.0) };
        // With a centre both hues share one scale, so that equal distances look equal.
        let (from, span) = match self.center {
            Some(center) => (center, (self.high - center).abs().max((self.low - center).abs())),
            None => (self.low, self.high - self.low),
        };
        let share = if span > 0.0 { ((value - from) / span).clamp(-1.0, 1.0) } else { 0.0 };
        (if share < 0.0 { "heat below" } else { "heat above" }, 0.06 + (DARKEST - 0.06) * share.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_slanted_name_ends_within_the_plot() {
        let name = "a name of some length";
        let columns: Vec<String> = (0..14).map(|_| name.to_owned()).collect();
        let values = vec![vec![Some(1.0); 14]; 2];
        let rows = ["a", "b"].map(str::to_owned).to_vec();
        let svg = draw(&HeatMap { rows, columns, values, ..HeatMap::default() }).into_string();
        let (before, _) = svg.rsplit_once("rotate(-38)").unwrap();
        let place = before.rsplit_once("translate(").unwrap().1;
        let x: f64 = place.split(' ').next().unwrap().parse().unwrap();
        let width = text_width(name) * 38f64.to_radians().cos();
        assert!(x + width <= WIDTH, "{x} + {width} of {WIDTH}");
    }
}
