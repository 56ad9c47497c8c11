//! Points and the graph of their nearest.

use kohort_cohorts::Points;
use kohort_cohorts::communities::Leiden;
use kohort_cohorts::graph::{Graph, Keep, Nearest};
use kohort_cohorts::quality::adjusted_rand;
use kohort_random::{rand::Rng, stream};

fn around(directions: usize, rows: usize, dim: usize, seed: u64) -> (Vec<f32>, Vec<u32>) {
    let mut numbers = stream(seed, "directions", &[]);
    let middles: Vec<f32> = (0..directions * dim).map(|_| numbers.random_range(-1.0..1.0)).collect();
    let labels: Vec<u32> = (0..rows).map(|_| numbers.random_range(0..directions as u32)).collect();
    let mut values = Vec::new();
    for &label in &labels {
        let length: f32 = numbers.random_range(0.1..10.0);
        let middle = &middles[label as usize * dim..][..dim];
        values.extend(middle.iter().map(|m| length * (m + numbers.random_range(-0.3..0.3))));
    }
    (values, labels)
}

/// All pairs, the slow way.
fn by_hand(values: &[f32], dim: usize, neighbours: usize, keep: Keep) -> Vec<(u32, u32)> {
    let rows: Vec<&[f32]> = values.chunks_exact(dim).collect();
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let cosine =
        |u: usize, v: usize| dot(rows[u], rows[v]) / (dot(rows[u], rows[u]) * dot(rows[v], rows[v])).sqrt();
    let lists: Vec<Vec<usize>> = (0..rows.len())
        .map(|u| {
            let mut others: Vec<usize> = (0..rows.len()).filter(|&v| v != u && cosine(u, v) > 0.0).collect();
            others.sort_by(|&a, &b| cosine(u, b).total_cmp(&cosine(u, a)));
            others.truncate(neighbours);
            others
        })
        .collect();
    let mut edges = Vec::new();
    for u in 0..rows.len() {
        for v in u + 1..rows.len() {
            let (a, b) = (lists[u].contains(&v), lists[v].contains(&u));
            if (keep == Keep::Either && (a || b)) || (a && b) {
                edges.push((u as u32, v as u32));
            }
        }
    }
    edges
}

fn edges(graph: &Graph) -> Vec<(u32, u32)> {
    graph.iter_edges().map(|(u, v, _)| (u, v)).collect()
}

#[test]
fn edges_are_those_of_all_pairs_compared() {
    let (values, _) = around(5, 300, 7, 1);
    let points = Points::new(&values, 7).unwrap();
    for keep in [Keep::Either, Keep::Both] {
        for neighbours in [1, 4, 299] {
            let graph = Nearest { neighbours, keep }.graph(&points).unwrap();
            assert_eq!(edges(&graph), by_hand(&values, 7, neighbours, keep), "{keep:?} {neighbours}");
            assert!(graph.iter_edges().all(|(_, _, w)| w > 0.0 && w < 1.0 + 1e-6));
        }
    }
}

#[test]
fn lengths_do_not_count_and_the_origin_and_opposites_are_alone() {
    let points = [1.0f64, 0.0, 100.0, 1.0, 0.0, 0.0, -3.0, 0.0];
    let graph = Nearest::default().graph(&Points::new(&points, 2).unwrap()).unwrap();
    assert_eq!(edges(&graph), [(0, 1)]);
    assert_eq!(graph.nodes(), 4);
}

#[test]
fn leiden_finds_planted_directions_and_threads_change_no_bit() {
    let (values, labels) = around(6, 900, 16, 2);
    let points = Points::new(&values, 16).unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Nearest::default().graph(&points).unwrap())
    };
    let graph = run(1);
    assert!(graph == run(2) && graph == run(5));
    let found = Leiden::default().fit(&graph).unwrap();
    assert!(adjusted_rand(&found.labels, &labels).unwrap() > 0.95);
}

#[test]
fn no_neighbour_at_all_is_refused() {
    let error = Nearest { neighbours: 0, ..Nearest::default() }.graph(&Points::new(&[1.0f32], 1).unwrap());
    assert_eq!(error.unwrap_err().to_string(), "neighbours = 0: allowed is 1 or more");
}
