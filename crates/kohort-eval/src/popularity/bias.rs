//! What the lists hold: popularity, long tail, local titles, spread.

use super::{Popularity, check_lists, entropy, exposures, gini};
use crate::error::{Result, same_length};
use crate::units::mean;
use serde::{Deserialize, Serialize};

/// Popularity bias of a set of lists; formulas in the [module](super).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bias {
    /// Lists.
    pub lists: usize,
    /// Lists without an item, which have no share of anything.
    pub empty: usize,
    /// Average recommendation popularity; `None` if all lists are empty.
    pub arp: Option<f64>,
    /// Average percentage of long-tail items, as a share from 0 to 1; `None` if all lists are empty.
    pub aplt: Option<f64>,
    /// Average count of long-tail items; `None` without lists.
    pub aclt: Option<f64>,
    /// Gini coefficient of how often items are recommended.
    pub gini: f64,
    /// Its Shannon entropy in bits; `None` if all lists are empty.
    pub entropy: Option<f64>,
    /// Share of the items that are in a list.
    pub coverage: f64,
}

/// Popularity bias of `lists`, one a unit, each best first (the order does not matter here); `tail` `[items]`.
///
/// # Errors
/// Another number of items in `tail` than in `popularity`, an item outside or twice in a list.
pub fn bias<L: AsRef<[u32]>>(lists: &[L], popularity: &Popularity, tail: &[bool]) -> Result<Bias> {
    let of_items = popularity.of_items();
    same_length(("tail", tail.len()), ("popularity", of_items.len()))?;
    let counts = exposures(lists, tail.len())?;
    let filled = || lists.iter().map(AsRef::as_ref).filter(|list| !list.is_empty());
    let in_tail = |list: &[u32]| list.iter().filter(|&&item| tail[item as usize]).count() as f64;
    Ok(Bias {
        lists: lists.len(),
        empty: lists.len() - filled().count(),
        arp: mean(filled().map(|list| mean_of(list, of_items))),
        aplt: mean(filled().map(|list| in_tail(list) / list.len() as f64)),
        aclt: mean(lists.iter().map(|list| in_tail(list.as_ref()))),
        gini: gini(&counts),
        entropy: entropy(&counts),
        coverage: counts.iter().filter(|&&n| n > 0).count() as f64 / counts.len().max(1) as f64,
    })
}

/// Share of the recommendations that are local titles, over all lists together; `local` `[items]`. `None` if nothing is
/// recommended. Lists of one territory and its own local titles belong together.
///
/// # Errors
/// An item outside or twice in a list.
pub fn local_share<L: AsRef<[u32]>>(lists: &[L], local: &[bool]) -> Result<Option<f64>> {
    check_lists(lists, local.len())?;
    let (mut of_local, mut all) = (0usize, 0usize);
    for list in lists {
        all += list.as_ref().len();
        of_local += list.as_ref().iter().filter(|&&item| local[item as usize]).count();
    }
    Ok((all > 0).then(|| of_local as f64 / all as f64))
}

/// Share of local titles among recommendations over their share among what was consumed (`consumed` `[rows]` lists the
/// items of the territory's training rows): 1 is as consumed, below 1 local titles are pushed out. `None` if either share
/// is undefined or nothing local was consumed.
///
/// # Errors
/// An item outside, or twice in a list.
pub fn local_lift<L: AsRef<[u32]>>(lists: &[L], consumed: &[u32], local: &[bool]) -> Result<Option<f64>> {
    let given = local_share(lists, local)?;
    // Rows may repeat an item: each is a list of its own.
    let rows: Vec<[u32; 1]> = consumed.iter().map(|&item| [item]).collect();
    let had = local_share(&rows, local)?;
    Ok(given.zip(had).filter(|&(_, had)| had > 0.0).map(|(given, had)| given / had))
}

/// Mean of `values` over the items of a list that is not empty.
pub(super) fn mean_of(list: &[u32], values: &[f64]) -> f64 {
    list.iter().map(|&item| values[item as usize]).sum::<f64>() / list.len() as f64
}
