//! HetRec Last.fm: listeners, the artists they played, and who is whose friend. Recommenders are compared on it too.
//!
//! A random fifth of each user's artists is the test part, the same for all seeds; of the others a tenth is the validation part,
//! another one for each seed. Everything here learns from the rest alone.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use kohort_data::read::hetrec_lastfm;
use kohort_data::records::{RecordSplit, Records, Target};
use kohort_data::{Column, Dataset, Features, Split, Way};
use kohort_random::{rand::Rng, stream};

use super::{Ranking, Scene, World, in_friends, in_shared, most_taken, those_present};
use crate::discovery::methods::{Ground, How, Method};
use crate::discovery::settings::Settings;
use crate::modules::worlds;
use crate::study::{Looking, Skipped, look};

pub(in crate::discovery) const NAME: &str = "discover-lastfm";

/// Seed of the split into training and test rows.
const SPLIT: u64 = 2020;
/// Share of the training rows that is held out for validation.
const HELD_OUT: f64 = 0.1;
/// Every third user has rows for the models with targets, which are fitted some forty times.
const EVERY: usize = 3;

pub(super) fn find(
    looking: &Looking,
    settings: &Settings,
    say: &mut dyn FnMut(&str),
) -> Result<std::result::Result<World, Skipped>> {
    let found = match look("hetrec-lastfm-2k", looking, say)? {
        Ok(found) => found,
        Err(missing) => return Ok(Err(missing)),
    };
    let dataset = found.dataset;
    let friends = hetrec_lastfm::friends(Path::new(&found.provenance.folder), None, &dataset.users)?;
    let split = Way::PerUser { share: 0.2 }.split(&dataset.interactions, SPLIT)?;
    let mut methods = in_friends();
    methods.extend(in_shared("artists played"));
    let on =
        |name, title: &str, how| Method { name, title: title.to_owned(), ground: Ground::Embeddings, how };
    methods.push(on("kmeans-lightgcn", "KMeans on LightGCN's embeddings", How::KMeans));
    methods.push(on("leiden-lightgcn", "Leiden, nearest by LightGCN's embeddings", How::Leiden));
    let attributes = settings.attributes;
    let mut notes = dataset.notes.clone();
    notes.push(
        "models with targets see every third user's rows: beside each artist played, one that the user played in no part, each equally \
         likely; how often is known of artists played"
            .to_owned(),
    );
    Ok(Ok(World {
        experiment: NAME,
        name: "hetrec-lastfm-2k",
        title: found.title.split(',').next().unwrap_or_default().to_owned(),
        split: "a random fifth of each user's artists is the test part, the same for all seeds; a tenth of the others, anew for each seed, the \
                validation part",
        notes,
        provenance: found.provenance,
        methods,
        sets: vec!["leiden-lightgcn", "leiden-shared", "leiden-friends"],
        given: None,
        models: worlds::XMARKET,
        cut: Box::new(move |seed| scene(&dataset, &split, &friends, attributes, seed)),
        scenes: Default::default(),
        vectors: Default::default(),
        embeddings: Default::default(),
    }))
}

fn scene(
    dataset: &Dataset,
    split: &Split,
    friends: &[(u32, u32)],
    attributes: usize,
    seed: u64,
) -> Result<Scene> {
    let rows = &dataset.interactions;
    let (train, validation) = split.train.hold_out(HELD_OUT, seed)?;
    let learned = train.rows();
    let pairs: Vec<(u32, u32)> = learned.user.iter().copied().zip(learned.item.iter().copied()).collect();
    let (present, taken) = those_present(&pairs);
    let name = |item: u32| match &dataset.item_names {
        Some(names) => names[item as usize].clone(),
        None => format!("artist {item}"),
    };
    let known = most_taken(present.len(), &taken, rows.items, attributes, name)?;
    // Part of each row: training, validation, test.
    let mut part = vec![2u8; rows.len()];
    train.origin().iter().for_each(|&row| part[row as usize] = 0);
    validation.origin().iter().for_each(|&row| part[row as usize] = 1);
    let (records, user_of_row, parts) = asked(dataset, &part, seed)?;
    let of = |wanted: u8| -> Vec<u32> {
        (0u32..).zip(&parts).filter(|&(_, &part)| part == wanted).map(|(row, _)| row).collect()
    };
    let record_split = RecordSplit::given(&records, &of(0), &of(1), &of(2))?;
    let answers = split.test.answers();
    Ok(Scene {
        users: rows.users,
        attributes: known,
        present,
        taken,
        of_absent: Vec::new(),
        items: rows.items,
        friends: friends.to_vec(),
        given: None,
        user_of_row,
        records: Arc::new(records),
        split: record_split,
        ranking: Some(Ranking { train, test: (answers.user.clone(), answers.item.clone()) }),
    })
}

/// Two rows a pair, an artist played and one not played, with the user and the part of each.
fn asked(dataset: &Dataset, part: &[u8], seed: u64) -> Result<(Records, Vec<u32>, Vec<u8>)> {
    let rows = &dataset.interactions;
    let mut played: Vec<Vec<u32>> = vec![Vec::new(); rows.users];
    rows.user.iter().zip(&rows.item).for_each(|(&user, &item)| played[user as usize].push(item));
    played.iter_mut().for_each(|items| items.sort_unstable());
    let mut stream = stream(seed, "discovery lastfm", &[]);
    let (mut user, mut item, mut takes, mut plays, mut parts) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in (0..rows.len()).filter(|&row| (rows.user[row] as usize).is_multiple_of(EVERY)) {
        let own = rows.user[row];
        // Nobody played more than 50 of the 17,632.
        let mut drawn = (0..100).map(|_| stream.random_range(0..rows.items as u32));
        let other = drawn.find(|other| played[own as usize].binary_search(other).is_err());
        for (of, took) in [(rows.item[row], true), (other.context("a user played everything")?, false)] {
            user.push(own);
            item.push(of);
            takes.push(took);
            // A rating is 1 + log10 of the plays.
            plays.push(rows.rating[row] - 1.0);
            parts.push(part[row]);
        }
    }
    let mut features = Features::new(user.len());
    let ids = |codes: &[u32], vocabulary: &kohort_data::Vocabulary| Column::Categorical {
        codes: codes.to_vec(),
        vocabulary: vocabulary.clone(),
    };
    features.push("user", ids(&user, &dataset.users))?;
    features.push("artist", ids(&item, &dataset.items))?;
    let played = Target { known: Some(takes.clone()), ..Target::number("log10 plays", plays) };
    let targets = vec![Target::binary("takes", takes), played];
    Ok((Records { targets, ..Records::new("hetrec-lastfm-2k", features) }, user, parts))
}
