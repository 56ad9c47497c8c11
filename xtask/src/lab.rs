//! Building the laboratory's binary, with OpenBLAS where that works.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::blas;
use crate::process::{self, human};
use crate::workspace::Workspace;

/// Which matrix kernels the binary has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernels {
    OpenBlas,
    Pure,
}

impl Kernels {
    /// The value of `KOHORT_BLAS`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::OpenBlas => "openblas",
            Self::Pure => "pure",
        }
    }
}

/// The built binary.
pub(crate) struct Lab {
    program: PathBuf,
    kernels: Kernels,
    build: Duration,
}

impl Lab {
    /// Builds it in release; a build with OpenBLAS that fails is repeated without.
    pub(crate) fn build(workspace: &Workspace, offline: bool) -> Result<Self> {
        let mut spent = Duration::ZERO;
        let mut kernels = Kernels::Pure;
        match blas::detect() {
            Some(found) => {
                eprintln!("kernels: OpenBLAS {}; building in release", found.description);
                match process::run(&mut build_command(workspace, Kernels::OpenBlas, offline)) {
                    Ok(time) => {
                        kernels = Kernels::OpenBlas;
                        spent += time;
                    }
                    Err(error) => {
                        eprintln!(
                            "kernels: pure Rust, because the build with OpenBLAS failed ({error}; {})",
                            blas::install_advice()
                        )
                    }
                }
            }
            None => eprintln!(
                "kernels: pure Rust, because no OpenBLAS was found ({}); building in release",
                blas::install_advice()
            ),
        }
        if kernels == Kernels::Pure {
            spent += process::run(&mut build_command(workspace, Kernels::Pure, offline))
                .context("kohort-lab does not build; next: cargo build --release -p kohort-lab")?;
        }
        eprintln!("built in {}", human(spent));
        if kernels == Kernels::OpenBlas
            && let Some(warning) = blas::core_type_warning()
        {
            eprintln!("{warning}");
        }
        let program =
            workspace.target.join("release").join(format!("kohort-lab{}", std::env::consts::EXE_SUFFIX));
        Ok(Self { program, kernels, build: spent })
    }

    /// The binary as a command that knows how it was built.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("KOHORT_BLAS", self.kernels.word())
            .env("KOHORT_BUILD_SECONDS", format!("{:.1}", self.build.as_secs_f64()))
            // The cores belong to the shards; a BLAS that starts threads of its own only gets in their way.
            .env("OPENBLAS_NUM_THREADS", "1");
        command
    }
}

/// The cargo command that builds the binary.
pub(crate) fn build_command(workspace: &Workspace, kernels: Kernels, offline: bool) -> Command {
    let mut command = workspace.cargo();
    command.args(["build", "--release", "-p", "kohort-lab", "--bin", "kohort-lab"]);
    if kernels == Kernels::OpenBlas {
        command.args(["--features", "openblas"]);
    }
    if offline {
        command.arg("--offline");
    }
    command
}
