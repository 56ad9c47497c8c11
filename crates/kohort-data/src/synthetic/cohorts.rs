//! Rows whose targets depend on their cohort by stated amounts: regions, and stages within regions.
//!
//! Shapes: N rows, d inputs, R regions, S stages, tasks k. Inputs are x ~ N(0, I_d). With a, b and e of length 1,
//!
//! w_k(r, s) = `shared` · a_k + `region` · b_k,r + `stage` · e_k,r,s, z = ⟨w_k(r, s), x⟩;
//!
//! a binary target is 1 with probability σ(z), a number is z + `noise` · ε. So the three sizes are the deviations in z of
//! what all rows, those of a region and those of a stage have in common.
//!
//! The b of a task sum to zero over the regions, and the e over the stages of a region (then their mean square is brought
//! to length 1), so that nothing of a region is shared by all. Two regions are then exact opposites, `region` · ±b: with
//! `shared` = 0 they have opposite preferences ([`CohortRecipe::opposite`]). A single region or stage has no component of
//! its own. With `region` = `stage` = 0 cohorts are names without meaning ([`CohortRecipe::identical`]).
//!
//! Directions of two tasks have a cosine of about `relation`². Region r and, within it, stage s have shares like
//! 1 / (r + 1)^`zipf`. Inputs, cohorts and the draws behind the targets are the same for all sizes of a seed.

use kohort_random::{rand::Rng, stream};
use serde::{Deserialize, Serialize};

use super::mmoe::unit;
use super::normal::{normal, normals};
use super::setting;
use crate::records::{Records, Target, TargetKind};
use crate::{Column, DataError, Features, Vocabulary};

/// What to plant.
///
/// ```
/// use kohort_data::{records::{CohortPaths, RecordShares}, synthetic::CohortRecipe};
///
/// let (records, truth) = CohortRecipe::nested().generate(7)?;
/// let split = RecordShares::default().split(&records, 1)?;
/// assert_eq!(CohortPaths::of(&split.train, &["region", "stage"])?.len(), 3 + 3 * 3);
///
/// // What the perfect model loses on these very rows, and what the best one loses that may not see the cohort.
/// let (targets, origin) = (split.test.answers().targets, split.test.origin());
/// assert!(truth.oracle(targets, origin)[0] < truth.blind_oracle(targets, origin)[0] - 0.1);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortRecipe {
    /// Rows.
    pub rows: usize,
    /// Number d of inputs.
    pub features: usize,
    /// Regions.
    pub regions: usize,
    /// Stages within each region; 1 makes the cohorts flat, and there is no column `stage`.
    pub stages: usize,
    /// How fast regions and stages get rarer, 0 (all alike) to 10.
    pub zipf: f64,
    /// Deviation in z of what all rows share, 0 to 100.
    pub shared: f64,
    /// Deviation in z of what a region has of its own, 0 to 100.
    pub region: f64,
    /// Deviation in z of what a stage of a region has of its own, 0 to 100.
    pub stage: f64,
    /// Binary targets.
    pub binary: usize,
    /// Number targets.
    pub numbers: usize,
    /// How alike the tasks are, 0 (directions of their own) to 1 (the same z).
    pub relation: f64,
    /// Deviation of the noise of number targets, 0 to 100.
    pub noise: f64,
    /// Length of a further input, `behaviour`, from which the cohort can be guessed; 0 for none.
    pub behaviour: usize,
    /// How far apart the cohorts' centres of behaviour are, in deviations of its noise, 0 to 100.
    pub telling: f64,
}

impl CohortRecipe {
    /// 2,000 rows of 4 flat cohorts, one binary and one number target: for fast tests.
    pub fn small() -> CohortRecipe {
        CohortRecipe {
            rows: 2_000,
            features: 6,
            regions: 4,
            stages: 1,
            zipf: 0.0,
            shared: 1.0,
            region: 1.5,
            stage: 0.0,
            binary: 1,
            numbers: 1,
            relation: 0.5,
            noise: 0.5,
            behaviour: 0,
            telling: 0.0,
        }
    }

    /// Two cohorts that want the opposite of each other, and nothing else: the best model that does not see the cohort
    /// knows nothing.
    pub fn opposite() -> CohortRecipe {
        CohortRecipe { regions: 2, shared: 0.0, region: 3.0, ..CohortRecipe::small() }
    }

