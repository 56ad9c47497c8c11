//! Are the experts well? A monitor that gates and experts of any model can be shown to: who uses which expert, how decided
//! gates are, which experts say the same, and which are dead, collapsed or monopolised, in words.
//!
//! With `g [n, columns]` a gate of rows that can reach `E` experts:
//!
//! | What | Formula | Finding when |
//! |---|---|---|
//! | use of expert `e` by a cohort or a task | mean of `g_{b,e}` over its rows | |
//! | gate entropy | mean of `−Σ_e g_{b,e} ln g_{b,e} / ln E_b`, `E_b` the experts that row `b` can reach | |
//! | dead | mean of `g_{b,e}·E_b` over the rows that can reach `e` below 0.1; or more than 90 % of its outputs 0 | always |
//! | collapsed | one expert's mean of `g_{b,e}` above 0.9 over rows that can reach several | always |
//! | polarised | the largest `g_{b,e}` of a row above 0.9 in more than 90 % of rows, of several experts in use | always |
//! | redundant | mean cosine of two experts' outputs above 0.95 | outputs were shown |
//! | monopolised | more than 0.8 of a shared expert's mass from one of several tasks | tasks have gates of their own |
//!
//! The names follow HoME (Wang et al., arXiv 2408.05430) and Zhao et al. (RecSys 2019); the thresholds are ours.
//! An expert that belongs to one cohort is judged by the rows of that cohort, because no others can reach it.

