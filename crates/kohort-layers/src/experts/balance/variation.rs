//! Importance and load (Shazeer et al., "Outrageously large neural networks: the sparsely-gated mixture-of-experts layer", ICLR
//! 2017, appendix A): the squared coefficient of variation of what each expert gets.
//!
//! `CV²(v) = Var(v)/mean(v)²` with the variance over all `E` values (divided by `E`), so `CV² = E·Σv²/(Σv)² − 1` and
//! `∂CV²/∂v_e = 2E·v_e/S² − 2E·Q/S³` with `S = Σv`, `Q = Σv²`. It is 0 for one expert, and where all is 0.
//!
//! Importance: `v_e = Σ_b p_{b,e}`. Load: `v_e = Σ_b P_e(b)`, `P_e(b) = Φ((l_e − t_e)/s_e)`: the probability that expert `e` is
//! among the `k` largest if its own noise were drawn again; `l` logits without noise, `s` the noise's deviation, and `t_e` the `k`-th
//! largest noisy logit of the others. All in logit space: comparing logits with thresholds after the softmax is a known mistake.

use kohort_core::{Custom, Flow, Params, Real, Tape, Var};

use super::penalty::record;

/// `CV²` of the experts' importance: how unevenly `gate [n, E]` weighs them over all rows.
pub fn importance<F: Real>(tape: &mut Tape<F>, params: &Params<F>, gate: Var) -> Var {
    variation(tape, params, "importance", gate)
}

/// `CV²` of the experts' expected load `[1, E]`: how unevenly a noisy top-k gate chooses them.
pub fn load<F: Real>(tape: &mut Tape<F>, params: &Params<F>, load: Var) -> Var {
    variation(tape, params, "load", load)
}

/// `CV²` of the column sums of `x [n, E]`.
fn variation<F: Real>(tape: &mut Tape<F>, params: &Params<F>, name: &'static str, x: Var) -> Var {
    let (n, experts) = tape.shape(x);
    let mut sums = vec![0.0; experts];
    for row in tape.value(x).chunks_exact(experts) {
        sums.iter_mut().zip(row).for_each(|(sum, p)| *sum += p.f64());
    }
    let (s, q) = (sums.iter().sum::<f64>(), sums.iter().map(|v| v * v).sum::<f64>());
    let e = experts as f64;
    let (value, slope): (f64, Vec<F>) = if experts < 2 || s == 0.0 {
        (0.0, vec![F::zero(); experts])
    } else {
        let slope = |v: &f64| F::of(2.0 * e * (v / s - q / (s * s)) / s);
        (e * q / (s * s) - 1.0, sums.iter().map(slope).collect())
    };
    record(tape, params, name, value, vec![(x, slope.repeat(n))])
}

/// `y_e = Σ_b Φ((l_{b,e} − t_{b,e})/s_{b,e})`, with `t` an entry of the noisy logits.
struct Load {
    /// Logits, noisy logits, deviations; each `[n, E]`.
    inputs: [Var; 3],
    /// Column of the threshold of each cell.
    threshold: Vec<u32>,
}

impl<F: Real> Custom<F> for Load {
    fn name(&self) -> &'static str {
        "expected_load"
    }
    fn inputs(&self) -> &[Var] {
        &self.inputs
    }
    /// With `u = (l − t)/s`: `∂/∂l = φ(u)/s`, `∂/∂t = −φ(u)/s`, `∂/∂s = −φ(u)·u/s`.
    fn backward(&self, flow: &mut Flow<'_, F>) {
        let [logits, noisy, deviation] = self.inputs;
        let experts = flow.output_shape().1;
        let (l, h, s) = (flow.value(logits), flow.value(noisy), flow.value(deviation));
        let at = |cell: usize| {
            let t = cell / experts * experts + self.threshold[cell] as usize;
            let s = s[cell].f64();
            let u = (l[cell].f64() - h[t].f64()) / s;
            (t, u, (-0.5 * u * u).exp() / (2.0 * std::f64::consts::PI).sqrt() / s)
        };
        for input in [logits, noisy, deviation] {
            let Some((own, into)) = flow.into_input(input) else { continue };
            for cell in 0..self.threshold.len() {
                let (t, u, slope) = at(cell);
                let dy = own[cell % experts].f64();
                if input == logits {
                    into[cell] += F::of(dy * slope);
                } else if input == noisy {
                    into[t] -= F::of(dy * slope);
                } else if slope > 0.0 {
                    into[cell] -= F::of(dy * slope * u);
                }
            }
        }
    }
}

