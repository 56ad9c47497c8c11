//! Size and foremost attributes of each cohort, and a name made of them.
//!
//! Foremost is the attribute with the highest lower end of its lift, so that a rare one seen twice does not lead. As many
//! intervals are looked at as there are attributes times cohorts, and the largest of many is large by chance; intervals are
//! therefore widened so that all of them hold together with the confidence asked for (Bonferroni: each has
//! `1 − (1 − confidence) / (attributes · cohorts)`). An attribute whose widened interval reaches 1 names nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::normal::upper_quantile;
use super::{Attributes, Lift, ProfileError};

/// How cohorts are described.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PortraitConfig {
    /// Confidence of all intervals together, at least ½ and below 1.
    pub confidence: f64,
    /// Attributes told of each cohort at most.
    pub traits: usize,
    /// Attributes in a name at most, at least 1.
    pub words: usize,
    /// Least share of a cohort's users who must have an attribute that names it, 0 to 1.
    pub least_share: f64,
}

impl Default for PortraitConfig {
    /// 95 %, five traits, two words, a tenth of the users.
    fn default() -> Self {
        Self { confidence: 0.95, traits: 5, words: 2, least_share: 0.1 }
    }
}

/// An attribute that is over-represented in a cohort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trait {
    /// Its name.
    pub name: String,
    /// Users of the cohort who have it.
    pub users: usize,
    /// Their share of the cohort.
    pub share: f64,
    /// Against everybody else, with the widened interval.
    pub lift: Lift,
}

/// One cohort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Portrait {
    /// Its id.
    pub cohort: u32,
    /// Made of its foremost attributes, no two cohorts alike; `cohort 3` where nothing sets it apart.
    pub name: String,
    /// Users.
    pub users: usize,
    /// Share of all users that have a cohort.
    pub share: f64,
    /// Over-represented attributes whose interval lies above 1, foremost first.
    pub traits: Vec<Trait>,
}

/// All cohorts, ascending ids. `Display` gives a paragraph for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Portraits {
    /// One for each cohort that has users.
    pub cohorts: Vec<Portrait>,
    /// Standard errors to each side of an interval.
    pub z: f64,
}

impl PortraitConfig {
    /// Describes the cohorts of `labels: [users]`; users without one are left out altogether.
    ///
    /// ```
    /// use kohort_cohorts::profile::{Attributes, PortraitConfig};
    ///
    /// // 40 users; the first half listen to jazz, the others to metal, and every fourth at night.
    /// let names = ["jazz", "metal", "night"].map(String::from).to_vec();
    /// let user: Vec<u32> = (0..40).chain((0..40).step_by(4)).collect();
    /// let has: Vec<u32> = (0..40).map(|user| user / 20).chain([2; 10]).collect();
    /// let attributes = Attributes::from_pairs(40, names, &user, &has)?;
    /// let labels: Vec<Option<u32>> = (0..40).map(|user| Some(user / 20)).collect();
    /// let told = PortraitConfig::default().of(&labels, &attributes)?;
    /// assert_eq!([&told.cohorts[0].name, &told.cohorts[1].name], ["jazz", "metal"]);
    /// # Ok::<(), kohort_cohorts::profile::ProfileError>(())
    /// ```
    ///
    /// # Errors
    /// A setting out of its range, not one label per user.
    pub fn of(&self, labels: &[Option<u32>], attributes: &Attributes) -> Result<Portraits, ProfileError> {
        self.check()?;
        if labels.len() != attributes.users() {
            let (got, expected) = (labels.len(), attributes.users());
            return Err(ProfileError::Length { what: "labels", got, expected });
        }
        let ids: BTreeSet<u32> = labels.iter().flatten().copied().collect();
        let ids: Vec<u32> = ids.into_iter().collect();
        let place: BTreeMap<u32, usize> = ids.iter().enumerate().map(|(at, &id)| (id, at)).collect();
        let width = attributes.names().len();
        let mut users = vec![0usize; ids.len()];
        // `[cohorts, attributes]` and their sums.
        let (mut having, mut all) = (vec![0usize; ids.len() * width], vec![0usize; width]);
        for (user, id) in labels.iter().enumerate() {
            let Some(&at) = id.as_ref().and_then(|id| place.get(id)) else { continue };
            users[at] += 1;
            for &code in attributes.of(user) {
                having[at * width + code as usize] += 1;
                all[code as usize] += 1;
            }
        }
        let total: usize = users.iter().sum();
        let intervals = (ids.len() * width).max(1) as f64;
        let z = upper_quantile((1.0 - self.confidence) / (2.0 * intervals));
        let mut cohorts = Vec::with_capacity(ids.len());
        for (at, &cohort) in ids.iter().enumerate() {
            let mut traits: Vec<Trait> = (0..width)
                .map(|code| {
                    let a = having[at * width + code];
                    let lift = Lift::new((a, users[at]), (all[code] - a, total - users[at]), z);
                    Trait {
                        name: attributes.names()[code].clone(),
                        users: a,
                        share: a as f64 / users[at] as f64,
                        lift,
                    }
                })
                // Nothing is over-represented where nobody else is there to compare with.
                .filter(|found| found.lift.low > 1.0 && users[at] < total)
                .collect();
            // Stable: of equals, the earlier attribute leads.
            traits.sort_by(|a, b| b.lift.low.total_cmp(&a.lift.low));
            let share = users[at] as f64 / total as f64;
            cohorts.push(Portrait { cohort, name: String::new(), users: users[at], share, traits });
        }
        self.name(&mut cohorts);
        cohorts.iter_mut().for_each(|cohort| cohort.traits.truncate(self.traits));
        Ok(Portraits { cohorts, z })
    }

