//! What was run and what came out, in a few sentences and cards.

use kohort_report::{Highlight, Row};

use super::{Run, system};
use crate::discovery::drill::RIGHT;
use crate::discovery::verdict::{OVER_OTHERS, OVER_RANDOM};

/// A few sentences.
pub(super) fn lead(run: &Run<'_>) -> String {
    let mut text = format!(
        "Cohorts found in graphs and behaviour, from training rows alone, {}: how many, how good, how stable, and whether a model with experts of these cohorts is \
         better than the same with random cohorts of the same sizes.",
        run.seeds()
    );
    if run.scope.seeds.len() < 5 {
        text.push_str(" Fewer than five seeds, so no gain is called real.");
        return text;
    }
    for study in &run.paper.studies {
        let world = &study.world;
        let rows = run.rows_of(world.experiment, OVER_RANDOM);
        let said = |sign: f64| -> String {
            let sure = |row: &&Row| match (row.low, row.high) {
                (Some(low), Some(high)) => {
                    if sign > 0.0 {
                        low > 0.0
                    } else {
                        high < 0.0
                    }
                }
                _ => false,
            };
            let found: Vec<String> = rows
                .iter()
                .filter(|row| row.cohort.is_none())
                .filter(sure)
                .map(|row| format!("{} with “{}”", row.task.clone().unwrap_or_default(), system(row)))
                .collect();
            if found.is_empty() { "none".to_owned() } else { found.join(", ") }
        };
        text.push_str(&format!(
            " {}: tasks better than with random cohorts, interval over the seeds clear of zero: {}; worse: {}.",
            world.title,
            said(1.0),
            said(-1.0)
        ));
    }
    text
}

/// Cards.
pub(super) fn highlights(run: &Run<'_>) -> Vec<Highlight> {
    let mut cards: Vec<Highlight> = run
        .rows
        .iter()
        .filter(|row| row.protocol.as_deref() == Some(OVER_OTHERS))
        .map(|row| card(format!("LightGCN, {} over: {}", row.metric, system(row)), row))
        .collect();
    let drill = run.rows.iter().filter(|row| row.metric == RIGHT);
    cards.extend(drill.map(|row| card("Drift drill: share of seeds told as planted".to_owned(), row)));
    cards
}

fn card(label: String, row: &Row) -> Highlight {
    let span = match (row.low, row.high) {
        (Some(low), Some(high)) => format!("95 % {low:.4} to {high:.4}; "),
        _ => String::new(),
    };
    Highlight {
        label,
        value: format!("{:.4}", row.mean.unwrap_or(f64::NAN)),
        detail: format!("{span}{}", row.reason.clone().unwrap_or_default()),
        verdict: row.verdict,
    }
}
