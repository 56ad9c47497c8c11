//! From the turns of a bench to medians, ratios and what is wrong with them.

use serde_json::{Value, json};

use super::cases::{Case, Measure, Tolerance};
use super::machine::{Least, Rates};
use super::turns::{Turn, Turns};

/// The result of a bench; times in milliseconds, memory in MB.
pub(super) struct Outcome {
    bench: &'static str,
    size: &'static str,
    unit: &'static str,
    threads: u32,
    at_least: f64,
    /// Our time over our plain step's by turns, the median; where our side says it.
    of_plain: Option<f64>,
    our_median: f64,
    our_check: f64,
    /// Our builds with the median and the value of each; the faster one is the one that counts.
    builds: Vec<OfBuild>,
    floor: Option<Floor>,
    /// Resident memory after each repeat of the last turn in MB; empty where a side does not say.
    our_memory: Vec<f64>,
    peer: Option<Peer>,
}

struct OfBuild {
    kernels: &'static str,
    median: f64,
    check: f64,
}

/// The least that the work takes, in milliseconds at this machine's rates.
struct Floor {
    least: Least,
    ms: f64,
    rates: Rates,
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
    /// Nothing without a turn of ours.
    pub(super) fn of(case: &Case, threads: u32, turns: &Turns, rates: Option<&Rates>) -> Option<Self> {
        let of_turns = |turns: &[Turn]| median(turns.iter().map(|turn| turn.ms));
        let best = turns.ours.iter().min_by(|a, b| of_turns(&a.turns).total_cmp(&of_turns(&b.turns)))?;
        let builds = turns.ours.iter().map(|side| OfBuild {
            kernels: side.kernels,
            median: of_turns(&side.turns),
            check: mean(&side.turns),
        });
        let our_median = of_turns(&best.turns);
        // The better build against itself on one thread, where no other is asked.
        let (peers, peer) = match case.alone {
            true => (&best.alone, Some("ours, 1 thread".to_string())),
            false => (&turns.peers, turns.peer.clone()),
        };
        let peer = (!peers.is_empty()).then(|| {
            let ratios: Vec<f64> = peers.iter().zip(&best.turns).map(|(its, our)| its.ms / our.ms).collect();
            let its_median = of_turns(peers);
            Peer {
                name: peer.unwrap_or_else(|| case.script.to_string()),
                median: its_median,
                check: mean(peers),
                memory: last_memory(peers),
                ratio: its_median / our_median,
                spread: ratios.iter().fold((f64::INFINITY, 0.0), |(low, high), &r| (low.min(r), high.max(r))),
            }
        });
        let of_plain: Vec<f64> = best.turns.iter().filter_map(|turn| turn.of_plain).collect();
        let least = best.turns.last().and_then(|turn| turn.least).filter(|_| case.measure == Measure::Work);
        Some(Self {
            of_plain: (!of_plain.is_empty()).then(|| median(of_plain.into_iter())),
            bench: case.name,
            size: case.size,
            unit: case.measure.unit(),
            threads,
            at_least: case.at_least,
            our_median,
            our_check: mean(&best.turns),
            our_memory: last_memory(&best.turns),
            builds: builds.collect(),
            floor: least.zip(rates).map(|(least, &rates)| Floor { least, ms: rates.floor(least), rates }),
            peer,
        })
    }

    /// The result in a few words.
    pub(super) fn in_short(&self) -> String {
        match &self.peer {
            Some(peer) => {
                format!(
                    "{} against {}, {:.2} ×",
                    self.amount(self.our_median),
                    self.amount(peer.median),
                    peer.ratio
                )
            }
            None => self.amount(self.our_median),
        }
    }

    /// With its unit, and three digits at least.
    fn amount(&self, value: f64) -> String {
        let unit = self.unit;
        if value < 1.0 { format!("{value:.4} {unit}") } else { format!("{value:.1} {unit}") }
    }

    /// Our time over the floor.
    fn of_floor(&self) -> Option<f64> {
        self.floor.as_ref().map(|floor| self.our_median / floor.ms)
    }

