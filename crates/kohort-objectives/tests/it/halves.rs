//! A batch in two halves gives the whole batch's coefficients and update, after the exchange that `parts` states.

use kohort_objectives::{Part, Wants, gram_of_sum};

use crate::linear::{Linear, Rows, Swept};
use crate::{close, combine, every, gram, uniform};

const OBJECTIVES: usize = 4;

/// Rows with noisy targets; the third objective has rows in the first half only, the fourth in the second only.
fn batch() -> Rows {
    let count = 24;
    let x = uniform(count * 5, 0.0, "x", 1).chunks(5).map(<[f64]>::to_vec).collect();
    let objective = (0..count).map(|n| if n % 3 < 2 { n % 3 } else { 2 + n / 12 }).collect();
    Rows { objective, x, y: uniform(count, 0.3, "y", 1) }
}

fn half(rows: &Rows, range: std::ops::Range<usize>) -> Rows {
    Rows {
        objective: rows.objective[range.clone()].to_vec(),
        x: rows.x[range.clone()].to_vec(),
        y: rows.y[range].to_vec(),
    }
}

fn swept() -> (Swept, Vec<(Rows, Swept)>) {
    let (model, rows) = (Linear::new(3, 5, OBJECTIVES, 2), batch());
    let denominators = rows.counts(OBJECTIVES);
    let halves = [half(&rows, 0..12), half(&rows, 12..24)];
    let halves = halves.into_iter().map(|rows| {
        let swept = model.sweep(&rows, &denominators);
        (rows, swept)
    });
    (model.sweep(&rows, &denominators), halves.collect())
}

/// The exchange, against the whole: all methods, and the weighted reduction of gradients afterwards.
fn same(whole: &Part, joined: &Part, sweeps: &(Swept, Vec<(Rows, Swept)>)) {
    for config in every(OBJECTIVES) {
        let (mut a, mut b) = (config.build(OBJECTIVES, 3).unwrap(), config.build(OBJECTIVES, 3).unwrap());
        for step in 0..5 {
            let (want, got) = (a.coefficients(whole.seen(step)), b.coefficients(joined.seen(step)));
            close(&got.trunk, &want.trunk, 1e-9);
            close(&got.heads, &want.heads, 1e-9);
            let mut update = vec![0.0; 15];
            for (_, half) in &sweeps.1 {
                update.iter_mut().zip(combine(&got.trunk, &half.trunk)).for_each(|(u, g)| *u += g);
            }
            close(&update, &combine(&want.trunk, &sweeps.0.trunk), 1e-9);
        }
        assert!(a.wants() >= Wants::Losses);
    }
}

#[test]
fn at_the_representation_gram_matrices_of_halves_add() {
    let sweeps = swept();
    let (whole, halves) = &sweeps;
    let part = |swept: &Swept, present: Vec<bool>| Part {
        losses: swept.losses.clone(),
        present,
        gram: Some(gram(&swept.representation, OBJECTIVES)),
    };
    let parts: Vec<Part> = halves.iter().map(|(rows, s)| part(s, rows.present(OBJECTIVES))).collect();
    assert_eq!(parts[0].present, [true, true, true, false]);
    let joined = parts[0].clone().join(&parts[1]).unwrap();
    same(&part(whole, vec![true; OBJECTIVES]), &joined, &sweeps);
}

/// Two workers: each receives both halves' gradients of its slice of the parameters.
#[test]
fn at_shared_parameters_gram_matrices_of_slices_add_where_those_of_halves_do_not() {
    let sweeps = swept();
    let (whole, halves) = &sweeps;
    let slice = |gradients: &[f64], columns: std::ops::Range<usize>| -> Vec<f64> {
        gradients.chunks_exact(15).flat_map(|row| row[columns.clone()].to_vec()).collect()
    };
    let losses = |half: &Swept| half.losses.clone();
    let worker = |own: usize, columns: std::ops::Range<usize>| {
        let received: Vec<Vec<f64>> = halves.iter().map(|(_, s)| slice(&s.trunk, columns.clone())).collect();
        let received: Vec<&[f64]> = received.iter().map(Vec::as_slice).collect();
        Part {
            losses: losses(&halves[own].1),
            present: halves[own].0.present(OBJECTIVES),
            gram: Some(gram_of_sum(&received, OBJECTIVES).unwrap()),
        }
    };
    let joined = worker(0, 0..7).join(&worker(1, 7..15)).unwrap();
    let want = Part {
        losses: losses(whole),
        present: vec![true; OBJECTIVES],
        gram: Some(gram(&whole.trunk, OBJECTIVES)),
    };
    same(&want, &joined, &sweeps);
    // Without cross terms it would be another matrix.
    let apart: Vec<f64> = gram(&halves[0].1.trunk, OBJECTIVES)
        .iter()
        .zip(gram(&halves[1].1.trunk, OBJECTIVES))
        .map(|(a, b)| a + b)
        .collect();
    assert!(apart.iter().zip(want.gram.unwrap()).any(|(a, b)| (a - b).abs() > 0.1 * b.abs()));
}
