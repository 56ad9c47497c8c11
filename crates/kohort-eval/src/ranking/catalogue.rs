//! Ranking the whole catalogue.

use super::candidates::CandidateLists;
use super::exclusions::{Exclusions, within};
use super::list::{Facts, Group, Values, measure};
use super::order::{Entry, Unit};
use super::per_unit::PerUnit;
use super::protocol::{Candidates, RankingProtocol};
use crate::binary::ascending_key;
use crate::error::{EvalError, Result, setting};
use rayon::prelude::*;

/// The key of an excluded item: below that of every number.
const EXCLUDED: u32 = 0;

/// Every item `0..items` is a candidate of every unit, except the unit's excluded ones.
///
/// Grades come from the held-out rows; all other items are unrated. Of rows that repeat a unit and item the highest
/// grade counts. An item that is both held out and excluded is no candidate.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue<'a> {
    held_out: &'a CandidateLists,
    exclude: &'a Exclusions,
    items: u32,
}

impl<'a> Catalogue<'a> {
    /// The units of `held_out` ranked over `0..items` without `exclude`.
    ///
    /// # Errors
    /// An item that is not in `0..items`; `held_out` with sampled negatives; more than 2²⁸ items.
    pub fn new(held_out: &'a CandidateLists, exclude: &'a Exclusions, items: u32) -> Result<Self> {
        setting("items", items, "at most 2^28", items <= 1 << 28)?;
        let held = held_out.origin();
        let allowed = "held-out rated items as the base of a catalogue";
        setting("candidates", format!("{held:?}"), allowed, held == Candidates::HeldOutRated)?;
        within("items", held_out.items(), items)?;
        exclude.check_items(items)?;
        Ok(Self { held_out, exclude, items })
    }

    /// Ranks every unit by what `score(unit, scores)` writes into `scores` `[items]`, higher first.
    ///
    /// Units run in parallel, so `score` is shared between threads. Every score must be written: unwritten ones are
    /// NaN, also of excluded items.
    ///
    /// # Errors
    /// A protocol whose candidate set is not the whole catalogue, `k` of 0, a NaN score (of the first unit that has
    /// one), a grade the gain does not allow.
    pub fn evaluate<F>(&self, protocol: &RankingProtocol, score: F) -> Result<PerUnit>
    where
        F: Fn(u32, &mut [f32]) + Sync,
    {
        self.check(protocol)?;
        let units = self.held_out.units();
        let measured = (0..units.len())
            .into_par_iter()
            .map_init(
                || (Scratch::default(), Vec::new()),
                |(scratch, scores), at| {
                    scores.clear();
                    scores.resize(self.items as usize, f32::NAN);
                    score(units[at], scores);
                    self.rank(protocol, at, scores, scratch)
                },
            )
            .collect();
        self.finish(protocol, measured)
    }

