//! Experts of cohorts: hard, soft, level by level, and by behaviour.

use kohort_core::random::stream;
use kohort_core::{Activation, Grad, GradCheck, Grads, Params, Tape, Var};
use kohort_layers::experts::{
    CohortConfig, CohortExperts, DynamicExperts, ExpertConfig, GateConfig, HierarchicalExperts, Mixed,
    NO_EXPERT, Routing, SoftCohortExperts,
};
use kohort_layers::{Hierarchy, Mode, UNKNOWN};

use super::numbers;

const IN: usize = 4;
/// 0 and 1 are regions, 2 and 3 stages of region 0, 4 one of region 1.
fn tree() -> Hierarchy {
    Hierarchy::new(vec![None, None, Some(0), Some(0), Some(1)]).unwrap()
}

fn config() -> CohortConfig {
    let expert = ExpertConfig { widths: vec![3, 2], activation: Activation::Tanh, dropout: 0.0 };
    CohortConfig { globals: 2, expert, prior: 0.5, embedding: 3, ..CohortConfig::default() }
}

/// Every kind, on the same rows.
enum Kind {
    Hard(CohortExperts),
    Soft(SoftCohortExperts),
    Levels(HierarchicalExperts),
}

impl Kind {
    fn all(params: &mut Params<f64>) -> Vec<(&'static str, Kind)> {
        let (tree, config) = (tree(), config());
        vec![
            ("hard", Kind::Hard(CohortExperts::new(params, "hard", IN, &tree, 2, &config, 1).unwrap())),
            ("soft", Kind::Soft(SoftCohortExperts::new(params, "soft", IN, &tree, 2, &config, 1).unwrap())),
            (
                "levels",
                Kind::Levels(HierarchicalExperts::new(params, "levels", IN, &tree, 2, &config, 1).unwrap()),
            ),
        ]
    }

    fn forward(&self, tape: &mut Tape<f64>, params: &Params<f64>, x: Var, cohorts: &[u32]) -> Mixed {
        let mode = &mut Mode::score();
        match self {
            Kind::Hard(layer) => layer.forward(tape, params, x, cohorts, mode),
            Kind::Soft(layer) => layer.forward(tape, params, x, cohorts, mode),
            Kind::Levels(layer) => layer.forward(tape, params, x, cohorts, mode),
        }
    }
}

/// In an order that no cohort stands together in.
const COHORTS: [u32; 7] = [2, 4, UNKNOWN, 3, 2, 0, 1];

#[test]
fn experts_of_cohorts_pass_finite_differences_whatever_the_order_of_rows() {
    let mut params = Params::<f64>::new();
    let input = params.add("input", COHORTS.len(), IN, numbers("input", COHORTS.len() * IN));
    let kinds = Kind::all(&mut params);
    for (name, kind) in &kinds {
        let worst = GradCheck::default().run(&params, |tape, params| {
            let x = tape.param(params, input);
            let mixed = kind.forward(tape, params, x, &COHORTS);
            tape.concat(&mixed.tasks)
        });
        worst.unwrap_or_else(|mismatch| panic!("{name}: {mismatch}"));
    }
}

#[test]
fn rows_in_any_order_get_the_same_values() {
    let mut params = Params::<f64>::new();
    let kinds = Kind::all(&mut params);
    let x = numbers("input", COHORTS.len() * IN);
    for (name, kind) in &kinds {
        let run = |order: &[usize]| {
            let mut tape = Tape::new();
            let rows: Vec<f64> = order.iter().flat_map(|&row| x[row * IN..(row + 1) * IN].to_vec()).collect();
            let cohorts: Vec<u32> = order.iter().map(|&row| COHORTS[row]).collect();
            let x = tape.input(order.len(), IN, &rows);
            let mixed = kind.forward(&mut tape, &params, x, &cohorts);
            tape.value(mixed.tasks[1]).to_vec()
        };
        let straight = run(&[0, 1, 2, 3, 4, 5, 6]);
        let sorted = [5, 6, 0, 4, 3, 1, 2];
        for (place, chunk) in run(&sorted).chunks(2).enumerate() {
            let row = sorted[place];
            for (a, b) in chunk.iter().zip(&straight[row * 2..]) {
                assert!((a - b).abs() < 1e-12, "{name}, row {row}");
            }
        }
    }
}

