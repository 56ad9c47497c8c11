//! Whether this machine has an OpenBLAS that a program can be linked with.

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::process;

/// How OpenBLAS was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// For people: `0.3.21 (pkg-config)`.
    pub(crate) description: String,
}

/// Looks for OpenBLAS by linking a call with it: a runtime library without its development files would be found by
/// other means and then break the build.
pub(crate) fn detect() -> Option<Found> {
    let version = pkg_config(&["--modversion"]);
    let mut flags = pkg_config(&["--libs"]).unwrap_or_default();
    if flags.is_empty() {
        flags = "-lopenblas".into();
    }
    links(&flags).then(|| Found {
        description: version
            .map_or_else(|| "version unknown".into(), |version| format!("{version} (pkg-config)")),
    })
}

fn pkg_config(flags: &[&str]) -> Option<String> {
    let output =
        Command::new("pkg-config").args(flags).arg("openblas").stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}

fn links(flags: &str) -> bool {
    let compiler = env::var_os("CC").unwrap_or_else(|| OsString::from("cc"));
    let sink = if cfg!(windows) { "NUL" } else { "/dev/null" };
    let child = Command::new(compiler)
        .args(["-x", "c", "-", "-o", sink])
        .args(flags.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return false };
    let program = b"void cblas_sgemm(void);\nint main(void) { cblas_sgemm(); return 0; }\n";
    let written = child.stdin.take().is_some_and(|mut stdin| stdin.write_all(program).is_ok());
    child.wait().is_ok_and(|status| status.success()) && written
}

/// What to say when `OPENBLAS_CORETYPE` is set: it decides the kernels when the library is loaded.
pub(crate) fn core_type_warning() -> Option<String> {
    let core = env::var("OPENBLAS_CORETYPE").ok()?;
    let lower =
        has_avx512() && ["haswell", "zen", "sandybridge", "nehalem"].contains(&core.to_lowercase().as_str());
    let advice =
        if lower { ", which is below what this CPU has: OpenBLAS may run at half its speed" } else { "" };
    Some(format!("warning: OPENBLAS_CORETYPE={core} is set{advice}; unset it to let OpenBLAS choose"))
}

fn has_avx512() -> bool {
    std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains("avx512f"))
}

/// The line for people about an OpenBLAS that was not found. The build script of openblas-src names a TLS library, so it
/// takes the headers of OpenSSL although nothing is downloaded.
pub(crate) fn install_advice() -> &'static str {
    if process::works(Command::new("apt-get").arg("--version")) {
        "apt-get install libopenblas-dev libssl-dev pkg-config would add it"
    } else {
        "install your system's OpenBLAS development package to add it"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_does_not_link() {
        assert!(!links("-lno_such_library_anywhere"));
    }
}
