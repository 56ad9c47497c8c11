//! Who has what: each user has a set of named attributes.

use super::ProfileError;

/// Users' attributes in compressed rows. Genres watched, items bought, an age group, a market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    names: Vec<String>,
    /// Where each user's row starts, `[users + 1]`.
    starts: Vec<usize>,
    /// Attributes of each user, ascending, none twice.
    codes: Vec<u32>,
}

impl Attributes {
    /// From pairs of `user` and `attribute`, both `[entries]`; repeated pairs count once.
    ///
    /// # Errors
    /// Columns of different lengths, a user or an attribute that does not exist.
    pub fn from_pairs(
        users: usize,
        names: Vec<String>,
        user: &[u32],
        attribute: &[u32],
    ) -> Result<Self, ProfileError> {
        if user.len() != attribute.len() {
            let (got, expected) = (attribute.len(), user.len());
            return Err(ProfileError::Length { what: "attributes of entries", got, expected });
        }
        for (what, column, count) in [("user", user, users), ("attribute", attribute, names.len())] {
            if let Some(entry) = column.iter().position(|&value| value as usize >= count) {
                return Err(ProfileError::Place { entry, what, value: column[entry], count });
            }
        }
        let mut pairs: Vec<(u32, u32)> = user.iter().copied().zip(attribute.iter().copied()).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let starts = (0..=users).map(|user| pairs.partition_point(|pair| (pair.0 as usize) < user)).collect();
        Ok(Self { names, starts, codes: pairs.into_iter().map(|pair| pair.1).collect() })
    }

    /// From one code a user, `[users]`: an age group, a market. `None` where it is not known.
    ///
    /// # Errors
    /// A code without a name.
    pub fn from_codes(codes: &[Option<u32>], names: Vec<String>) -> Result<Self, ProfileError> {
        let known = codes.iter().enumerate().filter_map(|(user, code)| Some((user as u32, (*code)?)));
        let (user, attribute): (Vec<u32>, Vec<u32>) = known.unzip();
        Self::from_pairs(codes.len(), names, &user, &attribute)
    }

    /// These and other attributes of the same users, the others after these.
    ///
    /// # Errors
    /// Other numbers of users.
    pub fn and(&self, other: &Self) -> Result<Self, ProfileError> {
        if self.users() != other.users() {
            return Err(ProfileError::Length { what: "users", got: other.users(), expected: self.users() });
        }
        let names = self.names.iter().chain(&other.names).cloned().collect();
        let past = self.names.len() as u32;
        let mut starts = vec![0];
        let mut codes = Vec::with_capacity(self.codes.len() + other.codes.len());
        for user in 0..self.users() {
            codes.extend_from_slice(self.of(user));
            codes.extend(other.of(user).iter().map(|code| code + past));
            starts.push(codes.len());
        }
        Ok(Self { names, starts, codes })
    }

    /// Number of users, with and without attributes.
    pub fn users(&self) -> usize {
        self.starts.len() - 1
    }

    /// Name of each attribute.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What a user has, ascending.
    ///
    /// # Panics
    /// If there is no such user.
    pub fn of(&self, user: usize) -> &[u32] {
        &self.codes[self.starts[user]..self.starts[user + 1]]
    }
}
