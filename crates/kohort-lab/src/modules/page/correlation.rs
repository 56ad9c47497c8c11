//! The synthetic experiment: errors as the tasks' weights grow apart.

use kohort_report::{Axis, Column, LinePlot, Point, Row, Section, Series, Table};

use super::Run;
use crate::modules::correlation::{ERROR, MODELS, NAME, RATE, STOPPED, dataset, variant};
use crate::modules::growth::{QUARTILES, TOLD};
use crate::modules::verdict::CLAIMS;

/// The section; nothing where the experiment was not run.
pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let settings = &run.paper.settings.correlation;
    let all: Vec<&Row> = run.rows.iter().filter(|row| row.experiment == NAME).collect();
    if all.is_empty() {
        return None;
    }
    let mut section = Section::new("Two tasks that grow apart: MMoE's synthetic experiment").prose(format!(
        "Two regression tasks of 100 inputs whose weights have the stated cosine (Ma et al., KDD 2018): {} data sets for each of \
         {}, {} rows, {} experts of {} units or a shared bottom of as many weights, towers of {}. The paper shows curves only, mean losses \
         against steps: as the cosine falls from 1 to 0.5 shared bottom and OMoE lose, MMoE hardly. It states neither rows nor steps nor how steep the sines are; a \
         deviation of 1 is the PLE paper's choice, and with 3 the tasks need more of a model. So each fit is read several times: on its way, on \
         validation rows, and on test rows after early stopping.",
        settings.runs,
        run.seeds(),
        settings.rows,
        settings.experts,
        settings.expert,
        settings.tower,
    ));
    for &steepness in &settings.steepness {
        section = section.prose(rates(run, steepness));
    }
    for &steepness in &settings.steepness {
        let name = dataset(steepness);
        let own: Vec<&Row> = all.iter().filter(|row| row.dataset == name).copied().collect();
        let by_cosine = |metric: &str, what: &str| {
            let rows: Vec<Row> = own
                .iter()
                .filter(|row| row.metric == metric)
                .map(|row| Row { metric: row.variant.clone().unwrap_or_default(), ..(**row).clone() })
                .collect();
            let label = |row: &Row| {
                let part = |text: &Option<String>| text.clone().unwrap_or_default();
                format!("{}, {}", part(&row.system), part(&row.protocol))
            };
            let columns: Vec<Column> =
                settings.cosines.iter().map(|&cosine| Column::neutral(variant(cosine)).digits(4)).collect();
            let caption = format!("{ERROR}, mean of both tasks, steepness {steepness}: {what}");
            Table::pivot(caption, "Model", &rows, label, &columns)
        };
        section = section.block(by_cosine(ERROR, "mean over data sets, 95 % over the seeds")).block(plot(
            &own,
            &settings.cosines,
            steepness,
        ));
        for (quartile, _) in QUARTILES {
            let what = format!("{quartile} over data sets");
            section = section.block(by_cosine(&format!("{ERROR}, {quartile}"), &what));
        }
        for (protocol, what) in
            [(CLAIMS, "What is claimed, and found"), (TOLD, "What models lose as tasks part, not judged")]
        {
            let rows: Vec<Row> = run.rows_of(&name, protocol);
            let rows: Vec<Row> = rows.into_iter().filter(|row| row.experiment == NAME).map(named).collect();
            if !rows.is_empty() {
                let columns = [Column::neutral("found").digits(4).label("Found")];
                let caption = format!("{what}; steepness {steepness}, paired over data sets");
                let label = |row: &Row| row.system.clone().unwrap_or_default();
                section = section.block(Table::pivot(caption, "Difference", &rows, label, &columns));
            }
        }
    }
    Some(section)
}

/// A claim, or what is told, as a line of its table.
fn named(row: Row) -> Row {
    let system = row.system.as_deref().unwrap_or_default();
    // Claims name MMoE themselves.
    let whose = if row.metric.contains("MMoE") { String::new() } else { format!("{system}: ") };
    let reading = row.variant.as_deref().unwrap_or_default();
    Row {
        system: Some(format!("{whose}{}, {reading}", row.metric)),
        metric: "found".into(),
        variant: None,
        ..row
    }
}

/// Means against the cosine, after early stopping.
fn plot(own: &[&Row], cosines: &[f64], steepness: f64) -> LinePlot {
    let series = MODELS.iter().map(|(_, title)| {
        let point = |&cosine: &f64| {
            let row = own.iter().find(|row| {
                row.metric == ERROR
                    && row.protocol.as_deref() == Some(STOPPED)
                    && row.system.as_deref() == Some(title)
                    && row.variant.as_deref() == Some(&variant(cosine))
            })?;
            Some(Point { x: cosine, y: row.mean?, low: row.low, high: row.high })
        };
        Series { name: (*title).to_owned(), points: cosines.iter().filter_map(point).collect() }
    });
    LinePlot {
        title: format!(
            "{ERROR} against the cosine of the tasks' weights, {STOPPED}, steepness {steepness}, 95 % over the seeds"
        ),
        x: Axis::new("cosine"),
        y: Axis::new(ERROR),
        series: series.collect(),
        references: Vec::new(),
    }
}

/// Which rates the pilots chose.
fn rates(run: &Run<'_>, steepness: f64) -> String {
    let name = dataset(steepness);
    let chosen = MODELS.iter().filter_map(|(model, title)| {
        let cell = run.cells.iter().find(|cell| cell.key.dataset == name && cell.key.system == *model)?;
        let (_, rate) = cell.outcome.counts.iter().find(|(name, _)| name == RATE)?;
        Some(format!("{title} {rate}"))
    });
    let chosen: Vec<String> = chosen.collect();
    let grid: Vec<String> = run.paper.settings.correlation.rates.iter().map(f64::to_string).collect();
    format!(
        "Adam's rate of the grid {}, by the validation rows of pilot data sets, steepness {steepness}: {}.",
        grid.join(", "),
        chosen.join(", ")
    )
}
