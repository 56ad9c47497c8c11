//! The page: one HTML file with its style and plots inside, readable without a network or scripts.

mod blocks;
mod plot;
mod table;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{Report, Section, Verdict};

/// The report as one self-contained HTML page. Every text is escaped by the template; nothing is fetched.
pub fn render_html(report: &Report) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content="kohort-report";
                title { (report.title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                header.top {
                    h1 { (report.title) }
                    @if !report.lead.is_empty() { p.lead { (report.lead) } }
                    p.stamp { span { "Started " (report.started) } span { "Kernels: " (report.kernels) } }
                    (highlights(report))
                }
                div.columns {
                    nav.contents aria-label="Contents" {
                        p { "Contents" }
                        ol {
                            @for (at, section) in report.sections.iter().enumerate() {
                                li { a href={ "#" (anchor(at, section)) } { (section.heading) } }
                            }
                            @if !report.facts.is_empty() { li { a href="#about-this-run" { "About this run" } } }
                        }
                    }
                    main {
                        @for (at, section) in report.sections.iter().enumerate() {
                            section id=(anchor(at, section)) {
                                h2 { (section.heading) }
                                @for paragraph in &section.prose { p { (paragraph) } }
                                @for block in &section.blocks { (blocks::block(block)) }
                            }
                        }
                        (facts(report))
                    }
                }
            }
        }
    };
    page.into_string()
}

fn highlights(report: &Report) -> Markup {
    html! {
        @if !report.highlights.is_empty() {
            ul.cards {
                @for card in &report.highlights {
                    li {
                        span.card-label { (card.label) }
                        span.card-value { (card.value) }
                        span.card-detail { (card.detail) }
                        @if let Some(verdict) = card.verdict { (chip(verdict)) }
                    }
                }
            }
        }
    }
}

fn facts(report: &Report) -> Markup {
    html! {
        @if !report.facts.is_empty() {
            section id="about-this-run" {
                h2 { "About this run" }
                dl.facts {
                    @for fact in &report.facts { dt { (fact.name) } dd { (fact.value) } }
                }
            }
        }
    }
}

/// A coloured word; the colour says nothing that the word does not.
fn chip(verdict: Verdict) -> Markup {
    let class = match verdict {
        Verdict::Reproduced => "chip good",
        Verdict::NotReproduced => "chip bad",
        Verdict::NotComparable => "chip neutral",
    };
    html! { span class=(class) { (verdict.words()) } }
}

/// Unique by its number, readable by its words.
fn anchor(at: usize, section: &Section) -> String {
    let mut slug = format!("s{}", at + 1);
    for word in section.heading.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        slug.push('-');
        slug.push_str(&word.to_ascii_lowercase());
    }
    slug
}
