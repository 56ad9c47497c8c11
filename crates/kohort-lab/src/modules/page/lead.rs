//! What was run and what came out, in a few sentences and cards.

use kohort_report::{Highlight, Row, Verdict};

use super::Run;
use crate::modules::measure::{AUC, TEST};
use crate::modules::verdict::{CLAIMS, LOSSES, MEAN_LOSSES, MEAN_WINS, WINS};
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
pub(crate) fn sentence(run: &Run<'_>, dataset: &str, title: &str) -> String {
    if run.scope.seeds.len() < 5 {
        return format!("{title}: fewer than five seeds, so no gain is called real.");
    }
    let claims = run.rows_of(dataset, CLAIMS);
    let count = |system: &str, metric: &str| {
        let row = claims.iter().find(|row| row.system.as_deref() == Some(system) && row.metric == metric);
        row.and_then(|row| row.mean).unwrap_or(0.0)
    };
    let mut changed: Vec<(String, [f64; 4])> = claims
        .iter()
        .filter(|row| row.metric == WINS && row.system.as_deref() != Some("Cohort means"))
        .filter_map(|row| {
            let system = row.system.clone()?;
            let counts = [MEAN_WINS, MEAN_LOSSES, WINS, LOSSES].map(|metric| count(&system, metric));
            Some((system, counts))
        })
        .collect();
    changed.sort_by(|(_, a), (_, b)| {
        (b[0] - b[1]).total_cmp(&(a[0] - a[1])).then((b[2] - b[3]).total_cmp(&(a[2] - a[3])))
    });
    let said = |sign: f64| -> Vec<String> {
        let of = |(system, [wins, losses, own_wins, own_losses]): &(String, [f64; 4])| {
            let (tasks, cohorts) = if sign > 0.0 { (wins, own_wins) } else { (losses, own_losses) };
            (*tasks > 0.0).then(|| format!("{system} (tasks {tasks:.0}, cohorts {cohorts:.0})"))
        };
        changed.iter().filter_map(of).collect()
    };
    let (better, worse) = (said(1.0), said(-1.0));
    let list = |systems: Vec<String>| if systems.is_empty() { "none".to_owned() } else { systems.join(", ") };
    format!(
        "{title}: better than the shared bottom for sure on the mean over cohorts: {}; worse: {}.",
        list(better),
        list(worse)
    )
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
    if run.paper.correlation {
        let settings = &run.paper.settings.correlation;
        cards.extend(settings.steepness.iter().filter_map(|&steepness| growth(run, steepness)));
    }
    cards
}

/// How many readings of the synthetic experiment show what is claimed.
fn growth(run: &Run<'_>, steepness: f64) -> Option<Highlight> {
    let claims: Vec<Row> = run.rows_of(&correlation::dataset(steepness), CLAIMS);
    let judged: Vec<&Row> =
        claims.iter().filter(|row| row.verdict.is_some_and(|v| v != Verdict::NotComparable)).collect();
    let shown: Vec<String> = judged
        .iter()
        .filter(|row| row.verdict == Some(Verdict::Reproduced))
        .map(|row| format!("{}, {}", row.metric, row.variant.as_deref().unwrap_or_default()))
        .collect();
    let (value, detail) = match (judged.len(), shown.len()) {
        (0, _) => ("–".to_owned(), "not judged: fewer than five seeds".to_owned()),
        (all, 0) => (format!("0 of {all}"), "none".to_owned()),
        (all, some) => (format!("{some} of {all}"), shown.join("; ")),
    };
    let label = format!("MMoE's advantage grows as tasks part, steepness {steepness}: claims reproduced");
    (!claims.is_empty()).then_some(Highlight { label, value, detail, verdict: None })
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
