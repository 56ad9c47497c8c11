//! A wheel through pip, which knows the machine's package index, proxies and local wheels.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Progress;
use crate::DataError;

/// pip retries for minutes on a machine without network; this is enough for a wheel of a few megabytes.
const MOST: Duration = Duration::from_secs(180);

/// Runs `python -m pip download` and gives the wheel's path in `folder`.
pub(super) fn download(
    python: &Path,
    package: &str,
    wheel: &str,
    folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, DataError> {
    std::fs::create_dir_all(folder).map_err(DataError::io(folder, "make the folder"))?;
    let log = folder.join("pip.log");
    let errors = File::create(&log).map_err(DataError::io(&log, "write it"))?;
    let arguments = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-input",
        "--no-deps",
        "--retries",
        "1",
        "--timeout",
        "10",
        "-d",
    ];
    progress(Progress::Running {
        command: format!("{} -m pip download --no-deps {package}", python.display()),
    });
    let mut child = Command::new(python)
        .args(arguments)
        .arg(folder)
        .arg(package)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .map_err(DataError::io(python, "run it"))?;
    let began = Instant::now();
    let status = loop {
        match child.try_wait().map_err(DataError::io(python, "wait for it"))? {
            Some(status) => break status,
            None if began.elapsed() > MOST => {
                drop(child.kill());
                drop(child.wait());
                return Err(DataError::Place { what: format!("no end after {} s", MOST.as_secs()) });
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    if !status.success() {
        let said = crate::read::bytes_of(&log, 1 << 20).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        return Err(DataError::Place { what: format!("pip ended with {status}: {last}") });
    }
    let path = folder.join(wheel);
    if path.is_file() {
        Ok(path)
    } else {
        Err(DataError::Place { what: format!("pip brought no file {wheel}") })
    }
}
