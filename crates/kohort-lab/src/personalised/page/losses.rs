//! What losses do of what they are for.

use kohort_report::{Column, Grid, Row, Section, Table};

use super::Run;
use crate::personalised::LOSSES;
use crate::personalised::effects::{FOR, said};
use crate::personalised::measure::{BIAS, BIAS_GAP, LISTS, SHARE, UNLIKE};
use crate::personalised::world::World;

/// What losses did of what they are for, one sentence.
pub(super) fn sentence(run: &Run<'_>) -> Option<String> {
    let said_of = |word: &str| {
        let rows = run.summary.rows.iter().filter(|row| row.protocol.as_deref() == Some(FOR));
        let found: Vec<&str> =
            rows.filter(|row| said(row) == word).filter_map(|row| row.system.as_deref()).collect();
        if found.is_empty() { "nothing".to_owned() } else { found.join("; ") }
    };
    let any = run.summary.rows.iter().any(|row| row.protocol.as_deref() == Some(FOR));
    any.then(|| {
        format!(
            " Of what losses are for: shows: {}. Is reversed: {}. Does not show: {}.",
            said_of("shows"),
            said_of("is reversed"),
            said_of("does not show")
        )
    })
}

/// What each loss does to a user's first five and to cohorts: what it is for.
pub(super) fn lists(run: &Run<'_>, world: &World, mut section: Section) -> Section {
    let label = |row: &Row| row.system.clone().unwrap_or_default();
    let lines: Vec<Vec<String>> = run
        .summary
        .rows
        .iter()
        .filter(|row| row.dataset == world.name && row.protocol.as_deref() == Some(FOR))
        .map(|row| {
            let span = match (row.low, row.high) {
                (Some(low), Some(high)) => format!("{low:+.4} to {high:+.4}"),
                _ => "–".to_owned(),
            };
            vec![
                label(row),
                row.metric.clone(),
                format!("{:+.4}", row.mean.unwrap_or(f64::NAN)),
                span,
                said(row).to_owned(),
            ]
        })
        .collect();
    if !lines.is_empty() {
        section = section.block(Grid {
            caption: format!("{}: what each loss is for, against log loss alone", world.title),
            header: ["Purpose", "Number", "Ours", "95 % over the seeds", "Effect"]
                .map(str::to_owned)
                .to_vec(),
            lines,
        });
    }
    for (metric, what) in [
        (SHARE, "mean share of training users who have the first five films"),
        (UNLIKE, "1 less the mean cosine of the genres of two of the first five"),
        (BIAS, "mean score less the share of likes"),
    ] {
        let rows: Vec<Row> = run
            .summary
            .rows
            .iter()
            .filter(|row| {
                row.dataset == world.name
                    && row.experiment == LOSSES
                    && row.protocol.as_deref() == Some(LISTS)
                    && (row.metric == metric || (metric == BIAS && row.metric == BIAS_GAP))
            })
            .map(|row| {
                let name = match (&row.cohort, row.metric == BIAS_GAP) {
                    (_, true) => BIAS_GAP.to_owned(),
                    (Some(cohort), _) => cohort.clone(),
                    (None, _) => "all".to_owned(),
                };
                Row { metric: name, ..row.clone() }
            })
            .collect();
        let mut names: Vec<String> = Vec::new();
        for row in &rows {
            if !names.contains(&row.metric) {
                names.push(row.metric.clone());
            }
        }
        let columns: Vec<Column> = names.iter().map(|name| Column::neutral(name).digits(4)).collect();
        if !rows.is_empty() {
            let caption = format!("{}: {metric}: {what}, by cohort", world.title);
            section = section.block(Table::pivot(caption, "System", &rows, label, &columns));
        }
    }
    section
}
