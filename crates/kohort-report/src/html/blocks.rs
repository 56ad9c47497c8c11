//! Protocol boxes, grids and notes.

use maud::{Markup, html};

use super::{plot, table};
use crate::{Block, Grid, Note, ProtocolBox};

pub(super) fn block(block: &Block) -> Markup {
    match block {
        Block::Heading(text) => html! { h3 { (text) } },
        Block::Prose(text) => html! { p { (text) } },
        Block::Protocol(protocol) => protocol_box(protocol),
        Block::Table(metrics) => table::table(metrics),
        Block::Grid(grid) => text_grid(grid),
        Block::Plot(drawing) => plot::figure(drawing),
        Block::Note(note) => remark(note),
    }
}

fn protocol_box(protocol: &ProtocolBox) -> Markup {
    html! {
        aside.protocol aria-label={ "Protocol " (protocol.name) } {
            p.box-title { "Protocol " (protocol.name) }
            dl {
                @for (name, value) in protocol.entries() {
                    div { dt { (name) } dd { (value) } }
                }
            }
        }
    }
}

fn text_grid(grid: &Grid) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table.grid {
                caption { (grid.caption) }
                thead { tr { @for text in &grid.header { th scope="col" { (text) } } } }
                tbody {
                    @for line in &grid.lines {
                        tr {
                            @for at in 0..grid.header.len() { td { @if let Some(text) = line.get(at) { (text) } } }
                        }
                    }
                }
            }
        }
    }
}

fn remark(note: &Note) -> Markup {
    html! {
        aside class={ "note " (note.kind.class()) } {
            p { strong { (note.kind.heading()) } " " (note.text) }
        }
    }
}
