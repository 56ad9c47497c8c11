//! Who is with whom: territories in groups, by rule, by size or by viewing pattern.

use std::collections::BTreeMap;
use std::fmt;

use super::{Distance, Profiles, Territories};
use crate::DataError;

/// Territories in groups, and why. Shown as a table.
///
/// ```
/// use kohort_data::{Train, synthetic::MarketRecipe, territories::{Distance, Grouping, Profiles, Territories}};
///
/// let (data, _) = MarketRecipe::small().generate(7)?;
/// let markets = Territories::of(&data, "market")?;
/// let profiles = Profiles::of(&Train::new(data.interactions)?, &markets)?;
/// let mixed = Grouping::by_size(&profiles, 2)?;
/// let alike = Grouping::by_viewing(&profiles, 2, Distance::Cosine)?;
/// println!("{mixed}\n{alike}");
///
/// let groups = alike.apply(&markets)?; // groups are territories again, only larger
/// assert_eq!(groups.len(), 2);
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Grouping {
    /// What the groups were made by, in words.
    pub how: String,
    names: Vec<String>,
    of_territory: Vec<u32>,
    why: Vec<String>,
    territories: Vec<String>,
    rows: Vec<usize>,
    users: Vec<usize>,
}

impl Grouping {
    /// Every territory a group of its own.
    ///
    /// # Errors
    /// [`DataError::Setting`] if there is no territory.
    pub fn each(profiles: &Profiles) -> Result<Grouping, DataError> {
        check_groups(1, profiles.len())?;
        let of = (0..profiles.len() as u32).collect();
        let why = vec!["alone".to_owned(); profiles.len()];
        Ok(Grouping::new("each territory alone", profiles, profiles.names().to_vec(), of, why))
    }

    /// By a map from territory to the name of its group; groups in the order in which the territories first name them.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a territory that the map leaves out, or one in the map that there is not.
    pub fn by_rule(profiles: &Profiles, rule: &BTreeMap<String, String>) -> Result<Grouping, DataError> {
        check_groups(1, profiles.len())?;
        let wrong =
            |found: String, expected: String| DataError::Setting { name: "grouping", found, expected };
        if let Some(unknown) = rule.keys().find(|name| !profiles.names().contains(name)) {
            let expected = format!("one of {}", profiles.names().join(", "));
            return Err(wrong(format!("a rule for territory {unknown:?}"), expected));
        }
        let (mut names, mut of) = (Vec::<String>::new(), Vec::new());
        for territory in profiles.names() {
            let group = rule.get(territory).ok_or_else(|| {
                wrong(
                    format!("no rule for territory {territory:?}"),
                    "a group for every territory".to_owned(),
                )
            })?;
            let at = names.iter().position(|name| name == group).unwrap_or_else(|| {
                names.push(group.clone());
                names.len() - 1
            });
            of.push(at as u32);
        }
        let why = vec!["named by the rule".to_owned(); names.len()];
        Ok(Grouping::new("rule", profiles, names, of, why))
    }

    /// Major and minor territories mixed, so that groups have about equally many training rows: the largest territory
    /// first, each goes to the group with the fewest rows that has fewer than ⌈territories / groups⌉ members (longest
    /// processing time first: R. Graham, "Bounds on multiprocessing timing anomalies", SIAM Journal on Applied
    /// Mathematics 17, 1969; the limit of members, which mixes the small ones in, is an addition).
    ///
    /// # Errors
    /// [`DataError::Setting`] unless `groups` is 1 to the number of territories.
    pub fn by_size(profiles: &Profiles, groups: usize) -> Result<Grouping, DataError> {
        check_groups(groups, profiles.len())?;
        let rows = profiles.rows();
        let most = profiles.len().div_ceil(groups);
        let mut order: Vec<usize> = (0..profiles.len()).collect();
        order.sort_by_key(|&territory| (std::cmp::Reverse(rows[territory]), territory));
        let (mut load, mut members) = (vec![0usize; groups], vec![0usize; groups]);
        let mut of = vec![0u32; profiles.len()];
        for (placed, &territory) in order.iter().enumerate() {
            let empty = members.iter().filter(|&&m| m == 0).count();
            // Without this a territory of no rows could be put beside another while a group stays empty.
            let must_open = profiles.len() - placed <= empty;
            let room = |&group: &usize| members[group] < most && (!must_open || members[group] == 0);
            let lightest = (0..groups).filter(room).min_by_key(|&group| (load[group], group)).unwrap_or(0);
            of[territory] = lightest as u32;
            load[lightest] += rows[territory];
            members[lightest] += 1;
        }
        let even = rows.iter().sum::<usize>() as f64 / groups as f64;
        let why = load.iter().map(|&rows| format!("{:.2} of an even share", rows as f64 / even.max(1.0)));
        let why = why.collect();
        Ok(Grouping::new("size balance", profiles, numbered(groups), of, why))
    }

