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

fn whose(task: Option<usize>) -> String {
    task.map_or_else(|| "all tasks".to_owned(), |task| format!("task {task}"))
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
            Finding::Collapsed { task, expert, share } => write!(
                f,
                "the gate of {} has collapsed: expert {expert} gets {:.1} % of its weight",
                whose(*task),
                100.0 * share
            ),
            Finding::Polarised { task, rows } => write!(
                f,
                "the gate of {} is polarised: {:.1} % of the rows give one expert more than {:.0} % and the others next to nothing",
                whose(*task),
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
