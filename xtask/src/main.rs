//! Automation of the workspace: `cargo xtask <command>`, one file per task.
//!
//! It depends on none of the other crates and drives them as processes, so it builds in seconds and cannot break with
//! them. Every command runs from any directory and ends with the next command to type when it fails.

mod bench;
mod blas;
mod ci;
mod data;
mod lab;
mod miri;
mod process;
mod reproduce;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::process::{OutsideBand, Stopped};
use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Automation of the Kohort workspace", after_help = EXIT_CODES)]
struct Flags {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 a step failed, 2 usage, 3 data, 4 a result outside its band";

#[derive(Subcommand)]
enum Command {
    /// Trains everything on real data and writes the report
    Reproduce(reproduce::Flags),
    /// Lists the data sets, where they were found, and checks their files
    Data(data::Flags),
    /// Compares our speed with the Python libraries a user would pick, in one run
    Bench(bench::Flags),
    /// Runs everything a change must pass, cheapest first, and stops at the first failure
    Ci(ci::Flags),
    /// Runs the kernels with `unsafe` under Miri, which sees reads and writes beyond a slice; minutes, and a nightly toolchain
    Miri,
    /// Checks the house rules that no other tool knows
    Tidy,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let Some(command) = flags.command else {
        // Nowhere to print help to is no reason to fail.
        let _ = Flags::command().print_help();
        return ExitCode::SUCCESS;
    };
    let outcome = Workspace::find().and_then(|workspace| match command {
        Command::Reproduce(flags) => reproduce::run(&workspace, &flags),
        Command::Data(flags) => data::run(&workspace, &flags),
        Command::Bench(flags) => bench::run(&workspace, &flags),
        Command::Ci(flags) => ci::run(&workspace, &flags),
        Command::Miri => miri::run(&workspace),
        Command::Tidy => tidy::run(&workspace),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            // The programs that are driven speak in exit codes: pass theirs on.
            match (error.downcast_ref::<Stopped>(), error.downcast_ref::<OutsideBand>()) {
                (Some(stopped), _) => stopped.exit_code(),
                (None, Some(_)) => ExitCode::from(OutsideBand::CODE),
                (None, None) => ExitCode::FAILURE,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn only_can_be_given_several_times() {
        let flags = Flags::try_parse_from([
            "xtask",
            "reproduce",
            "--only",
            "dmtl",
            "--only",
            "lambda",
            "--seeds",
            "3",
        ])
        .unwrap();
        let Some(Command::Reproduce(flags)) = flags.command else { panic!("another command") };
        assert_eq!(flags.only, ["dmtl", "lambda"]);
        assert!(Flags::try_parse_from(["xtask", "reproduce", "--quick", "--all"]).is_err());
        assert!(Flags::try_parse_from(["xtask", "reproduce", "--seeds", "0"]).is_err());
    }
}
