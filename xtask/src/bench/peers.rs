//! The Python side: a virtual environment under `target/` with pinned libraries.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

const REQUIREMENTS: &str = include_str!("../../bench/requirements.txt");

/// The interpreter of the environment, made if need be; nothing (and a line that says why) where that fails.
pub(super) fn python(workspace: &Workspace) -> Option<PathBuf> {
    match environment(&workspace.target.join("bench-venv")) {
        Ok(python) => {
            let pins: Vec<&str> = REQUIREMENTS.lines().filter(|line| !line.starts_with('#')).collect();
            println!("peers: {}", pins.join(", "));
            Some(python)
        }
        Err(error) => {
            println!("peers: not available ({error:#}); only our side is measured");
            None
        }
    }
}

fn environment(folder: &Path) -> Result<PathBuf> {
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Written last: without it an earlier installation was interrupted or had other pins.
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == REQUIREMENTS) && python.is_file() {
        return Ok(python);
    }
    let system = env::var_os("KOHORT_PYTHON").unwrap_or_else(|| "python3".into());
    eprintln!("peers: making {}", folder.display());
    process::run(Command::new(system).args(["-m", "venv", "--clear"]).arg(folder)).context(
        "no virtual environment; it takes Python 3.11 or later with venv, KOHORT_PYTHON names another",
    )?;
    let list = folder.join("requirements.txt");
    fs::write(&list, REQUIREMENTS).with_context(|| format!("cannot write {}", list.display()))?;
    eprintln!("peers: installing, which takes a minute or two the first time");
    process::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&list),
    )
    .context("pip could not install the peers")?;
    fs::write(&stamp, REQUIREMENTS).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}
