//! The section on naming groups, with the training curves of the two tasks.

use kohort_report::{Axis, Column, Note, NoteKind, Row, Section};

use super::Run;
use super::tables::by_system;
use crate::dmtl::cohorts::{GROUPS, HIDDEN};
use crate::dmtl::experiments::MAIN_SPLIT;
use crate::dmtl::profiling::{HIDDEN_USERS, PROTOCOL, SEEN_USERS};
use crate::dmtl::study::Study;
use crate::page::tables::{epochs, over_epochs, part};

/// Nothing where no system names groups.
pub(super) fn section(run: &Run<'_>, study: &Study, rows: &[Row]) -> Option<Section> {
    let columns = [
        Column::higher("Accuracy"),
        Column::higher("Precision"),
        Column::higher("Recall"),
        Column::higher("F1"),
    ];
    let table = |cohort: &str, whom: &str| {
        let own = part(rows, PROTOCOL, Some(cohort));
        by_system(
            format!("{}: groups of {whom}, macro averages over the groups", study.title),
            &own,
            &columns,
            "F1",
        )
    };
    let hidden = table(HIDDEN_USERS, "users whose labels were hidden from training")?;
    let mut section = Section::new(format!("{}: naming the group", study.title))
        .prose(format!(
            "Groups are {GROUPS} KMeans clusters of the users' train-only profiles. That makes a user's group a function of the \
             training rows, and a head that has seen a user's label can remember it. So the labels of {:.0} % of the \
             users are hidden from training, and the first table is about those. Two trivial classifiers \
             stand beside the head: the nearest centroid in the very profile that was clustered (what is possible \
             for whoever knows how groups were made; a head that comes close has rebuilt the profile, not \
             discovered anything), and the nearest centroid on the users' side features alone. The paper prints no \
             profiling numbers that could be compared.",
            HIDDEN * 100.0
        ))
        .block(hidden);
    if let Some(seen) = table(SEEN_USERS, "users whose labels were seen in training") {
        section = section.block(seen).block(Note::new(
            NoteKind::Warning,
            "The second table measures memory: these labels were trained on.",
        ));
    }
    let at = ("main", study.name(), MAIN_SPLIT);
    let losses = epochs(run.cells, at, &["rating loss", "profiling loss"], |curve, variant| match variant {
        None => curve.to_owned(),
        // Variants would make a bundle that nobody can tell apart.
        Some(_) => String::new(),
    });
    let losses: Vec<_> = losses.into_iter().filter(|line| !line.name.is_empty()).collect();
    let title = format!(
        "Losses of DMTL over the epochs, {}: mean over the seeds, band from lowest to highest",
        study.title
    );
    if let Some(plot) = over_epochs(title, Axis::new("training loss"), losses) {
        section = section.block(plot);
    }
    Some(section)
}