use std::fmt;

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
    /// The same for rows that can reach more than one.
    contested: Vec<f64>,
    contested_mass: Vec<f64>,
    rows: f64,
    entropy: f64,
    decided: f64,
    /// Outputs: rows, zeros and entries by expert; cosines and how many by pair.
    zeros: Vec<f64>,
    entries: Vec<f64>,
    cosine: Vec<f64>,
    cosines: Vec<f64>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// Nobody uses the expert, although they could.
    Unused {
        /// The expert.
        expert: Expert,
        /// Its mean share of the gate, as a multiple of an even share.
        share: f64,
    },
    /// The expert's output is almost always zero.
    Silent {
        /// The expert.
        expert: Expert,
        /// Share of zeros among its outputs.
        zeros: f64,
    },
    /// One expert gets all of the gate.
    Collapsed {
        /// The expert.
        expert: Expert,
        /// Its mean share of the gate.
        share: f64,
    },
    /// Rows get one expert each and nothing of the others.
    Polarised {
        /// Share of such rows.
        rows: f64,
    },
    /// Two experts say the same.
    Redundant {
        /// One of them.
        expert: Expert,
        /// The other.
        other: Expert,
        /// Mean cosine of their outputs.
        cosine: f64,
    },
    /// A shared expert serves one task.
    Monopolised {
        /// The expert.
        expert: Expert,
        /// The task.
        task: usize,
        /// Its share of the expert's mass.
        share: f64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Unused { expert, share } => write!(
                f,
                "expert {expert} is dead: the gates give it {share:.3} of an even share, below {DEAD} is dead"
            ),
            Finding::Silent { expert, zeros } => {
                write!(f, "expert {expert} is dead: {:.1} % of its outputs are zero", 100.0 * zeros)
            }
            Finding::Collapsed { expert, share } => {
                write!(
                    f,
                    "the gates have collapsed: expert {expert} gets {:.1} % of all weight",
                    100.0 * share
                )
            }
            Finding::Polarised { rows } => write!(
                f,
                "the gates are polarised: {:.1} % of the rows give one expert more than {:.0} % and the others next to nothing",
                100.0 * rows,
                100.0 * ALL
            ),
            Finding::Redundant { expert, other, cosine } => {
                write!(
                    f,
                    "experts {expert} and {other} say the same: the mean cosine of their outputs is {cosine:.3}"
                )
            }
            Finding::Monopolised { expert, task, share } => write!(
                f,
                "expert {expert} is shared in name only: {:.1} % of its weight comes from task {task}",
                100.0 * share
            ),
        }
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
            contested: zeros(experts),
            contested_mass: zeros(experts),
            rows: 0.0,
            entropy: 0.0,
            decided: 0.0,
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
            self.observe_row(task, gate, names, cohort);
        }
    }

    fn observe_row(&mut self, task: Option<usize>, gate: &[f32], names: &[Expert], cohort: usize) {
        let reach = names.iter().filter(|&&name| name != NO_EXPERT).count();
        let (mut entropy, mut top) = (0.0, 0.0f64);
        for (&g, &name) in gate.iter().zip(names).filter(|(_, name)| **name != NO_EXPERT) {
            let (g, e) = (f64::from(g), name as usize);
            entropy -= if g > 0.0 { g * g.ln() } else { 0.0 };
            top = top.max(g);
            self.of_cohort[cohort * self.experts + e] += g;
            self.reached[e] += 1.0;
            self.mass[e] += g;
            self.evened[e] += g * reach as f64;
            if reach > 1 {
                self.contested[e] += 1.0;
                self.contested_mass[e] += g;
            }
            if let Some(task) = task {
                self.of_task[task * self.experts + e] += g;
            }
        }
        self.cohort_rows[cohort] += 1.0;
        if let Some(task) = task {
            self.task_rows[task] += 1.0;
        }
        if reach > 1 {
            self.rows += 1.0;
            self.entropy += entropy / (reach as f64).ln();
            self.decided += f64::from(u8::from(top > ALL));
        }
    }

    /// Sees outputs `[n, experts·width]` of experts that lie side by side; `names` says which block is which.
    ///
    /// # Panics
    /// If the blocks don't fit, or a number names no expert.
    #[track_caller]
    pub fn observe_outputs(&mut self, outputs: &[f32], names: &[Expert], rows: usize) {
        let wide = outputs.len().checked_div(rows).unwrap_or(0);
        if names.is_empty() || wide == 0 {
            return;
        }
        assert!(
            wide * rows == outputs.len() && wide.is_multiple_of(names.len()),
            "health: {} outputs of {} experts in {rows} rows",
            outputs.len(),
            names.len()
        );
        let width = wide / names.len();
        for row in outputs.chunks_exact(wide) {
            let blocks: Vec<&[f32]> = row.chunks_exact(width).collect();
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
            };
            let norms: Vec<f64> = blocks.iter().map(|block| dot(block, block).sqrt()).collect();
            for (i, &name) in names.iter().enumerate() {
                let e = name as usize;
                self.entries[e] += width as f64;
                self.zeros[e] += blocks[i].iter().filter(|&&x| x == 0.0).count() as f64;
                for (j, &other) in names.iter().enumerate().skip(i + 1) {
                    let size = norms[i] * norms[j];
                    if size > 0.0 {
                        let (a, b) = (e.min(other as usize), e.max(other as usize));
                        self.cosine[a * self.experts + b] += dot(blocks[i], blocks[j]) / size;
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
            (&mut self.contested, &other.contested),
            (&mut self.contested_mass, &other.contested_mass),
            (&mut self.zeros, &other.zeros),
            (&mut self.entries, &other.entries),
            (&mut self.cosine, &other.cosine),
            (&mut self.cosines, &other.cosines),
        ] {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
        self.rows += other.rows;
        self.entropy += other.entropy;
        self.decided += other.decided;
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
        HealthReport {
            by_cohort,
            overall,
            by_task: means(&self.of_task, &self.task_rows),
            entropy: if self.rows > 0.0 { self.entropy / self.rows } else { 0.0 },
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
        let collapsed = (0..self.experts).filter(|&e| self.contested[e] > 0.0).find_map(|e| {
            // Over all rows that choose: an expert of one cohort that its cohort leans on is no collapse.
            let share = self.contested_mass[e] / self.rows;
            (share > ALL).then(|| Finding::Collapsed { expert: name(e), share })
        });
        let decided = if self.rows > 0.0 { self.decided / self.rows } else { 0.0 };
        match collapsed {
            Some(collapsed) => findings.push(collapsed),
            None if decided > ALL => findings.push(Finding::Polarised { rows: decided }),
            None => {}
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

#[cfg(test)]
mod tests;
