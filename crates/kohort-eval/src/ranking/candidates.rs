//! Lists of candidates per unit: held-out rated items, with or without sampled negatives.

use super::exclusions::Exclusions;
use super::grade::UNRATED;
use super::list::{Facts, Group, Values, measure};
use super::order::{Entry, Unit};
use super::per_unit::PerUnit;
use super::protocol::{Candidates, RankingProtocol, Ties};
use crate::binary::ascending_key;
use crate::error::{EvalError, Result, at_least, same_length, setting};
use kohort_random::rand::Rng;
use kohort_random::stream;
use rayon::prelude::*;
use std::ops::Range;

/// Each unit's candidates with their true grades, made once and ranked by any number of models.
///
/// Scores are given in the order of the rows this was made from ([`pairs`](Self::pairs) returns them).
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateLists {
    origin: Candidates,
    units: Vec<u32>,
    /// Unit `u` owns entries `starts[u] .. starts[u + 1]`.
    starts: Vec<usize>,
    /// Row of each entry, `[rows]`, as are the next two.
    rows: Vec<u32>,
    items: Vec<u32>,
    grades: Vec<f32>,
}

impl CandidateLists {
    /// The held-out rated rows: `units`, `items` and `grades` are `[n]`, in any order of the rows.
    ///
    /// Rows that repeat a unit and item stay separate candidates; merge them before the split if that is not meant.
    ///
    /// # Errors
    /// Different lengths, no rows, 2³² rows or more, a grade that is neither finite nor [`UNRATED`].
    pub fn held_out(units: &[u32], items: &[u32], grades: &[f32]) -> Result<Self> {
        Self::from_rows(Candidates::HeldOutRated, units, items, grades)
    }

    fn from_rows(origin: Candidates, units: &[u32], items: &[u32], grades: &[f32]) -> Result<Self> {
        same_length(("units", units.len()), ("grades", grades.len()))?;
        same_length(("items", items.len()), ("grades", grades.len()))?;
        at_least("grades", grades.len(), 1)?;
        setting("rows", grades.len(), "fewer than 2^32", u32::try_from(grades.len()).is_ok())?;
        if let Some(at) = grades.iter().position(|&g| !g.is_finite() && g != UNRATED) {
            let value = f64::from(grades[at]);
            return Err(EvalError::Value { name: "grades", at, value, allowed: "finite grades or UNRATED" });
        }
        let mut rows: Vec<u32> = (0..grades.len() as u32).collect();
        rows.sort_by_key(|&row| units[row as usize]);
        let (mut ids, mut starts) = (Vec::new(), Vec::new());
        for (at, &row) in rows.iter().enumerate() {
            let unit = units[row as usize];
            if ids.last() != Some(&unit) {
                ids.push(unit);
                starts.push(at);
            }
        }
        starts.push(rows.len());
        let items = rows.iter().map(|&row| items[row as usize]).collect();
        let grades = rows.iter().map(|&row| grades[row as usize]).collect();
        Ok(Self { origin, units: ids, starts, rows, items, grades })
    }

    /// Adds `count` unrated items to each unit, drawn without replacement from the `0..items` that the unit neither
    /// holds out nor excludes (all of them if there are fewer). Rows of the result: unit by unit, held-out items
    /// first, then the sample in ascending order.
    ///
    /// The draw depends on `seed` and the unit only, so every model meets the same negatives.
    ///
    /// # Errors
    /// An item that is not in `0..items`; lists that have negatives already; `count` of 0.
    pub fn with_negatives(&self, count: u32, seed: u64, items: u32, exclude: &Exclusions) -> Result<Self> {
        setting("count", count, "at least 1", count >= 1)?;
        let allowed = "held-out rated items, to which negatives are added once";
        setting(
            "candidates",
            format!("{:?}", self.origin),
            allowed,
            self.origin == Candidates::HeldOutRated,
        )?;
        exclude.check_items(items)?;
        if let Some(at) = self.items.iter().position(|&item| item >= items) {
            let value = f64::from(self.items[at]);
            return Err(EvalError::Value {
                name: "items",
                at,
                value,
                allowed: "less than the number of items",
            });
        }
        let (mut all_units, mut all_items, mut all_grades) = (Vec::new(), Vec::new(), Vec::new());
        for (at, &unit) in self.units.iter().enumerate() {
            let own = self.span(at);
            all_items.extend_from_slice(&self.items[own.clone()]);
            all_grades.extend_from_slice(&self.grades[own.clone()]);
            let mut taken = [&self.items[own], exclude.of(unit)].concat();
            taken.sort_unstable();
            taken.dedup();
            all_items.extend(sample_outside(&taken, items, count, seed, unit));
            all_grades.resize(all_items.len(), UNRATED);
            all_units.resize(all_items.len(), unit);
        }
        let origin = Candidates::SampledNegatives { count, seed };
        Self::from_rows(origin, &all_units, &all_items, &all_grades)
    }

