//! A new user goes where those are who took alike, by the vectors of the items that a graph network learned.
//!
//! With `g_i` `[width]` what item i gives whoever took it, I the distinct known items of a user, and cohorts c of known users:
//!
//! ```text
//! x(I)     = (1/√|I|) Σ_{i∈I} g_i                      the inductive step: no row of the user's own is needed
//! centre_c = unit( Σ_{v : c_v = c} unit(x(I_v)) )      known users as if they were new, so that like is compared with like
//! cohort   = argmin_c |unit(x(I)) − centre_c|          the earlier centre of equals
//! ```
//!
//! `g_i` of LightGCN is `(1/((K + 1)·√(d_i + 1))) Σ_{k<K} e_i⁽ᵏ⁾` (`kohort_models::lightgcn`, which makes this assigner). This crate
//! knows no model: the vectors are all it is told. The step is that of inductive networks (W. Hamilton, R. Ying and J. Leskovec,
//! "Inductive Representation Learning on Large Graphs", NeurIPS 2017) with fixed weights, which is all that LightGCN has.
//!
//! **Fallback.** Items that were not there when the vectors were learned don't count. A user without a known item, or
//! whose vectors cancel to zero, is nowhere: [`InductiveAssigner::place`] gives `None`, and
//! [`InductiveAssigner::cohort`] the cohort that was named for them, which may be none.

use serde::{Deserialize, Serialize};

use super::LivingError;
use crate::points::squared_distance;
use crate::{LARGEST, Placement};

/// Places users by the items they took. Storable; cannot be read back in a state that [`InductiveAssigner::fit`] could not make.
///
/// ```
/// use kohort_cohorts::living::InductiveAssigner;
///
/// let given = [1.0, 0.0, 0.9, 0.1, 0.0, 1.0, 0.1, 0.9]; // four items, two wide
/// let (user, item) = ([0, 0, 1, 2, 2], [0, 1, 1, 2, 3]);
/// let cohorts = [Some(7), Some(7), Some(9)];
/// let assigner = InductiveAssigner::fit(&given, 2, (&user, &item), &cohorts, Some(9))?;
/// assert_eq!(assigner.cohort(&[1]), Some(7));
/// assert_eq!(assigner.cohort(&[3, 2]), Some(9));
/// assert!(assigner.place(&[3]).is_some_and(|at| at.margin.is_some_and(|margin| margin > 0.5)));
/// assert_eq!((assigner.place(&[44]), assigner.cohort(&[44])), (None, Some(9)));
/// # Ok::<(), kohort_cohorts::living::LivingError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct InductiveAssigner {
    parts: Parts,
}

/// As it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    width: usize,
    /// `[items, width]`.
    given: Vec<f32>,
    /// `[ids, width]`, of length 1 but for cohorts whose members cancel out.
    centres: Vec<f32>,
    /// Stable ids, ascending.
    ids: Vec<u32>,
    fallback: Option<u32>,
}

impl TryFrom<Parts> for InductiveAssigner {
    type Error = LivingError;

    fn try_from(parts: Parts) -> Result<Self, LivingError> {
        let Parts { width, given, centres, ids, .. } = &parts;
        matrix("vectors of items", given, *width)?;
        matrix("centres", centres, *width)?;
        if centres.len() / width != ids.len() {
            let (got, expected) = (centres.len() / width, ids.len());
            return Err(LivingError::Length { what: "centres", got, expected });
        }
        if let Some(index) = ids.windows(2).position(|pair| pair[0] >= pair[1]) {
            let value = f64::from(ids[index + 1]);
            return Err(LivingError::Value {
                what: "ids",
                index: index + 1,
                value,
                allowed: "ascending ids",
            });
        }
        Ok(Self { parts })
    }
}

impl From<InductiveAssigner> for Parts {
    fn from(assigner: InductiveAssigner) -> Self {
        assigner.parts
    }
}

/// Whether values are at least one whole row of finite numbers.
fn matrix(what: &'static str, values: &[f32], width: usize) -> Result<(), LivingError> {
    if width == 0 || values.is_empty() || !values.len().is_multiple_of(width) {
        let expected = width.max(1) * (values.len() / width.max(1)).max(1);
        return Err(LivingError::Length { what, got: values.len(), expected });
    }
    match values.iter().position(|value| f64::from(value.abs()) > LARGEST || value.is_nan()) {
        Some(index) => {
            let (value, allowed) = (f64::from(values[index]), "a number of at most 1e15 in magnitude");
            Err(LivingError::Value { what, index, value, allowed })
        }
        None => Ok(()),
    }
}

/// The row over its length, in f64; `None` for a row of zeros.
fn unit(row: &[f64]) -> Option<Vec<f64>> {
    let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
    (length > 0.0).then(|| row.iter().map(|x| x / length).collect())
}

