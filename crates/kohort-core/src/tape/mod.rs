//! The tape: an eager, define-by-run record of one shard's forward pass, whose backward can run any number of times.
//!
//! **Left-to-right law.** A node's inputs are recorded before it. Values and adjoints live in two flat slabs at the
//! same offsets, so a node's inputs lie to its left and one `split_at_mut` gives all borrows a kernel needs: no `Rc`,
//! no `RefCell`, no boxed closures, no `unsafe`.
//!
//! **Two-dimensional, row-major, contiguous.** No broadcasting except bias rows and gate columns, no views. Each
//! refusal removes a class of mistakes.
//!
//! **Parameters are not nodes.** Kernels read them from [`Params`], and their gradients go straight into [`Grads`](crate::Grads).
//!
//! **No second derivatives.** GradNorm and its like don't need them: their targets are constants.
//!
//! ```
//! use kohort_core::{Activation, Grads, Params, Tape};
//!
//! let mut params = Params::<f64>::new();
//! let w = params.add("w", 2, 1, vec![0.5, -1.0]);
//! let mut tape = Tape::new();
//! let x = tape.input(3, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
//! let y = tape.linear(&params, x, w, None, Activation::Identity); // [3, 1]
//! let loss = tape.sum(y);
//! assert_eq!(tape.scalar(loss), (0.5 - 2.0) + (1.5 - 4.0) + (2.5 - 6.0));
//!
//! let mut grads = Grads::new(&params);
//! tape.backward(&params, &[(loss, 1.0)], &mut grads);
//! assert_eq!(grads.to_dense(w, &params), [9.0, 12.0]); // column sums of x
//! ```

mod custom;
mod meeting;
mod ops;
mod sweep;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use custom::{Custom, Flow};
pub use ops::{Activation, Adapted, AttentionMask, Block, Focal, ListLoss, LossKind, LowRank};
pub use sweep::{Adjoint, Cut};

use crate::profile::{Key, Profile, Watch};
use crate::{ParamId, Params, Real, shape};
use ops::Op;
use sweep::Mark;

/// A value on the tape, `[rows, cols]`. `Copy`; dies at [`Tape::reset`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Var(pub(crate) u32);

/// Lists of `u32` kept on the tape: rows of a table, offsets of segments, class labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    start: u32,
    len: u32,
}

impl List {
    /// Number of entries.
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Whether there is no entry.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    fn range(self) -> Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

pub(crate) struct Node<F: Real> {
    op: Op<F>,
    rows: usize,
    cols: usize,
    at: usize,
    /// Something trainable lies below: without it no sweep visits this node.
    live: bool,
}

impl<F: Real> Node<F> {
    /// What the watch keeps this node's time under.
    fn key(&self, lists: &[u32]) -> Key {
        let mut first = None;
        self.op.each_param(lists, &mut |id| first = first.or(Some(id)));
        (self.op.name(), first)
    }

    /// Multiplications and additions of its products.
    fn flops(&self, nodes: &[Node<F>], lists: &[u32]) -> f64 {
        let shape = |x: Var| (nodes[x.0 as usize].rows, nodes[x.0 as usize].cols);
        2.0 * self.op.products(lists, &shape, (self.rows, self.cols)) as f64
    }

    fn range(&self) -> Range<usize> {
        self.at..self.at + self.rows * self.cols
    }
}

/// The record of one forward pass. Reuse it: [`Tape::reset`] keeps its memory, so recording the same shapes again
/// allocates nothing for values and adjoints.
pub struct Tape<F: Real = f32> {
    nodes: Vec<Node<F>>,
    value: Vec<F>,
    adjoint: Vec<F>,
    lists: Vec<u32>,
    scratch: Vec<F>,
    marks: Vec<Mark>,
    watch: Option<Box<Watch>>,
    top: usize,
}

impl<F: Real> Default for Tape<F> {
    fn default() -> Self {
        Tape::new()
    }
}

impl<F: Real> Tape<F> {
    /// An empty tape.
    pub fn new() -> Tape<F> {
        Tape {
            nodes: Vec::new(),
            value: Vec::new(),
            adjoint: Vec::new(),
            lists: Vec::new(),
            scratch: Vec::new(),
            marks: Vec::new(),
            watch: None,
            top: 0,
        }
    }

    /// Forgets the recording and keeps the memory. Every [`Var`] and [`List`] from before is dead.
    pub fn reset(&mut self) {
        self.lap(None);
        self.nodes.clear();
        self.lists.clear();
        self.top = 0;
    }

    /// Turns the watch on or off that says where time goes ([`crate::profile`]). It costs two looks at the clock for each op.
    pub fn profile(&mut self, on: bool) {
        self.watch = on.then(|| Box::new(Watch::new()));
    }

    /// Where time went since the watch was turned on or this was asked last; nothing where it is off.
    pub fn take_profile(&mut self, params: &Params<F>) -> Profile {
        self.watch.as_mut().map_or_else(Profile::default, |watch| watch.take(params))
    }