/// Parameters whose gradient these rows' cohorts leave untouched.
fn untouched(params: &Params<f64>, kind: &Kind, cohorts: &[u32]) -> Vec<String> {
    let mut tape = Tape::new();
    let x = tape.input(cohorts.len(), IN, &numbers("input", cohorts.len() * IN));
    let mixed = kind.forward(&mut tape, params, x, cohorts);
    let both = tape.concat(&mixed.tasks);
    let square = tape.mul(both, both);
    let loss = tape.sum(square);
    let mut grads = Grads::new(params);
    tape.backward(params, &[(loss, 1.0)], &mut grads);
    params
        .ids()
        .filter(|&id| match grads.slot(id) {
            Grad::Dense { touched, .. } => !touched,
            Grad::Rows(rows) => rows.ids().is_empty(),
        })
        .map(|id| params.slot(id).name.clone())
        .collect()
}

#[test]
fn rows_of_one_cohort_leave_the_experts_of_all_others_without_a_gradient() {
    let mut params = Params::<f64>::new();
    for (name, kind) in Kind::all(&mut params) {
        if name == "soft" {
            continue; // there every row may use every expert
        }
        let idle = untouched(&params, &kind, &[2, 2, 2]);
        let own = |cohort: u32| idle.iter().any(|idle| idle.starts_with(&format!("{name}/own/{cohort}/")));
        // By hard mapping a row has its own cohort's expert; by levels its region's too.
        let used: &[u32] = if name == "hard" { &[2] } else { &[0, 2] };
        for cohort in 0..5 {
            assert_eq!(own(cohort), !used.contains(&cohort), "{name}, cohort {cohort}: {idle:?}");
        }
    }
}

#[test]
fn a_row_of_no_known_cohort_falls_back_to_what_it_has() {
    let mut params = Params::<f64>::new();
    for (name, kind) in Kind::all(&mut params) {
        let mut tape = Tape::new();
        let cohorts = [UNKNOWN, 0, 2];
        let x = tape.input(3, IN, &numbers("input", 3 * IN));
        let mixed = kind.forward(&mut tape, &params, x, &cohorts);
        for used in &mixed.gates {
            let (gate, columns) = (tape.value(used.gate), tape.shape(used.gate).1);
            let names = |row: usize| {
                let by_row = used.experts.len() > columns;
                if by_row { &used.experts[row * columns..(row + 1) * columns] } else { &used.experts[..] }
            };
            for row in 0..3 {
                for (g, expert) in gate[row * columns..].iter().zip(names(row)) {
                    if *expert == NO_EXPERT {
                        assert_eq!(*g, 0.0, "{name}: nobody gets weight");
                    }
                }
            }
            if name == "levels" {
                // Two global experts, then the levels: none for the first row, the region's for the second, both for the third.
                let known: Vec<usize> =
                    (0..3).map(|row| names(row).iter().filter(|e| **e != NO_EXPERT).count()).collect();
                assert_eq!(known, [2, 3, 4]);
                let levels = &gate[2 * columns + 2..2 * columns + 4];
                assert!(levels.iter().all(|&g| g > 0.0));
            }
        }
        let alone = tape.value(mixed.tasks[0])[..2].to_vec();
        assert!(alone.iter().all(|y| y.is_finite()) && alone.iter().any(|&y| y != 0.0), "{name}");
    }
}

#[test]
fn the_prior_leans_a_row_on_its_own_cohort() {
    let weight = |prior: f64| {
        let mut params = Params::<f64>::new();
        let config = CohortConfig { prior, embedding: 0, ..config() };
        let layer = CohortExperts::new(&mut params, "e", IN, &Hierarchy::flat(2), 1, &config, 1).unwrap();
        let mut tape = Tape::new();
        let x = tape.input(1, IN, &[0.0; IN]);
        let mixed = layer.forward(&mut tape, &params, x, &[1], &mut Mode::score());
        tape.value(mixed.gates[0].gate)[0]
    };
    assert!((weight(0.0) - 1.0 / 3.0).abs() < 1e-12);
    assert!((weight(2.0) - 2f64.exp() / (2f64.exp() + 2.0)).abs() < 1e-12);
}

