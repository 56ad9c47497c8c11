//! `cargo xtask reproduce`: builds the laboratory, runs it, and says where the report is.
//!
//! The experiments, their data, progress and resuming are the laboratory's; this only finds the kernels, passes the
//! flags on and passes the exit code back.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::blas;
use crate::lab::{Kernels, Lab, build_command};
use crate::process::{self, Stopped, human};
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct Flags {
    /// A small run on real data, about 3 minutes on two cores after the build
    #[arg(long, conflicts_with = "all")]
    quick: bool,
    /// Every experiment instead of the main tables
    #[arg(long)]
    all: bool,
    /// Only this paper (dmtl, territories) or this experiment (main, lambda, attention, cold, groups; markets, published,
    /// grouping, planted, regions); may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// How many seeds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seeds: Option<u32>,
    /// Folder with the data sets, one folder each; like the variable KOHORT_MIRROR
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for the report [default: target/reproduce]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    threads: Option<u32>,
    /// Do not use the network
    #[arg(long)]
    offline: bool,
    /// Print the plan and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(workspace: &Workspace, flags: &Flags) -> Result<()> {
    let start = Instant::now();
    let out = match &flags.out {
        Some(out) => Workspace::user_path(out)?,
        None => workspace.target.join("reproduce"),
    };
    let mut words: Vec<String> = vec!["reproduce".into(), "--out".into(), out.display().to_string()];
    words.extend(flags.passed_on()?);
    if flags.dry_run {
        let found = blas::detect();
        let kernels = if found.is_some() { Kernels::OpenBlas } else { Kernels::Pure };
        println!("1. {}", process::shown(&build_command(workspace, kernels, flags.offline)));
        println!("2. {}", process::shown(Command::new("kohort-lab").args(&words)));
        println!("   with KOHORT_BLAS={} OPENBLAS_NUM_THREADS=1", kernels.word());
        println!("3. the report will be {}", out.join("report.html").display());
        return Ok(());
    }
    let lab = Lab::build(workspace, flags.offline)?;
    let outcome = process::run(lab.command().args(&words));
    let report = out.join("report.html");
    // A result outside its band has a report as well, and it is the place to look.
    let code =
        outcome.as_ref().err().and_then(|error| error.downcast_ref::<Stopped>()).and_then(Stopped::code);
    if (outcome.is_ok() || code == Some(4)) && report.is_file() {
        println!("report: {}", report.display());
    }
    println!("total time: {}", human(start.elapsed()));
    if outcome.is_err() {
        eprintln!("{}", next_step(code));
    }
    outcome.map(|_| ())
}

impl Flags {
    /// The flags as the laboratory reads them, with absolute paths.
    fn passed_on(&self) -> Result<Vec<String>> {
        let mut words: Vec<String> = Vec::new();
        for (given, flag) in [(self.quick, "--quick"), (self.all, "--all"), (self.offline, "--offline")] {
            if given {
                words.push(flag.into());
            }
        }
        for name in &self.only {
            words.extend(["--only".into(), name.clone()]);
        }
        for (value, flag) in [(self.seeds, "--seeds"), (self.threads, "--threads")] {
            if let Some(value) = value {
                words.extend([flag.into(), value.to_string()]);
            }
        }
        if let Some(data) = &self.data {
            words.extend(["--data".into(), Workspace::user_path(data)?.display().to_string()]);
        }
        Ok(words)
    }
}

fn next_step(code: Option<i32>) -> &'static str {
    match code {
        Some(2) => "next: cargo xtask reproduce --help",
        Some(3) => "next: cargo xtask data --verify",
        Some(4) => "next: read the report's verdicts; a result lies outside its band",
        _ => "next: run the same command again, finished cells are kept",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_passed_on_with_absolute_paths() {
        let flags = Flags {
            quick: true,
            all: false,
            only: vec!["dmtl".into(), "lambda".into()],
            seeds: Some(3),
            data: Some("data".into()),
            out: None,
            threads: Some(2),
            offline: true,
            dry_run: false,
        };
        let words = flags.passed_on().unwrap();
        assert_eq!(
            words[..10],
            ["--quick", "--offline", "--only", "dmtl", "--only", "lambda", "--seeds", "3", "--threads", "2"]
        );
        assert_eq!(words[10], "--data");
        assert!(PathBuf::from(&words[11]).is_absolute());
    }
}