    /// Four cohorts that do not differ: what is spent on them is lost.
    pub fn identical() -> CohortRecipe {
        CohortRecipe { shared: 2.0, region: 0.0, ..CohortRecipe::small() }
    }

    /// Three regions of three stages, with a component on each level.
    pub fn nested() -> CohortRecipe {
        CohortRecipe { rows: 6_000, regions: 3, stages: 3, region: 1.5, stage: 1.0, ..CohortRecipe::small() }
    }

    /// Makes the records that this recipe and `seed` name: the dense features `x` and `behaviour`, the cohort columns
    /// `region` and `stage`, the targets `binary 0`, … and `number 0`, ….
    ///
    /// # Errors
    /// [`DataError::Setting`] for a recipe that cannot be followed.
    pub fn generate(&self, seed: u64) -> Result<(Records, CohortTruth), DataError> {
        self.check()?;
        let (d, tasks, cohorts) = (self.features, self.binary + self.numbers, self.regions * self.stages);
        let mut numbers = stream(seed, "cohorts-inputs", &[]);
        let x: Vec<f32> = (0..self.rows * d).map(|_| normal(&mut numbers) as f32).collect();
        let (region_shares, stage_shares) = (self.shares(self.regions), self.shares(self.stages));
        let mut numbers = stream(seed, "cohorts-assignment", &[]);
        let mut region = Vec::with_capacity(self.rows);
        let mut stage = Vec::with_capacity(self.rows);
        for _ in 0..self.rows {
            region.push(pick(&region_shares, numbers.random()));
            stage.push(pick(&stage_shares, numbers.random()));
        }
        let shares = region_shares.iter().flat_map(|r| stage_shares.iter().map(move |s| r * s)).collect();
        let mut truth = CohortTruth {
            region,
            stage,
            stages: self.stages,
            shares,
            weights: self.weights(seed),
            expected: vec![Vec::with_capacity(self.rows); tasks],
            blind: vec![Vec::with_capacity(self.rows); tasks],
        };
        let mut targets = Vec::with_capacity(tasks);
        for task in 0..tasks {
            let kind = if task < self.binary { TargetKind::Binary } else { TargetKind::Number };
            let mut numbers = stream(seed, "cohorts-targets", &[task as u64]);
            let mut values = Vec::with_capacity(self.rows);
            let mut of_cohorts = vec![0.0; cohorts];
            for (row, x) in x.chunks_exact(d).enumerate() {
                for (cohort, expected) in of_cohorts.iter_mut().enumerate() {
                    let w = &truth.weights[task][cohort];
                    let z: f64 = w.iter().zip(x).map(|(w, &x)| w * f64::from(x)).sum();
                    *expected = if kind == TargetKind::Binary { 1.0 / (1.0 + (-z).exp()) } else { z };
                }
                let expected = of_cohorts[truth.cohort(row)];
                values.push(match kind {
                    TargetKind::Binary => f32::from(u8::from(numbers.random::<f64>() < expected)),
                    TargetKind::Number => (expected + self.noise * normal(&mut numbers)) as f32,
                });
                truth.expected[task].push(expected);
                truth.blind[task]
                    .push(of_cohorts.iter().zip(&truth.shares).map(|(e, share)| e * share).sum());
            }
            let name = match kind {
                TargetKind::Binary => format!("binary {task}"),
                TargetKind::Number => format!("number {}", task - self.binary),
            };
            targets.push(Target { name, kind, values, known: None });
        }

        let mut features = Features::new(self.rows);
        features.push("x", Column::Dense { width: d, values: x })?;
        if self.behaviour > 0 {
            features.push("behaviour", self.behaviours(seed, &truth))?;
        }
        let records = Records {
            cohorts: self.columns(&truth)?,
            targets,
            source: "synthetic".to_owned(),
            notes: vec![format!("{self:?}, seed {seed}")],
            ..Records::new("synthetic-cohorts", features)
        };
        records.check()?;
        Ok((records, truth))
    }

