//! Rows to sections: who gained where, what the lists hold, what was published, what of the method does it, what is known
//! to be true.

mod boxes;
mod closing;
mod data;
mod lead;
mod lists;
mod markets;
mod planted;
mod published;
mod scores;
mod sweeps;
mod tables;

use kohort_report::Row;

use super::experiments::{grouping, markets as grid, planted as truth, published as table, regions};
use super::gains::GAIN;
use super::measure::SAMPLED;
use super::measure::sampled::NDCG;
use super::systems::tower_title;
use super::verdict::{CLAIMS, RULES};
use super::{WithData, World};
use crate::grid::Finished;
use crate::paper::{Chapter, Scope};

/// Title of the ranker that the published table is about.
pub(super) const RANKER: &str = "One ranker for all markets";
/// Title of the popularity of a user's own market.
pub(super) const POPULARITY: &str = "Popularity, own market";

/// Everything the sections are made of.
pub(super) struct Run<'a> {
    pub(super) paper: &'a WithData,
    pub(super) scope: &'a Scope,
    pub(super) cells: &'a [&'a Finished],
    pub(super) rows: &'a [Row],
}

impl Run<'_> {
    /// The rows of an experiment on a data set under a protocol.
    fn rows_of(&self, experiment: &str, dataset: &str, protocol: &str) -> Vec<Row> {
        let wanted = |row: &&Row| {
            row.experiment == experiment
                && row.dataset == dataset
                && row.protocol.as_deref() == Some(protocol)
        };
        self.rows.iter().filter(wanted).cloned().collect()
    }

    /// `5 seeds`, `1 seed`.
    fn seeds(&self) -> String {
        let n = self.scope.seeds.len();
        format!("{n} seed{}", if n == 1 { "" } else { "s" })
    }

    fn wants(&self, experiment: &str) -> bool {
        self.paper.wanted.contains(&experiment)
    }
}

/// The paper's part of the page.
pub(super) fn chapter(run: &Run<'_>) -> Chapter {
    let mut sections = Vec::new();
    if let Some(world) = &run.paper.xmarket {
        sections.push(data::section(run, world));
        if run.wants(grid::NAME) {
            sections.extend(markets::sections(run, world, grid::NAME));
            sections.push(lists::section(run, world, grid::NAME));
            sections.extend(scores::section(run, world));
        }
        if let Some(in_time) = run.paper.in_time.as_ref().filter(|_| run.wants(table::NAME)) {
            sections.push(published::section(run, world));
            sections.push(published::in_time(run, in_time));
        }
        if run.wants(grouping::NAME) {
            sections.push(sweeps::section(run, world));
        }
    }
    if run.wants(truth::NAME) {
        sections.push(planted::section(run));
    }
    if let Some(world) = run.paper.movielens.as_ref().filter(|_| run.wants(regions::NAME)) {
        sections.push(data::regions(run, world));
        sections.extend(markets::sections(run, world, regions::NAME));
        sections.push(lists::section(run, world, regions::NAME));
    }
    Chapter {
        lead: lead::lead(run),
        highlights: lead::highlights(run),
        facts: facts(run),
        sections,
        rules: RULES.map(str::to_owned).to_vec(),
        departures: closing::DEPARTURES.map(str::to_owned).to_vec(),
        left_out: run.scope.quick.then(|| {
            "Of the territories' grid a quick run takes its two ends, one global model on a random sample and MTL with active users, \
             and small planted data. Run cargo xtask reproduce --only territories for the rest."
                .to_owned()
        }),
    }
}

/// The rows for the terminal: claims, gains by market of the system under test, the published table.
pub(super) fn headlines(rows: &[Row]) -> Vec<Row> {
    let after = tower_title(grid::AFTER.0, grid::AFTER.1);
    let shown = |row: &&Row| {
        let claim = row.protocol.as_deref() == Some(CLAIMS);
        let gain = row.metric == GAIN
            && row.system.as_ref() == Some(&after)
            && [grid::NAME, regions::NAME].contains(&row.experiment.as_str());
        let list = row.experiment == table::NAME
            && row.metric == NDCG
            && row.protocol.as_deref() == Some(SAMPLED)
            && (row.cohort.is_none() || row.system.as_deref() == Some(RANKER));
        let planted = row.experiment == truth::NAME
            && row.cohort.is_none()
            && [GAIN, truth::LOCAL].contains(&row.metric.as_str());
        claim || gain || list || planted
    };
    let claim = |row: &Row| match row.protocol.as_deref() {
        // A claim is a line of its own, not a column.
        Some(CLAIMS) => Row { system: Some(row.metric.clone()), metric: "found".into(), ..row.clone() },
        _ => row.clone(),
    };
    rows.iter().filter(shown).map(claim).collect()
}

/// Checksums of the files.
fn facts(run: &Run<'_>) -> Vec<(String, String)> {
    let worlds: [&Option<World>; 2] = [&run.paper.xmarket, &run.paper.movielens];
    worlds.into_iter().flatten().flat_map(|world| world.provenance.facts(&world.name)).collect()
}
