//! Exponentials of f32 without a branch or a call, so that a loop over them becomes vectors (`wide`), where the platform's go one at a time.
//!
//! `e^x = 2^n·e^r`, `n = round(x / ln 2)`, `r = x − n·ln 2 ∈ ±½ ln 2` (Cody and Waite, *Software Manual for the Elementary Functions*, 1980: ln 2 in two
//! parts, the first so short that `n` times it is exact), `e^r ≈ 1 + r + r²·P(r)` with `P` of degree 4, and `2^n` added to the exponent's bits. The
//! scheme is Cephes' `expf` (Moshier, 1989); the coefficients are our own, minimax in the relative error of the result by Remez' algorithm, rounded to f32
//! one after the other.
//!
//! | | error of the polynomial | of the result, at most | beyond |
//! |---|---|---|---|
//! | [`exp`] | 3.2e-9 | 1.0 ulp | above 88.7228 ∞, below −87.3365 0: what would be subnormal is none |
//! | [`ln_1p_unit`] | 4.5e-9 | 1.3 ulp | not defined outside [0, 1] |
//! | [`tanh`] | 4.5e-9 | 1.4 ulp | ±1 |
//! | sigmoid, made of them | | 2.9 ulp | 1, and 0 with `exp` |
//! | softplus, likewise | | 2.0 ulp | x, and 0 with `exp` |
//!
//! A NaN stays one. The bounds are tested on every 997th value there is, and on all of them by a test that has to be asked for. **Only additions, products,
//! a division, comparisons and integers**, each rounded by itself (no fused multiply-add): the bits are the same for vectors of any width and for none. f64 keeps
//! the platform's functions: gradients are checked in it and need no speed.

/// The largest value whose power is finite, and the smallest whose power is a normal number.
const LARGEST: f32 = 88.722_83;
const SMALLEST: f32 = -87.336_54;
/// Added to a number of less than 2²², it leaves the nearest integer in the last bits.
const ROUND: f32 = 12_582_912.0;
const LN2_HIGH: f32 = 355.0 / 512.0;
const LN2_LOW: f32 = -2.121_944_4e-4;
const P: [f32; 5] = [0.499_999_94, 0.166_665_17, 0.041_668_102, 0.008_369_192_5, 0.001_383_890_3];
const Q: [f32; 4] = [0.666_664_2, 0.400_214_37, 0.280_030_25, 0.280_067_8];
const T: [f32; 5] = [-0.333_332_8, 0.133_314_06, -0.053_736_515, 0.020_628_167, -0.005_692_296_7];

/// Horner's rule.
#[inline(always)]
fn polynomial<const N: usize>(coefficients: [f32; N], x: f32) -> f32 {
    let mut sum = coefficients[N - 1];
    for at in (0..N - 1).rev() {
        sum = sum * x + coefficients[at];
    }
    sum
}

/// `e^x`.
#[inline(always)] // into loops that are compiled for wide vectors
pub(crate) fn exp(x: f32) -> f32 {
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let y = 1.0 + (r + r * r * polynomial(P, r));
    // All of `rounded` but its last nine bits, which hold n, is shifted out.
    let y = f32::from_bits(y.to_bits().wrapping_add(rounded.to_bits() << 23));
    let y = if x > LARGEST { f32::INFINITY } else { y };
    let y = if x < SMALLEST { 0.0 } else { y };
    if x.is_nan() { x } else { y }
}

/// `ln(1 + u)` for `u ∈ [0, 1]`, exact near 0: `u − (h − s·(h + Q(s²)·s²))`, `h = u²/2`, `s = u / (2 + u)`, as in FreeBSD's `log1pf`.
#[inline(always)]
pub(crate) fn ln_1p_unit(u: f32) -> f32 {
    let (h, s) = (0.5 * u * u, u / (2.0 + u));
    let z = s * s;
    u - (h - s * (h + z * polynomial(Q, z)))
}

