//! The features of [`recency`](super::RecencyConfig), each row at a moment of its own: what was known of a user just before an event, say, so
//! that no row knows itself or what came later. One pass over the events, then two searches a row.

use super::recency::Tally;
use super::{BehaviourError, Events, Features, RecencyConfig};

/// What is computed at each moment.
///
/// ```
/// use kohort_cohorts::behaviour::{DAY, Events, Lifecycle, Moments};
///
/// // One user, who came on three days: the stage before each of them.
/// let (user, time) = ([0; 3], [0, 10 * DAY, 100 * DAY]);
/// let events = Events::new(1, &user, &time, None)?;
/// let before = Moments { window_days: 30.0 }.of(&events, &user, &time)?;
/// let stages = Lifecycle::default().stages()?;
/// let names: Vec<&str> = stages.assign(&before)?.iter().map(|&stage| stages.names()[stage as usize]).collect();
/// assert_eq!(names, ["unseen", "new", "dormant"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// w, days; above 0, at most 36,500.
    pub window_days: f64,
}

impl Moments {
    /// Row n: user `user[n]` from the events strictly before `moment[n]` (Unix seconds). Both `[rows]`; a user without events is allowed.
    ///
    /// # Errors
    /// Lists of different lengths, a user that does not exist, a window out of its range.
    pub fn of(&self, events: &Events<'_>, user: &[u32], moment: &[i64]) -> Result<Features, BehaviourError> {
        if moment.len() != user.len() {
            let (got, expected) = (moment.len(), user.len());
            return Err(BehaviourError::Length { column: "moment", got, expected });
        }
        if let Some(event) = user.iter().position(|&user| user as usize >= events.users()) {
            return Err(BehaviourError::User { event, user: user[event], users: events.users() });
        }
        let at = |moment| RecencyConfig { moment, window_days: self.window_days };
        at(0).check()?;
        let mut all: Vec<(u32, i64, f64)> = events.all().collect();
        // Stable: of equal times the order of the events stays.
        all.sort_by_key(|&(user, time, _)| (user, time));
        let mut totals = Vec::with_capacity(all.len());
        for own in all.chunk_by(|a, b| a.0 == b.0) {
            let mut total = 0.0;
            totals.extend(own.iter().map(|&(_, _, value)| {
                total += value;
                total
            }));
        }
        let mut first = vec![0; events.users() + 1];
        all.iter().for_each(|&(user, ..)| first[user as usize + 1] += 1);
        (0..events.users()).for_each(|user| first[user + 1] += first[user]);
        let mut values = Vec::new();
        for (&user, &moment) in user.iter().zip(moment) {
            let start = first[user as usize];
            let own = &all[start..first[user as usize + 1]];
            let before = &own[..own.partition_point(|&(_, time, _)| time < moment)];
            let config = at(moment);
            let mut tally = Tally::default();
            if let (Some(&(_, first, _)), Some(&(_, last, _))) = (before.first(), before.last()) {
                let within = |windows: f64| {
                    let outside = before.partition_point(|&(_, time, _)| !config.within(time, windows));
                    (before.len() - outside) as u64
                };
                let late = within(1.0);
                tally = Tally {
                    events: before.len() as u64,
                    first,
                    last,
                    late,
                    early: within(2.0) - late,
                    total: totals[start + before.len() - 1],
                };
            }
            values.extend(config.row(&tally, events.has_values()));
        }
        Features::new(super::recency::columns(events.has_values()), values)
    }
}
