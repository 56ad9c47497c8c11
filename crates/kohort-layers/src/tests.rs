use super::*;
use kohort_core::random::stream;
use kohort_core::{Activation, GradCheck, Init, Params, Tape};

#[test]
fn a_normed_mlp_with_dropout_passes_finite_differences() {
    let mut params = Params::<f64>::new();
    let config =
        MlpConfig { widths: vec![5, 3], activation: Activation::Tanh, dropout: 0.3, layer_norm: true };
    let mlp = Mlp::new(&mut params, "mlp", 4, &config, 1);
    let x: Vec<f64> = (0..12).map(|i| (f64::from(i) * 0.7).sin()).collect();
    GradCheck::default()
        .run(&params, |tape, params| {
            let x = tape.input(3, 4, &x);
            mlp.forward(tape, params, x, &mut Mode::train(stream(2, "dropout", &[])))
        })
        .expect("gradient");
}

#[test]
fn attentions_pass_finite_differences_in_every_form() {
    for scale in [GateScale::Width, GateScale::Paper, GateScale::Sigmoid] {
        let mut params = Params::<f64>::new();
        let table = Embedding::new(&mut params, "table", 5, 3, Init::Normal(1.0), 1);
        let gate = GateAttention::new(&mut params, "gate", (3, 3), scale, 1);
        GradCheck::default()
            .run(&params, |tape, params| {
                let user = table.forward(tape, params, &[0, 1]);
                let item = table.forward(tape, params, &[2, 3]);
                gate.forward(tape, params, user, item).0
            })
            .expect("gradient");
    }
    let mut params = Params::<f64>::new();
    let table = Embedding::new(&mut params, "table", 6, 3, Init::Normal(1.0), 1);
    let members = MemberAttention::new(&mut params, "members", (3, 3), 4, 1);
    GradCheck::default()
        .run(&params, |tape, params| {
            let member = table.forward(tape, params, &[0, 1, 2, 1]);
            let item = table.forward(tape, params, &[3, 4, 5]);
            let offsets = tape.list(&[0, 3, 3, 4]);
            members.forward(tape, params, member, item, offsets).0
        })
        .expect("gradient");
}

/// The pitfall: a plain softmax gate makes the item `d_i` times smaller.
#[test]
fn a_uniform_gate_is_no_gate_when_scaled_by_its_width_and_shrinks_the_item_otherwise() {
    for (scale, expected) in [(GateScale::Width, 1.0), (GateScale::Sigmoid, 1.0), (GateScale::Paper, 0.25)] {
        let mut params = Params::<f64>::new();
        let gate = GateAttention::new(&mut params, "gate", (2, 4), scale, 1);
        params.slots_mut().iter_mut().for_each(|s| s.value.fill(0.0));
        let mut tape = Tape::new();
        let user = tape.input(1, 2, &[1.0, 2.0]);
        let item = tape.input(1, 4, &[1.0, -2.0, 3.0, 4.0]);
        let (gated, _) = gate.forward(&mut tape, &params, user, item);
        let want: Vec<f64> = [1.0, -2.0, 3.0, 4.0].iter().map(|x| x * expected).collect();
        assert_eq!(tape.value(gated), want);
    }
}

#[test]
fn the_encoder_puts_every_kind_of_column_side_by_side() {
    let table = Table {
        columns: vec![
            ("job".into(), Field::Categorical(3), FieldValues::Categorical(vec![2, 0])),
            ("age".into(), Field::Numeric, FieldValues::Numeric(vec![0.5, -1.5])),
            (
                "genres".into(),
                Field::MultiHot(4),
                FieldValues::MultiHot { codes: vec![1, 3], offsets: vec![0, 0, 2] },
            ),
            ("text".into(), Field::Dense(2), FieldValues::Dense(vec![1.0, 2.0, 3.0, 4.0])),
        ],
    };
    let mut params = Params::<f64>::new();
    let encoder = Encoder::new(&mut params, "user", &table, &EncoderConfig::default(), 1);
    assert_eq!(encoder.width(), 3 + 1 + 4 + 2);
    let mut tape = Tape::new();
    let x = encoder.forward(&mut tape, &params, &table, &[1, 0]).expect("columns");
    let (first, second) = tape.value(x).split_at(10);
    let job = params.id("user/job").expect("job");
    let genres = params.id("user/genres").expect("genres");
    assert_eq!(&first[..3], params.row(job, 0));
    assert_eq!(first[3], -1.5);
    for c in 0..4 {
        assert_eq!(first[4 + c], 0.5 * params.row(genres, 1)[c] + 0.5 * params.row(genres, 3)[c]);
    }
    assert_eq!(&first[8..], [3.0, 4.0]);
    assert_eq!(&second[4..8], [0.0; 4], "no genre, no vector");
    GradCheck::default()
        .run(&params, |tape, params| encoder.forward(tape, params, &table, &[1, 0, 1]).expect("columns"))
        .expect("gradient");
}

#[test]
fn pooling_weighs_a_bag_as_it_says() {
    for (pooling, factor) in [(Pooling::Sum, 1.0), (Pooling::Mean, 0.25), (Pooling::Root, 0.5)] {
        let mut params = Params::<f64>::new();
        let bag = EmbeddingBag::new(&mut params, "bag", 3, 2, pooling, Init::Constant(2.0), 1);
        let mut tape = Tape::new();
        let bags = Bags { ids: &[0, 1, 2, 2], offsets: &[0, 4], weight: None };
        let x = bag.forward(&mut tape, &params, bags);
        assert_eq!(tape.value(x), [8.0 * factor; 2]);
    }
}
