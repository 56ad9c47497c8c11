mod parts;
mod profile;

use super::*;
use kohort_core::{Activation, LossKind, ParamId, Tape};
use kohort_layers::Mode;
use kohort_objectives::{
    Denominator, Fixed, Objective, ObjectiveError, Terms, Uncertainty, UncertaintyForm, Wants,
};

/// `y = 3x − 1`, learned by one linear layer with dropout on its input; a second objective that pulls the other way.
struct Line {
    w: ParamId,
    b: ParamId,
    initial: Params,
    names: Vec<String>,
    poison: Option<usize>,
}

impl Line {
    fn new() -> Line {
        let mut initial = Params::new();
        let w = initial.add("w", 1, 1, vec![0.0]);
        let b = initial.add("b", 1, 1, vec![0.0]);
        Line { w, b, initial, names: vec!["fit".into(), "pull".into()], poison: None }
    }
}

impl System for Line {
    fn rows(&self) -> usize {
        100
    }
    fn objectives(&self) -> &[String] {
        &self.names
    }
    fn initial(&self, _: u64) -> Params {
        self.initial.clone()
    }
    fn terms(&self, batch: &[u32]) -> Result<Vec<Terms>, ObjectiveError> {
        let mse = Objective::entrywise(LossKind::Squared, Denominator::Rows);
        Ok(vec![mse.terms(batch.len(), None, None)?; 2])
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
        let x: Vec<f32> = rows.iter().map(|&r| r as f32 / 50.0 - 1.0).collect();
        let y: Vec<f32> = rows
            .iter()
            .map(|&r| {
                if self.poison == Some(r as usize) {
                    f32::INFINITY
                } else {
                    3.0 * (r as f32 / 50.0 - 1.0) - 1.0
                }
            })
            .collect();
        let x = tape.input(rows.len(), 1, &x);
        let x = mode.dropout(tape, x, 0.1);
        let out = tape.linear(params, x, self.w, Some(self.b), Activation::Identity);
        let fit = tape.loss(LossKind::Squared, out, &y, weights[0], scales[0] as f32);
        let zero = vec![0.0; rows.len()];
        let pull = tape.loss(LossKind::Squared, out, &zero, weights[1], scales[1] as f32);
        Recorded::new(vec![fit, pull], vec![out])
    }
}

fn config() -> TrainConfig {
    TrainConfig {
        epochs: 12,
        batch: 30,
        shard_rows: 8,
        learning_rate: 0.05,
        average: 0.9,
        ..TrainConfig::default()
    }
}

fn run(line: &Line, balancer: &mut dyn Balancer, config: &TrainConfig) -> Result<Trained, ModelError> {
    train(line, balancer, config, 1, None, None, &mut |_| {})
}

#[test]
fn the_loss_falls() {
    let trained = run(&Line::new(), &mut Fixed::new(vec![1.0, 0.0]).unwrap(), &config()).unwrap();
    let fit = |n: usize| trained.epochs[n].losses[0].1;
    assert!(fit(11) < 0.2 * fit(0), "{} to {}", fit(0), fit(11));
}

#[test]
fn early_stopping_keeps_the_best_epoch_and_stops_after_patience() {
    let count = std::cell::Cell::new(0.0);
    let worse_after_three = |_: &Params| {
        count.set(count.get() + 1.0);
        f64::abs(count.get() - 3.0)
    };
    let config = TrainConfig { patience: 2, ..config() };
    let mut fixed = Fixed::new(vec![1.0, 0.0]).unwrap();
    let mut seen = Vec::new();
    let trained = train(&Line::new(), &mut fixed, &config, 1, Some(&worse_after_three), None, &mut |e| {
        seen.push(e.epoch)
    })
    .unwrap();
    assert_eq!((trained.best, seen), (3, vec![1, 2, 3, 4, 5]));
    let three = TrainConfig { epochs: 3, ..config };
    let mut fixed = Fixed::new(vec![1.0, 0.0]).unwrap();
    let stopped_there = run(&Line::new(), &mut fixed, &three).unwrap();
    assert_eq!(trained.params.fingerprint(), stopped_there.params.fingerprint());
}

