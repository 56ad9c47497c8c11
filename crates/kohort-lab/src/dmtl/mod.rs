//! Joint group profiling and recommendation (Le and Abel, arXiv 2504.06274): DMTL and the classical baselines on the
//! paper's data sets.
//!
//! | module | idea |
//! |---|---|
//! | `study` | the paper's data sets, or a synthetic one |
//! | `protocols` | splits and the protocols that share them, with the published numbers |
//! | `systems` | what is fitted: the one place here that knows models by name |
//! | `cohorts` | groups of users from training rows alone |
//! | `measure` | a fitted system on a test part, in numbers |
//! | `profiling` | how well groups are named, beside what is trivial |
//! | `experiments` | which cells, one file each |
//! | `verdict` | rules for published numbers |
//! | `page` | rows to sections |

pub(crate) mod cohorts;
mod experiments;
mod measure;
mod page;
mod profiling;
mod protocols;
mod study;
mod systems;
mod verdict;

use anyhow::Result;
use kohort_report::Row;
use serde_json::{Value, json};

use crate::grid::{Cell, Finished};
use crate::paper::{self, Chapter, Paper, Ready, Scope};
use crate::study::{Looking, Skipped};
use crate::summary::{self, Summary};
use cohorts::{GROUPS, HIDDEN};
use experiments::Experiment;
use study::Study;

/// The paper.
pub(crate) struct Dmtl;

const EXPERIMENTS: [paper::Experiment; 5] = [
    Experiment::Main.listed(true, true),
    Experiment::Lambda.listed(false, false),
    Experiment::Attention.listed(false, false),
    Experiment::Cold.listed(false, false),
    Experiment::Groups.listed(true, false),
];

impl Paper for Dmtl {
    fn name(&self) -> &'static str {
        "dmtl"
    }

    fn title(&self) -> &'static str {
        "Joint group profiling and recommendation, reproduced"
    }

    fn experiments(&self) -> &'static [paper::Experiment] {
        &EXPERIMENTS
    }

    fn prepare(
        &self,
        wanted: &[&'static str],
        looking: &Looking,
        scope: &Scope,
        say: &mut dyn FnMut(&str),
    ) -> Result<Box<dyn Ready>> {
        let experiments =
            Experiment::ALL.into_iter().filter(|experiment| wanted.contains(&experiment.name())).collect();
        let (studies, skipped) = study::find(looking, scope.quick, say)?;
        Ok(Box::new(WithData { experiments, studies, skipped }))
    }
}

/// The paper with its data sets.
struct WithData {
    experiments: Vec<Experiment>,
    studies: Vec<Study>,
    skipped: Vec<Skipped>,
}

impl Ready for WithData {
    fn cells(&self, scope: &Scope) -> Vec<Cell<'_>> {
        let pairs = self.studies.iter().flat_map(|study| self.experiments.iter().map(move |e| (study, e)));
        pairs.flat_map(|(study, experiment)| experiment.cells(study, scope)).collect()
    }

    fn summarise(&self, cells: &[&Finished]) -> Result<Summary> {
        let ours = |key: &crate::grid::Key| key.system == systems::UNDER_TEST && key.variant.is_none();
        let comparisons = summary::compare(cells, &ours)?;
        let mut rows: Vec<Row> = Vec::new();
        for (key, mut row) in summary::rows(cells)? {
            let test = comparisons.iter().find(|comparison| comparison.is_about(&row, &key.system));
            if let Some(p) = test.and_then(|comparison| comparison.p) {
                row = row.p_value(p);
            }
            rows.push(verdict::judge(row, &key));
        }
        verdict::name_others_who_reach_it(&mut rows);
        verdict::place_under_oracle(&mut rows);
        rows.extend(summary::over_users(cells)?);
        Ok(Summary { rows, comparisons })
    }

    fn chapter(&self, scope: &Scope, cells: &[&Finished], summary: &Summary) -> Chapter {
        page::chapter(&page::Run {
            scope,
            experiments: &self.experiments,
            studies: &self.studies,
            cells,
            rows: &summary.rows,
            comparisons: &summary.comparisons,
        })
    }

    fn headlines(&self, rows: &[Row]) -> Vec<Row> {
        page::headlines(rows)
    }

    fn record(&self, scope: &Scope) -> Vec<Value> {
        let record = |study: &Study| {
            json!({
                "paper": "dmtl",
                "name": study.name(),
                "title": study.title,
                "users": study.dataset.users.len(),
                "items": study.dataset.items.len(),
                "rows": study.dataset.interactions.len(),
                "notes": study.dataset.notes,
                "provenance": study.provenance,
                "splits": protocols::splits(study.name()),
                "groups": { "method": "KMeans", "count": GROUPS, "share_of_hidden_labels": HIDDEN },
                "systems": systems::settings(&study.dataset, scope.quick),
            })
        };
        self.studies.iter().map(record).collect()
    }

    fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}
