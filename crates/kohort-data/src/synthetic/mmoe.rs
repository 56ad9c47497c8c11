//! The MMoE paper's synthetic experiment: two regression tasks whose relation is a setting.
//!
//! J. Ma et al., "Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts", KDD 2018, section
//! 3.2. With u₁, u₂ orthogonal unit vectors in d dimensions and x ~ N(0, I_d),
//!
//! w₁ = c u₁, w₂ = c (p u₁ + √(1 − p²) u₂), so that cos(w₁, w₂) = p;
//!
//! y_k = ⟨w_k, x⟩ + Σ over i = 1..m of sin(α_i ⟨w_k, x⟩ + β_i) + ε, ε ~ N(0, `noise`).
//!
//! The sines make the relation of the labels another one than that of the weights. α and β are the same for both tasks.
//! The paper leaves c, m, α and β open: c = 1, m = 10 and α, β ~ N(0, 1) are the PLE paper's choice (H. Tang et al., RecSys
//! 2020), the number of rows is ours.
//!
//! Everything but w₂ and what follows from it is the same for all p of a seed: a sweep over p compares like with like.

use kohort_random::stream;
use serde::{Deserialize, Serialize};

use super::normal::{normal, normals};
use super::setting;
use crate::records::{Records, Target};
use crate::{Column, DataError, Features};

/// What to plant.
///
/// ```
/// use kohort_data::synthetic::MmoeRecipe;
///
/// let (records, truth) = MmoeRecipe { rows: 2_000, ..MmoeRecipe::published(0.5) }.generate(7)?;
/// assert_eq!(records.features.columns[0].1.values(0).len(), 100);
/// // The perfect model's squared error on all rows is the noise's variance.
/// let rows: Vec<u32> = (0..2_000).collect();
/// assert!((truth.squared_error(&records.targets, &rows)[0] - 0.01).abs() < 0.002);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MmoeRecipe {
    /// Rows.
    pub rows: usize,
    /// Length d of the inputs, at least 2.
    pub features: usize,
    /// Number m of sines.
    pub sines: usize,
    /// Deviation of the α_i, 0 to 100: the larger, the more the sines turn, and the more a model needs to follow them.
    pub steepness: f64,
    /// Length c of the weights, 0 to 100.
    pub scale: f64,
    /// Cosine p of the two tasks' weights, -1 to 1.
    pub cosine: f64,
    /// Variance of the noise, 0 to 100.
    pub noise: f64,
}

/// The right answers: for tests and ceilings, never for training.
#[derive(Clone, Debug, PartialEq)]
pub struct MmoeTruth {
    /// The weights of each task, `[features]`.
    pub weights: [Vec<f64>; 2],
    /// The mean of each task's label before noise, `[rows]`.
    pub means: [Vec<f64>; 2],
}

impl MmoeRecipe {
    /// As published, with 10,000 rows, for one cosine of the weights; the paper has 0.5, 0.9 and 1.
    pub fn published(cosine: f64) -> MmoeRecipe {
        MmoeRecipe { rows: 10_000, features: 100, sines: 10, steepness: 1.0, scale: 1.0, cosine, noise: 0.01 }
    }

    /// Makes the records that this recipe and `seed` name: the dense feature `x` and the number targets `y1` and `y2`.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a recipe that cannot be followed.
    pub fn generate(&self, seed: u64) -> Result<(Records, MmoeTruth), DataError> {
        self.check()?;
        let (d, p) = (self.features, self.cosine);
        let [u1, u2] = orthogonal_pair(d, seed);
        let second = |(a, b): (&f64, &f64)| self.scale * (p * a + (1.0 - p * p).max(0.0).sqrt() * b);
        let weights = [u1.iter().map(|a| self.scale * a).collect(), u1.iter().zip(&u2).map(second).collect()];
        let mut numbers = stream(seed, "mmoe-sines", &[]);
        let (alpha, beta) = (normals(self.sines, &mut numbers), normals(self.sines, &mut numbers));

        let mut numbers = stream(seed, "mmoe-inputs", &[]);
        let values: Vec<f32> = (0..self.rows * d).map(|_| normal(&mut numbers) as f32).collect();
        let mean = |w: &Vec<f64>, x: &[f32]| {
            let s: f64 = w.iter().zip(x).map(|(w, &x)| w * f64::from(x)).sum();
            s + alpha.iter().zip(&beta).map(|(a, b)| (self.steepness * a * s + b).sin()).sum::<f64>()
        };
        let means =
            [0, 1].map(|k| values.chunks_exact(d).map(|x| mean(&weights[k], x)).collect::<Vec<f64>>());
        let labels = |k: usize| {
            let mut numbers = stream(seed, "mmoe-noise", &[k as u64]);
            let noisy = means[k].iter().map(|y| (y + self.noise.sqrt() * normal(&mut numbers)) as f32);
            noisy.collect()
        };
        let mut features = Features::new(self.rows);
        let targets = vec![Target::number("y1", labels(0)), Target::number("y2", labels(1))];
        features.push("x", Column::Dense { width: d, values })?;
        let records = Records {
            targets,
            source: "synthetic".to_owned(),
            notes: vec![format!("{self:?}, seed {seed}")],
            ..Records::new("synthetic-mmoe", features)
        };
        records.check()?;
        Ok((records, MmoeTruth { weights, means }))
    }

    fn check(&self) -> Result<(), DataError> {
        for (name, found, least) in [("rows", self.rows, 1), ("features", self.features, 2)] {
            if found < least {
                return Err(setting(name, found, format!("at least {least}")));
            }
        }
        const MOST: usize = 1 << 28;
        for (name, found) in [
            ("rows × features", self.rows.saturating_mul(self.features)),
            ("rows × sines", self.rows.saturating_mul(self.sines)),
        ] {
            if found > MOST {
                return Err(setting(name, found, format!("at most {MOST}")));
            }
        }
        for (name, found, least, most) in [
            ("steepness", self.steepness, 0.0, 100.0),
            ("scale", self.scale, 0.0, 100.0),
            ("cosine", self.cosine, -1.0, 1.0),
            ("noise", self.noise, 0.0, 100.0),
        ] {
            if !(least..=most).contains(&found) {
                return Err(setting(name, found, format!("a number from {least} to {most}")));
            }
        }
        Ok(())
    }
}

impl MmoeTruth {
    /// Mean squared error of the true means, task by task: the floor for every model. `targets` are the answers of the
    /// rows that `origin` names.
    pub fn squared_error(&self, targets: &[Target], origin: &[u32]) -> [f64; 2] {
        [0, 1].map(|k| {
            let squares = targets[k].values.iter().zip(origin);
            let sum: f64 =
                squares.map(|(&y, &row)| (f64::from(y) - self.means[k][row as usize]).powi(2)).sum();
            sum / origin.len().max(1) as f64
        })
    }
}

/// Two orthogonal unit vectors: normal numbers, by Gram and Schmidt.
fn orthogonal_pair(d: usize, seed: u64) -> [Vec<f64>; 2] {
    let mut numbers = stream(seed, "mmoe-weights", &[]);
    let (first, second) = (normals(d, &mut numbers), normals(d, &mut numbers));
    let u1 = unit(first);
    let along: f64 = u1.iter().zip(&second).map(|(a, b)| a * b).sum();
    let u2 = unit(second.iter().zip(&u1).map(|(b, a)| b - along * a).collect());
    [u1, u2]
}

/// The vector at length 1.
pub(super) fn unit(mut vector: Vec<f64>) -> Vec<f64> {
    let length = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|v| *v /= length);
    }
    vector
}
