//! The synthetic experiment: errors as the tasks' weights grow apart.

use kohort_report::{Axis, Column, LinePlot, Point, Row, Section, Series, Table};

use super::Run;
use crate::modules::correlation::{ERROR, MODELS, NAME, dataset, variant};
use crate::modules::verdict::{CLAIMS, GROWS};

/// The section; nothing where the experiment was not run.
pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let settings = &run.paper.settings.correlation;
    let all: Vec<&Row> =
        run.rows.iter().filter(|row| row.experiment == NAME && row.metric == ERROR).collect();
    if all.is_empty() {
        return None;
    }
    let mut section = Section::new("Two tasks that grow apart: MMoE's synthetic experiment").prose(format!(
        "Two regression tasks of 100 inputs whose weights have the stated cosine (Ma et al., KDD 2018): {} data sets for each of \
         {}, {} rows, 8 experts of 16 units or a shared bottom of as many weights, towers of 8. The paper shows curves only: shared bottom \
         and OMoE lose as the cosine falls, MMoE hardly. It states neither rows nor how steep the sines are; a deviation of 1 is the PLE \
         paper's choice, and with 3 the tasks need more of a model.",
        settings.runs,
        run.seeds(),
        settings.rows
    ));
    let label = |row: &Row| row.system.clone().unwrap_or_default();
    let columns: Vec<Column> =
        settings.cosines.iter().map(|&cosine| Column::lower(variant(cosine)).digits(4)).collect();
    for &steepness in &settings.steepness {
        let name = dataset(steepness);
        let rows: Vec<&&Row> = all.iter().filter(|row| row.dataset == name).collect();
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
        let table: Vec<Row> = rows
            .iter()
            .map(|row| Row {
                metric: row.variant.clone().unwrap_or_default(),
                variant: None,
                ..(**row).clone()
            })
            .collect();
        let caption = format!("{ERROR} on test rows, mean of both tasks, steepness {steepness}");
        section = section.block(Table::pivot(caption, "Model", &table, label, &columns)).block(LinePlot {
            title: format!(
                "{ERROR} against the cosine of the tasks' weights, steepness {steepness}, 95 % over the seeds"
            ),
            x: Axis::new("cosine"),
            y: Axis::new(ERROR),
            series: series.collect(),
            references: Vec::new(),
        });
    }
    let claims: Vec<Row> = settings
        .steepness
        .iter()
        .flat_map(|&steepness| {
            let line = format!("{GROWS}, steepness {steepness}");
            let named = move |row: Row| Row { system: Some(line.clone()), metric: "found".into(), ..row };
            run.rows_of(&dataset(steepness), CLAIMS).into_iter().map(named)
        })
        .collect();
    if !claims.is_empty() {
        let columns = [Column::neutral("found").digits(4).label("Found")];
        section =
            section.block(Table::pivot("What is claimed, and found", "Claim", &claims, label, &columns));
    }
    Some(section)
}
