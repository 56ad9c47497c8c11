//! Cells, and running them on all cores.
//!
//! A cell is single-threaded inside and N of them run at a time, the longest first, so that the last to end is a short
//! one. Results come back in the order in which cells were listed, whatever order they ran in. A cell that fails, or
//! panics, is named and the others go on.

mod cell;
mod progress;
mod store;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};

pub(crate) use cell::{Cell, Finished, Key};
pub(crate) use progress::Progress;
pub(crate) use store::Store;

/// How a cell ended.
#[derive(Debug)]
pub(crate) enum End {
    /// With a result, from this run or an earlier one.
    Done {
        /// The result.
        finished: Box<Finished>,
        /// Whether an earlier run made it.
        resumed: bool,
    },
    /// With an error.
    Failed {
        /// Which cell.
        key: Key,
        /// What went wrong.
        why: String,
    },
}

/// Runs what is not finished yet; ends come in the order of `cells`.
pub(crate) fn run(
    cells: &[Cell<'_>],
    store: &Store,
    threads: usize,
    progress: &Progress,
) -> Result<Vec<End>> {
    let mut ends: Vec<Option<End>> = Vec::with_capacity(cells.len());
    for cell in cells {
        let earlier = store.load(cell)?;
        ends.push(earlier.map(|finished| End::Done { finished: Box::new(finished), resumed: true }));
    }
    let mut waiting: Vec<usize> = (0..cells.len()).filter(|&at| ends[at].is_none()).collect();
    waiting.sort_by(|&a, &b| cells[b].cost.total_cmp(&cells[a].cost).then(a.cmp(&b)));
    progress.start(cells.len() - waiting.len(), waiting.iter().map(|&at| &cells[at]));

    let workers = threads.clamp(1, waiting.len().max(1));
    let queue = Mutex::new(VecDeque::from(waiting));
    let ends_of_run = Mutex::new(Vec::new());
    let pools: Vec<rayon::ThreadPool> = (0..workers)
        .map(|_| rayon::ThreadPoolBuilder::new().num_threads(1).build())
        .collect::<Result<_, _>>()
        .context("cannot start threads")?;
    std::thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.pop_front());
                    let Some(at) = next else { break };
                    progress.begin(&cells[at]);
                    let end = pool.install(|| one(&cells[at], store));
                    progress.end(&cells[at], &end);
                    if let Ok(mut ends) = ends_of_run.lock() {
                        ends.push((at, end));
                    }
                }
            });
        }
    });
    progress.finish();
    for (at, end) in ends_of_run.into_inner().map_err(|_| anyhow!("a thread of the grid panicked"))? {
        ends[at] = Some(end);
    }
    ends.into_iter().map(|end| end.context("a cell was lost")).collect()
}

fn one(cell: &Cell<'_>, store: &Store) -> End {
    let start = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (cell.work)()))
        .unwrap_or_else(|panic| {
            let what = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(anyhow!("panicked: {what}"))
        })
        .and_then(|outcome| store.save(cell, start.elapsed(), outcome));
    match outcome {
        Ok(finished) => End::Done { finished: Box::new(finished), resumed: false },
        Err(error) => End::Failed { key: cell.key.clone(), why: format!("{error:#}") },
    }
}
