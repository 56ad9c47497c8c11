//! Claims that hold for every entry of the registry, and for single systems beyond golden values.

use std::collections::BTreeSet;

use kohort_data::{Interactions, Queries, Scale, Train};

use super::{all_pairs, made_up};
use crate::baselines::factors::Table;
use crate::baselines::knn::{Knn, KnnConfig};
use crate::baselines::nmf::{Nmf, NmfConfig};
use crate::baselines::observed::Observed;
use crate::baselines::svd::{Svd, SvdConfig};
use crate::baselines::svdpp::{Start, SvdPp, SvdPpConfig};
use crate::baselines::{BaselineError, predict, registry};

fn bits(scores: &[f32]) -> Vec<u32> {
    scores.iter().map(|s| s.to_bits()).collect()
}

#[test]
fn names_and_titles_in_the_registry_are_unique() {
    let entries = registry();
    let names: BTreeSet<_> = entries.iter().map(|e| e.name).collect();
    let titles: BTreeSet<_> = entries.iter().map(|e| e.title).collect();
    assert_eq!((names.len(), titles.len()), (entries.len(), entries.len()));
}

#[test]
fn every_baseline_gives_the_same_bits_for_any_number_of_threads() {
    let train = made_up(60, 50, 0.3, 1);
    let (user, item) = all_pairs(60, 50);
    let queries = Queries { user: &user, item: &item, time: &vec![0; user.len()] };
    for entry in registry() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bits(&(entry.fit)(&train, 3).unwrap().score(queries)))
        };
        let one = run(1);
        assert_eq!(one, run(2), "{}: 2 threads", entry.name);
        assert_eq!(one, run(5), "{}: 5 threads", entry.name);
    }
}

#[test]
fn a_pairs_score_does_not_depend_on_the_other_queries() {
    let train = made_up(30, 20, 0.4, 2);
    let (user, item) = all_pairs(30, 20);
    for entry in registry() {
        let model = (entry.fit)(&train, 3).unwrap();
        let together = model.score(Queries { user: &user, item: &item, time: &vec![0; user.len()] });
        for at in [0, 17, 311, 599] {
            let alone = model.score(Queries { user: &user[at..=at], item: &item[at..=at], time: &[0] });
            assert_eq!(bits(&alone), bits(&together[at..=at]), "{}", entry.name);
        }
    }
}

#[test]
fn newcomers_and_ids_beyond_the_training_part_get_finite_scores() {
    let train = made_up(12, 10, 0.5, 4);
    let user = [11, 0, 11, 4_000_000, u32::MAX, 0];
    let item = [0, 9, 9, 0, u32::MAX, u32::MAX];
    for entry in registry() {
        let model = (entry.fit)(&train, 3).unwrap();
        let scores = model.score(Queries { user: &user, item: &item, time: &[0; 6] });
        assert!(scores.iter().all(|s| s.is_finite()), "{}: {scores:?}", entry.name);
    }
}

#[test]
fn a_single_rating_is_enough_and_none_is_an_error() {
    let one = Train::new(Interactions {
        user: vec![0],
        item: vec![0],
        rating: vec![4.0],
        time: vec![0],
        users: 1,
        items: 1,
    });
    let none = Train::new(Interactions { users: 3, items: 3, ..Interactions::default() }).unwrap();
    let one = one.unwrap();
    for entry in registry() {
        let scores =
            (entry.fit)(&one, 0).unwrap().score(Queries { user: &[0, 1], item: &[0, 0], time: &[0; 2] });
        assert!(scores.iter().all(|s| s.is_finite()), "{}: {scores:?}", entry.name);
        let error = (entry.fit)(&none, 0).err();
        assert!(matches!(error, Some(BaselineError::Empty { .. })), "{}: {error:?}", entry.name);
    }
}

