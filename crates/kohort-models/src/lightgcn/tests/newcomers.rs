//! Newcomers get the cohort that a refit would give them, from an assigner that was saved and read again.

use kohort_cohorts::living::{ChangeRules, Living, SavedAssigner};
use kohort_cohorts::{KMeansConfig, Points};
use kohort_core::checkpoint;
use kohort_random::{rand::Rng, stream};

use super::*;

const KINDS: u32 = 5;
const USERS: usize = 300;
const ITEMS: u32 = 200;

/// Users of five kinds, four fifths of whose items are of their kind.
fn planted(seed: u64) -> Vec<(u32, u32)> {
    let mut numbers = stream(seed, "planted newcomers", &[]);
    let mut pairs = Vec::new();
    for user in 0..USERS as u32 {
        for _ in 0..12 {
            let kind = if numbers.random_bool(0.8) { user % KINDS } else { numbers.random_range(0..KINDS) };
            pairs.push((user, numbers.random_range(0..ITEMS / KINDS) * KINDS + kind));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// A model of the first users, and their clusters.
fn learned(pairs: &[(u32, u32)], users: usize, seed: u64) -> (Train, LightGcn, Vec<u32>) {
    let own: Vec<(u32, u32)> = pairs.iter().filter(|pair| (pair.0 as usize) < users).copied().collect();
    let train = Train::new(rows(users, ITEMS as usize, &own)).unwrap();
    let config = Config { layers: 3, train: TrainConfig { epochs: 15, ..small().train }, ..small() };
    let model = fit(Input { train: &train, validation: None }, &config, seed, &mut |_| {}).unwrap();
    let found = model.representations();
    let mut points = found.users.clone();
    for row in points.chunks_exact_mut(found.width) {
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter_mut().for_each(|x| *x /= length);
    }
    let config = KMeansConfig { seed, ..KMeansConfig::new(KINDS as usize) };
    let labels = config.fit(&Points::new(&points, found.width).unwrap()).unwrap().labels;
    (train, model, labels)
}

#[test]
fn most_newcomers_get_the_cohort_that_a_refit_would_give_them() {
    const KNOWN: usize = 240;
    for seed in [1, 2, 3] {
        let pairs = planted(seed);
        let (train, model, labels) = learned(&pairs, KNOWN, seed);
        let now: Vec<Option<u32>> = labels.into_iter().map(Some).collect();
        let living = Living::first(&now).unwrap();
        let assigner = model.assigner(&train, &living.cohorts, Some(0)).unwrap();

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("assigner");
        checkpoint::write(&path, &SavedAssigner::Items(assigner.clone())).unwrap();
        let SavedAssigner::Items(read) = checkpoint::read(&path).unwrap() else { panic!("another kind") };
        assert_eq!(read, assigner);

        let (_, _, later) = learned(&pairs, USERS, seed);
        let later: Vec<Option<u32>> = later.into_iter().map(Some).collect();
        let refit = living.next(&later, &Default::default(), 0, ChangeRules::default()).unwrap();
        let newcomers = KNOWN as u32..USERS as u32;
        let same = newcomers.filter(|&user| {
            let own: Vec<u32> = pairs.iter().filter(|pair| pair.0 == user).map(|pair| pair.1).collect();
            let (ours, theirs) = (read.embed(&own).unwrap(), model.newcomer(&own).unwrap());
            ours.iter().zip(&theirs).for_each(|(a, b)| assert!((a - b).abs() < 1e-6, "{a} {b}"));
            read.cohort(&own) == refit.living.cohorts[user as usize]
        });
        let same = same.count();
        assert!(same >= 54, "seed {seed}: {same} of 60");
        assert_eq!(read.cohort(&[ITEMS, ITEMS + 7]), Some(0), "unknown items: the fallback");
        assert_eq!((read.place(&[]), read.cohort(&[])), (None, Some(0)));
    }
}

#[test]
fn a_model_without_layers_places_nobody() {
    let train = Train::new(rows(2, 3, &[(0, 0), (1, 1)])).unwrap();
    let config = Config { layers: 0, train: TrainConfig { epochs: 1, ..small().train }, ..small() };
    let model = fit(Input { train: &train, validation: None }, &config, 1, &mut |_| {}).unwrap();
    let refused = model.assigner(&train, &[Some(0), Some(1)], None).unwrap_err().to_string();
    assert_eq!(refused, "vectors of items: 0, expected 8");
}
