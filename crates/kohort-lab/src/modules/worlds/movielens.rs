//! MovieLens-100K: how a film is rated, and whether it is liked (4 or more), with cohorts by taste and by age.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use kohort_data::records::{Records, Target};
use kohort_data::{Column, Dataset, Features, Train};

use kohort_models::sequence;
use kohort_models::trainer::TrainConfig;

use super::{CUT, Cohorts, EncoderCost, Material, World, cut_in_three};
use crate::dmtl::cohorts::{Cohorts as Groups, GROUPS};
use crate::study::{Looking, Skipped, look};

pub(crate) const NAME: &str = "movielens";

/// The column that gates read.
const SEQUENCE: &str = "sequence";
/// From this rating on a film is liked.
const LIKED: f32 = 4.0;
/// Users of a group by how much they rate: thirds.
const ACTIVITY: [&str; 3] = ["rates little", "rates some", "rates much"];

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
    let records = Arc::new(records(&dataset)?);
    let by_taste = (Arc::clone(&dataset), Arc::clone(&records));
    let by_age = (Arc::clone(&dataset), Arc::clone(&records));
    Ok(Ok(vec![
        World {
            name: "ml-100k by taste",
            title: format!("{title} by taste"),
            cohorts: "8 groups by KMeans on the users' training ratings; within, thirds by number of ratings",
            split: CUT,
            notes: dataset.notes.clone(),
            provenance: found.provenance.clone(),
            cut: Box::new(move |seed| taste(&by_taste.0, &by_taste.1, seed)),
            made: Default::default(),
        },
        World {
            name: "ml-100k by age",
            title: format!("{title} by age"),
            cohorts: "age of the user; within, occupation",
            split: CUT,
            notes: dataset.notes.clone(),
            provenance: found.provenance,
            cut: Box::new(move |seed| {
                let material = Material::by_columns(&by_age.1, &["age", "occupation"], seed)?;
                with_sequences(&by_age.0, &by_age.1, material, [], seed)
            }),
            made: Default::default(),
        },
    ]))
}

/// A row a rating.
pub(crate) fn records(dataset: &Dataset) -> Result<Records> {
    let rows = &dataset.interactions;
    let mut features = Features::new(rows.len());
    let ids = |codes: &[u32], vocabulary: &kohort_data::Vocabulary| Column::Categorical {
        codes: codes.to_vec(),
        vocabulary: vocabulary.clone(),
    };
    features.push("user", ids(&rows.user, &dataset.users))?;
    features.push("film", ids(&rows.item, &dataset.items))?;
    let mut cohorts = Features::new(rows.len());
    for (name, from) in [("age", "age_bucket"), ("gender", "gender"), ("occupation", "occupation")] {
        let column = dataset.user_features.column(from).with_context(|| format!("users have no {from}"))?;
        let column = column.select(&rows.user);
        if name != "gender" {
            cohorts.push(name, column.clone())?;
        }
        features.push(name, column)?;
    }
    for name in ["genre", "year"] {
        let column = dataset.item_features.column(name).with_context(|| format!("films have no {name}"))?;
        features.push(name, column.select(&rows.item))?;
    }
    let targets = vec![
        Target::number("rating", rows.rating.clone()),
        Target::binary("like", rows.rating.iter().map(|&rating| rating >= LIKED)),
    ];
    Ok(Records { cohorts, targets, ..Records::new("ml-100k", features) })
}

/// Groups of users who rate alike, from the ratings of the training part alone.
fn taste(dataset: &Dataset, records: &Records, seed: u64) -> Result<Material> {
    let split = cut_in_three(records, seed)?;
    let rows = &dataset.interactions;
    let train = Train::new(rows.select(split.train.origin()))?;
    let groups = Groups::form(dataset, &train, GROUPS, seed)?;
    let mut count = vec![0usize; rows.users];
    train.rows().user.iter().for_each(|&user| count[user as usize] += 1);
    // Thirds of a group's users; ties by number.
    let mut stage = vec![0u32; rows.users];
    for group in 0..groups.count as u32 {
        let mut members: Vec<usize> = (0..rows.users).filter(|&user| groups.labels[user] == group).collect();
        members.sort_by_key(|&user| (count[user], user));
        let size = members.len().max(1);
        for (place, user) in members.into_iter().enumerate() {
            stage[user] = (place * ACTIVITY.len() / size) as u32;
        }
    }
    let outer: Vec<String> = (1..=groups.count).map(|group| format!("taste {group}")).collect();
    let tree = Cohorts::nested(&split, &outer, &ACTIVITY, |row| {
        let user = rows.user[row as usize] as usize;
        (groups.labels[user], stage[user])
    })?;
    let users = rows.user.iter().map(|&user| user as usize);
    let columns = [
        (
            "taste",
            Column::categorical(users.clone().map(|user| outer[groups.labels[user] as usize].as_str())),
        ),
        ("activity", Column::categorical(users.map(|user| ACTIVITY[stage[user] as usize]))),
    ];
    with_sequences(dataset, records, Material::new(split, tree)?, columns, seed)
}

/// Films before a row that its representation is made of, at most.
const MOST: usize = 20;

/// Adds to every row a column of what SASRec makes of the films that the user rated before, in the training part: what
/// iLoRA's gate reads. The encoder learns from the training part alone, and is not trained further.
/// Further columns that all models read come beside it.
fn with_sequences(
    dataset: &Dataset,
    records: &Records,
    material: Material,
    columns: impl IntoIterator<Item = (&'static str, Column)>,
    seed: u64,
) -> Result<Material> {
    let rows = &dataset.interactions;
    let train = Train::new(rows.select(material.split.train.origin()))?;
    let config = sequence::Config { width: 16, blocks: 1, most: MOST, ..sequence::Config::default() };
    let config = sequence::Config { train: TrainConfig { epochs: 30, ..config.train }, ..config };
    let start = Instant::now();
    let encoder =
        sequence::fit(sequence::Input { train: &train, validation: None }, &config, seed, &mut |_| {})?;
    let cost =
        EncoderCost { seconds: start.elapsed().as_secs_f64(), parameters: encoder.params().count(false) };

    let mut seen: Vec<Vec<(i64, u32)>> = vec![Vec::new(); rows.users];
    for row in 0..train.rows().len() {
        let rows = train.rows();
        seen[rows.user[row] as usize].push((rows.time[row], rows.item[row]));
    }
    seen.iter_mut().for_each(|films| films.sort_unstable());
    let (mut items, mut offsets) = (Vec::new(), vec![0u32]);
    for row in 0..rows.len() {
        let films = &seen[rows.user[row] as usize];
        let before = films.partition_point(|&(time, _)| time < rows.time[row]);
        items.extend(films[before.saturating_sub(MOST)..before].iter().map(|&(_, film)| film));
        offsets.push(items.len() as u32);
    }
    let values = encoder.represent(&items, &offsets);
    let sequence = (SEQUENCE, Column::Dense { width: config.width, values });
    let material = material.with_columns(records, columns.into_iter().chain([sequence]))?;
    Ok(Material { encoder: Some(cost), ..material })
}
