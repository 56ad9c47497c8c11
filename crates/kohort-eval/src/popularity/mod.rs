//! Popularity bias: do recommendations go where everybody's go already?
//!
//! With U units, lists L_u of recommended items, n items and the popularity of item i
//! pop_i = (training users with i) / (training users):
//!
//! | metric | formula | unbiased |
//! |---|---|---|
//! | ARP | mean over lists of (1/\|L_u\|) Σ_{i ∈ L_u} pop_i | as the profiles |
//! | APLT | mean over lists of \|L_u ∩ Γ\| / \|L_u\| | high |
//! | ACLT | mean over lists of \|L_u ∩ Γ\| | high |
//! | Gini | Σ_j (2j − n − 1) x_(j) / (n Σ x), x the exposures ascending | 0 |
//! | entropy | −Σ p_i log₂ p_i, p the shares of exposure | log₂ n |
//! | coverage | \|∪ L_u\| / n | 1 |
//! | popularity lift | (GAP_r − GAP_p) / GAP_p | 0 |
//!
//! Γ is the long tail ([`Tail`]). GAP is the mean over users of the mean popularity of what they have (profile, GAP_p) or
//! are given (list, GAP_r). Sources: H. Abdollahpouri, R. Burke and B. Mobasher, "Managing popularity bias in
//! recommender systems with personalized re-ranking", FLAIRS 2019 (ARP, APLT, ACLT); H. Abdollahpouri, M. Mansoury, R.
//! Burke and B. Mobasher, "The unfairness of popularity bias in recommendation", RMSE workshop at RecSys 2019 (GAP).
//! Different here: an empty list is left out of ARP and APLT, as its share is undefined, and counted; ACLT is the mean
//! over all lists, not a product with the items' number as in some code.
//!
//! Popularity is asked of a [`Popularity`], which is counted from training rows: of everybody, or of one territory's rows
//! to see the bias there.
//!
//! ```
//! use kohort_eval::popularity::{Popularity, Tail, bias, local_share};
//!
//! // Three training users of four items; item 0 is everybody's.
//! let popularity = Popularity::of(&[0, 1, 2, 2], &[0, 0, 0, 1], 4)?;
//! assert_eq!(popularity.of_items(), [1.0, 1.0 / 3.0, 0.0, 0.0]);
//!
//! let tail = popularity.tail(Tail::OutsideHead { share: 0.25 })?;
//! let found = bias(&[[0, 1], [0, 2]], &popularity, &tail)?;
//! assert_eq!(found.arp, Some((2.0 / 3.0 + 0.5) / 2.0));
//! assert_eq!((found.aplt, found.aclt), (Some(0.5), Some(1.0)));
//! assert_eq!((found.coverage, found.gini), (0.75, 0.375));
//! assert_eq!(found.entropy, Some(1.5));
//!
//! assert_eq!(local_share(&[[0, 1], [0, 2]], &[false, true, true, false])?, Some(0.5));
//! # Ok::<(), kohort_eval::EvalError>(())
//! ```

mod bias;
mod exposure;
mod lift;
mod tail;

pub use bias::{Bias, bias, local_lift, local_share};
pub use exposure::{entropy, exposures, gini};
pub use lift::{Lift, popularity_lift};
pub use tail::{Popularity, Tail};

use crate::error::{EvalError, Result};

/// Refuses a list with an item outside the catalogue, or one that has an item twice.
fn check_lists<L: AsRef<[u32]>>(lists: &[L], items: usize) -> Result<()> {
    let mut seen = vec![u32::MAX; items];
    for (at, list) in lists.iter().enumerate() {
        for &item in list.as_ref() {
            let allowed = match seen.get(item as usize) {
                None => "item ids below the number of items",
                Some(&list) if list == at as u32 => "each item once in a list",
                Some(_) => {
                    seen[item as usize] = at as u32;
                    continue;
                }
            };
            return Err(EvalError::Value { name: "lists", at, value: f64::from(item), allowed });
        }
    }
    Ok(())
}