    /// w_k(r, s) of each task and cohort.
    fn weights(&self, seed: u64) -> Vec<Vec<Vec<f64>>> {
        let common = self.directions(&mut stream(seed, "cohorts-weights", &[0]));
        let of_task = |task: usize| {
            let own = self.directions(&mut stream(seed, "cohorts-weights", &[1 + task as u64]));
            let mix = |common: &[f64], own: &[f64]| -> Vec<f64> {
                let rest = (1.0 - self.relation * self.relation).sqrt();
                common.iter().zip(own).map(|(c, o)| self.relation * c + rest * o).collect()
            };
            let mixed: Vec<Vec<f64>> = common.iter().zip(&own).map(|(c, o)| mix(c, o)).collect();
            let (a, others) = mixed.split_at(1);
            let (b, e) = others.split_at(self.regions);
            let (a, b) = (unit(a[0].clone()), centred(b));
            let e: Vec<Vec<f64>> = e.chunks_exact(self.stages).flat_map(centred).collect();
            let weight = |cohort: usize| -> Vec<f64> {
                let (b, e) = (&b[cohort / self.stages], &e[cohort]);
                (0..self.features)
                    .map(|f| self.shared * a[f] + self.region * b[f] + self.stage * e[f])
                    .collect()
            };
            (0..self.regions * self.stages).map(weight).collect()
        };
        (0..self.binary + self.numbers).map(of_task).collect()
    }

    /// Unit vectors: one for all, one a region, one a stage of a region.
    fn directions(&self, numbers: &mut kohort_random::Stream) -> Vec<Vec<f64>> {
        let count = 1 + self.regions + self.regions * self.stages;
        (0..count).map(|_| unit(normals(self.features, numbers))).collect()
    }

    /// Shares that fall like 1 / (n + 1)^zipf.
    fn shares(&self, n: usize) -> Vec<f64> {
        let weights: Vec<f64> = (0..n).map(|at| (at as f64 + 1.0).powf(-self.zipf)).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / sum).collect()
    }

    /// The centre of the row's cohort, `telling` · a unit vector, and standard normal noise.
    fn behaviours(&self, seed: u64, truth: &CohortTruth) -> Column {
        let mut numbers = stream(seed, "cohorts-behaviour", &[]);
        let centres: Vec<Vec<f64>> =
            truth.shares.iter().map(|_| unit(normals(self.behaviour, &mut numbers))).collect();
        let mut values = Vec::with_capacity(self.rows * self.behaviour);
        for row in 0..self.rows {
            let centre = &centres[truth.cohort(row)];
            values.extend(centre.iter().map(|c| (self.telling * c + normal(&mut numbers)) as f32));
        }
        Column::Dense { width: self.behaviour, values }
    }

    fn columns(&self, truth: &CohortTruth) -> Result<Features, DataError> {
        let mut cohorts = Features::new(self.rows);
        let columns = [("region", self.regions, &truth.region), ("stage", self.stages, &truth.stage)];
        for (name, n, codes) in columns.into_iter().take(if self.stages > 1 { 2 } else { 1 }) {
            let tokens: Vec<String> = (0..n).map(|at| format!("{name} {at}")).collect();
            let vocabulary: Vocabulary = tokens.iter().map(String::as_str).collect();
            cohorts.push(name, Column::Categorical { codes: codes.clone(), vocabulary })?;
        }
        Ok(cohorts)
    }

    fn check(&self) -> Result<(), DataError> {
        for (name, found) in [
            ("rows", self.rows),
            ("features", self.features),
            ("regions", self.regions),
            ("stages", self.stages),
            ("binary + numbers", self.binary.saturating_add(self.numbers)),
        ] {
            if found < 1 {
                return Err(setting(name, found, "at least 1".to_owned()));
            }
        }
        // Every row is scored with the weights of every cohort, for the best model that does not see them.
        const MOST: usize = 1 << 32;
        let cohorts = self.regions.saturating_mul(self.stages);
        let tasks = self.binary.saturating_add(self.numbers);
        let products = [self.rows, self.features, tasks].into_iter().fold(cohorts, usize::saturating_mul);
        for (name, found) in [
            ("rows × features × cohorts × targets", products),
            ("rows × behaviour", self.rows.saturating_mul(self.behaviour)),
            ("cohorts × behaviour", cohorts.saturating_mul(self.behaviour)),
        ] {
            if found > MOST {
                return Err(setting(name, found, format!("at most {MOST}")));
            }
        }
        for (name, found, most) in [
            ("zipf", self.zipf, 10.0),
            ("shared", self.shared, 100.0),
            ("region", self.region, 100.0),
            ("stage", self.stage, 100.0),
            ("relation", self.relation, 1.0),
            ("noise", self.noise, 100.0),
            ("telling", self.telling, 100.0),
        ] {
            if !(0.0..=most).contains(&found) {
                return Err(setting(name, found, format!("a number from 0 to {most}")));
            }
        }
        Ok(())
    }
}

