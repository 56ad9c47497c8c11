//! Profiles, names and stability.

use std::collections::BTreeSet;

use kohort_cohorts::KMeansConfig;
use kohort_cohorts::communities::Leiden;
use kohort_cohorts::graph::Graph;
use kohort_cohorts::profile::{
    Attributes, Lift, PortraitConfig, ProfileError, Resampling, Sampled, StabilityError,
};
use kohort_random::rand::Rng;
use kohort_random::stream;
use proptest::prelude::*;

use crate::{planted, planted_graph, points, under};

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|&name| name.to_owned()).collect()
}

fn close(lift: Lift, expected: [f64; 3]) {
    for (value, expected) in [lift.lift, lift.low, lift.high].into_iter().zip(expected) {
        assert!((value / expected - 1.0).abs() < 1e-12, "{value}, {expected}");
    }
}

#[test]
fn lift_and_interval_are_those_of_the_formula() {
    // numpy 2.4.6: a,n,b,m=[x+.5 for x in (a,n,b,m)]; l=(a/n)/(b/m); e=exp(z*sqrt(1/a-1/n+1/b-1/m)); l, l/e, l*e
    close(Lift::new((30, 40), (10, 160), 1.96), [11.511463844797179, 6.249994346237763, 21.20222715558782]);
    close(Lift::new((0, 10), (0, 20), 1.96), [1.952380952380952, 0.041596703307148125, 91.63686254350166]);
    // Everybody has it: nothing to tell apart, and no error under the root.
    close(Lift::new((9, 9), (5, 5), 1.96), [1.0, 1.0, 1.0]);
}

#[test]
fn the_interval_covers_the_true_ratio_about_as_often_as_it_says() {
    let mut covered = 0;
    for round in 0..2000 {
        let mut numbers = stream(round, "coverage", &[]);
        let mut count = |users: usize, share: f64| (0..users).filter(|_| numbers.random_bool(share)).count();
        let lift = Lift::new((count(80, 0.3), 80), (count(300, 0.1), 300), 1.96);
        covered += usize::from(lift.low <= 3.0 && 3.0 <= lift.high);
    }
    let share = f64::from(covered as u32) / 2000.0;
    assert!((0.935..0.975).contains(&share), "{share}");
}

#[test]
fn planted_tastes_are_found_in_order_and_chance_is_not_told() {
    // Cohort c of 4 has attribute c with share .8 (others .1) and attribute 4 + c with .4; twenty more mean nothing.
    let mut numbers = stream(3, "tastes", &[]);
    let (mut user, mut has) = (vec![], vec![]);
    for who in 0..800u32 {
        for attribute in 0..28u32 {
            let own = attribute % 4 == who % 4 && attribute < 8;
            let share = if !own {
                0.1
            } else if attribute < 4 {
                0.8
            } else {
                0.4
            };
            if numbers.random_bool(share) {
                user.push(who);
                has.push(attribute);
            }
        }
    }
    let attributes =
        Attributes::from_pairs(800, (0..28).map(|a| format!("a{a}")).collect(), &user, &has).unwrap();
    let labels: Vec<Option<u32>> = (0..800).map(|user| Some(user % 4 + 10)).collect();
    let told = PortraitConfig::default().of(&labels, &attributes).unwrap();
    assert_eq!(told.cohorts.len(), 4);
    for (c, cohort) in told.cohorts.iter().enumerate() {
        assert_eq!((cohort.cohort, cohort.users, cohort.share), (10 + c as u32, 200, 0.25));
        assert_eq!(cohort.name, format!("a{c} + a{}", 4 + c));
        assert_eq!(cohort.traits.len(), 2, "{:?}", cohort.traits);
        assert!(cohort.traits.iter().all(|found| found.lift.low > 1.0));
    }
    assert!(told.to_string().contains("a0 + a4 (id 10): 200 users, 25.0 % of all\n  a0: "), "{told}");
    // Random cohorts have nothing to tell.
    let random: Vec<Option<u32>> = (0..800).map(|_| Some(numbers.random_range(0..4))).collect();
    let told = PortraitConfig::default().of(&random, &attributes).unwrap();
    assert!(told.cohorts.iter().all(|cohort| cohort.traits.is_empty()), "{told}");
    assert_eq!(told.cohorts[2].name, "cohort 2");
}

