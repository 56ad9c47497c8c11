//! What an epoch did, and a file with one JSON line for each.

use std::io::Write;

use kohort_objectives::conflict::Snapshot;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Profile;

/// One epoch, as observers see it and the log keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean of each objective's unweighted loss over the epoch's rows.
    pub losses: Vec<(String, f64)>,
    /// Mean of what is minimised beside the objectives, over the epoch's steps; 0 where there is nothing.
    pub penalty: f64,
    /// The last step's coefficient of each objective.
    pub coefficients: Vec<f64>,
    /// Running averages of weights, losses, gradient norms and the cosines between gradients, the latter as far as the balancer
    /// looked at them.
    pub weighting: Snapshot,
    /// Value on the validation rows, where there are any; smaller is better.
    pub validation: Option<f64>,
    /// What else the system had to say, such as the entropy of its attention in nats.
    pub notes: Vec<(String, f64)>,
    /// What somebody should know, in words.
    pub remarks: Vec<String>,
    /// Wall time of the epoch in seconds, validation included.
    pub seconds: f64,
    /// Where those seconds went, where [`TrainConfig::profile`](super::TrainConfig::profile) asks for it. In the log and not in checkpoints.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "in_words",
        deserialize_with = "from_words"
    )]
    pub profile: Option<Profile>,
}

/// Only a format for people has the profile: a checkpoint holds what a run goes on from, and its bytes are the same with a profile and
/// without.
fn in_words<S: Serializer>(profile: &Option<Profile>, out: S) -> Result<S::Ok, S::Error> {
    if out.is_human_readable() { profile.serialize(out) } else { ().serialize(out) }
}

fn from_words<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Profile>, D::Error> {
    if from.is_human_readable() { Option::deserialize(from) } else { Ok(None) }
}

/// Writes each epoch as one line of JSON.
#[derive(Debug)]
pub struct JsonLines<W: Write> {
    out: W,
    error: Option<std::io::Error>,
}

impl<W: Write> JsonLines<W> {
    /// A log into `out`.
    pub fn new(out: W) -> JsonLines<W> {
        JsonLines { out, error: None }
    }

    /// Writes one line. A failing disk does not stop a training: the first error is kept for [`JsonLines::finish`].
    pub fn write(&mut self, epoch: &Epoch) {
        if self.error.is_none() {
            let line = serde_json::to_string(epoch).map_err(std::io::Error::other);
            self.error = line.and_then(|line| writeln!(self.out, "{line}")).err();
        }
    }

    /// Flushes the log.
    ///
    /// # Errors
    /// The first error of any write.
    pub fn finish(mut self) -> std::io::Result<W> {
        match self.error {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.out),
        }
    }
}
