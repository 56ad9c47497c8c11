//! Several networks side by side that read the same values: `y_g = act(… act(x·W_{1,g} + b_{1,g}) …·W_{L,g} + b_{L,g})`.
//!
//! Shapes: `x: [n, in]`, `W_1: [in, G·h_1]`, `W_l: [G·h_{l−1}, h_l]`, `b_l: [1, G·h_l]`, `y: [n, G·h_L]`; group `g` owns columns of the first
//! weights and rows of the others. The same function as a [`Tape::linear`] and a [`Tape::grouped_linear`] for each further layer, but
//! network by network and some rows at a time: a network's hidden values, forward and backward, then stay in a core's second cache,
//! where layer by layer all networks' values would pass through memory several times.
//! With `dz_l = dy_l ⊙ act'(y_l)`, by group: `dW_l = y_{l−1}ᵀ·dz_l`, `db_l = Σ_n dz_l[n]`, `dy_{l−1} = dz_l·W_lᵀ`, `dx = Σ_g dz_1·W_1ᵀ`.

use super::blocks::{id, raw};
use super::linear::add_rows;
use super::{Activation, Block, Op, Rule};
use crate::kernels::{Transpose, gemm_strided, gemm_then, wide};
use crate::tape::{Flow, List, Tape, Var, trains};
use crate::{ParamId, Params, Real, shape};

/// Rows that go through a network at a time.
const ROWS: usize = 512;

pub(crate) struct GroupedStack {
    x: Var,
    /// Hidden values of the layers but the last, one after another from here on.
    hidden: Var,
    /// Weights and bias of each layer, by turns.
    ids: List,
    groups: usize,
    act: Activation,
}

/// Holds the hidden values of a layer for the op that made them, group by group `[n, h]`; nothing flows through it.
pub(crate) struct Hidden;

impl<F: Real> Rule<F> for Hidden {
    const NAME: &'static str = "grouped_stack: hidden values";
    fn each_input(&self, _: &[u32], _: &mut dyn FnMut(Var)) {}
    fn backward(&self, _: &mut Flow<'_, F>) {}
}

/// One layer's weights and bias, and its widths.
#[derive(Clone, Copy)]
struct Layer {
    at: usize,
    w: ParamId,
    b: Option<ParamId>,
    inputs: usize,
    outputs: usize,
}

/// The layers of a list of ids.
fn layers<F: Real>(
    ids: &[u32],
    params: &Params<F>,
    groups: usize,
) -> impl DoubleEndedIterator<Item = Layer> + Clone {
    ids.chunks_exact(2).enumerate().map(move |(at, pair)| {
        let w = ParamId(pair[0]);
        let (rows, cols) = (params.slot(w).rows, params.slot(w).cols);
        let (inputs, outputs) = if at == 0 { (rows, cols / groups) } else { (rows / groups, cols) };
        Layer { at, w, b: id(pair[1]), inputs, outputs }
    })
}

impl Layer {
    /// A group's part of something shaped like the weights, and the distance between its rows.
    fn part<F>(self, w: &[F], group: usize, groups: usize) -> (&[F], usize) {
        match self.at {
            0 => (&w[group * self.outputs..], groups * self.outputs),
            _ => (&w[group * self.inputs * self.outputs..], self.outputs),
        }
    }

    fn part_mut<F>(self, w: &mut [F], group: usize, groups: usize) -> (&mut [F], usize) {
        match self.at {
            0 => (&mut w[group * self.outputs..], groups * self.outputs),
            _ => (&mut w[group * self.inputs * self.outputs..], self.outputs),
        }
    }
}

/// Rows `from..to` of the shard, at most [`ROWS`] of them, in their order.
fn spans(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).step_by(ROWS).map(move |from| (from, (from + ROWS).min(n)))
}

