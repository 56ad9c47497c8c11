//! Gates: how much of each expert a row gets, `g = softmax(x·W_g)`, one linear layer without a hidden one, as in Ma et al.
//! ("Modeling task relationships in multi-task learning with multi-gate mixture-of-experts", KDD 2018).
//!
//! **Sparse** (Shazeer et al., "Outrageously large neural networks: the sparsely-gated mixture-of-experts layer", ICLR 2017,
//! arXiv 1701.06538): softmax over the `k` largest logits, 0 elsewhere. **Noisy**: in training the choice is made from
//! `h = x·W_g + ε ⊙ s`, `s = softplus(x·W_n) + 0.01`, `ε ~ N(0, 1)`, so that the expected load of an expert has a gradient
//! (see [`balance::load`](super::balance::load)). The 0.01 is theirs in code, not in the paper's formula. Where they start both
//! matrices at zero, `W_g` starts at Glorot's here and `W_n` at zero.
//!
//! **Dropout** (Zhao et al., "Recommending what video to watch next: a multitask ranking system", RecSys 2019): a gate that
//! leans on one expert is made to do without it. An expert's weight becomes 0 with some probability and the others are
//! scaled to sum to 1 again; if none would be left, all stay. Whether they draw per row or per batch is not published; here it is
//! per row. For a sparse gate the choice is among what is left.

use kohort_core::random::rand::Rng;
use kohort_core::random::stream;
use kohort_core::{Activation, Init, ParamId, Params, Real, Tape, Var};
use serde::{Deserialize, Serialize};

use super::error::{at_least_one, require};
use super::{ExpertError, balance};
use crate::Mode;

/// Added to the logit of an expert that a row must not use: its weight is exactly 0, in either precision, and so is its
/// gradient. Finite, so that sums with it are numbers.
pub const MASKED: f64 = -1e30;

/// How many experts a row gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Routing {
    /// All of them.
    #[default]
    Dense,
    /// Those with the `k` largest logits.
    TopK {
        /// How many.
        k: usize,
    },
    /// Those with the `k` largest logits, which in training carry noise.
    NoisyTopK {
        /// How many.
        k: usize,
    },
}

impl Routing {
    /// Experts per row, where that is limited.
    pub fn k(self) -> Option<usize> {
        match self {
            Routing::Dense => None,
            Routing::TopK { k } | Routing::NoisyTopK { k } => Some(k),
        }
    }
}

/// Habits of a [`Gate`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateConfig {
    /// How many experts a row gets.
    pub routing: Routing,
    /// Whether the logits have a bias; the papers have none.
    pub bias: bool,
    /// Probability that a row has to do without an expert, in [0, 1); in training only.
    pub dropout: f64,
}

/// A softmax over experts, from one linear layer.
#[derive(Clone, Debug)]
pub struct Gate {
    w: ParamId,
    b: Option<ParamId>,
    noise: Option<ParamId>,
    routing: Routing,
    dropout: f64,
    experts: usize,
}

/// What a gate says of some rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gated {
    /// Weight of each expert, `[n, experts]`; rows sum to 1.
    pub gate: Var,
    /// The logits behind, `[n, experts]`, without noise: for [`balance::router_z`].
    pub logits: Var,
    /// Expected number of rows that choose each expert, `[1, experts]`; only from noisy gates in training.
    pub load: Option<Var>,
}

impl Gate {
    /// Adds `name/w`, and `name/b` and `name/noise` where wanted.
    ///
    /// # Errors
    /// No expert, more experts per row than there are, none per row, or a dropout rate outside [0, 1).
    pub fn new<F: Real>(
        params: &mut Params<F>,
        name: &str,
        inputs: usize,
        experts: usize,
        config: &GateConfig,
        seed: u64,
    ) -> Result<Gate, ExpertError> {
        at_least_one("experts", experts)?;
        if let Some(k) = config.routing.k() {
            require((1..=experts).contains(&k), "k", k, format!("1 to {experts}, the number of experts"))?;
        }
        let dropout = config.dropout;
        require((0.0..1.0).contains(&dropout), "gate dropout", dropout, "0 or more, below 1")?;
        let name_w = format!("{name}/w");
        let w = Init::Glorot.draw(inputs, experts, &mut stream(seed, &name_w, &[]));
        let zeros = |count: usize| vec![F::zero(); count];
        let w = params.add(name_w, inputs, experts, w);
        let b = config.bias.then(|| params.add(format!("{name}/b"), 1, experts, zeros(experts)));
        let noisy = matches!(config.routing, Routing::NoisyTopK { .. });
        let noise =
            noisy.then(|| params.add(format!("{name}/noise"), inputs, experts, zeros(inputs * experts)));
        Ok(Gate { w, b, noise, routing: config.routing, dropout, experts })
    }

    /// Number of experts.
    pub fn experts(&self) -> usize {
        self.experts
    }

    /// `x [n, in]` to weights. `prior [n, experts]` is added to the logits: a lean toward some experts, or [`MASKED`].
    #[track_caller]
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        x: Var,
        prior: Option<Var>,
        mode: &mut Mode,
    ) -> Gated {
        let mut logits = tape.linear(params, x, self.w, self.b, Activation::Identity);
        if let Some(prior) = prior {
            logits = tape.add(logits, prior);
        }
        let kept = self.drop(tape, logits, prior, mode);
        match self.routing {
            Routing::Dense => Gated { gate: tape.softmax(kept), logits, load: None },
            Routing::TopK { k } => Gated { gate: tape.top_k_softmax(kept, k), logits, load: None },
            Routing::NoisyTopK { k } => {
                let (n, experts) = tape.shape(kept);
                let noise = self.noise.zip(mode.normal(tape, n, experts));
                let Some((w, epsilon)) = noise else {
                    return Gated { gate: tape.top_k_softmax(kept, k), logits, load: None };
                };
                let deviation = tape.linear(params, x, w, None, Activation::Softplus);
                let deviation = tape.scale(deviation, F::one(), F::of(0.01));
                let noise = tape.mul(deviation, epsilon);
                let noisy = tape.add(kept, noise);
                let load = balance::expected_load(tape, params, (kept, noisy, deviation), k);
                Gated { gate: tape.top_k_softmax(noisy, k), logits, load: Some(load) }
            }
        }
    }

    /// The logits, in training with some masked: softmax over the rest is the gate with some weights 0 and the others
    /// scaled to sum to 1.
    fn drop<F: Real>(&self, tape: &mut Tape<F>, logits: Var, prior: Option<Var>, mode: &mut Mode) -> Var {
        let Some(stream) = mode.stream().filter(|_| self.dropout > 0.0) else { return logits };
        let (n, experts) = tape.shape(logits);
        let masked = F::of(MASKED);
        let mut mask: Vec<F> = (0..n * experts)
            .map(|_| if stream.random_bool(self.dropout) { masked } else { F::zero() })
            .collect();
        for (row, mask) in mask.chunks_exact_mut(experts).enumerate() {
            let open = |e: usize| {
                prior.is_none_or(|prior| tape.value(prior)[row * experts + e].f64() > 0.5 * MASKED)
            };
            if !mask.iter().enumerate().any(|(e, &m)| m == F::zero() && open(e)) {
                mask.fill(F::zero());
            }
        }
        let mask = tape.input(n, experts, &mask);
        tape.add(logits, mask)
    }
}
