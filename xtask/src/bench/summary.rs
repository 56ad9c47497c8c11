//! From turns to medians, ratios, a table and `target/bench/results.json`.

use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};

use super::cases::{Case, Tolerance};
use super::machine::Rates;
use super::turns::{Turn, Turns};

/// The result of a bench; times in milliseconds.
pub(super) struct Outcome {
    bench: &'static str,
    size: &'static str,
    threads: u32,
    at_least: f64,
    /// Our time over our plain step's by turns, the median; where our side says it.
    of_plain: Option<f64>,
    our_median: f64,
    our_check: f64,
    /// The least that the work takes: multiplications and additions, bytes, and milliseconds at this machine's rates.
    floor: Option<(f64, f64, f64)>,
    /// Resident memory after each repeat of the last turn in MB; empty where a side does not say.
    our_memory: Vec<f64>,
    peer: Option<Peer>,
}

struct Peer {
    name: String,
    median: f64,
    check: f64,
    memory: Vec<f64>,
    /// The peer's median over ours.
    ratio: f64,
    /// Smallest and largest ratio of a single pair.
    spread: (f64, f64),
}

impl Outcome {
    pub(super) fn of(case: &Case, threads: u32, turns: &Turns, rates: &Rates) -> Self {
        let our_median = median(turns.ours.iter().map(|turn| turn.ms));
        let peer = (!turns.peers.is_empty()).then(|| {
            let ratios: Vec<f64> =
                turns.peers.iter().zip(&turns.ours).map(|(its, our)| its.ms / our.ms).collect();
            let its_median = median(turns.peers.iter().map(|turn| turn.ms));
            Peer {
                name: turns.peer.clone().unwrap_or_else(|| case.script.to_string()),
                median: its_median,
                check: mean(&turns.peers),
                memory: last_memory(&turns.peers),
                ratio: its_median / our_median,
                spread: ratios.iter().fold((f64::INFINITY, 0.0), |(low, high), &r| (low.min(r), high.max(r))),
            }
        });
        let of_plain: Vec<f64> = turns.ours.iter().filter_map(|turn| turn.of_plain).collect();
        Self {
            of_plain: (!of_plain.is_empty()).then(|| median(of_plain.into_iter())),
            bench: case.name,
            size: case.size,
            threads,
            at_least: case.at_least,
            our_median,
            our_check: mean(&turns.ours),
            our_memory: last_memory(&turns.ours),
            floor: turns
                .ours
                .last()
                .and_then(|turn| turn.least)
                .map(|least| (least.0, least.1, rates.floor(least))),
            peer,
        }
    }

    /// The result in a few words.
    pub(super) fn in_short(&self) -> String {
        match &self.peer {
            Some(peer) => {
                format!("{} against {}, {:.2} ×", time(self.our_median), time(peer.median), peer.ratio)
            }
            None => time(self.our_median),
        }
    }

    /// What is wrong with the result: sides that disagree, a ratio below its target, memory that grows.
    pub(super) fn complaints(&self, case: &Case) -> Vec<String> {
        let mut complaints = Vec::new();
        if let (Some(first), Some(last)) = (self.our_memory.first(), self.our_memory.last())
            && *last > first * 1.02 + 1.0
        {
            complaints.push(format!("{}: memory grew from {first} to {last} MB", self.bench));
        }
        if let (Some(ratio), Some(most)) = (self.of_plain, case.at_most)
            && (ratio.is_nan() || ratio > most)
        {
            complaints.push(format!("{}: {ratio:.2} of our plain step, wanted {most}", self.bench));
        }
        let Some(peer) = &self.peer else { return complaints };
        if !case.tolerance.accepts(self.our_check, peer.check) {
            complaints
                .push(format!("{}: ours gives {}, the peer {}", self.bench, self.our_check, peer.check));
        }
        if peer.ratio < self.at_least {
            complaints
                .push(format!("{}: {:.2} times as fast, wanted {}", self.bench, peer.ratio, self.at_least));
        }
        complaints
    }