    /// As [`evaluate`](Self::evaluate), for models that score many units at once: `score(units, scores)` fills
    /// `scores` `[units, items]` (row-major) for up to `block` units and may borrow its surroundings mutably. Blocks
    /// come one after the other; ranking within a block is parallel.
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate); `block` of 0.
    pub fn evaluate_blocks<F>(
        &self,
        protocol: &RankingProtocol,
        block: usize,
        mut score: F,
    ) -> Result<PerUnit>
    where
        F: FnMut(&[u32], &mut [f32]),
    {
        self.check(protocol)?;
        setting("block", block, "at least 1", block >= 1)?;
        let items = self.items as usize;
        let mut scores = Vec::new();
        let mut measured = Vec::with_capacity(self.held_out.units().len());
        for (number, units) in self.held_out.units().chunks(block).enumerate() {
            scores.clear();
            scores.resize(units.len() * items, f32::NAN);
            score(units, &mut scores);
            let ranked: Vec<Measured> = (0..units.len())
                .into_par_iter()
                .map_init(Scratch::default, |scratch, row| {
                    let scores = &scores[row * items..(row + 1) * items];
                    self.rank(protocol, number * block + row, scores, scratch)
                })
                .collect();
            measured.extend(ranked);
        }
        self.finish(protocol, measured)
    }

    /// What a random order of the catalogue is expected to score: the exact mean over all orders.
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate).
    pub fn floor(&self, protocol: &RankingProtocol) -> Result<PerUnit> {
        self.check(protocol)?;
        self.without_scores(protocol, |facts, graded| {
            let gain = graded.iter().map(|&(_, grade)| protocol.gain_of(grade)).sum();
            measure(protocol, facts, [Group { size: facts.candidates, relevant: facts.relevant, gain }])
        })
    }

    /// What an oracle scores that sorts by the true grade, unrated items last.
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate).
    pub fn ceiling(&self, protocol: &RankingProtocol) -> Result<PerUnit> {
        self.check(protocol)?;
        self.without_scores(protocol, |facts, graded| {
            // Unrated candidates have no gain, so ending the list before them changes nothing.
            let unit = Unit::new(protocol, 0);
            let mut entries: Vec<Entry> =
                graded.iter().map(|&(item, grade)| unit.entry(ascending_key(grade), item, grade)).collect();
            measure(protocol, facts, unit.groups(&mut entries))
        })
    }

    fn check(&self, protocol: &RankingProtocol) -> Result<()> {
        protocol.check()?;
        protocol.check_grades(self.held_out.grades())?;
        let (is, must) = (protocol.candidates, Candidates::WholeCatalogue);
        setting("candidates", format!("{is:?}"), format!("{must:?} for a catalogue"), is == must)
    }

    fn without_scores(
        &self,
        protocol: &RankingProtocol,
        of: impl Fn(Facts, &[(u32, f32)]) -> Option<Values> + Sync,
    ) -> Result<PerUnit> {
        let measured = (0..self.held_out.units().len())
            .into_par_iter()
            .map_init(Scratch::default, |scratch, at| {
                let facts = self.facts(protocol, at, scratch);
                Ok((facts, of(facts, &scratch.graded)))
            })
            .collect();
        self.finish(protocol, measured)
    }

    /// Collects the unit's graded candidates into `scratch.graded`, by ascending item.
    fn facts(&self, protocol: &RankingProtocol, at: usize, scratch: &mut Scratch) -> Facts {
        let excluded = self.exclude.of(self.held_out.units()[at]);
        let Scratch { graded, gains, .. } = scratch;
        graded.clear();
        graded.extend(self.held_out.graded(at).filter(|(item, _)| excluded.binary_search(item).is_err()));
        graded.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        graded.dedup_by_key(|&mut (item, _)| item);
        gains.clear();
        gains.extend(graded.iter().map(|&(_, grade)| protocol.gain_of(grade)));
        let relevant = graded.iter().filter(|&&(_, grade)| protocol.is_relevant(grade)).count();
        Facts::new(protocol.k, self.items as usize - excluded.len(), relevant, gains)
    }

    fn rank(&self, protocol: &RankingProtocol, at: usize, scores: &[f32], scratch: &mut Scratch) -> Measured {
        let facts = self.facts(protocol, at, scratch);
        let Scratch { graded, keys, selected, entries, .. } = scratch;
        if let Some(at) = scores.iter().position(|score| score.is_nan()) {
            return Err(EvalError::Value {
                name: "scores",
                at,
                value: f64::NAN,
                allowed: "any number but NaN",
            });
        }
        let id = self.held_out.units()[at];
        keys.clear();
        keys.extend(scores.iter().map(|&score| ascending_key(score)));
        for &item in self.exclude.of(id) {
            keys[item as usize] = EXCLUDED;
        }
        let k = protocol.k.min(facts.candidates);
        if k == 0 {
            return Ok((facts, measure(protocol, facts, [])));
        }
        // Only what scores at least as high as the k-th candidate can matter; it is above EXCLUDED because there
        // are k candidates.
        selected.clone_from(keys);
        let (_, &mut lowest, _) = selected.select_nth_unstable_by(k - 1, |a, b| b.cmp(a));
        let unit = Unit::new(protocol, id);
        entries.clear();
        for (item, &key) in (0..self.items).zip(keys.iter()) {
            if key >= lowest {
                let grade = match graded.binary_search_by_key(&item, |&(item, _)| item) {
                    Ok(at) => graded[at].1,
                    Err(_) => super::UNRATED,
                };
                entries.push(unit.entry(key, item, grade));
            }
        }
        Ok((facts, measure(protocol, facts, unit.groups(entries))))
    }

    fn finish(&self, protocol: &RankingProtocol, measured: Vec<Measured>) -> Result<PerUnit> {
        // In unit order, so that of several errors always the same one is reported.
        let measured = measured.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(PerUnit::collect(protocol, self.held_out.units(), measured))
    }
}

type Measured = Result<(Facts, Option<Values>)>;

/// Buffers a thread keeps from unit to unit.
#[derive(Default)]
struct Scratch {
    graded: Vec<(u32, f32)>,
    gains: Vec<f64>,
    keys: Vec<u32>,
    selected: Vec<u32>,
    entries: Vec<Entry>,
}
