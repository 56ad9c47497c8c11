//! A batch in two halves, as two workers hold it: balancers on the Gram matrix see, and the update is, the whole batch's.

use kohort_core::shards::Shards;
use kohort_core::{Activation, Grads, LossKind, ParamId, Params};
use kohort_objectives::{Balancer, Mgda, Normaliser, Part, Pcgrad, gram_of_sum};

use crate::trainer::gradients::Gradients;
use crate::trainer::{Recorded, Site};

const ROWS: usize = 24;

fn model() -> (Params, Vec<ParamId>) {
    let mut params = Params::new();
    let value =
        |n: usize, at: usize| (0..n).map(|i| ((i * 7 + at) as f32 * 0.61).sin()).collect::<Vec<f32>>();
    let ids = vec![
        params.add("trunk", 3, 5, value(15, 1)),
        params.add("head/0", 5, 1, value(5, 2)),
        params.add("head/1", 5, 1, value(5, 2)),
    ];
    (params, ids)
}

/// Records these rows, with losses over the denominator of the whole batch.
fn record(shards: &mut Shards, params: &Params, ids: &[ParamId], rows: &[usize]) -> Vec<Recorded> {
    shards.forward(params, rows.len(), |shard, tape| {
        let rows = &rows[shard.rows];
        let x: Vec<f32> =
            rows.iter().flat_map(|&r| (0..3).map(move |c| 1.0 + 0.5 * ((r * 3 + c) as f32).cos())).collect();
        let x = tape.input(rows.len(), 3, &x);
        let z = tape.linear(params, x, ids[0], None, Activation::Tanh);
        let losses = [0usize, 1].map(|k| {
            let out = tape.linear(params, z, ids[1 + k], None, Activation::Identity);
            // Outputs are sums of five numbers in [-1, 1] under weights in [-1, 1], so that one task's errors are all negative and the
            // other's all positive; with inputs that are positive too, each entry of one gradient has the other sign in the other: a
            // conflict at either site, whatever the numbers.
            let centre = if k == 0 { 8.0 } else { -9.0 };
            let targets: Vec<f32> = rows.iter().map(|&r| centre + (r as f32 * 0.4).sin()).collect();
            tape.loss(LossKind::Squared, out, &targets, None, 1.0 / ROWS as f32)
        });
        Recorded::new(losses.to_vec(), vec![z])
    })
}

fn dense(grads: &Grads, params: &Params) -> Vec<f32> {
    params.ids().flat_map(|id| grads.to_dense(id, params)).collect()
}

fn close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-6 * (1.0 + b.abs()), "{a} and {b}");
    }
}

/// Combinations in f32 of gradients that all but cancel: they round as what is combined does, whose longest is `length`.
fn close_beside(length: f64, a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-6 * length, "{a} and {b}, of gradients as long as {length}");
    }
}

#[test]
fn two_halves_of_a_batch_give_the_whole_batchs_step() {
    let (params, ids) = model();
    let all: Vec<usize> = (0..ROWS).collect();
    let (first, second) = all.split_at(ROWS / 2);
    for site in [Site::Representation, Site::Shared(ids[..1].to_vec())] {
        let mut balancers: [Box<dyn Balancer>; 2] =
            [Box::new(Pcgrad::new(3)), Box::new(Mgda::new(Normaliser::None))];
        for balancer in &mut balancers {
            // What a worker does before the exchange: losses and Gram matrix, or gradients, of its own rows.
            let work = |rows: &[usize]| {
                let mut shards = Shards::new(&params, 5);
                let recorded = record(&mut shards, &params, &ids, rows);
                let losses = (0..2).map(|k| {
                    let own = shards.tapes().zip(&recorded);
                    own.map(|(tape, recorded)| tape.scalar(recorded.losses[k])).sum()
                });
                let losses = losses.collect();
                let mut gradients = Gradients::new(site.clone(), &params);
                let gram = gradients.gram(&mut shards, &params, &recorded, &[true; 2], true);
                let trunks: Vec<f64> = match site {
                    Site::Representation => Vec::new(),
                    _ => {
                        let totals = &shards.totals(&params)[..2];
                        totals.iter().flat_map(|g| g.to_dense(ids[0], &params)).map(f64::from).collect()
                    }
                };
                let part = Part { losses, present: vec![true; 2], gram: Some(gram) };
                (shards, recorded, gradients, part, trunks)
            };
            let (mut whole_shards, whole_recorded, whole_gradients, whole, _) = work(&all);
            let (mut a_shards, a_recorded, a_gradients, a, a_trunks) = work(first);
            let (mut b_shards, b_recorded, b_gradients, b, b_trunks) = work(second);
            let mut joined = a.join(&b).unwrap();
            if site != Site::Representation {
                joined.gram = Some(gram_of_sum(&[&a_trunks, &b_trunks], 2).unwrap());
            }
            close(&joined.losses, &whole.losses);
            close(joined.gram.as_ref().unwrap(), whole.gram.as_ref().unwrap());
            assert!(whole.gram.as_ref().unwrap()[1] < 0.0, "nothing to solve");

            let chosen = balancer.coefficients(joined.seen(0));
            let of_whole = balancer.coefficients(whole.seen(0));
            close(&chosen.trunk, &of_whole.trunk);
            let step = |g: &Gradients, shards: &mut Shards, recorded: &[Recorded]| {
                g.weighted(shards, &params, recorded, &chosen, true);
                dense(shards.total(), &params)
            };
            let halves = step(&a_gradients, &mut a_shards, &a_recorded)
                .into_iter()
                .zip(step(&b_gradients, &mut b_shards, &b_recorded))
                .map(|(a, b)| f64::from(a + b))
                .collect::<Vec<f64>>();
            let expected = step(&whole_gradients, &mut whole_shards, &whole_recorded);
            let gram = whole.gram.as_ref().unwrap();
            let length = gram[0].max(gram[3]).sqrt();
            close_beside(length, &halves, &expected.into_iter().map(f64::from).collect::<Vec<f64>>());
        }
    }
}
