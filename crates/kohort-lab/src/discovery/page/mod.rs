//! Rows to sections: each data set by method, what the cohorts are made of, whom they help; recommenders; the drill.

mod closing;
mod drill;
mod gains;
mod lead;
mod recommend;
mod shown;
mod study;

use kohort_report::Row;

use super::WithData;
use super::judge::{FOUND, NMI, STABILITY};
use super::verdict::{OVER_LIGHTGCN, OVER_OTHERS, OVER_RANDOM, RULES};
use crate::grid::Finished;
use crate::paper::{Chapter, Scope};

/// Everything the sections are made of.
pub(super) struct Run<'a> {
    pub(super) paper: &'a WithData,
    pub(super) scope: &'a Scope,
    pub(super) cells: &'a [&'a Finished],
    pub(super) rows: &'a [Row],
}

impl Run<'_> {
    /// The rows of an experiment under a protocol.
    fn rows_of(&self, experiment: &str, protocol: &str) -> Vec<Row> {
        let wanted = |row: &&Row| row.experiment == experiment && row.protocol.as_deref() == Some(protocol);
        self.rows.iter().filter(wanted).cloned().collect()
    }

    /// `5 seeds`, `1 seed`.
    fn seeds(&self) -> String {
        let n = self.scope.seeds.len();
        format!("{n} seed{}", if n == 1 { "" } else { "s" })
    }
}

fn system(row: &Row) -> String {
    row.system.clone().unwrap_or_default()
}

/// The experiments' part of the page.
pub(super) fn chapter(run: &Run<'_>) -> Chapter {
    let mut sections = Vec::new();
    for study in &run.paper.studies {
        sections.push(study::section(run, &study.world));
        sections.extend(shown::section(run, &study.world));
        sections.push(gains::section(run, study));
        if study.world.experiment == super::worlds::LASTFM {
            sections.push(recommend::section(run, &study.world));
        }
    }
    sections.extend(drill::section(run));
    let facts = |study: &super::Study| study.world.provenance.facts(study.world.name);
    Chapter {
        lead: lead::lead(run),
        highlights: lead::highlights(run),
        facts: run.paper.studies.iter().flat_map(facts).collect(),
        sections,
        rules: RULES.map(str::to_owned).to_vec(),
        departures: closing::DEPARTURES.map(str::to_owned).to_vec(),
        left_out: run.scope.quick.then(|| {
            "Of discovery a quick run takes MovieLens and the drill. Run cargo xtask reproduce --only discovery for the rest."
                .to_owned()
        }),
    }
}

/// The rows for the terminal: how stable and how right each method is, what cohorts bring over random ones, recommenders.
pub(super) fn headlines(rows: &[Row]) -> Vec<Row> {
    let shown = |row: &&Row| {
        let protocol = row.protocol.as_deref();
        let found = protocol == Some(FOUND) && (row.metric == STABILITY || row.metric == NMI);
        let gain = protocol == Some(OVER_RANDOM) && row.cohort.is_none();
        let ranked = protocol == Some(OVER_OTHERS) || protocol == Some(OVER_LIGHTGCN);
        found || gain || ranked || protocol == Some(super::drill::DRILL)
    };
    rows.iter().filter(shown).cloned().collect()
}