/// The right answers: for tests and ceilings, never for training.
#[derive(Clone, Debug, PartialEq)]
pub struct CohortTruth {
    /// Region of each row.
    pub region: Vec<u32>,
    /// Stage of each row within its region.
    pub stage: Vec<u32>,
    /// Stages within each region.
    pub stages: usize,
    /// The probability of each cohort, r · `stages` + s.
    pub shares: Vec<f64>,
    /// w_k(r, s), `[targets][cohorts][features]`.
    pub weights: Vec<Vec<Vec<f64>>>,
    /// Probability of a 1 or mean of the number for each row, `[targets][rows]`.
    pub expected: Vec<Vec<f64>>,
    /// The same for who sees `x` but not the cohort: the mean over cohorts by their shares, `[targets][rows]`.
    pub blind: Vec<Vec<f64>>,
}

impl CohortTruth {
    /// The cohort of a row, r · `stages` + s.
    pub fn cohort(&self, row: usize) -> usize {
        self.region[row] as usize * self.stages + self.stage[row] as usize
    }

    /// What the perfect model loses on the rows that `origin` names, target by target: mean log loss of a binary one, RMSE
    /// of a number. `targets` are the answers of these rows.
    pub fn oracle(&self, targets: &[Target], origin: &[u32]) -> Vec<f64> {
        losses(&self.expected, targets, origin)
    }

    /// What the best model loses that sees `x` and neither cohort nor behaviour.
    pub fn blind_oracle(&self, targets: &[Target], origin: &[u32]) -> Vec<f64> {
        losses(&self.blind, targets, origin)
    }
}

fn losses(expected: &[Vec<f64>], targets: &[Target], origin: &[u32]) -> Vec<f64> {
    let one = |(expected, target): (&Vec<f64>, &Target)| {
        let rows = target.values.iter().zip(origin).map(|(&y, &row)| (f64::from(y), expected[row as usize]));
        let n = origin.len().max(1) as f64;
        match target.kind {
            TargetKind::Binary => {
                let surprise =
                    |(y, p): (f64, f64)| -(if y == 1.0 { p } else { 1.0 - p }).max(f64::MIN_POSITIVE).ln();
                rows.map(surprise).sum::<f64>() / n
            }
            TargetKind::Number => (rows.map(|(y, mean)| (y - mean).powi(2)).sum::<f64>() / n).sqrt(),
        }
    };
    expected.iter().zip(targets).map(one).collect()
}

/// Siblings without their mean, with a mean square of 1; zero where nothing is left.
fn centred(siblings: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = siblings.len() as f64;
    let width = siblings.first().map_or(0, Vec::len);
    let mean: Vec<f64> = (0..width).map(|f| siblings.iter().map(|v| v[f]).sum::<f64>() / n).collect();
    let apart: Vec<Vec<f64>> =
        siblings.iter().map(|v| v.iter().zip(&mean).map(|(v, m)| v - m).collect()).collect();
    let square = apart.iter().flatten().map(|v| v * v).sum::<f64>() / n;
    let factor = if siblings.len() > 1 && square > 0.0 { square.sqrt().recip() } else { 0.0 };
    apart.into_iter().map(|v| v.into_iter().map(|v| factor * v).collect()).collect()
}

/// The place in `shares` at which a number from 0 to 1 falls.
fn pick(shares: &[f64], at: f64) -> u32 {
    let mut end = 0.0;
    let found = shares.iter().position(|share| {
        end += share;
        at < end
    });
    found.unwrap_or(shares.len() - 1) as u32
}
