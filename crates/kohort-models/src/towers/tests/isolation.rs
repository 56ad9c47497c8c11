//! Through the whole trainer: rows of other groups leave a group's block and its optimiser state as they are, to the bit.

use kohort_core::optim::{Adam, AdamW, Optimizer, Rule};
use kohort_core::{Params, Tape};
use kohort_objectives::{ObjectiveError, Terms};

use super::*;
use crate::trainer::{Recorded, System, saved};

/// The same system, in which rows of one group never come: another row stands in for each.
struct Without<'a> {
    rows: &'a Rows<'a>,
    others: Vec<u32>,
}

impl<'a> Without<'a> {
    fn group(rows: &'a Rows<'a>, group: u32) -> Without<'a> {
        let others = (0..rows.rows() as u32).filter(|&row| rows.group(row) != group).collect();
        Without { rows, others }
    }

    fn map(&self, batch: &[u32]) -> Vec<u32> {
        batch.iter().map(|&row| self.others[row as usize % self.others.len()]).collect()
    }
}

impl System for Without<'_> {
    fn rows(&self) -> usize {
        self.rows.rows()
    }
    fn objectives(&self) -> &[String] {
        self.rows.objectives()
    }
    fn initial(&self, seed: u64) -> Params {
        self.rows.initial(seed)
    }
    fn identity(&self) -> String {
        self.rows.identity()
    }
    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        self.rows.terms(&self.map(batch))
    }
    fn record(
        &self,
        tape: &mut Tape,
        params: &Params,
        rows: &[u32],
        weights: &[Option<&[f32]>],
        scales: &[f64],
        mode: &mut Mode,
    ) -> Recorded {
        self.rows.record(tape, params, &self.map(rows), weights, scales, mode)
    }
}

#[test]
fn rows_of_other_groups_leave_a_groups_block_and_its_optimiser_state_bit_identical() {
    let world = world();
    for rule in [Rule::AdamW(AdamW::default()), Rule::Adam(Adam::default())] {
        let config = Config {
            blocks: Blocks { hidden: vec![6], own_layers: 1, ..Blocks::default() },
            decay: 0.1,
            block_decay: 0.1,
            dropout: 0.1,
            train: TrainConfig { rule, ..small().train },
            ..small()
        };
        let rows = Rows::prepare(world.input(), &config, 1).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("towers.ckpt");
        let mut balancer = Fixed::new(vec![1.0; world.markets.len()]).unwrap();
        let mut go = |system: &dyn System, pause_after| {
            let point = Checkpoint { path: &path, pause_after };
            train(system, &mut balancer, &config.train, 1, None, Some(point), &mut |_| {}).unwrap();
            saved(&path)
        };
        let group = 2;
        let state = |(params, optimizer): &(Params, Optimizer), own: bool| -> Vec<_> {
            let ids = params.ids();
            ids.filter(|&id| params.slot(id).name.starts_with(&format!("group{group}/")) == own)
                .map(|id| (params.value(id).to_vec(), optimizer.steps(id), optimizer.moments(id).clone()))
                .collect()
        };
        let before = go(&rows, Some(2));
        let after = go(&Without::group(&rows, group), None);
        assert!(state(&before, true).iter().all(|(_, steps, _)| *steps > 0), "the group was trained before");
        assert_eq!(state(&before, true), state(&after, true));
        for (before, after) in state(&before, false).iter().zip(&state(&after, false)) {
            assert!(before != after && before.1 < after.1, "all else goes on");
        }
    }
}

#[test]
fn a_group_that_no_row_of_a_batch_is_in_is_absent_for_the_balancer() {
    let world = world();
    for denominator in [Denominator::Rows, Denominator::Mask, Denominator::Weight] {
        let config = Config { denominator, ..small() };
        let rows = Rows::prepare(world.input(), &config, 1).unwrap();
        let batch: Vec<u32> = (0..rows.rows() as u32).filter(|&row| rows.group(row) == 1).collect();
        let scales: Vec<f64> = rows.terms(&batch).unwrap().iter().map(|terms| terms.scale).collect();
        assert_eq!(scales, [0.0, 1.0 / batch.len() as f64, 0.0, 0.0]);
    }
}