#[test]
fn cohorts_that_would_share_a_name_are_told_apart() {
    // Two cohorts of jazz beside one of metal.
    let codes: Vec<Option<u32>> = (0..300).map(|user| Some(u32::from(user >= 200))).collect();
    let labels: Vec<Option<u32>> = (0..300).map(|user| Some(user / 100)).collect();
    let attributes = Attributes::from_codes(&codes, names(&["jazz", "metal"])).unwrap();
    let told = PortraitConfig::default().of(&labels, &attributes).unwrap();
    let given: Vec<&str> = told.cohorts.iter().map(|cohort| cohort.name.as_str()).collect();
    assert_eq!(given, ["jazz (0)", "jazz (1)", "metal"]);
}

#[test]
fn nobody_one_user_and_one_cohort_have_defined_portraits() {
    let config = PortraitConfig::default();
    let none = Attributes::from_codes(&[], names(&["a"])).unwrap();
    assert!(config.of(&[], &none).unwrap().cohorts.is_empty());
    let one = Attributes::from_codes(&[Some(0)], names(&["a"])).unwrap();
    let told = config.of(&[Some(4)], &one).unwrap();
    assert_eq!((told.cohorts[0].name.as_str(), told.cohorts[0].share), ("cohort 4", 1.0));
    assert!(config.of(&[None], &one).unwrap().cohorts.is_empty());
    let without = Attributes::from_pairs(2, vec![], &[], &[]).unwrap();
    assert_eq!(config.of(&[Some(0), Some(1)], &without).unwrap().cohorts.len(), 2);
}

#[test]
fn bad_attributes_and_settings_are_named() {
    let says = |error: ProfileError, text: &str| assert_eq!(error.to_string(), text);
    let pairs = |user: &[u32], has: &[u32]| Attributes::from_pairs(2, names(&["a"]), user, has).unwrap_err();
    says(pairs(&[0, 2], &[0, 0]), "entry 1: user 2 does not exist, there are 2");
    says(pairs(&[0], &[1]), "entry 0: attribute 1 does not exist, there are 1");
    says(pairs(&[0], &[]), "attributes of entries: 0, expected 1");
    let one = Attributes::from_codes(&[Some(0)], names(&["a"])).unwrap();
    let two = Attributes::from_codes(&[Some(0), None], names(&["b"])).unwrap();
    says(one.and(&two).unwrap_err(), "users: 2, expected 1");
    says(PortraitConfig::default().of(&[], &one).unwrap_err(), "labels: 0, expected 1");
    let sure = PortraitConfig { confidence: 1.0, ..PortraitConfig::default() };
    says(sure.of(&[Some(0)], &one).unwrap_err(), "confidence = 1: allowed is 0.5 or more and below 1");
    let nan = PortraitConfig { least_share: f64::NAN, ..PortraitConfig::default() };
    assert!(nan.of(&[Some(0)], &one).is_err());
    assert!(PortraitConfig { words: 0, ..PortraitConfig::default() }.of(&[Some(0)], &one).is_err());
    let joined = one.and(&Attributes::from_codes(&[Some(1)], names(&["x", "y"])).unwrap()).unwrap();
    assert_eq!((joined.of(0), joined.names().join(" ")), (&[0, 2][..], "a x y".to_owned()));
}

/// Kmeans of some users of a line.
fn kmeans(values: &[f32], clusters: usize) -> impl Fn(&[u32], u64) -> Result<Vec<u32>, String> + Sync + '_ {
    move |users, seed| {
        let chosen: Vec<f32> = users.iter().map(|&user| values[user as usize]).collect();
        let config = KMeansConfig { seed, restarts: 3, ..KMeansConfig::new(clusters) };
        config.fit(&points(&chosen, 1)).map(|fit| fit.labels).map_err(|error| error.to_string())
    }
}