    /// Territories that watch the same things: agglomerative clustering with average linkage (the distance of two groups
    /// is the mean over pairs of their members) of popularity profiles, merged until `groups` are left; of equally near
    /// pairs the first in id order. Groups come in the order of their first territory.
    ///
    /// # Errors
    /// As [`Grouping::by_size`].
    pub fn by_viewing(profiles: &Profiles, groups: usize, distance: Distance) -> Result<Grouping, DataError> {
        check_groups(groups, profiles.len())?;
        let mut clusters: Vec<Vec<usize>> = (0..profiles.len()).map(|territory| vec![territory]).collect();
        let n = profiles.len();
        let mut far = vec![0.0; n * n];
        for a in 0..n {
            for b in 0..n {
                far[a * n + b] = profiles.distance(a.min(b), a.max(b), distance);
            }
        }
        let mean = |a: &[usize], b: &[usize]| {
            let sum: f64 =
                a.iter().flat_map(|&x| b.iter().map(move |&y| (x, y))).map(|(x, y)| far[x * n + y]).sum();
            sum / (a.len() * b.len()) as f64
        };
        while clusters.len() > groups {
            let mut nearest = (f64::INFINITY, 0, 1);
            for a in 0..clusters.len() {
                for b in a + 1..clusters.len() {
                    let apart = mean(&clusters[a], &clusters[b]);
                    if apart < nearest.0 {
                        nearest = (apart, a, b);
                    }
                }
            }
            let merged = clusters.remove(nearest.2);
            clusters[nearest.1].extend(merged);
            clusters[nearest.1].sort_unstable();
        }
        let mut of = vec![0u32; n];
        for (group, members) in clusters.iter().enumerate() {
            members.iter().for_each(|&territory| of[territory] = group as u32);
        }
        let why = clusters.iter().enumerate().map(|(at, own)| {
            let within: Vec<f64> = own
                .iter()
                .enumerate()
                .flat_map(|(x, &a)| own[x + 1..].iter().map(move |&b| (a, b)))
                .map(|(a, b)| far[a * n + b])
                .collect();
            let within = match within.len() {
                0 => "alone".to_owned(),
                pairs => format!("{:.3} apart inside", within.iter().sum::<f64>() / pairs as f64),
            };
            let others = clusters.iter().enumerate().filter(|&(other, _)| other != at);
            match others.map(|(_, other)| mean(own, other)).min_by(f64::total_cmp) {
                Some(nearest) => format!("{within}, {nearest:.3} from the nearest group"),
                None => within,
            }
        });
        let why = why.collect();
        let how = match distance {
            Distance::Cosine => "viewing pattern, cosine distance, average linkage",
            Distance::JensenShannon => "viewing pattern, Jensen-Shannon distance, average linkage",
        };
        Ok(Grouping::new(how, profiles, numbered(groups), of, why))
    }

