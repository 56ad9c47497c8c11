//! `cargo xtask bench`.
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use clap::Args;
#[derive(Args)]
pub(crate) struct Flags {}
pub(crate) fn run(_: &Workspace, _: &Flags) -> Result<()> {
    bail!("not yet")
}