impl<F: Real> Rule<F> for GroupedStack {
    const NAME: &'static str = "grouped_stack";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
    }
    fn each_param(&self, lists: &[u32], visit: &mut dyn FnMut(ParamId)) {
        lists[self.ids.range()].iter().copied().filter_map(id).for_each(visit);
    }
    fn products(&self, _: &[u32], shape: &dyn Fn(Var) -> (usize, usize), out: (usize, usize)) -> usize {
        // Each layer's columns by what one group reads of the columns before.
        let depth = self.ids.len() / 2;
        let hidden =
            |at: usize| if at + 1 == depth { out.1 } else { shape(Var(self.hidden.0 + at as u32)).1 };
        let deeper = (1..depth).map(|at| hidden(at - 1) / self.groups * hidden(at));
        out.0 * (shape(self.x).1 * hidden(0) + deeper.sum::<usize>())
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (n, inputs) = flow.shape(self.x);
        let (params, ids, groups) = (flow.params(), flow.entries(self.ids), self.groups);
        if n == 0 {
            return;
        }
        let layers = layers(ids, params, groups);
        let widest = layers.clone().map(|layer| layer.outputs).max().unwrap_or(0);
        let one = F::one();
        let beta = |first: bool| if first { F::zero() } else { one };
        let mut scratch = std::mem::take(flow.scratch);
        let half = n.min(ROWS) * widest;
        scratch.resize(scratch.len().max(2 * half), F::zero());
        let (mut dz, mut below) = scratch.split_at_mut(half);
        // Which layers have no gradient yet, and what the lowest is that has to be reached.
        let mut fresh: u64 = 0;
        for layer in layers.clone() {
            if flow.trains(layer.w) {
                let first = flow.grads().1.first_dense(layer.w, params.value(layer.w).len()).1;
                fresh |= u64::from(first) << layer.at;
            }
        }
        let reached = |layer: &Layer| flow.trains(layer.w) || layer.b.is_some_and(|b| flow.trains(b));
        let into_x = flow.wants(self.x);
        let lowest =
            if into_x { 0 } else { layers.clone().find(reached).map_or(usize::MAX, |layer| layer.at) };
        for (from, to) in spans(n) {
            let rows = to - from;
            for group in 0..groups {
                for layer in layers.clone().rev() {
                    let Layer { at, w, b, inputs: wide_in, outputs } = layer;
                    if at < lowest {
                        break;
                    }
                    if at + 1 == ids.len() / 2 {
                        self.pull_back(flow, from, group, &mut dz[..rows * outputs]);
                    }
                    let dz_here = &dz[..rows * outputs];
                    let (x, lda) = match at {
                        0 => (&flow.value(self.x)[from * inputs..], inputs),
                        _ => {
                            let hidden = flow.value(Var(self.hidden.0 + at as u32 - 1));
                            (&hidden[(group * n + from) * wide_in..], wide_in)
                        }
                    };
                    if flow.trains(w) {
                        let (into, _) = flow.grads().1.first_dense(w, params.value(w).len());
                        let into = layer.part_mut(into, group, groups);
                        gemm_strided(
                            (Transpose::Yes, Transpose::No),
                            (wide_in, outputs, rows),
                            one,
                            (x, lda),
                            (dz_here, outputs),
                            beta(from == 0 && fresh >> at & 1 == 1),
                            into,
                        );
                    }
                    if let Some(b) = b.filter(|&b| flow.trains(b)) {
                        let into = flow.grads().1.dense_mut(b, groups * outputs);
                        add_rows(&mut into[group * outputs..][..outputs], dz_here);
                    }
                    let weights = layer.part(params.value(w), group, groups);
                    let product = (rows, wide_in, outputs);
                    if at > lowest {
                        let act = self.act;
                        gemm_then(
                            (Transpose::No, Transpose::Yes),
                            product,
                            one,
                            (dz_here, outputs),
                            weights,
                            F::zero(),
                            (&mut below[..rows * wide_in], wide_in),
                            #[inline(always)]
                            |row, col, d| act.pull_back_here(&x[row * wide_in + col..][..d.len()], d),
                        );
                        std::mem::swap(&mut dz, &mut below);
                    } else if at == 0
                        && let Some((_, into)) = flow.into_input(self.x)
                    {
                        gemm_strided(
                            (Transpose::No, Transpose::Yes),
                            product,
                            one,
                            (dz_here, outputs),
                            weights,
                            one,
                            (&mut into[from * inputs..to * inputs], inputs),
                        );
                    }
                }
            }
        }
        *flow.scratch = scratch;
    }
}

