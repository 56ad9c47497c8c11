//! Are the experts well? A monitor that gates and experts of any model can be shown to: who uses which expert, how decided
//! gates are, which experts say the same, and which are dead, collapsed or monopolised, in words.
//!
//! With `g [n, columns]` a gate of rows that can reach `E` experts, and `p_{b,e} = g_{b,e} / Σ_e g_{b,e}` its shares, which are
//! `g` itself where weights come from a softmax:
//!
//! | What | Formula | Finding when |
//! |---|---|---|
//! | use of expert `e` by a cohort or a task | mean of `g_{b,e}` over its rows | |
//! | gate entropy | mean of `−Σ_e p_{b,e} ln p_{b,e} / ln E_b`, `E_b` the experts that row `b` can reach | |
//! | dead | mean of `g_{b,e}·E_b` over the rows that can reach `e` below 0.1; or more than 90 % of its outputs 0 | always |
//! | collapsed | one expert's mean of `p_{b,e}` above 0.9, over the rows of one gate that can reach several | always |
//! | polarised | the largest `p_{b,e}` of a row above 0.9 in more than 90 % of a task's rows, and no collapse | always |
//! | redundant | mean cosine of two experts' outputs above 0.95 | outputs were compared |
//! | monopolised | more than 0.8 of a shared expert's mass from one of several tasks | tasks have gates of their own |
//!
//! The names follow HoME (Wang et al., arXiv 2408.05430) and Zhao et al. (RecSys 2019); the thresholds are ours.
//! An expert that belongs to one cohort is judged dead or alive by the rows of that cohort, because no others can reach it; but a
//! gate that sends each cohort to its own expert has not collapsed, so shares are over the gate's rows of all cohorts.

mod finding;

pub use finding::Finding;
use kohort_core::kernels::dot;

use super::{Expert, NO_EXPERT};
use crate::UNKNOWN;

/// A mean gate times the number of experts below this is dead.
const DEAD: f64 = 0.1;
/// More zeros than this among its outputs, and an expert is dead.
const ZEROS: f64 = 0.9;
/// A share of the gate above this is all of it.
const ALL: f64 = 0.9;
/// A cosine above this, and two experts say the same.
const SAME: f64 = 0.95;
/// A share of a shared expert's mass above this is a monopoly.
const MONOPOLY: f64 = 0.8;

/// Sums over everything that was observed.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpertHealth {
    experts: usize,
    cohorts: usize,
    tasks: usize,
    /// Gate mass by cohort (the last line for rows of no known one) and expert, over all gates.
    of_cohort: Vec<f64>,
    cohort_rows: Vec<f64>,
    of_task: Vec<f64>,
    task_rows: Vec<f64>,
    /// For each expert: rows that can reach it, its mass there, and that times what an even gate would give.
    reached: Vec<f64>,
    mass: Vec<f64>,
    evened: Vec<f64>,
    /// By task, and the last for gates that serve all.
    choices: Vec<Choices>,
    /// Outputs: rows, zeros and entries by expert; cosines and how many by pair.
    zeros: Vec<f64>,
    entries: Vec<f64>,
    cosine: Vec<f64>,
    cosines: Vec<f64>,
}

/// Sums over the rows of one task's gates that can reach more than one expert.
#[derive(Clone, Debug, PartialEq)]
struct Choices {
    rows: f64,
    entropy: f64,
    decided: f64,
    /// Rows of gates whose columns are other experts from row to row.
    varied: f64,
    experts: Vec<Chosen>,
}

/// Sums over one expert in those gates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Chosen {
    share: f64,
    /// Rows that can reach it.
    reached: f64,
    /// Rows of gates in which it has a column of its own.
    fixed: f64,
}

impl Choices {
    fn merge(&mut self, other: &Choices) {
        self.rows += other.rows;
        self.entropy += other.entropy;
        self.decided += other.decided;
        self.varied += other.varied;
        for (mine, theirs) in self.experts.iter_mut().zip(&other.experts) {
            mine.share += theirs.share;
            mine.reached += theirs.reached;
            mine.fixed += theirs.fixed;
        }
    }

    /// The expert that gets all, with its mean share over the rows of the gates that it is in.
    fn collapsed(&self) -> Option<(usize, f64)> {
        let share = |chosen: &Chosen| {
            let varied = if chosen.reached > chosen.fixed { self.varied } else { 0.0 };
            let rows = chosen.fixed + varied;
            if rows > 0.0 { chosen.share / rows } else { 0.0 }
        };
        self.experts.iter().map(share).enumerate().find(|(_, share)| *share > ALL)
    }
}

