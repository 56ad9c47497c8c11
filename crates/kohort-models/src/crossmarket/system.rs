//! The ranker's training rows, as the trainer sees them.

use kohort_core::{Params, Tape};
use kohort_data::{TrainNegatives, Validation};
use kohort_layers::{Bags, Mode};
use kohort_objectives::{Denominator, Objective, ObjectiveError, Terms};

use super::candidates::Lists;
use super::config::Config;
use super::features::{Features, NAMES};
use super::loss::list_loss;
use super::net::{Net, Segment, Sizes};
use super::{CrossMarket, Input};
use crate::ModelError;
use crate::fingerprint::Fingerprint;
use crate::scaling::Scaling;
use crate::trainer::{Recorded, System, Words};

/// Lists of candidates with everything that does not depend on parameters, and the model they train.
pub(super) struct Rows {
    pub(super) model: CrossMarket,
    initial: Params,
    objectives: Vec<String>,
    pub(super) offer: TrainNegatives,
    lists: Lists,
    /// User of each list.
    user: Vec<u32>,
    items: usize,
    identity: String,
}

const RANKING: Objective =
    Objective { loss: kohort_objectives::Loss::CrossEntropy, denominator: Denominator::Rows };

impl Rows {
    pub(super) fn prepare(input: &Input<'_>, config: &Config, seed: u64) -> Result<Rows, ModelError> {
        let rows = input.train.rows();
        if rows.is_empty() {
            return Err(ModelError::NoRows);
        }
        rows.check_pairs()?;
        let features = Features::fit(input.train, input.territories, config)?;
        let offer = match input.catalogue {
            Some(items) => TrainNegatives::with_catalogue(input.train, input.territories, items)?,
            None => TrainNegatives::of_all_items(input.train, input.territories)?,
        };
        let mut lists = Lists::draw(input.train, &offer, &features, config.negatives, seed);
        let scaling = Scaling::fit(&lists.features, features.width());
        scaling.apply_to(&mut lists.features);
        let sizes = Sizes { items: rows.items, territories: input.territories.len(), scaling: &scaling };
        let mut initial = Params::new();
        let net = Net::new(&mut initial, config, &sizes, seed);
        Ok(Rows {
            identity: format!("{config:?} on {:016x}", fingerprint(input)),
            user: lists.row.iter().map(|&row| rows.user[row as usize]).collect(),
            items: rows.items,
            model: CrossMarket::untrained(net, features, initial.clone()),
            initial,
            objectives: vec!["ranking".to_owned()],
            lists,
            offer,
        })
    }

    fn territory(&self, list: u32) -> u32 {
        self.model.features.territory(self.user[list as usize]).unwrap_or_default()
    }
}

/// Of all that is learned from or chosen by.
fn fingerprint(input: &Input<'_>) -> u64 {
    let mut print = Fingerprint::new();
    for rows in std::iter::once(input.train.rows()).chain(input.validation.map(Validation::rows)) {
        print.eat(rows.items as u64);
        print.eat_ids(&rows.user);
        print.eat_ids(&rows.item);
        rows.time.iter().for_each(|&time| print.eat(time as u64));
    }
    print.eat_ids(input.territories.of_user());
    for own in input.catalogue.into_iter().flatten() {
        print.eat_ids(own);
    }
    print.value()
}

/// Runs of one territory and where each ends, times `size`.
fn segments(territories: &[u32], size: u32) -> Vec<Segment> {
    let mut end = 0;
    let of = |own: &[u32]| {
        end += own.len() as u32 * size;
        (own[0], end)
    };
    territories.chunk_by(|a, b| a == b).map(of).collect()
}

impl System for Rows {
    fn rows(&self) -> usize {
        self.user.len()
    }

    fn objectives(&self) -> &[String] {
        &self.objectives
    }

    fn initial(&self, _: u64) -> Params {
        self.initial.clone()
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }

    /// A territory's rows side by side: its blocks make one product of them, and they share titles.
    fn arrange(&self, batch: &mut [u32]) {
        batch.sort_by_key(|&list| self.territory(list));
    }

    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        Ok(vec![RANKING.terms(batch.len(), None, None)?])
    }

    fn record(
        &self,
        tape: &mut Tape,
        params: &Params,
        rows: &[u32],
        weights: &[Option<&[f32]>],
        scales: &[f64],
        mode: &mut Mode,
    ) -> Recorded {
        let Lists { row, size, items, features } = &self.lists;
        let (size, width) = (*size, self.model.features.width());
        let territories: Vec<u32> = rows.iter().map(|&list| self.territory(list)).collect();

        let (mut ids, mut offsets, mut history) = (Vec::new(), vec![0u32], Vec::new());
        // Each title goes through its tower once: `found` says where it stands.
        let (mut titles, mut found) = (Vec::new(), vec![u32::MAX; self.items]);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (place, &list) in (0u32..).zip(rows) {
            let list = list as usize;
            self.model.features.histories.of_row(self.user[list], row[list], &mut history);
            ids.extend(history.iter().map(|seen| seen.item));
            offsets.push(ids.len() as u32);
            for &item in &items[list * size..(list + 1) * size] {
                let at = &mut found[item as usize];
                if *at == u32::MAX {
                    *at = titles.len() as u32;
                    titles.push(item);
                }
                left.push(place);
                right.push(*at);
            }
        }
        let histories = Bags { ids: &ids, offsets: &offsets, weight: None };
        let net = &self.model.net;
        let users = net.users(tape, params, histories, &segments(&territories, 1), mode);
        let titles = net.titles(tape, params, &titles);
        let matches = tape.pair_dot(users, titles, &left, &right);
        let span = size * width;
        let described = tape.input_with(rows.len() * size, width, |out| {
            for (out, &list) in out.chunks_exact_mut(span).zip(rows) {
                out.copy_from_slice(&features[list as usize * span..(list as usize + 1) * span]);
            }
        });
        let evidence = net.evidence(tape, params, described, &segments(&territories, size as u32));
        let logits = net.logits(tape, params, evidence, matches);
        let weight = weights[0].map(<[f32]>::to_vec);
        let loss = list_loss(tape, params, logits, size, weight, scales[0] as f32);
        Recorded::new(vec![loss], vec![users, titles, evidence])
    }

    /// How much the towers count, and what all territories have in common of the weights on features.
    fn words(&self, params: &Params) -> Words {
        let net = &self.model.net;
        let towers = ("towers".to_owned(), f64::from(params.value(net.scale)[0]));
        let names = self.model.features.kept().iter().map(|&n| NAMES[n].to_owned());
        let weights = params.value(net.weights).iter().map(|&w| f64::from(w));
        std::iter::once(towers).chain(names.zip(weights)).collect::<Vec<_>>().into()
    }
}
