//! From grades to gains, and the order of tied candidates.

use super::protocol::{Gain, RankingProtocol};
use crate::error::{EvalError, Result};
use kohort_random::rand::Rng;
use kohort_random::stream;

/// The grade of a candidate that nobody rated: never relevant, no gain.
pub const UNRATED: f32 = f32::NEG_INFINITY;

/// 2^64 is far beyond every rating scale and far below the overflow of a sum of gains.
const LARGEST_GRADE: f32 = 64.0;

impl RankingProtocol {
    pub(super) fn is_relevant(&self, grade: f32) -> bool {
        grade >= self.relevant_from
    }

    pub(super) fn gain_of(&self, grade: f32) -> f64 {
        match self.gain {
            Gain::Binary => f64::from(u8::from(self.is_relevant(grade))),
            _ if grade == UNRATED => 0.0,
            // Adding zero turns -0.0 into 0.0, whose bits sort right.
            Gain::Linear => f64::from(grade) + 0.0,
            Gain::Exponential => f64::from(grade).exp2() - 1.0,
        }
    }

    /// Graded gains need grades from 0 up: with a negative gain NDCG has no meaning.
    pub(super) fn check_grades(&self, grades: &[f32]) -> Result<()> {
        let (allowed, highest) = match self.gain {
            Gain::Binary => return Ok(()),
            Gain::Linear => ("0 or more with linear gain", f32::MAX),
            Gain::Exponential => ("0 to 64 with exponential gain", LARGEST_GRADE),
        };
        match grades.iter().position(|&g| g != UNRATED && !(0.0..=highest).contains(&g)) {
            None => Ok(()),
            Some(at) => Err(EvalError::Value { name: "grades", at, value: f64::from(grades[at]), allowed }),
        }
    }
}

/// The random order of one unit's tied candidates.
///
/// One number is drawn from the stream named by seed and unit; the place of a candidate comes from mixing it with the
/// item, so it depends on neither the order of the input nor the other candidates.
pub(super) struct TieOrder(u64);

impl TieOrder {
    pub(super) fn new(seed: u64, unit: u32) -> Self {
        Self(stream(seed, "ranking ties", &[u64::from(unit)]).random())
    }

    pub(super) fn place(&self, item: u32, grade: f32) -> u64 {
        mix(mix(self.0 ^ u64::from(item)) ^ u64::from(grade.to_bits()))
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a bijection, so items never collide.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
