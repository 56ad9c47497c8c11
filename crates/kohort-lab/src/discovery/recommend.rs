//! LightGCN beside popularity, item-kNN and matrix factorisation, and with friendships as a second behaviour: the whole catalogue
//! ranked for each user.

use anyhow::{Context, Result};
use kohort_data::Queries;
use kohort_data::territories::Territories;
use kohort_eval::ranking::{CandidateLists, Catalogue, Exclusions, PerUnit, RankingMetric};
use kohort_models::baselines::Scorer;
use kohort_models::implicit;
use kohort_models::lightgcn::behaviours::{self, Behaviour, Edges};
use kohort_models::lightgcn::{self, Input};

use super::worlds::World;
use crate::modules::measure::TEST;
use crate::outcome::{Number, Outcome};

/// Task of these numbers.
pub(crate) const RANKING: &str = "ranking";
pub(crate) const RECALL: &str = "Recall@20";
pub(crate) const NDCG: &str = "NDCG@20";

/// How much the second behaviour counts in users' representations.
pub(crate) const ATTENTION: &str = "attention on friendships";

/// Systems with their titles.
pub(crate) const SYSTEMS: [(&str, &str); 5] = [
    ("popularity-pooled", "Popularity"),
    ("item-knn", "Item-kNN"),
    ("bpr-mf", "Matrix factorisation (LightGCN's loss, 0 layers)"),
    (LIGHTGCN, "LightGCN"),
    (BEHAVIOURS, "LightGCN with friendships (after NAH-GNN)"),
];
/// The one under test.
pub(crate) const LIGHTGCN: &str = "lightgcn";
/// The same over two behaviours.
pub(crate) const BEHAVIOURS: &str = "lightgcn-behaviours";

/// Name of the second behaviour.
const FRIENDSHIPS: &str = "friendships";
/// Users scored at once.
const BLOCK: usize = 256;

/// Fits a system on a seed's training rows and ranks the catalogue for everybody with a test row.
pub(crate) fn measure(world: &World, system: &str, seed: u64) -> Result<Outcome> {
    let scene = world.scene(seed)?;
    let ranking = scene.ranking.as_ref().context("this data set compares no recommenders")?;
    let (train, (user, item)) = (&ranking.train, &ranking.test);
    let rows = train.rows();
    let held = CandidateLists::held_out(user, item, &vec![1.0; user.len()])?;
    let known = Exclusions::new(&rows.user, &rows.item)?;
    let catalogue = Catalogue::new(&held, &known, rows.items as u32)?;
    let protocol = lightgcn::protocol();
    let mut attention = None;
    let ranked: PerUnit = match system {
        LIGHTGCN => {
            let model = world.lightgcn(seed)?;
            catalogue.evaluate_blocks(&protocol, BLOCK, |users, scores| model.lists(users, scores))?
        }
        BEHAVIOURS => {
            let edges = Edges::Users { ties: scene.friends.clone() };
            let friendships = [Behaviour { name: FRIENDSHIPS.to_owned(), edges }];
            let input = behaviours::Input { train, validation: None, behaviours: &friendships };
            let model = behaviours::fit(input, &behaviours::Config::lastfm(), seed, &mut |_| {})?;
            let own = model.attention().iter().filter(|view| view.behaviour == FRIENDSHIPS);
            attention = Some(own.map(|view| view.weight).sum());
            catalogue.evaluate_blocks(&protocol, BLOCK, |users, scores| model.lists(users, scores))?
        }
        "bpr-mf" => {
            let input = Input { train, validation: None };
            let model = lightgcn::fit(input, &lightgcn::Config::lastfm_factors(), seed, &mut |_| {})?;
            catalogue.evaluate_blocks(&protocol, BLOCK, |users, scores| model.lists(users, scores))?
        }
        name => {
            let everywhere = Territories::new(vec!["all".to_owned()], vec![0; rows.users])?;
            let entry = implicit::registry().into_iter().find(|entry| entry.name == name);
            let entry = entry.with_context(|| format!("there is no recommender {name}"))?;
            let model = (entry.fit)(train, &everywhere)?;
            catalogue.evaluate(&protocol, |user, scores| every_item(model.as_ref(), user, scores))?
        }
    };
    let (floor, ceiling) = (catalogue.floor(&protocol)?, catalogue.ceiling(&protocol)?);
    let mut outcome = Outcome::default();
    for (metric, name) in [(RankingMetric::Recall, RECALL), (RankingMetric::Ndcg, NDCG)] {
        let value = ranked.mean(metric).context("no user has a test row")?;
        let number = Number::new(TEST, RANKING, name, value);
        outcome.numbers.push(number.between(floor.mean(metric), ceiling.mean(metric)));
    }
    outcome.numbers.extend(attention.map(|weight| Number::new(TEST, RANKING, ATTENTION, weight)));
    Ok(outcome)
}

fn every_item(model: &dyn Scorer, user: u32, scores: &mut [f32]) {
    let items: Vec<u32> = (0..scores.len() as u32).collect();
    let (users, times) = (vec![user; items.len()], vec![0; items.len()]);
    scores.copy_from_slice(&model.score(Queries { user: &users, item: &items, time: &times }));
}
