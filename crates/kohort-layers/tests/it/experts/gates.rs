//! Gates and shared mixtures.

use kohort_core::random::stream;
use kohort_core::{Activation, GradCheck, Grads, Init, Params, Tape};
use kohort_layers::Mode;
use kohort_layers::experts::{
    ExpertConfig, Experts, Gate, GateConfig, MASKED, Mixture, MixtureConfig, Ple, PleConfig, RoutedExperts,
    Routing,
};

use super::numbers;

fn smooth(widths: &[usize]) -> ExpertConfig {
    ExpertConfig { widths: widths.to_vec(), activation: Activation::Tanh, dropout: 0.0 }
}

fn train() -> Mode {
    Mode::train(stream(3, "masks", &[]))
}

#[test]
fn mixtures_pass_finite_differences_with_every_routing() {
    let x = numbers("x", 5 * 3);
    for routing in [Routing::Dense, Routing::TopK { k: 2 }, Routing::NoisyTopK { k: 2 }] {
        for one_gate in [false, true] {
            let gate = GateConfig { routing, bias: true, dropout: 0.2 };
            let expert = ExpertConfig { dropout: 0.1, ..smooth(&[4, 2]) };
            let config = MixtureConfig { experts: 3, expert, gate, one_gate };
            let mut params = Params::<f64>::new();
            let layer = Mixture::new(&mut params, "m", 3, 2, &config, 1).unwrap();
            GradCheck::default()
                .run(&params, |tape, params| {
                    let x = tape.input(5, 3, &x);
                    let mixed = layer.forward(tape, params, x, &mut train());
                    assert_eq!((mixed.tasks.len(), mixed.gates.len()), (2, if one_gate { 1 } else { 2 }));
                    tape.mul(mixed.tasks[0], mixed.tasks[1])
                })
                .expect("gradient");
        }
    }
}

#[test]
fn ple_passes_finite_differences_with_three_levels() {
    let x = numbers("x", 4 * 3);
    let config = PleConfig { levels: 3, own: 2, shared: 1, expert: smooth(&[3, 2]), ..PleConfig::default() };
    let mut params = Params::<f64>::new();
    let layer = Ple::new(&mut params, "m", 3, 2, &config, 1).unwrap();
    GradCheck::default()
        .run(&params, |tape, params| {
            let x = tape.input(4, 3, &x);
            let mixed = layer.forward(tape, params, x, &mut train());
            tape.mul(mixed.tasks[0], mixed.tasks[1])
        })
        .expect("gradient");
}

/// The columns of a PLE's gates carry the numbers of the experts they weigh, level on level.
#[test]
fn the_experts_of_ple_are_numbered_task_by_task_and_level_by_level() {
    let config = PleConfig { levels: 2, own: 2, shared: 1, expert: smooth(&[2]), ..PleConfig::default() };
    let mut params = Params::<f64>::new();
    let layer = Ple::new(&mut params, "m", 3, 2, &config, 1).unwrap();
    let mut tape = Tape::new();
    let x = tape.input(1, 3, &[1.0, 2.0, 3.0]);
    let mixed = layer.forward(&mut tape, &params, x, &mut Mode::score());
    let gates: Vec<(Option<usize>, Vec<u32>)> =
        mixed.gates.iter().map(|g| (g.task, g.experts.clone())).collect();
    let want = [
        (Some(0), vec![0, 1, 4]),
        (Some(1), vec![2, 3, 4]),
        (None, vec![0, 1, 2, 3, 4]),
        (Some(0), vec![5, 6, 9]),
        (Some(1), vec![7, 8, 9]),
    ];
    assert_eq!(gates, want);
    let outputs: Vec<u32> = mixed.outputs.iter().flat_map(|o| o.experts.clone()).collect();
    assert_eq!(outputs, (0..10).collect::<Vec<_>>());
}