/// What was observed, summed up.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthReport {
    /// Mean gate by cohort and expert, `[cohorts, experts]`; nothing for a cohort without rows.
    pub by_cohort: Vec<Option<Vec<f64>>>,
    /// Mean gate by expert, over all rows and gates, `[experts]`.
    pub overall: Vec<f64>,
    /// Mean gate by task and expert, `[tasks, experts]`; nothing for a task without a gate of its own.
    pub by_task: Vec<Option<Vec<f64>>>,
    /// Mean entropy of a row's gate over what it could be, from 0 (one expert) to 1 (all alike).
    pub entropy: f64,
    /// Mean cosine of each two experts' outputs, `[experts, experts]`; nothing for outputs that were not shown.
    pub similarity: Vec<Vec<Option<f64>>>,
    /// What is wrong, by kind, then by expert.
    pub findings: Vec<Finding>,
}

impl ExpertHealth {
    /// A monitor of `experts` experts, for rows of `cohorts` cohorts and gates of `tasks` tasks.
    pub fn new(experts: usize, cohorts: usize, tasks: usize) -> ExpertHealth {
        let zeros = |n: usize| vec![0.0; n];
        let chosen = vec![Chosen::default(); experts];
        let none = Choices { rows: 0.0, entropy: 0.0, decided: 0.0, varied: 0.0, experts: chosen };
        ExpertHealth {
            experts,
            cohorts,
            tasks,
            of_cohort: zeros((cohorts + 1) * experts),
            cohort_rows: zeros(cohorts + 1),
            of_task: zeros(tasks * experts),
            task_rows: zeros(tasks),
            reached: zeros(experts),
            mass: zeros(experts),
            evened: zeros(experts),
            choices: vec![none; tasks + 1],
            zeros: zeros(experts),
            entries: zeros(experts),
            cosine: zeros(experts * experts),
            cosines: zeros(experts * experts),
        }
    }

    /// Sees a gate's weights `[n, columns]`. `of_column` says which expert a column is, `[columns]`, or `[n, columns]` where
    /// that differs from row to row, with [`NO_EXPERT`] for none; `cohorts` holds each row's cohort, or
    /// [`UNKNOWN`](crate::UNKNOWN).
    ///
    /// # Panics
    /// If lengths don't fit, or a number names no expert, cohort or task.
    #[track_caller]
    pub fn observe_gate(&mut self, task: Option<usize>, gate: &[f32], of_column: &[Expert], cohorts: &[u32]) {
        let n = cohorts.len();
        assert!(n == 0 || gate.len().is_multiple_of(n), "health: {} weights for {n} rows", gate.len());
        let columns = gate.len().checked_div(n).unwrap_or(0);
        let by_row = of_column.len() == gate.len() && columns != of_column.len();
        assert!(
            by_row || of_column.len() == columns,
            "health: {} names for {columns} columns",
            of_column.len()
        );
        assert!(task.is_none_or(|task| task < self.tasks), "health: task {task:?} of {}", self.tasks);
        for (row, gate) in gate.chunks_exact(columns.max(1)).enumerate() {
            let names = if by_row { &of_column[row * columns..(row + 1) * columns] } else { of_column };
            let cohort = if cohorts[row] == UNKNOWN { self.cohorts } else { cohorts[row] as usize };
            self.observe_use(task, gate, names, cohort);
            self.observe_choice(task, gate, names, by_row);
        }
    }

    fn observe_use(&mut self, task: Option<usize>, gate: &[f32], names: &[Expert], cohort: usize) {
        let reach = names.iter().filter(|&&name| name != NO_EXPERT).count();
        for (&g, &name) in gate.iter().zip(names).filter(|(_, name)| **name != NO_EXPERT) {
            let (g, e) = (f64::from(g), name as usize);
            self.of_cohort[cohort * self.experts + e] += g;
            self.reached[e] += 1.0;
            self.mass[e] += g;
            self.evened[e] += g * reach as f64;
            if let Some(task) = task {
                self.of_task[task * self.experts + e] += g;
            }
        }
        self.cohort_rows[cohort] += 1.0;
        if let Some(task) = task {
            self.task_rows[task] += 1.0;
        }
    }