    /// Held-out rows and negatives that somebody else sampled, for each unit from its own market, say: rows of grade
    /// [`UNRATED`] are the negatives. `count` and `seed` are those of the sample and become part of the protocol.
    ///
    /// # Errors
    /// As for [`held_out`](Self::held_out); `count` of 0; a unit with more than `count` negatives.
    pub fn sampled(units: &[u32], items: &[u32], grades: &[f32], count: u32, seed: u64) -> Result<Self> {
        setting("count", count, "at least 1", count >= 1)?;
        let lists = Self::from_rows(Candidates::SampledNegatives { count, seed }, units, items, grades)?;
        for (at, &unit) in lists.units.iter().enumerate() {
            let negatives = lists.graded(at).filter(|&(_, grade)| grade == UNRATED).count();
            let found = format!("{count}, and unit {unit} has {negatives} negatives");
            setting("count", found, "at least a unit's negatives", negatives <= count as usize)?;
        }
        Ok(lists)
    }

    /// Ids of the units, ascending.
    pub fn units(&self) -> &[u32] {
        &self.units
    }

    /// Rows, that is candidates of all units.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// `(unit, item)` of every row, in the order in which scores are expected, `[rows]`.
    pub fn pairs(&self) -> Vec<(u32, u32)> {
        let mut pairs = vec![(0, 0); self.rows.len()];
        for (at, &unit) in self.units.iter().enumerate() {
            for entry in self.span(at) {
                pairs[self.rows[entry] as usize] = (unit, self.items[entry]);
            }
        }
        pairs
    }

    pub(super) fn span(&self, at: usize) -> Range<usize> {
        self.starts[at]..self.starts[at + 1]
    }

    pub(super) fn graded(&self, at: usize) -> impl Iterator<Item = (u32, f32)> {
        self.span(at).map(|entry| (self.items[entry], self.grades[entry]))
    }

    pub(super) fn origin(&self) -> Candidates {
        self.origin
    }

    pub(super) fn items(&self) -> &[u32] {
        &self.items
    }

    pub(super) fn grades(&self) -> &[f32] {
        &self.grades
    }

    /// Ranks every unit's candidates by `scores` `[rows]`, higher first. Units run in parallel; the result has the
    /// same bits for any number of threads.
    ///
    /// # Errors
    /// A protocol whose candidate set is not the one of these lists, `k` of 0, a length other than
    /// [`rows`](Self::rows), a NaN score, a grade the gain does not allow.
    pub fn evaluate(&self, protocol: &RankingProtocol, scores: &[f32]) -> Result<PerUnit> {
        self.check(protocol)?;
        same_length(("scores", scores.len()), ("rows", self.rows.len()))?;
        if let Some(at) = scores.iter().position(|score| score.is_nan()) {
            return Err(EvalError::Value {
                name: "scores",
                at,
                value: f64::NAN,
                allowed: "any number but NaN",
            });
        }
        Ok(self.rank(protocol, |entry| ascending_key(scores[self.rows[entry] as usize])))
    }

