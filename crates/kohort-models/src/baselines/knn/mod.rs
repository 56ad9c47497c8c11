//! Neighbourhoods: what the users most like this one thought of the item, or what this user thought of the items most
//! like it.
//!
//! Users as neighbours (for items as neighbours, swap the sides): N is the k users most like u among those who rated
//! i, without those whose similarity is 0 or less, and
//! `score(u, i) = c_u + s_u · Σ_{v ∈ N} sim(u, v) (r_vi − c_v) / s_v / Σ_{v ∈ N} sim(u, v)`,
//! where the centre c and the spread s are chosen by [`Centre`]. With fewer than `min_k` neighbours the score is c_u, or the
//! mean training rating where there is no centre. A pair with a newcomer gets the mean training rating, and around
//! biases the bias of the side that is known. Of equally like neighbours, the one with the earlier row wins. A pair
//! that is itself a training row has itself as its nearest neighbour.
//!
//! Source: Herlocker, Konstan, Borchers and Riedl, "An algorithmic framework for performing collaborative filtering",
//! SIGIR 1999 (means and z-scores); Sarwar, Karypis, Konstan and Riedl, "Item-based collaborative filtering
//! recommendation algorithms", WWW 2001; Koren, "Factor in the neighbors", TKDD 4(1), 2010, formula (3) (biases).
//! Differences from Surprise's `KNN*`: similarities are kept as f32, and those of the cosine kinds are 0 where Surprise has NaN.

mod similarity;

use kohort_data::{Queries, Train};
use serde::{Deserialize, Serialize};
pub use similarity::Similarity;

use super::bias::{Bias, BiasConfig};
use super::observed::{Lists, Observed, deviation};
use super::pairs::Square;
use super::{BaselineError, Scorer, at_least, score_each};

const SYSTEM: &str = "knn";

/// Who the neighbours are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Neighbours {
    /// Users who rated the item.
    Users,
    /// Items that the user rated.
    Items,
}

/// What is taken off a neighbour's rating and added back for the one who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Centre {
    /// Nothing: c = 0, s = 1.
    None,
    /// The neighbour's mean training rating; s = 1.
    Mean,
    /// The same, and s its standard deviation (divided by n), or that of all ratings where it is 0.
    ZScore,
    /// c = μ + b_u + b_i as in [`Bias`]; s = 1.
    Bias,
}

/// Settings of [`Knn`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KnnConfig {
    /// Users or items.
    pub neighbours: Neighbours,
    /// Around what ratings are averaged.
    pub centre: Centre,
    /// How alike two neighbours are.
    pub similarity: Similarity,
    /// Most neighbours that count.
    pub k: usize,
    /// Fewest neighbours that count.
    pub min_k: usize,
    /// How biases are fitted, where centre or similarity wants them.
    pub bias: BiasConfig,
}

impl Default for KnnConfig {
    fn default() -> KnnConfig {
        KnnConfig {
            neighbours: Neighbours::Users,
            centre: Centre::None,
            similarity: Similarity::MeanSquaredDifference,
            k: 40,
            min_k: 1,
            bias: BiasConfig::default(),
        }
    }
}

/// All similarities, and every rating as its neighbour's deviation from the centre.
pub struct Knn {
    config: KnnConfig,
    mean: f32,
    similarity: Square,
    /// Neighbours and deviations per thing that they met.
    deviations: Lists,
    /// Training ratings per neighbour; 0 is a newcomer.
    known: Vec<bool>,
    centres: Centres,
}

enum Centres {
    None,
    Own { mean: Vec<f64>, spread: Vec<f64> },
    Bias(Bias),
}