    /// What is wrong with the result: sides that disagree, a ratio below its target, memory that grows.
    pub(super) fn complaints(&self, case: &Case) -> Vec<String> {
        let mut complaints = Vec::new();
        if let (Some(first), Some(last)) = (self.our_memory.first(), self.our_memory.last())
            && *last > first * 1.02 + 1.0
        {
            complaints.push(format!("{}: memory grew from {first} to {last} MB", self.bench));
        }
        // Written so that a NaN is named.
        let above = |ratio: f64, most: f64| ratio.is_nan() || ratio > most;
        if let (Some(ratio), Some(most)) = (self.of_plain, case.at_most)
            && above(ratio, most)
        {
            complaints.push(format!("{}: {ratio:.2} of our plain step, wanted {most}", self.bench));
        }
        if let (Some(ratio), Some(most)) = (self.of_floor(), case.of_floor)
            && above(ratio, most)
        {
            complaints.push(format!("{}: {ratio:.2} of the floor, wanted {most}", self.bench));
        }
        let Some(peer) = &self.peer else { return complaints };
        for build in self.builds.iter().filter(|build| !case.tolerance.accepts(build.check, peer.check)) {
            complaints.push(format!(
                "{}: ours ({}) gives {}, the peer {}",
                self.bench, build.kernels, build.check, peer.check
            ));
        }
        if peer.ratio < self.at_least {
            complaints
                .push(format!("{}: {:.2} times as fast, wanted {}", self.bench, peer.ratio, self.at_least));
        }
        complaints
    }

    pub(super) fn json(&self) -> Value {
        let (peer, floor) = (self.peer.as_ref(), self.floor.as_ref());
        let of_build = |build: &OfBuild| json!({ "kernels": build.kernels, "median": build.median, "value": build.check });
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
            "unit": self.unit,
            "wanted_ratio": self.at_least,
            "of_plain": self.of_plain,
            "flops": floor.map(|floor| floor.least.flops),
            "bytes": floor.map(|floor| floor.least.bytes),
            "floor_ms": floor.map(|floor| floor.ms),
            "of_floor": self.of_floor(),
            "machine": floor.map(|floor| floor.rates.json()),
            "our_builds": self.builds.iter().map(of_build).collect::<Value>(),
            "our_value": self.our_check,
            "its_value": peer.map(|peer| peer.check),
            "our_memory_mb": self.our_memory,
            "its_memory_mb": peer.map(|peer| &peer.memory),
        })
    }

    /// A row of the table, by the columns of [`super::summary::HEADER`].
    pub(super) fn cells(&self) -> Vec<String> {
        let mut cells = vec![
            self.bench.to_string(),
            self.peer.as_ref().map_or_else(nothing, |peer| peer.name.clone()),
            self.threads.to_string(),
            self.size.to_string(),
            self.amount(self.our_median),
        ];
        cells.extend(match &self.peer {
            Some(peer) => [
                self.amount(peer.median),
                format!("{:.2}", peer.ratio),
                format!("{:.2} to {:.2}", peer.spread.0, peer.spread.1),
                format!("{} {}", if peer.ratio >= self.at_least { "≥" } else { "below" }, self.at_least),
                format!("{:.9}", self.our_check),
                format!("{:.9}", peer.check),
            ],
            None => [nothing(), nothing(), nothing(), nothing(), format!("{:.9}", self.our_check), nothing()],
        });
        let ratio = |ratio: Option<f64>| ratio.map_or_else(nothing, |ratio| format!("{ratio:.2}"));
        cells.push(ratio(self.of_plain));
        cells.push(
            self.floor.as_ref().map_or_else(nothing, |floor| format!("{:.3}", floor.least.flops / 1e9)),
        );
        cells.push(
            self.floor.as_ref().map_or_else(nothing, |floor| format!("{:.1}", floor.least.bytes / 1e6)),
        );
        cells.push(self.floor.as_ref().map_or_else(nothing, |floor| self.amount(floor.ms)));
        cells.push(ratio(self.of_floor()));
        let builds =
            self.builds.iter().map(|build| format!("{} {}", build.kernels, self.amount(build.median)));
        cells.push(builds.collect::<Vec<_>>().join(", "));
        cells
    }
}

