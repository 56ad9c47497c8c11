//! Objectives of a multi-task model: its tasks, its cohorts, or a pair of both for each loss; and who weighs them.
//!
//! | over | objective | loss |
//! |---|---|---|
//! | tasks | task `k` | mean over the rows whose target is known |
//! | cohorts | cohort `c` | sum over tasks of the mean over the cohort's such rows |
//! | pairs | task `k` of cohort `c` | mean over the cohort's such rows |
//!
//! Over cohorts and pairs every cohort is a mean of its own, however few rows it has, as GroupDRO has it: equal weights there are not
//! the plain loss, they are the mean over cohorts. Their sum is divided by the number of cohorts, so that the step is as long. A cohort
//! that is absent from a batch has no loss and no gradient.

use kohort_core::{Layout, ParamId, Params, Tape, Var};
use kohort_data::records::TargetKind;
use kohort_layers::{Hierarchy, UNKNOWN};
use kohort_objectives::{Balancer, BalancerConfig, ObjectiveError, Terms, UncertaintyForm, Wants};
use serde::{Deserialize, Serialize};

use super::targets::Task;
use crate::ModelError;
use crate::trainer::{Recorded, Site};

/// What the objectives are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// One a task.
    #[default]
    Tasks,
    /// One a cohort, over all tasks.
    Cohorts,
    /// One a task and cohort.
    Pairs,
}

/// Where gradients are looked at, by methods that do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// Values at which tasks part: a shared bottom's output; experts' outputs and what gates read. Cohorts have different rows, so they
    /// have no inner products there, and norms alone can be had.
    Representation,
    /// Parameters of the layer that makes them.
    LastLayer,
    /// All shared parameters but tables.
    Shared,
    /// All shared parameters.
    SharedWithTables,
}

/// Who gets how much of the gradient.
///
/// ```
/// use kohort_models::multitask::{Config, Over};
///
/// let config = Config::from_toml(
///     r#"
///     [balance]
///     over = "pairs"
///     site = "last-layer"
///     [balance.method.grad-norm]
///     alpha = 1.0
///     "#,
/// )?;
/// assert_eq!(config.balance.over, Over::Pairs);
/// # Ok::<(), kohort_models::ModelError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BalanceConfig {
    /// What the objectives are.
    pub over: Over,
    /// Which level of the hierarchy cohorts are taken from, 0 the outermost; the row's own cohort without one.
    pub level: Option<usize>,
    /// Where gradients are looked at: the representation for tasks and the last layer for cohorts and pairs, unless said otherwise.
    pub site: Option<At>,
    /// The method. Uncertainty without `forms` takes each task's.
    pub method: BalancerConfig,
}

/// The objectives of a run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    over: Over,
    site: At,
    pub(super) names: Vec<String>,
    tasks: usize,
    /// Likelihood of each objective's loss, for uncertainty weights.
    forms: Vec<UncertaintyForm>,
    /// Node of each group of rows; [`UNKNOWN`] for the rows of none.
    groups: Vec<u32>,
    /// Group of each training row.
    group_of: Vec<u32>,
}

