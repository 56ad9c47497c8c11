//! The sequence encoder against PyTorch; `tests/golden/sequence.py` made the values.

use kohort_core::{AttentionMask, GradCheck, Grads, ParamId, Params, Tape, Var, random::stream};
use kohort_layers::{Mode, SequenceConfig, SequenceEncoder};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/sequence.json")).expect("sequence.json")
}

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        other => vec![other.as_f64().expect("a number")],
    }
}

fn ids(value: &Value) -> Vec<u32> {
    flat(value).into_iter().map(|id| id as u32).collect()
}

fn count(value: &Value) -> usize {
    value.as_u64().expect("a count") as usize
}

#[track_caller]
fn close(got: &[f64], want: &[f64], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= 1e-10 * (1.0 + w.abs()), "{what}[{i}]: {g}, PyTorch has {w}");
    }
}

/// Gradients of the output's projection for each leaf.
#[track_caller]
fn agree(case: &Value, params: &Params<f64>, tape: &mut Tape<f64>, out: Var, leaves: &[(String, ParamId)]) {
    close(tape.value(out), &flat(&case["out"]), "out");
    let (rows, cols) = tape.shape(out);
    let projection = tape.input(rows, cols, &flat(&case["projection"]));
    let product = tape.mul(out, projection);
    let loss = tape.sum(product);
    let mut grads = Grads::new(params);
    tape.backward(params, &[(loss, 1.0)], &mut grads);
    for (name, id) in leaves {
        close(&grads.to_dense(*id, params), &flat(&case["grads"][name]), name);
    }
}

#[test]
fn attention_agrees_with_pytorch_forward_and_backward() {
    let golden = golden();
    for (name, mask) in [("causal", AttentionMask::Causal), ("full", AttentionMask::Full)] {
        let case = &golden[name];
        let mut params = Params::<f64>::new();
        let leaves = ["q", "k", "v"]
            .map(|leaf| (leaf.to_owned(), params.add(leaf, 11, 6, flat(&case["leaves"][leaf]))));
        let mut tape = Tape::new();
        let [q, k, v] = [0, 1, 2].map(|n| tape.param(&params, leaves[n].1));
        let offsets = tape.list(&ids(&case["offsets"]));
        let out = tape.attention((q, k, v), offsets, count(&case["heads"]), mask);
        agree(case, &params, &mut tape, out, &leaves);
    }
}

#[test]
fn two_blocks_agree_with_pytorch_forward_and_backward() {
    let case = &golden()["encoder"];
    let config = SequenceConfig {
        items: count(&case["count"]),
        width: count(&case["width"]),
        heads: count(&case["heads"]),
        blocks: count(&case["blocks"]),
        most: count(&case["most"]),
        dropout: 0.5,
    };
    let mut params = Params::<f64>::new();
    let encoder = SequenceEncoder::new(&mut params, "s", &config, 1).expect("encoder");
    let leaves: Vec<(String, ParamId)> = params
        .ids()
        .map(|id| (params.slot(id).name.strip_prefix("s/").expect("prefix").to_owned(), id))
        .collect();
    assert_eq!(leaves.len(), case["leaves"].as_object().expect("leaves").len(), "every weight has a value");
    for (leaf, id) in &leaves {
        params.slot_mut(*id).value = flat(&case["leaves"][leaf]);
    }
    let mut tape = Tape::new();
    let (items, offsets) = (ids(&case["items"]), ids(&case["offsets"]));
    let out = encoder.forward(&mut tape, &params, &items, &offsets, &mut Mode::score());
    agree(case, &params, &mut tape, out, &leaves);
}

fn small() -> SequenceConfig {
    SequenceConfig { items: 5, width: 4, heads: 2, blocks: 1, most: 3, dropout: 0.3 }
}

#[test]
fn last_rows_pass_finite_differences_with_dropout_and_empty_lists() {
    let mut params = Params::<f64>::new();
    let encoder = SequenceEncoder::new(&mut params, "s", &small(), 1).expect("encoder");
    // Away from where they start: at 0.02 the norm's second derivative is too large for the step.
    for slot in params.slots_mut().iter_mut().filter(|slot| slot.name.ends_with("items")) {
        slot.value.iter_mut().for_each(|x| *x *= 20.0);
    }
    GradCheck::default()
        .run(&params, |tape, params| {
            let mut mode = Mode::train(stream(2, "dropout", &[]));
            let offsets = [0, 0, 3, 3, 4];
            let f = encoder.forward(tape, params, &[4, 1, 2, 1], &offsets, &mut mode);
            encoder.last(tape, f, &offsets)
        })
        .expect("gradient");
}

#[test]
fn a_list_is_represented_the_same_alone_and_among_others_and_no_list_by_zeros() {
    let mut params = Params::<f32>::new();
    let encoder = SequenceEncoder::new(&mut params, "s", &small(), 1).expect("encoder");
    let last = |items: &[u32], offsets: &[u32]| {
        let mut tape = Tape::new();
        let f = encoder.forward(&mut tape, &params, items, offsets, &mut Mode::score());
        let last = encoder.last(&mut tape, f, offsets);
        tape.value(last).to_vec()
    };
    let among = last(&[0, 3, 1, 2, 4, 4], &[0, 1, 4, 4, 6]);
    let alone = last(&[3, 1, 2], &[0, 3]);
    assert!(among[4..8].iter().zip(&alone).all(|(a, b)| (a - b).abs() < 1e-6));
    assert_eq!(among[8..12], [0.0; 4]);
    assert_eq!(last(&[], &[0, 0]), [0.0; 4]);
}

#[test]
fn a_setting_out_of_range_is_named_with_what_is_allowed() {
    let message = |config: SequenceConfig| {
        SequenceEncoder::new(&mut Params::<f32>::new(), "s", &config, 1).unwrap_err().to_string()
    };
    let least = "allowed is a whole number from 1 to";
    assert_eq!(message(SequenceConfig { items: 0, ..small() }), format!("items = 0, {least} 4294967295"));
    assert_eq!(message(SequenceConfig { width: 0, ..small() }), format!("width = 0, {least} 4096"));
    assert_eq!(message(SequenceConfig { most: 9999, ..small() }), format!("most = 9999, {least} 4096"));
    let blocks = message(SequenceConfig { blocks: 65, ..small() });
    assert_eq!(blocks, "blocks = 65, allowed is a whole number from 0 to 64");
    let heads = message(SequenceConfig { heads: 3, ..small() });
    assert_eq!(heads, "heads = 3 beside width = 4, allowed is a divisor of the width");
    let dropout = message(SequenceConfig { dropout: f64::NAN, ..small() });
    assert_eq!(dropout, "dropout = NaN, allowed is a number in [0, 1)");
}
