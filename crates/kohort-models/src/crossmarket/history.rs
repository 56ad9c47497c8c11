//! What a user did, in the order of time, seen from one of the user's own rows or from the end.
//!
//! Of rows with equal times those further down the training part count as later.

use kohort_data::{Index, Interactions};

use super::config::{Config, History, Time};

const DAY: f64 = 86_400.0;

/// An item of a history and the day it happened on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) item: u32,
    pub(super) day: f64,
}

/// Every user's training rows in the order of time.
#[derive(Clone, Debug)]
pub(super) struct Histories {
    /// User u has `seen[offsets[u]..offsets[u + 1]]`.
    offsets: Vec<u32>,
    seen: Vec<Seen>,
    /// Where in its user's list each training row stands, `[rows]`.
    place: Vec<u32>,
    /// The last training day.
    last: f64,
    reach: History,
    most: usize,
    time: Time,
}

impl Histories {
    pub(super) fn new(rows: &Interactions, config: &Config) -> Histories {
        let by_user = Index::new(&rows.user, rows.users);
        let mut histories = Histories {
            offsets: vec![0],
            seen: Vec::with_capacity(rows.len()),
            place: vec![0; rows.len()],
            last: rows.time.iter().max().map_or(0.0, |&time| days(time)),
            reach: config.history,
            most: config.most_history,
            time: config.time,
        };
        for user in 0..by_user.keys() {
            let mut own = by_user.rows(user).to_vec();
            own.sort_unstable_by_key(|&row| (rows.time[row as usize], row));
            for (place, &row) in (0u32..).zip(&own) {
                histories.place[row as usize] = place;
                let (item, day) = (rows.item[row as usize], days(rows.time[row as usize]));
                histories.seen.push(Seen { item, day });
            }
            histories.offsets.push(histories.seen.len() as u32);
        }
        histories
    }

    /// All training rows of `user`, earliest first; none for an unknown user.
    pub(super) fn all(&self, user: u32) -> &[Seen] {
        match self.offsets.get(user as usize..user as usize + 2) {
            Some(&[from, to]) => &self.seen[from as usize..to as usize],
            _ => &[],
        }
    }

    /// Writes the history of `user` as scoring sees it, latest first, and returns the moment from which the user is looked at:
    /// its latest day, or with one-sided times the day after all training. The latter for a newcomer, too.
    pub(super) fn of_user(&self, user: u32, history: &mut Vec<Seen>) -> f64 {
        history.clear();
        history.extend(self.all(user).iter().rev().take(self.most));
        let latest = history.first().filter(|_| self.time != Time::OneSided);
        latest.map_or(self.last + 1.0, |seen| seen.day)
    }

    /// Writes the history of one of the user's own training rows without that row, nearest first, and returns the moment from
    /// which it is looked at: the day of the history's first entry, or with one-sided times the row's own day. The latter where
    /// there is no history, too.
    pub(super) fn of_row(&self, user: u32, row: u32, history: &mut Vec<Seen>) -> f64 {
        let all = self.all(user);
        let place = self.place[row as usize] as usize;
        history.clear();
        history.extend(all[..place].iter().rev().take(self.most));
        if self.reach == History::Around {
            history.extend(all[place + 1..].iter().take(self.most - history.len()));
        }
        history.first().filter(|_| self.time != Time::OneSided).unwrap_or(&all[place]).day
    }

    /// The day of a training row.
    pub(super) fn day(&self, user: u32, row: u32) -> f64 {
        self.all(user)[self.place[row as usize] as usize].day
    }
}

fn days(time: i64) -> f64 {
    time as f64 / DAY
}
