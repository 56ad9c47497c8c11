//! The two number types the engine runs on.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{AddAssign, DivAssign, MulAssign, Neg, SubAssign};

use crate::kernels::{Product, available, exp, run};

pub(crate) mod sealed {
    use super::Product;

    /// What the engine alone asks of a number type.
    pub trait Sealed: Sized {
        /// Whether this machine has kernels of ours for products of this type.
        fn tiles() -> bool;
        /// A product by them, where they are.
        fn tiled(product: Product<'_, Self>, finish: impl Fn(usize, usize, &mut [Self]));
    }
}

impl sealed::Sealed for f32 {
    #[inline]
    fn tiles() -> bool {
        available()
    }
    fn tiled(product: Product<'_, f32>, finish: impl Fn(usize, usize, &mut [f32])) {
        run(product, finish);
    }
}

/// Gradient checks need no speed: f64 has the library's products.
impl sealed::Sealed for f64 {
    #[inline]
    fn tiles() -> bool {
        false
    }
    fn tiled(_: Product<'_, f64>, _: impl Fn(usize, usize, &mut [f64])) {
        unreachable!("f64 has no tiles")
    }
}

/// `f32` (training) or `f64` (gradient checks, where a finite difference needs the digits). Sealed: kernels and
/// the checkpoint format know exactly these two.
pub trait Real:
    sealed::Sealed
    + ndarray::LinalgScalar
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + PartialOrd
    + Sum
    + Default
    + Debug
    + Display
    + Send
    + Sync
{
    /// Name in checkpoints: `"f32"` or `"f64"`.
    const NAME: &'static str;
    /// The nearest value of this type.
    fn of(x: f64) -> Self;
    /// This value in f64, exactly.
    fn f64(self) -> f64;
    /// e to the power of `self`. In f32 this, `ln_1p_unit` and `tanh` are our own, which become vectors in [`crate::kernels::wide`]; see `kernels/exp.rs`.
    fn exp(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// ln(1 + self) for `self` in [0, 1], exact near zero.
    fn ln_1p_unit(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// The larger of two; a NaN loses.
    fn max(self, other: Self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Bits as 64-bit integer, for hashes of parameters.
    fn bits(self) -> u64;
}

macro_rules! real {
    ($t:ty, $name:literal, $exp:path, $ln_1p_unit:path, $tanh:path) => {
        impl Real for $t {
            const NAME: &'static str = $name;
            #[inline]
            fn of(x: f64) -> Self {
                x as $t
            }
            #[inline]
            fn f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)] // into loops that are compiled for wide vectors
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline]
            fn ln(self) -> Self {
                <$t>::ln(self)
            }
            #[inline(always)] // into loops that are compiled for wide vectors
            fn ln_1p_unit(self) -> Self {
                $ln_1p_unit(self)
            }
            #[inline]
            fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }
            #[inline(always)] // into loops that are compiled for wide vectors
            fn tanh(self) -> Self {
                $tanh(self)
            }
            #[inline]
            fn abs(self) -> Self {
                <$t>::abs(self)
            }
            #[inline]
            fn max(self, other: Self) -> Self {
                <$t>::max(self, other)
            }
            #[inline]
            fn is_finite(self) -> bool {
                <$t>::is_finite(self)
            }
            #[inline]
            fn bits(self) -> u64 {
                self.to_bits().into()
            }
        }
    };
}

real!(f32, "f32", exp::exp, exp::ln_1p_unit, exp::tanh);
real!(f64, "f64", f64::exp, f64::ln_1p, f64::tanh);