/// `Σ g_i` over distinct known items; `None` without one. Its direction is all that cohorts are compared by.
fn sum(given: &[f32], width: usize, items: &[u32]) -> Option<Vec<f64>> {
    let mut own = items.to_vec();
    own.sort_unstable();
    own.dedup();
    let mut x = vec![0.0f64; width];
    let mut known = false;
    for row in own.iter().filter_map(|&item| given.chunks_exact(width).nth(item as usize)) {
        known = true;
        x.iter_mut().zip(row).for_each(|(x, &g)| *x += f64::from(g));
    }
    known.then_some(x)
}

impl InductiveAssigner {
    /// From what items give, `[items, width]`, who took what (`(users, items)`, `[rows]` each), and each known user's cohort
    /// `[users]`. `fallback` is the cohort of users without a known item. Cohorts none of whose users has a known item get nobody.
    ///
    /// # Errors
    /// Vectors that fill no rows or are not finite, lists of different lengths, a user without an entry in `cohorts`, no
    /// user with a cohort and a known item.
    pub fn fit(
        given: &[f32],
        width: usize,
        (user, item): (&[u32], &[u32]),
        cohorts: &[Option<u32>],
        fallback: Option<u32>,
    ) -> Result<Self, LivingError> {
        matrix("vectors of items", given, width)?;
        if user.len() != item.len() {
            return Err(LivingError::Length { what: "items of rows", got: item.len(), expected: user.len() });
        }
        if let Some(index) = user.iter().position(|&user| user as usize >= cohorts.len()) {
            let (value, allowed) = (f64::from(user[index]), "a user with an entry in cohorts");
            return Err(LivingError::Value { what: "users of rows", index, value, allowed });
        }
        let mut ids: Vec<u32> = cohorts.iter().flatten().copied().collect();
        ids.sort_unstable();
        ids.dedup();
        let mut taken: Vec<Vec<u32>> = vec![Vec::new(); cohorts.len()];
        user.iter().zip(item).for_each(|(&user, &item)| taken[user as usize].push(item));
        let mut sums = vec![0.0f64; ids.len() * width];
        let mut met = vec![false; ids.len()];
        for (items, cohort) in taken.iter().zip(cohorts) {
            let x = sum(given, width, items).and_then(|x| unit(&x));
            if let Some((x, cohort)) = x.zip(*cohort) {
                let at = ids.partition_point(|&id| id < cohort);
                met[at] = true;
                sums[at * width..][..width].iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
            }
        }
        let rows = sums.chunks_exact(width).zip(&met).filter(|&(_, &met)| met);
        let centres: Vec<f32> =
            rows.flat_map(|(row, _)| unit(row).unwrap_or_else(|| row.to_vec())).map(|x| x as f32).collect();
        let mut met = met.into_iter();
        ids.retain(|_| met.next() == Some(true));
        if ids.is_empty() {
            let value = "no user with a cohort and a known item".to_owned();
            return Err(LivingError::Setting {
                setting: "cohorts",
                value,
                allowed: "at least one such user",
            });
        }
        Self::try_from(Parts { width, given: given.to_vec(), centres, ids, fallback })
    }

    /// Stable ids of the cohorts that users can be placed in, ascending.
    pub fn ids(&self) -> &[u32] {
        &self.parts.ids
    }

    /// The cohort of users without a known item.
    pub fn fallback(&self) -> Option<u32> {
        self.parts.fallback
    }

    /// The representation `x` `[width]` of a user who took these items; `None` without a known one.
    pub fn embed(&self, items: &[u32]) -> Option<Vec<f32>> {
        let Parts { given, width, .. } = &self.parts;
        let mut own = items.to_vec();
        own.sort_unstable();
        own.dedup();
        let known = own.iter().filter(|&&item| (item as usize) < given.len() / width).count();
        let scale = 1.0 / (known as f64).sqrt();
        Some(sum(given, *width, items)?.into_iter().map(|x| (scale * x) as f32).collect())
    }

    /// The nearest centre; distances are between vectors of length 1, 0 to 2. `None` without a known item.
    pub fn place(&self, items: &[u32]) -> Option<Placement> {
        let Parts { width, given, centres, ids, .. } = &self.parts;
        let x: Vec<f32> = unit(&sum(given, *width, items)?)?.into_iter().map(|x| x as f32).collect();
        let (mut cohort, mut best, mut second) = (*ids.first()?, f64::INFINITY, f64::INFINITY);
        for (centre, &id) in centres.chunks_exact(*width).zip(ids) {
            let distance = squared_distance(&x, centre).sqrt();
            if distance < best {
                (second, best, cohort) = (best, distance, id);
            } else if distance < second {
                second = distance;
            }
        }
        Some(Placement { cohort, distance: best, margin: (ids.len() > 1).then_some(second - best) })
    }

    /// The cohort of [`place`](Self::place), or the fallback.
    pub fn cohort(&self, items: &[u32]) -> Option<u32> {
        self.place(items).map_or(self.parts.fallback, |at| Some(at.cohort))
    }
}
