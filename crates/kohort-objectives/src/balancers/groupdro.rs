//! GroupDRO (Sagawa, Koh, Hashimoto and Liang, "Distributionally robust neural networks for group shifts", ICLR 2020).
//!
//! Objectives are groups. `q_g ← q_g·e^{η·ℓ_g}`, normalised, and a step on `Σ_g q_g·ℓ_g`: mass goes to where the loss is highest. With the
//! generalisation adjustment, `ℓ_g + C/√n_g` takes the place of `ℓ_g` in the exponent, for a group of n_g training rows. The paper's
//! recipe needs strong regularisation or early stopping: a model that fits every row has no worst group to lift.
//!
//! Differences: weights are `K·q`, so that equal ones are 1. `ln q` is kept as `u`, where `u_g ← u_g + η·(ℓ_g − ℓ̄)` with `ℓ̄` the mean of all groups'
//! last known losses; the softmax cancels `ℓ̄` where all groups are present, and where few are, groups that come often don't rise merely
//! because losses are positive. A group that is absent keeps its `u`: in the published code its loss of 0 lowers its weight. The
//! adjustment moves `q` alone: in that code it is added in place, so that reported losses hold it too. `u` is held in [−20, 20].

use serde::{Deserialize, Serialize};

use super::support::{self, agree, length, setting};
use super::{Balancer, Coefficients, Seen, Wants};
use crate::ObjectiveError;

/// Settings of [`GroupDro`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupDroConfig {
    /// `η`.
    pub rate: f64,
    /// `C`: 0 to 5 in the paper.
    pub adjustment: f64,
    /// `n_g`: training rows of each group; only needed where `adjustment` is not 0.
    pub rows: Vec<f64>,
}

impl Default for GroupDroConfig {
    fn default() -> GroupDroConfig {
        GroupDroConfig { rate: 0.01, adjustment: 0.0, rows: Vec::new() }
    }
}

/// Mass on the groups whose loss is highest.
#[derive(Clone, Debug)]
pub struct GroupDro {
    rate: f64,
    /// `C/√n_g`.
    raised: Vec<f64>,
    log_mass: Vec<f64>,
    /// Last known adjusted losses, and 1 where there is one.
    last: Vec<f64>,
    known: Vec<f64>,
}

const BOUND: f64 = 20.0;

impl GroupDro {
    /// Starts with equal mass.
    ///
    /// # Errors
    /// If a setting is out of range, or the adjustment has not one positive row count per group.
    pub fn new(groups: usize, config: GroupDroConfig) -> Result<GroupDro, ObjectiveError> {
        let GroupDroConfig { rate, adjustment, rows } = config;
        let ok = rate > 0.0 && rate.is_finite();
        setting("group-dro", "rate", rate, ok, "a finite number above 0")?;
        let ok = adjustment >= 0.0 && adjustment.is_finite();
        setting("group-dro", "adjustment", adjustment, ok, "a finite number of at least 0")?;
        let mut raised = vec![0.0; groups];
        if adjustment > 0.0 || !rows.is_empty() {
            length("row counts of groups", rows.len(), groups)?;
            for (raised, &rows) in raised.iter_mut().zip(&rows) {
                setting("group-dro", "rows", rows, rows >= 1.0 && rows.is_finite(), "at least 1 per group")?;
                *raised = adjustment / rows.sqrt();
            }
        }
        let zero = vec![0.0; groups];
        Ok(GroupDro { rate, raised, log_mass: zero.clone(), last: zero.clone(), known: zero })
    }
}

impl Balancer for GroupDro {
    fn wants(&self) -> Wants {
        Wants::Losses
    }

