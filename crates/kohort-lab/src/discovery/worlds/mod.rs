//! The data sets, one file each: what cohorts are found in, and the rows whose targets they are to help with.

mod lastfm;
mod movielens;
mod twitch;
mod xmarket;

use std::sync::Arc;

use anyhow::Result;
use kohort_cohorts::profile::Attributes;
use kohort_core::sparse::Csr;
use kohort_core::svd::{Effort, truncated};
use kohort_data::records::{RecordSplit, Records};
use kohort_data::{Column, Train};
use kohort_models::lightgcn::{self, LightGcn};

use super::methods::{Ground, How, Method};
use super::settings::Settings;
use crate::failure::Failure;
use crate::memo::Memo;
use crate::study::{Looking, Provenance, Skipped};

pub(super) use lastfm::NAME as LASTFM;
pub(super) use movielens::NAME as MOVIELENS;
pub(super) use twitch::NAME as TWITCH;
pub(super) use xmarket::NAME as XMARKET;

/// A data set, cut anew for each seed.
pub(crate) struct World {
    /// The experiment.
    pub(crate) experiment: &'static str,
    /// Name in rows and cells.
    pub(crate) name: &'static str,
    /// Name for people, which stands in headings.
    pub(crate) title: String,
    /// How parts are made.
    pub(crate) split: &'static str,
    /// What the reader has to know.
    pub(crate) notes: Vec<String>,
    /// Where it came from.
    pub(crate) provenance: Provenance,
    /// Ways to find cohorts, in the order of the table.
    pub(crate) methods: Vec<Method>,
    /// Names of the methods whose cohorts a model is given; the first one's are shown.
    pub(crate) sets: Vec<&'static str>,
    /// What the given cohorts are, where there are any.
    pub(crate) given: Option<&'static str>,
    /// The models' setting, by experiment of the comparison of modules.
    pub(crate) models: &'static str,
    cut: Cut,
    scenes: Memo<u64, Scene>,
    vectors: Memo<u64, Vectors>,
    embeddings: Memo<u64, LightGcn>,
}

type Cut = Box<dyn Fn(u64) -> Result<Scene> + Send + Sync>;

/// What one seed's cohorts are found in, and the rows they are judged by.
pub(crate) struct Scene {
    /// Number of users.
    pub(crate) users: usize,
    /// Users whom discovery sees, ascending: those with training rows.
    pub(crate) present: Vec<u32>,
    /// What they took in training rows: `(place among those present, item)`.
    pub(crate) taken: Vec<(u32, u32)>,
    /// What users whom discovery does not see have, `(user, item)`: known of them without their targets, and what they are placed by.
    pub(crate) of_absent: Vec<(u32, u32)>,
    /// Number of items.
    pub(crate) items: usize,
    /// Friendships of all users; none where the data have none.
    pub(crate) friends: Vec<(u32, u32)>,
    /// Cohorts that came with the data, of all users.
    pub(crate) given: Option<Vec<u32>>,
    /// What profiles are made of, of those present.
    pub(crate) attributes: Attributes,
    /// The rows.
    pub(crate) records: Arc<Records>,
    /// Their parts.
    pub(crate) split: RecordSplit,
    /// User of each row.
    pub(crate) user_of_row: Vec<u32>,
    /// What a recommender learns from and is judged by, where one is compared.
    pub(crate) ranking: Option<Ranking>,
}

/// Rows for recommenders.
pub(crate) struct Ranking {
    /// The training rows, the same as those of discovery.
    pub(crate) train: Train,
    /// Held-out pairs of user and item.
    pub(crate) test: (Vec<u32>, Vec<u32>),
}

/// Vectors of the users present.
pub(crate) struct Vectors {
    /// `[users present, width]`.
    pub(crate) values: Vec<f32>,
    /// Width.
    pub(crate) width: usize,
}

impl World {
    /// The parts of a seed.
    pub(crate) fn scene(&self, seed: u64) -> Result<Arc<Scene>> {
        self.scenes.get(seed, || (self.cut)(seed))
    }

    /// An SVD of what was taken, rows of length 1 before and after.
    pub(crate) fn vectors(&self, seed: u64, settings: &Settings) -> Result<Arc<Vectors>> {
        self.vectors.get(seed, || {
            let scene = self.scene(seed)?;
            let mut count = vec![0usize; scene.present.len()];
            scene.taken.iter().for_each(|&(place, _)| count[place as usize] += 1);
            let entries: Vec<(u32, u32, f64)> = scene
                .taken
                .iter()
                .map(|&(place, item)| (place, item, 1.0 / (count[place as usize] as f64).sqrt()))
                .collect();
            let matrix = Csr::from_entries(scene.present.len(), scene.items, &entries)?;
            let found = truncated(&matrix, settings.vectors, Effort::default(), seed)?;
            let width = found.rank();
            let mut values: Vec<f32> = found
                .left()
                .chunks_exact(width)
                .flat_map(|row| row.iter().zip(found.values()).map(|(x, value)| (x * value) as f32))
                .collect();
            values.chunks_exact_mut(width).for_each(unit);
            Ok(Vectors { values, width })
        })
    }

    /// The recommender whose embeddings are clustered.
    pub(crate) fn lightgcn(&self, seed: u64) -> Result<Arc<LightGcn>> {
        self.embeddings.get(seed, || {
            let scene = self.scene(seed)?;
            let ranking = scene.ranking.as_ref();
            let ranking = ranking.ok_or_else(|| anyhow::anyhow!("{} trains no recommender", self.name))?;
            let input = lightgcn::Input { train: &ranking.train, validation: None };
            Ok(lightgcn::fit(input, &lightgcn::Config::lastfm(), seed, &mut |_| {})?)
        })
    }

