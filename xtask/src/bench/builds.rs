//! Our side's programs: in pure Rust, and where dense products are most of the work and this machine has OpenBLAS, with that too.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use crate::{blas, process};

/// A program of ours.
#[derive(Clone, Debug)]
pub(super) struct Build {
    /// What multiplies, for people.
    pub(super) kernels: &'static str,
    pub(super) program: PathBuf,
}

pub(super) const PURE: &str = "pure Rust";
const OPENBLAS: &str = "OpenBLAS";

/// All builds of an example; with `products` those of both kernels.
pub(super) fn all(workspace: &Workspace, package: &str, example: &str, products: bool) -> Result<Vec<Build>> {
    let mut builds = vec![one(workspace, package, example, PURE)?];
    if products && blas::detect().is_some() {
        builds.push(one(workspace, package, example, OPENBLAS)?);
    }
    Ok(builds)
}

pub(super) fn one(
    workspace: &Workspace,
    package: &str,
    example: &str,
    kernels: &'static str,
) -> Result<Build> {
    let mut command = workspace.cargo();
    command.args(["build", "--release", "--quiet", "-p", package, "--example", example]);
    if kernels == OPENBLAS {
        command.args(["--features", "openblas"]);
    }
    process::run(&mut command)
        .with_context(|| format!("our side does not build; next: `{}`", process::shown(&command)))?;
    let name = format!("{example}{}", std::env::consts::EXE_SUFFIX);
    let built = workspace.target.join("release").join("examples").join(&name);
    // Both kernels build to the same place, so each program is kept beside.
    let folder =
        workspace.target.join("bench").join("programs").join(kernels.replace(' ', "-").to_lowercase());
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let program = folder.join(name);
    fs::copy(&built, &program).with_context(|| format!("cannot copy {}", built.display()))?;
    Ok(Build { kernels, program })
}
