//! Training or scoring: what dropout and redrawn samples ask.

use kohort_core::random::Stream;
use kohort_core::{Init, Real, Tape, Var};

/// Whether a forward pass is for training or for scoring.
#[derive(Debug)]
pub struct Mode {
    masks: Option<Stream>,
    epoch: Option<u64>,
    compares: bool,
}

impl Mode {
    /// For training: dropout draws its masks from `masks`, a stream named by seed, epoch, step and shard.
    pub fn train(masks: Stream) -> Mode {
        Mode { masks: Some(masks), epoch: None, compares: false }
    }

    /// For scoring: dropout is off.
    pub fn score() -> Mode {
        Mode { masks: None, epoch: None, compares: false }
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

    /// The same, with every expert shown every row: layers whose experts have rows of their own leave in
    /// [`Mixed::compared`](crate::experts::Mixed::compared) what each would say of all of them.
    pub fn comparing(self) -> Mode {
        Mode { compares: true, ..self }
    }

    /// Whether experts are to be compared.
    pub fn compares(&self) -> bool {
        self.compares
    }

    /// Applies dropout at `rate` in training; leaves `x` alone in scoring.
    #[track_caller]
    pub fn dropout<F: Real>(&mut self, tape: &mut Tape<F>, x: Var, rate: f64) -> Var {
        match &mut self.masks {
            Some(stream) => tape.dropout(x, rate, stream),
            None => x,
        }
    }

    /// The stream that training draws from; `None` when scoring.
    pub fn stream(&mut self) -> Option<&mut Stream> {
        self.masks.as_mut()
    }

    /// Standard normal draws `[rows, cols]` in training; `None` when scoring.
    pub fn normal<F: Real>(&mut self, tape: &mut Tape<F>, rows: usize, cols: usize) -> Option<Var> {
        let drawn: Vec<F> = Init::Normal(1.0).draw(rows, cols, self.masks.as_mut()?);
        Some(tape.input(rows, cols, &drawn))
    }
}