    fn json(&self) -> Value {
        let peer = self.peer.as_ref();
        json!({
            "bench": self.bench,
            "ours": concat!("kohort ", env!("CARGO_PKG_VERSION")),
            "peer": peer.map(|peer| &peer.name),
            "threads": self.threads,
            "size": self.size,
            "our_median": self.our_median,
            "its_median": peer.map(|peer| peer.median),
            "ratio": peer.map(|peer| peer.ratio),
            "spread": peer.map(|peer| [peer.spread.0, peer.spread.1]),
            "unit": "ms",
            "wanted_ratio": self.at_least,
            "of_plain": self.of_plain,
            "flops": self.floor.map(|floor| floor.0),
            "bytes": self.floor.map(|floor| floor.1),
            "floor_ms": self.floor.map(|floor| floor.2),
            "of_floor": self.floor.map(|floor| self.our_median / floor.2),
            "our_value": self.our_check,
            "its_value": peer.map(|peer| peer.check),
            "our_memory_mb": self.our_memory,
            "its_memory_mb": peer.map(|peer| &peer.memory),
        })
    }

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![
            self.bench.to_string(),
            self.peer.as_ref().map_or_else(|| "—".to_string(), |peer| peer.name.clone()),
            self.threads.to_string(),
            self.size.to_string(),
            time(self.our_median),
        ];
        cells.extend(match &self.peer {
            Some(peer) => [
                time(peer.median),
                format!("{:.2}", peer.ratio),
                format!("{:.2} to {:.2}", peer.spread.0, peer.spread.1),
                format!("{} {}", if peer.ratio >= self.at_least { "≥" } else { "below" }, self.at_least),
                format!("{:.9}", self.our_check),
                format!("{:.9}", peer.check),
            ],
            None => {
                ["—".into(), "—".into(), "—".into(), "—".into(), format!("{:.9}", self.our_check), "—".into()]
            }
        });
        let ratio = |ratio: Option<f64>| ratio.map_or_else(|| "—".to_string(), |ratio| format!("{ratio:.2}"));
        cells.push(ratio(self.of_plain));
        cells.push(ratio(self.floor.map(|floor| self.our_median / floor.2)));
        cells
    }
}

/// Milliseconds with three digits at least.
fn time(ms: f64) -> String {
    if ms < 1.0 { format!("{ms:.4}") } else { format!("{ms:.1}") }
}

