//! Scores of groups from scores of their members, and their numbers.

use anyhow::Result;
use kohort_data::{Aggregate, Members, Queries, Scale, Test};
use kohort_eval::ranking::{CandidateLists, RankingProtocol, Unit};
use kohort_eval::rating;
use kohort_models::baselines::Scorer;

use crate::dmtl::measure::lists;
use crate::outcome::{Number, Outcome, PerUser, SQUARED_ERROR};

/// The three rules with their names in rows.
pub(super) const RULES: [(Aggregate, &str); 3] = [
    (Aggregate::Average, "average"),
    (Aggregate::LeastMisery, "least misery"),
    (Aggregate::MostPleasure, "most pleasure"),
];

/// The scores that the members of each asked group gave: `sizes[query]` of them for each query.
pub(super) struct MemberScores {
    scores: Vec<f32>,
    sizes: Vec<usize>,
}

impl MemberScores {
    /// Scores `queries`, whose `user` column holds groups, for every member. Members that training never saw are left
    /// out unless nobody else is there.
    pub(super) fn new(
        scorer: &dyn Scorer,
        queries: Queries<'_>,
        members: &Members,
        known: &[bool],
    ) -> MemberScores {
        // Bounds memory: large groups times many items are millions of pairs.
        const BLOCK: usize = 1024;
        let (mut scores, mut sizes) = (Vec::new(), Vec::with_capacity(queries.user.len()));
        for start in (0..queries.user.len()).step_by(BLOCK) {
            let (mut user, mut item, mut time) = (Vec::new(), Vec::new(), Vec::new());
            for at in start..(start + BLOCK).min(queries.user.len()) {
                let all = members.of(queries.user[at] as usize);
                let seen: Vec<u32> = all.iter().copied().filter(|&member| known[member as usize]).collect();
                let asked = if seen.is_empty() { all } else { &seen };
                user.extend_from_slice(asked);
                item.extend(std::iter::repeat_n(queries.item[at], asked.len()));
                time.extend(std::iter::repeat_n(queries.time[at], asked.len()));
                sizes.push(asked.len());
            }
            scores.extend(scorer.score(Queries { user: &user, item: &item, time: &time }));
        }
        MemberScores { scores, sizes }
    }

    /// One score a query, `[queries]`.
    pub(super) fn together(&self, how: Aggregate) -> Vec<f32> {
        let mut rest = &self.scores[..];
        let one = |&size: &usize| {
            let (own, others) = rest.split_at(size);
            rest = others;
            together(own, how)
        };
        self.sizes.iter().map(one).collect()
    }
}

/// Several scores as one; 0 for none.
fn together(scores: &[f32], how: Aggregate) -> f32 {
    if scores.is_empty() {
        return 0.0;
    }
    match how {
        Aggregate::Average => {
            (scores.iter().map(|&s| f64::from(s)).sum::<f64>() / scores.len() as f64) as f32
        }
        Aggregate::LeastMisery => scores.iter().copied().fold(f32::INFINITY, f32::min),
        Aggregate::MostPleasure => scores.iter().copied().fold(f32::NEG_INFINITY, f32::max),
    }
}

/// RMSE and lists with the group as the unit.
pub(super) fn measure(
    protocol: &str,
    scale: Scale,
    test: &Test,
    scores: &[f32],
    rates: bool,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let truth = test.answers();
    if rates {
        let predicted: Vec<f32> = scores.iter().map(|&score| scale.clamp(score)).collect();
        outcome.numbers.push(Number::new(
            protocol,
            "rating",
            "RMSE",
            rating::rmse(&predicted, &truth.rating)?,
        ));
        outcome.numbers.push(Number::new(protocol, "rating", "MAE", rating::mae(&predicted, &truth.rating)?));
        outcome.per_user.push(PerUser {
            protocol: protocol.to_owned(),
            cohort: None,
            metric: SQUARED_ERROR.to_owned(),
            values: rating::squared_error_by_unit(&truth.user, &predicted, &truth.rating)?,
        });
    }
    let ranking = RankingProtocol { unit: Unit::Group, ..RankingProtocol::default() };
    let candidates = CandidateLists::held_out(&truth.user, &truth.item, &truth.rating)?;
    let (floor, ceiling) = (candidates.floor(&ranking)?, candidates.ceiling(&ranking)?);
    lists(&mut outcome, protocol, true, &candidates.evaluate(&ranking, scores)?, &floor, &ceiling)?;
    Ok(outcome)
}

/// Which users have a training row.
pub(super) fn known(rows: &kohort_data::Interactions) -> Vec<bool> {
    let mut known = vec![false; rows.users];
    rows.user.iter().for_each(|&user| known[user as usize] = true);
    known
}
