//! Cohorts over time: what continues, what changed, and who goes where.

use std::collections::BTreeMap;

use kohort_cohorts::behaviour::Lifecycle;
use kohort_cohorts::graph::Graph;
use kohort_cohorts::living::{
    Change, ChangeRules, Changes, Flow, InductiveAssigner, Living, LivingError, NeighbourVote, SavedAssigner,
    Stability, drift_of_feature, drift_of_shares, fold, parents_by_centres, parents_by_ties, spread,
};
use kohort_cohorts::{Assigner, Assignment, Standardiser};
use kohort_core::checkpoint;
use kohort_random::rand::Rng;
use kohort_random::{permutation, stream};
use proptest::prelude::*;

use crate::{config, planted_graph, points};

/// A drill: where each of 700 users is before and after, as points on a line with noise. 100 users live at each of 0, 10, …, 50;
/// then 40 of those at 30 move to 35, those at 50 scatter over 0, 10 and 20 but for 10 who stray to 70, and 100 newcomers
/// appear at 70.
fn drill(seed: u64) -> (Vec<f32>, Vec<f32>) {
    let mut numbers = stream(seed, "drill", &[]);
    let before: Vec<f32> = (0..600).map(|user| (user / 100) as f32 * 10.0).collect();
    let after = (0..700).map(|user| match user {
        300..340 => 35.0,
        500..590 => (user % 3) as f32 * 10.0,
        590..700 => 70.0,
        _ => before[user],
    });
    let after: Vec<f32> = after.collect();
    let mut noisy = |places: &[f32]| -> Vec<f32> {
        places.iter().map(|place| place + numbers.random_range(-0.5f32..0.5)).collect()
    };
    (noisy(&before), noisy(&after))
}

#[test]
fn in_the_drift_drill_one_splits_one_is_born_one_dies_and_the_words_say_so() {
    for seed in 0..5 {
        let (before, after) = drill(seed);
        let fit = |values: &[f32], clusters| config(clusters).fit(&points(values, 1)).unwrap();
        let first = fit(&before, 6).labels;
        let living = Living::first(&first.iter().copied().map(Some).collect::<Vec<_>>()).unwrap();
        let second = fit(&after, 7).labels;
        let labels: Vec<Option<u32>> = second.iter().copied().map(Some).collect();
        let refit = living.next(&labels, &BTreeMap::new(), 0, ChangeRules::default()).unwrap();
        let id = |user: usize| living.cohorts[user].unwrap();
        let now = |user: usize| refit.living.cohorts[user].unwrap();
        for user in [0, 100, 200, 340, 400] {
            assert_eq!(now(user), id(user), "seed {seed}: the id of user {user}'s cohort was lost");
        }
        let (split, dead) = (id(300), id(500));
        let (part, born) = (now(300), now(690));
        assert_eq!((part.min(born), part.max(born), refit.living.next_id), (6, 7, 8));
        let words = refit.changes.to_string();
        for says in [
            format!("cohort {split} split: 60 % stayed, 40 % went to the new cohort {part}\n"),
            format!("cohort {born} was born: 110 users, 100 of them newcomers, 10 from cohort {dead}\n"),
            format!("cohort {dead} died: of its 100 users, 0 left, 30 went to cohort "),
            format!("cohort {} lives on: 100 → 100 users, 100 % of the earlier ones stayed\n", id(400)),
            format!("cohort {} lives on: 100 → 130 users, 100 % of the earlier ones stayed\n", id(0)),
            "140 of the 600 users known both times are in another cohort now\n".to_owned(),
            "population stability index ".to_owned(),
        ] {
            assert!(words.contains(&says), "seed {seed}: {says}\nis not in\n{words}");
        }
        let kinds =
            |of: fn(&Change) -> bool| refit.changes.changes.iter().filter(|change| of(change)).count();
        assert_eq!(kinds(|c| matches!(c, Change::Split { .. })), 1);
        assert_eq!(kinds(|c| matches!(c, Change::Born { .. })), 1);
        assert_eq!(kinds(|c| matches!(c, Change::Died { .. })), 1);
        assert_eq!(kinds(|c| matches!(c, Change::Merged { .. })), 0);
        assert_eq!(kinds(|c| matches!(c, Change::Kept { .. })), 4);
    }
}

