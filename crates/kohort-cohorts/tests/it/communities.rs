//! Communities: quality, guarantees, odd graphs.

use std::time::Duration;

use kohort_cohorts::communities::{
    Communities, CommunityError, Criterion, Ended, LabelPropagation, Leiden, Louvain, Spectral, components,
    disconnected,
};
use kohort_cohorts::graph::Graph;
use kohort_cohorts::quality::{adjusted_rand, normalised_mutual_information};
use kohort_random::{rand::Rng, stream};
use proptest::prelude::*;

use crate::{goldens, numbers, planted_graph, same_partition, under};

const Q: Criterion = Criterion::Modularity { resolution: 1.0 };

#[test]
fn qualities_equal_networkx_and_igraph() {
    for case in goldens()["qualities"].as_array().unwrap() {
        let edges: Vec<(u32, u32, f64)> = case["edges"]
            .as_array()
            .unwrap()
            .iter()
            .map(|edge| {
                let edge = numbers(edge);
                (edge[0] as u32, edge[1] as u32, edge[2])
            })
            .collect();
        let graph = Graph::from_edges(case["nodes"].as_u64().unwrap() as usize, edges).unwrap();
        let labels: Vec<u32> = numbers(&case["labels"]).into_iter().map(|x| x as u32).collect();
        for (resolution, expected) in case["modularity"].as_object().unwrap() {
            let resolution = resolution.parse().unwrap();
            let ours = Criterion::Modularity { resolution }.of(&graph, &labels).unwrap();
            assert!(
                (ours - expected.as_f64().unwrap()).abs() < 1e-12,
                "{} {resolution}: {ours}",
                case["name"]
            );
        }
        for (resolution, expected) in case["cpm"].as_object().unwrap() {
            let resolution = resolution.parse().unwrap();
            let ours = Criterion::Cpm { resolution }.of(&graph, &labels).unwrap();
            assert!(
                (ours - expected.as_f64().unwrap()).abs() < 1e-9,
                "{} {resolution}: {ours}",
                case["name"]
            );
        }
    }
}

#[test]
fn agreement_equals_scikit_learn() {
    for case in goldens()["agreement"].as_array().unwrap() {
        let labels = |key: &str| -> Vec<u32> { numbers(&case[key]).into_iter().map(|x| x as u32).collect() };
        let (a, b) = (labels("a"), labels("b"));
        let nmi = normalised_mutual_information(&a, &b).unwrap();
        assert!((nmi - case["nmi"].as_f64().unwrap()).abs() < 1e-12, "{nmi}");
        let ari = adjusted_rand(&a, &b).unwrap();
        assert!((ari - case["ari"].as_f64().unwrap()).abs() < 1e-12, "{ari}");
    }
    assert_eq!(normalised_mutual_information(&[], &[]), Ok(1.0));
    assert_eq!(adjusted_rand(&[3], &[u32::MAX]), Ok(1.0));
    assert!(adjusted_rand(&[1], &[]).is_err());
}

/// Sparse to dense graphs with pieces, loops and weights of very different size.
fn graphs() -> impl Strategy<Value = Graph> {
    (1usize..40, 0usize..160, any::<bool>(), any::<u64>()).prop_map(|(nodes, edges, weighted, seed)| {
        let mut numbers = stream(seed, "edges", &[]);
        let told: Vec<(u32, u32, f64)> = (0..edges)
            .map(|_| {
                let mut node = || numbers.random_range(0..nodes as u32);
                let (u, v) = (node(), node());
                let w = if weighted { 10f64.powf(numbers.random_range(-4.0..4.0)) } else { 1.0 };
                (u, v, w)
            })
            .collect();
        Graph::from_edges(nodes, told).unwrap()
    })
}

fn criteria() -> impl Strategy<Value = Criterion> {
    (any::<bool>(), prop_oneof![Just(0.0), Just(1.0), 0.001..4.0f64]).prop_map(|(modularity, resolution)| {
        if modularity { Criterion::Modularity { resolution } } else { Criterion::Cpm { resolution } }
    })
}

