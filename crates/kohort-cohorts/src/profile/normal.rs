//! Quantiles of the standard normal distribution.

/// The z that a standard normal number exceeds with probability `tail`, 0 < tail ≤ ½.
///
/// Rational approximation of M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics
/// 37, 1988, the shorter one (PPND7): seven digits.
pub(super) fn upper_quantile(tail: f64) -> f64 {
    let q = 0.5 - tail;
    if q <= 0.425 {
        let r = 0.180_625 - q * q;
        let above = ((59.109_374_720 * r + 159.291_132_02) * r + 50.434_271_938) * r + 3.387_132_717_9;
        let below = ((67.187_563_600 * r + 78.757_757_664) * r + 17.895_169_469) * r + 1.0;
        return q * above / below;
    }
    let r = (-tail.ln()).sqrt();
    if r <= 5.0 {
        let r = r - 1.6;
        let above = ((0.170_238_211_03 * r + 1.306_728_481_6) * r + 2.756_815_390_0) * r + 1.423_437_277_7;
        above / ((0.120_211_329_75 * r + 0.737_001_642_50) * r + 1.0)
    } else {
        let r = r - 5.0;
        let above = ((0.017_337_203_997 * r + 0.428_682_943_37) * r + 3.081_226_386_0) * r + 6.657_905_115_0;
        above / ((0.012_258_202_635 * r + 0.241_978_942_25) * r + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::upper_quantile;

    #[test]
    fn quantiles_agree_with_pythons() {
        // python3: [-statistics.NormalDist().inv_cdf(t) for t in (.5, .3, .08, .025, .005, 1e-5, 1e-9, 1e-13)]
        let known = [
            (0.5, 0.0),
            (0.3, 0.524_400_512_708_040_7),
            (0.08, 1.405_071_560_309_632_2),
            (0.025, 1.959_963_984_540_053_8),
            (0.005, 2.575_829_303_548_9),
            (1e-5, 4.264_890_793_922_825_6),
            (1e-9, 5.997_807_015_007_686_5),
            (1e-13, 7.348_796_102_800_676_5),
        ];
        for (tail, z) in known {
            assert!((upper_quantile(tail) - z).abs() < 1e-6 * (1.0 + z), "{tail}: {}", upper_quantile(tail));
        }
    }
}
