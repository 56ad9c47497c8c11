//! Popularity lift: are users given more popular things than they have?

use super::bias::mean_of;
use super::{Popularity, check_lists};
use crate::error::{Result, same_length};
use crate::units::mean;
use serde::{Deserialize, Serialize};

/// Group average popularity of profiles and of lists.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lift {
    /// Users with both a profile and a list, over whom the means run.
    pub users: usize,
    /// GAP_p: mean over users of the mean popularity of their training items.
    pub profile: f64,
    /// GAP_r: the same of their lists.
    pub recommended: f64,
}

impl Lift {
    /// (GAP_r − GAP_p) / GAP_p: above 0 where popularity is amplified; `None` for profiles of popularity 0.
    pub fn relative(&self) -> Option<f64> {
        (self.profile > 0.0).then(|| (self.recommended - self.profile) / self.profile)
    }
}

/// Popularity lift of a group of users, whose `profiles` (training items) and `lists` are `[users]`. `None` if no user
/// has both.
///
/// ```
/// use kohort_eval::popularity::{Popularity, popularity_lift};
///
/// let popularity = Popularity::of(&[0, 1, 1], &[0, 0, 1], 2)?;
/// let profiles = [vec![0], vec![0, 1]];
/// let lift = popularity_lift(&profiles, &[[0], [0]], &popularity)?.unwrap();
/// assert_eq!((lift.profile, lift.recommended), ((1.0 + 0.75) / 2.0, 1.0));
/// # Ok::<(), kohort_eval::EvalError>(())
/// ```
///
/// # Errors
/// Different numbers of profiles and lists, an item outside or twice in one of them.
pub fn popularity_lift<P: AsRef<[u32]>, L: AsRef<[u32]>>(
    profiles: &[P],
    lists: &[L],
    popularity: &Popularity,
) -> Result<Option<Lift>> {
    same_length(("lists", lists.len()), ("profiles", profiles.len()))?;
    let of_items = popularity.of_items();
    check_lists(profiles, of_items.len())?;
    check_lists(lists, of_items.len())?;
    let both: Vec<(&[u32], &[u32])> = profiles
        .iter()
        .map(AsRef::as_ref)
        .zip(lists.iter().map(AsRef::as_ref))
        .filter(|(profile, list)| !profile.is_empty() && !list.is_empty())
        .collect();
    let profile = mean(both.iter().map(|(profile, _)| mean_of(profile, of_items)));
    let recommended = mean(both.iter().map(|(_, list)| mean_of(list, of_items)));
    let lift = profile.zip(recommended);
    Ok(lift.map(|(profile, recommended)| Lift { users: both.len(), profile, recommended }))
}