    /// Its embeddings of those present, of length 1.
    pub(crate) fn embeddings(&self, seed: u64) -> Result<Vectors> {
        let (scene, model) = (self.scene(seed)?, self.lightgcn(seed)?);
        let found = model.representations();
        let width = found.width;
        let mut values: Vec<f32> = scene
            .present
            .iter()
            .flat_map(|&user| found.users[user as usize * width..][..width].iter().copied())
            .collect();
        values.chunks_exact_mut(width).for_each(unit);
        Ok(Vectors { values, width })
    }

    /// A method by name.
    pub(crate) fn method(&self, name: &str) -> Option<&Method> {
        self.methods.iter().find(|method| method.name == name)
    }
}

fn unit(row: &mut [f32]) {
    let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|x| *x /= length);
    }
}

/// The data set of an experiment, or why it could not be had.
pub(super) fn find(
    experiment: &str,
    looking: &Looking,
    settings: &Settings,
    say: &mut dyn FnMut(&str),
) -> Result<std::result::Result<World, Skipped>> {
    match experiment {
        TWITCH => twitch::find(looking, settings, say),
        LASTFM => lastfm::find(looking, settings, say),
        MOVIELENS => movielens::find(looking, settings, say),
        XMARKET => xmarket::find(looking, settings, say),
        other => Err(Failure::Usage(format!("there is no data set for {other:?}")).into()),
    }
}

/// Ways to find cohorts in what users share.
fn in_shared(what: &'static str) -> Vec<Method> {
    use How::{KMeans, LabelPropagation, Leiden, Louvain, Spectral};
    let on = |name, title: &str, how, ground| Method { name, title: format!("{title}, {what}"), ground, how };
    vec![
        on("propagation-shared", "Label propagation", LabelPropagation, Ground::Shared),
        on("louvain-shared", "Louvain", Louvain, Ground::Shared),
        on("leiden-shared", "Leiden", Leiden, Ground::Shared),
        on("spectral-shared", "Spectral", Spectral, Ground::Shared),
        on("kmeans-vectors", "KMeans on SVD vectors", KMeans, Ground::Vectors),
    ]
}

/// Ways to find cohorts among friends.
fn in_friends() -> Vec<Method> {
    use How::{Components, LabelPropagation, Leiden, Louvain, Spectral};
    let on = |name, title: &str, how| Method {
        name,
        title: format!("{title}, friends"),
        ground: Ground::Friends,
        how,
    };
    vec![
        on("components-friends", "Connected components", Components),
        on("propagation-friends", "Label propagation", LabelPropagation),
        on("louvain-friends", "Louvain", Louvain),
        on("leiden-friends", "Leiden", Leiden),
        on("spectral-friends", "Spectral", Spectral),
    ]
}

/// Users with an item in training rows, ascending, and what they took, by place.
fn those_present(pairs: &[(u32, u32)]) -> (Vec<u32>, Vec<(u32, u32)>) {
    let mut pairs = pairs.to_vec();
    pairs.sort_unstable();
    pairs.dedup();
    let mut present: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
    present.dedup();
    let mut place = 0;
    for (user, _) in &mut pairs {
        while present[place] != *user {
            place += 1;
        }
        *user = place as u32;
    }
    (present, pairs)
}

/// Who took which of the `most` items that most took; `name` names an item.
fn most_taken(
    present: usize,
    taken: &[(u32, u32)],
    items: usize,
    most: usize,
    name: impl Fn(u32) -> String,
) -> Result<Attributes> {
    let mut count = vec![0usize; items];
    taken.iter().for_each(|&(_, item)| count[item as usize] += 1);
    let mut order: Vec<u32> = (0..items as u32).filter(|&item| count[item as usize] > 0).collect();
    order.sort_by_key(|&item| (std::cmp::Reverse(count[item as usize]), item));
    order.truncate(most);
    let mut place = vec![None; items];
    order.iter().enumerate().for_each(|(at, &item)| place[item as usize] = Some(at as u32));
    let kept = taken.iter().filter_map(|&(user, item)| Some((user, place[item as usize]?)));
    let (user, attribute): (Vec<u32>, Vec<u32>) = kept.unzip();
    let names = order.into_iter().map(name).collect();
    Ok(Attributes::from_pairs(present, names, &user, &attribute)?)
}

/// A categorical column of the users present as attributes.
fn of_column(present: &[u32], column: &Column, prefix: &str) -> Result<Option<Attributes>> {
    let Column::Categorical { vocabulary, .. } = column else { return Ok(None) };
    let codes: Vec<Option<u32>> =
        present.iter().map(|&user| column.codes(user as usize).first().copied()).collect();
    let names = vocabulary.tokens().map(|token| format!("{prefix}{token}")).collect();
    Ok(Some(Attributes::from_codes(&codes, names)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_took_nothing_is_not_present_and_the_others_are_counted_anew() {
        let (present, taken) = those_present(&[(7, 1), (2, 0), (7, 0), (2, 0)]);
        assert_eq!((present, taken), (vec![2, 7], vec![(0, 0), (1, 0), (1, 1)]));
        let most = most_taken(2, &[(0, 0), (1, 0), (1, 1)], 3, 1, |item| format!("item {item}")).unwrap();
        assert_eq!(most.names(), ["item 0"]);
    }
}