    /// From a clustering made elsewhere (KMeans of [`Profiles::matrix`], say): the group of each territory.
    ///
    /// # Errors
    /// [`DataError::Columns`] for another number of territories, [`DataError::Setting`] for a group that is empty or not
    /// below `groups`.
    pub fn given(
        profiles: &Profiles,
        how: &str,
        of_territory: &[u32],
        groups: usize,
    ) -> Result<Grouping, DataError> {
        check_groups(groups, profiles.len())?;
        if of_territory.len() != profiles.len() {
            return Err(DataError::Columns {
                what: format!("groups of {} territories, there are {}", of_territory.len(), profiles.len()),
            });
        }
        let wrong = |found: String| DataError::Setting {
            name: "grouping",
            found,
            expected: format!("groups from 0 to {}, each with a territory", groups - 1),
        };
        if let Some(group) = of_territory.iter().find(|&&group| group as usize >= groups) {
            return Err(wrong(format!("group {group}")));
        }
        if let Some(empty) = (0..groups as u32).find(|group| !of_territory.contains(group)) {
            return Err(wrong(format!("group {empty} without a territory")));
        }
        let why = vec![how.to_owned(); groups];
        Ok(Grouping::new(how, profiles, numbered(groups), of_territory.to_vec(), why))
    }

    fn new(how: &str, profiles: &Profiles, names: Vec<String>, of: Vec<u32>, why: Vec<String>) -> Grouping {
        Grouping {
            how: how.to_owned(),
            names,
            of_territory: of,
            why,
            territories: profiles.names().to_vec(),
            rows: profiles.rows().to_vec(),
            users: profiles.users().to_vec(),
        }
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no group; never true.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Group of each territory, `[territories]`.
    pub fn of_territory(&self) -> &[u32] {
        &self.of_territory
    }

    /// Names of the groups.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Names of the territories of a group.
    pub fn members(&self, group: usize) -> Vec<&str> {
        self.ids(group).map(|territory| self.territories[territory].as_str()).collect()
    }

    /// Why the territories of a group are together, in words.
    pub fn why(&self, group: usize) -> &str {
        &self.why[group]
    }

    /// Training rows of a group.
    pub fn rows(&self, group: usize) -> usize {
        self.ids(group).map(|territory| self.rows[territory]).sum()
    }

    /// Users with training rows of a group.
    pub fn users(&self, group: usize) -> usize {
        self.ids(group).map(|territory| self.users[territory]).sum()
    }

    /// The group of each user, as territories.
    ///
    /// # Errors
    /// [`DataError::Columns`] for territories other than those that were grouped.
    pub fn apply(&self, territories: &Territories) -> Result<Territories, DataError> {
        if territories.names() != self.territories {
            return Err(DataError::Columns {
                what: format!(
                    "groups of the territories {}, asked for {}",
                    self.territories.join(", "),
                    territories.names().join(", ")
                ),
            });
        }
        let of_user = territories.of_user().iter().map(|&t| self.of_territory[t as usize]).collect();
        Territories::new(self.names.clone(), of_user)
    }

    fn ids(&self, group: usize) -> impl Iterator<Item = usize> {
        (0..self.territories.len()).filter(move |&territory| self.of_territory[territory] as usize == group)
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<String> = (0..self.len()).map(|group| self.members(group).join(", ")).collect();
        let widest = |texts: &[String], least: usize| {
            texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(least)
        };
        let (name, who) = (widest(&self.names, 5), widest(&members, 11));
        let all = self.rows.iter().sum::<usize>().max(1) as f64;
        writeln!(f, "{} groups by {}", self.len(), self.how)?;
        writeln!(
            f,
            "{:name$}  {:who$}  {:>8}  {:>9}  {:>7}  why",
            "group", "territories", "users", "rows", "share"
        )?;
        for (group, members) in members.iter().enumerate() {
            let rows = self.rows(group);
            let share = 100.0 * rows as f64 / all;
            let (users, why) = (self.users(group), &self.why[group]);
            writeln!(
                f,
                "{:name$}  {members:who$}  {users:>8}  {rows:>9}  {share:>5.1} %  {why}",
                self.names[group]
            )?;
        }
        Ok(())
    }
}

fn numbered(groups: usize) -> Vec<String> {
    (1..=groups).map(|group| format!("group {group}")).collect()
}

fn check_groups(groups: usize, territories: usize) -> Result<(), DataError> {
    if groups >= 1 && groups <= territories {
        return Ok(());
    }
    Err(DataError::Setting {
        name: "territory groups",
        found: groups.to_string(),
        expected: format!("1 to the number of territories, {territories}"),
    })
}