    /// Ends the recording of an op and begins that of the node `next`, for the watch.
    pub(crate) fn lap(&mut self, next: Option<usize>) {
        if let Some(watch) = &mut self.watch {
            watch.lap(next.map(|n| {
                let node = &self.nodes[n];
                (node.key(&self.lists), node.flops(&self.nodes, &self.lists))
            }));
        }
    }

    /// Shape `(rows, cols)` of a value.
    pub fn shape(&self, x: Var) -> (usize, usize) {
        let node = &self.nodes[x.0 as usize];
        (node.rows, node.cols)
    }

    /// A value `[rows, cols]`, row-major.
    pub fn value(&self, x: Var) -> &[F] {
        &self.value[self.nodes[x.0 as usize].range()]
    }

    /// A `[1, 1]` value in f64.
    ///
    /// # Panics
    /// If the value is not `[1, 1]`.
    #[track_caller]
    pub fn scalar(&self, x: Var) -> f64 {
        shape::same("scalar", self.shape(x), (1, 1));
        self.value(x)[0].f64()
    }

    /// Number of recorded nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The adjoint that the last sweep left at `x`, `[rows, cols]`: the derivative of its seeds' sum with respect to
    /// `x`; `None` where the sweep did not come by. For inspection: gradient norms at a representation.
    pub fn adjoint(&self, x: Var) -> Option<&[F]> {
        let n = x.0 as usize;
        let visited = self.marks.get(n).is_some_and(|&mark| mark == Mark::Reached);
        visited.then(|| &self.adjoint[self.nodes[n].range()])
    }

    /// Keeps a list of indices on the tape.
    pub fn list(&mut self, values: &[u32]) -> List {
        let start = self.lists.len() as u32;
        self.lists.extend_from_slice(values);
        List { start, len: values.len() as u32 }
    }

    /// The entries of a list.
    pub fn entries(&self, list: List) -> &[u32] {
        &self.lists[list.range()]
    }

    /// Name of the op that made `x`, for messages about values that went wrong.
    pub fn op_name(&self, x: Var) -> &'static str {
        self.nodes[x.0 as usize].op.name()
    }

    /// The first recorded value that is not finite, with the name of the op that made it. Targets are blamed last: one
    /// whose weight is 0 may be anything.
    pub fn first_non_finite(&self) -> Option<(Var, &'static str)> {
        let bad = |v: &Var| self.value(*v).iter().any(|x| !x.is_finite());
        let is_target = |v: &Var| matches!(&self.nodes[v.0 as usize].op, Op::Input(data) if data.target);
        let all = || (0..self.nodes.len() as u32).map(Var);
        let found = all().filter(|v| !is_target(v)).find(bad).or_else(|| all().find(bad));
        found.map(|v| (v, self.op_name(v)))
    }

    fn live(&self, x: Var) -> bool {
        self.nodes[x.0 as usize].live
    }

    /// Records a node whose value the caller fills next through [`Tape::fill`].
    fn push(&mut self, op: Op<F>, rows: usize, cols: usize, live: bool) -> Var {
        let at = self.top;
        self.top += rows * cols;
        if self.value.len() < self.top {
            self.value.resize(self.top, F::zero());
            self.adjoint.resize(self.top, F::zero());
        }
        self.nodes.push(Node { op, rows, cols, at, live });
        let n = self.nodes.len() - 1;
        self.lap(Some(n));
        Var(n as u32)
    }

    /// The values to the left of `first`, and what was recorded from `first` on, side by side, to write.
    fn fill_from(&mut self, first: Var) -> (Left<'_, F>, &mut [F]) {
        let (left, right) = self.value[..self.top].split_at_mut(self.nodes[first.0 as usize].at);
        (Left { nodes: &self.nodes, value: left, lists: &self.lists }, right)
    }

    /// The values to the left of `x`, and `x`'s own value to write.
    fn fill(&mut self, x: Var) -> (Left<'_, F>, &mut [F]) {
        let node = &self.nodes[x.0 as usize];
        let (left, right) = self.value.split_at_mut(node.at);
        let len = node.rows * node.cols;
        (Left { nodes: &self.nodes, value: left, lists: &self.lists }, &mut right[..len])
    }
}

/// What a forward kernel may read: everything recorded before its output.
struct Left<'a, F: Real> {
    nodes: &'a [Node<F>],
    value: &'a [F],
    lists: &'a [u32],
}

impl<'a, F: Real> Left<'a, F> {
    fn value(&self, x: Var) -> &'a [F] {
        &self.value[self.nodes[x.0 as usize].range()]
    }

    fn entries(&self, list: List) -> &'a [u32] {
        &self.lists[list.range()]
    }
}

/// Whether a parameter takes part in training.
fn trains<F: Real>(params: &Params<F>, id: ParamId) -> bool {
    params.slot(id).trainable
}
