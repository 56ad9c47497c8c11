//! What can be wrong with experts and gates, in words.

use std::fmt;

use super::{ALL, DEAD};
use crate::experts::Expert;

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
    /// One expert gets all of a gate.
    Collapsed {
        /// Whose gate; nothing for one that serves all tasks.
        task: Option<usize>,
        /// The expert.
        expert: Expert,
        /// Its mean share of the gate.
        share: f64,
    },
    /// Rows get one expert each and nothing of the others.
    Polarised {
        /// Whose gate; nothing for one that serves all tasks.
        task: Option<usize>,
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

impl Finding {
    /// In words, with the caller's names of experts and tasks.
    pub fn named(&self, expert: &dyn Fn(Expert) -> String, task: &dyn Fn(usize) -> String) -> String {
        let whose = |of: &Option<usize>| of.map_or_else(|| "all tasks".to_owned(), task);
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        match self {
            Finding::Unused { expert: e, share } => format!(
                "{} is dead: the gates give it {share:.3} of an even share, below {DEAD} is dead",
                expert(*e)
            ),
            Finding::Silent { expert: e, zeros } => {
                format!("{} is dead: {} of its outputs are zero", expert(*e), percent(*zeros))
            }
            Finding::Collapsed { task, expert: e, share } => format!(
                "the gate of {} has collapsed: {} gets {} of its weight",
                whose(task),
                expert(*e),
                percent(*share)
            ),
            Finding::Polarised { task, rows } => format!(
                "the gate of {} is polarised: {} of the rows give one expert more than {:.0} % and the others next to nothing",
                whose(task),
                percent(*rows),
                100.0 * ALL
            ),
            Finding::Redundant { expert: e, other, cosine } => format!(
                "{} and {} say the same: the mean cosine of their outputs is {cosine:.3}",
                expert(*e),
                expert(*other)
            ),
            Finding::Monopolised { expert: e, task: of, share } => format!(
                "{} is shared in name only: {} of its weight comes from {}",
                expert(*e),
                percent(*share),
                task(*of)
            ),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.named(&|expert| format!("expert {expert}"), &|task| format!("task {task}")))
    }
}