#[test]
fn cohorts_that_become_one_are_merged_and_neither_born_nor_dead() {
    let before: Vec<Option<u32>> = (0..100).map(|user| Some(u32::from(user >= 60))).collect();
    let living = Living { cohorts: before, next_id: 2 };
    let refit = living.next(&[Some(0); 100], &BTreeMap::new(), 0, ChangeRules::default()).unwrap();
    assert_eq!(refit.living.cohorts, [Some(0); 100]);
    let words = refit.changes.to_string();
    assert!(
        words.starts_with(
            "cohorts 0 and 1 merged into cohort 0: 100 % of 0 and 100 % of 1 are in it, 100 users now\n40 of"
        ),
        "{words}"
    );
}

#[test]
fn users_who_left_are_told_and_ids_of_the_dead_are_not_given_again() {
    let living = Living::first(&[Some(0), Some(0), Some(1)]).unwrap();
    let gone = living.next(&[Some(5), Some(5), None], &BTreeMap::new(), 0, ChangeRules::default()).unwrap();
    assert_eq!(gone.living.cohorts, [Some(0), Some(0), None]);
    assert_eq!(gone.ids, BTreeMap::from([(5, 0)]));
    assert!(gone.changes.to_string().contains("cohort 1 died: of its 1 user, 1 left\n"));
    let back = gone.living.next(&[Some(0), Some(0), Some(1)], &BTreeMap::new(), 0, ChangeRules::default());
    assert_eq!(back.unwrap().living.cohorts, [Some(0), Some(0), Some(2)]);
}

#[test]
fn small_clusters_go_over_into_their_parents_before_ids_are_given() {
    let living = Living::first(&[Some(0); 6]).unwrap();
    let labels = [0, 0, 0, 0, 0, 1].map(Some);
    let refit = living.next(&labels, &BTreeMap::from([(1, 0)]), 2, ChangeRules::default()).unwrap();
    assert_eq!((refit.living.cohorts, refit.living.next_id), (vec![Some(0); 6], 1));
    assert_eq!(refit.folded.folded, [(1, 0, 1)]);
}

#[test]
fn folding_climbs_until_it_is_large_enough() {
    let parents = BTreeMap::from([(1, 2), (2, 3), (4, 3)]);
    let labels = [1, 2, 3, 3, 4, 4, 4];
    let folded = fold(&labels, &parents, 3).unwrap();
    assert_eq!(folded.labels, [3, 3, 3, 3, 4, 4, 4]);
    assert_eq!(folded.folded, [(1, 3, 1), (2, 3, 2)]);
    assert!(folded.left.is_empty());
    let circle = fold(&[1, 2], &BTreeMap::from([(1, 2), (2, 1)]), 3).unwrap_err();
    assert_eq!(circle.to_string(), "parents: cohort 1 is its own ancestor");
    assert!(fold(&[], &parents, 3).unwrap().labels.is_empty());
}

#[test]
fn parents_are_the_nearest_of_the_larger_cohorts() {
    let parents = parents_by_centres(&[10, 20, 30], &[5, 1, 5], &[0.0f32, 8.0, 10.0], 1).unwrap();
    assert_eq!(parents, BTreeMap::from([(20, 30), (30, 10)]));
    assert!(parents_by_centres::<f32>(&[], &[], &[], 1).unwrap().is_empty());
    assert!(parents_by_centres(&[1], &[1], &[f32::NAN], 1).is_err());
    assert!(parents_by_centres(&[1, 2], &[1, 1], &[0.0f32], 1).is_err());
    let graph =
        Graph::from_edges(6, [(0, 1, 1.0), (1, 2, 1.0), (3, 4, 1.0), (3, 0, 1.0), (5, 3, 2.0)]).unwrap();
    let parents = parents_by_ties(&graph, &[0, 0, 0, 1, 1, 2]).unwrap();
    assert_eq!(parents, BTreeMap::from([(1, 0), (2, 1)]));
}

#[test]
fn the_index_is_that_of_the_formula_and_names_a_shift_by_custom() {
    // python3: p=[50.5/101,50.5/101]; q=[75.5/101,25.5/101]; sum((b-a)*log(b/a) for a,b in zip(p,q))
    let before: Vec<u32> = [0, 1].repeat(50);
    let after: Vec<u32> = [0, 0, 0, 1].repeat(25);
    let drift = drift_of_shares(&before, &after).unwrap();
    assert!((drift.index - 0.268_676_783_190_742_2).abs() < 1e-12, "{}", drift.index);
    assert_eq!(drift.stability(), Stability::Large);
    assert!((drift.expected - 0.02).abs() < 1e-15);
    assert!(drift_of_shares(&[], &after).is_none() && drift_of_shares(&before, &[]).is_none());
    // A birth is finite.
    assert!(drift_of_shares(&before, &[7; 100]).unwrap().index.is_finite());
}

