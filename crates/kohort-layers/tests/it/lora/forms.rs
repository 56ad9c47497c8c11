//! Every form: nothing changes at first, the formula holds, gradients pass finite differences, settings are checked.

use kohort_core::{GradCheck, Init};
use kohort_layers::lora::{
    BaseLayer, BasisLora, EmbeddingLora, Experts, Freeze, HierarchicalLora, InitA, InstanceConfig,
    InstanceGate, InstanceLora, Scaling, Sharing, by_cohort,
};
use kohort_layers::{Embedding, Hierarchy, UNKNOWN};

use super::*;

/// Cohorts of six rows, one of them unknown.
const ROWS: [u32; 6] = [4, 4, UNKNOWN, 1, 1, 4];

/// Regions 0 and 1, stages 2 and 3 of region 0; row 3 has no stage and row 4 no region.
fn regions() -> (Hierarchy, [u32; 6]) {
    (Hierarchy::new(vec![None, None, Some(0), Some(0)]).unwrap(), [2, 2, 3, 1, UNKNOWN, 0])
}

fn instance(experts: Experts, by_expert: bool) -> InstanceConfig {
    let lora = LoraConfig { dropout: 0.0, ..config(4) };
    InstanceConfig { lora, count: 2, experts, by_expert }
}

type Record = Box<dyn Fn(&mut Tape<f64>, &Params<f64>, &mut Mode) -> Var>;

