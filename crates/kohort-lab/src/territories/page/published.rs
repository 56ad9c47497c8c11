//! The published table, with what it hides beside it.

use kohort_report::{Better, Column, Row, Section, Table};

use super::tables::by_territory;
use super::{RANKER, Run, boxes};
use crate::territories::experiments::published::NAME;
use crate::territories::measure::sampled::NDCG;
use crate::territories::measure::{SAMPLED, WHOLE};
use crate::territories::quoted;
use crate::territories::world::World;

/// The published split.
pub(super) fn section(run: &Run<'_>, world: &World) -> Section {
    let mut rows: Vec<Row> = run
        .rows_of(NAME, &world.name, SAMPLED)
        .into_iter()
        .filter(|row| row.published.is_none() || row.mean.is_some())
        .collect();
    let judged: Vec<Row> = rows.iter().filter(|row| row.verdict.is_some()).cloned().collect();
    // Verdicts have a table of their own: one a column would be wider than the page.
    for row in &mut rows {
        (row.verdict, row.reason, row.published) = (None, None, None);
    }
    // What is quoted stands in the table like a number of this run; in results.json it has no mean.
    for (system, values) in quoted::ROWS {
        let quote = |cohort: Option<&str>, value: f64| {
            let row =
                Row::new(NAME, &world.name, NDCG).protocol(SAMPLED).system(format!("{system} (quoted)"));
            let row = row.mean(value);
            match cohort {
                Some(cohort) => row.cohort(cohort),
                None => row,
            }
        };
        rows.extend(quoted::MARKETS.iter().zip(values).map(|(market, value)| quote(Some(market), value)));
        rows.push(quote(None, values.iter().sum::<f64>() / values.len() as f64));
    }
    let seeds = run.seeds();
    let mut section = Section::new(format!("{}: the published table", world.title))
        .prose(
            "nDCG@10 as in the cross-market papers: a user's last title among 99 that the user never touched in the own market. Lines marked \
             “quoted” are from the results notebook of the ECIR 2023 paper (Bhargav, Aliannejadi and Kanoulas, repository \
             samarthbhargav/efficient-xmrec); the last three of them were trained with the large US market too, which cannot be had here. All \
             others are of this run and learn from training rows only. The ranker also draws its negatives from the list of titles of each market, as \
             the published models do; such a list names titles that only held-out rows have, and one line does without.",
        )
        .prose(
            "Many users' last two rows are of one day, so what is bought together says much: item-kNN alone passes every quoted \
             line. The ranker's counts of recent popularity see training rows of others after a query, which this split allows and the one in \
             time below does not.",
        )
        .block(boxes::sampled(run, world));
    let caption = format!("{}: nDCG@10 among sampled candidates, mean over {seeds}", world.title);
    if let Some(table) = by_territory(world, caption, &rows, NDCG, (Better::Higher, 4)) {
        section = section.block(table.highlight(RANKER).sort_by(super::tables::MEAN));
    }
    if !judged.is_empty() {
        let label = |row: &Row| row.cohort.clone().unwrap_or_else(|| super::tables::MEAN.to_owned());
        let columns = [Column::neutral(NDCG)];
        let caption = format!("{RANKER}: market by market against the best published row");
        section = section.block(Table::pivot(caption, "Market", &judged, label, &columns));
    }
    whole(section, run, world)
}

/// The split at one moment.
pub(super) fn in_time(run: &Run<'_>, world: &World) -> Section {
    let mut section = Section::new(format!("{}: the same in time order", world.title))
        .prose(
            "In the published split a model may learn from rows that are later than what it is asked. Here everything after one moment \
             is held out for all users at once, so users have several held-out rows, or none, and some titles are new. Nothing was published \
             for it.",
        )
        .block(boxes::sampled(run, world));
    let rows = run.rows_of(NAME, &world.name, SAMPLED);
    let seeds = run.seeds();
    let caption =
        format!("{}: nDCG@10 among sampled candidates, split in time, mean over {seeds}", world.title);
    if let Some(table) = by_territory(world, caption, &rows, NDCG, (Better::Higher, 4)) {
        section = section.block(table.highlight(RANKER).sort_by(super::tables::MEAN));
    }
    whole(section, run, world)
}

fn whole(section: Section, run: &Run<'_>, world: &World) -> Section {
    let rows = run.rows_of(NAME, &world.name, WHOLE);
    let caption = format!("{}: nDCG@10 among all titles of the market", world.title);
    match by_territory(world, caption, &rows, NDCG, (Better::Higher, 4)) {
        Some(table) => section
            .block(boxes::whole(run, world))
            .block(table.highlight(RANKER).sort_by(super::tables::MEAN)),
        None => section,
    }
}
