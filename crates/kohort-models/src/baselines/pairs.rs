//! A number for every ordered pair of users (or items), from the ratings that both have.

use rayon::prelude::*;

use super::BaselineError;
use super::observed::Lists;

/// Most keys that a square table is made for: 32,768² numbers of 4 bytes are 4 GiB.
const MOST: usize = 32_768;

/// A square table over users or items, row-major.
pub(super) struct Square {
    side: usize,
    data: Vec<f32>,
}

impl Square {
    pub(super) fn row(&self, at: usize) -> &[f32] {
        &self.data[at * self.side..(at + 1) * self.side]
    }

    pub(super) fn fill_diagonal(&mut self, value: f32) {
        self.data.iter_mut().step_by(self.side + 1).for_each(|cell| *cell = value);
    }
}

/// What is gathered from the meetings of one pair.
pub(super) trait Gather: Copy + Default + Send {
    /// Takes in one thing that both have rated, as `own` and `other`.
    fn meet(&mut self, own: f64, other: f64);
}

/// The table of what `close` makes of `G`, over all pairs of keys of `lists`; `back` groups the same ratings the other
/// way round.
///
/// One row after the other walks its ratings and those of everybody it meets there: O(Σ |back|²). Rows are spread over
/// threads, and each is summed by one thread in row order, so that the bits do not depend on the number of threads.
pub(super) fn square<G: Gather>(
    system: &'static str,
    of: &'static str,
    lists: &Lists,
    back: &Lists,
    close: impl Fn(&G) -> f32 + Sync,
) -> Result<Square, BaselineError> {
    let side = lists.keys();
    if side > MOST {
        return Err(BaselineError::TooMany { system, of, count: side, most: MOST });
    }
    let mut data = vec![0.0; side * side];
    data.par_chunks_mut(side).enumerate().for_each_init(
        || vec![G::default(); side],
        |gathered, (own, out)| {
            gathered.fill(G::default());
            let (met, values) = lists.get(own);
            for (&thing, &value) in met.iter().zip(values) {
                let (others, theirs) = back.get(thing as usize);
                for (&other, &their) in others.iter().zip(theirs) {
                    gathered[other as usize].meet(value.into(), their.into());
                }
            }
            out.iter_mut().zip(gathered).for_each(|(out, gathered)| *out = close(gathered));
        },
    );
    Ok(Square { side, data })
}
