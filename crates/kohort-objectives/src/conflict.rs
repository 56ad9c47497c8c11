//! What makes weighting visible: a running record of weights, losses, gradient norms and cosines, and warnings in plain words.
//!
//! Every number is an exponential average over the steps in which its objective was present, or both of a pair's were, corrected
//! for its start (`Σ κ^a·x_a / Σ κ^a` over ages a). Norms and cosines are those that the balancer was shown: at the representation where the
//! trainer cuts there, and none where the method wants losses only. [`Record::snapshot`] is a row for a log or a plot;
//! the record itself goes into a checkpoint by serde.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Balancer, Coefficients, ObjectiveError, Seen, Wants};

/// When to warn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatchConfig {
    /// `κ`: what an average keeps in each step.
    pub kept: f64,
    /// Steps of an objective or pair before anything is said about it.
    pub patience: u64,
    /// Share of the weighted gradient from which one objective takes over.
    pub dominance: f64,
    /// Share of steps with a negative cosine from which two fight, where the mean cosine is below `cosine` too.
    pub fights: f64,
    /// See `fights`: in many dimensions cosines of strangers are negative half of the time, but small.
    pub cosine: f64,
    /// Share of steps at a bound from which a weight is stuck there.
    pub bound: f64,
}

impl Default for WatchConfig {
    fn default() -> WatchConfig {
        WatchConfig { kept: 0.99, patience: 100, dominance: 0.9, fights: 0.8, cosine: -0.1, bound: 0.5 }
    }
}

/// An exponential average that is right from its first value on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Average {
    sum: f64,
    mass: f64,
    count: u64,
}

impl Average {
    fn add(&mut self, x: f64, kept: f64) {
        // A number that is none would stay for good.
        if x.is_finite() {
            self.sum = kept * self.sum + x;
            self.mass = kept * self.mass + 1.0;
            self.count += 1;
        }
    }

    fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.mass)
    }

    fn after(&self, patience: u64) -> Option<f64> {
        self.mean().filter(|_| self.count >= patience)
    }
}

/// The running record of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    config: WatchConfig,
    names: Vec<String>,
    step: u64,
    weight: Vec<Average>,
    loss: Vec<Average>,
    norm: Vec<Average>,
    share: Vec<Average>,
    at_bound: Vec<Average>,
    /// `[objectives, objectives]`, above the diagonal; empty until one is shown.
    cosine: Vec<Average>,
    fight: Vec<Average>,
}

/// The averages at a step, in the order of the record's names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last step that was recorded.
    pub step: u64,
    /// Coefficients of the trunk; `None` for an objective that has not been seen.
    pub weights: Vec<Option<f64>>,
    /// Losses, unweighted.
    pub losses: Vec<Option<f64>>,
    /// Norms of gradients, unweighted; `None` where they were not shown.
    pub norms: Vec<Option<f64>>,
    /// Shares of the sum of weighted norms, or of weights where no norms were shown, over steps with at least two objectives.
    pub shares: Vec<Option<f64>>,
    /// Cosines between gradients, `[objectives][objectives]`, symmetric, 1 on the diagonal; `None` where they were not shown.
    pub cosines: Vec<Vec<Option<f64>>>,
}

/// Something that a user should know about the weighting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warning {
    /// One objective has nearly all of the gradient.
    TakesOver {
        /// Which.
        objective: String,
        /// Its share.
        share: f64,
    },
    /// Two objectives pull in opposite directions nearly always.
    Fight {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// The share of steps.
        steps: f64,
        /// Their mean cosine.
        cosine: f64,
    },
    /// What a balancer keeps for an objective is stuck at a bound.
    AtBound {
        /// Which.
        objective: String,
        /// The share of steps.
        steps: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::TakesOver { objective, share } => write!(
                f,
                "`{objective}` takes over: it has {:.0} % of the weighted gradient, and the others barely train",
                100.0 * share
            ),
            Warning::Fight { first, second, steps, cosine } => write!(
                f,
                "`{first}` and `{second}` fight all the time: in {:.0} % of steps what helps one harms the other \
                 (mean cosine {cosine:.2})",
                100.0 * steps
            ),
            Warning::AtBound { objective, steps } => write!(
                f,
                "the weight of `{objective}` is held at its bound in {:.0} % of steps: the balancer would go further",
                100.0 * steps
            ),
        }
    }
}

