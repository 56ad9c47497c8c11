//! MovieLens-100K: users tied by the films that both rated in training rows.

use std::sync::Arc;

use anyhow::{Context, Result};
use kohort_data::records::RecordShares;

use super::{Scene, World, in_shared, most_taken, of_column, those_present};
use crate::discovery::settings::Settings;
use crate::modules::worlds;
use crate::study::{Looking, Skipped, look};

pub(in crate::discovery) const NAME: &str = "discover-movielens";

pub(super) fn find(
    looking: &Looking,
    settings: &Settings,
    say: &mut dyn FnMut(&str),
) -> Result<std::result::Result<World, Skipped>> {
    let found = match look("ml-100k", looking, say)? {
        Ok(found) => found,
        Err(missing) => return Ok(Err(missing)),
    };
    let dataset = found.dataset;
    let records = Arc::new(worlds::movielens::records(&dataset)?);
    let attributes = settings.attributes;
    Ok(Ok(World {
        experiment: NAME,
        name: "ml-100k",
        title: found.title.split(',').next().unwrap_or_default().to_owned(),
        split: "ratings at random, 60 : 20 : 20, anew for each seed",
        notes: dataset.notes.clone(),
        provenance: found.provenance,
        methods: in_shared("films rated"),
        sets: vec!["leiden-shared", "kmeans-vectors"],
        given: Some("age"),
        models: worlds::MOVIELENS,
        cut: Box::new(move |seed| {
            let split = RecordShares::default().split(&records, seed)?;
            let rows = &dataset.interactions;
            let pair = |&row: &u32| (rows.user[row as usize], rows.item[row as usize]);
            let pairs: Vec<(u32, u32)> = split.train.origin().iter().map(pair).collect();
            let (present, taken) = those_present(&pairs);
            let name = |item: u32| match &dataset.item_names {
                Some(names) => names[item as usize].clone(),
                None => format!("film {item}"),
            };
            let column = |name: &str| {
                let column = dataset.user_features.column(name);
                column.with_context(|| format!("users have no {name}"))
            };
            let mut known = most_taken(present.len(), &taken, rows.items, attributes, name)?;
            for (from, prefix) in [("age_bucket", "age "), ("occupation", ""), ("gender", "gender ")] {
                if let Some(own) = of_column(&present, column(from)?, prefix)? {
                    known = known.and(&own)?;
                }
            }
            let age = column("age_bucket")?;
            let given = (0..rows.users).map(|user| age.codes(user).first().copied().unwrap_or(0)).collect();
            Ok(Scene {
                users: rows.users,
                attributes: known,
                present,
                taken,
                of_absent: Vec::new(),
                items: rows.items,
                friends: Vec::new(),
                given: Some(given),
                user_of_row: rows.user.clone(),
                records: Arc::clone(&records),
                split,
                ranking: None,
            })
        }),
        scenes: Default::default(),
        vectors: Default::default(),
        embeddings: Default::default(),
    }))
}
