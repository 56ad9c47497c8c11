use kohort_core::{Params, Tape};

use super::*;
use crate::experts::{CohortConfig, CohortExperts};
use crate::{Hierarchy, Mode};

/// `rows` gates that lean on expert `b % 3` with this weight.
fn leaning(rows: usize, most: f32) -> Vec<f32> {
    let gate = |b: usize| {
        let mut gate = [(1.0 - most) / 2.0; 3];
        gate[b % 3] = most;
        gate
    };
    (0..rows).flat_map(gate).collect()
}

/// Outputs of three experts that point in different directions.
fn outputs(rows: usize) -> Vec<f32> {
    (0..rows * 6).map(|i| ((i * i) as f32 * 0.7).sin()).collect()
}

#[test]
fn healthy_experts_give_no_finding() {
    let mut health = ExpertHealth::new(3, 3, 2);
    let cohorts: Vec<u32> = (0..60).map(|b| b % 3).collect();
    for task in 0..2 {
        health.observe_gate(Some(task), &leaning(60, 0.6), &[0, 1, 2], &cohorts);
    }
    health.observe_outputs(&outputs(60), &[0, 1, 2], 60);
    health.compare_outputs(&outputs(60), &[0, 1, 2], 60);
    let report = health.report();
    assert_eq!(report.findings, []);
    assert!((report.by_cohort[1].as_ref().unwrap()[1] - 0.6).abs() < 1e-6, "cohort 1 leans on expert 1");
    assert!(
        (report.by_task[0].as_ref().unwrap()[0] - 1.0 / 3.0).abs() < 1e-6,
        "over all rows the use is even"
    );
    assert!(report.entropy > 0.8 && report.entropy < 0.9);
}

#[test]
fn a_planted_collapse_is_found_and_the_others_are_dead() {
    let mut health = ExpertHealth::new(3, 1, 1);
    let gate: Vec<f32> = (0..50).flat_map(|_| [0.01, 0.98, 0.01]).collect();
    health.observe_gate(None, &gate, &[0, 1, 2], &[0; 50]);
    let findings = health.report().findings;
    let dead = |e| findings.iter().any(|f| matches!(f, Finding::Unused { expert, .. } if *expert == e));
    assert!(dead(0) && dead(2) && !dead(1));
    let collapsed: Vec<String> = findings.iter().map(ToString::to_string).collect();
    let said = "the gate of all tasks has collapsed: expert 1 gets 98.0 % of its weight";
    assert!(collapsed.iter().any(|text| text == said), "{collapsed:?}");
}

#[test]
fn a_collapse_of_one_task_or_of_one_level_is_found_among_healthy_gates() {
    let (even, lost) = ([0.4, 0.6].repeat(20), [0.05, 0.95].repeat(20));
    for (tasks, second) in [(2, Some(1)), (1, Some(0)), (1, None)] {
        let mut health = ExpertHealth::new(4, 1, tasks);
        health.observe_gate(Some(0), &even, &[0, 1], &[0; 20]);
        health.observe_gate(second, &lost, &[2, 3], &[0; 20]);
        let collapsed =
            |f: &Finding| matches!(f, Finding::Collapsed { task, expert: 3, .. } if *task == second);
        assert_eq!(health.report().findings.iter().filter(|f| collapsed(f)).count(), 1, "{second:?}");
    }
}

/// One global expert whose weight is 1, and levels added to it: weights that sum to more than 1 are judged by their shares.
#[test]
fn weights_that_are_added_and_not_shared_out_are_no_collapse() {
    let mut health = ExpertHealth::new(3, 1, 1);
    health.observe_gate(Some(0), &[1.0, 0.5, 0.6].repeat(20), &[0, 1, 2], &[0; 20]);
    let report = health.report();
    assert_eq!(report.findings, []);
    assert!(report.entropy <= 1.0);
}

/// Each shard holds rows of one cohort, and each cohort leans on its own expert.
#[test]
fn cohorts_that_each_lean_on_their_own_expert_are_polarised_and_not_collapsed() {
    let mut health = ExpertHealth::new(3, 2, 1);
    for cohort in 0..2 {
        let names = [1 + cohort, 0].repeat(20);
        health.observe_gate(Some(0), &[0.95, 0.05].repeat(20), &names, &[cohort; 20]);
    }
    assert!(matches!(health.report().findings[..], [Finding::Polarised { task: Some(0), .. }]));
}

#[test]
fn rows_that_each_take_one_expert_are_polarised_and_not_collapsed() {
    let mut health = ExpertHealth::new(3, 1, 1);
    health.observe_gate(None, &leaning(60, 0.99), &[0, 1, 2], &[0; 60]);
    assert!(matches!(health.report().findings[..], [Finding::Polarised { task: None, rows }] if rows == 1.0));
}

