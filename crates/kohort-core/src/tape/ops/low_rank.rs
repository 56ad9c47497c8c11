//! A dense layer with low-rank adapters on runs of its rows: LoRA for many cohorts in one batch.
//!
//! `y[n] = act(x[n]·W + b + Σ_l s·(h[n]·A)·B)` over the adapters `(A, B, s)` whose runs hold row `n`: one of a cohort, or one of
//! each level of a hierarchy. Shapes: `x, h: [n, in]`, `W: [in, out]`, `b: [1, out]`, `A: [in, r]`, `B: [r, out]`, `y: [n, out]`;
//! `h` is `x`, or `x` after the adapters' dropout.
//! With `dz = dy ⊙ act'(y)`, and `t = h·A`, `u = s·dz·Bᵀ` over an adapter's rows: `dB = s·tᵀ·dz`, `dA = hᵀ·u`, `dh = u·Aᵀ`;
//! `dx`, `dW` and `db` are those of [`Tape::linear`]. Rows without an adapter are the base's, and an adapter without rows costs
//! nothing and moves nothing. Under a frozen base, nothing is computed that only its gradient would need.
//!
//! Source: Hu et al., "LoRA", arXiv 2106.09685, whose `B·A` acts on columns; ours are rows, so it reads `A·B`. Difference: the
//! paper has one adapter in a batch.
//!
//! The middle `t` is kept from the forward. Products go through [`gemm`]; measured for 64 rows, width 256 and rank 8 on one core
//! (AVX-512), µs for `h·A`, `t·B`, `dz·Bᵀ`, `tᵀ·dz`, `hᵀ·u`, `u·Aᵀ`: OpenBLAS 3, 3, 3, 2, 4, 4; matrixmultiply 12, 3, 12, 8, 7, 4;
//! loops over vectors, which the compiler may give SSE2 only, 7 to 20. At rank 16 loops take twice as long, and gemm hardly longer.

use super::linear::{pull_back, weight_gradient};
use super::{Activation, Block, Op, Rule};
use crate::kernels::Transpose::{No, Yes};
use crate::kernels::gemm;
use crate::tape::{Flow, Tape, Var, trains};
use crate::{ParamId, Params, Real, shape};

/// A low-rank adapter: `s·A·B` is added to a weight matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LowRank {
    /// `A: [in, r]`.
    pub a: ParamId,
    /// `B: [r, out]`.
    pub b: ParamId,
    /// `s`.
    pub scale: f64,
}

/// Which adapter serves which rows: rows `offsets[s] .. offsets[s + 1]` have `adapters[s]`, or none.
#[derive(Clone, Copy, Debug)]
pub struct Adapted<'a> {
    /// Where each segment begins, and where the last ends.
    pub offsets: &'a [u32],
    /// The adapter of each segment.
    pub adapters: &'a [Option<LowRank>],
}

impl Adapted<'_> {
    /// Segments with rows and an adapter: first row, end, adapter.
    pub(super) fn runs(&self) -> impl Iterator<Item = (usize, usize, LowRank)> {
        self.offsets.windows(2).zip(self.adapters).filter_map(|(ends, adapter)| {
            let (from, to) = (ends[0] as usize, ends[1] as usize);
            adapter.filter(|_| from < to).map(|adapter| (from, to, adapter))
        })
    }

    #[track_caller]
    pub(super) fn check(&self, op: &str, rows: usize) {
        super::gather::check_offsets(op, self.offsets, rows);
        if self.adapters.len() + 1 != self.offsets.len() {
            let (adapters, segments) = (self.adapters.len(), self.offsets.len() - 1);
            shape::fail(op, &format!("{adapters} adapters for {segments} segments"));
        }
    }
}

impl LowRank {
    /// Its rank, if it fits between `inputs` and `outputs`.
    #[track_caller]
    pub(super) fn rank<F: Real>(
        self,
        op: &str,
        params: &Params<F>,
        (inputs, outputs): (usize, usize),
    ) -> usize {
        let (a, b) = (params.slot(self.a), params.slot(self.b));
        shape::same(op, (a.rows, a.cols), (inputs, b.rows));
        shape::same(op, (b.rows, b.cols), (a.cols, outputs));
        a.cols
    }

    pub(super) fn trains<F: Real>(self, params: &Params<F>) -> bool {
        trains(params, self.a) || trains(params, self.b)
    }
}

/// Rows `from .. to` with their adapter; `t [rows, rank]` begins at `at` in the value of the op's middle.
struct Run {
    from: usize,
    to: usize,
    adapter: LowRank,
    rank: usize,
    at: usize,
}

pub(crate) struct LowRankLinear {
    x: Var,
    h: Var,
    /// `t` of all runs, one after the other.
    middle: Var,
    base: Block,
    act: Activation,
    runs: Box<[Run]>,
}

/// Holds the products `h·A` for the op that made it; nothing flows through it.
pub(crate) struct Middle;