/// What must hold of any result.
fn is_sound(graph: &Graph, criterion: Criterion, found: &Communities) -> Result<(), TestCaseError> {
    let nodes = graph.nodes();
    prop_assert_eq!(found.labels.len(), nodes);
    let mut counts = vec![0; found.len()];
    found.labels.iter().for_each(|&label| counts[label as usize] += 1);
    prop_assert_eq!(&counts, &found.counts);
    prop_assert!(counts.windows(2).all(|pair| pair[0] >= pair[1]) && counts.iter().all(|&count| count > 0));
    let again = criterion.of(graph, &found.labels).unwrap();
    let scale = graph.total().max(again.abs()).max(1.0);
    prop_assert!((found.quality - again).abs() <= 1e-9 * scale, "{} told, {again} found", found.quality);
    let alone: Vec<u32> = (0..nodes as u32).collect();
    prop_assert!(again >= criterion.of(graph, &alone).unwrap() - 1e-9 * scale);
    for pair in found.history.windows(2) {
        prop_assert!(pair[1] >= pair[0] - 1e-9 * scale, "{:?}", found.history);
    }
    // Each level holds the one below.
    let levels = &found.hierarchy;
    prop_assert_eq!(&levels.labels(levels.levels()), &found.labels);
    for level in 0..levels.levels() {
        let (fine, coarse) = (levels.labels(level), levels.labels(level + 1));
        let mut above = vec![None; levels.parts(level)];
        for (&f, &c) in fine.iter().zip(&coarse) {
            prop_assert!(*above[f as usize].get_or_insert(c) == c);
        }
        prop_assert!(above.iter().all(Option::is_some));
    }
    Ok(())
}

proptest! {
    #[test]
    fn leiden_is_sound_connected_and_never_falls(
        graph in graphs(), criterion in criteria(), seed in 0u64..100, randomness in prop_oneof![Just(0.0), Just(0.01), Just(1.0)],
    ) {
        let found = Leiden { criterion, seed, randomness, ..Leiden::default() }.fit(&graph).unwrap();
        is_sound(&graph, criterion, &found)?;
        for level in 1..=found.hierarchy.levels() {
            prop_assert_eq!(disconnected(&graph, &found.hierarchy.labels(level)).unwrap(), 0);
        }
    }

    #[test]
    fn louvain_is_sound(graph in graphs(), criterion in criteria(), seed in 0u64..100) {
        let found = Louvain { criterion, seed, ..Louvain::default() }.fit(&graph).unwrap();
        is_sound(&graph, criterion, &found)?;
    }

    #[test]
    fn after_leiden_no_single_node_can_do_better(graph in graphs(), seed in 0u64..100) {
        let found = Leiden { seed, iterations: 100, ..Leiden::default() }.fit(&graph).unwrap();
        prop_assert_eq!(found.ended, Ended::Converged);
        for node in 0..graph.nodes() {
            for other in 0..=found.len() as u32 {
                let mut moved = found.labels.clone();
                moved[node] = other;
                if (other as usize) < graph.nodes() {
                    prop_assert!(Q.of(&graph, &moved).unwrap() <= found.quality + 1e-9);
                }
            }
        }
    }

    #[test]
    fn propagated_labels_are_among_the_best_around_each_node(graph in graphs(), seed in 0u64..100) {
        let found = LabelPropagation { seed, ..LabelPropagation::default() }.fit(&graph).unwrap();
        is_sound_partition(&found)?;
        if found.ended == Ended::Converged {
            for node in 0..graph.nodes() as u32 {
                let mut weights = vec![0.0; found.len()];
                graph.neighbours(node).for_each(|(v, w)| weights[found.labels[v as usize] as usize] += w);
                let most = weights.iter().copied().fold(0.0, f64::max);
                prop_assert!(weights[found.labels[node as usize] as usize] >= most * (1.0 - 1e-12));
            }
        }
    }

    #[test]
    fn components_are_what_edges_connect(graph in graphs()) {
        let found = components(&graph);
        prop_assert!(graph.iter_edges().all(|(u, v, _)| found.labels[u as usize] == found.labels[v as usize]));
        prop_assert_eq!(disconnected(&graph, &found.labels).unwrap(), 0);
    }

    #[test]
    fn weights_of_any_size_end_and_stay_connected(seed in 0u64..1000, nodes in 2usize..40) {
        let mut numbers = stream(seed, "edges", &[]);
        let told: Vec<(u32, u32, f64)> = (0..4 * nodes)
            .map(|_| {
                let mut node = || numbers.random_range(0..nodes as u32);
                (node(), node(), 10f64.powf(numbers.random_range(-15.0..14.0)))
            })
            .collect();
        let graph = Graph::from_edges(nodes, told).unwrap();
        let found = Leiden { seed, ..Leiden::default() }.fit(&graph).unwrap();
        is_sound(&graph, Q, &found)?;
        prop_assert_eq!(disconnected(&graph, &found.labels).unwrap(), 0);
        is_sound(&graph, Q, &Louvain { seed, ..Louvain::default() }.fit(&graph).unwrap())?;
    }

    #[test]
    fn at_resolution_zero_communities_are_components(graph in graphs(), seed in 0u64..20) {
        for criterion in [Criterion::Modularity { resolution: 0.0 }, Criterion::Cpm { resolution: 0.0 }] {
            let found = Leiden { criterion, seed, ..Leiden::default() }.fit(&graph).unwrap();
            prop_assert_eq!(&found.labels, &components(&graph).labels);
        }
    }

    #[test]
    fn weights_in_other_units_give_the_same_communities(graph in graphs(), seed in 0u64..20) {
        let scaled = Graph::from_edges(graph.nodes(), graph.iter_edges().map(|(u, v, w)| (u, v, w * 1024.0))).unwrap();
        let plain = Graph::from_edges(graph.nodes(), graph.iter_edges()).unwrap();
        let leiden = Leiden { seed, ..Leiden::default() };
        prop_assert_eq!(leiden.fit(&plain).unwrap().labels, leiden.fit(&scaled).unwrap().labels);
    }
}