#[test]
fn resume_equals_never_having_stopped_with_a_balancer_that_learns() {
    let balancer = || Uncertainty::new(vec![UncertaintyForm::Regression; 2], 0.01);
    let whole = run(&Line::new(), &mut balancer(), &config()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.ckpt");
    for pause_after in [Some(5), Some(5), Some(9), None] {
        let point = Checkpoint { path: &path, pause_after };
        let part =
            train(&Line::new(), &mut balancer(), &config(), 1, None, Some(point), &mut |_| {}).unwrap();
        assert_eq!(part.epochs.len(), pause_after.unwrap_or(12));
        if pause_after.is_none() {
            assert_eq!(part.params.fingerprint(), whole.params.fingerprint());
            assert!(part.epochs.iter().zip(&whole.epochs).all(|(a, b)| a.losses == b.losses));
        }
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.ckpt");
    let point = Some(Checkpoint { path: &path, pause_after: Some(1) });
    let mut fixed = Fixed::new(vec![1.0, 0.0]).unwrap();
    train(&Line::new(), &mut fixed, &config(), 1, None, point, &mut |_| {}).unwrap();
    let other = TrainConfig { learning_rate: 0.01, ..config() };
    let error = train(&Line::new(), &mut fixed, &other, 1, None, point, &mut |_| {}).unwrap_err().to_string();
    assert!(
        error.ends_with("can't go on from this checkpoint: it was saved under another training config"),
        "{error}"
    );
}

#[test]
fn a_non_finite_loss_stops_with_objective_op_and_step() {
    let line = Line { poison: Some(42), ..Line::new() };
    let error = run(&line, &mut Fixed::new(vec![1.0, 0.0]).unwrap(), &config()).unwrap_err().to_string();
    assert!(error.starts_with("the loss of fit is inf in epoch 1, step"), "{error}");
    assert!(error.contains("came from loss"), "the target is data, the loss made it visible: {error}");
}

#[test]
fn what_diverges_in_the_last_step_is_no_result() {
    let wild = TrainConfig { epochs: 1, batch: 100, learning_rate: 1e38, average: 0.0, ..config() };
    let rule = kohort_core::optim::Rule::Sgd(kohort_core::optim::Sgd::default());
    let wild = TrainConfig { rule, ..wild };
    let error = run(&Line::new(), &mut Fixed::new(vec![1e6, 0.0]).unwrap(), &wild).unwrap_err().to_string();
    assert!(error.contains("is not finite in epoch 1, step"), "{error}");
    let mut fixed = Fixed::new(vec![1.0, 0.0]).unwrap();
    let nan = |_: &Params| f64::NAN;
    let error = train(&Line::new(), &mut fixed, &config(), 1, Some(&nan), None, &mut |_| {}).unwrap_err();
    assert!(error.to_string().starts_with("the validation value is not finite in epoch 1"), "{error}");
}

#[test]
fn the_log_has_one_json_line_an_epoch() {
    let mut log = JsonLines::new(Vec::new());
    let mut fixed = Fixed::new(vec![1.0, 0.0]).unwrap();
    let trained = train(&Line::new(), &mut fixed, &config(), 1, None, None, &mut |e| log.write(e)).unwrap();
    let text = String::from_utf8(log.finish().unwrap()).unwrap();
    let lines: Vec<String> = trained.epochs.iter().map(|e| serde_json::to_string(e).unwrap()).collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
    let back: Epoch = serde_json::from_str(&lines[3]).unwrap();
    assert_eq!(back.epoch, 4);
}

#[test]
fn a_setting_out_of_range_is_named_with_what_is_allowed() {
    let message = |config: TrainConfig| config.check().unwrap_err().to_string();
    let wrong = TrainConfig { batch: 0, ..config() };
    assert_eq!(message(wrong), "batch = 0, allowed is a whole number of at least 1");
    let endless = TrainConfig { epochs: usize::MAX, patience: 1, ..config() };
    let mut fixed = Fixed::new(vec![1.0, 0.0]).unwrap();
    let same = |_: &Params| 1.0;
    let stopped = train(&Line::new(), &mut fixed, &endless, 1, Some(&same), None, &mut |_| {}).unwrap();
    assert_eq!(stopped.epochs.len(), 2, "a large number of epochs is no overflow");
    let wrong = TrainConfig { learning_rate: f64::NAN, ..config() };
    assert_eq!(message(wrong), "learning_rate = NaN, allowed is a finite number above 0");
    let adam = kohort_core::optim::Adam { beta1: 1.0, ..Default::default() };
    let wrong = TrainConfig { rule: kohort_core::optim::Rule::Adam(adam), ..config() };
    assert_eq!(message(wrong), "beta1 = 1, allowed is a number in [0, 1)");
}

/// Weighs trunk and heads apart, and sees gradients: the slow road must give what the fast one gives.
struct Apart(Wants, Vec<Vec<f64>>);

impl Balancer for Apart {
    fn wants(&self) -> Wants {
        self.0
    }
    fn coefficients(&mut self, seen: kohort_objectives::Seen<'_>) -> kohort_objectives::Coefficients {
        self.1.extend(seen.gram.map(<[f64]>::to_vec));
        // Nothing lies above this system's cut, so the heads' coefficients touch nothing.
        kohort_objectives::Coefficients { trunk: vec![1.0, 0.5], heads: vec![9.0, 9.0] }
    }
}

#[test]
fn coefficients_for_the_trunk_alone_equal_weighted_losses_when_there_is_no_head() {
    let fast = run(&Line::new(), &mut Fixed::new(vec![1.0, 0.5]).unwrap(), &config()).unwrap();
    let slow = run(&Line::new(), &mut Apart(Wants::Losses, Vec::new()), &config()).unwrap();
    for (a, b) in fast.params.slots().iter().zip(slow.params.slots()) {
        assert!((a.value[0] - b.value[0]).abs() < 1e-5);
    }
}

#[test]
fn the_gram_matrix_is_symmetric_with_squared_norms_on_its_diagonal() {
    let mut balancer = Apart(Wants::Gram, Vec::new());
    run(&Line::new(), &mut balancer, &TrainConfig { epochs: 1, ..config() }).unwrap();
    assert_eq!(balancer.1.len(), 4, "one per step");
    for gram in balancer.1 {
        assert_eq!(gram[1], gram[2]);
        assert!(gram[0] > 0.0 && gram[3] >= 0.0);
        assert!(gram[1] * gram[1] <= gram[0] * gram[3] * (1.0 + 1e-9), "Cauchy and Schwarz");
    }
}