impl Record {
    /// An empty record of these objectives.
    ///
    /// # Errors
    /// If a threshold is out of range.
    pub fn new(names: Vec<String>, config: WatchConfig) -> Result<Record, ObjectiveError> {
        let unit = 0.0..=1.0;
        for (field, value, ok, expected) in [
            ("kept", config.kept, (0.0..1.0).contains(&config.kept), "a number in [0, 1)"),
            ("dominance", config.dominance, unit.contains(&config.dominance), "a number in [0, 1]"),
            ("fights", config.fights, unit.contains(&config.fights), "a number in [0, 1]"),
            ("cosine", config.cosine, (-1.0..=1.0).contains(&config.cosine), "a number in [-1, 1]"),
            ("bound", config.bound, unit.contains(&config.bound), "a number in [0, 1]"),
        ] {
            if !ok {
                return Err(ObjectiveError::Setting { method: "watch", field, value, expected });
            }
        }
        let n = names.len();
        let each = vec![Average::default(); n];
        Ok(Record {
            config,
            names,
            step: 0,
            weight: each.clone(),
            loss: each.clone(),
            norm: each.clone(),
            share: each.clone(),
            at_bound: each,
            cosine: Vec::new(),
            fight: Vec::new(),
        })
    }

    /// Names of objectives, in the order of a snapshot's numbers.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Takes in a step: what the balancer was shown, what it chose, and itself, for what it wants and its bounds.
    pub fn update(&mut self, seen: Seen<'_>, chosen: &Coefficients, balancer: &dyn Balancer) {
        let (n, kept) = (self.names.len(), self.config.kept);
        assert!(
            seen.losses.len() == n && chosen.trunk.len() == n,
            "a record of {n} objectives was shown {} losses and {} coefficients",
            seen.losses.len(),
            chosen.trunk.len()
        );
        self.step = seen.step;
        let present: Vec<usize> = (0..n).filter(|&k| seen.present[k]).collect();
        let gram = seen.gram.filter(|_| balancer.wants() >= Wants::Norms);
        let norm = |k: usize| gram.map_or(1.0, |gram| gram[k * n + k].max(0.0).sqrt());
        let pull = |k: usize| chosen.trunk[k].abs() * norm(k);
        let total: f64 = present.iter().map(|&k| pull(k)).sum();
        for &k in &present {
            self.weight[k].add(chosen.trunk[k], kept);
            self.loss[k].add(seen.losses[k], kept);
            self.at_bound[k].add(f64::from(balancer.at_bound(k)), kept);
            if gram.is_some() {
                self.norm[k].add(norm(k), kept);
            }
            if present.len() > 1 && total > 0.0 {
                self.share[k].add(pull(k) / total, kept);
            }
        }
        let Some(gram) = gram.filter(|_| balancer.wants() >= Wants::Gram) else { return };
        self.cosine.resize(n * n, Average::default());
        self.fight.resize(n * n, Average::default());
        for (at, &i) in present.iter().enumerate() {
            for &j in &present[at + 1..] {
                let lengths = norm(i) * norm(j);
                if lengths > 0.0 {
                    let cosine = (gram[i * n + j] / lengths).clamp(-1.0, 1.0);
                    self.cosine[i * n + j].add(cosine, kept);
                    self.fight[i * n + j].add(f64::from(cosine < 0.0), kept);
                }
            }
        }
    }

    /// The averages as they stand.
    pub fn snapshot(&self) -> Snapshot {
        let n = self.names.len();
        let means = |averages: &[Average]| averages.iter().map(Average::mean).collect::<Vec<_>>();
        let cosine = |i: usize, j: usize| match i == j {
            true => self.norm[i].mean().map(|_| 1.0),
            false => self.cosine.get(i.min(j) * n + i.max(j)).and_then(Average::mean),
        };
        Snapshot {
            step: self.step,
            weights: means(&self.weight),
            losses: means(&self.loss),
            norms: means(&self.norm),
            shares: means(&self.share),
            cosines: (0..n).map(|i| (0..n).map(|j| cosine(i, j)).collect()).collect(),
        }
    }

    /// What holds now and deserves a warning.
    pub fn warnings(&self) -> Vec<Warning> {
        let (n, config) = (self.names.len(), self.config);
        let name = |k: usize| self.names[k].clone();
        let over = |average: &Average, limit: f64| average.after(config.patience).filter(|&x| x >= limit);
        let mut warnings = Vec::new();
        for k in 0..n {
            if let Some(share) = over(&self.share[k], config.dominance) {
                warnings.push(Warning::TakesOver { objective: name(k), share });
            }
            if let Some(steps) = over(&self.at_bound[k], config.bound) {
                warnings.push(Warning::AtBound { objective: name(k), steps });
            }
        }
        let pairs = if self.cosine.is_empty() { 0 } else { n };
        for (i, j) in (0..pairs).flat_map(|i| (i + 1..n).map(move |j| (i, j))) {
            let cosine = self.cosine[i * n + j].mean().filter(|&cosine| cosine < config.cosine);
            if let (Some(steps), Some(cosine)) = (over(&self.fight[i * n + j], config.fights), cosine) {
                warnings.push(Warning::Fight { first: name(i), second: name(j), steps, cosine });
            }
        }
        warnings
    }
}