impl<F: Real> Rule<F> for Middle {
    const NAME: &'static str = "low_rank: h·A";
    fn each_input(&self, _: &[u32], _: &mut dyn FnMut(Var)) {}
    fn backward(&self, _: &mut Flow<'_, F>) {}
}

impl<F: Real> Rule<F> for LowRankLinear {
    const NAME: &'static str = "low_rank";
    fn each_input(&self, _: &[u32], visit: &mut dyn FnMut(Var)) {
        visit(self.x);
        visit(self.h);
    }
    fn each_param(&self, _: &[u32], visit: &mut dyn FnMut(ParamId)) {
        visit(self.base.w);
        self.base.b.into_iter().for_each(&mut *visit);
        self.runs.iter().for_each(|run| [run.adapter.a, run.adapter.b].into_iter().for_each(&mut *visit));
    }
    fn products(&self, _: &[u32], shape: &dyn Fn(Var) -> (usize, usize), out: (usize, usize)) -> usize {
        let inputs = shape(self.x).1;
        let adapters = self.runs.iter().map(|run| (run.to - run.from) * run.rank * (inputs + out.1));
        out.0 * inputs * out.1 + adapters.sum::<usize>()
    }
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let (n, inputs) = flow.shape(self.x);
        let outputs = flow.output_shape().1;
        let (x, h, t) = (flow.value(self.x), flow.value(self.h), flow.value(self.middle));
        let (params, one) = (flow.params(), F::one());
        let mut scratch = std::mem::take(flow.scratch);
        let most = self.runs.iter().map(|run| (run.to - run.from) * run.rank).max().unwrap_or(0);
        scratch.resize(scratch.len().max(n * outputs + most), F::zero());
        pull_back(flow, self.act, self.base.b, &mut scratch);
        let (dz, u) = scratch.split_at_mut(n * outputs);
        weight_gradient(flow, self.base.w, (n, inputs, outputs), x, dz);
        if let Some((_, into, first)) = flow.first_into(self.x) {
            let beta = if first { F::zero() } else { one };
            gemm((No, Yes), (n, inputs, outputs), one, dz, params.value(self.base.w), beta, into);
        }
        for &Run { from, to, adapter, rank, at } in &self.runs {
            let (rows, scale) = (to - from, F::of(adapter.scale));
            let dz = &dz[from * outputs..to * outputs];
            if flow.trains(adapter.b) {
                let into = flow.grads().1.dense_mut(adapter.b, rank * outputs);
                let t = &t[at..at + rows * rank];
                gemm((Yes, No), (rank, outputs, rows), scale, t, dz, one, into);
            }
            let below = flow.wants(self.h);
            if !below && !flow.trains(adapter.a) {
                continue;
            }
            let u = &mut u[..rows * rank];
            gemm((No, Yes), (rows, rank, outputs), scale, dz, params.value(adapter.b), F::zero(), u);
            weight_gradient(flow, adapter.a, (rows, inputs, rank), &h[from * inputs..to * inputs], u);
            if let Some((_, into)) = flow.into_input(self.h) {
                let into = &mut into[from * inputs..to * inputs];
                gemm((No, Yes), (rows, inputs, rank), one, u, params.value(adapter.a), one, into);
            }
        }
        *flow.scratch = scratch;
    }
}

impl<F: Real> Tape<F> {
    /// `act(x·W + b + Σ s·(h·A)·B)`, the sum over the adapters that `adapted` gives a row: `x [n, in]` and `h [n, in]`, usually
    /// the same, give `[n, out]`.
    ///
    /// # Panics
    /// If offsets don't cover the rows, there are not as many adapters as segments, or shapes don't fit.
    #[track_caller]
    pub fn low_rank(
        &mut self,
        params: &Params<F>,
        x: Var,
        h: Var,
        base: Block,
        act: Activation,
        adapted: &[Adapted<'_>],
    ) -> Var {
        let (n, inputs) = self.shape(x);
        let weight = params.slot(base.w);
        shape::same("low_rank: inputs", self.shape(h), (n, inputs));
        if weight.rows != inputs {
            let (name, rows, cols) = (&weight.name, weight.rows, weight.cols);
            shape::fail("low_rank", &format!("x [{n}, {inputs}] times {name} [{rows}, {cols}]"));
        }
        let outputs = weight.cols;
        if let Some(b) = base.b {
            shape::same("low_rank: bias", (params.slot(b).rows, params.slot(b).cols), (1, outputs));
        }
        let (mut runs, mut length) = (Vec::new(), 0);
        for adapted in adapted {
            adapted.check("low_rank", n);
            for (from, to, adapter) in adapted.runs() {
                let rank = adapter.rank("low_rank: adapter", params, (inputs, outputs));
                runs.push(Run { from, to, adapter, rank, at: length });
                length += (to - from) * rank;
            }
        }
        let moves = runs.iter().any(|run| run.adapter.trains(params));
        let base_moves = trains(params, base.w) || base.b.is_some_and(|b| trains(params, b));
        let live = self.live(x) || self.live(h) || base_moves || moves;
        let middle = self.push(Op::LowRankMiddle(Middle), length, 1, false);
        let (left, t) = self.fill(middle);
        let values = left.value(h);
        for run in &runs {
            let (rows, a) = (run.to - run.from, params.value(run.adapter.a));
            let t = &mut t[run.at..run.at + rows * run.rank];
            let h = &values[run.from * inputs..run.to * inputs];
            gemm((No, No), (rows, run.rank, inputs), F::one(), h, a, F::zero(), t);
        }
        let op = LowRankLinear { x, h, middle, base, act, runs: runs.into() };
        let out = self.push(Op::LowRankLinear(op), n, outputs, live);
        let (left, y) = self.fill(out);
        gemm((No, No), (n, outputs, inputs), F::one(), left.value(x), &weight.value, F::zero(), y);
        let mut t = left.value(middle);
        for (from, to, adapter) in adapted.iter().flat_map(Adapted::runs) {
            let rank = params.slot(adapter.a).cols;
            let (own, rest) = t.split_at((to - from) * rank);
            let (y, b) = (&mut y[from * outputs..to * outputs], params.value(adapter.b));
            gemm((No, No), (to - from, outputs, rank), F::of(adapter.scale), own, b, F::one(), y);
            t = rest;
        }
        base.finish(params, act, y);
        out
    }
}
