//! The end of the page: how verdicts are made, what departs from the paper, what was skipped.

use kohort_report::{Grid, Note, NoteKind, Section};

use super::Run;
use crate::summary::RULES;

/// The closing sections.
pub(super) fn sections(run: &Run<'_>) -> Vec<Section> {
    let mut sections = vec![rules(run), departures()];
    sections.push(skipped(run));
    sections
}

fn rules(run: &Run<'_>) -> Section {
    let mut section = Section::new("How to read the numbers")
        .prose(
            "Intervals in tables are 95 % Student intervals of the mean over the seeds: what another run of the \
             same recipe on the same users would give. What other users would change is in results.json, in the \
             rows whose metric ends in “interval over users” (bootstrap, 2,000 draws, each user averaged over the seeds).",
        )
        .prose("Verdicts are made by these rules from the numbers of this run:");
    for rule in RULES {
        section = section.prose(format!("• {rule}"));
    }
    if run.scope.seeds.len() < 5 {
        section = section.block(Note::new(
            NoteKind::Warning,
            format!(
                "This run has {} seeds: intervals are wide and tests weak. Run cargo xtask reproduce for 5 seeds.",
                run.scope.seeds.len()
            ),
        ));
    }
    section
}

fn departures() -> Section {
    let notes = [
        "The paper states neither split, relevance threshold, candidates, denominator nor what becomes of users without a \
         relevant item. Each reading is a protocol of its own here, and only one is compared with the published pair.",
        "Besides the paper's inputs DMTL is given the neighbourhood of each query: kernel-weighted means of what else the user \
         and the item's other raters thought, from training rows only, and the user's and item's histories. The line “DMTL (paper's \
         inputs only)” is a setting of its own with nothing but ids and side features and a linear rating head, sizes and \
         training chosen for it on validation rows of MovieLens-100K (configs/dmtl-paper.toml).",
        "Where a data set has times, DMTL knows when a rating is asked for; on random splits it then sees training \
         ratings given before and after it, as all systems here learn from later ratings. The baselines do not use times. The \
         line “DMTL (without times)” is without them.",
        "The paper gives no size, optimiser, number of epochs or λ. Ours are in manifest.json; they were chosen on validation \
         rows inside training parts, and the test parts were only scored.",
        "Repeated (user, item) pairs (432 rows of ITM-Rec) are merged by their mean before the split; otherwise a test pair \
         could also be a training pair. On merged rows the published ITM-Rec pair asks for about 47 % held out, on \
         unmerged rows for about 44 %.",
        "Groups come from KMeans on training ratings alone (8 groups, k-means++, 10 restarts, standardised profile of \
         damped mean, log count, share of liked items and taste per genre). The paper says only “KMeans”. The labels of a \
         fifth of the users are hidden from training, so that naming groups can be judged.",
        "Baselines have the default settings of scikit-surprise, not tuned ones; the paper does not state its own.",
        "Models are given a copy of the data set from which every rating was removed, beside their training rows: nothing \
         that is fitted can read a held-out rating.",
    ];
    let section = Section::new("What departs from the paper");
    notes
        .into_iter()
        .fold(section, |section, note| section.block(Note::new(NoteKind::DepartsFromPaper, note)))
}

fn skipped(run: &Run<'_>) -> Section {
    let mut section = Section::new("What was skipped, and what failed");
    for skipped in run.skipped {
        section = section.block(Note::new(NoteKind::Skipped, format!("Data set {}.", skipped.name)));
        for line in skipped.why.lines() {
            section = section.block(kohort_report::Block::Prose(line.trim().to_owned()));
        }
    }
    let left_out: Vec<&str> = crate::experiments::Experiment::ALL
        .into_iter()
        .filter(|experiment| !run.experiments.contains(experiment))
        .map(crate::experiments::Experiment::name)
        .collect();
    if !left_out.is_empty() {
        section = section.block(Note::new(
            NoteKind::Skipped,
            format!(
                "Experiments that were not asked for: {}. Run cargo xtask reproduce --all, or --only with a name.",
                left_out.join(", ")
            ),
        ));
    }
    if run.scope.quick {
        section = section.block(Note::new(
            NoteKind::Skipped,
            "Most variants of DMTL, and all but 2 seeds unless asked for, because this is a quick run. Run cargo xtask reproduce for them.",
        ));
    }
    if !run.course.failed.is_empty() {
        section = section
            .block(Note::new(NoteKind::Warning, "Cells that failed; the others are not affected:"))
            .block(Grid {
                caption: "Failed cells".into(),
                header: vec!["Cell".into(), "Why".into()],
                lines: run.course.failed.iter().map(|(cell, why)| vec![cell.clone(), why.clone()]).collect(),
            });
    }
    if section.blocks.is_empty() {
        section = section.prose("Nothing was skipped and nothing failed.");
    }
    section
}
