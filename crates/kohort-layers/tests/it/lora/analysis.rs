//! Size and likeness of adapters against their dense products, and a new cohort's start against its formula.

use kohort_core::LowRank;
use kohort_layers::UNKNOWN;
use kohort_layers::lora::{AdapterError, CentroidRouter, Factors, Sharing, Start, similarity};

use super::*;

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn off(x: &[f64], y: &[f64]) -> f64 {
    norm(&x.iter().zip(y).map(|(x, y)| x - y).collect::<Vec<_>>())
}

#[test]
fn norms_products_and_cosines_are_those_of_the_dense_changes() {
    let (params, lora) = stack::<f64>([1, 2]);
    let (one, two) = (lora.factors(&params, 1).unwrap(), lora.factors(&params, 2).unwrap());
    let (mut dot, mut sizes) = (0.0, [0.0, 0.0]);
    for (one, two) in one.iter().zip(&two) {
        let (x, y) = (one.dense(), two.dense());
        let own: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
        assert!((one.dot(two) - own).abs() < 1e-12 && (one.norm() - norm(&x)).abs() < 1e-12);
        dot += own;
        sizes = [sizes[0] + norm(&x).powi(2), sizes[1] + norm(&y).powi(2)];
        let singular = one.singular_values().unwrap();
        assert!(singular.len() == 2 && singular[0] >= singular[1]);
        assert!(
            (norm(&singular) - norm(&x)).abs() < 1e-12,
            "the Frobenius norm is that of the singular values"
        );
    }
    assert!((similarity(&one, &two) - dot / (sizes[0] * sizes[1]).sqrt()).abs() < 1e-12);
    assert_eq!(similarity(&one, &one), 1.0);
    let w = lora.layers[0].base().block.w;
    assert!((one[0].relative_norm(&params, w) - norm(&one[0].dense()) / norm(params.value(w))).abs() < 1e-12);
    let fresh = Factors { b: vec![0.0; one[0].b.len()], ..one[0].clone() };
    assert_eq!((fresh.relative_norm(&params, w), fresh.singular_values()), (0.0, Some(vec![])));
    let broken = Factors { b: vec![f64::NAN; one[0].b.len()], ..one[0].clone() };
    assert_eq!(broken.singular_values(), None);
}

#[test]
fn the_mean_of_adapters_is_the_mean_of_their_products_not_of_their_factors() {
    let (params, lora) = stack::<f64>([1, 2]);
    let [one, two] = [1, 2].map(|cohort| lora.layers[0].factors(&params, cohort).unwrap());
    let sum = Factors::sum(&[(&one, 0.5), (&two, 0.5)]);
    let want: Vec<f64> = one.dense().iter().zip(two.dense()).map(|(x, y)| (x + y) / 2.0).collect();
    assert!(off(&sum.dense(), &want) < 1e-14);
    let mean = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x + y) / 2.0).collect();
    let naive = Factors { a: mean(&one.a, &two.a), b: mean(&one.b, &two.b), ..one.clone() };
    let near = one.nearest_to(&sum).unwrap();
    assert_eq!((near.rank, near.scale), (2, 1.5));
    // No adapter of rank 2 is nearer than by the singular values that it leaves out.
    let left: Vec<f64> = sum.singular_values().unwrap()[2..].to_vec();
    assert!((off(&near.dense(), &want) - norm(&left)).abs() < 1e-10);
    assert!(off(&naive.dense(), &want) > 1.5 * norm(&left));
}

#[test]
fn a_start_is_between_parent_and_neighbours_by_the_number_of_samples() {
    let at = |samples: usize, prior: f64| {
        let (mut params, mut lora) = stack::<f64>([1, 2, 3]);
        let start = Start { parent: Some(1), neighbours: vec![(2, 3.0), (3, 1.0)], samples, prior };
        // Neighbours with the parent's A, so that every mixture has an adapter of the same rank.
        for cohort in [2, 3] {
            let a = lora.layers[0].get(1).unwrap().a;
            let LowRank { a: own, .. } = lora.layers[0].get(cohort).unwrap();
            params.slot_mut(own).value = params.value(a).to_vec();
        }
        lora.layers[0].add_from(&mut params, 9, &start).unwrap();
        let dense = |cohort| lora.layers[0].factors(&params, cohort).unwrap().dense();
        let near: Vec<f64> = dense(2).iter().zip(dense(3)).map(|(x, y)| 0.75 * x + 0.25 * y).collect();
        (dense(9), dense(1), near)
    };
    for (samples, prior, share) in
        [(0, 4.0, 0.0), (1, 4.0, 0.2), (12, 4.0, 0.75), (0, 0.0, 0.0), (1, 0.0, 1.0)]
    {
        let (got, parent, near) = at(samples, prior);
        let want: Vec<f64> = parent.iter().zip(near).map(|(p, n)| (1.0 - share) * p + share * n).collect();
        assert!(off(&got, &want) < 1e-9 * norm(&want), "{samples} samples, prior {prior}");
    }
}

