//! A fitted system on a test part, in numbers.

use anyhow::Result;
use kohort_data::{Dataset, Index, Queries, Split, Test};
use kohort_eval::ranking::{
    CandidateLists, Candidates, Catalogue, Exclusions, PerUnit, RankingMetric, RankingProtocol,
};
use kohort_eval::rating;
use kohort_models::baselines::Scorer;

use crate::dmtl::protocols::SplitPlan;
use crate::outcome::{Number, Outcome, PerUser, SQUARED_ERROR};

/// The metrics of lists that tables show, with their names at k = 10.
pub(crate) const RANKING: [(RankingMetric, &str); 3] =
    [(RankingMetric::Precision, "P@10"), (RankingMetric::Recall, "R@10"), (RankingMetric::Ndcg, "NDCG@10")];

/// Scores of a split's test part under every protocol of its plan.
pub(crate) fn evaluate(
    dataset: &Dataset,
    split: &Split,
    plan: &SplitPlan,
    scorer: &dyn Scorer,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let answers = split.test.answers();
    let scores = scorer.score(split.test.queries());
    let held_out = CandidateLists::held_out(&answers.user, &answers.item, &answers.rating)?;
    let train = split.train.rows();
    let exclude = Exclusions::new(&train.user, &train.item)?;
    for protocol in &plan.protocols {
        if protocol.errors && scorer.rates() {
            errors(&mut outcome, protocol.name, dataset, &split.test, &scores)?;
        }
        let (result, floor, ceiling) = match protocol.ranking.candidates {
            Candidates::WholeCatalogue => {
                let catalogue = Catalogue::new(&held_out, &exclude, dataset.items.len() as u32)?;
                let result = whole_catalogue(&catalogue, &protocol.ranking, dataset, &split.test, scorer)?;
                (result, catalogue.floor(&protocol.ranking)?, catalogue.ceiling(&protocol.ranking)?)
            }
            _ => (
                held_out.evaluate(&protocol.ranking, &scores)?,
                held_out.floor(&protocol.ranking)?,
                held_out.ceiling(&protocol.ranking)?,
            ),
        };
        lists(&mut outcome, protocol.name, protocol.main, &result, &floor, &ceiling)?;
    }
    Ok(outcome)
}

/// RMSE and MAE of predictions clipped to the scale, and each user's mean squared error.
fn errors(
    outcome: &mut Outcome,
    protocol: &str,
    dataset: &Dataset,
    test: &Test,
    scores: &[f32],
) -> Result<()> {
    let truth = test.answers();
    let predicted: Vec<f32> = scores.iter().map(|&score| dataset.scale.clamp(score)).collect();
    let mut push = |metric: &str, value| outcome.numbers.push(Number::new(protocol, "rating", metric, value));
    push("RMSE", rating::rmse(&predicted, &truth.rating)?);
    push("MAE", rating::mae(&predicted, &truth.rating)?);
    outcome.per_user.push(PerUser {
        protocol: protocol.to_owned(),
        cohort: None,
        metric: SQUARED_ERROR.to_owned(),
        values: rating::squared_error_by_unit(&truth.user, &predicted, &truth.rating)?,
    });
    Ok(())
}

/// P@10, R@10 and NDCG@10 with floor and ceiling.
pub(crate) fn lists(
    outcome: &mut Outcome,
    protocol: &str,
    keep_users: bool,
    result: &PerUnit,
    floor: &PerUnit,
    ceiling: &PerUnit,
) -> Result<()> {
    for (metric, name) in RANKING {
        let Some(value) = result.mean(metric) else { continue };
        outcome.numbers.push(
            Number::new(protocol, "ranking", name, value).between(floor.mean(metric), ceiling.mean(metric)),
        );
        if keep_users && metric == RankingMetric::Ndcg {
            outcome.per_user.push(PerUser {
                protocol: protocol.to_owned(),
                cohort: None,
                metric: name.to_owned(),
                values: result.unit_values(metric)?,
            });
        }
    }
    let summary = result.summary();
    outcome.counts.push((format!("{protocol}: users"), summary.units as f64));
    outcome
        .counts
        .push((format!("{protocol}: users without a relevant item"), summary.without_relevant as f64));
    outcome.counts.push((format!("{protocol}: candidates a user"), summary.mean_candidates));
    Ok(())
}

/// Ranks all items for every user of the test part, asked at the time of the user's first held-out rating.
fn whole_catalogue(
    catalogue: &Catalogue<'_>,
    protocol: &RankingProtocol,
    dataset: &Dataset,
    test: &Test,
    scorer: &dyn Scorer,
) -> Result<PerUnit> {
    const BLOCK: usize = 32;
    let items = dataset.items.len();
    let rows = test.answers();
    let by_user = Index::new(&rows.user, rows.users);
    let asked: Vec<i64> = (0..rows.users)
        .map(|user| by_user.rows(user).iter().map(|&row| rows.time[row as usize]).min().unwrap_or(0))
        .collect();
    let all: Vec<u32> = (0..items as u32).collect();
    Ok(catalogue.evaluate_blocks(protocol, BLOCK, |units, out| {
        let user: Vec<u32> = units.iter().flat_map(|&unit| std::iter::repeat_n(unit, items)).collect();
        let item: Vec<u32> = units.iter().flat_map(|_| all.iter().copied()).collect();
        let time: Vec<i64> =
            units.iter().flat_map(|&unit| std::iter::repeat_n(asked[unit as usize], items)).collect();
        out.copy_from_slice(&scorer.score(Queries { user: &user, item: &item, time: &time }));
    })?)
}
