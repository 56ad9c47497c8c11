//! XMarket: users tied by the items that both took in training rows. Rows are those of the comparison of modules: every third
//! user of a market, and one item not taken beside each taken.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use kohort_data::records::RecordShares;
use kohort_data::{Column, Duplicates};

use super::{Scene, World, in_shared, most_taken, of_column, those_present};
use crate::discovery::settings::Settings;
use crate::modules::worlds;
use crate::study::{Looking, Skipped, look};

pub(in crate::discovery) const NAME: &str = "discover-xmarket";

pub(super) fn find(
    looking: &Looking,
    settings: &Settings,
    say: &mut dyn FnMut(&str),
) -> Result<std::result::Result<World, Skipped>> {
    let found = match look("xmarket", looking, say)? {
        Ok(found) => found,
        Err(missing) => return Ok(Err(missing)),
    };
    let dataset = found.dataset.merge_duplicates(Duplicates::Last)?;
    let attributes = settings.attributes;
    Ok(Ok(World {
        experiment: NAME,
        name: "xmarket",
        title: found.title.split(',').next().unwrap_or_default().to_owned(),
        split: "pairs of an item taken and one not taken at random, 60 : 20 : 20, anew for each seed",
        notes: vec![
            "every third user of a market; beside each item taken, one of the market that the user took in no part. Discovery sees the items \
             taken in training rows, and neither those not taken nor the market, which all models know as a column"
                .to_owned(),
        ],
        provenance: found.provenance,
        methods: in_shared("items taken"),
        sets: vec!["leiden-shared", "kmeans-vectors"],
        given: Some("market"),
        models: worlds::XMARKET,
        cut: Box::new(move |seed| {
            let records = worlds::xmarket::records(&dataset, seed)?;
            let pairs: Vec<u32> = (0..records.len() as u32).map(|row| row / 2).collect();
            let split = RecordShares::default().split_groups(&records, &pairs, seed)?;
            let column = |name: &str| {
                let column = records.features.column(name);
                column.with_context(|| format!("rows have no {name}"))
            };
            let (Column::Categorical { codes: user, vocabulary: people }, Column::Categorical { codes: item, .. }) =
                (column("user")?, column("item")?)
            else {
                bail!("users and items are no categories")
            };
            let takes = records.target("takes").context("rows have no target “takes”")?;
            let took = split.train.origin().iter().filter(|&&row| takes.values[row as usize] > 0.5);
            let pairs: Vec<(u32, u32)> = took.map(|&row| (user[row as usize], item[row as usize])).collect();
            let (present, taken) = those_present(&pairs);
            // A user's market is that of their rows.
            let market = column("market")?;
            let mut row_of = vec![0u32; people.len()];
            (0u32..).zip(user).for_each(|(row, &user)| row_of[user as usize] = row);
            let market = market.select(&row_of);
            let items = dataset.items.len();
            let name = |item: u32| format!("item {}", dataset.items.token(item).unwrap_or_default());
            let known = most_taken(present.len(), &taken, items, attributes, name)?;
            let of_market = of_column(&present, &market, "market ")?.context("markets are no categories")?;
            Ok(Scene {
                users: people.len(),
                attributes: of_market.and(&known)?,
                given: Some((0..people.len()).map(|user| market.codes(user)[0]).collect()),
                present,
                taken,
                of_absent: Vec::new(),
                items,
                friends: Vec::new(),
                user_of_row: user.clone(),
                records: Arc::new(records),
                split,
                ranking: None,
            })
        }),
        scenes: Default::default(),
        vectors: Default::default(),
        embeddings: Default::default(),
    }))
}