#[test]
fn the_planted_number_of_clusters_is_stable_and_noise_is_not() {
    let (values, _) = planted(300, 1, 3, 10.0, 4);
    let resampling = Resampling { pairs: 20, ..Resampling::default() };
    let right = resampling.of(300, kmeans(&values, 3)).unwrap();
    assert_eq!((right.adjusted_rand.low, right.mutual_information.mean), (1.0, 1.0));
    let many = resampling.of(300, kmeans(&values, 7)).unwrap();
    assert!(many.adjusted_rand.mean < 0.95, "{many:?}");
    let dice = |users: &[u32], seed: u64| {
        let mut numbers = stream(seed, "dice", &[]);
        Ok::<_, String>(users.iter().map(|_| numbers.random_range(0..3)).collect::<Vec<u32>>())
    };
    let random = resampling.of(300, dice).unwrap();
    assert!(random.adjusted_rand.mean.abs() < 0.02, "{random:?}");
    assert!(
        random.adjusted_rand.low < random.adjusted_rand.mean
            && random.adjusted_rand.mean < random.adjusted_rand.high
    );
}

#[test]
fn communities_of_a_graph_can_be_resampled_and_threads_do_not_matter() {
    let (graph, _) = planted_graph(240, 4, 14.0, 1.0, 8);
    let fit = |users: &[u32], seed: u64| {
        let edges = graph.iter_edges().filter_map(|(u, v, weight)| {
            Some((users.binary_search(&u).ok()? as u32, users.binary_search(&v).ok()? as u32, weight))
        });
        let part = Graph::from_edges(users.len(), edges).map_err(|error| error.to_string())?;
        let found = Leiden { seed, ..Leiden::default() }.fit(&part).map_err(|error| error.to_string())?;
        Ok::<_, String>(found.labels)
    };
    let resampling = Resampling { pairs: 8, sampled: Sampled::Share(0.8), seed: 2 };
    let one = under(1, || resampling.of(240, fit).unwrap());
    assert!(one.adjusted_rand.mean > 0.97, "{one:?}");
    for threads in [2, 5] {
        assert_eq!(under(threads, || resampling.of(240, fit).unwrap()), one);
    }
}

#[test]
fn stability_names_what_it_cannot_measure() {
    let fine = |users: &[u32], _| Ok::<_, String>(vec![0; users.len()]);
    let with = |pairs, sampled| Resampling { pairs, sampled, seed: 0 };
    let says = |error: StabilityError<String>, text: &str| assert_eq!(error.to_string(), text);
    says(with(1, Sampled::Bootstrap).of(9, fine).unwrap_err(), "pairs = 1: allowed is 2 or more");
    for users in [0, 1] {
        says(
            with(2, Sampled::Bootstrap).of(users, fine).unwrap_err(),
            &format!("users = {users}: allowed is 2 to 4294967295"),
        );
    }
    for share in [0.5, f64::NAN, 1.1] {
        assert!(with(2, Sampled::Share(share)).of(9, fine).is_err());
    }
    let short = |_: &[u32], _| Ok::<_, String>(vec![]);
    says(with(2, Sampled::Share(1.0)).of(9, short).unwrap_err(), "pair 0: 0 labels for 9 users");
    // More clusters than points, and doubles only.
    let error = with(2, Sampled::Share(1.0)).of(4, kmeans(&[1.0; 4], 2)).unwrap_err();
    assert!(matches!(error, StabilityError::Fit { pair: 0, .. }), "{error}");
}

proptest! {
    #[test]
    fn portraits_count_everybody_once_and_names_differ(
        rows in prop::collection::vec((prop::option::of(0u32..5), prop::option::of(0u32..4)), 0..120),
    ) {
        let (labels, codes): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let attributes = Attributes::from_codes(&codes, names(&["p", "q", "r", "s"])).unwrap();
        let told = PortraitConfig { confidence: 0.5, ..PortraitConfig::default() }.of(&labels, &attributes).unwrap();
        prop_assert_eq!(told.cohorts.iter().map(|c| c.users).sum::<usize>(), labels.iter().flatten().count());
        let distinct: BTreeSet<&str> = told.cohorts.iter().map(|c| c.name.as_str()).collect();
        prop_assert_eq!(distinct.len(), told.cohorts.len());
        for found in told.cohorts.iter().flat_map(|c| &c.traits) {
            prop_assert!(found.lift.low <= found.lift.lift && found.lift.lift <= found.lift.high);
        }
    }
}
