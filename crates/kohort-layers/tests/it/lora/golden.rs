//! Values from PyTorch; `tests/golden/lora.py` made them.

use kohort_core::{Grads, ParamId};
use kohort_layers::lora::{Experts, InstanceConfig, InstanceGate, InstanceLora, Sharing};
use serde_json::Value;

use super::*;

const COHORTS: [u32; 6] = [1, 1, 0, 0, 0, 1];

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        other => vec![other.as_f64().expect("a number")],
    }
}

#[track_caller]
fn agrees(got: &[f64], want: &Value, what: &str) {
    let want = flat(want);
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= 1e-12 * (1.0 + w.abs()), "{what}[{i}]: {g}, PyTorch has {w}");
    }
}

/// Gives the parameters PyTorch's values, and compares what `record` makes of them and every gradient.
fn compare(
    form: &str,
    mut params: Params<f64>,
    names: &[(&str, ParamId)],
    record: impl Fn(&mut Tape<f64>, &Params<f64>) -> Var,
) {
    let golden: Value = serde_json::from_str(include_str!("../../golden/lora.json")).expect("lora.json");
    let own = &golden[form];
    for &(name, id) in names {
        params.slot_mut(id).value = flat(&own["params"][name]);
    }
    let mut tape = Tape::new();
    let y = record(&mut tape, &params);
    agrees(tape.value(y), &own["y"], form);
    let (rows, cols) = tape.shape(y);
    let project = tape.input(rows, cols, &flat(&golden["project"]));
    let product = tape.mul(y, project);
    let mut grads = Grads::new(&params);
    tape.backward(&params, &[(product, 1.0)], &mut grads);
    for &(name, id) in names {
        agrees(&grads.to_dense(id, &params), &own["grads"][name], &format!("{form}: gradient of {name}"));
    }
}

#[test]
fn cohort_lora_with_private_and_with_shared_a_has_pytorchs_values_and_gradients() {
    for (form, sharing) in [("lora", Sharing::Private), ("hydra", Sharing::SharedA)] {
        let mut params = Params::<f64>::new();
        let x = params.add("x", 6, 5, vec![0.0; 30]);
        let layer = linear(&mut params, 5, 4, Activation::Relu);
        let mut lora = CohortLora::new(&mut params, &layer, &LoraConfig { sharing, ..config(2) }, 1).unwrap();
        let [zero, one] = [0, 1].map(|cohort| lora.add(&mut params, cohort).unwrap());
        let mut names = vec![("x", x), ("w", layer.w), ("b", layer.b), ("b0", zero.b), ("b1", one.b)];
        match sharing {
            Sharing::SharedA => names.push(("a", zero.a)),
            _ => names.extend([("a0", zero.a), ("a1", one.a)]),
        }
        compare(form, params, &names, |tape, params| {
            let x = tape.param(params, x);
            lora.forward(tape, params, x, &Segments::of(COHORTS), &mut Mode::score())
        });
    }
}

#[test]
fn ilora_has_pytorchs_values_and_gradients() {
    let mut params = Params::<f64>::new();
    let (x, z) = (params.add("x", 6, 5, vec![0.0; 30]), params.add("z", 6, 3, vec![0.0; 18]));
    let layer = linear(&mut params, 5, 4, Activation::Relu);
    let gate = InstanceGate::new(&mut params, "gate", (3, 2), None, 1).unwrap();
    let config = InstanceConfig {
        lora: LoraConfig { rank: 4, alpha: 6.0, ..LoraConfig::default() },
        count: 2,
        experts: Experts::Split,
        by_expert: true,
    };
    let lora = InstanceLora::new(&mut params, &layer, &config, 1).unwrap();
    let id = |name: &str| params.id(name).expect("a parameter");
    let (a, b) = (id("layer/instance/a"), id("layer/instance/b"));
    let names = [("x", x), ("z", z), ("w", layer.w), ("b", layer.b), ("gate", gate.w), ("a", a), ("bb", b)];
    compare("ilora", params, &names, |tape, params| {
        let (x, z) = (tape.param(params, x), tape.param(params, z));
        let omega = gate.forward(tape, params, z);
        lora.forward(tape, params, x, omega, &mut Mode::score())
    });
}
