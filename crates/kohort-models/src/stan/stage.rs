//! Latent stages: what a user prefers, from the fields that describe the user.
//!
//! ```text
//! U' = softmax((U·W_Q)(U·W_K)ᵀ/√d₁)·(U·W_V)   flattened    U: n_u fields × d₁;  U': [n, n_u·d₁]
//! s_k = U' ⊙ softmax(U'·W_k)                               the stage as task k sees it
//! ỹ_k = σ(s_k·w_k + b_k)                                    the preference for task k
//! ```

use kohort_core::random::stream;
use kohort_core::{Activation, Init, ParamId, Params, Real, Tape, Var};
use kohort_layers::Linear;
use serde::{Deserialize, Serialize};

/// How `U'` is made of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attention {
    /// Self-attention among the fields, as in the paper's section on the method.
    #[default]
    #[serde(rename = "self")]
    SelfAttention,
    /// A dense layer with ReLU of all fields, as in its section on the experiments.
    #[serde(rename = "dense")]
    Dense,
}

#[derive(Clone, Debug)]
enum Relate {
    Attention { q: ParamId, k: ParamId, v: ParamId, width: usize },
    Dense(Linear),
}

/// The estimator of stages.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    relate: Relate,
    tasks: Vec<(ParamId, Linear)>,
    width: usize,
}

/// What is said of some rows, for one task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// `s_k`, `[n, n_u·d₁]`.
    pub(super) stage: Var,
    /// `ỹ_k`, `[n, 1]`.
    pub(super) preference: Var,
}

impl Stage {
    /// For `fields` fields of `width` columns each.
    pub(super) fn new<F: Real>(
        params: &mut Params<F>,
        attention: Attention,
        (fields, width): (usize, usize),
        tasks: &[String],
        seed: u64,
    ) -> Stage {
        let mut square = |name: String, side: usize| {
            let value = Init::Glorot.draw(side, side, &mut stream(seed, &name, &[]));
            params.add(name, side, side, value)
        };
        let whole = fields * width;
        let relate = match attention {
            Attention::SelfAttention => {
                let [q, k, v] = ["q", "k", "v"].map(|part| square(format!("stage/{part}"), width));
                Relate::Attention { q, k, v, width }
            }
            Attention::Dense => {
                Relate::Dense(Linear::new(params, "stage/dense", whole, whole, Activation::Relu, seed))
            }
        };
        let task = |task: &String| {
            let name = format!("stage/{task}/mask");
            let value = Init::Glorot.draw(whole, whole, &mut stream(seed, &name, &[]));
            let mask = params.add(name, whole, whole, value);
            let name = format!("stage/{task}/preference");
            (mask, Linear::new(params, &name, whole, 1, Activation::Sigmoid, seed))
        };
        let tasks = tasks.iter().map(task).collect();
        Stage { relate, tasks, width: whole }
    }

    /// Width of a stage.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Fields `[n, d₁]` each to what every task sees.
    pub(super) fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        fields: &[Var],
    ) -> Vec<Seen> {
        let related = match &self.relate {
            Relate::Dense(dense) => {
                let all = tape.concat(fields);
                dense.forward(tape, params, all)
            }
            &Relate::Attention { q, k, v, width } => {
                let mut through = |w: ParamId| -> Vec<Var> {
                    fields.iter().map(|&x| tape.linear(params, x, w, None, Activation::Identity)).collect()
                };
                let (q, k, v) = (through(q), through(k), through(v));
                let mut related = Vec::with_capacity(fields.len());
                for &q in &q {
                    let scores: Vec<Var> = k.iter().map(|&k| tape.row_dot(q, k)).collect();
                    let scores = tape.concat(&scores);
                    let scores = tape.scale(scores, F::of(1.0 / (width as f64).sqrt()), F::zero());
                    let gate = tape.softmax(scores);
                    related.push(tape.mix(gate, &v));
                }
                tape.concat(&related)
            }
        };
        let task = |(mask, preference): &(ParamId, Linear)| {
            let mask = tape.linear(params, related, *mask, None, Activation::Identity);
            let mask = tape.softmax(mask);
            let stage = tape.mul(related, mask);
            Seen { stage, preference: preference.forward(tape, params, stage) }
        };
        self.tasks.iter().map(task).collect()
    }
}

#[cfg(test)]
mod tests {
    use kohort_core::{GradCheck, Grads};
    use serde_json::Value;

    use super::*;

    fn flat(value: &Value) -> Vec<f64> {
        match value {
            Value::Array(items) => items.iter().flat_map(flat).collect(),
            other => vec![other.as_f64().unwrap()],
        }
    }

    fn tasks() -> Vec<String> {
        ["click", "stay"].map(str::to_owned).to_vec()
    }

    #[test]
    fn preferences_pass_finite_differences_under_both_forms() {
        for attention in [Attention::SelfAttention, Attention::Dense] {
            let mut params = Params::<f64>::new();
            let stage = Stage::new(&mut params, attention, (3, 2), &tasks(), 4);
            let fields = [0.3, -0.8, 1.1].map(|shift| {
                let value = (0..8).map(|n| shift + 0.37 * f64::from(n % 5)).collect();
                params.add(format!("field {shift}"), 4, 2, value)
            });
            let run = |tape: &mut Tape<f64>, params: &Params<f64>| {
                let fields = fields.map(|field| tape.param(params, field));
                let seen = stage.forward(tape, params, &fields);
                tape.concat(&[seen[0].preference, seen[1].preference, seen[1].stage])
            };
            GradCheck::default().run(&params, run).expect("gradient");
        }
    }

    /// `tests/golden/stan.py` made the values.
    #[test]
    fn stages_preferences_and_their_loss_agree_with_pytorch() {
        let golden: Value = serde_json::from_str(include_str!("../../tests/golden/stan.json")).unwrap();
        let mut params = Params::<f64>::new();
        let stage = Stage::new(&mut params, Attention::SelfAttention, (3, 2), &tasks(), 1);
        for (name, value) in golden["params"].as_object().unwrap() {
            let id = params.id(name).unwrap_or_else(|| panic!("{name}"));
            params.slot_mut(id).value = flat(value);
        }
        let mut tape = Tape::new();
        let fields: Vec<Var> =
            golden["fields"].as_array().unwrap().iter().map(|f| tape.input(4, 2, &flat(f))).collect();
        let seen = stage.forward(&mut tape, &params, &fields);
        let close = |got: &[f64], want: &Value, what: &str| {
            let want = flat(want);
            assert_eq!(got.len(), want.len(), "{what}");
            assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-10), "{what}: {got:?}, {want:?}");
        };
        let mut losses = Vec::new();
        for (k, task) in tasks().iter().enumerate() {
            let of = &golden["tasks"][task];
            close(tape.value(seen[k].stage), &of["stage"], "stage");
            close(tape.value(seen[k].preference), &of["preference"], "preference");
            let label = flat(&of["label"]);
            let loss = tape.loss(kohort_core::LossKind::Squared, seen[k].preference, &label, None, 1.0);
            losses.push((loss, 1.0));
        }
        let mut grads = Grads::new(&params);
        tape.backward(&params, &losses, &mut grads);
        for (name, value) in golden["grads"].as_object().unwrap() {
            close(&grads.to_dense(params.id(name).unwrap(), &params), value, name);
        }
    }
}