#[test]
fn a_task_that_is_absent_from_a_step_leaves_its_own_experts_and_gate_without_a_gradient() {
    let config = PleConfig { levels: 2, own: 1, shared: 1, expert: smooth(&[2]), ..PleConfig::default() };
    let mut params = Params::<f64>::new();
    let layer = Ple::new(&mut params, "m", 3, 2, &config, 1).unwrap();
    let mut tape = Tape::new();
    let x = tape.input(4, 3, &numbers("x", 12));
    let mixed = layer.forward(&mut tape, &params, x, &mut Mode::score());
    let mut grads = Grads::new(&params);
    tape.backward(&params, &[(mixed.tasks[0], 1.0)], &mut grads);
    for (name, moved) in [("m/1/experts/0/0/w", true), ("m/1/experts/1/0/w", false), ("m/1/gate/1/w", false)]
    {
        let id = params.id(name).expect(name);
        assert_eq!(grads.to_dense(id, &params).iter().any(|&g| g != 0.0), moved, "{name}");
    }
}

#[test]
fn experts_start_apart_and_a_constant_start_is_named() {
    let mut params = Params::<f32>::new();
    let experts = Experts::new(&mut params, "e", 6, 4, &smooth(&[5, 3]), 1).unwrap();
    assert_eq!(experts.symmetric(&params), []);
    for slot in params.slots_mut() {
        slot.value = Init::Constant(0.1).draw(slot.rows, slot.cols, &mut stream(1, "unused", &[]));
    }
    assert_eq!(experts.symmetric(&params), [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]);
    let second = params.id("e/1/w").unwrap();
    params.slot_mut(second).value[2 * 5 * 3] = 0.2; // one weight of expert 2
    assert_eq!(experts.symmetric(&params), [(0, 1), (0, 3), (1, 3)]);
}

/// The two forms of the same experts: one wide network, and one network for each.
#[test]
fn routed_experts_under_a_sparse_gate_equal_wide_ones_and_those_not_chosen_get_no_gradient() {
    let mut params = Params::<f64>::new();
    let wide = Experts::new(&mut params, "e", 3, 3, &smooth(&[4, 2]), 1).unwrap();
    let routed = RoutedExperts::new(&mut params, "r", 3, 3, &smooth(&[4, 2]), 1).unwrap();
    // The streams are named by the layers, so the draws differ: copy.
    for e in 0..3 {
        for (layer, block) in routed.blocks(e as u32).enumerate() {
            let from = params.slot(params.id(&format!("e/{layer}/w")).unwrap()).clone();
            let into = params.slot_mut(block.w);
            for row in 0..into.rows {
                let at = if layer == 0 {
                    row * from.cols + e * into.cols
                } else {
                    (e * into.rows + row) * from.cols
                };
                into.value[row * into.cols..][..into.cols].copy_from_slice(&from.value[at..][..into.cols]);
            }
        }
    }
    let mut tape = Tape::new();
    let x = tape.input(5, 3, &numbers("x", 15));
    let logits = tape.input(5, 3, &[1., 0., 3., 2., 0., 2., 0., -5., 1., 1., -1., 1., 4., 0., 1.]);
    let gate = tape.top_k_softmax(logits, 2);
    let h = wide.forward(&mut tape, &params, x, &mut Mode::score());
    let one = tape.mix_blocks(gate, &[(h, 0..3)], 2);
    let other = routed.weighed(&mut tape, &params, x, gate, &mut Mode::score());
    for (a, b) in tape.value(one).iter().zip(tape.value(other)) {
        assert!((a - b).abs() < 1e-14, "{a} {b}");
    }
    let mut grads = Grads::new(&params);
    tape.backward(&params, &[(other, 1.0)], &mut grads);
    for (e, chosen) in [(0, true), (1, false), (2, true)] {
        for block in routed.blocks(e) {
            let touched = !matches!(grads.slot(block.w), kohort_core::Grad::Dense { touched: false, .. });
            assert_eq!(touched, chosen, "expert {e}");
        }
    }
}

