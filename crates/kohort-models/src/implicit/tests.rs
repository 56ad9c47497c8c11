//! Known answers on three markets, a naive count on random rows, and what holds for every entry.

use kohort_data::{Interactions, Queries, Train, territories::Territories};
use kohort_random::{rand::Rng, stream};

use super::item_knn::{ItemKnn, ItemKnnConfig};
use super::{Cooccurrence, registry};
use crate::ModelError;
use crate::baselines::Scorer;

/// Random rows, some of them repeated; the last user and the last item have none.
fn made_up(users: usize, items: usize, rows: usize, seed: u64) -> Train {
    let mut numbers = stream(seed, "implicit rows", &[]);
    let mut draw = |below: usize| (0..rows).map(|_| numbers.random_range(0..below as u32 - 1)).collect();
    let (user, item) = (draw(users), draw(items));
    Train::new(Interactions { user, item, rating: vec![1.0; rows], time: vec![0; rows], users, items })
        .unwrap()
}

fn markets(users: usize) -> Territories {
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    Territories::new(names, (0..users as u32).map(|user| user % 3).collect()).unwrap()
}

fn all_pairs(users: usize, items: usize) -> (Vec<u32>, Vec<u32>) {
    (0..users as u32).flat_map(|user| (0..items as u32).map(move |item| (user, item))).unzip()
}

fn scores(model: &dyn Scorer, user: &[u32], item: &[u32]) -> Vec<f32> {
    model.score(Queries { user, item, time: &vec![0; user.len()] })
}

fn fitted(name: &str, train: &Train, territories: &Territories) -> Box<dyn Scorer> {
    let entry = registry().into_iter().find(|entry| entry.name == name).unwrap();
    (entry.fit)(train, territories).unwrap()
}

/// Users 0 and 3 live in a, 1 and 4 in b, 2 in c; user 1 has item 0 twice.
fn known() -> (Train, Territories) {
    let rows = Interactions {
        user: vec![0, 0, 1, 1, 1, 2, 2, 3],
        item: vec![0, 1, 0, 0, 1, 1, 2, 0],
        rating: vec![1.0; 8],
        time: vec![0; 8],
        users: 5,
        items: 4,
    };
    (Train::new(rows).unwrap(), markets(5))
}

#[test]
fn popularity_counts_rows_of_the_own_market_or_of_all() {
    let (train, markets) = known();
    let (user, item) = ([0, 3, 1, 4, 2, 2, 9], [0, 1, 0, 0, 0, 2, 0]);
    let local = scores(fitted("popularity-local", &train, &markets).as_ref(), &user, &item);
    assert_eq!(local, [2.0, 1.0, 2.0, 2.0, 0.0, 1.0, 4.0], "user 9 has no market and gets pooled counts");
    let pooled = scores(fitted("popularity-pooled", &train, &markets).as_ref(), &user, &item);
    assert_eq!(pooled, [4.0, 3.0, 4.0, 4.0, 4.0, 1.0, 4.0]);
}

#[test]
fn item_knn_adds_weighted_counts_over_the_history() {
    let (train, _) = known();
    // n = 3, 3, 1, 0; together: (0, 1) twice, (1, 2) once; a pair that repeats counts once.
    let config = ItemKnnConfig { shrinkage: 1.0, history_exponent: 1.0, candidate_exponent: 0.5 };
    let model = ItemKnn::fit(&train, &config).unwrap();
    let got = scores(&model, &[0, 0, 0, 3, 3, 2, 4, 0], &[0, 1, 2, 1, 0, 0, 0, 3]);
    let root = 2.0f32.sqrt();
    let want = [2.0 / 4.0 / 2.0, 2.0 / 4.0 / 2.0, 0.25 / root, 0.25, 0.0, 0.25, 0.0, 0.0];
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        assert!((got - want).abs() < 1e-7, "query {at}: {got}, expected {want}");
    }
}

