//! Who gets how much of the gradient: balancers over tasks, cohorts and pairs beside equal weights, on one model and the same rows.
//!
//! Data sets, cells, measures and gains are those of [`crate::modules`]; a strategy is an entry of `configs/objectives.toml` and no code.
//!
//! | module | idea |
//! |---|---|
//! | `settings` | the strategies, one file in `configs/` |
//! | `page` | rows to sections: who gains and who pays, weights over time, conflicts |

mod page;
mod settings;
#[cfg(test)]
mod tests;

use anyhow::Result;
use kohort_report::Row;
use serde_json::Value;

use crate::grid::{Cell, Finished};
use crate::modules::{self, WithData};
use crate::paper::{Chapter, Experiment, Paper, Ready, Scope};
use crate::study::{Looking, Skipped};
use crate::summary::Summary;
use settings::Settings;

/// The comparison.
pub(crate) struct Objectives;

const EXPERIMENTS: [Experiment; 3] = [
    Experiment { name: "objectives-census", by_default: false, quick: false },
    Experiment { name: "objectives-movielens", by_default: false, quick: false },
    Experiment { name: "objectives-xmarket", by_default: false, quick: false },
];

/// The data set of each experiment, by the name that `modules` has for it, and which of its worlds.
const DATA: [(&str, &str, &str); 3] = [
    ("objectives-census", modules::CENSUS, "census-income"),
    ("objectives-movielens", modules::MOVIELENS, "ml-100k by taste"),
    ("objectives-xmarket", modules::XMARKET, "xmarket"),
];

impl Paper for Objectives {
    fn name(&self) -> &'static str {
        "objectives"
    }

    fn title(&self) -> &'static str {
        "Who gets how much of the gradient"
    }

    fn experiments(&self) -> &'static [Experiment] {
        &EXPERIMENTS
    }

    fn prepare(
        &self,
        wanted: &[&'static str],
        looking: &Looking,
        scope: &Scope,
        say: &mut dyn FnMut(&str),
    ) -> Result<Box<dyn Ready>> {
        let settings = Settings::read()?;
        let data: Vec<modules::Wanted> = DATA
            .iter()
            .filter(|(experiment, ..)| wanted.contains(experiment))
            .map(|&(experiment, source, world)| modules::Wanted { experiment, source, world: Some(world) })
            .collect();
        let systems = |body: &_| Ok(settings.systems(body));
        let inner = WithData::find(&data, &systems, looking, scope, say)?;
        Ok(Box::new(Compared { inner }))
    }
}

/// The comparison with its data sets.
struct Compared {
    inner: WithData,
}

impl Ready for Compared {
    fn cells(&self, scope: &Scope) -> Vec<Cell<'_>> {
        self.inner.cells(scope)
    }

    fn summarise(&self, cells: &[&Finished]) -> Result<Summary> {
        self.inner.summarise(cells)
    }

    fn chapter(&self, scope: &Scope, cells: &[&Finished], summary: &Summary) -> Chapter {
        page::chapter(&self.inner, scope, cells, &summary.rows)
    }

    fn headlines(&self, rows: &[Row]) -> Vec<Row> {
        self.inner.headlines(rows)
    }

    fn record(&self, scope: &Scope) -> Vec<Value> {
        self.inner.record(scope)
    }

    fn skipped(&self) -> &[Skipped] {
        self.inner.skipped()
    }
}