/// Hyperbolic tangent: a polynomial where `1 − 2 / (e^2|x| + 1)` would cancel, below 0.625.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let z = a * a;
    let near = a + a * (z * polynomial(T, z));
    let far = 1.0 - 2.0 / (exp(a + a) + 1.0);
    (if a < 0.625 { near } else { far }).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Activation;
    use crate::kernels::wide;

    /// The largest error of `f` in ulp of the true value, over every `step`th f32 of `[from, to]`, bits taken as integers.
    fn worst(f: impl Fn(f32) -> f32, truth: impl Fn(f64) -> f64, (from, to): (f32, f32), step: usize) -> f64 {
        let mut worst = (0.0, 0.0);
        for bits in (from.to_bits()..=to.to_bits()).step_by(step) {
            let x = f32::from_bits(bits);
            let want = truth(x.into());
            let ulp = 2f64.powi(want.abs().log2().floor() as i32 - 23);
            let error = (f64::from(f(x)) - want).abs() / ulp;
            if error > worst.0 {
                worst = (error, x);
            }
        }
        eprintln!("{:.4} ulp at {:e}", worst.0, worst.1);
        worst.0
    }

    /// Below this every function here is its own tangent, to half an ulp.
    const TINY: f32 = 1e-9;

    fn bounds(step: usize) {
        assert!(worst(exp, f64::exp, (TINY, LARGEST), step) <= 1.0);
        assert!(worst(exp, f64::exp, (-TINY, SMALLEST), step) <= 1.0);
        assert!(worst(ln_1p_unit, f64::ln_1p, (TINY, 1.0), step) <= 1.3);
        assert!(worst(tanh, f64::tanh, (TINY, 20.0), step) <= 1.4);
        let sigmoid = |x| Activation::Sigmoid.apply::<f32>(x);
        let softplus = |x| Activation::Softplus.apply::<f32>(x);
        let (of_sigmoid, of_softplus) =
            (|x: f64| 1.0 / (1.0 + (-x).exp()), |x: f64| (-x.abs()).exp().ln_1p() + x.max(0.0));
        for ends in [(TINY, 80.0), (-TINY, -80.0)] {
            assert!(worst(sigmoid, of_sigmoid, ends, step) <= 2.9);
            assert!(worst(softplus, of_softplus, ends, step) <= 2.0);
        }
    }

    #[test]
    fn errors_are_within_their_bounds() {
        bounds(if cfg!(miri) { 9_999_991 } else { 997 });
    }

    #[test]
    #[ignore = "two thousand million values; cargo test --release -p kohort-core every_value -- --ignored --nocapture"]
    fn errors_are_within_their_bounds_at_every_value() {
        bounds(1);
    }

    #[test]
    fn ends_and_special_values_are_exact() {
        let (next, before) =
            (|x: f32| f32::from_bits(x.to_bits() + 1), |x: f32| f32::from_bits(x.to_bits() - 1));
        for zero in [0.0, -0.0, f32::MIN_POSITIVE, 1e-30, -1e-30] {
            assert_eq!(exp(zero), 1.0);
            assert_eq!(tanh(zero).to_bits(), zero.to_bits());
        }
        assert!(exp(LARGEST).is_finite() && exp(LARGEST) > 3.4e38);
        assert!(exp(next(LARGEST)) == f32::INFINITY && exp(f32::MAX) == f32::INFINITY);
        assert!(exp(SMALLEST) >= f32::MIN_POSITIVE && exp(SMALLEST) < 1.0001 * f32::MIN_POSITIVE);
        assert!(exp(next(SMALLEST)) == 0.0 && exp(f32::MIN) == 0.0);
        assert_eq!((exp(f32::INFINITY), exp(f32::NEG_INFINITY)), (f32::INFINITY, 0.0));
        assert_eq!((tanh(f32::INFINITY), tanh(-1e9), ln_1p_unit(0.0)), (1.0, -1.0, 0.0));
        // NaNs of any payload: the last bits go into the exponent of others.
        for bits in [0x7fc0_0000, 0x7fc0_0001, 0xffc0_01ff, 0x7fff_ffff, 0xffff_ffff] {
            let nan = f32::from_bits(bits);
            assert!(exp(nan).is_nan() && tanh(nan).is_nan() && ln_1p_unit(nan).is_nan());
        }
        assert!(exp(before(LARGEST)) <= exp(LARGEST) && exp(before(SMALLEST)) >= exp(SMALLEST));
    }

    #[test]
    fn vectors_give_the_bits_of_one_value_at_a_time() {
        let x: Vec<f32> =
            (0..if cfg!(miri) { 100 } else { 100_003 }).map(|i| (i as f32 * 0.7).sin() * 100.0).collect();
        let mut y = x.clone();
        wide(
            #[inline(always)]
            || y.iter_mut().for_each(|y| *y = exp(*y) + tanh(*y) + ln_1p_unit(exp(-y.abs()))),
        );
        let one = |x: f32| {
            let x = std::hint::black_box(x);
            exp(x) + tanh(x) + ln_1p_unit(exp(-x.abs()))
        };
        assert!(x.iter().zip(&y).all(|(&x, y)| one(x).to_bits() == y.to_bits()));
    }
}
