//! Training or scoring: what dropout asks.

use kohort_core::random::Stream;
use kohort_core::{Real, Tape, Var};

/// Whether a forward pass is for training or for scoring.
#[derive(Debug)]
pub struct Mode {
    masks: Option<Stream>,
}

impl Mode {
    /// For training: dropout draws its masks from `masks`, a stream named by seed, epoch, step and shard.
    pub fn train(masks: Stream) -> Mode {
        Mode { masks: Some(masks) }
    }

    /// For scoring: dropout is off.
    pub fn score() -> Mode {
        Mode { masks: None }
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
