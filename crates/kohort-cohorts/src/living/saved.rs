//! Any assigner, to be stored beside a model: whoever reads it need not know beforehand how cohorts were made.

use serde::{Deserialize, Serialize};

use super::{InductiveAssigner, NeighbourVote};
use crate::Assigner;
use crate::behaviour::Stages;

/// How new users get their cohorts. Each kind is checked when it is read; `kohort_core::checkpoint` refuses damaged files.
///
/// ```
/// use kohort_cohorts::behaviour::Lifecycle;
/// use kohort_cohorts::living::SavedAssigner;
///
/// let stages = Lifecycle::default().stages()?;
/// let text = serde_json::to_string(&SavedAssigner::Rules(stages.clone()))?;
/// assert_eq!(serde_json::from_str::<SavedAssigner>(&text)?, SavedAssigner::Rules(stages));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedAssigner {
    /// The nearest centre.
    Centres(Assigner),
    /// The vote of the neighbours.
    Neighbours(NeighbourVote),
    /// The nearest centre by the vectors of the items taken.
    Items(InductiveAssigner),
    /// The first rule that holds.
    Rules(Stages),
}