/// Expected number of rows that choose each expert, `[1, E]`, from logits, noisy logits and deviations, each `[n, E]`. Where every
/// expert is chosen that is `n`.
pub(crate) fn expected_load<F: Real>(
    tape: &mut Tape<F>,
    params: &Params<F>,
    (logits, noisy, deviation): (Var, Var, Var),
    k: usize,
) -> Var {
    let (n, experts) = tape.shape(logits);
    if k >= experts {
        return tape.input_with(1, experts, |load| load.fill(F::of(n as f64)));
    }
    let mut threshold = Vec::with_capacity(n * experts);
    let mut order: Vec<u32> = Vec::with_capacity(experts);
    for h in tape.value(noisy).chunks_exact(experts) {
        order.clear();
        order.extend(0..experts as u32);
        order.sort_by(|&a, &b| h[b as usize].f64().total_cmp(&h[a as usize].f64()).then(a.cmp(&b)));
        // Without `e`, the k-th largest moves up by one place if `e` is among the k largest itself.
        let chosen = &order[..k];
        threshold.extend((0..experts as u32).map(|e| order[if chosen.contains(&e) { k } else { k - 1 }]));
    }
    let mut load = vec![0.0; experts];
    let (l, h, s) = (tape.value(logits), tape.value(noisy), tape.value(deviation));
    for (cell, &t) in threshold.iter().enumerate() {
        let t = cell / experts * experts + t as usize;
        load[cell % experts] += normal_cdf((l[cell].f64() - h[t].f64()) / s[cell].f64());
    }
    let load: Vec<F> = load.into_iter().map(F::of).collect();
    let op = Load { inputs: [logits, noisy, deviation], threshold };
    tape.custom(params, Box::new(op), 1, experts, &load)
}

/// `Φ(u)`, to 1e-15: below 3 the series `φ(u)·(u + u³/3 + u⁵/15 + …)` around ½, above it the continued fraction
/// `φ(u)/(u + 1/(u + 2/(u + …)))` of the tail (Abramowitz and Stegun 26.2.11 and 26.2.14).
fn normal_cdf(u: f64) -> f64 {
    let density = (-0.5 * u * u).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let x = u.abs();
    let above = if x < 3.0 {
        let (mut term, mut sum, mut odd) = (x, x, 1.0);
        while term > 1e-17 * sum {
            odd += 2.0;
            term *= x * x / odd;
            sum += term;
        }
        0.5 - density * sum
    } else {
        density / (1..=120).rev().fold(x, |below, i| x + f64::from(i) / below)
    };
    if u > 0.0 { 1.0 - above } else { above }
}

#[cfg(test)]
mod tests {
    use super::normal_cdf;

    /// Values from a table of 15 digits.
    #[test]
    fn the_normal_distribution_has_its_known_values() {
        for (u, want) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_543),
            (-1.96, 0.024_997_895_148_220),
            (3.0, 0.998_650_101_968_370),
            (-5.0, 2.866_515_718_791_94e-7),
            (1e30, 1.0),
            (-1e30, 0.0),
        ] {
            let got = normal_cdf(u);
            assert!((got - want).abs() <= 1e-14, "{u}: {got}");
        }
        assert!((normal_cdf(2.999_999_999) - normal_cdf(3.0)).abs() < 1e-10, "the two forms meet");
    }
}
