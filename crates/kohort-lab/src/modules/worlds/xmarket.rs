//! XMarket: whether a user of a market takes an item rather than another of the market, and whether what was taken pleases
//! (5 stars).

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use kohort_data::records::{RecordShares, Records, Target};
use kohort_data::territories::Territories;
use kohort_data::{Column, Dataset, Duplicates, Features, Vocabulary};
use kohort_random::{rand::Rng, stream};

use super::{Cohorts, Material, World};
use crate::study::{Looking, Skipped, look};

pub(crate) const NAME: &str = "xmarket";

/// Every third user of a market: the comparison fits every system five times.
const EVERY: usize = 3;
/// Users by how many items they took in the training part. Each came with one not taken, so the count says nothing of which
/// row is which.
const ACTIVITY: [&str; 3] = ["took up to 4", "took 5 to 7", "took more"];
/// From this rating on an item pleases.
const PLEASES: f32 = 5.0;

pub(super) fn find(
    looking: &Looking,
    say: &mut dyn FnMut(&str),
) -> Result<std::result::Result<Vec<World>, Skipped>> {
    let found = match look("xmarket", looking, say)? {
        Ok(found) => found,
        Err(missing) => return Ok(Err(missing)),
    };
    let dataset = Arc::new(found.dataset.merge_duplicates(Duplicates::Last)?);
    let notes = vec![
        "every third user of a market, and beside each item that a user took one of the market, each equally likely, that \
         the user took in no part; drawn anew for each seed, and in the same part as its pair. Whether an item pleases is \
         known of taken ones only"
            .to_owned(),
    ];
    Ok(Ok(vec![World {
        name: "xmarket",
        title: found.title.split(',').next().unwrap_or_default().to_owned(),
        cohorts: "market; within, how many items of the training part the user took",
        split: "pairs of an item taken and one not taken at random, 60 : 20 : 20, anew for each seed",
        notes,
        provenance: found.provenance,
        cut: Box::new(move |seed| material(&records(&dataset, seed)?, seed)),
        made: Default::default(),
    }]))
}

/// Two rows a pair: an item that a user took, then one that the user could have taken. Users who took a market's whole offer
/// have no such item, and their pair is left out.
pub(crate) fn records(dataset: &Dataset, seed: u64) -> Result<Records> {
    let rows = &dataset.interactions;
    let market = dataset.user_features.column("market").context("users have no market")?;
    let markets = Territories::of(dataset, "market")?;
    let catalogues = markets.items(rows)?;
    let mut taken: Vec<Vec<u32>> = vec![Vec::new(); rows.users];
    rows.user.iter().zip(&rows.item).for_each(|(&user, &item)| taken[user as usize].push(item));
    taken.iter_mut().for_each(|items| items.sort_unstable());

    let mut stream = stream(seed, "modules xmarket", &[]);
    let (mut user, mut item, mut takes, mut rating) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in (0..rows.len()).filter(|&row| (rows.user[row] as usize).is_multiple_of(EVERY)) {
        let own = rows.user[row];
        let offer = &catalogues[markets.of_user()[own as usize] as usize];
        // Catalogues hold thousands, users took dozens: a few draws do.
        let mut drawn = (0..100).map(|_| offer[stream.random_range(0..offer.len())]);
        let Some(other) = drawn.find(|other| taken[own as usize].binary_search(other).is_err()) else {
            continue;
        };
        for (of, took) in [(rows.item[row], true), (other, false)] {
            user.push(own);
            item.push(of);
            takes.push(took);
            rating.push(rows.rating[row]);
        }
    }

    let mut features = Features::new(user.len());
    let (users, people) = renumbered(&user, &dataset.users);
    features.push("user", Column::Categorical { codes: users, vocabulary: people })?;
    features.push("item", Column::Categorical { codes: item, vocabulary: dataset.items.clone() })?;
    features.push("market", market.select(&user))?;
    let pleases = Target {
        known: Some(takes.clone()),
        ..Target::binary(
            "pleases",
            rating.iter().zip(&takes).map(|(&stars, &taken)| taken && stars >= PLEASES),
        )
    };
    let targets = vec![Target::binary("takes", takes), pleases];
    Ok(Records { targets, ..Records::new("xmarket", features) })
}

/// Markets, and within them users by how much of the training part is theirs.
fn material(records: &Records, seed: u64) -> Result<Material> {
    let pairs: Vec<u32> = (0..records.len() as u32).map(|row| row / 2).collect();
    let split = RecordShares::default().split_groups(records, &pairs, seed)?;
    let users = records.features.column("user").context("rows have no user")?;
    let markets = records.features.column("market").context("rows have no market")?;
    let Column::Categorical { vocabulary, .. } = markets else { bail!("markets are no categories") };
    let mut count = vec![0usize; users.cardinality().unwrap_or(0)];
    for &row in split.train.origin() {
        count[users.codes(row as usize)[0] as usize] += 1;
    }
    let outer: Vec<String> = vocabulary.tokens().map(str::to_owned).collect();
    let stage = |row: usize| match count[users.codes(row)[0] as usize] / 2 {
        0..=4 => 0,
        5..=7 => 1,
        _ => 2,
    };
    let tree = Cohorts::nested(&split, &outer, &ACTIVITY, |row| {
        (markets.codes(row as usize)[0], stage(row as usize) as u32)
    })?;
    let activity = Column::categorical((0..records.len()).map(|row| ACTIVITY[stage(row)]));
    Material::new(split, tree)?.with_columns(records, [("activity", activity)])
}

/// Ids counted anew over those that occur.
fn renumbered(ids: &[u32], all: &Vocabulary) -> (Vec<u32>, Vocabulary) {
    let mut own = Vocabulary::new();
    let codes = ids.iter().map(|&id| own.insert(all.token(id).unwrap_or_default())).collect();
    (codes, own)
}
