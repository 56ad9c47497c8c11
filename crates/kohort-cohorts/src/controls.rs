//! Random cohorts of the same sizes: what a gain by cohorts has to be compared with.
//!
//! A model with cohorts has more parameters than one without. Whether it is *these* cohorts that help is asked by giving it cohorts
//! of equal number and sizes that mean nothing: the labels, dealt out to users by a seeded permutation.

use std::collections::BTreeMap;

use kohort_random::{permutation, stream};

/// Labels of the same sizes, dealt out at random, `[users]`.
///
/// ```
/// use kohort_cohorts::controls::shuffled;
///
/// let mut dealt = shuffled(&[7, 7, 7, 2, 2, 9], 1);
/// dealt.sort_unstable();
/// assert_eq!(dealt, [2, 2, 7, 7, 7, 9]);
/// ```
pub fn shuffled<T: Clone>(labels: &[T], seed: u64) -> Vec<T> {
    let order = permutation(labels.len(), &mut stream(seed, "random cohorts", &[]));
    order.iter().map(|&user| labels[user as usize].clone()).collect()
}

/// Levels of nested cohorts, the coarsest first, each `[users]`, dealt out together: whoever gets a cohort gets its ancestors as
/// well, so sizes and nesting stay and only the people change.
///
/// # Errors
/// Levels of different numbers of users.
pub fn shuffled_levels(levels: &[Vec<u32>], seed: u64) -> Result<Vec<Vec<u32>>, LevelsDiffer> {
    check(levels.iter().map(Vec::len))?;
    Ok(levels.iter().map(|level| shuffled(level, seed)).collect())
}

/// Labels dealt out within each parent, both `[users]`: everybody keeps the parent, and each parent its cohorts' sizes. For the
/// question whether the finer level helps beside the coarser.
///
/// ```
/// use kohort_cohorts::controls::shuffled_within;
///
/// let dealt = shuffled_within(&[0, 1, 1, 5, 6], &[0, 0, 0, 1, 1], 3)?;
/// assert!(dealt[..3].iter().all(|&label| label < 2) && dealt[3..].iter().all(|&label| label > 4));
/// # Ok::<(), kohort_cohorts::controls::LevelsDiffer>(())
/// ```
///
/// # Errors
/// Different numbers of users.
pub fn shuffled_within(labels: &[u32], parents: &[u32], seed: u64) -> Result<Vec<u32>, LevelsDiffer> {
    check([labels.len(), parents.len()].into_iter())?;
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    parents.iter().enumerate().for_each(|(user, &parent)| members.entry(parent).or_default().push(user));
    let mut dealt = labels.to_vec();
    for (parent, users) in members {
        let mut numbers = stream(seed, "random cohorts within", &[u64::from(parent)]);
        let order = permutation(users.len(), &mut numbers);
        for (&user, &from) in users.iter().zip(&order) {
            dealt[user] = labels[users[from as usize]];
        }
    }
    Ok(dealt)
}

/// Levels of different numbers of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one level has {one} users, another {other}: all levels must label the same users")]
pub struct LevelsDiffer {
    /// Users of the first level.
    pub one: usize,
    /// Users of the first that differs.
    pub other: usize,
}

fn check(mut lengths: impl Iterator<Item = usize>) -> Result<(), LevelsDiffer> {
    let Some(one) = lengths.next() else { return Ok(()) };
    lengths.find(|&other| other != one).map_or(Ok(()), |other| Err(LevelsDiffer { one, other }))
}
