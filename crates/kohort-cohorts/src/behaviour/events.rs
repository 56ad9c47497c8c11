//! Who did something when: plain columns, checked once.

use super::BehaviourError;
use crate::LARGEST;

/// Events in any order, one entry of each column for each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Events<'a> {
    users: usize,
    user: &'a [u32],
    time: &'a [i64],
    value: Option<&'a [f64]>,
}

impl<'a> Events<'a> {
    /// Events of users `0..users`: `user` and `time` (Unix seconds), `[events]`, and what each is worth (spent, watched,
    /// rated), `[events]`, where that is known. No users and no events are allowed.
    ///
    /// # Errors
    /// Columns of different lengths, a user that does not exist, a value that is not finite.
    pub fn new(
        users: usize,
        user: &'a [u32],
        time: &'a [i64],
        value: Option<&'a [f64]>,
    ) -> Result<Self, BehaviourError> {
        let lengths = [("time", time.len()), ("value", value.map_or(user.len(), <[f64]>::len))];
        for (column, got) in lengths {
            if got != user.len() {
                return Err(BehaviourError::Length { column, got, expected: user.len() });
            }
        }
        if let Some(event) = user.iter().position(|&user| user as usize >= users) {
            return Err(BehaviourError::User { event, user: user[event], users });
        }
        let finite = |value: &f64| value.abs() <= LARGEST;
        if let Some((event, &value)) = value.unwrap_or(&[]).iter().enumerate().find(|(_, v)| !finite(v)) {
            return Err(BehaviourError::Value { event, value });
        }
        Ok(Self { users, user, time, value })
    }

    /// Number of users, with and without events.
    pub fn users(&self) -> usize {
        self.users
    }

    /// Whether events have values.
    pub fn has_values(&self) -> bool {
        self.value.is_some()
    }

    /// `(user, time, value)` of the events strictly before `moment`; the value is 0 where there are none.
    pub fn before(&self, moment: i64) -> impl Iterator<Item = (u32, i64, f64)> + '_ {
        self.all().filter(move |&(_, time, _)| time < moment)
    }

    /// `(user, time, value)` of every event.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, i64, f64)> + '_ {
        let value = |event: usize| self.value.map_or(0.0, |values| values[event]);
        (0..self.user.len()).map(move |event| (self.user[event], self.time[event], value(event)))
    }
}
