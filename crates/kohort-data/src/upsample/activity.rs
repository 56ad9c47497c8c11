//! Who is active: rows inside a window, against a threshold or the rest of the territory.

use kohort_random::{permutation, stream};

use super::{Active, Upsampling};
use crate::territories::Territories;
use crate::{Index, Interactions};

/// Users with training rows, and which of them are active.
pub(super) struct Activity {
    /// Users with a training row in each territory, ascending, `[territories]`.
    pub(super) present: Vec<Vec<u32>>,
    /// Whether each user is active, `[users]`.
    pub(super) active: Vec<bool>,
}

impl Activity {
    pub(super) fn of(
        upsampling: &Upsampling,
        rows: &Interactions,
        territories: &Territories,
        seed: u64,
    ) -> Activity {
        let mut inside = vec![0u32; rows.users];
        for (&user, &time) in rows.user.iter().zip(&rows.time) {
            inside[user as usize] += u32::from(upsampling.window.contains(time));
        }
        let mut present = vec![Vec::new(); territories.len()];
        for (user, size) in Index::new(&rows.user, rows.users).sizes().enumerate() {
            if size > 0 {
                present[territories.of_user()[user] as usize].push(user as u32);
            }
        }
        let mut active = vec![false; rows.users];
        match upsampling.active {
            Active::AtLeast { rows: least } => {
                for (active, &inside) in active.iter_mut().zip(&inside) {
                    *active = inside >= least;
                }
            }
            Active::TopShare { share } => {
                for (territory, users) in (0u64..).zip(&present) {
                    let wanted = (share * users.len() as f64 + 0.5).floor() as usize;
                    let drawn = permutation(users.len(), &mut stream(seed, "activity-ties", &[territory]));
                    let mut order: Vec<(u32, u32)> =
                        drawn.iter().zip(users).map(|(&draw, &user)| (draw, user)).collect();
                    order.sort_unstable_by_key(|&(draw, user)| {
                        (std::cmp::Reverse(inside[user as usize]), draw)
                    });
                    for &(_, user) in order.iter().take(wanted) {
                        active[user as usize] = inside[user as usize] > 0;
                    }
                }
            }
        }
        Activity { present, active }
    }
}
