//! One ranker for all territories: what is taken together anywhere, what is popular here and now, and two towers.
//!
//! A user u of territory m with history h is offered candidates i of the own territory. Seven numbers F(u, i) made from
//! training rows (formulas in `features.rs`: counts in the territory and in all, a count that decays with the
//! distance in time, co-occurrence with the history pooled over territories in four weightings) and two towers give
//!
//! `y(u, i) = F·w + F·w_m + MLP(F) + s·⟨u, t⟩`,   `F [candidates, 7]`, `u, t [·, D]`
//!
//! where u comes from the history's embeddings through a shared tower and a block of the territory, and t from the title's
//! (`net.rs`). Training is a softmax over each row's item and negatives drawn from the territory:
//!
//! `L = −(1/B) Σ_rows ln (e^{y(u, i)} / (e^{y(u, i)} + Σ_n e^{y(u, n)}))`.
//!
//! **What a training row may not know.** Its features are those of the data without it, to the last count (`features.rs`); its
//! history holds the user's other rows. Negatives leave out what the user has in training and nothing else, since held-out rows
//! can't be reached. Ratings are not read: every row is one that was taken. [`Queries::time`] is not read either: a
//! user is looked at from the day of the last training row, or from the end of all training ([`Time`]).
//!
//! **Sources.** Item-to-item counts as evidence: Deshpande and Karypis, "Item-based top-N recommendation algorithms", ACM TOIS
//! 2004. Sampled softmax over two towers: Covington, Adams and Sargin, "Deep neural networks for YouTube recommendations",
//! RecSys 2016. A block a territory on the user tower: arXiv 2310.03148. One model for the markets of XMarket: Bonab et al.,
//! "Cross-Market Product Recommendation", CIKM 2021.
//!
//! **Differences.** Those rank by id embeddings alone (eight dimensions in the published runs), in a model per market that borrows
//! from another one. Here all markets train one model, counts are given to it as they are, and what is learned is how far to
//! trust them. Embeddings decay strongly (10 beside 0.01): with seven rows a user they would otherwise learn the rows by heart.
//!
//! When not to use it: the counts need users who take several things; where histories are empty it is popularity. Under a
//! split at one moment set [`Time::OneSided`] and [`History::Before`].
//!
//! ```
//! use kohort_data::{Queries, ThreeWay, synthetic::MarketRecipe, territories::Territories};
//! use kohort_models::baselines::Scorer;
//! use kohort_models::crossmarket::{self, Config, Input};
//!
//! let (data, _) = MarketRecipe::small().generate(7)?;
//! let markets = Territories::of(&data, "market")?;
//! let parts = ThreeWay::LeaveTwoOut.split(&data.interactions)?;
//! let input = Input {
//!     train: &parts.train,
//!     territories: &markets,
//!     catalogue: None,
//!     validation: Some(&parts.validation),
//! };
//! let config = Config { width: 8, ..Config::default() };
//! let model = crossmarket::fit(input, &config, 1, &mut |epoch| println!("{:?}", epoch.validation))?;
//! let scores = model.score(Queries { user: &[0, 0], item: &[3, 5], time: &[0, 0] });
//! assert!(scores.iter().all(|score| score.is_finite()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod candidates;
mod config;
mod cooccurrence;
mod features;
mod history;
mod loss;
mod net;
mod popularity;
mod system;
#[cfg(test)]
mod tests;

use kohort_core::{ParamId, Params, Tape, shards};
use kohort_data::{Queries, Train, Validation, territories::Territories};
use kohort_layers::{Bags, Mode};
use kohort_objectives::Fixed;
use rayon::prelude::*;

pub use config::{Config, History, Time};

use crate::ModelError;
use crate::baselines::Scorer;
use crate::scaling::Scaling;
use crate::trainer::{Checkpoint, Epoch, train};
use candidates::Held;
use features::{Asked, Features, Scratch};
use history::Seen;
use net::Net;
use system::Rows;

/// What the ranker learns from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The rows to learn from, each (user, item) once; times in seconds.
    pub train: &'a Train,
    /// The territory of each user.
    pub territories: &'a Territories,
    /// The items on offer in each territory, sold or not, `[territories]`: negatives are drawn from these and those with a
    /// training row there; from all items without. Items that nobody took in training must be among them if they are going
    /// to be ranked, because a model that never met one cannot tell what to think of it.
    pub catalogue: Option<&'a [Vec<u32>]>,
    /// Rows for early stopping. [`Epoch::validation`] is then 1 less the mean over territories of nDCG@10, each user's
    /// validation items against 99 items on offer that the user does not have in training. A part without rows is none:
    /// the run goes through all epochs.
    pub validation: Option<&'a Validation>,
}

