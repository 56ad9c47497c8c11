//! What became of cohorts: kept, split, merged, born, died.
//!
//! Of the users known both times, `n_cd` went from cohort c to cohort d, out of `n_c` and into `n_d`:
//!
//! ```text
//! d descends from c      n_cd ≥ part · n_c  and  n_cd ≥ main · n_d        (a real part of c, and most of d)
//! c goes over into d     n_cd ≥ part · n_d  and  n_cd ≥ main · n_c        (most of c, and a real part of d)
//! c split                two or more cohorts descend from it
//! cohorts merged into d  two or more went over into it
//! ```
//!
//! An id that is new and no part of a split is a birth; one that is gone and no part of a split or a merger is a death.
//!
//! Reports of cohorts over time often use the Jaccard overlap, at least .5 for one to one and .3 for two to one (D. Greene,
//! D. Doyle and P. Cunningham, "Tracking the evolution of communities in dynamic social networks", ASONAM 2010, has .3).
//! Shares of the one side and of the other are used here instead: a tenth that splits off a large cohort has a small Jaccard
//! overlap with it, however clear the split.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::drift::{Drift, drift_of_counts};
use super::{Flow, LivingError};

/// What counts as a real part, and as most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeRules {
    /// Least share of a cohort that counts as a part of it, above 0 and at most ½.
    pub part: f64,
    /// Least share that counts as most of it, at least ½ and at most 1.
    pub main: f64,
}

impl Default for ChangeRules {
    /// A tenth is a part, half is most.
    fn default() -> Self {
        Self { part: 0.1, main: 0.5 }
    }
}

impl ChangeRules {
    /// Whether both shares are in their ranges.
    ///
    /// # Errors
    /// Names the one that is not.
    pub fn check(&self) -> Result<(), LivingError> {
        let bad = |setting, value: f64, allowed| {
            Err(LivingError::Setting { setting, value: value.to_string(), allowed })
        };
        if !(self.part > 0.0 && self.part <= 0.5) {
            return bad("part", self.part, "above 0 and at most 0.5");
        }
        if !(0.5..=1.0).contains(&self.main) {
            return bad("main", self.main, "0.5 to 1");
        }
        Ok(())
    }
}

/// What happened to a cohort. Shares are of the users known both times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The id lives on, and neither split nor merged.
    Kept {
        /// Its id.
        cohort: u32,
        /// Users before.
        before: usize,
        /// Users after.
        after: usize,
        /// Share of its users who stayed; `None` where none of them is still known.
        stayed: Option<f64>,
    },
    /// A cohort fell into parts.
    Split {
        /// Its id.
        cohort: u32,
        /// Users before.
        before: usize,
        /// `(cohort, share of its users, whether the id is new)` of each part, largest share first.
        parts: Vec<(u32, f64, bool)>,
    },
    /// Cohorts became one.
    Merged {
        /// The id they have now.
        into: u32,
        /// Users after.
        after: usize,
        /// `(cohort, share of its users that went over)`, ascending ids.
        from: Vec<(u32, f64)>,
    },
    /// An id that did not exist, and is no part of a split.
    Born {
        /// Its id.
        cohort: u32,
        /// Users after.
        after: usize,
        /// Those who were not known before.
        newcomers: usize,
        /// Cohort that most of the others come from, and how many.
        mostly_from: Option<(u32, usize)>,
    },
    /// An id that is gone, and neither split nor went over into another.
    Died {
        /// Its id.
        cohort: u32,
        /// Users before.
        before: usize,
        /// Those who are not there any more.
        left: usize,
        /// Cohort that most of the others went to, and how many.
        mostly_to: Option<(u32, usize)>,
    },
}

/// All that changed between two fits. `Display` says it in sentences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Splits, mergers, births, deaths, then the cohorts that were kept; ascending ids within each.
    pub changes: Vec<Change>,
    /// Users by where they were and where they are.
    pub flow: Flow,
    /// How far the cohorts' shares of all users moved; `None` where there were no users before or after.
    pub drift: Option<Drift>,
}

