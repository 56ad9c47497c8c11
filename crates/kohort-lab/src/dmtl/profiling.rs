//! How well a system names the group of users whose labels it never saw, beside what is trivial.
//!
//! Groups are a function of training rows, and a model that sees a user's label can remember it. So the labels of a
//! fifth of the users are hidden from fits, and two trivial classifiers stand beside the head: the nearest centroid in
//! the very profile that was clustered (what anybody can do who knows how groups are made), and the nearest
//! centroid on the users' side features alone.

use anyhow::Result;
use kohort_cohorts::{Points, Standardiser};
use kohort_data::{Column, Dataset, Queries, Test};
use kohort_eval::profiling::ConfusionMatrix;

use crate::dmtl::cohorts::Cohorts;
use crate::dmtl::systems::Fitted;
use crate::outcome::{Number, Outcome};

/// Name of the protocol in rows.
pub(crate) const PROTOCOL: &str = "profiling";
/// The users the head is judged on.
pub(crate) const HIDDEN_USERS: &str = "label hidden";
/// The users whose labels were learned from.
pub(crate) const SEEN_USERS: &str = "label seen";

/// The head's scores: a user's group is the most probable one, probabilities averaged over the user's test rows.
pub(crate) fn of_head(fitted: &Fitted, test: &Test, cohorts: &Cohorts) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let Some(profile) = &fitted.profile else { return Ok(outcome) };
    let rows = test.answers();
    let probabilities = profile(Queries { user: &rows.user, item: &rows.item, time: &rows.time });
    let mut sums = vec![0.0f64; rows.users * cohorts.count];
    let mut asked = vec![false; rows.users];
    for (&user, given) in rows.user.iter().zip(probabilities.chunks_exact(cohorts.count)) {
        let start = user as usize * cohorts.count;
        asked[user as usize] = true;
        for (sum, &p) in sums[start..start + cohorts.count].iter_mut().zip(given) {
            *sum += f64::from(p);
        }
    }
    let named: Vec<Option<u32>> = sums
        .chunks_exact(cohorts.count)
        .zip(&asked)
        .map(|(sums, &asked)| asked.then(|| first_best(sums.iter().copied())))
        .collect();
    score(&mut outcome, &named, cohorts)?;
    Ok(outcome)
}

/// A classifier without a model.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trivial {
    /// The nearest centroid of the labelled users in the profile that was clustered.
    DefiningProfile,
    /// The nearest centroid of the labelled users on side features.
    SideFeatures,
    /// The largest group among the labelled users.
    LargestGroup,
}

impl Trivial {
    pub(crate) const ALL: [Trivial; 3] =
        [Trivial::DefiningProfile, Trivial::SideFeatures, Trivial::LargestGroup];

    /// Name in cells and in tables.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Trivial::DefiningProfile => {
                ("centroid-profile", "Nearest centroid, profile that made the groups")
            }
            Trivial::SideFeatures => ("centroid-side", "Nearest centroid, side features"),
            Trivial::LargestGroup => ("largest-group", "Always the largest group"),
        }
    }

    /// Its scores.
    pub(crate) fn measure(self, dataset: &Dataset, cohorts: &Cohorts) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let named = match self {
            Trivial::DefiningProfile => nearest(&cohorts.profile.values, cohorts.profile.width(), cohorts),
            Trivial::SideFeatures => {
                let (values, width) = side_features(dataset)?;
                if width == 0 {
                    return Ok(outcome);
                }
                nearest(&values, width, cohorts)
            }
            Trivial::LargestGroup => {
                let mut sizes = vec![0.0; cohorts.count];
                let known = cohorts.labels.iter().zip(&cohorts.labelled).filter(|(_, seen)| **seen);
                known.for_each(|(&label, _)| sizes[label as usize] += 1.0);
                vec![Some(first_best(sizes.into_iter())); cohorts.labels.len()]
            }
        };
        score(&mut outcome, &named, cohorts)?;
        Ok(outcome)
    }
}

