//! A batch cut into shards of a fixed number of rows, and gradients added in shard order.
//!
//! Each shard runs forward and backward on its own tape, which then fits in a core's cache; rayon spreads shards over
//! threads. Sums run over shards in their order, never in the order of arrival, so the result has **the same bits for
//! any number of threads**. The shard size is part of the numerics: it belongs in the config and the manifest.

use std::ops::Range;

use rayon::prelude::*;

use crate::{Grads, Params, Real, Tape};

/// One shard of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which shard of the batch, from 0: a random stream for dropout is named by it.
    pub index: usize,
    /// Rows of the batch.
    pub rows: Range<usize>,
}

/// Tapes and gradients for the shards of a batch, kept between steps.
pub struct Shards<F: Real = f32> {
    rows: usize,
    workers: Vec<Worker<F>>,
    used: usize,
    total: Grads<F>,
}

struct Worker<F: Real> {
    tape: Tape<F>,
    grads: Grads<F>,
}

impl<F: Real> Shards<F> {
    /// Shards of `rows` rows for models with these parameters.
    ///
    /// # Panics
    /// If `rows` is 0.
    #[track_caller]
    pub fn new(params: &Params<F>, rows: usize) -> Shards<F> {
        if rows == 0 {
            crate::shape::fail("shards", "a shard needs at least one row");
        }
        Shards { rows, workers: Vec::new(), used: 0, total: Grads::new(params) }
    }

    /// Runs `record` once for each shard of a batch of `batch` rows, on its reset tape, and returns what each gave,
    /// in shard order. The recordings stay for any number of [`Shards::backward`] calls.
    pub fn forward<T, W>(&mut self, params: &Params<F>, batch: usize, record: W) -> Vec<T>
    where
        T: Send,
        W: Fn(Shard, &mut Tape<F>) -> T + Sync,
    {
        let count = batch.div_ceil(self.rows);
        while self.workers.len() < count {
            self.workers.push(Worker { tape: Tape::new(), grads: Grads::new(params) });
        }
        self.used = count;
        let rows = self.rows;
        let run = |(index, worker): (usize, &mut Worker<F>)| {
            worker.tape.reset();
            record(Shard { index, rows: index * rows..((index + 1) * rows).min(batch) }, &mut worker.tape)
        };
        self.workers[..count].par_iter_mut().enumerate().map(run).collect()
    }

    /// Runs `sweep` once for each shard of the last forward, on its tape and cleared gradients, and returns the sum of
    /// the gradients over shards, in shard order.
    pub fn backward<W>(&mut self, sweep: W) -> &Grads<F>
    where
        W: Fn(usize, &mut Tape<F>, &mut Grads<F>) + Sync,
    {
        let used = &mut self.workers[..self.used];
        used.par_iter_mut().enumerate().for_each(|(index, worker)| {
            worker.grads.clear();
            sweep(index, &mut worker.tape, &mut worker.grads);
        });
        let parts: Vec<&Grads<F>> = used.iter().map(|w| &w.grads).collect();
        self.total.sum_of(&parts);
        &self.total
    }

    /// The tapes of the last batch in shard order, to look into: values, attention maps, the op that went wrong.
    pub fn tapes(&self) -> impl Iterator<Item = &Tape<F>> {
        self.workers[..self.used].iter().map(|w| &w.tape)
    }
}

/// Scores `rows` rows in chunks of `chunk`, each on a tape of its thread's own, and joins the results in row order.
pub fn score<F, W>(rows: usize, chunk: usize, work: W) -> Vec<F>
where
    F: Real,
    W: Fn(Range<usize>, &mut Tape<F>) -> Vec<F> + Sync,
{
    let chunk = chunk.max(1);
    let parts: Vec<Vec<F>> = (0..rows.div_ceil(chunk))
        .into_par_iter()
        .map_init(Tape::new, |tape, index| {
            tape.reset();
            work(index * chunk..((index + 1) * chunk).min(rows), tape)
        })
        .collect();
    parts.concat()
}
