//! What this machine can do at best, which is what a bench's floor is made of.

use std::fmt;
use std::process::Command;

use anyhow::Result;
use serde_json::{Value, json};

use super::{builds, turns};
use crate::workspace::Workspace;

/// Rates on a number of threads: the best that any of our builds reaches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    /// Multiplications and additions of products, in 10⁹ a second.
    gflops: f64,
    /// Bytes that a loop like Adam's reads and writes, in 10⁹ a second, over as much as caches hold.
    near_gb_s: f64,
    /// Likewise, over more than they hold.
    far_gb_s: f64,
    threads: u32,
}

/// The least that a piece of work takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Least {
    /// Multiplications and additions of products.
    pub(super) flops: f64,
    /// All bytes that have to be moved.
    pub(super) bytes: f64,
    /// Those of weights, which stay in caches from step to step; the others are of tables.
    pub(super) near: f64,
}

impl Least {
    /// What a side says of itself, where it does.
    pub(super) fn of(said: &Value) -> Option<Least> {
        let part = |key| said.get(key).and_then(Value::as_f64);
        Some(Least { flops: part("flops")?, bytes: part("bytes")?, near: part("near_bytes").unwrap_or(0.0) })
    }
}

/// Rates on one thread and on those that benches use.
#[derive(Clone, Debug)]
pub(super) struct Machine(Vec<Rates>);

impl Rates {
    /// Milliseconds that work takes at least: products at the best rate, then memory at the best rate.
    pub(super) fn floor(&self, least: Least) -> f64 {
        let Least { flops, bytes, near } = least;
        flops / self.gflops / 1e6 + near / self.near_gb_s / 1e6 + (bytes - near) / self.far_gb_s / 1e6
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "threads": self.threads,
            "gflops": self.gflops,
            "near_gb_s": self.near_gb_s,
            "far_gb_s": self.far_gb_s,
        })
    }
}

impl Machine {
    #[cfg(test)]
    pub(super) fn of(gflops: f64, near_gb_s: f64, far_gb_s: f64) -> Machine {
        Machine(vec![Rates { gflops, near_gb_s, far_gb_s, threads: 1 }])
    }

    /// Runs kohort-core's example for them.
    pub(super) fn measure(workspace: &Workspace, threads: u32) -> Result<Machine> {
        let builds = builds::all(workspace, "kohort-core", "gemm_rates", true)?;
        let mut counts = vec![1, threads];
        counts.dedup();
        let of = |threads: u32| -> Result<Rates> {
            let mut best = Rates { gflops: 0.0, near_gb_s: 0.0, far_gb_s: 0.0, threads };
            for build in &builds {
                let said =
                    turns::json(turns::one_turn(Command::new(&build.program).arg("machine"), threads))?;
                best.gflops = best.gflops.max(turns::number(&said, "gflops")?);
                best.near_gb_s = best.near_gb_s.max(turns::number(&said, "near_gb_s")?);
                best.far_gb_s = best.far_gb_s.max(turns::number(&said, "far_gb_s")?);
            }
            Ok(best)
        };
        Ok(Machine(counts.into_iter().map(of).collect::<Result<_>>()?))
    }

    /// On so many threads, or on as many as were measured.
    pub(super) fn on(&self, threads: u32) -> Option<&Rates> {
        self.0.iter().find(|rates| rates.threads == threads).or(self.0.last())
    }

    pub(super) fn json(&self) -> Value {
        self.0.iter().map(Rates::json).collect()
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rates { gflops, near_gb_s, far_gb_s, threads } = self;
        let s = if *threads == 1 { "" } else { "s" };
        write!(
            f,
            "{threads} thread{s}: products at {gflops:.0} GFLOP/s, caches at {near_gb_s:.0} GB/s, memory at {far_gb_s:.0} GB/s"
        )
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<String> = self.0.iter().map(Rates::to_string).collect();
        f.write_str(&each.join("; "))
    }
}
