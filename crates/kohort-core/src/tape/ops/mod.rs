//! The ops: one file each, with formula, derivative and kernels as neighbours. Their gradients are checked against
//! finite differences in `tape/tests.rs`.

mod activation;
mod attention;
mod blocks;
mod concat;
mod elementwise;
mod focal;
mod gather;
mod grouped;
mod grouped_stack;
mod input;
mod linear;
mod lists;
mod loss;
mod low_rank;
mod low_rank_rows;
mod mix;
mod norm;
mod pairs;
mod propagate;
mod reduce;
mod rows;
mod scale_blocks;
mod segment;
mod softmax;

pub use activation::Activation;
pub use attention::AttentionMask;
pub use blocks::Block;
pub use focal::Focal;
pub use lists::ListLoss;
pub use loss::LossKind;
pub use low_rank::{Adapted, LowRank};

use super::{Custom, Flow, Var};
use crate::{ParamId, Real};

/// What every op of the closed list knows of itself.
trait Rule<F: Real> {
    const NAME: &'static str;
    /// Calls `visit` with each input. `lists` holds the operands of variadic ops.
    fn each_input(&self, lists: &[u32], visit: &mut dyn FnMut(Var));
    /// Calls `visit` with each parameter that the op reads.
    fn each_param(&self, _lists: &[u32], _visit: &mut dyn FnMut(ParamId)) {}
    /// Products of numbers in its forward pass, where matrices are multiplied; `shape` gives an input's rows and columns, `out` its own.
    fn products(
        &self,
        _lists: &[u32],
        _shape: &dyn Fn(Var) -> (usize, usize),
        _out: (usize, usize),
    ) -> usize {
        0
    }
    /// Adds to the adjoints of the inputs and to the gradients of the parameters.
    fn backward(&self, flow: &mut Flow<'_, F>);
}

macro_rules! ops {
    ($($op:ident($rule:path)),* $(,)?) => {
        /// The closed list of ops, with one open door.
        pub(crate) enum Op<F: Real> {
            $($op($rule),)*
            Custom(Box<dyn Custom<F>>),
        }

        impl<F: Real> Op<F> {
            pub(super) fn name(&self) -> &'static str {
                match self {
                    $(Op::$op(_) => <$rule as Rule<F>>::NAME,)*
                    Op::Custom(op) => op.name(),
                }
            }

            pub(super) fn each_input(&self, lists: &[u32], visit: &mut dyn FnMut(Var)) {
                match self {
                    $(Op::$op(op) => Rule::<F>::each_input(op, lists, visit),)*
                    Op::Custom(op) => op.inputs().iter().for_each(|&x| visit(x)),
                }
            }

            pub(super) fn each_param(&self, lists: &[u32], visit: &mut dyn FnMut(ParamId)) {
                match self {
                    $(Op::$op(op) => Rule::<F>::each_param(op, lists, visit),)*
                    Op::Custom(op) => op.params().iter().for_each(|&id| visit(id)),
                }
            }

            pub(super) fn products(
                &self,
                lists: &[u32],
                shape: &dyn Fn(Var) -> (usize, usize),
                out: (usize, usize),
            ) -> usize {
                match self {
                    $(Op::$op(op) => Rule::<F>::products(op, lists, shape, out),)*
                    Op::Custom(_) => 0,
                }
            }

            pub(super) fn backward(&self, flow: &mut Flow<'_, F>) {
                match self {
                    $(Op::$op(op) => op.backward(flow),)*
                    Op::Custom(op) => op.backward(flow),
                }
            }
        }
    };
}

ops! {
    Input(input::Input),
    Param(input::Param),
    Gather(gather::Gather),
    Bag(gather::Bag),
    LookupDot(gather::LookupDot),
    Linear(linear::Linear),
    GroupedLinear(grouped::GroupedLinear),
    GroupedStack(grouped_stack::GroupedStack),
    GroupedHidden(grouped_stack::Hidden),
    Blocks(blocks::Blocks),
    LowRankLinear(low_rank::LowRankLinear),
    LowRankMiddle(low_rank::Middle),
    LowRankRows(low_rank_rows::LowRankRows),
    ScaleBlocks(scale_blocks::ScaleBlocks),
    Activate(activation::Activate),
    Add(elementwise::Add),
    Mul(elementwise::Mul),
    Scale(elementwise::Scale<F>),
    ScaleBy(elementwise::ScaleBy),
    Concat(concat::Concat),
    Columns(concat::Columns),
    Sum(reduce::Sum),
    RowDot(reduce::RowDot),
    Softmax(softmax::Softmax),
    TopKSoftmax(softmax::TopKSoftmax),
    Mix(mix::Mix),
    LayerNorm(norm::LayerNorm<F>),
    PairDot(pairs::PairDot),
    Cross(pairs::Cross),
    TakeRows(rows::TakeRows),
    ScatterRows(rows::ScatterRows),
    Pick(rows::Pick),
    Propagate(propagate::Propagate<F>),
    RepeatRows(segment::RepeatRows),
    SegmentSoftmax(segment::SegmentSoftmax),
    SegmentSum(segment::SegmentSum),
    Attention(attention::Attention),
    Loss(loss::Loss<F>),
    CrossEntropy(loss::CrossEntropy<F>),
    FocalLoss(focal::FocalLoss<F>),
    Lists(lists::Lists<F>),
}