    fn observe_choice(&mut self, task: Option<usize>, gate: &[f32], names: &[Expert], by_row: bool) {
        let open = || gate.iter().zip(names).filter(|(_, name)| **name != NO_EXPERT);
        let reach = open().count();
        let total: f64 = open().map(|(&g, _)| f64::from(g)).sum();
        if reach < 2 || total <= 0.0 {
            return;
        }
        let choices = &mut self.choices[task.unwrap_or(self.tasks)];
        let (mut entropy, mut top) = (0.0, 0.0f64);
        for (&g, &name) in open() {
            let share = f64::from(g) / total;
            entropy -= if share > 0.0 { share * share.ln() } else { 0.0 };
            top = top.max(share);
            let chosen = &mut choices.experts[name as usize];
            chosen.share += share;
            chosen.reached += 1.0;
            chosen.fixed += f64::from(u8::from(!by_row));
        }
        choices.rows += 1.0;
        choices.entropy += entropy / (reach as f64).ln();
        choices.decided += f64::from(u8::from(top > ALL));
        choices.varied += f64::from(u8::from(by_row));
    }

    /// Sees outputs `[n, experts·width]` of experts that lie side by side; `names` says which block is which.
    ///
    /// # Panics
    /// If the blocks don't fit, or a number names no expert.
    #[track_caller]
    pub fn observe_outputs(&mut self, outputs: &[f32], names: &[Expert], rows: usize) {
        let Some(width) = width_of(outputs, names, rows) else { return };
        for row in outputs.chunks_exact(width * names.len()) {
            for (block, &name) in row.chunks_exact(width).zip(names) {
                self.entries[name as usize] += width as f64;
                self.zeros[name as usize] += block.iter().filter(|&&x| x == 0.0).count() as f64;
            }
        }
    }

    /// Compares outputs `[n, experts·width]` of experts that lie side by side, each two of them. Rows need not be ones that the experts
    /// are used on: what a cohort's expert would say of another cohort's rows tells whether both are the same.
    ///
    /// # Panics
    /// If the blocks don't fit, or a number names no expert.
    #[track_caller]
    pub fn compare_outputs(&mut self, outputs: &[f32], names: &[Expert], rows: usize) {
        let Some(width) = width_of(outputs, names, rows) else { return };
        for row in outputs.chunks_exact(width * names.len()) {
            let block = |e: usize| &row[e * width..(e + 1) * width];
            let norms: Vec<f64> =
                (0..names.len()).map(|e| f64::from(dot(block(e), block(e))).sqrt()).collect();
            for (i, &name) in names.iter().enumerate() {
                for (j, &other) in names.iter().enumerate().skip(i + 1) {
                    let size = norms[i] * norms[j];
                    if size > 0.0 {
                        let (a, b) = (name.min(other) as usize, name.max(other) as usize);
                        self.cosine[a * self.experts + b] += f64::from(dot(block(i), block(j))) / size;
                        self.cosines[a * self.experts + b] += 1.0;
                    }
                }
            }
        }
    }