impl Changes {
    /// Reads changes from a flow between ids that were matched.
    ///
    /// # Errors
    /// A rule out of its range.
    pub fn of(flow: Flow, rules: ChangeRules) -> Result<Self, LivingError> {
        rules.check()?;
        let (before, after) = (flow.cohorts_before(), flow.cohorts_after());
        let known = Known::of(&flow);
        let mut told: Vec<u32> = Vec::new();
        let mut changes = Vec::new();
        for &cohort in &before {
            let descends = |to: &u32| {
                let n = flow.users(Some(cohort), Some(*to)) as f64;
                n > 0.0 && n >= rules.part * known.out_of(cohort) && n >= rules.main * known.entered(*to)
            };
            let parts: Vec<u32> = after.iter().copied().filter(descends).collect();
            if parts.len() > 1 {
                told.push(cohort);
                told.extend(&parts);
                let share = |to: u32| flow.users(Some(cohort), Some(to)) as f64 / known.out_of(cohort);
                let fresh = |to: u32| before.binary_search(&to).is_err();
                let mut parts: Vec<_> = parts.into_iter().map(|to| (to, share(to), fresh(to))).collect();
                parts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                changes.push(Change::Split { cohort, before: flow.before(cohort), parts });
            }
        }
        for &into in &after {
            let goes_over = |from: &u32| {
                let n = flow.users(Some(*from), Some(into)) as f64;
                n > 0.0 && n >= rules.part * known.entered(into) && n >= rules.main * known.out_of(*from)
            };
            let from: Vec<u32> = before.iter().copied().filter(goes_over).collect();
            if from.len() > 1 {
                told.push(into);
                told.extend(&from);
                let share = |from: u32| flow.users(Some(from), Some(into)) as f64 / known.out_of(from);
                let from = from.into_iter().map(|cohort| (cohort, share(cohort))).collect();
                changes.push(Change::Merged { into, after: flow.after(into), from });
            }
        }
        for &cohort in after.iter().filter(|id| !told.contains(id) && before.binary_search(id).is_err()) {
            changes.push(Change::Born {
                cohort,
                after: flow.after(cohort),
                newcomers: flow.users(None, Some(cohort)),
                mostly_from: most(before.iter().map(|&id| (id, flow.users(Some(id), Some(cohort))))),
            });
        }
        for &cohort in before.iter().filter(|id| !told.contains(id) && after.binary_search(id).is_err()) {
            changes.push(Change::Died {
                cohort,
                before: flow.before(cohort),
                left: flow.users(Some(cohort), None),
                mostly_to: most(after.iter().map(|&id| (id, flow.users(Some(cohort), Some(id))))),
            });
        }
        for &cohort in before.iter().filter(|id| !told.contains(id) && after.binary_search(id).is_ok()) {
            let known = known.out_of(cohort);
            let stayed = flow.users(Some(cohort), Some(cohort)) as f64;
            changes.push(Change::Kept {
                cohort,
                before: flow.before(cohort),
                after: flow.after(cohort),
                stayed: (known > 0.0).then(|| stayed / known),
            });
        }
        let sizes = |ids: &[u32], of: &dyn Fn(u32) -> usize| ids.iter().map(|&id| (id, of(id))).collect();
        let drift =
            drift_of_counts(&sizes(&before, &|id| flow.before(id)), &sizes(&after, &|id| flow.after(id)));
        Ok(Self { changes, flow, drift })
    }
}

/// Users known both times, by the cohort they left and by the one they are in.
pub(super) struct Known {
    out: BTreeMap<u32, usize>,
    entered: BTreeMap<u32, usize>,
}

impl Known {
    pub(super) fn of(flow: &Flow) -> Self {
        let mut known = Self { out: BTreeMap::new(), entered: BTreeMap::new() };
        for &(from, to, users) in &flow.cells {
            if let (Some(from), Some(to)) = (from, to) {
                *known.out.entry(from).or_insert(0) += users;
                *known.entered.entry(to).or_insert(0) += users;
            }
        }
        known
    }

    pub(super) fn out_of(&self, cohort: u32) -> f64 {
        self.out.get(&cohort).map_or(0.0, |&users| users as f64)
    }

    pub(super) fn entered(&self, cohort: u32) -> f64 {
        self.entered.get(&cohort).map_or(0.0, |&users| users as f64)
    }
}

/// The entry with most users, the lowest id of equals; none where all have 0.
fn most(entries: impl Iterator<Item = (u32, usize)>) -> Option<(u32, usize)> {
    entries.filter(|entry| entry.1 > 0).max_by_key(|&(id, users)| (users, std::cmp::Reverse(id)))
}
