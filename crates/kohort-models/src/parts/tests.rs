//! Gradients, known values, and what is refused.

use kohort_core::{Focal, GradCheck, Grads, ListLoss, ParamId, Params, Tape, Var};

use super::*;

const TARGET: [f64; 8] = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0];
const WEIGHT: [f64; 8] = [1.0, 2.0, 1.0, 0.5, 1.0, 0.0, 1.0, 1.0];
const COHORT: [u32; 8] = [0, 0, 0, 1, 1, 1, 1, 7];
const USER: [u32; 8] = [4, 4, 9, 2, 3, 2, 2, 5];
const POPULARITY: [f64; 8] = [-1.0, -4.0, -2.0, -3.0, -0.5, -6.0, -2.5, -1.5];

fn names() -> Vec<String> {
    ["new", "mature"].map(str::to_owned).to_vec()
}

fn params() -> (Params<f64>, ParamId, ParamId) {
    let mut params = Params::new();
    let logits = params.add("logits", 8, 1, vec![0.3, -1.2, 0.8, 0.1, -0.4, 2.0, -0.7, 0.6]);
    let vectors = params.add("vectors", 8, 3, (0..24).map(|n| ((n * 7 % 11) as f64 - 5.0) / 3.0).collect());
    (params, logits, vectors)
}

fn seen(logits: Var, vectors: Var) -> Seen<'static, f64> {
    Seen {
        logits,
        target: &TARGET,
        weight: &WEIGHT,
        cohort: &COHORT,
        user: &USER,
        log_popularity: &POPULARITY,
        vectors,
    }
}

fn composed(cohort: Option<&str>, parts: &[(Part, f64)]) -> Composition {
    let parts = parts.iter().map(|&(part, weight)| Weighted { part, weight }).collect();
    Composition { cohort: cohort.map(str::to_owned), parts }
}

fn value(compositions: &[Composition]) -> f64 {
    let (params, logits, vectors) = params();
    let plan = Plan::new(compositions, &names()).unwrap();
    let mut tape = Tape::new();
    let (logits, vectors) = (tape.param(&params, logits), tape.param(&params, vectors));
    let loss = record(&mut tape, &plan, &seen(logits, vectors), 1.0 / 8.0);
    tape.scalar(loss)
}

fn bce(row: usize) -> f64 {
    let (params, logits, _) = params();
    WEIGHT[row] * kohort_core::LossKind::Logistic.value(params.value(logits)[row], TARGET[row])
}

#[test]
fn every_part_passes_finite_differences_and_item_vectors_get_no_gradient() {
    let (params, logits, vectors) = params();
    for part in [
        Part::Bce,
        Part::Focal(Focal::default()),
        Part::List(ListLoss::Sigmoid),
        Part::List(ListLoss::Bpr),
        Part::Novelty,
        Part::Diversity,
    ] {
        let plan = Plan::new(
            &[composed(Some("new"), &[(part, 0.7)]), composed(None, &[(part, 0.2), (Part::Bce, 1.0)])],
            &names(),
        )
        .unwrap();
        let frozen = {
            let mut frozen = params.clone();
            frozen.slot_mut(vectors).trainable = false;
            frozen
        };
        let run = |tape: &mut Tape<f64>, params: &Params<f64>| {
            let (logits, vectors) = (tape.param(params, logits), tape.param(params, vectors));
            record(tape, &plan, &seen(logits, vectors), 1.0 / 8.0)
        };
        GradCheck::default().run(&frozen, run).unwrap_or_else(|error| panic!("{part:?}: {error}"));
        let mut tape = Tape::new();
        let loss = run(&mut tape, &params);
        let mut grads = Grads::new(&params);
        tape.backward(&params, &[(loss, 1.0)], &mut grads);
        assert!(grads.to_dense(vectors, &params).iter().all(|&d| d == 0.0), "{part:?}");
    }
}

#[test]
fn fairness_terms_pass_finite_differences() {
    let (mut params, logits, vectors) = params();
    params.slot_mut(vectors).trainable = false;
    for gap in [Gap::Loss, Gap::Score, Gap::Opportunity, Gap::Calibration] {
        for spread in [Spread::Variance, Spread::Range, Spread::Absolute] {
            let fairness = Fairness { gap, spread, weight: 0.6 };
            let run = |tape: &mut Tape<f64>, params: &Params<f64>| {
                let (logits, vectors) = (tape.param(params, logits), tape.param(params, vectors));
                fairness.record(tape, &seen(logits, vectors), 2).unwrap()
            };
            GradCheck::default().run(&params, run).unwrap_or_else(|error| panic!("{fairness:?}: {error}"));
        }
    }
}