    /// The foremost attributes that enough users have; a name that is taken gets the id as well.
    fn name(&self, cohorts: &mut [Portrait]) {
        let mut names: Vec<String> = Vec::with_capacity(cohorts.len());
        for cohort in cohorts.iter() {
            let words = cohort.traits.iter().filter(|found| found.share >= self.least_share);
            let words: Vec<&str> = words.take(self.words).map(|found| found.name.as_str()).collect();
            names.push(if words.is_empty() {
                format!("cohort {}", cohort.cohort)
            } else {
                words.join(" + ")
            });
        }
        let mut taken = BTreeSet::new();
        for (at, cohort) in cohorts.iter_mut().enumerate() {
            let twice = names.iter().filter(|&name| *name == names[at]).count() > 1;
            let mut name = names[at].clone();
            while (twice && name == names[at]) || taken.contains(&name) {
                name = format!("{name} ({})", cohort.cohort);
            }
            taken.insert(name.clone());
            cohort.name = name;
        }
    }

    fn check(&self) -> Result<(), ProfileError> {
        let bad = |setting, value: String, allowed| Err(ProfileError::Setting { setting, value, allowed });
        if !(0.5..1.0).contains(&self.confidence) {
            return bad("confidence", self.confidence.to_string(), "0.5 or more and below 1");
        }
        if !(0.0..=1.0).contains(&self.least_share) {
            return bad("least_share", self.least_share.to_string(), "0 to 1");
        }
        if self.words == 0 {
            return bad("words", "0".to_owned(), "1 or more");
        }
        Ok(())
    }
}

/// How many times, for people. Where nobody else has an attribute, a lift is as large as there are others, and its digits say nothing.
struct Times(f64);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            lift if lift > 1000.0 => f.write_str("over 1000"),
            lift if lift >= 100.0 => write!(f, "{lift:.0}"),
            lift => write!(f, "{lift:.2}"),
        }
    }
}

impl fmt::Display for Portraits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Portrait { cohort, name, users, share, traits } in &self.cohorts {
            writeln!(f, "{name} (id {cohort}): {users} users, {:.1} % of all", 100.0 * share)?;
            for Trait { name, share, lift, .. } in traits {
                let [lift, low, high] = [lift.lift, lift.low, lift.high].map(Times);
                let share = 100.0 * share;
                writeln!(
                    f,
                    "  {name}: {share:.1} % of them, {lift} times as often as others ({low} to {high})"
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Times;

    #[test]
    fn a_lift_has_the_digits_that_say_something() {
        let told = [0.5, 12.345, 99.994, 222.05, 1000.0, 27_571.0].map(|lift| Times(lift).to_string());
        assert_eq!(told, ["0.50", "12.35", "99.99", "222", "1000", "over 1000"]);
    }
}
