//! The distribution functions that tests need.
//!
//! * Regularised incomplete beta `I_x(a, b)` by its continued fraction, evaluated with Lentz's method (Press et al.,
//!   "Numerical Recipes", §6.4), on the side of the mean where the fraction converges fast.
//! * Regularised incomplete gamma `Q(½, x)` for the normal tail: series below 1.5, continued fraction above.
//! * Student's t: `P(|T| ≥ t) = I_x(ν/2, ½)` with `x = ν / (ν + t²)`.

const TINY: f64 = 1e-300;
const ROUNDS: usize = 10_000;

/// `ln Γ(x)` for `x > 0` (Lanczos, g = 7, nine terms; relative error about 1e-15).
pub(super) fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        // Reflection keeps the sum away from its poles.
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let sum: f64 = 0.999_999_999_999_809_9
        + TERMS.iter().enumerate().map(|(i, c)| c / (x + i as f64 + 1.0)).sum::<f64>();
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// `I_x(a, b)` with `y = 1 − x` given apart, so that neither loses digits near 1.
fn incomplete_beta(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, y, x);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * y.ln()).exp() / a;
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..ROUNDS {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    front * fraction
}

/// `P(|T| ≥ |t|)` for Student's t with `degrees` degrees of freedom.
pub(super) fn student_two_sided(t: f64, degrees: f64) -> f64 {
    let square = t * t;
    if square.is_infinite() {
        return 0.0;
    }
    incomplete_beta(0.5 * degrees, 0.5, degrees / (degrees + square), square / (degrees + square))
}

/// The `t` with `P(|T| ≤ t) = level`, by bisection of the exact tail.
pub(super) fn student_quantile(level: f64, degrees: f64) -> f64 {
    let tail = 1.0 - level;
    let mut high = 1.0;
    while student_two_sided(high, degrees) > tail && high < 1e300 {
        high *= 2.0;
    }
    let mut low = 0.0;
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if student_two_sided(middle, degrees) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// `P(|Z| ≥ |z|)` for the standard normal: `Q(½, z²/2)`.
pub(super) fn normal_two_sided(z: f64) -> f64 {
    let x = 0.5 * z * z;
    if x == 0.0 {
        return 1.0;
    }
    let front = (-x + 0.5 * x.ln() - ln_gamma(0.5)).exp();
    if x < 1.5 {
        let (mut term, mut sum) = (2.0, 2.0);
        for n in 1..ROUNDS {
            term *= x / (0.5 + n as f64);
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        return 1.0 - front * sum;
    }
    let mut b = x + 0.5;
    let (mut c, mut d) = (1.0 / TINY, 1.0 / b);
    let mut fraction = d;
    for n in 1..ROUNDS {
        let n = n as f64;
        let term = -n * (n - 0.5);
        b += 2.0;
        d = 1.0 / (b + term * d);
        c = b + term / c;
        let change = c * d;
        fraction *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    front * fraction
}
