//! A batch cut into shards of a fixed number of rows, and gradients added in shard order.
//!
//! Each shard runs forward and backward on its own tape, which then fits in a core's cache; rayon spreads shards over
//! threads. Sums run over shards in their order, never in the order of arrival, so the result has **the same bits for
//! any number of threads**. The shard size is part of the numerics: it belongs in the config and the manifest. A loop of steps runs fastest inside
//! of [`on_pool`].

use std::ops::Range;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::profile::Profile;
use crate::{Grads, ParamId, Params, Real, Tape};

/// One shard of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which shard of the batch, from 0: a random stream for dropout is named by it.
    pub index: usize,
    /// Rows of the batch.
    pub rows: Range<usize>,
}

/// Where the time of shards went, beside what ops say of themselves in a [`Profile`]: all zero where the watches are off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Wall time of recording and sweeping shards, all threads together.
    pub shards: Duration,
    /// What threads were busy with shards in that time, added up over threads.
    pub busy: Duration,
    /// Wall time of summing and weighing gradients.
    pub sums: Duration,
}

/// Tapes and gradients for the shards of a batch, kept between steps.
pub struct Shards<F: Real = f32> {
    rows: usize,
    workers: Vec<Worker<F>>,
    used: usize,
    total: Grads<F>,
    /// Sums over shards of the gradients that were kept apart.
    totals: Vec<Grads<F>>,
    profiled: bool,
    spent: Spent,
}

struct Worker<F: Real> {
    tape: Tape<F>,
    grads: Grads<F>,
    /// Gradients that are kept apart: one an objective.
    apart: Vec<Grads<F>>,
    /// How long a thread had this shard, since it was asked last.
    busy: Duration,
}

impl<F: Real> Worker<F> {
    /// Does `work` on this shard under the watch, where there is one.
    fn timed<T>(&mut self, watched: bool, work: impl FnOnce(&mut Worker<F>) -> T) -> T {
        let start = watched.then(Instant::now);
        let given = work(self);
        self.busy += since(start);
        given
    }
}

/// Time since a watch was started; none where it was not.
fn since(start: Option<Instant>) -> Duration {
    start.map_or(Duration::ZERO, |start| start.elapsed())
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
        Shards {
            rows,
            workers: Vec::new(),
            used: 0,
            total: Grads::new(params),
            totals: Vec::new(),
            profiled: false,
            spent: Spent::default(),
        }
    }

    /// Turns the watches of all tapes on or off, see [`crate::profile`].
    pub fn profile(&mut self, on: bool) {
        self.profiled = on;
        self.workers.iter_mut().for_each(|worker| worker.tape.profile(on));
    }

    /// Where the time of all shards went since the watches were turned on or this was asked last.
    pub fn take_profile(&mut self, params: &Params<F>) -> Profile {
        let mut profile = Profile::default();
        self.workers.iter_mut().for_each(|worker| profile.add(&worker.tape.take_profile(params)));
        profile
    }

    /// What was spent around ops since the watches were turned on or this was asked last.
    pub fn take_spent(&mut self) -> Spent {
        self.workers.iter_mut().for_each(|worker| self.spent.busy += std::mem::take(&mut worker.busy));
        std::mem::take(&mut self.spent)
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
            let mut tape = Tape::new();
            tape.profile(self.profiled);
            let (grads, apart) = (Grads::new(params), Vec::new());
            self.workers.push(Worker { tape, grads, apart, busy: Duration::ZERO });
        }
        self.used = count;
        let rows = self.rows;
        let run = |index: usize, worker: &mut Worker<F>| {
            worker.tape.reset();
            let shard = Shard { index, rows: index * rows..((index + 1) * rows).min(batch) };
            let given = record(shard, &mut worker.tape);
            worker.tape.lap(None);
            given
        };
        self.each(run)
    }

    /// Runs `work` once for each shard of the batch, on as many threads as there are, and returns what each gave, in shard order.
    fn each<T: Send>(&mut self, work: impl Fn(usize, &mut Worker<F>) -> T + Sync) -> Vec<T> {
        let watched = self.profiled;
        let start = watched.then(Instant::now);
        let run =
            |(index, worker): (usize, &mut Worker<F>)| worker.timed(watched, |worker| work(index, worker));
        let given = self.workers[..self.used].par_iter_mut().enumerate().map(run).collect();
        self.spent.shards += since(start);
        given
    }

    /// Runs `sweep` once for each shard of the last forward, on its tape and cleared gradients, and returns the sum of
    /// the gradients over shards, in shard order.
    pub fn backward<W>(&mut self, sweep: W) -> &Grads<F>
    where
        W: Fn(usize, &mut Tape<F>, &mut Grads<F>) + Sync,
    {
        self.each(|index, worker| {
            worker.grads.clear();
            sweep(index, &mut worker.tape, &mut worker.grads);
        });
        let start = self.profiled.then(Instant::now);
        let parts: Vec<&Grads<F>> = self.workers[..self.used].iter().map(|w| &w.grads).collect();
        self.total.sum_of(&parts);
        self.spent.sums += since(start);
        &self.total
    }

    /// Runs `work` once for each shard of the last forward, on its tape and `count` cleared gradients that stay apart, and returns
    /// what each gave, in shard order.
    pub fn apart<T, W>(&mut self, params: &Params<F>, count: usize, work: W) -> Vec<T>
    where
        T: Send,
        W: Fn(usize, &mut Tape<F>, &mut [Grads<F>]) -> T + Sync,
    {
        self.each(|index, worker| {
            worker.apart.iter_mut().for_each(Grads::clear);
            worker.apart.resize_with(count, || Grads::new(params));
            work(index, &mut worker.tape, &mut worker.apart)
        })
    }

    /// The gradients that were kept apart, each summed over shards in their order.
    pub fn totals(&mut self, params: &Params<F>) -> &[Grads<F>] {
        let start = self.profiled.then(Instant::now);
        let used: Vec<&[Grads<F>]> = self.workers[..self.used].iter().map(|w| &w.apart[..]).collect();
        let count = used.first().map_or(0, |apart| apart.len());
        self.totals.resize_with(count, || Grads::new(params));
        self.totals.par_iter_mut().enumerate().for_each(|(k, total)| {
            let parts: Vec<&Grads<F>> = used.iter().map(|apart| &apart[k]).collect();
            total.sum_of(&parts);
        });
        self.spent.sums += since(start);
        &self.totals
    }

    /// `Σ_k weight(parameter, k)·total_k` over the last [`Shards::totals`].
    pub fn weighted(&mut self, weight: impl Fn(ParamId, usize) -> F + Sync) -> &Grads<F> {
        let start = self.profiled.then(Instant::now);
        self.total.weighted(&self.totals, weight);
        self.spent.sums += since(start);
        &self.total
    }

    /// The last sum of gradients, to which `Σ_k weight(parameter, k)·total_k` over the last [`Shards::totals`] is added.
    pub fn add_weighted(&mut self, weight: impl Fn(ParamId, usize) -> F + Sync) -> &Grads<F> {
        let start = self.profiled.then(Instant::now);
        self.total.add_weighted(&self.totals, weight);
        self.spent.sums += since(start);
        &self.total
    }

    /// The last sum of gradients: of [`Shards::backward`], [`Shards::weighted`] or [`Shards::add_weighted`].
    pub fn total(&self) -> &Grads<F> {
        &self.total
    }

    /// The tapes of the last batch in shard order, to look into: values, attention maps, the op that went wrong.
    pub fn tapes(&self) -> impl Iterator<Item = &Tape<F>> {
        self.workers[..self.used].iter().map(|w| &w.tape)
    }
}

