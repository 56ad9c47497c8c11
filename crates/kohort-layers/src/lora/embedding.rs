//! Adapters on an embedding's rows: `y[n] = E[i_n] + s·A_c[i_n]·B_c`, A zero and B standard normal at the start, as in
//! microsoft/LoRA's embedding.
//!
//! Source and differences: [`Tape::low_rank_rows`]. A is a table: a step moves the rows that it looked up, and with
//! [`Tables::AllRows`](kohort_core::optim::Tables) all rows of the cohorts that it saw.

use std::collections::BTreeMap;

use kohort_core::random::stream;
use kohort_core::{Adapted, Init, LowRank, Params, Real, Tape, Var};

use super::cohort::place;
use super::{AdapterError, LoraConfig};
use crate::{Embedding, Segments};

/// An embedding with an adapter for each cohort.
#[derive(Clone, Debug)]
pub struct EmbeddingLora {
    embedding: Embedding,
    name: String,
    ids: usize,
    config: LoraConfig,
    adapters: BTreeMap<u32, LowRank>,
    seed: u64,
}

impl EmbeddingLora {
    /// On an embedding, with no adapter yet. Rank, alpha and scaling are the config's; its dropout, sharing and A's start don't
    /// apply.
    ///
    /// # Errors
    /// A setting that is out of range.
    pub fn new<F: Real>(
        params: &Params<F>,
        embedding: &Embedding,
        config: &LoraConfig,
        seed: u64,
    ) -> Result<EmbeddingLora, AdapterError> {
        let table = params.slot(embedding.table);
        config.check_for(&table.name, table.rows.min(table.cols))?;
        Ok(EmbeddingLora {
            embedding: embedding.clone(),
            name: table.name.clone(),
            ids: table.rows,
            config: *config,
            adapters: BTreeMap::new(),
            seed,
        })
    }

    /// Adds a cohort's adapter under `TABLE/adapter/COHORT/a` and `b`.
    ///
    /// # Errors
    /// A cohort that has one or had one.
    pub fn add<F: Real>(&mut self, params: &mut Params<F>, cohort: u32) -> Result<LowRank, AdapterError> {
        let (rank, name) = (self.config.rank, format!("{}/adapter/{cohort}", self.name));
        let name_a = format!("{name}/a");
        if params.id(&name_a).is_some() {
            return Err(AdapterError::Name { name: name_a });
        }
        let name_b = format!("{name}/b");
        let b = Init::Normal(1.0).draw(rank, self.embedding.width, &mut stream(self.seed, &name_b, &[]));
        let b = place(params, name_b, rank, self.embedding.width, b)?;
        let a = params.add_table(name_a, self.ids, rank, vec![F::zero(); self.ids * rank]);
        let adapter = LowRank { a, b, scale: self.config.scale() };
        self.adapters.insert(cohort, adapter);
        Ok(adapter)
    }

    /// Takes a cohort's adapter off.
    pub fn remove(&mut self, cohort: u32) -> Option<LowRank> {
        self.adapters.remove(&cohort)
    }

    /// A cohort's adapter.
    pub fn get(&self, cohort: u32) -> Option<LowRank> {
        self.adapters.get(&cohort).copied()
    }

    /// `[n]` ids to `[n, width]`, the rows of each segment with its cohort's adapter.
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        ids: &[u32],
        segments: &Segments,
    ) -> Var {
        let adapters: Vec<_> = segments.cohorts.iter().map(|&cohort| self.get(cohort)).collect();
        let adapted = Adapted { offsets: &segments.offsets, adapters: &adapters };
        tape.low_rank_rows(params, self.embedding.table, ids, adapted)
    }
}