/// A trained ranker.
pub struct CrossMarket {
    net: Net,
    features: Features,
    scaling: Scaling,
    params: Params,
    titles: Titles,
    /// Every epoch of the run.
    pub epochs: Vec<Epoch>,
    /// Number of epochs that made the parameters.
    pub best: usize,
}

/// Title vectors of all items under one set of parameters, `[items, D]`, with one more for items that nobody knows.
struct Titles {
    params: Params,
    table: ParamId,
    known: u32,
}

/// Candidates scored on one tape.
const CHUNK: usize = 2048;

/// Trains the ranker.
///
/// # Errors
/// A setting out of range, data that don't fit, a repeated pair, or a loss that is not finite.
pub fn fit(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<CrossMarket, ModelError> {
    fit_with(input, config, seed, None, observe)
}

/// Trains the ranker with a checkpoint after each epoch, going on from it if it is there.
///
/// # Errors
/// As [`fit`], and a checkpoint that is damaged or of another run.
pub fn fit_with(
    input: Input<'_>,
    config: &Config,
    seed: u64,
    checkpoint: Option<Checkpoint<'_>>,
    observe: &mut dyn FnMut(&Epoch),
) -> Result<CrossMarket, ModelError> {
    config.check()?;
    let rows = Rows::prepare(&input, config, seed)?;
    let held = match input.validation.filter(|held| !held.rows().is_empty()) {
        Some(held) => {
            let known = (&rows.offer, &rows.model.features);
            let mut held = Held::draw(held, input.territories, known, seed)?;
            rows.model.scaling.apply_to(&mut held.features);
            Some(held)
        }
        None => None,
    };
    let validate =
        |params: &Params| held.as_ref().map_or(f64::NAN, |held| 1.0 - rows.model.judge(params, held));
    let validate: Option<&dyn Fn(&Params) -> f64> = if held.is_some() { Some(&validate) } else { None };
    let mut balancer = Fixed::new(vec![1.0])?;
    let trained = train(&rows, &mut balancer, &config.train, seed, validate, checkpoint, observe)?;
    let mut model = rows.model;
    model.take(trained.params);
    model.epochs = trained.epochs;
    model.best = trained.best;
    Ok(model)
}

/// Memory of a thread that scores.
#[derive(Default)]
struct Desk {
    tape: Tape,
    scratch: Scratch,
    history: Vec<Seen>,
    described: Vec<f32>,
}

impl CrossMarket {
    fn untrained(net: Net, features: Features, params: Params) -> CrossMarket {
        let (scaling, titles) = (net.scaling(&params), titles_under(&net, &params));
        CrossMarket { net, features, scaling, params, titles, epochs: Vec::new(), best: 0 }
    }

    fn take(&mut self, params: Params) {
        self.scaling = self.net.scaling(&params);
        self.titles = titles_under(&self.net, &params);
        self.params = params;
    }

    /// The trained parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Writes the weights as a safetensors file for other tools, with `metadata` (canonical JSON, say) inside.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn export(&self, path: &std::path::Path, metadata: &str) -> Result<(), ModelError> {
        Ok(kohort_core::weights::export(&self.params, path, metadata)?)
    }

    /// Takes over the weights of an exported model of the same shape and data; changes nothing when there is an error.
    ///
    /// # Errors
    /// If the file is damaged or holds another model.
    pub fn import(&mut self, path: &std::path::Path) -> Result<(), ModelError> {
        let mut params = self.params.clone();
        kohort_core::weights::import(&mut params, path)?;
        self.take(params);
        Ok(())
    }

    /// Writes the scores of some items for one user, `[items]`, in one pass over the user's history: the way to rank a whole
    /// market, from as many threads as there are.
    ///
    /// # Panics
    /// If there are not as many scores as items.
    pub fn score_items(&self, user: u32, items: &[u32], scores: &mut [f32]) {
        assert_eq!(items.len(), scores.len(), "one score an item");
        self.rank(user, items, scores, &mut Desk::default());
    }

    fn rank(&self, user: u32, items: &[u32], scores: &mut [f32], desk: &mut Desk) {
        let Desk { tape, scratch, history, described } = desk;
        let now = self.features.histories.of_user(user, history);
        let territory = self.features.territory(user);
        described.resize(items.len() * self.features.width(), 0.0);
        let asked = Asked { territory, history, now };
        self.features.describe(asked, items, None, scratch, described);
        self.scaling.apply_to(described);
        let asked = (territory, &history[..]);
        self.judge_items(&self.params, &self.titles, asked, (items, described), (tape, scores));
    }

    /// Scores of items whose features are known, `[items]`.
    fn judge_items(
        &self,
        params: &Params,
        titles: &Titles,
        (territory, history): (Option<u32>, &[Seen]),
        (items, features): (&[u32], &[f32]),
        (tape, scores): (&mut Tape, &mut [f32]),
    ) {
        let width = self.features.width();
        let ids: Vec<u32> = history.iter().map(|seen| seen.item).collect();
        let ends = [0, ids.len() as u32];
        let parts = items.chunks(CHUNK).zip(features.chunks(CHUNK * width)).zip(scores.chunks_mut(CHUNK));
        for ((items, features), scores) in parts {
            tape.reset();
            let count = items.len() as u32;
            let histories = Bags { ids: &ids, offsets: &ends, weight: None };
            let here: Vec<(u32, u32)> = territory.map(|m| (m, 1)).into_iter().collect();
            let user = self.net.users(tape, params, histories, &here, &mut Mode::score());
            let features = tape.input(items.len(), width, features);
            let here: Vec<(u32, u32)> = territory.map(|m| (m, count)).into_iter().collect();
            let evidence = self.net.evidence(tape, params, features, &here);
            let items: Vec<u32> = items.iter().map(|&item| item.min(titles.known)).collect();
            let (items, ends) = (tape.list(&items), tape.list(&[0, count]));
            let matches = tape.lookup_dot(&titles.params, user, titles.table, items, ends);
            let logits = self.net.logits(tape, params, evidence, matches);
            scores.copy_from_slice(tape.value(logits));
        }
    }

    /// Mean over territories of the mean nDCG@10.
    fn judge(&self, params: &Params, held: &Held) -> f64 {
        let titles = titles_under(&self.net, params);
        let width = self.features.width();
        let scores: Vec<Vec<f32>> = held
            .user
            .par_iter()
            .enumerate()
            .map_init(Desk::default, |desk, (list, &user)| {
                let own = held.offsets[list]..held.offsets[list + 1];
                self.features.histories.of_user(user, &mut desk.history);
                let asked = (self.features.territory(user), &desk.history[..]);
                let features = &held.features[own.start * width..own.end * width];
                let mut scores = vec![0.0; own.len()];
                let candidates = (&held.items[own], features);
                self.judge_items(params, &titles, asked, candidates, (&mut desk.tape, &mut scores));
                scores
            })
            .collect();
        held.ndcg(&scores.concat())
    }
}

