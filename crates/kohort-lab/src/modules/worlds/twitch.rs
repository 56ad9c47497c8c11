//! Twitch: whether a streamer's channel is for adults, whether it is a partner, how much it is viewed, in six language
//! communities.

use std::sync::Arc;

use anyhow::Result;

use super::{CUT, Material, World};
use crate::study::{Looking, Skipped, look_records};

pub(crate) const NAME: &str = "twitch";

pub(super) fn find(
    looking: &Looking,
    say: &mut dyn FnMut(&str),
) -> Result<std::result::Result<Vec<World>, Skipped>> {
    let found = match look_records("twitch", looking, say)? {
        Ok(found) => found,
        Err(missing) => return Ok(Err(missing)),
    };
    let mut records = found.records;
    // Whoever has no capacity for communities should know of them at least.
    if let Some(language) = records.cohorts.column("language").cloned() {
        records.features.push("language", language)?;
    }
    let records = Arc::new(records);
    Ok(Ok(vec![World {
        name: "twitch",
        title: found.title.split(',').next().unwrap_or_default().to_owned(),
        cohorts: "language of the community; within, how long the channel has been there",
        split: CUT,
        notes: records.notes.clone(),
        provenance: found.provenance,
        cut: Box::new(move |seed| Material::by_columns(&records, &["language", "seniority"], seed)),
        made: Default::default(),
    }]))
}
