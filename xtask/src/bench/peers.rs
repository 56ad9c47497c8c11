//! The Python side: virtual environments under `target/` with pinned libraries.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// Which libraries a bench's rival needs. PyTorch has an environment of its own: on Linux its package brings some
/// gigabytes, which nobody should wait for who wants the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Libraries {
    Small,
    Torch,
    Cohorts,
}

impl Libraries {
    fn folder(self) -> &'static str {
        match self {
            Libraries::Small => "bench-venv",
            Libraries::Torch => "bench-venv-torch",
            Libraries::Cohorts => "bench-venv-cohorts",
        }
    }

    fn requirements(self) -> &'static str {
        match self {
            Libraries::Small => include_str!("../../bench/requirements.txt"),
            Libraries::Torch => include_str!("../../bench/requirements-torch.txt"),
            Libraries::Cohorts => include_str!("../../bench/requirements-cohorts.txt"),
        }
    }
}

/// The interpreter of the environment, made if need be; nothing (and a line that says why) where that fails.
/// `KOHORT_TORCH_PYTHON` names one that has PyTorch already.
pub(super) fn python(workspace: &Workspace, libraries: Libraries) -> Option<PathBuf> {
    if libraries == Libraries::Torch
        && let Some(python) = env::var_os("KOHORT_TORCH_PYTHON")
    {
        println!("peers: PyTorch of {}", Path::new(&python).display());
        return Some(python.into());
    }
    match environment(&workspace.target.join(libraries.folder()), libraries.requirements()) {
        Ok(python) => {
            let lines = libraries.requirements().lines();
            let pins: Vec<&str> = lines.filter(|line| !line.starts_with('#')).collect();
            println!("peers: {}", pins.join(", "));
            Some(python)
        }
        Err(error) => {
            println!("peers: not available ({error:#}); only our side is measured");
            None
        }
    }
}

fn environment(folder: &Path, requirements: &str) -> Result<PathBuf> {
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Written last: without it an earlier installation was interrupted or had other pins.
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == requirements) && python.is_file() {
        return Ok(python);
    }
    let system = env::var_os("KOHORT_PYTHON").unwrap_or_else(|| "python3".into());
    eprintln!("peers: making {}", folder.display());
    process::run(Command::new(system).args(["-m", "venv", "--clear"]).arg(folder)).context(
        "no virtual environment; it takes Python 3.11 or later with venv, KOHORT_PYTHON names another",
    )?;
    let list = folder.join("requirements.txt");
    fs::write(&list, requirements).with_context(|| format!("cannot write {}", list.display()))?;
    eprintln!("peers: installing, which takes a minute or two the first time");
    process::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&list),
    )
    .context("pip could not install the peers")?;
    fs::write(&stamp, requirements).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}
