use super::special::{ln_gamma, normal_two_sided, student_quantile, student_two_sided};

fn close(got: f64, expected: f64) {
    assert!((got - expected).abs() <= 1e-12 * expected.abs(), "{got} instead of {expected}");
}

#[test]
fn ln_gamma_knows_factorials_and_the_half() {
    close(ln_gamma(11.0), 3_628_800f64.ln());
    close(ln_gamma(0.5), std::f64::consts::PI.sqrt().ln());
    close(ln_gamma(0.25), 3.625_609_908_221_908_f64.ln());
}

/// With one degree of freedom Student's t is Cauchy, with two its tail is `1 − t / √(t² + 2)`.
#[test]
fn student_tails_match_their_closed_forms() {
    for t in [0.01, 0.3, 1.0, 2.5, 12.0] {
        close(student_two_sided(t, 1.0), 1.0 - 2.0 / std::f64::consts::PI * t.atan());
        let square: f64 = t * t + 2.0;
        // 1 − t/√(t²+2) without cancellation.
        close(student_two_sided(t, 2.0), 2.0 / (square.sqrt() * (square.sqrt() + t)));
    }
    assert_eq!(student_two_sided(0.0, 7.0), 1.0);
    assert_eq!(student_two_sided(f64::INFINITY, 7.0), 0.0);
}

#[test]
fn quantiles_invert_the_tail() {
    for degrees in [1.0, 2.0, 4.0, 30.0, 5000.0] {
        for level in [0.5, 0.9, 0.95, 0.999] {
            close(student_two_sided(student_quantile(level, degrees), degrees), 1.0 - level);
        }
    }
    // Closed form for two degrees of freedom.
    close(student_quantile(0.95, 2.0), 0.95 / (2.0 * 0.975 * 0.025f64).sqrt());
}

#[test]
fn normal_tails_match_tables() {
    close(normal_two_sided(1.0), 0.317_310_507_862_914_1);
    close(normal_two_sided(-3.0), 0.002_699_796_063_260_188_6);
    close(normal_two_sided(8.0), 1.244_192_114_854_356_8e-15);
    assert_eq!(normal_two_sided(0.0), 1.0);
}