#[test]
fn without_a_change_the_index_is_on_average_what_is_expected() {
    let (mut sum, mut expected) = (0.0, 0.0);
    for round in 0..300 {
        let mut numbers = stream(round, "no drift", &[]);
        let mut draw = |n: usize| -> Vec<f64> { (0..n).map(|_| numbers.random_range(0.0..1.0)).collect() };
        let cohorts = |values: Vec<f64>| values.iter().map(|v| (v * 10.0) as u32).collect::<Vec<u32>>();
        let drift = drift_of_shares(&cohorts(draw(500)), &cohorts(draw(800))).unwrap();
        sum += drift.index;
        expected += drift.expected;
    }
    assert!((sum / expected - 1.0).abs() < 0.1, "{sum} against {expected}");
}

#[test]
fn a_feature_that_moved_inside_a_cohort_is_noticed() {
    let before: Vec<f64> = (0..1000).map(f64::from).collect();
    let same = drift_of_feature(&before, &before, 10).unwrap().unwrap();
    assert_eq!((same.index, same.terms.len()), (0.0, 10));
    let moved: Vec<f64> = before.iter().map(|x| x * 1.5).collect();
    assert_eq!(drift_of_feature(&before, &moved, 10).unwrap().unwrap().stability(), Stability::Large);
    // One value only: one bin, in which everything is.
    assert_eq!(drift_of_feature(&[3.0; 9], &[3.0; 4], 10).unwrap().unwrap().terms, [(0, 0.0)]);
    assert_eq!(drift_of_feature(&[], &[1.0], 10).unwrap(), None);
    let error = drift_of_feature(&[1.0, f64::NAN], &[], 10).unwrap_err();
    assert_eq!(error.to_string(), "before[1] = NaN: allowed is a finite number, at most 1e15 in magnitude");
    assert!(drift_of_feature(&[1.0], &[1.0], 1).is_err());
}

#[test]
fn newcomers_in_a_graph_get_the_planted_cohort_of_their_neighbours() {
    let (graph, planted) = planted_graph(400, 4, 12.0, 2.0, 5);
    let mut numbers = stream(9, "hidden", &[]);
    let hidden = &permutation(400, &mut numbers)[..100];
    let mut known: Vec<Option<u32>> = planted.iter().copied().map(Some).collect();
    hidden.iter().for_each(|&node| known[node as usize] = None);
    let found = spread(&graph, &known, 10).unwrap();
    let right = hidden.iter().filter(|&&node| found[node as usize] == Some(planted[node as usize])).count();
    assert!(right >= 98, "{right} of 100");
    let vote = NeighbourVote::new(known, 0.0).unwrap();
    let placed = hidden.iter().filter(|&&node| {
        let neighbours: Vec<(u32, f64)> = graph.neighbours(node).collect();
        vote.place(&neighbours).unwrap().is_some_and(|vote| vote.cohort == planted[node as usize])
    });
    assert!(placed.count() >= 97);
}

#[test]
fn cohorts_spread_along_a_chain_and_not_beyond_a_gap() {
    let chain = Graph::simple(6, [(0, 1), (1, 2), (2, 3), (4, 5)]).unwrap();
    let known = [Some(3), None, None, None, None, None];
    assert_eq!(spread(&chain, &known, 2).unwrap(), [Some(3), Some(3), Some(3), None, None, None]);
    assert_eq!(spread(&chain, &known, 9).unwrap()[3..], [Some(3), None, None]);
    assert!(spread(&chain, &known[1..], 1).is_err());
    assert!(spread(&Graph::simple(0, []).unwrap(), &[], 1).unwrap().is_empty());
}

#[test]
fn a_vote_names_bad_neighbours_and_refuses_too_thin_a_majority() {
    let vote = NeighbourVote::new(vec![Some(1), Some(2)], 0.6).unwrap();
    assert_eq!(vote.place(&[(0, 1.0), (1, 1.0)]).unwrap(), None);
    assert_eq!(vote.place(&[]).unwrap(), None);
    assert_eq!(vote.place(&[(0, 0.0)]).unwrap(), None);
    assert_eq!(vote.place(&[(2, 1.0)]).unwrap_err(), LivingError::Neighbour { user: 2, users: 2 });
    assert!(vote.place(&[(0, f64::NAN)]).is_err() && vote.place(&[(0, -1.0)]).is_err());
    assert!(NeighbourVote::new(vec![], f64::NAN).is_err());
    let tie = NeighbourVote::new(vec![Some(2), Some(1)], 0.0).unwrap();
    assert_eq!(tie.place(&[(0, 1.0), (1, 1.0)]).unwrap().unwrap().cohort, 1);
}

