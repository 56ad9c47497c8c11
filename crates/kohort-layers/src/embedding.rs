//! Embeddings: one row per id, or a pooled bag of rows for a feature with several values.

use kohort_core::random::stream;
use kohort_core::{Init, ParamId, Params, Real, Tape, Var};
use serde::{Deserialize, Serialize};

/// A table `[ids, width]`, one row looked up per id.
#[derive(Clone, Debug)]
pub struct Embedding {
    /// The table.
    pub table: ParamId,
    /// Number of columns.
    pub width: usize,
}

impl Embedding {
    /// Adds the table `name` to `params`.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        ids: usize,
        width: usize,
        init: Init,
        seed: u64,
    ) -> Embedding {
        let value = init.draw(ids, width, &mut stream(seed, name, &[]));
        Embedding { table: params.add_table(name, ids, width, value), width }
    }

    /// `[n]` ids to `[n, width]`.
    #[track_caller]
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, ids: &[u32]) -> Var {
        tape.gather(params, self.table, ids)
    }
}

/// How the rows of a bag become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// Their sum.
    Sum,
    /// Their mean.
    #[default]
    Mean,
    /// Their sum over the root of their number, as in SVD++.
    Root,
}

/// Lists of ids of different lengths: bag `b` holds `ids[offsets[b] .. offsets[b + 1]]`.
#[derive(Clone, Copy, Debug)]
pub struct Bags<'a> {
    /// The ids of all bags, one after the other.
    pub ids: &'a [u32],
    /// Where each bag begins, and where the last ends; `[bags + 1]`.
    pub offsets: &'a [u32],
    /// Weight of each id; 1 without.
    pub weight: Option<&'a [f32]>,
}

/// A table whose rows are pooled by bag: genres of a film, items of a history.
#[derive(Clone, Debug)]
pub struct EmbeddingBag {
    /// The table.
    pub table: ParamId,
    /// Number of columns.
    pub width: usize,
    /// How rows become one.
    pub pooling: Pooling,
}

impl EmbeddingBag {
    /// Adds the table `name` to `params`.
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        ids: usize,
        width: usize,
        pooling: Pooling,
        init: Init,
        seed: u64,
    ) -> EmbeddingBag {
        let Embedding { table, width } = Embedding::new(params, name, ids, width, init, seed);
        EmbeddingBag { table, width, pooling }
    }

    /// Bags to `[bags, width]`; an empty bag gives zeros. Weights multiply rows after pooling's own factor.
    #[track_caller]
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, bags: Bags<'_>) -> Var {
        let ids = tape.list(bags.ids);
        let offsets = tape.list(bags.offsets);
        let weight = (self.pooling != Pooling::Sum || bags.weight.is_some()).then(|| {
            tape.input_with(bags.ids.len(), 1, |out| {
                for pair in bags.offsets.windows(2) {
                    let bag = pair[0] as usize..pair[1] as usize;
                    let count = bag.len() as f64;
                    let factor = match self.pooling {
                        Pooling::Sum => 1.0,
                        Pooling::Mean => 1.0 / count,
                        Pooling::Root => 1.0 / count.sqrt(),
                    };
                    for j in bag {
                        out[j] = F::of(factor * bags.weight.map_or(1.0, |w| f64::from(w[j])));
                    }
                }
            })
        });
        tape.bag(params, self.table, ids, offsets, weight)
    }
}
