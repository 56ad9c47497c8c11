//! The end of the page: how verdicts are made, what departs from the papers, what was skipped.

use kohort_report::{Block, Grid, Note, NoteKind, Section};

use super::Page;
use crate::paper::PAPERS;

/// The closing sections.
pub(super) fn sections(page: &Page<'_>) -> Vec<Section> {
    let mut sections = vec![rules(page)];
    for (title, chapter) in page.chapters {
        let heading = match page.chapters.len() {
            1 => "What departs from the paper".to_owned(),
            _ => format!("What departs from the paper: {title}"),
        };
        let notes = chapter.departures.iter().map(|note| Note::new(NoteKind::DepartsFromPaper, note));
        sections.push(notes.fold(Section::new(heading), Section::block));
    }
    sections.push(skipped(page));
    sections
}

fn rules(page: &Page<'_>) -> Section {
    let mut section = Section::new("How to read the numbers")
        .prose(
            "Intervals in tables are 95 % Student intervals of the mean over the seeds: what another run of the \
             same recipe on the same users would give. What other users would change is in results.json, in the \
             rows whose metric ends in “interval over users” (bootstrap, each user averaged over the seeds).",
        )
        .prose("Verdicts are made by these rules from the numbers of this run:");
    for rule in page.chapters.iter().flat_map(|(_, chapter)| &chapter.rules) {
        section = section.prose(format!("• {rule}"));
    }
    if page.scope.seeds.len() < 5 {
        section = section.block(Note::new(
            NoteKind::Warning,
            format!(
                "This run has {} seeds: intervals are wide and tests weak. Run cargo xtask reproduce for 5 seeds.",
                page.scope.seeds.len()
            ),
        ));
    }
    section
}

fn skipped(page: &Page<'_>) -> Section {
    let mut section = Section::new("What was skipped, and what failed");
    for skipped in page.skipped {
        section = section.block(Note::new(NoteKind::Skipped, format!("Data set {}.", skipped.name)));
        for line in skipped.why.lines() {
            section = section.block(Block::Prose(line.trim().to_owned()));
        }
    }
    let every = PAPERS.iter().flat_map(|paper| paper.experiments());
    let left_out: Vec<&str> =
        every.map(|experiment| experiment.name).filter(|name| !page.experiments.contains(name)).collect();
    if !left_out.is_empty() {
        section = section.block(Note::new(
            NoteKind::Skipped,
            format!(
                "Experiments that were not asked for: {}. Run cargo xtask reproduce --all, or --only with a name.",
                left_out.join(", ")
            ),
        ));
    }
    for text in page.chapters.iter().filter_map(|(_, chapter)| chapter.left_out.as_ref()) {
        section = section.block(Note::new(NoteKind::Skipped, text));
    }
    if !page.course.failed.is_empty() {
        section = section
            .block(Note::new(NoteKind::Warning, "Cells that failed; the others are not affected:"))
            .block(Grid {
                caption: "Failed cells".into(),
                header: vec!["Cell".into(), "Why".into()],
                lines: page.course.failed.iter().map(|(cell, why)| vec![cell.clone(), why.clone()]).collect(),
            });
    }
    if section.blocks.is_empty() {
        section = section.prose("Nothing was skipped and nothing failed.");
    }
    section
}
