//! The open door: an op of one's own.

use super::{List, Mark, Node, Tape, Var};
use crate::{Grads, ParamId, Params, Real};

/// An op that another crate adds. Its forward value is computed by whoever records it (see [`Tape::custom`]); this
/// trait holds what the backward needs.
///
/// An op that two crates want should move into the engine's own list.
pub trait Custom<F: Real>: Send {
    /// Name in messages.
    fn name(&self) -> &'static str;
    /// The values this op reads, in any order.
    fn inputs(&self) -> &[Var];
    /// The parameters this op reads.
    fn params(&self) -> &[ParamId] {
        &[]
    }
    /// Adds this op's contribution to the adjoints of its inputs ([`Flow::into_input`]) and to the gradients of its
    /// parameters ([`Flow::grads`]). May be called many times on one recording.
    fn backward(&self, flow: &mut Flow<'_, F>);
}

/// What a backward kernel sees: all values, its own adjoint, and where to add.
pub struct Flow<'a, F: Real> {
    pub(crate) nodes: &'a [Node<F>],
    pub(crate) values: &'a [F],
    pub(crate) lists: &'a [u32],
    pub(crate) node: &'a Node<F>,
    pub(crate) left: &'a mut [F],
    pub(crate) own: &'a mut [F],
    pub(crate) marks: &'a mut [Mark],
    pub(crate) only: Option<&'a [bool]>,
    pub(crate) scratch: &'a mut Vec<F>,
    pub(crate) params: &'a Params<F>,
    pub(crate) grads: &'a mut Grads<F>,
}

impl<'a, F: Real> Flow<'a, F> {
    /// Value of any recorded node, `[rows, cols]`.
    pub fn value(&self, x: Var) -> &'a [F] {
        &self.values[self.nodes[x.0 as usize].range()]
    }

    /// Shape of any recorded node.
    pub fn shape(&self, x: Var) -> (usize, usize) {
        let node = &self.nodes[x.0 as usize];
        (node.rows, node.cols)
    }

    /// The op's own output, `[rows, cols]`.
    pub fn output(&self) -> &'a [F] {
        &self.values[self.node.range()]
    }

    /// Shape of the op's own output.
    pub fn output_shape(&self) -> (usize, usize) {
        (self.node.rows, self.node.cols)
    }

    /// Adjoint of the op's output, `[rows, cols]`.
    pub fn adjoint(&self) -> &[F] {
        self.own
    }

    /// Entries of a list kept on the tape.
    pub fn entries(&self, list: List) -> &'a [u32] {
        &self.lists[list.range()]
    }

    /// Adjoint of the output beside the adjoint of an input to add to; `None` where nothing below the input wants it.
    pub fn into_input(&mut self, x: Var) -> Option<(&[F], &mut [F])> {
        let (own, into, first) = self.first_into(x)?;
        if first {
            into.fill(F::zero());
        }
        Some((own, into))
    }

    /// Like [`Flow::into_input`], but where nothing has been added yet, which the flag says, the entries are whatever was there: the
    /// caller has to write all of them. A product that overwrites saves a walk over zeros.
    pub(crate) fn first_into(&mut self, x: Var) -> Option<(&[F], &mut [F], bool)> {
        let mark = &mut self.marks[x.0 as usize];
        if *mark == Mark::Skipped {
            return None;
        }
        let first = std::mem::replace(mark, Mark::Reached) == Mark::Wanted;
        Some((self.own, &mut self.left[self.nodes[x.0 as usize].range()], first))
    }

    /// Whether something below an input wants its adjoint.
    pub(crate) fn wants(&self, x: Var) -> bool {
        self.marks[x.0 as usize] != Mark::Skipped
    }

    /// All parameters.
    pub fn params(&self) -> &'a Params<F> {
        self.params
    }

    /// Whether a parameter wants a gradient: not one that is frozen, and not one that this sweep does not ask about.
    pub fn trains(&self, id: ParamId) -> bool {
        self.params.slot(id).trainable && self.only.is_none_or(|only| only[id.index()])
    }

    /// Adjoint of the output beside the gradients to add to.
    pub fn grads(&mut self) -> (&[F], &mut Grads<F>) {
        (self.own, self.grads)
    }
}

impl<F: Real> Tape<F> {
    /// Records an op of the caller's own with its forward value `[rows, cols]`.
    ///
    /// # Panics
    /// If `value` does not fill the shape.
    #[track_caller]
    pub fn custom(
        &mut self,
        params: &Params<F>,
        op: Box<dyn Custom<F>>,
        rows: usize,
        cols: usize,
        value: &[F],
    ) -> Var {
        if value.len() != rows * cols {
            crate::shape::fail(op.name(), &format!("{} values for [{rows}, {cols}]", value.len()));
        }
        let live = op.inputs().iter().any(|&x| self.live(x))
            || op.params().iter().any(|&id| super::trains(params, id));
        let out = self.push(super::Op::Custom(op), rows, cols, live);
        self.fill(out).1.copy_from_slice(value);
        out
    }
}
