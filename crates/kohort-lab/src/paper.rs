//! What a paper is to the laboratory: a name, experiments, data, cells, rows with verdicts, and a chapter of the page.
//!
//! The command iterates [`PAPERS`] and knows nothing else of them: a further paper is a folder and a line here.

use anyhow::Result;
use kohort_report::{Highlight, Row, Section};
use serde_json::Value;

use crate::discovery::Discovery;
use crate::dmtl::Dmtl;
use crate::failure::Failure;
use crate::grid::{Cell, Finished};
use crate::modules::Modules;
use crate::objectives::Objectives;
use crate::personalised::Personalised;
use crate::study::{Looking, Skipped};
use crate::summary::Summary;
use crate::territories::Territories;

/// All papers, in the order of the page.
pub(crate) const PAPERS: [&dyn Paper; 6] =
    [&Dmtl, &Territories, &Modules, &Objectives, &Personalised, &Discovery];

/// A paper whose experiments can be run.
pub(crate) trait Paper: Sync {
    /// Name on the command line: all its experiments that run without `--all`, or all of them where none does.
    fn name(&self) -> &'static str;

    /// Heading of its page, or of its part of the page.
    fn title(&self) -> &'static str;

    /// Its experiments, in the order of the page. Names are unique over all papers.
    fn experiments(&self) -> &'static [Experiment];

    /// Finds the data that the wanted experiments need; what cannot be had is skipped by name, what was altered is an
    /// error.
    fn prepare(
        &self,
        wanted: &[&'static str],
        looking: &Looking,
        scope: &Scope,
        say: &mut dyn FnMut(&str),
    ) -> Result<Box<dyn Ready>>;
}

/// A paper with its data at hand.
pub(crate) trait Ready: Sync {
    /// The cells of the wanted experiments; none where the data has not what they need.
    fn cells(&self, scope: &Scope) -> Vec<Cell<'_>>;

    /// Rows, tests and verdicts from the cells that did not fail.
    fn summarise(&self, cells: &[&Finished]) -> Result<Summary>;

    /// Its part of the page.
    fn chapter(&self, scope: &Scope, cells: &[&Finished], summary: &Summary) -> Chapter;

    /// The rows that the terminal shows.
    fn headlines(&self, rows: &[Row]) -> Vec<Row>;

    /// Data, protocols and settings in full, one entry a data set, for the manifest.
    fn record(&self, scope: &Scope) -> Vec<Value>;

    /// Data sets that could not be had.
    fn skipped(&self) -> &[Skipped];
}

/// An experiment of a paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Experiment {
    /// Name on the command line and in rows.
    pub(crate) name: &'static str,
    /// Whether a run without `--all` and `--only` does it.
    pub(crate) by_default: bool,
    /// Whether such a run does it with `--quick`.
    pub(crate) quick: bool,
}

/// How much to run.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// Seeds of splits and fits.
    pub(crate) seeds: Vec<u64>,
    /// Fewer variants.
    pub(crate) quick: bool,
}

/// A paper's part of the page.
#[derive(Default)]
pub(crate) struct Chapter {
    /// What was run and what came out, in a few sentences.
    pub(crate) lead: String,
    /// Cards at the top.
    pub(crate) highlights: Vec<Highlight>,
    /// Checksums and the like.
    pub(crate) facts: Vec<(String, String)>,
    /// Boxes, tables, plots.
    pub(crate) sections: Vec<Section>,
    /// How its verdicts are made.
    pub(crate) rules: Vec<String>,
    /// What is done otherwise than in the paper.
    pub(crate) departures: Vec<String>,
    /// What a quick run leaves out.
    pub(crate) left_out: Option<String>,
}

/// The experiments of a run, by paper; papers without any are not among them.
pub(crate) fn chosen(
    all: bool,
    quick: bool,
    only: &[String],
) -> Result<Vec<(&'static dyn Paper, Vec<&'static str>)>> {
    let every = || PAPERS.iter().flat_map(|paper| paper.experiments());
    let names_paper = |paper: &&dyn Paper, name: &String| paper.name() == name;
    for name in only {
        let known = every().any(|experiment| experiment.name == name)
            || PAPERS.iter().any(|paper| names_paper(paper, name));
        if !known {
            let allowed: Vec<&str> = PAPERS
                .iter()
                .flat_map(|paper| {
                    std::iter::once(paper.name()).chain(paper.experiments().iter().map(|e| e.name))
                })
                .collect();
            let what = format!("--only: there is no experiment {name:?}, allowed are {}", allowed.join(", "));
            return Err(Failure::Usage(what).into());
        }
    }
    let mut plan = Vec::new();
    for paper in PAPERS {
        let own = paper.experiments();
        let usual = |e: &Experiment| if quick { e.quick } else { e.by_default };
        let rarely = !own.iter().any(|e| e.by_default);
        let by_name = only.iter().any(|name| names_paper(&paper, name));
        let wanted = |e: &&Experiment| {
            let of_paper = if rarely { !quick || e.quick } else { usual(e) };
            only.iter().any(|name| name == e.name)
                || (by_name && of_paper)
                || (only.is_empty() && (all || usual(e)))
        };
        let names: Vec<&'static str> = own.iter().filter(wanted).map(|e| e.name).collect();
        if !names.is_empty() {
            plan.push((paper, names));
        }
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: bool, quick: bool, only: &[&str]) -> Vec<&'static str> {
        let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
        chosen(all, quick, &only).unwrap().into_iter().flat_map(|(_, names)| names).collect()
    }

    #[test]
    fn no_two_experiments_share_a_name() {
        let mut all: Vec<&str> = PAPERS
            .iter()
            .flat_map(|paper| std::iter::once(paper.name()).chain(paper.experiments().iter().map(|e| e.name)))
            .collect();
        let many = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), many);
    }

    #[test]
    fn a_paper_names_its_usual_experiments_and_all_names_every_one() {
        assert_eq!(names(false, false, &["dmtl"]), ["main", "groups"]);
        assert_eq!(
            names(false, false, &["territories"]),
            ["markets", "published", "grouping", "planted", "regions"]
        );
        assert_eq!(names(false, false, &["planted", "lambda"]), ["lambda", "planted"]);
        assert_eq!(names(true, false, &[]).len(), 26);
        assert_eq!(names(false, false, &[]), ["main", "groups"]);
    }
}