#[test]
fn a_cohorts_own_expert_is_judged_by_its_cohort() {
    // Column 0 is the row's own expert (1 or 2), column 1 the global expert 0.
    let mut health = ExpertHealth::new(3, 2, 1);
    let (mut gate, mut names, mut cohorts) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..100u32 {
        // Cohort 1 has one row in fifty, and uses its own expert.
        let cohort = u32::from(row % 50 == 0);
        gate.extend([0.5f32, 0.5]);
        names.extend([1 + cohort, 0]);
        cohorts.push(cohort);
    }
    gate.extend([0.0, 1.0]);
    names.extend([NO_EXPERT, 0]);
    cohorts.push(UNKNOWN);
    health.observe_gate(None, &gate, &names, &cohorts);
    let report = health.report();
    assert_eq!(report.findings, [], "a rare cohort's expert is used by all who can");
    assert_eq!(report.by_cohort[1].as_ref().unwrap(), &[0.5, 0.0, 0.5]);
}

#[test]
fn experts_that_say_the_same_or_nothing_and_monopolies_are_found() {
    let mut health = ExpertHealth::new(3, 1, 2);
    let same: Vec<f32> = (0..40)
        .flat_map(|b| {
            let x = (b as f32).cos();
            [x, 1.0, 2.0 * x, 2.0, 0.0, 0.0]
        })
        .collect();
    health.observe_outputs(&same, &[0, 1, 2], 40);
    health.compare_outputs(&same, &[0, 1, 2], 40);
    let one: Vec<f32> = (0..40).flat_map(|_| [0.2, 0.5, 0.3]).collect();
    let two: Vec<f32> = (0..40).flat_map(|_| [0.45, 0.05, 0.5]).collect();
    health.observe_gate(Some(0), &one, &[0, 1, 2], &[0; 40]);
    health.observe_gate(Some(1), &two, &[0, 1, 2], &[0; 40]);
    let findings = health.report().findings;
    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(matches!(findings[0], Finding::Silent { expert: 2, .. }));
    assert!(matches!(findings[1], Finding::Redundant { expert: 0, other: 1, cosine } if cosine > 0.999));
    assert!(matches!(findings[2], Finding::Monopolised { expert: 1, task: 0, .. }));
}

#[test]
fn merged_monitors_say_what_one_would_have_said() {
    let (gate, cohorts) = (leaning(32, 0.5), [0u32; 32]);
    let mut whole = ExpertHealth::new(3, 1, 1);
    whole.observe_gate(Some(0), &gate, &[0, 1, 2], &cohorts);
    whole.observe_outputs(&outputs(32), &[0, 1, 2], 32);
    whole.compare_outputs(&outputs(32), &[0, 1, 2], 32);
    let mut first = ExpertHealth::new(3, 1, 1);
    let mut second = first.clone();
    first.observe_gate(Some(0), &gate[..48], &[0, 1, 2], &cohorts[..16]);
    second.observe_gate(Some(0), &gate[48..], &[0, 1, 2], &cohorts[16..]);
    first.observe_outputs(&outputs(32)[..96], &[0, 1, 2], 16);
    first.compare_outputs(&outputs(32)[..96], &[0, 1, 2], 16);
    second.observe_outputs(&outputs(32)[96..], &[0, 1, 2], 16);
    second.compare_outputs(&outputs(32)[96..], &[0, 1, 2], 16);
    first.merge(&second);
    let (one, two) = (first.report(), whole.report());
    assert!((one.entropy - two.entropy).abs() < 1e-12);
    assert_eq!(one.findings, two.findings);
    let close = |a: &Vec<Option<f64>>, b: &Vec<Option<f64>>| {
        a.iter().zip(b).all(|(a, b)| (a.unwrap() - b.unwrap()).abs() < 1e-12)
    };
    assert!(one.similarity.iter().zip(&two.similarity).all(|(a, b)| close(a, b)));
}

/// Three cohorts of which the second got the weights of the first, and one global expert.
#[test]
fn twins_among_the_experts_of_cohorts_are_found_though_they_share_no_row() {
    let mut params = Params::<f32>::new();
    let config = CohortConfig { globals: 1, ..CohortConfig::default() };
    let layer = CohortExperts::new(&mut params, "m", 4, &Hierarchy::flat(3), 1, &config, 7).unwrap();
    let [first, second] = [0, 1].map(|cohort| layer.own().blocks(cohort).collect::<Vec<_>>());
    for (from, to) in first.iter().zip(&second) {
        for (from, to) in [(Some(from.w), Some(to.w)), (from.b, to.b)] {
            let (Some(from), Some(to)) = (from, to) else { continue };
            let value = params.value(from).to_vec();
            params.slot_mut(to).value = value;
        }
    }
    let mut tape = Tape::new();
    let values: Vec<f32> = (0..30 * 4).map(|i| ((i * i) as f32 * 0.3).sin()).collect();
    let x = tape.input(30, 4, &values);
    let cohorts: Vec<u32> = (0..30).map(|b| b / 10).collect();
    assert!(layer.forward(&mut tape, &params, x, &cohorts, &mut Mode::score()).compared.is_none());
    let mixed = layer.forward(&mut tape, &params, x, &cohorts, &mut Mode::score().comparing());
    let shown = mixed.compared.unwrap();
    let mut health = ExpertHealth::new(4, 3, 1);
    health.compare_outputs(tape.value(shown.x), &shown.experts, 30);
    let found = health.report().findings;
    // Number 0 is the global one.
    assert!(
        matches!(found[..], [Finding::Redundant { expert: 1, other: 2, cosine }] if cosine > 0.999),
        "{found:?}"
    );
}
