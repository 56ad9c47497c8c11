//! What was run and what came out, in a few sentences and cards.

use kohort_report::{Highlight, Row};

use super::Run;
use crate::modules::measure::{AUC, TEST};
use crate::modules::verdict::{CLAIMS, GROWS, LOSSES, WINS};
use crate::modules::{correlation, worlds};

/// A few sentences.
pub(super) fn lead(run: &Run<'_>) -> String {
    let mut text = format!(
        "This page compares what gives a cohort a capacity of its own (experts, adapters, a model each) with models that share everything, on \
         the same rows, {} each, task by task and cohort by cohort.",
        run.seeds()
    );
    for study in &run.paper.studies {
        text.push(' ');
        text.push_str(&sentence(run, study.world.name, &study.world.title));
    }
    text
}

/// Which gains on a data set are real.
fn sentence(run: &Run<'_>, dataset: &str, title: &str) -> String {
    if run.scope.seeds.len() < 5 {
        return format!("{title}: fewer than five seeds, so no gain is called real.");
    }
    let claims = run.rows_of(dataset, CLAIMS);
    let count = |system: &str, metric: &str| {
        let row = claims.iter().find(|row| row.system.as_deref() == Some(system) && row.metric == metric);
        row.and_then(|row| row.mean).unwrap_or(0.0)
    };
    let mut gainers: Vec<(String, f64, f64)> = claims
        .iter()
        .filter(|row| row.metric == WINS && row.system.as_deref() != Some("Cohort means"))
        .filter_map(|row| {
            let system = row.system.clone()?;
            let (wins, losses) = (row.mean?, count(&system, LOSSES));
            Some((system, wins, losses))
        })
        .collect();
    gainers.sort_by(|a, b| (b.1 - b.2).total_cmp(&(a.1 - a.2)));
    let sure: Vec<String> = gainers
        .iter()
        .filter(|(_, wins, _)| *wins > 0.0)
        .take(3)
        .map(|(system, wins, losses)| format!("{system} (gains in {wins:.0}, loses in {losses:.0})"))
        .collect();
    if sure.is_empty() {
        format!("{title}: no system gains for sure in any cohort and task.")
    } else {
        format!("{title}: cohorts and tasks that change for sure, most under {}.", sure.join(", "))
    }
}

/// Cards.
pub(super) fn highlights(run: &Run<'_>) -> Vec<Highlight> {
    let mut cards = Vec::new();
    for task in ["income", "never married"] {
        let row = run.rows.iter().find(|row| {
            row.experiment == worlds::CENSUS
                && row.cohort.is_none()
                && row.metric == AUC
                && row.protocol.as_deref() == Some(TEST)
                && row.task.as_deref() == Some(task)
                && row.system.as_deref() == Some("MMoE")
        });
        if let Some(row) = row {
            cards.push(card(format!("Census-Income, {task}: AUC of MMoE"), row, 4));
        }
    }
    let grows = run.rows.iter().find(|row| row.experiment == correlation::NAME && row.metric == GROWS);
    if let Some(row) = grows {
        cards.push(card(
            "MMoE's advantage over the shared bottom grows as tasks grow apart".to_owned(),
            row,
            4,
        ));
    }
    cards
}

fn card(label: String, row: &Row, digits: usize) -> Highlight {
    let span = match (row.low, row.high) {
        (Some(low), Some(high)) => format!("95 % {low:.digits$} to {high:.digits$}; "),
        _ => String::new(),
    };
    Highlight {
        label,
        value: format!("{:.digits$}", row.mean.unwrap_or(f64::NAN)),
        detail: format!("{span}{}", row.reason.clone().unwrap_or_default()),
        verdict: row.verdict,
    }
}