#[test]
fn parts_have_the_values_of_their_formulas() {
    let plain = composed(None, &[(Part::Bce, 1.0)]);
    let mean = (0..8).map(bce).sum::<f64>() / 8.0;
    assert!((value(&[]) - mean).abs() < 1e-12 && (value(std::slice::from_ref(&plain)) - mean).abs() < 1e-12);
    // Twice for new users, nothing for mature ones; a row of no cohort is everybody else's.
    let parts = [
        composed(Some("new"), &[(Part::Bce, 2.0)]),
        composed(Some("mature"), &[(Part::Novelty, 0.0)]),
        plain,
    ];
    let expected = (2.0 * (bce(0) + bce(1) + bce(2)) + bce(7)) / 8.0;
    assert!((value(&parts) - expected).abs() < 1e-12);

    // Mature users' known rows: user 2 has rows 3 and 6, user 3 has row 4.
    let alone =
        |part| value(&[composed(Some("mature"), &[(part, 1.0)]), composed(None, &[(Part::Bce, 0.0)])]);
    let (params, logits, vectors) = params();
    let o = params.value(logits);
    let p = 1.0 / (1.0 + (o[6] - o[3]).exp());
    let novelty = (p * POPULARITY[3] + (1.0 - p) * POPULARITY[6] + POPULARITY[4]) / 2.0;
    assert!((alone(Part::Novelty) - novelty * 3.0 / 8.0).abs() < 1e-12);
    let unit = |row: usize| {
        let v = &params.value(vectors)[row * 3..row * 3 + 3];
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        [v[0] / length, v[1] / length, v[2] / length]
    };
    let (a, b) = (unit(3), unit(6));
    let cosine: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    let same = p * p + (1.0 - p) * (1.0 - p) + 2.0 * p * (1.0 - p) * cosine;
    assert!((alone(Part::Diversity) - (same + 1.0) / 2.0 * 3.0 / 8.0).abs() < 1e-12);
    // Only user 2 has both labels.
    let pair = (1.0 + (o[3] - o[6]).exp()).ln();
    assert!((alone(Part::List(ListLoss::Bpr)) - pair * 3.0 / 8.0).abs() < 1e-12);
}

#[test]
fn fairness_has_the_values_of_its_formulas_and_leaves_absent_cohorts_out() {
    let (params, logits, vectors) = params();
    let sigma = |row: usize| 1.0 / (1.0 + (-params.value(logits)[row]).exp());
    // Row 5 is not known, row 7 of no cohort, and a third cohort has no row.
    let score = [(sigma(0) + sigma(1) + sigma(2)) / 3.0, (sigma(3) + sigma(4) + sigma(6)) / 3.0];
    let calibration = [score[0] - 2.0 / 3.0, score[1] - 1.0 / 3.0];
    let found = |gap, spread| {
        let mut tape = Tape::new();
        let (logits, vectors) = (tape.param(&params, logits), tape.param(&params, vectors));
        let term = Fairness { gap, spread, weight: 2.0 }.record(&mut tape, &seen(logits, vectors), 3);
        tape.scalar(term.unwrap())
    };
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a}, {b}");
    close(found(Gap::Score, Spread::Range), 2.0 * (score[0] - score[1]).abs());
    close(found(Gap::Score, Spread::Variance), 2.0 * ((score[0] - score[1]) / 2.0).powi(2));
    let squares = calibration[0].powi(2) + calibration[1].powi(2);
    close(found(Gap::Calibration, Spread::Absolute), squares);
    close(found(Gap::Opportunity, Spread::Range), 2.0 * ((sigma(0) + sigma(2)) / 2.0 - sigma(6)).abs());
}

#[test]
fn steps_down_a_part_do_what_it_is_for() {
    let rare_share = |part: Part| {
        let (mut params, logits, vectors) = params();
        let plan = Plan::new(&[composed(None, &[(part, 1.0)])], &names()).unwrap();
        for _ in 0..200 {
            let mut tape = Tape::new();
            let (o, v) = (tape.param(&params, logits), tape.param(&params, vectors));
            let loss = record(&mut tape, &plan, &seen(o, v), 1.0);
            let mut grads = Grads::new(&params);
            tape.backward(&params, &[(loss, 1.0)], &mut grads);
            let slope = grads.to_dense(logits, &params);
            params.slot_mut(logits).value.iter_mut().zip(slope).for_each(|(o, d)| *o -= 0.2 * d);
        }
        let o = params.value(logits);
        // User 4 has rows 0 (common) and 1 (rare).
        1.0 / (1.0 + (o[0] - o[1]).exp())
    };
    assert!(rare_share(Part::Novelty) > 0.95);
    // Of two unlike items the most diverse list gives half to each.
    assert!((rare_share(Part::Diversity) - 0.5).abs() < 0.05);
}