impl BalanceConfig {
    /// The objectives of rows that belong to these cohorts.
    pub(super) fn plan(&self, tasks: &[Task], cohorts: &[u32], hierarchy: &Hierarchy) -> Plan {
        let node = |cohort: u32| match self.level {
            None => cohort,
            // A row that is known less deeply belongs to what is known of it.
            Some(level) => hierarchy.ancestor(cohort, level).unwrap_or(cohort),
        };
        let mut groups: Vec<u32> = cohorts.iter().map(|&cohort| node(cohort)).collect();
        groups.sort_unstable();
        groups.dedup();
        let place = |cohort: u32| groups.partition_point(|&group| group < cohort) as u32;
        let group_of = match self.over {
            Over::Tasks => Vec::new(),
            _ => cohorts.iter().map(|&cohort| place(node(cohort))).collect(),
        };
        let called =
            |&group: &u32| if group == UNKNOWN { "no cohort".to_owned() } else { hierarchy.name(group) };
        let names = match self.over {
            Over::Tasks => tasks.iter().map(|task| task.name.clone()).collect(),
            Over::Cohorts => groups.iter().map(called).collect(),
            Over::Pairs => tasks
                .iter()
                .flat_map(|task| groups.iter().map(move |group| format!("{}, {}", task.name, called(group))))
                .collect(),
        };
        let usual = if self.over == Over::Tasks { At::Representation } else { At::LastLayer };
        let site = self.site.unwrap_or(usual);
        let form = |task: &Task| match task.kind {
            TargetKind::Binary => UncertaintyForm::Classification,
            TargetKind::Number => UncertaintyForm::Regression,
        };
        let forms = match self.over {
            Over::Tasks => tasks.iter().map(form).collect(),
            Over::Pairs => tasks.iter().flat_map(|task| vec![form(task); groups.len()]).collect(),
            // A sum of both kinds is no likelihood of either.
            Over::Cohorts => {
                let numbers = tasks.iter().all(|task| task.kind == TargetKind::Number);
                let form =
                    if numbers { UncertaintyForm::Regression } else { UncertaintyForm::Classification };
                vec![form; groups.len()]
            }
        };
        Plan { over: self.over, site, names, tasks: tasks.len(), forms, groups, group_of }
    }

    /// The balancer of these objectives.
    ///
    /// # Errors
    /// A setting out of range, a list that has not one entry an objective, or a site that the method can see nothing at.
    pub(super) fn balancer(&self, plan: &Plan, seed: u64) -> Result<Box<dyn Balancer>, ModelError> {
        let mut method = self.method.clone();
        if let BalancerConfig::Uncertainty(config) = &mut method
            && config.forms.is_empty()
        {
            config.forms.clone_from(&plan.forms);
        }
        let balancer = method.build(plan.names.len(), seed)?;
        let blind = plan.over != Over::Tasks && plan.site == At::Representation;
        if blind && balancer.wants() == Wants::Gram {
            let what = "balance: cohorts have different rows, whose gradients have no inner products at a representation; \
                        allowed as site are last-layer, shared and shared-with-tables";
            return Err(ModelError::Config(what.to_owned()));
        }
        Ok(balancer)
    }
}

/// Rows of one shard, by group.
struct Shard {
    /// Places in the shard, by group.
    of_group: Vec<(u32, Vec<u32>)>,
}

impl Plan {
    /// Which losses make an objective: the number of groups that rows are cut into.
    fn cuts(&self) -> usize {
        if self.over == Over::Tasks { 1 } else { self.groups.len() }
    }

    /// What a sum of means is divided by.
    pub(super) fn factor(&self) -> f64 {
        1.0 / self.cuts() as f64
    }

    /// Objective of a loss, losses counted task by task.
    fn objective(&self, loss: usize) -> usize {
        match self.over {
            Over::Cohorts => loss % self.cuts(),
            Over::Tasks | Over::Pairs => loss,
        }
    }

    /// Terms of every loss, task by task, from those of the rows: weight and mask of each task, `[batch]`.
    pub(super) fn terms(
        &self,
        batch: &[u32],
        tasks: &[Task],
        weight: impl Fn(usize) -> Option<Vec<f32>>,
        known: impl Fn(usize) -> Option<Vec<bool>>,
    ) -> Result<Vec<Terms>, ObjectiveError> {
        let mut terms = Vec::with_capacity(self.tasks * self.cuts());
        for (k, task) in tasks.iter().enumerate() {
            let (weight, known, objective) = (weight(k), known(k), task.objective());
            if self.over == Over::Tasks {
                terms.push(objective.terms(batch.len(), weight.as_deref(), known.as_deref())?);
                continue;
            }
            let groups: Vec<u32> = batch.iter().map(|&row| self.group_of[row as usize]).collect();
            let mut there = vec![false; self.cuts()];
            groups.iter().for_each(|&group| there[group as usize] = true);
            for (group, there) in (0u32..).zip(there) {
                if !there {
                    terms.push(Terms { weight: None, scale: 0.0 });
                    continue;
                }
                let mask: Vec<bool> = (0..batch.len())
                    .map(|at| groups[at] == group && known.as_ref().is_none_or(|known| known[at]))
                    .collect();
                terms.push(objective.terms(batch.len(), weight.as_deref(), Some(&mask))?);
            }
        }
        Ok(terms)
    }

