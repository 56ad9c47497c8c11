//! `cargo xtask miri`: the tests of our `unsafe` kernels under Miri, an interpreter that stops at undefined behaviour.
//!
//! It covers the tiles of products of both widths (every kernel and mask, on slices cut at their last entry), loops compiled for wide vectors, and the
//! exponentials. Miri knows the AVX2 and AVX-512 instructions that these use, whatever the machine, and believes the features it is told at compile time. It can't
//! call C, so OpenBLAS's three functions are outside. Not a step of `ci`: it takes minutes and a nightly toolchain.

use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{self, human};
use crate::workspace::Workspace;

const FEATURES: &str = "-C target-feature=+avx2,+fma,+avx512f,+avx512vl,+avx512bw,+avx512dq";
const ADVICE: &str = "rustup toolchain install nightly --component miri --component rust-src";

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    if !cfg!(target_arch = "x86_64") {
        println!("skipped: the kernels with `unsafe` are x86's");
        return Ok(());
    }
    // The cargo that runs this is of one toolchain; rustup's own finds others.
    let cargo = || {
        let mut command = Command::new("rustup");
        command.args(["run", "nightly", "cargo", "miri"]).current_dir(&workspace.root);
        command
    };
    if !process::works(cargo().arg("--version")) {
        println!("skipped: there is no Miri; {ADVICE} adds it");
        return Ok(());
    }
    let mut command = cargo();
    command
        .args(["test", "-p", "kohort-core", "--no-default-features", "--lib", "--"])
        .args(["kernels::tiles", "kernels::exp"])
        .env("RUSTFLAGS", FEATURES)
        // Other flags, other build: it must not throw away the ordinary one.
        .env("CARGO_TARGET_DIR", workspace.target.join("miri-run"));
    let time = process::run(&mut command).context("Miri found something; its report is above")?;
    println!("Miri found nothing in {}", human(time));
    Ok(())
}