fn is_sound_partition(found: &Communities) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.counts.iter().sum::<usize>(), found.labels.len());
    prop_assert!(found.labels.iter().all(|&label| (label as usize) < found.len()));
    Ok(())
}

#[test]
fn cpm_finds_every_clique_of_a_ring_where_modularity_joins_them() {
    // 30 cliques of 5 in a ring: modularity at 1 joins neighbours (the resolution limit), CPM at 0.5 does not.
    let edges = (0..30u32).flat_map(|c| {
        let clique = (0..5).flat_map(move |i| (0..i).map(move |j| (5 * c + i, 5 * c + j)));
        clique.chain([(5 * c, (5 * c + 6) % 150)])
    });
    let graph = Graph::simple(150, edges.collect::<Vec<_>>()).unwrap();
    let cliques: Vec<u32> = (0..150).map(|node| node / 5).collect();
    let cpm =
        Leiden { criterion: Criterion::Cpm { resolution: 0.5 }, ..Leiden::default() }.fit(&graph).unwrap();
    assert_eq!(adjusted_rand(&cpm.labels, &cliques), Ok(1.0));
    let modularity = Leiden { restarts: 5, ..Leiden::default() }.fit(&graph).unwrap();
    assert!(modularity.len() < 30 && modularity.quality > Q.of(&graph, &cliques).unwrap());
    let finer = Leiden { criterion: Criterion::Modularity { resolution: 3.0 }, ..Leiden::default() };
    assert_eq!(adjusted_rand(&finer.fit(&graph).unwrap().labels, &cliques), Ok(1.0));
}

#[test]
fn planted_communities_are_found() {
    let (graph, planted) = planted_graph(2000, 20, 16.0, 4.0, 1);
    for (name, labels) in [
        ("leiden", Leiden::default().fit(&graph).unwrap().labels),
        ("louvain", Louvain::default().fit(&graph).unwrap().labels),
        ("propagation", LabelPropagation::default().fit(&graph).unwrap().labels),
    ] {
        let nmi = normalised_mutual_information(&labels, &planted).unwrap();
        assert!(nmi > 0.97, "{name}: {nmi}");
    }
}

#[test]
fn results_have_the_same_bits_for_1_2_and_5_threads() {
    let (graph, _) = planted_graph(20_000, 50, 8.0, 4.0, 2);
    let work = || {
        let leiden = Leiden { restarts: 2, iterations: 3, seed: 5, ..Leiden::default() }.fit(&graph).unwrap();
        let cpm =
            Leiden { criterion: Criterion::Cpm { resolution: 0.01 }, iterations: 2, ..Leiden::default() };
        let louvain = Louvain { restarts: 2, ..Louvain::default() }.fit(&graph).unwrap();
        let bits: Vec<u64> = leiden.history.iter().map(|q| q.to_bits()).collect();
        (leiden, bits, cpm.fit(&graph).unwrap(), louvain)
    };
    let one = under(1, work);
    assert_eq!(one, under(2, work));
    assert_eq!(one, under(5, work));
}

#[test]
fn another_seed_is_another_search_and_restarts_never_lose() {
    let (graph, _) = planted_graph(600, 10, 5.0, 5.0, 3);
    let fit = |seed, restarts| Leiden { seed, restarts, ..Leiden::default() }.fit(&graph).unwrap();
    let first = fit(0, 1);
    assert!((1..6).any(|seed| !same_partition(&fit(seed, 1).labels, &first.labels)));
    assert!(fit(0, 8).quality >= first.quality);
    assert_eq!(fit(0, 1), first);
}

