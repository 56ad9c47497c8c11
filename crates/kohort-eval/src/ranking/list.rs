//! The metrics of one unit's list.
//!
//! A list arrives as groups of tied candidates, best first. A group of `m` candidates with `r` relevant ones at
//! positions `a+1 … a+m` contributes what it would in expectation over its `m!` orders (McSherry and Najork,
//! "Computing information retrieval performance measures efficiently in the presence of tied scores", ECIR 2008);
//! with a strict order every group has `m = 1` and the expectation is the value.

use super::protocol::{PrecisionDenominator, RankingProtocol, RecallDenominator, WithoutRelevant};

/// Candidates with the same score.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Group {
    pub(super) size: usize,
    pub(super) relevant: usize,
    /// Sum of the gains.
    pub(super) gain: f64,
}

/// What is known of a unit before anything is ranked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) candidates: usize,
    pub(super) relevant: usize,
    /// DCG of the best possible list.
    pub(super) ideal: f64,
}

impl Facts {
    /// `gains` holds all non-zero gains of the unit's candidates; it is sorted on return.
    pub(super) fn new(k: usize, candidates: usize, relevant: usize, gains: &mut [f64]) -> Self {
        gains.sort_unstable_by(|a, b| b.total_cmp(a));
        let ideal = gains.iter().take(k).enumerate().map(|(at, gain)| gain * discount(at)).sum();
        Self { candidates, relevant, ideal }
    }
}

/// Precision, recall, NDCG, hit, reciprocal rank: all at k.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Values {
    pub(super) precision: f64,
    pub(super) recall: f64,
    pub(super) ndcg: f64,
    pub(super) hit: f64,
    pub(super) mrr: f64,
}

/// Discount of position `at` (0 is the top): `1 / log2(at + 2)`.
fn discount(at: usize) -> f64 {
    1.0 / (at as f64 + 2.0).log2()
}

/// Walks the groups until k positions are filled; `None` for a skipped unit.
pub(super) fn measure(
    protocol: &RankingProtocol,
    facts: Facts,
    groups: impl IntoIterator<Item = Group>,
) -> Option<Values> {
    if facts.relevant == 0 {
        return match protocol.without_relevant {
            WithoutRelevant::Skip => None,
            WithoutRelevant::Zero => Some(Values::default()),
        };
    }
    let k = protocol.k;
    let (mut position, mut hits, mut dcg) = (0, 0.0, 0.0);
    let (mut missed, mut reciprocal) = (1.0, 0.0);
    for group in groups {
        if position >= k {
            break;
        }
        let taken = group.size.min(k - position);
        hits += group.relevant as f64 * (taken as f64 / group.size as f64);
        let mean_gain = group.gain / group.size as f64;
        for at in position..position + taken {
            dcg += mean_gain * discount(at);
        }
        if group.relevant > 0 && missed > 0.0 {
            // `missed` is the chance that no relevant candidate stands above the current position; it reaches
            // exactly 0 when only relevant ones are left in the group.
            for offset in 0..taken {
                let next_relevant = (group.relevant as f64 / (group.size - offset) as f64).min(1.0);
                reciprocal += missed * next_relevant / (position + offset + 1) as f64;
                missed *= 1.0 - next_relevant;
                if missed <= 0.0 {
                    break;
                }
            }
        }
        position += taken;
    }
    let precision_over = match protocol.precision {
        PrecisionDenominator::K => k,
        PrecisionDenominator::MinKN => k.min(facts.candidates),
    };
    let recall_over = match protocol.recall {
        RecallDenominator::AllRelevant => facts.relevant,
        RecallDenominator::MinKRelevant => k.min(facts.relevant),
    };
    Some(Values {
        precision: hits / precision_over as f64,
        recall: hits / recall_over as f64,
        // Averaged ties add the same products in another order than the ideal list: keep rounding below 1. An ideal
        // of 0 (relevant candidates without gain) leaves nothing to lose and nothing to win.
        ndcg: if facts.ideal > 0.0 { (dcg / facts.ideal).min(1.0) } else { 0.0 },
        hit: 1.0 - missed,
        mrr: reciprocal,
    })
}
