//! A fitted system on the test rows: AUC over rows and within users, nDCG@5 of users, log loss; by cohort, and per user for tests.

use anyhow::Result;
use kohort_data::records::Target;
use kohort_eval::UnitValues;
use kohort_eval::binary::{log_loss, roc_auc};
use kohort_eval::ranking::{CandidateLists, Gain, RankingProtocol};

use super::systems::Fitted;
use super::world::Data;
use crate::modules::measure::{COST, LOG_LOSS, SECONDS, TEST, TRAINED, of_task};
use crate::outcome::{Number, Outcome, PerUser};

/// Mean over users of the AUC of their test rows, weighed by rows; users with both labels count.
pub(super) const GAUC: &str = "GAUC";
/// Mean over users with a positive of the nDCG of their test rows, binary gain, the first five places.
pub(super) const NDCG: &str = "nDCG@5";

/// Protocol of what a user's first five test rows are like.
pub(super) const LISTS: &str = "first five of the test rows";
/// Mean share of training users who have the films.
pub(super) const SHARE: &str = "popularity";
/// 1 less the mean cosine of two films' genres.
pub(super) const UNLIKE: &str = "diversity";
/// Mean score less the share of yeses.
pub(super) const BIAS: &str = "bias";
/// The largest bias of a cohort less the smallest.
pub(super) const BIAS_GAP: &str = "gap of bias";
/// First places of a list that are looked at.
const FIRST: usize = 5;

/// Everything that is reported of a fit.
pub(super) fn measure(fitted: &Fitted, data: &Data) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let answers = data.material.split.test.answers();
    for (name, predictions) in &fitted.tasks {
        let Some(target) = answers.target(name) else { continue };
        of_task(&mut outcome, target, predictions, &data.material)?;
        within_users(&mut outcome, target, predictions, data)?;
        of_lists(&mut outcome, name, target, predictions, data);
        let labels: Vec<bool> = target.values.iter().map(|&y| y == 1.0).collect();
        if predictions.iter().all(|p| (0.0..=1.0).contains(p)) {
            outcome.numbers.push(Number::new(TEST, name, LOG_LOSS, log_loss(predictions, &labels)?));
        }
    }
    for (metric, value) in [(TRAINED, fitted.parameters as f64), (SECONDS, fitted.seconds)] {
        outcome.numbers.push(Number::new("cost", COST, metric, value));
    }
    outcome.curves.clone_from(&fitted.curves);
    Ok(outcome)
}

fn within_users(outcome: &mut Outcome, target: &Target, predictions: &[f32], data: &Data) -> Result<()> {
    let users = &data.test_users;
    let mut of_user: Vec<Vec<usize>> = vec![Vec::new(); users.iter().max().map_or(0, |&u| u as usize + 1)];
    users.iter().enumerate().for_each(|(row, &user)| of_user[user as usize].push(row));
    let cohorts = &data.material.flat;
    let parts = std::iter::once(None).chain((0..cohorts.names.len() as u32).map(Some));
    for part in parts {
        let (mut ids, mut values) = (Vec::new(), Vec::new());
        let (mut sum, mut weight) = (0.0, 0.0);
        for (user, rows) in of_user.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            if part.is_some_and(|part| cohorts.test[rows[0]] != part) {
                continue;
            }
            let scores: Vec<f32> = rows.iter().map(|&row| predictions[row]).collect();
            let labels: Vec<bool> = rows.iter().map(|&row| target.values[row] == 1.0).collect();
            let auc = roc_auc(&scores, &labels)?;
            if let Some(auc) = auc {
                sum += rows.len() as f64 * auc;
                weight += rows.len() as f64;
            }
            ids.push(user as u32);
            values.push(auc);
        }
        if weight == 0.0 {
            continue;
        }
        let name = part.map(|part| cohorts.names[part as usize].clone());
        let mut number = Number::new(TEST, &target.name, GAUC, sum / weight).between(Some(0.5), Some(1.0));
        number.cohort.clone_from(&name);
        outcome.numbers.push(number);
        if part.is_none() {
            outcome.counts.push((
                format!("{}: users with both labels", target.name),
                values.iter().flatten().count() as f64,
            ));
            outcome.per_user.push(PerUser {
                protocol: TEST.to_owned(),
                cohort: None,
                metric: format!("AUC of a user, {}", target.name),
                values: UnitValues::new(ids, values)?,
            });
        }
    }
    let lists = CandidateLists::held_out(users, &data.test_items, &target.values)?;
    let protocol =
        RankingProtocol { k: 5, relevant_from: 1.0, gain: Gain::Binary, ..RankingProtocol::default() };
    let mean = |values: Vec<Option<f64>>| {
        let known: Vec<f64> = values.into_iter().flatten().collect();
        known.iter().sum::<f64>() / known.len().max(1) as f64
    };
    let found = mean(lists.evaluate(&protocol, predictions)?.ndcg);
    let floor = mean(lists.floor(&protocol)?.ndcg);
    outcome.numbers.push(Number::new(TEST, &target.name, NDCG, found).between(Some(floor), Some(1.0)));
    Ok(())
}

