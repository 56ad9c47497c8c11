//! The synthetic experiment: errors as the tasks' weights grow apart.

use kohort_report::{Axis, Column, LinePlot, Point, Row, Section, Series, Table};

use super::Run;
use crate::modules::correlation::{DATASET, ERROR, MODELS, NAME, variant};
use crate::modules::verdict::CLAIMS;

/// The section; nothing where the experiment was not run.
pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let settings = &run.paper.settings.correlation;
    let rows: Vec<&Row> =
        run.rows.iter().filter(|row| row.experiment == NAME && row.metric == ERROR).collect();
    if rows.is_empty() {
        return None;
    }
    let found = |title: &str, cosine: f64| {
        rows.iter().find(|row| {
            row.system.as_deref() == Some(title) && row.variant.as_deref() == Some(&variant(cosine))
        })
    };
    let series = MODELS.iter().map(|(_, title)| Series {
        name: (*title).to_owned(),
        points: settings
            .cosines
            .iter()
            .filter_map(|&cosine| {
                let row = found(title, cosine)?;
                Some(Point { x: cosine, y: row.mean?, low: row.low, high: row.high })
            })
            .collect(),
    });
    let columns: Vec<Column> =
        settings.cosines.iter().map(|&cosine| Column::lower(variant(cosine)).digits(4)).collect();
    let table: Vec<Row> = rows
        .iter()
        .map(|row| Row { metric: row.variant.clone().unwrap_or_default(), variant: None, ..(*row).clone() })
        .collect();
    let label = |row: &Row| row.system.clone().unwrap_or_default();
    let mut section = Section::new("Two tasks that grow apart: MMoE's synthetic experiment")
        .prose(format!(
            "Two regression tasks of 100 inputs whose weights have the stated cosine (Ma et al., KDD 2018, section 5.1): {} data sets for each of \
             {}, {} rows, 8 experts of 16 units or a shared bottom of as many weights, towers of 8. The paper shows curves only: shared bottom \
             and OMoE lose as the cosine falls, MMoE hardly.",
            settings.runs, run.seeds(), settings.rows
        ))
        .block(Table::pivot(format!("{ERROR} on test rows, mean of both tasks"), "Model", &table, label, &columns))
        .block(LinePlot {
            title: format!("{ERROR} against the cosine of the tasks' weights, 95 % over the seeds"),
            x: Axis::new("cosine"),
            y: Axis::new(ERROR),
            series: series.collect(),
            references: Vec::new(),
        });
    let claims: Vec<Row> = run.rows_of(DATASET, CLAIMS);
    if !claims.is_empty() {
        let columns = [Column::neutral("found").digits(4).label("Found")];
        let rows: Vec<Row> = claims
            .iter()
            .map(|row| Row { system: Some(row.metric.clone()), metric: "found".into(), ..row.clone() })
            .collect();
        section = section.block(Table::pivot("What is claimed, and found", "Claim", &rows, label, &columns));
    }
    Some(section)
}
