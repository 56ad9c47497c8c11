//! MovieLens-100K with two labels, like (4 or more) and love (5), cut in two ways: at random, and by time within each user.
//!
//! What a user did before a row is known from training rows of strictly earlier times alone.

use std::sync::Arc;

use anyhow::{Context, Result};
use kohort_cohorts::behaviour::{self, Events, Is, Moments, Rule, Stage, Stages};
use kohort_data::records::{RecordShares, RecordSplit, Records, Target};
use kohort_data::{Column, Dataset};
use kohort_layers::Hierarchy;

use crate::modules::worlds::{Cohorts, Material, World as Cuts, movielens};
use crate::study::{Looking, Skipped, look};

/// A data set, cut anew for each seed where the cut is random.
pub(super) type World = Cuts<Data>;

/// What one seed's fits share.
pub(crate) struct Data {
    /// The rows with their own columns, and cohorts by how many training rows the user has.
    pub(super) material: Material,
    /// The same rows with columns of what the user did before.
    pub(super) past: RecordSplit,
    /// The same with the stage that this makes, too.
    pub(super) stage: RecordSplit,
    /// Who and when, of each training row.
    pub(super) users: Vec<u32>,
    pub(super) times: Vec<i64>,
    /// Who and what, of each test row.
    pub(super) test_users: Vec<u32>,
    pub(super) test_items: Vec<u32>,
    /// The film of each training row.
    pub(super) items: Vec<u32>,
    /// The genres of each film.
    pub(super) genres: Vec<Vec<u32>>,
}

/// Name of the cut at random.
pub(super) const AT_RANDOM: &str = "ml-100k at random";

/// Labels, with the rating from which on they hold.
const LABELS: [(&str, f32); 2] = [("like", 4.0), ("love", 5.0)];

/// Column of what was before: four numbers.
pub(super) const BEFORE: &str = "before";

const PAST: [&str; 4] = ["rows before", "likes before", "loves before", "days before"];

/// Cohorts by the user's training rows.
pub(super) const AMOUNT: [&str; 3] = ["up to 50 training rows", "51 to 150", "more"];

/// A mean of few rows is drawn to the mean of all with the weight of so many.
const PRIOR: f64 = 5.0;

/// Both cuts.
pub(super) fn find(
    looking: &Looking,
    say: &mut dyn FnMut(&str),
) -> Result<std::result::Result<Vec<World>, Skipped>> {
    let found = match look("ml-100k", looking, say)? {
        Ok(found) => found,
        Err(missing) => return Ok(Err(missing)),
    };
    let title = found.title.split(',').next().unwrap_or_default().to_owned();
    let dataset = Arc::new(found.dataset);
    let records = Arc::new(labelled(&dataset)?);
    let world = |name, kind: &str, split, by_time: bool| {
        let (dataset, records) = (Arc::clone(&dataset), Arc::clone(&records));
        Cuts {
            name,
            title: format!("{title}, {kind}"),
            cohorts: "users by the number of their training rows",
            split,
            notes: dataset.notes.clone(),
            provenance: found.provenance.clone(),
            cut: Box::new(move |seed| Data::cut(&dataset, &records, by_time, seed)),
            made: Default::default(),
        }
    };
    Ok(Ok(vec![
        world(
            "ml-100k at random",
            "rows at random",
            "rows at random, 70 : 10 : 20, anew for each seed",
            false,
        ),
        world(
            "ml-100k by time",
            "each user's last rows",
            "each user's rows in the order of time, 70 : 10 : 20; the same for all seeds",
            true,
        ),
    ]))
}

fn labelled(dataset: &Dataset) -> Result<Records> {
    let records = movielens::records(dataset)?;
    let ratings = &dataset.interactions.rating;
    let label =
        |(name, from): (&str, f32)| Target::binary(name, ratings.iter().map(|&rating| rating >= from));
    Ok(Records { targets: LABELS.into_iter().map(label).collect(), ..records })
}

/// Each user's rows by time: the first 70 % to learn from, the next 10 % to choose on, the rest to score. Of equal times the file's order
/// counts.
fn in_order(dataset: &Dataset) -> [Vec<u32>; 3] {
    let rows = &dataset.interactions;
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|&row| (rows.user[row as usize], rows.time[row as usize], row));
    let mut parts: [Vec<u32>; 3] = Default::default();
    for own in order.chunk_by(|&a, &b| rows.user[a as usize] == rows.user[b as usize]) {
        let (train, held) = (own.len() * 7 / 10, own.len() * 8 / 10);
        parts[0].extend(&own[..train]);
        parts[1].extend(&own[train..held]);
        parts[2].extend(&own[held..]);
    }
    parts.each_mut().iter_mut().for_each(|part| part.sort_unstable());
    parts
}

