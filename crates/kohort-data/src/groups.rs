//! Groups of users: who belongs, and how the groups themselves rated.

use crate::{DataError, Features, Interactions, Vocabulary};

/// Lists of members, one a group (compressed sparse rows). A user may be in several groups, or in none.
///
/// ```
/// use kohort_data::Members;
///
/// let groups = Members::from_lists(&[vec![0, 2], vec![2, 1]], 3)?;
/// assert_eq!(groups.len(), 2);
/// assert_eq!(groups.of(1), &[1, 2], "ascending");
///
/// let clusters = Members::from_assignment(&[1, 0, 1], 2)?;
/// assert_eq!(clusters.of(1), &[0, 2]);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    offsets: Vec<u32>,
    users: Vec<u32>,
}

impl Members {
    /// From the member list of each group; `users` is the number of users there are.
    ///
    /// # Errors
    /// [`DataError::Columns`] for a user id out of range or twice in a group.
    pub fn from_lists(lists: &[Vec<u32>], users: usize) -> Result<Members, DataError> {
        let mut members = Members { offsets: vec![0], users: Vec::new() };
        for (group, list) in lists.iter().enumerate() {
            let mut list = list.clone();
            list.sort_unstable();
            if let Some(pair) = list.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(DataError::Columns { what: format!("group {group}: user {} twice", pair[0]) });
            }
            if let Some(&user) = list.last().filter(|&&user| user as usize >= users) {
                return Err(DataError::Columns {
                    what: format!("group {group}: user id {user} is not below {users}"),
                });
            }
            members.users.extend_from_slice(&list);
            members.offsets.push(members.users.len() as u32);
        }
        Ok(members)
    }

    /// From the group of each user, as a clustering gives it.
    ///
    /// # Errors
    /// [`DataError::Columns`] for a group that is not below `groups`.
    pub fn from_assignment(group_of: &[u32], groups: usize) -> Result<Members, DataError> {
        if let Some((user, group)) = group_of.iter().enumerate().find(|&(_, &g)| g as usize >= groups) {
            return Err(DataError::Columns {
                what: format!("user {user}: group {group} is not below {groups}"),
            });
        }
        let mut lists = vec![Vec::new(); groups];
        for (user, &group) in (0u32..).zip(group_of) {
            lists[group as usize].push(user);
        }
        Members::from_lists(&lists, group_of.len())
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The members of `group`, ascending.
    pub fn of(&self, group: usize) -> &[u32] {
        &self.users[self.offsets[group] as usize..self.offsets[group + 1] as usize]
    }

    /// Number of (group, user) pairs.
    pub fn memberships(&self) -> usize {
        self.users.len()
    }

    /// The groups of each of `users` users, ascending.
    pub fn groups_of(&self, users: usize) -> Vec<Vec<u32>> {
        let mut groups = vec![Vec::new(); users];
        for group in 0..self.len() {
            for &user in self.of(group) {
                groups[user as usize].push(group as u32);
            }
        }
        groups
    }
}

/// Real groups with ratings of their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groups {
    /// The groups' names against their dense ids.
    pub vocabulary: Vocabulary,
    /// Who belongs.
    pub members: Members,
    /// The groups' ratings: the `user` column holds the group's dense id, items are the data set's.
    pub interactions: Interactions,
    /// What is known of each of the groups' ratings, a row each.
    pub row_features: Features,
    /// Members that have no individual rating, ascending user ids: their taste is only known through the group.
    pub silent: Vec<u32>,
}

impl Groups {
    /// The members that have no row in `individual`, ascending.
    pub fn silent_members(members: &Members, individual: &Interactions) -> Vec<u32> {
        let mut rated = vec![false; individual.users];
        for &user in &individual.user {
            rated[user as usize] = true;
        }
        let mut silent: Vec<u32> = members
            .users
            .iter()
            .copied()
            .filter(|&user| !rated.get(user as usize).is_some_and(|&r| r))
            .collect();
        silent.sort_unstable();
        silent.dedup();
        silent
    }
}