/// Index of the largest value; the first of equal ones.
fn first_best(values: impl Iterator<Item = f64>) -> u32 {
    let best = values
        .zip(0u32..)
        .fold((f64::NEG_INFINITY, 0), |best, (value, at)| if value > best.0 { (value, at) } else { best });
    best.1
}

/// Accuracy and macro scores over the users whose labels were hidden, and over the others.
fn score(outcome: &mut Outcome, named: &[Option<u32>], cohorts: &Cohorts) -> Result<()> {
    for (cohort, seen) in [(HIDDEN_USERS, false), (SEEN_USERS, true)] {
        let (mut truth, mut predicted) = (Vec::new(), Vec::new());
        for (user, name) in named.iter().enumerate() {
            if let Some(name) = name.filter(|_| cohorts.labelled[user] == seen) {
                truth.push(cohorts.labels[user]);
                predicted.push(name);
            }
        }
        if truth.is_empty() {
            continue;
        }
        // Head and truth share their names, so labels are not matched: matching could only flatter.
        let matrix = ConfusionMatrix::new(&truth, &predicted, cohorts.count)?;
        let scores = matrix.macro_average();
        for (metric, value) in [
            ("Accuracy", matrix.accuracy()),
            ("Precision", scores.precision),
            ("Recall", scores.recall),
            ("F1", scores.f1),
        ] {
            outcome.numbers.push(Number::new(PROTOCOL, "profiling", metric, value).of(cohort));
        }
        outcome.counts.push((format!("{PROTOCOL}: users, {cohort}"), truth.len() as f64));
    }
    Ok(())
}

/// The nearest centroid of the labelled users of each group, for every user.
fn nearest(values: &[f32], width: usize, cohorts: &Cohorts) -> Vec<Option<u32>> {
    let mut centres = vec![0.0f64; cohorts.count * width];
    let mut sizes = vec![0usize; cohorts.count];
    for (user, row) in values.chunks_exact(width).enumerate().filter(|(user, _)| cohorts.labelled[*user]) {
        let label = cohorts.labels[user] as usize;
        sizes[label] += 1;
        for (sum, &x) in centres[label * width..].iter_mut().zip(row) {
            *sum += f64::from(x);
        }
    }
    for (centre, &size) in centres.chunks_exact_mut(width).zip(&sizes) {
        centre.iter_mut().for_each(|x| *x /= size.max(1) as f64);
    }
    values
        .chunks_exact(width)
        .map(|row| {
            let closeness = centres.chunks_exact(width).zip(&sizes).map(|(centre, &size)| {
                let distance: f64 = row.iter().zip(centre).map(|(&x, c)| (f64::from(x) - c).powi(2)).sum();
                if size == 0 { f64::NEG_INFINITY } else { -distance }
            });
            Some(first_best(closeness))
        })
        .collect()
}

/// Side features of all users as standardised numbers, codes one-hot: `[users, width]`.
fn side_features(dataset: &Dataset) -> Result<(Vec<f32>, usize)> {
    let features = &dataset.user_features;
    let width_of = |column: &Column| match column {
        Column::Numeric(_) => 1,
        Column::Dense { width, .. } => *width,
        Column::Categorical { .. } | Column::MultiHot { .. } => column.cardinality().unwrap_or(0),
    };
    let width: usize = features.columns.iter().map(|(_, column)| width_of(column)).sum();
    if width == 0 {
        return Ok((Vec::new(), 0));
    }
    let mut values = vec![0.0f32; features.rows * width];
    for (user, row) in values.chunks_exact_mut(width).enumerate() {
        let mut start = 0;
        for (_, column) in &features.columns {
            for &code in column.codes(user) {
                row[start + code as usize] = 1.0;
            }
            for (at, &value) in column.values(user).iter().enumerate() {
                row[start + at] = value;
            }
            start += width_of(column);
        }
    }
    let scaled = Standardiser::fit(&Points::new(&values, width)?).apply(&values);
    Ok((scaled, width))
}