impl GroupedStack {
    /// `dz = dy ⊙ act'(y)` of a group's last layer, `[rows, out]`, for rows from `from` on: they lie among the columns of all groups.
    fn pull_back<F: Real>(&self, flow: &Flow<'_, F>, from: usize, group: usize, dz: &mut [F]) {
        let (y, dy, all) = (flow.output(), flow.adjoint(), flow.output_shape().1);
        let outputs = all / self.groups;
        wide(
            #[inline(always)]
            || {
                for (r, dz) in dz.chunks_exact_mut(outputs).enumerate() {
                    let own = (from + r) * all + group * outputs..;
                    dz.copy_from_slice(&dy[own.clone()][..outputs]);
                    self.act.pull_back_here(&y[own][..outputs], dz);
                }
            },
        );
    }
}

impl<F: Real> Tape<F> {
    /// `groups` networks with these layers that all read `x [n, in]`, giving `[n, groups·out]`. The first weights are
    /// `[in, groups·h]`, the others `[groups·in, out]`; biases `[1, groups·out]`.
    ///
    /// # Panics
    /// If the shapes don't fit, or there is no layer or no group, or more than 64 layers.
    #[track_caller]
    pub fn grouped_stack(
        &mut self,
        params: &Params<F>,
        x: Var,
        stack: &[Block],
        groups: usize,
        act: Activation,
    ) -> Var {
        let (n, inputs) = self.shape(x);
        if groups == 0 || stack.is_empty() || stack.len() > 64 {
            shape::fail("grouped_stack", &format!("{groups} groups of {} layers", stack.len()));
        }
        let mut live = self.live(x);
        let start = self.lists.len() as u32;
        for block in stack {
            live |= trains(params, block.w) || block.b.is_some_and(|b| trains(params, b));
            self.lists.extend([block.w.0, raw(block.b)]);
        }
        let list = List { start, len: 2 * stack.len() as u32 };
        let mut before = inputs;
        let hidden = Var(self.nodes.len() as u32);
        for at in 0..stack.len() {
            let slot = params.slot(stack[at].w);
            let (rows, cols) = if at == 0 { (before, slot.cols) } else { (groups * before, slot.cols) };
            let divides = at > 0 || slot.cols.is_multiple_of(groups);
            if (slot.rows, slot.cols) != (rows, cols) || !divides || slot.cols == 0 {
                let (name, r, c) = (&slot.name, slot.rows, slot.cols);
                shape::fail(
                    "grouped_stack",
                    &format!("{name} [{r}, {c}] after {before} columns in {groups} groups"),
                );
            }
            before = if at == 0 { cols / groups } else { cols };
            if let Some(b) = stack[at].b.map(|b| params.slot(b)) {
                shape::same("grouped_stack: bias", (b.rows, b.cols), (1, groups * before));
            }
            if at + 1 < stack.len() {
                self.push(Op::GroupedHidden(Hidden), n, groups * before, false);
            }
        }
        let op = GroupedStack { x, hidden, ids: list, groups, act };
        let out = self.push(Op::GroupedStack(op), n, groups * before, live);
        let (left, right) = self.fill_from(hidden);
        let (x, layers) = (left.value(x), layers(left.entries(list), params, groups));
        for (from, to) in spans(n) {
            for group in 0..groups {
                // A layer's values begin where those of the layers before end.
                let mut begin = 0;
                for layer in layers.clone() {
                    let Layer { at, w, b, inputs, outputs } = layer;
                    let size = n * groups * outputs;
                    let last = at + 1 == stack.len();
                    let (before, own) = right[..begin + size].split_at_mut(begin);
                    let a = match at {
                        0 => &x[from * inputs..],
                        _ => &before[begin - n * groups * inputs..][(group * n + from) * inputs..],
                    };
                    let c = match last {
                        true => (&mut own[from * groups * outputs + group * outputs..], groups * outputs),
                        false => (&mut own[(group * n + from) * outputs..], outputs),
                    };
                    let bias = b.map(|b| &params.value(b)[group * outputs..][..outputs]);
                    gemm_then(
                        (Transpose::No, Transpose::No),
                        (to - from, outputs, inputs),
                        F::one(),
                        (a, inputs),
                        layer.part(params.value(w), group, groups),
                        F::zero(),
                        c,
                        #[inline(always)]
                        |_, col, y| act.finish(bias, col, y),
                    );
                    begin += size;
                }
            }
        }
        out
    }
}