impl Tolerance {
    fn accepts(self, ours: f64, peers: f64) -> bool {
        // Written so that a NaN is never accepted.
        match self {
            Self::Absolute(allowed) => (ours - peers).abs() <= allowed,
            Self::NotBelow(allowed) => peers - ours <= allowed,
            Self::Relative(allowed) => (ours - peers).abs() <= allowed * peers.abs(),
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}

fn last_memory(turns: &[Turn]) -> Vec<f64> {
    turns.last().map_or_else(Vec::new, |turn| turn.memory.clone())
}

fn mean(turns: &[Turn]) -> f64 {
    turns.iter().map(|turn| turn.check).sum::<f64>() / turns.len() as f64
}

/// The text of `results.json`.
pub(super) fn json(outcomes: &[Outcome]) -> Result<String> {
    let rows: Vec<Value> = outcomes.iter().map(Outcome::json).collect();
    Ok(serde_json::to_string_pretty(&rows)? + "\n")
}

/// An aligned table for the terminal.
pub(super) fn table(outcomes: &[Outcome]) -> String {
    let header = [
        "bench",
        "peer",
        "threads",
        "size",
        "ours ms",
        "its ms",
        "ratio",
        "spread",
        "wanted",
        "our value",
        "its value",
        "of plain",
        "of floor",
    ];
    let mut grid = vec![header.map(String::from).to_vec()];
    grid.extend(outcomes.iter().map(Outcome::cells));
    let widths: Vec<usize> = (0..header.len())
        .map(|at| grid.iter().map(|line| line[at].chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for line in &grid {
        let mut text = String::new();
        for (at, (cell, width)) in line.iter().zip(&widths).enumerate() {
            // Names to the left, numbers to the right.
            let _ = if [0, 1, 3].contains(&at) {
                write!(text, "{cell:<width$}  ")
            } else {
                write!(text, "{cell:>width$}  ")
            };
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::balancers;
    use super::super::cases;
    use super::*;

    const RATES: Rates = Rates::of(100.0, 10.0);

    fn turns(ours: &[f64], peers: &[f64], check: (f64, f64)) -> Turns {
        let turn =
            |check| move |&ms: &f64| Turn { ms, check, memory: Vec::new(), of_plain: None, least: None };
        Turns {
            ours: ours.iter().map(turn(check.0)).collect(),
            peers: peers.iter().map(turn(check.1)).collect(),
            peer: Some("peer 1.0".into()),
        }
    }

    #[test]
    fn ratio_and_spread_come_from_medians_and_pairs() {
        let case = &cases::SVD;
        let outcome =
            Outcome::of(case, 1, &turns(&[10.0, 20.0, 30.0], &[200.0, 100.0, 210.0], (0.94, 0.941)), &RATES);
        let row = outcome.json();
        assert_eq!((row["our_median"].as_f64(), row["ratio"].as_f64()), (Some(20.0), Some(10.0)));
        assert_eq!(row["spread"], json!([5.0, 20.0]));
        assert!(outcome.complaints(case).is_empty());
        assert!(table(&[outcome]).contains("5.00 to 20.00"));
    }

    #[test]
    fn sides_that_disagree_and_slow_results_are_named() {
        let case = &cases::SVD;
        let outcome = Outcome::of(case, 1, &turns(&[10.0], &[20.0], (0.94, 0.95)), &RATES);
        assert_eq!(outcome.complaints(case).len(), 2);
        let nan = Outcome::of(case, 1, &turns(&[10.0], &[100.0], (0.94, f64::NAN)), &RATES);
        assert_eq!(nan.complaints(case).len(), 1);
    }

    #[test]
    fn memory_that_grows_is_named_with_and_without_a_peer() {
        let case = &cases::SVD;
        let mut grown = turns(&[10.0], &[], (0.94, 0.0));
        (grown.peer, grown.ours[0].memory) = (None, vec![100.0, 100.0, 104.0]);
        assert_eq!(
            Outcome::of(case, 2, &grown, &RATES).complaints(case),
            ["svd: memory grew from 100 to 104 MB".to_string()]
        );
        grown.ours[0].memory = vec![100.0, 101.0, 100.5];
        assert!(Outcome::of(case, 2, &grown, &RATES).complaints(case).is_empty());
    }

    #[test]
    fn a_step_that_costs_too_much_of_the_plain_one_is_named() {
        let case = &balancers::CASES[0];
        let mut slow = turns(&[10.0, 10.0, 10.0], &[100.0; 3], (0.5, 0.5));
        for (turn, ratio) in slow.ours.iter_mut().zip([1.0, 9.0, 1.5]) {
            turn.of_plain = Some(ratio);
        }
        let outcome = Outcome::of(case, 2, &slow, &RATES);
        assert_eq!(outcome.complaints(case), [format!("{}: 1.50 of our plain step, wanted 1.05", case.name)]);
        assert_eq!(outcome.json()["of_plain"].as_f64(), Some(1.5));
    }

    #[test]
    fn without_a_peer_its_fields_are_null() {
        let mut alone = turns(&[10.0], &[], (0.94, 0.0));
        alone.peer = None;
        let row = Outcome::of(&cases::SVD, 1, &alone, &RATES).json();
        assert!(row["peer"].is_null() && row["ratio"].is_null() && row["spread"].is_null());
        assert_eq!(row["our_median"].as_f64(), Some(10.0));
    }
}
