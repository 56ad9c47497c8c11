//! What this machine can do at best, which is what a bench's floor is made of.

use std::fmt;
use std::process::Command;

use anyhow::{Context, Result};

use super::turns;
use crate::process;
use crate::workspace::Workspace;

/// Rates on the threads that benches use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    /// Multiplications and additions of products, in 10⁹ a second.
    pub(super) gflops: f64,
    /// Bytes that a loop like Adam's reads and writes, in 10⁹ a second.
    pub(super) gb_s: f64,
    threads: u32,
}

impl Rates {
    #[cfg(test)]
    pub(super) const fn of(gflops: f64, gb_s: f64) -> Rates {
        Rates { gflops, gb_s, threads: 1 }
    }

    /// Runs kohort-core's example for them.
    pub(super) fn measure(workspace: &Workspace, threads: u32) -> Result<Rates> {
        let mut build = workspace.cargo();
        build.args(["build", "--release", "--quiet", "-p", "kohort-core", "--example", "gemm_rates"]);
        process::run(&mut build).context("the machine's rates: the example does not build")?;
        let name = format!("gemm_rates{}", std::env::consts::EXE_SUFFIX);
        let mut command = Command::new(workspace.target.join("release").join("examples").join(name));
        command.arg("machine");
        let said = turns::json(turns::one_turn(&mut command, threads))?;
        Ok(Rates { gflops: turns::number(&said, "gflops")?, gb_s: turns::number(&said, "gb_s")?, threads })
    }

    /// Milliseconds that work takes at least: products at the best rate, then memory at the best rate.
    pub(super) fn floor(&self, (flops, bytes): (f64, f64)) -> f64 {
        flops / self.gflops / 1e6 + bytes / self.gb_s / 1e6
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rates { gflops, gb_s, threads } = self;
        write!(f, "products at {gflops:.0} GFLOP/s, memory at {gb_s:.0} GB/s, {threads} threads")
    }
}