#[test]
fn without_parent_or_neighbours_a_cohort_starts_as_the_base_and_can_still_learn() {
    let (mut params, mut lora) = stack::<f64>([1, 2]);
    let none = Start { parent: None, neighbours: vec![(2, 1.0)], samples: 0, prior: 3.0 };
    lora.add_from(&mut params, 7, &none).unwrap();
    let own = &lora.factors(&params, 7).unwrap()[0];
    assert!(own.norm() == 0.0 && own.a.iter().any(|a| *a != 0.0), "A is a fresh adapter's");
    lora.add_from(&mut params, 8, &Start::parent(1)).unwrap();
    let (own, parent) = (&lora.factors(&params, 8).unwrap()[0], &lora.factors(&params, 1).unwrap()[0]);
    assert!(off(&own.dense(), &parent.dense()) < 1e-9);
    // From an adapter of rank 1, the second direction is fresh: A drawn, B zero.
    let b = lora.layers[0].get(1).unwrap().b;
    params.slot_mut(b).value[7..].fill(0.0);
    lora.layers[0].add_from(&mut params, 9, &Start::parent(1)).unwrap();
    let own = lora.layers[0].factors(&params, 9).unwrap();
    assert!(own.b[7..].iter().all(|b| *b == 0.0) && own.b[..7].iter().any(|b| *b != 0.0));
    assert!(own.a.chunks_exact(2).all(|row| row[1] != 0.0));
}

#[test]
fn with_a_shared_factor_the_private_one_starts_as_the_mean() {
    for sharing in [Sharing::SharedA, Sharing::SharedB] {
        let mut params = Params::<f64>::new();
        let layer = linear(&mut params, 5, 4, Activation::Relu);
        let mut lora = CohortLora::new(&mut params, &layer, &LoraConfig { sharing, ..config(2) }, 1).unwrap();
        for cohort in [1, 2] {
            lora.add(&mut params, cohort).unwrap();
        }
        shake(&mut params, "adapter");
        let start = Start { parent: None, neighbours: vec![(1, 1.0), (2, 3.0)], samples: 3, prior: 1.0 };
        lora.add_from(&mut params, 3, &start).unwrap();
        let dense = |cohort| lora.factors(&params, cohort).unwrap().dense();
        let want: Vec<f64> =
            dense(1).iter().zip(dense(2)).map(|(x, y)| 0.75 * (0.25 * x + 0.75 * y)).collect();
        assert!(off(&dense(3), &want) < 1e-12);
    }
}

#[test]
fn starts_that_make_no_sense_are_refused_and_add_nothing() {
    let (mut params, mut lora) = stack::<f64>([1]);
    let start = Start { parent: Some(1), neighbours: vec![(1, -1.0)], samples: 3, prior: 1.0 };
    let refused = |params: &mut Params<f64>, lora: &mut LoraMlp<CohortLora>, start: &Start| {
        lora.add_from(params, 5, start).unwrap_err().to_string()
    };
    let message = refused(&mut params, &mut lora, &start);
    assert_eq!(message, "tower/0: a neighbour's weight is -1, expected a finite number of at least 0");
    let start = Start { prior: f64::INFINITY, ..start };
    let message = refused(&mut params, &mut lora, &start);
    assert_eq!(message, "tower/0: prior is inf, expected a finite number of at least 0");
    let message = refused(&mut params, &mut lora, &Start::parent(4));
    assert_eq!(message, "tower/0: cohort 4 has no adapter; there are 1 others");
    // The first layer's adapter could be made, the second's can't: neither is there.
    let b = lora.layers[1].get(1).unwrap().b;
    params.slot_mut(b).value[0] = f64::NAN;
    let error = lora.add_from(&mut params, 5, &Start::parent(1)).unwrap_err();
    assert!(matches!(error, AdapterError::Diverged { .. }));
    assert!(lora.layers.iter().all(|layer| layer.get(5).is_none()));
}

#[test]
fn rows_go_to_the_nearest_centroid_or_to_none() {
    let router = CentroidRouter::new(&[(4, vec![0.0, 0.0]), (2, vec![4.0, 0.0])], Some(3.0)).unwrap();
    let rows = [1.0, 0.0, 2.0, 0.0, 3.0, 1.0, 9.0, 0.0, f64::NAN, 0.0, 7.0, 0.0];
    assert_eq!(router.route(&rows), [4, 4, 2, UNKNOWN, UNKNOWN, 2]);
    let message = CentroidRouter::new(&[(1, vec![0.0]), (2, vec![1.0, 2.0])], None).unwrap_err().to_string();
    assert_eq!(message, "router: a centroid is [1.0, 2.0] for cohort 2, expected 1 finite numbers");
}