/// Items 0 to 2 are alike, and 3 to 5; cohort 4 took the former, cohort 8 the latter, user 4 nothing.
fn by_items() -> InductiveAssigner {
    let given = [1.0, 0.1, 0.9, 0.0, 1.1, 0.1, 0.0, 1.0, 0.1, 0.8, 0.2, 1.0];
    let (user, item) = ([0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 1, 2, 3, 4, 4, 5]);
    let cohorts = [Some(4), Some(4), Some(8), Some(8), Some(5)];
    InductiveAssigner::fit(&given, 2, (&user, &item), &cohorts, Some(4)).unwrap()
}

#[test]
fn newcomers_go_where_those_are_who_took_alike() {
    let known = by_items();
    assert_eq!(known.ids(), [4, 8], "nobody can go where nobody took anything");
    assert_eq!(known.cohort(&[2]), Some(4));
    assert_eq!(known.cohort(&[5, 3]), Some(8));
    assert_eq!(known.place(&[5, 3, 5, 99]), known.place(&[3, 5]), "repeated and unknown items don't count");
    assert_eq!((known.place(&[]), known.place(&[6, u32::MAX])), (None, None));
    assert_eq!((known.cohort(&[]), known.cohort(&[6])), (Some(4), Some(4)));
    // 1/√2 of the sum.
    let x = known.embed(&[3, 0]).unwrap();
    assert!((x[0] - 0.5f32.sqrt()).abs() < 1e-6 && (x[1] - 1.1 * 0.5f32.sqrt()).abs() < 1e-6, "{x:?}");
}

