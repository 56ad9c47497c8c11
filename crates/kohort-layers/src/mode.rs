//! Training or scoring: what dropout and redrawn samples ask.

use kohort_core::random::Stream;
use kohort_core::{Real, Tape, Var};

/// Whether a forward pass is for training or for scoring.
#[derive(Debug)]
pub struct Mode {
    masks: Option<Stream>,
    epoch: Option<u64>,
}

impl Mode {
    /// For training: dropout draws its masks from `masks`, a stream named by seed, epoch, step and shard.
    pub fn train(masks: Stream) -> Mode {
        Mode { masks: Some(masks), epoch: None }
    }

    /// For scoring: dropout is off.
    pub fn score() -> Mode {
        Mode { masks: None, epoch: None }
    }

    /// The same, in this pass over the training rows, counted from 0: samples that are redrawn in each pass name their
    /// streams by it.
    pub fn in_epoch(self, epoch: u64) -> Mode {
        Mode { epoch: Some(epoch), ..self }
    }

    /// Which pass over the training rows this is, from 0; `None` when scoring.
    pub fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// Applies dropout at `rate` in training; leaves `x` alone in scoring.
    #[track_caller]
    pub fn dropout<F: Real>(&mut self, tape: &mut Tape<F>, x: Var, rate: f64) -> Var {
        match &mut self.masks {
            Some(stream) => tape.dropout(x, rate, stream),
            None => x,
        }
    }
}
