//! How evenly recommendations are spread over the catalogue.

use super::check_lists;
use crate::error::Result;

/// How often each item is recommended, `[items]`.
///
/// # Errors
/// An item that is not below `items`, or twice in a list.
pub fn exposures<L: AsRef<[u32]>>(lists: &[L], items: usize) -> Result<Vec<u64>> {
    check_lists(lists, items)?;
    let mut counts = vec![0; items];
    lists.iter().flat_map(|list| list.as_ref()).for_each(|&item| counts[item as usize] += 1);
    Ok(counts)
}

/// Gini coefficient of counts, over all items also those with 0: 0 where all are equal, 1 − 1/n where one has all. 0
/// without any count.
///
/// ```
/// use kohort_eval::popularity::gini;
///
/// assert_eq!(gini(&[5, 5, 5]), 0.0);
/// assert_eq!(gini(&[0, 9, 0, 0]), 0.75);
/// ```
pub fn gini(counts: &[u64]) -> f64 {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let n = sorted.len() as f64;
    let all: u64 = sorted.iter().sum();
    if all == 0 {
        return 0.0;
    }
    let weighted: f64 = (1..).zip(&sorted).map(|(j, &x)| (2.0 * f64::from(j) - n - 1.0) * x as f64).sum();
    weighted / (n * all as f64)
}

/// Shannon entropy of counts in bits; `None` without any count.
///
/// ```
/// use kohort_eval::popularity::entropy;
///
/// assert_eq!(entropy(&[2, 2, 2, 2]), Some(2.0));
/// assert_eq!(entropy(&[0, 7]), Some(0.0));
/// assert_eq!(entropy(&[0, 0]), None);
/// ```
pub fn entropy(counts: &[u64]) -> Option<f64> {
    let all: u64 = counts.iter().sum();
    (all > 0).then(|| {
        let bits = counts.iter().filter(|&&n| n > 0).map(|&n| {
            let p = n as f64 / all as f64;
            p * (1.0 / p).log2()
        });
        bits.sum()
    })
}
