//! Running other programs: the command is printed, its streams are inherited, its failure is an error with its code.

use std::fmt;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// A program that ended with something else than success.
#[derive(Debug)]
pub(crate) struct Stopped {
    what: String,
    /// `None` when a signal ended it.
    code: Option<i32>,
}

impl Stopped {
    pub(crate) fn code(&self) -> Option<i32> {
        self.code
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        self.code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "`{}` ended with exit code {code}", self.what),
            None => write!(f, "`{}` was ended by a signal", self.what),
        }
    }
}

impl std::error::Error for Stopped {}

/// A result outside its band; it ends the program with exit code 4.
#[derive(Debug)]
pub(crate) struct OutsideBand(pub(crate) String);

impl OutsideBand {
    pub(crate) const CODE: u8 = 4;
}

impl fmt::Display for OutsideBand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OutsideBand {}

/// Runs `command` with inherited streams and returns how long it took.
pub(crate) fn run(command: &mut Command) -> Result<Duration> {
    let what = shown(command);
    let start = Instant::now();
    let status = command.status().with_context(|| format!("cannot start `{what}`"))?;
    if status.success() { Ok(start.elapsed()) } else { Err(Stopped { what, code: status.code() }.into()) }
}

/// Runs `command` and returns its standard output; its errors go to the terminal.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let what = shown(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{what}`"))?;
    if !output.status.success() {
        return Err(Stopped { what, code: output.status.code() }.into());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{what}` printed something that is not UTF-8"))
}

/// Whether `command` can be started and ends well; nothing of it is shown.
pub(crate) fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// The command as one would type it, without its environment.
pub(crate) fn shown(command: &Command) -> String {
    let mut words = vec![file_name(&command.get_program().to_string_lossy()).to_string()];
    words.extend(command.get_args().map(|arg| {
        let arg = arg.to_string_lossy();
        if arg.is_empty() || arg.contains(char::is_whitespace) {
            format!("'{arg}'")
        } else {
            arg.into_owned()
        }
    }));
    words.join(" ")
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A duration for people: `0.4 s`, `37 s`, `2 min 05 s`.
pub(crate) fn human(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if seconds < 99.5 {
        format!("{seconds:.0} s")
    } else {
        let whole = seconds.round() as u64;
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_carries_the_exit_code() {
        let error = run(Command::new("sh").args(["-c", "exit 4"])).unwrap_err();
        assert_eq!(error.downcast_ref::<Stopped>().unwrap().code(), Some(4));
        assert_eq!(error.to_string(), "`sh -c 'exit 4'` ended with exit code 4");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(format!("{error:#}").contains("no-such-program-here"));
        assert!(!works(&mut Command::new("no-such-program-here")));
    }

    #[test]
    fn durations_read_well() {
        let shown = [0.42, 37.2, 125.0].map(|s| human(Duration::from_secs_f64(s)));
        assert_eq!(shown, ["0.4 s", "37 s", "2 min 05 s"]);
    }
}
