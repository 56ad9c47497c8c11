//! How much each view of a node counts, decided node by node.
//!
//! A view v is a behaviour seen through a number of layers; `h_v` `[n, d]` its rows at n nodes.
//!
//! ```text
//! s_v = tanh(h_v·W + b)·q                 W [d, d], b [1, d], q [d, 1]
//! α   = softmax_v(s_v), over the views whose behaviour has an edge at the node      [n, views]
//! x   = Σ_v α_v h_v                                                                 [n, d]
//! ```
//!
//! A node without any edge counts all views alike: they are its own embedding, K + 1 times shorter.

use kohort_core::{Activation, Init, ParamId, Params, Real, Tape, Var};
use kohort_random::Stream;

/// What is added to the score of a view that has no edge at a node: `exp` of it is 0 beside any other score.
const UNREACHED: f64 = -1e9;

/// The attention's parameters, shared by all nodes and views.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attention {
    weight: ParamId,
    bias: ParamId,
    query: ParamId,
}

impl Attention {
    pub(super) fn new<F: Real>(params: &mut Params<F>, width: usize, numbers: &mut Stream) -> Attention {
        let weight = Init::Glorot.draw(width, width, numbers);
        let query = Init::Glorot.draw(width, 1, numbers);
        Attention {
            weight: params.add("attention/weight", width, width, weight),
            bias: params.add("attention/bias", 1, width, vec![F::zero(); width]),
            query: params.add("attention/query", width, 1, query),
        }
    }

    /// α and x. `reached` `[n, views]` says where a view's behaviour has an edge.
    pub(super) fn fuse<F: Real>(
        &self,
        tape: &mut Tape<F>,
        params: &Params<F>,
        views: &[Var],
        reached: &[bool],
    ) -> (Var, Var) {
        let rows = reached.len() / views.len();
        let score = |tape: &mut Tape<F>, view: &Var| {
            let hidden = tape.linear(params, *view, self.weight, Some(self.bias), Activation::Tanh);
            tape.linear(params, hidden, self.query, None, Activation::Identity)
        };
        let scores: Vec<Var> = views.iter().map(|view| score(tape, view)).collect();
        let scores = tape.concat(&scores);
        let shift: Vec<F> = reached.iter().map(|&own| F::of(if own { 0.0 } else { UNREACHED })).collect();
        let shift = tape.input(rows, views.len(), &shift);
        let scores = tape.add(scores, shift);
        let gate = tape.softmax(scores);
        (gate, tape.mix(gate, views))
    }
}