/// What the first five of each user's test rows are like, and how far scores are off, by cohort.
fn of_lists(outcome: &mut Outcome, task: &str, target: &Target, predictions: &[f32], data: &Data) {
    let cohorts = &data.material.flat;
    let films = data.genres.len();
    let mut pairs: Vec<(u32, u32)> = data.items.iter().copied().zip(data.users.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut owners = vec![0usize; films];
    pairs.iter().for_each(|&(film, _)| owners[film as usize] += 1);
    let mut users: Vec<u32> = data.users.clone();
    users.sort_unstable();
    users.dedup();

    let mut order: Vec<usize> = (0..predictions.len()).collect();
    order.sort_by(|&a, &b| {
        let by_user = data.test_users[a].cmp(&data.test_users[b]);
        by_user.then(predictions[b].total_cmp(&predictions[a])).then(a.cmp(&b))
    });
    let names = cohorts.names.len();
    let mut sums = vec![[(0.0, 0usize); 3]; names + 1];
    let mut add = |cohort: u32, what: usize, value: f64| {
        for at in [cohort as usize, names] {
            let (sum, count) = &mut sums[at][what];
            (*sum, *count) = (*sum + value, *count + 1);
        }
    };
    for own in order.chunk_by(|&a, &b| data.test_users[a] == data.test_users[b]) {
        let cohort = cohorts.test[own[0]];
        let first: Vec<usize> = own.iter().take(FIRST).map(|&row| data.test_items[row] as usize).collect();
        let share = first.iter().map(|&film| owners[film] as f64 / users.len() as f64);
        add(cohort, 0, share.sum::<f64>() / first.len() as f64);
        let mut alike = Vec::new();
        for (at, &film) in first.iter().enumerate() {
            alike
                .extend(first[at + 1..].iter().map(|&other| cosine(&data.genres[film], &data.genres[other])));
        }
        if !alike.is_empty() {
            add(cohort, 1, 1.0 - alike.iter().sum::<f64>() / alike.len() as f64);
        }
    }
    for (row, (&p, &y)) in predictions.iter().zip(&target.values).enumerate() {
        add(cohorts.test[row], 2, f64::from(p - y));
    }
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for (at, sums) in sums.iter().enumerate() {
        for (what, metric) in [SHARE, UNLIKE, BIAS].into_iter().enumerate() {
            let (sum, count) = sums[what];
            if count == 0 {
                continue;
            }
            let value = sum / count as f64;
            let mut number = Number::new(LISTS, task, metric, value);
            number.cohort = cohorts.names.get(at).cloned();
            if metric == BIAS && number.cohort.is_some() {
                (low, high) = (low.min(value), high.max(value));
            }
            outcome.numbers.push(number);
        }
    }
    if high >= low {
        outcome.numbers.push(Number::new(LISTS, task, BIAS_GAP, high - low));
    }
}

fn cosine(a: &[u32], b: &[u32]) -> f64 {
    let both = a.iter().filter(|code| b.contains(code)).count() as f64;
    both / ((a.len() * b.len()) as f64).sqrt().max(1.0)
}
