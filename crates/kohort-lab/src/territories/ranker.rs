//! A fitted system as the measurements see it: scores of pairs, and of a territory's catalogue.

use kohort_data::Queries;
use kohort_models::baselines::Scorer;
use kohort_models::crossmarket::CrossMarket;
use kohort_models::towers::Towers;

/// Gives scores, higher for what a user should like better.
pub(crate) trait Ranker: Send + Sync {
    /// Scores of pairs, `[pairs]`.
    fn pairs(&self, user: &[u32], item: &[u32]) -> Vec<f32>;

    /// Fills `scores` `[users, items]` for users of one territory and its items.
    fn lists(&self, users: &[u32], items: &[u32], scores: &mut [f32]) {
        let user: Vec<u32> = users.iter().flat_map(|&user| std::iter::repeat_n(user, items.len())).collect();
        let item: Vec<u32> = users.iter().flat_map(|_| items.iter().copied()).collect();
        scores.copy_from_slice(&self.pairs(&user, &item));
    }
}

/// A scorer of pairs; none of these systems reads the time of a query.
pub(crate) struct Pairs(pub(crate) Box<dyn Scorer>);

fn score(scorer: &dyn Scorer, user: &[u32], item: &[u32]) -> Vec<f32> {
    scorer.score(Queries { user, item, time: &vec![0; user.len()] })
}

impl Ranker for Pairs {
    fn pairs(&self, user: &[u32], item: &[u32]) -> Vec<f32> {
        score(self.0.as_ref(), user, item)
    }
}

impl Ranker for Towers {
    fn pairs(&self, user: &[u32], item: &[u32]) -> Vec<f32> {
        score(self, user, item)
    }

    fn lists(&self, users: &[u32], items: &[u32], scores: &mut [f32]) {
        let all = self.items();
        let mut every = vec![0.0; users.len() * all];
        Towers::lists(self, users, &mut every);
        for (own, every) in scores.chunks_exact_mut(items.len().max(1)).zip(every.chunks_exact(all.max(1))) {
            for (score, &item) in own.iter_mut().zip(items) {
                *score = every[item as usize];
            }
        }
    }
}

impl Ranker for CrossMarket {
    fn pairs(&self, user: &[u32], item: &[u32]) -> Vec<f32> {
        score(self, user, item)
    }

    fn lists(&self, users: &[u32], items: &[u32], scores: &mut [f32]) {
        for (&user, own) in users.iter().zip(scores.chunks_exact_mut(items.len().max(1))) {
            self.score_items(user, items, own);
        }
    }
}

/// A model a territory.
pub(crate) struct PerTerritory {
    /// Territory of each user.
    pub(crate) of_user: Vec<u32>,
    /// One a territory.
    pub(crate) models: Vec<Box<dyn Ranker>>,
}

impl Ranker for PerTerritory {
    fn pairs(&self, user: &[u32], item: &[u32]) -> Vec<f32> {
        let mut scores = vec![0.0; user.len()];
        for (territory, model) in (0u32..).zip(&self.models) {
            let own: Vec<usize> =
                (0..user.len()).filter(|&at| self.of_user[user[at] as usize] == territory).collect();
            let pick = |all: &[u32]| -> Vec<u32> { own.iter().map(|&at| all[at]).collect() };
            for (&at, score) in own.iter().zip(model.pairs(&pick(user), &pick(item))) {
                scores[at] = score;
            }
        }
        scores
    }

    fn lists(&self, users: &[u32], items: &[u32], scores: &mut [f32]) {
        // Users of a list belong to one territory.
        if let Some(&first) = users.first() {
            self.models[self.of_user[first as usize] as usize].lists(users, items, scores);
        }
    }
}

/// A model of a territory from which nobody was drawn: every title scores alike.
pub(crate) struct Nothing;

impl Ranker for Nothing {
    fn pairs(&self, user: &[u32], _: &[u32]) -> Vec<f32> {
        vec![0.0; user.len()]
    }
}