#[test]
fn counts_and_scores_equal_those_of_the_definition() {
    for seed in 0..5 {
        let train = made_up(40, 25, 400, seed);
        let rows = train.rows();
        let touched = |user: u32, item: u32| {
            (0..rows.len()).any(|row| (rows.user[row], rows.item[row]) == (user, item))
        };
        let n = |item: u32| (0..40).filter(|&user| touched(user, item)).count() as f64;
        let c =
            |i: u32, j: u32| (0..40).filter(|&user| i != j && touched(user, i) && touched(user, j)).count();
        let together = Cooccurrence::of(rows);
        for i in 0..25 {
            let want: Vec<(u32, u32)> =
                (0..25).map(|j| (j, c(i, j) as u32)).filter(|&(_, count)| count > 0).collect();
            assert_eq!(together.with(i).collect::<Vec<_>>(), want);
        }
        let model = ItemKnn::fit(&train, &ItemKnnConfig::default()).unwrap();
        let (user, item) = all_pairs(40, 25);
        for ((&user, &item), got) in user.iter().zip(&item).zip(scores(&model, &user, &item)) {
            let own = (0..25).filter(|&j| touched(user, j));
            let want: f64 =
                own.map(|j| c(item, j) as f64 / ((n(j) + 3.0).powf(0.75) * (n(item) + 3.0).powf(0.25))).sum();
            assert!(
                (f64::from(got) - want).abs() < 1e-6,
                "seed {seed}, user {user}, item {item}: {got}, {want}"
            );
        }
    }
}

#[test]
fn a_planted_pair_of_items_finds_each_other_across_markets() {
    // Users of a have 0 and 1 together, those of b have 0 and 2: b's item is found for a user of a, after a's own.
    let user: Vec<u32> = (0..20).flat_map(|user| [user, user]).collect();
    let item = (0..20).flat_map(|user| [0, if user < 13 { 1 } else { 2 }]).collect();
    let rows = Interactions { user, item, rating: vec![1.0; 40], time: vec![0; 40], users: 21, items: 4 };
    let rows = Interactions {
        user: [rows.user, vec![20]].concat(),
        item: [rows.item, vec![0]].concat(),
        rating: vec![1.0; 41],
        time: vec![0; 41],
        ..rows
    };
    let model = ItemKnn::fit(&Train::new(rows).unwrap(), &ItemKnnConfig::default()).unwrap();
    let found = scores(&model, &[20; 4], &[0, 1, 2, 3]);
    assert!(found[1] > found[2] && found[2] > 0.0 && found[0] == 0.0 && found[3] == 0.0, "{found:?}");
}

#[test]
fn every_baseline_gives_the_same_bits_for_any_number_of_threads_and_any_order_of_queries() {
    let train = made_up(60, 50, 900, 1);
    let (user, item) = all_pairs(60, 50);
    let shuffled = kohort_random::permutation(user.len(), &mut stream(1, "order of queries", &[]));
    let at = |ids: &[u32]| -> Vec<u32> { shuffled.iter().map(|&query| ids[query as usize]).collect() };
    let bits = |scores: Vec<f32>| -> Vec<u32> { scores.into_iter().map(f32::to_bits).collect() };
    for entry in registry() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bits(scores((entry.fit)(&train, &markets(60)).unwrap().as_ref(), &user, &item)))
        };
        let one = run(1);
        assert_eq!(one, run(2), "{}", entry.name);
        assert_eq!(one, run(5), "{}", entry.name);
        let model = (entry.fit)(&train, &markets(60)).unwrap();
        assert_eq!(at(&one), bits(scores(model.as_ref(), &at(&user), &at(&item))), "{}", entry.name);
    }
}

#[test]
fn newcomers_and_unknown_ids_get_finite_scores() {
    let train = made_up(12, 10, 60, 4);
    let (user, item) = ([11, 0, 11, 4_000_000, u32::MAX, 0], [0, 9, 9, 0, u32::MAX, u32::MAX]);
    for entry in registry() {
        let model = (entry.fit)(&train, &markets(12)).unwrap();
        let scores = scores(model.as_ref(), &user, &item);
        assert!(scores.iter().all(|s| s.is_finite()), "{}: {scores:?}", entry.name);
        assert!(!model.rates());
    }
}

#[test]
fn what_cannot_be_fitted_is_an_error_and_names_are_unique() {
    let none = Train::new(Interactions { users: 3, items: 3, ..Interactions::default() }).unwrap();
    let names: std::collections::BTreeSet<_> = registry().iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), registry().len());
    for entry in registry() {
        let error = (entry.fit)(&none, &markets(3)).err();
        assert!(matches!(error, Some(ModelError::NoRows)), "{}: {error:?}", entry.name);
    }
    let train = made_up(12, 10, 60, 4);
    let local = registry().into_iter().find(|entry| entry.name == "popularity-local").unwrap();
    let error = (local.fit)(&train, &markets(11)).err().unwrap().to_string();
    assert_eq!(error, "territories of 11 users, and rows over 12 users");
    let config = ItemKnnConfig { shrinkage: f64::NAN, ..ItemKnnConfig::default() };
    let error = ItemKnn::fit(&train, &config).err().unwrap().to_string();
    assert_eq!(error, "shrinkage = NaN, allowed is a number of 0 or more");
}
