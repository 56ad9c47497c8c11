//! Rows to sections: each data set by task and cohort, who gained and who paid, what it costs, what experts and adapters
//! look like; then the synthetic experiment.

mod closing;
mod correlation;
mod insight;
pub(crate) mod lead;
pub(crate) mod study;

use kohort_report::Row;

use super::measure::{AUC, RMSE, TEST};
use super::verdict::{CLAIMS, RULES};
use super::{OVER_BASELINE, WithData, correlation as synthetic};
use crate::grid::Finished;
use crate::paper::{Chapter, Scope};

/// Everything the sections are made of.
pub(crate) struct Run<'a> {
    pub(crate) paper: &'a WithData,
    pub(crate) scope: &'a Scope,
    pub(crate) cells: &'a [&'a Finished],
    pub(crate) rows: &'a [Row],
}

impl Run<'_> {
    /// The rows of a data set under a protocol.
    fn rows_of(&self, dataset: &str, protocol: &str) -> Vec<Row> {
        let wanted = |row: &&Row| row.dataset == dataset && row.protocol.as_deref() == Some(protocol);
        self.rows.iter().filter(wanted).cloned().collect()
    }

    /// `5 seeds`, `1 seed`.
    pub(crate) fn seeds(&self) -> String {
        let n = self.scope.seeds.len();
        format!("{n} seed{}", if n == 1 { "" } else { "s" })
    }
}

/// The comparison's part of the page.
pub(super) fn chapter(run: &Run<'_>) -> Chapter {
    let mut sections = Vec::new();
    for study in &run.paper.studies {
        sections.extend(study::sections(run, &study.world));
        sections.extend(insight::section(run, &study.world));
    }
    sections.extend(correlation::section(run));
    Chapter {
        lead: lead::lead(run),
        highlights: lead::highlights(run),
        facts: files(run.paper),
        sections,
        rules: RULES.map(str::to_owned).to_vec(),
        departures: closing::DEPARTURES.map(str::to_owned).to_vec(),
        left_out: run.scope.quick.then(|| {
            "Of the comparison of experts and adapters a quick run takes five systems on a sixth of Census-Income. Run cargo xtask \
             reproduce --only modules for the rest."
                .to_owned()
        }),
    }
}

/// Checksums of all files.
pub(crate) fn files(data: &WithData) -> Vec<(String, String)> {
    data.worlds().flat_map(|world| world.provenance.facts(world.name)).collect()
}

/// The rows for the terminal: each task over all rows, its gain over the shared bottom, the claims, those of the synthetic experiment about fits
/// that stopped early.
pub(super) fn headlines(rows: &[Row]) -> Vec<Row> {
    let shown = |row: &&Row| {
        let protocol = row.protocol.as_deref();
        let main = [AUC, RMSE].iter().any(|metric| row.metric == *metric);
        let gain = protocol == Some(OVER_BASELINE) && row.metric != "gain in PR-AUC";
        let claim = protocol == Some(CLAIMS)
            && (row.experiment != synthetic::NAME || row.variant.as_deref() == Some(synthetic::STOPPED));
        row.cohort.is_none() && ((protocol == Some(TEST) && main) || gain || claim)
    };
    rows.iter().filter(shown).cloned().collect()
}