    /// Whether each objective is in a batch with these terms.
    pub(super) fn present(&self, terms: &[Terms]) -> Vec<bool> {
        let mut present = vec![false; self.names.len()];
        for (loss, terms) in terms.iter().enumerate() {
            present[self.objective(loss)] |= terms.scale > 0.0;
        }
        present
    }

    /// One loss an objective for `rows`, from each task's outputs `[rows, 1]` and learned targets `[rows]`; `weights` and `scales` are the
    /// terms, cut to these rows.
    pub(super) fn losses(
        &self,
        tape: &mut Tape,
        rows: &[u32],
        tasks: &[Task],
        (outputs, targets): (&[Var], &[Vec<f32>]),
        (weights, scales): (&[Option<Vec<f32>>], &[f64]),
    ) -> Vec<Var> {
        if self.over == Over::Tasks {
            let of = |k: usize| {
                tape.loss(tasks[k].loss(), outputs[k], &targets[k], weights[k].as_deref(), scales[k] as f32)
            };
            return (0..tasks.len()).map(of).collect();
        }
        let shard = self.shard(rows);
        let mut losses: Vec<Option<Var>> = vec![None; self.names.len()];
        for (k, task) in tasks.iter().enumerate() {
            for (group, places) in &shard.of_group {
                let loss = k * self.cuts() + *group as usize;
                if scales[loss] == 0.0 {
                    continue;
                }
                let pick =
                    |values: &[f32]| -> Vec<f32> { places.iter().map(|&at| values[at as usize]).collect() };
                let output = match places.len() == rows.len() {
                    true => outputs[k],
                    false => tape.take_rows(outputs[k], places),
                };
                let weight = weights[loss].as_ref().map(|weight| pick(weight));
                let own = tape.loss(
                    task.loss(),
                    output,
                    &pick(&targets[k]),
                    weight.as_deref(),
                    scales[loss] as f32,
                );
                let sum = &mut losses[self.objective(loss)];
                *sum = Some(sum.map_or(own, |sum| tape.add(sum, own)));
            }
        }
        let nothing = |loss: Option<Var>| loss.unwrap_or_else(|| tape.input(1, 1, &[0.0]));
        losses.into_iter().map(nothing).collect()
    }

    fn shard(&self, rows: &[u32]) -> Shard {
        let mut of_group: Vec<(u32, Vec<u32>)> = Vec::new();
        for (at, &row) in (0u32..).zip(rows) {
            let group = self.group_of[row as usize];
            match of_group.iter_mut().find(|(known, _)| *known == group) {
                Some((_, places)) => places.push(at),
                None => of_group.push((group, vec![at])),
            }
        }
        Shard { of_group }
    }

    /// What the trainer gets of a recording.
    pub(super) fn recorded(
        &self,
        tape: &Tape,
        losses: Vec<Var>,
        outputs: &[Var],
        representations: &[Var],
        penalty: Option<Var>,
    ) -> Recorded {
        let shared = meeting(tape, outputs, representations);
        Recorded { heads: self.over == Over::Tasks, penalty, ..Recorded::new(losses, shared) }
    }

