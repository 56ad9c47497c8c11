//! Values and gradients from PyTorch; `tests/golden/experts.py` made them.

use kohort_core::{Activation, Grads, Params, Tape};
use kohort_layers::Mode;
use kohort_layers::experts::{ExpertConfig, Mixed, Mixture, MixtureConfig, Ple, PleConfig};
use serde_json::Value;

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        other => vec![other.as_f64().expect("a number")],
    }
}

#[track_caller]
fn close(got: &[f64], want: &[f64], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= 1e-12 * (1.0 + w.abs()), "{what}[{i}]: {g}, PyTorch has {w}");
    }
}

/// Builds the layer over PyTorch's parameters, and compares outputs, gates and all gradients.
fn agrees<L>(
    case: &str,
    new: impl Fn(&mut Params<f64>) -> L,
    forward: impl Fn(&L, &mut Tape<f64>, &Params<f64>, kohort_core::Var) -> Mixed,
) {
    let golden: Value =
        serde_json::from_str(include_str!("../../golden/experts.json")).expect("experts.json");
    let golden = &golden[case];
    let mut params = Params::new();
    let layer = new(&mut params);
    for slot in params.slots_mut() {
        let want = flat(&golden["params"][&slot.name]);
        assert_eq!(slot.value.len(), want.len(), "{}", slot.name);
        slot.value = want;
    }
    let x = params.add("x", 6, 4, flat(&golden["x"]));
    let mut tape = Tape::new();
    let input = tape.param(&params, x);
    let mixed = forward(&layer, &mut tape, &params, input);
    let mut seeds = Vec::new();
    for (k, &task) in mixed.tasks.iter().enumerate() {
        close(tape.value(task), &flat(&golden["tasks"][k]), "task");
        let (n, cols) = tape.shape(task);
        let project = tape.input(n, cols, &flat(&golden["project"][k]));
        let product = tape.mul(task, project);
        seeds.push((tape.sum(product), 1.0));
    }
    assert_eq!(mixed.gates.len(), golden["gates"].as_array().expect("gates").len());
    for (gate, want) in mixed.gates.iter().zip(golden["gates"].as_array().expect("gates")) {
        close(tape.value(gate.gate), &flat(want), "gate");
    }
    let mut grads = Grads::new(&params);
    tape.backward(&params, &seeds, &mut grads);
    for id in params.ids() {
        let name = &params.slot(id).name;
        close(&grads.to_dense(id, &params), &flat(&golden["grads"][name]), name);
    }
}

fn expert() -> ExpertConfig {
    ExpertConfig { widths: vec![5, 2], activation: Activation::Relu, dropout: 0.0 }
}

#[test]
fn mmoe_agrees_with_pytorch_forward_and_backward() {
    let config = MixtureConfig { experts: 3, expert: expert(), ..MixtureConfig::default() };
    agrees(
        "mmoe",
        |params| Mixture::new(params, "m", 4, 2, &config, 1).expect("config"),
        |layer, tape, params, x| layer.forward(tape, params, x, &mut Mode::score()),
    );
}

#[test]
fn cgc_and_ple_agree_with_pytorch_forward_and_backward() {
    for (case, levels) in [("cgc", 1), ("ple", 2)] {
        let config = PleConfig { levels, own: 2, shared: 1, expert: expert(), ..PleConfig::default() };
        agrees(
            case,
            |params| Ple::new(params, "m", 4, 2, &config, 1).expect("config"),
            |layer, tape, params, x| layer.forward(tape, params, x, &mut Mode::score()),
        );
    }
}