fn nothing() -> String {
    "—".to_string()
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

pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::super::machine::Machine;
    use super::super::turns::Side;
    use super::super::{balancers, builds, cases, networks};
    use super::*;

    fn turn(ms: f64, check: f64) -> Turn {
        Turn { ms, check, memory: Vec::new(), of_plain: None, least: None }
    }

    fn turns(ours: &[f64], peers: &[f64], check: (f64, f64)) -> Turns {
        let side = Side {
            kernels: builds::PURE,
            turns: ours.iter().map(|&ms| turn(ms, check.0)).collect(),
            alone: Vec::new(),
        };
        Turns {
            ours: vec![side],
            peers: peers.iter().map(|&ms| turn(ms, check.1)).collect(),
            peer: Some("peer 1.0".into()),
        }
    }

    fn outcome(case: &Case, turns: &Turns) -> Outcome {
        // 10⁸ additions and multiplications take a millisecond, 2·10⁷ bytes in caches and 10⁷ bytes elsewhere too.
        let machine = Machine::of(100.0, 20.0, 10.0);
        Outcome::of(case, 2, turns, machine.on(2)).unwrap()
    }

    #[test]
    fn ratio_and_spread_come_from_medians_and_pairs() {
        let case = &cases::SVD;
        let outcome = outcome(case, &turns(&[10.0, 20.0, 30.0], &[200.0, 100.0, 210.0], (0.94, 0.941)));
        let row = outcome.json();
        assert_eq!((row["our_median"].as_f64(), row["ratio"].as_f64()), (Some(20.0), Some(10.0)));
        assert_eq!(row["spread"], json!([5.0, 20.0]));
        assert!(outcome.complaints(case).is_empty());
        assert!(super::super::summary::table(&[outcome]).contains("5.00 to 20.00"));
    }

    #[test]
    fn sides_that_disagree_and_slow_results_are_named() {
        let case = &cases::SVD;
        let slow = outcome(case, &turns(&[10.0], &[20.0], (0.94, 0.95)));
        assert_eq!(slow.complaints(case).len(), 2);
        let nan = outcome(case, &turns(&[10.0], &[100.0], (0.94, f64::NAN)));
        assert_eq!(nan.complaints(case).len(), 1);
    }

    #[test]
    fn the_faster_build_counts_and_each_has_to_agree() {
        let case = &cases::SVD;
        let mut both = turns(&[20.0, 20.0], &[100.0, 100.0], (0.94, 0.94));
        both.ours.push(Side { kernels: "other", turns: vec![turn(10.0, 0.5); 2], alone: Vec::new() });
        let outcome = outcome(case, &both);
        assert_eq!(outcome.json()["ratio"].as_f64(), Some(10.0));
        assert_eq!(outcome.json()["our_builds"][0]["median"].as_f64(), Some(20.0));
        assert_eq!(outcome.complaints(case), ["svd: ours (other) gives 0.5, the peer 0.94".to_string()]);
    }

    #[test]
    fn one_thread_is_compared_with_the_same_build() {
        let case = networks::CASES.iter().find(|case| case.alone).unwrap();
        let mut both = turns(&[20.0], &[], (0.5, 0.5));
        both.ours[0].alone = vec![turn(30.0, 0.5)];
        both.ours.push(Side { kernels: "other", turns: vec![turn(10.0, 0.5)], alone: vec![turn(19.0, 0.5)] });
        assert_eq!(outcome(case, &both).json()["ratio"].as_f64(), Some(1.9));
    }

    #[test]
    fn a_step_far_from_the_floor_is_named() {
        let case = networks::CASES.iter().find(|case| case.of_floor.is_some()).unwrap();
        let mut far = turns(&[6.0], &[100.0], (0.5, 0.5));
        far.ours[0].turns[0].least = Some(Least { flops: 1e8, bytes: 3e7, near: 2e7 });
        let outcome = outcome(case, &far);
        let row = outcome.json();
        assert_eq!((row["floor_ms"].as_f64(), row["of_floor"].as_f64()), (Some(3.0), Some(2.0)));
        assert_eq!(outcome.complaints(case), [format!("{}: 2.00 of the floor, wanted 1.3", case.name)]);
    }

    #[test]
    fn memory_that_grows_is_named_with_and_without_a_peer() {
        let case = &cases::SVD;
        let mut grown = turns(&[10.0], &[], (0.94, 0.0));
        (grown.peer, grown.ours[0].turns[0].memory) = (None, vec![100.0, 100.0, 104.0]);
        assert_eq!(
            outcome(case, &grown).complaints(case),
            ["svd: memory grew from 100 to 104 MB".to_string()]
        );
        grown.ours[0].turns[0].memory = vec![100.0, 101.0, 100.5];
        assert!(outcome(case, &grown).complaints(case).is_empty());
    }

    #[test]
    fn a_step_that_costs_too_much_of_the_plain_one_is_named() {
        let case = &balancers::CASES[0];
        let mut slow = turns(&[10.0, 10.0, 10.0], &[100.0; 3], (0.5, 0.5));
        for (turn, ratio) in slow.ours[0].turns.iter_mut().zip([1.0, 9.0, 1.5]) {
            turn.of_plain = Some(ratio);
        }
        let outcome = outcome(case, &slow);
        assert_eq!(outcome.complaints(case), [format!("{}: 1.50 of our plain step, wanted 1.05", case.name)]);
        assert_eq!(outcome.json()["of_plain"].as_f64(), Some(1.5));
    }

    #[test]
    fn without_a_peer_its_fields_are_null() {
        let mut alone = turns(&[10.0], &[], (0.94, 0.0));
        alone.peer = None;
        let row = outcome(&cases::SVD, &alone).json();
        assert!(row["peer"].is_null() && row["ratio"].is_null() && row["spread"].is_null());
        assert_eq!(row["our_median"].as_f64(), Some(10.0));
    }
}
