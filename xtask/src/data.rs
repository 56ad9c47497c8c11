//! `cargo xtask data`: what data sets there are, where they were found, whether their files are the right ones.

use anyhow::{Context, Result};
use clap::Args;

use crate::lab::Lab;
use crate::process;
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct Flags {
    /// Check the SHA-256 of every file
    #[arg(long)]
    verify: bool,
    /// Do not use the network
    #[arg(long)]
    offline: bool,
    /// Only these data sets
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, flags: &Flags) -> Result<()> {
    let lab = Lab::build(workspace, flags.offline)?;
    let mut command = lab.command();
    command.arg("data");
    if flags.verify {
        command.arg("--verify");
    }
    if flags.offline {
        command.arg("--offline");
    }
    command.args(&flags.names);
    process::run(&mut command)
        .context("next: set KOHORT_MIRROR to a folder with the files, see datasets/*.toml")?;
    Ok(())
}