fn titles_under(net: &Net, params: &Params) -> Titles {
    let slot = params.slot(net.title);
    let (known, width) = (slot.rows, slot.cols);
    let mut values = shards::score(known, CHUNK, |range, tape| {
        let items: Vec<u32> = range.map(|item| item as u32).collect();
        let titles = net.titles(tape, params, &items);
        tape.value(titles).to_vec()
    });
    values.resize((known + 1) * width, 0.0);
    let mut params = Params::new();
    let table = params.add_table("titles", known + 1, width, values);
    Titles { params, table, known: known as u32 }
}

impl Scorer for CrossMarket {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        let count = queries.user.len().min(queries.item.len());
        let mut order: Vec<u32> = (0..count as u32).collect();
        order.sort_unstable_by_key(|&n| (queries.user[n as usize], n));
        let by_user: Vec<&[u32]> =
            order.chunk_by(|&a, &b| queries.user[a as usize] == queries.user[b as usize]).collect();
        let parts: Vec<Vec<f32>> = by_user
            .par_iter()
            .map_init(Desk::default, |desk, own| {
                let items: Vec<u32> = own.iter().map(|&n| queries.item[n as usize]).collect();
                let mut scores = vec![0.0; items.len()];
                self.rank(queries.user[own[0] as usize], &items, &mut scores, desk);
                scores
            })
            .collect();
        let mut scores = vec![0.0; count];
        for (&n, score) in order.iter().zip(parts.into_iter().flatten()) {
            scores[n as usize] = score;
        }
        scores
    }

    fn rates(&self) -> bool {
        false
    }
}