impl Data {
    pub(super) fn cut(dataset: &Dataset, records: &Records, by_time: bool, seed: u64) -> Result<Data> {
        let rows = &dataset.interactions;
        let split = if by_time {
            let [train, validation, test] = in_order(dataset);
            RecordSplit::given(records, &train, &validation, &test)?
        } else {
            RecordShares { validation: 0.1, test: 0.2 }.split(records, seed)?
        };
        let of = |ids: &[u32], origin: &[u32]| -> Vec<u32> {
            origin.iter().map(|&row| ids[row as usize]).collect()
        };
        let (learn, score) = (split.train.origin(), split.test.origin());
        let users = of(&rows.user, learn);
        let times: Vec<i64> = learn.iter().map(|&row| rows.time[row as usize]).collect();

        let mut count = vec![0usize; rows.users];
        users.iter().for_each(|&user| count[user as usize] += 1);
        let amount = |origin: &[u32]| -> Vec<u32> {
            let of_row = |&row: &u32| match count[rows.user[row as usize] as usize] {
                0..=50 => 0,
                51..=150 => 1,
                _ => 2,
            };
            origin.iter().map(of_row).collect()
        };
        let cohorts = Cohorts {
            hierarchy: Hierarchy::flat(AMOUNT.len()),
            names: AMOUNT.map(str::to_owned).to_vec(),
            train: amount(learn),
            validation: amount(split.validation.origin()),
            test: amount(score),
        };

        let (past, stage) = before(dataset, records, &split, &users, &times)?;
        let again = |records: &Records| RecordSplit::given(records, learn, split.validation.origin(), score);
        let (past, stage) = (again(&past)?, again(&stage)?);
        let (test_users, test_items, items) =
            (of(&rows.user, score), of(&rows.item, score), of(&rows.item, learn));
        let genre = dataset.item_features.column("genre").context("films have no genre")?;
        let genres = (0..rows.items).map(|film| genre.codes(film).to_vec()).collect();
        Ok(Data {
            genres,
            past,
            stage,
            users,
            times,
            test_users,
            test_items,
            items,
            material: Material::new(split, cohorts)?,
        })
    }
}

/// The rows with columns of what their users did before, and with the stage that follows from them: new, wander, stick or loyal, as STAN's
/// authors cut theirs, at medians of the training rows.
fn before(
    dataset: &Dataset,
    records: &Records,
    split: &RecordSplit,
    users: &[u32],
    times: &[i64],
) -> Result<(Records, Records)> {
    let rows = &dataset.interactions;
    let moments = Moments { window_days: 30.0 };
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for (name, _) in LABELS {
        let label = split.train.target(name).context("a label of the training rows")?;
        let values: Vec<f64> = label.values.iter().map(|&y| y.into()).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let events = Events::new(rows.users, users, times, Some(&values))?;
        let seen = moments.of(&events, &rows.user, &rows.time)?;
        let known = |name: &str| -> Result<Vec<f64>> {
            Ok(seen.column(name)?.into_iter().map(|value| value.unwrap_or(0.0)).collect())
        };
        let (count, total) = (known("events")?, known("total")?);
        if columns.is_empty() {
            columns.push(count.iter().map(|n| n.ln_1p()).collect());
            columns.push(known("tenure")?.iter().map(|days| days.ln_1p()).collect());
        }
        let share = count.iter().zip(&total).map(|(n, sum)| (sum + PRIOR * mean) / (n + PRIOR));
        columns.insert(columns.len() - 1, share.collect());
    }
    let mut past = records.clone();
    let values = (0..rows.len()).flat_map(|row| columns.iter().map(move |column| column[row] as f32));
    past.features.push(BEFORE, Column::Dense { width: PAST.len(), values: values.collect() })?;
    let named = PAST.map(|name| behaviour::Column::new(name, "")).to_vec();
    let of_row = |row: usize| columns.iter().map(move |column| Some(column[row]));
    let all = behaviour::Features::new(named.clone(), (0..rows.len()).flat_map(of_row).collect())?;
    let learned = split.train.origin().iter().flat_map(|&row| of_row(row as usize)).collect();
    let learned = behaviour::Features::new(named, learned)?;
    let below = |name: &str| -> Result<Rule> {
        Ok(Rule::when(name, Is::Below, learned.median(name)?.context("there are training rows")?, ""))
    };
    let stages = Stages::new(
        vec![
            Stage::new("new", below(PAST[0])?),
            Stage::new("wander", below(PAST[1])?),
            Stage::new("stick", below(PAST[2])?),
        ],
        "loyal",
    )?;
    let names = stages.names();
    let labels = stages.assign(&all)?;
    let mut stage = past.clone();
    let column = Column::categorical(labels.iter().map(|&label| names[label as usize]));
    stage.features.push("stage", column)?;
    Ok((past, stage))
}