#[test]
fn predictions_lie_on_the_scale_and_only_popularity_makes_none() {
    let train = made_up(12, 10, 0.5, 5);
    let (user, item) = all_pairs(12, 10);
    let queries = Queries { user: &user, item: &item, time: &[0; 120] };
    let scale = Scale { low: 2.5, high: 3.0 };
    for entry in registry() {
        let model = (entry.fit)(&train, 1).unwrap();
        match predict(model.as_ref(), queries, scale) {
            Some(ratings) => assert!(ratings.iter().all(|r| (2.5..=3.0).contains(r)), "{}", entry.name),
            None => assert_eq!(entry.name, "popularity"),
        }
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let train = made_up(6, 6, 0.9, 6);
    let named = |error: Option<BaselineError>| match error {
        Some(BaselineError::Setting { key, .. }) => key,
        other => panic!("{other:?}"),
    };
    let svd = |config| named(Svd::fit(&train, &config, 0).err());
    assert_eq!(svd(SvdConfig { factors: 0, ..SvdConfig::default() }), "factors");
    assert_eq!(svd(SvdConfig { learning_rate: f32::NAN, ..SvdConfig::default() }), "learning_rate");
    assert_eq!(svd(SvdConfig { initial_deviation: -1.0, ..SvdConfig::default() }), "initial_deviation");
    let nmf = |config| named(Nmf::fit(&train, &config, 0).err());
    assert_eq!(nmf(NmfConfig { initial_high: 0.0, ..NmfConfig::default() }), "initial_high");
    let knn = KnnConfig { k: 0, ..KnnConfig::default() };
    assert_eq!(named(Knn::fit(&train, &knn).err()), "k");
}

#[test]
fn a_learning_rate_that_is_too_high_is_reported_as_divergence() {
    let train = made_up(20, 20, 0.9, 7);
    let config = SvdConfig { learning_rate: 1e6, ..SvdConfig::default() };
    assert!(matches!(Svd::fit(&train, &config, 0), Err(BaselineError::Diverged { system: "svd", .. })));
    let config = SvdPpConfig(config);
    assert!(matches!(SvdPp::fit(&train, &config, 0), Err(BaselineError::Diverged { system: "svd++", .. })));
}

#[test]
fn nmf_refuses_a_negative_rating_and_names_its_row() {
    let mut rows = made_up(6, 6, 0.9, 8).rows().clone();
    rows.rating[4] = -2.0;
    let error = Nmf::fit(&Train::new(rows).unwrap(), &NmfConfig::default(), 0).err();
    assert_eq!(error, Some(BaselineError::NegativeRating { system: "nmf", row: 4, rating: -2.0 }));
}

#[test]
fn a_table_over_too_many_users_is_refused_before_it_is_made() {
    let rows = Interactions {
        user: vec![0],
        item: vec![0],
        rating: vec![3.0],
        time: vec![0],
        users: 1 << 20,
        items: 1,
    };
    let error = Knn::fit(&Train::new(rows).unwrap(), &KnnConfig::default()).err();
    assert!(matches!(error, Some(BaselineError::TooMany { of: "users", count: 1_048_576, .. })), "{error:?}");
}

/// SVD++ as its formulas stand, moving every y_j at every rating, in f64.
fn naive_svd_plus_plus(train: &Train, config: &SvdConfig, start: [Vec<Vec<f32>>; 3]) -> Vec<f32> {
    let observed = Observed::new("test", train).unwrap();
    let wide = |rows: &Vec<Vec<f32>>| -> Vec<Vec<f64>> {
        rows.iter().map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect()
    };
    let [mut p, mut q, mut y] = [wide(&start[0]), wide(&start[1]), wide(&start[2])];
    let (users, items) = (train.rows().users, train.rows().items);
    let (mut bu, mut bi) = (vec![0.0; users], vec![0.0; items]);
    let (rate, decay) = (f64::from(config.learning_rate), f64::from(config.regularisation));
    let side = |p: &[f64], y: &[Vec<f64>], set: &[u32]| -> Vec<f64> {
        let root = (set.len() as f64).sqrt();
        (0..config.factors)
            .map(|f| p[f] + set.iter().map(|&j| y[j as usize][f]).sum::<f64>() / root.max(1.0))
            .collect()
    };
    for _ in 0..config.epochs {
        for &user in &observed.arrival {
            let user = user as usize;
            let (set, ratings) = observed.by_user.get(user);
            for (&item, &rating) in set.iter().zip(ratings) {
                let item = item as usize;
                let w = side(&p[user], &y, set);
                let product: f64 = w.iter().zip(&q[item]).map(|(w, q)| w * q).sum();
                let error = f64::from(rating) - (observed.mean + bu[user] + bi[item] + product);
                bu[user] += rate * (error - decay * bu[user]);
                bi[item] += rate * (error - decay * bi[item]);
                for f in 0..config.factors {
                    let (old_p, old_q) = (p[user][f], q[item][f]);
                    p[user][f] += rate * (error * old_q - decay * old_p);
                    q[item][f] += rate * (error * w[f] - decay * old_q);
                    for &j in set {
                        let y = &mut y[j as usize][f];
                        *y += rate * (error * old_q / (set.len() as f64).sqrt() - decay * *y);
                    }
                }
            }
        }
    }
    let (user, item) = all_pairs(users, items);
    let score = |(&user, &item): (&u32, &u32)| {
        let (user, item) = (user as usize, item as usize);
        let w = side(&p[user], &y, observed.by_user.get(user).0);
        let product: f64 = w.iter().zip(&q[item]).map(|(w, q)| w * q).sum();
        (observed.mean + bu[user] + bi[item] + product) as f32
    };
    user.iter().zip(&item).map(score).collect()
}

#[test]
fn moving_the_implicit_factors_once_per_user_equals_moving_them_at_every_rating() {
    // Rates far above the default, so that the lazy factors travel far within one user's ratings.
    for (seed, learning_rate, regularisation) in [(1, 0.007, 0.02), (2, 0.03, 0.1), (3, 0.05, 0.5)] {
        let train = made_up(25, 30, 0.5, seed);
        let config =
            SvdConfig { factors: 7, epochs: 10, learning_rate, regularisation, ..SvdConfig::default() };
        let normal = config.start("test").unwrap();
        let observed = Observed::new("test", &train).unwrap();
        let draw = |seen, which| {
            Table::draw(7, seen, normal, &mut kohort_random::stream(seed, "naive svd++", &[which]))
        };
        let start = Start {
            users: draw(&observed.by_user, 0),
            items: draw(&observed.by_item, 1),
            implicit: draw(&observed.by_item, 2),
        };
        let rows =
            |table: &Table| (0..table.rows()).map(|r| table.row(r)[..7].to_vec()).collect::<Vec<Vec<f32>>>();
        let naive = naive_svd_plus_plus(
            &train,
            &config,
            [rows(&start.users), rows(&start.items), rows(&start.implicit)],
        );
        let (user, item) = all_pairs(25, 30);
        let model = SvdPp::descend(&observed, &config, start).unwrap();
        let lazy = crate::baselines::Scorer::score(
            &model,
            Queries { user: &user, item: &item, time: &vec![0; user.len()] },
        );
        for (at, (lazy, naive)) in lazy.iter().zip(&naive).enumerate() {
            assert!((lazy - naive).abs() < 1e-4, "seed {seed}, pair {at}: lazy {lazy}, naive {naive}");
        }
    }
}
