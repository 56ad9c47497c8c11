//! Bands between two columns of blocks, as wide as what goes along them.

use maud::{Markup, html};

use super::{WIDTH, fit, px, svg, text_width};
use crate::FlowPlot;
use crate::number::shortest;

const TOP: f64 = 30.0;
/// Height of all blocks of a side together.
const ROOM: f64 = 300.0;
const GAP: f64 = 16.0;
const BLOCK: f64 = 14.0;
const WIDEST_LABEL: f64 = 190.0;
const COLOURS: usize = 8;
/// An amount beyond this is treated as infinite.
const DRAWABLE: f64 = 1e100;

/// A block of one side: its name, what goes through it, and where it begins.
struct Block<'a> {
    name: &'a str,
    amount: f64,
    top: f64,
}

pub(super) fn draw(plot: &FlowPlot) -> Markup {
    let streams: Vec<(&str, &str, f64)> = plot
        .streams
        .iter()
        .filter(|stream| stream.amount > 0.0 && stream.amount < DRAWABLE)
        .map(|stream| (stream.from.as_str(), stream.to.as_str(), stream.amount))
        .collect();
    let all: f64 = streams.iter().map(|stream| stream.2).sum();
    let scale = if all > 0.0 { ROOM / all } else { 0.0 };
    let left = blocks(streams.iter().map(|&(from, _, amount)| (from, amount)), scale);
    let right = blocks(streams.iter().map(|&(_, to, amount)| (to, amount)), scale);
    let label = |blocks: &[Block<'_>]| {
        blocks.iter().map(|b| text_width(&text(b))).fold(40.0, f64::max).min(WIDEST_LABEL)
    };
    let (from, to) = (label(&left) + 8.0, WIDTH - label(&right) - 8.0);
    let height = TOP + ROOM + GAP * left.len().max(right.len()).saturating_sub(1) as f64 + 34.0;
    let content = html! {
        text.axis-label x=(px(from)) y="14" text-anchor="middle" { (fit(&plot.left, 2.0 * from)) }
        text.axis-label x=(px(to)) y="14" text-anchor="middle" { (fit(&plot.right, 2.0 * (WIDTH - to))) }
        (bands(&streams, (&left, &right), (from + BLOCK, to - BLOCK), scale))
        @for (index, block) in left.iter().enumerate() {
            (self::block(block, index, from, from - 6.0, "end", scale))
        }
        @for (index, block) in right.iter().enumerate() {
            // The colour of the block of the same name on the left; the next colours for those that are new.
            @let on_left = |name: &str| left.iter().position(|other| other.name == name);
            @let fresh = right[..index].iter().filter(|other| on_left(other.name).is_none()).count();
            @let index = on_left(block.name).unwrap_or(left.len() + fresh);
            (self::block(block, index, to - BLOCK, to + 6.0, "start", scale))
        }
        text.axis-label x=(px(WIDTH / 2.0)) y=(px(height - 8.0)) text-anchor="middle" { (plot.amount.text()) }
    };
    svg(&plot.title, height, &content)
}

/// One block for each name, in the order of first appearance.
fn blocks<'a>(ends: impl Iterator<Item = (&'a str, f64)>, scale: f64) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    for (name, amount) in ends {
        match blocks.iter_mut().find(|block| block.name == name) {
            Some(block) => block.amount += amount,
            None => blocks.push(Block { name, amount, top: 0.0 }),
        }
    }
    let mut top = TOP;
    for block in &mut blocks {
        block.top = top;
        top += block.amount * scale + GAP;
    }
    blocks
}

fn text(block: &Block<'_>) -> String {
    format!("{}: {}", block.name, shortest(block.amount))
}

fn block(block: &Block<'_>, index: usize, x: f64, label: f64, anchor: &str, scale: f64) -> Markup {
    let height = block.amount * scale;
    html! {
        g class={ "c" (index % COLOURS) } {
            rect.block x=(px(x)) y=(px(block.top)) width=(px(BLOCK)) height=(px(height)) rx="2" {
                title { (text(block)) }
            }
        }
        text.name x=(px(label)) y=(px(block.top + height / 2.0 + 4.0)) text-anchor=(anchor) {
            (fit(&text(block), WIDEST_LABEL))
        }
    }
}

/// Each band leaves its block below the band before it, on either side.
fn bands(
    streams: &[(&str, &str, f64)],
    (left, right): (&[Block<'_>], &[Block<'_>]),
    (from, to): (f64, f64),
    scale: f64,
) -> Markup {
    let mut starts: Vec<f64> = left.iter().map(|block| block.top).collect();
    let mut ends: Vec<f64> = right.iter().map(|block| block.top).collect();
    let middle = (from + to) / 2.0;
    let mut shapes = Vec::with_capacity(streams.len());
    for &(name, other, amount) in streams {
        let place = |blocks: &[Block<'_>], name: &str| blocks.iter().position(|block| block.name == name);
        let Some((at, into)) = place(left, name).zip(place(right, other)) else { continue };
        let width = amount * scale;
        let (a, b) = (starts[at], ends[into]);
        (starts[at], ends[into]) = (a + width, b + width);
        let [x, m, z] = [from, middle, to].map(px);
        let [a, b, c, d] = [a, b, b + width, a + width].map(px);
        let shape = format!("M{x} {a}C{m} {a} {m} {b} {z} {b}L{z} {c}C{m} {c} {m} {d} {x} {d}Z");
        shapes.push((at, shape, format!("{name} → {other}: {}", shortest(amount))));
    }
    html! {
        @for (index, shape, title) in &shapes {
            g class={ "c" (index % COLOURS) } { path.stream d=(shape) { title { (title) } } }
        }
    }
}