#[test]
fn a_masked_expert_has_weight_zero_whatever_the_logits_the_routing_and_the_dropout() {
    for routing in [Routing::Dense, Routing::TopK { k: 2 }, Routing::NoisyTopK { k: 2 }] {
        let config = GateConfig { routing, bias: false, dropout: 0.6 };
        let mut params = Params::<f32>::new();
        let gate = Gate::new(&mut params, "g", 2, 3, &config, 1).unwrap();
        let mut tape = Tape::new();
        let x: Vec<f32> = numbers("x", 200).iter().map(|&x| 100.0 * x as f32).collect();
        let x = tape.input(100, 2, &x);
        let prior = tape.input(100, 3, &[0.0, MASKED as f32, 0.0].repeat(100));
        let gated = gate.forward(&mut tape, &params, x, Some(prior), &mut train());
        for row in tape.value(gated.gate).chunks_exact(3) {
            assert_eq!(row[1], 0.0);
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }
}

#[test]
fn gate_dropout_zeroes_its_share_of_weights_in_training_and_none_in_scoring() {
    let config = GateConfig { dropout: 0.1, ..GateConfig::default() };
    let mut params = Params::<f64>::new();
    let gate = Gate::new(&mut params, "g", 2, 4, &config, 1).unwrap();
    let share = |mode: &mut Mode| {
        let mut tape = Tape::new();
        let x = tape.input(5000, 2, &numbers("x", 10_000));
        let gated = gate.forward(&mut tape, &params, x, None, mode);
        tape.value(gated.gate).iter().filter(|&&g| g == 0.0).count() as f64 / 20_000.0
    };
    assert!((share(&mut train()) - 0.1).abs() < 0.01);
    assert_eq!(share(&mut Mode::score()), 0.0);
}

#[test]
fn noise_is_drawn_in_training_only() {
    let config = GateConfig { routing: Routing::NoisyTopK { k: 1 }, ..GateConfig::default() };
    let mut params = Params::<f64>::new();
    let gate = Gate::new(&mut params, "g", 2, 4, &config, 1).unwrap();
    let mut tape = Tape::new();
    let x = tape.input(50, 2, &numbers("x", 100));
    let quiet = gate.forward(&mut tape, &params, x, None, &mut Mode::score());
    let again = gate.forward(&mut tape, &params, x, None, &mut Mode::score());
    let noisy = gate.forward(&mut tape, &params, x, None, &mut train());
    assert_eq!(tape.value(quiet.gate), tape.value(again.gate));
    assert_ne!(tape.value(quiet.gate), tape.value(noisy.gate));
    assert_eq!(quiet.load, None);
    // Each row chooses one expert, so the expected numbers sum to about the rows.
    let load: f64 = tape.value(noisy.load.unwrap()).iter().sum();
    assert!((load - 50.0).abs() < 15.0, "{load}");
}

#[test]
fn settings_that_are_not_allowed_are_named_with_what_is() {
    let mut params = Params::<f32>::new();
    let mut gate =
        |config: GateConfig| Gate::new(&mut params, "g", 2, 3, &config, 1).unwrap_err().to_string();
    for (k, value) in [(0, "0"), (4, "4")] {
        let routing = Routing::TopK { k };
        let said = gate(GateConfig { routing, ..GateConfig::default() });
        assert_eq!(said, format!("k is {value}; allowed: 1 to 3, the number of experts"));
    }
    let said = gate(GateConfig { dropout: 1.0, ..GateConfig::default() });
    assert_eq!(said, "gate dropout is 1; allowed: 0 or more, below 1");
    let said = Experts::new(&mut params, "e", 2, 0, &smooth(&[3]), 1).unwrap_err().to_string();
    assert_eq!(said, "experts is 0; allowed: 1 or more");
    let said = Experts::new(&mut params, "e", 2, 2, &smooth(&[]), 1).unwrap_err().to_string();
    assert_eq!(said, "widths is empty; allowed: one width or more");
    let config = PleConfig { shared: 0, ..PleConfig::default() };
    let said = Ple::new(&mut params, "p", 2, 2, &config, 1).unwrap_err().to_string();
    assert_eq!(said, "shared is 0; allowed: 1 or more");
}
