//! Where the time of a tape goes: by op and by layer, forward and backward, beside the multiplications and additions it took.
//!
//! ```
//! use kohort_core::{Activation, Grads, Params, Tape};
//!
//! let mut params = Params::<f32>::new();
//! let w = params.add("head/w", 64, 8, vec![0.1; 512]);
//! let (mut tape, mut grads) = (Tape::new(), Grads::new(&params));
//! tape.profile(true);
//! let x = tape.input(100, 64, &[0.5; 6400]);
//! let y = tape.linear(&params, x, w, None, Activation::Relu);
//! let loss = tape.sum(y);
//! tape.backward(&params, &[(loss, 1.0)], &mut grads);
//! let profile = tape.take_profile(&params);
//! let line = profile.lines().iter().find(|line| line.op == "linear").unwrap();
//! assert_eq!((line.layer.as_str(), line.calls, line.forward_flops), ("head", 1, 2.0 * 100.0 * 64.0 * 8.0));
//! // Nothing below the input trains, so only the weights' gradient was computed.
//! assert_eq!(line.backward_flops, line.forward_flops);
//! println!("{profile}");
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use crate::{ParamId, Params, Real};

/// What one op of one layer took.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Line {
    /// Name of the op.
    pub op: String,
    /// Name of the layer, which is its parameters' without the last part; empty where the op reads none.
    pub layer: String,
    /// How often it was recorded.
    pub calls: u64,
    /// Time of its recordings. What the model did until it recorded the next op is part of it.
    pub forward: Duration,
    /// Time of its backward visits.
    pub backward: Duration,
    /// Multiplications and additions of its products, forward; 0 for ops that are none.
    pub forward_flops: f64,
    /// The same backward: once for the gradient of parameters, once for that of inputs, where they are wanted.
    pub backward_flops: f64,
}

impl Line {
    fn time(&self) -> Duration {
        self.forward + self.backward
    }
}

/// Where time went, the largest part first. Times add up over threads: two threads that were busy for a second took two.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Profile {
    lines: Vec<Line>,
}

impl Profile {
    /// All lines, the one that took longest first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Time of all lines.
    pub fn total(&self) -> Duration {
        self.lines.iter().map(Line::time).sum()
    }

    /// Adds another profile of the same model.
    pub fn add(&mut self, other: &Profile) {
        for theirs in &other.lines {
            match self.lines.iter_mut().find(|mine| mine.op == theirs.op && mine.layer == theirs.layer) {
                Some(mine) => {
                    mine.calls += theirs.calls;
                    mine.forward += theirs.forward;
                    mine.backward += theirs.backward;
                    mine.forward_flops += theirs.forward_flops;
                    mine.backward_flops += theirs.backward_flops;
                }
                None => self.lines.push(theirs.clone()),
            }
        }
        self.lines.sort_by_key(|line| std::cmp::Reverse(line.time()));
    }
}

/// A table for a terminal.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total().as_secs_f64().max(f64::MIN_POSITIVE);
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let layers = self.lines.iter().map(|line| line.layer.chars().count()).max().unwrap_or(0).max(5);
        writeln!(
            f,
            "{:>6}  {:>11}  {:>11}  {:>9}  {:>8}  {:<18}  {:<layers$}",
            "share", "forward ms", "backward ms", "GFLOP/s", "calls", "op", "layer"
        )?;
        for line in &self.lines {
            let flops = line.forward_flops + line.backward_flops;
            let rate = match flops > 0.0 && line.time() > Duration::ZERO {
                true => format!("{:.1}", flops / line.time().as_secs_f64() / 1e9),
                false => "–".to_owned(),
            };
            writeln!(
                f,
                "{:>5.1}%  {:>11.2}  {:>11.2}  {:>9}  {:>8}  {:<18}  {:<layers$}",
                100.0 * line.time().as_secs_f64() / total,
                ms(line.forward),
                ms(line.backward),
                rate,
                line.calls,
                line.op,
                line.layer,
            )?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Default)]
struct Spent {
    calls: u64,
    forward: Duration,
    backward: Duration,
    flops: [f64; 2],
}

/// An op's name and the first parameter it reads.
pub(crate) type Key = (&'static str, Option<ParamId>);

/// A tape's own watch.
pub(crate) struct Watch {
    last: Instant,
    /// The op that is being recorded, with the products it takes.
    open: Option<(Key, f64)>,
    spent: BTreeMap<Key, Spent>,
}

impl Watch {
    pub(crate) fn new() -> Watch {
        Watch { last: Instant::now(), open: None, spent: BTreeMap::new() }
    }

    /// Ends the recording of an op, if one is open, and begins that of `next`.
    pub(crate) fn lap(&mut self, next: Option<(Key, f64)>) {
        let now = Instant::now();
        if let Some((key, flops)) = std::mem::replace(&mut self.open, next) {
            let spent = self.spent.entry(key).or_default();
            spent.calls += 1;
            spent.forward += now - self.last;
            spent.flops[0] += flops;
        }
        self.last = now;
    }

    pub(crate) fn backward(&mut self, key: Key, time: Duration, flops: f64) {
        let spent = self.spent.entry(key).or_default();
        spent.backward += time;
        spent.flops[1] += flops;
    }

    /// What was spent so far; begins anew.
    pub(crate) fn take<F: Real>(&mut self, params: &Params<F>) -> Profile {
        self.lap(None);
        let mut profile = Profile::default();
        let lines = std::mem::take(&mut self.spent).into_iter().map(|((op, param), spent)| {
            let name = param.map_or("", |id| &params.slot(id).name);
            Line {
                op: op.to_owned(),
                layer: name.rsplit_once('/').map_or(name, |(layer, _)| layer).to_owned(),
                calls: spent.calls,
                forward: spent.forward,
                backward: spent.backward,
                forward_flops: spent.flops[0],
                backward_flops: spent.flops[1],
            }
        });
        profile.add(&Profile { lines: lines.collect() });
        profile
    }
}
