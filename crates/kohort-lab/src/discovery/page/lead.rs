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
    let counts: Vec<String> = run
        .paper
        .studies
        .iter()
        .map(|study| {
            let [better, worse] = [1.0, -1.0].map(|sign| sure(run, study.world.experiment, sign).len());
            let rows = run.rows_of(study.world.experiment, OVER_RANDOM);
            let all = rows.iter().filter(|row| row.cohort.is_none()).count();
            format!("{} better in {better} of {all} and worse in {worse}", study.world.title)
        })
        .collect();
    text.push_str(&format!(
        " Over ways to find cohorts and tasks, with the interval over the seeds clear of zero: {}.",
        counts.join("; ")
    ));
    text
}

/// Which tasks gain by cohorts for sure, and which lose.
pub(super) fn told(run: &Run<'_>, experiment: &str) -> String {
    let [better, worse] = [1.0, -1.0].map(|sign| match &sure(run, experiment, sign)[..] {
        [] => "none".to_owned(),
        found => found.join(", "),
    });
    format!(
        "With the interval over the seeds clear of zero, better than with random cohorts: {better}; worse: {worse}."
    )
}

/// Tasks, and the cohorts that they gain by (`sign` above 0) or lose by, the interval clear of zero.
fn sure(run: &Run<'_>, experiment: &str, sign: f64) -> Vec<String> {
    let clear = |row: &Row| match (row.low, row.high) {
        (Some(low), Some(high)) => {
            if sign > 0.0 {
                low > 0.0
            } else {
                high < 0.0
            }
        }
        _ => false,
    };
    let rows = run.rows_of(experiment, OVER_RANDOM).into_iter();
    rows.filter(|row| row.cohort.is_none() && clear(row))
        .map(|row| format!("{} with “{}”", row.task.clone().unwrap_or_default(), system(&row)))
        .collect()
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
