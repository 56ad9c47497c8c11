//! Twitch: streamers and their friendships within six language communities. A user is a row; discovery sees those of the training
//! part, what they are known for and the friendships between them. The others go where most of their friends are or, for cohorts
//! of games and habits, where most of those are who are known for the same.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use kohort_data::Column;
use kohort_data::read::twitch;
use kohort_data::records::RecordShares;

use super::{Scene, World, in_friends, in_shared, most_taken, of_column, those_present};
use crate::discovery::settings::Settings;
use crate::modules::worlds;
use crate::study::{Looking, Skipped, look_records};

pub(in crate::discovery) const NAME: &str = "discover-twitch";

pub(super) fn find(
    looking: &Looking,
    settings: &Settings,
    say: &mut dyn FnMut(&str),
) -> Result<std::result::Result<World, Skipped>> {
    let found = match look_records("twitch", looking, say)? {
        Ok(found) => found,
        Err(missing) => return Ok(Err(missing)),
    };
    let friends = twitch::edges(Path::new(&found.provenance.folder), None)?;
    let records = Arc::new(found.records);
    let mut notes = records.notes.clone();
    notes.push(
        "friendships exist within languages only, so that the connected components all but are the languages: that is how the data were \
         gathered, and no merit of a method"
            .to_owned(),
    );
    let attributes = settings.attributes;
    let methods = in_friends().into_iter().chain(in_shared("games and habits")).collect();
    Ok(Ok(World {
        experiment: NAME,
        name: "twitch",
        title: found.title.split(',').next().unwrap_or_default().to_owned(),
        split: "users at random, 60 : 20 : 20, anew for each seed",
        notes,
        provenance: found.provenance,
        methods,
        sets: vec!["leiden-friends", "leiden-shared"],
        given: Some("language"),
        models: worlds::TWITCH,
        cut: Box::new(move |seed| {
            let split = RecordShares::default().split(&records, seed)?;
            let known_for = records.features.column("features").context("users have no features")?;
            let language = records.cohorts.column("language").context("users have no language")?;
            let Column::Categorical { codes, .. } = language else { bail!("languages are no categories") };
            let mut pairs = Vec::new();
            for &user in split.train.origin() {
                pairs.extend(known_for.codes(user as usize).iter().map(|&code| (user, code)));
            }
            let (present, taken) = those_present(&pairs);
            let absent = (0..records.len() as u32).filter(|user| present.binary_search(user).is_err());
            let of = |user: u32| known_for.codes(user as usize).iter().map(move |&code| (user, code));
            let of_absent = absent.flat_map(of).collect();
            let items = known_for.cardinality().unwrap_or(0);
            let known =
                most_taken(present.len(), &taken, items, attributes, |item| format!("feature {item}"))?;
            let spoken =
                of_column(&present, language, "language ")?.context("languages are no categories")?;
            Ok(Scene {
                users: records.len(),
                attributes: spoken.and(&known)?,
                present,
                taken,
                of_absent,
                items,
                friends: friends.clone(),
                given: Some(codes.clone()),
                user_of_row: (0..records.len() as u32).collect(),
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