#[test]
fn vectors_and_rows_that_fit_no_cohorts_are_refused() {
    let fit = |given: &[f32], user: &[u32], item: &[u32], cohorts: &[Option<u32>]| {
        InductiveAssigner::fit(given, 2, (user, item), cohorts, None).unwrap_err().to_string()
    };
    assert_eq!(fit(&[], &[0], &[0], &[Some(1)]), "vectors of items: 0, expected 2");
    assert_eq!(fit(&[1.0, 2.0, 3.0], &[0], &[0], &[Some(1)]), "vectors of items: 3, expected 2");
    let nan = fit(&[1.0, f32::NAN], &[0], &[0], &[Some(1)]);
    assert!(nan.starts_with("vectors of items[1] = NaN"), "{nan}");
    assert_eq!(fit(&[1.0, 2.0], &[0], &[], &[Some(1)]), "items of rows: 0, expected 1");
    assert!(fit(&[1.0, 2.0], &[0, 2], &[0, 0], &[Some(1)]).starts_with("users of rows[1] = 2"));
    assert!(fit(&[1.0, 2.0], &[0], &[1], &[Some(1)]).contains("no user with a cohort and a known item"));
    assert!(fit(&[1.0, 2.0], &[0], &[0], &[None]).contains("no user with a cohort and a known item"));

    let text = serde_json::to_string(&by_items()).unwrap();
    for (from, to, said) in [
        ("\"ids\":[4,8]", "\"ids\":[8,4]", "ids[1] = 4"),
        ("\"ids\":[4,8]", "\"ids\":[4]", "centres: 2, expected 1"),
        ("\"width\":2", "\"width\":0", "vectors of items"),
    ] {
        let spoilt = text.replace(from, to);
        assert_ne!(spoilt, text);
        let error = serde_json::from_str::<InductiveAssigner>(&spoilt).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn every_kind_of_assigner_survives_a_checkpoint_and_damage_is_refused() {
    let fit = config(2).fit(&points(&[0.0, 8.0], 1)).unwrap();
    let centres = Assigner::new(vec!["x".into()], Standardiser::identity(1), &fit, &[5, 6]).unwrap();
    let kinds = [
        SavedAssigner::Centres(centres),
        SavedAssigner::Neighbours(NeighbourVote::new(vec![Some(1), None], 0.5).unwrap()),
        SavedAssigner::Items(by_items()),
        SavedAssigner::Rules(Lifecycle::default().stages().unwrap()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("assigner.kohort");
    for assigner in kinds {
        checkpoint::write(&path, &assigner).unwrap();
        assert_eq!(checkpoint::read::<SavedAssigner>(&path).unwrap(), assigner);
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(checkpoint::read::<SavedAssigner>(&path).is_err());
    }
    let spoilt = r#"{"neighbours": {"cohorts": [1], "least_share": 2.0}}"#;
    let error = serde_json::from_str::<SavedAssigner>(spoilt).unwrap_err();
    assert!(error.to_string().contains("least_share = 2: allowed is 0 to 1"), "{error}");
}

#[test]
fn nobody_before_nobody_after_and_bad_rules_have_defined_results() {
    let none = Living::first(&[]).unwrap();
    let refit = none.next(&[], &BTreeMap::new(), 5, ChangeRules::default()).unwrap();
    assert!(refit.changes.changes.is_empty() && refit.changes.drift.is_none());
    let first = none.next(&[Some(3)], &BTreeMap::new(), 0, ChangeRules::default()).unwrap();
    assert_eq!(first.living.cohorts, [Some(0)]);
    assert!(first.changes.to_string().starts_with("cohort 0 was born: 1 user, 1 of them newcomers\n"));
    assert!(first.living.next(&[], &BTreeMap::new(), 0, ChangeRules::default()).is_err());
    let flow = Flow::new(&[], &[]).unwrap();
    for rules in [
        ChangeRules { part: 0.0, main: 0.5 },
        ChangeRules { part: f64::NAN, main: 0.5 },
        ChangeRules { part: 0.1, main: 0.4 },
        ChangeRules { part: 0.1, main: f64::NAN },
    ] {
        assert!(Changes::of(flow.clone(), rules).is_err());
    }
    assert!(Flow::new(&[None], &[]).is_err());
    assert!(Living::first(&[Some(u32::MAX)]).is_err());
}

#[test]
fn an_identical_fit_changes_nothing() {
    let labels: Vec<Option<u32>> = (0..50).map(|user| Some(user % 4)).collect();
    let living = Living::first(&labels).unwrap();
    let refit = living.next(&labels, &BTreeMap::new(), 0, ChangeRules::default()).unwrap();
    assert_eq!(refit.living, living);
    let same =
        Assignment { labels: (0..50).map(|user| user % 4).collect(), ids: vec![0, 1, 2, 3], next_id: 4 };
    assert_eq!(refit.living.cohorts.iter().map(|c| c.unwrap()).collect::<Vec<_>>(), same.labels);
    assert_eq!(refit.changes.drift.unwrap().index, 0.0);
}

proptest! {
    #[test]
    fn a_refit_keeps_the_partition_and_tells_every_cohort_once_or_in_a_change(
        pairs in prop::collection::vec((prop::option::of(0u32..6), prop::option::of(0u32..6)), 1..80),
    ) {
        let (before, after): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let living = Living::first(&before).unwrap();
        let refit = living.next(&after, &BTreeMap::new(), 0, ChangeRules::default()).unwrap();
        for (label, cohort) in after.iter().zip(&refit.living.cohorts) {
            prop_assert_eq!(label.map(|label| refit.ids[&label]), *cohort);
        }
        let mut ids: Vec<u32> = refit.ids.values().copied().collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), refit.ids.len(), "two clusters have one id");
        prop_assert!(ids.iter().all(|&id| id < refit.living.next_id));
        let flow = &refit.changes.flow;
        let told = |id: u32| refit.changes.changes.iter().any(|change| match change {
            Change::Kept { cohort, .. } | Change::Born { cohort, .. } | Change::Died { cohort, .. } => *cohort == id,
            Change::Split { cohort, parts, .. } => *cohort == id || parts.iter().any(|part| part.0 == id),
            Change::Merged { into, from, .. } => *into == id || from.iter().any(|part| part.0 == id),
        });
        prop_assert!(flow.cohorts_before().into_iter().chain(flow.cohorts_after()).all(told));
        prop_assert!(refit.changes.drift.is_none_or(|drift| drift.index >= 0.0));
    }

    #[test]
    fn after_folding_nobody_who_could_go_is_too_small(
        labels in prop::collection::vec(0u32..8, 0..60),
        up in prop::collection::vec(0u32..8, 8), minimum in 0usize..12,
    ) {
        // Parents have lower numbers, so there are no circles.
        let parents: BTreeMap<u32, u32> =
            (0..8).filter(|&c| up[c as usize] < c).map(|c| (c, up[c as usize])).collect();
        let folded = fold(&labels, &parents, minimum).unwrap();
        for &label in &folded.labels {
            let size = folded.labels.iter().filter(|&&l| l == label).count();
            prop_assert!(size >= minimum || folded.left.contains(&label));
            prop_assert!(!folded.left.contains(&label) || !parents.contains_key(&label));
        }
        for (was, is) in labels.iter().zip(&folded.labels) {
            let same = labels.iter().zip(&folded.labels).all(|(w, i)| w != was || i == is);
            prop_assert!(same, "a cohort was torn apart");
        }
    }
}