/// Runs `work` on one of rayon's threads. A loop of steps belongs in it: called from another thread, each of a step's parallel pieces puts
/// the caller to sleep and wakes the pool, several times a step, which can cost a short step as much as its arithmetic; from a thread of the
/// pool the caller does its share, and a pool of one thread has nobody to wait for.
///
/// The work is one job of the pool. Who runs several such loops side by side gives each a pool of its own (`ThreadPool::install`): in a common one
/// a thread that waits for a step of one loop may take up the whole of another.
pub fn on_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, LossKind};

    #[test]
    fn gradients_kept_apart_add_up_to_those_of_one_sweep_under_their_weights() {
        let mut params = Params::<f64>::new();
        let table = params.add_table("table", 4, 2, vec![0.3, -0.2, 0.5, 0.1, -0.4, 0.9, 0.2, 0.7]);
        let w = params.add("w", 2, 2, vec![0.4, -0.3, 0.8, 0.6]);
        let mut shards = Shards::new(&params, 2);
        let ids = [0u32, 2, 1, 2, 3];
        let losses = shards.forward(&params, ids.len(), |shard, tape| {
            let x = tape.gather(&params, table, &ids[shard.rows]);
            let y = tape.linear(&params, x, w, None, Activation::Tanh);
            let targets = vec![0.5; 2 * tape.shape(y).0];
            [LossKind::Squared, LossKind::Logistic].map(|kind| tape.loss(kind, y, &targets, None, 0.2))
        });
        let weights = [0.7, -2.0];
        let whole = shards.backward(|shard, tape, grads| {
            let seeds = [(losses[shard][0], weights[0]), (losses[shard][1], weights[1])];
            tape.backward(&params, &seeds, grads);
        });
        let whole: Vec<Vec<f64>> = params.ids().map(|id| whole.to_dense(id, &params)).collect();
        let which = shards.apart(&params, 2, |shard, tape, apart| {
            for (grads, loss) in apart.iter_mut().zip(losses[shard]) {
                tape.backward(&params, &[(loss, 1.0)], grads);
            }
            shard
        });
        assert_eq!(which, [0, 1, 2]);
        assert_eq!(shards.totals(&params).len(), 2);
        let sum = shards.weighted(|_, k| weights[k]);
        for (id, whole) in params.ids().zip(whole) {
            for (a, b) in sum.to_dense(id, &params).iter().zip(whole) {
                assert!((a - b).abs() < 1e-14, "{a} and {b}");
            }
        }
        let none = shards.weighted(|_, _| 0.0);
        assert!(matches!(none.slot(w), crate::Grad::Dense { touched: false, .. }), "nothing was added");
    }

    #[test]
    fn work_on_the_pool_runs_on_one_of_its_threads_and_stays_in_a_pool_that_it_is_called_from() {
        assert_eq!(rayon::current_thread_index(), None);
        assert!(on_pool(rayon::current_thread_index).is_some());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        assert_eq!(pool.install(|| on_pool(rayon::current_num_threads)), 3);
    }
}