    /// The masses after this step's losses moved them, as in the paper's algorithm 1.
    fn coefficients(&mut self, seen: Seen<'_>) -> Coefficients {
        agree(self.log_mass.len(), &seen);
        let present: Vec<usize> = (0..self.log_mass.len()).filter(|&g| seen.present[g]).collect();
        for &g in &present {
            self.last[g] = seen.losses[g] + self.raised[g];
            self.known[g] = 1.0;
        }
        let mean = self.last.iter().sum::<f64>() / self.known.iter().sum::<f64>().max(1.0);
        for g in present {
            let moved = self.log_mass[g] + self.rate * (self.last[g] - mean);
            self.log_mass[g] = moved.clamp(-BOUND, BOUND);
        }
        Coefficients::whole(support::softmax(&self.log_mass))
    }

    fn state(&self) -> Vec<f64> {
        [&self.log_mass[..], &self.last, &self.known].concat()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), ObjectiveError> {
        let n = self.log_mass.len();
        support::state(state, 3 * n)?;
        self.log_mass.copy_from_slice(&state[..n]);
        self.last.copy_from_slice(&state[n..2 * n]);
        self.known.copy_from_slice(&state[2 * n..]);
        Ok(())
    }

    fn at_bound(&self, objective: usize) -> bool {
        self.log_mass[objective].abs() >= BOUND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(balancer: &mut GroupDro, losses: &[f64], present: &[bool]) -> Vec<f64> {
        balancer.coefficients(Seen { losses, present, gram: None, step: 0 }).trunk
    }

    fn dro(groups: usize) -> GroupDro {
        GroupDro::new(groups, GroupDroConfig { rate: 0.1, ..GroupDroConfig::default() }).unwrap()
    }

    #[test]
    fn with_all_groups_present_masses_are_the_papers() {
        let mut balancer = dro(2);
        let (mut q, mut got) = ([0.5, 0.5], Vec::new());
        for losses in [[1.0, 3.0], [0.5, 2.0], [4.0, 0.1]] {
            got = see(&mut balancer, &losses, &[true; 2]);
            let raised = [q[0] * f64::exp(0.1 * losses[0]), q[1] * f64::exp(0.1 * losses[1])];
            q = raised.map(|x| x / (raised[0] + raised[1]));
        }
        assert!((got[0] - 2.0 * q[0]).abs() < 1e-12 && (got[1] - 2.0 * q[1]).abs() < 1e-12, "{got:?} {q:?}");
    }

    #[test]
    fn groups_that_come_alone_still_move_by_their_losses_not_by_how_often_they_come() {
        let mut balancer = dro(3);
        let mut got = Vec::new();
        for step in 0..400 {
            // Group 0 comes in half of all steps.
            let group = [0, 1, 0, 2][step % 4];
            let present: Vec<bool> = (0..3).map(|g| g == group).collect();
            got = see(&mut balancer, &[1.0, 1.0, 1.2], &present);
        }
        assert!(got[2] > 2.0 * got[0], "{got:?}");
        assert!(got[0] < got[1], "the common group, no worse than another, gained by being common: {got:?}");
    }

    #[test]
    fn an_absent_group_moves_nothing_of_its_own() {
        let mut balancer = dro(2);
        for _ in 0..20 {
            see(&mut balancer, &[1.0, 0.0], &[true, false]);
        }
        assert_eq!((balancer.log_mass[1], balancer.known[1]), (0.0, 0.0));
    }

    #[test]
    fn the_adjustment_favours_small_groups() {
        let config = GroupDroConfig { rate: 0.1, adjustment: 2.0, rows: vec![10_000.0, 4.0] };
        let got = see(&mut GroupDro::new(2, config).unwrap(), &[1.0, 1.0], &[true; 2]);
        assert!((got[1] / got[0] - f64::exp(0.1 * (1.0 - 0.02))).abs() < 1e-12, "{got:?}");
        let config = GroupDroConfig { adjustment: 2.0, ..GroupDroConfig::default() };
        assert_eq!(GroupDro::new(2, config).unwrap_err().to_string(), "0 row counts of groups, expected 2");
    }

    #[test]
    fn a_restored_balancer_goes_on_to_the_bit() {
        support::claims::goes_on_to_the_bit(|| dro(3));
    }
}