/// Each form on one layer `[5, 4]` over the same six rows, with a name.
fn forms(params: &mut Params<f64>, act: Activation) -> Vec<(&'static str, Record)> {
    let x = numbers::<f64>(30, 5);
    let input = move |tape: &mut Tape<f64>| tape.input(6, 5, &x);
    let layer = linear(params, 5, 4, act);
    let named =
        |params: &Params<f64>, name: &str| BaseLayer { name: name.into(), ..BaseLayer::of(params, &layer) };
    let mut forms: Vec<(&'static str, Record)> = Vec::new();
    for (name, sharing) in
        [("private", Sharing::Private), ("shared a", Sharing::SharedA), ("shared b", Sharing::SharedB)]
    {
        let base = named(params, name);
        let mut lora =
            CohortLora::on(params, base, &LoraConfig { sharing, dropout: 0.4, ..config(3) }, 1).unwrap();
        for cohort in [1, 4] {
            lora.add(params, cohort).unwrap();
        }
        let input = input.clone();
        forms.push((
            name,
            Box::new(move |tape, params, mode| {
                let x = input(tape);
                lora.forward(tape, params, x, &Segments::of(ROWS), mode)
            }),
        ));
    }
    let (tree, rows) = regions();
    let lora = HierarchicalLora::new(params, &layer, &tree, &config(1), &[3, 2], 1).unwrap();
    let own = input.clone();
    forms.push((
        "hierarchical",
        Box::new(move |tape, params, mode| {
            let x = own(tape);
            lora.forward(tape, params, x, &lora.segments(&rows), mode)
        }),
    ));
    let mut lora = BasisLora::new(params, &layer, &config(2), 3, 1).unwrap();
    for cohort in [1, 4] {
        lora.add(params, cohort).unwrap();
    }
    let own = input.clone();
    forms.push((
        "basis",
        Box::new(move |tape, params, mode| {
            let x = own(tape);
            lora.forward(tape, params, x, &Segments::of(ROWS), mode)
        }),
    ));
    let gate = InstanceGate::new(params, "gate", (5, 2), None, 1).unwrap();
    for (name, config) in
        [("split", instance(Experts::Split, true)), ("heads", instance(Experts::Heads, false))]
    {
        let own_layer = Linear::new(params, name, 5, 4, act, 3);
        let lora = InstanceLora::new(params, &own_layer, &config, 1).unwrap();
        let own = input.clone();
        forms.push((
            name,
            Box::new(move |tape, params, mode| {
                let x = own(tape);
                let gate = gate.forward(tape, params, x);
                lora.forward(tape, params, x, gate, mode)
            }),
        ));
    }
    forms
}

#[test]
fn at_the_start_every_form_is_its_base() {
    let mut params = Params::<f64>::new();
    for (name, record) in forms(&mut params, Activation::Relu) {
        let mut tape = Tape::new();
        let y = record(&mut tape, &params, &mut Mode::train(stream(1, "dropout", &[])));
        let x = tape.input(6, 5, &numbers::<f64>(30, 5));
        let layer = if params.id(&format!("{name}/w")).is_some() { name } else { "layer" };
        let id = |part: &str| params.id(&format!("{layer}/{part}")).unwrap();
        let base = tape.linear(&params, x, id("w"), Some(id("b")), Activation::Relu);
        assert_eq!(tape.value(y), tape.value(base), "{name}");
    }
}

#[test]
fn every_form_passes_finite_differences_with_dropout_and_a_free_base() {
    let mut params = Params::<f64>::new();
    for (name, record) in forms(&mut params, Activation::Tanh) {
        for part in ["adapter", "basis", "instance", "gate"] {
            shake(&mut params, part);
        }
        let check = GradCheck::default()
            .run(&params, |tape, params| record(tape, params, &mut Mode::train(stream(1, "dropout", &[]))));
        assert!(check.is_ok(), "{name}: {}", check.unwrap_err());
    }
}

#[test]
fn each_row_has_the_adapters_of_its_cohort_and_of_what_that_lies_within() {
    let mut params = Params::<f64>::new();
    let layer = linear(&mut params, 5, 4, Activation::Tanh);
    let (tree, rows) = regions();
    let lora = HierarchicalLora::new(&mut params, &layer, &tree, &config(1), &[3, 2], 1).unwrap();
    shake(&mut params, "adapter");
    let x = numbers::<f64>(30, 5);
    let mut tape = Tape::new();
    let input = tape.input(6, 5, &x);
    let y = lora.forward(&mut tape, &params, input, &lora.segments(&rows), &mut Mode::score());
    for (row, &cohort) in rows.iter().enumerate() {
        let mut own = params.clone();
        for (level, &cohort) in tree.path(cohort).iter().enumerate() {
            let delta = lora.level(level).factors(&params, cohort).unwrap().dense();
            own.slot_mut(layer.w).value.iter_mut().zip(delta).for_each(|(w, d)| *w += d);
        }
        let input = tape.input(1, 5, &x[row * 5..(row + 1) * 5]);
        let want = layer.forward(&mut tape, &own, input);
        let want = tape.value(want).to_vec();
        assert!(tape.value(y)[row * 4..(row + 1) * 4].iter().zip(want).all(|(y, w)| (y - w).abs() < 1e-14));
    }
}

#[test]
fn a_mixture_of_one_adapter_is_that_adapter_and_top_1_is_the_first_of_the_gate() {
    let mut params = Params::<f64>::new();
    let layer = linear(&mut params, 5, 4, Activation::Relu);
    let mut cohort = CohortLora::new(&mut params, &layer, &config(2), 1).unwrap();
    for c in [7, 8] {
        cohort.add(&mut params, c).unwrap();
    }
    let mixture = InstanceLora::new(&mut params, &layer, &instance(Experts::Split, true), 1).unwrap();
    let mut gate = InstanceGate::new(&mut params, "gate", (5, 2), Some(1), 1).unwrap();
    for part in ["adapter", "instance", "gate"] {
        shake(&mut params, part);
    }
    // Cohort 7 has the first half of the mixture's factors, cohort 8 the second. Scales: alpha 3 over 2, alpha 6 over 4/2.
    let (a, b) = (params.id("layer/instance/a").unwrap(), params.id("layer/instance/b").unwrap());
    for (k, c) in [7, 8].into_iter().enumerate() {
        let own = cohort.get(c).unwrap();
        let halves = params.value(a).chunks_exact(4).flat_map(|row| row[2 * k..2 * k + 2].to_vec()).collect();
        params.slot_mut(own.a).value = halves;
        params.slot_mut(own.b).value =
            params.value(b)[8 * k..8 * k + 8].iter().map(|x| x * (6.0 / 2.0) / 1.5).collect();
    }
    let mut tape = Tape::new();
    let x = tape.input(6, 5, &numbers::<f64>(30, 5));
    let weights = gate.forward(&mut tape, &params, x);
    let top = mixture.forward(&mut tape, &params, x, weights, &mut Mode::score());
    let chosen: Vec<u32> =
        tape.value(weights).chunks_exact(2).map(|g| if g[0] == 1.0 { 7 } else { 8 }).collect();
    assert!(
        tape.value(weights).iter().all(|&g| g == 0.0 || g == 1.0)
            && chosen.contains(&7)
            && chosen.contains(&8)
    );
    let hard = cohort.forward(&mut tape, &params, x, &Segments::of(chosen), &mut Mode::score());
    let want = tape.value(hard).to_vec();
    close(&tape, top, &want, 1e-12);
    gate.top = None;
    let weights = gate.forward(&mut tape, &params, x);
    let soft = mixture.forward(&mut tape, &params, x, weights, &mut Mode::score());
    let weighted = cohort.forward_weighted(&mut tape, &params, x, weights, &[7, 8]).unwrap();
    let want = tape.value(soft).to_vec();
    close(&tape, weighted, &want, 1e-12);
}

#[test]
fn an_unknown_cohort_has_the_even_mixture_of_a_basis() {
    let mut params = Params::<f64>::new();
    let layer = linear(&mut params, 5, 4, Activation::Relu);
    let mut lora = BasisLora::new(&mut params, &layer, &config(2), 3, 1).unwrap();
    lora.add(&mut params, 1).unwrap();
    shake(&mut params, "basis/a");
    shake(&mut params, "basis/b");
    let run = |params: &Params<f64>, cohorts: [u32; 2]| {
        let mut tape = Tape::new();
        let x = tape.input(2, 5, &numbers::<f64>(10, 5));
        let y = lora.forward(&mut tape, params, x, &Segments::of(cohorts), &mut Mode::score());
        tape.value(y).to_vec()
    };
    let even = run(&params, [UNKNOWN, 9]);
    assert_eq!(even, run(&params, [1, 1]), "a new cohort starts with the even one");
    shake(&mut params, "basis/1");
    assert_ne!(even, run(&params, [1, 1]));
    assert_eq!(lora.weights(&params, 9), [1.0 / 3.0; 3]);
    assert!((lora.weights(&params, 1).iter().sum::<f64>() - 1.0).abs() < 1e-15);
}

#[test]
fn an_embedding_with_adapters_passes_finite_differences_and_starts_as_it_is() {
    let mut params = Params::<f64>::new();
    let embedding = Embedding::new(&mut params, "items", 5, 4, Init::Normal(1.0), 1);
    let mut lora = EmbeddingLora::new(&params, &embedding, &config(2), 1).unwrap();
    for cohort in [1, 4] {
        lora.add(&mut params, cohort).unwrap();
    }
    let ids = [0, 3, 3, 1, 0, 0];
    let record =
        |tape: &mut Tape<f64>, params: &Params<f64>| lora.forward(tape, params, &ids, &Segments::of(ROWS));
    let mut tape = Tape::new();
    let (y, base) = (record(&mut tape, &params), embedding.forward(&mut tape, &params, &ids));
    assert_eq!(tape.value(y), tape.value(base));
    shake(&mut params, "adapter");
    GradCheck::default().run(&params, record).expect("gradient");
}

#[test]
fn scales_are_those_of_the_papers() {
    let config = LoraConfig { rank: 16, alpha: 8.0, ..LoraConfig::default() };
    assert_eq!(config.scale(), 0.5);
    assert_eq!(LoraConfig { scaling: Scaling::RootRank, ..config }.scale(), 2.0);
    for (init, deviation) in [(InitA::KaimingUniform, (1.0 / 300.0f64).sqrt()), (InitA::Gaussian, 1.0 / 16.0)]
    {
        let mut params = Params::<f64>::new();
        let layer = linear(&mut params, 100, 50, Activation::Relu);
        let mut lora = CohortLora::new(&mut params, &layer, &LoraConfig { init, ..config }, 1).unwrap();
        let a = lora.add(&mut params, 1).unwrap().a;
        let mean = params.value(a).iter().map(|x| x * x).sum::<f64>() / 1600.0;
        assert!((mean.sqrt() / deviation - 1.0).abs() < 0.05, "{init:?}");
    }
}

#[test]
fn ordered_by_cohort_rows_make_one_segment_a_cohort() {
    let (order, segments) = by_cohort(&ROWS);
    assert_eq!(order, [3, 4, 0, 1, 5, 2]);
    assert_eq!((segments.cohorts, segments.offsets), (vec![1, 4, UNKNOWN], vec![0, 2, 5, 6]));
}

#[test]
fn settings_out_of_range_are_refused_by_name_value_and_what_is_allowed() {
    let mut params = Params::<f64>::new();
    let layer = linear(&mut params, 5, 4, Activation::Relu);
    let mut refused =
        |config: LoraConfig| CohortLora::new(&mut params, &layer, &config, 1).unwrap_err().to_string();
    for rank in [0, 5] {
        let message =
            format!("layer: adapter of rank {rank}, expected 1 to 4, the shorter side of its weights");
        assert_eq!(refused(config(rank)), message);
    }
    let alpha = LoraConfig { alpha: f64::NAN, ..config(2) };
    assert_eq!(refused(alpha), "layer: alpha is NaN, expected a finite number above 0");
    let dropout = LoraConfig { dropout: 1.0, ..config(2) };
    assert_eq!(refused(dropout), "layer: dropout is 1, expected a number in [0, 1)");
    let three = InstanceConfig { count: 3, ..instance(Experts::Split, true) };
    let message = InstanceLora::new(&mut params, &layer, &three, 1).unwrap_err().to_string();
    assert_eq!(message, "layer: rank is 4, expected a multiple of 3, the number of adapters");
    let message = InstanceGate::new(&mut params, "gate", (5, 2), Some(3), 1).unwrap_err().to_string();
    assert_eq!(message, "gate: top is 3, expected 1 to 2, the number of adapters");
    let tree = Hierarchy::new(vec![None, Some(0)]).unwrap();
    let ranks =
        HierarchicalLora::new(&mut params, &layer, &tree, &config(2), &[2], 1).unwrap_err().to_string();
    assert!(
        ranks.starts_with("layer: ranks is a list of 1, expected one for each of the tree's 2 levels"),
        "{ranks}"
    );
    let mut lora = CohortLora::new(&mut params, &layer, &config(2), 1).unwrap();
    lora.add(&mut params, 3).unwrap();
    assert_eq!(lora.add(&mut params, 3).unwrap_err().to_string(), "layer: cohort 3 already has an adapter");
    let mut other = CohortLora::new(&mut params, &layer, &config(2), 1).unwrap();
    let message = other.add(&mut params, 3).unwrap_err().to_string();
    assert_eq!(message, "layer/adapter/3/a: the name is taken by a parameter of the model");
    let message = lora.factors(&params, 8).unwrap_err().to_string();
    assert_eq!(message, "layer: cohort 8 has no adapter; there are 1 others");
}

#[test]
fn a_half_frozen_base_trains_its_biases_only() {
    let (mut params, lora) = stack::<f64>([1]);
    for (freeze, w, b) in
        [(Freeze::All, false, false), (Freeze::Weights, false, true), (Freeze::Nothing, true, true)]
    {
        lora.freeze(&mut params, freeze);
        let trains = |name: &str| params.slot(params.id(name).unwrap()).trainable;
        assert_eq!((trains("tower/0/w"), trains("tower/1/b")), (w, b));
        assert!(trains("tower/1/adapter/1/a"));
    }
}