    /// What a random order is expected to score: the exact mean over all orders, without drawing any.
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate).
    pub fn floor(&self, protocol: &RankingProtocol) -> Result<PerUnit> {
        self.check(protocol)?;
        Ok(self.measure_all(protocol, |at, facts| {
            let gain = self.graded(at).map(|(_, grade)| protocol.gain_of(grade)).sum();
            measure(protocol, facts, [Group { size: facts.candidates, relevant: facts.relevant, gain }])
        }))
    }

    /// The mean over `shuffles` random orders, for checking [`floor`](Self::floor) or showing the spread.
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate); `shuffles` of 0.
    pub fn shuffled_floor(&self, protocol: &RankingProtocol, shuffles: u32, seed: u64) -> Result<PerUnit> {
        self.check(protocol)?;
        let mut runs = Vec::new();
        for shuffle in 0..shuffles {
            let seed = stream(seed, "random floor", &[u64::from(shuffle)]).random();
            let shuffled = RankingProtocol { ties: Ties::Random { seed }, ..protocol.clone() };
            runs.push(PerUnit { protocol: protocol.clone(), ..self.rank(&shuffled, |_| 1) });
        }
        PerUnit::average(&runs).ok_or_else(|| EvalError::Setting {
            field: "shuffles",
            value: shuffles.to_string(),
            allowed: "at least 1".into(),
        })
    }

    /// What an oracle scores that sorts by the true grade: no ranking of these lists can do better.
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate).
    pub fn ceiling(&self, protocol: &RankingProtocol) -> Result<PerUnit> {
        self.check(protocol)?;
        Ok(self.rank(protocol, |entry| ascending_key(self.grades[entry])))
    }

    fn check(&self, protocol: &RankingProtocol) -> Result<()> {
        protocol.check()?;
        protocol.check_grades(&self.grades)?;
        let allowed = format!("{:?}, which is what these lists hold", self.origin);
        setting(
            "candidates",
            format!("{:?}", protocol.candidates),
            allowed,
            protocol.candidates == self.origin,
        )
    }

    fn rank(&self, protocol: &RankingProtocol, key: impl Fn(usize) -> u32 + Sync) -> PerUnit {
        self.measure_all(protocol, |at, facts| {
            let unit = Unit::new(protocol, self.units[at]);
            let mut entries: Vec<Entry> = self
                .span(at)
                .map(|entry| unit.entry(key(entry), self.items[entry], self.grades[entry]))
                .collect();
            measure(protocol, facts, unit.groups(&mut entries))
        })
    }

    fn measure_all(
        &self,
        protocol: &RankingProtocol,
        of: impl Fn(usize, Facts) -> Option<Values> + Sync,
    ) -> PerUnit {
        let measured: Vec<(Facts, Option<Values>)> = (0..self.units.len())
            .into_par_iter()
            .with_min_len(16)
            .map(|at| {
                let relevant = self.graded(at).filter(|&(_, grade)| protocol.is_relevant(grade)).count();
                let mut gains: Vec<f64> = self.graded(at).map(|(_, grade)| protocol.gain_of(grade)).collect();
                let facts = Facts::new(protocol.k, self.span(at).len(), relevant, &mut gains);
                (facts, of(at, facts))
            })
            .collect();
        PerUnit::collect(protocol, &self.units, measured)
    }
}

/// `count` of `0..items` without `taken` (ascending, distinct), ascending.
fn sample_outside(taken: &[u32], items: u32, count: u32, seed: u64, unit: u32) -> Vec<u32> {
    let free = items as usize - taken.len();
    let count = (count as usize).min(free);
    let mut numbers = stream(seed, "sampled negatives", &[u64::from(unit)]);
    // Floyd's algorithm (Bentley and Floyd, "A sample of brilliance", CACM 1987) on the ranks of the free items.
    let mut ranks = std::collections::BTreeSet::new();
    for highest in free - count..free {
        let rank = numbers.random_range(0..=highest as u32);
        if !ranks.insert(rank) {
            ranks.insert(highest as u32);
        }
    }
    // Both lists ascend: step over the taken items while turning ranks into items.
    let mut taken = taken.iter().peekable();
    let mut skipped = 0;
    ranks
        .into_iter()
        .map(|rank| {
            while taken.next_if(|&&item| item <= rank + skipped).is_some() {
                skipped += 1;
            }
            rank + skipped
        })
        .collect()
}