    /// The site, from a recording of some rows of every cohort.
    ///
    /// # Errors
    /// [`ModelError::Config`] where there is no trainable parameter at the site.
    pub(super) fn site(
        &self,
        tape: &mut Tape,
        params: &Params,
        outputs: &[Var],
        representations: &[Var],
    ) -> Result<Site, ModelError> {
        let cut = kohort_core::Cut(meeting(tape, outputs, representations));
        let heads = match self.over {
            Over::Tasks => tape.params_above(params, outputs, &cut),
            Over::Cohorts | Over::Pairs => Vec::new(),
        };
        let shared = |tables: bool| -> Vec<ParamId> {
            let own = |id: &ParamId| {
                let slot = params.slot(*id);
                slot.trainable && (tables || slot.layout == Layout::Dense) && !heads.contains(id)
            };
            params.ids().filter(own).collect()
        };
        let site = match self.site {
            At::Representation => return Ok(Site::Representation),
            At::LastLayer => Site::Layer(tape.layer_at(params, &cut)),
            At::Shared => Site::Shared(shared(false)),
            At::SharedWithTables => Site::Shared(shared(true)),
        };
        match &site {
            Site::Layer(ids) | Site::Shared(ids) if ids.is_empty() => {
                Err(ModelError::Config(format!("balance: site = {:?} has no trainable parameter", self.site)))
            }
            _ => Ok(site),
        }
    }

    /// A metric of each objective on rows of these cohorts: ROC-AUC of a yes-or-no task, RMSE of a number in its units; a cohort's is the mean
    /// over its tasks. `None` where it is undefined.
    pub(super) fn metrics(&self, tasks: &[Task], groups: &[u32], scored: &[Scored]) -> Vec<Option<f64>> {
        let of = |k: usize, group: Option<u32>| -> Option<f64> {
            let Scored { predictions, target, known } = &scored[k];
            let rows: Vec<usize> = (0..predictions.len())
                .filter(|&row| known[row] && group.is_none_or(|group| groups[row] == group))
                .collect();
            let pick = |values: &[f32]| -> Vec<f32> { rows.iter().map(|&row| values[row]).collect() };
            tasks[k].metric(&pick(predictions), &pick(target))
        };
        let cuts = 0..self.cuts() as u32;
        match self.over {
            Over::Tasks => (0..self.tasks).map(|k| of(k, None)).collect(),
            Over::Pairs => (0..self.tasks)
                .flat_map(|k| cuts.clone().map(move |c| (k, c)))
                .map(|(k, c)| of(k, Some(c)))
                .collect(),
            Over::Cohorts => cuts
                .map(|c| {
                    let each: Option<Vec<f64>> = (0..self.tasks).map(|k| of(k, Some(c))).collect();
                    each.map(|each| each.iter().sum::<f64>() / each.len() as f64)
                })
                .collect(),
        }
    }

    /// Group of rows of these cohorts that are not training rows; one that there is no group for is in none.
    pub(super) fn groups(&self, cohorts: &[u32], level: Option<usize>, hierarchy: &Hierarchy) -> Vec<u32> {
        let node = |cohort: u32| match level {
            None => cohort,
            Some(level) => hierarchy.ancestor(cohort, level).unwrap_or(cohort),
        };
        let place = |cohort: u32| self.groups.binary_search(&cohort).map_or(u32::MAX, |at| at as u32);
        cohorts.iter().map(|&cohort| place(node(cohort))).collect()
    }
}

/// A task's predictions of held-out rows.
pub(super) struct Scored {
    pub(super) predictions: Vec<f32>,
    pub(super) target: Vec<f32>,
    pub(super) known: Vec<bool>,
}

/// Where tasks part; one task alone parts from nobody, and its representation is what stands below its tower.
fn meeting(tape: &Tape, outputs: &[Var], representations: &[Var]) -> Vec<Var> {
    let cut = tape.meeting(outputs).0;
    if cut.is_empty() && outputs.len() == 1 { representations.to_vec() } else { cut }
}
