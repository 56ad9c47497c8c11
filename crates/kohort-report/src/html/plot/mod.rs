//! Plots as inline SVG. Colours come from the page's style, so that they follow light and dark.

mod bars;
mod flow;
mod heat;
mod line;
mod scale;
mod scatter;

use maud::{Markup, html};

use crate::markdown::plot_data;
use crate::{Plot, ReferenceKind};

/// Width of a drawing in its own units; the page scales it.
const WIDTH: f64 = 720.0;

/// The drawing with its title, legend and, folded away, the numbers that it draws.
pub(super) fn figure(plot: &Plot) -> Markup {
    let (drawing, legend) = match plot {
        Plot::Line(plot) => (line::draw(plot), line::legend(plot)),
        Plot::Bars(plot) => (bars::draw(plot), bars::legend(plot)),
        Plot::Heat(plot) => (heat::draw(plot), html! {}),
        Plot::Scatter(plot) => (scatter::draw(plot), scatter::legend(plot)),
        Plot::Flow(plot) => (flow::draw(plot), html! {}),
    };
    let (header, lines) = plot_data(plot);
    html! {
        figure.plot {
            figcaption { (plot.title()) }
            (legend)
            div.scroll tabindex="0" { (drawing) }
            details {
                summary { "Numbers" }
                div.scroll tabindex="0" {
                    table.grid {
                        thead { tr { @for text in &header { th scope="col" { (text) } } } }
                        tbody { @for cells in &lines { tr { @for text in cells { td { (text) } } } } }
                    }
                }
            }
        }
    }
}

/// An `svg` element of the given height with the title as its accessible name.
fn svg(title: &str, height: f64, content: &Markup) -> Markup {
    html! {
        svg viewBox={ "0 0 " (px(WIDTH)) " " (px(height)) } role="img" xmlns="http://www.w3.org/2000/svg" {
            title { (title) }
            (content)
        }
    }
}

/// A coordinate with two decimals at most; what is not finite cannot reach the drawing.
fn px(value: f64) -> String {
    crate::number::shortest((value * 100.0).round() / 100.0)
}

/// A generous average width of a letter at the page's text size.
const GLYPH: f64 = 7.0;

/// Width of a text in drawing units, estimated: there is no font to ask.
fn text_width(text: &str) -> f64 {
    GLYPH * text.chars().count() as f64
}

/// At most `room` units of `text`, with an ellipsis where it was cut.
fn fit(text: &str, room: f64) -> String {
    if text_width(text) <= room {
        return text.to_string();
    }
    let keep = (room / GLYPH) as usize;
    let mut cut: String = text.chars().take(keep.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

fn reference_class(kind: ReferenceKind) -> String {
    format!("reference {}", kind.class())
}