    /// Adds what another monitor of the same experts has seen: those of shards, in their order.
    ///
    /// # Panics
    /// If it is of other experts, cohorts or tasks.
    #[track_caller]
    pub fn merge(&mut self, other: &ExpertHealth) {
        assert_eq!(
            (self.experts, self.cohorts, self.tasks),
            (other.experts, other.cohorts, other.tasks),
            "health: monitors of other experts, cohorts or tasks"
        );
        for (mine, theirs) in [
            (&mut self.of_cohort, &other.of_cohort),
            (&mut self.cohort_rows, &other.cohort_rows),
            (&mut self.of_task, &other.of_task),
            (&mut self.task_rows, &other.task_rows),
            (&mut self.reached, &other.reached),
            (&mut self.mass, &other.mass),
            (&mut self.evened, &other.evened),
            (&mut self.zeros, &other.zeros),
            (&mut self.entries, &other.entries),
            (&mut self.cosine, &other.cosine),
            (&mut self.cosines, &other.cosines),
        ] {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
        self.choices.iter_mut().zip(&other.choices).for_each(|(mine, theirs)| mine.merge(theirs));
    }

    /// Everything that was seen, summed up.
    pub fn report(&self) -> HealthReport {
        let means = |sums: &[f64], rows: &[f64]| -> Vec<Option<Vec<f64>>> {
            let mean = |(sums, &rows): (&[f64], &f64)| {
                (rows > 0.0).then(|| sums.iter().map(|sum| sum / rows).collect())
            };
            sums.chunks_exact(self.experts.max(1)).zip(rows).map(mean).collect()
        };
        let mut by_cohort = means(&self.of_cohort, &self.cohort_rows);
        by_cohort.truncate(self.cohorts);
        let seen: f64 = self.cohort_rows.iter().sum();
        let overall = self.mass.iter().map(|mass| if seen > 0.0 { mass / seen } else { 0.0 }).collect();
        let similarity = (0..self.experts)
            .map(|a| (0..self.experts).map(|b| if a == b { Some(1.0) } else { self.cosine(a, b) }).collect())
            .collect();
        let sum = |of: fn(&Choices) -> f64| self.choices.iter().map(of).sum::<f64>();
        let (rows, entropy) = (sum(|choices| choices.rows), sum(|choices| choices.entropy));
        HealthReport {
            by_cohort,
            overall,
            by_task: means(&self.of_task, &self.task_rows),
            entropy: if rows > 0.0 { entropy / rows } else { 0.0 },
            similarity,
            findings: self.findings(),
        }
    }

    fn cosine(&self, a: usize, b: usize) -> Option<f64> {
        let at = a.min(b) * self.experts + a.max(b);
        (self.cosines[at] > 0.0).then(|| self.cosine[at] / self.cosines[at])
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let name = |e: usize| e as Expert;
        for e in (0..self.experts).filter(|&e| self.reached[e] > 0.0) {
            let share = self.evened[e] / self.reached[e];
            if share < DEAD {
                findings.push(Finding::Unused { expert: name(e), share });
            }
        }
        for e in (0..self.experts).filter(|&e| self.entries[e] > 0.0) {
            let zeros = self.zeros[e] / self.entries[e];
            if zeros > ZEROS {
                findings.push(Finding::Silent { expert: name(e), zeros });
            }
        }
        for (at, choices) in self.choices.iter().enumerate() {
            let task = (at < self.tasks).then_some(at);
            if let Some((e, share)) = choices.collapsed() {
                findings.push(Finding::Collapsed { task, expert: name(e), share });
            } else if choices.decided > ALL * choices.rows {
                findings.push(Finding::Polarised { task, rows: choices.decided / choices.rows });
            }
        }
        for a in 0..self.experts {
            for b in a + 1..self.experts {
                if let Some(cosine) = self.cosine(a, b).filter(|&cosine| cosine > SAME) {
                    findings.push(Finding::Redundant { expert: name(a), other: name(b), cosine });
                }
            }
        }
        findings.extend(self.monopolies());
        findings
    }

    /// Experts that several tasks can reach and one uses.
    fn monopolies(&self) -> Vec<Finding> {
        let seen: Vec<usize> = (0..self.tasks).filter(|&task| self.task_rows[task] > 0.0).collect();
        let mut findings = Vec::new();
        for e in 0..self.experts {
            let own: Vec<(usize, f64)> = seen
                .iter()
                .map(|&task| (task, self.of_task[task * self.experts + e] / self.task_rows[task]))
                .collect();
            let total: f64 = own.iter().map(|(_, share)| share).sum();
            let able = own.iter().filter(|(_, share)| *share > 0.0).count();
            // What one task alone can reach is its own, and what nobody uses is dead, not a monopoly.
            if able < 2 || total * seen.len() as f64 <= DEAD {
                continue;
            }
            let most = own.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((task, share)) = most.filter(|(_, share)| share / total > MONOPOLY) {
                findings.push(Finding::Monopolised { expert: e as Expert, task, share: share / total });
            }
        }
        findings
    }
}

/// Width of one expert's output; nothing where there is none.
#[track_caller]
fn width_of(outputs: &[f32], names: &[Expert], rows: usize) -> Option<usize> {
    let wide = outputs.len().checked_div(rows).unwrap_or(0);
    if names.is_empty() || wide == 0 {
        return None;
    }
    assert!(
        wide * rows == outputs.len() && wide.is_multiple_of(names.len()),
        "health: {} outputs of {} experts in {rows} rows",
        outputs.len(),
        names.len()
    );
    Some(wide / names.len())
}

#[cfg(test)]
mod tests;
