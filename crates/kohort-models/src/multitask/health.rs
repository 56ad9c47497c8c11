//! A model's experts, watched: which cohort and which task uses which, and what is wrong with them, in words.

use kohort_core::{Params, Tape};
use kohort_data::Features;
use kohort_layers::experts::{ExpertHealth, Finding, HealthReport};
use kohort_layers::{Hierarchy, Mode};

use super::columns::Inputs;
use super::net::{Net, Outputs};
use super::targets::Task;
use super::{MultiTask, check_cohorts};
use crate::ModelError;

/// What gates and experts said of some rows; nothing for a body without experts.
pub(super) fn watch(
    tape: &mut Tape,
    params: &Params,
    (net, tasks, hierarchy): (&Net, usize, &Hierarchy),
    (inputs, rows): (&Inputs, &[u32]),
    cohorts: &[u32],
) -> Option<ExpertHealth> {
    let experts = net.body.experts().len();
    if experts == 0 {
        return None;
    }
    let mut health = ExpertHealth::new(experts, hierarchy.len(), tasks);
    tape.reset();
    let outputs = net.forward(tape, params, (inputs, rows), cohorts, &mut Mode::score());
    show(&mut health, tape, net, &outputs, cohorts);
    compare_apart(&mut health, tape, params, net, (inputs, rows), cohorts);
    Some(health)
}

/// Rows on which experts that keep theirs apart are compared, at most; and rows times pairs of experts.
const COMPARED: usize = 2048;
const PAIRS: usize = 1 << 22;

/// Where experts keep their rows apart: every two of them on the same rows, every so many of `rows`, the fewer the more experts there are, so that
/// two hundred cohorts' cost no more than ten's.
fn compare_apart(
    health: &mut ExpertHealth,
    tape: &mut Tape,
    params: &Params,
    net: &Net,
    (inputs, rows): (&Inputs, &[u32]),
    cohorts: &[u32],
) {
    if !net.body.keeps_rows_apart() {
        return;
    }
    let most = (PAIRS / net.body.experts().len().pow(2).max(1)).clamp(16, COMPARED);
    let every = rows.len().div_ceil(most).max(1);
    let some = |all: &[u32]| all.iter().copied().step_by(every).collect::<Vec<u32>>();
    let (rows, cohorts) = (some(rows), some(cohorts));
    tape.reset();
    let outputs = net.forward(tape, params, (inputs, &rows), &cohorts, &mut Mode::score().comparing());
    if let Some(shown) = &outputs.seen.mixed.compared {
        health.compare_outputs(tape.value(shown.x), &shown.experts, cohorts.len());
    }
}

fn show(health: &mut ExpertHealth, tape: &Tape, net: &Net, outputs: &Outputs, cohorts: &[u32]) {
    for used in &outputs.seen.mixed.gates {
        health.observe_gate(used.task, tape.value(used.gate), &used.experts, cohorts);
    }
    for shown in &outputs.seen.mixed.outputs {
        let values = tape.value(shown.x);
        health.observe_outputs(values, &shown.experts, cohorts.len());
        if !net.body.keeps_rows_apart() {
            health.compare_outputs(values, &shown.experts, cohorts.len());
        }
    }
}

/// A finding with the names of experts and tasks.
pub(super) fn in_words(finding: &Finding, experts: &[String], tasks: &[Task]) -> String {
    finding.named(&|expert| format!("expert “{}”", experts[expert as usize]), &|task| {
        format!("task “{}”", tasks[task].name)
    })
}

impl MultiTask {
    /// Names of the experts, in the order of [`MultiTask::health`]'s columns; none for a model without experts.
    pub fn experts(&self) -> &[String] {
        self.net.body.experts()
    }

    /// Who uses which expert, over these rows; nothing for a model without experts.
    ///
    /// # Errors
    /// As [`Predict::predict`](super::Predict::predict).
    pub fn health(&self, features: &Features, cohorts: &[u32]) -> Result<Option<HealthReport>, ModelError> {
        let experts = self.experts().len();
        if experts == 0 {
            return Ok(None);
        }
        let inputs = self.columns.inputs(features)?;
        check_cohorts(cohorts, features.rows, &self.hierarchy)?;
        let empty = ExpertHealth::new(experts, self.hierarchy.len(), self.tasks.len());
        let (_, parts) = self.run(&self.params, &inputs, cohorts, |tape, outputs, cohorts| {
            let mut health = empty.clone();
            show(&mut health, tape, &self.net, outputs, cohorts);
            health
        });
        let mut health = empty;
        parts.iter().for_each(|part| health.merge(part));
        let rows: Vec<u32> = (0..cohorts.len() as u32).collect();
        compare_apart(&mut health, &mut Tape::new(), &self.params, &self.net, (&inputs, &rows), cohorts);
        Ok(Some(health.report()))
    }

    /// Mean gate by label and expert, `[labels, experts]`, over all gates, for labels of the rows' own that the model need not
    /// know: who uses what in a model that was not told who is who. Nothing for a label without rows, or without experts.
    ///
    /// # Errors
    /// As [`MultiTask::health`], and labels that are not one a row.
    pub fn use_by(
        &self,
        features: &Features,
        cohorts: &[u32],
        labels: &[u32],
        count: usize,
    ) -> Result<Vec<Option<Vec<f64>>>, ModelError> {
        if labels.len() != features.rows {
            return Err(ModelError::Size { what: "labels", found: labels.len(), expected: features.rows });
        }
        (0..count as u32)
            .map(|label| {
                let rows: Vec<u32> =
                    (0u32..).zip(labels).filter(|(_, own)| **own == label).map(|(row, _)| row).collect();
                if rows.is_empty() {
                    return Ok(None);
                }
                let own: Vec<u32> = rows.iter().map(|&row| cohorts[row as usize]).collect();
                let health = self.health(&features.select(&rows), &own)?;
                Ok(health.map(|health| health.overall))
            })
            .collect()
    }

    /// A finding of [`MultiTask::health`] with the names of experts and tasks.
    pub fn explain(&self, finding: &Finding) -> String {
        in_words(finding, self.experts(), &self.tasks)
    }
}