#[test]
fn behaviour_chooses_experts_and_those_not_chosen_get_no_gradient() {
    let mut params = Params::<f64>::new();
    let own = CohortExperts::new(&mut params, "e", IN, &Hierarchy::flat(4), 1, &config(), 1).unwrap();
    let gate = GateConfig { routing: Routing::TopK { k: 2 }, ..GateConfig::default() };
    let layer = DynamicExperts::over(&own, &mut params, "by", 3, 1, &gate, 1).unwrap();
    let (x, behaviour) = (numbers("input", 5 * IN), numbers("behaviour", 5 * 3));
    let known = [true, true, true, true, false];
    GradCheck::default()
        .run(&params, |tape, params| {
            let (x, b) = (tape.input(5, IN, &x), tape.input(5, 3, &behaviour));
            layer.forward(tape, params, (x, b), &known, &mut Mode::score()).tasks[0]
        })
        .expect("gradient");
    let mut tape = Tape::new();
    let (x, b) = (tape.input(5, IN, &x), tape.input(5, 3, &behaviour));
    let mixed = layer.forward(&mut tape, &params, (x, b), &known, &mut Mode::score());
    let loss = tape.sum(mixed.tasks[0]);
    let mut grads = Grads::new(&params);
    tape.backward(&params, &[(loss, 1.0)], &mut grads);
    let gate = tape.value(mixed.gates[0].gate);
    for cohort in 0..4 {
        let chosen = (0..5).any(|row| gate[row * 6 + cohort] > 0.0);
        let id = params.id(&format!("e/own/{cohort}/0/w")).expect("an expert's first layer");
        assert_eq!(matches!(grads.slot(id), Grad::Dense { touched: true, .. }), chosen, "cohort {cohort}");
    }
    assert_eq!(gate[4 * 6..4 * 6 + 4], [0.0; 4], "a row without behaviour is served by the global experts");
    let dense = DynamicExperts::over(&own, &mut params, "dense", 3, 1, &GateConfig::default(), 1);
    assert!(dense.unwrap_err().to_string().contains("routing is dense"));
}

/// In runs, in no order, of cohorts that are none, and without any that is known.
#[test]
fn experts_of_cohorts_pass_finite_differences_in_training_and_where_no_cohort_is_known() {
    let expert = ExpertConfig { dropout: 0.2, ..config().expert };
    let gate = GateConfig { bias: true, dropout: 0.2, ..GateConfig::default() };
    let config = CohortConfig { expert, gate, ..config() };
    let x = numbers("input", 6 * IN);
    for cohorts in [[2, 2, 3, 4, 0, UNKNOWN], [UNKNOWN, 3, 99, 3, 4, 3], [UNKNOWN; 6]] {
        let mut params = Params::<f64>::new();
        let hard = CohortExperts::new(&mut params, "hard", IN, &tree(), 1, &config, 1).unwrap();
        let levels = HierarchicalExperts::new(&mut params, "levels", IN, &tree(), 1, &config, 1).unwrap();
        GradCheck::default()
            .run(&params, |tape, params| {
                let x = tape.input(6, IN, &x);
                let mode = &mut Mode::train(stream(3, "masks", &[]));
                let one = hard.forward(tape, params, x, &cohorts, mode).tasks[0];
                let other = levels.forward(tape, params, x, &cohorts, mode).tasks[0];
                tape.mul(one, other)
            })
            .expect("gradient");
    }
}

#[test]
fn a_noisy_choice_by_behaviour_passes_finite_differences() {
    let mut params = Params::<f64>::new();
    let own = CohortExperts::new(&mut params, "e", IN, &Hierarchy::flat(4), 1, &config(), 1).unwrap();
    let gate = GateConfig { routing: Routing::NoisyTopK { k: 2 }, ..GateConfig::default() };
    let layer = DynamicExperts::over(&own, &mut params, "by", 3, 1, &gate, 1).unwrap();
    let (x, behaviour) = (numbers("input", 5 * IN), numbers("behaviour", 5 * 3));
    GradCheck::default()
        .run(&params, |tape, params| {
            let (x, b) = (tape.input(5, IN, &x), tape.input(5, 3, &behaviour));
            let mode = &mut Mode::train(stream(3, "noise", &[]));
            let mixed = layer.forward(tape, params, (x, b), &[true, true, false, true, true], mode);
            let load = mixed.gates[0].load.expect("a noisy gate in training");
            let (load, task) = (tape.sum(load), tape.sum(mixed.tasks[0]));
            tape.mul(load, task)
        })
        .expect("gradient");
}

#[test]
fn settings_of_cohorts_that_are_not_allowed_are_named_with_what_is() {
    let mut params = Params::<f32>::new();
    let mut say = |tree: &Hierarchy, tasks, config: &CohortConfig| {
        CohortExperts::new(&mut params, "m", IN, tree, tasks, config, 1).unwrap_err().to_string()
    };
    let none = CohortConfig { globals: 0, ..config() };
    assert_eq!(say(&tree(), 1, &none), "globals is 0; allowed: 1 or more: rows without a cohort need one");
    assert_eq!(say(&Hierarchy::flat(0), 1, &config()), "cohorts is 0; allowed: 1 or more");
    assert_eq!(say(&tree(), 0, &config()), "tasks is 0; allowed: 1 or more");
    let prior = CohortConfig { prior: f64::NAN, ..config() };
    assert_eq!(say(&tree(), 1, &prior), "prior is NaN; allowed: a finite number");
}
