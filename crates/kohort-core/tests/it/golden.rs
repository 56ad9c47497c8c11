//! Values from PyTorch; `tests/golden/make.py` made them.

use kohort_core::optim::{Adagrad, Adam, AdamW, Optimizer, Rule, Sgd, Tables};
use kohort_core::{Activation, Focal, Grads, ListLoss, LossKind, Params, Tape};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/golden.json")).expect("golden.json")
}

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
        assert!((g - w).abs() <= 1e-10 * (1.0 + w.abs()), "{what}[{i}]: {g}, PyTorch has {w}");
    }
}

#[test]
fn optimisers_follow_pytorch_for_ten_steps() {
    let golden = golden();
    for (name, rule) in [
        ("sgd", Rule::Sgd(Sgd::default())),
        ("sgd-momentum", Rule::Sgd(Sgd { momentum: 0.9 })),
        ("adam", Rule::Adam(Adam::default())),
        ("adamw", Rule::AdamW(AdamW::default())),
        ("adagrad", Rule::Adagrad(Adagrad::default())),
    ] {
        let mut params = Params::<f64>::new();
        let p = params.add("p", 1, 4, vec![0.5, -1.0, 2.0, 0.0]);
        params.slot_mut(p).decay = 0.01;
        let mut optimizer = Optimizer::new(&params, rule, Tables::AllRows);
        for t in 0..10 {
            let mut grads = Grads::new(&params);
            let sign = if t % 2 == 0 { 1.0 } else { -1.0 };
            grads.dense_mut(p, 4).copy_from_slice(&[1.0, -0.5, 0.25 * f64::from(t), sign]);
            optimizer.step(&mut params, &grads, 0.1);
            close(params.value(p), &flat(&golden["optimisers"][name][t as usize]), name);
        }
    }
}

#[test]
fn touched_rows_adam_is_pytorchs_sparse_adam_and_all_rows_adam_is_not() {
    let table_after = |tables| {
        let mut params = Params::<f64>::new();
        let table = params.add_table("t", 3, 2, vec![0.5, -1.0, 2.0, 0.25, 1.0, 1.0]);
        // PyTorch adds SparseAdam's epsilon before the bias correction, Adam's after it: take it out of both.
        let rule = Rule::Adam(Adam { epsilon: 1e-30, ..Adam::default() });
        let mut optimizer = Optimizer::new(&params, rule, tables);
        let mut tape = Tape::new();
        for rows in [&[0u32, 1][..], &[1], &[1, 1], &[2], &[0]] {
            tape.reset();
            let x = tape.gather(&params, table, rows);
            let squares = tape.mul(x, x);
            let loss = tape.sum(squares);
            let mut grads = Grads::new(&params);
            tape.backward(&params, &[(loss, 1.0)], &mut grads);
            optimizer.step(&mut params, &grads, 0.1);
        }
        params.value(table).to_vec()
    };
    let sparse = flat(&golden()["sparse_adam"]);
    close(&table_after(Tables::TouchedRows), &sparse, "sparse adam");
    let faithful = table_after(Tables::AllRows);
    assert!(faithful.iter().zip(&sparse).any(|(a, b)| (a - b).abs() > 1e-3), "two algorithms, not one");
}

#[test]
fn a_net_with_layer_norm_gates_and_all_losses_agrees_with_pytorch() {
    let net = &golden()["net"];
    let mut params = Params::<f64>::new();
    let names = ["w1", "b1", "gain", "shift", "e1", "e2", "gate", "head"];
    let ids = names.map(|name| {
        let rows = net["leaves"][name].as_array().expect("rows");
        let cols = rows[0].as_array().expect("columns").len();
        params.add(name, rows.len(), cols, flat(&net["leaves"][name]))
    });
    let [w1, b1, gain, shift, e1, e2, gate, head] = ids;

    let mut tape = Tape::new();
    let x = tape.input(5, 4, &flat(&net["x"]));
    let h = tape.linear(&params, x, w1, Some(b1), Activation::Tanh);
    let h = tape.layer_norm(&params, h, gain, shift, 1e-5);
    let logits = tape.linear(&params, h, gate, None, Activation::Identity);
    let g = tape.softmax(logits);
    let experts = [
        tape.linear(&params, h, e1, None, Activation::Relu),
        tape.linear(&params, h, e2, None, Activation::Sigmoid),
    ];
    let mixed = tape.mix(g, &experts);
    let out = tape.linear(&params, mixed, head, None, Activation::Identity);
    close(tape.value(out), &flat(&net["out"]), "output");

    let (target, binary, weight) = (flat(&net["target"]), flat(&net["binary"]), flat(&net["weight"]));
    let classes: Vec<u32> = flat(&net["classes"]).iter().map(|&c| c as u32).collect();
    let losses = [
        ("squared", tape.loss(LossKind::Squared, out, &target, Some(&weight), 0.2)),
        ("absolute", tape.loss(LossKind::Absolute, out, &target, Some(&weight), 0.2)),
        ("logistic", tape.loss(LossKind::Logistic, out, &binary, Some(&weight), 0.2)),
        ("cross_entropy", tape.cross_entropy(out, &classes, Some(&weight), 0.2)),
    ];
    for (name, loss) in losses {
        close(&[tape.scalar(loss)], &[net["losses"][name].as_f64().expect("loss")], name);
    }
    let mut grads = Grads::new(&params);
    tape.backward(&params, &losses.map(|(_, loss)| (loss, 1.0)), &mut grads);
    for (name, id) in names.into_iter().zip(ids) {
        close(&grads.to_dense(id, &params), &flat(&net["grads"][name]), name);
    }
}

#[test]
fn losses_within_lists_and_the_focal_loss_agree_with_pytorch() {
    let golden: Value = serde_json::from_str(include_str!("../golden/lists.json")).expect("lists.json");
    let mut params = Params::<f64>::new();
    let id = params.add("s", 9, 1, flat(&golden["scores"]));
    let rows: Vec<u32> = flat(&golden["lists"]).iter().map(|&row| row as u32).collect();
    let (target, weight) = (flat(&golden["target"]), flat(&golden["weight"]));
    let check = |name: &str, record: &dyn Fn(&mut Tape<f64>, kohort_core::Var) -> kohort_core::Var| {
        let found = &golden["found"][name];
        let mut tape = Tape::new();
        let s = tape.param(&params, id);
        let loss = record(&mut tape, s);
        close(&[tape.scalar(loss)], &[found["loss"].as_f64().expect("loss")], name);
        let mut grads = Grads::new(&params);
        tape.backward(&params, &[(loss, 1.0)], &mut grads);
        close(&grads.to_dense(id, &params), &flat(&found["slope"]), name);
    };
    for kind in ["softmax", "sigmoid", "list-mle", "bpr", "hinge", "lambda"] {
        let loss: ListLoss = serde_json::from_value(Value::from(kind)).expect(kind);
        check(kind, &|tape, s| tape.list_loss(loss, s, &target, &rows, &[0, 4, 9], Some(&weight), 0.4));
    }
    let binary = flat(&golden["binary"]);
    check("focal", &|tape, s| tape.focal(Focal::default(), s, &binary, None, 0.4));
}
