//! Several behaviours: who viewed, carted and bought, played and played often. A graph for each, the same embeddings under all.
//!
//! After NAH-GNN ("neighbour-aware, high-hop", PLoS ONE 20(4): e0321419, 2025), which aggregates neighbours behaviour by behaviour over
//! several hops and fuses the results for the behaviour that is to be predicted. **Its equations are not public**; this is the smallest
//! model that does what its abstract says. With the propagated embeddings X_b of [`super`] on the graph of behaviour b, b = 0 the training
//! rows, `W [d, a]`, `q [a, 1]`:
//!
//! ```text
//! g_b = softmax_b( tanh(X_b·W + c)·q ),     X = Σ_b g_b ⊙ X_b
//! L   = BPR(u, i, j) + Σ_{b>0} w_b · BPR(u, i_b, j)        i_b: an item that u took in behaviour b, drawn anew in each epoch
//! ```
//!
//! Neighbours are weighed by degree, as LightGCN does, where theirs may use attention; hops are averaged. q starts at zero, so that all
//! behaviours weigh the same at first.

use kohort_core::{Activation, Init, ParamId, Params, Real, Tape, Var};
use kohort_random::stream;

use super::Config;
use crate::ModelError;

/// Pairs of a behaviour beside the training rows, numbered as these are. All of it may be learned from: keep test rows out.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour<'a> {
    /// Its name, in the log.
    pub name: &'a str,
    /// Users, `[pairs]`.
    pub user: &'a [u32],
    /// Their items, `[pairs]`.
    pub item: &'a [u32],
    /// What its own ranking loss counts beside that of the training rows; 0 to use its graph only.
    pub weight: f64,
}

impl Behaviour<'_> {
    pub(super) fn check(&self) -> Result<(), ModelError> {
        if !(self.weight >= 0.0 && self.weight.is_finite()) {
            let key = format!("weight of behaviour {}", self.name);
            return Err(ModelError::Config(format!(
                "{key} = {}: allowed is a finite number of at least 0",
                self.weight
            )));
        }
        Ok(())
    }

    /// Items by user, ascending, each once. The pairs are in range.
    pub(super) fn by_user(&self, users: usize) -> Vec<Vec<u32>> {
        let mut taken = vec![Vec::new(); users];
        self.user.iter().zip(self.item).for_each(|(&user, &item)| taken[user as usize].push(item));
        for items in &mut taken {
            items.sort_unstable();
            items.dedup();
        }
        taken
    }
}

/// The weights of behaviours.
#[derive(Clone, Debug)]
pub(super) struct Fusion {
    w: ParamId,
    c: ParamId,
    q: ParamId,
}

impl Fusion {
    pub(super) fn new(params: &mut Params, config: &Config, seed: u64) -> Fusion {
        let shape = (config.width, config.attention);
        let w = Init::Glorot.draw(shape.0, shape.1, &mut stream(seed, "lightgcn behaviours/w", &[]));
        Fusion::given(params, shape, [w, vec![0.0; shape.1], vec![0.0; shape.1]])
    }

    /// From `W [width, hidden]`, `c` and `q`.
    pub(super) fn given<F: Real>(
        params: &mut Params<F>,
        (width, hidden): (usize, usize),
        [w, c, q]: [Vec<F>; 3],
    ) -> Fusion {
        Fusion {
            w: params.add("behaviours/w", width, hidden, w),
            c: params.add("behaviours/c", 1, hidden, c),
            q: params.add("behaviours/q", hidden, 1, q),
        }
    }

    /// `X` of some nodes, `[n, width]`, from each behaviour's.
    pub(super) fn mix<F: Real>(&self, tape: &mut Tape<F>, params: &Params<F>, parts: &[Var]) -> Var {
        let logits: Vec<Var> = parts
            .iter()
            .map(|&x| {
                let h = tape.linear(params, x, self.w, Some(self.c), Activation::Tanh);
                tape.linear(params, h, self.q, None, Activation::Identity)
            })
            .collect();
        let logits = tape.concat(&logits);
        let gate = tape.softmax(logits);
        tape.mix(gate, parts)
    }

    /// The same of all nodes, `[nodes, width]`.
    pub(super) fn mixed(&self, params: &Params, parts: &[Vec<f32>], width: usize) -> Vec<f32> {
        const ROWS: usize = 1 << 10;
        let mut out = Vec::with_capacity(parts[0].len());
        let mut tape = Tape::new();
        for from in (0..parts[0].len()).step_by(ROWS * width) {
            tape.reset();
            let to = (from + ROWS * width).min(parts[0].len());
            let rows = (to - from) / width;
            let own: Vec<Var> = parts.iter().map(|part| tape.input(rows, width, &part[from..to])).collect();
            let x = self.mix(&mut tape, params, &own);
            out.extend_from_slice(tape.value(x));
        }
        out
    }
}
