//! Lists of candidates with their features: one a training row, and one a user to choose on.

use kohort_data::{Train, TrainNegatives, Validation, territories::Territories};
use kohort_eval::ranking::{CandidateLists, Candidates, Gain, RankingProtocol, UNRATED};
use kohort_random::stream;
use rayon::prelude::*;

use super::features::{Asked, Features, Scratch};
use crate::ModelError;

/// Training rows with their negatives: list r has the row's item first.
pub(super) struct Lists {
    /// Training row of each list.
    pub(super) row: Vec<u32>,
    /// Candidates of a list.
    pub(super) size: usize,
    /// `[lists, size]`.
    pub(super) items: Vec<u32>,
    /// `[lists, size, features]`, not standardised.
    pub(super) features: Vec<f32>,
}

impl Lists {
    /// Draws the negatives of each row, once and for the whole run, from what is on offer and the user does not have. A row
    /// of a user who has everything gives no list.
    pub(super) fn draw(
        train: &Train,
        offer: &TrainNegatives,
        features: &Features,
        negatives: usize,
        seed: u64,
    ) -> Lists {
        let rows = train.rows();
        let row: Vec<u32> =
            (0u32..).zip(&rows.user).filter(|&(_, &user)| offer.free(user) > 0).map(|(row, _)| row).collect();
        let (size, width) = (negatives + 1, features.width());
        let mut items = vec![0; row.len() * size];
        let mut described = vec![0.0; items.len() * width];
        row.par_iter()
            .zip(items.par_chunks_exact_mut(size))
            .zip(described.par_chunks_exact_mut(size * width))
            .with_min_len(64)
            .for_each_init(
                || (Vec::new(), Scratch::default()),
                |(history, scratch), ((&row, items), out)| {
                    let user = rows.user[row as usize];
                    let mut numbers = stream(seed, "negatives", &[u64::from(row)]);
                    items[0] = rows.item[row as usize];
                    // Rows of users with nothing left to draw are no lists.
                    items[1..]
                        .iter_mut()
                        .zip(std::iter::from_fn(|| offer.draw(user, &mut numbers)))
                        .for_each(|(item, drawn)| *item = drawn);
                    let now = features.histories.of_row(user, row, history);
                    let asked = Asked { territory: features.territory(user), history, now };
                    let own = features.histories.day(user, row);
                    features.describe(asked, items, Some(own), scratch, out);
                },
            );
        Lists { row, size, items, features: described }
    }
}

/// Validation items among items that the user does not have in training, to stop on.
pub(super) struct Held {
    /// User of each list, ascending.
    pub(super) user: Vec<u32>,
    /// Where each list begins, and where the last ends.
    pub(super) offsets: Vec<usize>,
    pub(super) items: Vec<u32>,
    /// `[items, features]`, not standardised.
    pub(super) features: Vec<f32>,
    lists: CandidateLists,
    territory: Vec<u32>,
    territories: usize,
    protocol: RankingProtocol,
}

/// Negatives of a validation list.
const NEGATIVES: u32 = 99;

impl Held {
    pub(super) fn draw(
        validation: &Validation,
        territories: &Territories,
        (offer, features): (&TrainNegatives, &Features),
        seed: u64,
    ) -> Result<Held, ModelError> {
        territories.of_rows(validation.rows())?;
        let held = validation.rows();
        let mut pairs: Vec<(u32, u32)> = held.user.iter().copied().zip(held.item.iter().copied()).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let by_user: Vec<&[(u32, u32)]> = pairs.chunk_by(|a, b| a.0 == b.0).collect();
        let width = features.width();
        let lists: Vec<(Vec<u32>, Vec<f32>)> = by_user
            .par_iter()
            .map_init(
                || (Vec::new(), Scratch::default()),
                |(history, scratch), own| {
                    let user = own[0].0;
                    let mut items: Vec<u32> = own.iter().map(|pair| pair.1).collect();
                    let mut numbers = stream(seed, "validation", &[u64::from(user)]);
                    // One drawn by chance is no negative: that many more make up for it.
                    let drawn = offer.sample(user, NEGATIVES as usize + own.len(), &mut numbers);
                    let negatives =
                        drawn.into_iter().filter(|&item| own.binary_search(&(user, item)).is_err());
                    items.extend(negatives.take(NEGATIVES as usize));
                    let now = features.histories.of_user(user, history);
                    let asked = Asked { territory: features.territory(user), history, now };
                    let mut out = vec![0.0; items.len() * width];
                    features.describe(asked, &items, None, scratch, &mut out);
                    (items, out)
                },
            )
            .collect();
        let (mut offsets, mut users, mut grades) = (vec![0], Vec::new(), Vec::new());
        for (own, (items, _)) in by_user.iter().zip(&lists) {
            offsets.push(offsets.last().unwrap_or(&0) + items.len());
            users.resize(users.len() + items.len(), own[0].0);
            grades.resize(grades.len() + own.len(), 1.0);
            grades.resize(users.len(), UNRATED);
        }
        let (items, described): (Vec<Vec<u32>>, Vec<Vec<f32>>) = lists.into_iter().unzip();
        let (items, features) = (items.concat(), described.concat());
        let lists = CandidateLists::sampled(&users, &items, &grades, NEGATIVES, seed)
            .map_err(|error| ModelError::Config(format!("validation: {error}")))?;
        Ok(Held {
            user: by_user.iter().map(|own| own[0].0).collect(),
            offsets,
            items,
            features,
            lists,
            territory: territories.of_user().to_vec(),
            territories: territories.len(),
            protocol: RankingProtocol {
                candidates: Candidates::SampledNegatives { count: NEGATIVES, seed },
                relevant_from: 1.0,
                gain: Gain::Binary,
                ..RankingProtocol::default()
            },
        })
    }

    /// Mean nDCG@10 of each territory's users, and of those the mean; NaN for scores that are no numbers.
    pub(super) fn ndcg(&self, scores: &[f32]) -> f64 {
        let Ok(result) = self.lists.evaluate(&self.protocol, scores) else { return f64::NAN };
        let mut sums = vec![(0.0, 0usize); self.territories];
        for (&user, ndcg) in result.units.iter().zip(&result.ndcg) {
            if let Some(ndcg) = ndcg {
                let (sum, users) = &mut sums[self.territory[user as usize] as usize];
                *sum += ndcg;
                *users += 1;
            }
        }
        let means: Vec<f64> =
            sums.into_iter().filter(|&(_, users)| users > 0).map(|(sum, users)| sum / users as f64).collect();
        means.iter().sum::<f64>() / means.len() as f64
    }
}