impl Knn {
    /// Compares all pairs of neighbours.
    ///
    /// # Errors
    /// An empty training part, a setting out of range, or more than 32,768 neighbours.
    pub fn fit(train: &Train, config: &KnnConfig) -> Result<Knn, BaselineError> {
        at_least(SYSTEM, "k", config.k as f64, 1.0, "1 or more")?;
        if let Similarity::PearsonBias { shrinkage } = config.similarity {
            at_least(SYSTEM, "shrinkage", shrinkage, 0.0, "a finite number, 0 or more")?;
        }
        let observed = Observed::new(SYSTEM, train)?;
        let wants_bias = config.centre == Centre::Bias || config.similarity.wants_residuals();
        let bias = if wants_bias { Some(Bias::solve(&observed, &config.bias)?) } else { None };
        let overall = deviation(&train.rows().rating);
        let (of, lists, back) = match config.neighbours {
            Neighbours::Users => ("users", observed.by_user, observed.by_item),
            Neighbours::Items => ("items", observed.by_item, observed.by_user),
        };
        let centres = match (config.centre, &bias) {
            (Centre::Mean | Centre::ZScore, _) => {
                let spread_of = |key| match config.centre {
                    Centre::ZScore => {
                        Some(deviation(lists.get(key).1)).filter(|&s| s > 0.0).unwrap_or(overall)
                    }
                    _ => 1.0,
                };
                Centres::Own {
                    mean: (0..lists.keys()).map(|key| lists.mean(key).unwrap_or(observed.mean)).collect(),
                    spread: (0..lists.keys()).map(spread_of).collect(),
                }
            }
            (Centre::Bias, Some(bias)) => Centres::Bias(bias.clone()),
            _ => Centres::None,
        };
        let swap = |neighbour: u32, thing: u32| match config.neighbours {
            Neighbours::Users => (neighbour, thing),
            Neighbours::Items => (thing, neighbour),
        };
        let known: Vec<bool> = (0..lists.keys()).map(|key| lists.count(key as u32) > 0).collect();
        let residual = |neighbour: u32, thing: u32, rating: f32| match &bias {
            Some(bias) => {
                let (user, item) = swap(neighbour, thing);
                rating - bias.at(user, item)
            }
            None => rating,
        };
        let similarity = if config.similarity.wants_residuals() {
            let lists = lists.map(|own, thing, rating| residual(own as u32, thing, rating));
            let residuals = back.clone().map(|thing, own, rating| residual(own, thing as u32, rating));
            config.similarity.table(SYSTEM, of, &lists, &residuals)?
        } else {
            config.similarity.table(SYSTEM, of, &lists, &back)?
        };
        let deviations = back.map(|thing, neighbour, rating| match &centres {
            Centres::None => rating,
            Centres::Own { mean, spread } => {
                let at = neighbour as usize;
                let spread = if spread[at] > 0.0 { spread[at] } else { 1.0 };
                ((f64::from(rating) - mean[at]) / spread) as f32
            }
            Centres::Bias(_) => residual(neighbour, thing as u32, rating),
        });
        Ok(Knn { config: config.clone(), mean: observed.mean as f32, similarity, deviations, known, centres })
    }

    fn at(&self, near: &mut Vec<(f32, u32)>, user: u32, item: u32) -> f32 {
        let (own, thing) = match self.config.neighbours {
            Neighbours::Users => (user, item),
            Neighbours::Items => (item, user),
        };
        let known =
            self.known.get(own as usize).copied().unwrap_or(false) && self.deviations.count(thing) > 0;
        if !known {
            return match &self.centres {
                Centres::Bias(bias) => bias.at(user, item),
                _ => self.mean,
            };
        }
        let deviation = self.deviation(near, own as usize, thing as usize);
        match &self.centres {
            Centres::None => deviation.map_or(self.mean, |d| d as f32),
            Centres::Own { mean, spread } => {
                (mean[own as usize] + spread[own as usize] * deviation.unwrap_or(0.0)) as f32
            }
            Centres::Bias(bias) => (f64::from(bias.at(user, item)) + deviation.unwrap_or(0.0)) as f32,
        }
    }

    /// Mean deviation of the nearest neighbours that met `thing`, weighted by similarity; `None` with too few.
    fn deviation(&self, near: &mut Vec<(f32, u32)>, own: usize, thing: usize) -> Option<f64> {
        let alike = self.similarity.row(own);
        let (others, deviations) = self.deviations.get(thing);
        near.clear();
        for (place, &other) in others.iter().enumerate() {
            let similarity = alike[other as usize];
            if similarity > 0.0 {
                near.push((similarity, place as u32));
            }
        }
        if near.len() < self.config.min_k.max(1) {
            return None;
        }
        if near.len() > self.config.k {
            near.select_nth_unstable_by(self.config.k - 1, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            near.truncate(self.config.k);
        }
        let (mut weights, mut sum) = (0.0, 0.0);
        for &(similarity, place) in near.iter() {
            weights += f64::from(similarity);
            sum += f64::from(similarity) * f64::from(deviations[place as usize]);
        }
        Some(sum / weights)
    }
}

impl Scorer for Knn {
    fn score(&self, queries: Queries<'_>) -> Vec<f32> {
        score_each(queries, |near, user, item| self.at(near, user, item))
    }
}