#[test]
fn names_that_are_none_and_weights_out_of_range_are_named() {
    let message = |compositions: &[Composition]| Plan::new(compositions, &names()).unwrap_err().to_string();
    let bce = [(Part::Bce, 1.0)];
    assert_eq!(
        message(&[composed(Some("old"), &bce)]),
        "config: compositions: no cohort \"old\", there are: new, mature"
    );
    assert!(message(&[composed(Some("new"), &bce)]).contains("none is for cohort \"mature\""));
    assert!(
        message(&[composed(Some("new"), &bce), composed(Some("mature"), &bce)]).contains("rows of no cohort")
    );
    assert!(message(&[composed(None, &bce), composed(None, &bce)]).contains("two of them are for everybody"));
    let twice = [composed(Some("new"), &bce), composed(Some("new"), &bce), composed(None, &bce)];
    assert!(message(&twice).contains("two of them are for \"new\""));
    let said = |compositions: &[Composition]| check(compositions, &[]).unwrap_err().to_string();
    assert_eq!(
        said(&[composed(Some("new"), &[(Part::Novelty, -0.1)])]),
        "compositions, new, Novelty: weight = -0.1, allowed is a finite number of at least 0"
    );
    assert_eq!(
        said(&[composed(None, &[])]),
        "compositions, everybody else = no part, allowed is one part or more"
    );
    let focal = Part::Focal(Focal { gamma: 2.0, alpha: 1.5 });
    assert!(
        said(&[composed(None, &[(focal, 1.0)])])
            .starts_with("compositions, everybody else, focal: alpha = 1.5")
    );
    let wrong: Result<Composition, _> = toml::from_str("parts = [{ part = \"novlty\", weight = 1.0 }]");
    let wrong = wrong.unwrap_err().to_string();
    assert!(wrong.contains("unknown variant `novlty`") && wrong.contains("`novelty`"), "{wrong}");
    let fairness = Fairness { gap: Gap::Loss, spread: Spread::Range, weight: f64::NAN };
    assert!(check(&[], &[fairness]).unwrap_err().to_string().starts_with("fairness, Loss: weight = NaN"));
    let read: Composition = toml::from_str(
        "cohort = \"new\"\nparts = [{ part = \"bce\", weight = 1.0 }, { part = { focal = {} }, weight = 0.5 }, { part = { list = \"bpr\" }, weight = 0.1 }]",
    )
    .unwrap();
    assert_eq!(read.parts[2].part, Part::List(ListLoss::Bpr));
}

/// `tests/golden/parts.py` made the values.
#[test]
fn novelty_diversity_and_fairness_agree_with_pytorch_in_values_and_slopes() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/golden/parts.json")).unwrap();
    fn flat(value: &serde_json::Value) -> Vec<f64> {
        match value.as_array() {
            Some(items) => items.iter().flat_map(flat).collect(),
            None => vec![value.as_f64().unwrap()],
        }
    }
    let list = |name: &str| flat(&golden[name]);
    let ids = |name: &str| -> Vec<u32> { list(name).iter().map(|&id| id as u32).collect() };
    let mut params = Params::<f64>::new();
    let id = params.add("logits", 10, 1, list("logits"));
    let (target, popularity, user, cohort) = (list("target"), list("popularity"), ids("user"), ids("cohort"));
    for (name, found) in golden["found"].as_object().unwrap() {
        let mut tape = Tape::new();
        let logits = tape.param(&params, id);
        let vectors = tape.input(10, 4, &list("vectors"));
        let seen = Seen {
            logits,
            target: &target,
            weight: &[1.0; 10],
            cohort: &cohort,
            user: &user,
            log_popularity: &popularity,
            vectors,
        };
        let term = match name.split_once('/') {
            None => {
                let part: Part = serde_json::from_value(name.as_str().into()).unwrap();
                let plan = Plan::new(&[composed(None, &[(part, 1.0)])], &names()).unwrap();
                record(&mut tape, &plan, &seen, 0.1)
            }
            Some((gap, spread)) => {
                let gap = serde_json::from_value(gap.into()).unwrap();
                let spread = serde_json::from_value(spread.into()).unwrap();
                Fairness { gap, spread, weight: 1.0 }.record(&mut tape, &seen, 2).unwrap()
            }
        };
        let mut grads = Grads::new(&params);
        tape.backward(&params, &[(term, 1.0)], &mut grads);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-10;
        assert!(close(tape.scalar(term), found["value"].as_f64().unwrap()), "{name}");
        let (got, want) = (grads.to_dense(id, &params), flat(&found["slope"]));
        assert!(got.iter().zip(&want).all(|(&a, &b)| close(a, b)), "{name}: {got:?}, {want:?}");
    }
}