#[test]
fn odd_graphs_have_defined_results() {
    let all = |graph: &Graph| {
        [
            Leiden::default().fit(graph).unwrap(),
            Leiden { criterion: Criterion::Cpm { resolution: 0.1 }, ..Leiden::default() }.fit(graph).unwrap(),
            Louvain::default().fit(graph).unwrap(),
            LabelPropagation::default().fit(graph).unwrap(),
            components(graph),
        ]
    };
    for found in all(&Graph::simple(0, []).unwrap()) {
        assert!(found.is_empty() && found.labels.is_empty());
    }
    for found in all(&Graph::simple(1, []).unwrap()) {
        assert_eq!((found.len(), found.labels.as_slice()), (1, &[0][..]));
    }
    for found in all(&Graph::from_edges(1, [(0, 0, 2.0)]).unwrap()) {
        assert_eq!(found.len(), 1);
    }
    assert_eq!(Leiden::default().fit(&Graph::simple(3, []).unwrap()).unwrap().quality, 0.0);
    // Thousands of pieces: 3000 pairs and 1000 lone nodes.
    let pieces = Graph::simple(7000, (0..3000u32).map(|p| (2 * p, 2 * p + 1))).unwrap();
    for found in all(&pieces) {
        assert_eq!(found.len(), 4000);
        assert_eq!((found.counts[0], found.counts[2999], found.counts[3000]), (2, 2, 1));
    }
}

#[test]
fn spectral_clustering_leaves_lone_nodes_alone_and_refuses_too_many_communities() {
    let graph =
        Graph::from_edges(8, [(1, 2, 1.0), (2, 3, 1.0), (3, 1, 1.0), (5, 6, 2.0), (6, 6, 1.0)]).unwrap();
    let found = Spectral::new(2).fit(&graph).unwrap();
    assert_eq!(found.labels, [2, 0, 0, 0, 3, 1, 1, 4]);
    let none = Spectral::new(0).fit(&graph).unwrap_err().to_string();
    assert_eq!(
        none,
        "communities = 0, for 5 nodes with edges: allowed is 1 to the number of nodes with edges"
    );
    assert!(Spectral::new(6).fit(&graph).is_err());
    assert!(Spectral::new(1).fit(&Graph::simple(0, []).unwrap()).is_err());
    // Two components: eigenvalue 0 twice.
    let values = Spectral::new(2).eigenvalues(&graph, 3).unwrap();
    assert!(values[1] < 1e-12 && values[2] > 0.1, "{values:?}");
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let graph = Graph::simple(2, [(0, 1)]).unwrap();
    let refused = |leiden: Leiden| leiden.fit(&graph).unwrap_err().to_string();
    let base = Leiden::default();
    assert_eq!(refused(Leiden { iterations: 0, ..base.clone() }), "iterations = 0: allowed is 1 or more");
    assert_eq!(refused(Leiden { restarts: 0, ..base.clone() }), "restarts = 0: allowed is 1 or more");
    let randomness = f64::NAN;
    assert_eq!(
        refused(Leiden { randomness, ..base.clone() }),
        "randomness = NaN: allowed is a number from 0 to 1e15"
    );
    for resolution in [-1.0, f64::NAN, f64::INFINITY] {
        let criterion = Criterion::Cpm { resolution };
        let expected = format!("resolution = {resolution}: allowed is a number from 0 to 1e15");
        assert_eq!(refused(Leiden { criterion, ..base.clone() }), expected);
    }
    assert!(Louvain { tolerance: 2.0, ..Louvain::default() }.fit(&graph).is_err());
    assert!(LabelPropagation { sweeps: 0, seed: 0 }.fit(&graph).is_err());
    assert_eq!(Q.of(&graph, &[0]), Err(CommunityError::LabelCount { labels: 1, nodes: 2 }));
    assert_eq!(Q.of(&graph, &[0, 2]), Err(CommunityError::Label { node: 1, label: 2, nodes: 2 }));
}

#[test]
fn without_time_the_result_is_still_whole() {
    let (graph, _) = planted_graph(30_000, 50, 8.0, 4.0, 4);
    let found = Leiden { time_budget: Some(Duration::ZERO), ..Leiden::default() }.fit(&graph).unwrap();
    assert_eq!(found.ended, Ended::Time);
    assert_eq!(disconnected(&graph, &found.labels).unwrap(), 0);
    is_sound(&graph, Q, &found).unwrap();
    let patient =
        Leiden { time_budget: Some(Duration::MAX), iterations: 2, ..Leiden::default() }.fit(&graph).unwrap();
    assert_ne!(patient.ended, Ended::Time);
}

#[test]
fn disconnected_communities_are_counted() {
    let path = Graph::simple(5, [(0, 1), (1, 2), (2, 3), (3, 4)]).unwrap();
    assert_eq!(disconnected(&path, &[0, 0, 1, 0, 1]), Ok(2));
    assert_eq!(disconnected(&path, &[0, 0, 1, 1, 1]), Ok(0));
}
